/* Multi-frame objects as volumes: every frame has its place, scale and stack in its functional groups (PS3.3
 * C.7.6.16), and may stand anywhere in the file. */
#include "dicom_enhanced.h"

#include <math.h>
#include <string.h>

#include "dicom_frames.h"
#include "format.h"
#include "places.h"

#define FRAME_CONTENT RS_DICOM_TAG(0x0020, 0x9111)
#define STACK_ID RS_DICOM_TAG(0x0020, 0x9056)
#define PIXEL_VALUE_TRANSFORMATION RS_DICOM_TAG(0x0028, 0x9145)
#define RESCALE_INTERCEPT RS_DICOM_TAG(0x0028, 0x1052)
#define RESCALE_SLOPE RS_DICOM_TAG(0x0028, 0x1053)

struct enhanced {
	const struct slice *slice;
	const struct rs_dicom_element *shared, **own; /* items of functional groups; own by frame */
	struct placed *places;
	const struct rs_series_image *picked; /* NULL: all frames */
	size_t count;                         /* of the frames that are wanted */
	double orientation[6], spacing[2], between;
};

bool is_multi_frame(const struct slice *slice)
{
	return slice->metadata.number_of_frames > 1 || rs_dicom_find(&slice->dicom, NULL, PER_FRAME_GROUPS);
}

static void enhanced_finish(struct enhanced *e)
{
	rs_free(e->own);
	rs_free(e->places);
}

static struct functional_groups groups_of(const struct enhanced *e, size_t frame)
{
	return (struct functional_groups){&e->slice->dicom, e->own[frame], e->shared};
}

static size_t frame_at(const struct enhanced *e, size_t index)
{
	return e->picked ? e->picked[index].frame : index;
}

static enum rs_code check_picked(const struct enhanced *e, size_t frames, struct rs_error *err)
{
	for (size_t i = 0; e->picked && i < e->count; i++)
		if (e->picked[i].frame >= frames)
			return rs_error_set(err, RS_USAGE, "has %zu frames, but no frame %u", frames,
			                    e->picked[i].frame + 1);
	return RS_OK;
}

static enum rs_code find_frames(struct enhanced *e, struct rs_error *err)
{
	const struct rs_dicom *dicom = &e->slice->dicom;
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, PER_FRAME_GROUPS), *item;
	size_t described = rs_dicom_item_count(dicom, sequence), i = 0,
	       frames = e->slice->metadata.number_of_frames;
	if (!e->picked)
		e->count = frames;
	if (described == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "has %zu frames and does not tell where they lie (no functional groups, "
		                    "(5200,9230)); convert it to NIfTI, or split it into slices",
		                    frames);
	if (described != frames || frames > SLICES_MAX || e->count > SLICES_MAX)
		return rs_error_set(err, RS_MALFORMED,
		                    "has %zu frames and describes %zu; at most %d are read", frames,
		                    described, SLICES_MAX);
	RS_TRY(check_picked(e, frames, err));
	e->shared = first_child(dicom, rs_dicom_find(dicom, NULL, SHARED_GROUPS));
	e->own = rs_allocate_array(frames, sizeof *e->own);
	e->places = rs_allocate_array(e->count, sizeof *e->places);
	if (!e->own || !e->places)
		return rs_error_memory(err, e->count * sizeof *e->places, "frames");
	for (item = first_child(dicom, sequence); item; item = next_child(dicom, sequence, item))
		e->own[i++] = item;
	return RS_OK;
}

static bool read_plane(const struct enhanced *e, size_t frame, double orientation[6], double spacing[2])
{
	const struct functional_groups groups = groups_of(e, frame);
	return rs_dicom_doubles(functional(&groups, PLANE_ORIENTATION, IMAGE_ORIENTATION), 6, orientation) &&
	       rs_dicom_doubles(functional(&groups, PIXEL_MEASURES, PIXEL_SPACING), 2, spacing);
}

/* A frame must lie in the plane of the first, with its spacing and in its stack. */
static enum rs_code check_frame(const struct enhanced *e, size_t frame, struct rs_error *err)
{
	double orientation[6], spacing[2];
	const struct functional_groups groups = groups_of(e, frame), first = groups_of(e, frame_at(e, 0));
	if (!read_plane(e, frame, orientation, spacing))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no orientation or pixel spacing",
		                    frame + 1);
	for (int k = 0; k < 6; k++)
		if (!(fabs(orientation[k] - e->orientation[k]) <= 1e-4))
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"frame %zu is turned against frame 1: several stacks in one file; split it into one "
				"file for each (dcm2niix does)",
				frame + 1);
	for (int k = 0; k < 2; k++)
		if (!(fabs(spacing[k] - e->spacing[k]) <= 1e-4 * e->spacing[k]))
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "frame %zu has another pixel spacing than frame 1", frame + 1);
	struct rs_str stack = rs_dicom_text(functional(&groups, FRAME_CONTENT, STACK_ID), 0),
		      first_stack = rs_dicom_text(functional(&first, FRAME_CONTENT, STACK_ID), 0);
	if (!rs_str_equal(stack, first_stack))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "frame %zu belongs to the stack '" RS_STR_FORMAT
		                    "', frame 1 to '" RS_STR_FORMAT "': split the file into one for each "
		                    "stack (dcm2niix does)",
		                    frame + 1, RS_STR_ARGUMENTS(stack), RS_STR_ARGUMENTS(first_stack));
	return RS_OK;
}

