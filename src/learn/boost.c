/* Boosting by libxgboost: data in, rounds, early stopping; what comes out is read by boost_trees.c. */
#include "boost.h"
#include "libraries.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 100000u
#define DEPTH_MAX 64u

struct rs_boost_options rs_boost_defaults(enum rs_boost_kind kind)
{
	return (struct rs_boost_options){.kind = kind,
	                                 .noise_scale = 1,
	                                 .rounds = 100,
	                                 .depth = 6,
	                                 .rate = 0.3,
	                                 .leaf_weight = 1,
	                                 .ridge = 1,
	                                 .rows_share = 1,
	                                 .columns_share = 1,
	                                 .nodes_share = 1};
}

void rs_booster_finish(struct rs_booster *booster)
{
	rs_free(booster->roots);
	rs_free(booster->nodes);
	*booster = (struct rs_booster){0};
}

/* "[time] file:line: sentence", then a stack. */
static enum rs_code check(const struct xgboost *xgboost, int status, struct rs_error *err)
{
	if (status == 0)
		return RS_OK;
	const char *text = xgboost->XGBGetLastError(), *after = strstr(text, "] ");
	text = after ? after + 2 : text;
	return rs_error_set(err, RS_INTERNAL, "XGBoost: %.*s", (int)strcspn(text, "\n"), text);
}

/* ---- what is asked for ---- */

static bool is_share(double value) { return value > 0 && value <= 1; }
static bool is_amount(double value) { return value >= 0 && value < 1e30; }

static enum rs_code check_options(const struct rs_boost_options *o, struct rs_error *err)
{
	if (o->rounds == 0 || o->rounds > ROUNDS_MAX)
		return rs_error_set(err, RS_USAGE, "%u rounds of boosting; 1 to %u can be made", o->rounds,
		                    ROUNDS_MAX);
	if (o->depth == 0 || o->depth > DEPTH_MAX)
		return rs_error_set(err, RS_USAGE, "boosted trees of depth %u; 1 to %u can be grown",
		                    o->depth, DEPTH_MAX);
	if (!is_share(o->rate) || !is_share(o->rows_share) || !is_share(o->columns_share) ||
	    !is_share(o->nodes_share))
		return rs_error_set(err, RS_USAGE,
		                    "boosting: the rate and shares of rows and columns are above 0 and at "
		                    "most 1");
	if (!is_amount(o->leaf_weight) || !is_amount(o->gain) || !is_amount(o->ridge) || !is_amount(o->lasso))
		return rs_error_set(err, RS_USAGE, "boosting: penalties and least weights are not negative");
	if (o->kind == RS_BOOST_AFT && !(o->noise_scale > 0 && o->noise_scale < 1e6))
		return rs_error_set(err, RS_USAGE, "boosting: the scale of log time is above 0");
	return RS_OK;
}

static enum rs_code check_row(const struct rs_boost_data *data, const struct rs_boost_options *options,
                              size_t r, struct rs_error *err)
{
	const struct rs_matrix *x = data->x;
	for (size_t c = 0; c < x->columns; c++)
		if (isinf((float)x->values[c * x->rows + r]))
			return rs_error_set(err, RS_MALFORMED, "row %zu, column %zu: too large a number",
			                    r + 1, c + 1);
	if (data->weights && !(data->weights[r] > 0 && isfinite((float)data->weights[r])))
		return rs_error_set(err, RS_MALFORMED, "row %zu: the weight is not above 0", r + 1);
	if (options->kind == RS_BOOST_COX || options->kind == RS_BOOST_AFT) {
		if (!isfinite((float)data->time[r]) ||
		    (options->kind == RS_BOOST_AFT && !((float)data->time[r] > 0)))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the time is not a number%s", r + 1,
			                    options->kind == RS_BOOST_AFT ? " above 0" : "");
	} else if (data->labels[r] >= (options->kind == RS_BOOST_BINARY ? 2 : data->classes)) {
		return rs_error_set(err, RS_USAGE, "row %zu: there is no class %u", r + 1, data->labels[r]);
	}
	return RS_OK;
}

