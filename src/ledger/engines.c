/* The embedded engine behind the interface of all engines, and its twin in memory. */
#include <string.h>

#include "contract/contract_memory.h"
#include "engine.h"
#include "ledger/ledger_engine.h"

static enum rs_code refuse_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	(void)context, (void)key, (void)value;
	return rs_error_set(err, RS_USAGE, "an engine's state is changed by transactions only");
}

static enum rs_code embedded_append(void *context, const struct rs_transaction *transactions, size_t count,
                                    struct rs_append_result *results, struct rs_error *err)
{
	return rs_ledger_append(context, transactions, count, results, err);
}

static uint64_t embedded_size(void *context) { return rs_ledger_size(context); }

static enum rs_code embedded_entry(void *context, uint64_t index, struct rs_bytes *out, struct rs_error *err)
{
	return rs_ledger_entry(context, index, out, err);
}

static enum rs_code embedded_find(void *context, const uint8_t *id, uint64_t *out_index, struct rs_error *err)
{
	return rs_ledger_find(context, id, out_index, err);
}

static enum rs_code embedded_root(void *context, struct rs_digest *out, struct rs_error *err)
{
	return rs_tree_root(ledger_read_node, context, rs_ledger_size(context), out, err);
}

static struct rs_state embedded_state(void *context) { return rs_ledger_state(context); }

static enum rs_code embedded_map_next(void *context, struct rs_map_head *out, struct rs_error *err)
{
	return rs_ledger_map_next(context, out, err);
}

static enum rs_code embedded_map_last(void *context, uint64_t *out_index, struct rs_error *err)
{
	return rs_ledger_map_last(context, out_index, err);
}

static enum rs_code embedded_map_prove(void *context, struct rs_bytes key, struct rs_map_proof *out,
                                       bool *out_present, struct rs_buffer *value, struct rs_error *err)
{
	return rs_ledger_map_prove(context, key, out, out_present, value, err);
}

static void embedded_close(void *context) { rs_ledger_close(context); }

struct rs_engine rs_ledger_engine(struct rs_ledger *ledger)
{
	return (struct rs_engine){
		embedded_append, embedded_size,     embedded_entry,    embedded_find,      embedded_root,
		embedded_state,  embedded_map_next, embedded_map_last, embedded_map_prove, embedded_close,
		ledger};
}

struct twin {
	struct rs_memory_state memory, nodes, changed;
	struct rs_state state, reading;
	struct mapped mapped; /* over these three */
	struct rs_buffer *entries;
	struct rs_digest *leaves;
	size_t count, capacity;
};

static void twin_close(void *context)
{
	struct twin *twin = context;
	for (size_t i = 0; i < twin->count; i++)
		rs_buffer_finish(&twin->entries[i]);
	rs_free(twin->entries);
	rs_free(twin->leaves);
	rs_memory_state_finish(&twin->memory);
	rs_memory_state_finish(&twin->nodes);
	rs_memory_state_finish(&twin->changed);
	rs_free(twin);
}

static uint64_t twin_size(void *context) { return ((struct twin *)context)->count; }

static enum rs_code twin_entry(void *context, uint64_t index, struct rs_bytes *out, struct rs_error *err)
{
	const struct twin *twin = context;
	if (index >= twin->count)
		return rs_error_set(err, RS_NOT_FOUND, "there is no entry %llu; there are %zu",
		                    (unsigned long long)index, twin->count);
	*out = rs_buffer_bytes(&twin->entries[index]);
	return RS_OK;
}

static enum rs_code twin_find(void *context, const uint8_t *id, uint64_t *out_index, struct rs_error *err)
{
	const struct twin *twin = context;
	uint8_t key[ID_KEY_SIZE];
	struct rs_bytes value;
	ledger_id_key(id, key);
	RS_TRY(twin->state.get(twin->state.context, rs_bytes_of(key, sizeof key), &value, err));
	*out_index = rs_read_be64(value.data);
	return RS_OK;
}

static enum rs_code twin_root(void *context, struct rs_digest *out, struct rs_error *err)
{
	struct twin *twin = context;
	struct rs_leaves leaves = {twin->leaves, twin->count};
	return rs_tree_root(rs_leaves_read, &leaves, twin->count, out, err);
}

static struct rs_state twin_state(void *context) { return ((struct twin *)context)->reading; }

static enum rs_code twin_map_next(void *context, struct rs_map_head *out, struct rs_error *err)
{
	const struct twin *twin = context;
	out->entries = twin->count;
	return mapped_root(&twin->mapped, &out->root, err);
}

static enum rs_code twin_map_last(void *context, uint64_t *out_index, struct rs_error *err)
{
	return mapped_last_head(&((struct twin *)context)->mapped, out_index, err);
}

