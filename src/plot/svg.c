/* SVG as text. Numbers go through whole hundredths, so that no library's rounding or locale shows. */
#include "svg.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define FAR 100000.0

static void number(struct rs_buffer *out, double value)
{
	double near = value > FAR ? FAR : value > -FAR ? value : -FAR;
	long hundredths = lround(near * 100);
	unsigned long size = (unsigned long)(hundredths < 0 ? -hundredths : hundredths);
	rs_buffer_printf(out, "%s%lu", hundredths < 0 ? "-" : "", size / 100);
	if (size % 10 != 0)
		rs_buffer_printf(out, ".%02lu", size % 100);
	else if (size % 100 != 0)
		rs_buffer_printf(out, ".%lu", size % 100 / 10);
}

/* Bytes of the code point at `text`, which is valid UTF-8; the point itself. */
static size_t code_point(const char *text, uint32_t *out)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint8_t first = (uint8_t)*text;
	size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t point = first & masks[size];
	for (size_t i = 1; i < size; i++)
		point = point << 6 | ((uint8_t)text[i] & 0x3f);
	*out = point;
	return size;
}

void rs_plot_escape(struct rs_buffer *out, const char *text)
{
	static const struct {
		uint32_t point;
		const char *text;
	} names[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
	if (!rs_utf8_valid(rs_str_from(text))) {
		rs_buffer_append_text(out, "\xef\xbf\xbd");
		return;
	}
	for (uint32_t point; *text;) {
		size_t size = code_point(text, &point);
		const char *instead = NULL;
		for (size_t i = 0; i < RS_COUNT(names); i++)
			if (names[i].point == point)
				instead = names[i].text;
		if ((point < 0x20 && point != '\t' && point != '\n') || (point >= 0x7f && point < 0xa0) ||
		    point == 0xfffe || point == 0xffff || (point >= 0x202a && point <= 0x202e) ||
		    (point >= 0x2066 && point <= 0x2069))
			instead = "\xef\xbf\xbd"; /* not XML, or turns the direction of what follows */
		if (instead)
			rs_buffer_append_text(out, instead);
		else
			rs_buffer_append(out, text, size);
		text += size;
	}
}

static void decimals(struct rs_buffer *out, double value)
{
	if (!isfinite(value) || fabs(value) > 1e12) {
		rs_buffer_append_text(out, "\xe2\x80\x93");
		return;
	}
	long long thousandths = llround(value * 1000);
	unsigned long long size = (unsigned long long)(thousandths < 0 ? -thousandths : thousandths);
	rs_buffer_printf(out, "%s%llu.%03llu", thousandths < 0 ? "-" : "", size / 1000, size % 1000);
}

static void p_value(struct rs_buffer *out, double p)
{
	rs_buffer_append_text(out, p < 0.001 ? "p &lt; " : "p = ");
	decimals(out, p < 0.001 ? 0.001 : p);
}

void rs_plot_write(struct rs_buffer *out, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	for (const char *percent; (percent = strchr(format, '%')) != NULL; format = percent + 2) {
		rs_buffer_append(out, format, (size_t)(percent - format));
		switch (percent[1]) {
		case 'N': number(out, va_arg(arguments, double)); break;
		case 'F': decimals(out, va_arg(arguments, double)); break;
		case 'P': p_value(out, va_arg(arguments, double)); break;
		case 'Z': rs_buffer_printf(out, "%zu", va_arg(arguments, size_t)); break;
		case '%': rs_buffer_append_text(out, "%"); break;
		default: assert(percent[1] == 'E'); rs_plot_escape(out, va_arg(arguments, const char *));
		}
	}
	rs_buffer_append_text(out, format);
	va_end(arguments);
}

void svg_begin(struct rs_buffer *out, const char *id, const char *title, const char *description,
               double width, double height)
{
	assert(strspn(id, "abcdefghijklmnopqrstuvwxyz-0123456789") == strlen(id));
	rs_plot_write(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" aria-labelledby=\"%E-t %E-d\" "
		"viewBox=\"0 0 %N %N\">\n<title id=\"%E-t\">%E</title>\n<desc id=\"%E-d\">%E</desc>\n",
		id, id, width, height, id, title, id, description);
}

void svg_end(struct rs_buffer *out) { rs_buffer_append_text(out, "</svg>\n"); }

static double point_width(uint32_t point)
{
	if (point >= 0x1100)
		return 12;
	if (point >= 0x80)
		return 7.5;
	if (strchr("ijl.,:;'|! I", (int)point))
		return 4;
	if (strchr("()[]{}ftr-/", (int)point))
		return 5;
	if (strchr("mwMW%@", (int)point))
		return 11;
	return point >= 'A' && point <= 'Z' ? 8.6 : 7.5;
}

double text_width(const char *text)
{
	double width = 0;
	if (!rs_utf8_valid(rs_str_from(text)))
		return 12;
	for (uint32_t point; *text; width += point_width(point))
		text += code_point(text, &point);
	return width;
}

void text_fit(const char *text, double width, char out[static NAME_SIZE])
{
	static const char dots[] = "\xe2\x80\xa6";
	size_t size = strlen(text), head = 0, tail = size;
	double used = 8;
	if (!rs_utf8_valid(rs_str_from(text)))
		text = "\xef\xbf\xbd", size = tail = 3;
	if (size < NAME_SIZE && text_width(text) <= width) {
		memcpy(out, text, size + 1);
		return;
	}
	/* One from the front, one from the back in turn, as long as they fit. */
	for (uint32_t point;;) {
		size_t last = tail - 1;
		size_t step = code_point(text + head, &point);
		if (used + point_width(point) > width || head + step >= tail || head > NAME_SIZE / 2 - 8)
			break;
		used += point_width(point);
		head += step;
		while (((uint8_t)text[last] & 0xc0) == 0x80)
			last--;
		code_point(text + last, &point);
		if (used + point_width(point) > width || last <= head || size - last > NAME_SIZE / 2 - 8)
			break;
		used += point_width(point);
		tail = last;
	}
	memcpy(out, text, head);
	memcpy(out + head, dots, sizeof dots - 1);
	memcpy(out + head + sizeof dots - 1, text + tail, size - tail + 1);
}
