/* Data sets from one transfer syntax to another: element by element through the builder, pixel data frame by frame. */
#include "dicom/dicom_transcode.h"

#include <string.h>

#include "dicom/dicom_private.h"

#define PIXELS_MAX ((size_t)UINT32_MAX - 1) /* of an element */

bool rs_dicom_writes(const char *transfer_syntax)
{
	return strcmp(transfer_syntax, RS_DICOM_SYNTAX_IMPLICIT) == 0 ||
	       strcmp(transfer_syntax, RS_DICOM_SYNTAX_EXPLICIT) == 0 || rs_codec_encodes(transfer_syntax);
}

bool rs_dicom_reads(const char *transfer_syntax)
{
	static const char *const native[] = {RS_DICOM_SYNTAX_IMPLICIT, RS_DICOM_SYNTAX_EXPLICIT,
	                                     "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"};
	for (size_t i = 0; i < RS_COUNT(native); i++)
		if (strcmp(native[i], transfer_syntax) == 0)
			return true;
	return rs_codec_decodes(transfer_syntax);
}

struct transcoding {
	const struct rs_dicom *in;
	const char *transfer_syntax;
	struct rs_dicom_builder builder;
	/* Pixel data that are not taken over: the frames one behind the other, and where each begins. */
	bool remade;
	struct rs_buffer frames;
	size_t *begins; /* owned; one more than there are frames */
	size_t frame_count;
	struct rs_dicom_frame description; /* of the last frame, without its pixels */
};

/* ---- values ---- */

/* Bytes of the numbers that a value is made of; 1: none. */
static size_t width_of(const char *vr)
{
	static const struct {
		const char *vrs;
		size_t width;
	} widths[] = {{"US SS OW AT", 2}, {"UL SL FL OF OL", 4}, {"FD OD OV SV UV", 8}};
	for (size_t i = 0; i < RS_COUNT(widths); i++)
		if (strstr(widths[i].vrs, vr) != NULL)
			return widths[i].width;
	return 1;
}

static void put_value(struct transcoding *t, const struct rs_dicom_element *e)
{
	struct rs_buffer swapped RS_CLEANUP(rs_buffer_finish) = {0};
	const char *vr = e->vr[0] == ' ' ? rs_dicom_meant_vr(e) : e->vr;
	const size_t width = e->encoding == RS_DICOM_EXPLICIT_BE ? width_of(vr) : 1;
	struct rs_bytes value = e->value;
	if (width > 1) {
		rs_buffer_init(&swapped, value.size);
		rs_buffer_append_bytes(&swapped, value);
		for (size_t i = 0; i < swapped.size / width * width; i++)
			swapped.data[i] = value.data[i / width * width + (width - 1 - i % width)];
		value = rs_buffer_bytes(&swapped);
	}
	/* What was implicit may be longer than its VR allows where that is told (PS3.5 section 6.2.2). */
	const bool fits = value.size < UINT16_MAX || !rs_dicom_vr_is_short(vr);
	rs_dicom_builder_bytes(&t->builder, e->tag, fits ? vr : "UN", value);
}

/* Sequences in items in sequences: the parser bounds the depth. */
static enum rs_code put_element(struct transcoding *t, const struct rs_dicom_element *e, struct rs_error *err)
{
	if ((e->tag & 0xFFFF) == 0) /* a group length is none any more */
		return RS_OK;
	if (!e->has_children) {
		put_value(t, e);
		return RS_OK;
	}
	if (e->tag == RS_DICOM_PIXEL_DATA)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "an icon at byte %llu is compressed, which is not converted",
		                    (unsigned long long)e->offset);
	rs_dicom_builder_begin(&t->builder, e->tag);
	const size_t index = (size_t)(e - t->in->elements);
	for (size_t i = index + 1; i < e->next; i = t->in->elements[i].next) {
		rs_dicom_builder_begin(&t->builder, RS_DICOM_ITEM);
		for (size_t k = i + 1; k < t->in->elements[i].next; k = t->in->elements[k].next)
			RS_TRY(put_element(t, &t->in->elements[k], err));
		rs_dicom_builder_end(&t->builder);
	}
	rs_dicom_builder_end(&t->builder);
	return RS_OK;
}

/* ---- pixels ---- */

static enum rs_code encode(struct transcoding *t, const struct rs_dicom_frame *frame, struct rs_error *err)
{
	if (strcmp(t->transfer_syntax, RS_CODEC_RLE) != 0 && frame->high_bit + 1 != frame->shape.bits_stored)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "HighBit %u with BitsStored %u is compressed by RLE alone",
		                    frame->high_bit, frame->shape.bits_stored);
	RS_TRY(rs_codec_encode(t->transfer_syntax, &frame->shape, rs_bytes_of(frame->pixels, frame->size), 0,
	                       &t->frames, err));
	if (t->frames.size % 2 != 0) /* a fragment is even */
		rs_buffer_append_u8(&t->frames, 0);
	return rs_buffer_check(&t->frames, "the pixel data", err);
}

