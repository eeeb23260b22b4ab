/* Scans as JSON. */
#include <math.h>

#include "prepare.h"

static void number(struct rs_json *json, const char *key, double value)
{
	if (isnan(value))
		return;
	rs_json_key(json, key);
	rs_json_f64(json, value);
}

static void text(struct rs_json *json, const char *key, const char *value)
{
	if (!*value)
		return;
	rs_json_key(json, key);
	rs_json_text(json, value);
}

static void flag(struct rs_json *json, const char *key, bool value)
{
	rs_json_key(json, key);
	rs_json_bool(json, value);
}

static void write_volume(struct rs_json *json, const struct rs_scan_volume *volume, enum rs_scan_kind kind)
{
	rs_json_object_begin(json);
	rs_json_key(json, "images");
	rs_json_u64(json, volume->image_count);
	if (kind == RS_SCAN_DWI)
		number(json, "b", volume->b);
	if (kind == RS_SCAN_VFA)
		number(json, "flip_degrees", volume->flip);
	if (kind == RS_SCAN_DCE)
		number(json, "time_s", volume->time_s);
	rs_json_object_end(json);
}

static void write_scan(struct rs_json *json, const struct rs_scan *scan)
{
	rs_json_object_begin(json);
	rs_json_key(json, "series");
	rs_json_i64(json, scan->number);
	text(json, "series_instance_uid", scan->uid);
	text(json, "sequence", rs_scan_kind_name(scan->kind));
	flag(json, "chosen", scan->chosen);
	text(json, "why", scan->why);
	text(json, "note", scan->note);
	rs_json_key(json, "series_joined");
	rs_json_u64(json, scan->series_count);
	rs_json_key(json, "slices");
	rs_json_u64(json, scan->places);
	rs_json_key(json, "columns");
	rs_json_u64(json, scan->columns);
	rs_json_key(json, "rows");
	rs_json_u64(json, scan->rows);
	number(json, "repetition_ms", scan->repetition_ms);
	number(json, "echo_ms", scan->echo_ms);
	number(json, "inversion_ms", scan->inversion_ms);
	number(json, "flip_degrees", scan->flip);
	flag(json, "contrast", scan->contrast);
	flag(json, "fat_suppressed", scan->fat_suppressed);
	rs_json_key(json, "volumes");
	rs_json_array_begin(json);
	for (size_t i = 0; i < scan->volume_count; i++)
		write_volume(json, &scan->volumes[i], scan->kind);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

void rs_scans_write(const struct rs_scans *scans, struct rs_json *json)
{
	rs_json_array_begin(json);
	for (size_t i = 0; i < scans->count; i++)
		write_scan(json, &scans->items[i]);
	rs_json_array_end(json);
}
