/* SHA-256 against FIPS 180-4's examples, HMAC against RFC 4231, HKDF against RFC 5869. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static size_t unhex(const char *hex, uint8_t *out, size_t capacity)
{
	size_t size = strlen(hex) / 2;
	assert_true(size <= capacity);
	assert_true(rs_hex_decode(rs_str_from(hex), out, size));
	return size;
}

static void expect(const uint8_t *bytes, size_t size, const char *hex)
{
	uint8_t expected[256];
	assert_int_equal(unhex(hex, expected, sizeof(expected)), size);
	assert_memory_equal(bytes, expected, size);
}

static void hashes_the_examples(void **state)
{
	/* NIST, "SHA-256 examples" for FIPS 180-4; the empty message from its CAVP file. */
	static const struct {
		const char *message, *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct rs_digest digest;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_sha256(rs_bytes_of_str(rs_str_from(rows[i].message)), &digest);
		expect(digest.bytes, sizeof(digest.bytes), rows[i].digest);
	}
}

static void hashes_a_million_in_uneven_pieces(void **state)
{
	struct rs_sha256 hash;
	struct rs_digest digest;
	char piece[1009];
	size_t left = 1000000;
	(void)state;
	memset(piece, 'a', sizeof(piece));
	rs_sha256_init(&hash);
	for (size_t size = 1; left > 0; size = size + 7 > sizeof(piece) ? 1 : size + 7) {
		size_t now = size < left ? size : left;
		rs_sha256_update(&hash, piece, now);
		left -= now;
	}
	rs_sha256_update(&hash, NULL, 0);
	rs_sha256_final(&hash, &digest);
	expect(digest.bytes, sizeof(digest.bytes),
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* A million letters each, in pieces of other sizes and from other addresses; and pieces of which one is empty or shorter. */
static void hashes_two_at_once(void **state)
{
	static const size_t sizes[][2] = {{0, 1},      {64, 64},  {1, 0},       {63, 129},   {4096, 4096},
	                                  {1000, 100}, {0, 8000}, {5000, 5000}, {8191, 8192}};
	struct rs_sha256 hashes[2];
	uint8_t letters[8200];
	(void)state;
	memset(letters, 'a', sizeof letters);
	size_t left[2] = {1000000, 1000000};
	rs_sha256_init(&hashes[0]);
	rs_sha256_init(&hashes[1]);
	for (size_t i = 0; left[0] + left[1] > 0; i++) {
		struct rs_bytes pieces[2];
		for (size_t k = 0; k < 2; k++) {
			size_t size = sizes[i % RS_COUNT(sizes)][k];
			size = size < left[k] ? size : left[k];
			pieces[k] = rs_bytes_of(letters + (i + 3 * k) % 8, size);
			left[k] -= size;
		}
		rs_sha256_update_pair(&hashes[0], pieces[0], &hashes[1], pieces[1]);
	}
	for (size_t k = 0; k < 2; k++) {
		struct rs_digest digest;
		rs_sha256_final(&hashes[k], &digest);
		expect(digest.bytes, sizeof digest.bytes,
		       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
}

static void authenticates_as_rfc_4231(void **state)
{
	static const struct {
		const char *key, *data, *tag;
	} rows[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	};
	uint8_t key[131], data[200];
	struct rs_digest tag;
	size_t key_size, data_size;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		key_size = unhex(rows[i].key, key, sizeof(key));
		data_size = unhex(rows[i].data, data, sizeof(data));
		rs_hmac_sha256(rs_bytes_of(key, key_size), rs_bytes_of(data, data_size), &tag);
		expect(tag.bytes, sizeof(tag.bytes), rows[i].tag);
	}
	/* Test case 6: a key longer than a block. */
	memset(key, 0xaa, sizeof(key));
	rs_hmac_sha256(rs_bytes_of(key, sizeof(key)),
	               rs_bytes_of_str(RS_STR("Test Using Larger Than Block-Size Key - Hash Key First")),
	               &tag);
	expect(tag.bytes, sizeof(tag.bytes),
	       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void derives_as_rfc_5869(void **state)
{
	uint8_t key[80], salt[80], info[80], out[82];
	(void)state;
	/* A.1 */
	memset(key, 0x0b, 22);
	for (uint8_t i = 0; i < 13; i++)
		salt[i] = i;
	for (uint8_t i = 0; i < 10; i++)
		info[i] = (uint8_t)(0xf0 + i);
	rs_hkdf_sha256(rs_bytes_of(key, 22), rs_bytes_of(salt, 13), rs_bytes_of(info, 10), out, 42);
	expect(out, 42,
	       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b88718"
	       "5865");
	/* A.2 */
	for (uint8_t i = 0; i < 80; i++) {
		key[i] = i;
		salt[i] = (uint8_t)(0x60 + i);
		info[i] = (uint8_t)(0xb0 + i);
	}
	rs_hkdf_sha256(rs_bytes_of(key, 80), rs_bytes_of(salt, 80), rs_bytes_of(info, 80), out, 82);
	expect(out, 82,
	       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac78272"
	       "71cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f"
	       "1d87");
	/* A.3: neither salt nor info */
	memset(key, 0x0b, 22);
	rs_hkdf_sha256(rs_bytes_of(key, 22), (struct rs_bytes){0}, (struct rs_bytes){0}, out, 42);
	expect(out, 42,
	       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a"
	       "96c8");
}

static void compares_in_constant_time(void **state)
{
	struct rs_digest a = {{1}}, b = {{1}};
	(void)state;
	assert_true(rs_digest_equal(&a, &b));
	b.bytes[31] ^= 0x80;
	assert_false(rs_digest_equal(&a, &b));
	assert_true(rs_equal_constant_time(NULL, NULL, 0));
}

static void hashes_fast(void **state)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	const size_t size = (size_t)64 << 20;
	uint8_t *data = rs_allocate(size);
	struct rs_digest digest;
	uint64_t begun;
	(void)state;
	assert_non_null(data);
	begun = clock->monotonic_ns(clock);
	rs_sha256(rs_bytes_of(data, size), &digest);
	print_message("# SHA-256: %.2f GB/s\n", (double)size / (double)(clock->monotonic_ns(clock) - begun));
	rs_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_the_examples), cmocka_unit_test(hashes_a_million_in_uneven_pieces),
		cmocka_unit_test(hashes_two_at_once),  cmocka_unit_test(authenticates_as_rfc_4231),
		cmocka_unit_test(derives_as_rfc_5869), cmocka_unit_test(compares_in_constant_time),
		cmocka_unit_test(hashes_fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
