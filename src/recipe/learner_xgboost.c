/* XGBoost for classes and survival; options have XGBoost's own names. In a model file: [boosted trees, importance]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"
#include "learn/learn_boost.h"
#include "recipe/recipe_packed.h"
#include "trees.h"

#define HELD_OUT 5 /* one of so many subjects judges the rounds, when they are to be stopped early */

struct options {
	uint64_t rounds, depth, patience;
	double rate, leaf_weight, gain, ridge, lasso, rows_share, columns_share, nodes_share, noise_scale;
	uint32_t method, survival, noise;
};
struct state {
	struct rs_model_shape shape;
	struct rs_booster booster;
	double *importance; /* NULL: not asked for */
};

static void finish(void *state)
{
	struct state *s = state;
	rs_booster_finish(&s->booster);
	rs_free(s->importance);
}

/* ---- reasons ---- */

/* XGBoost has one output for a binary target, and one for survival. */
static uint32_t output_of(const struct state *s, uint32_t class)
{
	return s->booster.outputs > 1 ? class : 0;
}

static enum rs_code explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                            struct rs_error *err)
{
	const struct state *s = state;
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	RS_TRY(rs_shap_of_booster(&s->booster, output_of(s, of), &shap, err));
	RS_TRY(trees_explain(shap, x, out, err));
	for (size_t k = 0; s->booster.kind == RS_BOOST_AFT && k < x->rows * (x->columns + 1); k++)
		out[k] = -out[k]; /* of log time: more is less risk */
	return RS_OK;
}

static bool importance(const void *state, double *out)
{
	const struct state *s = state;
	if (s->importance)
		memcpy(out, s->importance, s->shape.columns * sizeof *out);
	return s->importance != NULL;
}

/* ---- fit ---- */

struct subject {
	uint8_t outcome;
	uint32_t number;
	uint64_t lot;
	size_t row;
};

static int by_number(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int by_lot(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	return (x->lot > y->lot) - (x->lot < y->lot);
}

/* All rows of a subject together; of each outcome a share; an outcome of two subjects stays whole. */
static enum rs_code hold_out(const struct rs_lesson *lesson, uint8_t *out_held, bool *out_any,
                             struct rs_error *err)
{
	size_t count = 0, place = 0;
	struct subject *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, 2 * sizeof *rows);
	if (!rows)
		return rs_error_memory(err, lesson->rows * 2 * sizeof *rows, "rows held out");
	struct subject *subjects = rows + lesson->rows;
	for (size_t r = 0; r < lesson->rows; r++) {
		struct rs_stream lot = rs_stream_of(lesson->seed, lesson->subject[r]);
		rows[r] = (struct subject){lesson->outcome[r], lesson->subject[r], rs_stream_next(&lot), r};
	}
	qsort(rows, lesson->rows, sizeof *rows, by_number);
	for (size_t r = 0; r < lesson->rows; r++)
		if (r == 0 || rows[r].number != rows[r - 1].number) {
			subjects[count] = rows[r];
			subjects[count++].row = r;
		}
	qsort(subjects, count, sizeof *subjects, by_lot);
	*out_any = false;
	for (size_t i = 0; i < count; i++, place++) {
		if (i > 0 && subjects[i].outcome != subjects[i - 1].outcome)
			place = 0;
		if (place % HELD_OUT != HELD_OUT / 2)
			continue;
		*out_any |= lesson->shape.target != RS_TARGET_SURVIVAL || subjects[i].outcome;
		for (size_t r = subjects[i].row; r < lesson->rows && rows[r].number == subjects[i].number;
		     r++)
			out_held[rows[r].row] = 1;
	}
	return RS_OK;
}

static enum rs_boost_kind kind_of(const struct rs_model_shape *shape, const struct options *o)
{
	if (shape->target == RS_TARGET_SURVIVAL)
		return o->survival ? RS_BOOST_AFT : RS_BOOST_COX;
	return shape->target == RS_TARGET_BINARY ? RS_BOOST_BINARY : RS_BOOST_CLASSES;
}

static struct rs_boost_options options_of(const struct rs_lesson *lesson, const struct options *o)
{
	return (struct rs_boost_options){.kind = kind_of(&lesson->shape, o),
	                                 .noise = (enum rs_boost_noise)o->noise,
	                                 .noise_scale = o->noise_scale,
	                                 .rounds = (uint32_t)o->rounds,
	                                 .depth = (uint32_t)o->depth,
	                                 .rate = o->rate,
	                                 .leaf_weight = o->leaf_weight,
	                                 .gain = o->gain,
	                                 .ridge = o->ridge,
	                                 .lasso = o->lasso,
	                                 .rows_share = o->rows_share,
	                                 .columns_share = o->columns_share,
	                                 .nodes_share = o->nodes_share,
	                                 .histogram = o->method,
	                                 .seed = lesson->seed};
}

