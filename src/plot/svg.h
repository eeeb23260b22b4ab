/* SVG as text: numbers to hundredths of a pixel, names escaped and cut. */
#ifndef RS_PLOT_SVG_H
#define RS_PLOT_SVG_H

#include "plot/plot.h"

#define NAME_SIZE 256

void svg_begin(struct rs_buffer *out, const char *id, const char *title, const char *description,
               double width, double height);
void svg_end(struct rs_buffer *out);
/* How wide a text is about, at 12 pixels. */
double text_width(const char *text);
/* As much of it as fits, the middle left out. */
void text_fit(const char *text, double width, char out[static NAME_SIZE]);

/* ---- scales ---- */

#define TICKS_MAX 16
struct ticks {
	double lower, upper; /* of the axis */
	size_t count;
	double at[TICKS_MAX];
	char text[TICKS_MAX][24];
};
/* About `want` numbers that end in 1, 2, 2.5 or 5 and zeros. Bounds that are NaN become the data's, moved out to a tick. */
void ticks_choose(const struct rs_axis *axis, double data_lower, double data_upper, size_t want,
                  struct ticks *out);
struct frame {
	double left, top, width, height;
	struct ticks x, y;
};
double frame_x(const struct frame *frame, double x);
double frame_y(const struct frame *frame, double y);
void frame_draw_x(struct rs_buffer *out, const struct frame *frame, const char *label, bool grid);
void frame_draw_y(struct rs_buffer *out, const struct frame *frame, const char *label);
unsigned colour_of(unsigned colour);

void layer_draw(struct rs_buffer *out, const struct frame *frame, const struct rs_chart_layer *layer);
/* How it looks in a legend. */
void layer_key(struct rs_buffer *out, const struct rs_chart_layer *layer, double x, double y);

#endif
