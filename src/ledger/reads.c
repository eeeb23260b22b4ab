/* Proofs of the log, through a cache of the tree's upper levels: complete subtrees never change. */
#include <string.h>

#include "engine.h"

/* The lowest cached level has up to half of the slots, the next one a quarter, and so on. */
#define SLOTS ((size_t)1 << 17)

struct node_cache {
	unsigned lowest;
	bool known[SLOTS];
	struct rs_digest hashes[SLOTS];
};

void node_cache_destroy(struct node_cache *cache) { rs_free(cache); }

/* Without memory for a cache, there is none. */
static struct node_cache *cache_of(struct rs_ledger *ledger)
{
	struct node_cache *cache = ledger->cache;
	unsigned lowest = 1;
	while (ledger->size >> lowest > SLOTS / 2)
		lowest++;
	if (!cache)
		cache = ledger->cache = rs_allocate(sizeof *cache);
	if (cache && cache->lowest != lowest) {
		memset(cache->known, 0, sizeof cache->known);
		cache->lowest = lowest;
	}
	return cache;
}

enum rs_code ledger_read_cached(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                                struct rs_error *err)
{
	struct rs_ledger *ledger = context;
	struct node_cache *cache = cache_of(ledger);
	if (!cache || level < cache->lowest)
		return ledger_read_node(context, level, index, out, err);
	size_t slot = SLOTS - (SLOTS >> (level - cache->lowest)) + (size_t)index;
	if (!cache->known[slot]) {
		RS_TRY(ledger_read_node(context, level, index, &cache->hashes[slot], err));
		cache->known[slot] = true;
	}
	*out = cache->hashes[slot];
	return RS_OK;
}

enum rs_code rs_ledger_prove(struct rs_ledger *ledger, uint64_t index, struct rs_digest *path,
                             size_t *out_count, struct rs_error *err)
{
	return rs_tree_inclusion(ledger_read_cached, ledger, index, ledger->size, path, out_count, err);
}

enum rs_code rs_ledger_prove_consistency(struct rs_ledger *ledger, uint64_t old_size, struct rs_digest *proof,
                                         size_t *out_count, struct rs_error *err)
{
	return rs_tree_consistency(ledger_read_cached, ledger, old_size, ledger->size, proof, out_count, err);
}
