/* RFC 6962 trees over a reader of complete subtrees. */
#include <assert.h>

#include "ledger/ledger_log.h"

void rs_leaf_hash(struct rs_bytes data, struct rs_digest *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, "\x00", 1);
	rs_sha256_update(&hash, data.data, data.size);
	rs_sha256_final(&hash, out);
}

void rs_node_hash(const struct rs_digest *left, const struct rs_digest *right, struct rs_digest *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, "\x01", 1);
	rs_sha256_update(&hash, left->bytes, sizeof left->bytes);
	rs_sha256_update(&hash, right->bytes, sizeof right->bytes);
	rs_sha256_final(&hash, out);
}

/* The largest power of two below n (n >= 2), and its logarithm. */
static uint64_t split_point(uint64_t n, unsigned *level)
{
	*level = 63 - (unsigned)__builtin_clzll(n - 1);
	return (uint64_t)1 << *level;
}

/* Root of leaves [start, start + size), where start is a multiple of every subtree's size in it. */
static enum rs_code subtree_root(rs_tree_read *read, void *context, uint64_t start, uint64_t size,
                                 struct rs_digest *out, struct rs_error *err)
{
	if ((size & (size - 1)) == 0) {
		unsigned level = (unsigned)__builtin_ctzll(size);
		return read(context, level, start >> level, out, err);
	}
	unsigned level;
	uint64_t left_size = split_point(size, &level);
	struct rs_digest left, right;
	RS_TRY(read(context, level, start >> level, &left, err));
	RS_TRY(subtree_root(read, context, start + left_size, size - left_size, &right, err));
	rs_node_hash(&left, &right, out);
	return RS_OK;
}

enum rs_code rs_tree_root(rs_tree_read *read, void *context, uint64_t size, struct rs_digest *out,
                          struct rs_error *err)
{
	if (size == 0) {
		rs_sha256(rs_bytes_of("", 0), out);
		return RS_OK;
	}
	return subtree_root(read, context, 0, size, out, err);
}

enum rs_code rs_tree_inclusion(rs_tree_read *read, void *context, uint64_t index, uint64_t size,
                               struct rs_digest *out, size_t *out_count, struct rs_error *err)
{
	if (index >= size)
		return rs_error_set(err, RS_NOT_FOUND, "entry %llu is not among the %llu of this tree",
		                    (unsigned long long)index, (unsigned long long)size);
	/* From the root down; the path is wanted from the leaf up. */
	struct rs_digest down[RS_PROOF_HASHES_MAX];
	size_t count = 0;
	uint64_t start = 0;
	while (size > 1) {
		unsigned level;
		uint64_t left = split_point(size, &level);
		if (index - start < left) {
			RS_TRY(subtree_root(read, context, start + left, size - left, &down[count++], err));
			size = left;
		} else {
			RS_TRY(read(context, level, start >> level, &down[count++], err));
			start += left;
			size -= left;
		}
	}
	for (size_t i = 0; i < count; i++)
		out[i] = down[count - 1 - i];
	*out_count = count;
	return RS_OK;
}

enum rs_code rs_tree_consistency(rs_tree_read *read, void *context, uint64_t old_size, uint64_t new_size,
                                 struct rs_digest *out, size_t *out_count, struct rs_error *err)
{
	if (old_size > new_size)
		return rs_error_set(err, RS_USAGE, "a tree of %llu cannot be extended to one of %llu",
		                    (unsigned long long)old_size, (unsigned long long)new_size);
	struct rs_digest down[RS_PROOF_HASHES_MAX + 1];
	size_t count = 0;
	uint64_t start = 0, old = old_size, size = new_size;
	bool whole = true; /* the old tree is the whole of what was split off so far */
	if (old_size == 0 || old_size == new_size) {
		*out_count = 0;
		return RS_OK;
	}
	/* SUBPROOF of RFC 6962 §2.1.2, as a loop. */
	while (old != size) {
		unsigned level;
		uint64_t left = split_point(size, &level);
		if (old <= left) {
			RS_TRY(subtree_root(read, context, start + left, size - left, &down[count++], err));
			size = left;
		} else {
			RS_TRY(read(context, level, start >> level, &down[count++], err));
			start += left;
			old -= left;
			size -= left;
			whole = false;
		}
	}
	if (!whole)
		RS_TRY(subtree_root(read, context, start, size, &down[count++], err));
	for (size_t i = 0; i < count; i++)
		out[i] = down[count - 1 - i];
	*out_count = count;
	return RS_OK;
}

bool rs_inclusion_root(const struct rs_digest *leaf, uint64_t index, uint64_t size,
                       const struct rs_digest *path, size_t count, struct rs_digest *out)
{
	if (index >= size)
		return false;
	uint64_t fn = index, sn = size - 1;
	struct rs_digest r = *leaf;
	for (size_t i = 0; i < count; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			rs_node_hash(&path[i], &r, &r);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			rs_node_hash(&r, &path[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	*out = r;
	return sn == 0;
}

bool rs_inclusion_valid(const struct rs_digest *leaf, uint64_t index, uint64_t size,
                        const struct rs_digest *path, size_t count, const struct rs_digest *root)
{
	struct rs_digest found;
	return rs_inclusion_root(leaf, index, size, path, count, &found) && rs_digest_equal(&found, root);
}

bool rs_consistency_valid(uint64_t old_size, const struct rs_digest *old_root, uint64_t new_size,
                          const struct rs_digest *new_root, const struct rs_digest *proof, size_t count)
{
	if (old_size > new_size)
		return false;
	if (old_size == new_size)
		return count == 0 && rs_digest_equal(old_root, new_root);
	if (old_size == 0)
		return count == 0;
	uint64_t fn = old_size - 1, sn = new_size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	size_t next = 0;
	bool power = (old_size & (old_size - 1)) == 0;
	if (!power && count == 0)
		return false;
	struct rs_digest fr = power ? *old_root : proof[next++], sr = fr;
	for (; next < count; next++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			rs_node_hash(&proof[next], &fr, &fr);
			rs_node_hash(&proof[next], &sr, &sr);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			rs_node_hash(&sr, &proof[next], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && rs_digest_equal(&fr, old_root) && rs_digest_equal(&sr, new_root);
}

enum rs_code rs_leaves_read(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                            struct rs_error *err)
{
	const struct rs_leaves *leaves = context;
	if (level == 0) {
		assert(index < leaves->count);
		*out = leaves->hashes[index];
		return RS_OK;
	}
	struct rs_digest left, right;
	RS_TRY(rs_leaves_read(context, level - 1, 2 * index, &left, err));
	RS_TRY(rs_leaves_read(context, level - 1, 2 * index + 1, &right, err));
	rs_node_hash(&left, &right, out);
	return RS_OK;
}
