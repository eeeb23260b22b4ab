/* A state and its map, as every engine keeps them: what the contract puts is noted, and the map is brought up to it by heads. */
#ifndef LEDGER_MAPPED_H
#define LEDGER_MAPPED_H

#include "ledger/ledger_head.h"

/* Three stores of rows. In `changed` are keys of the map whose values are others than at the last head; an empty value takes
 * a key out. The key of the state's row that tells where the last head is: */
#define MAPPED_HEAD_KEY "T"
struct mapped {
	struct rs_state state, nodes, changed;
};

/* One act at the end of a log of `size` entries: a head is judged, the contract applied, the map brought up to a head. */
enum rs_code mapped_apply(const struct mapped *mapped, const struct rs_act *act, uint64_t size,
                          enum rs_refusal *out, struct rs_error *err);
/* The root over the state as it is now. */
enum rs_code mapped_root(const struct mapped *mapped, struct rs_digest *out, struct rs_error *err);
enum rs_code mapped_last_head(const struct mapped *mapped, uint64_t *out_index, struct rs_error *err);
enum rs_code mapped_prove(const struct mapped *mapped, struct rs_bytes key, struct rs_map_proof *out,
                          bool *out_present, struct rs_buffer *value, struct rs_error *err);

#endif
