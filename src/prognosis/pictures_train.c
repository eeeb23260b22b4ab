/* A network of pictures, trained: convolutions on one part, temperature, threshold and conformal residuals from another,
 * figures from a third, beside logistic regression on coarse grey values. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assess/assess.h"
#include "model/model_parts.h"
#include "pictures.h"
#include "report_pictures.h"

#define STUDY_SIZE_MAX ((size_t)1 << 20)
#define SMALLEST 7 /* pixels a side that are not halved any more */
#define BLOCKS_MAX 8
#define COARSE 7 /* means a side that the simple model sees */
#define LEVEL 0.95
#define COVERAGE 0.9
#define TEMPERATURES 64 /* halvings of the search for the temperature */

struct run {
	struct picture_study study;
	struct pictures pictures;
	struct rs_pool *pool;
	const struct rs_training_report *report;
	const struct rs_training_report *told; /* the caller's, of progress */
	uint64_t epochs;                       /* done, of both networks */
	struct rs_pictures_model model;
	struct rs_network simple;
	double *p[PARTS], *simple_p; /* probabilities; of the simple model on test pictures */
	uint8_t *outcome[PARTS];
};

static void run_finish(struct run *run)
{
	for (int p = 0; p < PARTS; p++) {
		rs_free(run->p[p]);
		rs_free(run->outcome[p]);
	}
	rs_free(run->simple_p);
	rs_network_finish(&run->simple);
	pictures_model_finish(&run->model);
	pictures_finish(&run->pictures);
	picture_study_finish(&run->study);
}

static void tell(const struct run *run, const char *of, const char *name, const struct rs_interval *value,
                 double p)
{
	run->report->finding(run->report->context,
	                     &(struct rs_finding){of, name, value->value, value->lower, value->upper, p});
}

static void tell_value(const struct run *run, const char *of, const char *name, double value)
{
	tell(run, of, name, &(struct rs_interval){value, NAN, NAN}, NAN);
}

