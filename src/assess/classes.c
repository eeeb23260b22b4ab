/* Probabilities of several classes, in order or not. */
#include <math.h>
#include <string.h>

#include "assess/assess.h"

/* Rows of two classes side by side, for an area under a curve. */
struct pair {
	double *score;
	uint8_t *outcome;
	size_t count, upper;
};

static void pair_finish(struct pair *pair)
{
	rs_free(pair->score);
	rs_free(pair->outcome);
}

/* Area of one column of p (or of `level`, where p is NULL) between the classes a and b, b being the positive one. */
static enum rs_code area_between(const struct rs_class_scores *s, const double *level, size_t column,
                                 uint8_t a, uint8_t b, struct pair *pair, double *out, struct rs_error *err)
{
	const double *scores[] = {pair->score};
	pair->count = pair->upper = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (s->label[i] != a && s->label[i] != b)
			continue;
		pair->score[pair->count] = level ? level[i] : s->p[i * s->classes + column];
		pair->upper += s->label[i] == b;
		pair->outcome[pair->count++] = s->label[i] == b;
	}
	*out = NAN;
	return pair->upper > 0 && pair->upper < pair->count
	               ? rs_auc_of(scores, 1, pair->outcome, pair->count, out, NULL, err)
	               : RS_OK;
}

/* Hand & Till: the mean over pairs of classes; of areas between levels: by the number of pairs of rows. */
static enum rs_code tell_areas(const struct rs_class_scores *s, const double *level, struct pair *pair,
                               struct rs_classes *out, struct rs_error *err)
{
	double sum = 0, pairs = 0, rows = 0, concordant = 0;
	for (uint8_t a = 0; a < s->classes; a++)
		for (uint8_t b = (uint8_t)(a + 1); b < s->classes; b++) {
			double to_b, to_a, ordered;
			RS_TRY(area_between(s, NULL, b, a, b, pair, &to_b, err));
			if (isnan(to_b))
				continue;
			RS_TRY(area_between(s, NULL, a, b, a, pair, &to_a, err));
			RS_TRY(area_between(s, level, 0, a, b, pair, &ordered, err));
			double both = (double)pair->upper * (double)(pair->count - pair->upper);
			sum += 0.5 * (to_a + to_b);
			pairs++;
			concordant += ordered * both;
			rows += both;
		}
	out->hand_till = sum / pairs;
	out->ordinal_c = concordant / rows;
	return RS_OK;
}

uint32_t rs_class_of(const double *p, uint32_t classes)
{
	uint32_t best = 0;
	for (uint32_t k = 1; k < classes; k++)
		if (p[k] > p[best])
			best = k;
	return best;
}

static void tell_decisions(const struct rs_class_scores *s, struct rs_classes *out)
{
	double truth[256] = {0}, said[256] = {0}, both[256] = {0}, apart = 0, expected = 0;
	double n = (double)s->count, classes = 0;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t k = rs_class_of(s->p + i * s->classes, s->classes);
		double away = (double)k - s->label[i], p = s->p[i * s->classes + s->label[i]];
		truth[s->label[i]]++;
		said[k]++;
		both[k] += k == s->label[i];
		apart += away * away;
		out->log_loss -= log(fmin(fmax(p, 1e-15), 1 - 1e-15)) / n;
		for (uint32_t c = 0; c < s->classes; c++) {
			double error = s->p[i * s->classes + c] - (c == s->label[i]);
			out->brier += error * error / n;
		}
	}
	for (uint32_t a = 0; a < s->classes; a++) {
		out->correct += (uint64_t)both[a];
		classes += truth[a] > 0;
		out->macro_f1 += truth[a] > 0 ? 2 * both[a] / (truth[a] + said[a]) : 0;
		out->balanced_accuracy += truth[a] > 0 ? both[a] / truth[a] : 0;
		for (uint32_t b = 0; b < s->classes; b++)
			expected += truth[a] * said[b] / n * ((double)a - b) * ((double)a - b);
	}
	out->macro_f1 /= classes;
	out->balanced_accuracy /= classes;
	out->kappa = expected > 0 ? 1 - apart / expected : NAN;
}

enum rs_code rs_classes_of(const struct rs_class_scores *scores, struct rs_classes *out, struct rs_error *err)
{
	size_t n = scores->count;
	struct pair pair RS_CLEANUP(pair_finish) = {.score = rs_allocate_array(n, sizeof *pair.score),
	                                            .outcome = rs_allocate(n)};
	double *level RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *level);
	struct rs_classes found = {0};
	if (!pair.score || !pair.outcome || !level)
		return rs_error_memory(err, n * sizeof *level, "classes");
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < scores->classes; k++)
			level[i] += k * scores->p[i * scores->classes + k];
	RS_TRY(tell_areas(scores, level, &pair, &found, err));
	tell_decisions(scores, &found);
	*out = found;
	return RS_OK;
}
