/* radseal survival: curves, tests and regressions of a table of follow-up. */
#include <math.h>
#include <stdio.h>

#include "findings.h"
#include "option_lists.h"
#include "evaluate/evaluate_survival.h"
#include "session.h"

#define TABLE_SIZE_MAX ((size_t)256 << 20)
#define PAGE_SIZE_MAX ((size_t)64 << 20)

static const char *const ties[] = {"efron", "breslow", NULL};
static const char *const trends[] = {"km", "rank", "time", "log", NULL};
static const char *const intervals[] = {"log", "log-log", "plain", "logit", "arcsin", NULL};
static const char *const distributions[] = {"weibull",    "exponential",  "rayleigh",
                                            "log-normal", "log-logistic", "extreme",
                                            "normal",     "logistic",     NULL};

/* What the analysis borrows. */
struct asked {
	struct rs_survival_analysis analysis;
	double times[RS_TIMES_MAX];
	const char *covariates[RS_COVARIATES_MAX], *factors[RS_COVARIATES_MAX];
	char *covariate_text, *factor_text;
	enum rs_parametric_distribution distribution;
	struct rs_buffer page, figure, curves, residuals;
};

static void asked_finish(struct asked *asked)
{
	rs_free(asked->covariate_text);
	rs_free(asked->factor_text);
	rs_buffer_finish(&asked->page);
	rs_buffer_finish(&asked->figure);
	rs_buffer_finish(&asked->curves);
	rs_buffer_finish(&asked->residuals);
}

static enum rs_code take_words(const struct command_line *line, struct asked *asked, struct rs_error *err)
{
	unsigned word;
	RS_TRY(option_word(line, "ties", ties, RS_COX_EFRON, &word, err));
	asked->analysis.ties = (enum rs_cox_ties)word;
	RS_TRY(option_word(line, "trend", trends, RS_COX_TREND_KM, &word, err));
	asked->analysis.trend = (enum rs_cox_trend)word;
	RS_TRY(option_word(line, "interval", intervals, RS_INTERVAL_LOG_LOG, &word, err));
	asked->analysis.interval = (enum rs_survival_interval)word;
	RS_TRY(option_word(line, "parametric", distributions, RS_PARAMETRIC_WEIBULL, &word, err));
	asked->distribution = (enum rs_parametric_distribution)word;
	if (option_given(line, "parametric"))
		asked->analysis.distribution = &asked->distribution;
	return RS_OK;
}

static bool wants_figure(const struct command_line *line)
{
	return option_given(line, "report") &&
	       rs_str_ends_with(rs_str_from(option_value(line, "report")), ".svg");
}

static enum rs_code take(const struct command_line *line, struct asked *asked, struct rs_error *err)
{
	struct rs_survival_analysis *a = &asked->analysis;
	*a = (struct rs_survival_analysis){
		.time = option_value(line, "time"),
		.event = option_value(line, "event"),
		.event_value = option_value(line, "event-value"),
		.censored = option_value(line, "censored"),
		.start = option_value(line, "start"),
		.group = option_value(line, "group"),
		.stratum = option_value(line, "strata"),
		.cluster = option_value(line, "cluster"),
		.covariates = {.names = asked->covariates, .factors = asked->factors},
		.robust = option_given(line, "robust"),
		.people = line->repeats,
		.people_count = line->repeat_count,
		.times = asked->times,
	};
	RS_TRY(take_words(line, asked, err));
	RS_TRY(option_numbers(line, "times", asked->times, RS_TIMES_MAX, &a->time_count, err));
	RS_TRY(option_names(line, "covariates", asked->covariates, RS_COVARIATES_MAX, &a->covariates.count,
	                    &asked->covariate_text, err));
	RS_TRY(option_names(line, "factors", asked->factors, RS_COVARIATES_MAX, &a->covariates.factor_count,
	                    &asked->factor_text, err));
	RS_TRY(option_number(line, "tau", NAN, &a->tau, err));
	RS_TRY(option_level(line, &a->level, err));
	rs_buffer_init(&asked->page, PAGE_SIZE_MAX);
	rs_buffer_init(&asked->figure, PAGE_SIZE_MAX);
	rs_buffer_init(&asked->curves, TABLE_SIZE_MAX);
	rs_buffer_init(&asked->residuals, TABLE_SIZE_MAX);
	if (wants_figure(line))
		a->figure = &asked->figure;
	if (option_given(line, "curves"))
		a->curves = &asked->curves;
	if (option_given(line, "residuals"))
		a->residuals = &asked->residuals;
	return RS_OK;
}

