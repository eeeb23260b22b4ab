/* The verifiable map: vectors of another implementation (tests/vectors/map.py), every small map by every way that leads to it,
 * and proofs that are altered, moved to other keys or turned around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ledger/ledger_map.h"

#define KEYS 7 /* of the exhaustive tests: 2^7 maps */

static struct rs_bytes from_hex(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;
	assert_true(rs_hex_decode(rs_str_from(hex), out, size));
	return rs_bytes_of(out, size);
}

static struct rs_map *new_map(void)
{
	struct rs_map *map;
	assert_int_equal(rs_map_create(&map, NULL), RS_OK);
	return map;
}

static void check_proof(struct rs_map *map, const struct rs_digest *root, const json_t *asked)
{
	static uint8_t key_bytes[64], encoded_bytes[RS_MAP_PROOF_SIZE_MAX];
	struct rs_bytes key = from_hex(json_string_value(json_object_get(asked, "key")), key_bytes);
	struct rs_bytes encoded = from_hex(json_string_value(json_object_get(asked, "proof")), encoded_bytes);
	struct rs_map_proof proof, decoded;
	struct rs_error err = {0};
	struct rs_buffer text;
	bool present;
	rs_map_prove(map, key, &proof, &present);
	assert_int_equal(present, json_is_true(json_object_get(asked, "present")));
	rs_buffer_init(&text, RS_MAP_PROOF_SIZE_MAX);
	assert_int_equal(rs_map_proof_encode(&proof, &text, &err), RS_OK);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&text), encoded));
	rs_buffer_finish(&text);
	if (rs_map_proof_decode(encoded, &decoded, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(rs_map_absence_valid(root, key, &decoded), !present);
	assert_false(rs_map_presence_valid(root, key, rs_bytes_of("no such value", 13), &decoded));
}

static void vectors_of_another_implementation_hold(void **state)
{
	char *path = rs_text_printf("%s/tests/vectors/map.json", getenv("RADSEAL_SOURCE"));
	json_error_t failure;
	json_t *vectors = json_load_file(path, 0, &failure);
	(void)state;
	if (!vectors)
		fail_msg("%s: %s", path, failure.text);
	rs_free(path);
	assert_true(json_array_size(vectors) >= 12);
	for (size_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i),
			     *entries = json_object_get(vector, "entries"),
			     *proofs = json_object_get(vector, "proofs");
		struct rs_map *map = new_map();
		uint8_t key[64], value[64];
		struct rs_digest root, expected;
		for (size_t entry = 0; entry < json_array_size(entries); entry++) {
			const json_t *pair = json_array_get(entries, entry);
			assert_int_equal(
				rs_map_put(map, from_hex(json_string_value(json_array_get(pair, 0)), key),
			                   from_hex(json_string_value(json_array_get(pair, 1)), value), NULL),
				RS_OK);
		}
		assert_int_equal(rs_map_count(map), json_array_size(entries));
		rs_map_root(map, &root);
		from_hex(json_string_value(json_object_get(vector, "root")), expected.bytes);
		assert_memory_equal(root.bytes, expected.bytes, RS_SHA256_SIZE);
		for (size_t asked = 0; asked < json_array_size(proofs); asked++)
			check_proof(map, &root, json_array_get(proofs, asked));
		rs_map_destroy(map);
	}
	json_decref(vectors);
}

/* Key k and one of its two values. */
static struct rs_bytes key_of(unsigned k)
{
	static const char *const keys[KEYS] = {"member/a",  "member/b", "consent/1", "consent/2",
	                                       "revoked/1", "",         "x"};
	return rs_bytes_of(keys[k], strlen(keys[k]));
}

static struct rs_bytes value_of(unsigned which)
{
	return which ? rs_bytes_of("denied", 6) : rs_bytes_of("granted", 7);
}

static void root_of_set(unsigned set, struct rs_digest *out)
{
	struct rs_map *map = new_map();
	for (unsigned k = 0; k < KEYS; k++)
		if (set >> k & 1)
			assert_int_equal(rs_map_put(map, key_of(k), value_of(0), NULL), RS_OK);
	rs_map_root(map, out);
	rs_map_destroy(map);
}

