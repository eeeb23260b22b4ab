/* WADO-RS: frames as bytes, and pictures to be looked at (PS3.18 sections 10.4.1.1.3 and 10.4.1.1.4). */
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "codec/codec.h"
#include "dicom/dicom_transcode.h"
#include "image/image_render.h"
#include "objects.h"
#include "parts.h"
#include "services.h"

#define FRAMES_MAX ((size_t)512 << 20) /* bytes of one answer */
#define OCTETS "application/octet-stream"
#define THUMBNAIL_SIDE 128
#define SIDE_MAX 8192

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

static bool next_frame(struct rs_str *list, uint64_t *out, struct rs_error *err, enum rs_code *code)
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

/* Numbers parted by commas; false when there is another count of them, or one is none. */
static bool read_numbers(struct rs_str text, size_t count, double *out)
{
	struct rs_str one;
	size_t i = 0;
	for (; i < count && rs_str_split(&text, ',', &one); i++)
		if (!rs_parse_f64(one, &out[i]) || !(out[i] >= -1e9 && out[i] <= 1e9))
			return false;
	return i == count && text.data == NULL;
}

/* "centre,width,function" (PS3.18 section 8.3.5.1.4). */
static enum rs_code read_window(struct rs_str text, struct rs_window *out, struct rs_error *err)
{
	static const char *const functions[] = {"linear", "linear-exact", "sigmoid"};
	struct rs_str centre, width;
	if (rs_str_split(&text, ',', &centre) && rs_str_split(&text, ',', &width) &&
	    rs_parse_f64(centre, &out->centre) && rs_parse_f64(width, &out->width)) {
		for (size_t i = 0; i < RS_COUNT(functions); i++)
			if (rs_str_equal_text(text, functions[i]) || (i == 0 && text.size == 0)) {
				out->function = (enum rs_window_function)i;
				return RS_OK;
			}
	}
	return rs_error_set(err, RS_USAGE,
	                    "a window is CENTRE,WIDTH,FUNCTION with linear, linear-exact or sigmoid");
}

/* "width,height", and "sx,sy,sw,sh" of the frame that is shown (section 8.3.5.1.3). */
static enum rs_code read_viewport(struct rs_str text, struct rs_rendering *out, struct rs_error *err)
{
	double all[6] = {0};
	if (!read_numbers(text, 6, all) && !read_numbers(text, 2, all))
		return rs_error_set(err, RS_USAGE,
		                    "a viewport is WIDTH,HEIGHT or WIDTH,HEIGHT,LEFT,TOP,WIDTH,HEIGHT");
	for (size_t i = 0; i < RS_COUNT(all); i++)
		if (all[i] < 0 || all[i] > 65535)
			return rs_error_set(err, RS_USAGE,
			                    "a viewport lies within the frame, and is not turned");
	out->fit_width = all[0] > SIDE_MAX ? SIDE_MAX : (size_t)all[0];
	out->fit_height = all[1] > SIDE_MAX ? SIDE_MAX : (size_t)all[1];
	out->left = (size_t)all[2];
	out->top = (size_t)all[3];
	out->width = (size_t)all[4];
	out->height = (size_t)all[5];
	return RS_OK;
}

static enum rs_code read_rendering(const struct request *request, struct rs_window *window,
                                   struct rs_rendering *out, struct rs_error *err)
{
	struct rs_str text;
	uint64_t quality;
	if (target_query(&request->target, "window", &text)) {
		RS_TRY(read_window(text, window, err));
		out->window = window;
	}
	if (target_query(&request->target, "viewport", &text))
		RS_TRY(read_viewport(text, out, err));
	if (target_query(&request->target, "quality", &text)) {
		if (!rs_parse_u64(text, &quality) || quality < 1 || quality > 100)
			return rs_error_set(err, RS_USAGE, "a quality is 1 to 100");
		out->quality = (unsigned)quality;
	}
	return RS_OK;
}

static enum rs_code render(struct request *request, struct rs_rendering *how, struct rs_error *err)
{
	static const struct offer offers[] = {{"image/jpeg", NULL}, {"image/png", NULL}};
	struct picked_list list RS_CLEANUP(picked_finish) = {.count = 0};
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	struct accepted accepted;
	struct rs_window window;
	RS_TRY(accept_choose(request, offers, RS_COUNT(offers), &accepted, err));
	RS_TRY(read_rendering(request, &window, how, err));
	RS_TRY(picked_of_request(request, NULL, &list, err));
	RS_TRY(loaded_init(request->web, &list.items[0], &loaded, err));
	how->as_jpeg = accepted.offer == 0;
	snprintf(request->media, sizeof request->media, "%s", offers[accepted.offer].name);
	request_put_header(request, "Cache-Control", "private, no-cache");
	return of_object(request, rs_render(&loaded.dicom, how, &request->body, err));
}

static enum rs_code rendered(struct request *request, struct rs_error *err)
{
	struct rs_rendering how = {.frame = 0};
	struct rs_str list = request->values[3];
	enum rs_code code = RS_OK;
	uint64_t number = 1;
	(void)next_frame(&list, &number, err, &code);
	RS_TRY(code);
	how.frame = (size_t)number - 1;
	return render(request, &how, err);
}

static enum rs_code thumbnail(struct request *request, struct rs_error *err)
{
	struct rs_rendering how = {.fit_width = THUMBNAIL_SIDE, .fit_height = THUMBNAIL_SIDE};
	return render(request, &how, err);
}

#define INSTANCE "/studies/{uid}/series/{uid}/instances/{uid}"
#define GET_OF(path, answer)                                                  \
	{                                                                     \
		"GET", path, RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, answer, NULL \
	}
const struct route routes_pixels[] = {
	GET_OF(INSTANCE "/frames/{list}", frames),
	GET_OF(INSTANCE "/frames/{list}/rendered", rendered),
	GET_OF(INSTANCE "/rendered", rendered),
	GET_OF(INSTANCE "/thumbnail", thumbnail),
	GET_OF("/studies/{uid}/series/{uid}/thumbnail", thumbnail),
	GET_OF("/studies/{uid}/thumbnail", thumbnail),
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
