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

#include "contract/contract_memory.h"
#include "ledger/ledger_map.h"

#define KEYS 7 /* of the exhaustive tests: 2^7 maps */

static struct rs_bytes from_hex(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;
	assert_true(rs_hex_decode(rs_str_from(hex), out, size));
	return rs_bytes_of(out, size);
}

/* A map whose nodes lie in memory. */
struct map {
	struct rs_memory_state memory;
	struct rs_state nodes;
};

static struct map *new_map(void)
{
	struct map *map = rs_allocate(sizeof *map);
	assert_non_null(map);
	map->nodes = rs_memory_state_view(&map->memory);
	return map;
}

static void destroy(struct map *map)
{
	rs_memory_state_finish(&map->memory);
	rs_free(map);
}

static struct rs_map_leaf leaf_of(struct rs_bytes key, struct rs_bytes value)
{
	struct rs_map_leaf leaf;
	rs_sha256(key, &leaf.path);
	rs_sha256(value, &leaf.value);
	return leaf;
}

static void put(struct map *map, struct rs_bytes key, struct rs_bytes value)
{
	struct rs_map_leaf leaf = leaf_of(key, value);
	struct rs_digest would, is;
	assert_int_equal(rs_map_update(&map->nodes, &leaf, 1, false, &would, NULL), RS_OK);
	assert_int_equal(rs_map_update(&map->nodes, &leaf, 1, true, &is, NULL), RS_OK);
	assert_true(rs_digest_equal(&would, &is));
}

static void root_of(struct map *map, struct rs_digest *out)
{
	assert_int_equal(rs_map_root(&map->nodes, out, NULL), RS_OK);
}

static void prove(struct map *map, struct rs_bytes key, struct rs_map_proof *out, bool *present)
{
	assert_int_equal(rs_map_prove(&map->nodes, key, out, present, NULL), RS_OK);
}

static void check_proof(struct map *map, const struct rs_digest *root, const json_t *asked)
{
	static uint8_t key_bytes[64], encoded_bytes[RS_MAP_PROOF_SIZE_MAX];
	struct rs_bytes key = from_hex(json_string_value(json_object_get(asked, "key")), key_bytes);
	struct rs_bytes encoded = from_hex(json_string_value(json_object_get(asked, "proof")), encoded_bytes);
	struct rs_map_proof proof, decoded;
	struct rs_error err = {0};
	struct rs_buffer text;
	bool present;
	prove(map, key, &proof, &present);
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
		struct map *map = new_map();
		uint8_t key[64], value[64];
		struct rs_digest root, expected;
		for (size_t entry = 0; entry < json_array_size(entries); entry++) {
			const json_t *pair = json_array_get(entries, entry);
			put(map, from_hex(json_string_value(json_array_get(pair, 0)), key),
			    from_hex(json_string_value(json_array_get(pair, 1)), value));
		}
		root_of(map, &root);
		from_hex(json_string_value(json_object_get(vector, "root")), expected.bytes);
		assert_memory_equal(root.bytes, expected.bytes, RS_SHA256_SIZE);
		for (size_t asked = 0; asked < json_array_size(proofs); asked++)
			check_proof(map, &root, json_array_get(proofs, asked));
		destroy(map);
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
	struct map *map = new_map();
	for (unsigned k = 0; k < KEYS; k++)
		if (set >> k & 1)
			put(map, key_of(k), value_of(0));
	root_of(map, out);
	destroy(map);
}

/* Every set of keys, put one by one in several orders with other values before, and all at once. */
static void a_map_is_its_content_whatever_came_before(void **state)
{
	static struct rs_digest roots[1u << KEYS];
	struct rs_digest root;
	(void)state;
	for (unsigned set = 0; set < 1u << KEYS; set++) {
		root_of_set(set, &roots[set]);
		for (unsigned other = 0; other < set; other++)
			assert_false(rs_digest_equal(&roots[set], &roots[other]));
		for (unsigned turn = 0; turn < KEYS; turn++) {
			struct map *map = new_map(), *at_once = new_map();
			struct rs_map_leaf leaves[KEYS];
			size_t count = 0;
			for (unsigned i = 0; i < 2 * KEYS; i++) {
				unsigned k = (i * 3 + turn) % KEYS;
				if (!(set >> k & 1))
					continue;
				put(map, key_of(k), value_of(i < KEYS));
				if (i < KEYS)
					leaves[count++] = leaf_of(key_of(k), value_of(0));
			}
			root_of(map, &root);
			assert_memory_equal(root.bytes, roots[set].bytes, RS_SHA256_SIZE);
			assert_int_equal(rs_map_update(&at_once->nodes, leaves, count, true, &root, NULL),
			                 RS_OK);
			assert_memory_equal(root.bytes, roots[set].bytes, RS_SHA256_SIZE);
			assert_int_equal(at_once->memory.count, map->memory.count);
			destroy(map);
			destroy(at_once);
		}
	}
}

