/* One suite for every store of blobs: local (on real files), memory, and ipfs when a node's address is in RADSEAL_KUBO_URL
 * (tests/system/kubo.py sets it, of a server that plays one, and of a real one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/vault_blobs.h"

#define MIB RS_OBJECT_CHUNK_SIZE
#define LARGEST (3 * MIB + 5)

static uint8_t bytes[LARGEST];

struct fixture {
	struct rs_blobs *blobs;
	struct rs_vault *vault;
	char directory[32];
};

static enum rs_code read_memory(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                                struct rs_bytes *out, struct rs_error *err)
{
	(void)scratch, (void)err;
	*out = rs_bytes_of((const uint8_t *)context + offset, size);
	return RS_OK;
}

static struct rs_content content_of(size_t size) { return (struct rs_content){size, read_memory, bytes}; }

static int open_memory(void **state)
{
	static struct fixture fixture;
	*state = &fixture;
	return rs_blobs_open_memory(&fixture.blobs, NULL) == RS_OK ? 0 : -1;
}

static int open_local(void **state)
{
	static struct fixture fixture;
	snprintf(fixture.directory, sizeof fixture.directory, "/tmp/rs_blobs_XXXXXX");
	*state = &fixture;
	return mkdtemp(fixture.directory) &&
	                       rs_vault_create(rs_world_system(), fixture.directory, NULL) == RS_OK &&
	                       rs_vault_open(rs_world_system(), fixture.directory, &fixture.vault, NULL) ==
	                               RS_OK &&
	                       rs_blobs_open_local(fixture.vault, &fixture.blobs, NULL) == RS_OK
	               ? 0
	               : -1;
}

static int open_ipfs(void **state)
{
	static struct fixture fixture;
	*state = &fixture;
	return rs_blobs_open_ipfs(getenv("RADSEAL_KUBO_URL"), getenv("RADSEAL_KUBO_TOKEN"), 20000,
	                          &fixture.blobs, NULL) == RS_OK
	               ? 0
	               : -1;
}

static int shut(void **state)
{
	struct fixture *fixture = *state;
	char command[64];
	rs_blobs_close(fixture->blobs);
	rs_vault_close(fixture->vault);
	snprintf(command, sizeof command, "rm -rf '%s'", fixture->directory);
	return fixture->directory[0] ? system(command) : 0;
}

static void keeps_what_it_is_given(void **state)
{
	static const size_t sizes[] = {1, 64, MIB - 1, MIB, MIB + 1, LARGEST};
	const struct fixture *fixture = *state;
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_cid cid;
		struct rs_content content = content_of(sizes[i]);
		struct rs_error err = {0};
		bool there = true;
		assert_int_equal(rs_cid_of(rs_bytes_of(bytes, sizes[i]), &cid, NULL), RS_OK);
		assert_int_equal(rs_blobs_has(fixture->blobs, &cid, &there, &err), RS_OK);
		assert_false(there);
		for (int again = 0; again < 2; again++)
			if (rs_blobs_put(fixture->blobs, &cid, &content, &err) != RS_OK)
				fail_msg("%s", err.message);
		assert_int_equal(rs_blobs_has(fixture->blobs, &cid, &there, &err), RS_OK);
		assert_true(there);
		if (rs_blobs_check(fixture->blobs, &cid, &err) != RS_OK)
			fail_msg("%s", err.message);
		struct rs_blobs *other RS_CLEANUP(rs_blobs_close_pointer) = NULL;
		assert_int_equal(rs_blobs_open_memory(&other, NULL), RS_OK);
		assert_int_equal(rs_blobs_copy(fixture->blobs, other, &cid, &err), RS_OK);
		assert_int_equal(rs_blobs_check(other, &cid, &err), RS_OK);
		assert_int_equal(rs_blobs_remove(fixture->blobs, &cid, &err), RS_OK);
		assert_int_equal(rs_blobs_has(fixture->blobs, &cid, &there, &err), RS_OK);
		assert_false(there);
	}
}

static void refuses_bytes_of_another_address(void **state)
{
	const struct fixture *fixture = *state;
	struct rs_cid cid;
	struct rs_content content = content_of(MIB + 7);
	struct rs_error err = {0};
	bool there = true;
	assert_int_equal(rs_cid_of(rs_bytes_of(bytes, MIB + 8), &cid, NULL), RS_OK);
	assert_int_equal(rs_blobs_put(fixture->blobs, &cid, &content, &err), RS_ALTERED);
	assert_non_null(strstr(err.message, "address"));
	assert_int_equal(rs_blobs_has(fixture->blobs, &cid, &there, &err), RS_OK);
	assert_false(there);
}

static void says_what_it_does_not_have(void **state)
{
	const struct fixture *fixture = *state;
	struct rs_cid cid;
	struct rs_error err = {0};
	assert_int_equal(rs_cid_of(rs_bytes_of("nobody has this", 15), &cid, NULL), RS_OK);
	assert_int_equal(rs_blobs_check(fixture->blobs, &cid, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, fixture->blobs->kind->name));
	assert_int_equal(rs_blobs_remove(fixture->blobs, &cid, &err), RS_NOT_FOUND);
}

/* A read that fails on its way leaves nothing that is kept. */
static enum rs_code fail_later(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                               struct rs_bytes *out, struct rs_error *err)
{
	if (offset > 0)
		return rs_error_set(err, RS_IO, "the disk failed");
	return read_memory(context, offset, size, scratch, out, err);
}

static void keeps_no_half(void **state)
{
	const struct fixture *fixture = *state;
	struct rs_cid cid;
	struct rs_content content = {2 * MIB, fail_later, bytes};
	struct rs_error err = {0};
	bool there = true;
	assert_int_equal(rs_cid_of(rs_bytes_of(bytes, 2 * MIB), &cid, NULL), RS_OK);
	assert_int_equal(rs_blobs_put(fixture->blobs, &cid, &content, &err), RS_IO);
	assert_int_equal(rs_blobs_has(fixture->blobs, &cid, &there, &err), RS_OK);
	assert_false(there);
}

#define SUITE(store)                                                                                         \
	{#store " keeps what it is given", keeps_what_it_is_given, open_##store, shut, NULL},                \
		{#store " refuses bytes of another address", refuses_bytes_of_another_address, open_##store, \
	         shut, NULL},                                                                                \
		{#store " says what it does not have", says_what_it_does_not_have, open_##store, shut,       \
	         NULL},                                                                                      \
	{                                                                                                    \
#store " keeps no half", keeps_no_half, open_##store, shut, NULL                             \
	}

int main(void)
{
	const struct CMUnitTest here[] = {SUITE(memory), SUITE(local)};
	const struct CMUnitTest there[] = {SUITE(ipfs)};
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return getenv("RADSEAL_KUBO_URL") ? cmocka_run_group_tests(there, NULL, NULL)
	                                  : cmocka_run_group_tests(here, NULL, NULL);
}