/* One map walks through all sets, key by key as Gray codes do, and to each from its complement. */
static void a_map_is_its_content_whatever_came_before(void **state)
{
	static struct rs_digest roots[1u << KEYS];
	struct rs_map *map = new_map();
	struct rs_digest root;
	(void)state;
	for (unsigned set = 0; set < 1u << KEYS; set++) {
		root_of_set(set, &roots[set]);
		for (unsigned other = 0; other < set; other++)
			assert_false(rs_digest_equal(&roots[set], &roots[other]));
	}
	for (unsigned step = 1; step < 4u << KEYS; step++) {
		unsigned set = (step ^ step >> 1) & ((1u << KEYS) - 1);
		for (unsigned k = 0; k < KEYS; k++) {
			if (set >> k & 1)
				assert_int_equal(rs_map_put(map, key_of(k), value_of(step & 1), NULL), RS_OK);
			else
				(void)rs_map_remove(map, key_of(k));
			if (step % 5 == 0)
				rs_map_root(map, &root);
		}
		for (unsigned k = 0; k < KEYS && (step & 1); k++)
			if (set >> k & 1)
				assert_int_equal(rs_map_put(map, key_of(k), value_of(0), NULL), RS_OK);
		rs_map_root(map, &root);
		assert_memory_equal(root.bytes, roots[set].bytes, RS_SHA256_SIZE);
		assert_int_equal(rs_map_count(map), (size_t)__builtin_popcount(set));
	}
	rs_map_destroy(map);
}

/* Every key's proof in every map proves what is so, and nothing else, of no other key and in no other map. */
static void proofs_prove_one_thing(void **state)
{
	static struct rs_digest roots[1u << KEYS];
	(void)state;
	for (unsigned set = 0; set < 1u << KEYS; set++)
		root_of_set(set, &roots[set]);
	for (unsigned set = 0; set < 1u << KEYS; set++) {
		struct rs_map *map = new_map();
		for (unsigned k = 0; k < KEYS; k++)
			if (set >> k & 1)
				assert_int_equal(rs_map_put(map, key_of(k), value_of(0), NULL), RS_OK);
		for (unsigned k = 0; k < KEYS; k++) {
			struct rs_map_proof proof;
			bool present, is_there = set >> k & 1;
			rs_map_prove(map, key_of(k), &proof, &present);
			assert_int_equal(present, is_there);
			for (unsigned other = 0; other < KEYS; other++) {
				bool there = set >> other & 1;
				bool proves = rs_map_presence_valid(&roots[set], key_of(other), value_of(0),
				                                    &proof);
				assert_false(proves && !there);
				assert_true(proves || other != k || !there);
				assert_false(rs_map_presence_valid(&roots[set], key_of(other), value_of(1),
				                                   &proof));
				bool absent = rs_map_absence_valid(&roots[set], key_of(other), &proof);
				assert_false(absent && there);
				assert_true(absent || other != k || there);
			}
			for (unsigned other = 0; other < 1u << KEYS; other++)
				if (other != set) {
					assert_false(rs_map_presence_valid(&roots[other], key_of(k),
					                                   value_of(0), &proof) &&
					             !(other >> k & 1));
					assert_false(rs_map_absence_valid(&roots[other], key_of(k), &proof) &&
					             (other >> k & 1));
				}
		}
		rs_map_destroy(map);
	}
}

/* No flipped bit of an encoded proof proves anything; and what decodes has that one encoding. */
static void altered_proofs_prove_nothing(void **state)
{
	struct rs_map *map = new_map();
	struct rs_digest root;
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		uint8_t key[2] = {(uint8_t)i, 7};
		assert_int_equal(rs_map_put(map, rs_bytes_of(key, 2), value_of(0), NULL), RS_OK);
	}
	rs_map_root(map, &root);
	for (unsigned i = 30; i < 60; i++) {
		uint8_t key[2] = {(uint8_t)i, 7};
		struct rs_bytes asked = rs_bytes_of(key, 2);
		struct rs_map_proof proof, altered;
		struct rs_buffer text;
		struct rs_error err = {0};
		bool present;
		rs_map_prove(map, asked, &proof, &present);
		rs_buffer_init(&text, RS_MAP_PROOF_SIZE_MAX);
		assert_int_equal(rs_map_proof_encode(&proof, &text, &err), RS_OK);
		for (size_t bit = 0; bit < 8 * text.size; bit++) {
			text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (rs_map_proof_decode(rs_buffer_bytes(&text), &altered, &err) == RS_OK) {
				assert_false(rs_map_presence_valid(&root, asked, value_of(0), &altered));
				assert_false(rs_map_absence_valid(&root, asked, &altered));
			} else {
				assert_true(err.message[0] != '\0');
			}
			text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t size = 0; size < text.size; size++)
			assert_int_not_equal(
				rs_map_proof_decode(rs_bytes_of(text.data, size), &altered, &err), RS_OK);
		rs_buffer_finish(&text);
	}
	rs_map_destroy(map);
}

