/* AES-256-GCM against the test cases of McGrew and Viega's submission to NIST ("The Galois/Counter
 * Mode of Operation", appendix B, cases 13, 14 and 16), and every way to spoil a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

struct row {
	const char *key, *nonce, *associated, *plain, *cipher, *tag;
};

static const struct row rows[] = {
	{"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
         "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
	{"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
         "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
         "d0d1c8a799996bf0265b98b5d48ab919"},
	{"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
         "feedfacedeadbeeffeedfacedeadbeefabaddad2",
         "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
         "b16aedf5aa0de657ba637b39",
         "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
         "c5f61e6393ba7a0abcc9f662",
         "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static size_t unhex(const char *hex, uint8_t *out)
{
	assert_true(rs_hex_decode(rs_str_from(hex), out, strlen(hex) / 2));
	return strlen(hex) / 2;
}

static void agrees_with_the_test_cases(void **state)
{
	uint8_t key[32], nonce[12], associated[64], plain[64], cipher[64], tag[16], out[64], out_tag[16];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_gcm *gcm = NULL;
		size_t size = unhex(rows[i].plain, plain),
		       associated_size = unhex(rows[i].associated, associated);
		unhex(rows[i].key, key);
		unhex(rows[i].nonce, nonce);
		unhex(rows[i].cipher, cipher);
		unhex(rows[i].tag, tag);
		assert_int_equal(rs_gcm_create(key, &gcm, NULL), RS_OK);
		/* Twice each way on one key schedule: directions may alternate. */
		for (int round = 0; round < 2; round++) {
			assert_int_equal(rs_gcm_encrypt(gcm, nonce, rs_bytes_of(associated, associated_size),
			                                rs_bytes_of(plain, size), out, out_tag, NULL),
			                 RS_OK);
			assert_memory_equal(out, cipher, size);
			assert_memory_equal(out_tag, tag, 16);
			assert_int_equal(rs_gcm_decrypt(gcm, nonce, rs_bytes_of(associated, associated_size),
			                                rs_bytes_of(out, size), out, tag, NULL),
			                 RS_OK);
			assert_memory_equal(out, plain, size);
		}
		rs_gcm_destroy(gcm);
	}
}

static void wipes_what_does_not_authenticate(void **state)
{
	uint8_t key[32] = {1}, nonce[12] = {2}, data[40], tag[16], zeros[40] = {0};
	struct rs_gcm *gcm = NULL;
	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(rs_gcm_create(key, &gcm, NULL), RS_OK);
	assert_int_equal(rs_gcm_encrypt(gcm, nonce, (struct rs_bytes){0}, rs_bytes_of(data, sizeof(data)),
	                                data, tag, NULL),
	                 RS_OK);
	tag[15] ^= 1;
	assert_int_equal(rs_gcm_decrypt(gcm, nonce, (struct rs_bytes){0}, rs_bytes_of(data, sizeof(data)),
	                                data, tag, NULL),
	                 RS_ALTERED);
	assert_memory_equal(data, zeros, sizeof(data));
	rs_gcm_destroy(gcm);
}

static void refuses_every_flip_of_a_box(void **state)
{
	struct rs_secret key = {{7}};
	struct rs_bytes associated = rs_bytes_of("who", 3), plain = rs_bytes_of("nobody", 6);
	struct rs_buffer box, out;
	struct rs_error err;
	(void)state;
	rs_buffer_init(&box, 100);
	rs_buffer_init(&out, 100);
	rs_buffer_append_text(&box, "before");
	assert_int_equal(rs_box_seal(rs_world_system(), &key, associated, plain, &box, NULL), RS_OK);
	assert_int_equal(box.size, 6 + 6 + RS_BOX_OVERHEAD);
	for (size_t bit = 0; bit < (box.size - 6) * 8; bit++) {
		box.data[6 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			rs_box_open(&key, associated, rs_bytes_of(box.data + 6, box.size - 6), &out, &err),
			RS_ALTERED);
		assert_int_equal(out.size, 0);
		box.data[6 + bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t size = 0; size < box.size - 6; size++)
		assert_int_equal(rs_box_open(&key, associated, rs_bytes_of(box.data + 6, size), &out, &err),
		                 RS_ALTERED);
	assert_int_equal(
		rs_box_open(&key, rs_bytes_of("whO", 3), rs_bytes_of(box.data + 6, box.size - 6), &out, &err),
		RS_ALTERED);
	assert_int_equal(rs_box_open(&key, associated, rs_bytes_of(box.data + 6, box.size - 6), &out, &err),
	                 RS_OK);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&out), plain));
	rs_buffer_finish(&box);
	rs_buffer_finish(&out);
}

static void boxes_may_be_empty_and_buffers_full(void **state)
{
	struct rs_secret key = {{7}};
	struct rs_buffer box, out;
	(void)state;
	rs_buffer_init(&box, RS_BOX_OVERHEAD);
	rs_buffer_init(&out, 0);
	assert_int_equal(
		rs_box_seal(rs_world_system(), &key, (struct rs_bytes){0}, (struct rs_bytes){0}, &box, NULL),
		RS_OK);
	assert_int_equal(rs_box_open(&key, (struct rs_bytes){0}, rs_buffer_bytes(&box), &out, NULL), RS_OK);
	assert_int_equal(out.size, 0);
	assert_int_equal(
		rs_box_seal(rs_world_system(), &key, (struct rs_bytes){0}, (struct rs_bytes){0}, &box, NULL),
		RS_TOO_LARGE);
	rs_buffer_finish(&box);
	rs_buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_test_cases),
		cmocka_unit_test(wipes_what_does_not_authenticate),
		cmocka_unit_test(refuses_every_flip_of_a_box),
		cmocka_unit_test(boxes_may_be_empty_and_buffers_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
