/* Broken glass in the state: who overrode that nobody consented, and whether that was reviewed. */
#ifndef RS_CONTRACT_GLASS_H
#define RS_CONTRACT_GLASS_H

#include "contract/contract.h"

struct rs_glass {
	struct rs_member_key member; /* who broke it */
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	struct rs_digest subject;
	char organisation[RS_ORGANISATION_NAME_MAX + 1]; /* the member's */
	uint64_t time_ms;
	unsigned outcome; /* enum rs_review_outcome; 0: not reviewed */
};
/* Anything but RS_OK ends the walk with that code. It may not use the state. */
typedef enum rs_code rs_glass_visit(void *visitor, const struct rs_glass *glass, struct rs_error *err);
/* All of them, by member, then by id. */
enum rs_code rs_contract_each_glass(const struct rs_state *state, rs_glass_visit *visit, void *visitor,
                                    struct rs_error *err);

#endif