static RS_PRINTF(2, 3) void warn(const struct run *run, const char *format, ...)
{
	char sentence[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	run->report->warning(run->report->context, sentence);
}

/* ---- samples ---- */

struct seen {
	const struct rs_pictures_model *model;
	const struct pictures *pictures;
	enum part part;
};

static enum rs_code fill(void *context, size_t index, struct rs_stream *augment, float *out,
                         struct rs_error *err)
{
	/* Little: more than this made validation no better. */
	static const struct rs_augmentation change = {.shift = 1.0 / 28, .turn = 5};
	const struct seen *seen = context;
	const size_t side = seen->pictures->side, values = side * side;
	const struct rs_shape shape = {1, {1, (uint32_t)side, (uint32_t)side}};
	const float *picture = seen->pictures->values[seen->part] + index * values;
	struct rs_augmentation scaled = change;
	(void)err;
	scaled.shift *= (double)side;
	if (augment)
		rs_augment(&scaled, &shape, picture, augment, out);
	else
		memcpy(out, picture, values * sizeof *out);
	return RS_OK;
}

static struct rs_samples samples_of(const struct run *run, struct seen *seen, enum part part,
                                    const uint32_t *labels)
{
	*seen = (struct seen){&run->model, &run->pictures, part};
	return (struct rs_samples){run->pictures.count[part], fill, seen, labels, NULL, NULL, NULL};
}

/* Mean 0 and deviation 1 as the training pictures have them. */
static void normalise(struct run *run)
{
	struct pictures *pictures = &run->pictures;
	const size_t values = pictures->side * pictures->side;
	double sum = 0, squares = 0, count = (double)(pictures->count[PART_TRAIN] * values);
	for (size_t i = 0; i < pictures->count[PART_TRAIN] * values; i++)
		sum += (double)pictures->values[PART_TRAIN][i];
	run->model.mean = sum / count;
	for (size_t i = 0; i < pictures->count[PART_TRAIN] * values; i++) {
		const double d = (double)pictures->values[PART_TRAIN][i] - run->model.mean;
		squares += d * d;
	}
	run->model.deviation = squares > 0 ? sqrt(squares / count) : 1;
	for (int p = 0; p < PARTS; p++)
		for (size_t i = 0; i < pictures->count[p] * values; i++)
			pictures->values[p][i] = (float)(((double)pictures->values[p][i] - run->model.mean) /
			                                 run->model.deviation);
}

/* ---- networks ---- */

/* Blocks of a convolution, normalisation, activation and halving, with twice the channels each, until seven pixels are
 * left; the mean of all places, dropout, one sum. */
static enum rs_code network_create(const struct run *run, struct rs_network *out, struct rs_error *err)
{
	struct rs_layer layers[5 * BLOCKS_MAX + 4] = {{.kind = RS_LAYER_INPUT}};
	const uint32_t side = (uint32_t)run->pictures.side;
	const struct rs_shape input = {1, {1, side, side}};
	uint32_t channels = (uint32_t)run->study.channels, n = 0;
	for (uint32_t now = side;; now /= 2, channels = channels < 256 ? channels * 2 : channels) {
		layers[n + 1] = (struct rs_layer){.kind = RS_LAYER_CONVOLUTION,
		                                  .from = n,
		                                  .channels = channels,
		                                  .kernel = {1, 3, 3},
		                                  .stride = {1, 1, 1},
		                                  .padding = {0, 1, 1}};
		layers[n + 2] = (struct rs_layer){.kind = RS_LAYER_NORMALISE, .from = n + 1};
		layers[n + 3] = (struct rs_layer){.kind = RS_LAYER_ACTIVATION, .from = n + 2};
		n += 3;
		if (now <= SMALLEST + 1)
			break;
		layers[n + 1] = (struct rs_layer){
			.kind = RS_LAYER_MAXIMUM, .from = n, .kernel = {1, 2, 2}, .stride = {1, 2, 2}};
		n++;
	}
	layers[n + 1] = (struct rs_layer){.kind = RS_LAYER_AVERAGE, .from = n};
	layers[n + 2] = (struct rs_layer){.kind = RS_LAYER_DROPOUT, .from = n + 1, .rate = 0.2};
	layers[n + 3] = (struct rs_layer){.kind = RS_LAYER_DENSE, .from = n + 2, .channels = 1};
	return rs_network_create(&input, layers, n + 4, run->study.seed, out, err);
}

static enum rs_code simple_create(const struct run *run, struct rs_network *out, struct rs_error *err)
{
	const uint32_t side = (uint32_t)run->pictures.side, window = side / COARSE;
	const struct rs_shape input = {1, {1, side, side}};
	const struct rs_layer layers[] = {
		{.kind = RS_LAYER_INPUT},
		{.kind = RS_LAYER_AVERAGE, .kernel = {1, window, window}, .stride = {1, window, window}},
		{.kind = RS_LAYER_DENSE, .from = 1, .channels = 1},
	};
	return rs_network_create(&input, layers, RS_COUNT(layers), run->study.seed, out, err);
}

/* The last step is what is made of both networks. */
static enum rs_code tell_epoch(void *context, uint32_t epoch RS_UNUSED, double loss RS_UNUSED,
                               double validation_loss RS_UNUSED)
{
	struct run *run = context;
	run->epochs++;
	if (run->told->progress)
		run->told->progress(run->told->context, run->epochs, 2 * (uint64_t)run->study.epochs + 1);
	return RS_OK;
}

static enum rs_code train(struct run *run, struct rs_network *network, const uint32_t *labels,
                          uint32_t epochs, struct rs_error *err)
{
	struct seen seen;
	const struct rs_samples samples = samples_of(run, &seen, PART_TRAIN, labels);
	const struct rs_network_training training = {.epochs = epochs,
	                                             .batch = 32,
	                                             .rate = 3e-3,
	                                             .warm_up = 0.1,
	                                             .decay = 0.3,
	                                             .clip = 1,
	                                             .average = 0.99,
	                                             .seed = run->study.seed,
	                                             .progress = tell_epoch,
	                                             .progress_context = run};
	return rs_network_train(network, &samples, NULL, &training, run->pool, err);
}

static enum rs_code judge(const struct run *run, const struct rs_network *network, enum part part, float *out,
                          struct rs_error *err)
{
	struct seen seen;
	const struct rs_samples samples = samples_of(run, &seen, part, NULL);
	return rs_network_judge(network, &samples, run->pool, out, err);
}

/* ---- what validation decides ---- */

static double loss_at(const float *logits, const uint8_t *outcome, size_t count, double temperature)
{
	double loss = 0;
	for (size_t i = 0; i < count; i++) {
		const double z = (double)logits[i] / temperature;
		loss += log1p(exp(-fabs(z))) + (outcome[i] ? fmax(-z, 0) : fmax(z, 0));
	}
	return loss;
}

/* The temperature of the lowest loss (Guo et al. 2017), by golden section on its logarithm: the loss has one valley. */
static double temperature_of(const float *logits, const uint8_t *outcome, size_t count)
{
	const double golden = 0.61803398874989485;
	double low = log(0.05), high = log(20.0);
	for (int i = 0; i < TEMPERATURES; i++) {
		const double a = high - golden * (high - low), b = low + golden * (high - low);
		if (loss_at(logits, outcome, count, exp(a)) <= loss_at(logits, outcome, count, exp(b)))
			high = b;
		else
			low = a;
	}
	return exp((low + high) / 2);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static enum rs_code calibrate(struct run *run, const float *logits, struct rs_error *err)
{
	const size_t count = run->pictures.count[PART_VALIDATION];
	const uint8_t *outcome = run->outcome[PART_VALIDATION];
	struct rs_pictures_model *model = &run->model;
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	double *p = run->p[PART_VALIDATION];
	model->temperature = temperature_of(logits, outcome, count);
	model->residuals = rs_allocate_array(count, sizeof *model->residuals);
	if (!model->residuals)
		return rs_error_memory(err, count * sizeof *model->residuals, "residuals");
	model->residual_count = count;
	for (size_t i = 0; i < count; i++) {
		p[i] = picture_probability(model, logits[i]);
		model->residuals[i] = outcome[i] ? 1 - p[i] : p[i];
	}
	qsort(model->residuals, count, sizeof *model->residuals, ascending);
	RS_TRY(rs_roc_of(p, outcome, count, &roc, err));
	model->threshold = fmin(fmax(rs_roc_youden(&roc)->threshold, 0), 1);
	return RS_OK;
}

/* ---- figures ---- */

static struct rs_interval area(double value, double variance, const struct run *run, enum part part)
{
	size_t positive = 0;
	const size_t count = run->pictures.count[part];
	for (size_t i = 0; i < count; i++)
		positive += run->outcome[part][i];
	return rs_auc_interval(value, variance, positive < count - positive ? positive : count - positive,
	                       LEVEL);
}

static void tell_classes(const struct run *run)
{
	const size_t count = run->pictures.count[PART_TEST];
	const struct rs_confusion confusion = rs_confusion_of(run->p[PART_TEST], run->outcome[PART_TEST],
	                                                      count, run->model.threshold);
	struct rs_classification found;
	size_t held = 0, single = 0;
	rs_classification_of(&confusion, LEVEL, &found);
	tell(run, "network", "sensitivity", &found.sensitivity, NAN);
	tell(run, "network", "specificity", &found.specificity, NAN);
	tell(run, "network", "accuracy", &found.accuracy, NAN);
	tell_value(run, "network", "f1", found.f1);
	tell_value(run, "network", "mcc", found.mcc);
	const double quantile = rs_conformal_quantile(run->model.residuals, run->model.residual_count,
	                                              COVERAGE);
	for (size_t i = 0; i < count; i++) {
		const double p = run->p[PART_TEST][i];
		held += (run->outcome[PART_TEST][i] ? 1 - p : p) <= quantile;
		single += (p <= quantile) != (1 - p <= quantile);
	}
	tell_value(run, "network", "conformal_coverage", (double)held / (double)count);
	tell_value(run, "network", "conformal_single", (double)single / (double)count);
}

static enum rs_code tell_calibration(const struct run *run, struct rs_error *err)
{
	struct rs_calibration found;
	RS_TRY(rs_calibration_of(run->p[PART_TEST], run->outcome[PART_TEST], run->pictures.count[PART_TEST],
	                         LEVEL, &found, err));
	tell_value(run, "network", "brier", found.brier);
	tell(run, "network", "calibration_intercept", &found.intercept, NAN);
	tell(run, "network", "calibration_slope", &found.slope, NAN);
	tell_value(run, "network", "ici", found.ici);
	return RS_OK;
}

/* Both models on the test pictures, and the words that follow. */
static enum rs_code compare(const struct run *run, char verdict[RS_VERDICT_SIZE], struct rs_error *err)
{
	const double *both[2] = {run->p[PART_TEST], run->simple_p}, *validated = run->p[PART_VALIDATION];
	double areas[2], covariance[4], own, variance, z;
	const size_t count = run->pictures.count[PART_TEST];
	RS_TRY(rs_auc_of(&validated, 1, run->outcome[PART_VALIDATION], run->pictures.count[PART_VALIDATION],
	                 &own, &variance, err));
	RS_TRY(rs_auc_of(both, 2, run->outcome[PART_TEST], count, areas, covariance, err));
	const struct rs_interval validation = area(own, variance, run, PART_VALIDATION);
	const struct rs_interval test = area(areas[0], covariance[0], run, PART_TEST);
	const struct rs_interval simple = area(areas[1], covariance[3], run, PART_TEST);
	const double p = rs_auc_difference(areas, covariance, 2, 0, 1, &z);
	tell(run, "network", "auc", &test, NAN);
	tell(run, "network", "auc_validation", &validation, NAN);
	tell(run, "coarse_grey", "auc", &simple, p);
	if (validation.lower > test.upper)
		warn(run,
		     "validation (AUC %.3f) promised more than the test pictures (%.3f) keep: they come from elsewhere, or "
		     "validation saw what training saw",
		     validation.value, test.value);
	(void)snprintf(
		verdict, RS_VERDICT_SIZE,
		"The network's AUC on %zu test pictures is %.3f (%.3f to %.3f). It %s logistic regression on %d x %d "
		"mean grey values (%.3f): p = %.2g.",
		count, test.value, test.lower, test.upper,
		p < 1 - LEVEL ? (areas[0] > areas[1] ? "beats" : "is worse than") : "does not beat", COARSE,
		COARSE, simple.value, p);
	return RS_OK;
}

/* ---- pictures that are there twice ---- */

struct content {
	struct rs_digest digest;
	unsigned part;
};

static int by_content(const void *a, const void *b)
{
	const struct content *x = a, *y = b;
	const int order = memcmp(x->digest.bytes, y->digest.bytes, RS_SHA256_SIZE);
	return order ? order : (x->part > y->part) - (x->part < y->part);
}

static enum rs_code tell_twins(const struct run *run, struct rs_error *err)
{
	const struct pictures *pictures = &run->pictures;
	const size_t values = pictures->side * pictures->side;
	const size_t all = pictures->count[0] + pictures->count[1] + pictures->count[2];
	size_t at = 0, twins = 0, across = 0;
	struct content *contents RS_CLEANUP(rs_free_pointer) = rs_allocate_array(all, sizeof *contents);
	if (!contents)
		return rs_error_memory(err, all * sizeof *contents, "pictures");
	for (unsigned p = 0; p < PARTS; p++)
		for (size_t i = 0; i < pictures->count[p]; i++, at++) {
			rs_sha256(rs_bytes_of(pictures->values[p] + i * values, values * sizeof(float)),
			          &contents[at].digest);
			contents[at].part = p;
		}
	qsort(contents, all, sizeof *contents, by_content);
	for (size_t i = 1; i < all; i++)
		if (rs_digest_equal(&contents[i].digest, &contents[i - 1].digest)) {
			twins++;
			across += contents[i].part != contents[i - 1].part;
		}
	tell_value(run, "", "identical_pictures", (double)twins);
	if (across)
		warn(run, "%zu pictures are in two parts: what is judged was trained on", across);
	return RS_OK;
}

/* ---- the whole ---- */

static enum rs_code outcomes(struct run *run, struct rs_error *err)
{
	for (int p = 0; p < PARTS; p++) {
		run->p[p] = rs_allocate_array(run->pictures.count[p], sizeof *run->p[p]);
		run->outcome[p] = rs_allocate(run->pictures.count[p]);
		if (!run->p[p] || !run->outcome[p])
			return rs_error_memory(err, run->pictures.count[p] * sizeof *run->p[p],
			                       "probabilities");
		for (size_t i = 0; i < run->pictures.count[p]; i++)
			run->outcome[p][i] = (uint8_t)run->pictures.labels[p][i];
	}
	return RS_OK;
}

static enum rs_code learn(struct run *run, float *logits, char verdict[RS_VERDICT_SIZE], struct rs_error *err)
{
	const size_t count = run->pictures.count[PART_TEST];
	const uint32_t epochs = (uint32_t)run->study.epochs, *labels = run->pictures.labels[PART_TRAIN];
	RS_TRY(outcomes(run, err));
	run->simple_p = rs_allocate_array(count, sizeof *run->simple_p);
	if (!run->simple_p)
		return rs_error_memory(err, count * sizeof *run->simple_p, "probabilities");
	RS_TRY(tell_twins(run, err));
	normalise(run);
	RS_TRY(simple_create(run, &run->simple, err));
	RS_TRY(train(run, &run->simple, labels, epochs, err));
	RS_TRY(judge(run, &run->simple, PART_TEST, logits, err));
	for (size_t i = 0; i < count; i++)
		run->simple_p[i] = (double)logits[i];
	RS_TRY(network_create(run, &run->model.network, err));
	RS_TRY(train(run, &run->model.network, labels, epochs, err));
	RS_TRY(judge(run, &run->model.network, PART_VALIDATION, logits, err));
	RS_TRY(calibrate(run, logits, err));
	RS_TRY(judge(run, &run->model.network, PART_TEST, logits, err));
	for (size_t i = 0; i < count; i++)
		run->p[PART_TEST][i] = picture_probability(&run->model, logits[i]);
	RS_TRY(compare(run, verdict, err));
	tell_classes(run);
	RS_TRY(tell_calibration(run, err));
	tell_value(run, "network", "threshold", run->model.threshold);
	tell_value(run, "network", "temperature", run->model.temperature);
	return RS_OK;
}

static enum rs_code begin(const struct rs_world *world, const char *path, struct run *run,
                          struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (!directory)
		return rs_error_memory(err, strlen(path), "a path");
	RS_TRY(rs_file_read_all(world, path, STUDY_SIZE_MAX, &file, err));
	if (picture_study_parse(rs_buffer_bytes(&file), &run->study, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	RS_TRY(pictures_read(world, directory, &run->study, run->pool, &run->pictures, err));
	run->model.side = run->pictures.side;
	run->model.study = run->study.digest;
	return RS_OK;
}

enum rs_code rs_pictures_train(const struct rs_world *world, const char *study, struct rs_pool *pool,
                               const struct rs_training_report *report, struct rs_buffer *out_model,
                               char out_verdict[RS_VERDICT_SIZE], struct rs_error *err)
{
	struct rs_gathered gathered RS_CLEANUP(rs_gathered_finish) = {.visit = NULL};
	const struct rs_training_report kept = {
		rs_gather_finding, rs_gather_warning, &gathered, report->page, NULL, NULL};
	struct run run RS_CLEANUP(run_finish) = {
		.pool = pool, .report = report->page ? &kept : report, .told = report};
	rs_gathered_init(&gathered, report->finding, report->warning, report->context);
	RS_TRY(begin(world, study, &run, err));
	const size_t *count = run.pictures.count;
	const size_t most = count[PART_VALIDATION] > count[PART_TEST] ? count[PART_VALIDATION]
	                                                              : count[PART_TEST];
	float *logits RS_CLEANUP(rs_free_pointer) = rs_allocate_array(most, sizeof *logits);
	if (!logits)
		return rs_error_memory(err, most * sizeof *logits, "logits");
	RS_TRY(learn(&run, logits, out_verdict, err));
	pictures_model_write(&run.model, out_model);
	RS_TRY(rs_buffer_check(out_model, "the model", err));
	const struct pictured pictured = {
		&run.study,       &run.pictures, &run.model,  run.outcome[PART_TEST],
		run.p[PART_TEST], run.simple_p,  out_verdict, rs_buffer_bytes(out_model),
		&gathered};
	return report->page ? pictures_page(&pictured, report->page, err) : RS_OK;
}
