/* What boosted trees say of a row. */
#include <math.h>

#include "boost.h"

static float leaf_of(const struct rs_booster *booster, uint32_t tree, const double *x)
{
	const struct rs_boost_node *node = &booster->nodes[booster->roots[tree]];
	while (node->column != RS_BOOST_LEAF) {
		float value = (float)x[node->column];
		bool right = isnan(value) ? node->missing_right : !(value < node->number);
		node = &booster->nodes[node->next + right];
	}
	return node->number;
}

void rs_booster_margins(const struct rs_booster *booster, const double *x, double *out_margins)
{
	for (uint32_t o = 0; o < booster->outputs; o++) {
		out_margins[o] = booster->base;
		for (uint32_t t = o; t < booster->trees; t += booster->outputs)
			out_margins[o] += (double)leaf_of(booster, t, x);
	}
}

static void share_out(double *values, uint32_t count)
{
	double most = values[0], sum = 0;
	for (uint32_t o = 1; o < count; o++)
		most = fmax(most, values[o]);
	for (uint32_t o = 0; o < count; o++)
		sum += values[o] = exp(values[o] - most);
	for (uint32_t o = 0; o < count; o++)
		values[o] /= sum;
}

void rs_booster_scores(const struct rs_booster *booster, const double *x, double *out_scores)
{
	rs_booster_margins(booster, x, out_scores);
	if (booster->kind == RS_BOOST_CLASSES)
		share_out(out_scores, booster->outputs);
	else if (booster->kind == RS_BOOST_BINARY)
		out_scores[0] = 1 / (1 + exp(-out_scores[0]));
	else if (booster->kind == RS_BOOST_AFT)
		out_scores[0] = -out_scores[0];
}
