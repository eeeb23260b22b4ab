/* What the record of a training shows, in words: for the report's tables, and for items of the checklists. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report_train.h"
#include "recipe/recipe_step.h"
#include "validate/validate_whole.h"

#define TEXT_MAX 2048

static RS_PRINTF(3, 4) void fact_add(struct facts_maker *maker, const char *name, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	char *copy = rs_arena_allocate(maker->arena, strlen(text) + 1);
	if (!copy || maker->count == FACTS_MAX) {
		maker->failed = true;
		return;
	}
	memcpy(copy, text, strlen(text) + 1);
	maker->items[maker->count++] = (struct rs_fact){name, copy};
}

static const char *digest_text(struct making *making, const struct rs_digest *digest)
{
	char *text = rs_arena_allocate(&making->arena, 2 * RS_SHA256_SIZE + 1);
	if (!text) {
		making->study.failed = true;
		return "";
	}
	rs_hex_encode(rs_bytes_of(digest->bytes, RS_SHA256_SIZE), text);
	return text;
}

static void join_names(const struct rs_study_names *names, char out[TEXT_MAX])
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < names->count && used < TEXT_MAX - 1; i++)
		used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s%s", i ? ", " : "", names->items[i]);
}

/* ---- the plan in words ---- */

static void describe_options(const struct rs_setting *settings, const void *options, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (const struct rs_setting *s = settings; s && s->name && used < size; s++) {
		const void *at = (const char *)options + s->offset;
		const char *gap = used ? ", " : "";
		int wrote;
		if (s->kind == RS_SETTING_COUNT)
			wrote = snprintf(out + used, size - used, "%s%s %" PRIu64, gap, s->name,
			                 *(const uint64_t *)at);
		else if (s->kind == RS_SETTING_NUMBER)
			wrote = snprintf(out + used, size - used, "%s%s %.4g", gap, s->name,
			                 *(const double *)at);
		else
			wrote = snprintf(out + used, size - used, "%s%s", gap,
			                 s->words[*(const uint32_t *)at]);
		used += wrote > 0 ? (size_t)wrote : 0;
	}
}

static void describe(const char *name, const struct rs_setting *settings, const void *options, char *out,
                     size_t size)
{
	char inside[512];
	describe_options(settings, options, inside, sizeof inside);
	snprintf(out, size, *inside ? "%s (%s)" : "%s", name, inside);
}

static void describe_steps(const struct rs_plan *plan, char out[TEXT_MAX])
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t s = 0; s < plan->stage_count && used < TEXT_MAX - 1; s++)
		for (size_t a = 0; a < plan->stages[s].count && used < TEXT_MAX - 1; a++) {
			const struct rs_stage *stage = &plan->stages[s];
			char one[600];
			describe(stage->step->name, stage->step->settings, stage->alternatives[a].options,
			         one, sizeof one);
			used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s%s",
			                         a   ? " or "
			                         : s ? "; "
			                             : "",
			                         one);
		}
}

static void describe_models(const struct rs_plan *plan, char out[TEXT_MAX])
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t m = 0; m < plan->model_count && used < TEXT_MAX - 1; m++) {
		char one[600];
		describe(plan->models[m].learner->name, plan->models[m].learner->settings,
		         plan->models[m].with.options, one, sizeof one);
		used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s%s", m ? " or " : "", one);
	}
}

static const struct rs_stage *stage_find(const struct rs_plan *plan, const char *name)
{
	for (size_t s = 0; s < plan->stage_count; s++)
		if (strcmp(plan->stages[s].step->name, name) == 0)
			return &plan->stages[s];
	return NULL;
}

/* ---- facts ---- */

