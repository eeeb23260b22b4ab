/* Whether centres can be told from each other by the columns: where they can, a model may judge by the centre, and what it
 * learnt at one may not hold at another. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "validate/validate_schemes.h"

#define CENTRES_MAX 50
#define APART 0.7 /* an area whose interval lies above it is told in a warning */

struct shift {
	struct rs_frame frames[CENTRES_MAX]; /* borrow all but their outcome */
	struct rs_contender contenders[CENTRES_MAX];
	uint32_t centre[CENTRES_MAX];
	size_t count;
	struct rs_ready_plan forest;
};

static void shift_finish(struct shift *shift)
{
	for (size_t k = 0; k < shift->count; k++) {
		rs_contender_finish(&shift->contenders[k]);
		rs_free(shift->frames[k].outcome);
	}
}

/* The outcome is now whether the row is of the centre. */
static enum rs_code add_centre(struct shift *shift, const struct rs_schemes *s, uint32_t centre,
                               struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	size_t members = 0;
	uint8_t *outcome = rs_allocate(frame->rows);
	if (!outcome)
		return rs_error_memory(err, frame->rows, "centres");
	for (size_t i = 0; i < frame->rows; i++)
		members += outcome[i] = frame->centre[i] == centre;
	if (members < 2 * s->study->folds || frame->rows - members < 2 * s->study->folds) {
		rs_free(outcome); /* too few to tell anything */
		return RS_OK;
	}
	struct rs_frame *own = &shift->frames[shift->count];
	*own = *frame;
	own->target = RS_TARGET_BINARY;
	own->classes = 2;
	own->outcome = outcome;
	shift->centre[shift->count] = centre;
	shift->contenders[shift->count++] = (struct rs_contender){.name = frame->centres[centre],
	                                                          .frame = own,
	                                                          .plan = &shift->forest.plan,
	                                                          .view = s->own->view};
	return RS_OK;
}

/* Difference of the means in deviations, of one column of numbers. */
static double apart(const struct rs_frame *frame, size_t column)
{
	double n[2] = {0, 0}, sum[2] = {0, 0}, squares[2] = {0, 0};
	const double *x = frame->numbers + column * frame->rows;
	for (size_t i = 0; i < frame->rows; i++) {
		if (isnan(x[i]))
			continue;
		n[frame->outcome[i]]++;
		sum[frame->outcome[i]] += x[i];
	}
	for (size_t i = 0; i < frame->rows; i++) {
		size_t of = frame->outcome[i];
		if (!isnan(x[i]))
			squares[of] += (x[i] - sum[of] / n[of]) * (x[i] - sum[of] / n[of]);
	}
	double variance = (squares[0] / (n[0] - 1) + squares[1] / (n[1] - 1)) / 2;
	return variance > 0 ? fabs(sum[1] / n[1] - sum[0] / n[0]) / sqrt(variance) : 0;
}

static void tell(const struct rs_schemes *s, const struct rs_contender *of, const struct rs_merit *merit)
{
	const struct rs_frame *frame = of->frame;
	char sentence[512];
	size_t most = 0;
	for (size_t c = 1; c < frame->column_count; c++)
		if (apart(frame, c) > apart(frame, most))
			most = c;
	s->report->finding(s->report->context, &(struct rs_finding){of->name, "told_apart", merit->value,
	                                                            merit->lower, merit->upper, NAN});
	s->report->finding(s->report->context, &(struct rs_finding){of->name, "largest_difference",
	                                                            apart(frame, most), NAN, NAN, NAN});
	if (!(merit->lower > APART))
		return;
	snprintf(
		sentence, sizeof sentence,
		"centre %s can be told by its columns (AUC %.2f; most by %s, %.1f deviations apart): a model may learn "
		"the centre; validate: centre, and harmonise",
		of->name, merit->value, frame->columns[most].name, apart(frame, most));
	s->report->warning(s->report->context, sentence);
}

static enum rs_code run(struct shift *shift, const struct rs_schemes *s, struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	struct rs_study study = *s->study;
	struct rs_merit merit;
	study.validate = "subject";
	study.assign = "random";
	study.repeats = 1;
	rs_plan_shift(&shift->forest);
	/* Of two centres the one is told by the other. */
	for (uint32_t c = frame->centre_count == 2; c < frame->centre_count && c < CENTRES_MAX; c++)
		RS_TRY(add_centre(shift, s, c, err));
	if (shift->count == 0)
		return RS_OK;
	RS_TRY(rs_contenders_run(shift->contenders, shift->count, &study, NULL, s->pool, err));
	for (size_t k = 0; k < shift->count; k++) {
		RS_TRY(rs_merit_of(&shift->contenders[k], &study, &merit, err));
		tell(s, &shift->contenders[k], &merit);
	}
	return RS_OK;
}

enum rs_code rs_shift_run(const struct rs_schemes *s, struct rs_error *err)
{
	struct shift *shift = rs_allocate(sizeof *shift);
	if (!shift)
		return rs_error_memory(err, sizeof *shift, "centres");
	enum rs_code code = run(shift, s, err);
	shift_finish(shift);
	rs_free(shift);
	return code;
}
