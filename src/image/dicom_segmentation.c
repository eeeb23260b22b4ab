/* DICOM segmentations and label maps as masks (PS3.3 C.8.20). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "dicom_frames.h"
#include "dicom_mask.h"
#include "format.h"

#define SPARSE_SLICES_MAX 4096
#define SEGMENTATION_TYPE RS_DICOM_TAG(0x0062, 0x0001)
#define SEGMENT_SEQUENCE RS_DICOM_TAG(0x0062, 0x0002)
#define SEGMENT_NUMBER RS_DICOM_TAG(0x0062, 0x0004)
#define SEGMENT_LABEL RS_DICOM_TAG(0x0062, 0x0005)
#define SEGMENT_IDENTIFICATION RS_DICOM_TAG(0x0062, 0x000a)
#define REFERENCED_SEGMENT_NUMBER RS_DICOM_TAG(0x0062, 0x000b)
#define MAXIMUM_FRACTIONAL_VALUE RS_DICOM_TAG(0x0062, 0x000e)

/* One frame of a segmentation: which segment, and where. */
struct frame {
	uint32_t segment;
	double position[3], place;
	size_t slice;
};

struct segmentation {
	const struct rs_dicom *dicom;
	const struct rs_dicom_metadata *metadata;
	const struct rs_dicom_element *shared;
	struct frame *frames;
	size_t count;
	double orientation[6], spacing[2], thickness;
	double between; /* SpacingBetweenSlices, 0 when absent */
	const struct rs_label_choice *choice;
	struct chosen chosen;
};

static enum rs_code read_frame(const struct segmentation *seg, const struct rs_dicom_element *own,
                               size_t index, bool labelmap, struct frame *out, struct rs_error *err)
{
	int64_t segment = 0;
	const struct functional_groups groups = {seg->dicom, own, seg->shared};
	const struct rs_dicom_element *number = functional(&groups, SEGMENT_IDENTIFICATION,
	                                                   REFERENCED_SEGMENT_NUMBER);
	if (!rs_dicom_doubles(functional(&groups, PLANE_POSITION, IMAGE_POSITION), 3, out->position))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no ImagePositionPatient", index + 1);
	if (!isfinite(out->position[0]) || !isfinite(out->position[1]) || !isfinite(out->position[2]))
		return rs_error_set(err, RS_MALFORMED, "frame %zu lies nowhere: its position is no number",
		                    index + 1);
	if (!labelmap && (!rs_dicom_int(number, 0, &segment) || segment < 1 || segment > 65535))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no ReferencedSegmentNumber", index + 1);
	out->segment = (uint32_t)segment;
	return RS_OK;
}

static double positive_or(const struct rs_dicom_element *element, double otherwise)
{
	double value;
	return rs_dicom_double(element, 0, &value) && value > 0 && isfinite(value) ? value : otherwise;
}

static enum rs_code read_plane(struct segmentation *seg, const struct rs_dicom_element *first,
                               struct rs_error *err)
{
	const struct functional_groups groups = {seg->dicom, first, seg->shared};
	if (!rs_dicom_doubles(functional(&groups, PLANE_ORIENTATION, IMAGE_ORIENTATION), 6,
	                      seg->orientation) ||
	    !rs_dicom_doubles(functional(&groups, PIXEL_MEASURES, PIXEL_SPACING), 2, seg->spacing))
		return rs_error_set(err, RS_MALFORMED,
		                    "the segmentation has no orientation or pixel spacing");
	seg->between = positive_or(functional(&groups, PIXEL_MEASURES, SPACING_BETWEEN_SLICES), 0);
	seg->thickness = positive_or(functional(&groups, PIXEL_MEASURES, SLICE_THICKNESS), 1);
	return RS_OK;
}