static enum rs_code check_data(const struct rs_boost_data *data, const struct rs_boost_options *options,
                               struct rs_error *err)
{
	const struct rs_matrix *x = data->x;
	size_t held = 0, events = 0;
	if (x->rows == 0 || x->columns == 0 || x->rows > INT32_MAX || x->columns >= RS_BOOST_LEAF)
		return rs_error_set(err, RS_USAGE, "boosting of %zu rows and %zu columns cannot be", x->rows,
		                    x->columns);
	if (options->kind == RS_BOOST_CLASSES && data->classes < 2)
		return rs_error_set(err, RS_USAGE, "boosting of classes needs two of them");
	for (size_t r = 0; r < x->rows; r++) {
		RS_TRY(check_row(data, options, r, err));
		bool is_held = data->held && data->held[r];
		held += is_held;
		events += !is_held && data->event && data->event[r];
	}
	if (held == x->rows)
		return rs_error_set(err, RS_USAGE, "all %zu rows are held out from boosting", held);
	if (options->patience > 0 && held == 0)
		return rs_error_set(err, RS_USAGE, "boosting cannot stop early without rows held out");
	if (data->event && events == 0)
		return rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event",
		                    x->rows - held);
	return RS_OK;
}

/* ---- data as XGBoost wants them ---- */

struct rounds {
	const struct xgboost *xgboost;
	DMatrixHandle train, held;
	BoosterHandle booster;
};

static void rounds_finish(struct rounds *rounds)
{
	if (rounds->booster)
		rounds->xgboost->XGBoosterFree(rounds->booster);
	if (rounds->train)
		rounds->xgboost->XGDMatrixFree(rounds->train);
	if (rounds->held)
		rounds->xgboost->XGDMatrixFree(rounds->held);
}

struct timed {
	double time;
	size_t at;
};

static int by_time(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;
	return (x->time > y->time) - (x->time < y->time);
}

/* Ranks say all that Cox's likelihood asks, are exact in a float and never 0, whose sign could not tell an event. */
static enum rs_code rank_times(const struct rs_boost_data *data, const size_t *rows, size_t count, float *out,
                               struct rs_error *err)
{
	struct timed *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *order);
	float rank = 0;
	if (!order)
		return rs_error_memory(err, count * sizeof *order, "times");
	for (size_t i = 0; i < count; i++)
		order[i] = (struct timed){data->time[rows[i]], i};
	qsort(order, count, sizeof *order, by_time);
	for (size_t i = 0; i < count; i++) {
		rank += i == 0 || order[i].time > order[i - 1].time;
		out[order[i].at] = data->event[rows[order[i].at]] ? rank : -rank;
	}
	return RS_OK;
}

static enum rs_code set_info(const struct xgboost *xgboost, DMatrixHandle to, const char *name,
                             const float *values, size_t count, struct rs_error *err)
{
	return check(xgboost, xgboost->XGDMatrixSetFloatInfo(to, name, values, count), err);
}

static enum rs_code set_outcome(const struct xgboost *xgboost, const struct rs_boost_data *data,
                                enum rs_boost_kind kind, const size_t *rows, size_t count, float *work,
                                DMatrixHandle to, struct rs_error *err)
{
	if (kind == RS_BOOST_COX)
		RS_TRY(rank_times(data, rows, count, work, err));
	for (size_t i = 0; i < count && kind != RS_BOOST_COX; i++)
		work[i] = kind == RS_BOOST_AFT ? (float)data->time[rows[i]] : (float)data->labels[rows[i]];
	RS_TRY(set_info(xgboost, to, kind == RS_BOOST_AFT ? "label_lower_bound" : "label", work, count, err));
	if (kind != RS_BOOST_AFT)
		return RS_OK;
	for (size_t i = 0; i < count; i++)
		if (!data->event[rows[i]])
			work[i] = INFINITY;
	return set_info(xgboost, to, "label_upper_bound", work, count, err);
}

