/* Predictions held against what came of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "assess/assess_bootstrap.h"
#include "table/table.h"
#include "told.h"
#include "report/report.h"

void told_finish(struct told *told)
{
	rs_free(told->rows);
	rs_free(told->outcome);
	rs_free(told->time);
	rs_free(told->start);
	for (size_t s = 0; s < RS_SCORES_MAX; s++)
		rs_free(told->score[s]);
	for (size_t t = 0; t < RS_TIMES_MAX; t++)
		rs_free(told->risk[t]);
}

void finding_tell(const struct told *told, const char *of, const char *name, double value, double lower,
                  double upper, double p)
{
	told->visit(told->context, &(struct rs_finding){of, name, value, lower, upper, p});
}

void finding_tell_value(const struct told *told, const char *of, const char *name, double value)
{
	finding_tell(told, of, name, value, NAN, NAN, NAN);
}

void finding_tell_interval(const struct told *told, const char *of, const char *name,
                           const struct rs_interval *interval)
{
	finding_tell(told, of, name, interval->value, interval->lower, interval->upper, NAN);
}

void finding_tell_at(const struct told *told, const char *of, const char *name, double time,
                     const struct rs_interval *interval, double p)
{
	char full[96];
	snprintf(full, sizeof full, "%s_at_%.10g", name, time);
	finding_tell(told, of, full, interval->value, interval->lower, interval->upper, p);
}

/* Rows where none of the columns is empty. */
static enum rs_code choose_rows(struct told *told, const size_t *columns, size_t column_count,
                                struct rs_error *err)
{
	const struct rs_csv *table = told->asked->table;
	told->rows = rs_allocate_array(table->rows, sizeof *told->rows);
	told->outcome = rs_allocate(table->rows);
	told->time = rs_allocate_array(table->rows, sizeof *told->time);
	if (!told->rows || !told->outcome || !told->time)
		return rs_error_memory(err, table->rows * sizeof *told->rows, "a table");
	for (size_t row = 0; row < table->rows; row++) {
		bool whole = true;
		for (size_t c = 0; c < column_count; c++)
			whole = whole && !rs_cell_is_missing(rs_csv_cell(table, row, columns[c]));
		if (whole)
			told->rows[told->count++] = row;
	}
	return told->count ? RS_OK
	                   : rs_error_set(err, RS_NOT_FOUND, "no row of the table has all columns filled");
}

static enum rs_code read_scores(struct told *told, struct rs_error *err)
{
	const struct rs_evaluation *asked = told->asked;
	for (size_t s = 0; s < asked->score_count; s++) {
		size_t column = rs_csv_column(asked->table, asked->scores[s]);
		told->score[s] = rs_allocate_array(told->count, sizeof *told->score[s]);
		if (!told->score[s])
			return rs_error_memory(err, told->count * sizeof *told->score[s], "scores");
		for (size_t i = 0; i < told->count; i++)
			RS_TRY(rs_cell_number(asked->table, told->rows[i], column, &told->score[s][i], err));
	}
	return RS_OK;
}

/* Probabilities of survival, kept as those of the event. */
static enum rs_code read_survival(struct told *told, struct rs_error *err)
{
	const struct rs_evaluation *asked = told->asked;
	for (size_t t = 0; t < asked->survival_count; t++) {
		size_t column = rs_csv_column(asked->table, asked->survival[t]);
		told->risk[t] = rs_allocate_array(told->count, sizeof *told->risk[t]);
		if (!told->risk[t])
			return rs_error_memory(err, told->count * sizeof *told->risk[t], "predictions");
		for (size_t i = 0; i < told->count; i++) {
			double value;
			RS_TRY(rs_cell_number(asked->table, told->rows[i], column, &value, err));
			if (!(value >= 0 && value <= 1))
				return rs_error_set(err, RS_MALFORMED,
				                    "column %s: %g is no probability of survival",
				                    asked->survival[t], value);
			told->risk[t][i] = 1 - value;
		}
	}
	return RS_OK;
}

static void read_outcome(struct told *told, const char *column, const char *value)
{
	size_t at = rs_csv_column(told->asked->table, column);
	for (size_t i = 0; i < told->count; i++) {
		const char *cell = rs_csv_cell(told->asked->table, told->rows[i], at);
		told->outcome[i] = strcmp(cell, value ? value : "1") == 0;
		told->positives += told->outcome[i];
	}
}

