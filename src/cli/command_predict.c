/* radseal predict: a model's word on new subjects. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prognosis/prognosis_pictures.h"
#include "sealing.h"
#include "session.h"

#define OUTPUT_SIZE_MAX ((size_t)1 << 30)
#define REASONS 3
#define REASONS_MAX 100

struct printing {
	struct rs_buffer header, text; /* rows of CSV without line ends */
	struct rs_buffer ends;         /* of each row in text: size_t each */
	struct rs_buffer json_text;
	struct rs_json json;
	struct sealing sealing;
	struct rs_digest *tables; /* of those after the model */
	bool as_json, survival, can_reason, pictures;
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
	struct rs_buffer *out = &printing->header;
	rs_buffer_append_text(out, printing->survival      ? "id,risk,risk_rank,time_at_least"
	                           : printing->level_count ? "id,class,set"
	                                                   : "id,probability,positive,set");
	for (size_t k = 0; k < printing->level_count; k++) {
		char name[256];
		snprintf(name, sizeof name, "probability_%s", printing->levels[k]);
		rs_buffer_append_text(out, ",");
		rs_csv_append(out, name);
	}
	for (size_t h = 0; h < printing->horizon_count; h++)
		rs_buffer_printf(out, ",survival_%s,survival_%s_lower,survival_%s_upper",
		                 printing->horizon_names[h], printing->horizon_names[h],
		                 printing->horizon_names[h]);
	for (size_t r = 1; r <= printing->reasons; r++)
		rs_buffer_printf(out, ",reason_%zu,reason_%zu_value,reason_%zu_adds", r, r, r);
	rs_buffer_append_text(out, ",missing,unknown,model");
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
		rs_buffer_append_text(out, ",");
		if (!isnan(prediction->time_at_least))
			rs_buffer_append_f64_text(out, prediction->time_at_least);
	} else if (printing->level_count) {
		print_classes(printing, prediction);
	} else {
		print_number(out, prediction->probability);
		rs_buffer_printf(out, ",%d,%s", prediction->positive, set_of(prediction));
	}
	for (size_t h = 0; h < printing->horizon_count; h++) {
		print_number(out, prediction->survival[h]);
		print_number(out, prediction->survival_lower[h]);
		print_number(out, prediction->survival_upper[h]);
	}
	print_reasons(printing, prediction, out);
	rs_buffer_printf(out, ",%zu,%zu,%s", prediction->missing, prediction->unknown, printing->model);
	rs_buffer_append(&printing->ends, &out->size, sizeof out->size);
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

static void json_intervals(struct printing *printing, const struct rs_prediction *prediction)
{
	struct rs_json *json = &printing->json;
	rs_json_key(json, "survival_interval");
	rs_json_object_begin(json);
	for (size_t h = 0; h < printing->horizon_count; h++) {
		rs_json_key(json, printing->horizon_names[h]);
		rs_json_array_begin(json);
		rs_json_f64(json, prediction->survival_lower[h]);
		rs_json_f64(json, prediction->survival_upper[h]);
		rs_json_array_end(json);
	}
	rs_json_object_end(json);
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
		json_number(json, "time_at_least", prediction->time_at_least);
		rs_json_key(json, "survival");
		rs_json_object_begin(json);
		for (size_t h = 0; h < printing->horizon_count; h++)
			json_number(json, printing->horizon_names[h], prediction->survival[h]);
		rs_json_object_end(json);
		json_intervals(printing, prediction);
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
	if (!printing->as_json || printing->sealing.node)
		print_row(printing, prediction);
}

static enum rs_code permit_rows(void *context, const struct rs_row_origin *origins, size_t count,
                                struct rs_error *err)
{
	return sealing_permit(&((struct printing *)context)->sealing, origins, count, err);
}

static enum rs_code read_options(const struct command_line *line, struct printing *printing,
                                 struct rs_prediction_options *out, struct rs_error *err)
{
	const char *coverage = option_value(line, "coverage"), *reasons = option_value(line, "reasons");
	uint64_t count = REASONS;
	printing->horizon_names = line->repeats;
	printing->horizon_count = line->repeat_count;
	*out = (struct rs_prediction_options){.coverage = 0.9,
	                                      .horizons = printing->horizons,
	                                      .horizon_count = line->repeat_count,
	                                      .permit = permit_rows,
	                                      .tables = printing->tables};
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
	if (model->pictures)
		RS_TRY(sealing_permit_files(&printing->sealing, paths, count, err));
	return model->pictures ? rs_pictures_predict(model->pictures, rs_world_system(), paths, count,
	                                             options->coverage, NULL, print_prediction, printing, err)
	                       : rs_predict(model->tables, rs_world_system(), paths, count, options,
	                                    print_prediction, printing, err);
}