/* Forgeries that have the right hashes in the wrong place. */
static void forged_proofs_are_refused(void **state)
{
	struct rs_map *map = new_map();
	struct rs_map_proof proof;
	struct rs_digest root;
	bool present;
	(void)state;
	for (unsigned k = 0; k < 4; k++)
		assert_int_equal(rs_map_put(map, key_of(k), value_of(0), NULL), RS_OK);
	rs_map_root(map, &root);
	/* The key's own leaf as "another one": absent although it is there? */
	rs_map_prove(map, key_of(0), &proof, &present);
	assert_true(present);
	proof.has_other = true;
	rs_sha256(key_of(0), &proof.other_path);
	rs_sha256(value_of(0), &proof.other_value);
	assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	assert_false(rs_map_presence_valid(&root, key_of(0), value_of(0), &proof));
	/* A true leaf of elsewhere, on its own way: it says nothing about this key. */
	for (unsigned k = 1; k < 4; k++) {
		rs_map_prove(map, key_of(k), &proof, &present);
		proof.has_other = true;
		rs_sha256(key_of(k), &proof.other_path);
		rs_sha256(value_of(0), &proof.other_value);
		assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	}
	proof.count = RS_MAP_DEPTH_MAX + 1;
	assert_false(rs_map_absence_valid(&root, key_of(6), &proof));
	rs_map_destroy(map);
}

/* A tree that no honest map has: a leaf where its key does not lead. It must not speak for keys that lead there. */
static void leaves_out_of_place_say_nothing(void **state)
{
	struct rs_map_proof proof = {.count = 1, .has_other = true, .siblings = {{{9}}}};
	struct rs_digest path, leaf, root;
	(void)state;
	rs_sha256(key_of(0), &path);
	unsigned side = path.bytes[0] >> 7, stranger = 1;
	do
		rs_sha256(key_of(stranger++), &proof.other_path);
	while (proof.other_path.bytes[0] >> 7 == side);
	struct rs_map *map = new_map();
	assert_int_equal(rs_map_put(map, key_of(stranger - 1), value_of(0), NULL), RS_OK);
	rs_sha256(value_of(0), &proof.other_value);
	rs_map_root(map, &leaf);
	rs_map_destroy(map);
	rs_node_hash(side ? &proof.siblings[0] : &leaf, side ? &leaf : &proof.siblings[0], &root);
	assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	assert_int_equal(rs_map_absence_valid(&leaf, key_of(0),
	                                      &(struct rs_map_proof){.has_other = true,
	                                                             .other_path = proof.other_path,
	                                                             .other_value = proof.other_value}),
	                 true);
}

/* Two keys whose paths part late need a chain of nodes: when memory ends in the middle of it, nothing was added. */
static void running_out_of_memory_changes_nothing(void **state)
{
	struct rs_digest before, after;
	(void)state;
	for (uint64_t fail_at = 1; fail_at < 40; fail_at++) {
		struct rs_map *map = new_map();
		struct rs_error err = {0};
		uint8_t key[2] = {0, 0};
		enum rs_code code = RS_OK;
		for (; key[0] < 200; key[0]++)
			assert_int_equal(rs_map_put(map, rs_bytes_of(key, 2), value_of(0), NULL), RS_OK);
		(void)rs_memory_fail_at(fail_at);
		for (key[1] = 1; key[1] < 250 && code == RS_OK; key[1]++) {
			size_t count = rs_map_count(map);
			rs_map_root(map, &before);
			code = rs_map_put(map, rs_bytes_of(key, 2), value_of(0), &err);
			rs_map_root(map, &after);
			assert_int_equal(rs_map_count(map), count + (code == RS_OK));
			assert_int_equal(rs_digest_equal(&before, &after), code != RS_OK);
		}
		(void)rs_memory_fail_at(0);
		assert_int_equal(code, RS_NO_MEMORY);
		rs_map_destroy(map);
	}
}

static void heads_are_read_back(void **state)
{
	struct rs_map_head head = {.entries = 1u << 20, .root = {{1, 2, 3}}}, again;
	struct rs_error err = {0};
	struct rs_buffer text;
	(void)state;
	rs_buffer_init(&text, 100);
	assert_int_equal(rs_map_head_encode(&head, &text, &err), RS_OK);
	assert_int_equal(rs_map_head_decode(rs_buffer_bytes(&text), &again, &err), RS_OK);
	assert_memory_equal(&head, &again, sizeof head);
	for (size_t size = 0; size < text.size; size++)
		assert_int_equal(rs_map_head_decode(rs_bytes_of(text.data, size), &again, &err),
		                 RS_MALFORMED);
	text.data[2] ^= 3; /* version */
	assert_int_equal(rs_map_head_decode(rs_buffer_bytes(&text), &again, &err), RS_MALFORMED);
	rs_buffer_finish(&text);
	rs_map_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_another_implementation_hold),
		cmocka_unit_test(a_map_is_its_content_whatever_came_before),
		cmocka_unit_test(proofs_prove_one_thing),
		cmocka_unit_test(altered_proofs_prove_nothing),
		cmocka_unit_test(forged_proofs_are_refused),
		cmocka_unit_test(leaves_out_of_place_say_nothing),
		cmocka_unit_test(running_out_of_memory_changes_nothing),
		cmocka_unit_test(heads_are_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
