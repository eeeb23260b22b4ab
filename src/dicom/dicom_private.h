/* What the files of dicom share among themselves. */
#ifndef RS_DICOM_PRIVATE_H
#define RS_DICOM_PRIVATE_H

#include "dicom/dicom.h"

#define DELIMITER_ITEM RS_DICOM_TAG(0xFFFE, 0xE00D)
#define DELIMITER_SEQUENCE RS_DICOM_TAG(0xFFFE, 0xE0DD)

struct rs_dicom_uid {
	const char *uid;
	const char *name;
};
extern const struct rs_dicom_entry rs_dicom_entries[]; /* sorted by tag */
extern const size_t rs_dicom_entry_count;
extern const struct rs_dicom_uid rs_dicom_uids[]; /* sorted by strcmp */
extern const size_t rs_dicom_uid_count;

bool rs_dicom_vr_is_short(const char *vr);
void rs_dicom_put_header(struct rs_buffer *out, const struct rs_dicom_element *element);

#endif
