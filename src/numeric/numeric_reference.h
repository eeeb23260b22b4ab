/* For tests against what others computed (../shared/data/prognosis): tables by column, numbers by path. */
#ifndef RS_NUMERIC_REFERENCE_H
#define RS_NUMERIC_REFERENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/base_csv.h"
#include "base/base_world.h"

static RS_UNUSED bool data_is_here(void)
{
	const char *data = getenv("RADSEAL_DATA");
	if (data && data[0])
		return true;
	printf("1..0 # SKIP no reference data\n");
	return false;
}

static RS_UNUSED json_t *reference_open(const char *name)
{
	char *path = rs_text_printf("%s/prognosis/reference/%s", getenv("RADSEAL_DATA"), name);
	json_error_t why;
	json_t *root = json_load_file(path, 0, &why);
	if (!root)
		fail_msg("%s: %s", path, why.text);
	rs_free(path);
	return root;
}

/* "a/b/3": members and places. */
static json_t *reference_at(json_t *root, const char *path)
{
	char part[64];
	const char *rest = path;
	while (root && *rest) {
		size_t length = strcspn(rest, "/");
		assert_true(length < sizeof part);
		memcpy(part, rest, length);
		part[length] = '\0';
		uint64_t place = 0;
		assert_true(!json_is_array(root) || rs_parse_u64(rs_str_from(part), &place));
		root = json_is_array(root) ? json_array_get(root, (size_t)place)
		                           : json_object_get(root, part);
		rest += length + (rest[length] == '/');
	}
	if (!root)
		fail_msg("the reference has no %s", path);
	return root;
}

static RS_UNUSED void near(const char *what, double value, double expected, double tolerance)
{
	if (isnan(expected) ? !isnan(value)
	                    : !(fabs(value - expected) <= tolerance * fmax(fabs(expected), 1e-3)))
		fail_msg("%s: %.15g, the reference has %.15g", what, value, expected);
}

static RS_UNUSED double reference_number(json_t *root, const char *path)
{
	json_t *value = reference_at(root, path);
	return json_is_null(value) ? NAN : json_number_value(value);
}

static RS_UNUSED void agrees(json_t *root, const char *path, double value, double tolerance)
{
	near(path, value, reference_number(root, path), tolerance);
}

static RS_UNUSED void table_open(const char *name, struct rs_csv *out)
{
	char *path = rs_text_printf("%s/prognosis/%s", getenv("RADSEAL_DATA"), name);
	struct rs_buffer file;
	struct rs_error err;
	if (rs_file_read_all(rs_world_system(), path, 1 << 24, &file, &err) != RS_OK ||
	    rs_csv_parse(rs_buffer_bytes(&file), out, &err) != RS_OK)
		fail_msg("%s: %s", path, err.message);
	rs_buffer_finish(&file);
	rs_free(path);
}

/* NA is NaN; words are numbered in the order they first occur. */
static RS_UNUSED double *column_of(const struct rs_csv *csv, const char *name)
{
	size_t column = rs_csv_column(csv, name);
	double *out = rs_allocate_array(csv->rows, sizeof *out), next = 0;
	assert_true(column != RS_CSV_NO_COLUMN);
	assert_non_null(out);
	for (size_t i = 0; i < csv->rows; i++) {
		const char *cell = rs_csv_cell(csv, i, column);
		if (strcmp(cell, "NA") == 0) {
			out[i] = NAN;
		} else if (!rs_parse_f64(rs_str_from(cell), &out[i])) {
			size_t before = 0;
			while (before < i && strcmp(rs_csv_cell(csv, before, column), cell) != 0)
				before++;
			out[i] = before < i ? out[before] : next++;
		}
	}
	return out;
}

#endif
