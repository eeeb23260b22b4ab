/* WADO-RS: frames as bytes (PS3.18 section 10.4.1.1.4). */
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "codec/codec.h"
#include "dicom/dicom_transcode.h"
#include "frame_list.h"
#include "objects.h"
#include "parts.h"
#include "services.h"

#define FRAMES_MAX ((size_t)512 << 20) /* bytes of one answer */
#define OCTETS "application/octet-stream"

/* Media types of compressed frames (PS3.18 table 8.7.3-5). */
static const char *const stored_types[][2] = {
	{"1.2.840.10008.1.2.4.50", "image/jpeg"}, {"1.2.840.10008.1.2.4.51", "image/jpeg"},
	{"1.2.840.10008.1.2.4.57", "image/jpeg"}, {"1.2.840.10008.1.2.4.70", "image/jpeg"},
	{"1.2.840.10008.1.2.4.80", "image/jls"},  {"1.2.840.10008.1.2.4.81", "image/jls"},
	{"1.2.840.10008.1.2.4.90", "image/jp2"},  {"1.2.840.10008.1.2.4.91", "image/jp2"},
	{RS_CODEC_RLE, "image/dicom-rle"},
};

static const char *type_of(const char *syntax)
{
	for (size_t i = 0; i < RS_COUNT(stored_types); i++)
		if (strcmp(stored_types[i][0], syntax) == 0)
			return stored_types[i][1];
	return OCTETS;
}

static bool is_compressed(const char *syntax) { return strcmp(type_of(syntax), OCTETS) != 0; }

/* As it lies there, or decoded: samples in little endian. */
static enum rs_code put_frame(const struct rs_dicom *dicom, size_t frame, bool as_stored,
                              struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer joined RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom_frame decoded RS_CLEANUP(rs_dicom_frame_finish) = {.size = 0};
	struct rs_bytes bytes;
	if (as_stored) {
		RS_TRY(rs_dicom_frame_stored(dicom, frame, &joined, &bytes, err));
	} else {
		RS_TRY(rs_dicom_frame_read(dicom, frame, &decoded, err));
		bytes = rs_bytes_of(decoded.pixels, decoded.size);
	}
	rs_buffer_append_bytes(out, bytes);
	return rs_buffer_check(out, "the frames", err);
}

/* What is wrong with an object is not wrong with the request. */
static enum rs_code of_object(struct request *request, enum rs_code code)
{
	if (code == RS_MALFORMED)
		request->status = 415;
	return code;
}

bool next_frame(struct rs_str *list, uint64_t *out, struct rs_error *err, enum rs_code *code)
{
	struct rs_str one;
	if (!rs_str_split(list, ',', &one))
		return false;
	*code = rs_parse_u64(one, out) && *out >= 1 && *out <= UINT32_MAX
	                ? RS_OK
	                : rs_error_set(err, RS_USAGE, "frames are numbers from 1, parted by commas");
	return *code == RS_OK;
}

static enum rs_code put_frames(struct request *request, const struct loaded *loaded, const char *syntax,
                               bool as_stored, struct rs_error *err)
{
	const char *type = as_stored ? type_of(syntax) : OCTETS;
	char boundary[BOUNDARY_SIZE], text[PART_HEAD_SIZE];
	struct rs_str list = request->values[3];
	enum rs_code code = RS_OK;
	uint64_t number;
	RS_TRY(boundary_make(boundary, err));
	boundary_media(request, boundary, type);
	request->body.maximum = FRAMES_MAX;
	while (next_frame(&list, &number, err, &code)) {
		rs_buffer_append(
			&request->body, text,
			boundary_begin(boundary, type, as_stored ? syntax : RS_DICOM_SYNTAX_EXPLICIT, text));
		RS_TRY(of_object(request, put_frame(&loaded->dicom, (size_t)number - 1, as_stored,
		                                    &request->body, err)));
	}
	RS_TRY(code);
	rs_buffer_append(&request->body, text, boundary_end(boundary, text));
	return rs_buffer_check(&request->body, "the frames", err);
}

static enum rs_code frames(struct request *request, struct rs_error *err)
{
	struct picked_list list RS_CLEANUP(picked_finish) = {.count = 0};
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	struct accepted accepted;
	RS_TRY(picked_of_request(request, NULL, &list, err));
	const char *syntax = list.items[0].syntax;
	const bool compressed = is_compressed(syntax);
	const struct offer offers[] = {{"multipart/related", OCTETS}, {"multipart/related", type_of(syntax)}};
	RS_TRY(accept_choose(request, offers, compressed ? 2 : 1, &accepted, err));
	RS_TRY(loaded_init(request->web, &list.items[0], &loaded, err));
	request_put_header(request, "Cache-Control", "private, no-cache");
	return put_frames(request, &loaded, syntax,
	                  compressed && (accepted.offer == 1 || accepted.is_any ||
	                                 strcmp(accepted.syntax, syntax) == 0),
	                  err);
}

#define INSTANCE "/studies/{uid}/series/{uid}/instances/{uid}"
const struct route routes_pixels[] = {
	{"GET", INSTANCE "/frames/{list}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, frames, NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
