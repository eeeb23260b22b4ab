/* Which treatment an attribute gets: the table, the options that override it, and what the table cannot say. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#define PATIENT_NAME RS_DICOM_TAG(0x0010, 0x0010)
#define PATIENT_ID RS_DICOM_TAG(0x0010, 0x0020)
#define PATIENT_AGE RS_DICOM_TAG(0x0010, 0x1010)
#define ENCODED_VALUE_GROUPS 0xFF00FFFFu

/* Of PS3.15 Table E.3.10-1, those whose meaning is sure: numbers of acquisition without which an image cannot be measured. */
static const struct {
	const char *creator;
	uint16_t group;
	uint8_t element;
} safe[] = {
	{"ELSCINT1", 0x00E1, 0x21},                  /* DLP */
	{"ELSCINT1", 0x01E1, 0x26},                  /* phantom type */
	{"ELSCINT1", 0x01E1, 0x50},                  /* acquisition duration */
	{"ELSCINT1", 0x01F1, 0x01},                  /* acquisition type */
	{"ELSCINT1", 0x01F1, 0x07},                  /* table velocity */
	{"ELSCINT1", 0x01F1, 0x26},                  /* pitch */
	{"ELSCINT1", 0x01F1, 0x27},                  /* rotation time */
	{"GEMS_ACQU_01", 0x0019, 0x23},              /* table speed */
	{"GEMS_ACQU_01", 0x0019, 0x24},              /* mid scan time */
	{"GEMS_ACQU_01", 0x0019, 0x27},              /* rotation speed */
	{"GEMS_ACQU_01", 0x0019, 0x9E},              /* internal pulse sequence name */
	{"GEMS_HELIOS_01", 0x0045, 0x01},            /* macro rows in detector */
	{"GEMS_HELIOS_01", 0x0045, 0x02},            /* macro width at isocentre */
	{"GEMS_PARM_01", 0x0043, 0x27},              /* scan pitch ratio */
	{"GEMS_PARM_01", 0x0043, 0x39},              /* b-value */
	{"Philips Imaging DD 001", 0x2001, 0x03},    /* diffusion b-factor */
	{"Philips Imaging DD 001", 0x2001, 0x04},    /* diffusion direction */
	{"Philips MR Imaging DD 001", 0x2005, 0x0D}, /* scale intercept */
	{"Philips MR Imaging DD 001", 0x2005, 0x0E}, /* scale slope */
	{"Philips PET Private Group", 0x7053, 0x00}, /* SUV scale factor */
	{"Philips PET Private Group", 0x7053, 0x09}, /* activity concentration scale factor */
	{"SIEMENS MR HEADER", 0x0019, 0x0C},         /* b-value */
	{"SIEMENS MR HEADER", 0x0019, 0x0D},         /* diffusion directionality */
	{"SIEMENS MR HEADER", 0x0019, 0x0E},         /* diffusion gradient direction */
	{"SIEMENS MR HEADER", 0x0019, 0x27},         /* b-matrix */
};

static int by_tag(const void *key, const void *row)
{
	uint32_t tag = *(const uint32_t *)key, of = ((const struct profile_row *)row)->tag;
	return (tag > of) - (tag < of);
}

static const struct profile_row *row_of(uint32_t tag)
{
	if ((tag >> 24) == 0x60)
		tag &= ENCODED_VALUE_GROUPS; /* overlays 6000 to 601E */
	return bsearch(&tag, profile_rows, profile_row_count, sizeof *profile_rows, by_tag);
}

/* The elements (gggg,00bb) name whose the block (gggg,bb00) to (gggg,bbFF) is (PS3.5 section 7.8.1). */
static bool private_is_safe(const struct rs_dicom *dicom, const struct rs_dicom_element *e)
{
	const struct rs_dicom_element *parent = e->parent == RS_DICOM_NONE ? NULL
	                                                                   : &dicom->elements[e->parent];
	uint32_t number = e->tag & 0xFFFF;
	bool names_block = number >= 0x10 && number <= 0xFF;
	const struct rs_dicom_element *creator =
		names_block ? e : rs_dicom_find(dicom, parent, (e->tag & 0xFFFF0000u) | (number >> 8));
	if (!creator || e->has_children)
		return false;
	for (size_t i = 0; i < RS_COUNT(safe); i++)
		if (safe[i].group == e->tag >> 16 &&
		    rs_str_equal_text(rs_dicom_text(creator, 0), safe[i].creator) &&
		    (names_block || safe[i].element == (number & 0xFF)))
			return true;
	return false;
}

