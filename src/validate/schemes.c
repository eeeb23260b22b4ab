#include "validate/validate_schemes.h"
#include "search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"

static void tell(const struct rs_schemes *s, const char *of, const char *name, double value, double lower,
                 double upper, double p)
{
	s->report->finding(s->report->context, &(struct rs_finding){of, name, value, lower, upper, p});
}

/* ---- some rows train, some are judged ---- */

struct division {
	size_t *train, *test; /* ascending; train may repeat rows */
	size_t train_count, test_count;
	double *score, *apparent; /* [row of test][width]; [row of train][width], NULL: not wanted */
};

static void division_finish(struct division *division)
{
	rs_free(division->train);
	rs_free(division->test);
	rs_free(division->score);
	rs_free(division->apparent);
}

/* times: by subject, how often it trains; those that do not are judged. */
static enum rs_code division_init(const struct rs_contender *own, const uint32_t *times, bool apparent,
                                  struct division *out, struct rs_error *err)
{
	const struct rs_frame *frame = own->frame;
	size_t train = 0;
	for (size_t i = 0; i < frame->rows; i++)
		train += times[frame->subject[i]];
	out->train = rs_allocate_array(train, sizeof *out->train);
	out->test = rs_allocate_array(frame->rows, sizeof *out->test);
	out->score = rs_allocate_array(frame->rows, own->width * sizeof *out->score);
	out->apparent = apparent ? rs_allocate_array(train, own->width * sizeof *out->apparent) : NULL;
	if (!out->train || !out->test || !out->score || (apparent && !out->apparent))
		return rs_error_memory(err, train * sizeof *out->train, "a division");
	for (size_t i = 0; i < frame->rows; i++) {
		for (uint32_t k = 0; k < times[frame->subject[i]]; k++)
			out->train[out->train_count++] = i;
		if (times[frame->subject[i]] == 0)
			out->test[out->test_count++] = i;
	}
	return RS_OK;
}

static enum rs_code division_run(const struct rs_schemes *s, struct division *d, uint64_t seed,
                                 struct rs_pool *pool, struct rs_error *err)
{
	const struct rs_contender *own = s->own;
	struct rs_fitted fitted RS_CLEANUP(rs_fitted_finish) = {0};
	struct search search RS_CLEANUP(search_finish) = contender_search(own, s->study);
	search.seed += seed;
	search.rows = rs_allocate_array(d->train_count, sizeof *search.rows);
	if (!search.rows)
		return rs_error_memory(err, d->train_count * sizeof *search.rows, "rows");
	memcpy(search.rows, d->train, d->train_count * sizeof *search.rows);
	search.count = d->train_count;
	search.apparent = d->apparent;
	RS_TRY(search_run(&search, (size_t)s->study->inner_folds, pool, err));
	RS_TRY(search_fit(&search, pool, false, &fitted, err));
	return rs_fitted_judge(&fitted, own->frame, own->view, d->test, d->test_count, d->score, err);
}

static enum rs_code merit_of_rows(const struct rs_frame *frame, const size_t *rows, size_t count,
                                  const double *score, struct rs_merit *out, struct rs_error *err)
{
	double *time RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *time);
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(count);
	if (!time || !outcome)
		return rs_error_memory(err, count * sizeof *time, "rows");
	for (size_t i = 0; i < count; i++) {
		time[i] = frame->time[rows[i]];
		outcome[i] = frame->outcome[rows[i]];
	}
	const struct rs_judged judged = {frame->target, frame->classes, count, outcome, time, score, NULL};
	return rs_judged_interval(&judged, out, err);
}

/* ---- one split ---- */

/* Of parts in a row a share, evenly: of five, where four train, every fifth is judged. */
static bool split_trains(uint32_t part, double share)
{
	return floor((part + 1) * share + 1e-9) > floor(part * share + 1e-9);
}

