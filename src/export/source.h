/* What the files of export share: the headers of the image, and how its values get into new objects. */
#ifndef RS_EXPORT_SOURCE_H
#define RS_EXPORT_SOURCE_H

#include "crypto/crypto.h"
#include "export/export.h"

#define EXPORT_MAX ((size_t)1 << 30) /* bytes of an object */
#define TAG(group, element) RS_DICOM_TAG(0x##group, 0x##element)

struct source_instance {
	struct rs_dicom dicom; /* scanned: the top level, short values */
	struct rs_dicom_metadata metadata;
	struct rs_digest digest; /* of the file */
};
struct rs_export_source {
	const struct rs_world *world;
	struct source_instance *instances;
	size_t count, capacity;
};

/* The instance whose image lies where this slice does; the only one there is; NULL. */
const struct source_instance *source_at(const struct rs_export_source *source, const double position_mm[3]);

/* ---- writing ---- */

/* An element of the top level, in a table by ascending tag: a text, what the image has (text NULL), or what the image has and
 * nothing otherwise (`optional`). */
struct export_row {
	uint32_t tag;
	char vr[3];
	const char *text;
	bool optional;
};
struct writer {
	struct rs_dicom_builder builder;
	const struct rs_export_source *source;
	const struct rs_export_maker *maker;
	char instance_uid[65], series_uid[65], extra_uid[65];
	char date[9], time[7]; /* of the content: UTC */
};
enum rs_code writer_init(struct writer *writer, const struct rs_export_source *source,
                         const struct rs_export_maker *maker, struct rs_error *err);
void writer_rows(struct writer *writer, const struct export_row *rows, size_t count);
/* A sequence of one item with one code (PS3.3 section 8.8). */
void writer_code(struct rs_dicom_builder *builder, uint32_t tag, struct rs_export_code code);
/* A decimal string of at most 16 characters. */
void format_ds(double value, char out[static 17]);
/* Several of them. */
void writer_decimals(struct rs_dicom_builder *builder, uint32_t tag, const double *values, size_t count);
/* A label's name as a DICOM text; "Label 3" when it has none. */
void format_label(const char *name, uint32_t value, char out[static 65]);
void writer_view(struct rs_dicom_builder *builder, uint32_t tag, const char *vr, struct rs_str text);
/* The end: file with its meta group. */
enum rs_code writer_file(struct writer *writer, const char *sop_class, struct rs_buffer *out,
                         struct rs_error *err);

#endif
