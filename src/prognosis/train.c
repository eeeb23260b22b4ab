/* A study, trained: read, cross-validated beside its controls and baselines, fitted, judged in words. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_reasons.h"
#include "report/report.h"
#include "validate/validate_schemes.h"
#include "train.h"
#include "validate/validate_whole.h"

#define STUDY_SIZE_MAX ((size_t)1 << 20)
#define NAMES_SIZE_MAX ((size_t)1 << 20)
#define IMBALANCE 0.1

static void run_finish(struct training_run *run)
{
	for (size_t c = 0; c < run->count; c++)
		rs_contender_finish(&run->contenders[c]);
	for (size_t p = 0; p < run->parts_count; p++)
		rs_parts_finish(&run->parts[p]);
	rs_risks_finish(&run->risks);
	rs_arena_finish(&run->names);
	rs_frame_finish(&run->permuted);
	rs_frame_finish(&run->shuffled);
	rs_frame_finish(&run->frame);
	rs_study_finish(&run->study);
}

static RS_PRINTF(2, 3) void warn(const struct training_run *run, const char *format, ...)
{
	char sentence[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	run->report->warning(run->report->context, sentence);
}

static void tell(const struct training_run *run, const char *of, const char *name, double value)
{
	run->report->finding(run->report->context, &(struct rs_finding){of, name, value, NAN, NAN, NAN});
}

/* ---- warnings ---- */

struct content {
	struct rs_digest digest;
	size_t row;
};
static int by_content(const void *a, const void *b)
{
	const struct content *x = a, *y = b;
	int order = memcmp(x->digest.bytes, y->digest.bytes, RS_SHA256_SIZE);
	return order ? order : x->row < y->row ? -1 : x->row > y->row;
}

/* Rows of different subjects whose cells are all the same: one in training gives the other away. */
static enum rs_code warn_of_duplicates(const struct training_run *run, struct rs_error *err)
{
	const struct rs_frame *frame = &run->frame;
	struct content *contents RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows,
	                                                                         sizeof *contents);
	size_t pairs = 0, example = 0;
	if (!contents)
		return rs_error_memory(err, frame->rows * sizeof *contents, "rows");
	for (size_t i = 0; i < frame->rows; i++) {
		struct rs_sha256 hash;
		rs_sha256_init(&hash);
		for (size_t c = 0; c < frame->column_count; c++) {
			const char *word = frame->words[c * frame->rows + i];
			rs_sha256_update(&hash, word, strlen(word) + 1);
		}
		rs_sha256_final(&hash, &contents[i].digest);
		contents[i].row = i;
	}
	qsort(contents, frame->rows, sizeof *contents, by_content);
	for (size_t i = 1; i < frame->rows; i++)
		if (rs_digest_equal(&contents[i].digest, &contents[i - 1].digest) &&
		    frame->subject[contents[i].row] != frame->subject[contents[i - 1].row] && pairs++ == 0)
			example = i;
	if (pairs > 0)
		warn(run,
		     "%zu rows repeat those of another subject (%s and %s are one pair): if they are one person, "
		     "results flatter",
		     pairs, frame->ids[contents[example - 1].row], frame->ids[contents[example].row]);
	return RS_OK;
}

/* Rows of each class; of survival: without and with the event. */
static size_t count_outcomes(const struct rs_frame *frame, size_t count[RS_CLASSES_MAX])
{
	size_t classes = frame->classes ? frame->classes : 2;
	memset(count, 0, RS_CLASSES_MAX * sizeof *count);
	for (size_t i = 0; i < frame->rows; i++)
		count[frame->outcome[i]]++;
	return classes;
}

static void warn_of_centres(const struct training_run *run)
{
	const struct rs_frame *frame = &run->frame;
	size_t classes = frame->classes > 2 ? frame->classes : 2;
	if (frame->centre_count < 2 || strcmp(run->study.validate, "centre") == 0)
		return;
	for (uint8_t k = classes == 2; k < classes; k++) {
		double lowest = 2, highest = -1;
		for (size_t c = 0; c < frame->centre_count; c++) {
			double rows = 0, members = 0;
			for (size_t i = 0; i < frame->rows; i++)
				if (frame->centre[i] == c) {
					rows++;
					members += frame->outcome[i] == k;
				}
			lowest = fmin(lowest, members / rows);
			highest = fmax(highest, members / rows);
		}
		if (highest - lowest > 0.2)
			warn(run,
			     "%s is %.0f %% of one centre and %.0f %% of another: a model may learn the centre; "
			     "validate: centre",
			     classes > 2 ? frame->levels[k] : "the outcome", 100 * lowest, 100 * highest);
	}
}

