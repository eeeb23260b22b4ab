/* Data sets out of DICOM JSON (PS3.18 annex F) and bulk data that came with it. */
#ifndef WEB_DICOM_JSON_READ_H
#define WEB_DICOM_JSON_READ_H

#include <jansson.h>

#include "dicom/dicom.h"

/* Bulk data by what BulkDataURI says. syntax: its transfer syntax; a compressed one is for frames of pixel data alone, one for
 * each index. RS_NOT_FOUND: there is no such part, or none of so high an index */
struct bulk_source {
	enum rs_code (*find)(void *context, struct rs_str uri, size_t index, struct rs_bytes *out,
	                     const char **out_syntax, struct rs_error *err);
	void *context;
};
/* The whole file, appended, of explicit little endian, texts in UTF-8; or with the compressed frames that came.
 * errors  RS_MALFORMED naming the element; RS_UNSUPPORTED, RS_TOO_LARGE */
enum rs_code dicom_json_read(const json_t *dataset, const struct bulk_source *bulk, struct rs_buffer *out,
                             struct rs_error *err);
/* The one UID of a data set's element, or an empty text. */
struct rs_str dicom_json_uid(const json_t *dataset, const char *tag);

#endif
