/* The verifiable map: a binary trie over hashed keys, whose nodes are rows that somebody else keeps. */
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_map.h"

#define NODE_SIZE (1 + 2 * RS_SHA256_SIZE)
#define NODE_KEY_MAX (2 + RS_SHA256_SIZE)

enum node_kind { NODE_LEAF, NODE_INNER, NODE_NOTHING };

struct map_node {
	enum node_kind kind;
	union {
		struct rs_map_leaf leaf;
		struct rs_digest below[2];
	};
};

static unsigned bit_of(const struct rs_digest *path, size_t depth)
{
	return path->bytes[depth / 8] >> (7 - depth % 8) & 1;
}

static void leaf_hash(const struct rs_map_leaf *leaf, struct rs_digest *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, "\x00", 1);
	rs_sha256_update(&hash, leaf->path.bytes, RS_SHA256_SIZE);
	rs_sha256_update(&hash, leaf->value.bytes, RS_SHA256_SIZE);
	rs_sha256_final(&hash, out);
}

static void node_hash(const struct map_node *node, struct rs_digest *out)
{
	if (node->kind == NODE_NOTHING)
		*out = (struct rs_digest){{0}};
	else if (node->kind == NODE_LEAF)
		leaf_hash(&node->leaf, out);
	else
		rs_node_hash(&node->below[0], &node->below[1], out);
}

/* Where a node lies: the depth, then the bits that lead to it, filled up with zeros. */
static struct rs_bytes node_key(const struct rs_digest *path, size_t depth, uint8_t out[static NODE_KEY_MAX])
{
	size_t size = (depth + 7) / 8;
	rs_write_be16(out, (uint16_t)depth);
	memcpy(out + 2, path->bytes, size);
	if (depth % 8)
		out[2 + size - 1] &= (uint8_t)(0xff00u >> depth % 8);
	return rs_bytes_of(out, 2 + size);
}

static enum rs_code read_node(const struct rs_state *nodes, const struct rs_digest *path, size_t depth,
                              struct map_node *out, struct rs_error *err)
{
	uint8_t key[NODE_KEY_MAX];
	struct rs_bytes value;
	enum rs_code code = nodes->get(nodes->context, node_key(path, depth, key), &value, err);
	out->kind = NODE_NOTHING;
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	if (value.size != NODE_SIZE || value.data[0] > NODE_INNER)
		return rs_error_set(err, RS_ALTERED, "a node of the map is not one");
	out->kind = (enum node_kind)value.data[0];
	memcpy(out->below[0].bytes, value.data + 1, RS_SHA256_SIZE);
	memcpy(out->below[1].bytes, value.data + 1 + RS_SHA256_SIZE, RS_SHA256_SIZE);
	return RS_OK;
}

static enum rs_code write_node(const struct rs_state *nodes, const struct rs_digest *path, size_t depth,
                               const struct map_node *node, struct rs_error *err)
{
	uint8_t key[NODE_KEY_MAX], value[NODE_SIZE] = {(uint8_t)node->kind};
	memcpy(value + 1, node->below[0].bytes, RS_SHA256_SIZE);
	memcpy(value + 1 + RS_SHA256_SIZE, node->below[1].bytes, RS_SHA256_SIZE);
	return nodes->put(nodes->context, node_key(path, depth, key), rs_bytes_of(value, sizeof value), err);
}

struct updating {
	const struct rs_state *nodes;
	bool keep;
};
/* Leaves on their way down, sorted. `old` stood higher up until now, so nothing is below this place; NULL: none did. */
struct coming {
	const struct rs_map_leaf *leaves;
	size_t count;
	const struct rs_map_leaf *old;
};

static enum rs_code update(const struct updating *updating, size_t depth, const struct coming *coming,
                           struct rs_digest *out, struct rs_error *err);

/* Parts them by their next bit. */
static struct coming half_of(const struct coming *coming, size_t depth, unsigned side)
{
	size_t middle = 0;
	while (middle < coming->count && !bit_of(&coming->leaves[middle].path, depth))
		middle++;
	bool has_old = coming->old && bit_of(&coming->old->path, depth) == side;
	return (struct coming){side ? coming->leaves + middle : coming->leaves,
	                       side ? coming->count - middle : middle, has_old ? coming->old : NULL};
}

static enum rs_code update_below(const struct updating *updating, size_t depth, const struct coming *coming,
                                 struct map_node *node, struct rs_error *err)
{
	if (depth == RS_MAP_DEPTH_MAX)
		return rs_error_set(err, RS_ALTERED, "two leaves of the map have one path");
	if (node->kind != NODE_INNER)
		*node = (struct map_node){.kind = NODE_INNER, .below = {{{0}}, {{0}}}};
	for (unsigned side = 0; side < 2; side++) {
		struct coming half = half_of(coming, depth, side);
		if (half.count || half.old)
			RS_TRY(update(updating, depth + 1, &half, &node->below[side], err));
	}
	return RS_OK;
}