/* What a step learned of centres says nothing of one that is held out. */
static void warn_of_strange_centres(const struct training_run *run)
{
	const struct rs_plan *plan = &run->study.plan;
	for (size_t s = 0; s < plan->stage_count; s++)
		if (plan->stages[s].step->asks_centre && strncmp(run->study.validate, "centre", 6) == 0)
			warn(run,
			     "%s leaves rows of centres that it did not see as they are: those judged here are",
			     plan->stages[s].step->name);
}

static void tell_counts(const struct training_run *run, size_t inputs)
{
	const struct rs_frame *frame = &run->frame;
	size_t count[RS_CLASSES_MAX], classes = count_outcomes(frame, count), fewest = count[classes - 1];
	tell(run, "", "rows", (double)frame->rows);
	tell(run, "", "left_out", (double)frame->left_out);
	tell(run, "", "subjects", (double)frame->subject_count);
	if (classes == 2)
		tell(run, "", frame->target == RS_TARGET_SURVIVAL ? "events" : "positives", (double)count[1]);
	for (size_t c = 0; c < classes; c++) {
		if (frame->target != RS_TARGET_SURVIVAL && count[c] < fewest)
			fewest = count[c];
		if (classes > 2)
			tell(run, frame->levels[c], "rows", (double)count[c]);
	}
	tell(run, "", "inputs", (double)inputs);
	if (fewest < EVENTS_PER_INPUT * inputs)
		warn(run, "%zu %s for %zu inputs, %.2g each: fewer than %d each", fewest,
		     frame->target == RS_TARGET_SURVIVAL ? "events" : "subjects of the rarest class", inputs,
		     (double)fewest / (double)inputs, EVENTS_PER_INPUT);
	if ((double)fewest < IMBALANCE * (double)frame->rows)
		warn(run, "%s is rare (%zu of %zu): accuracy means little",
		     classes > 2 ? "a class" : "the outcome", fewest, frame->rows);
}

static void warn_of_modalities(const struct training_run *run)
{
	const struct rs_frame *frame = &run->frame;
	for (uint32_t m = 0; m < frame->modality_count; m++) {
		size_t lacking = 0;
		for (size_t i = 0; i < frame->rows; i++)
			lacking += !rs_frame_has(frame, i, m);
		if (lacking == 0)
			continue;
		tell(run, frame->modalities[m], "rows_without", (double)lacking);
		if (strcmp(run->study.fusion, "none") == 0)
			warn(run,
			     "%zu of %zu rows lack modality %s: their values are made up; fusion: early, or late",
			     lacking, frame->rows, frame->modalities[m]);
	}
}

static enum rs_code warn_of_all(const struct training_run *run, size_t inputs, struct rs_error *err)
{
	tell_counts(run, inputs);
	warn_of_centres(run);
	warn_of_strange_centres(run);
	warn_of_modalities(run);
	return warn_of_duplicates(run, err);
}

/* ---- contenders ---- */

static void add(struct training_run *run, const char *name, const struct rs_frame *frame, enum rs_view view,
                bool baseline)
{
	run->contenders[run->count++] = (struct rs_contender){.name = name,
	                                                      .frame = frame,
	                                                      .view = view,
	                                                      .baseline = baseline,
	                                                      .plan = baseline ? &run->baseline.plan
	                                                                       : &run->study.plan};
}

/* "model:mri" */
static enum rs_code name_part(struct training_run *run, const char *name, const char *modality,
                              const char **out, struct rs_error *err)
{
	size_t size = strlen(name) + strlen(modality) + 2;
	char *text = rs_arena_allocate(&run->names, size);
	if (!text)
		return rs_error_memory(err, size, "a name");
	snprintf(text, size, "%s:%s", name, modality);
	*out = text;
	return RS_OK;
}

