/* Files of models: deterministic CBOR, one array of known length, in this order:
 * format, version, study, training (digests), survival, id column, rows, positives, threshold, merit and its interval,
 * columns [name, categorical, [level…]], inputs [column, level or null, median, mean, deviation], classes, trees, roots, nodes,
 * values, times, residuals. The last five are byte strings of little-endian records. Nothing in a file is run, and
 * everything it refers to is checked to be within it. */
#include <math.h>
#include <string.h>

#include "model.h"

#define FIELDS 21
#define NODE_SIZE 24
#define VALUE_SIZE 12
#define ROOT_SIZE 4
#define NUMBER_SIZE 8
#define COLUMNS_MAX 1000000
#define TREES_MAX 100000

/* ---- writing ---- */

static void append_u32(struct rs_buffer *out, uint32_t value)
{
	uint8_t bytes[4];
	rs_write_le32(bytes, value);
	rs_buffer_append(out, bytes, sizeof bytes);
}

static void append_f64(struct rs_buffer *out, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	rs_write_le64(bytes, bits);
	rs_buffer_append(out, bytes, sizeof bytes);
}

static void write_text(struct rs_buffer *out, const char *text) { rs_cbor_write_str(out, rs_str_from(text)); }

static void write_columns(const struct fitted *fitted, struct rs_buffer *out)
{
	rs_cbor_write_array(out, fitted->column_count);
	for (size_t c = 0; c < fitted->column_count; c++) {
		const struct fitted_column *column = &fitted->columns[c];
		rs_cbor_write_array(out, 3);
		write_text(out, column->name);
		rs_cbor_write_bool(out, column->categorical);
		rs_cbor_write_array(out, column->level_count);
		for (uint32_t l = 0; l < column->level_count; l++)
			write_text(out, column->levels[l]);
	}
}

static void write_inputs(const struct fitted *fitted, struct rs_buffer *out)
{
	rs_cbor_write_array(out, fitted->input_count);
	for (size_t i = 0; i < fitted->input_count; i++) {
		const struct input *input = &fitted->inputs[i];
		rs_cbor_write_array(out, 5);
		rs_cbor_write_u64(out, input->column);
		if (input->level == INPUT_NUMBER)
			rs_cbor_write_null(out);
		else
			rs_cbor_write_u64(out, input->level);
		rs_cbor_write_f64(out, input->median);
		rs_cbor_write_f64(out, input->mean);
		rs_cbor_write_f64(out, input->deviation);
	}
}

static void write_numbers(struct rs_buffer *part, const double *values, size_t count, struct rs_buffer *out)
{
	rs_buffer_clear(part);
	for (size_t i = 0; i < count; i++)
		append_f64(part, values[i]);
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
}

static void write_forest(const struct rs_forest *forest, struct rs_buffer *part, struct rs_buffer *out)
{
	rs_cbor_write_u64(out, forest->trees);
	for (uint32_t t = 0; t < forest->trees; t++)
		append_u32(part, forest->roots[t]);
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
	rs_buffer_clear(part);
	for (size_t i = 0; i < forest->node_count; i++) {
		const struct rs_forest_node *node = &forest->nodes[i];
		append_u32(part, node->column);
		append_u32(part, node->next);
		append_u32(part, node->values);
		append_u32(part, node->weight);
		append_f64(part, node->threshold);
	}
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
	rs_buffer_clear(part);
	for (size_t i = 0; i < forest->value_count; i++) {
		append_u32(part, forest->values[i].at);
		append_f64(part, forest->values[i].value);
	}
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
	write_numbers(part, forest->times, forest->time_count, out);
}

enum rs_code model_write(const struct rs_model *model, struct rs_buffer *out, struct rs_error *err)
{
	const struct fitted *fitted = &model->fitted;
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	rs_cbor_write_array(out, FIELDS);
	write_text(out, MODEL_FORMAT);
	rs_cbor_write_u64(out, MODEL_VERSION);
	rs_cbor_write_bytes(out, rs_bytes_of(model->study.bytes, RS_SHA256_SIZE));
	rs_cbor_write_bytes(out, rs_bytes_of(fitted->training.bytes, RS_SHA256_SIZE));
	rs_cbor_write_bool(out, fitted->survival);
	write_text(out, model->id);
	rs_cbor_write_u64(out, fitted->rows);
	rs_cbor_write_u64(out, fitted->positives);
	rs_cbor_write_f64(out, fitted->threshold);
	rs_cbor_write_f64(out, model->merit);
	rs_cbor_write_f64(out, model->merit_lower);
	rs_cbor_write_f64(out, model->merit_upper);
	write_columns(fitted, out);
	write_inputs(fitted, out);
	rs_cbor_write_u64(out, fitted->forest.classes);
	write_forest(&fitted->forest, &part, out);
	write_numbers(&part, model->residuals, model->residual_count, out);
	RS_TRY(rs_buffer_check(&part, "a model", err));
	return rs_buffer_check(out, "a model", err);
}

