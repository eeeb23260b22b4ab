/* radseal train: a model from a study file, and what it is worth beside simple ones. */
#include <stdio.h>

#include "findings.h"
#include "prognosis/prognosis_pictures.h"
#include "sealing.h"
#include "session.h"

#define REPORT_SIZE_MAX ((size_t)64 << 20)
#define STUDY_SIZE_MAX ((size_t)1 << 20)

struct telling {
	struct rs_buffer text, findings, warnings, page;
	struct rs_json found, warned;
	bool as_json;
	struct sealing sealing;
	struct receipts receipts;
	const char *progress_file; /* NULL: nobody looks */
};

static void telling_finish(struct telling *telling)
{
	rs_buffer_finish(&telling->text);
	rs_buffer_finish(&telling->findings);
	rs_buffer_finish(&telling->warnings);
	rs_buffer_finish(&telling->page);
	receipts_finish(&telling->receipts);
	sealing_finish(&telling->sealing);
}

static void take_finding(void *context, const struct rs_finding *finding)
{
	struct telling *telling = context;
	finding_json(&telling->found, finding);
	finding_print(&telling->text, finding);
}

static void take_warning(void *context, const char *sentence)
{
	struct telling *telling = context;
	rs_json_text(&telling->warned, sentence);
	rs_buffer_printf(&telling->text, "warning: %s\n", sentence);
}

static enum rs_code permit_rows(void *context, const struct rs_row_origin *origins, size_t count,
                                struct rs_error *err)
{
	return sealing_permit(&((struct telling *)context)->sealing, origins, count, err);
}

static void assemble_receipts(const struct receipts *receipts, struct rs_buffer *out)
{
	struct rs_json json;
	if (receipts->count == 0)
		return;
	rs_buffer_append_text(out, ",\n\"receipts\":");
	rs_json_init(&json, out, true);
	rs_json_array_begin(&json);
	for (size_t i = 0; i < receipts->count; i++)
		rs_json_text(&json, receipts->paths[i]);
	rs_json_array_end(&json);
}

/* {"model": …, "verdict": …, "warnings": […], "findings": […]}; once sealed also "receipts" of model, report and study */
static void assemble(const struct telling *telling, const char *model, const char *verdict,
                     struct rs_buffer *out)
{
	struct rs_json json;
	rs_json_init(&json, out, false);
	rs_buffer_append_text(out, "{\"model\":");
	rs_json_text(&json, model);
	rs_json_init(&json, out, false);
	rs_buffer_append_text(out, ",\n\"verdict\":");
	rs_json_text(&json, verdict);
	rs_buffer_append_text(out, ",\n\"warnings\":");
	rs_buffer_append_bytes(out, rs_buffer_bytes(&telling->warnings));
	rs_buffer_append_text(out, ",\n\"findings\":");
	rs_buffer_append_bytes(out, rs_buffer_bytes(&telling->findings));
	assemble_receipts(&telling->receipts, out);
	rs_buffer_append_text(out, "}\n");
}

/* A report is a page, or JSON where its name says so. */
static bool report_is_json(const struct command_line *line)
{
	return option_given(line, "report") &&
	       rs_str_ends_with(rs_str_from(option_value(line, "report")), ".json");
}

static enum rs_code seal(const struct command_line *line, struct telling *telling, struct rs_bytes model,
                         const char *name, const char *verdict, struct rs_error *err)
{
	struct rs_buffer whole RS_CLEANUP(rs_buffer_finish) = {0}, study RS_CLEANUP(rs_buffer_finish) = {0};
	bool paged = telling->page.size > 0;
	if (!telling->sealing.node)
		return RS_OK;
	rs_buffer_init(&whole, REPORT_SIZE_MAX);
	assemble(telling, name, verdict, &whole);
	RS_TRY(rs_buffer_check(&whole, "the report", err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[0], REPORT_SIZE_MAX, &study, err));
	RS_TRY(sealing_model(&telling->sealing, option_value(line, "replaces"), model,
	                     rs_buffer_bytes(paged ? &telling->page : &whole), !paged,
	                     rs_buffer_bytes(&study), &telling->receipts, err));
	for (size_t i = 0; i < telling->receipts.count; i++)
		rs_buffer_printf(&telling->text, "sealed %s %s\n",
		                 (const char *const[]){"model", "report", "study"}[i],
		                 telling->receipts.paths[i]);
	return RS_OK;
}

