/* Subject keys on real files: erased keys leave no byte behind, altered rows are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/identity.h"
#include "store/store.h"

static char directory[64], key_path[96], path[96], wal_path[112], shm_path[112];
static const uint8_t unlock_bytes[32] = {1, 2, 3};
static const struct rs_unlock unlock = {.unlock_file = {unlock_bytes, sizeof(unlock_bytes)}};
static struct rs_keyring *keyring;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/rs_subject_test_XXXXXX");
	if (rs_crypto_init(NULL) != RS_OK || mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(key_path, sizeof(key_path), "%s/node.key", directory);
	(void)snprintf(path, sizeof(path), "%s/subjects.sqlite", directory);
	(void)snprintf(wal_path, sizeof(wal_path), "%s-wal", path);
	(void)snprintf(shm_path, sizeof(shm_path), "%s-shm", path);
	return rs_keyring_create(rs_world_system(), key_path, &unlock, RS_STR("A"), &keyring, NULL) == RS_OK
	               ? 0
	               : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rs_keyring_close(keyring);
	(void)unlink(key_path);
	(void)unlink(path);
	(void)unlink(wal_path);
	(void)unlink(shm_path);
	return rmdir(directory);
}

static struct rs_subject_keys *open_keys(void)
{
	struct rs_subject_keys *keys = NULL;
	struct rs_error err = {0};
	if (rs_subject_keys_open(rs_world_system(), path, keyring, &keys, &err) != RS_OK)
		fail_msg("%s", err.message);
	return keys;
}

static struct rs_pseudonym person(unsigned number)
{
	struct rs_pseudonym result;
	char text[16];
	(void)snprintf(text, sizeof(text), "%u", number);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("H"), rs_str_from(text), &result, NULL), RS_OK);
	return result;
}

static struct rs_secret get(struct rs_subject_keys *keys, unsigned number)
{
	struct rs_pseudonym pseudonym = person(number);
	struct rs_secret secret;
	struct rs_error err = {0};
	if (rs_subject_key_get(keys, &pseudonym, true, &secret, &err) != RS_OK)
		fail_msg("%s", err.message);
	return secret;
}

static void gives_everyone_a_key_of_their_own(void **state)
{
	struct rs_subject_keys *keys = open_keys();
	struct rs_secret first = get(keys, 1), again = get(keys, 1), second = get(keys, 2);
	struct rs_pseudonym third = person(3);
	struct rs_error err = {0};
	uint64_t count = 0;
	(void)state;
	assert_memory_equal(&first, &again, 32);
	assert_memory_not_equal(&first, &second, 32);
	memset(&again, 7, 32);
	assert_int_equal(rs_subject_key_get(keys, &third, false, &again, &err), RS_NOT_FOUND);
	assert_int_equal(again.bytes[0], 7);
	assert_int_equal(rs_subject_keys_count(keys, &count, &err), RS_OK);
	assert_int_equal(count, 2);
	rs_subject_keys_close(keys);
	keys = open_keys();
	again = get(keys, 1);
	assert_memory_equal(&first, &again, 32);
	rs_subject_keys_close(keys);
}

/* The wrapped form as it lies in the row. */
static void wrapped_of(unsigned number, uint8_t out[static 60])
{
	struct rs_pseudonym pseudonym = person(number);
	struct rs_store *store = NULL;
	struct rs_statement *select = NULL;
	bool row = false;
	assert_int_equal(rs_store_open(rs_world_system(), path, RS_STORE_READ, "", 1, &store, NULL), RS_OK);
	assert_int_equal(rs_statement_prepare(store, "SELECT wrapped FROM subject_key WHERE pseudonym = ?1",
	                                      &select, NULL),
	                 RS_OK);
	rs_statement_bind_bytes(select, 1, rs_bytes_of(pseudonym.bytes, 32));
	assert_int_equal(rs_statement_step(select, &row, NULL), RS_OK);
	assert_true(row);
	assert_int_equal(rs_statement_bytes(select, 0).size, 60);
	memcpy(out, rs_statement_bytes(select, 0).data, 60);
	rs_statement_finish(select);
	rs_store_close(store);
}

/* Any 12 bytes in a row of the wrapped key, in the database or its log. */
static size_t traces(const uint8_t wrapped[static 60])
{
	const char *const names[] = {path, wal_path};
	size_t found = 0;
	for (size_t n = 0; n < RS_COUNT(names); n++) {
		struct rs_buffer file = {0};
		if (rs_file_read_all(rs_world_system(), names[n], 100 << 20, &file, NULL) != RS_OK)
			continue;
		for (size_t i = 0; i + 12 <= file.size; i++)
			for (size_t part = 0; part < 60; part += 12)
				found += memcmp(file.data + i, wrapped + part, 12) == 0;
		rs_buffer_finish(&file);
	}
	return found;
}

