/* What PS3.15 asks for an attribute. */
#ifndef RS_DEIDENTIFY_PROFILE_H
#define RS_DEIDENTIFY_PROFILE_H

#include "deidentify/deidentify.h"

/* Table E.1-1, column "Basic Prof."; combinations leave the choice to the attribute's type in its object. */
enum basic { BASIC_X, BASIC_Z, BASIC_D, BASIC_U, BASIC_XZ, BASIC_XD, BASIC_XZD, BASIC_ZD, BASIC_XZU };
struct profile_row {
	uint32_t tag;
	uint8_t basic;
	uint16_t keep, clean; /* options that say K or C */
};
extern const struct profile_row profile_rows[];
extern const size_t profile_row_count;

enum treatment {
	TREAT_KEEP,
	TREAT_REMOVE,
	TREAT_EMPTY,
	TREAT_DUMMY,
	TREAT_UID,
	TREAT_SHIFT,
	TREAT_CLEAN,
	TREAT_AGE,
	TREAT_PSEUDONYM
};
/* What the texts in a sequence become that the table says nothing of. */
enum inside { INSIDE_PLAIN, INSIDE_DUMMY, INSIDE_CLEAN };
/* vr: of the element, or of the dictionary where that is UN. */
enum treatment treatment_of(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                            const char *vr, unsigned options, enum inside inside);
/* How a sequence is gone into that is neither kept nor removed. */
enum inside inside_of(enum treatment treatment);

/* Proleptic Gregorian days: false for what is no YYYYMMDD. */
bool day_shift(const char date[static 8], unsigned days, char out[static 8]);

/* The words of a text that say what was imaged and how; all others are left out. Appended. */
void words_clean(struct rs_str text, struct rs_buffer *out);

#endif
