/* What the state knows of a subject, for those who show, check or release. */
#ifndef RS_CONTRACT_SUBJECT_H
#define RS_CONTRACT_SUBJECT_H

#include "contract/contract.h"

struct rs_subject_facts {
	char custodian[RS_ORGANISATION_NAME_MAX + 1];
	struct rs_member_key patient; /* who acts for the subject; zeros: nobody */
	bool erased;
	uint64_t objects;
};
/* RS_NOT_FOUND (no sentence) when no subject has this token. */
enum rs_code rs_contract_subject(const struct rs_state *state, const struct rs_digest *token,
                                 struct rs_subject_facts *out, struct rs_error *err);

#endif
