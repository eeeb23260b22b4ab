/* XGBoost's model in JSON, become arrays of our own: children side by side after their parents, which also leaves out what
 * its pruning left behind. */
#include "boost.h"

#include <jansson.h>
#include <math.h>

#define NODES_MAX ((size_t)1 << 30)

static void json_finish(json_t **json) { json_decref(*json); }

static enum rs_code odd(struct rs_error *err, const char *what)
{
	return rs_error_set(err, RS_INTERNAL, "XGBoost's model has no %s that can be read", what);
}

/* One tree's columns of numbers, all of the same length. */
struct columns {
	json_t *left, *right, *index, *condition, *missing_left, *cover;
	size_t count;
};

static bool find_columns(json_t *tree, struct columns *out)
{
	const struct {
		const char *name;
		json_t **column;
	} wanted[] = {
		{"left_children", &out->left},        {"right_children", &out->right},
		{"split_indices", &out->index},       {"split_conditions", &out->condition},
		{"default_left", &out->missing_left}, {"sum_hessian", &out->cover},
	};
	out->count = json_array_size(json_object_get(tree, "left_children"));
	for (size_t i = 0; i < RS_COUNT(wanted); i++) {
		*wanted[i].column = json_object_get(tree, wanted[i].name);
		if (json_array_size(*wanted[i].column) != out->count)
			return false;
	}
	return out->count > 0 && out->count < NODES_MAX;
}

static int64_t whole_at(json_t *array, size_t at)
{
	return (int64_t)json_integer_value(json_array_get(array, at));
}

static bool is_true_at(json_t *array, size_t at)
{
	return json_is_true(json_array_get(array, at)) || whole_at(array, at) != 0;
}

static float number_at(json_t *array, size_t at)
{
	return (float)json_number_value(json_array_get(array, at));
}

/* A node of theirs at the place of ours; false when it has no place. */
static bool take_node(const struct columns *from, int64_t at, struct rs_boost_node *out, size_t next,
                      size_t room)
{
	if (at < 0 || (uint64_t)at >= from->count)
		return false;
	*out = (struct rs_boost_node){.column = RS_BOOST_LEAF,
	                              .number = number_at(from->condition, (size_t)at),
	                              .cover = number_at(from->cover, (size_t)at)};
	if (whole_at(from->left, (size_t)at) < 0)
		return true;
	out->column = (uint32_t)whole_at(from->index, (size_t)at);
	out->missing_right = !is_true_at(from->missing_left, (size_t)at);
	out->next = (uint32_t)next;
	return next + 2 <= room;
}

/* Breadth first: source[i] is which of their nodes stands at our place i of the tree. */
static bool take_tree(const struct columns *from, int64_t *source, struct rs_boost_node *out, size_t first,
                      size_t *out_count)
{
	size_t count = 1;
	source[0] = 0;
	for (size_t i = 0; i < count; i++) {
		if (!take_node(from, source[i], &out[i], first + count, first + from->count))
			return false;
		if (out[i].column == RS_BOOST_LEAF)
			continue;
		source[count++] = whole_at(from->left, (size_t)source[i]);
		source[count++] = whole_at(from->right, (size_t)source[i]);
	}
	*out_count = count;
	return true;
}

static enum rs_code take_trees(json_t *trees, struct rs_booster *out, struct rs_error *err)
{
	size_t room = 0, longest = 0;
	struct columns columns;
	for (uint32_t t = 0; t < out->trees; t++) {
		if (!find_columns(json_array_get(trees, t), &columns))
			return odd(err, "tree");
		room += columns.count;
		longest = columns.count > longest ? columns.count : longest;
	}
	if (room >= NODES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the boosted trees have more than 2^30 nodes");
	int64_t *source RS_CLEANUP(rs_free_pointer) = rs_allocate_array(longest, sizeof *source);
	out->roots = rs_allocate_array(out->trees, sizeof *out->roots);
	out->nodes = rs_allocate_array(room, sizeof *out->nodes);
	if (!source || !out->roots || !out->nodes)
		return rs_error_memory(err, room * sizeof *out->nodes, "boosted trees");
	for (uint32_t t = 0; t < out->trees; t++) {
		size_t count = 0;
		find_columns(json_array_get(trees, t), &columns);
		out->roots[t] = (uint32_t)out->node_count;
		if (!take_tree(&columns, source, &out->nodes[out->node_count], out->node_count, &count))
			return odd(err, "node");
		out->node_count += count;
	}
	return boost_trees_check(out, err);
}

/* base_score is told as a probability, a hazard or a time. */
static enum rs_code take_base(json_t *learner, struct rs_booster *out, struct rs_error *err)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(learner, "learner_model_param"), "base_score"));
	double score;
	if (!text || !rs_parse_f64(rs_str_from(text), &score))
		return odd(err, "base score");
	if (out->kind == RS_BOOST_BINARY)
		out->base = -log(1 / score - 1);
	else
		out->base = out->kind == RS_BOOST_CLASSES ? score : log(score);
	return isfinite(out->base) ? RS_OK : odd(err, "base score");
}

enum rs_code boost_trees_read(struct rs_bytes json, uint32_t rounds, struct rs_booster *out,
                              struct rs_error *err)
{
	json_error_t why;
	json_t *root RS_CLEANUP(json_finish) = json_loadb((const char *)json.data, json.size, 0, &why);
	json_t *learner = json_object_get(root, "learner");
	json_t *model = json_object_get(json_object_get(learner, "gradient_booster"), "model");
	json_t *trees = json_object_get(model, "trees"), *outputs = json_object_get(model, "tree_info");
	size_t count = (size_t)rounds * out->outputs;
	if (!root)
		return rs_error_set(err, RS_INTERNAL, "XGBoost's model: %s", why.text);
	if (count == 0 || count > UINT32_MAX || json_array_size(trees) < count ||
	    json_array_size(outputs) < count)
		return odd(err, "trees");
	for (size_t t = 0; t < count; t++)
		if (whole_at(outputs, t) != (int64_t)(t % out->outputs))
			return odd(err, "order of trees");
	out->trees = (uint32_t)count;
	RS_TRY(take_base(learner, out, err));
	return take_trees(trees, out, err);
}
