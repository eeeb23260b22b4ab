/* Strokes typed or as JSON, in voxels or mm. */
#include "segment_strokes.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "option_lists.h"

#define POINTS_MAX 10000

/* A place in mm (LPS) as voxels. */
static void to_voxels(const struct rs_geometry *grid, double place[3])
{
	double from[3];
	for (int r = 0; r < 3; r++)
		from[r] = place[r] - grid->origin_mm[r];
	for (int a = 0; a < 3; a++) {
		double along = 0;
		for (int r = 0; r < 3; r++)
			along += grid->direction[r][a] * from[r];
		place[a] = along / grid->spacing_mm[a];
	}
}

static bool read_point(struct rs_str text, double out[3])
{
	struct rs_str part;
	int count = 0;
	while (rs_str_split(&text, ',', &part))
		if (count == 3 || !rs_parse_f64(rs_str_trim(part), &out[count++]) ||
		    !isfinite(out[count - 1]))
			return false;
	return count == 3;
}

/* ---- typed ---- */

static enum rs_code paint_one(const struct rs_geometry *grid, bool in_mm, double radius_mm, const char *text,
                              struct rs_grow *grow, struct rs_error *err)
{
	const bool inside = rs_str_starts_with(rs_str_from(text), "in:");
	struct rs_str rest = rs_str_from(strchr(text, ':') ? strchr(text, ':') + 1 : ""), part;
	double(*points)[3] RS_CLEANUP(rs_free_pointer) = rs_allocate_array(POINTS_MAX, sizeof *points);
	size_t count = 0;
	if (!points)
		return rs_error_memory(err, POINTS_MAX * sizeof *points, "a stroke");
	if (!inside && !rs_str_starts_with(rs_str_from(text), "out:"))
		return rs_error_set(err, RS_USAGE, "--stroke begins with in: or out:, not as '%s'", text);
	while (rs_str_split(&rest, '/', &part)) {
		if (count == POINTS_MAX || !read_point(part, points[count]))
			return rs_error_set(err, RS_USAGE,
			                    "--stroke %s: points are X,Y,Z with '/' between them", text);
		if (in_mm)
			to_voxels(grid, points[count]);
		count++;
	}
	return rs_grow_paint(grow, &(struct rs_stroke){inside, radius_mm, count, (const double(*)[3])points},
	                     err);
}

enum rs_code segment_paint_typed(const struct command_line *line, const struct rs_geometry *grid,
                                 struct rs_grow *grow, struct rs_error *err)
{
	double radius_mm;
	RS_TRY(option_number(line, "radius", 1, &radius_mm, err));
	for (size_t i = 0; i < line->repeat_count; i++)
		RS_TRY(paint_one(grid, option_given(line, "mm"), radius_mm, line->repeats[i], grow, err));
	return RS_OK;
}

enum rs_code segment_read_box(const struct command_line *line, const struct rs_geometry *grid,
                              bool *out_given, struct rs_box *out, struct rs_error *err)
{
	double corners[6];
	size_t count;
	RS_TRY(option_numbers(line, "box", corners, 6, &count, err));
	*out_given = count > 0;
	if (count == 0)
		return RS_OK;
	if (count != 6)
		return rs_error_set(err, RS_USAGE, "--box X,Y,Z,X,Y,Z: two opposite corners");
	if (option_given(line, "mm"))
		for (int c = 0; c < 6; c += 3)
			to_voxels(grid, corners + c);
	for (int a = 0; a < 3; a++) {
		const double last = (double)grid->size[a] - 1;
		const double low = round(fmin(corners[a], corners[3 + a])),
			     high = round(fmax(corners[a], corners[3 + a]));
		if (!(high >= 0 && low <= last))
			return rs_error_set(err, RS_USAGE,
			                    "--box: from %g to %g along axis %d, where the image has 0 to %g",
			                    low, high, a, last);
		out->first[a] = (size_t)fmax(low, 0);
		out->size[a] = (size_t)fmin(high, last) - out->first[a] + 1;
	}
	return RS_OK;
}

/* ---- JSON ---- */

static bool read_json_point(const json_t *from, double out[3])
{
	if (!json_is_array(from) || json_array_size(from) != 3)
		return false;
	for (size_t a = 0; a < 3; a++) {
		const json_t *number = json_array_get(from, a);
		if (!json_is_number(number))
			return false;
		out[a] = json_number_value(number);
	}
	return true;
}

static enum rs_code paint_object(const json_t *from, const struct rs_geometry *grid, struct rs_grow *grow,
                                 struct rs_error *err)
{
	const char *side = json_string_value(json_object_get(from, "stroke"));
	const json_t *points = json_object_get(from, "points"), *radius = json_object_get(from, "radius");
	const size_t count = json_array_size(points);
	if (!side || (strcmp(side, "in") != 0 && strcmp(side, "out") != 0))
		return rs_error_set(err, RS_USAGE, "\"stroke\" is \"in\" or \"out\"");
	if (count == 0 || count > POINTS_MAX || (radius && !json_is_number(radius)))
		return rs_error_set(err, RS_USAGE,
		                    "\"points\" are 1 to %d places [X, Y, Z], \"radius\" a number",
		                    POINTS_MAX);
	double(*places)[3] RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *places);
	if (!places)
		return rs_error_memory(err, count * sizeof *places, "a stroke");
	for (size_t i = 0; i < count; i++) {
		if (!read_json_point(json_array_get(points, i), places[i]))
			return rs_error_set(err, RS_USAGE, "point %zu is not [X, Y, Z]", i);
		if (json_is_true(json_object_get(from, "mm")))
			to_voxels(grid, places[i]);
	}
	const struct rs_stroke stroke = {strcmp(side, "in") == 0, radius ? json_number_value(radius) : 1,
	                                 count, (const double(*)[3])places};
	return rs_grow_paint(grow, &stroke, err);
}

enum rs_code segment_paint_json(const char *text, const struct rs_geometry *grid, struct rs_grow *grow,
                                struct rs_error *err)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	enum rs_code code = RS_OK;
	if (!root)
		return rs_error_set(err, RS_USAGE, "no JSON: %s (column %d)", error.text, error.column);
	if (!json_is_array(root))
		code = paint_object(root, grid, grow, err);
	for (size_t i = 0; i < json_array_size(root) && code == RS_OK; i++)
		code = paint_object(json_array_get(root, i), grid, grow, err);
	json_decref(root);
	return code;
}
