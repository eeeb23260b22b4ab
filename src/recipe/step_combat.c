/* ComBat: what a centre adds to features, and by how much it spreads them, taken away. A centre that training did not
 * see is left as it is: one row does not tell what its centre does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/learn_combat.h"
#include "recipe/recipe_packed.h"
#include "recipe/recipe_step.h"

#define COVARIATES_MAX 64
#define CENTRES_MAX 65536

struct options {
	uint32_t prior, mean_only;
	const char *
		reference; /* a centre; NULL: none. Where training has none of its rows, all are the reference */
	const char *preserve; /* columns, with commas between; NULL: none */
};
struct state {
	struct rs_combat combat; /* no batches: nothing to do */
	uint32_t *at, *covariates;
	size_t width, batches;
	char **names; /* ascending */
};

static void finish(void *state)
{
	struct state *s = state;
	for (size_t b = 0; s->names && b < s->batches; b++)
		rs_free(s->names[b]);
	rs_free(s->names);
	rs_free(s->at);
	rs_free(s->covariates);
	rs_combat_finish(&s->combat);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static uint32_t batch_of(const struct state *s, const char *centre)
{
	char **found = bsearch(&centre, s->names, s->batches, sizeof *found, by_text);
	return found ? (uint32_t)(found - s->names) : UINT32_MAX;
}

static enum rs_code name_batches(const struct rs_training *t, struct state *s, struct rs_error *err)
{
	const char **sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *sorted);
	s->names = rs_allocate_array(t->rows, sizeof *s->names);
	if (!sorted || !s->names)
		return rs_error_memory(err, t->rows * sizeof *sorted, "centres");
	memcpy(sorted, t->centre, t->rows * sizeof *sorted);
	qsort(sorted, t->rows, sizeof *sorted, by_text);
	for (size_t i = 0; i < t->rows; i++) {
		if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0)
			continue;
		s->names[s->batches] = rs_text_printf("%s", sorted[i]);
		if (!s->names[s->batches])
			return rs_error_memory(err, strlen(sorted[i]), "centres");
		s->batches++;
	}
	return RS_OK;
}

/* One of the names with commas between. */
static bool is_listed(const char *list, const char *name)
{
	struct rs_str rest = rs_str_from(list ? list : ""), part;
	while (rs_str_split(&rest, ',', &part))
		if (rs_str_equal_text(rs_str_trim(part), name))
			return true;
	return false;
}

static enum rs_code check_list(const struct rs_training *t, const char *list, struct rs_error *err)
{
	struct rs_str rest = rs_str_from(list ? list : ""), part;
	while (list && rs_str_split(&rest, ',', &part)) {
		bool found = false;
		part = rs_str_trim(part);
		for (size_t c = 0; c < t->column_count && !found; c++)
			found = rs_str_equal_text(part, t->columns[c]->name);
		if (!found)
			return rs_error_set(err, RS_MALFORMED,
			                    "preserve: the model is not given a column '%.*s'",
			                    RS_STR_ARGUMENTS(part));
	}
	return RS_OK;
}

/* A category's first level follows from the others. */
static bool is_covariate(const struct rs_fitting *f, size_t c, const char *list)
{
	const struct rs_input *input = &f->inputs[c];
	bool first = c == 0 || f->inputs[c - 1].column != input->column;
	return is_listed(list, f->training->columns[input->column]->name) &&
	       (input->level == RS_INPUT_NUMBER || !first);
}

