/* A data set on its way into another one. */
#ifndef RS_DEIDENTIFY_REWRITING_H
#define RS_DEIDENTIFY_REWRITING_H

#include "profile.h"

struct rewriting {
	const struct rs_dicom *in;
	const struct rs_deidentification *how;
	struct rs_arena arena;
	struct rs_dicom_element *elements; /* of the new data set */
	size_t count, capacity;
	const char *pseudonym;
	unsigned shift_days;
	uint8_t encoding;       /* of elements that are added */
	struct rs_buffer names; /* of the patient, which stand nowhere else either; each with its NUL */
};

/* HMAC-SHA-256(key, what 0x00 a 0x00 b). */
void keyed(const struct rs_secret *key, const char *what, struct rs_str a, struct rs_str b,
           struct rs_digest *out);
/* A copy of the value, padded. */
enum rs_code set_value(struct rewriting *rewriting, struct rs_dicom_element *element, struct rs_bytes value,
                       struct rs_error *err);
/* What becomes of the value of an element that stays. *out_changed: whether it was done, where that is left to the value. */
enum rs_code treat_value(struct rewriting *rewriting, struct rs_dicom_element *element, const char *vr,
                         enum treatment treatment, bool *out_changed, struct rs_error *err);
/* Takes note of what the patient is called. */
enum rs_code names_note(struct rewriting *rewriting, struct rs_error *err);

#endif
