/* Instances whose metadata come as DICOM JSON, their bulk data as further parts of the body (PS3.18 section 10.5.2): kept in
 * memory until the body's end, so they are few at once and of bounded size. */
#ifndef WEB_STOW_METADATA_H
#define WEB_STOW_METADATA_H

#include "dicom_json_read.h"
#include "media.h"

struct metadata_body;
/* errors  RS_BUSY: as many as are taken at once */
enum rs_code metadata_body_create(struct metadata_body **out, struct rs_error *err);
void metadata_body_destroy(struct metadata_body *body); /* accepts NULL */
/* A part: application/dicom+json, the first one, or bulk data of this Content-Location.
 * errors  RS_UNSUPPORTED: of a type that is neither; RS_MALFORMED */
enum rs_code metadata_body_begin(struct metadata_body *body, const struct media *type, struct rs_str location,
                                 struct rs_error *err);
enum rs_code metadata_body_data(struct metadata_body *body, struct rs_bytes bytes, struct rs_error *err);
/* When all parts are there: how many data sets. RS_MALFORMED: the metadata are no array of objects */
enum rs_code metadata_body_parse(struct metadata_body *body, size_t *out_count, struct rs_error *err);
/* One of them as a file, appended; errors  as of dicom_json_read() */
const json_t *metadata_body_dataset(const struct metadata_body *body, size_t index);
enum rs_code metadata_body_file(struct metadata_body *body, size_t index, struct rs_buffer *out,
                                struct rs_error *err);

#endif
