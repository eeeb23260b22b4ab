/* Consents as FHIR resources (JSON), of R4 (4.0.1) and R5 (5.0.0).
 *
 * A rule is a provision that says permit or deny: in R4 by its type (policyRule OPTIN or OPTOUT may say the same); in R5 by
 * its depth, as exception to `decision`, which we write as "deny": the contract's own default; a denial then says so by
 * R4's element in R5 (a modifierExtension). A provision's limits are those of its parents and its own. A denial within a
 * permission becomes a consent of its own; a permission within a denial cannot be one, as denials override. Recipients are
 * actors: an organisation by our identifier, and roles of ours or "information recipient" (IRCP, PRCP), which is any.
 * Actions access, disclose, use are read, export, and extract with train and predict. Periods hold to the end of the last
 * stated unit; dates without zone are UTC. Studies and subject stand in it as the ledger knows them, so no document of
 * ours tells who the patient is.
 *
 * What our terms cannot express is refused by a sentence that names the element. What carries no rule is told in `notes`. */
#ifndef RS_CONSENT_FHIR_H
#define RS_CONSENT_FHIR_H

#include "contract/contract_consents.h"

#define RS_FHIR_SIZE_MAX ((size_t)262144)
#define RS_FHIR_RULES_MAX 16

enum rs_fhir_version { RS_FHIR_R4 = 4, RS_FHIR_R5 = 5 };

struct rs_fhir_consent {
	struct rs_digest subject;
	struct rs_digest consent; /* its name; zeros: none */
	bool revoked;             /* written, never read: a consent that is not in force is refused */
	uint64_t issued_ms;       /* 0: not known; R5 keeps the day */
	struct rs_consent_terms rules[RS_FHIR_RULES_MAX];
	size_t count; /* of rules; exactly 1 to be written */
};

/* Appended to out. RS_UNSUPPORTED for a time after the year 9999, which FHIR cannot write. */
enum rs_code rs_fhir_consent_write(enum rs_fhir_version version, const struct rs_fhir_consent *consent,
                                   struct rs_buffer *out, struct rs_error *err);

/* What references stand for that are none of ours ("Patient/1", "Organization/2"): one of each at most. */
struct rs_fhir_context {
	const struct rs_digest *subject; /* NULL: refused */
	struct rs_str organisation;      /* empty: refused */
	struct rs_str
		policy; /* the one policy by URI that the document may rest on, as it changes nothing here; or empty */
};
/* Which release it is tells the element scope: R4 must have it, R5 has none. notes: one line each.
 * errors  RS_MALFORMED, RS_TOO_LARGE; RS_UNSUPPORTED: sound, but not to be expressed in our terms */
enum rs_code rs_fhir_consent_read(struct rs_bytes json, const struct rs_fhir_context *context,
                                  struct rs_fhir_consent *out, struct rs_buffer *notes, struct rs_error *err);

/* A date or dateTime of FHIR as the stretch that it names: *out_end is the first millisecond after it. False when it is none,
 * or lies before 1970. */
bool rs_fhir_time_parse(struct rs_str text, uint64_t *out_begin, uint64_t *out_end);

#endif