static bool is_among(const char *vr, const char *list) { return strlen(vr) == 2 && strstr(list, vr) != NULL; }

/* The table leaves the choice to the attribute's type; what stays with a value or without one fits every type but 1, and
 * type 1 is met by those that may be a dummy. */
static enum treatment basic_treatment(const struct profile_row *row)
{
	switch ((enum basic)row->basic) {
	case BASIC_X: return TREAT_REMOVE;
	case BASIC_U:
	case BASIC_XZU: return TREAT_UID;
	case BASIC_Z:
	case BASIC_XZ: return TREAT_EMPTY;
	case BASIC_D:
	case BASIC_XD:
	case BASIC_XZD:
	case BASIC_ZD: break;
	}
	return TREAT_DUMMY;
}

static enum treatment listed_treatment(const struct profile_row *row, const char *vr, unsigned options)
{
	bool is_sequence = strcmp(vr, "SQ") == 0;
	if (row->keep & options)
		return row->tag == PATIENT_AGE ? TREAT_AGE : TREAT_KEEP;
	unsigned clean = row->clean & options;
	if (clean & RS_DEIDENTIFY_SHIFTED_DATES)
		return is_among(vr, "DA DT") ? TREAT_SHIFT
		       : is_among(vr, "TM")  ? TREAT_KEEP
		                             : basic_treatment(row);
	if (clean & (RS_DEIDENTIFY_DESCRIPTORS | RS_DEIDENTIFY_STRUCTURED | RS_DEIDENTIFY_PATIENT))
		return TREAT_CLEAN;
	if (clean & RS_DEIDENTIFY_GRAPHICS)
		return is_sequence ? TREAT_CLEAN : TREAT_REMOVE; /* bits of an overlay may be text */
	if (clean & RS_DEIDENTIFY_DEVICE)
		return TREAT_DUMMY;
	return basic_treatment(row);
}

/* Texts that the table does not list, in a sequence that it does. */
static enum treatment inner_treatment(uint32_t tag, const char *vr, enum inside inside)
{
	static const uint32_t code_meaning = RS_DICOM_TAG(0x0008, 0x0104);
	if (inside == INSIDE_DUMMY && is_among(vr, "AE LO LT PN SH ST UC UR UT"))
		return TREAT_DUMMY;
	if (inside == INSIDE_CLEAN &&
	    (is_among(vr, "LT ST UC UT") || (is_among(vr, "LO") && tag != code_meaning)))
		return TREAT_CLEAN;
	if (inside == INSIDE_CLEAN && is_among(vr, "PN"))
		return TREAT_DUMMY;
	return TREAT_KEEP;
}

enum treatment treatment_of(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                            const char *vr, unsigned options, enum inside inside)
{
	uint32_t tag = element->tag, group = tag >> 16;
	if (group % 2 == 1)
		return (options & RS_DEIDENTIFY_PRIVATE) && private_is_safe(dicom, element) ? TREAT_KEEP
		                                                                            : TREAT_REMOVE;
	if (group >> 8 == 0x50 || (tag & 0xFFFF) == 0 || !rs_dicom_lookup(tag))
		return TREAT_REMOVE; /* curves; group lengths, which would lie; what nobody knows */
	if (tag == PATIENT_NAME || tag == PATIENT_ID)
		return TREAT_PSEUDONYM;
	const struct profile_row *row = row_of(tag);
	return row ? listed_treatment(row, vr, options) : inner_treatment(tag, vr, inside);
}

enum inside inside_of(enum treatment treatment)
{
	return treatment == TREAT_DUMMY   ? INSIDE_DUMMY
	       : treatment == TREAT_CLEAN ? INSIDE_CLEAN
	                                  : INSIDE_PLAIN;
}
