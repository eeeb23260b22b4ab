/* Data sets as DICOM JSON (PS3.18 annex F). */
#ifndef RS_WEB_DICOM_JSON_H
#define RS_WEB_DICOM_JSON_H

#include "dicom/dicom.h"

/* One object: all elements but the meta group and lengths of groups. Bytes of more than a few lie at `bulk_url`/PATH, where PATH
 * is as bulk_find() reads it; without a URL (NULL) all of them are inline. pixels: pixel data that the parse left out are there.
 * errors  RS_UNSUPPORTED: a character set that is none; RS_TOO_LARGE, RS_NO_MEMORY of the buffer */
enum rs_code dicom_json_write(const struct rs_dicom *dicom, const char *bulk_url, bool pixels,
                              struct rs_json *json, struct rs_error *err);
/* The element at "TAG" or "TAG.ITEM.TAG…" (eight hexadecimal digits, items from 1); NULL without one. */
const struct rs_dicom_element *bulk_find(const struct rs_dicom *dicom, struct rs_str path);

/* A member "GGGGEEEE": {"vr": …, "Value": […]} of values in UTF-8 parted by backslashes; an empty text has no Value. */
void dicom_json_put(struct rs_json *json, uint32_t tag, const char *vr, struct rs_str value);

#endif
