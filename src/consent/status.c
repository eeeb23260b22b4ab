/* Whether a consent is in force, was revoked, or never was: proved, not claimed. */
#include "consent/consent.h"

enum rs_code rs_consent_status_prove(const struct rs_digest *root, const struct rs_digest *subject,
                                     const struct rs_digest *consent, struct rs_bytes row,
                                     const struct rs_map_proof *proof, enum rs_consent_status *out,
                                     struct rs_error *err)
{
	uint8_t key[RS_CONSENT_KEY_SIZE];
	struct rs_consent_terms terms;
	bool revoked;
	rs_consent_key(subject, consent, key);
	struct rs_bytes asked = rs_bytes_of(key, sizeof key);
	if (row.size == 0 && rs_map_absence_valid(root, asked, proof)) {
		*out = RS_CONSENT_UNKNOWN;
		return RS_OK;
	}
	if (row.size == 0 || !rs_map_presence_valid(root, asked, row, proof))
		return rs_error_set(err, RS_ALTERED,
		                    "the proof of the consent's state does not lead to the map");
	RS_TRY(rs_consent_row_decode(row, &terms, &revoked, err));
	*out = revoked ? RS_CONSENT_REVOKED : RS_CONSENT_IN_FORCE;
	return RS_OK;
}
