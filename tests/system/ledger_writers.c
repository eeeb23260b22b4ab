/* Writers to be killed: `ledger_writers FILE work` writes a head of the map and then lets four threads append through one
 * queue until somebody ends it, printing "id index" of each entry after it was answered as durable. `ledger_writers FILE
 * check [whole]` reads such lines and tells whether each entry is there, once, at its place and proved; `whole`: and whether
 * the ledger is without fault. Driven by ledger_kills.py. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger_head.h"
#include "ledger/ledger_queue.h"

#define WRITERS 4
#define LINE_SIZE 128

static struct rs_signing_key log_key, admin;
static struct rs_ledger_queue *queue;

static void must(enum rs_code code, const struct rs_error *err)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "ledger_writers: %s\n", err->message);
	exit(1);
}

static void sign(struct rs_act *act, struct rs_transaction *out)
{
	struct rs_error err = {0};
	act->organisation = RS_STR("Radiology");
	act->time_ms = 1000;
	must(rs_world_random(rs_world_system(), act->id, sizeof act->id, &err), &err);
	must(rs_transaction_sign(act, &admin, out, &err), &err);
}

static void append(struct rs_ledger *ledger, struct rs_act *act)
{
	struct rs_transaction transaction;
	struct rs_append_result result;
	struct rs_error err = {0};
	sign(act, &transaction);
	must(rs_ledger_append(ledger, &transaction, 1, &result, &err), &err);
	rs_transaction_finish(&transaction);
}

/* What changes the map, and what does not. */
static void make_act(uint64_t number, struct rs_act *act)
{
	struct rs_error err = {0};
	struct rs_digest random;
	must(rs_world_random(rs_world_system(), random.bytes, RS_SHA256_SIZE, &err), &err);
	*act = (struct rs_act){.type = RS_TRANSACTION_OBJECT_REGISTER,
	                       .kind = RS_OBJECT_IMAGE,
	                       .instances = 1,
	                       .commitment = random};
	if (number % 3 == 0)
		*act = (struct rs_act){.type = RS_TRANSACTION_SUBJECT_REGISTER, .subject = random};
	if (number % 7 == 0) {
		*act = (struct rs_act){.type = RS_TRANSACTION_MEMBER_GRANT, .role = RS_ROLE_RADIOLOGIST};
		memcpy(act->member.bytes, random.bytes, RS_KEY_SIZE);
	}
}

static void *write_for_ever(void *unused RS_UNUSED)
{
	for (uint64_t number = 0;; number++) {
		char line[LINE_SIZE], id[2 * RS_TRANSACTION_ID_SIZE + 1];
		struct rs_transaction transaction;
		struct rs_append_result result;
		struct rs_error err = {0};
		struct rs_act act;
		make_act(number, &act);
		sign(&act, &transaction);
		must(rs_ledger_queue_append(queue, &transaction, &result, &err), &err);
		rs_transaction_finish(&transaction);
		rs_hex_encode(rs_bytes_of(act.id, sizeof act.id), id);
		int size = snprintf(line, sizeof line, "%s %" PRIu64 "\n", id, result.index);
		if (result.refusal != RS_REFUSAL_NONE || write(STDOUT_FILENO, line, (size_t)size) != size)
			exit(1);
	}
	return NULL;
}

static void write_head(struct rs_ledger *ledger)
{
	struct rs_act act = {.organisation = RS_STR("Radiology")};
	struct rs_map_head head;
	struct rs_buffer origin;
	struct rs_error err = {0};
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	must(rs_ledger_map_next(ledger, &head, &err), &err);
	must(rs_map_head_act(&head, &origin, &act, &err), &err);
	append(ledger, &act);
	rs_buffer_finish(&origin);
}

static void work(struct rs_ledger *ledger)
{
	pthread_t threads[WRITERS];
	struct rs_error err = {0};
	if (rs_ledger_size(ledger) == 0) {
		struct rs_act founding = {.type = RS_TRANSACTION_ORGANISATION_ADD};
		memcpy(founding.member.bytes, admin.public_key, RS_KEY_SIZE);
		append(ledger, &founding);
	}
	write_head(ledger);
	must(rs_ledger_queue_create(ledger, &queue, &err), &err);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_for_ever, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
}

static void check_line(struct rs_ledger *ledger, const char *line, const struct rs_checkpoint *checkpoint)
{
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	struct rs_digest path[RS_PROOF_HASHES_MAX], leaf;
	struct rs_error err = {0};
	struct rs_bytes entry;
	struct rs_act act;
	uint64_t told, index;
	size_t count;
	struct rs_str rest = rs_str_from(line), hex;
	if (!rs_str_split(&rest, ' ', &hex) || !rs_hex_decode(hex, id, sizeof id) ||
	    !rs_parse_u64(rs_str_trim(rest), &told))
		return; /* the kill cut it */
	enum rs_code code = rs_ledger_find(ledger, id, &index, &err);
	if (code == RS_NOT_FOUND || index != told) {
		fprintf(stderr, "ledger_writers: entry %" PRIu64 " was acknowledged and is lost\n", told);
		exit(1);
	}
	must(code, &err);
	must(rs_ledger_entry(ledger, index, &entry, &err), &err);
	must(rs_transaction_verify(entry, &act, &err), &err);
	rs_leaf_hash(entry, &leaf);
	must(rs_ledger_prove(ledger, index, path, &count, &err), &err);
	if (memcmp(act.id, id, sizeof id) != 0 ||
	    !rs_inclusion_valid(&leaf, index, checkpoint->size, path, count, &checkpoint->root)) {
		fprintf(stderr, "ledger_writers: entry %" PRIu64 " is not proved\n", told);
		exit(1);
	}
}

static void fault(void *context RS_UNUSED, const char *sentence)
{
	fprintf(stderr, "ledger_writers: %s\n", sentence);
}

static void check(struct rs_ledger *ledger, bool whole)
{
	struct rs_checkpoint checkpoint = {.size = 0};
	struct rs_note_key key;
	struct rs_error err = {0};
	char line[LINE_SIZE];
	must(rs_note_key_init(&key, "radseal.local/test", log_key.public_key, &err), &err);
	if (rs_ledger_size(ledger))
		must(rs_checkpoint_verify(rs_ledger_checkpoint(ledger), &key, &checkpoint, &err), &err);
	while (fgets(line, sizeof line, stdin))
		check_line(ledger, line, &checkpoint);
	if (whole)
		must(rs_ledger_check(ledger, fault, NULL, &err), &err);
	printf("%" PRIu64 "\n", rs_ledger_size(ledger));
}

int main(int count, char **arguments)
{
	struct rs_secret seeds[2] = {{{1}}, {{2}}};
	struct rs_error err = {0};
	struct rs_ledger *ledger;
	if (count < 3)
		return 2;
	must(rs_crypto_init(&err), &err);
	rs_signing_key_from_seed(&seeds[0], &log_key);
	rs_signing_key_from_seed(&seeds[1], &admin);
	const struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &log_key};
	must(rs_ledger_open(rs_world_system(), arguments[1], &options, &ledger, &err), &err);
	if (strcmp(arguments[2], "work") == 0)
		work(ledger);
	else
		check(ledger, count > 3);
	rs_ledger_close(ledger);
	return 0;
}
