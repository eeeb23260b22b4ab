/* Random forests for classes and survival. In a model file: [trees, roots, nodes, values, times, importance]. */
#include <math.h>
#include <string.h>

#include "recipe/recipe_packed.h"
#include "trees.h"

#define NODE_SIZE 24
#define VALUE_SIZE 12
#define ROOT_SIZE 4
#define TREES_MAX 100000

struct options {
	uint64_t trees, minimum_leaf, tries;
};
struct state {
	struct rs_model_shape shape;
	struct rs_forest forest;
	double *importance; /* NULL: not asked for */
};

static void finish(void *state)
{
	struct state *s = state;
	rs_forest_finish(&s->forest);
	rs_free(s->importance);
}

/* ---- fit ---- */

/* Shares of classes, of which a binary target wants the second one alone. */
static enum rs_code fit_classes(const struct rs_lesson *lesson, const struct rs_forest_options *options,
                                double *own, struct state *s, struct rs_error *err)
{
	const struct rs_matrix x = {lesson->rows, lesson->shape.columns, lesson->x};
	const uint32_t classes = lesson->shape.classes;
	double *shares RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows,
	                                                               classes * sizeof *shares);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, sizeof *labels);
	if (!shares || !labels)
		return rs_error_memory(err, lesson->rows * classes * sizeof *shares, "a forest");
	for (size_t i = 0; i < lesson->rows; i++)
		labels[i] = lesson->outcome[i];
	const struct rs_forest_out_of_bag out_of_bag = {own ? shares : NULL, s->importance};
	RS_TRY(rs_forest_fit_classes(&x, labels, classes, options, &out_of_bag, &s->forest, err));
	size_t width = rs_model_shape_width(&lesson->shape);
	for (size_t k = 0; own && k < lesson->rows * width; k++)
		own[k] = shares[width == 1 ? 2 * k + 1 : k];
	return RS_OK;
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const struct options *o = options;
	struct state *s = state;
	const struct rs_forest_options forest = {.trees = (uint32_t)o->trees,
	                                         .tries = (uint32_t)o->tries,
	                                         .minimum_leaf = (uint32_t)o->minimum_leaf,
	                                         .seed = lesson->seed,
	                                         .weight = lesson->weight,
	                                         .pool = lesson->pool};
	const struct rs_matrix x = {lesson->rows, lesson->shape.columns, lesson->x};
	s->shape = lesson->shape;
	if (lesson->thorough) {
		s->importance = rs_allocate_array(lesson->shape.columns, sizeof *s->importance);
		if (!s->importance)
			return rs_error_memory(err, lesson->shape.columns * sizeof *s->importance,
			                       "importance");
	}
	if (lesson->shape.target != RS_TARGET_SURVIVAL)
		return fit_classes(lesson, &forest, own_scores, s, err);
	const struct rs_forest_out_of_bag out_of_bag = {own_scores, s->importance};
	return rs_forest_fit_survival(&x, lesson->time, lesson->outcome, &forest, &out_of_bag, &s->forest,
	                              err);
}

/* ---- use ---- */

/* Row by row; `visit` is given the row's inputs. */
typedef void visit_row(const struct state *s, const double *row, size_t index, void *context);

static enum rs_code each_row(const struct state *s, const struct rs_matrix *x, visit_row *visit,
                             void *context, struct rs_error *err)
{
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->columns, sizeof *row);
	if (!row)
		return rs_error_memory(err, x->columns * sizeof *row, "a row");
	for (size_t i = 0; i < x->rows; i++) {
		for (size_t c = 0; c < x->columns; c++)
			row[c] = x->values[c * x->rows + i];
		visit(s, row, i, context);
	}
	return RS_OK;
}

static void score_row(const struct state *s, const double *row, size_t index, void *context)
{
	double shares[RS_CLASSES_MAX], *out = context;
	size_t width = rs_model_shape_width(&s->shape);
	if (s->shape.target == RS_TARGET_SURVIVAL) {
		out[index] = rs_forest_risk(&s->forest, row);
		return;
	}
	rs_forest_classes(&s->forest, row, shares);
	for (size_t k = 0; k < width; k++)
		out[index * width + k] = fmin(shares[width == 1 ? 1 : k], 1);
}