struct counts {
	size_t clinical, volume, features, rarest; /* rarest: events, or rows of the rarest class */
	char outcomes[TEXT_MAX];
};
static void count_outcomes(const struct rs_frame *frame, struct counts *out)
{
	bool survival = frame->target == RS_TARGET_SURVIVAL;
	size_t used = 0;
	out->rarest = frame->rows;
	for (uint32_t k = survival || frame->classes == 2 ? 1 : 0; k < (survival ? 2 : frame->classes); k++) {
		size_t count = 0;
		for (size_t i = 0; i < frame->rows; i++)
			count += frame->outcome[i] == k;
		size_t other = frame->classes == 2 ? frame->rows - count : frame->rows;
		out->rarest = count < out->rarest ? count : out->rarest;
		out->rarest = other < out->rarest ? other : out->rarest;
		const char *name = survival ? "events" : frame->classes == 2 ? "positive" : frame->levels[k];
		int wrote = snprintf(out->outcomes + used, sizeof out->outcomes - used, "%s%zu %s (%.1f %%)",
		                     used ? ", " : "", count, name,
		                     100 * (double)count / (double)frame->rows);
		used += wrote > 0 && used + (size_t)wrote < sizeof out->outcomes ? (size_t)wrote : 0;
	}
}
static void count_all(const struct rs_frame *frame, struct counts *out)
{
	count_outcomes(frame, out);
	for (size_t c = 0; c < frame->column_count; c++) {
		out->clinical += frame->columns[c].clinical;
		out->volume += frame->columns[c].volume;
		out->features += frame->columns[c].feature;
	}
}

static void study_facts(struct making *making)
{
	const struct rs_study *study = &making->run->study;
	struct facts_maker *out = &making->study;
	char text[TEXT_MAX];
	join_names(study->class_column ? &study->positive
	           : study->time       ? &study->event_value
	                               : &study->levels,
	           text);
	if (study->class_column)
		fact_add(out, "Outcome", "%s, positive: %s", study->class_column, text);
	else if (study->time)
		fact_add(out, "Outcome", "time %s, event %s: %s", study->time, study->event, text);
	else
		fact_add(out, "Outcome", "%s: %s",
		         study->classes_column ? study->classes_column : study->ordinal_column,
		         *text ? text : "its classes");
	for (size_t m = 0; m < study->modality_count; m++) {
		join_names(&study->modalities[m].patterns, text);
		fact_add(out, "Features", "%s: %s", study->modalities[m].name, text);
	}
	join_names(&study->clinical, text);
	if (*text)
		fact_add(out, "Clinical columns", "%s", text);
	join_names(&study->volume, text);
	if (*text)
		fact_add(out, "Volume", "%s", text);
	describe_steps(&study->plan, text);
	fact_add(out, "Steps before the model", "%s", text);
	describe_models(&study->plan, text);
	fact_add(out, "Model", "%s", text);
	fact_add(out, "Validation", "%" PRIu64 " folds by %s, %s; %" PRIu64 " repeats; seed %" PRIu64,
	         (uint64_t)rs_folds_count(&making->run->frame, study), study->validate,
	         strcmp(study->assign, "rank") == 0 ? "by rank of the id" : "at random", study->repeats,
	         study->seed);
	if (study->plan.model_count > 1 || making->run->contenders[0].candidates > 1)
		fact_add(out, "Choice between candidates",
		         "%zu candidates, by %" PRIu64 " inner folds of training rows",
		         making->run->contenders[0].candidates, study->inner_folds);
}

static void subject_facts(struct making *making, const struct counts *counts)
{
	const struct rs_frame *frame = &making->run->frame;
	bool survival = frame->target == RS_TARGET_SURVIVAL;
	struct facts_maker *out = &making->subjects;
	fact_add(out, "Rows read", "%zu", frame->rows + frame->left_out);
	fact_add(out, "Left out, outcome missing", "%zu", frame->left_out);
	fact_add(out, "Rows used", "%zu of %zu subjects", frame->rows, frame->subject_count);
	fact_add(out, "Outcomes", "%s", counts->outcomes);
	if (survival) {
		double longest = 0;
		for (size_t i = 0; i < frame->rows; i++)
			longest = fmax(longest, frame->time[i]);
		fact_add(out, "Longest follow-up", "%.6g", longest);
	}
	if (making->run->study.centre)
		fact_add(out, "Centres", "%zu", frame->centre_count);
	fact_add(out, "Columns", "%zu of features, %zu clinical, %zu of volume", counts->features,
	         counts->clinical, counts->volume);
}

