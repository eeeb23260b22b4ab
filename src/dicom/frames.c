/* Frames of Pixel Data: which fragments make one (PS3.5 section A.4), and what they decode to. */
#include <string.h>

#include "dicom/dicom_private.h"

#define EXTENDED_OFFSETS RS_DICOM_TAG(0x7FE0, 0x0001)

/* Fragments lie side by side in the list of elements, behind the basic offset table. */
struct fragments {
	const struct rs_dicom_element *table, *first;
	size_t count;
};

static enum rs_code fragments_of(const struct rs_dicom *d, const struct rs_dicom_element *e,
                                 struct fragments *out, struct rs_error *err)
{
	const size_t index = (size_t)(e - d->elements);
	if (e->next < index + 3)
		return rs_error_set(err, RS_MALFORMED, "pixel data at byte %llu has no fragment",
		                    (unsigned long long)e->offset);
	*out = (struct fragments){e + 1, e + 2, e->next - index - 2};
	return RS_OK;
}

/* The fragment that begins `offset` bytes behind the first one; the count when there is none. */
static size_t at_offset(const struct fragments *fragments, uint64_t offset)
{
	size_t low = 0, high = fragments->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (fragments->first[middle].offset - fragments->first->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < fragments->count && fragments->first[low].offset - fragments->first->offset == offset
	               ? low
	               : fragments->count;
}

/* Offsets of a table go up from 0. */
static bool by_table(const struct fragments *fragments, struct rs_bytes table, size_t width, size_t frames,
                     size_t frame, size_t *first, size_t *end)
{
	uint64_t offsets[3] = {0, 0, UINT64_MAX}; /* of the frame before, this, the next */
	size_t size;
	if (!rs_mul_size(frames, width, &size) || table.size != size)
		return false;
	for (size_t i = frame == 0 ? 1 : 0; i < 3 && frame + i <= frames; i++) {
		const uint8_t *p = table.data + (frame + i - 1) * width;
		offsets[i] = width == 8 ? rs_read_le64(p) : rs_read_le32(p);
	}
	if (frame == 0 ? offsets[1] != 0 : offsets[1] <= offsets[0])
		return false;
	*first = at_offset(fragments, offsets[1]);
	*end = at_offset(fragments, offsets[2]);
	return *first < *end && (frame + 1 == frames || *end < fragments->count);
}

/* Streams begin with FF D8 (JPEG, JPEG-LS) or FF 4F (JPEG 2000). */
static bool begins_stream(struct rs_bytes fragment)
{
	return fragment.size > 2 && fragment.data[0] == 0xFF &&
	       (fragment.data[1] == 0xD8 || fragment.data[1] == 0x4F) && fragment.data[2] == 0xFF;
}

static bool by_beginnings(const struct fragments *fragments, size_t frames, size_t frame, size_t *first,
                          size_t *end)
{
	size_t begun = 0;
	*end = fragments->count;
	for (size_t i = 0; i < fragments->count; i++) {
		if (!begins_stream(fragments->first[i].value))
			continue;
		if (begun == frame)
			*first = i;
		if (begun == frame + 1)
			*end = i;
		begun++;
	}
	return begun == frames;
}

static enum rs_code find(const struct rs_dicom *d, const struct rs_dicom_element *e,
                         const struct fragments *fragments, size_t frames, size_t frame, size_t *first,
                         size_t *end, struct rs_error *err)
{
	const struct rs_dicom_element *extended = rs_dicom_find(d, NULL, EXTENDED_OFFSETS);
	*first = 0;
	*end = fragments->count;
	if (frames == 1)
		return RS_OK;
	if (fragments->count == frames) {
		*first = frame;
		*end = frame + 1;
		return RS_OK;
	}
	if ((extended != NULL && by_table(fragments, extended->value, 8, frames, frame, first, end)) ||
	    by_table(fragments, fragments->table->value, 4, frames, frame, first, end) ||
	    by_beginnings(fragments, frames, frame, first, end))
		return RS_OK;
	return rs_error_set(
		err, RS_MALFORMED,
		"pixel data at byte %llu has %zu fragments for %zu frames, and no offset table that "
		"tells which belongs to which",
		(unsigned long long)e->offset, fragments->count, frames);
}

static enum rs_code join(const struct rs_dicom *d, const struct rs_dicom_element *e, size_t frames,
                         size_t frame, struct rs_buffer *joined, struct rs_bytes *out, struct rs_error *err)
{
	struct fragments fragments = {0};
	size_t first = 0, end = 0;
	RS_TRY(fragments_of(d, e, &fragments, err));
	RS_TRY(find(d, e, &fragments, frames, frame, &first, &end, err));
	if (end - first == 1) {
		*out = fragments.first[first].value;
		return RS_OK;
	}
	rs_buffer_init(joined, d->bytes.size);
	for (size_t i = first; i < end; i++)
		rs_buffer_append_bytes(joined, fragments.first[i].value);
	*out = rs_buffer_bytes(joined);
	return rs_buffer_check(joined, "a frame's fragments", err);
}

static enum rs_code part(const struct rs_dicom_element *e, const struct rs_dicom_metadata *m, size_t frame,
                         struct rs_bytes *out, struct rs_error *err)
{
	size_t bits = 0, first = 0, end = 0;
	const bool halved = rs_str_ends_with(m->photometric_interpretation, "_422");
	if (!rs_mul_size(m->rows, m->columns, &bits) ||
	    !rs_mul_size(bits, halved ? 2 : m->samples_per_pixel, &bits) ||
	    !rs_mul_size(bits, m->bits_allocated, &bits) || !rs_mul_size(bits / 8, frame, &first) ||
	    !rs_add_size(first, bits / 8 + (bits % 8 != 0), &end) || end > e->value.size)
		return rs_error_set(err, RS_MALFORMED,
		                    "pixel data at byte %llu has %zu bytes, too few for frame %zu",
		                    (unsigned long long)e->offset, e->value.size, frame);
	if (bits % 8 != 0 && m->number_of_frames > 1)
		return rs_error_set(err, RS_UNSUPPORTED, "frames of %zu bits do not begin at bytes", bits);
	*out = rs_bytes_of(e->value.data + first, end - first);
	return RS_OK;
}

/* Pixel Data and its description, with which there is such a frame. */
static enum rs_code describe(const struct rs_dicom *d, size_t frame, struct rs_dicom_metadata *m,
                             const struct rs_dicom_element **out, struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_dicom_pixel_description(d, m, err));
	*out = rs_dicom_find(d, NULL, RS_DICOM_PIXEL_DATA);
	if (*out == NULL)
		return rs_error_set(err, RS_NOT_FOUND, "the file has no pixel data (7FE0,0010)");
	if (!rs_mul_size(m->rows, m->columns, &count) || !rs_mul_size(count, m->samples_per_pixel, &count))
		count = 0;
	return dicom_check_layout(m, frame, count, err);
}

