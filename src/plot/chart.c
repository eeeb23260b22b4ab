/* A chart of two axes: where its parts lie, its names, numbers at risk below it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svg.h"

#define WIDTH 480.0
#define WIDE 720.0
#define HEIGHT 410.0
#define TOP 12.0
#define RIGHT 18.0
#define BELOW_AXIS 46.0
#define AREA_LEAST 190.0
#define RISK_LINE 17.0
#define NAME_LINE 18.0
#define NAMES_MAX 16

static void widen(double range[2], const double *values, size_t count)
{
	for (size_t i = 0; values && i < count; i++)
		if (isfinite(values[i])) {
			range[0] = fmin(range[0], values[i]);
			range[1] = fmax(range[1], values[i]);
		}
}

static void choose_axes(const struct rs_chart *chart, struct frame *frame)
{
	double x[2] = {INFINITY, -INFINITY}, y[2] = {INFINITY, -INFINITY};
	for (size_t l = 0; l < chart->layer_count; l++) {
		const struct rs_chart_layer *layer = &chart->layers[l];
		bool bars = layer->mark == RS_MARK_BARS;
		widen(x, bars ? layer->lower : layer->x, layer->count);
		widen(x, bars ? layer->upper : layer->x, layer->count);
		widen(y, layer->y, layer->count);
		if (bars)
			widen(y, &(double){0}, 1);
		else
			widen(y, layer->lower, layer->count), widen(y, layer->upper, layer->count);
	}
	ticks_choose(&chart->x, x[0], x[1], 6, &frame->x);
	ticks_choose(&chart->y, y[0], y[1], 6, &frame->y);
}

static double widest_name(const struct rs_chart *chart, double most)
{
	double width = 0;
	for (size_t l = 0; l < chart->layer_count; l++)
		if (chart->layers[l].name)
			width = fmax(width, text_width(chart->layers[l].name));
	return fmin(width, most);
}

static void lay_out(const struct rs_chart *chart, struct frame *out, double *out_height)
{
	double left = 0, right = RIGHT, below = BELOW_AXIS;
	for (size_t i = 0; i < out->y.count; i++)
		left = fmax(left, text_width(out->y.text[i]));
	left += 34;
	for (size_t r = 0; r < chart->risk_count; r++)
		left = fmax(left, fmin(text_width(chart->risk[r].name), 110) + 20);
	if (chart->names == RS_NAMES_AT_END)
		right = widest_name(chart, 130) + 14;
	if (chart->risk_count)
		below += RISK_LINE * (double)(chart->risk_count + 1) + 4;
	out->left = left;
	out->top = TOP;
	out->width = (chart->wide ? WIDE : WIDTH) - left - right;
	out->height = fmax(HEIGHT - TOP - below, AREA_LEAST);
	*out_height = TOP + out->height + below;
}

static void draw_box(struct rs_buffer *out, const struct rs_chart *chart, const struct frame *frame)
{
	double most = frame->width - 60, width = widest_name(chart, most) + 40;
	size_t count = 0;
	for (size_t l = 0; l < chart->layer_count; l++)
		count += chart->layers[l].name != NULL;
	double height = (double)count * NAME_LINE + 8;
	bool right = chart->names == RS_NAMES_TOP_RIGHT || chart->names == RS_NAMES_BOTTOM_RIGHT;
	bool bottom = chart->names == RS_NAMES_BOTTOM_LEFT || chart->names == RS_NAMES_BOTTOM_RIGHT;
	double x = right ? frame->left + frame->width - width - 6 : frame->left + 8;
	double y = bottom ? frame->top + frame->height - height - 8 : frame->top + 6;
	if (count == 0)
		return;
	rs_plot_write(out, "<rect class=\"box\" x=\"%N\" y=\"%N\" width=\"%N\" height=\"%N\" rx=\"3\"/>\n", x,
	              y, width, height);
	/* By colour, those without one last: the order in which they matter, not that in which they are drawn. */
	for (unsigned colour = 1, line = 0; colour <= RS_COLOURS + 1; colour++)
		for (size_t l = 0; l < chart->layer_count; l++) {
			char name[NAME_SIZE];
			const struct rs_chart_layer *layer = &chart->layers[l];
			if (!layer->name || colour_of(layer->colour) != colour % (RS_COLOURS + 1))
				continue;
			double at = y + 13 + NAME_LINE * (double)line++;
			text_fit(layer->name, most, name);
			layer_key(out, layer, x + 6, at);
			rs_plot_write(out, "<text x=\"%N\" y=\"%N\">%E</text>\n", x + 33, at + 4, name);
		}
}

