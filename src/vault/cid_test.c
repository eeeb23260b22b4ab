/* Content addresses against those that ipfs-unixfs-importer 17.1.1 (npm) gave for the same bytes, chunk sizes and links per
 * node, and against the fixtures of the profile unixfs-v1-2025 (IPIP-499). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "vault/vault.h"

#define MIB ((size_t)1 << 20)
#define LARGEST (3 * MIB + 7)

/* The bytes of the table: the high bytes of x <- 1664525 x + 1013904223 (mod 2^32), from x = 1. */
static void fill_pattern(uint8_t *out, size_t size)
{
	uint32_t x = 1;
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525u + 1013904223u;
		out[i] = (uint8_t)(x >> 24);
	}
}

static const struct shape {
	size_t size, chunk_size, links_max;
	const char *cid;
} shapes[] = {
	{0, 1048576, 1024, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
	{1, 1048576, 1024, "bafkreig2xu5p65u7a7vsszkad2yctf2oxorua6x5akzg3w2wj2s7r35ooi"},
	{1048575, 1048576, 1024, "bafkreiepl6mf2uiqb4d2l2gjfbgonthujbduccjc7lzoa2wac5nv27ypv4"},
	{1048576, 1048576, 1024, "bafkreiep7x36nt66cvnlcghb64cdlw467uhjm5c6m5efjck63ult7rmrzi"},
	{1048577, 1048576, 1024, "bafybeihtedftjxy6bkqn6rdcfaov6mbrtqtta46qt6cfk42rr7ktkai4qm"},
	{2097152, 1048576, 1024, "bafybeidmg4zllrhqvaw435pvz5tzymfyuc74klpgqsgxeszdy5k2xl5ubq"},
	{3145735, 1048576, 1024, "bafybeif2zibizg3tq3sdhy2sjmjd575amz3fcfvrkcghtparsmbe4mnhye"},
	{32, 16, 2, "bafybeid4myqpmo2eqspouthdl6j6ilhby4lf5fs2a5xpur4b7lmcyok2vq"},
	{33, 16, 2, "bafybeibx3zpby62cp2mjmwerxaakcpdjv675ww6tjzxfi4eetafdzcz4p4"},
	{64, 16, 2, "bafybeigohanvglzc3tmnpkyvtwvagongu4m3jo3frfrnanvsywhnhdczzi"},
	{65, 16, 2, "bafybeiexzf5fbhju6k7zmwzujzh4tdlerugninnxd3jkwecoyap7vbv2ky"},
	{80, 16, 2, "bafybeif6abno7pzajyzmqrabjqa7kiinopz2r6yxo5t3vz6nu5w6xdscfu"},
	{115, 16, 2, "bafybeia6hledoipcxrabyrtk3xf3bazdkxhdzxct4g35ym3lbtymy5hnqi"},
	{432, 16, 3, "bafybeihgihagie5ou4hlvtolo34j3llsejt4l25ergt7xptsqr2evbchui"},
	{433, 16, 3, "bafybeie4sinryn3u2eitdf6bbkpyzhede5s7xlat2gt2ic75qvz5d4vjwq"},
	{1616, 16, 10, "bafybeiagoxiiuki7izrjvl3glne5vldl7hlckao4shsap52xebz4gurphm"},
	{2784, 16, 174, "bafybeihxagku6cb25bwnhc744kt6h3a5iawjjz5wiswi5luiq4645dothq"},
	{2800, 16, 174, "bafybeiaslne2fqfdmhzxvvzct4ygtnjlje5z6mofiyafcbq5hsiw4y2cia"},
	{1024, 1, 1024, "bafybeibxgnuslyqen3m6jqlni7vast5pkkehmw4dsocxqfsugmfodjdefm"},
	{1025, 1, 1024, "bafybeiegw6ka3ej2boevf4odwi2ewe223u76spm3vfjfhernbmjip7zkcm"},
	{1048577, 1, 1024, "bafybeieqmwz6nv5uky62trsfnx2ujcakoqebdwldiyq3wa6w7cssc6yeza"},
};

static void equals_the_reference_in_every_shape(void **state)
{
	/* Parts that end on, before and after the borders of chunks. */
	static const size_t parts[] = {1, 15, 16, 17, 4096, MIB - 1, MIB, LARGEST};
	uint8_t *bytes = rs_allocate(LARGEST);
	(void)state;
	assert_non_null(bytes);
	fill_pattern(bytes, LARGEST);
	for (size_t i = 0; i < RS_COUNT(shapes); i++)
		for (size_t k = 0; k < RS_COUNT(parts); k++) {
			struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
			struct rs_cid cid;
			char text[RS_CID_TEXT_SIZE];
			rs_cid_builder_init(&builder, shapes[i].chunk_size, shapes[i].links_max);
			for (size_t done = 0; done < shapes[i].size;) {
				size_t left = shapes[i].size - done, size = left < parts[k] ? left : parts[k];
				assert_int_equal(
					rs_cid_builder_add(&builder, rs_bytes_of(bytes + done, size), NULL),
					RS_OK);
				done += size;
			}
			assert_int_equal(rs_cid_builder_final(&builder, &cid, NULL), RS_OK);
			rs_cid_format(&cid, text);
			assert_string_equal(text, shapes[i].cid);
		}
	rs_free(bytes);
}

static void uses_the_profile_by_itself(void **state)
{
	static const struct {
		const char *content, *cid;
	} small[] = {
		{"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
		{"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"}, /* IPIP-499 */
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(small); i++) {
		struct rs_cid cid;
		char text[RS_CID_TEXT_SIZE];
		assert_int_equal(rs_cid_of(rs_bytes_of_str(rs_str_from(small[i].content)), &cid, NULL),
		                 RS_OK);
		rs_cid_format(&cid, text);
		assert_string_equal(text, small[i].cid);
	}
}

/* IPIP-499's fixtures "file at max links" and "file over max links": 1024 and 1025 MiB of the key stream of ChaCha20 under
 * the SHA-256 of "v1-2025-seed", nonce 0 (Kubo, test/cli/cid_profiles_test.go). The second has two levels of links. */
static void equals_the_fixtures_of_the_profile(void **state)
{
	static const struct {
		size_t chunks;
		const char *cid;
	} files[] = {{1024, "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"},
	             {1025, "bafybeihmzokxxjqwxjcryerhp5ezpcog2wcawfryb2xm64xiakgm4a5jue"}};
	struct rs_cid_builder builders[2] = {{0}, {0}};
	uint8_t *stream = rs_allocate(MIB), nonce[crypto_stream_chacha20_ietf_NONCEBYTES] = {0};
	struct rs_digest key;
	(void)state;
	rs_sha256(rs_bytes_of_str(RS_STR("v1-2025-seed")), &key);
	for (size_t i = 0; i < RS_COUNT(files); i++)
		rs_cid_builder_init(&builders[i], MIB, 1024);
	for (uint32_t chunk = 0; chunk < 1025; chunk++) {
		memset(stream, 0, MIB);
		crypto_stream_chacha20_ietf_xor_ic(stream, stream, MIB, nonce, chunk * (uint32_t)(MIB / 64),
		                                   key.bytes);
		for (size_t i = 0; i < RS_COUNT(files); i++)
			if (chunk < files[i].chunks)
				assert_int_equal(
					rs_cid_builder_add(&builders[i], rs_bytes_of(stream, MIB), NULL),
					RS_OK);
	}
	for (size_t i = 0; i < RS_COUNT(files); i++) {
		struct rs_cid cid;
		char text[RS_CID_TEXT_SIZE];
		assert_int_equal(rs_cid_builder_final(&builders[i], &cid, NULL), RS_OK);
		rs_cid_format(&cid, text);
		assert_string_equal(text, files[i].cid);
		rs_cid_builder_finish(&builders[i]);
	}
	rs_free(stream);
}

static void has_one_text_for_each_address(void **state)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	(void)state;
	for (size_t i = 0; i < RS_COUNT(shapes); i++) {
		struct rs_cid cid;
		char text[RS_CID_TEXT_SIZE], again[RS_CID_TEXT_SIZE];
		assert_true(rs_cid_parse(rs_str_from(shapes[i].cid), &cid));
		/* Every other digit at every place: refused, or another address with that text. */
		for (size_t place = 0; place < RS_CID_TEXT_SIZE - 1; place++)
			for (const char *digit = digits; *digit; digit++) {
				struct rs_cid other;
				memcpy(text, shapes[i].cid, sizeof text);
				if (text[place] == *digit)
					continue;
				text[place] = *digit;
				if (!rs_cid_parse(rs_str_from(text), &other))
					continue;
				assert_memory_not_equal(other.bytes, cid.bytes, sizeof cid.bytes);
				rs_cid_format(&other, again);
				assert_string_equal(again, text);
			}
	}
}

static void refuses_other_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"b",
		"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk",
		"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykua",
		"BAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU",
		"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk=",
		"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv", /* unused bits */
		"zafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
		"bafireihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", /* codec */
		"bafkrei1dwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
		"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPBdG",
	};
	struct rs_cid cid;
	uint8_t bytes[sizeof cid.bytes];
	char with_zero[RS_CID_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(texts); i++)
		assert_false(rs_cid_parse(rs_str_from(texts[i]), &cid));
	memcpy(with_zero, shapes[0].cid, sizeof with_zero);
	with_zero[20] = '\0';
	assert_false(rs_cid_parse((struct rs_str){with_zero, sizeof with_zero - 1}, &cid));

	assert_true(rs_cid_parse(rs_str_from(shapes[0].cid), &cid));
	assert_false(rs_cid_from_bytes(rs_bytes_of(cid.bytes, sizeof cid.bytes - 1), &cid));
	for (size_t i = 0; i < 4; i++) { /* version, codec, hash, size of the digest */
		struct rs_cid other;
		memcpy(bytes, cid.bytes, sizeof bytes);
		bytes[i]++;
		assert_false(rs_cid_from_bytes(rs_bytes_of(bytes, sizeof bytes), &other));
	}
}

static void says_when_memory_ends(void **state)
{
	uint8_t bytes[2000];
	(void)state;
	fill_pattern(bytes, sizeof bytes);
	for (uint64_t k = 1;; k++) {
		struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
		struct rs_cid cid;
		rs_cid_builder_init(&builder, 1, 10);
		rs_memory_fail_at(k);
		enum rs_code code = rs_cid_builder_add(&builder, rs_bytes_of(bytes, sizeof bytes), NULL);
		if (code == RS_OK)
			code = rs_cid_builder_final(&builder, &cid, NULL);
		uint64_t asked = rs_memory_fail_at(0);
		assert_true(code == RS_OK || code == RS_NO_MEMORY);
		assert_true(asked >= k || code == RS_OK);
		if (code == RS_OK)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_reference_in_every_shape),
		cmocka_unit_test(uses_the_profile_by_itself),
		cmocka_unit_test(equals_the_fixtures_of_the_profile),
		cmocka_unit_test(has_one_text_for_each_address),
		cmocka_unit_test(refuses_other_texts),
		cmocka_unit_test(says_when_memory_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