enum rs_code rs_dicom_frame_stored(const struct rs_dicom *dicom, size_t frame, struct rs_buffer *joined,
                                   struct rs_bytes *out, struct rs_error *err)
{
	struct rs_dicom_metadata m = {0};
	const struct rs_dicom_element *e = NULL;
	*joined = (struct rs_buffer){0};
	RS_TRY(describe(dicom, frame, &m, &e, err));
	return e->has_children ? join(dicom, e, m.number_of_frames, frame, joined, out, err)
	                       : part(e, &m, frame, out, err);
}

static enum rs_code decode(const struct rs_dicom *d, const struct rs_dicom_element *e,
                           const struct rs_dicom_metadata *m, size_t frame, struct rs_dicom_frame *out,
                           struct rs_error *err)
{
	struct rs_buffer joined RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes stored;
	struct rs_codec_decoded what = {0};
	if (!rs_codec_decodes(d->transfer_syntax)) {
		const char *name = rs_dicom_uid_name(rs_str_from(d->transfer_syntax));
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"compressed as %s, which is not decoded here; transcode with gdcmconv --raw",
			name != NULL ? name : d->transfer_syntax);
	}
	RS_TRY(join(d, e, m->number_of_frames, frame, &joined, &stored, err));
	if (rs_codec_decode(d->transfer_syntax, &out->shape, stored, out->pixels, &what, err) != RS_OK)
		return rs_error_context(err, "frame %zu, pixel data at byte %llu", frame + 1,
		                        (unsigned long long)e->offset);
	if (what.is_rgb || rs_str_equal_text(m->photometric_interpretation, "YBR_RCT") ||
	    rs_str_equal_text(m->photometric_interpretation, "YBR_ICT"))
		out->photometric_interpretation = RS_STR("RGB");
	/* Where the header shifts its bits, its word holds as long as the stream has them. */
	if (what.bits != 0 && (m->high_bit + 1 == m->bits_stored || what.bits <= m->high_bit)) {
		out->shape.bits_stored = what.bits;
		out->high_bit = what.bits - 1;
	}
	return RS_OK;
}

static enum rs_code start(const struct rs_dicom_metadata *m, struct rs_dicom_frame *out, struct rs_error *err)
{
	*out = (struct rs_dicom_frame){
		.shape = {.rows = m->rows,
	                  .columns = m->columns,
	                  .samples = m->samples_per_pixel,
	                  .bits_allocated = m->bits_allocated,
	                  .bits_stored = m->bits_stored,
	                  .is_signed = m->pixel_representation != 0,
	                  .is_ybr = rs_str_starts_with(m->photometric_interpretation, "YBR_FULL")},
		.high_bit = m->high_bit,
		.photometric_interpretation = rs_str_starts_with(m->photometric_interpretation, "YBR_FULL")
	                                              ? RS_STR("YBR_FULL")
	                                              : m->photometric_interpretation};
	if (!rs_codec_size(&out->shape, &out->size))
		return rs_error_set(
			err, RS_TOO_LARGE,
			"frames of %u x %u pixels, %u samples of %u bits; up to %zu samples are read",
			m->columns, m->rows, m->samples_per_pixel, m->bits_allocated, RS_CODEC_SAMPLES_MAX);
	out->pixels = rs_allocate(out->size);
	return out->pixels != NULL ? RS_OK : rs_error_memory(err, out->size, "a frame");
}

enum rs_code rs_dicom_frame_read(const struct rs_dicom *dicom, size_t frame, struct rs_dicom_frame *out,
                                 struct rs_error *err)
{
	struct rs_dicom_frame read RS_CLEANUP(rs_dicom_frame_finish) = {0};
	struct rs_dicom_metadata m = {0};
	const struct rs_dicom_element *e = NULL;
	RS_TRY(describe(dicom, frame, &m, &e, err));
	if (m.bits_allocated == 64 && !e->has_children)
		return rs_error_set(err, RS_UNSUPPORTED, "frames of 64 bits are not copied");
	RS_TRY(start(&m, &read, err));
	RS_TRY(e->has_children ? decode(dicom, e, &m, frame, &read, err)
	                       : dicom_frame_native(e, &m, frame, read.pixels, err));
	*out = read;
	read.pixels = NULL;
	return RS_OK;
}

void rs_dicom_frame_finish(struct rs_dicom_frame *frame)
{
	rs_free(frame->pixels);
	*frame = (struct rs_dicom_frame){0};
}
