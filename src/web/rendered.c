/* Pictures to be looked at: of one frame, and of all that a study or series has (PS3.18 section 10.4.1.1.3); thumbnails. */
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "frame_list.h"
#include "image/image_render.h"
#include "objects.h"
#include "parts.h"
#include "services.h"

#define THUMBNAIL_SIDE 128
#define SIDE_MAX 8192
#define PICTURE_MAX ((size_t)256 << 20)

/* What is wrong with an object is not wrong with the request. */
static enum rs_code of_object(struct request *request, enum rs_code code)
{
	if (code == RS_MALFORMED)
		request->status = 415;
	return code;
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

static enum rs_code frame_of(const struct request *request, struct rs_rendering *how, struct rs_error *err)
{
	struct rs_str list = request->values[3];
	enum rs_code code = RS_OK;
	uint64_t number = 1;
	(void)next_frame(&list, &number, err, &code);
	how->frame = (size_t)number - 1;
	return code;
}

static enum rs_code rendered(struct request *request, struct rs_error *err)
{
	struct rs_rendering how = {.frame = 0};
	RS_TRY(frame_of(request, &how, err));
	return render(request, &how, err);
}

static enum rs_code thumbnail(struct request *request, struct rs_error *err)
{
	struct rs_rendering how = {.fit_width = THUMBNAIL_SIDE, .fit_height = THUMBNAIL_SIDE};
	RS_TRY(frame_of(request, &how, err));
	return render(request, &how, err);
}

/* All frames of all instances, a part each, made while they are sent. What has no pixels is left out. */
struct gallery {
	struct rs_web *web;
	struct picked_list list;
	struct rs_window window;
	struct rs_rendering how;
	const char *type;
	char boundary[BOUNDARY_SIZE];
};

static void gallery_free(void *context)
{
	struct gallery *gallery = context;
	picked_finish(&gallery->list);
	rs_free(gallery);
}

static enum rs_code put_picture(struct gallery *gallery, const struct rs_dicom *dicom, struct flow *flow,
                                bool *out_none, struct rs_error *err)
{
	struct rs_buffer picture RS_CLEANUP(rs_buffer_finish) = {0};
	char head[PART_HEAD_SIZE];
	rs_buffer_init(&picture, PICTURE_MAX);
	enum rs_code code = rs_render(dicom, &gallery->how, &picture, err);
	*out_none = code == RS_NOT_FOUND || code == RS_UNSUPPORTED || code == RS_MALFORMED;
	if (*out_none)
		return RS_OK;
	RS_TRY(code);
	RS_TRY(flow_put(flow, rs_bytes_of(head, boundary_begin(gallery->boundary, gallery->type, "", head)),
	                err));
	return flow_put(flow, rs_buffer_bytes(&picture), err);
}

static enum rs_code put_instance(struct gallery *gallery, const struct picked *picked, struct flow *flow,
                                 struct rs_error *err)
{
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	struct rs_dicom_metadata metadata;
	bool none = false;
	RS_TRY(loaded_init(gallery->web, picked, &loaded, err));
	if (rs_dicom_metadata(&loaded.dicom, &metadata, NULL) != RS_OK)
		return RS_OK;
	for (gallery->how.frame = 0; !none && gallery->how.frame < metadata.number_of_frames;
	     gallery->how.frame++)
		RS_TRY(put_picture(gallery, &loaded.dicom, flow, &none, err));
	return RS_OK;
}

static enum rs_code produce(void *context, struct flow *flow, struct rs_error *err)
{
	struct gallery *gallery = context;
	char end[PART_HEAD_SIZE];
	for (size_t i = 0; i < gallery->list.count; i++)
		RS_TRY(put_instance(gallery, &gallery->list.items[i], flow, err));
	return flow_put(flow, rs_bytes_of(end, boundary_end(gallery->boundary, end)), err);
}

/* As long as nothing is sent, a status can say that nothing of it is a picture. */
static enum rs_code check_pictures(struct request *request, struct gallery *gallery, struct rs_error *err)
{
	for (size_t i = 0; i < gallery->list.count; i++) {
		struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
		struct rs_buffer picture RS_CLEANUP(rs_buffer_finish) = {0};
		rs_buffer_init(&picture, PICTURE_MAX);
		RS_TRY(loaded_init(gallery->web, &gallery->list.items[i], &loaded, err));
		gallery->how.frame = 0;
		enum rs_code code = rs_render(&loaded.dicom, &gallery->how, &picture, err);
		if (code != RS_NOT_FOUND && code != RS_UNSUPPORTED && code != RS_MALFORMED)
			return code;
	}
	request->status = 406;
	return rs_error_set(err, RS_UNSUPPORTED, "nothing of it is a picture");
}

static enum rs_code prepare(struct request *request, struct gallery *gallery, struct rs_error *err)
{
	static const struct offer offers[] = {{"multipart/related", "image/jpeg"},
	                                      {"multipart/related", "image/png"}};
	struct accepted accepted;
	RS_TRY(accept_choose(request, offers, RS_COUNT(offers), &accepted, err));
	gallery->type = offers[accepted.offer].type;
	gallery->how.as_jpeg = accepted.offer == 0;
	RS_TRY(read_rendering(request, &gallery->window, &gallery->how, err));
	RS_TRY(boundary_make(gallery->boundary, err));
	boundary_media(request, gallery->boundary, gallery->type);
	request_put_header(request, "Cache-Control", "private, no-cache");
	RS_TRY(picked_of_request(request, NULL, &gallery->list, err));
	return check_pictures(request, gallery, err);
}

static enum rs_code rendered_all(struct request *request, struct rs_error *err)
{
	struct gallery *gallery = rs_allocate(sizeof *gallery);
	if (!gallery)
		return rs_error_memory(err, sizeof *gallery, "a request");
	gallery->web = request->web;
	enum rs_code code = prepare(request, gallery, err);
	if (code != RS_OK) {
		gallery_free(gallery);
		return code;
	}
	return flow_create(NO_SIZE, produce, gallery, gallery_free, &request->stream, err);
}

#define INSTANCE "/studies/{uid}/series/{uid}/instances/{uid}"
#define GET_OF(path, answer)                                                  \
	{                                                                     \
		"GET", path, RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, answer, NULL \
	}
const struct route routes_rendered[] = {
	GET_OF(INSTANCE "/frames/{list}/rendered", rendered),
	GET_OF(INSTANCE "/rendered", rendered),
	GET_OF("/studies/{uid}/series/{uid}/rendered", rendered_all),
	GET_OF("/studies/{uid}/rendered", rendered_all),
	GET_OF(INSTANCE "/frames/{list}/thumbnail", thumbnail),
	GET_OF(INSTANCE "/thumbnail", thumbnail),
	GET_OF("/studies/{uid}/series/{uid}/thumbnail", thumbnail),
	GET_OF("/studies/{uid}/thumbnail", thumbnail),
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
