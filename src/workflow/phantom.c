/* The synthetic volume: ellipsoids for body, liver, pancreas and tumour, a smooth bias field, texture and
 * noise. Shapes and intensities are invented; they resemble no patient. */
#include <math.h>
#include <stdio.h>

#include "base/base_random.h"
#include "dicom/dicom.h"
#include "workflow/workflow_phantom.h"

struct shape {
	double centre[3], radius[3]; /* mm */
	double intensity, texture;   /* mean and amplitude */
};

static const struct shape shapes[] = {
	{{72, 72, 36}, {62, 46, 60}, 180, 12},  /* body */
	{{48, 66, 40}, {28, 26, 24}, 320, 18},  /* liver */
	{{100, 74, 38}, {14, 12, 18}, 460, 15}, /* spleen */
	{{76, 62, 34}, {26, 8, 9}, 390, 14},    /* pancreas */
};
static const struct shape tumour = {{84, 61, 35}, {11, 9, 10}, 540, 70};

/* Near enough to a normal number: twelve uniform ones, less their mean. */
static double next_noise(struct rs_stream *stream)
{
	double sum = 0;
	for (int i = 0; i < 12; i++)
		sum += rs_stream_unit(stream);
	return sum - 6;
}

static bool inside(const struct shape *shape, const double point[3])
{
	double sum = 0;
	for (int axis = 0; axis < 3; axis++) {
		double offset = (point[axis] - shape->centre[axis]) / shape->radius[axis];
		sum += offset * offset;
	}
	return sum <= 1;
}

/* A tumour with a ragged edge: the radius waves with the direction. */
static bool inside_tumour(const double point[3])
{
	double wave = 1 + 0.12 * sin(point[0] * 0.7) * sin(point[1] * 0.9 + 1) + 0.06 * sin(point[2] * 1.1);
	struct shape ragged = tumour;
	for (int axis = 0; axis < 3; axis++)
		ragged.radius[axis] *= wave;
	return inside(&ragged, point);
}

static double intensity_at(const double point[3], bool in_tumour, struct rs_stream *stream)
{
	const struct shape *found = in_tumour ? &tumour : NULL;
	for (size_t i = RS_COUNT(shapes); !found && i-- > 0;)
		if (inside(&shapes[i], point))
			found = &shapes[i];
	double noise = 6 * next_noise(stream);
	if (!found)
		return fabs(8 + noise);
	double texture = sin(point[0] * 0.9) * cos(point[1] * 0.8 + point[2] * 0.5);
	double bias = 1 + 0.08 * sin((point[0] + point[1]) / 60);
	return fabs((found->intensity + found->texture * texture) * bias + noise);
}

enum rs_code rs_phantom_make(uint64_t seed, struct rs_volume *image, struct rs_mask *mask,
                             struct rs_error *err)
{
	struct rs_geometry geometry = {
		.size = {96, 96, 24},
		.spacing_mm = {1.5, 1.5, 3},
		.origin_mm = {-72, -72, -36},
		.direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	};
	RS_TRY(rs_volume_init(image, &geometry, err));
	enum rs_code code = rs_mask_init(mask, &geometry, err);
	if (code != RS_OK) {
		rs_volume_finish(image);
		return code;
	}
	image->stored = RS_VOXEL_I16;
	struct rs_stream stream = {seed};
	size_t voxel = 0;
	for (size_t z = 0; z < geometry.size[2]; z++)
		for (size_t y = 0; y < geometry.size[1]; y++)
			for (size_t x = 0; x < geometry.size[0]; x++, voxel++) {
				double point[3] = {(double)x * 1.5, (double)y * 1.5, (double)z * 3};
				bool in_tumour = inside_tumour(point);
				mask->labels[voxel] = in_tumour;
				image->voxels[voxel] = floor(intensity_at(point, in_tumour, &stream) + 0.5);
			}
	return RS_OK;
}

/* UIDs below 2.25 (PS3.5 §B.2) from fixed numbers: the phantom is the same everywhere. */
#define UID_STUDY "2.25.314159265358979323846264338327950288419"
#define UID_SERIES UID_STUDY ".1"
#define SOP_CLASS_MR "1.2.840.10008.5.1.4.1.1.4"

