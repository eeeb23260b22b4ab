/* Elements that every file of a cohort has, in one way of writing or the other. */
#include "elements.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "dicomnet/dicomnet.h"

static const char *const makers[] = {"radseal simulation (SIEMENS-like)", "radseal simulation (GE-like)",
                                     "radseal simulation (Philips-like)", "radseal simulation (Canon-like)"};

const char *maker_name(const struct scanner *scanner) { return makers[scanner->maker]; }

void instance_uid(uint64_t seed, const char *name, char out[static 65])
{
	char text[160];
	struct rs_digest digest;
	snprintf(text, sizeof text, "radseal simulation/%016llx/%s", (unsigned long long)seed, name);
	rs_sha256(rs_bytes_of_str(rs_str_from(text)), &digest);
	rs_dicom_uid_of(digest.bytes, out);
}

void instance_time(uint64_t time_ms, char date[static 9], char time[static 16])
{
	char text[RS_TIME_TEXT_SIZE]; /* 2026-11-21T03:04:05.678Z */
	rs_format_time_ms(time_ms, text);
	snprintf(date, 9, "%.4s%.2s%.2s", text, text + 5, text + 8);
	snprintf(time, 16, "%.2s%.2s%.6s", text + 11, text + 14, text + 17);
}

enum rs_code instance_put(const struct rs_world *world, const char *path, struct rs_bytes content,
                          struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	RS_TRY(world->files->open(world->files, path, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE,
	                          0644, &file, err));
	return rs_file_write_at(file, 0, content.data, content.size, err);
}

void naming_init(struct naming *n, const struct instance_writer *writer, const struct image *image,
                 const char *instance)
{
	const uint64_t seed = writer->options->seed, study_ms = writer->patient->study_ms;
	const char *way = writer->series ? "/enhanced" : "", *id = writer->patient->id;
	char name[112], date[9];
	snprintf(name, sizeof name, "%s%s/study", id, way);
	instance_uid(seed, name, n->study_uid);
	snprintf(name, sizeof name, "%s%s/frame", id, way);
	instance_uid(seed, name, n->frame_uid);
	snprintf(name, sizeof name, "%s%s/%u", id, way, image->series);
	instance_uid(seed, name, n->series_uid);
	snprintf(name, sizeof name, "%s%s/%u/%s", id, way, image->series, instance);
	instance_uid(seed, name, n->instance_uid);
	instance_time(study_ms, date, n->study_time);
	instance_time(study_ms + (uint64_t)(1000 * image->start_s), n->date, n->time);
}

void element_numbers(struct rs_dicom_builder *b, uint32_t tag, const char *vr, const double *values,
                     size_t count)
{
	char line[6 * 18] = "";
	size_t used = 0;
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(line + used, sizeof line - used, "%s%.8g", i ? "\\" : "", values[i]);
	rs_dicom_builder_text(b, tag, vr, line);
}

void element_number(struct rs_dicom_builder *b, uint32_t tag, const char *vr, double value)
{
	element_numbers(b, tag, vr, &value, 1);
}

void element_double(struct rs_dicom_builder *b, uint32_t tag, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	rs_write_le64(bytes, bits);
	rs_dicom_builder_bytes(b, tag, "FD", rs_bytes_of(bytes, sizeof bytes));
}

void element_patient(struct rs_dicom_builder *b, const struct patient *p)
{
	char line[64];
	snprintf(line, sizeof line, "SYNTHETIC^%s", p->id);
	rs_dicom_builder_text(b, TAG(0010, 0010), "PN", line);
	rs_dicom_builder_text(b, TAG(0010, 0020), "LO", p->id);
	snprintf(line, sizeof line, "%u0101", 2023 - p->age);
	rs_dicom_builder_text(b, TAG(0010, 0030), "DA", line);
	rs_dicom_builder_text(b, TAG(0010, 0040), "CS", p->male ? "M" : "F");
	snprintf(line, sizeof line, "%03uY", p->age);
	rs_dicom_builder_text(b, TAG(0010, 1010), "AS", line);
	element_number(b, TAG(0010, 1030), "DS", floor(p->weight_kg));
	rs_dicom_builder_text(b, TAG(0010, 4000), "LT", SYNTHETIC);
}

enum rs_code element_file(const struct instance_writer *writer, struct rs_dicom_builder *b, const char *path,
                          const char *sop_class, const char *instance_uid, size_t maximum,
                          struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&file, maximum);
	if (b->failure.code != RS_OK)
		return rs_error_set(err, b->failure.code, "%s", b->failure.message);
	RS_TRY(rs_buffer_check(&b->body, "a file", err));
	RS_TRY(rs_dicom_put_meta(sop_class, instance_uid, EXPLICIT_LITTLE_ENDIAN, RS_DICOM_IMPLEMENTATION_UID,
	                         &file, err));
	rs_buffer_append_bytes(&file, rs_buffer_bytes(&b->body));
	RS_TRY(rs_buffer_check(&file, "a file", err));
	return instance_put(writer->world, path, rs_buffer_bytes(&file), err);
}
