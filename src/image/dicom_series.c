/* A DICOM series as a volume: slices sorted by their place along the normal, evenly spaced, all alike. */
#include "dicom_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicom_enhanced.h"
#include "dicom_frames.h"
#include "format.h"
#include "image/image_series.h"
#include "places.h"

struct series {
	const struct rs_world *world;
	const char *directory;
	struct slice *slices;
	struct placed *places; /* in order; made when the stack is built */
	size_t count, capacity, skipped;
	const struct rs_series_image *picked; /* frames of the one file; NULL: all */
	size_t picked_count;
};

static void series_finish(struct series *series)
{
	for (size_t i = 0; i < series->count; i++)
		slice_finish(&series->slices[i]);
	rs_free(series->slices);
	rs_free(series->places);
}

/* Reports and structure sets lie beside the images they belong to. */
static bool is_image(const struct slice *slice)
{
	return slice->metadata.rows != 0 || (slice->metadata.present & RS_DICOM_HAS_PIXELS) != 0;
}

static enum rs_code series_add(struct series *series, const char *path, bool images_only,
                               struct rs_error *err)
{
	if (series->count == SLICES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d files in one series", SLICES_MAX);
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
	if (images_only && !is_image(&slice)) {
		series->skipped++;
		slice_finish(&slice);
		return RS_OK;
	}
	series->slices[series->count++] = slice;
	return RS_OK;
}

/* Files that do not begin like DICOM (a licence), and those that hold no image, are passed over. */
static enum rs_code visit(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct series *series = context;
	bool is = false;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, series->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(file_begins_dicom(series->world, path, &is, err));
	if (!is) {
		series->skipped++;
		return RS_OK;
	}
	return series_add(series, path, true, err);
}

static enum rs_code series_collect(struct series *series, const char *path, struct rs_error *err)
{
	struct rs_file_stat status;
	series->directory = path;
	RS_TRY(series->world->files->stat(series->world->files, path, &status, err));
	if (status.kind != RS_FILE_DIRECTORY)
		return series_add(series, path, false, err);
	RS_TRY(series->world->files->list(series->world->files, path, visit, series, err));
	if (series->count == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%s: there is no DICOM image in this directory (%zu other files)", path,
		                    series->skipped);
	return RS_OK;
}

/* Siemens: (0008,0008) has MOSAIC as one of its values. */
static bool is_mosaic(const struct rs_dicom *dicom)
{
	const struct rs_dicom_element *type = rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x0008, 0x0008));
	struct rs_str rest = type ? rs_str_of_bytes(type->value) : (struct rs_str){"", 0}, part;
	while (rs_str_split(&rest, '\\', &part))
		if (rs_str_equal_text(rs_str_trim(part), "MOSAIC"))
			return true;
	return false;
}

static int by_series(const void *a, const void *b)
{
	struct rs_str x = ((const struct slice *)a)->metadata.series_instance_uid,
		      y = ((const struct slice *)b)->metadata.series_instance_uid;
	size_t size = x.size < y.size ? x.size : y.size;
	int order = size ? memcmp(x.data, y.data, size) : 0;
	return order ? order : (x.size > y.size) - (x.size < y.size);
}

/* Names them with the number of their files, as many as fit. */
static enum rs_code refuse_many_series(struct series *series, struct rs_error *err)
{
	char list[300] = "";
	size_t used = 0, kinds = 0, first = 0;
	qsort(series->slices, series->count, sizeof *series->slices, by_series);
	for (size_t i = 1; i <= series->count; i++) {
		if (i < series->count && by_series(&series->slices[i], &series->slices[first]) == 0)
			continue;
		struct rs_str uid = series->slices[first].metadata.series_instance_uid;
		if (sizeof list - used > uid.size + 40)
			used += (size_t)snprintf(list + used, sizeof list - used,
			                         "%s" RS_STR_FORMAT " (files: %zu)", kinds ? ", " : "",
			                         RS_STR_ARGUMENTS(uid), i - first);
		kinds++;
		first = i;
	}
	return rs_error_set(
		err, RS_UNSUPPORTED,
		"holds %zu series, by SeriesInstanceUID: %s; name a directory with the files of one", kinds,
		list);
}

