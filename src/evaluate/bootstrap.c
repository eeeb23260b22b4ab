/* Intervals of measures by drawing subjects again. */
#include <math.h>
#include <stdio.h>

#include "assess/assess_bootstrap.h"
#include "table/table.h"
#include "told.h"
#include "survival/survival_concordance.h"

#define MEASURES 6
static const char *const of_classes[MEASURES] = {
	"auc", "average_precision", "balanced_accuracy", "f1", "mcc", "brier"};
static const char *const of_survival[MEASURES] = {"harrell_c", "uno_c"};

struct measuring {
	const struct told *told;
	const double *score;
	double threshold; /* NaN: none */
	bool probabilities;
};

/* Rows drawn. */
struct drawn {
	double *score, *time;
	uint8_t *outcome;
};

static void drawn_finish(struct drawn *drawn)
{
	rs_free(drawn->score);
	rs_free(drawn->outcome);
}

static enum rs_code drawn_of(const struct measuring *m, const size_t *rows, size_t count, struct drawn *out,
                             struct rs_error *err)
{
	out->score = rs_allocate_array(count, 2 * sizeof *out->score);
	out->outcome = rs_allocate(count);
	if (!out->score || !out->outcome)
		return rs_error_memory(err, count * 2 * sizeof *out->score, "a resample");
	out->time = out->score + count;
	for (size_t i = 0; i < count; i++) {
		out->score[i] = m->score[rows[i]];
		out->time[i] = m->told->time[rows[i]];
		out->outcome[i] = m->told->outcome[rows[i]] == 1;
	}
	return RS_OK;
}

static enum rs_code measure_classes(void *context, const size_t *rows, size_t count, double *out,
                                    struct rs_error *err)
{
	const struct measuring *m = context;
	struct drawn drawn RS_CLEANUP(drawn_finish) = {0};
	RS_TRY(drawn_of(m, rows, count, &drawn, err));
	for (size_t k = 0; k < MEASURES; k++)
		out[k] = NAN;
	RS_TRY(rs_auc_of((const double *const[]){drawn.score}, 1, drawn.outcome, count, &out[0], NULL, err));
	RS_TRY(rs_average_precision(drawn.score, drawn.outcome, count, &out[1], err));
	if (!isnan(m->threshold)) {
		struct rs_confusion confusion = rs_confusion_of(drawn.score, drawn.outcome, count,
		                                                m->threshold);
		struct rs_classification found;
		rs_classification_of(&confusion, m->told->asked->level, &found);
		out[2] = found.balanced_accuracy;
		out[3] = found.f1;
		out[4] = found.mcc;
	}
	if (!m->probabilities)
		return RS_OK;
	out[5] = 0;
	for (size_t i = 0; i < count; i++) {
		double miss = drawn.score[i] - drawn.outcome[i];
		out[5] += miss * miss / (double)count;
	}
	return RS_OK;
}

static enum rs_code measure_survival(void *context, const size_t *rows, size_t count, double *out,
                                     struct rs_error *err)
{
	const struct measuring *m = context;
	struct drawn drawn RS_CLEANUP(drawn_finish) = {0};
	RS_TRY(drawn_of(m, rows, count, &drawn, err));
	const struct rs_follow_up seen = {count, NULL, drawn.time, drawn.outcome, NULL};
	for (size_t k = 0; k < 2; k++) {
		const struct rs_concordance_options options = {.weight = k ? RS_CONCORDANCE_UNO
		                                                           : RS_CONCORDANCE_HARRELL};
		struct rs_concordance found;
		RS_TRY(rs_concordance_of(&seen, drawn.score, &options, &found, err));
		out[k] = found.c;
	}
	return RS_OK;
}

static bool are_probabilities(const double *score, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (score[i] < 0 || score[i] > 1)
			return false;
	return true;
}

enum rs_code tell_bootstrap(const struct told *told, const double *thresholds, struct rs_error *err)
{
	const struct rs_evaluation *asked = told->asked;
	const char *const *names = asked->outcome ? of_classes : of_survival;
	struct coded subjects RS_CLEANUP(coded_finish) = {0};
	if (asked->bootstrap == 0)
		return RS_OK;
	if (asked->subject)
		RS_TRY(coded_of(told, asked->subject, told->count, &subjects, err));
	const struct rs_bootstrap_options options = {asked->bootstrap, asked->seed, asked->level, true,
	                                             subjects.code,    asked->pool};
	for (size_t s = 0; s < asked->score_count; s++) {
		struct measuring m = {told, told->score[s], thresholds ? thresholds[s] : NAN,
		                      are_probabilities(told->score[s], told->count)};
		struct rs_interval found[MEASURES];
		size_t width = asked->outcome ? MEASURES : 2;
		RS_TRY(rs_bootstrap_of(asked->outcome ? measure_classes : measure_survival, &m, width,
		                       told->count, &options, found, err));
		for (size_t k = 0; k < width; k++) {
			char name[64];
			snprintf(name, sizeof name, "%s_bootstrap", names[k]);
			if (!isnan(found[k].value))
				finding_tell_interval(told, asked->scores[s], name, &found[k]);
		}
	}
	return RS_OK;
}
