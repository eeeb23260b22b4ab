/* Recognising what a file is; DICOM as it is. */
#include "wrap.h"

#include <stdio.h>
#include <string.h>

#include "dicom/dicom.h"
#include "dicomnet/dicomnet.h"
#include "made.h"

#define PIECE ((size_t)256 * 1024)
#define START_SIZE ((size_t)256)

void uid_of_digest(const struct rs_digest *digest, char out[static UID_TEXT])
{
	uint8_t number[16];
	char reversed[40];
	size_t digits = 0;
	memcpy(number, digest->bytes, sizeof number);
	for (bool left = true; left && digits < sizeof reversed;) {
		unsigned rest = 0;
		left = false;
		for (size_t i = 0; i < sizeof number; i++) {
			unsigned value = rest << 8 | number[i];
			number[i] = (uint8_t)(value / 10);
			rest = value % 10;
			left = left || number[i];
		}
		reversed[digits++] = (char)('0' + (int)rest);
	}
	size_t at = (size_t)snprintf(out, UID_TEXT, "2.25.");
	while (digits > 0)
		out[at++] = reversed[--digits];
	out[at] = '\0';
}

static enum rs_code read_exactly(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_IO, "the file became shorter while it was read");
}

static enum rs_code take_uid(char out[static UID_TEXT], struct rs_str uid, const char *name,
                             struct rs_error *err)
{
	if (!rs_dicom_uid_valid(uid))
		return rs_error_set(err, RS_MALFORMED, "it has no %s", name);
	memcpy(out, uid.data, uid.size);
	out[uid.size] = '\0';
	return RS_OK;
}

enum rs_code wrapped_begin(struct draft *draft, struct wrapped *wrapped, struct rs_error *err)
{
	struct rs_buffer meta RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&meta, 4096);
	RS_TRY(rs_dicom_put_meta(wrapped->sop_class, wrapped->sop_instance, wrapped->transfer_syntax,
	                         RS_DICOM_IMPLEMENTATION_UID, &meta, err));
	wrapped->data_offset = meta.size;
	return draft_write(draft, rs_buffer_bytes(&meta), err);
}

static enum rs_code copy_data_set(struct rs_file *file, uint64_t from, uint64_t size, struct draft *draft,
                                  struct wrapped *out, struct rs_error *err)
{
	uint8_t *piece RS_CLEANUP(rs_free_pointer) = rs_allocate(PIECE);
	struct rs_sha256 hash;
	if (!piece)
		return rs_error_memory(err, PIECE, "a piece of a file");
	rs_sha256_init(&hash);
	for (uint64_t at = from; at < size;) {
		size_t some = size - at < PIECE ? (size_t)(size - at) : PIECE;
		RS_TRY(read_exactly(file, at, piece, some, err));
		rs_sha256_update(&hash, piece, some);
		RS_TRY(draft_write(draft, rs_bytes_of(piece, some), err));
		at += some;
	}
	rs_sha256_final(&hash, &out->sha256);
	out->length = size - from;
	return RS_OK;
}

static enum rs_code wrap_dicom(struct rs_file *file, uint64_t size, struct draft *draft, struct wrapped *out,
                               struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {.count = 0};
	const struct rs_dicom_source source = {size, read_exactly, file};
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_scan(&source, &dicom, err));
	RS_TRY(rs_dicom_metadata(&dicom, &metadata, err));
	if (dicom.encoding == RS_DICOM_DEFLATED_LE)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "deflated DICOM is not taken; inflate it: dcmconv +te");
	RS_TRY(take_uid(out->study, metadata.study_instance_uid, "StudyInstanceUID", err));
	RS_TRY(take_uid(out->series, metadata.series_instance_uid, "SeriesInstanceUID", err));
	RS_TRY(take_uid(out->sop_class, metadata.sop_class_uid, "SOPClassUID", err));
	RS_TRY(take_uid(out->sop_instance, metadata.sop_instance_uid, "SOPInstanceUID", err));
	RS_TRY(take_uid(out->transfer_syntax, rs_str_from(dicom.transfer_syntax), "transfer syntax", err));
	uint64_t from = dicom.meta_count < dicom.count ? dicom.elements[dicom.meta_count].offset : size;
	RS_TRY(wrapped_begin(draft, out, err));
	return copy_data_set(file, from, size, draft, out, err);
}

static enum rs_code wrap_other(const struct rs_world *world, const struct rs_edge_options *options,
                               const char *path, uint64_t modified_ms, struct draft *draft,
                               struct wrapped *out, struct rs_error *err)
{
	struct rs_buffer original RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, ORIGINAL_MAX, &original, err));
	const struct making making = {world, options, path, modified_ms, rs_buffer_bytes(&original)};
	return make_dicom(&making, draft, out, err);
}

enum rs_code wrap_file(const struct rs_world *world, const struct rs_edge_options *options, const char *path,
                       uint64_t modified_ms, struct draft *draft, struct wrapped *out, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint8_t start[START_SIZE];
	uint64_t size;
	size_t got;
	RS_TRY(rs_file_open_to_read(world, path, SIZE_MAX, &file, &size, err));
	RS_TRY(rs_file_read_at(file, 0, start, sizeof start, &got, err));
	return rs_dicom_begins(rs_bytes_of(start, got))
	               ? wrap_dicom(file, size, draft, out, err)
	               : wrap_other(world, options, path, modified_ms, draft, out, err);
}
