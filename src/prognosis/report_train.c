/* The report of a training: its ways to predict, its groups, what its model goes by. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_train.h"
#include "validate/validate_whole.h"

#define EXPLAINED_ROWS_MAX 1000

static void making_finish(struct making *making) { rs_arena_finish(&making->arena); }

static const char *way_name(const struct rs_contender *contender)
{
	static const struct {
		const char *name, *shown;
	} names[] = {{"model", "Model"},
	             {"clinical", "Clinical columns"},
	             {"volume", "Volume alone"},
	             {"permuted_outcomes", "Permuted outcomes"},
	             {"shuffled_features", "Shuffled features"}};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (strcmp(contender->name, names[i].name) == 0)
			return names[i].shown;
	return contender->name;
}

/* Controls' parts are told nowhere; those of the model have rows of their own, and no curve. */
static void add_ways(struct making *making, struct rs_report *report)
{
	const struct training_run *run = making->run;
	for (size_t c = 0; c < run->count; c++) {
		const struct rs_contender *of = &run->contenders[c];
		struct rs_way *way = &making->ways[report->way_count];
		if (of->source && of->whole != &run->frame)
			continue;
		const struct rs_finding *merit = rs_finding_find(making->gathered->findings,
		                                                 making->gathered->finding_count, of->name,
		                                                 rs_merit_name(run->frame.target));
		*way = (struct rs_way){.name = way_name(of),
		                       .kind = c == 0         ? RS_WAY_MODEL
		                               : of->source   ? RS_WAY_PART
		                               : of->baseline ? RS_WAY_BASELINE
		                                              : RS_WAY_CONTROL,
		                       .probabilities = !report->survival,
		                       .score = report->survival ? of->score : of->mean,
		                       .outcome = of->frame->outcome,
		                       .merit = {NAN, NAN, NAN}};
		if (merit)
			way->merit = (struct rs_interval){merit->value, merit->lower, merit->upper};
		report->way_count++;
	}
	report->ways = making->ways;
}

static double finding_value(const struct making *making, const char *name)
{
	const struct rs_finding *found = rs_finding_find(making->gathered->findings,
	                                                 making->gathered->finding_count, "model", name);
	return found ? found->value : NAN;
}

static enum rs_code add_calls(struct making *making, struct rs_report *report, struct rs_error *err)
{
	const struct rs_contender *own = &making->run->contenders[0];
	making->called = rs_arena_allocate(&making->arena, report->rows);
	if (!making->called)
		return rs_error_memory(err, report->rows, "a report");
	for (size_t i = 0; i < report->rows; i++)
		making->called[i] = own->score[i] >= own->threshold[i];
	report->called = making->called;
	report->called_about =
		"Each row judged with the threshold that its own model chose; shares are of what was.";
	report->sensitivity = finding_value(making, "sensitivity");
	report->specificity = finding_value(making, "specificity");
	return RS_OK;
}

