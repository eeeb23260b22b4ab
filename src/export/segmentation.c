/* Masks as DICOM segmentations (PS3.3 A.51, C.8.20): one frame for each slice of a segment that has voxels. */
#include <string.h>

#include "source.h"

#define SEGMENTATION_STORAGE "1.2.840.10008.5.1.4.1.1.66.4"
#define SEGMENTS_MAX 1000
#define FRAMES_MAX 65535

struct segment_frame {
	size_t segment, slice; /* index of the label; z */
};
struct segmenting {
	struct writer writer;
	const struct rs_mask *mask;
	struct rs_label *labels;
	size_t label_count;
	struct segment_frame *frames;
	size_t frame_count;
};

static void segmenting_finish(struct segmenting *s)
{
	rs_free(s->labels);
	rs_free(s->frames);
	rs_dicom_builder_finish(&s->writer.builder);
}

/* ---- what there is ---- */

static enum rs_code take_label(struct rs_label *labels, size_t *count, uint32_t label, struct rs_error *err)
{
	size_t at = 0;
	while (at < *count && labels[at].value < label)
		at++;
	if (at < *count && labels[at].value == label)
		return RS_OK;
	if (*count == SEGMENTS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d labels; name those that are meant",
		                    SEGMENTS_MAX);
	memmove(labels + at + 1, labels + at, (*count - at) * sizeof *labels);
	labels[at] = (struct rs_label){.value = label};
	++*count;
	return RS_OK;
}

enum rs_code rs_export_labels(const struct rs_mask *mask, struct rs_label **out, size_t *out_count,
                              struct rs_error *err)
{
	struct rs_label *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(SEGMENTS_MAX, sizeof *labels);
	size_t count = 0;
	if (!labels)
		return rs_error_memory(err, SEGMENTS_MAX * sizeof *labels, "labels");
	for (size_t i = 0, n = rs_geometry_voxels(&mask->geometry); i < n; i++)
		if (mask->labels[i] != 0 && (i == 0 || mask->labels[i] != mask->labels[i - 1]))
			RS_TRY(take_label(labels, &count, mask->labels[i], err));
	if (count == 0)
		return rs_error_set(err, RS_NOT_FOUND, "the mask has no voxel that is set");
	for (size_t k = 0; k < count; k++)
		for (size_t i = 0; i < mask->name_count; i++)
			if (mask->names[i].value == labels[k].value)
				labels[k] = mask->names[i];
	*out = labels;
	*out_count = count;
	labels = NULL;
	return RS_OK;
}

static bool is_in(const struct segmenting *s, uint32_t label, size_t slice)
{
	const size_t area = s->mask->geometry.size[0] * s->mask->geometry.size[1];
	for (size_t i = slice * area; i < (slice + 1) * area; i++)
		if (s->mask->labels[i] == label)
			return true;
	return false;
}

static enum rs_code find_frames(struct segmenting *s, struct rs_error *err)
{
	s->frames = rs_allocate_array(FRAMES_MAX, sizeof *s->frames);
	if (!s->frames)
		return rs_error_memory(err, FRAMES_MAX * sizeof *s->frames, "frames");
	for (size_t segment = 0; segment < s->label_count; segment++)
		for (size_t slice = 0; slice < s->mask->geometry.size[2]; slice++) {
			if (!is_in(s, s->labels[segment].value, slice))
				continue;
			if (s->frame_count == FRAMES_MAX)
				return rs_error_set(err, RS_TOO_LARGE, "more than %d frames", FRAMES_MAX);
			s->frames[s->frame_count++] = (struct segment_frame){segment, slice};
		}
	return RS_OK;
}

/* ---- sequences ---- */

static void put_reference(struct rs_dicom_builder *b, const struct source_instance *instance)
{
	writer_view(b, TAG(0008, 1150), "UI", instance->metadata.sop_class_uid);
	writer_view(b, TAG(0008, 1155), "UI", instance->metadata.sop_instance_uid);
}

