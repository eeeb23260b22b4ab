/* Numbers along an axis that people count in, as few digits as they need (after Heckbert, Nice numbers for graph labels,
 * 1990). */
#include <math.h>
#include <string.h>

#include "svg.h"

/* multiple × mantissa × 10^exponent in decimals; the mantissa is whole. */
static void print_tick(int64_t multiple, int64_t mantissa, int exponent, char out[static 24])
{
	int64_t value = multiple * mantissa;
	bool negative = value < 0;
	uint64_t size = (uint64_t)(negative ? -value : value);
	char digits[48], *end = digits + sizeof digits, *at = end;
	while (exponent < 0 && size % 10 == 0 && size > 0) {
		size /= 10;
		exponent++;
	}
	bool far = exponent < -6 || exponent > 6;
	if (far) {
		double shown = (negative ? -1 : 1) * (double)size * pow(10, exponent);
		struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
		rs_buffer_init(&text, 23);
		rs_buffer_printf(&text, "%.3g", shown);
		memcpy(out, text.data ? (const char *)text.data : "", text.size);
		out[text.size] = '\0';
		return;
	}
	for (int i = exponent; i > 0; i--)
		*--at = '0';
	int decimals = exponent < 0 && size > 0 ? -exponent : 0;
	for (int i = 0; size > 0 || i <= decimals; i++) {
		if (decimals && i == decimals)
			*--at = '.';
		*--at = (char)('0' + size % 10);
		size /= 10;
	}
	if (value == 0)
		at = end - 1;
	if (negative)
		*--at = '-';
	size_t length = (size_t)(end - at);
	memcpy(out, at, length);
	out[length] = '\0';
}

struct step {
	int64_t mantissa;
	int exponent;
	double size;
};

/* Of steps 1, 2, 2.5, 5 times powers of ten the one whose number of ticks is nearest to `want`; of equals the rounder. */
static struct step step_choose(const struct rs_axis *axis, double lower, double upper, size_t want)
{
	static const struct {
		int64_t mantissa;
		int down;
		double cost;
	} kinds[] = {{1, 0, 0}, {5, 0, 0.1}, {2, 0, 0.2}, {25, 1, 0.8}};
	int power = (int)floor(log10((upper - lower) / (double)want));
	struct step best = {1, power, pow(10, power)};
	double best_cost = INFINITY;
	for (int p = power - 1; p <= power + 1; p++)
		for (size_t k = 0; k < RS_COUNT(kinds); k++) {
			struct step step = {kinds[k].mantissa, p - kinds[k].down, 0};
			step.size = (double)step.mantissa * pow(10, step.exponent);
			double first = lower / step.size, last = upper / step.size;
			first = isfinite(axis->lower) ? ceil(first - 1e-9) : floor(first + 1e-9);
			last = isfinite(axis->upper) ? floor(last + 1e-9) : ceil(last - 1e-9);
			double count = last - first + 1;
			double cost = fabs(count - (double)want) + kinds[k].cost;
			if (count <= TICKS_MAX - 2 && cost < best_cost) {
				best = step;
				best_cost = cost;
			}
		}
	return best;
}

void ticks_choose(const struct rs_axis *axis, double data_lower, double data_upper, size_t want,
                  struct ticks *out)
{
	double lower = isfinite(axis->lower) ? axis->lower : data_lower;
	double upper = isfinite(axis->upper) ? axis->upper : data_upper;
	if (!isfinite(lower) || !isfinite(upper) || fabs(lower) > 1e300 || fabs(upper) > 1e300) {
		lower = 0;
		upper = 1;
	}
	if (upper < lower && isfinite(axis->lower)) /* all data lie beyond the end that is given */
		upper = lower;
	else if (upper < lower)
		lower = upper;
	double about = fmax(fabs(lower), fabs(upper));
	if (!(upper - lower > 1e-9 * about && upper - lower > 1e-300)) { /* one value: room around it */
		lower -= about > 0 ? about / 2 : 1;
		upper += about > 0 ? about / 2 : 1;
	}
	struct step step = step_choose(axis, lower, upper, want);
	if (!isfinite(axis->lower))
		lower = floor(lower / step.size + 1e-9) * step.size;
	if (!isfinite(axis->upper))
		upper = ceil(upper / step.size - 1e-9) * step.size;
	*out = (struct ticks){.lower = lower, .upper = upper};
	int64_t first = (int64_t)ceil(lower / step.size - 1e-9),
		last = (int64_t)floor(upper / step.size + 1e-9);
	for (int64_t k = first; k <= last && out->count < TICKS_MAX; k++) {
		out->at[out->count] = (double)k * step.size;
		print_tick(k, step.mantissa, step.exponent, out->text[out->count++]);
	}
}

double frame_x(const struct frame *frame, double x)
{
	return frame->left + frame->width * (x - frame->x.lower) / (frame->x.upper - frame->x.lower);
}

double frame_y(const struct frame *frame, double y)
{
	return frame->top + frame->height * (1 - (y - frame->y.lower) / (frame->y.upper - frame->y.lower));
}

void frame_draw_x(struct rs_buffer *out, const struct frame *frame, const char *label, bool grid)
{
	double bottom = frame->top + frame->height;
	for (size_t i = 0; i < frame->x.count; i++) {
		double x = frame_x(frame, frame->x.at[i]);
		if (grid)
			rs_plot_write(out, "<path class=\"grid\" d=\"M%N %NV%N\"/>\n", x, frame->top, bottom);
		rs_plot_write(
			out,
			"<path class=\"axis\" d=\"M%N %Nv4\"/><text x=\"%N\" y=\"%N\" class=\"mid\">%E</text>\n",
			x, bottom, x, bottom + 17, frame->x.text[i]);
	}
	rs_plot_write(out, "<path class=\"axis\" d=\"M%N %NH%N\"/>\n", frame->left, bottom,
	              frame->left + frame->width);
	rs_plot_write(out, "<text x=\"%N\" y=\"%N\" class=\"mid label\">%E</text>\n",
	              frame->left + frame->width / 2, bottom + 35, label);
}

void frame_draw_y(struct rs_buffer *out, const struct frame *frame, const char *label)
{
	double middle = frame->top + frame->height / 2;
	for (size_t i = 0; i < frame->y.count; i++) {
		double y = frame_y(frame, frame->y.at[i]);
		rs_plot_write(out,
		              "<path class=\"grid\" d=\"M%N %NH%N\"/><path class=\"axis\" d=\"M%N %Nh-4\"/>"
		              "<text x=\"%N\" y=\"%N\" class=\"end\">%E</text>\n",
		              frame->left, y, frame->left + frame->width, frame->left, y, frame->left - 7,
		              y + 4, frame->y.text[i]);
	}
	rs_plot_write(out, "<path class=\"axis\" d=\"M%N %NV%N\"/>\n", frame->left, frame->top,
	              frame->top + frame->height);
	rs_plot_write(
		out,
		"<text x=\"14\" y=\"%N\" transform=\"rotate(-90 14 %N)\" class=\"mid label\">%E</text>\n",
		middle, middle, label);
}

unsigned colour_of(unsigned colour) { return colour == RS_COLOUR_MUTED ? 0 : (colour - 1) % RS_COLOURS + 1; }