static enum rs_code remake_frames(struct transcoding *t, size_t count, struct rs_error *err)
{
	const bool encodes = rs_codec_encodes(t->transfer_syntax);
	t->begins = rs_allocate_array(count + 1, sizeof *t->begins);
	if (t->begins == NULL)
		return rs_error_memory(err, count, "a list of frames");
	rs_buffer_init(&t->frames, PIXELS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct rs_dicom_frame frame RS_CLEANUP(rs_dicom_frame_finish) = {0};
		RS_TRY(rs_dicom_frame_read(t->in, i, &frame, err));
		if (!encodes && frame.shape.bits_allocated == 1 && count > 1 &&
		    (size_t)frame.shape.rows * frame.shape.columns * frame.shape.samples % 8 != 0)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "frames of single bits that end within a byte are not unpacked");
		if (encodes)
			RS_TRY(encode(t, &frame, err));
		else
			rs_buffer_append(&t->frames, frame.pixels, frame.size);
		t->begins[++t->frame_count] = t->frames.size;
		t->description = frame;
		t->description.pixels = NULL;
	}
	return rs_buffer_check(&t->frames, "the pixel data", err);
}

/* Whether pixel data change, and if so, what becomes of them. */
static enum rs_code remake(struct transcoding *t, struct rs_error *err)
{
	const struct rs_dicom_element *pixels = rs_dicom_find(t->in, NULL, RS_DICOM_PIXEL_DATA);
	struct rs_dicom_metadata m = {0};
	if (pixels == NULL)
		return RS_OK;
	RS_TRY(rs_dicom_pixel_description(t->in, &m, err));
	/* Words of OW have 16 bits, pixels of more are turned as a whole (PS3.5 section 7.3). */
	const bool turned = pixels->encoding == RS_DICOM_EXPLICIT_BE && m.bits_allocated > 16;
	if (!pixels->has_children && !rs_codec_encodes(t->transfer_syntax) && !turned)
		return RS_OK;
	/* A file of a few bytes may say that it has billions of frames; each has a fragment, or bytes of its own. */
	if (m.number_of_frames == 0 || m.number_of_frames > pixels->value.size)
		return rs_error_set(err, RS_MALFORMED, "%zu bytes of pixel data cannot hold %u frames",
		                    pixels->value.size, m.number_of_frames);
	t->remade = true;
	return remake_frames(t, m.number_of_frames, err);
}

static void put_fragment(struct rs_buffer *out, struct rs_bytes bytes)
{
	const struct rs_dicom_element item = {
		.tag = RS_DICOM_ITEM, .length = (uint32_t)bytes.size, .encoding = RS_DICOM_EXPLICIT_LE};
	rs_dicom_put_header(out, &item);
	rs_buffer_append_bytes(out, bytes);
}

/* A fragment for each frame, behind a basic offset table (PS3.5 section A.4). */
static void put_encapsulated(struct transcoding *t)
{
	struct rs_buffer *out = &t->builder.body;
	struct rs_buffer table RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_dicom_element header = {.tag = RS_DICOM_PIXEL_DATA,
	                                        .vr = "OB",
	                                        .length = RS_DICOM_UNDEFINED,
	                                        .encoding = RS_DICOM_EXPLICIT_LE};
	const struct rs_dicom_element end = {.tag = DELIMITER_SEQUENCE, .encoding = RS_DICOM_EXPLICIT_LE};
	rs_buffer_init(&table, 4 * t->frame_count);
	for (size_t i = 0; i < t->frame_count; i++) {
		uint8_t offset[4];
		rs_write_le32(offset, (uint32_t)(t->begins[i] + 8 * i));
		rs_buffer_append(&table, offset, sizeof offset);
	}
	rs_dicom_put_header(out, &header);
	put_fragment(out, rs_buffer_bytes(&table));
	for (size_t i = 0; i < t->frame_count; i++)
		put_fragment(out,
		             rs_bytes_of(t->frames.data + t->begins[i], t->begins[i + 1] - t->begins[i]));
	rs_dicom_put_header(out, &end);
}

