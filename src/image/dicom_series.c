/* A DICOM series as a volume: slices sorted by their place along the normal, evenly spaced, all alike; and DICOM
 * segmentations as masks (PS3.3 C.8.20). */
#include "dicom_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dicom/dicom.h"
#include "format.h"

#define SLICES_MAX 65536
#define FILE_MAX ((size_t)2 << 30)
#define SOP_CLASS_SEGMENTATION "1.2.840.10008.5.1.4.1.1.66.4"
#define SOP_CLASS_LABELMAP "1.2.840.10008.5.1.4.1.1.66.7"

struct slice {
	char *path;
	struct rs_buffer file;
	struct rs_dicom dicom;
	struct rs_dicom_metadata metadata;
	double place; /* along the normal, mm */
};

struct series {
	const struct rs_world *world;
	const char *directory;
	struct slice *slices;
	size_t count, capacity, skipped;
};

static void slice_finish(struct slice *slice)
{
	rs_dicom_finish(&slice->dicom);
	rs_buffer_finish(&slice->file);
	rs_free(slice->path);
}

static void series_finish(struct series *series)
{
	for (size_t i = 0; i < series->count; i++)
		slice_finish(&series->slices[i]);
	rs_free(series->slices);
}

static enum rs_code slice_parse(const struct rs_world *world, const char *path, struct slice *out,
                                struct rs_error *err)
{
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &out->file, err));
	enum rs_code code = rs_dicom_parse(rs_buffer_bytes(&out->file), &out->dicom, err);
	if (code == RS_OK)
		code = rs_dicom_metadata(&out->dicom, &out->metadata, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

static enum rs_code series_add(struct series *series, const char *path, struct rs_error *err)
{
	if (series->count == SLICES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%s: more than %d files in one series",
		                    series->directory, SLICES_MAX);
	if (series->count == series->capacity) {
		size_t capacity = series->capacity ? 2 * series->capacity : 64;
		struct slice *slices = rs_reallocate(series->slices, capacity * sizeof *slices);
		if (!slices)
			return rs_error_memory(err, capacity * sizeof *slices, "slices");
		series->slices = slices;
		series->capacity = capacity;
	}
	struct slice slice = {.path = rs_str_duplicate(rs_str_from(path))};
	if (!slice.path)
		return rs_error_memory(err, 1, "a path");
	enum rs_code code = slice_parse(series->world, path, &slice, err);
	if (code != RS_OK) {
		slice_finish(&slice);
		return code;
	}
	series->slices[series->count++] = slice;
	return RS_OK;
}

/* Files that do not begin like DICOM (a licence, a DICOMDIR's text) are passed over. */
static enum rs_code visit(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct series *series = context;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char magic[4] = "";
	size_t got = 0;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, series->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(rs_file_open(series->world, path, RS_OPEN_READ, &file, err));
	RS_TRY(rs_file_read_at(file, 128, magic, sizeof magic, &got, err));
	if (got != sizeof magic || memcmp(magic, "DICM", sizeof magic) != 0) {
		series->skipped++;
		return RS_OK;
	}
	return series_add(series, path, err);
}

static enum rs_code series_collect(struct series *series, const char *path, struct rs_error *err)
{
	struct rs_file_stat status;
	series->directory = path;
	RS_TRY(series->world->files->stat(series->world->files, path, &status, err));
	if (status.kind != RS_FILE_DIRECTORY)
		return series_add(series, path, err);
	RS_TRY(series->world->files->list(series->world->files, path, visit, series, err));
	if (series->count == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%s: there is no DICOM file in this directory (%zu other files)", path,
		                    series->skipped);
	return RS_OK;
}

static void normal_of(const double orientation[6], double out[3])
{
	const double *r = orientation, *c = orientation + 3;
	out[0] = r[1] * c[2] - r[2] * c[1];
	out[1] = r[2] * c[0] - r[0] * c[2];
	out[2] = r[0] * c[1] - r[1] * c[0];
}

static int by_place(const void *a, const void *b)
{
	const struct slice *first = a, *second = b;
	return (first->place > second->place) - (first->place < second->place);
}

/* Every slice like the first: series, size, orientation, spacing. */
static enum rs_code check_alike(const struct series *series, struct rs_error *err)
{
	const unsigned needed = RS_DICOM_HAS_POSITION | RS_DICOM_HAS_ORIENTATION | RS_DICOM_HAS_SPACING |
	                        RS_DICOM_HAS_PIXELS;
	const struct rs_dicom_metadata *first = &series->slices[0].metadata;
	for (size_t i = 0; i < series->count; i++) {
		const struct rs_dicom_metadata *m = &series->slices[i].metadata;
		const char *path = series->slices[i].path;
		if ((m->present & needed) != needed && series->count > 1)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "%s: has no pixels, position, orientation or spacing", path);
		if (!(m->present & RS_DICOM_HAS_PIXELS))
			return rs_error_set(err, RS_UNSUPPORTED, "%s: has no pixels", path);
		if (!rs_str_equal(m->series_instance_uid, first->series_instance_uid))
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"%s: belongs to another series than %s; name a directory with one series",
				path, series->slices[0].path);
		if (m->rows != first->rows || m->columns != first->columns)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "%s: has %u x %u pixels, the first slice %u x %u", path,
			                    m->columns, m->rows, first->columns, first->rows);
		if (m->samples_per_pixel > 1)
			return rs_error_set(err, RS_UNSUPPORTED, "%s: is a colour image", path);
		for (int k = 0; k < 6; k++)
			if (fabs(m->image_orientation[k] - first->image_orientation[k]) > 1e-4)
				return rs_error_set(err, RS_UNSUPPORTED,
				                    "%s: is turned against the first slice", path);
		for (int k = 0; k < 2; k++)
			if (fabs(m->pixel_spacing_mm[k] - first->pixel_spacing_mm[k]) >
			    1e-4 * first->pixel_spacing_mm[k])
				return rs_error_set(err, RS_UNSUPPORTED,
				                    "%s: has another pixel spacing than the first slice",
				                    path);
	}
	return RS_OK;
}