static enum rs_code choose_inputs(const struct rs_fitting *f, const struct options *o, struct state *s,
                                  struct rs_error *err)
{
	size_t covariates = 0, columns = 0;
	s->width = f->count;
	s->at = rs_allocate_array(f->count, sizeof *s->at);
	s->covariates = rs_allocate_array(f->count, sizeof *s->covariates);
	if (!s->at || !s->covariates)
		return rs_error_memory(err, f->count * sizeof *s->at, "ComBat");
	for (size_t c = 0; c < f->count; c++) {
		const struct rs_column *column = f->training->columns[f->inputs[c].column];
		if (is_covariate(f, c, o->preserve))
			s->covariates[covariates++] = (uint32_t)c;
		else if (f->inputs[c].level == RS_INPUT_NUMBER && column->feature &&
		         !is_listed(o->preserve, column->name))
			s->at[columns++] = (uint32_t)c;
	}
	if (covariates > COVARIATES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d numbers to preserve", COVARIATES_MAX);
	s->combat.columns = (uint32_t)columns;
	s->combat.covariates = (uint32_t)covariates;
	return RS_OK;
}

static void covariates_of(const struct state *s, const double *values, size_t stride,
                          double out[static COVARIATES_MAX])
{
	for (size_t k = 0; k < s->combat.covariates; k++)
		out[k] = values[s->covariates[k] * stride];
}

/* x and covariates as ComBat wants them: column by column, nothing else. */
static enum rs_code fit_combat(const struct rs_fitting *f, const struct options *o, struct state *s,
                               struct rs_error *err)
{
	size_t rows = f->training->rows, columns = s->combat.columns, covariates = s->combat.covariates;
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(columns + covariates, rows * sizeof *x);
	uint32_t *batch RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *batch);
	if (!x || !batch)
		return rs_error_memory(err, (columns + covariates) * rows * sizeof *x, "ComBat");
	for (size_t c = 0; c < columns + covariates; c++)
		memcpy(x + c * rows, f->x + (c < columns ? s->at[c] : s->covariates[c - columns]) * rows,
		       rows * sizeof *x);
	for (size_t i = 0; i < rows; i++)
		batch[i] = batch_of(s, f->training->centre[i]);
	const struct rs_combat_data data = {
		{rows, columns, x}, batch, (uint32_t)s->batches, {rows, covariates, x + columns * rows}};
	const struct rs_combat_options options = {(enum rs_combat_prior)o->prior, o->mean_only,
	                                          o->reference ? batch_of(s, o->reference)
	                                                       : RS_COMBAT_NO_REFERENCE};
	return rs_combat_fit(&data, &options, &s->combat, err);
}

static void apply_at(const struct state *s, const char *centre, double *values, size_t stride)
{
	double covariates[COVARIATES_MAX];
	uint32_t batch = batch_of(s, centre);
	if (batch == UINT32_MAX || s->combat.batches == 0)
		return;
	covariates_of(s, values, stride, covariates);
	rs_combat_apply(&s->combat, batch, covariates, values, s->at, stride);
}

static enum rs_code fit(struct rs_fitting *f, const void *options, void *state, struct rs_error *err)
{
	const struct options *o = options;
	struct state *s = state;
	const struct rs_training *t = f->training;
	RS_TRY(check_list(t, o->preserve, err));
	RS_TRY(name_batches(t, s, err));
	RS_TRY(choose_inputs(f, o, s, err));
	if (s->batches < 2 || s->combat.columns == 0) {
		s->combat = (struct rs_combat){0};
		return RS_OK;
	}
	RS_TRY(fit_combat(f, o, s, err));
	for (size_t i = 0; i < t->rows; i++)
		apply_at(s, t->centre[i], f->x + i, t->rows);
	return RS_OK;
}

static void apply(const void *state, const struct rs_step_row *row, double *values)
{
	apply_at(state, row->centre, values, 1);
}

static bool knows(const void *state, const struct rs_step_row *row)
{
	const struct state *s = state;
	return s->combat.batches == 0 || batch_of(s, row->centre) != UINT32_MAX;
}

/* ---- in model files ---- */

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	size_t numbers = 0, batches = s->combat.batches;
	bool fits = rs_combat_size(&s->combat, &numbers);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_array(out, batches);
	for (size_t b = 0; b < batches; b++)
		rs_cbor_write_str(out, rs_str_from(s->names[b]));
	rs_packed_write_u32s(out, s->at, s->combat.columns);
	rs_packed_write_u32s(out, s->covariates, s->combat.covariates);
	rs_packed_write_f64s(out, s->combat.mean, fits ? numbers : 0);
}

