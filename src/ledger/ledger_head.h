/* Heads: where the log says what the map (ledger/ledger_map.h) is, and what the map is about.
 *
 * A head is a CHECKPOINT_ANCHOR of origin "radseal.map/ORGANISATION", whose size is its own place in the log and whose root is
 * the map's over all entries before it. An engine admits no other one (RS_REFUSAL_MAP_HEAD), and whoever replays the log finds
 * the same: a head is true because it is in the log, whoever signed it. So a checkpoint, with the cosignatures it has, proves
 * what was in force. Heads are written when somebody asks for a proof, not with each group: one leaf more for each would be
 * paid by everybody.
 *
 * In the map are these rows of the state (contract/rows.h), by their own keys and values: organisations, members, devices and
 * their successors, subjects, consents. So one consent is proved without showing the others. And for each subject with
 * consents 'C' ‖ subject -> of each consent, in the order of their names: name (32 bytes) ‖ be32(size of row) ‖ row. So that a
 * subject has no consent, or none but these, is one proof. */
#ifndef RS_LEDGER_HEAD_H
#define RS_LEDGER_HEAD_H

#include "ledger/ledger_engine.h"
#include "ledger/ledger_map.h"

#define RS_MAP_ORIGIN "radseal.map/"
#define RS_MAP_ROW_LETTERS "OMDRSC"
#define RS_MAP_CONSENTS_LETTER 'C'
#define RS_MAP_VALUE_MAX ((size_t)48 * 1024)

struct rs_map_head {
	uint64_t entries; /* the map is what the contract made of so many first entries of the log */
	struct rs_digest root;
};
/* The transaction that is this head, to be signed for the act's organisation. Its origin lies in `origin`. */
enum rs_code rs_map_head_act(const struct rs_map_head *head, struct rs_buffer *origin, struct rs_act *act,
                             struct rs_error *err);
bool rs_map_head_of(const struct rs_act *act, struct rs_map_head *out); /* false: the act is none */

/* Of the embedded engine; of every engine through struct rs_engine. */
/* What a head that is appended next has to say. */
enum rs_code rs_ledger_map_next(struct rs_ledger *ledger, struct rs_map_head *out, struct rs_error *err);
/* The entry with the last head; RS_NOT_FOUND (no sentence) when the log has none. */
enum rs_code rs_ledger_map_last(struct rs_ledger *ledger, uint64_t *out_index, struct rs_error *err);
/* What a key is at the last head; its value is appended, nothing when it is absent. RS_NOT_FOUND when it changed since. */
enum rs_code rs_ledger_map_prove(struct rs_ledger *ledger, struct rs_bytes key, struct rs_map_proof *out,
                                 bool *out_present, struct rs_buffer *value, struct rs_error *err);

#define RS_MAP_CONSENT_OVERHEAD (RS_SHA256_SIZE + 4)
/* Takes the first consent off the value of a subject's consents; false at its end or when it is cut. */
bool rs_map_next_consent(struct rs_bytes *rest, struct rs_bytes *out_name, struct rs_bytes *out_row);

#endif