static enum rs_code place_frames(struct enhanced *e, struct rs_error *err)
{
	if (!read_plane(e, frame_at(e, 0), e->orientation, e->spacing))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no orientation or pixel spacing",
		                    frame_at(e, 0) + 1);
	for (size_t i = 0; i < e->count; i++) {
		size_t frame = frame_at(e, i);
		const struct functional_groups groups = groups_of(e, frame);
		e->places[i] = (struct placed){.index = frame};
		RS_TRY(check_frame(e, frame, err));
		if (!rs_dicom_doubles(functional(&groups, PLANE_POSITION, IMAGE_POSITION), 3,
		                      e->places[i].position))
			return rs_error_set(err, RS_MALFORMED, "frame %zu has no ImagePositionPatient",
			                    frame + 1);
	}
	return places_sort(e->places, e->count, e->orientation, err);
}

static enum rs_code space_frames(struct enhanced *e, struct rs_error *err)
{
	const struct functional_groups groups = groups_of(e, frame_at(e, 0));
	size_t second;
	if (e->count > 1 && places_twins(e->places, e->count, &second)) {
		char difference[160];
		const struct functional_groups a = groups_of(e, e->places[second - 1].index),
					       b = groups_of(e, e->places[second].index);
		what_differs(&a, &b, difference, sizeof difference);
		return places_refuse_twins(e->places, e->count, second, difference,
		                           "in one file; split it into one for each (dcm2niix does)", err);
	}
	if (e->count > 1)
		return places_even(e->places, e->count, e->orientation, &e->between, err);
	if (!rs_dicom_double(functional(&groups, PIXEL_MEASURES, SPACING_BETWEEN_SLICES), 0, &e->between) &&
	    !rs_dicom_double(functional(&groups, PIXEL_MEASURES, SLICE_THICKNESS), 0, &e->between))
		e->between = 1;
	return RS_OK;
}

static enum rs_code frame_geometry(const struct enhanced *e, struct rs_geometry *out, struct rs_error *err)
{
	struct rs_dicom_metadata m = e->slice->metadata;
	size_t size;
	memcpy(m.image_orientation, e->orientation, sizeof m.image_orientation);
	memcpy(m.image_position_mm, e->places[0].position, sizeof m.image_position_mm);
	memcpy(m.pixel_spacing_mm, e->spacing, sizeof m.pixel_spacing_mm);
	m.present |= RS_DICOM_HAS_ORIENTATION | RS_DICOM_HAS_SPACING;
	fill_geometry(&m, e->count, e->between, out);
	return check_geometry(out, RS_VOXEL_F64, &size, err);
}

/* Of the frame's pixel value transformation, else of the data set. */
static void scale_of(const struct enhanced *e, size_t frame, double *slope, double *intercept)
{
	const struct functional_groups groups = groups_of(e, frame);
	*slope = e->slice->metadata.rescale_slope;
	*intercept = e->slice->metadata.rescale_intercept;
	(void)rs_dicom_double(functional(&groups, PIXEL_VALUE_TRANSFORMATION, RESCALE_SLOPE), 0, slope);
	(void)rs_dicom_double(functional(&groups, PIXEL_VALUE_TRANSFORMATION, RESCALE_INTERCEPT), 0,
	                      intercept);
}

static enum rs_code fill_frames(const struct enhanced *e, struct rs_volume *volume, struct rs_error *err)
{
	size_t size = volume->geometry.size[0] * volume->geometry.size[1];
	volume->stored = stored_type(&e->slice->metadata);
	for (size_t i = 0; i < e->count; i++) {
		double slope, intercept, *voxels = volume->voxels + i * size;
		size_t frame = e->places[i].index;
		RS_TRY(rs_dicom_pixels(&e->slice->dicom, frame, voxels, size, err));
		scale_of(e, frame, &slope, &intercept);
		rescale(volume, slope, intercept, voxels, size);
	}
	return RS_OK;
}

static enum rs_code build(struct enhanced *e, struct rs_volume *out, struct rs_error *err)
{
	struct rs_geometry geometry;
	struct rs_volume volume;
	RS_TRY(find_frames(e, err));
	RS_TRY(place_frames(e, err));
	RS_TRY(space_frames(e, err));
	RS_TRY(frame_geometry(e, &geometry, err));
	RS_TRY(rs_volume_init(&volume, &geometry, err));
	enum rs_code code = fill_frames(e, &volume, err);
	if (code != RS_OK) {
		rs_volume_finish(&volume);
		return code;
	}
	*out = volume;
	return RS_OK;
}

enum rs_code enhanced_read(const struct slice *slice, const struct rs_series_image *images, size_t count,
                           struct rs_volume *out, struct rs_error *err)
{
	struct enhanced enhanced RS_CLEANUP(enhanced_finish) = {
		.slice = slice, .picked = images, .count = count};
	return build(&enhanced, out, err);
}