/* With patience, rows held out tell how many rounds there are to be; these are then made with all rows. */
static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const struct options *o = options;
	struct state *s = state;
	const struct rs_matrix x = {lesson->rows, lesson->shape.columns, lesson->x};
	struct rs_boost_options boost = options_of(lesson, o);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, sizeof *labels);
	uint8_t *held RS_CLEANUP(rs_free_pointer) = rs_allocate(lesson->rows);
	bool survival = lesson->shape.target == RS_TARGET_SURVIVAL, any = false;
	(void)own_scores;
	if (!labels || !held)
		return rs_error_memory(err, lesson->rows * sizeof *labels, "boosted trees");
	for (size_t r = 0; r < lesson->rows; r++)
		labels[r] = lesson->outcome[r];
	struct rs_boost_data data = {.x = &x,
	                             .labels = labels,
	                             .classes = lesson->shape.classes,
	                             .time = survival ? lesson->time : NULL,
	                             .event = survival ? lesson->outcome : NULL,
	                             .weights = lesson->weight};
	if (o->patience > 0)
		RS_TRY(hold_out(lesson, held, &any, err));
	if (any) {
		struct rs_booster first RS_CLEANUP(rs_booster_finish) = {0};
		data.held = held;
		boost.patience = (uint32_t)o->patience;
		RS_TRY(rs_boost_fit(&data, &boost, NULL, &first, err));
		data.held = NULL;
		boost.patience = 0;
		boost.rounds = first.trees / first.outputs;
	}
	s->shape = lesson->shape;
	RS_TRY(rs_boost_fit(&data, &boost, NULL, &s->booster, err));
	return lesson->thorough ? trees_importance(s, s->booster.outputs, explain, &x, &s->importance, err)
	                        : RS_OK;
}

static enum rs_code score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct state *s = state;
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->columns, sizeof *row);
	if (!row)
		return rs_error_memory(err, x->columns * sizeof *row, "a row");
	for (size_t i = 0; i < x->rows; i++) {
		for (size_t c = 0; c < x->columns; c++)
			row[c] = x->values[c * x->rows + i];
		rs_booster_scores(&s->booster, row, out + i * s->booster.outputs);
	}
	return RS_OK;
}

/* ---- files ---- */

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	rs_cbor_write_array(out, 2);
	rs_booster_write(&s->booster, out);
	rs_packed_write_f64s(out, s->importance, s->importance ? s->shape.columns : 0);
}

static enum rs_code read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                         struct rs_error *err)
{
	struct state *s = state;
	s->shape = *shape;
	RS_TRY(rs_packed_read_parts(reader, "xgboost", 2, err));
	RS_TRY(rs_booster_read(reader, (uint32_t)s->shape.columns, &s->booster, err));
	bool aft = s->booster.kind == RS_BOOST_AFT;
	if (s->booster.kind != kind_of(&s->shape, &(struct options){.survival = aft}) ||
	    s->booster.outputs != rs_model_shape_width(&s->shape))
		return rs_packed_wrong("boosted trees", err);
	return trees_read_importance(reader, s->shape.columns, &s->importance, err);
}

static const char *const methods[] = {"exact", "hist", NULL};
static const char *const survivals[] = {"cox", "aft", NULL};
static const char *const noises[] = {"normal", "logistic", "extreme", NULL};
#define SHARE_LEAST 1e-6
static const struct rs_setting settings[] = {
	{"rounds", RS_SETTING_COUNT, offsetof(struct options, rounds), 1, 100000, 200, NULL},
	{"max_depth", RS_SETTING_COUNT, offsetof(struct options, depth), 1, 64, 3, NULL},
	{"eta", RS_SETTING_NUMBER, offsetof(struct options, rate), SHARE_LEAST, 1, 0.05, NULL},
	{"min_child_weight", RS_SETTING_NUMBER, offsetof(struct options, leaf_weight), 0, 1e9, 1, NULL},
	{"gamma", RS_SETTING_NUMBER, offsetof(struct options, gain), 0, 1e9, 0, NULL},
	{"lambda", RS_SETTING_NUMBER, offsetof(struct options, ridge), 0, 1e9, 1, NULL},
	{"alpha", RS_SETTING_NUMBER, offsetof(struct options, lasso), 0, 1e9, 0, NULL},
	{"subsample", RS_SETTING_NUMBER, offsetof(struct options, rows_share), SHARE_LEAST, 1, 0.8, NULL},
	{"colsample_bytree", RS_SETTING_NUMBER, offsetof(struct options, columns_share), SHARE_LEAST, 1, 0.5,
         NULL},
	{"colsample_bynode", RS_SETTING_NUMBER, offsetof(struct options, nodes_share), SHARE_LEAST, 1, 1,
         NULL},
	{"early_stopping_rounds", RS_SETTING_COUNT, offsetof(struct options, patience), 0, 100000, 0, NULL},
	{"tree_method", RS_SETTING_WORD, offsetof(struct options, method), 0, 1, 0, methods},
	{"survival", RS_SETTING_WORD, offsetof(struct options, survival), 0, 1, 0, survivals},
	{"aft_loss_distribution", RS_SETTING_WORD, offsetof(struct options, noise), 0, 2, 0, noises},
	{"aft_loss_distribution_scale", RS_SETTING_NUMBER, offsetof(struct options, noise_scale), 1e-3, 1e3,
         1, NULL},
	{.name = NULL},
};
const struct rs_learner rs_learner_xgboost = {
	.name = "xgboost",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL | RS_TARGET_SURVIVAL,
	.needs_inputs = true,
	.takes_gaps = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct state),
	.fit = fit,
	.finish = finish,
	.score = score,
	.importance = importance,
	.explain = explain,
	.write = write,
	.read = read,
};
