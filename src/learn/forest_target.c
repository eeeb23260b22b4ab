/* What a forest is about: scores that splits are judged by, and what leaves say. */
#include <string.h>

#include "forest.h"

static bool score_classes(struct growing *g, const struct members *in)
{
	const uint32_t *labels = g->ground->labels;
	bool mixed = false;
	memset(g->total, 0, g->scores * sizeof *g->total);
	for (size_t i = in->first; i < in->last; i++) {
		uint32_t row = g->members[i], label = labels[row];
		mixed = mixed || label != labels[g->members[in->first]];
		if (g->scores > 1)
			g->total[label] += g->weight[row];
		else
			g->total[0] += label ? g->weight[row] : 0;
	}
	return mixed;
}

/* Event less the hazard up to its time, as Nelson and Aalen estimate it within the node. */
static bool score_survival(struct growing *g, const struct members *in)
{
	const struct ground *ground = g->ground;
	size_t count = in->last - in->first;
	double at_risk = (double)in->weight, hazard = 0;
	bool any = false;
	g->total[0] = 0;
	sort_members(g, in, ground->time_order, ground->time_rank);
	for (size_t i = 0, next; i < count; i = next) {
		double events = 0, leaving = 0;
		for (next = i;
		     next < count && ground->time_rank[g->sorted[next]] == ground->time_rank[g->sorted[i]];
		     next++) {
			uint32_t row = g->sorted[next];
			leaving += g->weight[row];
			events += ground->event[row] ? g->weight[row] : 0;
		}
		hazard += events / at_risk;
		any = any || events > 0;
		for (size_t k = i; k < next; k++) {
			uint32_t row = g->sorted[k];
			g->score[row] = (ground->event[row] ? 1 : 0) - hazard;
			g->total[0] += g->weight[row] * g->score[row];
		}
		at_risk -= leaving;
	}
	return any;
}

bool target_score(struct growing *g, const struct members *in)
{
	if (in->weight < 2 * (uint64_t)g->ground->minimum_leaf || in->last - in->first < 2)
		return false;
	return g->ground->classes ? score_classes(g, in) : score_survival(g, in);
}

static enum rs_code add_value(struct tree *tree, uint32_t at, double value, struct rs_error *err)
{
	if (tree->value_count == tree->value_room) {
		size_t room = tree->value_room ? 2 * tree->value_room : 256;
		struct rs_forest_value *values = rs_reallocate(tree->values, room * sizeof *values);
		if (!values)
			return rs_error_memory(err, room * sizeof *values, "a tree");
		tree->values = values;
		tree->value_room = room;
	}
	tree->values[tree->value_count++] = (struct rs_forest_value){at, value};
	return RS_OK;
}

static enum rs_code shares(struct growing *g, const struct members *in, struct rs_error *err)
{
	for (uint32_t label = 0; label < g->ground->classes; label++) {
		uint64_t weight = 0;
		for (size_t i = in->first; i < in->last; i++)
			if (g->ground->labels[g->members[i]] == label)
				weight += g->weight[g->members[i]];
		if (weight > 0)
			RS_TRY(add_value(&g->tree, label, (double)weight / (double)in->weight, err));
	}
	return RS_OK;
}

static enum rs_code hazards(struct growing *g, const struct members *in, struct rs_error *err)
{
	const struct ground *ground = g->ground;
	size_t count = in->last - in->first;
	double at_risk = (double)in->weight;
	sort_members(g, in, ground->time_order, ground->time_rank);
	for (size_t i = 0, next; i < count; i = next) {
		uint32_t rank = ground->time_rank[g->sorted[i]];
		double events = 0, leaving = 0;
		for (next = i; next < count && ground->time_rank[g->sorted[next]] == rank; next++) {
			leaving += g->weight[g->sorted[next]];
			events += ground->event[g->sorted[next]] ? g->weight[g->sorted[next]] : 0;
		}
		if (events > 0)
			RS_TRY(add_value(&g->tree, ground->event_time[rank], events / at_risk, err));
		at_risk -= leaving;
	}
	return RS_OK;
}

enum rs_code target_leaf(struct growing *g, const struct members *in, struct rs_forest_node *leaf,
                         struct rs_error *err)
{
	size_t first = g->tree.value_count;
	RS_TRY(g->ground->classes ? shares(g, in, err) : hazards(g, in, err));
	*leaf = (struct rs_forest_node){
		.column = RS_FOREST_LEAF,
		.next = (uint32_t)first,
		.values = (uint32_t)(g->tree.value_count - first),
		.weight = (uint32_t)in->weight,
	};
	return RS_OK;
}
