/* Fine & Gray's regression (JASA 94:496, 1999): Cox's, in which those with a competing event stay at risk with the weight
 * of having been censored since. */
#include <math.h>
#include <string.h>

#include "censoring.h"
#include "cox_walk.h"
#include "order.h"
#include "survival/survival_competing.h"

struct fine_gray {
	struct rs_cox_data data; /* events: those of the type; with who stays */
	const struct rs_follow_up *seen;
	struct rs_cox_staying staying;
	uint8_t *event;
	double *weights; /* staying and censoring, by row */
	size_t *order;
};

static void fine_gray_finish(struct fine_gray *f)
{
	rs_free(f->event);
	rs_free(f->weights);
	rs_free(f->order);
}

static bool same_stratum(const struct fine_gray *f, size_t first, size_t other)
{
	const uint32_t *stratum = f->data.stratum;
	return !stratum || stratum[f->order[first]] == stratum[f->order[other]];
}

static enum rs_code prepare(struct fine_gray *f, uint8_t type, enum rs_fine_gray_kind kind,
                            struct rs_error *err)
{
	const struct rs_follow_up *seen = f->seen;
	size_t n = seen->count;
	RS_TRY(rs_follow_up_check(seen, err));
	if (seen->start || seen->weight)
		return rs_error_set(err, RS_USAGE, "Fine & Gray: late entry and weights are not handled");
	f->event = rs_allocate(n);
	f->weights = rs_allocate_array(n, 2 * sizeof *f->weights);
	if (!f->event || !f->weights)
		return rs_error_memory(err, n * 2 * sizeof *f->weights, "weights");
	RS_TRY(order_by(f->data.stratum, seen->time, NULL, n, &f->order, err));
	double *staying = f->weights, *censoring = f->weights + n;
	for (size_t first = 0, last; first < n; first = last) {
		for (last = first; last < n && same_stratum(f, first, last);)
			last++;
		censoring_of(seen, f->order, first, last,
		             kind == RS_FINE_GRAY_CMPRSK ? CENSORED_WITH_EVENTS : CENSORED_AFTER_EVENTS,
		             censoring, NULL);
	}
	for (size_t i = 0; i < n; i++) {
		f->event[i] = seen->event[i] == type;
		staying[i] = seen->event[i] && seen->event[i] != type ? 1 / censoring[i] : 0;
	}
	f->staying = (struct rs_cox_staying){staying, censoring};
	f->data.follow_up.event = f->event;
	f->data.staying = &f->staying;
	return RS_OK;
}

/* At each time of events: hazard × censoring, and that times the mean covariates. Times descend within strata. */
struct late {
	size_t count, columns;
	double *time, *hazard, *path;
	uint32_t *stratum;
};

static void late_finish(struct late *late)
{
	rs_free(late->time);
	rs_free(late->stratum);
}

static void add_late(void *context, const struct event_time *at)
{
	struct late *late = context;
	size_t p = late->columns, item = late->count++;
	late->time[item] = at->time;
	late->stratum[item] = at->stratum;
	late->hazard[item] = at->censoring * at->weight / at->at_risk.risk;
	for (size_t j = 0; j < p; j++)
		late->path[item * p + j] = late->hazard[item] * at->at_risk.x[j] / at->at_risk.risk;
}

static enum rs_code late_of(const struct walker *walker, size_t events, struct late *out,
                            struct rs_error *err)
{
	size_t p = walker->data->columns;
	out->columns = p;
	out->time = rs_allocate_array(events, (2 + p) * sizeof(double));
	out->stratum = rs_allocate_array(events, sizeof *out->stratum);
	if (!out->time || !out->stratum)
		return rs_error_memory(err, events * (2 + p) * sizeof(double), "a variance");
	out->hazard = out->time + events;
	out->path = out->hazard + events;
	struct walker copy = *walker; /* walks in the same storage */
	walker_run(&copy, false, add_late, out);
	return RS_OK;
}

/* One stratum: what each censoring taught of the weights. Forward through time, with the sums over those who stay (q's first
 * part) and what is still to come of hazard and path (its second). */
struct lesson {
	const struct fine_gray *f;
	const struct walker *walker;
	double *hazard, *path; /* still to come; path: columns */
	double staying;
	double *staying_x; /* columns */
	double *passed;    /* columns: Σ q / (at risk)² × censored, which all who were at risk bear */
	double *score;     /* count x columns, added to */
};

static void teach(struct lesson *l, size_t i, size_t next, double present)
{
	const size_t *order = l->f->order;
	size_t p = l->f->data.columns;
	double censored = 0;
	for (size_t k = i; k < next; k++)
		censored += l->f->seen->event[order[k]] == 0;
	for (size_t j = 0; j < p; j++) {
		/* Σ over who stays of ∫ from now on of (x - mean) × weight × hazard, with its sign */
		double q = *l->hazard * l->staying_x[j] - l->path[j] * l->staying;
		l->passed[j] += q * censored / (present * present);
		for (size_t k = i; k < next; k++) {
			bool is = l->f->seen->event[order[k]] == 0;
			l->score[order[k] * p + j] += (is ? q / present : 0) - l->passed[j];
		}
	}
}

