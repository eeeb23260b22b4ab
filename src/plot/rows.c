/* Things one below the other: intervals (a forest plot), bars, swarms of points. */
#include <math.h>
#include <stdlib.h>

#include "svg.h"

#define WIDTH 720.0
#define TOP 10.0
#define BELOW_AXIS 46.0
#define NAME_MOST 300.0
#define LINE 26.0
#define SWARM_LINE 30.0
#define SHADES 8
#define SHADE_UNKNOWN 9

static double line_height(const struct rs_rows_chart *chart)
{
	return chart->row_count && chart->rows[0].mark == RS_ROW_SWARM ? SWARM_LINE : LINE;
}

static void choose(const struct rs_rows_chart *chart, struct frame *out)
{
	double range[2] = {INFINITY, -INFINITY}, names = 0, texts = 0;
	for (size_t r = 0; r < chart->row_count; r++) {
		const struct rs_row *row = &chart->rows[r];
		const double values[] = {row->value, row->lower, row->upper,
		                         row->mark == RS_ROW_BAR ? 0 : NAN};
		const double *all = row->mark == RS_ROW_SWARM ? row->x : values;
		size_t count = row->mark == RS_ROW_SWARM ? row->count : RS_COUNT(values);
		for (size_t i = 0; i < count; i++)
			if (isfinite(all[i])) {
				range[0] = fmin(range[0], all[i]);
				range[1] = fmax(range[1], all[i]);
			}
		names = fmax(names, fmin(text_width(row->name), NAME_MOST));
		if (row->text)
			texts = fmax(texts, text_width(row->text));
	}
	*out = (struct frame){.left = names + 22, .top = TOP};
	out->width = fmax(WIDTH - out->left - (texts > 0 ? texts + 24 : 24), 120);
	out->height = line_height(chart) * (double)chart->row_count;
	ticks_choose(&chart->x, range[0], range[1], 6, &out->x);
	out->y = (struct ticks){.lower = 0, .upper = 1};
}

static double within(const struct frame *frame, double x)
{
	return frame_x(frame, fmin(fmax(x, frame->x.lower), frame->x.upper));
}

static void draw_mark(struct rs_buffer *out, const struct frame *frame, const struct rs_row *row, double y)
{
	unsigned colour = colour_of(row->colour);
	if (!isfinite(row->value))
		return;
	double x = within(frame, row->value), ground = within(frame, 0);
	if (row->mark == RS_ROW_BAR) {
		rs_buffer_printf(out, "<path class=\"bars f%u\" d=\"", colour);
		rs_plot_write(out, "M%N %NH%Nv16H%NZ\"/>\n", ground, y - 8, x, ground);
	}
	if (isfinite(row->lower) && isfinite(row->upper)) {
		rs_buffer_printf(out, "<path class=\"whisker s%u\" d=\"",
		                 row->mark == RS_ROW_BAR ? 0 : colour);
		rs_plot_write(out, "M%N %NH%N\"/>\n", within(frame, row->lower), y,
		              within(frame, row->upper));
	}
	if (row->mark == RS_ROW_RING) {
		rs_buffer_printf(out, "<circle class=\"ring s%u\" ", colour);
		rs_plot_write(out, "cx=\"%N\" cy=\"%N\" r=\"4.5\"/>\n", x, y);
	} else if (row->mark != RS_ROW_BAR) {
		bool square = row->mark == RS_ROW_SQUARE;
		rs_buffer_printf(out, "<path class=\"point f%u\" d=\"", colour);
		rs_plot_write(out, square ? "M%N %Nh10v10h-10Z\"/>\n" : "M%N %Nl6 6l-6 6l-6-6Z\"/>\n",
		              square ? x - 5 : x, square ? y - 5 : y - 6);
	}
}

struct bee {
	double x;
	size_t index;
};
static int by_x(const void *a, const void *b)
{
	const struct bee *p = a, *q = b;
	return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->index > q->index) - (p->index < q->index);
}

