/* radseal predict: a model's word on new subjects. */
#include <math.h>
#include <stdio.h>

#include "prognosis/prognosis_pictures.h"
#include "session.h"

#define OUTPUT_SIZE_MAX ((size_t)1 << 30)
#define REASONS 3
#define REASONS_MAX 100

struct printing {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json, survival, can_reason;
	const char *model;
	const char *const *levels; /* more than two classes; else none */
	size_t level_count;
	const char *const *horizon_names;
	double horizons[REPEATS_MAX];
	size_t horizon_count, reasons;
};

static const char *set_of(const struct rs_prediction *prediction)
{
	static const char *const names[2][2] = {{"none", "positive"}, {"negative", "both"}};
	return names[prediction->set_negative][prediction->set_positive];
}

static void print_header(struct printing *printing)
{
	struct rs_buffer *out = &printing->text;
	rs_buffer_append_text(out, printing->survival      ? "id,risk,risk_rank"
	                           : printing->level_count ? "id,class,set"
	                                                   : "id,probability,positive,set");
	for (size_t k = 0; k < printing->level_count; k++) {
		char name[256];
		snprintf(name, sizeof name, "probability_%s", printing->levels[k]);
		rs_buffer_append_text(out, ",");
		rs_csv_append(out, name);
	}
	for (size_t h = 0; h < printing->horizon_count; h++)
		rs_buffer_printf(out, ",survival_%s", printing->horizon_names[h]);
	for (size_t r = 1; r <= printing->reasons; r++)
		rs_buffer_printf(out, ",reason_%zu,reason_%zu_value,reason_%zu_adds", r, r, r);
	rs_buffer_append_text(out, ",missing,unknown,model\n");
}

static void print_number(struct rs_buffer *out, double value)
{
	rs_buffer_append_text(out, ",");
	rs_buffer_append_f64_text(out, value);
}

/* The likeliest class, the set's members with | between them, the probability of each. */
static void print_classes(struct printing *printing, const struct rs_prediction *prediction)
{
	struct rs_buffer *out = &printing->text;
	char set[1024] = "";
	size_t used = 0;
	for (size_t k = 0; k < printing->level_count; k++)
		if (prediction->set[k] && used < sizeof set)
			used += (size_t)snprintf(set + used, sizeof set - used, "%s%s", used ? "|" : "",
			                         printing->levels[k]);
	rs_buffer_append_text(out, ",");
	rs_csv_append(out, printing->levels[prediction->likeliest]);
	rs_buffer_append_text(out, ",");
	rs_csv_append(out, set);
	for (size_t k = 0; k < printing->level_count; k++)
		print_number(out, prediction->probabilities[k]);
}

static void print_reasons(const struct printing *printing, const struct rs_prediction *prediction,
                          struct rs_buffer *out)
{
	for (size_t r = 0; r < printing->reasons; r++) {
		if (r >= prediction->reason_count) {
			rs_buffer_append_text(out, ",,,");
			continue;
		}
		const struct rs_reason *reason = &prediction->reasons[r];
		rs_buffer_append_text(out, ",");
		rs_csv_append(out, reason->column);
		rs_buffer_append_text(out, ",");
		rs_csv_append(out, reason->cell);
		print_number(out, reason->adds);
	}
}

static void print_row(struct printing *printing, const struct rs_prediction *prediction)
{
	struct rs_buffer *out = &printing->text;
	rs_csv_append(out, prediction->id);
	if (printing->survival) {
		print_number(out, prediction->risk);
		print_number(out, prediction->risk_rank);
	} else if (printing->level_count) {
		print_classes(printing, prediction);
	} else {
		print_number(out, prediction->probability);
		rs_buffer_printf(out, ",%d,%s", prediction->positive, set_of(prediction));
	}
	for (size_t h = 0; h < printing->horizon_count; h++)
		print_number(out, prediction->survival[h]);
	print_reasons(printing, prediction, out);
	rs_buffer_printf(out, ",%zu,%zu,%s\n", prediction->missing, prediction->unknown, printing->model);
}

static void json_number(struct rs_json *json, const char *key, double value)
{
	rs_json_key(json, key);
	rs_json_f64(json, value);
}

