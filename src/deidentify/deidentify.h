/* De-identification of DICOM objects by PS3.15 Annex E: the Basic Application Level Confidentiality Profile and its options. */
#ifndef RS_DEIDENTIFY_H
#define RS_DEIDENTIFY_H

#include "crypto/crypto.h"
#include "dicom/dicom.h"

/* Options of PS3.15 Annex E.3. */
enum {
	RS_DEIDENTIFY_PRIVATE = 1, /* Retain Safe Private: of those that E.3.10 lists, the ones known here */
	RS_DEIDENTIFY_UIDS = 2,    /* Retain UIDs */
	RS_DEIDENTIFY_DEVICE = 4,  /* Retain Device Identity */
	RS_DEIDENTIFY_INSTITUTION = 8,    /* Retain Institution Identity */
	RS_DEIDENTIFY_PATIENT = 16,       /* Retain Patient Characteristics; ages above 89 become 90 */
	RS_DEIDENTIFY_FULL_DATES = 32,    /* Retain Longitudinal Temporal Information, as it is */
	RS_DEIDENTIFY_SHIFTED_DATES = 64, /* the same, each patient's days shifted by one number */
	RS_DEIDENTIFY_DESCRIPTORS = 128,  /* Clean Descriptors: known words of imaging stay */
	RS_DEIDENTIFY_STRUCTURED = 256,   /* Clean Structured Content */
	RS_DEIDENTIFY_GRAPHICS = 512      /* Clean Graphics; overlays go all the same */
};

/* What was done to an attribute. Nothing of its value. */
enum rs_deidentify_act {
	RS_DEIDENTIFY_REMOVED,
	RS_DEIDENTIFY_EMPTIED,
	RS_DEIDENTIFY_REPLACED, /* by a dummy or a pseudonym */
	RS_DEIDENTIFY_REMAPPED, /* a UID */
	RS_DEIDENTIFY_SHIFTED,  /* a date */
	RS_DEIDENTIFY_CLEANED,
	RS_DEIDENTIFY_ADDED
};
const char *rs_deidentify_act_name(enum rs_deidentify_act act);
/* path: "(0010,0010)", "(0040,A730)[2].(0040,A160)". */
typedef void rs_deidentify_visit(void *context, enum rs_deidentify_act act, const char *path);

#define RS_DEIDENTIFY_PSEUDONYM_SIZE 32
struct rs_deidentification {
	/* Of a project: the same key gives a patient the same pseudonym and shift, and a UID the same successor. */
	const struct rs_secret *key;
	unsigned options;
	const char *pseudonym; /* NULL: one made with the key from PatientID and IssuerOfPatientID */
	/* Somebody looked at the pixels: what may have text burned into them is not refused. */
	bool pixels_are_clean;
	rs_deidentify_visit *visit; /* may be NULL */
	void *context;
};
struct rs_deidentified {
	char pseudonym[RS_DEIDENTIFY_PSEUDONYM_SIZE + 1];
	char study_instance_uid[65], series_instance_uid[65], sop_instance_uid[65];
};
/* The object as a file in `out` (appended): deflated data sets become explicit little endian, all else keeps its encoding;
 * pixel data stays bit for bit. Attributes that the dictionary does not know are removed.
 * errors  RS_REFUSED: text may be burned into the pixels, or a document is encapsulated: put it aside, and look;
 *         RS_USAGE: two options contradict each other, the pseudonym is no text of 1 to 32 characters; RS_MALFORMED */
enum rs_code rs_deidentify(const struct rs_dicom *dicom, const struct rs_deidentification *how,
                           struct rs_buffer *out, struct rs_deidentified *out_names, struct rs_error *err);

/* The successor of a UID: 2.25 and 128 bits of a keyed hash (PS3.5 B.2). UIDs of the standard itself stay. */
void rs_deidentify_uid(const struct rs_secret *key, struct rs_str uid, char out[static 65]);
/* The pseudonym made with the key. */
void rs_deidentify_pseudonym(const struct rs_secret *key, struct rs_str issuer, struct rs_str patient_id,
                             char out[static RS_DEIDENTIFY_PSEUDONYM_SIZE + 1]);

#endif