/* As deep as the trie: at most RS_MAP_DEPTH_MAX calls. */
static enum rs_code update(const struct updating *updating, size_t depth, const struct coming *given,
                           struct rs_digest *out, struct rs_error *err)
{
	struct coming coming = *given;
	const struct rs_digest *path = coming.count ? &coming.leaves[0].path : &coming.old->path;
	struct map_node node = {.kind = NODE_NOTHING};
	struct rs_map_leaf old;
	if (!coming.old)
		RS_TRY(read_node(updating->nodes, path, depth, &node, err));
	if (node.kind == NODE_LEAF) {
		old = node.leaf;
		coming.old = &old;
	}
	/* The one that is changed is there no more. */
	if (coming.old && coming.count == 1 && rs_digest_equal(&coming.old->path, path))
		coming.old = NULL;
	if (node.kind != NODE_INNER && coming.count + (coming.old != NULL) == 1)
		node = (struct map_node){.kind = NODE_LEAF,
		                         .leaf = coming.count ? coming.leaves[0] : *coming.old};
	else
		RS_TRY(update_below(updating, depth, &coming, &node, err));
	node_hash(&node, out);
	return updating->keep ? write_node(updating->nodes, path, depth, &node, err) : RS_OK;
}

static int by_path(const void *a, const void *b)
{
	const struct rs_map_leaf *left = a, *right = b;
	return memcmp(left->path.bytes, right->path.bytes, RS_SHA256_SIZE);
}

enum rs_code rs_map_root(const struct rs_state *nodes, struct rs_digest *out, struct rs_error *err)
{
	static const struct rs_digest anywhere;
	struct map_node node;
	RS_TRY(read_node(nodes, &anywhere, 0, &node, err));
	node_hash(&node, out);
	return RS_OK;
}

enum rs_code rs_map_update(const struct rs_state *nodes, struct rs_map_leaf *leaves, size_t count, bool keep,
                           struct rs_digest *out_root, struct rs_error *err)
{
	const struct updating updating = {nodes, keep};
	struct coming coming = {.leaves = leaves, .count = count};
	if (count == 0)
		return rs_map_root(nodes, out_root, err);
	qsort(leaves, count, sizeof *leaves, by_path);
	return update(&updating, 0, &coming, out_root, err);
}

enum rs_code rs_map_prove(const struct rs_state *nodes, struct rs_bytes key, struct rs_map_proof *out,
                          bool *out_present, struct rs_error *err)
{
	struct rs_digest path;
	struct map_node node;
	*out = (struct rs_map_proof){.count = 0};
	rs_sha256(key, &path);
	RS_TRY(read_node(nodes, &path, 0, &node, err));
	while (node.kind == NODE_INNER) {
		if (out->count == RS_MAP_DEPTH_MAX)
			return rs_error_set(err, RS_ALTERED, "a way in the map does not end");
		out->siblings[out->count] = node.below[!bit_of(&path, out->count)];
		out->count++;
		RS_TRY(read_node(nodes, &path, out->count, &node, err));
	}
	*out_present = node.kind == NODE_LEAF && rs_digest_equal(&node.leaf.path, &path);
	if (node.kind == NODE_LEAF && !*out_present) {
		out->has_other = true;
		out->other_path = node.leaf.path;
		out->other_value = node.leaf.value;
	}
	return RS_OK;
}

static size_t first_difference(const struct rs_digest *a, const struct rs_digest *b)
{
	size_t depth = 0;
	while (bit_of(a, depth) == bit_of(b, depth))
		depth++;
	return depth;
}

/* Up from what stands at the end of the way. A leaf stands as high as it can, so nothing never stands beside the end. */
static bool leads_to(const struct rs_digest *root, const struct rs_digest *path, struct rs_digest hash,
                     const struct rs_map_proof *proof)
{
	static const struct rs_digest nothing;
	if (proof->count > RS_MAP_DEPTH_MAX ||
	    (proof->count > 0 && rs_digest_equal(&proof->siblings[proof->count - 1], &nothing)))
		return false;
	for (size_t depth = proof->count; depth-- > 0;) {
		const struct rs_digest *beside = &proof->siblings[depth];
		if (bit_of(path, depth))
			rs_node_hash(beside, &hash, &hash);
		else
			rs_node_hash(&hash, beside, &hash);
	}
	return rs_digest_equal(&hash, root);
}

bool rs_map_presence_valid(const struct rs_digest *root, struct rs_bytes key, struct rs_bytes value,
                           const struct rs_map_proof *proof)
{
	struct rs_map_leaf leaf;
	struct rs_digest hash;
	rs_sha256(key, &leaf.path);
	rs_sha256(value, &leaf.value);
	leaf_hash(&leaf, &hash);
	return !proof->has_other && leads_to(root, &leaf.path, hash, proof);
}

bool rs_map_absence_valid(const struct rs_digest *root, struct rs_bytes key, const struct rs_map_proof *proof)
{
	struct rs_digest path, hash = {{0}};
	rs_sha256(key, &path);
	if (proof->has_other) {
		/* The other leaf must stand where the key's would: on the same way, and not be the key's. */
		if (rs_digest_equal(&proof->other_path, &path) ||
		    first_difference(&proof->other_path, &path) < proof->count)
			return false;
		leaf_hash(&(struct rs_map_leaf){proof->other_path, proof->other_value}, &hash);
	}
	return leads_to(root, &path, hash, proof);
}