static enum rs_code check_one_series(struct series *series, struct rs_error *err)
{
	for (size_t i = 1; i < series->count; i++)
		if (!rs_str_equal(series->slices[i].metadata.series_instance_uid,
		                  series->slices[0].metadata.series_instance_uid))
			return refuse_many_series(series, err);
	return RS_OK;
}

/* A stack needs places; a single image may lie anywhere. */
static enum rs_code check_slice(const struct series *series, const struct slice *slice, struct rs_error *err)
{
	const unsigned placed = RS_DICOM_HAS_POSITION | RS_DICOM_HAS_ORIENTATION | RS_DICOM_HAS_SPACING;
	const struct rs_dicom_metadata *m = &slice->metadata, *first = &series->slices[0].metadata;
	RS_TRY(check_pixel_data(slice, err));
	if (series->count > 1 && (m->present & placed) != placed)
		return rs_error_set(err, RS_UNSUPPORTED, "has no position, orientation or spacing");
	if (series->count > 1 && m->number_of_frames > 1)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "has %u frames and is one of %zu files; name the one that is wanted",
		                    m->number_of_frames, series->count);
	if (m->rows != first->rows || m->columns != first->columns)
		return rs_error_set(err, RS_UNSUPPORTED, "has %u x %u pixels, the first slice %u x %u",
		                    m->columns, m->rows, first->columns, first->rows);
	if (m->samples_per_pixel > 1)
		return rs_error_set(err, RS_UNSUPPORTED, "is a colour image");
	if (is_mosaic(&slice->dicom))
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"is a mosaic: a volume's slices side by side in one image; convert it to NIfTI "
			"(dcm2niix does)");
	for (int k = 0; k < 6; k++)
		if (fabs(m->image_orientation[k] - first->image_orientation[k]) > 1e-4)
			return rs_error_set(err, RS_UNSUPPORTED, "is turned against the first slice");
	for (int k = 0; k < 2; k++)
		if (fabs(m->pixel_spacing_mm[k] - first->pixel_spacing_mm[k]) >
		    1e-4 * first->pixel_spacing_mm[k])
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "has another pixel spacing than the first slice");
	return RS_OK;
}

/* The caller adds what it was asked to read; within a directory the file's name is told, too. */
static enum rs_code of_slice(const struct series *series, const struct slice *slice, enum rs_code code,
                             struct rs_error *err)
{
	bool named = strcmp(slice->path, series->directory) == 0;
	return code == RS_OK || named ? code : rs_error_context(err, "%s", rs_path_name(slice->path));
}

static enum rs_code check_twins(const struct series *series, struct rs_error *err)
{
	size_t second;
	char difference[160];
	if (!places_twins(series->places, series->count, &second))
		return RS_OK;
	const struct functional_groups a = {.dicom = &series->slices[series->places[second - 1].index].dicom},
				       b = {.dicom = &series->slices[series->places[second].index].dicom};
	what_differs(&a, &b, difference, sizeof difference);
	return places_refuse_twins(series->places, series->count, second, difference,
	                           "in one series; name a directory with one of them", err);
}

static enum rs_code check_stack(struct series *series, double *out_spacing, struct rs_error *err)
{
	const double *orientation = series->slices[0].metadata.image_orientation;
	for (size_t i = 0; i < series->count; i++) {
		struct placed *placed = &series->places[i];
		*placed = (struct placed){.index = i, .name = rs_path_name(series->slices[i].path)};
		memcpy(placed->position, series->slices[i].metadata.image_position_mm,
		       sizeof placed->position);
	}
	RS_TRY(places_sort(series->places, series->count, orientation, err));
	if (series->count == 1)
		return RS_OK;
	RS_TRY(check_twins(series, err));
	return places_even(series->places, series->count, orientation, out_spacing, err);
}

