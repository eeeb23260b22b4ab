/* A DICOM series as a volume: slices sorted by their place along the normal, evenly spaced, all alike. */
#include "dicom_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dicom_stack.h"
#include "format.h"

struct series {
	const struct rs_world *world;
	const char *directory;
	struct slice *slices;
	size_t count, capacity, skipped;
};

static void series_finish(struct series *series)
{
	for (size_t i = 0; i < series->count; i++)
		slice_finish(&series->slices[i]);
	rs_free(series->slices);
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

/* Sorted, evenly spaced within a hundredth of the spacing, straight. */
static enum rs_code check_spacing(struct series *series, double *out_spacing, struct rs_error *err)
{
	struct slice *s = series->slices;
	double normal[3];
	normal_of(s[0].metadata.image_orientation, normal);
	for (size_t i = 0; i < series->count; i++) {
		const double *p = s[i].metadata.image_position_mm;
		s[i].place = place_of(p, normal);
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

static enum rs_code fill_voxels(const struct series *series, struct rs_volume *volume, struct rs_error *err)
{
	size_t frame = volume->geometry.size[0] * volume->geometry.size[1];
	volume->stored = stored_type(&series->slices[0].metadata);
	for (size_t i = 0; i < series->count; i++) {
		const struct slice *slice = &series->slices[i];
		double *voxels = volume->voxels + i * frame;
		if (rs_dicom_pixels(&slice->dicom, 0, voxels, frame, err) != RS_OK)
			return rs_error_context(err, "%s", slice->path);
		rescale(volume, slice->metadata.rescale_slope, slice->metadata.rescale_intercept, voxels,
		        frame);
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
