/* radseal evaluate: predictions held against what came of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "findings.h"
#include "option_lists.h"
#include "evaluate/evaluate.h"
#include "session.h"

#define TABLE_SIZE_MAX ((size_t)256 << 20)

static enum rs_code option_count(const struct command_line *line, const char *name, uint64_t fallback,
                                 uint64_t *out, struct rs_error *err)
{
	const char *value = option_value(line, name);
	*out = fallback;
	if (!value || rs_parse_u64(rs_str_from(value), out))
		return RS_OK;
	return rs_error_set(err, RS_USAGE, "--%s %s: not a whole number", name, value);
}

static enum rs_code ask(const struct command_line *line, const struct rs_csv *table,
                        struct rs_evaluation *out, struct rs_error *err)
{
	*out = (struct rs_evaluation){
		.table = table,
		.outcome = option_value(line, "class"),
		.positive = option_value(line, "positive"),
		.time = option_value(line, "time"),
		.event = option_value(line, "event"),
		.event_value = option_value(line, "event-value"),
		.censored = option_value(line, "censored"),
		.group = option_value(line, "group"),
		.stratum = option_value(line, "strata"),
		.scores = line->repeats,
		.score_count = line->repeat_count,
	};
	uint64_t resamples;
	out->subject = option_value(line, "subject");
	RS_TRY(option_count(line, "bootstrap", 0, &resamples, err));
	RS_TRY(option_count(line, "seed", 1, &out->seed, err));
	out->bootstrap = (size_t)resamples;
	RS_TRY(option_number(line, "threshold", NAN, &out->threshold, err));
	RS_TRY(option_number(line, "specificity", 0, &out->specificity, err));
	return option_level(line, &out->level, err);
}

static enum rs_code print(const struct command_line *line, const struct rs_csv *table,
                          const struct rs_page *page, struct findings *printing, struct rs_error *err)
{
	struct rs_evaluation asked;
	double times[RS_TIMES_MAX];
	const char *names[RS_TIMES_MAX], *covariates[RS_COVARIATES_MAX], *factors[RS_COVARIATES_MAX];
	char *text RS_CLEANUP(rs_free_pointer) = NULL, *more RS_CLEANUP(rs_free_pointer) = NULL;
	char *codes RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(ask(line, table, &asked, err));
	asked.times = times;
	RS_TRY(option_numbers(line, "times", times, RS_TIMES_MAX, &asked.time_count, err));
	asked.survival = names;
	RS_TRY(option_names(line, "survival", names, RS_TIMES_MAX, &asked.survival_count, &text, err));
	asked.covariates.names = covariates;
	asked.covariates.factors = factors;
	RS_TRY(option_names(line, "covariates", covariates, RS_COVARIATES_MAX, &asked.covariates.count, &more,
	                    err));
	RS_TRY(option_names(line, "factors", factors, RS_COVARIATES_MAX, &asked.covariates.factor_count,
	                    &codes, err));
	asked.page = option_given(line, "report") ? page : NULL;
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	if (asked.bootstrap > 0)
		RS_TRY(session_pool(line, 1, &pool, err));
	asked.pool = pool;
	RS_TRY(rs_evaluate(&asked, findings_visit, printing, err));
	return findings_end(printing, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer html RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0};
	struct findings printing RS_CLEANUP(findings_finish) = {.as_json = false};
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "evaluate takes one table");
	const char *path = line->operands[0];
	RS_TRY(rs_file_read_all(rs_world_system(), path, TABLE_SIZE_MAX, &file, err));
	enum rs_code code = rs_csv_parse(rs_buffer_bytes(&file), &table, err);
	rs_sha256(rs_buffer_bytes(&file), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	rs_buffer_init(&html, TABLE_SIZE_MAX);
	findings_begin(&printing, option_given(line, "json"));
	const struct rs_page page = {&html, "radseal " RADSEAL_VERSION, rs_path_name(path), hex};
	if (code == RS_OK)
		code = print(line, &table, &page, &printing, err);
	if (code != RS_OK)
		rs_error_context(err, "%s", path);
	if (code == RS_OK && option_given(line, "report"))
		code = session_write(option_value(line, "report"), rs_buffer_bytes(&html), err);
	if (code == RS_OK)
		code = session_write(option_value(line, "output"), rs_buffer_bytes(&printing.text), err);
	return code;
}

static const struct option options[] = {
	{"class", "COLUMN", "the outcome: a class"},
	{"positive", "VALUE",
         "of --class: the cell that counts as positive (default: 1); all others are negative"},
	{"time", "COLUMN", "the outcome: time of the event, or to the end of follow-up"},
	{"event", "COLUMN", "whether the event came"},
	{"event-value", "VALUE", "of --event: the cell that says so (default: 1); all others are censored"},
	{"censored", "VALUE",
         "of --event: the cell that says there was none; all others are events that compete"},
	{"score", "COLUMN", "a prediction: higher means likelier positive, or an earlier event; repeatable"},
	{"survival", "COLUMNS",
         "predicted probabilities of no event until each of --times: as many columns, with commas between them"},
	{"covariates", "COLUMNS",
         "of --class: a logistic regression of these, with commas between them; of words an indicator for each but the first"},
	{"factors", "COLUMNS", "of --covariates: numbers that are codes of categories"},
	{"group", "COLUMN", "compare groups: a curve for each, and the log-rank test (Gray's test)"},
	{"strata", "COLUMN", "of --group: compare within its values only"},
	{"threshold", "NUMBER", "positive from here on (default: 0.5 where scores are probabilities)"},
	{"specificity", "SHARE", "of --class: also the area where specificity is at least this, such as 0.9"},
	{"times", "TIMES", "what is said of these times, such as 365,730"},
	{"bootstrap", "N", "intervals by drawing the subjects N times again, such as 2000"},
	{"seed", "N", "of --bootstrap (default: 1)"},
	{"subject", "COLUMN", "of --bootstrap: rows with the same cell are drawn together"},
	{"level", "SHARE", "of intervals (default: 0.95)"},
	{"report", "FILE", "a page (HTML) with figures, too: curves, calibration, usefulness"},
	{"output", "FILE", "write there instead of to standard output"},
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal evaluate predictions.csv --class malignant --score radiomics --score clinical",
         "AUC with intervals, their difference, calibration, usefulness"},
	{"radseal evaluate clinic.csv --class responded --covariates age,sex,size",
         "odds ratios with intervals, deviance, likelihood ratio test"},
	{"radseal evaluate follow-up.csv --time days --event died --score risk --group stage --times 365",
         "concordance, hazard ratio, curves of the stages, log-rank test"},
	{"radseal evaluate follow-up.csv --time days --event died --times 365,730 --survival s365,s730",
         "area under the curve, Brier score and calibration at one and two years, integrated Brier score"},
	{"radseal evaluate follow-up.csv --time days --event status --event-value relapse --censored alive --times 365,730",
         "incidence of relapse and of what competes with it"},
	{NULL, NULL},
};

const struct command command_evaluate = {
	.name = "evaluate",
	.arguments = "TABLE.csv (--class COLUMN | --time COLUMN --event COLUMN) --score COLUMN…",
	.summary = "hold predictions against what came of them, with intervals",
	.description =
		"Reads a table of subjects: predictions in some columns, what came of them in others. Rows with an\n"
		"empty or NA cell in a column that is used are left out and counted.\n"
		"For classes: AUC (DeLong's error; the interval on the logit scale) and differences between scores,\n"
		"average precision; where scores are probabilities or --threshold is given, sensitivity and its\n"
		"kin with exact intervals, F1, MCC; for probabilities Brier score, log loss, calibration (intercept,\n"
		"slope, integrated index by lowess, Hosmer-Lemeshow, Spiegelhalter, unreliability), Nagelkerke's R2,\n"
		"how much of the Brier score is miscalibration, and net benefit. --covariates: odds ratios, as R's glm.\n"
		"For survival: Kaplan-Meier median and survival at --times (intervals on the log-log scale),\n"
		"Harrell's and Uno's C, hazard ratio per standard deviation with a test of proportionality; for\n"
		"groups, curves, the log-rank test and Peto's. With competing events (--censored): Aalen-Johansen\n"
		"incidences, Gray's test, Fine and Gray's hazard ratio. At --times: the area under the cumulative/\n"
		"dynamic ROC curve; of probabilities (--survival) the Brier score, what it gains on the curve of all,\n"
		"calibration (by pseudo-values and in tenths), and the Brier score integrated over the times by the\n"
		"trapezoidal rule. These weigh for censoring (its Kaplan-Meier curve); errors are infinitesimal\n"
		"jackknives. --bootstrap adds bias-corrected and accelerated intervals (BCa) of areas, F1, MCC, Brier\n"
		"scores and concordances; pairs of scores get McNemar's exact test of their decisions. A\n"
		"threshold that was chosen on the same rows flatters: choose it elsewhere. Numbers agree with R's survival,\n"
		"cmprsk, riskRegression, pROC, rms and boot.",
	.options = options,
	.examples = examples,
	.repeatable = "score",
	.run = run,
};