struct end {
	const struct rs_chart_layer *layer;
	double y;
};
static int by_height(const void *a, const void *b)
{
	const struct end *x = a, *y = b;
	return x->y != y->y ? (x->y > y->y) - (x->y < y->y) : (x->layer > y->layer) - (x->layer < y->layer);
}

/* Beside where lines end, moved apart: down from the top, then up from the bottom. */
static void draw_ends(struct rs_buffer *out, const struct rs_chart *chart, const struct frame *frame)
{
	struct end ends[NAMES_MAX];
	size_t count = 0;
	double least = 15, bottom = frame->top + frame->height;
	for (size_t l = 0; l < chart->layer_count && count < NAMES_MAX; l++) {
		const struct rs_chart_layer *layer = &chart->layers[l];
		size_t last = layer->count;
		while (layer->name && last > 0 && !isfinite(layer->y[last - 1]))
			last--;
		if (layer->name && last > 0)
			ends[count++] = (struct end){layer, frame_y(frame, layer->y[last - 1])};
	}
	qsort(ends, count, sizeof *ends, by_height);
	for (size_t i = 1; i < count; i++)
		ends[i].y = fmax(ends[i].y, ends[i - 1].y + least);
	for (size_t i = count; i-- > 0;)
		ends[i].y = fmin(ends[i].y, i + 1 < count ? ends[i + 1].y - least : bottom);
	for (size_t i = 0; i < count; i++) {
		char name[NAME_SIZE];
		text_fit(ends[i].layer->name, 130, name);
		rs_buffer_printf(out, "<text class=\"t%u\" ", colour_of(ends[i].layer->colour));
		rs_plot_write(out, "x=\"%N\" y=\"%N\">%E</text>\n", frame->left + frame->width + 6,
		              ends[i].y + 4, name);
	}
}

/* Where curves leave room: rising ones at the upper left, those that end low at the upper right, others at the lower left. */
static enum rs_names free_corner(const struct rs_chart *chart, const struct frame *frame)
{
	double middle = 0.5 * (frame->y.lower + frame->y.upper), lowest = INFINITY, first = INFINITY;
	for (size_t l = 0; l < chart->layer_count; l++) {
		const struct rs_chart_layer *layer = &chart->layers[l];
		if (!layer->name || !layer->y || !layer->count)
			continue;
		lowest = fmin(lowest, layer->y[layer->count - 1]);
		first = fmin(first, layer->y[0]);
	}
	return first < middle    ? RS_NAMES_TOP_LEFT
	       : lowest < middle ? RS_NAMES_TOP_RIGHT
	                         : RS_NAMES_BOTTOM_LEFT;
}