static enum rs_code read_frames(struct segmentation *seg, bool labelmap, struct rs_error *err)
{
	const struct rs_dicom *dicom = seg->dicom;
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, PER_FRAME_GROUPS);
	seg->shared = first_child(dicom, rs_dicom_find(dicom, NULL, SHARED_GROUPS));
	seg->count = rs_dicom_item_count(dicom, sequence);
	if (seg->count == 0 || seg->count != seg->metadata->number_of_frames)
		return rs_error_set(err, RS_MALFORMED, "the segmentation has %u frames and describes %zu",
		                    seg->metadata->number_of_frames, seg->count);
	const struct rs_dicom_element *own = first_child(dicom, sequence);
	RS_TRY(read_plane(seg, own, err));
	seg->frames = rs_allocate_array(seg->count, sizeof *seg->frames);
	if (!seg->frames)
		return rs_error_memory(err, seg->count * sizeof *seg->frames, "frames");
	for (size_t i = 0; i < seg->count; i++, own = next_child(dicom, sequence, own))
		RS_TRY(read_frame(seg, own, i, labelmap, &seg->frames[i], err));
	return RS_OK;
}

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Empty slices may have no frame: SpacingBetweenSlices then tells the step, when the gaps are multiples of it. */
static double slice_step(const struct segmentation *seg, double smallest_gap)
{
	if (smallest_gap == 0)
		return seg->between > 0 ? seg->between : seg->thickness;
	double times = seg->between > 0 ? smallest_gap / seg->between : 0;
	return times >= 1.5 && fabs(times - floor(times + 0.5)) <= 0.02 ? smallest_gap / floor(times + 0.5)
	                                                                : smallest_gap;
}

/* Slices are the multiples of the step between the frames' places. */
static enum rs_code place_frames(struct segmentation *seg, struct rs_geometry *out, struct rs_error *err)
{
	double normal[3], step = 0;
	double *places RS_CLEANUP(rs_free_pointer) = rs_allocate_array(seg->count, sizeof *places);
	if (!places)
		return rs_error_memory(err, seg->count * sizeof *places, "places");
	normal_of(seg->orientation, normal);
	for (size_t i = 0; i < seg->count; i++) {
		const double *p = seg->frames[i].position;
		places[i] = seg->frames[i].place = place_of(p, normal);
	}
	qsort(places, seg->count, sizeof *places, by_number);
	for (size_t i = 1; i < seg->count; i++) {
		double gap = places[i] - places[i - 1];
		if (gap > 1e-3 && (step == 0 || gap < step))
			step = gap;
	}
	step = slice_step(seg, step);
	double slices = floor((places[seg->count - 1] - places[0]) / step + 0.5) + 1;
	/* Slices between frames are made of nothing: a few bytes must not ask for all memory. */
	if (!(step > 0) || !(slices <= SPARSE_SLICES_MAX + 64 * (double)seg->count))
		return rs_error_set(err, RS_MALFORMED,
		                    "the %zu frames of the segmentation lie %g mm apart on %.0f slices",
		                    seg->count, step, slices);
	size_t lowest = 0;
	for (size_t i = 0; i < seg->count; i++) {
		double slice = (seg->frames[i].place - places[0]) / step;
		if (fabs(slice - floor(slice + 0.5)) > 0.02)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "the frames of the segmentation are unevenly spaced");
		seg->frames[i].slice = (size_t)floor(slice + 0.5);
		if (seg->frames[i].place < seg->frames[lowest].place)
			lowest = i;
	}
	struct rs_dicom_metadata m = *seg->metadata;
	memcpy(m.image_orientation, seg->orientation, sizeof m.image_orientation);
	memcpy(m.image_position_mm, seg->frames[lowest].position, sizeof m.image_position_mm);
	memcpy(m.pixel_spacing_mm, seg->spacing, sizeof m.pixel_spacing_mm);
	m.present |= RS_DICOM_HAS_ORIENTATION | RS_DICOM_HAS_SPACING;
	fill_geometry(&m, (size_t)slices, step, out);
	for (size_t i = 0; i < seg->count; i++)
		RS_TRY(check_straight(seg->frames[lowest].position, seg->frames[i].position, normal, err));
	size_t size;
	return check_geometry(out, RS_VOXEL_U32, &size, err);
}