/* How far `position` lies beside the line through `first` along the normal: a tilted gantry shears the stack. */
static double beside(const double first[3], const double position[3], const double normal[3],
                     double *out_along)
{
	double along = 0, square = 0;
	for (int k = 0; k < 3; k++)
		along += (position[k] - first[k]) * normal[k];
	for (int k = 0; k < 3; k++) {
		double part = position[k] - first[k] - along * normal[k];
		square += part * part;
	}
	*out_along = fabs(along);
	return sqrt(square);
}

/* A thousandth, as check_geometry allows, and what positions in decimals lose. */
static enum rs_code check_straight(const double first[3], const double position[3], const double normal[3],
                                   struct rs_error *err)
{
	double along, off = beside(first, position, normal, &along);
	if (off <= 1e-3 * along + 0.01)
		return RS_OK;
	return rs_error_set(
		err, RS_UNSUPPORTED,
		"over %.4f mm along the normal the slices shift by %.4f mm beside it: a tilted gantry or tiles; "
		"resample it to a straight grid first (dcm2niix does)",
		along, off);
}

/* Sorted, evenly spaced within a hundredth of the spacing, straight. */
static enum rs_code check_spacing(struct series *series, double *out_spacing, struct rs_error *err)
{
	struct slice *s = series->slices;
	double normal[3];
	normal_of(s[0].metadata.image_orientation, normal);
	for (size_t i = 0; i < series->count; i++) {
		const double *p = s[i].metadata.image_position_mm;
		s[i].place = p[0] * normal[0] + p[1] * normal[1] + p[2] * normal[2];
	}
	qsort(s, series->count, sizeof *s, by_place);
	double spacing = (s[series->count - 1].place - s[0].place) / (double)(series->count - 1);
	/* Twins first: they make the average wrong, and would be told as gaps. */
	for (size_t i = 1; i < series->count; i++) {
		double step = s[i].place - s[i - 1].place;
		if (step < 1e-3 * spacing || step < 1e-6)
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"%s and %s lie at the same place (%.4f mm): several times, echoes or b-values in one "
				"series; name a directory with one of them",
				s[i - 1].path, s[i].path, s[i].place);
	}
	for (size_t i = 1; i < series->count; i++) {
		double step = s[i].place - s[i - 1].place;
		if (fabs(step - spacing) > 0.01 * spacing)
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"between %s and %s lie %.4f mm, on average it is %.4f: a slice is missing or they are "
				"unevenly spaced",
				s[i - 1].path, s[i].path, step, spacing);
	}
	for (size_t i = 1; i < series->count; i++)
		if (check_straight(s[0].metadata.image_position_mm, s[i].metadata.image_position_mm, normal,
		                   err) != RS_OK)
			return rs_error_context(err, "%s", s[i].path);
	*out_spacing = spacing;
	return RS_OK;
}