static void erases_without_a_trace(void **state)
{
	enum { PEOPLE = 600 };
	struct rs_subject_keys *keys = open_keys();
	struct rs_secret secret, kept;
	struct rs_error err = {0};
	uint8_t wrapped[60];
	(void)state;
	for (unsigned i = 0; i < PEOPLE; i++)
		(void)get(keys, i);
	kept = get(keys, 10);
	for (unsigned i = 0; i < PEOPLE; i += 97) {
		struct rs_pseudonym pseudonym = person(i);
		wrapped_of(i, wrapped);
		assert_true(traces(wrapped) > 0);
		assert_int_equal(rs_subject_key_erase(keys, &pseudonym, &err), RS_OK);
		assert_int_equal(traces(wrapped), 0);
		assert_int_equal(rs_subject_key_get(keys, &pseudonym, false, &secret, &err), RS_NOT_FOUND);
		assert_int_equal(rs_subject_key_erase(keys, &pseudonym, &err), RS_NOT_FOUND);
	}
	secret = get(keys, 10);
	assert_memory_equal(&secret, &kept, 32);
	assert_int_equal(rs_subject_keys_check(keys, NULL, NULL, &err), RS_OK);
	rs_subject_keys_close(keys);
}

static void forgets_what_another_process_erased(void **state)
{
	struct rs_subject_keys *server = open_keys(), *tool = open_keys();
	struct rs_pseudonym pseudonym = person(1);
	struct rs_secret secret = get(server, 1);
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_subject_key_erase(tool, &pseudonym, &err), RS_OK);
	assert_int_equal(rs_subject_key_get(server, &pseudonym, false, &secret, &err), RS_NOT_FOUND);
	rs_subject_keys_close(server);
	rs_subject_keys_close(tool);
}

struct findings {
	unsigned count;
	char last[RS_ERROR_MESSAGE_SIZE];
};

static enum rs_code collect(void *context, const char *finding, struct rs_error *err)
{
	struct findings *findings = context;
	(void)err;
	findings->count++;
	(void)snprintf(findings->last, sizeof(findings->last), "%s", finding);
	return RS_OK;
}

static void names_every_altered_row(void **state)
{
	struct rs_subject_keys *keys = open_keys();
	struct rs_pseudonym pseudonym = person(1);
	struct rs_secret secret;
	struct rs_store *store = NULL;
	struct rs_statement *update = NULL;
	struct rs_error err = {0};
	uint8_t wrapped[60];
	char text[RS_PSEUDONYM_TEXT_SIZE];
	(void)state;
	(void)get(keys, 1);
	(void)get(keys, 2);
	rs_subject_keys_close(keys);
	rs_pseudonym_format(&pseudonym, text);
	wrapped_of(1, wrapped);
	for (size_t i = 0; i < sizeof(wrapped); i += 5) {
		struct findings findings = {0};
		wrapped[i] ^= 4;
		assert_int_equal(rs_store_open(rs_world_system(), path, RS_STORE_WRITE, "", 1, &store, &err),
		                 RS_OK);
		assert_int_equal(rs_statement_prepare(
					 store, "UPDATE subject_key SET wrapped = ?2 WHERE pseudonym = ?1",
					 &update, &err),
		                 RS_OK);
		rs_statement_bind_bytes(update, 1, rs_bytes_of(pseudonym.bytes, 32));
		rs_statement_bind_bytes(update, 2, rs_bytes_of(wrapped, i == 0 ? 59 : 60));
		assert_int_equal(rs_statement_run(update, &err), RS_OK);
		rs_statement_finish(update);
		rs_store_close(store);
		keys = open_keys();
		assert_int_equal(rs_subject_keys_check(keys, collect, &findings, &err), RS_ALTERED);
		assert_int_equal(findings.count, 1);
		assert_non_null(strstr(findings.last, text));
		assert_non_null(strstr(err.message, text));
		assert_int_equal(rs_subject_key_get(keys, &pseudonym, true, &secret, &err), RS_ALTERED);
		(void)get(keys, 2);
		rs_subject_keys_close(keys);
		wrapped[i] ^= 4;
	}
}

static void figures(void **state)
{
	enum { PEOPLE = 500, ROUNDS = 20000 };
	const struct rs_clock *clock = rs_world_system()->clock;
	struct rs_subject_keys *keys = open_keys();
	struct rs_pseudonym pseudonym = person(1);
	struct rs_secret secret;
	uint64_t times[3];
	(void)state;
	times[0] = clock->monotonic_ns(clock);
	for (unsigned i = 0; i < PEOPLE; i++)
		(void)get(keys, i);
	times[1] = clock->monotonic_ns(clock);
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_int_equal(rs_subject_key_get(keys, &pseudonym, false, &secret, NULL), RS_OK);
	times[2] = clock->monotonic_ns(clock);
	print_message("# new subject %.0f us, known subject %.2f us\n",
	              (double)(times[1] - times[0]) / PEOPLE / 1e3,
	              (double)(times[2] - times[1]) / ROUNDS / 1e3);
	times[0] = clock->monotonic_ns(clock);
	assert_int_equal(rs_subject_key_erase(keys, &pseudonym, NULL), RS_OK);
	print_message("# erasing one of %d: %.1f ms\n", PEOPLE,
	              (double)(clock->monotonic_ns(clock) - times[0]) / 1e6);
	rs_subject_keys_close(keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_everyone_a_key_of_their_own),
		TEST(erases_without_a_trace),
		TEST(forgets_what_another_process_erased),
		TEST(names_every_altered_row),
		TEST(figures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