static void draw_note(struct rs_buffer *out, const struct rs_chart *chart, const struct frame *frame)
{
	static const enum rs_names across[] = {
		[RS_NAMES_NONE] = RS_NAMES_TOP_LEFT,         [RS_NAMES_TOP_LEFT] = RS_NAMES_BOTTOM_RIGHT,
		[RS_NAMES_TOP_RIGHT] = RS_NAMES_BOTTOM_LEFT, [RS_NAMES_BOTTOM_LEFT] = RS_NAMES_TOP_RIGHT,
		[RS_NAMES_BOTTOM_RIGHT] = RS_NAMES_TOP_LEFT,
	};
	enum rs_names corner = chart->names == RS_NAMES_AT_END ? free_corner(chart, frame)
	                                                       : across[chart->names];
	bool right = corner == RS_NAMES_TOP_RIGHT || corner == RS_NAMES_BOTTOM_RIGHT;
	bool top = corner == RS_NAMES_TOP_RIGHT || corner == RS_NAMES_TOP_LEFT;
	double x = right ? frame->left + frame->width - 8 : frame->left + 10;
	double y = top ? frame->top + 16 : frame->top + frame->height - 10;
	rs_plot_write(out,
	              right ? "<text class=\"end\" x=\"%N\" y=\"%N\">%E</text>\n"
	                    : "<text x=\"%N\" y=\"%N\">%E</text>\n",
	              x, y, chart->note);
}

/* How many of the ascending values are not before `time`. */
static size_t not_before(const double *values, size_t count, double time)
{
	size_t lower = 0, upper = count;
	while (lower < upper) {
		size_t middle = lower + (upper - lower) / 2;
		if (values[middle] < time)
			lower = middle + 1;
		else
			upper = middle;
	}
	return count - lower;
}

/* Who comes at a time is seen after it; who comes first of all, from then on. */
static size_t at_risk(const struct rs_risk_row *row, double time)
{
	size_t left = not_before(row->times, row->count, time);
	if (!row->starts || row->count == 0)
		return left;
	return left -
	       not_before(row->starts, row->count, time > row->starts[0] ? time : nextafter(time, INFINITY));
}

static void draw_risk(struct rs_buffer *out, const struct rs_chart *chart, const struct frame *frame)
{
	double y = frame->top + frame->height + BELOW_AXIS + 10;
	rs_plot_write(out, "<text x=\"8\" y=\"%N\" class=\"label\">Number at risk</text>\n", y);
	for (size_t r = 0; r < chart->risk_count; r++) {
		const struct rs_risk_row *row = &chart->risk[r];
		char name[NAME_SIZE];
		y += RISK_LINE;
		text_fit(row->name, 110, name);
		rs_buffer_printf(out, "<text class=\"t%u\" ", colour_of(row->colour));
		rs_plot_write(out, "x=\"8\" y=\"%N\">%E</text>", y, name);
		for (size_t i = 0; i < frame->x.count; i++) {
			rs_plot_write(out, "<text class=\"mid\" x=\"%N\" y=\"%N\">",
			              frame_x(frame, frame->x.at[i]), y);
			rs_buffer_printf(out, "%zu</text>", at_risk(row, frame->x.at[i]));
		}
		rs_plot_write(out, "\n");
	}
}

void rs_chart_draw(struct rs_buffer *out, const struct rs_chart *chart)
{
	struct frame frame;
	double height;
	choose_axes(chart, &frame);
	lay_out(chart, &frame, &height);
	svg_begin(out, chart->id, chart->title, chart->description, chart->wide ? WIDE : WIDTH, height);
	rs_plot_write(out, "<clipPath id=\"%E-c\"><path d=\"M%N %Nh%Nv%Nh%NZ\"/></clipPath>\n", chart->id,
	              frame.left - 3, frame.top - 3, frame.width + 6, frame.height + 6, -frame.width - 6);
	frame_draw_y(out, &frame, chart->y.label);
	frame_draw_x(out, &frame, chart->x.label, true);
	rs_plot_write(out, "<g clip-path=\"url(#%E-c)\">\n", chart->id);
	for (size_t l = 0; l < chart->layer_count; l++)
		layer_draw(out, &frame, &chart->layers[l]);
	rs_plot_write(out, "</g>\n");
	if (chart->names == RS_NAMES_AT_END)
		draw_ends(out, chart, &frame);
	else if (chart->names != RS_NAMES_NONE)
		draw_box(out, chart, &frame);
	if (chart->note)
		draw_note(out, chart, &frame);
	if (chart->risk_count)
		draw_risk(out, chart, &frame);
	svg_end(out);
}
