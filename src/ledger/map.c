/* The verifiable map: a binary trie over hashed keys, whose hashes are computed when they are asked for. */
#include <string.h>

#include "ledger/ledger_map.h"

struct map_node {
	bool is_leaf, is_hashed;
	struct rs_digest hash;
	union {
		struct map_node *children[2];
		struct {
			struct rs_digest path, value;
		};
	};
};

struct rs_map {
	struct map_node *root; /* NULL: nothing */
	size_t count;
};

static unsigned bit_of(const struct rs_digest *path, size_t depth)
{
	return path->bytes[depth / 8] >> (7 - depth % 8) & 1;
}

static void leaf_hash(const struct rs_digest *path, const struct rs_digest *value, struct rs_digest *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, "\x00", 1);
	rs_sha256_update(&hash, path->bytes, RS_SHA256_SIZE);
	rs_sha256_update(&hash, value->bytes, RS_SHA256_SIZE);
	rs_sha256_final(&hash, out);
}

enum rs_code rs_map_create(struct rs_map **out, struct rs_error *err)
{
	struct rs_map *map = rs_allocate(sizeof *map);
	if (!map)
		return rs_error_memory(err, sizeof *map, "a map");
	*out = map;
	return RS_OK;
}

/* As deep as the trie: at most RS_MAP_DEPTH_MAX calls. */
static void destroy_below(struct map_node *node)
{
	if (!node)
		return;
	if (!node->is_leaf) {
		destroy_below(node->children[0]);
		destroy_below(node->children[1]);
	}
	rs_free(node);
}

void rs_map_destroy(struct rs_map *map)
{
	if (!map)
		return;
	destroy_below(map->root);
	rs_free(map);
}

size_t rs_map_count(const struct rs_map *map) { return map->count; }

/* The way to a key: the links that lead there, from the root on. */
struct way {
	struct map_node **links[RS_MAP_DEPTH_MAX + 1];
	size_t depth; /* links[depth] is where the way ends: at nothing, or at a leaf */
};

static void walk(struct rs_map *map, const struct rs_digest *path, struct way *out)
{
	out->depth = 0;
	out->links[0] = &map->root;
	while (*out->links[out->depth] && !(*out->links[out->depth])->is_leaf) {
		struct map_node *node = *out->links[out->depth];
		out->links[out->depth + 1] = &node->children[bit_of(path, out->depth)];
		out->depth++;
	}
}

static void forget_hashes(const struct way *way)
{
	for (size_t i = 0; i < way->depth; i++)
		(*way->links[i])->is_hashed = false;
}

static size_t first_difference(const struct rs_digest *a, const struct rs_digest *b)
{
	size_t depth = 0;
	while (bit_of(a, depth) == bit_of(b, depth))
		depth++;
	return depth;
}

/* A chain of nodes from `depth` to where two paths part; NULL without memory, with nothing left behind. */
static struct map_node *make_chain(struct map_node *old, struct map_node *added, size_t depth)
{
	size_t parting = first_difference(&old->path, &added->path);
	struct map_node *below = NULL;
	for (size_t at = parting + 1; at-- > depth;) {
		struct map_node *node = rs_allocate(sizeof *node);
		if (!node) {
			while (below) { /* what was made so far holds the two leaves at its end only */
				struct map_node *next = below->children[bit_of(&added->path, ++at)];
				rs_free(below);
				below = at == parting ? NULL : next;
			}
			return NULL;
		}
		node->children[bit_of(&added->path, at)] = at == parting ? added : below;
		if (at == parting)
			node->children[bit_of(&old->path, at)] = old;
		below = node;
	}
	return below;
}

static enum rs_code add_leaf(struct rs_map *map, const struct way *way, const struct rs_digest *path,
                             const struct rs_digest *value, struct rs_error *err)
{
	struct map_node **link = way->links[way->depth];
	struct map_node *leaf = rs_allocate(sizeof *leaf);
	if (!leaf)
		return rs_error_memory(err, sizeof *leaf, "a map");
	leaf->is_leaf = true;
	leaf->path = *path;
	leaf->value = *value;
	struct map_node *placed = *link ? make_chain(*link, leaf, way->depth) : leaf;
	if (!placed) {
		rs_free(leaf);
		return rs_error_memory(err, sizeof *leaf, "a map");
	}
	*link = placed;
	map->count++;
	return RS_OK;
}

enum rs_code rs_map_put(struct rs_map *map, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	struct rs_digest path, hashed;
	struct way way;
	rs_sha256(key, &path);
	rs_sha256(value, &hashed);
	walk(map, &path, &way);
	struct map_node *found = *way.links[way.depth];
	if (found && rs_digest_equal(&found->path, &path)) {
		found->value = hashed;
		found->is_hashed = false;
	} else {
		RS_TRY(add_leaf(map, &way, &path, &hashed, err));
	}
	forget_hashes(&way);
	return RS_OK;
}

/* A leaf that is left alone moves up to where its subtree begins. */
static void contract_way(const struct way *way)
{
	for (size_t depth = way->depth; depth-- > 0;) {
		struct map_node *node = *way->links[depth], *left = node->children[0],
				*right = node->children[1];
		struct map_node *only = !left ? right : !right ? left : NULL;
		if (!only || !only->is_leaf)
			return;
		*way->links[depth] = only;
		rs_free(node);
	}
}

bool rs_map_remove(struct rs_map *map, struct rs_bytes key)
{
	struct rs_digest path;
	struct way way;
	rs_sha256(key, &path);
	walk(map, &path, &way);
	struct map_node *found = *way.links[way.depth];
	if (!found || !rs_digest_equal(&found->path, &path))
		return false;
	forget_hashes(&way);
	*way.links[way.depth] = NULL;
	rs_free(found);
	contract_way(&way);
	map->count--;
	return true;
}

static const struct rs_digest *hash_of(struct map_node *node)
{
	static const struct rs_digest nothing;
	if (!node)
		return &nothing;
	if (!node->is_hashed && node->is_leaf)
		leaf_hash(&node->path, &node->value, &node->hash);
	else if (!node->is_hashed)
		rs_node_hash(hash_of(node->children[0]), hash_of(node->children[1]), &node->hash);
	node->is_hashed = true;
	return &node->hash;
}

void rs_map_root(struct rs_map *map, struct rs_digest *out) { *out = *hash_of(map->root); }

void rs_map_prove(struct rs_map *map, struct rs_bytes key, struct rs_map_proof *out, bool *out_present)
{
	struct rs_digest path;
	struct way way;
	*out = (struct rs_map_proof){.count = 0};
	rs_sha256(key, &path);
	walk(map, &path, &way);
	for (size_t depth = 0; depth < way.depth; depth++)
		out->siblings[out->count++] = *hash_of((*way.links[depth])->children[!bit_of(&path, depth)]);
	const struct map_node *found = *way.links[way.depth];
	*out_present = found && rs_digest_equal(&found->path, &path);
	if (found && !*out_present) {
		out->has_other = true;
		out->other_path = found->path;
		out->other_value = found->value;
	}
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
	struct rs_digest path, hashed, hash;
	rs_sha256(key, &path);
	rs_sha256(value, &hashed);
	leaf_hash(&path, &hashed, &hash);
	return !proof->has_other && leads_to(root, &path, hash, proof);
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
		leaf_hash(&proof->other_path, &proof->other_value, &hash);
	}
	return leads_to(root, &path, hash, proof);
}