static void fill_geometry(const struct rs_dicom_metadata *m, size_t slices, double spacing,
                          struct rs_geometry *out)
{
	double normal[3];
	bool placed = m->present & RS_DICOM_HAS_ORIENTATION;
	const double axial[6] = {1, 0, 0, 0, 1, 0};
	const double *orientation = placed ? m->image_orientation : axial;
	normal_of(orientation, normal);
	*out = (struct rs_geometry){.size = {m->columns, m->rows, slices}};
	out->spacing_mm[0] = m->present & RS_DICOM_HAS_SPACING ? m->pixel_spacing_mm[1] : 1;
	out->spacing_mm[1] = m->present & RS_DICOM_HAS_SPACING ? m->pixel_spacing_mm[0] : 1;
	out->spacing_mm[2] = spacing;
	for (int row = 0; row < 3; row++) {
		out->origin_mm[row] = m->image_position_mm[row];
		out->direction[row][0] = orientation[row];
		out->direction[row][1] = orientation[3 + row];
		out->direction[row][2] = normal[row];
	}
}

static enum rs_voxel_type stored_type(const struct rs_dicom_metadata *m)
{
	bool is_signed = m->pixel_representation == 1;
	if (m->bits_allocated <= 8)
		return is_signed ? RS_VOXEL_I8 : RS_VOXEL_U8;
	if (m->bits_allocated <= 16)
		return is_signed ? RS_VOXEL_I16 : RS_VOXEL_U16;
	return is_signed ? RS_VOXEL_I32 : RS_VOXEL_U32;
}

/* Rescaled values keep an integer type while slope and intercept are whole, as ITK does. */
static void rescale(struct rs_volume *volume, const struct rs_dicom_metadata *m, double *voxels, size_t count)
{
	double slope = m->rescale_slope, intercept = m->rescale_intercept;
	if (!(m->present & RS_DICOM_HAS_RESCALE) || (slope == 1 && intercept == 0))
		return;
	bool whole = slope == floor(slope) && intercept == floor(intercept);
	volume->stored = whole ? RS_VOXEL_I32 : RS_VOXEL_F64;
	for (size_t i = 0; i < count; i++)
		voxels[i] = voxels[i] * slope + intercept;
}

static enum rs_code fill_voxels(const struct series *series, struct rs_volume *volume, struct rs_error *err)
{
	size_t frame = volume->geometry.size[0] * volume->geometry.size[1];
	volume->stored = stored_type(&series->slices[0].metadata);
	for (size_t i = 0; i < series->count; i++) {
		const struct slice *slice = &series->slices[i];
		double *voxels = volume->voxels + i * frame;
		if (rs_dicom_pixels(&slice->dicom, 0, voxels, frame, err) != RS_OK)
			return rs_error_context(err, "%s", slice->path);
		rescale(volume, &slice->metadata, voxels, frame);
	}
	return RS_OK;
}

static enum rs_code build_volume(struct series *series, struct rs_volume *out, struct rs_error *err)
{
	struct rs_geometry geometry;
	RS_TRY(check_alike(series, err));
	const struct rs_dicom_metadata *first = &series->slices[0].metadata;
	double spacing = first->present & RS_DICOM_HAS_BETWEEN     ? first->spacing_between_slices_mm
	                 : first->present & RS_DICOM_HAS_THICKNESS ? first->slice_thickness_mm
	                                                           : 1;
	if (first->number_of_frames > 1)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%s: has %u frames; split it into single frames, or convert it with "
		                    "dcm2niix",
		                    series->slices[0].path, first->number_of_frames);
	if (series->count > 1)
		RS_TRY(check_spacing(series, &spacing, err));
	if (!(spacing > 0))
		return rs_error_set(err, RS_MALFORMED, "%s: the slices are %g mm apart", series->directory,
		                    spacing);
	fill_geometry(&series->slices[0].metadata, series->count, spacing, &geometry);
	size_t size;
	if (check_geometry(&geometry, RS_VOXEL_F64, &size, err) != RS_OK)
		return rs_error_context(err, "%s", series->slices[0].path);
	struct rs_volume volume;
	RS_TRY(rs_volume_init(&volume, &geometry, err));
	enum rs_code code = fill_voxels(series, &volume, err);
	if (code != RS_OK) {
		rs_volume_finish(&volume);
		return code;
	}
	*out = volume;
	return RS_OK;
}

enum rs_code dicom_series_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                               struct rs_error *err)
{
	struct series series = {.world = world};
	enum rs_code code = series_collect(&series, path, err);
	if (code == RS_OK)
		code = build_volume(&series, out, err);
	series_finish(&series);
	return code;
}

/* One frame of a segmentation: which segment, and where. */
struct frame {
	uint32_t segment;
	double position[3], place;
	size_t slice;
};