/* No rows: no matrix. */
static enum rs_code take_rows(const struct xgboost *xgboost, const struct rs_boost_data *data,
                              enum rs_boost_kind kind, bool held, DMatrixHandle *out, struct rs_error *err)
{
	const struct rs_matrix *x = data->x;
	size_t count = 0, cells;
	if (!rs_mul_size(x->rows, x->columns, &cells))
		return rs_error_memory(err, SIZE_MAX, "boosting");
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->rows, sizeof *rows);
	float *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(cells, sizeof *values);
	if (!rows || !values)
		return rs_error_memory(err, cells * sizeof *values, "boosting");
	for (size_t r = 0; r < x->rows; r++)
		if ((data->held && data->held[r]) == held)
			rows[count++] = r;
	if (count == 0)
		return RS_OK;
	for (size_t c = 0; c < x->columns; c++)
		for (size_t i = 0; i < count; i++)
			values[i * x->columns + c] = (float)x->values[c * x->rows + rows[i]];
	RS_TRY(check(xgboost, xgboost->XGDMatrixCreateFromMat(values, count, x->columns, NAN, out), err));
	RS_TRY(set_outcome(xgboost, data, kind, rows, count, values, *out, err));
	if (!data->weights)
		return RS_OK;
	for (size_t i = 0; i < count; i++)
		values[i] = (float)data->weights[rows[i]];
	return set_info(xgboost, *out, "weight", values, count, err);
}

/* ---- settings ---- */

static enum rs_code set_text(const struct rounds *rounds, const char *name, const char *value,
                             struct rs_error *err)
{
	return check(rounds->xgboost, rounds->xgboost->XGBoosterSetParam(rounds->booster, name, value), err);
}

static enum rs_code set_number(const struct rounds *rounds, const char *name, double value,
                               struct rs_error *err)
{
	char text[RS_F64_TEXT_SIZE];
	rs_format_f64(value, text);
	return set_text(rounds, name, text, err);
}

static enum rs_code set_monotone(const struct rounds *rounds, const int8_t *monotone, size_t columns,
                                 struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, 8 * columns + 8);
	for (size_t c = 0; c < columns; c++)
		rs_buffer_printf(&text, "%c%d", c ? ',' : '(', (monotone[c] > 0) - (monotone[c] < 0));
	rs_buffer_append(&text, ")", 2);
	RS_TRY(rs_buffer_check(&text, "boosting", err));
	return set_text(rounds, "monotone_constraints", (const char *)text.data, err);
}

static const struct {
	const char *objective, *metric;
} KINDS[] = {
	[RS_BOOST_BINARY] = {"binary:logistic", "logloss"},
	[RS_BOOST_CLASSES] = {"multi:softprob", "mlogloss"},
	[RS_BOOST_COX] = {"survival:cox", "cox-nloglik"},
	[RS_BOOST_AFT] = {"survival:aft", "aft-nloglik"},
};

/* Where AFT begins. From XGBoost's own 0.5 the second derivatives of times in the hundreds vanish, and no tree grows. */
static double middle_time(const struct rs_boost_data *data)
{
	double sum = 0, count = 0;
	for (size_t r = 0; r < data->x->rows; r++)
		if (!data->held || !data->held[r]) {
			sum += log(data->time[r]);
			count++;
		}
	return exp(sum / count);
}

static enum rs_code set_kind(const struct rounds *rounds, const struct rs_boost_data *data,
                             const struct rs_boost_options *o, struct rs_error *err)
{
	static const char *const noises[] = {"normal", "logistic", "extreme"};
	RS_TRY(set_text(rounds, "objective", KINDS[o->kind].objective, err));
	RS_TRY(set_text(rounds, "eval_metric", KINDS[o->kind].metric, err));
	if (o->kind == RS_BOOST_CLASSES)
		return set_number(rounds, "num_class", data->classes, err);
	if (o->kind != RS_BOOST_AFT)
		return RS_OK;
	RS_TRY(set_number(rounds, "base_score", middle_time(data), err));
	RS_TRY(set_text(rounds, "aft_loss_distribution", noises[o->noise], err));
	return set_number(rounds, "aft_loss_distribution_scale", o->noise_scale, err);
}

static enum rs_code set_all(const struct rounds *rounds, const struct rs_boost_data *data,
                            const struct rs_boost_options *o, struct rs_error *err)
{
	const struct {
		const char *name;
		double value;
	} numbers[] = {
		{"verbosity", 0},
		{"nthread", 1},
		{"seed", (double)(o->seed & INT32_MAX)},
		{"max_depth", o->depth},
		{"eta", o->rate},
		{"min_child_weight", o->leaf_weight},
		{"gamma", o->gain},
		{"lambda", o->ridge},
		{"alpha", o->lasso},
		{"subsample", o->rows_share},
		{"colsample_bytree", o->columns_share},
		{"colsample_bynode", o->nodes_share},
	};
	RS_TRY(set_text(rounds, "tree_method", o->histogram ? "hist" : "exact", err));
	RS_TRY(set_kind(rounds, data, o, err));
	for (size_t i = 0; i < RS_COUNT(numbers); i++)
		RS_TRY(set_number(rounds, numbers[i].name, numbers[i].value, err));
	return o->monotone ? set_monotone(rounds, o->monotone, data->x->columns, err) : RS_OK;
}

