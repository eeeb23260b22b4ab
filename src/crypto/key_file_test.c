/* Key files: round trip, permissions, and every byte flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"

static char directory[64], path[96];
static const uint8_t unlock_bytes[32] = {9, 8, 7};

static const struct rs_unlock by_file = {.unlock_file = {unlock_bytes, sizeof(unlock_bytes)}};
static const struct rs_unlock by_phrase = {.passphrase = {(const uint8_t *)"correct horse", 13}};

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/rs_key_file_test_XXXXXX");
	if (rs_crypto_init(NULL) != RS_OK || mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/node.key", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static void write_key(const struct rs_unlock *unlock, size_t payload_size)
{
	struct rs_error err = {0};
	uint8_t *payload = rs_allocate(payload_size);
	assert_non_null(payload);
	memset(payload, 's', payload_size);
	if (rs_key_file_write(rs_world_system(), path, unlock, rs_bytes_of(payload, payload_size), &err) !=
	    RS_OK)
		fail_msg("%s", err.message);
	rs_free(payload);
}

static enum rs_code read_key(const struct rs_unlock *unlock, size_t expected_size, struct rs_error *err)
{
	struct rs_buffer out;
	enum rs_code code;
	rs_buffer_init(&out, RS_KEY_FILE_PAYLOAD_MAX);
	code = rs_key_file_read(rs_world_system(), path, unlock, &out, err);
	assert_int_equal(out.size, code == RS_OK ? expected_size : 0);
	for (size_t i = 0; i < out.size; i++)
		assert_int_equal(out.data[i], 's');
	rs_secret_buffer_finish(&out);
	return code;
}

static void comes_back(void **state)
{
	static const size_t sizes[] = {0, 7, 8, 239, 240, 300, 65519, 65520, RS_KEY_FILE_PAYLOAD_MAX};
	struct rs_error err = {0};
	struct stat stat_buffer;
	(void)state;
	/* The sizes stand at both sides of each form of a CBOR head (with the tag of 16 bytes). */
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		write_key(&by_file, sizes[i]);
		assert_int_equal(read_key(&by_file, sizes[i], &err), RS_OK);
	}
	write_key(&by_phrase, 100);
	assert_int_equal(read_key(&by_phrase, 100, &err), RS_OK);
	assert_int_equal(stat(path, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_mode & 0777, 0600);
}

static void refuses_the_wrong_unlock(void **state)
{
	const struct rs_unlock wrong = {.passphrase = {(const uint8_t *)"correct horsf", 13}};
	const struct rs_unlock both = {.passphrase = by_phrase.passphrase,
	                               .unlock_file = by_file.unlock_file};
	const struct rs_unlock none = {0}, small = {.unlock_file = {unlock_bytes, 31}};
	uint8_t other[32] = {9, 8, 6};
	const struct rs_unlock wrong_file = {.unlock_file = {other, 32}};
	struct rs_error err = {0};
	(void)state;
	write_key(&by_phrase, 10);
	assert_int_equal(read_key(&wrong, 10, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "wrong passphrase"));
	assert_int_equal(read_key(&by_file, 10, &err), RS_USAGE);
	assert_int_equal(read_key(&both, 10, &err), RS_USAGE);
	assert_int_equal(read_key(&none, 10, &err), RS_USAGE);
	write_key(&by_file, 10);
	assert_int_equal(read_key(&wrong_file, 10, &err), RS_REFUSED);
	assert_int_equal(read_key(&small, 10, &err), RS_USAGE);
}

static void refuses_what_others_may_read(void **state)
{
	struct rs_error err = {0};
	(void)state;
	write_key(&by_file, 10);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(read_key(&by_file, 10, &err), RS_DENIED);
	assert_non_null(strstr(err.message, "chmod 600"));
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(read_key(&by_file, 10, &err), RS_DENIED);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(read_key(&by_file, 10, &err), RS_OK);
	(void)unlink(path);
	assert_int_equal(read_key(&by_file, 10, &err), RS_NOT_FOUND);
}

/* `stride`: a passphrase costs Argon2id for each try. */
static void flip(const struct rs_unlock *unlock, size_t stride)
{
	struct rs_buffer file = {0}, out;
	struct rs_error err = {0};
	rs_buffer_init(&out, 1000);
	write_key(unlock, 20);
	assert_int_equal(rs_file_read_all(rs_world_system(), path, 1000, &file, &err), RS_OK);
	for (size_t i = 0; i < file.size; i += stride)
		for (unsigned bit = 0; bit<8; bit += stride> 1 ? 8 : 1) {
			file.data[i] ^= (uint8_t)(1u << bit);
			if (rs_key_file_parse(rs_buffer_bytes(&file), unlock, &out, &err) == RS_OK)
				fail_msg("bit %u of byte %zu may be flipped", bit, i);
			assert_int_equal(out.size, 0);
			file.data[i] ^= (uint8_t)(1u << bit);
		}
	for (size_t size = 0; size < file.size; size += stride)
		assert_int_not_equal(rs_key_file_parse(rs_bytes_of(file.data, size), unlock, &out, &err),
		                     RS_OK);
	assert_int_equal(rs_key_file_parse(rs_buffer_bytes(&file), unlock, &out, &err), RS_OK);
	rs_buffer_finish(&file);
	rs_secret_buffer_finish(&out);
}

static void refuses_every_flip(void **state)
{
	(void)state;
	flip(&by_file, 1);
	flip(&by_phrase, 7);
}