static enum rs_code write(const struct command_line *line, const struct asked *asked,
                          const struct findings *findings, struct rs_error *err)
{
	if (option_given(line, "report"))
		RS_TRY(session_write(option_value(line, "report"),
		                     rs_buffer_bytes(wants_figure(line) ? &asked->figure : &asked->page),
		                     err));
	if (option_given(line, "curves"))
		RS_TRY(session_write(option_value(line, "curves"), rs_buffer_bytes(&asked->curves), err));
	if (option_given(line, "residuals"))
		RS_TRY(session_write(option_value(line, "residuals"), rs_buffer_bytes(&asked->residuals),
		                     err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&findings->text), err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0};
	struct findings findings RS_CLEANUP(findings_finish) = {.as_json = false};
	struct asked asked RS_CLEANUP(asked_finish) = {.covariate_text = NULL};
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "survival takes one table");
	const char *path = line->operands[0];
	RS_TRY(take(line, &asked, err));
	RS_TRY(rs_file_read_all(rs_world_system(), path, TABLE_SIZE_MAX, &file, err));
	rs_sha256(rs_buffer_bytes(&file), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	const struct rs_page page = {&asked.page, "radseal " RADSEAL_VERSION, rs_path_name(path), hex};
	if (option_given(line, "report") && !wants_figure(line))
		asked.analysis.page = &page;
	asked.analysis.table = &table;
	findings_begin(&findings, option_given(line, "json"));
	enum rs_code code = rs_csv_parse(rs_buffer_bytes(&file), &table, err);
	if (code == RS_OK)
		code = rs_survival_analyse(&asked.analysis, findings_visit, &findings, err);
	if (code != RS_OK) {
		rs_error_context(err, "%s", path);
		return code;
	}
	RS_TRY(findings_end(&findings, err));
	return write(line, &asked, &findings, err);
}

static const struct option options[] = {
	{"time", "COLUMN", "time of the event, or to the end of follow-up (or of the row's period)"},
	{"event", "COLUMN", "whether the event came"},
	{"event-value", "VALUE", "of --event: the cell that says so (default: 1); all others are censored"},
	{"censored", "VALUE",
         "of --event: the cell that says there was none; all others are events that compete"},
	{"start", "COLUMN",
         "a row is seen after this time only: late entry, or covariates that change, a row for each period"},
	{"group", "COLUMN", "curves, tests and restricted means of each of its values"},
	{"strata", "COLUMN",
         "groups are compared within its values; each has its own baseline hazard in Cox's model"},
	{"covariates", "COLUMNS",
         "of regressions, with commas between them; of words an indicator for each but the first in order"},
	{"factors", "COLUMNS", "of --covariates: numbers that are codes of categories"},
	{"cluster", "COLUMN", "rows with the same cell belong together: robust errors"},
	{"robust", NULL, "errors that hold when the model does not (Lin & Wei)"},
	{"ties", "METHOD",
         "efron (default) or breslow; of Fine and Gray's model efron as survival, breslow as cmprsk"},
	{"trend", "SCALE",
         "hazards are tested for change with km (default), rank, time or log of time, as cox.zph's transform"},
	{"at", "VALUES", "predict at --times for such covariates, as age=60,sex=male; repeatable"},
	{"parametric", "NAME",
         "also a regression of times: weibull, exponential, rayleigh, log-normal, log-logistic; extreme, normal, logistic"},
	{"times", "TIMES", "what is told of these times, such as 365,730"},
	{"tau", "TIME",
         "restricted means until then (default: until the last time of the least long seen group)"},
	{"interval", "SCALE",
         "intervals of curves are symmetric there: log-log (default), log, plain, logit or arcsin"},
	{"level", "SHARE", "of intervals (default: 0.95)"},
	{"report", "FILE",
         "a page (HTML) with curves, numbers at risk and hazard ratios; the curves alone where it ends in .svg"},
	{"curves", "FILE", "every step of every curve (CSV)"},
	{"residuals", "FILE", "predictor, martingale and deviance residual of every row (CSV)"},
	{"output", "FILE", "write there instead of to standard output"},
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal survival cohort.csv --time days --event died --group stage --times 365,730 --report stage.html",
         "Kaplan-Meier curves with numbers at risk, log-rank and Peto's test, restricted means"},
	{"radseal survival cohort.csv --time days --event died --covariates age,sex,stage --strata centre",
         "Cox's model: hazard ratios, tests, concordance, whether hazards are proportional"},
	{"radseal survival periods.csv --start from --time to --event died --covariates treated --cluster patient",
         "covariates that change: a row for each period of a patient"},
	{"radseal survival cohort.csv --time days --event died --covariates age,sex --at age=60,sex=f --times 365",
         "predicted survival with an interval"},
	{"radseal survival cohort.csv --time days --event status --event-value relapse --censored alive --covariates age",
         "cause-specific and subdistribution hazards, incidences"},
	{NULL, NULL},
};

const struct command command_survival = {
	.name = "survival",
	.arguments = "TABLE.csv --time COLUMN --event COLUMN",
	.summary = "curves, tests and regressions of a table of follow-up",
	.description =
		"Reads a table, a subject (or a period of one) a row. Rows with an empty or NA cell in a column that is\n"
		"used are left out and counted.\n"
		"Of all and of each group: Kaplan-Meier median and survival, how many are at risk, Nelson-Aalen's\n"
		"cumulative hazard; log-rank and Peto's test, within strata where asked; restricted means, their\n"
		"differences and ratios. With competing events (--censored): Aalen-Johansen incidences, Gray's test.\n"
		"Of covariates: Cox's model with hazard ratios, Wald's, score and likelihood ratio test, concordance and\n"
		"Grambsch and Therneau's test of proportional hazards; with competing events the hazard of the event\n"
		"itself and that of its subdistribution (Fine and Gray). A ratio whose groups are separated, or of a\n"
		"column that others tell, is not given. --parametric: time ratios, medians, survival.\n"
		"Numbers agree with R's survival (coxph, cox.zph, survfit, survdiff, survreg) and cmprsk.",
	.options = options,
	.examples = examples,
	.repeatable = "at",
	.run = run,
};
