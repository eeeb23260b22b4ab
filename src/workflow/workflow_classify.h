/* What a file is, by its content: its media type, whose it is, and what identifies it. */
#ifndef RS_WORKFLOW_CLASSIFY_H
#define RS_WORKFLOW_CLASSIFY_H

#include "catalogue/catalogue.h"
#include "dicom/dicom.h"

#define UID_SIZE 65 /* PS3.5 §9.1: 64 characters at most */
#define PATIENT_ID_SIZE 256

struct classified {
	const char *media; /* static: "application/dicom", … */
	bool is_dicom;
	bool is_mask;     /* a DICOM segmentation or structure set */
	bool is_features; /* a vector of features: its sources tell whose it is */
	/* NUL-terminated, empty when absent; only of DICOM files */
	char patient_id[PATIENT_ID_SIZE], issuer[PATIENT_ID_SIZE];
	char study_instance_uid[UID_SIZE], series_instance_uid[UID_SIZE], sop_instance_uid[UID_SIZE];
	char sop_class_uid[UID_SIZE], transfer_syntax_uid[UID_SIZE];
	struct rs_catalogue_entry entry; /* what it is found by */
};

/* Without the file in memory: from its start, its last four bytes (little-endian), and, for DICOM, a walk over it.
 * *out_known is false when only the whole can tell. Errors as of classify(). */
enum rs_code classify_large(struct rs_bytes start, uint32_t tail, const struct rs_dicom_source *file,
                            struct classified *out, bool *out_known, struct rs_error *err);
/* RS_UNSUPPORTED when it is no medical image; RS_MALFORMED when it is a broken one. */
enum rs_code classify(struct rs_bytes content, struct classified *out, struct rs_error *err);

#endif