static const struct rs_dicom_element *path_to(const struct rs_dicom *dicom,
                                              const struct rs_dicom_element *group, uint32_t sequence,
                                              uint32_t tag)
{
	const struct rs_dicom_element *found = rs_dicom_find(dicom, group, sequence);
	const struct rs_dicom_element *item = found ? rs_dicom_item(dicom, found, 0) : NULL;
	return item ? rs_dicom_find(dicom, item, tag) : NULL;
}

/* Of the frame's own functional groups, else of the shared ones. */
static const struct rs_dicom_element *functional(const struct rs_dicom *dicom,
                                                 const struct rs_dicom_element *own,
                                                 const struct rs_dicom_element *shared, uint32_t sequence,
                                                 uint32_t tag)
{
	const struct rs_dicom_element *found = own ? path_to(dicom, own, sequence, tag) : NULL;
	return found || !shared ? found : path_to(dicom, shared, sequence, tag);
}

static bool doubles(const struct rs_dicom_element *element, size_t count, double *out)
{
	for (size_t i = 0; i < count; i++)
		if (!rs_dicom_double(element, i, &out[i]))
			return false;
	return true;
}

struct segmentation {
	const struct rs_dicom *dicom;
	const struct rs_dicom_metadata *metadata;
	const struct rs_dicom_element *shared, *frames_sequence;
	struct frame *frames;
	size_t count;
	double orientation[6], spacing[2], thickness;
	double between; /* SpacingBetweenSlices, 0 when absent */
};

static enum rs_code read_frame(const struct segmentation *seg, size_t index, bool labelmap, struct frame *out,
                               struct rs_error *err)
{
	const struct rs_dicom_element *own = rs_dicom_item(seg->dicom, seg->frames_sequence, index);
	int64_t segment = 0;
	const struct rs_dicom_element *position = functional(
		seg->dicom, own, seg->shared, RS_DICOM_TAG(0x0020, 0x9113), RS_DICOM_TAG(0x0020, 0x0032));
	const struct rs_dicom_element *number = functional(
		seg->dicom, own, seg->shared, RS_DICOM_TAG(0x0062, 0x000a), RS_DICOM_TAG(0x0062, 0x000b));
	if (!own || !doubles(position, 3, out->position))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no ImagePositionPatient", index + 1);
	if (!labelmap && (!rs_dicom_int(number, 0, &segment) || segment < 1 || segment > 65535))
		return rs_error_set(err, RS_MALFORMED, "frame %zu has no ReferencedSegmentNumber", index + 1);
	out->segment = (uint32_t)segment;
	return RS_OK;
}

static enum rs_code read_frames(struct segmentation *seg, bool labelmap, struct rs_error *err)
{
	const struct rs_dicom *dicom = seg->dicom;
	const struct rs_dicom_element *shared = rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x5200, 0x9229));
	seg->frames_sequence = rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x5200, 0x9230));
	seg->shared = shared ? rs_dicom_item(dicom, shared, 0) : NULL;
	seg->count = seg->frames_sequence ? rs_dicom_item_count(dicom, seg->frames_sequence) : 0;
	if (seg->count == 0 || seg->count != seg->metadata->number_of_frames)
		return rs_error_set(err, RS_MALFORMED, "the segmentation has %u frames and describes %zu",
		                    seg->metadata->number_of_frames, seg->count);
	const struct rs_dicom_element *first = rs_dicom_item(dicom, seg->frames_sequence, 0);
	if (!doubles(functional(dicom, first, seg->shared, RS_DICOM_TAG(0x0020, 0x9116),
	                        RS_DICOM_TAG(0x0020, 0x0037)),
	             6, seg->orientation) ||
	    !doubles(functional(dicom, first, seg->shared, RS_DICOM_TAG(0x0028, 0x9110),
	                        RS_DICOM_TAG(0x0028, 0x0030)),
	             2, seg->spacing))
		return rs_error_set(err, RS_MALFORMED,
		                    "the segmentation has no orientation or pixel spacing");
	const uint32_t measures = RS_DICOM_TAG(0x0028, 0x9110);
	if (!rs_dicom_double(functional(dicom, first, seg->shared, measures, RS_DICOM_TAG(0x0018, 0x0088)), 0,
	                     &seg->between) ||
	    !(seg->between > 0))
		seg->between = 0;
	if (!rs_dicom_double(functional(dicom, first, seg->shared, measures, RS_DICOM_TAG(0x0018, 0x0050)), 0,
	                     &seg->thickness))
		seg->thickness = 1;
	seg->frames = rs_allocate_array(seg->count, sizeof *seg->frames);
	if (!seg->frames)
		return rs_error_memory(err, seg->count * sizeof *seg->frames, "frames");
	for (size_t i = 0; i < seg->count; i++)
		RS_TRY(read_frame(seg, i, labelmap, &seg->frames[i], err));
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
		places[i] = seg->frames[i].place = p[0] * normal[0] + p[1] * normal[1] + p[2] * normal[2];
	}
	qsort(places, seg->count, sizeof *places, by_number);
	for (size_t i = 1; i < seg->count; i++) {
		double gap = places[i] - places[i - 1];
		if (gap > 1e-3 && (step == 0 || gap < step))
			step = gap;
	}
	step = slice_step(seg, step);
	double slices = floor((places[seg->count - 1] - places[0]) / step + 0.5) + 1;
	if (!(step > 0) || !(slices <= SLICES_MAX))
		return rs_error_set(err, RS_MALFORMED, "the frames of the segmentation lie %g mm apart",
		                    step);
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
	const struct rs_dicom_element *type = rs_dicom_find(seg->dicom, NULL, RS_DICOM_TAG(0x0062, 0x0001));
	if (!pixels)
		return rs_error_memory(err, size * sizeof *pixels, "a frame");
	if (rs_str_equal_text(rs_dicom_text(type, 0), "FRACTIONAL") &&
	    !rs_dicom_double(rs_dicom_find(seg->dicom, NULL, RS_DICOM_TAG(0x0062, 0x000e)), 0, &most))
		most = 255;
	for (size_t i = 0; i < seg->count; i++) {
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
				return rs_error_set(err, RS_UNSUPPORTED,
				                    "the segments %u and %u overlap; export the one you want",
				                    labels[k], label);
			if (label)
				labels[k] = label;
		}
	}
	return RS_OK;
}

