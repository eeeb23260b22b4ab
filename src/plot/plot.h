/* Charts as SVG elements of a page: axes, lines, bands, points, rows with intervals, matrices. Colours are classes, so that
 * rs_plot_style() decides how a page looks light, dark and printed; of any two of the first five nobody's eye takes one for
 * the other (Okabe & Ito 2008). Names are escaped and cut, numbers printed the same everywhere, numbers that are not finite
 * left out. What is written is well-formed XML, with a title and a description for who cannot see it. */
#ifndef RS_PLOT_H
#define RS_PLOT_H

#include "base/base.h"

/* Text of a <style> element. Its variables --ink, --muted, --grid and --paper may be used by the page, too. */
const char *rs_plot_style(void);
/* Text as the content of an element or an attribute: <, >, &, quotes escaped, what XML does not allow replaced. */
void rs_plot_escape(struct rs_buffer *out, const char *text);

/* As printf, for markup: %E a name, escaped; %N a double to hundredths; %F one to thousandths, a dash for NaN; %P a p-value,
 * "p = 0.012" or "p < 0.001"; %Z a size_t. No others. */
void rs_plot_write(struct rs_buffer *out, const char *format, ...);

struct rs_axis {
	const char *label;
	double lower, upper; /* NaN: wide enough for the data */
};
enum rs_mark {
	RS_MARK_LINE,      /* through (x, y) */
	RS_MARK_STEP,      /* y holds until the next x */
	RS_MARK_BAND,      /* between lower and upper at x */
	RS_MARK_STEP_BAND, /* the same, held until the next x */
	RS_MARK_POINTS,    /* at (x, y), with a bar from lower to upper where they are given */
	RS_MARK_TICKS,     /* small upright ones at (x, y): who was seen no longer */
	RS_MARK_BARS,      /* from `lower` to `upper` on the x axis, y high */
};
#define RS_COLOUR_MUTED 0u
#define RS_COLOURS 7u /* 1 to 7; later ones begin again */
struct rs_chart_layer {
	enum rs_mark mark;
	unsigned colour;
	bool dashed;
	const char *name; /* NULL: none */
	size_t count;
	const double *x, *y, *lower, *upper; /* borrowed; those that the mark needs */
};
/* A row below the x axis: at each tick how many of `times` (ascending) are not before it. */
struct rs_risk_row {
	const char *name;
	unsigned colour;
	size_t count;
	const double *times;
	const double *starts; /* since when they are seen, ascending; NULL: from the beginning */
};
enum rs_names {
	RS_NAMES_NONE,
	RS_NAMES_TOP_LEFT,
	RS_NAMES_TOP_RIGHT,
	RS_NAMES_BOTTOM_LEFT,
	RS_NAMES_BOTTOM_RIGHT,
	RS_NAMES_AT_END /* of each line */
};
struct rs_chart {
	const char *id; /* unique in the page; a to z and - */
	const char *title, *description;
	struct rs_axis x, y;
	const struct rs_chart_layer *layers;
	size_t layer_count;
	enum rs_names names;
	bool wide;        /* half as wide again */
	const char *note; /* in a corner that names do not take; NULL: none */
	const struct rs_risk_row *risk;
	size_t risk_count;
};
void rs_chart_draw(struct rs_buffer *out, const struct rs_chart *chart);

/* Things one below the other. */
enum rs_row_mark { RS_ROW_SQUARE, RS_ROW_DIAMOND, RS_ROW_RING, RS_ROW_BAR, RS_ROW_SWARM };
struct rs_row {
	const char *name;
	const char *text; /* at the right; NULL: none */
	enum rs_row_mark mark;
	unsigned colour;
	double value, lower, upper; /* lower and upper NaN: no interval */
	size_t count;               /* of a swarm */
	const double *x, *shade;    /* shade: 0 (low) to 1 (high); NaN: unknown */
};
struct rs_rows_chart {
	const char *id, *title, *description;
	struct rs_axis x;
	double reference;       /* an upright line; NaN: none */
	const char *low, *high; /* what shades mean; NULL: there are none */
	const struct rs_row *rows;
	size_t row_count;
};
void rs_rows_draw(struct rs_buffer *out, const struct rs_rows_chart *chart);

/* Counts of what was by what was said; each row's cells are shaded by their share of the row. */
#define RS_COUNTS_MAX 8
struct rs_counts_chart {
	const char *id, *title, *description;
	const char *row_label, *column_label;
	size_t size; /* at most RS_COUNTS_MAX */
	const char *const *names;
	const uint64_t *counts; /* by row, then column */
};
void rs_counts_draw(struct rs_buffer *out, const struct rs_counts_chart *chart);

#endif
