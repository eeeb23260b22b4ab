/* The vault alone: how fast a file becomes a durable object, comes back, and is checked. `vault_bench FILE DIR` prints three
 * figures in MB/s; vault_bench.py runs it beside other programs. */
#include <stdio.h>
#include <stdlib.h>

#include "vault/vault.h"

static struct rs_error err;

static void must(enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "vault_bench: %s\n", err.message);
	exit(1);
}

static enum rs_code read_file(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                              struct rs_bytes *out, struct rs_error *reason)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, scratch, size, &got, reason));
	*out = rs_bytes_of(scratch, got);
	return RS_OK;
}

static enum rs_code pass_over(void *context, struct rs_bytes piece, struct rs_error *reason)
{
	(void)reason;
	*(uint64_t *)context += piece.size;
	return RS_OK;
}

static uint64_t now_ns(void)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	return clock->monotonic_ns(clock);
}

static void tell(const char *what, uint64_t size, uint64_t begun_ns)
{
	printf("%s %.0f\n", what, (double)size * 1e3 / (double)(now_ns() - begun_ns));
}

int main(int count, char **arguments)
{
	const struct rs_world *world = rs_world_system();
	const struct rs_secret key = {{7}};
	const uint8_t nonce[RS_OBJECT_NONCE_SIZE] = {1};
	struct rs_vault *vault = NULL;
	struct rs_vault_staged *staged = NULL;
	struct rs_file *file = NULL;
	struct rs_content content = {.read = read_file};
	struct rs_object_facts facts;
	struct rs_cid cid;
	uint64_t seen = 0;
	if (count != 3)
		return 2;
	must(rs_crypto_init(&err));
	must(rs_file_open_to_read(world, arguments[1], SIZE_MAX, &file, &content.size, &err));
	content.context = file;
	must(rs_vault_create(world, arguments[2], &err));
	must(rs_vault_open(world, arguments[2], &vault, &err));
	uint64_t begun = now_ns();
	must(rs_vault_stage_content(vault, &key, nonce, &content, &staged, &cid, &err));
	must(rs_vault_publish(vault, NULL, &staged, 1, &err));
	tell("store", content.size, begun);
	must(rs_vault_read_to(vault, &cid, &key, pass_over, &seen, &err)); /* into the page cache */
	begun = now_ns();
	must(rs_vault_read_to(vault, &cid, &key, pass_over, &seen, &err));
	tell("read", content.size, begun);
	begun = now_ns();
	must(rs_vault_check(vault, &cid, NULL, &facts, &err));
	tell("scrub", content.size, begun);
	must(rs_vault_remove(vault, &cid, &err));
	rs_vault_close(vault);
	rs_file_close(file);
	return seen == 2 * content.size ? 0 : 1;
}