/* The study's model, of all columns or fused of one for each modality. */
static enum rs_code add_model(struct training_run *run, const char *name, const struct rs_frame *frame,
                              struct rs_error *err)
{
	struct rs_contender *fused = &run->contenders[run->count];
	add(run, name, frame, RS_VIEW_ALL, false);
	if (strcmp(run->study.fusion, "late") != 0)
		return RS_OK;
	struct rs_fused_parts *parts = &run->parts[run->parts_count++];
	RS_TRY(rs_parts_find(frame, parts, err));
	fused->plan = NULL;
	fused->parts = &run->contenders[run->count];
	fused->part_count = parts->count;
	for (size_t p = 0; p < parts->count; p++) {
		const char *text = NULL;
		RS_TRY(name_part(run, name, frame->modalities[parts->modality[p]], &text, err));
		add(run, text, &parts->frames[p], (enum rs_view)(RS_VIEW_MODALITY + parts->modality[p]),
		    false);
		run->contenders[run->count - 1].whole = frame;
		run->contenders[run->count - 1].source = parts->source[p];
	}
	return RS_OK;
}

static enum rs_code line_up(struct training_run *run, struct rs_error *err)
{
	bool clinical = false, volume = false, feature = false;
	for (size_t c = 0; c < run->frame.column_count; c++) {
		clinical |= run->frame.columns[c].clinical;
		volume |= run->frame.columns[c].volume;
		feature |= run->frame.columns[c].feature;
	}
	rs_arena_init(&run->names, NAMES_SIZE_MAX);
	rs_plan_baseline(run->frame.target, &run->baseline);
	RS_TRY(rs_frame_permute_outcomes(&run->frame, run->study.seed, &run->permuted, err));
	RS_TRY(add_model(run, "model", &run->frame, err));
	if (clinical)
		add(run, "clinical", &run->frame, RS_VIEW_CLINICAL, true);
	if (volume)
		add(run, "volume", &run->frame, RS_VIEW_VOLUME, true);
	RS_TRY(add_model(run, "permuted_outcomes", &run->permuted, err));
	if (!feature)
		return RS_OK;
	RS_TRY(rs_frame_shuffle_features(&run->frame, run->study.seed, &run->shuffled, err));
	return add_model(run, "shuffled_features", &run->shuffled, err);
}

/* ---- the verdict ---- */

static enum rs_code judge(const struct training_run *run, const struct rs_merit *own,
                          char out[RS_VERDICT_SIZE], struct rs_error *err)
{
	const enum rs_target target = run->frame.target;
	const char *what = target == RS_TARGET_BINARY    ? "AUC"
	                   : target == RS_TARGET_CLASSES ? "Hand & Till's AUC"
	                   : target == RS_TARGET_ORDINAL ? "concordance of levels"
	                                                 : "concordance";
	const struct rs_contender *best = NULL;
	struct rs_merit best_merit = {0}, merit;
	double difference, p;
	for (size_t c = 1; c < run->count; c++) {
		if (!run->contenders[c].baseline)
			continue;
		RS_TRY(rs_merit_of(&run->contenders[c], &run->study, &merit, err));
		if (!best || merit.value > best_merit.value) {
			best = &run->contenders[c];
			best_merit = merit;
		}
	}
	bool chance = !(own->lower > 0.5);
	if (!best) {
		snprintf(
			out, RS_VERDICT_SIZE,
			"The model %s chance: %s %.3f (95 %% interval %.3f to %.3f). The study names no clinical "
			"columns and no volume to hold it against.",
			chance ? "is not told from" : "is better than", what, own->value, own->lower,
			own->upper);
		return RS_OK;
	}
	RS_TRY(rs_merit_difference(&run->contenders[0], best, &run->study, &difference, &p, err));
	run->report->finding(run->report->context, &(struct rs_finding){"model", "difference_to_baseline",
	                                                                difference, NAN, NAN, p});
	bool told_apart = p < 0.05;
	char tested[64] =
		"no test can judge it, its variance being 0"; /* such as of an AUC of 1 and a constant */
	if (!isnan(p))
		snprintf(tested, sizeof tested, "p = %.3g", p);
	snprintf(
		out, RS_VERDICT_SIZE,
		"The model (%s %.3f, 95 %% interval %.3f to %.3f) %s the %s baseline (%.3f): difference %+.3f, %s.%s",
		what, own->value, own->lower, own->upper,
		isnan(p)         ? "is not shown to beat"
		: !told_apart    ? "does not beat"
		: difference > 0 ? "beats"
				 : "is worse than",
		best->name, best_merit.value, difference, tested,
		chance ? " It is not told from chance." : "");
	return RS_OK;
}