static enum rs_code read_names(struct rs_cbor_reader *reader, struct state *s, struct rs_error *err)
{
	size_t count;
	struct rs_str name;
	RS_TRY(rs_cbor_read_array(reader, "centres", &count, err));
	if (count > CENTRES_MAX)
		return rs_packed_wrong("number of centres", err);
	s->names = rs_allocate_array(count, sizeof *s->names);
	if (!s->names)
		return rs_error_memory(err, count * sizeof *s->names, "a model");
	for (; s->batches < count; s->batches++) {
		RS_TRY(rs_cbor_read_str(reader, "centre", &name, err));
		if (memchr(name.data, '\0', name.size))
			return rs_packed_wrong("centre", err);
		s->names[s->batches] = rs_text_printf("%.*s", RS_STR_ARGUMENTS(name));
		if (!s->names[s->batches])
			return rs_error_memory(err, name.size, "a model");
		if (s->batches > 0 && strcmp(s->names[s->batches - 1], s->names[s->batches]) >= 0) {
			s->batches++;
			return rs_packed_wrong("order of centres", err);
		}
	}
	return RS_OK;
}

static enum rs_code read(struct rs_cbor_reader *reader, size_t width, void *state, struct rs_error *err)
{
	struct state *s = state;
	struct rs_combat combat = {0};
	size_t columns, covariates, numbers;
	double *block = NULL;
	s->width = width;
	RS_TRY(rs_packed_read_parts(reader, "ComBat", 4, err));
	RS_TRY(read_names(reader, s, err));
	RS_TRY(rs_packed_read_u32s(reader, "inputs of ComBat", (uint32_t)s->width, &s->at, &columns, err));
	RS_TRY(rs_packed_read_u32s(reader, "covariates", (uint32_t)s->width, &s->covariates, &covariates,
	                           err));
	if (covariates > COVARIATES_MAX)
		return rs_packed_wrong("number of covariates", err);
	combat.columns = (uint32_t)columns;
	combat.covariates = (uint32_t)covariates;
	combat.batches = (uint32_t)s->batches;
	if (!rs_combat_size(&combat, &numbers))
		return rs_packed_wrong("ComBat", err);
	RS_TRY(rs_packed_read_f64s_of(reader, "numbers of ComBat", numbers, &block, err));
	rs_combat_lay_out(&combat, block);
	s->combat = combat;
	for (size_t c = 0; c < columns; c++)
		if (combat.deviation[c] < 0)
			return rs_packed_wrong("deviation", err);
	for (size_t k = 0; k < s->batches * columns; k++)
		if (!(combat.scale[k] > 0))
			return rs_packed_wrong("scale", err);
	return RS_OK;
}

static const char *const priors[] = {"parametric", "nonparametric", "none", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};
static const struct rs_setting settings[] = {
	{"prior", RS_SETTING_WORD, offsetof(struct options, prior), 0, 0, 0, priors},
	{"mean_only", RS_SETTING_WORD, offsetof(struct options, mean_only), 0, 0, 0, no_yes},
	{"reference", RS_SETTING_TEXT, offsetof(struct options, reference), 0, 0, 0, NULL},
	{"preserve", RS_SETTING_TEXT, offsetof(struct options, preserve), 0, 0, 0, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_combat = {.name = "combat",
                                       .takes_gaps = true,
                                       .asks_centre = true,
                                       .settings = settings,
                                       .options_size = sizeof(struct options),
                                       .state_size = sizeof(struct state),
                                       .fit = fit,
                                       .apply = apply,
                                       .knows = knows,
                                       .finish = finish,
                                       .write = write,
                                       .read = read};
