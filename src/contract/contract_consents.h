/* A consent's terms as a value of its own, and the consents that stand in a state: for tokens, listings, proofs. */
#ifndef RS_CONTRACT_CONSENTS_H
#define RS_CONTRACT_CONSENTS_H

#include "contract/contract.h"

/* Zero stands for what is not limited: no organisation (a denial for everyone), until 0, no studies (all of the subject's). */
struct rs_consent_terms {
	enum rs_consent_effect effect;
	char organisation[RS_ORGANISATION_NAME_MAX + 1]; /* zero-terminated */
	size_t organisation_size;
	uint32_t roles, purposes, operations;             /* sets */
	uint64_t from_ms, until_ms;                       /* from <= time < until */
	uint8_t studies[RS_STUDIES_MAX * RS_SHA256_SIZE]; /* ascending */
	size_t studies_size;
};
struct rs_str rs_consent_terms_organisation(const struct rs_consent_terms *terms);
struct rs_bytes rs_consent_terms_studies(const struct rs_consent_terms *terms);
bool rs_consent_terms_equal(const struct rs_consent_terms *a, const struct rs_consent_terms *b);
/* Fills the fields of a CONSENT_GRANT or CONSENT_NARROW; views borrow from `terms`. */
void rs_consent_terms_to_act(const struct rs_consent_terms *terms, struct rs_act *act);

/* The key of a consent's row in the state, and so in the map over it, by which its state at a checkpoint is proved. */
#define RS_CONSENT_KEY_SIZE (1 + 2 * RS_SHA256_SIZE)
void rs_consent_key(const struct rs_digest *subject, const struct rs_digest *consent,
                    uint8_t out[static RS_CONSENT_KEY_SIZE]);
/* errors  RS_ALTERED when the bytes are no such row */
enum rs_code rs_consent_row_decode(struct rs_bytes row, struct rs_consent_terms *out, bool *out_revoked,
                                   struct rs_error *err);

/* A consent as it stands in a state. */
struct rs_consent_facts {
	struct rs_digest subject, name;
	struct rs_consent_terms terms;
	bool revoked;
};
/* Anything but RS_OK ends the walk with that code. It may not use the state. */
typedef enum rs_code rs_consent_visit(void *visitor, const struct rs_consent_facts *consent,
                                      struct rs_error *err);
/* Every consent about the subject (NULL: about anybody), by subject and name. */
enum rs_code rs_contract_consents(const struct rs_state *state, const struct rs_digest *subject,
                                  rs_consent_visit *visit, void *visitor, struct rs_error *err);

#endif