static enum rs_code score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	return each_row(state, x, score_row, out, err);
}

struct curves {
	const double *times;
	size_t count;
	double *hazard, *out;
};

/* Below the first time of an event survival is 1; beyond the last one nothing more is known than there. */
static void survive_row(const struct state *s, const double *row, size_t index, void *context)
{
	const struct curves *curves = context;
	rs_forest_hazard(&s->forest, row, curves->hazard);
	for (size_t t = 0, known = 0; t < curves->count; t++) {
		while (known < s->forest.time_count && s->forest.times[known] <= curves->times[t])
			known++;
		curves->out[index * curves->count + t] = known ? exp(-curves->hazard[known - 1]) : 1;
	}
}

static enum rs_code survival(const void *state, const struct rs_matrix *x, const double *times, size_t count,
                             double *out, struct rs_error *err)
{
	const struct state *s = state;
	double *hazard RS_CLEANUP(rs_free_pointer) = rs_allocate_array(s->forest.time_count, sizeof *hazard);
	if (!hazard)
		return rs_error_memory(err, s->forest.time_count * sizeof *hazard, "hazards");
	struct curves curves = {times, count, hazard, out};
	return each_row(s, x, survive_row, &curves, err);
}

static bool importance(const void *state, double *out)
{
	const struct state *s = state;
	for (size_t c = 0; s->importance && c < s->shape.columns; c++)
		out[c] = fmax(s->importance[c], 0);
	return s->importance != NULL;
}

static enum rs_code explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                            struct rs_error *err)
{
	const struct state *s = state;
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	RS_TRY(rs_shap_of_forest(&s->forest, of, &shap, err));
	return trees_explain(shap, x, out, err);
}

/* ---- files ---- */

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	const struct rs_forest *forest = &s->forest;
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	rs_cbor_write_array(out, 6);
	rs_cbor_write_u64(out, forest->trees);
	rs_packed_write_u32s(out, forest->roots, forest->trees);
	for (size_t i = 0; i < forest->node_count; i++) {
		const struct rs_forest_node *node = &forest->nodes[i];
		rs_packed_append_u32(&part, node->column);
		rs_packed_append_u32(&part, node->next);
		rs_packed_append_u32(&part, node->values);
		rs_packed_append_u32(&part, node->weight);
		rs_packed_append_f64(&part, node->threshold);
	}
	rs_packed_write_part(out, &part);
	rs_buffer_clear(&part);
	for (size_t i = 0; i < forest->value_count; i++) {
		rs_packed_append_u32(&part, forest->values[i].at);
		rs_packed_append_f64(&part, forest->values[i].value);
	}
	rs_packed_write_part(out, &part);
	rs_packed_write_f64s(out, forest->times, forest->time_count);
	rs_packed_write_f64s(out, s->importance, s->importance ? s->shape.columns : 0);
}

/* Children stand after their parents, so that every walk ends. */
static bool node_can_be(const struct rs_forest *forest, size_t at)
{
	const struct rs_forest_node *node = &forest->nodes[at];
	if (node->column == RS_FOREST_LEAF)
		return node->next <= forest->value_count &&
		       node->values <= forest->value_count - node->next && node->threshold == 0;
	return node->column < forest->columns && node->next > at &&
	       (size_t)node->next + 1 < forest->node_count && isfinite(node->threshold);
}

static enum rs_code read_nodes(struct rs_cbor_reader *reader, struct rs_forest *forest, struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_packed_read_records(reader, "nodes", NODE_SIZE, &bytes, &forest->node_count, err));
	forest->nodes = rs_allocate_array(forest->node_count, sizeof *forest->nodes);
	if (!forest->nodes)
		return rs_error_memory(err, bytes.size, "a model");
	for (size_t i = 0; i < forest->node_count; i++) {
		const uint8_t *at = bytes.data + i * NODE_SIZE;
		forest->nodes[i] = (struct rs_forest_node){.column = rs_read_le32(at),
		                                           .next = rs_read_le32(at + 4),
		                                           .values = rs_read_le32(at + 8),
		                                           .weight = rs_read_le32(at + 12),
		                                           .threshold = rs_packed_f64_at(at + 16)};
	}
	return RS_OK;
}

