/* The largest value, or the mean, of windows or of whole planes. Outputs are made row by row, so that the values of a row
 * go side by side. */
#include <string.h>

#include "pass.h"

/* Windows of a plane; all of it where the kernel is 0. */
struct windows {
	const struct rs_shape *in, *out;
	uint32_t kernel[3], stride[3], taps;
};

static struct windows windows_of(const struct rs_layer *layer, const struct rs_shape *in,
                                 const struct rs_shape *out)
{
	struct windows windows = {.in = in, .out = out, .taps = 1};
	for (int a = 0; a < 3; a++) {
		windows.kernel[a] = layer->kernel[a] ? layer->kernel[a] : in->size[a];
		windows.stride[a] = layer->kernel[a] ? layer->stride[a] : 1;
		windows.taps *= windows.kernel[a];
	}
	return windows;
}

static enum rs_code shape(const struct rs_layer *layer, const struct rs_shape *in,
                          const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	const struct windows windows = windows_of(layer, in, in);
	(void)also;
	out->channels = in->channels;
	for (int a = 0; a < 3; a++) {
		if (windows.stride[a] < 1 || windows.kernel[a] > in->size[a])
			return rs_error_set(
				err, RS_USAGE,
				"windows are at least 1 apart, and not larger than what they are of");
		out->size[a] = (in->size[a] - windows.kernel[a]) / windows.stride[a] + 1;
	}
	return RS_OK;
}

static void sizes(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
                  bool training, struct layer_sizes *sizes)
{
	(void)layer;
	(void)in;
	(void)training;
	sizes->scratch = out->size[2];
}

/* What the windows of an output row see at one place in them. */
struct seen {
	size_t at, row;     /* in the input plane; in the output plane */
	size_t step, width; /* between outputs; outputs */
	bool first, last;   /* of the places */
	float share;        /* 1 / places */
};
typedef void seen_work(const struct stage *stage, const struct seen *seen, size_t from, size_t to,
                       float *scratch);

/* Inlined, so that the work is. */
static inline __attribute__((always_inline)) void each_seen(const struct stage *stage, size_t plane,
                                                            float *scratch, seen_work *work)
{
	const struct windows w = windows_of(stage->layer, stage->in, stage->out);
	const size_t height = w.in->size[1], width = w.in->size[2];
	const size_t from = plane * rs_shape_positions(w.in), to = plane * rs_shape_positions(w.out);
	struct seen seen = {.step = w.stride[2], .width = w.out->size[2], .share = 1 / (float)w.taps};
	for (size_t z = 0; z < w.out->size[0]; z++)
		for (size_t y = 0; y < w.out->size[1]; y++, seen.row += seen.width) {
			uint32_t tap = 0;
			for (size_t kz = z * w.stride[0]; kz < z * w.stride[0] + w.kernel[0]; kz++)
				for (size_t ky = y * w.stride[1]; ky < y * w.stride[1] + w.kernel[1]; ky++)
					for (size_t kx = 0; kx < w.kernel[2]; kx++, tap++) {
						seen.at = (kz * height + ky) * width + kx;
						seen.first = tap == 0;
						seen.last = tap + 1 == w.taps;
						work(stage, &seen, from, to, scratch);
					}
		}
}

static inline void maximum_seen(const struct stage *stage, const struct seen *seen, size_t from, size_t to,
                                float *scratch)
{
	const float *restrict x = stage->x + from + seen->at;
	float *restrict y = stage->y + to + seen->row;
	(void)scratch;
	if (seen->first)
		for (size_t k = 0; k < seen->width; k++)
			y[k] = x[k * seen->step];
	else
		for (size_t k = 0; k < seen->width; k++)
			y[k] = x[k * seen->step] > y[k] ? x[k * seen->step] : y[k];
}

/* The slope goes to the first that is the largest. */
static inline void maximum_seen_back(const struct stage *stage, const struct seen *seen, size_t from,
                                     size_t to, float *slopes)
{
	const float *x = stage->x + from + seen->at, *y = stage->y + to + seen->row;
	float *restrict dx = stage->dx + from + seen->at;
	if (seen->first)
		memcpy(slopes, stage->dy + to + seen->row, seen->width * sizeof *slopes);
	for (size_t k = 0; k < seen->width; k++) {
		const bool is_largest = x[k * seen->step] >= y[k];
		dx[k * seen->step] += is_largest ? slopes[k] : 0;
		slopes[k] = is_largest ? 0 : slopes[k];
	}
}

static inline void average_seen(const struct stage *stage, const struct seen *seen, size_t from, size_t to,
                                float *scratch)
{
	const float *restrict x = stage->x + from + seen->at;
	float *restrict y = stage->y + to + seen->row;
	(void)scratch;
	for (size_t k = 0; k < seen->width; k++)
		y[k] = seen->first ? x[k * seen->step] : y[k] + x[k * seen->step];
	for (size_t k = 0; seen->last && k < seen->width; k++)
		y[k] *= seen->share;
}

static inline void average_seen_back(const struct stage *stage, const struct seen *seen, size_t from,
                                     size_t to, float *scratch)
{
	const float *restrict dy = stage->dy + to + seen->row;
	float *restrict dx = stage->dx + from + seen->at;
	(void)scratch;
	for (size_t k = 0; k < seen->width; k++)
		dx[k * seen->step] += dy[k] * seen->share;
}

static void maximum_plane(const struct stage *stage, size_t plane, float *scratch)
{
	each_seen(stage, plane, scratch, maximum_seen);
}

static void maximum_back(const struct stage *stage, size_t plane, float *scratch)
{
	each_seen(stage, plane, scratch, maximum_seen_back);
}

static void average_plane(const struct stage *stage, size_t plane, float *scratch)
{
	each_seen(stage, plane, scratch, average_seen);
}

static void average_back(const struct stage *stage, size_t plane, float *scratch)
{
	each_seen(stage, plane, scratch, average_seen_back);
}

static size_t planes_of(const struct stage *stage) { return stage->pass->batch * stage->in->channels; }

static enum rs_code maximum_forward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, planes_of(stage), maximum_plane, err);
}

static enum rs_code maximum_backward(const struct stage *stage, struct rs_error *err)
{
	return stage->dx ? stage_for(stage, planes_of(stage), maximum_back, err) : RS_OK;
}

static enum rs_code average_forward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, planes_of(stage), average_plane, err);
}

static enum rs_code average_backward(const struct stage *stage, struct rs_error *err)
{
	return stage->dx ? stage_for(stage, planes_of(stage), average_back, err) : RS_OK;
}

const struct layer_kind layer_maximum = {"maximum", shape, sizes, maximum_forward, maximum_backward};
const struct layer_kind layer_average = {"mean", shape, sizes, average_forward, average_backward};