/* ---- rounds ---- */

/* "[3]\theld-logloss:0.412345" */
static enum rs_code judge(struct rounds *rounds, uint32_t round, double *out, struct rs_error *err)
{
	const char *name = "held", *told;
	RS_TRY(check(rounds->xgboost,
	             rounds->xgboost->XGBoosterEvalOneIter(rounds->booster, (int)round, &rounds->held, &name,
	                                                   1, &told),
	             err));
	const char *value = strrchr(told, ':');
	if (!value || !rs_parse_f64(rs_str_from(value + 1), out))
		*out = NAN;
	return RS_OK;
}

static enum rs_code run(struct rounds *rounds, const struct rs_boost_options *o, double *metrics,
                        uint32_t *out_kept, struct rs_error *err)
{
	double best = INFINITY;
	uint32_t kept = 0, made = 0;
	for (uint32_t i = 0; metrics && i < o->rounds; i++)
		metrics[i] = NAN;
	for (; made < o->rounds && (o->patience == 0 || made < kept + o->patience); made++) {
		double metric = NAN;
		RS_TRY(check(
			rounds->xgboost,
			rounds->xgboost->XGBoosterUpdateOneIter(rounds->booster, (int)made, rounds->train),
			err));
		if (rounds->held && (metrics || o->patience))
			RS_TRY(judge(rounds, made, &metric, err));
		if (metrics)
			metrics[made] = metric;
		if (metric < best) {
			best = metric;
			kept = made + 1;
		}
	}
	if (o->patience > 0 && kept == 0)
		return rs_error_set(err, RS_NOT_FOUND, "the rows held out cannot judge rounds of boosting");
	*out_kept = o->patience > 0 ? kept : made;
	return RS_OK;
}

static enum rs_code gather(struct rounds *rounds, uint32_t kept, struct rs_booster *out, struct rs_error *err)
{
	const char *json;
	bst_ulong size;
	RS_TRY(check(rounds->xgboost,
	             rounds->xgboost->XGBoosterSaveModelToBuffer(rounds->booster, "{\"format\": \"json\"}",
	                                                         &size, &json),
	             err));
	return boost_trees_read(rs_bytes_of(json, size), kept, out, err);
}

enum rs_code rs_boost_fit(const struct rs_boost_data *data, const struct rs_boost_options *options,
                          double *out_metrics, struct rs_booster *out, struct rs_error *err)
{
	struct rounds rounds RS_CLEANUP(rounds_finish) = {0};
	struct rs_booster made RS_CLEANUP(rs_booster_finish) = {
		.kind = options->kind,
		.columns = (uint32_t)data->x->columns,
		.outputs = options->kind == RS_BOOST_CLASSES ? data->classes : 1};
	DMatrixHandle known[2];
	uint32_t kept = 0;
	RS_TRY(check_options(options, err));
	RS_TRY(check_data(data, options, err));
	RS_TRY(xgboost_load(&rounds.xgboost, err));
	const struct xgboost *xgboost = rounds.xgboost;
	RS_TRY(check(xgboost, xgboost->XGBSetGlobalConfig("{\"verbosity\": 0}"), err));
	RS_TRY(take_rows(xgboost, data, options->kind, false, &rounds.train, err));
	RS_TRY(take_rows(xgboost, data, options->kind, true, &rounds.held, err));
	known[0] = rounds.train;
	known[1] = rounds.held;
	RS_TRY(check(xgboost, xgboost->XGBoosterCreate(known, rounds.held ? 2 : 1, &rounds.booster), err));
	RS_TRY(set_all(&rounds, data, options, err));
	RS_TRY(run(&rounds, options, out_metrics, &kept, err));
	RS_TRY(gather(&rounds, kept, &made, err));
	*out = made;
	made = (struct rs_booster){0};
	return RS_OK;
}