static void bounds_what_a_file_may_ask_for(void **state)
{
	/* 3 passes over 2^40 bytes, and 17 over 64 MiB. */
	static const struct {
		uint64_t mem, ops;
	} rows[] = {
		{(uint64_t)1 << 40, 3},
		{(uint64_t)64 << 20, 17},
		{4096, 3},
		{(uint64_t)64 << 20, 0},
	};
	uint8_t zeros[40] = {0};
	struct rs_buffer file, out;
	struct rs_error err = {0};
	(void)state;
	rs_buffer_init(&file, 1000);
	rs_buffer_init(&out, 1000);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_buffer_clear(&file);
		rs_buffer_append_text(&file, "radseal key file v1\n");
		rs_cbor_write_map(&file, 6);
		rs_cbor_write_str(&file, RS_STR("kdf"));
		rs_cbor_write_str(&file, RS_STR("argon2id-v1.3"));
		rs_cbor_write_str(&file, RS_STR("mem"));
		rs_cbor_write_u64(&file, rows[i].mem);
		rs_cbor_write_str(&file, RS_STR("ops"));
		rs_cbor_write_u64(&file, rows[i].ops);
		rs_cbor_write_str(&file, RS_STR("salt"));
		rs_cbor_write_bytes(&file, rs_bytes_of(zeros, 16));
		rs_cbor_write_str(&file, RS_STR("nonce"));
		rs_cbor_write_bytes(&file, rs_bytes_of(zeros, 12));
		rs_cbor_write_str(&file, RS_STR("sealed"));
		rs_cbor_write_bytes(&file, rs_bytes_of(zeros, 40));
		assert_int_equal(rs_key_file_parse(rs_buffer_bytes(&file), &by_phrase, &out, &err),
		                 RS_REFUSED);
		assert_non_null(strstr(err.message, "asks for"));
	}
	rs_buffer_finish(&file);
	rs_buffer_finish(&out);
}

/* The form of a key file, in the order that deterministic CBOR gives the writer's fields. */
struct form {
	size_t fields;
	const char *first, *kdf;
	size_t salt, sealed;
};

static enum rs_code parse_form(const struct form *form, const struct rs_unlock *unlock, struct rs_error *err)
{
	static const uint8_t zeros[64];
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&file, 1000);
	rs_buffer_init(&out, 1000);
	rs_buffer_append_text(&file, "radseal key file v1\n");
	rs_cbor_write_map(&file, form->fields);
	rs_cbor_write_str(&file, rs_str_from(form->first));
	rs_cbor_write_str(&file, rs_str_from(form->kdf));
	rs_cbor_write_str(&file, RS_STR("mem"));
	rs_cbor_write_u64(&file, 0);
	rs_cbor_write_str(&file, RS_STR("ops"));
	rs_cbor_write_u64(&file, 0);
	rs_cbor_write_str(&file, RS_STR("salt"));
	rs_cbor_write_bytes(&file, rs_bytes_of(zeros, form->salt));
	rs_cbor_write_str(&file, RS_STR("nonce"));
	rs_cbor_write_bytes(&file, rs_bytes_of(zeros, 12));
	if (form->fields > 5) {
		rs_cbor_write_str(&file, RS_STR("sealed"));
		rs_cbor_write_bytes(&file, rs_bytes_of(zeros, form->sealed));
	}
	return rs_key_file_parse(rs_buffer_bytes(&file), unlock, &out, err);
}

static void refuses_other_forms(void **state)
{
	static const struct {
		struct form form;
		enum rs_code code;
		const char *words;
	} rows[] = {
		{{6, "kdf", "hkdf-sha256", 16, 40}, RS_REFUSED, "wrong unlock file"}, /* the form is right */
		{{5, "kdf", "hkdf-sha256", 16, 0}, RS_MALFORMED, "5 fields, 6 expected"},
		{{6, "kdg", "hkdf-sha256", 16, 40}, RS_MALFORMED, "field 'kdf' expected"},
		{{6, "kdf", "scrypt", 16, 40}, RS_UNSUPPORTED, "'scrypt' is not known"},
		{{6, "kdf", "hkdf-sha256", 15, 40}, RS_MALFORMED, "salt"},
		{{6, "kdf", "hkdf-sha256", 16, 15}, RS_MALFORMED, "'sealed' has 15 bytes, at least 16"},
	};
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		assert_int_equal(parse_form(&rows[i].form, &by_file, &err), rows[i].code);
		if (!strstr(err.message, rows[i].words))
			fail_msg("'%s' is not in '%s'", rows[i].words, err.message);
	}
	assert_int_equal(parse_form(&rows[0].form, &by_phrase, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "opens with an unlock file"));
}

static void refuses_what_is_too_long(void **state)
{
	static uint8_t many[RS_KEY_FILE_PAYLOAD_MAX + 1];
	struct rs_error err = {0};
	const struct rs_unlock endless = {.passphrase = {many, 4097}};
	(void)state;
	assert_int_equal(
		rs_key_file_write(rs_world_system(), path, &by_file, rs_bytes_of(many, sizeof many), &err),
		RS_TOO_LARGE);
	assert_non_null(strstr(err.message, "at most 65536 bytes"));
	assert_int_equal(rs_key_file_write(rs_world_system(), path, &endless, rs_bytes_of(many, 1), &err),
	                 RS_USAGE);
	assert_non_null(strstr(err.message, "4096 are allowed"));
	assert_int_not_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(refuses_the_wrong_unlock),
		TEST(refuses_what_others_may_read),
		TEST(refuses_every_flip),
		TEST(bounds_what_a_file_may_ask_for),
		TEST(refuses_other_forms),
		TEST(refuses_what_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