/* Every key's proof in every map proves what is so, and nothing else, of no other key and in no other map. */
static void proofs_prove_one_thing(void **state)
{
	static struct rs_digest roots[1u << KEYS];
	(void)state;
	for (unsigned set = 0; set < 1u << KEYS; set++)
		root_of_set(set, &roots[set]);
	for (unsigned set = 0; set < 1u << KEYS; set++) {
		struct map *map = new_map();
		for (unsigned k = 0; k < KEYS; k++)
			if (set >> k & 1)
				put(map, key_of(k), value_of(0));
		for (unsigned k = 0; k < KEYS; k++) {
			struct rs_map_proof proof;
			bool present, is_there = set >> k & 1;
			prove(map, key_of(k), &proof, &present);
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
		destroy(map);
	}
}

/* No flipped bit of an encoded proof proves anything; and what decodes has that one encoding. */
static void altered_proofs_prove_nothing(void **state)
{
	struct map *map = new_map();
	struct rs_digest root;
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		uint8_t key[2] = {(uint8_t)i, 7};
		put(map, rs_bytes_of(key, 2), value_of(0));
	}
	root_of(map, &root);
	for (unsigned i = 30; i < 60; i++) {
		uint8_t key[2] = {(uint8_t)i, 7};
		struct rs_bytes asked = rs_bytes_of(key, 2);
		struct rs_map_proof proof, altered;
		struct rs_buffer text;
		struct rs_error err = {0};
		bool present;
		prove(map, asked, &proof, &present);
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
	destroy(map);
}

/* Forgeries that have the right hashes in the wrong place. */
static void forged_proofs_are_refused(void **state)
{
	struct map *map = new_map();
	struct rs_map_proof proof;
	struct rs_digest root;
	bool present;
	(void)state;
	for (unsigned k = 0; k < 4; k++)
		put(map, key_of(k), value_of(0));
	root_of(map, &root);
	/* The key's own leaf as "another one": absent although it is there? */
	prove(map, key_of(0), &proof, &present);
	assert_true(present);
	proof.has_other = true;
	rs_sha256(key_of(0), &proof.other_path);
	rs_sha256(value_of(0), &proof.other_value);
	assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	assert_false(rs_map_presence_valid(&root, key_of(0), value_of(0), &proof));
	/* A true leaf of elsewhere, on its own way: it says nothing about this key. */
	for (unsigned k = 1; k < 4; k++) {
		prove(map, key_of(k), &proof, &present);
		proof.has_other = true;
		rs_sha256(key_of(k), &proof.other_path);
		rs_sha256(value_of(0), &proof.other_value);
		assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	}
	proof.count = RS_MAP_DEPTH_MAX + 1;
	assert_false(rs_map_absence_valid(&root, key_of(6), &proof));
	destroy(map);
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
	struct map *map = new_map();
	put(map, key_of(stranger - 1), value_of(0));
	rs_sha256(value_of(0), &proof.other_value);
	root_of(map, &leaf);
	destroy(map);
	rs_node_hash(side ? &proof.siblings[0] : &leaf, side ? &leaf : &proof.siblings[0], &root);
	assert_false(rs_map_absence_valid(&root, key_of(0), &proof));
	assert_int_equal(rs_map_absence_valid(&leaf, key_of(0),
	                                      &(struct rs_map_proof){.has_other = true,
	                                                             .other_path = proof.other_path,
	                                                             .other_value = proof.other_value}),
	                 true);
}

/* Nodes that somebody altered are refused, or lead to another root; nothing else happens. */
static void altered_nodes_are_noticed(void **state)
{
	static const struct rs_digest nowhere;
	struct map *map = new_map();
	struct rs_digest root, changed;
	struct rs_error err = {0};
	(void)state;
	for (uint8_t i = 0; i < 40; i++)
		put(map, rs_bytes_of(&i, 1), value_of(0));
	root_of(map, &root);
	for (size_t row = 0; row < map->memory.count; row++)
		for (size_t at = 0; at < map->memory.rows[row].value_size; at += 5) {
			uint8_t *byte = map->memory.rows[row].bytes + map->memory.rows[row].key_size + at;
			struct rs_map_leaf leaves[2] = {leaf_of(key_of(0), value_of(0)),
			                                leaf_of(key_of(1), value_of(0))};
			*byte ^= 0x81;
			enum rs_code code = rs_map_update(&map->nodes, leaves, 2, false, &changed, &err);
			assert_true(code == RS_OK || code == RS_ALTERED);
			*byte ^= 0x81;
		}
	/* Two leaves of one path: there is no end to their way. */
	struct rs_map_leaf twice[2] = {{nowhere, nowhere}, {nowhere, root}};
	assert_int_equal(rs_map_update(&map->nodes, twice, 2, false, &changed, &err), RS_ALTERED);
	destroy(map);
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
		cmocka_unit_test(altered_nodes_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
