/* Pipelines: their table of steps and keys, read from YAML, written as canonical JSON. */
#include "pipeline.h"

#include <string.h>

#include "study/study_yaml.h"

#define FILE_MAX ((size_t)1 << 20)
#define ARENA_MAX ((size_t)4 << 20)
#define SIGNALS (BIT(RS_SCAN_T1) | BIT(RS_SCAN_T1C) | BIT(RS_SCAN_T2) | BIT(RS_SCAN_DWI) | BIT(RS_SCAN_DCE))
#define ALL (BIT(RS_SCAN_KINDS) - 1)

/* clang-format off */
#define NUMBER(is, low, high, without) {.name = (is), .least = (low), .most = (high), .usual = (without)}
#define COUNT(is, low, high, without) \
	{.name = (is), .least = (low), .most = (high), .usual = (without), .whole = true}
const struct step_row step_rows[RS_STEP_KINDS] = {
	[RS_STEP_DENOISE] = {"denoise", SIGNALS, true, false, {
		{.name = "method", .words = {"nlm", "diffusion", "median", NULL}},
		NUMBER("strength", 0.05, 10, 1), NUMBER("sigma", 0, 1e9, 0),
		COUNT("search", 1, 15, 3), COUNT("search_z", 0, 15, 1), COUNT("patch", 1, 3, 1),
		{.name = "rician", .usual = 1, .words = {"no", "yes", NULL}},
		COUNT("radius", 1, 3, 1), COUNT("steps", 1, 1000, 5), NUMBER("edge", 0.1, 100, 1.5)}},
	[RS_STEP_BIAS] = {"bias", BIT(RS_SCAN_T1) | BIT(RS_SCAN_T1C) | BIT(RS_SCAN_T2), true, false, {
		COUNT("levels", 1, 6, 4), COUNT("iterations", 1, 1000, 50), COUNT("shrink", 1, 16, 4),
		NUMBER("convergence", 1e-9, 1, 0.001)}},
	[RS_STEP_ADC] = {"adc", BIT(RS_SCAN_DWI), false, false, {
		{.name = "model", .words = {"mono", "ivim", NULL}},
		NUMBER("b_least", 0, 50000, 0), NUMBER("b_greatest", 0, 50000, 50000), NUMBER("noise_floor", 0, 20, 2)}},
	[RS_STEP_DCE] = {"dce", BIT(RS_SCAN_DCE), false, false, {
		{.name = "model", .words = {"auto", "none", "tofts", "extended", NULL}},
		COUNT("before", 0, 1000, 0), NUMBER("t1_ms", 0, 10000, 0), NUMBER("relaxivity", 0, 100, 0),
		NUMBER("hematocrit", 0, 0.9, 0.42), NUMBER("t1_blood_ms", 100, 10000, 1600)}},
	[RS_STEP_REGISTER] = {"register", ALL, false, false, {
		{.name = "transform", .words = {"rigid", "affine", "bspline", NULL}},
		COUNT("levels", 1, 6, 3), COUNT("samples", 1000, 1e7, 60000), COUNT("bins", 8, 256, 32),
		COUNT("steps", 1, 1000, 60), NUMBER("lattice_mm", 1, 1000, 20), NUMBER("stiffness", 0, 1e6, 1000),
		{.name = "within", .words = {"no", "yes", NULL}}}},
	[RS_STEP_RESAMPLE] = {"resample", ALL, false, false, {
		NUMBER("x_mm", 0.05, 100, 1), NUMBER("y_mm", 0.05, 100, 1), NUMBER("z_mm", 0.05, 100, 1),
		COUNT("order", 0, 3, 3), NUMBER("margin_mm", -1, 1000, -1)}},
	[RS_STEP_NORMALISE] = {"normalise", SIGNALS, true, true, {
		{.name = "method", .words = {"zscore", "percentile", "landmarks", "tissue", NULL}},
		{.name = "region", .words = {"foreground", "mask", "all", NULL}},
		NUMBER("low", 0, 100, 1), NUMBER("high", 0, 100, 99), NUMBER("width", 0.001, 1, 0.05)}},
};
/* clang-format on */