static enum rs_code twin_map_prove(void *context, struct rs_bytes key, struct rs_map_proof *out,
                                   bool *out_present, struct rs_buffer *value, struct rs_error *err)
{
	return mapped_prove(&((struct twin *)context)->mapped, key, out, out_present, value, err);
}

static enum rs_code make_room(struct twin *twin, struct rs_error *err)
{
	size_t wanted = twin->capacity ? 2 * twin->capacity : 64;
	if (twin->count < twin->capacity)
		return RS_OK;
	void *entries = rs_reallocate(twin->entries, wanted * sizeof *twin->entries);
	if (entries)
		twin->entries = entries;
	void *leaves = entries ? rs_reallocate(twin->leaves, wanted * sizeof *twin->leaves) : NULL;
	if (!leaves)
		return rs_error_memory(err, wanted * sizeof *twin->entries, "a ledger in memory");
	twin->leaves = leaves;
	twin->capacity = wanted;
	return RS_OK;
}

static enum rs_code keep_entry(struct twin *twin, const struct rs_act *act, struct rs_bytes entry,
                               struct rs_error *err)
{
	struct rs_buffer copy;
	uint8_t key[ID_KEY_SIZE], place[8];
	ledger_id_key(act->id, key);
	rs_write_be64(place, twin->count);
	RS_TRY(make_room(twin, err));
	RS_TRY(twin->state.put(&twin->memory, rs_bytes_of(key, sizeof key), rs_bytes_of(place, sizeof place),
	                       err));
	rs_buffer_init(&copy, RS_ENTRY_SIZE_MAX);
	if (rs_buffer_append_bytes(&copy, entry) != RS_OK)
		return rs_buffer_check(&copy, "an entry", err);
	rs_leaf_hash(entry, &twin->leaves[twin->count]);
	twin->entries[twin->count++] = copy;
	return RS_OK;
}

static enum rs_code append_one(struct twin *twin, const struct rs_transaction *transaction,
                               struct rs_append_result *result, struct rs_error *err)
{
	struct rs_bytes entry = rs_buffer_bytes(&transaction->entry);
	struct rs_act act;
	uint64_t index;
	RS_TRY(transaction->checked ? rs_transaction_parse(entry, &act, err)
	                            : rs_transaction_verify(entry, &act, err));
	enum rs_code code = twin_find(twin, act.id, &index, err);
	if (code == RS_OK) {
		bool same = rs_bytes_equal(rs_buffer_bytes(&twin->entries[index]), entry);
		*result = (struct rs_append_result){same ? RS_REFUSAL_NONE : RS_REFUSAL_ID_TAKEN, index};
		return RS_OK;
	}
	if (code != RS_NOT_FOUND)
		return code;
	RS_TRY(mapped_apply(&twin->mapped, &act, twin->count, &result->refusal, err));
	if (result->refusal != RS_REFUSAL_NONE)
		return RS_OK;
	result->index = twin->count;
	return keep_entry(twin, &act, entry, err);
}

static void each_state(struct twin *twin, void (*act)(struct rs_memory_state *memory))
{
	act(&twin->memory);
	act(&twin->nodes);
	act(&twin->changed);
}

static enum rs_code twin_append(void *context, const struct rs_transaction *transactions, size_t count,
                                struct rs_append_result *results, struct rs_error *err)
{
	struct twin *twin = context;
	size_t before = twin->count;
	enum rs_code code = RS_OK;
	each_state(twin, rs_memory_state_begin);
	for (size_t i = 0; i < count && code == RS_OK; i++)
		code = append_one(twin, &transactions[i], &results[i], err);
	if (code == RS_OK) {
		each_state(twin, rs_memory_state_commit);
		return RS_OK;
	}
	each_state(twin, rs_memory_state_rollback);
	while (twin->count > before)
		rs_buffer_finish(&twin->entries[--twin->count]);
	return code;
}

enum rs_code rs_memory_engine_create(struct rs_engine *out, struct rs_error *err)
{
	struct twin *twin = rs_allocate(sizeof *twin);
	if (!twin)
		return rs_error_memory(err, sizeof *twin, "a ledger in memory");
	twin->state = rs_memory_state_view(&twin->memory);
	twin->reading = twin->state;
	twin->reading.put = refuse_put;
	twin->mapped = (struct mapped){twin->state, rs_memory_state_view(&twin->nodes),
	                               rs_memory_state_view(&twin->changed)};
	*out = (struct rs_engine){twin_append,    twin_size,  twin_entry,    twin_find,
	                          twin_root,      twin_state, twin_map_next, twin_map_last,
	                          twin_map_prove, twin_close, twin};
	return RS_OK;
}