/* What the pixels are called now. JPEG 2000 makes luminance and differences of red, green and blue (PS3.5 section 8.2.4). */
static const char *photometric_of(const struct transcoding *t, char out[static 17])
{
	const struct rs_str now = t->description.photometric_interpretation;
	if (rs_codec_encodes(t->transfer_syntax) && rs_str_equal_text(now, "RGB") &&
	    strcmp(t->transfer_syntax, "1.2.840.10008.1.2.4.90") == 0)
		return "YBR_RCT";
	const size_t size = now.size < 16 ? now.size : 16; /* a CS has no more */
	memcpy(out, now.data, size);
	out[size] = '\0';
	return out;
}

/* An element of the top level whose value the new pixels decide; false: it is taken over. */
static bool put_description(struct transcoding *t, uint32_t tag)
{
	char photometric[17];
	if (!t->remade)
		return false;
	switch (tag) {
	case RS_DICOM_TAG(0x0028, 0x0004):
		rs_dicom_builder_text(&t->builder, tag, "CS", photometric_of(t, photometric));
		return true;
	case RS_DICOM_TAG(0x0028, 0x0006): rs_dicom_builder_u16(&t->builder, tag, 0); return true;
	case RS_DICOM_TAG(0x0028, 0x0101):
		rs_dicom_builder_u16(&t->builder, tag, (uint16_t)t->description.shape.bits_stored);
		return true;
	case RS_DICOM_TAG(0x0028, 0x0102):
		rs_dicom_builder_u16(&t->builder, tag, (uint16_t)t->description.high_bit);
		return true;
	case RS_DICOM_TAG(0x7FE0, 0x0001): /* offsets and lengths of the fragments that were */
	case RS_DICOM_TAG(0x7FE0, 0x0002): return true;
	default: return false;
	}
}

static enum rs_code put_all(struct transcoding *t, struct rs_error *err)
{
	for (size_t i = t->in->meta_count; i < t->in->count; i = t->in->elements[i].next) {
		const struct rs_dicom_element *e = &t->in->elements[i];
		if (put_description(t, e->tag))
			continue;
		if (e->tag != RS_DICOM_PIXEL_DATA || !t->remade)
			RS_TRY(put_element(t, e, err));
		else if (rs_codec_encodes(t->transfer_syntax))
			put_encapsulated(t);
		else
			rs_dicom_builder_bytes(&t->builder, e->tag,
			                       t->description.shape.bits_allocated > 8 ? "OW" : "OB",
			                       rs_buffer_bytes(&t->frames));
	}
	if (t->builder.failure.code != RS_OK)
		return rs_error_set(err, t->builder.failure.code, "%s", t->builder.failure.message);
	return rs_buffer_check(&t->builder.body, "the data set", err);
}

static enum rs_code put_file(struct transcoding *t, const char *implementation_uid, struct rs_buffer *out,
                             struct rs_error *err)
{
	static const uint32_t tags[] = {RS_DICOM_TAG(0x0008, 0x0016), RS_DICOM_TAG(0x0008, 0x0018)};
	char uids[2][65];
	for (size_t i = 0; i < 2; i++) {
		const struct rs_str uid = rs_dicom_text(rs_dicom_find(t->in, NULL, tags[i]), 0);
		if (uid.size >= sizeof uids[i])
			return rs_error_set(err, RS_MALFORMED, "a UID of %zu characters", uid.size);
		memcpy(uids[i], uid.data, uid.size);
		uids[i][uid.size] = '\0';
	}
	RS_TRY(rs_dicom_put_meta(uids[0], uids[1], t->transfer_syntax, implementation_uid, out, err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&t->builder.body));
	return rs_buffer_check(out, "the DICOM file", err);
}

enum rs_code rs_dicom_transcode(const struct rs_dicom *dicom, const char *transfer_syntax,
                                const char *implementation_uid, struct rs_buffer *out, struct rs_error *err)
{
	struct transcoding t = {.in = dicom, .transfer_syntax = transfer_syntax};
	if (!rs_dicom_writes(transfer_syntax))
		return rs_error_set(err, RS_UNSUPPORTED, "transfer syntax %s is not written here",
		                    transfer_syntax);
	rs_dicom_builder_init(&t.builder,
	                      strcmp(transfer_syntax, RS_DICOM_SYNTAX_IMPLICIT) == 0 ? RS_DICOM_IMPLICIT_LE
	                                                                             : RS_DICOM_EXPLICIT_LE,
	                      out->maximum);
	enum rs_code code = remake(&t, err);
	if (code == RS_OK)
		code = put_all(&t, err);
	if (code == RS_OK)
		code = put_file(&t, implementation_uid, out, err);
	rs_dicom_builder_finish(&t.builder);
	rs_buffer_finish(&t.frames);
	rs_free(t.begins);
	return code;
}
