/* Covariates as columns of numbers: categories become indicators. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "design.h"
#include "table/table.h"

#define DESIGN_SIZE_MAX ((size_t)4 << 30)
#define LEVELS_MAX 64

void design_finish(struct design *design) { rs_arena_finish(&design->arena); }

static void *take(struct design *design, size_t count, size_t size, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&design->arena, count, size);
	if (!block)
		rs_error_memory(err, count * size, "covariates");
	return block;
}

static int by_value(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	double p, q;
	if (rs_parse_f64(rs_str_from(*x), &p) && rs_parse_f64(rs_str_from(*y), &q) && p != q)
		return p < q ? -1 : 1;
	return strcmp(*x, *y);
}

/* Whether no cell begins as a number does: then they are words, and not mistyped. */
static bool are_words(const struct told *told, size_t column)
{
	for (size_t i = 0; i < told->count; i++) {
		const char *cell = rs_csv_cell(told->asked->table, told->rows[i], column);
		cell += strspn(cell, "+-.");
		if (*cell >= '0' && *cell <= '9')
			return false;
	}
	return true;
}

/* One indicator for each level but the first. */
static enum rs_code read_levels(const struct told *told, struct covariate *covariate, struct design *design,
                                struct rs_error *err)
{
	struct coded coded RS_CLEANUP(coded_finish) = {0};
	const struct rs_csv *table = told->asked->table;
	size_t column = rs_csv_column(table, covariate->name);
	RS_TRY(coded_of(told, covariate->name, LEVELS_MAX, &coded, err));
	const char **levels = take(design, coded.count, sizeof *levels, err);
	if (!levels)
		return RS_NO_MEMORY;
	for (uint32_t l = 0; l < coded.count; l++)
		levels[l] = rs_csv_cell(table, told->rows[coded.first[l]], column);
	qsort(levels, coded.count, sizeof *levels, by_value);
	covariate->reference = levels[0];
	covariate->level = coded.count > 1 ? levels + 1
	                                   : levels; /* of one alone: a constant, which is aliased */
	covariate->columns = coded.count > 1 ? coded.count - 1 : 1;
	return RS_OK;
}

static bool is_factor(const struct rs_covariates *asked, const char *name)
{
	for (size_t f = 0; f < asked->factor_count; f++)
		if (strcmp(asked->factors[f], name) == 0)
			return true;
	return false;
}

static enum rs_code name_columns(struct design *design, struct rs_error *err)
{
	size_t at = 0;
	design->names = take(design, design->columns, sizeof *design->names, err);
	if (!design->names)
		return RS_NO_MEMORY;
	for (size_t c = 0; c < design->count; c++) {
		const struct covariate *covariate = &design->covariates[c];
		for (size_t k = 0; k < covariate->columns; k++, at++) {
			design->names[at] = covariate->name;
			if (!covariate->level)
				continue;
			size_t size = strlen(covariate->name) + strlen(covariate->level[k]) + 4;
			char *name = take(design, size, 1, err);
			if (!name)
				return RS_NO_MEMORY;
			snprintf(name, size, "%s = %s", covariate->name, covariate->level[k]);
			design->names[at] = name;
		}
	}
	return RS_OK;
}

static enum rs_code fill(const struct told *told, struct design *design, struct rs_error *err)
{
	const struct rs_csv *table = told->asked->table;
	for (size_t c = 0, at = 0; c < design->count; at += design->covariates[c++].columns) {
		const struct covariate *covariate = &design->covariates[c];
		size_t column = rs_csv_column(table, covariate->name);
		for (size_t i = 0; i < told->count; i++) {
			double *x = &design->x[i * design->columns + at];
			const char *cell = rs_csv_cell(table, told->rows[i], column);
			for (size_t k = 0; covariate->level && k < covariate->columns; k++)
				x[k] = strcmp(cell, covariate->level[k]) == 0;
			if (!covariate->level &&
			    rs_cell_number(table, told->rows[i], column, x, err) != RS_OK)
				return rs_error_context(err,
				                        "covariates are numbers or words; name what else "
				                        "is a category under factors");
		}
	}
	return RS_OK;
}

static enum rs_code read(const struct told *told, const struct rs_covariates *asked, struct design *design,
                         struct rs_error *err)
{
	size_t cells;
	for (size_t f = 0; f < asked->factor_count; f++) {
		size_t c = 0;
		while (c < asked->count && strcmp(asked->names[c], asked->factors[f]) != 0)
			c++;
		if (c == asked->count)
			return rs_error_set(err, RS_USAGE, "the factor %s is no covariate",
			                    asked->factors[f]);
	}
	for (size_t c = 0; c < asked->count; c++) {
		struct covariate *covariate = &design->covariates[design->count++];
		*covariate = (struct covariate){.name = asked->names[c], .columns = 1};
		if (is_factor(asked, covariate->name) ||
		    are_words(told, rs_csv_column(told->asked->table, covariate->name)))
			RS_TRY(read_levels(told, covariate, design, err));
		design->terms[c] = covariate->columns;
		design->columns += covariate->columns;
	}
	design->rows = told->count;
	if (!rs_mul_size(design->rows, design->columns, &cells))
		return rs_error_memory(err, SIZE_MAX, "covariates");
	design->x = take(design, cells, sizeof *design->x, err);
	if (!design->x)
		return RS_NO_MEMORY;
	RS_TRY(name_columns(design, err));
	return fill(told, design, err);
}

enum rs_code design_read(const struct told *told, const struct rs_covariates *asked, struct design *out,
                         struct rs_error *err)
{
	rs_arena_init(&out->arena, DESIGN_SIZE_MAX);
	return asked->count > 0 ? read(told, asked, out, err) : RS_OK;
}

static enum rs_code take_value(const struct covariate *covariate, struct rs_str value, double *x,
                               struct rs_error *err)
{
	bool known = covariate->level && rs_str_equal(value, rs_str_from(covariate->reference));
	if (!covariate->level) {
		if (rs_parse_f64(value, x) && isfinite(*x))
			return RS_OK;
		return rs_error_set(err, RS_USAGE, "%s=%.*s: not a number", covariate->name, (int)value.size,
		                    value.data);
	}
	for (size_t k = 0; k < covariate->columns; k++) {
		x[k] = rs_str_equal(value, rs_str_from(covariate->level[k]));
		known = known || x[k] > 0;
	}
	return known ? RS_OK
	             : rs_error_set(err, RS_USAGE, "%s=%.*s: no row of the table has this value",
	                            covariate->name, (int)value.size, value.data);
}

enum rs_code design_person(const struct design *design, const char *text, double *out, struct rs_error *err)
{
	for (size_t c = 0, at = 0; c < design->count; at += design->covariates[c++].columns) {
		const struct covariate *covariate = &design->covariates[c];
		size_t length = strlen(covariate->name), found = 0;
		for (const char *part = text; *part;
		     part += strcspn(part, ",") + (part[strcspn(part, ",")] != 0))
			if (strncmp(part, covariate->name, length) == 0 && part[length] == '=') {
				struct rs_str value = {part + length + 1, strcspn(part + length + 1, ",")};
				RS_TRY(take_value(covariate, value, &out[at], err));
				found++;
			}
		if (found != 1)
			return rs_error_set(err, RS_USAGE,
			                    "'%s' must name the covariate %s once, as in %s=VALUE", text,
			                    covariate->name, covariate->name);
	}
	size_t parts = 1;
	for (const char *c = text; *c; c++)
		parts += *c == ',';
	return parts == design->count
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE, "'%s' names %zu columns; there are %zu covariates", text,
	                              parts, design->count);
}