static enum rs_code run_split(const struct rs_schemes *s, const struct rs_merit *merit, struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	size_t n = frame->subject_count, folds, parts = 1000;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *rows);
	uint32_t *part RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *part);
	uint32_t *times RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *times);
	struct division division RS_CLEANUP(division_finish) = {0};
	struct rs_merit found;
	char sentence[512];
	if (!rows || !part || !times)
		return rs_error_memory(err, frame->rows * sizeof *rows, "a split");
	for (size_t i = 0; i < frame->rows; i++)
		rows[i] = i;
	/* Parts of one subject each (or as good as that) are dealt out class by class, so that each class keeps its share. */
	RS_TRY(rs_folds_deal(frame, rows, frame->rows, parts, s->study->seed, 0x73706c69, part, &folds, err));
	for (size_t i = 0; i < frame->rows; i++)
		times[frame->subject[i]] = split_trains(part[i], s->study->split);
	RS_TRY(division_init(s->own, times, false, &division, err));
	if (division.test_count == 0 || division.train_count == 0)
		return rs_error_set(err, RS_USAGE, "split: %zu subjects cannot be divided", n);
	if (division_run(s, &division, 0x5eed, s->pool, err) != RS_OK)
		return rs_error_context(err, "split");
	RS_TRY(merit_of_rows(frame, division.test, division.test_count, division.score, &found, err));
	RS_TRY(rs_drift_tell(s, "split", &(struct rs_part_rows){division.train, division.train_count},
	                     &(struct rs_part_rows){division.test, division.test_count}, err));
	tell(s, "split", "training_rows", (double)division.train_count, NAN, NAN, NAN);
	tell(s, "split", rs_merit_name(frame->target), found.value, found.lower, found.upper, NAN);
	snprintf(
		sentence, sizeof sentence,
		"the split is one of many: %.3f (95 %% interval %.3f to %.3f) on %zu rows; cross-validation, %.3f (%.3f "
		"to %.3f) on %zu, is the number to quote",
		found.value, found.lower, found.upper, division.test_count, merit->value, merit->lower,
		merit->upper, frame->rows);
	s->report->warning(s->report->context, sentence);
	return RS_OK;
}

/* ---- bootstrap ---- */

struct bootstrap {
	const struct rs_schemes *schemes;
	double *left_out; /* merit by repetition; NaN when the rows left out cannot be compared */
};

static void bootstrap_finish(struct bootstrap *bootstrap) { rs_free(bootstrap->left_out); }

static enum rs_code work_bootstrap(void *context, size_t index, struct rs_error *err)
{
	const struct bootstrap *b = context;
	const struct rs_frame *frame = b->schemes->own->frame;
	struct rs_stream stream = rs_stream_of(b->schemes->study->seed, 0x626f6f74 + index);
	struct division division RS_CLEANUP(division_finish) = {0};
	uint32_t *times RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->subject_count, sizeof *times);
	struct rs_merit found;
	if (!times)
		return rs_error_memory(err, frame->subject_count * sizeof *times, "a bootstrap");
	for (size_t k = 0; k < frame->subject_count; k++)
		times[rs_stream_below(&stream, frame->subject_count)]++;
	b->left_out[index] = NAN;
	RS_TRY(division_init(b->schemes->own, times, false, &division, err));
	if (division.test_count == 0)
		return RS_OK;
	if (division_run(b->schemes, &division, index + 1, NULL, err) != RS_OK)
		return err->code == RS_NOT_FOUND ? RS_OK : rs_error_context(err, "bootstrap %zu", index + 1);
	RS_TRY(merit_of_rows(frame, division.test, division.test_count, division.score, &found, err));
	b->left_out[index] = found.value;
	return RS_OK;
}

double rs_merit_632(double apparent, double left_out)
{
	double bounded = fmax(left_out, 0.5), share = 0;
	if (bounded < apparent)
		share = (apparent - bounded) / (apparent - 0.5);
	double weight = 0.632 / (1 - 0.368 * share);
	return (1 - weight) * apparent + weight * bounded;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Merit of the model on the rows it was fitted to. */
static enum rs_code find_apparent(const struct rs_schemes *s, double *out, struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	struct division division RS_CLEANUP(division_finish) = {0};
	uint32_t *times RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->subject_count, sizeof *times);
	struct rs_merit found;
	if (!times)
		return rs_error_memory(err, frame->subject_count * sizeof *times, "a bootstrap");
	for (size_t k = 0; k < frame->subject_count; k++)
		times[k] = 1;
	RS_TRY(division_init(s->own, times, true, &division, err));
	RS_TRY(division_run(s, &division, 0, s->pool, err));
	RS_TRY(merit_of_rows(frame, division.train, division.train_count, division.apparent, &found, err));
	*out = found.value;
	return RS_OK;
}