/* Curves are of one place each only where what breath moved between images is moved back. */
static const char usual_pipeline[] =
	"steps: [denoise, bias, {register: {within: yes, samples: 20000, on: [DCE]}}, adc, dce, register, "
	"resample, normalise]";

struct parsing {
	struct rs_study_reading reading;
	struct rs_pipeline *pipeline;
	struct rs_step *step;
};

static struct parsing *parsing_of(struct rs_study_reading *r)
{
	return (struct parsing *)(void *)r; /* its first member */
}

static enum rs_code read_scan_kind(struct rs_study_reading *r, const yaml_node_t *node,
                                   enum rs_scan_kind *out)
{
	const char *text;
	RS_TRY(rs_study_read_text(r, node, &text));
	if (rs_scan_kind_of(text, out))
		return RS_OK;
	return rs_error_set(r->err, RS_MALFORMED,
	                    "line %lu: '%s' is no sequence; there are T1, T1C, T2, DWI, ADC, DCE and VFA",
	                    rs_study_line_of(node), text);
}

static size_t item_count(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE
	               ? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start)
	               : 1;
}

static yaml_node_t *item_at(struct rs_study_reading *r, yaml_node_t *node, size_t index)
{
	return node->type == YAML_SEQUENCE_NODE
	               ? yaml_document_get_node(r->document, node->data.sequence.items.start[index])
	               : node;
}

static enum rs_code read_on(struct rs_study_reading *r, yaml_node_t *node, unsigned *out)
{
	unsigned on = 0;
	for (size_t i = 0; i < item_count(node); i++) {
		enum rs_scan_kind kind = RS_SCAN_OTHER;
		RS_TRY(read_scan_kind(r, item_at(r, node, i), &kind));
		if (kind != RS_SCAN_OTHER)
			on |= BIT(kind);
	}
	*out = on;
	return RS_OK;
}

/* A number, or one of the words; "spacing_mm" is short for three of them. */
static enum rs_code read_value(struct rs_study_reading *r, const struct step_key *key, yaml_node_t *node,
                               double *out)
{
	struct rs_known_names known = {0};
	const char *text;
	if (!key->words[0])
		return rs_study_read_number(r, node, key->name, key->whole, key->least, key->most, out);
	RS_TRY(rs_study_read_text(r, node, &text));
	for (size_t w = 0; key->words[w]; w++) {
		rs_known_add(&known, key->words[w]);
		if (strcmp(key->words[w], text) == 0) {
			*out = (double)w;
			return RS_OK;
		}
	}
	return rs_known_refuse(&known, r, node, text);
}

static enum rs_code read_spacing(struct rs_study_reading *r, yaml_node_t *node, struct rs_step *step)
{
	const struct step_row *row = &step_rows[step->kind];
	size_t count = item_count(node);
	if (count != 1 && count != 3)
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: spacing_mm is one number, or three",
		                    rs_study_line_of(node));
	for (size_t k = 0; k < 3; k++)
		RS_TRY(read_value(r, &row->keys[RESAMPLE_X + k], item_at(r, node, count == 3 ? k : 0),
		                  &step->values[RESAMPLE_X + k]));
	return RS_OK;
}

static enum rs_code read_step_key(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                                  const void *context)
{
	struct rs_step *step = parsing_of(r)->step;
	const struct step_row *row = &step_rows[step->kind];
	struct rs_known_names known = {0};
	(void)context;
	if (strcmp(name, "on") == 0)
		return read_on(r, value, &step->on);
	if (row->has_file && strcmp(name, "file") == 0)
		return rs_study_read_text(r, value, &step->file);
	if (step->kind == RS_STEP_RESAMPLE && strcmp(name, "spacing_mm") == 0)
		return read_spacing(r, value, step);
	rs_known_add(&known, "on");
	for (size_t k = 0; row->keys[k].name; k++) {
		rs_known_add(&known, row->keys[k].name);
		if (strcmp(row->keys[k].name, name) == 0)
			return read_value(r, &row->keys[k], value, &step->values[k]);
	}
	return rs_known_refuse(&known, r, value, name);
}

