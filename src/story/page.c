/* The page that tells the story again, with pictures. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <math.h>
#include <string.h>

#include "crypto/crypto.h"
#include "image/image.h"
#include "image/image_picture.h"
#include "plot/plot.h"
#include "report/report.h"
#include "teller.h"

#define SCALE 4 /* pixels a voxel */
#define PNG_SIZE_MAX ((size_t)16 << 20)
#define REPORT_SIZE_MAX ((size_t)64 << 20)

/* The slice with most of the region. */
static size_t fullest_slice(const struct rs_mask *mask)
{
	size_t plane = mask->geometry.size[0] * mask->geometry.size[1], best = 0, most = 0;
	for (size_t z = 0; z < mask->geometry.size[2]; z++) {
		size_t count = 0;
		for (size_t i = 0; i < plane; i++)
			count += mask->labels[z * plane + i] != 0;
		if (count > most) {
			most = count;
			best = z;
		}
	}
	return best;
}

static void window_of(const double *values, size_t count, double *low, double *high)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++) {
		sum += values[i];
		squares += values[i] * values[i];
	}
	double mean = sum / (double)count, spread = sqrt(fmax(0, squares / (double)count - mean * mean));
	*low = mean - 2 * spread;
	*high = fmax(mean + 2.5 * spread, *low + 1e-12);
}

static bool is_inside(const uint32_t *labels, size_t width, size_t height, size_t x, size_t y)
{
	return x < width && y < height && labels[y * width + x] != 0; /* left of 0 is beyond the width, too */
}

/* Whether this pixel lies at a side of its voxel beyond which the region ends. */
static bool is_border(const uint32_t *labels, size_t width, size_t height, size_t x, size_t y)
{
	size_t vx = x / SCALE, vy = y / SCALE, in_x = x % SCALE, in_y = y % SCALE;
	return is_inside(labels, width, height, vx, vy) &&
	       ((in_x == 0 && !is_inside(labels, width, height, vx - 1, vy)) ||
	        (in_x == SCALE - 1 && !is_inside(labels, width, height, vx + 1, vy)) ||
	        (in_y == 0 && !is_inside(labels, width, height, vx, vy - 1)) ||
	        (in_y == SCALE - 1 && !is_inside(labels, width, height, vx, vy + 1)));
}

/* Grey, with the border of the region in red around its outermost voxels. */
static enum rs_code draw(const struct rs_volume *volume, const struct rs_mask *mask, size_t z,
                         struct rs_buffer *out, struct rs_error *err)
{
	size_t width = volume->geometry.size[0], height = volume->geometry.size[1];
	const double *values = volume->voxels + z * width * height;
	const uint32_t *labels = mask->labels + z * width * height;
	uint8_t *pixels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(width * height,
	                                                                (size_t)3 * SCALE * SCALE);
	double low, high;
	if (!pixels)
		return rs_error_memory(err, width * height * 3 * SCALE * SCALE, "a picture");
	window_of(values, width * height, &low, &high);
	for (size_t y = 0; y < height * SCALE; y++)
		for (size_t x = 0; x < width * SCALE; x++) {
			size_t vx = x / SCALE, vy = y / SCALE;
			double grey = fmin(1, fmax(0, (values[vy * width + vx] - low) / (high - low)));
			bool edge = is_border(labels, width, height, x, y);
			uint8_t *pixel = pixels + 3 * (y * width * SCALE + x);
			pixel[0] = edge ? 255 : (uint8_t)(255 * grey);
			pixel[1] = edge ? 70 : (uint8_t)(255 * grey);
			pixel[2] = edge ? 50 : (uint8_t)(255 * grey);
		}
	return rs_png_write(pixels, 3, width * SCALE, height * SCALE, out, err);
}

static enum rs_code show_slice(struct teller *teller, const char *path, const char *name,
                               const struct rs_mask *mask, size_t z, struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_buffer png RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&png, PNG_SIZE_MAX);
	RS_TRY(rs_volume_read(teller->world, path, &volume, err));
	if (memcmp(volume.geometry.size, mask->geometry.size, sizeof volume.geometry.size) != 0)
		return rs_error_set(err, RS_REFUSED, "%s: lies on another grid than the mask", path);
	RS_TRY(draw(&volume, mask, z, &png, err));
	char *text RS_CLEANUP(rs_free_pointer) = rs_allocate(RS_BASE64_SIZE(png.size));
	if (!text)
		return rs_error_memory(err, png.size, "a picture");
	rs_base64_encode(rs_buffer_bytes(&png), text);
	rs_plot_write(&teller->page,
	              "<figure><h3>%E</h3><img alt=\"%E with the outline of the tumour\" width=\"", name,
	              name);
	rs_buffer_append_text(&teller->page, "100%\" src=\"");
	rs_buffer_append_text(&teller->page, "data:image/png;base64,");
	rs_buffer_append_text(&teller->page, text);
	rs_buffer_append_text(&teller->page, "\"/></figure>\n");
	return RS_OK;
}