static enum rs_code read_values(struct rs_cbor_reader *reader, struct rs_forest *forest, struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_packed_read_records(reader, "values", VALUE_SIZE, &bytes, &forest->value_count, err));
	forest->values = rs_allocate_array(forest->value_count, sizeof *forest->values);
	if (!forest->values)
		return rs_error_memory(err, bytes.size, "a model");
	for (size_t i = 0; i < forest->value_count; i++) {
		const uint8_t *at = bytes.data + i * VALUE_SIZE;
		forest->values[i] = (struct rs_forest_value){rs_read_le32(at), rs_packed_f64_at(at + 4)};
	}
	return RS_OK;
}

static enum rs_code check(const struct rs_forest *forest, struct rs_error *err)
{
	size_t places = forest->classes ? forest->classes : forest->time_count;
	for (size_t i = 0; i < forest->node_count; i++)
		if (!node_can_be(forest, i))
			return rs_packed_wrong("nodes", err);
	for (size_t i = 0; i < forest->value_count; i++)
		if (forest->values[i].at >= places ||
		    !(forest->values[i].value >= 0 && forest->values[i].value <= 1))
			return rs_packed_wrong("values", err);
	return RS_OK;
}

static enum rs_code read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                         struct rs_error *err)
{
	struct state *s = state;
	struct rs_forest *forest = &s->forest;
	uint64_t trees;
	size_t count;
	s->shape = *shape;
	RS_TRY(rs_packed_read_parts(reader, "forest", 6, err));
	RS_TRY(rs_packed_read_count(reader, "trees", TREES_MAX, &trees, err));
	forest->classes = s->shape.classes;
	forest->columns = (uint32_t)s->shape.columns;
	forest->trees = (uint32_t)trees;
	struct rs_cbor_reader roots = *reader; /* bounded by the nodes, which come after them */
	RS_TRY(rs_cbor_skip(reader, NULL, err));
	RS_TRY(read_nodes(reader, forest, err));
	RS_TRY(rs_packed_read_u32s(&roots, "roots", (uint32_t)forest->node_count, &forest->roots, &count,
	                           err));
	if (trees == 0 || count != trees)
		return rs_packed_wrong("roots", err);
	RS_TRY(read_values(reader, forest, err));
	RS_TRY(rs_packed_read_f64s(reader, "times", &forest->times, &forest->time_count, err));
	if (!rs_packed_ascends(forest->times, forest->time_count, true))
		return rs_packed_wrong("times", err);
	RS_TRY(rs_packed_read_f64s(reader, "importance", &s->importance, &count, err));
	if (count == 0) {
		rs_free(s->importance);
		s->importance = NULL;
	} else if (count != s->shape.columns) {
		return rs_packed_wrong("importance", err);
	}
	return check(forest, err);
}

static const struct rs_setting settings[] = {
	{"trees", RS_SETTING_COUNT, offsetof(struct options, trees), 1, TREES_MAX, 500, NULL},
	{"minimum_leaf", RS_SETTING_COUNT, offsetof(struct options, minimum_leaf), 0, 1000000, 0, NULL},
	{"tries", RS_SETTING_COUNT, offsetof(struct options, tries), 0, 1000000, 0, NULL},
	{.name = NULL},
};
const struct rs_learner rs_learner_forest = {
	.name = "forest",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL | RS_TARGET_SURVIVAL,
	.needs_inputs = true,
	.judges_own = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct state),
	.fit = fit,
	.finish = finish,
	.score = score,
	.survival = survival,
	.importance = importance,
	.explain = explain,
	.write = write,
	.read = read,
};