static void add_levels(const struct making *making, struct rs_report *report)
{
	const struct rs_contender *own = &making->run->contenders[0];
	report->levels = own->frame->levels;
	report->level_count = own->frame->classes;
	report->level = own->frame->outcome;
	report->several = own->mean;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The upper half of each fold by risk: risks of different models cannot be compared. */
static enum rs_code add_groups(struct making *making, struct rs_report *report, struct rs_error *err)
{
	static const char *const names[] = {"low risk", "high risk"};
	const struct rs_contender *own = &making->run->contenders[0];
	size_t n = report->rows, folds = rs_folds_count(own->frame, &making->run->study);
	double *sorted = rs_arena_allocate_array(&making->arena, n, sizeof *sorted);
	making->group = rs_arena_allocate_array(&making->arena, n, sizeof *making->group);
	if (!sorted || !making->group)
		return rs_error_memory(err, n * sizeof *sorted, "a report");
	for (size_t f = 0; f < folds; f++) {
		size_t count = 0;
		for (size_t i = 0; i < n; i++)
			if (own->fold[i] == f)
				sorted[count++] = own->score[i];
		if (count == 0)
			continue;
		qsort(sorted, count, sizeof *sorted, rising);
		for (size_t i = 0; i < n; i++)
			if (own->fold[i] == f)
				making->group[i] = own->score[i] > sorted[(count - 1) / 2];
	}
	report->group = making->group;
	report->group_names = names;
	report->group_count = RS_COUNT(names);
	report->group_about =
		"Subjects above and below the median risk of their fold, by models that did not see them; "
		"bands are 95 % intervals.";
	return RS_OK;
}

static enum rs_code add_risk(struct making *making, struct rs_report *report, struct rs_error *err)
{
	const struct rs_contender *own = &making->run->contenders[0];
	bool any;
	if (!own->risks)
		return RS_OK;
	double *line = rs_arena_allocate_array(&making->arena, report->rows, 2 * sizeof *line);
	if (!line)
		return rs_error_memory(err, report->rows * sizeof *line, "a report");
	RS_TRY(rs_risks_show(own, line, &making->risk, &any, err));
	report->risks = &making->risk;
	report->risk_count = any;
	return RS_OK;
}

static const char *input_name(struct making *making, size_t part, uint32_t index)
{
	const struct rs_fitted *fitted = &making->model->parts[part];
	struct rs_input input = rs_fitted_input(fitted, index);
	const struct rs_fitted_column *column = &fitted->columns[input.column];
	bool numeric = input.level == RS_INPUT_NUMBER, alone = making->model->part_count == 1;
	const char *level = numeric                        ? ""
	                    : *column->levels[input.level] ? column->levels[input.level]
	                                                   : "missing";
	const char *of = alone ? "" : making->model->part_names[part];
	size_t size = strlen(of) + strlen(column->name) + strlen(level) + 6;
	char *name = rs_arena_allocate(&making->arena, size);
	if (!name || (numeric && alone))
		return column->name;
	snprintf(name, size, "%s%s%s%s%s", of, *of ? ": " : "", column->name, numeric ? "" : " = ", level);
	return name;
}

static int by_importance(const void *a, const void *b)
{
	const struct rs_report_input *x = a, *y = b;
	if (x->importance != y->importance)
		return x->importance < y->importance ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Rows as the learner sees them: every so many-th, when there are many. */
static enum rs_code explained_rows(struct making *making, size_t *out_rows, double **out_x,
                                   struct rs_error *err)
{
	const struct rs_frame *frame = &making->run->frame;
	const struct rs_fitted *fitted = &making->model->parts[0];
	size_t step = (frame->rows + EXPLAINED_ROWS_MAX - 1) / EXPLAINED_ROWS_MAX,
	       width = fitted->shape.columns;
	size_t rows = (frame->rows + step - 1) / step;
	double *values = rs_arena_allocate_array(&making->arena, fitted->width + 1, sizeof *values);
	double *numbers = rs_arena_allocate_array(&making->arena, frame->column_count, sizeof *numbers);
	const char **words = rs_arena_allocate_array(&making->arena, frame->column_count, sizeof *words);
	double *x = rs_arena_allocate_array(&making->arena, rows * width, sizeof *x);
	if (!values || !numbers || !words || !x)
		return rs_error_memory(err, rows * width * sizeof *x, "a report");
	for (size_t r = 0; r < rows; r++) {
		rs_frame_cells(frame, RS_VIEW_ALL, r * step, numbers, words);
		const struct rs_probe probe = {numbers, words, {rs_frame_centre(frame, r * step)}};
		rs_fitted_row(fitted, &probe, values, NULL, NULL);
		for (size_t i = 0; i < width; i++)
			x[i * rows + r] = values[i];
	}
	*out_rows = rows;
	*out_x = x;
	return RS_OK;
}

struct ranked {
	double value;
	size_t row;
};
static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
	                            : (x->row > y->row) - (x->row < y->row);
}

/* Ranks from 0 to 1; equal values alike. */
static void shade_by_rank(const double *x, size_t rows, struct ranked *work, double *out)
{
	for (size_t r = 0; r < rows; r++)
		work[r] = (struct ranked){x[r], r};
	qsort(work, rows, sizeof *work, by_value);
	for (size_t a = 0, b; a < rows; a = b) {
		for (b = a; b < rows && work[b].value == work[a].value; b++)
			;
		for (size_t r = a; r < b; r++)
			out[work[r].row] = rows > 1 ? ((double)a + (double)(b - 1)) / 2 / (double)(rows - 1)
			                            : 0.5;
	}
}

static enum rs_code add_effects(struct making *making, struct rs_report *report, struct rs_error *err)
{
	const struct rs_fitted *fitted = &making->model->parts[0];
	size_t width = fitted->shape.columns, rows = 0;
	double *x = NULL;
	if (!fitted->learner->explain || report->input_count == 0)
		return RS_OK;
	RS_TRY(explained_rows(making, &rows, &x, err));
	double *effects = rs_arena_allocate_array(&making->arena, rows * (width + 1), sizeof *effects);
	struct ranked *work = rs_arena_allocate_array(&making->arena, rows, sizeof *work);
	if (!effects || !work)
		return rs_error_memory(err, rows * (width + 1) * sizeof *effects, "a report");
	const struct rs_matrix matrix = {rows, width, x};
	RS_TRY(fitted->learner->explain(fitted->state, &matrix, 1, effects, err));
	for (size_t i = 0; i < width; i++) {
		double *effect = rs_arena_allocate_array(&making->arena, rows, sizeof *effect);
		double *shade = rs_arena_allocate_array(&making->arena, rows, sizeof *shade);
		if (!effect || !shade)
			return rs_error_memory(err, rows * sizeof *effect, "a report");
		for (size_t r = 0; r < rows; r++)
			effect[r] = effects[r * (width + 1) + i];
		shade_by_rank(x + i * rows, rows, work, shade);
		making->inputs[i].effect = effect;
		making->inputs[i].shade = shade;
	}
	report->shown_rows = rows;
	return RS_OK;
}

static enum rs_code add_part(struct making *making, size_t part, struct rs_report *report, bool *known,
                             struct rs_error *err)
{
	const struct rs_fitted *fitted = &making->model->parts[part];
	size_t count = fitted->shape.columns;
	uint32_t *origins = rs_arena_allocate_array(&making->arena, fitted->width + 1, sizeof *origins);
	double *importance = rs_arena_allocate_array(&making->arena, count + 1, sizeof *importance);
	if (!origins || !importance)
		return rs_error_memory(err, count * sizeof *importance, "a report");
	bool told = count > 0 && fitted->learner->importance &&
	            fitted->learner->importance(fitted->state, importance);
	rs_fitted_inputs(fitted, origins);
	for (size_t i = 0; i < count; i++)
		making->inputs[report->input_count++] = (struct rs_report_input){
			.name = input_name(making, part, origins[i]),
			.importance = told ? importance[i] : NAN};
	*known = *known && told;
	return RS_OK;
}

static enum rs_code add_inputs(struct making *making, struct rs_report *report, struct rs_error *err)
{
	bool known = true;
	making->inputs = rs_arena_allocate_array(&making->arena, rs_model_inputs(making->model) + 1,
	                                         sizeof *making->inputs);
	if (!making->inputs)
		return rs_error_memory(err, sizeof *making->inputs, "a report");
	report->inputs = making->inputs;
	for (size_t p = 0; p < making->model->part_count; p++)
		RS_TRY(add_part(making, p, report, &known, err));
	if (making->model->part_count == 1)
		RS_TRY(add_effects(making, report, err));
	if (known && report->input_count)
		qsort(making->inputs, report->input_count, sizeof *making->inputs, by_importance);
	return RS_OK;
}

static void add_card(struct making *making, struct rs_report *report)
{
	const struct rs_study *study = &making->run->study;
	for (size_t i = 0; i < study->card_count; i++)
		making->card[i] = (struct rs_fact){study->card[i].name, study->card[i].value};
	report->card = (struct rs_facts){study->card_count, making->card};
	report->synthetic = study->synthetic && strcmp(study->synthetic, "yes") == 0;
}

enum rs_code train_page(const struct training_run *run, const struct rs_model *model, const char *verdict,
                        struct rs_bytes model_file, const struct rs_gathered *gathered,
                        const struct rs_page *page, struct rs_error *err)
{
	struct making making RS_CLEANUP(making_finish) = {.run = run, .model = model, .gathered = gathered};
	struct rs_report report = {.title = run->study.title ? run->study.title : "Training of a model",
	                           .interval = RS_INTERVAL_LOG_LOG,
	                           .coverage = RS_REPORT_LEVEL,
	                           .about = page->source,
	                           .verdict = verdict,
	                           .merit = run->frame.target == RS_TARGET_BINARY ? "Area under the ROC curve"
	                                    : run->frame.target == RS_TARGET_CLASSES
	                                            ? "Hand and Till's area under ROC curves"
	                                    : run->frame.target == RS_TARGET_ORDINAL ? "Concordance of levels"
	                                                                             : "Concordance",
	                           .survival = run->frame.target == RS_TARGET_SURVIVAL,
	                           .rows = run->frame.rows,
	                           .time = run->frame.time,
	                           .event = run->frame.outcome,
	                           .sensitivity = NAN,
	                           .specificity = NAN,
	                           .findings = gathered->findings,
	                           .finding_count = gathered->finding_count,
	                           .warnings = gathered->warnings,
	                           .warning_count = gathered->warning_count};
	rs_arena_init(&making.arena, SIZE_MAX / 2);
	making.study.arena = making.subjects.arena = making.provenance.arena = making.evidence.arena =
		&making.arena;
	add_ways(&making, &report);
	if (run->frame.classes > 2)
		add_levels(&making, &report);
	else
		RS_TRY(report.survival ? add_groups(&making, &report, err)
		                       : add_calls(&making, &report, err));
	RS_TRY(add_risk(&making, &report, err));
	RS_TRY(add_inputs(&making, &report, err));
	RS_TRY(making_facts(&making, verdict, model_file, page, err));
	report.study = (struct rs_facts){making.study.count, making.study.items};
	report.subjects = (struct rs_facts){making.subjects.count, making.subjects.items};
	report.provenance = (struct rs_facts){making.provenance.count, making.provenance.items};
	report.evidence = (struct rs_facts){making.evidence.count, making.evidence.items};
	add_card(&making, &report);
	return rs_report_write(&report, page->out, err);
}