static enum rs_code tell(const struct command_line *line, struct telling *telling, const char *model,
                         const char *verdict, struct rs_error *err)
{
	struct rs_buffer whole RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&whole, REPORT_SIZE_MAX);
	assemble(telling, model, verdict, &whole);
	rs_buffer_printf(&telling->text, "\n%s\nmodel %s\n", verdict, model);
	RS_TRY(rs_buffer_check(&whole, "the report", err));
	RS_TRY(rs_buffer_check(&telling->text, "the report", err));
	if (option_given(line, "report"))
		RS_TRY(session_write(option_value(line, "report"),
		                     rs_buffer_bytes(report_is_json(line) ? &whole : &telling->page), err));
	if (telling->as_json)
		return session_write(NULL, rs_buffer_bytes(&whole), err);
	return option_given(line, "quiet") ? RS_OK
	                                   : session_write(NULL, rs_buffer_bytes(&telling->text), err);
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	const struct telling *telling = context;
	session_progress(telling->progress_file, done, total);
}

/* Studies of tables, or of pictures. */
static enum rs_code train(const char *path, bool asks, struct rs_pool *pool,
                          const struct rs_training_report *report, struct rs_buffer *out_model,
                          char verdict[RS_VERDICT_SIZE], struct rs_error *err)
{
	struct rs_buffer study RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, STUDY_SIZE_MAX, &study, err));
	bool pictures = rs_pictures_is_study(rs_buffer_bytes(&study));
	if (pictures && asks)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"pictures of an archive name no subjects that the contract could be asked about: train "
			"without --as and --purpose");
	return pictures ? rs_pictures_train(rs_world_system(), path, pool, report, out_model, verdict, err)
	                : rs_train(rs_world_system(), path, pool, report, out_model, verdict, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct telling telling RS_CLEANUP(telling_finish) = {.as_json = option_given(line, "json"),
	                                                     .progress_file = option_value(line, "progress")};
	struct rs_buffer model RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	char verdict[RS_VERDICT_SIZE], hex[2 * RS_SHA256_SIZE + 1];
	if (line->operand_count != 1 || !option_given(line, "output"))
		return rs_error_set(err, RS_USAGE, "train takes one study file, and --output for the model");
	RS_TRY(session_pool(line, 1, &pool, err));
	if (option_given(line, "replaces") && !option_given(line, "home"))
		return rs_error_set(err, RS_USAGE, "train: --replaces goes with --home");
	RS_TRY(sealing_open(line, pool, RS_OPERATION_TRAIN, false, &telling.sealing, err));
	rs_buffer_init(&telling.text, REPORT_SIZE_MAX);
	rs_buffer_init(&telling.findings, REPORT_SIZE_MAX);
	rs_buffer_init(&telling.warnings, REPORT_SIZE_MAX);
	rs_buffer_init(&telling.page, REPORT_SIZE_MAX);
	rs_buffer_init(&model, RS_MODEL_SIZE_MAX);
	rs_json_init(&telling.found, &telling.findings, true);
	rs_json_init(&telling.warned, &telling.warnings, true);
	rs_json_array_begin(&telling.found);
	rs_json_array_begin(&telling.warned);
	const struct rs_page page = {&telling.page, "radseal " RADSEAL_VERSION,
	                             rs_path_name(line->operands[0]), NULL};
	bool paged = option_given(line, "report") && !report_is_json(line);
	const struct rs_training_report report = {take_finding,         take_warning, &telling,
	                                          paged ? &page : NULL, permit_rows,  take_progress};
	RS_TRY(train(line->operands[0], telling.sealing.asks, pool, &report, &model, verdict, err));
	rs_sha256(rs_buffer_bytes(&model), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	rs_json_array_end(&telling.found);
	rs_json_array_end(&telling.warned);
	RS_TRY(seal(line, &telling, rs_buffer_bytes(&model), hex, verdict, err));
	RS_TRY(session_write(option_value(line, "output"), rs_buffer_bytes(&model), err));
	return tell(line, &telling, hex, verdict, err);
}

static const struct option options[] = {
	{"output", "FILE", "the model"},
	{"report", "FILE",
         "a page (HTML) of figures, model card and checklists (METRICS, TRIPOD+AI, CLEAR); JSON where it ends in .json"},
	SEALING_OPTIONS,
	SESSION_PROGRESS_OPTION,
	{"replaces", "MODEL", "with --home: a model sealed there, of which this is the new version"},
	{"threads", "N", "default: all processors; the numbers are the same for any"},
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal train stage.yaml -o stage.model --report stage.html",
         "model, figures, and a verdict against clinical columns and volume"},
	{"radseal train pneumonia.yaml -o pneumonia.model",
         "a network of X-rays, from \"pictures: pneumoniamnist.npz\""},
	{"radseal train --home /srv/radseal --as researcher --purpose research stage.yaml -o stage.model",
         "asks the contract for each row's vector first; model, report and study are sealed"},
	{NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_train = {
	.name = "train",
	.arguments = "STUDY.yaml --output MODEL",
	.summary = "train a model, and tell whether it beats simple ones",
	.description =
		"Reads a study: tables (CSV, beside the study file, joined by id), the target: class {column, positive},\n"
		"classes {column, levels}, ordinal {column, levels}: lowest first, or survival {time, event, event_value};\n"
		"features by pattern and modality, clinical and volume columns, categorical ones, mark_gaps (patterns of\n"
		"numbers of which it is an input, too, whether they are missing), centre; folds, repeats, seed,\n"
		"assign (random, or rank of the id), validate (subject, centre: each one left out, or centres:\n"
		"folds of whole ones), inner_folds (5), weights (none, or balanced: each class weighs alike).\n"
		"fusion: none (all columns, gaps filled), early (and where a modality is missing), late (a model for each\n"
		"modality, weighed by scores out of inner folds, over those that a row has).\n"
		"Beside cross-validation, when asked for: split (share that trains, as 0.8), bootstrap (repetitions, for\n"
		".632+), permutations (of outcomes, for a p). Centres that the columns tell apart are warned of, and\n"
		"columns that are spread otherwise where a split or a centre is judged than where it trains.",
	.details =
		"steps: a list, run in its order; without it: near_zero, correlation.\n"
		"  impute       median, mean or nearest {count}: gaps; comes first unless named. nearest keeps the\n"
		"               training rows in the model file\n"
		"  gaps         stay, in place of impute: xgboost learns where rows without a value belong\n"
		"  combat       {prior: parametric, nonparametric or none; mean_only; reference: CENTRE; preserve: 'age,\n"
		"               sex'}: what a centre adds to features and how it spreads them, taken away; a centre that\n"
		"               training lacks stays as it is\n"
		"  stable       {least: 0.75, icc: agreement, consistency or oneway; by: lower or value; level}: features\n"
		"               that the table of \"repeated: {table, measurement}\" agrees on (several rows an id)\n"
		"  scale        zscore, robust, range or power (Yeo-Johnson); zscore comes last for models that need it\n"
		"  near_zero    ratio of the two commonest values (19); correlation {limit: 0.9, drop: later or average}\n"
		"  univariate   {p: 0.05, keep, test: means, ranks or spearman, adjust: none or\n"
		"               discoveries}; keep: the best 20\n"
		"  mrmr         {keep: 20, by: correlation, difference or quotient}\n"
		"  rfe          {keep: 20, by: ridge, forest or svm, drop: 0.25 of what is left, penalty, trees}\n"
		"  lasso        {lambda: sparsest or best, mixing: 1, folds: 5, lambdas: 50}: what an elastic net keeps\n"
		"model: a name with options, or a list of them:\n"
		"  forest       {trees, minimum_leaf, tries}\n"
		"  xgboost      {rounds, max_depth, eta, min_child_weight, gamma, lambda, alpha, subsample,\n"
		"               colsample_bytree, colsample_bynode, early_stopping_rounds (judged by a fifth of the\n"
		"               training subjects), tree_method: exact or hist, survival: cox or aft,\n"
		"               aft_loss_distribution, aft_loss_distribution_scale}\n"
		"  svm          {cost, gamma, kernel: rbf or linear, tolerance} (classes)\n"
		"  ridge        {penalty} (classes)\n"
		"  cox          {penalty: 0, of a ridge; ties: efron or breslow; strata: none or centre} (survival)\n"
		"  ordinal      {penalty: 1} (proportional odds)\n"
		"  elastic_net  {mixing: 1 (lasso) to 0 (ridge), lambda: best or sparsest, folds: 5, lambdas: 50}\n"
		"               (classes, ordinal, survival); folds of the training rows choose the penalty\n"
		"  network      {units, layers, members, epochs, batch, dropout, rate, decay, activation} (classes;\n"
		"               survival as DeepSurv)\n"
		"  parametric   {distribution: weibull, exponential, log_normal or log_logistic} (survival)\n"
		"Models of a list and values of a list, as in keep: [10, 20], are candidates: folds within the training\n"
		"rows choose one, and every choice is told.\n"
		"Everything that is fitted (medians, selection, model, threshold) is fitted to the\n"
		"training rows of a fold alone; all rows of a subject lie in one fold. Beside the model go a linear one\n"
		"of the clinical columns, one of the volume, the model with permuted outcomes and with shuffled\n"
		"features; the verdict holds it against the best simple one (DeLong's test; of concordances within\n"
		"folds a jackknife). The file holds the model fitted to all rows; its SHA-256 is printed.\n"
		"A study of pictures: pictures (an NPZ archive of train_, val_ and test_images and _labels, or a table), of a\n"
		"table file, class, positive, part (train, val, test) or subject (draws parts); size, channels, epochs, seed.\n"
		"A convolutional network; temperature, threshold and conformal sets come from val, figures from test.\n"
		"title, synthetic: yes and card {key: text} are for the report, which names the keys.\n"
		"--home seals model, report and study.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.run = run,
};
