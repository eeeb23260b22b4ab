/* Times models and measures for bench/prognosis: compute only, one thread, processor time.
 *   prognosis_bench                the names of the works, a line each
 *   prognosis_bench WORK TURNS     the median of TURNS, in seconds
 *   prognosis_bench data FOLDER    the same made-up data as tables for peers
 * A new work is a row of `works` and a function; its peer a line in prognosis_peer.R or prognosis_peer.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assess/assess.h"
#include "base/base_random.h"
#include "learn/learn_elastic_net.h"
#include "learn/learn_forest.h"
#include "learn/learn_shap.h"
#include "learn/learn_svm.h"
#include "survival/survival_concordance.h"
#include "survival/survival_cox.h"

#define MANY 100000

/* Made-up subjects: exponential times by the first columns, uniform censoring, whole days. */
struct cohort {
	size_t rows, columns;
	double *x; /* row-major */
	double *time;
	uint8_t *event;
};

static void need(bool fine, const struct rs_error *err)
{
	if (!fine) {
		fprintf(stderr, "prognosis_bench: %s\n", err ? err->message : "no memory");
		exit(1);
	}
}

static double normal(struct rs_stream *stream)
{
	double u = 1 - rs_stream_unit(stream), v = rs_stream_unit(stream);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static struct cohort cohort_of(size_t rows, size_t columns, uint64_t seed)
{
	struct rs_stream stream = rs_stream_of(seed, 0);
	struct cohort out = {rows, columns, rs_allocate_array(rows, columns * sizeof(double)),
	                     rs_allocate_array(rows, sizeof(double)), rs_allocate(rows)};
	need(out.x && out.time && out.event, NULL);
	for (size_t i = 0; i < rows; i++) {
		double risk = 0;
		for (size_t j = 0; j < columns; j++) {
			out.x[i * columns + j] = normal(&stream);
			if (j < 3)
				risk += 0.5 * out.x[i * columns + j];
		}
		double until = -1000 * log(1 - rs_stream_unit(&stream)) * exp(-risk);
		double seen = 3000 * rs_stream_unit(&stream);
		out.event[i] = until <= seen;
		out.time[i] = ceil(fmin(until, seen));
		if (out.time[i] < 1)
			out.time[i] = 1;
	}
	return out;
}

static struct rs_follow_up seen_of(const struct cohort *c)
{
	return (struct rs_follow_up){.count = c->rows, .time = c->time, .event = c->event};
}

static struct cohort many(void) { return cohort_of(MANY, 10, 1); }
static struct cohort lung(void) { return cohort_of(228, 3, 2); }
static struct cohort rotterdam(void) { return cohort_of(2982, 9, 3); }
static struct cohort radiomics(void) { return cohort_of(200, 1200, 4); }
static struct cohort gliomas(void) { return cohort_of(201, 438, 5); }

static void kaplan_meier(const struct cohort *c)
{
	struct rs_error err;
	const struct rs_follow_up seen = seen_of(c);
	struct rs_survival_curve curve;
	need(rs_survival_curve_fit(&seen, NULL, c->rows, RS_INTERVAL_LOG, 0.95, &curve, &err) == RS_OK, &err);
	rs_survival_curve_finish(&curve);
}

static void delong(const struct cohort *c)
{
	struct rs_error err;
	double *score = rs_allocate_array(c->rows, sizeof *score), area, variance;
	need(score, NULL);
	for (size_t i = 0; i < c->rows; i++)
		score[i] = c->x[i * c->columns];
	need(rs_auc_of((const double *const[]){score}, 1, c->event, c->rows, &area, &variance, &err) == RS_OK,
	     &err);
	rs_free(score);
}

static void concordance(const struct cohort *c)
{
	struct rs_error err;
	const struct rs_follow_up seen = seen_of(c);
	double *risk = rs_allocate_array(c->rows, sizeof *risk);
	struct rs_concordance found;
	need(risk, NULL);
	for (size_t i = 0; i < c->rows; i++)
		risk[i] = c->x[i * c->columns];
	need(rs_concordance_of(&seen, risk, &(struct rs_concordance_options){0}, &found, &err) == RS_OK,
	     &err);
	rs_free(risk);
}

static void cox(const struct cohort *c)
{
	struct rs_error err;
	const struct rs_cox_data data = {.follow_up = seen_of(c), .columns = c->columns, .x = c->x};
	struct rs_cox_model model;
	need(rs_cox_fit(&data, &(struct rs_cox_options){0}, &model, &err) == RS_OK, &err);
	rs_cox_model_finish(&model);
}

/* Rows drawn with replacement, Cox's model of them, its concordance in them. */
static void bootstrap(const struct cohort *c)
{
	struct rs_error err;
	struct cohort drawn = cohort_of(c->rows, c->columns, 0);
	double *risk = rs_allocate_array(c->rows, sizeof *risk);
	need(risk, NULL);
	for (uint64_t b = 0; b < 1000; b++) {
		struct rs_stream stream = rs_stream_of(9, b);
		for (size_t i = 0; i < c->rows; i++) {
			size_t row = rs_stream_below(&stream, c->rows);
			memcpy(&drawn.x[i * c->columns], &c->x[row * c->columns], c->columns * sizeof *c->x);
			drawn.time[i] = c->time[row];
			drawn.event[i] = c->event[row];
		}
		const struct rs_cox_data data = {
			.follow_up = seen_of(&drawn), .columns = c->columns, .x = drawn.x};
		struct rs_cox_model model;
		struct rs_concordance found;
		need(rs_cox_fit(&data, &(struct rs_cox_options){0}, &model, &err) == RS_OK, &err);
		for (size_t i = 0; i < c->rows; i++)
			risk[i] = rs_cox_linear_predictor(&model, &drawn.x[i * c->columns]);
		need(rs_concordance_of(&data.follow_up, risk, &(struct rs_concordance_options){0}, &found,
		                       &err) == RS_OK,
		     &err);
		rs_cox_model_finish(&model);
	}
	rs_free(risk);
	rs_free(drawn.x);
	rs_free(drawn.time);
	rs_free(drawn.event);
}

static double *columns_of(const struct cohort *c)
{
	double *out = rs_allocate_array(c->rows, c->columns * sizeof *out);
	need(out, NULL);
	for (size_t i = 0; i < c->rows; i++)
		for (size_t j = 0; j < c->columns; j++)
			out[j * c->rows + i] = c->x[i * c->columns + j];
	return out;
}

static void survival_forest(const struct cohort *c)
{
	struct rs_error err;
	struct rs_forest forest;
	double *x = columns_of(c), *risks = rs_allocate_array(c->rows, sizeof *risks);
	const struct rs_matrix matrix = {c->rows, c->columns, x};
	need(risks, NULL);
	need(rs_forest_fit_survival(&matrix, c->time, c->event, &(struct rs_forest_options){.trees = 500},
	                            &(struct rs_forest_out_of_bag){.predictions = risks}, &forest,
	                            &err) == RS_OK,
	     &err);
	rs_forest_finish(&forest);
	rs_free(x);
	rs_free(risks);
}

static uint32_t *labels_of(const struct cohort *c)
{
	uint32_t *labels = rs_allocate_array(c->rows, sizeof *labels);
	need(labels, NULL);
	for (size_t i = 0; i < c->rows; i++)
		labels[i] = c->event[i];
	return labels;
}

static void forest_of(const struct cohort *c, struct rs_forest *out)
{
	struct rs_error err;
	double *x = columns_of(c);
	uint32_t *labels = labels_of(c);
	const struct rs_matrix matrix = {c->rows, c->columns, x};
	need(rs_forest_fit_classes(&matrix, labels, 2, &(struct rs_forest_options){.trees = 500}, NULL, out,
	                           &err) == RS_OK,
	     &err);
	rs_free(x);
	rs_free(labels);
}

static void forest_of_classes(const struct cohort *c)
{
	struct rs_forest forest;
	forest_of(c, &forest);
	rs_forest_finish(&forest);
}

static void reasons_of_forest(const struct cohort *c)
{
	struct rs_error err;
	struct rs_forest forest;
	struct rs_shap *shap;
	double *reasons = rs_allocate_array(c->rows, c->columns * sizeof *reasons);
	need(reasons, NULL);
	forest_of(c, &forest);
	need(rs_shap_of_forest(&forest, 1, &shap, &err) == RS_OK, &err);
	need(rs_shap_explain(shap, c->x, c->rows, reasons, &err) == RS_OK, &err);
	rs_shap_destroy(shap);
	rs_forest_finish(&forest);
	rs_free(reasons);
}

static void boosted_trees(const struct cohort *c)
{
	struct rs_error err;
	struct rs_booster booster;
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_BINARY);
	double *x = columns_of(c);
	uint32_t *labels = labels_of(c);
	const struct rs_matrix matrix = {c->rows, c->columns, x};
	const struct rs_boost_data data = {.x = &matrix, .labels = labels};
	options.rounds = 200;
	options.depth = 4;
	options.rate = 0.05;
	need(rs_boost_fit(&data, &options, NULL, &booster, &err) == RS_OK, &err);
	rs_booster_finish(&booster);
	rs_free(x);
	rs_free(labels);
}