static enum rs_code fill_voxels(const struct series *series, struct rs_volume *volume, struct rs_error *err)
{
	size_t frame = volume->geometry.size[0] * volume->geometry.size[1];
	volume->stored = stored_type(&series->slices[0].metadata);
	for (size_t i = 0; i < series->count; i++) {
		const struct slice *slice = &series->slices[series->places[i].index];
		double *voxels = volume->voxels + i * frame;
		RS_TRY(of_slice(series, slice, rs_dicom_pixels(&slice->dicom, 0, voxels, frame, err), err));
		rescale(volume, slice->metadata.rescale_slope, slice->metadata.rescale_intercept, voxels,
		        frame);
	}
	return RS_OK;
}

static enum rs_code make_volume(const struct series *series, const struct rs_geometry *geometry,
                                struct rs_volume *out, struct rs_error *err)
{
	struct rs_volume volume;
	RS_TRY(rs_volume_init(&volume, geometry, err));
	enum rs_code code = fill_voxels(series, &volume, err);
	if (code != RS_OK) {
		rs_volume_finish(&volume);
		return code;
	}
	*out = volume;
	return RS_OK;
}

static enum rs_code stack_geometry(struct series *series, struct rs_geometry *out, struct rs_error *err)
{
	const struct rs_dicom_metadata *first = &series->slices[0].metadata;
	double spacing = first->present & RS_DICOM_HAS_BETWEEN     ? first->spacing_between_slices_mm
	                 : first->present & RS_DICOM_HAS_THICKNESS ? first->slice_thickness_mm
	                                                           : 1;
	size_t size;
	RS_TRY(check_stack(series, &spacing, err));
	if (!(spacing > 0))
		return rs_error_set(err, RS_MALFORMED, "the slices are %g mm apart", spacing);
	fill_geometry(&series->slices[series->places[0].index].metadata, series->count, spacing, out);
	return check_geometry(out, RS_VOXEL_F64, &size, err);
}

static enum rs_code build_volume(struct series *series, struct rs_volume *out, struct rs_error *err)
{
	struct rs_geometry geometry;
	RS_TRY(check_one_series(series, err));
	for (size_t i = 0; i < series->count; i++) {
		const struct slice *slice = &series->slices[i];
		RS_TRY(of_slice(series, slice, check_slice(series, slice, err), err));
	}
	if (series->count == 1 && is_multi_frame(&series->slices[0]))
		return enhanced_read(&series->slices[0], series->picked, series->picked_count, out, err);
	series->places = rs_allocate_array(series->count, sizeof *series->places);
	if (!series->places)
		return rs_error_memory(err, series->count * sizeof *series->places, "places");
	RS_TRY(stack_geometry(series, &geometry, err));
	return make_volume(series, &geometry, out, err);
}

enum rs_code dicom_series_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                               struct rs_error *err)
{
	struct series series = {.world = world};
	enum rs_code code = series_collect(&series, path, err);
	if (code == RS_OK && (code = build_volume(&series, out, err)) != RS_OK)
		rs_error_context(err, "%s", path);
	series_finish(&series);
	return code;
}

/* Frames of one file, which is read once; else a file each. */
static enum rs_code series_pick(struct series *series, const struct rs_series_image *images, size_t count,
                                struct rs_error *err)
{
	bool one_file = true;
	for (size_t i = 1; i < count; i++)
		one_file = one_file && strcmp(images[i].path, images[0].path) == 0;
	series->directory = "";
	if (one_file) {
		RS_TRY(series_add(series, images[0].path, false, err));
		series->picked = images;
		series->picked_count = count;
		if (is_multi_frame(&series->slices[0]))
			return RS_OK;
	}
	for (size_t i = 0; i < count; i++) {
		if (images[i].frame != 0)
			return rs_error_set(err, RS_USAGE, "%s: frames of several files are asked for",
			                    rs_path_name(images[i].path));
		if (i > 0 || !one_file)
			RS_TRY(series_add(series, images[i].path, false, err));
	}
	return RS_OK;
}

enum rs_code rs_volume_read_images(const struct rs_world *world, const struct rs_series_image *images,
                                   size_t count, struct rs_volume *out, struct rs_error *err)
{
	struct series series = {.world = world};
	if (count == 0)
		return rs_error_set(err, RS_USAGE, "a volume needs images");
	enum rs_code code = series_pick(&series, images, count, err);
	if (code == RS_OK)
		code = build_volume(&series, out, err);
	series_finish(&series);
	return code;
}