static enum rs_code run_bootstrap(const struct rs_schemes *s, struct rs_error *err)
{
	size_t repetitions = (size_t)s->study->bootstrap, count = 0;
	struct bootstrap b RS_CLEANUP(bootstrap_finish) = {.schemes = s};
	double apparent = NAN, mean = 0;
	b.left_out = rs_allocate_array(repetitions, sizeof *b.left_out);
	if (!b.left_out)
		return rs_error_memory(err, repetitions * sizeof *b.left_out, "a bootstrap");
	RS_TRY(rs_pool_for(s->pool, repetitions, work_bootstrap, &b, err));
	for (size_t k = 0; k < repetitions; k++)
		if (!isnan(b.left_out[k]))
			b.left_out[count++] = b.left_out[k];
	if (count == 0)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "bootstrap: no repetition leaves rows that can be compared");
	for (size_t k = 0; k < count; k++)
		mean += b.left_out[k] / (double)count;
	RS_TRY(find_apparent(s, &apparent, err));
	qsort(b.left_out, count, sizeof *b.left_out, ascending);
	tell(s, "model", "apparent", apparent, NAN, NAN, NAN);
	tell(s, "model", "bootstrap_left_out", mean, b.left_out[(size_t)(0.025 * (double)(count - 1))],
	     b.left_out[(size_t)(0.975 * (double)(count - 1))], NAN);
	tell(s, "model", "bootstrap_632_plus", rs_merit_632(apparent, mean), NAN, NAN, NAN);
	return RS_OK;
}

/* ---- permutations ---- */

struct permutations {
	const struct rs_schemes *schemes;
	struct rs_study study; /* with one repeat */
	double *merit;
};

/* The first repeat alone. */
static enum rs_code merit_of_first(const struct rs_contender *of, double *out, struct rs_error *err)
{
	const struct rs_frame *frame = of->frame;
	const struct rs_judged judged = {frame->target, frame->classes, frame->rows, frame->outcome,
	                                 frame->time,   of->score,      of->fold};
	return rs_judged_merit(&judged, out, err);
}

static enum rs_code work_permutation(void *context, size_t index, struct rs_error *err)
{
	const struct permutations *p = context;
	const struct rs_contender *own = p->schemes->own;
	struct rs_frame frame RS_CLEANUP(rs_frame_finish) = {0};
	struct rs_contender contender RS_CLEANUP(rs_contender_finish) = {
		.name = "permutation", .frame = &frame, .plan = own->plan, .view = own->view};
	RS_TRY(rs_frame_permute_outcomes(own->frame, p->study.seed + 1 + index, &frame, err));
	RS_TRY(rs_contenders_run(&contender, 1, &p->study, NULL, NULL, err));
	return merit_of_first(&contender, &p->merit[index], err);
}

static enum rs_code run_permutations(const struct rs_schemes *s, struct rs_error *err)
{
	size_t count = (size_t)s->study->permutations, as_good = 0;
	struct permutations p = {.schemes = s, .study = *s->study};
	double *merit RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *merit), own;
	if (!merit)
		return rs_error_memory(err, count * sizeof *merit, "permutations");
	p.merit = merit;
	p.study.repeats = 1;
	RS_TRY(rs_pool_for(s->pool, count, work_permutation, &p, err));
	RS_TRY(merit_of_first(s->own, &own, err));
	for (size_t k = 0; k < count; k++)
		as_good += merit[k] >= own;
	tell(s, "model", "permutation", own, NAN, NAN, (double)(as_good + 1) / (double)(count + 1));
	return RS_OK;
}

enum rs_code rs_schemes_run(const struct rs_schemes *s, const struct rs_merit *merit, struct rs_error *err)
{
	if (s->own->frame->centre_count > 1)
		RS_TRY(rs_shift_run(s, err));
	RS_TRY(rs_drift_run(s, err));
	if (s->study->split > 0)
		RS_TRY(run_split(s, merit, err));
	if (s->study->bootstrap > 0)
		RS_TRY(run_bootstrap(s, err));
	return s->study->permutations > 0 ? run_permutations(s, err) : RS_OK;
}
