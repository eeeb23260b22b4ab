/* What a chart shows. Points nearer than a third of a pixel to the last one drawn are left out: a curve of a million
 * subjects is as long as one of a thousand. */
#include <math.h>

#include "svg.h"

#define NEAR 0.33

struct pen {
	struct rs_buffer *out;
	double x, y;
	bool down;
};

static void pen_move(struct pen *pen, double x, double y, bool must)
{
	if (pen->down && !must && fabs(x - pen->x) < NEAR && fabs(y - pen->y) < NEAR)
		return;
	rs_plot_write(pen->out, pen->down ? "L%N %N" : "M%N %N", x, y);
	pen->x = x;
	pen->y = y;
	pen->down = true;
}

static bool finite_at(const struct rs_chart_layer *layer, size_t i)
{
	bool band = layer->mark == RS_MARK_BAND || layer->mark == RS_MARK_STEP_BAND;
	return isfinite(layer->x[i]) &&
	       (band ? isfinite(layer->lower[i]) && isfinite(layer->upper[i]) : isfinite(layer->y[i]));
}

/* The first index from `from` on whose numbers are finite, or not. */
static size_t run_end(const struct rs_chart_layer *layer, size_t from, bool finite)
{
	while (from < layer->count && finite_at(layer, from) == finite)
		from++;
	return from;
}

/* Along `y` from a to b, or back. */
static void trace(struct pen *pen, const struct frame *frame, const struct rs_chart_layer *layer,
                  const double *y, size_t a, size_t b, bool back)
{
	bool step = layer->mark == RS_MARK_STEP || layer->mark == RS_MARK_STEP_BAND;
	for (size_t k = a; k < b; k++) {
		size_t i = back ? b - 1 - (k - a) : k;
		double height = frame_y(frame, y[i]), from = frame_x(frame, layer->x[i]);
		size_t next = i + 1 < layer->count && isfinite(layer->x[i + 1]) ? i + 1 : i;
		double to = step ? frame_x(frame, layer->x[next]) : from;
		pen_move(pen, back ? to : from, height, k == a);
		if (step)
			pen_move(pen, back ? from : to, height, false);
		if (k + 1 == b)
			pen_move(pen, back || !step ? from : to, height, true);
	}
}

static void draw_line(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	rs_plot_write(out, "<path class=\"line ");
	rs_buffer_printf(out, "s%u%s\" d=\"", colour_of(layer->colour), layer->dashed ? " dashed" : "");
	for (size_t a = run_end(layer, 0, false), b; a < layer->count; a = run_end(layer, b, false)) {
		struct pen pen = {.out = out};
		b = run_end(layer, a, true);
		trace(&pen, frame, layer, layer->y, a, b, false);
	}
	rs_plot_write(out, "\"/>\n");
}

static void draw_band(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	rs_buffer_printf(out, "<path class=\"band f%u\" d=\"", colour_of(layer->colour));
	for (size_t a = run_end(layer, 0, false), b; a < layer->count; a = run_end(layer, b, false)) {
		struct pen pen = {.out = out};
		b = run_end(layer, a, true);
		trace(&pen, frame, layer, layer->upper, a, b, false);
		trace(&pen, frame, layer, layer->lower, a, b, true);
		rs_plot_write(out, "Z");
	}
	rs_plot_write(out, "\"/>\n");
}

static void draw_points(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	unsigned colour = colour_of(layer->colour);
	for (size_t i = 0; i < layer->count; i++) {
		if (!isfinite(layer->x[i]) || !isfinite(layer->y[i]))
			continue;
		double x = frame_x(frame, layer->x[i]), y = frame_y(frame, layer->y[i]);
		if (layer->lower && isfinite(layer->lower[i]) && isfinite(layer->upper[i])) {
			rs_buffer_printf(out, "<path class=\"whisker s%u\" d=\"", colour);
			rs_plot_write(out, "M%N %NV%N\"/>", x, frame_y(frame, layer->lower[i]),
			              frame_y(frame, layer->upper[i]));
		}
		rs_buffer_printf(out, "<circle class=\"point f%u\" ", colour);
		rs_plot_write(out, "cx=\"%N\" cy=\"%N\" r=\"4\"/>\n", x, y);
	}
}

static void draw_ticks(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	rs_buffer_printf(out, "<path class=\"whisker s%u\" d=\"", colour_of(layer->colour));
	double last = -INFINITY;
	for (size_t i = 0; i < layer->count; i++) {
		double x = frame_x(frame, layer->x[i]);
		if (!finite_at(layer, i) || fabs(x - last) < NEAR)
			continue;
		rs_plot_write(out, "M%N %Nv7", x, frame_y(frame, layer->y[i]) - 3.5);
		last = x;
	}
	rs_plot_write(out, "\"/>\n");
}

static void draw_bars(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	double ground = frame_y(frame, fmax(0, frame->y.lower));
	rs_buffer_printf(out, "<path class=\"bars f%u\" d=\"", colour_of(layer->colour));
	for (size_t i = 0; i < layer->count; i++)
		if (isfinite(layer->y[i]) && isfinite(layer->lower[i]) && isfinite(layer->upper[i])) {
			double left = frame_x(frame, layer->lower[i]),
			       right = frame_x(frame, layer->upper[i]);
			rs_plot_write(out, "M%N %NV%NH%NV%NZ", left + 0.5, ground,
			              frame_y(frame, layer->y[i]), fmax(right - 0.5, left + 0.6), ground);
		}
	rs_plot_write(out, "\"/>\n");
}

void layer_draw(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer)
{
	typedef void draw(struct rs_buffer *, const struct frame *, const struct rs_chart_layer *);
	static draw *const by_mark[] = {
		[RS_MARK_LINE] = draw_line,      [RS_MARK_STEP] = draw_line,     [RS_MARK_BAND] = draw_band,
		[RS_MARK_STEP_BAND] = draw_band, [RS_MARK_POINTS] = draw_points, [RS_MARK_TICKS] = draw_ticks,
		[RS_MARK_BARS] = draw_bars,
	};
	by_mark[layer->mark](out, frame, layer);
}

void layer_key(struct rs_buffer *out, const struct rs_chart_layer *layer, double x, double y)
{
	unsigned colour = colour_of(layer->colour);
	bool band = layer->mark == RS_MARK_BAND || layer->mark == RS_MARK_STEP_BAND;
	if (layer->mark == RS_MARK_POINTS) {
		rs_buffer_printf(out, "<circle class=\"point f%u\" ", colour);
		rs_plot_write(out, "cx=\"%N\" cy=\"%N\" r=\"4\"/>", x + 10, y);
	} else if (band || layer->mark == RS_MARK_BARS) {
		rs_buffer_printf(out, "<path class=\"%s f%u\" d=\"", band ? "band" : "bars", colour);
		rs_plot_write(out, "M%N %Nh20v10h-20Z\"/>", x, y - 5);
	} else {
		rs_buffer_printf(out, "<path class=\"line s%u%s\" d=\"", colour,
		                 layer->dashed ? " dashed" : "");
		rs_plot_write(out, "M%N %Nh20\"/>", x, y);
	}
}
