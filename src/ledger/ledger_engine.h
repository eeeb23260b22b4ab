/* What an engine is: it takes transactions, runs the contract over a state, and keeps a log. The embedded one is a file,
 * its twin lies in memory; others (Fabric, Ethereum) come to the same, which conformance_test.c holds each of them to. */
#ifndef RS_LEDGER_ENGINE_H
#define RS_LEDGER_ENGINE_H

#include "ledger/ledger.h"

struct rs_map_head; /* ledger/ledger_head.h, ledger/ledger_map.h */
struct rs_map_proof;

/* All functions as their namesakes in ledger.h. */
struct rs_engine {
	enum rs_code (*append)(void *context, const struct rs_transaction *transactions, size_t count,
	                       struct rs_append_result *results, struct rs_error *err);
	uint64_t (*size)(void *context);
	enum rs_code (*entry)(void *context, uint64_t index, struct rs_bytes *out, struct rs_error *err);
	enum rs_code (*find)(void *context, const uint8_t *id, uint64_t *out_index, struct rs_error *err);
	/* Root of the tree over all entries. */
	enum rs_code (*root)(void *context, struct rs_digest *out, struct rs_error *err);
	/* The contract's state, to read: put() answers RS_USAGE. */
	struct rs_state (*state)(void *context);
	/* rs_ledger_map_next(), _last(), _prove() */
	enum rs_code (*map_next)(void *context, struct rs_map_head *out, struct rs_error *err);
	enum rs_code (*map_last)(void *context, uint64_t *out_index, struct rs_error *err);
	enum rs_code (*map_prove)(void *context, struct rs_bytes key, struct rs_map_proof *out,
	                          bool *out_present, struct rs_buffer *value, struct rs_error *err);
	void (*close)(void *context);
	void *context;
};

/* A view of an open ledger, which close() closes. */
struct rs_engine rs_ledger_engine(struct rs_ledger *ledger);
/* A ledger in memory, empty: no file, no checkpoints, gone with close(). */
enum rs_code rs_memory_engine_create(struct rs_engine *out, struct rs_error *err);

#endif
