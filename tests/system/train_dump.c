/* `train_dump STUDY THREADS`: every number that a training tells, bit by bit, and the digest of its model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prognosis/prognosis.h"

static void take_finding(void *context, const struct rs_finding *finding)
{
	(void)context;
	printf("%s %s %a %a %a %a\n", finding->of, finding->name, finding->value, finding->lower,
	       finding->upper, finding->p);
}

static void take_warning(void *context, const char *sentence)
{
	(void)context;
	printf("%s\n", sentence);
}

int main(int argc, char **argv)
{
	const struct rs_training_report report = {.finding = take_finding, .warning = take_warning};
	struct rs_pool *pool = NULL;
	struct rs_buffer model;
	struct rs_digest digest;
	struct rs_error err = {0};
	char verdict[RS_VERDICT_SIZE], hex[2 * RS_SHA256_SIZE + 1];
	rs_buffer_init(&model, RS_MODEL_SIZE_MAX);
	if (argc != 3 || rs_pool_create((unsigned)strtoul(argv[2], NULL, 10), &pool, &err) != RS_OK ||
	    rs_train(rs_world_system(), argv[1], pool, &report, &model, verdict, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	rs_sha256(rs_buffer_bytes(&model), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	printf("%s\n%s\n", verdict, hex);
	rs_buffer_finish(&model);
	rs_pool_destroy(pool);
	return 0;
}
