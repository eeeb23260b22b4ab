/* Claims: files that prove what is, or is not, in force, to anybody who believes the log and perhaps witnesses.
 *
 * A C2SP .tlog-proof of the entry that is a head of the map (ledger/ledger_head.h), whose extra data are deterministic CBOR
 * {1: version, 2: entry, 3: key in the map, 4: its value, "" when it has none, 5: proof of the map}. */
#ifndef RS_LEDGER_CLAIM_H
#define RS_LEDGER_CLAIM_H

#include "ledger/ledger_head.h"

#define RS_CLAIM_SIZE_MAX ((size_t)256 * 1024)

struct rs_claim {
	struct rs_bytes entry, key, value;
	struct rs_map_proof proof;
};
/* Appends the file. RS_TOO_LARGE when the value is more than a claim holds. */
enum rs_code rs_claim_format(const struct rs_claim *claim, uint64_t index, const struct rs_digest *path,
                             size_t count, struct rs_str checkpoint, struct rs_buffer *out,
                             struct rs_error *err);

struct rs_claim_facts {
	char origin[RS_NOTE_NAME_MAX + 1];
	uint64_t entries, time_ms;   /* of the head: what it says is about so many first entries of the log */
	uint64_t tree_size;          /* of the checkpoint */
	size_t cosigned;             /* by so many of the witnesses */
	bool present;                /* what was asked for is there; revoked or not, the sentence says */
	struct rs_buffer sentence;   /* what is proved; several lines for several consents */
	struct rs_buffer key, value; /* of the map; value empty: there is none */
};
void rs_claim_facts_finish(struct rs_claim_facts *facts); /* accepts zeroed memory */
/* Everything: checkpoint, cosignatures, place and signature of the head, proof of the map.
 * errors  RS_ALTERED, RS_MALFORMED: it proves nothing, and why */
enum rs_code rs_claim_check(struct rs_str text, const struct rs_trust *trust, struct rs_claim_facts *out,
                            struct rs_error *err);

#endif