/* Fractional segmentations are cut at half of MaximumFractionalValue. */
static enum rs_code fill_labels(const struct segmentation *seg, bool labelmap, struct rs_mask *mask,
                                struct rs_error *err)
{
	size_t size = mask->geometry.size[0] * mask->geometry.size[1];
	double *pixels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *pixels);
	double most = 1;
	const struct rs_dicom_element *type = rs_dicom_find(seg->dicom, NULL, SEGMENTATION_TYPE);
	if (!pixels)
		return rs_error_memory(err, size * sizeof *pixels, "a frame");
	if (rs_str_equal_text(rs_dicom_text(type, 0), "FRACTIONAL") &&
	    !rs_dicom_double(rs_dicom_find(seg->dicom, NULL, MAXIMUM_FRACTIONAL_VALUE), 0, &most))
		most = 255;
	for (size_t i = 0; i < seg->count; i++) {
		if (!labelmap && !chosen_has(&seg->chosen, seg->frames[i].segment))
			continue;
		RS_TRY(rs_dicom_pixels(seg->dicom, i, pixels, size, err));
		uint32_t *labels = mask->labels + seg->frames[i].slice * size;
		for (size_t k = 0; k < size; k++) {
			if (labelmap && !(pixels[k] >= 0 && pixels[k] <= UINT32_MAX))
				return rs_error_set(err, RS_MALFORMED, "frame %zu has the label %g", i + 1,
				                    pixels[k]);
			uint32_t label = labelmap                  ? (uint32_t)pixels[k]
			                 : pixels[k] >= 0.5 * most ? seg->frames[i].segment
			                                           : 0;
			if (label && labels[k] && labels[k] != label)
				return rs_error_set(
					err, RS_UNSUPPORTED,
					"the segments %u and %u overlap; choose one of them as label",
					labels[k], label);
			if (label)
				labels[k] = label;
		}
	}
	return RS_OK;
}

enum rs_code segmentation_names(const struct rs_dicom *dicom, struct rs_label **out_names, size_t *out_count,
                                struct rs_error *err)
{
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, SEGMENT_SEQUENCE), *item;
	size_t count = rs_dicom_item_count(dicom, sequence), kept = 0;
	struct rs_label *names RS_CLEANUP(rs_free_pointer) = NULL;
	if (count > LABELS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the file describes %zu segments; at most %d are read",
		                    count, LABELS_MAX);
	names = rs_allocate_array(count, sizeof *names);
	if (!names)
		return rs_error_memory(err, count * sizeof *names, "names");
	for (item = first_child(dicom, sequence); item; item = next_child(dicom, sequence, item)) {
		int64_t number;
		if (!rs_dicom_int(rs_dicom_find(dicom, item, SEGMENT_NUMBER), 0, &number) || number < 0 ||
		    number > LABELS_MAX)
			continue;
		names[kept].value = (uint32_t)number;
		RS_TRY(take_label_name(dicom, rs_dicom_find(dicom, item, SEGMENT_LABEL), &names[kept++],
		                       err));
	}
	*out_count = sort_names(names, kept);
	*out_names = names;
	names = NULL;
	return RS_OK;
}

static enum rs_code fill_mask(struct segmentation *seg, bool labelmap, struct rs_mask *mask,
                              struct rs_error *err)
{
	RS_TRY(segmentation_names(seg->dicom, &mask->names, &mask->name_count, err));
	RS_TRY(chosen_init(&seg->chosen, seg->choice, mask->names, mask->name_count, true, err));
	RS_TRY(fill_labels(seg, labelmap, mask, err));
	chosen_apply(&seg->chosen, mask);
	return RS_OK;
}

static enum rs_code build_mask(struct segmentation *seg, bool labelmap, struct rs_mask *out,
                               struct rs_error *err)
{
	struct rs_geometry geometry;
	struct rs_mask mask;
	RS_TRY(read_frames(seg, labelmap, err));
	RS_TRY(place_frames(seg, &geometry, err));
	RS_TRY(rs_mask_init(&mask, &geometry, err));
	enum rs_code code = fill_mask(seg, labelmap, &mask, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		return code;
	}
	*out = mask;
	return RS_OK;
}

enum rs_code segmentation_read(const struct slice *slice, bool labelmap, const struct mask_request *request,
                               struct rs_mask *out, struct rs_error *err)
{
	struct segmentation seg = {
		.dicom = &slice->dicom, .metadata = &slice->metadata, .choice = request->choice};
	RS_TRY(check_pixel_data(slice, err));
	enum rs_code code = build_mask(&seg, labelmap, out, err);
	chosen_finish(&seg.chosen);
	rs_free(seg.frames);
	return code;
}
