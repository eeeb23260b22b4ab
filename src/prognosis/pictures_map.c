/* Where a model of pictures looks: what its answer becomes when patches are hidden, one after the other. */
#include <math.h>
#include <string.h>

#include "image/image_picture.h"
#include "pictures.h"

#define MAP_SIDE 448
#define PATCHES 4     /* a side, beside each other; they are hidden at every half, too */
#define STRONGEST 0.6 /* share of the colour where the change is largest */

struct patches {
	size_t side, size, step, across, count;
};

static struct patches patches_of(size_t side)
{
	struct patches patches = {.side = side, .size = (side + PATCHES - 1) / PATCHES};
	patches.step = patches.size > 1 ? patches.size / 2 : 1;
	patches.across = (side - patches.size + patches.step - 1) / patches.step + 1;
	patches.count = patches.across * patches.across;
	return patches;
}

/* The last ones end at the border. */
static size_t patch_begin(const struct patches *patches, size_t index)
{
	const size_t begin = index * patches->step;
	return begin + patches->size > patches->side ? patches->side - patches->size : begin;
}

/* Of each value the mean change of the logit by the patches that hide it. said: of each patch, last of the whole picture. */
static void spread(const struct patches *patches, const float *said, float *heat)
{
	float *covers = heat + patches->side * patches->side;
	memset(heat, 0, 2 * patches->side * patches->side * sizeof *heat);
	for (size_t p = 0; p < patches->count; p++) {
		const size_t top = patch_begin(patches, p / patches->across),
			     left = patch_begin(patches, p % patches->across);
		for (size_t i = 0; i < patches->size * patches->size; i++) {
			const size_t at = (top + i / patches->size) * patches->side + left +
			                  i % patches->size;
			heat[at] += said[patches->count] - said[p];
			covers[at] += 1;
		}
	}
	for (size_t i = 0; i < patches->side * patches->side; i++)
		heat[i] /= covers[i];
}

/* rows: room for count + 1 pictures. A hidden value is the training pictures' mean. */
static enum rs_code ask(const struct rs_pictures_model *model, const struct patches *patches, float *rows,
                        float *said, struct rs_pool *pool, struct rs_error *err)
{
	const size_t values = patches->side * patches->side;
	const float *whole = rows + patches->count * values;
	for (size_t p = 0; p < patches->count; p++) {
		float *row = rows + p * values;
		memcpy(row, whole, values * sizeof *row);
		for (size_t y = 0; y < patches->size; y++)
			memset(row + (patch_begin(patches, p / patches->across) + y) * patches->side +
			               patch_begin(patches, p % patches->across),
			       0, patches->size * sizeof *row);
	}
	return rs_network_apply(&model->network, rows, patches->count + 1, pool, said, err);
}

static uint8_t byte_of(double value) { return (uint8_t)floor(fmin(fmax(value, 0), 1) * 255 + 0.5); }

static enum rs_code paint(const struct rs_picture *grey, const struct rs_picture *heat, struct rs_buffer *out,
                          struct rs_error *err)
{
	const size_t pixels = (size_t)MAP_SIDE * MAP_SIDE;
	float *shown RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * pixels, sizeof *shown);
	uint8_t *rgb RS_CLEANUP(rs_free_pointer) = rs_allocate(3 * pixels);
	double largest = 0;
	if (!shown || !rgb)
		return rs_error_memory(err, pixels * sizeof *shown, "a map");
	RS_TRY(rs_picture_resample(grey, MAP_SIDE, MAP_SIDE, shown, err));
	RS_TRY(rs_picture_resample(heat, MAP_SIDE, MAP_SIDE, shown + pixels, err));
	for (size_t i = 0; i < pixels; i++)
		largest = fmax(largest, fabs((double)shown[pixels + i]));
	for (size_t i = 0; i < pixels; i++) {
		const double change = largest > 0 ? (double)shown[pixels + i] / largest : 0,
			     share = STRONGEST * fabs(change);
		const double rest = (1 - share) * (double)shown[i];
		rgb[3 * i] = byte_of(rest + (change > 0 ? share : 0));
		rgb[3 * i + 1] = byte_of(rest);
		rgb[3 * i + 2] = byte_of(rest + (change < 0 ? share : 0));
	}
	return rs_png_write(rgb, 3, MAP_SIDE, MAP_SIDE, out, err);
}

enum rs_code rs_pictures_map(const struct rs_pictures_model *model, const struct rs_world *world,
                             const char *path, struct rs_pool *pool, struct rs_buffer *out_png,
                             struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_picture grey RS_CLEANUP(rs_picture_finish) = {0};
	const struct patches patches = patches_of(model->side);
	const size_t values = model->side * model->side;
	float *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(patches.count + 4, values * sizeof *rows);
	float *said RS_CLEANUP(rs_free_pointer) = rs_allocate_array(patches.count + 1, sizeof *said);
	if (!rows || !said)
		return rs_error_memory(err, patches.count * values * sizeof *rows, "a map");
	float *whole = rows + patches.count * values, *heat = whole + values;
	RS_TRY(rs_file_read_all(world, path, PICTURE_FILE_MAX, &file, err));
	if (rs_picture_read(rs_buffer_bytes(&file), &grey, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	RS_TRY(rs_picture_resample(&grey, model->side, model->side, whole, err));
	for (size_t i = 0; i < values; i++)
		whole[i] = (float)(((double)whole[i] - model->mean) / model->deviation);
	RS_TRY(ask(model, &patches, rows, said, pool, err));
	spread(&patches, said, heat);
	return paint(&grey, &(struct rs_picture){model->side, model->side, heat}, out_png, err);
}