static void teach_stratum(struct lesson *l, size_t first, size_t last, const struct late *late, size_t *item,
                          size_t stop)
{
	const struct fine_gray *f = l->f;
	size_t p = f->data.columns;
	for (size_t i = first, next; i < last; i = next) {
		double time = f->seen->time[f->order[i]];
		for (next = i; next < last && f->seen->time[f->order[next]] == time;)
			next++;
		for (; *item > stop && late->time[*item - 1] < time; --*item) {
			*l->hazard -= late->hazard[*item - 1];
			for (size_t j = 0; j < p; j++)
				l->path[j] -= late->path[(*item - 1) * p + j];
		}
		teach(l, i, next, (double)(last - i));
		for (size_t k = i; k < next; k++) {
			size_t row = f->order[k];
			double risk = l->walker->risk[row] * f->staying.staying[row];
			l->staying += risk;
			for (size_t j = 0; j < p; j++)
				l->staying_x[j] += risk * l->walker->x[row * p + j];
		}
	}
}

static enum rs_code add_lessons(const struct fine_gray *f, const struct rs_cox_model *model, double *score,
                                struct rs_error *err)
{
	struct walker walker RS_CLEANUP(walker_finish) = {0};
	struct late late RS_CLEANUP(late_finish) = {0};
	size_t n = f->seen->count, p = f->data.columns, item = 0;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(3 * p + 1, sizeof *work);
	if (!work)
		return rs_error_memory(err, 3 * p * sizeof *work, "a variance");
	RS_TRY(walker_init(&walker, &f->data, err));
	walker_set(&walker, model->coefficients);
	RS_TRY(late_of(&walker, model->events, &late, err));
	for (size_t first = 0, last; first < n; first = last) {
		for (last = first; last < n && same_stratum(f, first, last);)
			last++;
		memset(work, 0, (3 * p + 1) * sizeof *work);
		struct lesson l = {f, &walker, work + 3 * p, work, 0, work + p, work + 2 * p, score};
		size_t stop = item;
		uint32_t stratum = f->data.stratum ? f->data.stratum[f->order[first]] : 0;
		for (; item < late.count && late.stratum[item] == stratum; item++) {
			*l.hazard += late.hazard[item];
			for (size_t j = 0; j < p; j++)
				l.path[j] += late.path[item * p + j];
		}
		size_t end = item;
		teach_stratum(&l, first, last, &late, &item, stop);
		item = end;
	}
	return RS_OK;
}

/* Inverse information × Σ residual residualᵀ × inverse information, residuals by cluster. */
static enum rs_code make_variance(const struct fine_gray *f, const double *inverse,
                                  struct rs_cox_model *model, struct rs_error *err)
{
	size_t n = f->seen->count, p = model->columns, clusters = n;
	const uint32_t *cluster = f->data.cluster;
	for (size_t i = 0; cluster && i < n; i++)
		if (cluster[i] >= clusters)
			clusters = (size_t)cluster[i] + 1;
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, p * sizeof *score);
	double *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(clusters, p * sizeof *sums);
	if (!score || !sums)
		return rs_error_memory(err, clusters * p * sizeof *sums, "a variance");
	RS_TRY(rs_cox_residuals(model, &f->data, RS_COX_BRESLOW, NULL, score, err));
	RS_TRY(add_lessons(f, model, score, err));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p; j++)
			for (size_t k = 0; k < p; k++)
				sums[(cluster ? cluster[i] : i) * p + j] += inverse[j * p + k] *
				                                            score[i * p + k];
	memset(model->variance, 0, p * p * sizeof *model->variance);
	for (size_t c = 0; c < clusters; c++)
		for (size_t j = 0; j < p; j++)
			for (size_t k = 0; k < p; k++)
				model->variance[j * p + k] += sums[c * p + j] * sums[c * p + k];
	return cox_wald_test(model, err);
}

enum rs_code rs_fine_gray_fit(const struct rs_cox_data *data, uint8_t type, enum rs_fine_gray_kind kind,
                              struct rs_cox_model *out, struct rs_error *err)
{
	struct fine_gray f RS_CLEANUP(fine_gray_finish) = {.data = *data, .seen = &data->follow_up};
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	struct rs_cox_options options = {RS_COX_EFRON, true};
	RS_TRY(prepare(&f, type, kind, err));
	if (kind == RS_FINE_GRAY_CMPRSK)
		options = (struct rs_cox_options){RS_COX_BRESLOW, false};
	RS_TRY(rs_cox_fit(&f.data, &options, &model, err));
	if (kind == RS_FINE_GRAY_CMPRSK) {
		size_t p = model.columns;
		double *inverse RS_CLEANUP(rs_free_pointer) = rs_allocate_array(p, p * sizeof *inverse);
		if (!inverse)
			return rs_error_memory(err, p * p * sizeof *inverse, "a variance");
		memcpy(inverse, model.variance, p * p * sizeof *inverse);
		RS_TRY(make_variance(&f, inverse, &model, err));
	}
	*out = model;
	model = (struct rs_cox_model){0};
	return RS_OK;
}
