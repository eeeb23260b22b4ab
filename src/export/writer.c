/* Elements of new objects: from tables, from the image, from numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dicomnet/dicomnet.h"
#include "source.h"

enum rs_code writer_init(struct writer *writer, const struct rs_export_source *source,
                         const struct rs_export_maker *maker, struct rs_error *err)
{
	char now[RS_TIME_TEXT_SIZE];
	*writer = (struct writer){.source = source, .maker = maker};
	RS_TRY(rs_dicom_uid_random(maker->world, writer->instance_uid, err));
	RS_TRY(rs_dicom_uid_random(maker->world, writer->series_uid, err));
	RS_TRY(rs_dicom_uid_random(maker->world, writer->extra_uid, err));
	rs_format_time_ms(rs_world_now_ms(maker->world), now); /* 2026-11-21T03:04:05.678Z */
	snprintf(writer->date, sizeof writer->date, "%.4s%.2s%.2s", now, now + 5, now + 8);
	snprintf(writer->time, sizeof writer->time, "%.2s%.2s%.2s", now + 11, now + 14, now + 17);
	rs_dicom_builder_init(&writer->builder, RS_DICOM_EXPLICIT_LE, EXPORT_MAX);
	return RS_OK;
}

void writer_view(struct rs_dicom_builder *builder, uint32_t tag, const char *vr, struct rs_str text)
{
	rs_dicom_builder_bytes(builder, tag, vr, rs_bytes_of_str(text));
}

void writer_rows(struct writer *writer, const struct export_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct rs_dicom_element *of_image = rs_dicom_find(&writer->source->instances[0].dicom,
		                                                        NULL, rows[i].tag);
		if (rows[i].text)
			rs_dicom_builder_text(&writer->builder, rows[i].tag, rows[i].vr, rows[i].text);
		else if (of_image && !of_image->has_children &&
		         (of_image->value.size > 0 || !rows[i].optional))
			rs_dicom_builder_bytes(&writer->builder, rows[i].tag, rows[i].vr, of_image->value);
		else if (!rows[i].optional)
			rs_dicom_builder_text(&writer->builder, rows[i].tag, rows[i].vr, "");
	}
}

void writer_code(struct rs_dicom_builder *builder, uint32_t tag, struct rs_export_code code)
{
	rs_dicom_builder_begin(builder, tag);
	rs_dicom_builder_begin(builder, RS_DICOM_ITEM);
	rs_dicom_builder_text(builder, TAG(0008, 0100), "SH", code.value);
	rs_dicom_builder_text(builder, TAG(0008, 0102), "SH", code.scheme);
	rs_dicom_builder_text(builder, TAG(0008, 0104), "LO", code.meaning);
	rs_dicom_builder_end(builder);
	rs_dicom_builder_end(builder);
}

/* As many digits as there is room for. */
void format_ds(double value, char out[static 17])
{
	char text[40];
	int digits = 15;
	while (snprintf(text, sizeof text, "%.*g", digits, value) > 16)
		digits--;
	memcpy(out, text, strlen(text) + 1);
}

void writer_decimals(struct rs_dicom_builder *builder, uint32_t tag, const double *values, size_t count)
{
	char text[6 * 17 + 1] = "", one[17];
	size_t used = 0;
	for (size_t i = 0; i < count && i < 6; i++) {
		format_ds(values[i] == 0 ? 0 : values[i], one); /* no minus before a zero */
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "\\" : "", one);
	}
	rs_dicom_builder_text(builder, tag, "DS", text);
}

/* Anything but printable ASCII would need another character set than the image may have. */
void format_label(const char *name, uint32_t value, char out[static 65])
{
	if (name[0] == '\0') {
		snprintf(out, 65, "Label %u", value);
		return;
	}
	size_t i = 0;
	for (; name[i] != '\0' && i < 64; i++)
		out[i] = name[i] < ' ' || name[i] > '~' || name[i] == '\\' ? '?' : name[i];
	out[i] = '\0';
}

enum rs_code writer_file(struct writer *writer, const char *sop_class, struct rs_buffer *out,
                         struct rs_error *err)
{
	struct rs_dicom_builder *b = &writer->builder;
	enum rs_code code = b->failure.code != RS_OK
	                            ? rs_error_set(err, b->failure.code, "%s", b->failure.message)
	                            : rs_buffer_check(&b->body, "the object", err);
	if (code == RS_OK)
		code = rs_dicom_put_meta(sop_class, writer->instance_uid, "1.2.840.10008.1.2.1",
		                         RS_DICOM_IMPLEMENTATION_UID, out, err);
	if (code == RS_OK) {
		rs_buffer_append_bytes(out, rs_buffer_bytes(&b->body));
		code = rs_buffer_check(out, "the object", err);
	}
	rs_dicom_builder_finish(b);
	return code;
}