static enum rs_code begin_step(struct rs_study_reading *r, const char *name, const yaml_node_t *at)
{
	struct rs_pipeline *pipeline = parsing_of(r)->pipeline;
	struct rs_known_names known = {0};
	if (pipeline->step_count == RS_STEPS_MAX)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d steps",
		                    rs_study_line_of(at), RS_STEPS_MAX);
	for (size_t kind = 0; kind < RS_STEP_KINDS; kind++) {
		const struct step_row *row = &step_rows[kind];
		rs_known_add(&known, row->name);
		if (strcmp(row->name, name) != 0)
			continue;
		struct rs_step *step = &pipeline->steps[pipeline->step_count++];
		*step = (struct rs_step){.kind = (enum rs_step_kind)kind, .on = row->on};
		for (size_t k = 0; row->keys[k].name; k++)
			step->values[k] = row->keys[k].usual;
		parsing_of(r)->step = step;
		return RS_OK;
	}
	return rs_known_refuse(&known, r, at, name);
}

static enum rs_code read_step(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                              const void *context)
{
	(void)context;
	RS_TRY(begin_step(r, name, value));
	return rs_study_each_pair(r, value, read_step_key, NULL);
}

static enum rs_code read_steps(struct rs_study_reading *r, yaml_node_t *node)
{
	for (size_t i = 0; i < item_count(node); i++) {
		yaml_node_t *item = item_at(r, node, i);
		const char *name;
		if (item->type == YAML_MAPPING_NODE) {
			RS_TRY(rs_study_each_pair(r, item, read_step, NULL));
			continue;
		}
		RS_TRY(rs_study_read_text(r, item, &name));
		RS_TRY(begin_step(r, name, item));
	}
	return RS_OK;
}

static enum rs_code read_sequence(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                                  const void *context)
{
	struct rs_pipeline *pipeline = parsing_of(r)->pipeline;
	(void)context;
	if (pipeline->sequence_count == RS_PIPELINE_SEQUENCES_MAX)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d sequences",
		                    rs_study_line_of(value), RS_PIPELINE_SEQUENCES_MAX);
	struct rs_scan_override *to = &pipeline->sequences[pipeline->sequence_count];
	to->series = name;
	RS_TRY(read_scan_kind(r, value, &to->kind));
	pipeline->sequence_count++;
	return RS_OK;
}

static enum rs_code read_key(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                             const void *context)
{
	struct rs_known_names known = {0};
	(void)context;
	if (strcmp(name, "steps") == 0)
		return read_steps(r, value);
	if (strcmp(name, "reference") == 0)
		return read_scan_kind(r, value, &parsing_of(r)->pipeline->reference);
	if (strcmp(name, "sequences") == 0)
		return rs_study_each_pair(r, value, read_sequence, NULL);
	rs_known_add(&known, "reference");
	rs_known_add(&known, "sequences");
	rs_known_add(&known, "steps");
	return rs_known_refuse(&known, r, value, name);
}

