/* What was, by what was said of it. */
#include <assert.h>

#include "svg.h"

#define CELL_WIDTH 110.0
#define CELL_HEIGHT 76.0
#define NAME_MOST 110.0
#define ABOVE 46.0
#define SHADES 8

static void draw_cell(struct rs_buffer *out, uint64_t count, uint64_t all, double x, double y)
{
	double share = all ? (double)count / (double)all : 0;
	int shade = (int)(share * SHADES + 0.5);
	const char *ink = shade > SHADES / 2 ? " on" : "";
	rs_buffer_printf(out, "<rect class=\"q%d\" ", shade);
	rs_plot_write(out, "x=\"%N\" y=\"%N\" width=\"%N\" height=\"%N\"/>\n", x + 1, y + 1, CELL_WIDTH - 2,
	              CELL_HEIGHT - 2);
	rs_buffer_printf(out, "<text class=\"mid big%s\" ", ink);
	rs_plot_write(out, "x=\"%N\" y=\"%N\">", x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2);
	rs_buffer_printf(out, "%llu</text><text class=\"mid%s\" ", (unsigned long long)count, ink);
	rs_plot_write(out, "x=\"%N\" y=\"%N\">", x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2 + 18);
	rs_buffer_printf(out, "%d %%</text>\n", (int)(100 * share + 0.5));
}

void rs_counts_draw(struct rs_buffer *out, const struct rs_counts_chart *chart)
{
	size_t n = chart->size;
	double left = 0;
	assert(n > 0 && n <= RS_COUNTS_MAX);
	for (size_t i = 0; i < n; i++)
		left = text_width(chart->names[i]) > left ? text_width(chart->names[i]) : left;
	left = (left < NAME_MOST ? left : NAME_MOST) + 42;
	double width = left + CELL_WIDTH * (double)n + 12, height = ABOVE + CELL_HEIGHT * (double)n + 10;
	double middle = ABOVE + CELL_HEIGHT * (double)n / 2;
	svg_begin(out, chart->id, chart->title, chart->description, width, height);
	rs_plot_write(out, "<text class=\"mid label\" x=\"%N\" y=\"16\">%E</text>\n",
	              left + CELL_WIDTH * (double)n / 2, chart->column_label);
	rs_plot_write(
		out,
		"<text class=\"mid label\" x=\"14\" y=\"%N\" transform=\"rotate(-90 14 %N)\">%E</text>\n",
		middle, middle, chart->row_label);
	for (size_t r = 0; r < n; r++) {
		char name[NAME_SIZE];
		uint64_t all = 0;
		text_fit(chart->names[r], NAME_MOST, name);
		rs_plot_write(out, "<text class=\"mid\" x=\"%N\" y=\"36\">%E</text>",
		              left + CELL_WIDTH * ((double)r + 0.5), name);
		rs_plot_write(out, "<text class=\"end\" x=\"%N\" y=\"%N\">%E</text>\n", left - 8,
		              ABOVE + CELL_HEIGHT * ((double)r + 0.5) + 4, name);
		for (size_t c = 0; c < n; c++)
			all += chart->counts[r * n + c];
		for (size_t c = 0; c < n; c++)
			draw_cell(out, chart->counts[r * n + c], all, left + CELL_WIDTH * (double)c,
			          ABOVE + CELL_HEIGHT * (double)r);
	}
	svg_end(out);
}