/* Points that would touch lie in turn above and below each other, as far as the row is high. */
static void draw_swarm(struct rs_buffer *out, const struct frame *frame, const struct rs_row *row, double y)
{
	struct bee *bees RS_CLEANUP(rs_free_pointer) = rs_allocate_array(row->count, sizeof *bees);
	size_t count = 0, beside = 0;
	if (!bees) { /* as with the buffer's own memory: remembered, told by who asks it */
		out->failed = RS_NO_MEMORY;
		return;
	}
	for (size_t i = 0; i < row->count; i++)
		if (isfinite(row->x[i]))
			bees[count++] = (struct bee){within(frame, row->x[i]), i};
	qsort(bees, count, sizeof *bees, by_x);
	double column = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		beside = bees[i].x - column < 3.5 ? beside + 1 : 0;
		if (beside == 0)
			column = bees[i].x;
		double shade = row->shade ? row->shade[bees[i].index] : NAN,
		       step = (double)((beside + 1) / 2) * 2.6;
		double off = fmod(step, SWARM_LINE / 2 - 3) * (beside % 2 ? -1 : 1);
		int kind = isfinite(shade) ? (int)lround(fmin(fmax(shade, 0), 1) * SHADES) : SHADE_UNKNOWN;
		rs_buffer_printf(out, "<circle class=\"h%d\" ", kind);
		rs_plot_write(out, "cx=\"%N\" cy=\"%N\" r=\"2.2\"/>\n", bees[i].x, y + off);
	}
}

static void draw_shades(struct rs_buffer *out, const struct rs_rows_chart *chart, double y)
{
	double at = WIDTH / 2 - 60, width = 120.0 / (SHADES + 1);
	rs_plot_write(out, "<text class=\"end\" x=\"%N\" y=\"%N\">%E</text>", at - 8, y + 9, chart->low);
	for (int i = 0; i <= SHADES; i++) {
		rs_buffer_printf(out, "<rect class=\"h%d\" ", i);
		rs_plot_write(out, "x=\"%N\" y=\"%N\" width=\"%N\" height=\"10\"/>", at + width * i, y,
		              width + 0.3);
	}
	rs_plot_write(out, "<text x=\"%N\" y=\"%N\">%E</text>\n", at + 128, y + 9, chart->high);
}

void rs_rows_draw(struct rs_buffer *out, const struct rs_rows_chart *chart)
{
	struct frame frame;
	choose(chart, &frame);
	double bottom = frame.top + frame.height, height = bottom + BELOW_AXIS + (chart->low ? 22 : 0);
	svg_begin(out, chart->id, chart->title, chart->description, WIDTH, height);
	frame_draw_x(out, &frame, chart->x.label, true);
	if (isfinite(chart->reference))
		rs_plot_write(out, "<path class=\"line s0 dashed\" d=\"M%N %NV%N\"/>\n",
		              within(&frame, chart->reference), frame.top, bottom);
	for (size_t r = 0; r < chart->row_count; r++) {
		const struct rs_row *row = &chart->rows[r];
		double y = frame.top + line_height(chart) * ((double)r + 0.5);
		char name[NAME_SIZE];
		text_fit(row->name, NAME_MOST, name);
		rs_plot_write(out, "<text class=\"end\" x=\"%N\" y=\"%N\"><title>%E</title>%E</text>\n",
		              frame.left - 10, y + 4, row->name, name);
		if (row->mark == RS_ROW_SWARM)
			draw_swarm(out, &frame, row, y);
		else
			draw_mark(out, &frame, row, y);
		if (row->text)
			rs_plot_write(out, "<text x=\"%N\" y=\"%N\">%E</text>\n",
			              frame.left + frame.width + 14, y + 4, row->text);
	}
	if (chart->low)
		draw_shades(out, chart, bottom + BELOW_AXIS);
	svg_end(out);
}