/* What stands above each sealed prediction. */
static enum rs_code write_head(const struct command_line *line, const struct printing *printing,
                               double coverage, struct rs_buffer *out, struct rs_error *err)
{
	char hex[2 * RS_SHA256_SIZE + 1];
	rs_buffer_printf(out, "radseal-prediction/v1\nversion %s\nmodel %s\n", RADSEAL_VERSION,
	                 printing->model);
	for (size_t t = 0; !printing->pictures && t + 1 < line->operand_count; t++) {
		rs_hex_encode(rs_bytes_of(printing->tables[t].bytes, RS_SHA256_SIZE), hex);
		rs_buffer_printf(out, "table %s\n", hex);
	}
	rs_buffer_append_text(out, "coverage ");
	rs_buffer_append_f64_text(out, coverage);
	rs_buffer_append_text(out, "\n\n");
	rs_buffer_append_bytes(out, rs_buffer_bytes(&printing->header));
	rs_buffer_append_text(out, "\n");
	return rs_buffer_check(out, "a prediction", err);
}

static enum rs_code seal(const struct command_line *line, struct printing *printing, double coverage,
                         const struct rs_digest *model, struct receipts *out, struct rs_error *err)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	size_t count = printing->ends.size / sizeof(size_t);
	size_t *ends RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *ends);
	if (!ends)
		return rs_error_memory(err, count * sizeof *ends, "predictions");
	if (count == 0)
		return RS_OK;
	memcpy(ends, printing->ends.data, printing->ends.size);
	rs_buffer_init(&head, OUTPUT_SIZE_MAX);
	RS_TRY(write_head(line, printing, coverage, &head, err));
	return sealing_predictions(&printing->sealing, model, rs_buffer_bytes(&head), &printing->text, ends,
	                           count, out, err);
}

static void assemble_rows(const struct printing *printing, const struct receipts *receipts,
                          struct rs_buffer *out)
{
	size_t start = 0, end;
	rs_buffer_append_bytes(out, rs_buffer_bytes(&printing->header));
	rs_buffer_append_text(out, printing->sealing.node ? ",receipt\n" : "\n");
	for (size_t i = 0; i < printing->ends.size / sizeof end; i++, start = end) {
		memcpy(&end, printing->ends.data + i * sizeof end, sizeof end);
		rs_buffer_append(out, printing->text.data + start, end - start);
		if (i < receipts->count) {
			rs_buffer_append_text(out, ",");
			rs_csv_append(out, receipts->paths[i]);
		}
		rs_buffer_append_text(out, "\n");
	}
}

/* The array of predictions; with a node {"predictions": …, "receipts": …}. */
static void assemble_json(const struct printing *printing, const struct receipts *receipts,
                          struct rs_buffer *out)
{
	struct rs_json json;
	if (printing->sealing.node)
		rs_buffer_append_text(out, "{\"predictions\":");
	rs_buffer_append_bytes(out, rs_buffer_bytes(&printing->json_text));
	if (printing->sealing.node) {
		rs_buffer_append_text(out, ",\n\"receipts\":");
		rs_json_init(&json, out, true);
		rs_json_array_begin(&json);
		for (size_t i = 0; i < receipts->count; i++)
			rs_json_text(&json, receipts->paths[i]);
		rs_json_array_end(&json);
		rs_buffer_append_text(out, "}");
	}
	rs_buffer_append_text(out, "\n");
}