static void support_vectors(const struct cohort *c)
{
	struct rs_error err;
	struct rs_svm svm;
	double *x = columns_of(c);
	uint32_t *labels = labels_of(c);
	const struct rs_matrix matrix = {c->rows, c->columns, x};
	need(rs_svm_fit(&matrix, labels, 2, &(struct rs_svm_options){0}, &svm, &err) == RS_OK, &err);
	rs_svm_finish(&svm);
	rs_free(x);
	rs_free(labels);
}

/* Ten folds along 100 lambdas. */
static void cox_path(const struct cohort *c)
{
	struct rs_error err;
	struct rs_elastic_net_path path;
	struct rs_elastic_net_validation validation;
	double *x = columns_of(c);
	uint32_t *fold = rs_allocate_array(c->rows, sizeof *fold);
	const struct rs_matrix matrix = {c->rows, c->columns, x};
	const struct rs_elastic_net_data data = {.x = &matrix, .time = c->time, .event = c->event};
	need(fold, NULL);
	for (uint32_t i = 0; i < c->rows; i++)
		fold[i] = i % 10;
	need(rs_elastic_net_validate(&data, &(struct rs_elastic_net_options){.mixing = 1}, fold, 10, NULL,
	                             &path, &validation, &err) == RS_OK,
	     &err);
	rs_elastic_net_path_finish(&path);
	rs_elastic_net_validation_finish(&validation);
	rs_free(fold);
	rs_free(x);
}