static void json_classes(struct printing *printing, const struct rs_prediction *prediction)
{
	struct rs_json *json = &printing->json;
	rs_json_key(json, "class");
	rs_json_text(json, printing->levels[prediction->likeliest]);
	rs_json_key(json, "set");
	rs_json_array_begin(json);
	for (size_t k = 0; k < printing->level_count; k++)
		if (prediction->set[k])
			rs_json_text(json, printing->levels[k]);
	rs_json_array_end(json);
	rs_json_key(json, "probabilities");
	rs_json_object_begin(json);
	for (size_t k = 0; k < printing->level_count; k++)
		json_number(json, printing->levels[k], prediction->probabilities[k]);
	rs_json_object_end(json);
}

static void json_reasons(const struct rs_prediction *prediction, struct rs_json *json)
{
	rs_json_key(json, "reasons");
	rs_json_array_begin(json);
	for (size_t r = 0; r < prediction->reason_count; r++) {
		rs_json_object_begin(json);
		rs_json_key(json, "column");
		rs_json_text(json, prediction->reasons[r].column);
		rs_json_key(json, "value");
		rs_json_text(json, prediction->reasons[r].cell);
		json_number(json, "adds", prediction->reasons[r].adds);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
}

static void json_row(struct printing *printing, const struct rs_prediction *prediction)
{
	struct rs_json *json = &printing->json;
	rs_json_object_begin(json);
	rs_json_key(json, "id");
	rs_json_text(json, prediction->id);
	if (printing->survival) {
		json_number(json, "risk", prediction->risk);
		json_number(json, "risk_rank", prediction->risk_rank);
		rs_json_key(json, "survival");
		rs_json_object_begin(json);
		for (size_t h = 0; h < printing->horizon_count; h++)
			json_number(json, printing->horizon_names[h], prediction->survival[h]);
		rs_json_object_end(json);
	} else if (printing->level_count) {
		json_classes(printing, prediction);
	} else {
		json_number(json, "probability", prediction->probability);
		rs_json_key(json, "positive");
		rs_json_bool(json, prediction->positive);
		rs_json_key(json, "set");
		rs_json_text(json, set_of(prediction));
	}
	if (printing->reasons)
		json_reasons(prediction, json);
	rs_json_key(json, "missing");
	rs_json_u64(json, prediction->missing);
	rs_json_key(json, "unknown");
	rs_json_u64(json, prediction->unknown);
	rs_json_key(json, "model");
	rs_json_text(json, printing->model);
	rs_json_object_end(json);
}

static void print_prediction(void *context, const struct rs_prediction *prediction)
{
	struct printing *printing = context;
	if (printing->as_json)
		json_row(printing, prediction);
	else
		print_row(printing, prediction);
}

static enum rs_code read_options(const struct command_line *line, struct printing *printing,
                                 struct rs_prediction_options *out, struct rs_error *err)
{
	const char *coverage = option_value(line, "coverage"), *reasons = option_value(line, "reasons");
	uint64_t count = REASONS;
	printing->horizon_names = line->repeats;
	printing->horizon_count = line->repeat_count;
	*out = (struct rs_prediction_options){0.9, printing->horizons, line->repeat_count, 0};
	if (reasons && (!rs_parse_u64(rs_str_from(reasons), &count) || count > REASONS_MAX))
		return rs_error_set(err, RS_USAGE, "--reasons: a whole number up to %d", REASONS_MAX);
	if (reasons && count > 0 && !printing->can_reason)
		return rs_error_set(err, RS_USAGE, "--reasons: models of this kind cannot tell any");
	out->reasons = printing->reasons = printing->can_reason ? (size_t)count : 0;
	if (coverage &&
	    !(rs_parse_f64(rs_str_from(coverage), &out->coverage) && out->coverage > 0 && out->coverage < 1))
		return rs_error_set(err, RS_USAGE, "--coverage: between 0 and 1, such as 0.9");
	for (size_t h = 0; h < line->repeat_count; h++)
		if (!rs_parse_f64(rs_str_from(line->repeats[h]), &printing->horizons[h]) ||
		    !isfinite(printing->horizons[h]))
			return rs_error_set(err, RS_USAGE, "--horizon %s: not a number", line->repeats[h]);
	if (line->repeat_count && !printing->survival)
		return rs_error_set(err, RS_USAGE, "--horizon: the model is one of classes, not of survival");
	return RS_OK;
}

/* One of tables, or of pictures. */
struct either {
	struct rs_model *tables;
	struct rs_pictures_model *pictures;
};

static void either_finish(struct either *either)
{
	rs_model_destroy(either->tables);
	rs_pictures_model_destroy(either->pictures);
}

static enum rs_code ask(const struct command_line *line, const struct either *model,
                        const struct rs_prediction_options *options, struct printing *printing,
                        struct rs_error *err)
{
	const char *const *paths = (const char *const *)line->operands + 1;
	const size_t count = line->operand_count - 1;
	return model->pictures ? rs_pictures_predict(model->pictures, rs_world_system(), paths, count,
	                                             options->coverage, NULL, print_prediction, printing, err)
	                       : rs_predict(model->tables, rs_world_system(), paths, count, options,
	                                    print_prediction, printing, err);
}

static enum rs_code predict(const struct command_line *line, const struct either *model,
                            struct printing *printing, struct rs_error *err)
{
	struct rs_prediction_options options;
	RS_TRY(read_options(line, printing, &options, err));
	if (printing->as_json)
		rs_json_array_begin(&printing->json);
	else
		print_header(printing);
	RS_TRY(ask(line, model, &options, printing, err));
	if (printing->as_json) {
		rs_json_array_end(&printing->json);
		rs_buffer_append_text(&printing->text, "\n");
	}
	return rs_buffer_check(&printing->text, "predictions", err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct either model RS_CLEANUP(either_finish) = {0};
	struct printing printing = {.as_json = option_given(line, "json")};
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	if (line->operand_count < 2)
		return rs_error_set(
			err, RS_USAGE,
			"predict takes a model and a table, or several to be joined, or pictures");
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[0], RS_MODEL_SIZE_MAX, &file, err));
	enum rs_code code = rs_pictures_model_begins(rs_buffer_bytes(&file))
	                            ? rs_pictures_model_read(rs_buffer_bytes(&file), &model.pictures, err)
	                            : rs_model_read(rs_buffer_bytes(&file), &model.tables, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", line->operands[0]);
	rs_sha256(rs_buffer_bytes(&file), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	printing.model = hex;
	if (model.tables) {
		printing.survival = rs_model_is_survival(model.tables);
		printing.can_reason = rs_model_gives_reasons(model.tables);
		printing.level_count = rs_model_levels(model.tables, &printing.levels);
	}
	rs_buffer_init(&printing.text, OUTPUT_SIZE_MAX);
	rs_json_init(&printing.json, &printing.text, true);
	code = predict(line, &model, &printing, err);
	if (code == RS_OK)
		code = session_write(option_value(line, "output"), rs_buffer_bytes(&printing.text), err);
	rs_buffer_finish(&printing.text);
	return code;
}

static const struct option options[] = {
	{"output", "FILE", "write there instead of to standard output"},
	{"coverage", "SHARE", "of the conformal sets of classes (default: 0.9)"},
	{"horizon", "TIME", "survival at this time; repeatable"},
	{"reasons", "N", "columns that weigh most for each subject (default: 3; 0: none)"},
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal predict stage.model features.csv clinical.csv -o predicted.csv",
         "probability, decision and conformal set of each subject"},
	{"radseal predict pfs.model features.csv --horizon 12 --horizon 24 --json",
         "risk and survival at two times"},
	{"radseal predict pneumonia.model chest1.png chest2.dcm",
         "probability and conformal set of each X-ray"},
	{NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_predict = {
	.name = "predict",
	.arguments = "MODEL TABLE.csv… | MODEL PICTURE…",
	.summary = "predict new subjects with a trained model",
	.description =
		"Reads a model of radseal train (data only: nothing in it is run) and tables joined by id that have its\n"
		"columns. Missing numbers are replaced by the training median; a category that training did not have\n"
		"counts as missing; both are counted. Classes: the probability, whether it reaches the threshold that\n"
		"was chosen in training, and the conformal set (LAC, from out-of-fold residuals) that holds the truth\n"
		"with the given coverage; of more than two classes the likeliest, the set and each one's probability.\n"
		"Survival: risk (ensemble mortality), the share of training subjects whose\n"
		"out-of-fold risk was lower, survival at each --horizon. Each row names the model by its SHA-256.\n"
		"Reasons are the columns that move this subject's prediction most: what is in them and what that adds to\n"
		"the log-odds of the positive (or likeliest) class, of forests to its probability, or to the risk. Those\n"
		"of forests and of XGBoost are Shapley values of their trees (Lundberg 2018), exact; all of them and what\n"
		"the model says of a subject of whom nothing is known add up. Linear models tell coefficient times value.\n"
		"A model of pictures is asked of PNG, PGM and DICOM files (their first frame, as its first VOI window\n"
		"shows it), which are brought to the model's size.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "horizon",
	.run = run,
};