static void provenance_facts(struct making *making, const struct rs_page *page, struct rs_bytes model_file)
{
	const struct training_run *run = making->run;
	struct facts_maker *out = &making->provenance;
	struct rs_digest digest;
	rs_sha256(model_file, &digest);
	fact_add(out, "Program", "%s", page->version);
	fact_add(out, "Study file", "%s, SHA-256 %s", page->source, digest_text(making, &run->study.digest));
	for (size_t t = 0; t < run->frame.join.count; t++)
		fact_add(out, "Table", "%s, SHA-256 %s", run->frame.join.tables[t].path,
		         digest_text(making, &run->frame.join.tables[t].digest));
	fact_add(out, "Training rows", "SHA-256 %s", digest_text(making, &making->model->training));
	fact_add(out, "Model file", "SHA-256 %s", digest_text(making, &digest));
	fact_add(out, "Seed", "%" PRIu64, run->study.seed);
	fact_add(out, "Same again",
	         "the same files, seed and program give the same bits, for any number of threads");
}

static const char *fact_value(const struct facts_maker *facts, const char *name)
{
	for (size_t i = 0; i < facts->count; i++)
		if (strcmp(facts->items[i].name, name) == 0)
			return facts->items[i].value;
	return "";
}

/* What the record shows of items of the checklists; see report/checklists.c. */
static void evidence_of_data(struct making *making, const struct counts *counts)
{
	const struct training_run *run = making->run;
	const struct rs_frame *frame = &run->frame;
	struct facts_maker *out = &making->evidence;
	size_t inputs = rs_model_inputs(making->model);
	if (run->study.title)
		fact_add(out, "title", "%s", run->study.title);
	fact_add(out, "guideline", "CLEAR and TRIPOD+AI are filled from the record, here");
	if (frame->centre_count > 1)
		fact_add(out, "multicentre", "%zu centres", frame->centre_count);
	fact_add(out, "outcome", "%s", making->study.items[0].value);
	fact_add(out, "predictors", "%zu columns of features, %zu clinical, %zu of volume", counts->features,
	         counts->clinical, counts->volume);
	if (counts->clinical) {
		char text[TEXT_MAX];
		join_names(&run->study.clinical, text);
		fact_add(out, "clinical_columns", "%s", text);
	}
	fact_add(out, "flow", "%zu rows read, %zu left out for a missing outcome, %zu used: %s",
	         frame->rows + frame->left_out, frame->left_out, frame->rows, counts->outcomes);
	if (inputs > 0 && counts->rarest >= EVENTS_PER_INPUT * inputs)
		fact_add(out, "dimension", "%.1f of the rarest outcome for each of %zu inputs",
		         (double)counts->rarest / (double)inputs, inputs);
	fact_add(out, "balance", "%s; weights: %s; nothing is resampled", counts->outcomes,
	         run->study.weights);
	if (strncmp(run->study.validate, "centre", 6) == 0)
		fact_add(out, "heterogeneity", "each centre is judged by models of the others");
	if (strncmp(run->study.validate, "centre", 6) == 0 && frame->target != RS_TARGET_SURVIVAL)
		fact_add(out, "performance_centres", "a fold is a centre: see the table by fold");
}

static void evidence_of_method(struct making *making)
{
	const struct training_run *run = making->run;
	const struct rs_plan *plan = &run->study.plan;
	struct facts_maker *out = &making->evidence;
	const struct rs_stage *correlation = stage_find(plan, "correlation");
	char text[TEXT_MAX];
	fact_add(
		out, "split",
		"%s; every fitted step sees the training rows of its fold alone, all rows of a subject lie in "
		"one fold",
		fact_value(&making->study, "Validation"));
	describe_steps(plan, text);
	fact_add(out, "preparation", "%s", text);
	if (plan->stage_count > 0)
		fact_add(out, "missing", "%s, fitted to training rows; rows without an outcome left out",
		         text);
	fact_add(out, "selection", "%s, within each fold", text);
	fact_add(out, "selection_results", "%zu inputs are left in the model that is kept: see their table",
	         rs_model_inputs(making->model));
	if (correlation)
		fact_add(out, "redundancy", "correlation filter in each fold");
	if (stage_find(plan, "stability"))
		fact_add(out, "stability",
		         "features that readers or perturbations change are removed in each fold");
	if (stage_find(plan, "combat"))
		fact_add(out, "confounders", "ComBat by centre, fitted to training rows");
	bool scaled = making->model->parts[0].learner->standardised;
	for (size_t s = 0; s < plan->stage_count; s++)
		scaled |= plan->stages[s].step->scales;
	fact_add(out, "scaling", "%s",
	         scaled ? "to one scale, fitted to training rows" : "inputs are not scaled");
	describe_models(plan, text);
	fact_add(out, "model", "%s", text);
	fact_add(out, "tuning", "%s",
	         run->contenders[0].candidates > 1 ? "candidates chosen by inner folds of training rows"
	                                           : "settings fixed beforehand, in the study file");
	fact_add(out, "model_choice", "%s",
	         run->contenders[0].candidates > 1 ? "best merit in inner folds" : "one model only");
	fact_add(out, "computing", "radseal predict with the model file");
	fact_add(out, "specification", "the model file holds all of it as data; SHA-256 under provenance");
	fact_add(out, "poor_input",
	         "missing values are filled as in training, unknown categories taken for missing; both are "
	         "counted with each prediction");
}