static enum rs_code train(struct training_run *run, struct rs_pool *pool, const struct rs_gathered *gathered,
                          struct rs_buffer *out_model, char out_verdict[RS_VERDICT_SIZE],
                          struct rs_error *err)
{
	struct rs_model model RS_CLEANUP(rs_model_finish) = {
		.id = run->study.id, .levels = run->frame.levels, .study = run->study.digest};
	struct rs_merit merit;
	RS_TRY(line_up(run, err));
	if (run->frame.target == RS_TARGET_SURVIVAL) {
		RS_TRY(rs_risks_init(&run->risks, &run->frame, err));
		run->contenders[0].risks = &run->risks;
	}
	const struct rs_whole whole = {&run->study, &run->contenders[0], run->report, pool};
	RS_TRY(rs_whole_fit(&whole, &model, err));
	RS_TRY(warn_of_all(run, rs_model_inputs(&model), err));
	RS_TRY(rs_contenders_run(run->contenders, run->count, &run->study, run->told, pool, err));
	for (size_t c = 0; c < run->count; c++)
		if (!run->contenders[c].source || run->contenders[c].whole == &run->frame)
			RS_TRY(rs_contender_report(&run->contenders[c], &run->study, run->report, c == 0,
			                           err));
	for (size_t p = 0; p < model.part_count; p++)
		RS_TRY(rs_importance_tell(&model.parts[p], run->report, err));
	RS_TRY(rs_merit_of(&run->contenders[0], &run->study, &merit, err));
	const struct rs_schemes schemes = {&run->study, &run->contenders[0], run->report, pool};
	RS_TRY(rs_schemes_run(&schemes, &merit, err));
	RS_TRY(judge(run, &merit, out_verdict, err));
	RS_TRY(rs_whole_keep_predictions(&whole, &model, err));
	model.merit = merit.value;
	model.merit_lower = merit.lower;
	model.merit_upper = merit.upper;
	RS_TRY(rs_model_write(&model, out_model, err));
	return run->report->page ? train_page(run, &model, out_verdict, rs_buffer_bytes(out_model), gathered,
	                                      run->report->page, err)
	                         : RS_OK;
}

enum rs_code rs_train(const struct rs_world *world, const char *study, struct rs_pool *pool,
                      const struct rs_training_report *report, struct rs_buffer *out_model,
                      char out_verdict[RS_VERDICT_SIZE], struct rs_error *err)
{
	struct rs_gathered gathered RS_CLEANUP(rs_gathered_finish) = {.visit = NULL};
	const struct rs_training_report kept = {
		rs_gather_finding, rs_gather_warning, &gathered, report->page, NULL, NULL};
	struct training_run run RS_CLEANUP(run_finish) = {.report = report->page ? &kept : report,
	                                                  .told = report};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *slash = strrchr(study, '/');
	char *directory RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(
		(struct rs_str){study, slash ? (size_t)(slash - study) + 1 : 0});
	if (!directory)
		return rs_error_memory(err, strlen(study), "a path");
	RS_TRY(rs_file_read_all(world, study, STUDY_SIZE_MAX, &file, err));
	if (rs_study_parse(rs_buffer_bytes(&file), &run.study, err) != RS_OK)
		return rs_error_context(err, "%s", study);
	RS_TRY(rs_frame_read(world, directory, &run.study, &run.frame, err));
	RS_TRY(rs_join_permit(&run.frame.join, report->permit, report->context, err));
	rs_gathered_init(&gathered, report->finding, report->warning, report->context);
	return train(&run, pool, &gathered, out_model, out_verdict, err);
}