static void decimals(char *out, size_t size, const double *values, size_t count)
{
	size_t used = 0;
	for (size_t i = 0; i < count && used < size; i++) {
		char number[RS_F64_TEXT_SIZE];
		rs_format_f64(values[i], number);
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "\\" : "", number);
	}
}

static void add_geometry(struct rs_dicom_builder *builder, const struct rs_volume *image, size_t slice)
{
	const struct rs_geometry *g = &image->geometry;
	double position[3] = {g->origin_mm[0], g->origin_mm[1],
	                      g->origin_mm[2] + (double)slice * g->spacing_mm[2]};
	const double orientation[6] = {1, 0, 0, 0, 1, 0}, spacing[2] = {g->spacing_mm[1], g->spacing_mm[0]};
	char text[256];
	decimals(text, sizeof text, position, 3);
	rs_dicom_builder_text(builder, RS_DICOM_TAG(0x0020, 0x0032), "DS", text);
	decimals(text, sizeof text, orientation, 6);
	rs_dicom_builder_text(builder, RS_DICOM_TAG(0x0020, 0x0037), "DS", text);
	rs_dicom_builder_text(builder, RS_DICOM_TAG(0x0020, 0x0052), "UI", UID_STUDY ".2");
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0002), 1);
	rs_dicom_builder_text(builder, RS_DICOM_TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0010), (uint16_t)g->size[1]);
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0011), (uint16_t)g->size[0]);
	decimals(text, sizeof text, spacing, 2);
	rs_dicom_builder_text(builder, RS_DICOM_TAG(0x0028, 0x0030), "DS", text);
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0100), 16);
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0101), 16);
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0102), 15);
	rs_dicom_builder_u16(builder, RS_DICOM_TAG(0x0028, 0x0103), 1);
}

static void add_pixels(struct rs_dicom_builder *builder, const struct rs_volume *image, size_t slice,
                       uint16_t *words)
{
	size_t count = image->geometry.size[0] * image->geometry.size[1];
	for (size_t i = 0; i < count; i++)
		words[i] = (uint16_t)(int16_t)image->voxels[slice * count + i];
	rs_dicom_builder_words(builder, RS_DICOM_PIXEL_DATA, "OW", words, count);
}

static enum rs_code write_slice(const struct rs_world *world, const struct rs_volume *image, size_t slice,
                                const char *directory, uint16_t *words, struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char instance[96], number[16], thickness[RS_F64_TEXT_SIZE];
	snprintf(instance, sizeof instance, UID_SERIES ".%zu", slice + 1);
	snprintf(number, sizeof number, "%zu", slice + 1);
	rs_format_f64(image->geometry.spacing_mm[2], thickness);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, (size_t)1 << 24);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0008, 0x0016), "UI", SOP_CLASS_MR);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0008, 0x0018), "UI", instance);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0008, 0x0060), "CS", "MR");
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0008, 0x103e), "LO", "T2 synthetic");
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0010, 0x0020), "LO", "PHANTOM-1");
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0018, 0x0050), "DS", thickness);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0020, 0x000d), "UI", UID_STUDY);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0020, 0x000e), "UI", UID_SERIES);
	rs_dicom_builder_text(&builder, RS_DICOM_TAG(0x0020, 0x0013), "IS", number);
	add_geometry(&builder, image, slice);
	add_pixels(&builder, image, slice, words);
	rs_buffer_init(&file, (size_t)1 << 24);
	RS_TRY(rs_dicom_builder_file(&builder, SOP_CLASS_MR, instance, &file, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/slice%03zu.dcm", directory, slice + 1);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	return rs_file_replace(world, path, rs_buffer_bytes(&file), 0644, err);
}

enum rs_code rs_phantom_write_dicom(const struct rs_world *world, const struct rs_volume *image,
                                    const char *directory, struct rs_error *err)
{
	size_t count = image->geometry.size[0] * image->geometry.size[1];
	uint16_t *words RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *words);
	if (!words)
		return rs_error_memory(err, count * sizeof *words, "a slice");
	RS_TRY(rs_directory_make(world, directory, err));
	for (size_t slice = 0; slice < image->geometry.size[2]; slice++)
		RS_TRY(write_slice(world, image, slice, directory, words, err));
	return RS_OK;
}