/* Outcomes 1 for the event, from 2 for each other cell that is not `censored`. */
static enum rs_code read_events(struct told *told, struct rs_error *err)
{
	const struct rs_evaluation *asked = told->asked;
	size_t at = rs_csv_column(asked->table, asked->event);
	told->types = 1;
	told->type_name[0] = asked->event_value ? asked->event_value : "1";
	if (asked->censored && strcmp(asked->censored, told->type_name[0]) == 0)
		return rs_error_set(err, RS_USAGE, "%s cannot stand for the event and for no event",
		                    asked->censored);
	for (size_t i = 0; i < told->count; i++) {
		const char *cell = rs_csv_cell(asked->table, told->rows[i], at);
		size_t type = 0;
		while (type < told->types && strcmp(cell, told->type_name[type]) != 0)
			type++;
		if (type == told->types && (!asked->censored || strcmp(cell, asked->censored) == 0))
			continue;
		if (type == RS_EVENT_TYPES_MAX)
			return rs_error_set(err, RS_USAGE, "column %s has more than %d types of events",
			                    asked->event, RS_EVENT_TYPES_MAX);
		if (type == told->types)
			told->type_name[told->types++] = cell;
		told->outcome[i] = (uint8_t)(type + 1);
		told->positives += type == 0;
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

static void tell_classes(const struct told *told, const char *of, const double *score, double threshold)
{
	struct rs_confusion confusion = rs_confusion_of(score, told->outcome, told->count, threshold);
	struct rs_classification found;
	rs_classification_of(&confusion, told->asked->level, &found);
	finding_tell_value(told, of, "threshold", threshold);
	finding_tell_interval(told, of, "sensitivity", &found.sensitivity);
	finding_tell_interval(told, of, "specificity", &found.specificity);
	finding_tell_interval(told, of, "positive_predictive_value", &found.positive_value);
	finding_tell_interval(told, of, "negative_predictive_value", &found.negative_value);
	finding_tell_interval(told, of, "accuracy", &found.accuracy);
	finding_tell_value(told, of, "balanced_accuracy", found.balanced_accuracy);
	finding_tell_value(told, of, "f1", found.f1);
	finding_tell_value(told, of, "mcc", found.mcc);
}

static enum rs_code tell_calibration(const struct told *told, const char *of, const double *p,
                                     double threshold, struct rs_error *err)
{
	struct rs_calibration found;
	struct rs_net_benefit benefit;
	RS_TRY(rs_calibration_of(p, told->outcome, told->count, told->asked->level, &found, err));
	finding_tell_value(told, of, "brier", found.brier);
	finding_tell_value(told, of, "brier_miscalibration", found.brier_miscalibration);
	finding_tell_value(told, of, "brier_discrimination", found.brier_discrimination);
	finding_tell_value(told, of, "brier_uncertainty", found.brier_uncertainty);
	finding_tell_value(told, of, "log_loss", found.log_loss);
	finding_tell_interval(told, of, "calibration_intercept", &found.intercept);
	finding_tell_interval(told, of, "calibration_slope", &found.slope);
	finding_tell_value(told, of, "calibration_in_the_large", found.in_the_large);
	finding_tell_value(told, of, "ici", found.ici);
	finding_tell_value(told, of, "e90", found.e90);
	finding_tell_value(told, of, "e_max", found.e_max);
	finding_tell(told, of, "hosmer_lemeshow", found.hosmer_lemeshow, NAN, NAN, found.hosmer_lemeshow_p);
	finding_tell_value(told, of, "nagelkerke_r2", found.r2);
	finding_tell_value(told, of, "discrimination_index", found.discrimination);
	finding_tell(told, of, "unreliability_index", found.unreliability, NAN, NAN, found.unreliability_p);
	finding_tell_value(told, of, "quality_index", found.quality);
	finding_tell(told, of, "spiegelhalter_z", found.spiegelhalter_z, NAN, NAN, found.spiegelhalter_p);
	rs_net_benefit_of(p, told->outcome, told->count, threshold, &benefit);
	finding_tell_value(told, of, "net_benefit", benefit.model);
	finding_tell_value(told, of, "net_benefit_of_treating_all", benefit.all);
	return RS_OK;
}

/* NaN: none was given, and the score is no probability. */
static double threshold_of(const struct told *told, size_t s)
{
	if (isnan(told->asked->threshold) && are_probabilities(told->score[s], told->count))
		return 0.5;
	return told->asked->threshold;
}

/* McNemar's test, of the classes that two scores decide for. */
static void tell_decisions(const struct told *told, const char *pair, size_t a, size_t b)
{
	double at_a = threshold_of(told, a), at_b = threshold_of(told, b);
	uint64_t only_a = 0, only_b = 0;
	if (isnan(at_a) || isnan(at_b))
		return;
	for (size_t i = 0; i < told->count; i++) {
		bool right_a = (told->score[a][i] >= at_a) == (told->outcome[i] != 0);
		bool right_b = (told->score[b][i] >= at_b) == (told->outcome[i] != 0);
		only_a += right_a && !right_b;
		only_b += right_b && !right_a;
	}
	finding_tell(told, pair, "accuracy_difference",
	             ((double)only_a - (double)only_b) / (double)told->count, NAN, NAN,
	             rs_mcnemar(only_a, only_b));
}

static enum rs_code tell_partial(const struct told *told, const char *of, const double *score,
                                 struct rs_error *err)
{
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	double area, corrected;
	RS_TRY(rs_roc_of(score, told->outcome, told->count, &roc, err));
	rs_partial_auc(&roc, told->asked->specificity, &area, &corrected);
	finding_tell_value(told, of, "partial_auc", area);
	finding_tell_value(told, of, "partial_auc_corrected", corrected);
	return RS_OK;
}

static enum rs_code tell_score(const struct told *told, size_t s, double area, double variance,
                               struct rs_error *err)
{
	const char *of = told->asked->scores[s];
	const double *score = told->score[s];
	size_t negatives = told->count - told->positives;
	struct rs_interval interval = rs_auc_interval(
		area, variance, told->positives < negatives ? told->positives : negatives,
		told->asked->level);
	bool probabilities = are_probabilities(score, told->count);
	double precision, threshold = threshold_of(told, s);
	RS_TRY(rs_average_precision(score, told->outcome, told->count, &precision, err));
	finding_tell_interval(told, of, "auc", &interval);
	if (told->asked->specificity > 0)
		RS_TRY(tell_partial(told, of, score, err));
	finding_tell_value(told, of, "average_precision", precision);
	if (!isnan(threshold))
		tell_classes(told, of, score, threshold);
	return probabilities && threshold > 0 && threshold < 1
	               ? tell_calibration(told, of, score, threshold, err)
	               : RS_OK;
}

static enum rs_code evaluate_classes(struct told *told, struct rs_error *err)
{
	size_t n = told->asked->score_count;
	double area[RS_SCORES_MAX], covariance[RS_SCORES_MAX * RS_SCORES_MAX];
	const double *scores[RS_SCORES_MAX];
	for (size_t s = 0; s < n; s++)
		scores[s] = told->score[s];
	finding_tell_value(told, "", "positives", (double)told->positives);
	RS_TRY(tell_odds(told, err));
	if (n == 0)
		return RS_OK;
	RS_TRY(rs_auc_of(scores, n, told->outcome, told->count, area, covariance, err));
	for (size_t s = 0; s < n; s++)
		RS_TRY(tell_score(told, s, area[s], covariance[s * n + s], err));
	for (size_t a = 0; a < n; a++)
		for (size_t b = a + 1; b < n; b++) {
			char pair[256];
			snprintf(pair, sizeof pair, "%s - %s", told->asked->scores[a],
			         told->asked->scores[b]);
			double p = rs_auc_difference(area, covariance, n, a, b, NULL);
			finding_tell(told, pair, "auc_difference", area[a] - area[b], NAN, NAN, p);
			tell_decisions(told, pair, a, b);
		}
	for (size_t s = 0; s < n; s++)
		area[s] = threshold_of(told, s);
	return tell_bootstrap(told, area, err);
}

static enum rs_code check_asked(const struct rs_evaluation *asked, struct rs_error *err)
{
	if ((asked->outcome != NULL) == (asked->time != NULL))
		return rs_error_set(err, RS_USAGE, "give either an outcome or a time and an event");
	if ((asked->time != NULL) != (asked->event != NULL))
		return rs_error_set(err, RS_USAGE, "a time needs an event, an event a time");
	if (asked->score_count > RS_SCORES_MAX ||
	    (asked->outcome && asked->score_count == 0 && asked->covariates.count == 0))
		return rs_error_set(err, RS_USAGE, "give 1 to %d scores", RS_SCORES_MAX);
	if (asked->covariates.count > 0 && !asked->outcome)
		return rs_error_set(err, RS_USAGE,
		                    "covariates are of a class; for times, radseal survival has them");
	if (asked->covariates.count > RS_COVARIATES_MAX)
		return rs_error_set(err, RS_USAGE, "give at most %d covariates", RS_COVARIATES_MAX);
	if (asked->covariates.factor_count > 0 && asked->covariates.count == 0)
		return rs_error_set(err, RS_USAGE, "factors need covariates");
	if (asked->page && asked->outcome && asked->score_count == 0)
		return rs_error_set(err, RS_USAGE, "a report of classes needs a score");
	if (asked->group && asked->outcome)
		return rs_error_set(err, RS_USAGE, "groups are compared by survival only");
	if (asked->subject && asked->bootstrap == 0)
		return rs_error_set(err, RS_USAGE, "subjects are drawn by the bootstrap only: say how often");
	if (asked->specificity != 0 && !(asked->outcome && asked->specificity > 0 && asked->specificity < 1))
		return rs_error_set(err, RS_USAGE,
		                    "a partial area is of classes, from a specificity below 1");
	if (asked->stratum && !asked->group)
		return rs_error_set(err, RS_USAGE, "strata need groups that are compared within them");
	if (asked->survival_count && (asked->outcome || asked->survival_count != asked->time_count))
		return rs_error_set(err, RS_USAGE,
		                    "give one column of predicted survival for each of the times");
	if (asked->time_count > RS_TIMES_MAX)
		return rs_error_set(err, RS_USAGE, "give at most %d times", RS_TIMES_MAX);
	for (size_t t = 0; t < asked->time_count; t++)
		if (!(isfinite(asked->times[t]) && asked->times[t] > (t ? asked->times[t - 1] : 0)))
			return rs_error_set(err, RS_USAGE, "times must be positive and ascend");
	return RS_OK;
}

struct rs_follow_up told_seen(const struct told *told)
{
	return (struct rs_follow_up){told->count, told->start, told->time, told->outcome, NULL};
}

enum rs_code told_read(struct told *told, const char *const *more, size_t more_count, struct rs_error *err)
{
	const struct rs_evaluation *evaluation = told->asked;
	const char *names[RS_SCORES_MAX + RS_TIMES_MAX + 6 + TOLD_MORE_MAX];
	size_t columns[RS_COUNT(names)], count = 0;
	const char *const others[] = {evaluation->outcome, evaluation->time,    evaluation->event,
	                              evaluation->group,   evaluation->stratum, evaluation->subject};
	for (size_t i = 0; i < RS_COUNT(others); i++)
		if (others[i])
			names[count++] = others[i];
	for (size_t i = 0; i < more_count && i < TOLD_MORE_MAX; i++)
		if (more[i])
			names[count++] = more[i];
	for (size_t s = 0; s < evaluation->score_count; s++)
		names[count++] = evaluation->scores[s];
	for (size_t t = 0; t < evaluation->survival_count; t++)
		names[count++] = evaluation->survival[t];
	for (size_t i = 0; i < count; i++)
		RS_TRY(rs_column_find(evaluation->table, names[i], &columns[i], err));
	RS_TRY(choose_rows(told, columns, count, err));
	RS_TRY(read_scores(told, err));
	RS_TRY(read_survival(told, err));
	finding_tell_value(told, "", "rows", (double)told->count);
	finding_tell_value(told, "", "left_out", (double)(evaluation->table->rows - told->count));
	if (evaluation->outcome) {
		read_outcome(told, evaluation->outcome, evaluation->positive);
		return RS_OK;
	}
	RS_TRY(read_events(told, err));
	size_t time = rs_csv_column(evaluation->table, evaluation->time);
	for (size_t i = 0; i < told->count; i++)
		RS_TRY(rs_cell_number(evaluation->table, told->rows[i], time, &told->time[i], err));
	return RS_OK;
}

static enum rs_code evaluate(struct told *told, struct rs_error *err)
{
	RS_TRY(check_asked(told->asked, err));
	RS_TRY(told_read(told, told->asked->covariates.names, told->asked->covariates.count, err));
	return told->asked->outcome ? evaluate_classes(told, err) : evaluate_survival(told, err);
}

enum rs_code rs_evaluate(const struct rs_evaluation *evaluation, rs_finding_visit *visit, void *context,
                         struct rs_error *err)
{
	struct told told RS_CLEANUP(told_finish) = {
		.asked = evaluation,
		.visit = visit,
		.context = context,
		.interval = RS_INTERVAL_LOG_LOG,
		.title = "Predictions held against outcomes",
	};
	struct rs_gathered gathered RS_CLEANUP(rs_gathered_finish) = {.visit = NULL};
	if (!evaluation->page)
		return evaluate(&told, err);
	rs_gathered_init(&gathered, visit, NULL, context);
	told.visit = rs_gather_finding;
	told.context = &gathered;
	RS_TRY(evaluate(&told, err));
	return evaluate_page(&told, &gathered, err);
}