static enum rs_code predict(const struct command_line *line, const struct either *model,
                            const struct rs_digest *digest, struct printing *printing, struct rs_error *err)
{
	struct rs_prediction_options options;
	struct receipts receipts RS_CLEANUP(receipts_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(read_options(line, printing, &options, err));
	print_header(printing);
	rs_json_array_begin(&printing->json);
	RS_TRY(ask(line, model, &options, printing, err));
	rs_json_array_end(&printing->json);
	RS_TRY(rs_buffer_check(&printing->text, "predictions", err));
	RS_TRY(rs_buffer_check(&printing->ends, "predictions", err));
	RS_TRY(rs_buffer_check(&printing->json_text, "predictions", err));
	if (printing->sealing.node)
		RS_TRY(seal(line, printing, options.coverage, digest, &receipts, err));
	rs_buffer_init(&out, OUTPUT_SIZE_MAX);
	if (printing->as_json)
		assemble_json(printing, &receipts, &out);
	else
		assemble_rows(printing, &receipts, &out);
	RS_TRY(rs_buffer_check(&out, "predictions", err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&out), err);
}

static void printing_finish(struct printing *printing)
{
	rs_buffer_finish(&printing->header);
	rs_buffer_finish(&printing->text);
	rs_buffer_finish(&printing->ends);
	rs_buffer_finish(&printing->json_text);
	rs_free(printing->tables);
	sealing_finish(&printing->sealing);
}

static enum rs_code draw_map(const struct command_line *line, const struct either *model,
                             struct rs_pool *pool, struct rs_error *err)
{
	struct rs_buffer png RS_CLEANUP(rs_buffer_finish) = {0};
	if (!model->pictures || line->operand_count != 2)
		return rs_error_set(err, RS_USAGE, "--map is of one picture, with a model of pictures");
	rs_buffer_init(&png, OUTPUT_SIZE_MAX);
	RS_TRY(rs_pictures_map(model->pictures, rs_world_system(), line->operands[1], pool, &png, err));
	return session_write(option_value(line, "map"), rs_buffer_bytes(&png), err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct either model RS_CLEANUP(either_finish) = {0};
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct printing printing RS_CLEANUP(printing_finish) = {.as_json = option_given(line, "json")};
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	if (line->operand_count < 2)
		return rs_error_set(
			err, RS_USAGE,
			"predict takes a model and a table, or several to be joined, or pictures");
	printing.tables = rs_allocate_array(line->operand_count, sizeof *printing.tables);
	if (!printing.tables)
		return rs_error_memory(err, line->operand_count * sizeof *printing.tables, "tables");
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(sealing_open(line, pool, RS_OPERATION_PREDICT, true, &printing.sealing, err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[0], RS_MODEL_SIZE_MAX, &file, err));
	RS_TRY(sealing_permit_model(&printing.sealing, line->operands[0], rs_buffer_bytes(&file), err));
	enum rs_code code = rs_pictures_model_begins(rs_buffer_bytes(&file))
	                            ? rs_pictures_model_read(rs_buffer_bytes(&file), &model.pictures, err)
	                            : rs_model_read(rs_buffer_bytes(&file), &model.tables, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", line->operands[0]);
	rs_sha256(rs_buffer_bytes(&file), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	printing.model = hex;
	printing.pictures = model.pictures != NULL;
	if (model.tables) {
		printing.survival = rs_model_is_survival(model.tables);
		printing.can_reason = rs_model_gives_reasons(model.tables);
		printing.level_count = rs_model_levels(model.tables, &printing.levels);
	}
	rs_buffer_init(&printing.header, OUTPUT_SIZE_MAX);
	rs_buffer_init(&printing.text, OUTPUT_SIZE_MAX);
	rs_buffer_init(&printing.ends, OUTPUT_SIZE_MAX);
	rs_buffer_init(&printing.json_text, OUTPUT_SIZE_MAX);
	rs_json_init(&printing.json, &printing.json_text, true);
	RS_TRY(predict(line, &model, &digest, &printing, err));
	return option_given(line, "map") ? draw_map(line, &model, pool, err) : RS_OK;
}

static const struct option options[] = {
	{"output", "FILE", "write there instead of to standard output"},
	{"map", "FILE.png",
         "of one picture: where the model looks, red for the positive class, blue against it"},
	{"coverage", "SHARE", "of the conformal sets of classes and bounds of times (default: 0.9)"},
	{"horizon", "TIME", "survival at this time; repeatable"},
	{"reasons", "N", "columns that weigh most for each subject (default: 3; 0: none)"},
	SEALING_OPTIONS,
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal predict stage.model features.csv clinical.csv -o predicted.csv",
         "probability, decision and conformal set of each subject"},
	{"radseal predict pfs.model features.csv --horizon 12 --horizon 24 --json",
         "risk and survival at two times"},
	{"radseal predict pneumonia.model chest1.png chest2.dcm",
         "probability and conformal set of each X-ray"},
	{"radseal predict --home /srv/radseal --as doctor --purpose treatment stage.model features.csv -o predicted.csv",
         "asks the contract first; each prediction is sealed with its model and inputs"},
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
		"Survival: risk (ensemble mortality), the share of training subjects whose out-of-fold risk was lower,\n"
		"time_at_least, before which the share --coverage of subjects has no event (conformal, weighted for\n"
		"censoring; empty where too few events tell), survival at each --horizon with a 95 % interval (of\n"
		"the hazard of subjects with this risk, by Cox's model of out-of-fold risks; what the learner itself would\n"
		"say after other data is not in it). Each row names the model by its SHA-256.\n"
		"Reasons are the columns that move this subject's prediction most: what is in them and what that adds to\n"
		"the log-odds of the positive (or likeliest) class, of forests to its probability, or to the risk. Those\n"
		"of forests and of XGBoost are Shapley values of their trees (Lundberg 2018), exact; all of them and what\n"
		"the model says of a subject of whom nothing is known add up. Linear models tell coefficient times value.\n"
		"A model of pictures is asked of PNG, PGM and DICOM files (their first frame, as its first VOI window\n"
		"shows it), which are brought to the model's size.\n"
		"With --home the contract decides first whether the member of --as may use the model, which must be sealed\n"
		"there, and each row's vector of features (by the column provenance_Receipt, else by the id) for the\n"
		"purpose; requests are on the ledger, refused ones too (exit code 3). Each prediction is sealed as an\n"
		"object of its subject, with the SHA-256 of model and tables; its receipt stands in the last column.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "horizon",
	.run = run,
};
