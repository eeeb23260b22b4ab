/* Images as training sees them: every slice moved, turned and grown about its middle by one map, its grey values changed. */
#include <math.h>

#include "neural/neural_train.h"

#define DEGREE (3.14159265358979323846 / 180)

/* -1 … 1 */
static double swing(struct rs_stream *stream) { return 2 * rs_stream_unit(stream) - 1; }

struct change {
	double xx, xy, yx, yy, x, y; /* where a voxel of the result comes from */
	float times, plus;
};

static struct change change_draw(const struct rs_augmentation *augmentation, struct rs_stream *stream)
{
	const double angle = augmentation->turn * DEGREE * swing(stream),
		     size = 1 + augmentation->grow * swing(stream);
	const double x = augmentation->shift * swing(stream), y = augmentation->shift * swing(stream);
	const double side = rs_stream_unit(stream) < 0.5 && augmentation->mirror ? -1 : 1;
	struct change change = {side * cos(angle) / size,
	                        -side * sin(angle) / size,
	                        sin(angle) / size,
	                        cos(angle) / size,
	                        x,
	                        y,
	                        0,
	                        0};
	change.times = (float)(1 + augmentation->contrast * swing(stream));
	change.plus = (float)(augmentation->brightness * swing(stream));
	return change;
}

/* Bilinear; beyond the border the border goes on. */
static float sample(const float *slice, const uint32_t size[3], double y, double x)
{
	const double top = size[1] - 1.0, right = size[2] - 1.0;
	y = y < 0 ? 0 : y > top ? top : y;
	x = x < 0 ? 0 : x > right ? right : x;
	const size_t y0 = (size_t)y, x0 = (size_t)x, y1 = y0 + (y0 + 1 < size[1]),
		     x1 = x0 + (x0 + 1 < size[2]);
	const float fy = (float)(y - (double)y0), fx = (float)(x - (double)x0);
	const float *low = slice + y0 * size[2], *high = slice + y1 * size[2];
	return (1 - fy) * ((1 - fx) * low[x0] + fx * low[x1]) + fy * ((1 - fx) * high[x0] + fx * high[x1]);
}

void rs_augment(const struct rs_augmentation *augmentation, const struct rs_shape *shape, const float *image,
                struct rs_stream *stream, float *out)
{
	const struct change by = change_draw(augmentation, stream);
	const double middle_y = (shape->size[1] - 1.0) / 2, middle_x = (shape->size[2] - 1.0) / 2;
	const size_t slice = (size_t)shape->size[1] * shape->size[2],
		     slices = shape->channels * (size_t)shape->size[0];
	for (size_t s = 0; s < slices; s++)
		for (uint32_t y = 0; y < shape->size[1]; y++)
			for (uint32_t x = 0; x < shape->size[2]; x++) {
				const double dy = y - middle_y, dx = x - middle_x;
				const float value = sample(image + s * slice, shape->size,
				                           by.yx * dx + by.yy * dy + middle_y + by.y,
				                           by.xx * dx + by.xy * dy + middle_x + by.x);
				*out++ = value * by.times + by.plus;
			}
}
