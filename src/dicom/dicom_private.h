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
bool rs_dicom_vr_has_one_value(const char *vr); /* text in which a backslash is a character */
/* The element's VR, or the dictionary's where it was stored as unknown (UN, blank). */
const char *rs_dicom_meant_vr(const struct rs_dicom_element *element);
/* Of *out only what describes the pixels: a file with a wrong UID or position has pixels nevertheless. */
enum rs_code rs_dicom_pixel_description(const struct rs_dicom *dicom, struct rs_dicom_metadata *out,
                                        struct rs_error *err);
void rs_dicom_put_header(struct rs_buffer *out, const struct rs_dicom_element *element);

#endif
