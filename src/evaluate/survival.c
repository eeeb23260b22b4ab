/* Risks held against when the event came. */
#include <math.h>

#include "told.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_competing.h"
#include "survival/survival_concordance.h"

static enum rs_code tell_concordance(const struct told *told, const struct rs_follow_up *seen, size_t s,
                                     struct rs_error *err)
{
	static const struct {
		const char *name;
		enum rs_concordance_weight weight;
	} kinds[] = {{"harrell_c", RS_CONCORDANCE_HARRELL}, {"uno_c", RS_CONCORDANCE_UNO}};
	for (size_t k = 0; k < RS_COUNT(kinds); k++) {
		struct rs_concordance found;
		const struct rs_concordance_options options = {.weight = kinds[k].weight};
		RS_TRY(rs_concordance_of(seen, told->score[s], &options, &found, err));
		struct rs_interval interval = rs_share_interval(found.c, found.error, told->asked->level);
		double z = found.error > 0 ? (found.c - 0.5) / found.error : NAN;
		finding_tell(told, told->asked->scores[s], kinds[k].name, interval.value, interval.lower,
		             interval.upper, rs_normal_two_sided(z));
	}
	return RS_OK;
}

static double deviation(const double *values, size_t count)
{
	double mean = 0, sum = 0;
	for (size_t i = 0; i < count; i++)
		mean += values[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return count > 1 ? sqrt(sum / (double)(count - 1)) : 0;
}

/* False when the score separates the events, or is constant. */
static bool tell_ratio(const struct told *told, size_t s, const char *name, const struct rs_cox_model *model)
{
	double unit = deviation(told->score[s], told->count), beta = model->coefficients[0];
	double error = sqrt(model->variance[0]), z = rs_normal_quantile(0.5 + 0.5 * told->asked->level);
	bool known = model->converged && !model->aliased[0];
	if (known)
		finding_tell(told, told->asked->scores[s], name, exp(unit * beta),
		             exp(unit * (beta - z * error)), exp(unit * (beta + z * error)),
		             rs_normal_two_sided(beta / error));
	else
		finding_tell_value(told, told->asked->scores[s], name, NAN);
	return known;
}

/* Cox's model of the score alone. */
static enum rs_code tell_hazard(const struct told *told, const struct rs_follow_up *seen, size_t s,
                                struct rs_error *err)
{
	const char *of = told->asked->scores[s];
	const struct rs_cox_data data = {.follow_up = *seen, .columns = 1, .x = told->score[s]};
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	struct rs_cox_trend_test trend[2];
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){0}, &model, err));
	if (!tell_ratio(told, s, "hazard_ratio_per_deviation", &model))
		return RS_OK;
	RS_TRY(rs_cox_proportionality(&model, &data, &(struct rs_cox_trend_options){0}, trend, err));
	finding_tell(told, of, "proportionality", trend[0].chi_square, NAN, NAN, trend[0].p);
	return RS_OK;
}

/* The hazard of the subdistribution: who has a competing event stays at risk. */
static enum rs_code tell_subdistribution(const struct told *told, const struct rs_follow_up *seen, size_t s,
                                         struct rs_error *err)
{
	const struct rs_cox_data data = {.follow_up = *seen, .columns = 1, .x = told->score[s]};
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	RS_TRY(rs_fine_gray_fit(&data, 1, RS_FINE_GRAY_CMPRSK, &model, err));
	tell_ratio(told, s, "subdistribution_hazard_ratio_per_deviation", &model);
	return RS_OK;
}

enum rs_code evaluate_survival(struct told *told, struct rs_error *err)
{
	const struct rs_follow_up seen = {told->count, NULL, told->time, told->outcome, NULL};
	uint8_t *only RS_CLEANUP(rs_free_pointer) = rs_allocate(told->count);
	if (!only)
		return rs_error_memory(err, told->count, "events");
	if (told->positives == 0)
		return rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event", told->count);
	for (size_t i = 0; i < told->count; i++)
		only[i] = told->outcome[i] == 1;
	const struct rs_follow_up of_event = {told->count, NULL, told->time, only, NULL};
	RS_TRY(tell_curves(told, "", NULL, told->count, err));
	for (size_t s = 0; s < told->asked->score_count; s++) {
		RS_TRY(tell_concordance(told, &of_event, s, err));
		RS_TRY(tell_hazard(told, &of_event, s, err));
		if (told->types > 1)
			RS_TRY(tell_subdistribution(told, &seen, s, err));
	}
	RS_TRY(tell_bootstrap(told, NULL, err));
	RS_TRY(tell_times(told, err));
	return told->asked->group ? compare_groups(told, err) : RS_OK;
}