/* What needs several volumes side by side comes before they are laid on one grid, one after the other. */
static enum rs_code check_order(const struct rs_pipeline *pipeline, struct rs_error *err)
{
	bool resampled = false;
	for (size_t i = 0; i < pipeline->step_count; i++) {
		const struct rs_step *step = &pipeline->steps[i];
		if (resampled && !step_rows[step->kind].single)
			return rs_error_set(err, RS_MALFORMED, "step %zu: %s comes before resample, and once",
			                    i + 1, step_rows[step->kind].name);
		resampled = resampled || step->kind == RS_STEP_RESAMPLE;
		if (step->kind == RS_STEP_NORMALISE &&
		    (step->values[NORMALISE_METHOD] == NORMALISE_LANDMARKS) != (step->file != NULL))
			return rs_error_set(err, RS_MALFORMED,
			                    "step %zu: method: landmarks and file: FILE go together", i + 1);
		if (step->kind == RS_STEP_RESAMPLE && step->values[RESAMPLE_ORDER] == 2)
			return rs_error_set(err, RS_MALFORMED, "step %zu: order is 0, 1 or 3", i + 1);
	}
	if (pipeline->step_count == 0)
		return rs_error_set(err, RS_MALFORMED, "there are no steps");
	return RS_OK;
}

enum rs_code rs_pipeline_parse(struct rs_bytes text, struct rs_pipeline *out, struct rs_error *err)
{
	struct rs_study texts = {0};
	struct rs_pipeline pipeline = {.reference = RS_SCAN_OTHER};
	struct parsing parsing = {{NULL, &texts, err}, &pipeline, NULL};
	if (text.size > FILE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a pipeline of more than %zu bytes", FILE_MAX);
	if (!text.data)
		text = rs_bytes_of(usual_pipeline, sizeof usual_pipeline - 1);
	rs_arena_init(&texts.arena, ARENA_MAX);
	enum rs_code code = rs_study_read_file(&parsing.reading, text, read_key, NULL, NULL);
	if (code == RS_OK)
		code = check_order(parsing.pipeline, err);
	pipeline.arena = texts.arena;
	if (code != RS_OK)
		rs_pipeline_finish(&pipeline);
	else
		*out = pipeline;
	return code;
}

void rs_pipeline_finish(struct rs_pipeline *pipeline)
{
	if (pipeline)
		rs_arena_finish(&pipeline->arena);
}

void rs_pipeline_of_step(const char *step, struct rs_buffer *out)
{
	rs_buffer_printf(out, strchr(step, ':') ? "steps: [{%s}]" : "steps: [%s]", step);
}

/* ---- the canonical form ---- */

static void write_on(struct rs_json *json, unsigned on)
{
	rs_json_key(json, "on");
	rs_json_array_begin(json);
	for (size_t kind = 0; kind < RS_SCAN_KINDS; kind++)
		if (on & BIT(kind))
			rs_json_text(json, rs_scan_kind_name((enum rs_scan_kind)kind));
	rs_json_array_end(json);
}

static void write_step(struct rs_json *json, const struct rs_step *step)
{
	const struct step_row *row = &step_rows[step->kind];
	rs_json_object_begin(json);
	rs_json_key(json, "step");
	rs_json_text(json, row->name);
	write_on(json, step->on);
	for (size_t k = 0; row->keys[k].name; k++) {
		const struct step_key *key = &row->keys[k];
		rs_json_key(json, key->name);
		if (key->words[0])
			rs_json_text(json, key->words[(size_t)step->values[k]]);
		else
			rs_json_f64(json, step->values[k]);
	}
	rs_json_object_end(json);
}

void rs_pipeline_write(const struct rs_pipeline *pipeline, struct rs_json *json)
{
	rs_json_object_begin(json);
	rs_json_key(json, "reference");
	rs_json_text(json,
	             pipeline->reference == RS_SCAN_OTHER ? "any" : rs_scan_kind_name(pipeline->reference));
	rs_json_key(json, "steps");
	rs_json_array_begin(json);
	for (size_t i = 0; i < pipeline->step_count; i++)
		write_step(json, &pipeline->steps[i]);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

enum rs_code rs_pipeline_digest(const struct rs_pipeline *pipeline, struct rs_digest *out,
                                struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&text, FILE_MAX);
	rs_json_init(&json, &text, false);
	rs_pipeline_write(pipeline, &json);
	RS_TRY(rs_buffer_check(&text, "a pipeline", err));
	rs_sha256(rs_buffer_bytes(&text), out);
	return RS_OK;
}