static const struct work {
	const char *name, *data;
	struct cohort (*make)(void);
	void (*run)(const struct cohort *cohort);
} works[] = {
	{"kaplan-meier", "many", many, kaplan_meier},
	{"delong", "many", many, delong},
	{"concordance", "many", many, concordance},
	{"cox", "many", many, cox},
	{"bootstrap", "lung", lung, bootstrap},
	{"cox-path", "gliomas", gliomas, cox_path},
	{"survival-forest", "rotterdam", rotterdam, survival_forest},
	{"forest", "radiomics", radiomics, forest_of_classes},
	{"reasons", "radiomics", radiomics, reasons_of_forest},
	{"xgboost", "radiomics", radiomics, boosted_trees},
	{"svm", "radiomics", radiomics, support_vectors},
};

static void write_data(const char *folder, const struct work *work)
{
	char path[4096];
	struct cohort c = work->make();
	snprintf(path, sizeof path, "%s/%s.csv", folder, work->data);
	FILE *file = fopen(path, "w");
	need(file, &(struct rs_error){.message = "the folder cannot be written"});
	fprintf(file, "time,event");
	for (size_t j = 0; j < c.columns; j++)
		fprintf(file, ",x%zu", j);
	for (size_t i = 0; i < c.rows; i++) {
		fprintf(file, "\n%g,%d", c.time[i], c.event[i]);
		for (size_t j = 0; j < c.columns; j++)
			fprintf(file, ",%.9g", c.x[i * c.columns + j]);
	}
	fprintf(file, "\n");
	fclose(file);
}

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

static double processor_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double measure(const struct work *work, size_t turns)
{
	double seconds[64];
	struct cohort cohort = work->make();
	for (size_t turn = 0; turn < turns; turn++) {
		double begin = processor_time();
		work->run(&cohort);
		seconds[turn] = processor_time() - begin;
	}
	qsort(seconds, turns, sizeof *seconds, ascending);
	return seconds[turns / 2];
}

int main(int count, char **arguments)
{
	uint64_t turns = 0;
	bool data = count == 3 && strcmp(arguments[1], "data") == 0;
	for (size_t w = 0; w < RS_COUNT(works); w++) {
		if (count == 1)
			puts(works[w].name);
		else if (data)
			write_data(arguments[2], &works[w]);
		else if (count == 3 && strcmp(arguments[1], works[w].name) == 0 &&
		         rs_parse_u64(rs_str_from(arguments[2]), &turns) && turns >= 1 && turns <= 64) {
			printf("%.6f\n", measure(&works[w], turns));
			return 0;
		}
	}
	return count == 1 || data ? 0 : 2;
}