/* ---- reading ---- */

struct reading {
	struct rs_cbor_reader cbor;
	struct rs_model *model;
	struct rs_error *err;
};

static enum rs_code wrong(const struct reading *r, const char *what)
{
	return rs_error_set(r->err, RS_MALFORMED, "a model file whose %s cannot be", what);
}

static enum rs_code take(struct reading *r, size_t count, size_t size, void *out)
{
	void *block = rs_arena_allocate_array(&r->model->fitted.arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(r->err, count * size, "a model");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

static enum rs_code read_text(struct reading *r, const char *field, const char **out)
{
	struct rs_str text;
	char *copy = NULL;
	RS_TRY(rs_cbor_read_str(&r->cbor, field, &text, r->err));
	if (memchr(text.data, '\0', text.size))
		return wrong(r, field);
	RS_TRY(take(r, text.size + 1, 1, &copy));
	memcpy(copy, text.data, text.size);
	*out = copy;
	return RS_OK;
}

static enum rs_code read_count(struct reading *r, const char *field, uint64_t maximum, uint64_t *out)
{
	RS_TRY(rs_cbor_read_u64(&r->cbor, field, out, r->err));
	return *out <= maximum ? RS_OK : wrong(r, field);
}

/* A number of items of which each takes at least one byte of the file. */
static enum rs_code read_array(struct reading *r, const char *field, size_t maximum, size_t *out)
{
	RS_TRY(rs_cbor_read_array(&r->cbor, field, out, r->err));
	return *out <= maximum && *out <= r->cbor.input.size ? RS_OK : wrong(r, field);
}

static enum rs_code read_number(struct reading *r, const char *field, double *out)
{
	RS_TRY(rs_cbor_read_f64(&r->cbor, field, out, r->err));
	return isfinite(*out) ? RS_OK : wrong(r, field);
}

static enum rs_code read_records(struct reading *r, const char *field, size_t size, struct rs_bytes *out,
                                 size_t *out_count)
{
	RS_TRY(rs_cbor_read_bytes(&r->cbor, field, out, r->err));
	*out_count = out->size / size;
	return out->size % size == 0 && *out_count < UINT32_MAX ? RS_OK : wrong(r, field);
}

static enum rs_code read_head(struct reading *r)
{
	struct rs_model *model = r->model;
	struct fitted *fitted = &model->fitted;
	struct rs_str format;
	uint64_t version, rows, positives;
	size_t fields;
	RS_TRY(rs_cbor_read_array(&r->cbor, "model", &fields, r->err));
	RS_TRY(rs_cbor_read_str(&r->cbor, "format", &format, r->err));
	RS_TRY(rs_cbor_read_u64(&r->cbor, "version", &version, r->err));
	if (!rs_str_equal_text(format, MODEL_FORMAT))
		return rs_error_set(r->err, RS_MALFORMED, "not a model of radseal");
	if (version != MODEL_VERSION || fields != FIELDS)
		return rs_error_set(r->err, RS_UNSUPPORTED, "a model of version %llu; this program reads %d",
		                    (unsigned long long)version, MODEL_VERSION);
	RS_TRY(rs_cbor_read_fixed(&r->cbor, "study", model->study.bytes, RS_SHA256_SIZE, r->err));
	RS_TRY(rs_cbor_read_fixed(&r->cbor, "training", fitted->training.bytes, RS_SHA256_SIZE, r->err));
	RS_TRY(rs_cbor_read_bool(&r->cbor, "survival", &fitted->survival, r->err));
	RS_TRY(read_text(r, "id", &model->id));
	RS_TRY(read_count(r, "rows", UINT32_MAX, &rows));
	RS_TRY(read_count(r, "positives", rows, &positives));
	RS_TRY(read_number(r, "threshold", &fitted->threshold));
	RS_TRY(read_number(r, "merit", &model->merit));
	RS_TRY(read_number(r, "merit", &model->merit_lower));
	RS_TRY(read_number(r, "merit", &model->merit_upper));
	fitted->rows = (size_t)rows;
	fitted->positives = (size_t)positives;
	return RS_OK;
}

static enum rs_code read_column(struct reading *r, struct fitted_column *out)
{
	size_t parts, levels;
	RS_TRY(rs_cbor_read_array(&r->cbor, "column", &parts, r->err));
	if (parts != 3)
		return wrong(r, "column");
	RS_TRY(read_text(r, "name", &out->name));
	RS_TRY(rs_cbor_read_bool(&r->cbor, "categorical", &out->categorical, r->err));
	RS_TRY(read_array(r, "levels", COLUMNS_MAX, &levels));
	if (levels > 0 && !out->categorical)
		return wrong(r, "levels");
	RS_TRY(take(r, levels, sizeof *out->levels, &out->levels));
	for (size_t l = 0; l < levels; l++) {
		RS_TRY(read_text(r, "level", &out->levels[l]));
		if (l > 0 && strcmp(out->levels[l - 1], out->levels[l]) >= 0)
			return wrong(r, "levels");
	}
	out->level_count = (uint32_t)levels;
	return RS_OK;
}

static enum rs_code read_input(struct reading *r, struct input *out)
{
	const struct fitted *fitted = &r->model->fitted;
	enum rs_cbor_kind kind;
	uint64_t column, level = INPUT_NUMBER;
	size_t parts;
	RS_TRY(rs_cbor_read_array(&r->cbor, "input", &parts, r->err));
	if (parts != 5)
		return wrong(r, "input");
	RS_TRY(rs_cbor_read_u64(&r->cbor, "column", &column, r->err));
	if (column >= fitted->column_count)
		return wrong(r, "input");
	const struct fitted_column *of = &fitted->columns[column];
	RS_TRY(rs_cbor_peek(&r->cbor, &kind, r->err));
	if (kind == RS_CBOR_NULL)
		RS_TRY(rs_cbor_read_null(&r->cbor, "level", r->err));
	else
		RS_TRY(rs_cbor_read_u64(&r->cbor, "level", &level, r->err));
	if ((kind == RS_CBOR_NULL) == of->categorical || (of->categorical && level >= of->level_count))
		return wrong(r, "level");
	*out = (struct input){.column = (uint32_t)column, .level = (uint32_t)level};
	RS_TRY(read_number(r, "median", &out->median));
	RS_TRY(read_number(r, "mean", &out->mean));
	RS_TRY(read_number(r, "deviation", &out->deviation));
	return out->deviation > 0 ? RS_OK : wrong(r, "deviation");
}

static enum rs_code read_inputs(struct reading *r)
{
	struct fitted *fitted = &r->model->fitted;
	RS_TRY(read_array(r, "columns", COLUMNS_MAX, &fitted->column_count));
	RS_TRY(take(r, fitted->column_count, sizeof *fitted->columns, &fitted->columns));
	for (size_t c = 0; c < fitted->column_count; c++)
		RS_TRY(read_column(r, &fitted->columns[c]));
	RS_TRY(read_array(r, "inputs", COLUMNS_MAX, &fitted->input_count));
	RS_TRY(take(r, fitted->input_count, sizeof *fitted->inputs, &fitted->inputs));
	for (size_t i = 0; i < fitted->input_count; i++)
		RS_TRY(read_input(r, &fitted->inputs[i]));
	return fitted->input_count ? RS_OK : wrong(r, "inputs");
}

static double f64_at(const uint8_t *bytes)
{
	uint64_t bits = rs_read_le64(bytes);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* Numbers in ascending order; strictly, where `strictly`. */
static enum rs_code read_numbers(struct reading *r, const char *field, bool strictly, double **out,
                                 size_t *out_count)
{
	struct rs_bytes bytes;
	double *values = NULL;
	RS_TRY(read_records(r, field, NUMBER_SIZE, &bytes, out_count));
	RS_TRY(take(r, *out_count, sizeof *values, &values));
	for (size_t i = 0; i < *out_count; i++) {
		values[i] = f64_at(bytes.data + i * NUMBER_SIZE);
		if (!isfinite(values[i]) ||
		    (i > 0 && (strictly ? values[i] <= values[i - 1] : values[i] < values[i - 1])))
			return wrong(r, field);
	}
	*out = values;
	return RS_OK;
}

/* Children stand after their parents, so that every walk ends. */
static bool node_can_be(const struct rs_forest *forest, size_t at)
{
	const struct rs_forest_node *node = &forest->nodes[at];
	if (node->column == RS_FOREST_LEAF)
		return node->next <= forest->value_count &&
		       node->values <= forest->value_count - node->next && node->threshold == 0;
	return node->column < forest->columns && node->next > at && node->next + 1 < forest->node_count &&
	       isfinite(node->threshold);
}

static enum rs_code read_nodes(struct reading *r, struct rs_forest *forest)
{
	struct rs_bytes bytes;
	RS_TRY(read_records(r, "nodes", NODE_SIZE, &bytes, &forest->node_count));
	forest->nodes = rs_allocate_array(forest->node_count, sizeof *forest->nodes);
	if (!forest->nodes)
		return rs_error_memory(r->err, bytes.size, "a model");
	for (size_t i = 0; i < forest->node_count; i++) {
		const uint8_t *at = bytes.data + i * NODE_SIZE;
		forest->nodes[i] = (struct rs_forest_node){.column = rs_read_le32(at),
		                                           .next = rs_read_le32(at + 4),
		                                           .values = rs_read_le32(at + 8),
		                                           .weight = rs_read_le32(at + 12),
		                                           .threshold = f64_at(at + 16)};
	}
	return RS_OK;
}

static enum rs_code read_values(struct reading *r, struct rs_forest *forest)
{
	struct rs_bytes bytes;
	RS_TRY(read_records(r, "values", VALUE_SIZE, &bytes, &forest->value_count));
	forest->values = rs_allocate_array(forest->value_count, sizeof *forest->values);
	if (!forest->values)
		return rs_error_memory(r->err, bytes.size, "a model");
	for (size_t i = 0; i < forest->value_count; i++) {
		const uint8_t *at = bytes.data + i * VALUE_SIZE;
		forest->values[i] = (struct rs_forest_value){rs_read_le32(at), f64_at(at + 4)};
	}
	return RS_OK;
}

static enum rs_code read_roots(struct reading *r, struct rs_forest *forest)
{
	struct rs_bytes bytes;
	uint64_t trees;
	size_t count;
	RS_TRY(read_count(r, "trees", TREES_MAX, &trees));
	RS_TRY(read_records(r, "roots", ROOT_SIZE, &bytes, &count));
	if (trees == 0 || count != trees)
		return wrong(r, "roots");
	forest->trees = (uint32_t)trees;
	forest->roots = rs_allocate_array(count, sizeof *forest->roots);
	if (!forest->roots)
		return rs_error_memory(r->err, bytes.size, "a model");
	for (size_t t = 0; t < count; t++)
		forest->roots[t] = rs_read_le32(bytes.data + t * ROOT_SIZE);
	return RS_OK;
}

static enum rs_code read_forest(struct reading *r)
{
	const struct fitted *fitted = &r->model->fitted;
	struct rs_forest *forest = &r->model->fitted.forest;
	uint64_t classes;
	double *times = NULL;
	RS_TRY(read_count(r, "classes", 2, &classes));
	if (classes != (fitted->survival ? 0 : 2))
		return wrong(r, "classes");
	forest->classes = (uint32_t)classes;
	forest->columns = (uint32_t)fitted->input_count;
	RS_TRY(read_roots(r, forest));
	RS_TRY(read_nodes(r, forest));
	RS_TRY(read_values(r, forest));
	RS_TRY(read_numbers(r, "times", true, &times, &forest->time_count));
	forest->times = rs_allocate_array(forest->time_count, sizeof *times);
	if (!forest->times)
		return rs_error_memory(r->err, forest->time_count * sizeof *times, "a model");
	memcpy(forest->times, times, forest->time_count * sizeof *times);
	size_t places = fitted->survival ? forest->time_count : classes;
	for (uint32_t t = 0; t < forest->trees; t++)
		if (forest->roots[t] >= forest->node_count)
			return wrong(r, "roots");
	for (size_t i = 0; i < forest->node_count; i++)
		if (!node_can_be(forest, i))
			return wrong(r, "nodes");
	for (size_t i = 0; i < forest->value_count; i++)
		if (forest->values[i].at >= places ||
		    !(forest->values[i].value >= 0 && forest->values[i].value <= 1))
			return wrong(r, "values");
	return RS_OK;
}

static enum rs_code read_all(struct reading *r)
{
	RS_TRY(read_head(r));
	RS_TRY(read_inputs(r));
	RS_TRY(read_forest(r));
	return read_numbers(r, "residuals", false, &r->model->residuals, &r->model->residual_count);
}

void rs_model_destroy(struct rs_model *model)
{
	if (!model)
		return;
	fitted_finish(&model->fitted);
	rs_free(model);
}

void rs_model_destroy_pointer(struct rs_model **model) { rs_model_destroy(*model); }

bool rs_model_is_survival(const struct rs_model *model) { return model->fitted.survival; }

enum rs_code rs_model_read(struct rs_bytes file, struct rs_model **out, struct rs_error *err)
{
	struct reading reading = {.err = err};
	if (file.size > RS_MODEL_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a model file may have %zu bytes", RS_MODEL_SIZE_MAX);
	RS_TRY(rs_cbor_reader_init(&reading.cbor, file, err));
	struct rs_model *model = rs_allocate(sizeof *model);
	if (!model)
		return rs_error_memory(err, sizeof *model, "a model");
	/* Texts, columns and numbers: at most some ten times what stands in the file. */
	rs_arena_init(&model->fitted.arena, 128 * file.size + 65536);
	reading.model = model;
	enum rs_code code = read_all(&reading);
	if (code != RS_OK)
		rs_model_destroy(model);
	else
		*out = model;
	return code;
}