enum rs_code show_slices(struct teller *teller, const char *prepared, const char *mask_path,
                         struct rs_error *err)
{
	static const char *const names[] = {"T1", "T2", "ADC", "DCE_wash_in"};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	RS_TRY(rs_mask_read(teller->world, mask_path, &mask, err));
	size_t z = fullest_slice(&mask);
	rs_buffer_append_text(&teller->page, "<div class=\"figures\">\n");
	for (size_t i = 0; i < RS_COUNT(names); i++) {
		char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%s.nii.gz", prepared, names[i]);
		if (!path)
			return rs_error_memory(err, 1, "a path");
		RS_TRY(show_slice(teller, path, names[i], &mask, z, err));
	}
	rs_buffer_append_text(&teller->page, "</div>\n");
	return RS_OK;
}

static bool begins(const char *at, const char *end, const char *title)
{
	static const char heading[] = "<h3>";
	const char *found = memmem(at, (size_t)(end - at), heading, sizeof heading - 1);
	size_t length = strlen(title);
	return found && (size_t)(end - found) > sizeof heading - 1 + length &&
	       memcmp(found + sizeof heading - 1, title, length) == 0;
}

enum rs_code show_figures(struct teller *teller, const char *report, const char *const *titles,
                          struct rs_error *err)
{
	static const char opening[] = "<figure", closing[] = "</figure>";
	struct rs_buffer page RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(teller->world, report, REPORT_SIZE_MAX, &page, err));
	const char *at = (const char *)page.data, *end = at + page.size;
	rs_buffer_append_text(&teller->page, "<div class=\"figures\">\n");
	while ((at = memmem(at, (size_t)(end - at), opening, sizeof opening - 1))) {
		const char *stop = memmem(at, (size_t)(end - at), closing, sizeof closing - 1);
		if (!stop)
			break;
		stop += sizeof closing - 1;
		for (const char *const *title = titles; *title; title++)
			if (begins(at, stop, *title))
				rs_buffer_append(&teller->page, at, (size_t)(stop - at));
		at = stop;
	}
	rs_buffer_append_text(&teller->page, "</div>\n");
	rs_plot_write(&teller->page, "<p class=\"note\">From <a href=\"%E\">the whole report</a>.</p>\n",
	              rs_path_name(report));
	return RS_OK;
}

/* By whichever of Debian's programs is there; none is needed. */
static void print_page(struct teller *teller, const char *html)
{
	const char *pdf = story_path(teller, "index.pdf");
	const char *const *const ways[] = {
		ARGUMENTS("weasyprint", "--quiet", html, pdf),
		ARGUMENTS("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
	                  story_words(teller, "--print-to-pdf=%s", pdf), html),
	};
	for (size_t i = 0; i < RS_COUNT(ways); i++) {
		struct child child RS_CLEANUP(child_finish) = {.pid = 0};
		if (child_start(ways[i][0], ways[i] + 1, &child, NULL) != RS_OK ||
		    child_end(&child, 0, false, NULL) != RS_OK)
			continue;
		fprintf(teller->story->out, "   As PDF, by %s: %s\n", ways[i][0], pdf);
		return;
	}
	fprintf(teller->story->out, "   No PDF: neither weasyprint nor chromium made one.\n");
}

enum rs_code story_write_page(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer page RS_CLEANUP(rs_buffer_finish) = {0};
	const char *html = story_path(teller, "index.html");
	rs_buffer_init(&page, 2 * REPORT_SIZE_MAX);
	RS_TRY(rs_buffer_check(&teller->page, "the page", err));
	RS_TRY(rs_page_begin(&page, "From the scanner to a prognosis that can be proved", true, err));
	rs_plot_write(
		&page,
		"<header><h1>From the scanner to a prognosis that can be proved</h1><p class=\"about\">radseal "
		"%E, %Z patients, seed %Z</p></header>\n<p class=\"synthetic\"><b>Synthetic data.</b> These "
		"patients never lived: no figure below says anything of real ones.</p>\n",
		teller->story->version, teller->story->patients, (size_t)teller->story->seed);
	rs_buffer_append_bytes(&page, rs_buffer_bytes(&teller->page));
	rs_page_end(&page);
	RS_TRY(rs_buffer_check(&page, "the page", err));
	RS_TRY(rs_file_replace(teller->world, html, rs_buffer_bytes(&page), 0644, err));
	print_page(teller, html);
	return RS_OK;
}