static void put_references(struct writer *w)
{
	struct rs_dicom_builder *b = &w->builder;
	rs_dicom_builder_begin(b, TAG(0008, 1115));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_begin(b, TAG(0008, 114A));
	for (size_t i = 0; i < w->source->count; i++) {
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		put_reference(b, &w->source->instances[i]);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
	writer_view(b, TAG(0020, 000E), "UI", w->source->instances[0].metadata.series_instance_uid);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_tag(struct rs_dicom_builder *b, uint32_t tag, uint32_t pointed)
{
	const uint16_t words[] = {(uint16_t)(pointed >> 16), (uint16_t)pointed};
	rs_dicom_builder_words(b, tag, "AT", words, 2);
}

static void put_dimensions(struct writer *w)
{
	static const struct {
		uint32_t pointer, group;
		const char *label;
	} indices[] = {{TAG(0062, 000B), TAG(0062, 000A), "Segment"},
	               {TAG(0020, 0032), TAG(0020, 9113), "Position"}};
	struct rs_dicom_builder *b = &w->builder;
	rs_dicom_builder_begin(b, TAG(0020, 9221));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, TAG(0020, 9164), "UI", w->extra_uid);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
	rs_dicom_builder_begin(b, TAG(0020, 9222));
	for (size_t i = 0; i < RS_COUNT(indices); i++) {
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		rs_dicom_builder_text(b, TAG(0020, 9164), "UI", w->extra_uid);
		put_tag(b, TAG(0020, 9165), indices[i].pointer);
		put_tag(b, TAG(0020, 9167), indices[i].group);
		rs_dicom_builder_text(b, TAG(0020, 9421), "LO", indices[i].label);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
}

static void put_segments(struct segmenting *s)
{
	static const struct rs_export_code category = {"49755003", "SCT",
	                                               "Morphologically Abnormal Structure"},
					   type = {"108369006", "SCT", "Neoplasm"};
	struct rs_dicom_builder *b = &s->writer.builder;
	const struct rs_export_maker *maker = s->writer.maker;
	rs_dicom_builder_begin(b, TAG(0062, 0002));
	for (size_t i = 0; i < s->label_count; i++) {
		char label[65];
		format_label(s->labels[i].name, s->labels[i].value, label);
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		writer_code(b, TAG(0062, 0003), maker->category.value ? maker->category : category);
		rs_dicom_builder_u16(b, TAG(0062, 0004), (uint16_t)(i + 1));
		rs_dicom_builder_text(b, TAG(0062, 0005), "LO", label);
		rs_dicom_builder_text(b, TAG(0062, 0008), "CS", maker->algorithm ? "AUTOMATIC" : "MANUAL");
		if (maker->algorithm)
			rs_dicom_builder_text(b, TAG(0062, 0009), "LO", maker->algorithm);
		writer_code(b, TAG(0062, 000F), maker->type.value ? maker->type : type);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
}

/* ---- functional groups ---- */

static void begin_group(struct rs_dicom_builder *b, uint32_t tag)
{
	rs_dicom_builder_begin(b, tag);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
}

static void end_group(struct rs_dicom_builder *b)
{
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_shared(struct segmenting *s)
{
	struct rs_dicom_builder *b = &s->writer.builder;
	const struct rs_geometry *g = &s->mask->geometry;
	const double orientation[6] = {g->direction[0][0], g->direction[1][0], g->direction[2][0],
	                               g->direction[0][1], g->direction[1][1], g->direction[2][1]};
	const double spacing[2] = {g->spacing_mm[1], g->spacing_mm[0]}; /* between rows, then columns */
	begin_group(b, TAG(5200, 9229));
	begin_group(b, TAG(0020, 9116));
	writer_decimals(b, TAG(0020, 0037), orientation, 6);
	end_group(b);
	begin_group(b, TAG(0028, 9110));
	writer_decimals(b, TAG(0018, 0050), &g->spacing_mm[2], 1);
	writer_decimals(b, TAG(0018, 0088), &g->spacing_mm[2], 1);
	writer_decimals(b, TAG(0028, 0030), spacing, 2);
	end_group(b);
	end_group(b);
}

static void put_derivation(struct segmenting *s, const double position[3])
{
	static const struct rs_export_code segmentation = {"113076", "DCM", "Segmentation"},
					   source = {"121322", "DCM",
	                                             "Source image for image processing operation"};
	struct rs_dicom_builder *b = &s->writer.builder;
	const struct source_instance *instance = source_at(s->writer.source, position);
	rs_dicom_builder_begin(b, TAG(0008, 9124));
	if (instance) {
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		begin_group(b, TAG(0008, 2112));
		put_reference(b, instance);
		if (instance->metadata.number_of_frames == 1) /* the mask lies on its very grid */
			rs_dicom_builder_text(b, TAG(0028, 135A), "CS", "YES");
		writer_code(b, TAG(0040, A170), source);
		end_group(b);
		writer_code(b, TAG(0008, 9215), segmentation);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
}

static void put_frame(struct segmenting *s, const struct segment_frame *frame)
{
	struct rs_dicom_builder *b = &s->writer.builder;
	const struct rs_geometry *g = &s->mask->geometry;
	double position[3];
	uint8_t index[8];
	for (size_t k = 0; k < 3; k++)
		position[k] = g->origin_mm[k] + g->direction[k][2] * g->spacing_mm[2] * (double)frame->slice;
	rs_write_le32(index, (uint32_t)frame->segment + 1);
	rs_write_le32(index + 4, (uint32_t)frame->slice + 1);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	put_derivation(s, position);
	begin_group(b, TAG(0020, 9111));
	rs_dicom_builder_bytes(b, TAG(0020, 9157), "UL", rs_bytes_of(index, sizeof index));
	end_group(b);
	begin_group(b, TAG(0020, 9113));
	writer_decimals(b, TAG(0020, 0032), position, 3);
	end_group(b);
	begin_group(b, TAG(0062, 000A));
	rs_dicom_builder_u16(b, TAG(0062, 000B), (uint16_t)(frame->segment + 1));
	end_group(b);
	rs_dicom_builder_end(b);
}

/* Frame behind frame without a gap, the first voxel lowest in its byte (PS3.5 section 8.1.1). */
static enum rs_code put_voxels(struct segmenting *s, struct rs_error *err)
{
	const struct rs_geometry *g = &s->mask->geometry;
	const size_t area = g->size[0] * g->size[1];
	size_t bits;
	if (!rs_mul_size(area, s->frame_count, &bits) || bits / 8 > EXPORT_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a segmentation of %zu frames is too large",
		                    s->frame_count);
	uint8_t *packed RS_CLEANUP(rs_free_pointer) = rs_allocate(bits / 8 + 1);
	if (!packed)
		return rs_error_memory(err, bits / 8, "a segmentation");
	for (size_t f = 0, at = 0; f < s->frame_count; f++) {
		const uint32_t *labels = s->mask->labels + s->frames[f].slice * area;
		for (size_t i = 0; i < area; i++, at++)
			if (labels[i] == s->labels[s->frames[f].segment].value)
				packed[at / 8] |= (uint8_t)(1u << at % 8);
	}
	rs_dicom_builder_bytes(&s->writer.builder, RS_DICOM_PIXEL_DATA, "OB",
	                       rs_bytes_of(packed, bits / 8 + (bits % 8 != 0)));
	return RS_OK;
}

/* ---- the whole ---- */

static void put_head(struct segmenting *s)
{
	struct writer *w = &s->writer;
	const struct export_row first[] = {
		{TAG(0008, 0005), "CS", NULL, true},
		{TAG(0008, 0008), "CS", "DERIVED\\PRIMARY", false},
		{TAG(0008, 0016), "UI", SEGMENTATION_STORAGE, false},
		{TAG(0008, 0018), "UI", w->instance_uid, false},
		{TAG(0008, 0020), "DA", NULL, false},
		{TAG(0008, 0023), "DA", w->date, false},
		{TAG(0008, 0030), "TM", NULL, false},
		{TAG(0008, 0033), "TM", w->time, false},
		{TAG(0008, 0050), "SH", NULL, false},
		{TAG(0008, 0060), "CS", "SEG", false},
		{TAG(0008, 0070), "LO", "radseal", false},
		{TAG(0008, 0090), "PN", NULL, false},
		{TAG(0008, 1030), "LO", NULL, true},
		{TAG(0008, 103E), "LO", "Segmentation", false},
		{TAG(0008, 1090), "LO", "radseal", false},
	};
	const struct export_row second[] = {
		{TAG(0010, 0010), "PN", NULL, false},
		{TAG(0010, 0020), "LO", NULL, false},
		{TAG(0010, 0021), "LO", NULL, true},
		{TAG(0010, 0030), "DA", NULL, false},
		{TAG(0010, 0040), "CS", NULL, false},
		{TAG(0012, 0062), "CS", NULL, true},
		{TAG(0012, 0063), "LO", NULL, true},
		{TAG(0018, 1000), "LO", "none", false},
		{TAG(0018, 1020), "LO", w->maker->version, false},
		{TAG(0020, 000D), "UI", NULL, false},
		{TAG(0020, 000E), "UI", w->series_uid, false},
		{TAG(0020, 0010), "SH", NULL, false},
		{TAG(0020, 0011), "IS", "1", false},
		{TAG(0020, 0013), "IS", "1", false},
		{TAG(0020, 0052), "UI", NULL, false},
		{TAG(0020, 1040), "LO", NULL, false},
	};
	writer_rows(w, first, RS_COUNT(first));
	put_references(w);
	writer_rows(w, second, RS_COUNT(second));
	put_dimensions(w);
}

static void put_pixel_description(struct segmenting *s)
{
	static const uint16_t description[] = {1, 1, 0, 0};
	struct rs_dicom_builder *b = &s->writer.builder;
	char *frames RS_CLEANUP(rs_free_pointer) = rs_text_printf("%zu", s->frame_count);
	rs_dicom_builder_u16(b, TAG(0028, 0002), 1);
	rs_dicom_builder_text(b, TAG(0028, 0004), "CS", "MONOCHROME2");
	rs_dicom_builder_text(b, TAG(0028, 0008), "IS", frames ? frames : "");
	rs_dicom_builder_u16(b, TAG(0028, 0010), (uint16_t)s->mask->geometry.size[1]);
	rs_dicom_builder_u16(b, TAG(0028, 0011), (uint16_t)s->mask->geometry.size[0]);
	for (uint32_t i = 0; i < RS_COUNT(description); i++)
		rs_dicom_builder_u16(b, TAG(0028, 0100) + i, description[i]);
	rs_dicom_builder_text(b, TAG(0028, 2110), "CS", "00");
	rs_dicom_builder_text(b, TAG(0062, 0001), "CS", "BINARY");
}

static enum rs_code build(struct segmenting *s, struct rs_buffer *out, struct rs_error *err)
{
	static const struct export_row content[] = {
		{TAG(0070, 0080), "CS", "SEGMENTATION", false},
		{TAG(0070, 0081), "LO", "Regions measured by radseal", false},
		{TAG(0070, 0084), "PN", "", false}};
	RS_TRY(rs_export_labels(s->mask, &s->labels, &s->label_count, err));
	RS_TRY(find_frames(s, err));
	RS_TRY(writer_init(&s->writer, s->writer.source, s->writer.maker, err));
	put_head(s);
	put_pixel_description(s);
	put_segments(s);
	writer_rows(&s->writer, content, RS_COUNT(content));
	put_shared(s);
	rs_dicom_builder_begin(&s->writer.builder, TAG(5200, 9230));
	for (size_t i = 0; i < s->frame_count; i++)
		put_frame(s, &s->frames[i]);
	rs_dicom_builder_end(&s->writer.builder);
	RS_TRY(put_voxels(s, err));
	return writer_file(&s->writer, SEGMENTATION_STORAGE, out, err);
}

enum rs_code rs_export_segmentation(const struct rs_export_source *source,
                                    const struct rs_export_maker *maker, const struct rs_mask *mask,
                                    struct rs_buffer *out, struct rs_error *err)
{
	struct segmenting s RS_CLEANUP(segmenting_finish) = {.writer = {.source = source, .maker = maker},
	                                                     .mask = mask};
	if (mask->geometry.size[0] > UINT16_MAX || mask->geometry.size[1] > UINT16_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "slices of %zu x %zu voxels", mask->geometry.size[0],
		                    mask->geometry.size[1]);
	if (source->instances[0].metadata.frame_of_reference_uid.size == 0)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"the image has no FrameOfReferenceUID, to which a segmentation would refer");
	return build(&s, out, err);
}