static enum rs_code take_names(const struct segmentation *seg, struct rs_mask *mask, struct rs_error *err)
{
	const struct rs_dicom_element *sequence = rs_dicom_find(seg->dicom, NULL,
	                                                        RS_DICOM_TAG(0x0062, 0x0002));
	size_t count = sequence ? rs_dicom_item_count(seg->dicom, sequence) : 0;
	mask->names = rs_allocate_array(count, sizeof *mask->names);
	if (!mask->names)
		return rs_error_memory(err, count * sizeof *mask->names, "names");
	for (size_t i = 0; i < count; i++) {
		const struct rs_dicom_element *item = rs_dicom_item(seg->dicom, sequence, i);
		struct rs_str label = rs_dicom_text(
			rs_dicom_find(seg->dicom, item, RS_DICOM_TAG(0x0062, 0x0005)), 0);
		int64_t number;
		if (!rs_dicom_int(rs_dicom_find(seg->dicom, item, RS_DICOM_TAG(0x0062, 0x0004)), 0,
		                  &number) ||
		    number < 0)
			continue;
		struct rs_label *row = &mask->names[mask->name_count++];
		size_t size = label.size < sizeof row->name - 1 ? label.size : sizeof row->name - 1;
		row->value = (uint32_t)number;
		if (size)
			memcpy(row->name, label.data, size);
	}
	mask->name_count = sort_names(mask->names, mask->name_count);
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
	enum rs_code code = fill_labels(seg, labelmap, &mask, err);
	if (code == RS_OK)
		code = take_names(seg, &mask, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		return code;
	}
	*out = mask;
	return RS_OK;
}

enum rs_code dicom_segmentation_read(const struct rs_world *world, const char *path, struct rs_mask *out,
                                     bool *out_is, struct rs_error *err)
{
	struct rs_file_stat status;
	struct slice slice = {.path = NULL};
	*out_is = false;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	if (status.kind != RS_FILE_REGULAR)
		return RS_OK;
	enum rs_code code = slice_parse(world, path, &slice, err);
	struct rs_str sop_class = slice.metadata.sop_class_uid;
	bool labelmap = code == RS_OK && rs_str_equal_text(sop_class, SOP_CLASS_LABELMAP);
	if (labelmap || (code == RS_OK && rs_str_equal_text(sop_class, SOP_CLASS_SEGMENTATION))) {
		struct segmentation seg = {.dicom = &slice.dicom, .metadata = &slice.metadata};
		*out_is = true;
		code = build_mask(&seg, labelmap, out, err);
		rs_free(seg.frames);
		if (code != RS_OK)
			rs_error_context(err, "%s", path);
	}
	slice_finish(&slice);
	return code;
}