static void evidence_of_results(struct making *making, const char *verdict)
{
	const struct training_run *run = making->run;
	bool survival = run->frame.target == RS_TARGET_SURVIVAL;
	struct facts_maker *out = &making->evidence;
	const struct rs_finding *compared = rs_finding_find(making->gathered->findings,
	                                                    making->gathered->finding_count, "model",
	                                                    "difference_to_baseline");
	const struct rs_way *own = &making->ways[0];
	fact_add(
		out, "measures", "%s",
		survival
			? "concordance within folds; area under the cumulative/dynamic ROC curve and Brier score at "
			  "quartiles of event times, Brier score integrated over twentieths; Kaplan-Meier curves, "
			  "log-rank test"
		: run->frame.classes > 2
			? "Hand & Till's AUC or concordance of levels, accuracy, macro F1, kappa, Brier score"
			: "AUC, sensitivity, specificity, F1, MCC, average precision, Brier score, net benefit");
	fact_add(out, "uncertainty", "95 %% intervals: %s",
	         survival ? "of concordances on the logit scale, of curves on the log-log scale"
	                  : "DeLong's on the logit scale, exact ones of proportions, resampled ROC curves");
	if (run->frame.target == RS_TARGET_BINARY)
		fact_add(out, "calibration", "curve with intervals, intercept, slope, integrated index");
	else if (making->risk.count > 0)
		fact_add(out, "calibration",
		         "curve with intervals at the median event time, integrated index, tenths, "
		         "D-calibration");
	fact_add(out, "performance", "%s %.3f (%.3f to %.3f) out of fold", rs_merit_name(run->frame.target),
	         own->merit.value, own->merit.lower, own->merit.upper);
	for (size_t w = 1; w < run->count; w++)
		if (run->contenders[w].view == RS_VIEW_CLINICAL)
			fact_add(out, "non_radiomic", "model of the clinical columns: %.3f",
			         making->ways[w].merit.value);
	if (compared && isfinite(compared->p))
		fact_add(out, "classical",
		         "linear models of clinical columns or volume: difference %+.3f, p = %.3g",
		         compared->value, compared->p);
	fact_add(out, "output", "%s",
	         survival ? "a risk, and survival over time"
	                  : "a probability; a threshold chosen on training rows; a conformal set");
	if (making->inputs)
		fact_add(out, "importance", "importance of inputs, in a figure");
	fact_add(out, "verdict", "%s", verdict);
}

enum rs_code making_facts(struct making *making, const char *verdict, struct rs_bytes model_file,
                          const struct rs_page *page, struct rs_error *err)
{
	struct counts counts = {0};
	count_all(&making->run->frame, &counts);
	study_facts(making);
	subject_facts(making, &counts);
	provenance_facts(making, page, model_file);
	evidence_of_data(making, &counts);
	evidence_of_method(making);
	evidence_of_results(making, verdict);
	return making->study.failed || making->subjects.failed || making->provenance.failed ||
	                       making->evidence.failed || making->gathered->failed
	               ? rs_error_memory(err, TEXT_MAX, "a report")
	               : RS_OK;
}
