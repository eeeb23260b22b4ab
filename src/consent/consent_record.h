/* Consent records and receipts of ISO/IEC TS 27560:2023 as JSON-LD with the terms of the W3C community group's Data Privacy
 * Vocabulary (DPV 2, profile dpv-27560). The principal is the subject's token, never a name or number of the patient. */
#ifndef RS_CONSENT_RECORD_H
#define RS_CONSENT_RECORD_H

#include "contract/contract_consents.h"

/* For the patient's own copy: which studies the commitments are of, and the key by which anyone can check that:
 * commitment = HMAC-SHA-256(key, 0x01 ‖ StudyInstanceUID). */
struct rs_consent_openings {
	const struct rs_secret *key;
	const struct rs_str *studies; /* StudyInstanceUIDs */
	size_t count;
};
struct rs_consent_record {
	const struct rs_consent_facts *consent;
	struct rs_str controller; /* the subject's custodian */
	uint64_t issued_ms;       /* 0: not known */
	uint64_t written_ms;
	const struct rs_consent_openings *openings; /* NULL: a record for the controller; else a receipt */
};
/* Appended to out.
 * errors  RS_USAGE: an opening does not fit a study that the consent names */
enum rs_code rs_consent_record_write(const struct rs_consent_record *record, struct rs_buffer *out,
                                     struct rs_error *err);

#endif
