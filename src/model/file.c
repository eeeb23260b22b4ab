/* Files of models: deterministic CBOR, one array of known length, in this order: format, version, study, training (digests),
 * target, classes, id column, centre column or null, levels (of more than 2 classes), rows, positives, threshold, merit and
 * its interval, parts, stack (null or [intercept, weights, means, deviations] of the parts), curve (null or [slope, its
 * variance, times, hazards, spreads, centres]), residuals, bounds (null or [levels, shares]). A part is [name, columns
 * [name, categorical, [level…], modality, whether it tells where that is missing], steps [name, kept inputs or what the step
 * wrote], learner, what the learner wrote]. Many numbers are byte strings (recipe_packed.h). Nothing in a file is run, and
 * everything it refers to is checked to be within it. */
#include <math.h>
#include <string.h>

#include "model/model_parts.h"
#include "recipe/recipe_packed.h"

#define FIELDS 20
#define COLUMNS_MAX 1000000

/* ---- writing ---- */

static void write_text(struct rs_buffer *out, const char *text) { rs_cbor_write_str(out, rs_str_from(text)); }

static void write_columns(const struct rs_fitted *fitted, struct rs_buffer *out)
{
	rs_cbor_write_array(out, fitted->column_count);
	for (size_t c = 0; c < fitted->column_count; c++) {
		const struct rs_fitted_column *column = &fitted->columns[c];
		rs_cbor_write_array(out, 5);
		write_text(out, column->name);
		rs_cbor_write_bool(out, column->categorical);
		rs_cbor_write_array(out, column->level_count);
		for (uint32_t l = 0; l < column->level_count; l++)
			write_text(out, column->levels[l]);
		rs_cbor_write_u64(out, column->modality);
		rs_cbor_write_bool(out, column->indicator);
	}
}

static void write_steps(const struct rs_fitted *fitted, struct rs_buffer *out)
{
	rs_cbor_write_array(out, fitted->step_count);
	for (size_t s = 0; s < fitted->step_count; s++) {
		const struct rs_fitted_step *step = &fitted->steps[s];
		rs_cbor_write_array(out, 2);
		write_text(out, step->step->name);
		if (step->kept)
			rs_packed_write_u32s(out, step->kept, step->width);
		else
			step->step->write(step->state, out);
	}
}

static void write_part(const struct rs_fitted *fitted, const char *name, struct rs_buffer *out)
{
	rs_cbor_write_array(out, 5);
	write_text(out, name);
	write_columns(fitted, out);
	write_steps(fitted, out);
	write_text(out, fitted->learner->name);
	fitted->learner->write(fitted->state, out);
}

static void write_stack(const struct rs_model *model, struct rs_buffer *out)
{
	const struct rs_stack *stack = &model->stack;
	if (!model->fused) {
		rs_cbor_write_null(out);
		return;
	}
	rs_cbor_write_array(out, 4);
	rs_cbor_write_f64(out, stack->intercept);
	rs_packed_write_f64s(out, stack->weight, stack->count);
	rs_packed_write_f64s(out, stack->mean, stack->count);
	rs_packed_write_f64s(out, stack->deviation, stack->count);
}

static void write_curve(const struct rs_risk_curve *curve, struct rs_buffer *out)
{
	if (curve->count == 0) {
		rs_cbor_write_null(out);
		return;
	}
	rs_cbor_write_array(out, 6);
	rs_cbor_write_f64(out, curve->slope);
	rs_cbor_write_f64(out, curve->slope_variance);
	rs_packed_write_f64s(out, curve->times, curve->count);
	rs_packed_write_f64s(out, curve->hazard, curve->count);
	rs_packed_write_f64s(out, curve->spread, curve->count);
	rs_packed_write_f64s(out, curve->centre, curve->count);
}

static void write_bounds(const struct rs_model *model, struct rs_buffer *out)
{
	if (model->shape.target != RS_TARGET_SURVIVAL) {
		rs_cbor_write_null(out);
		return;
	}
	rs_cbor_write_array(out, 2);
	rs_packed_write_f64s(out, model->bounds.level, model->bounds.count);
	rs_packed_write_f64s(out, model->bounds.share, model->bounds.count);
}

static void write_levels(const struct rs_model *model, struct rs_buffer *out)
{
	size_t count = model->shape.classes > 2 ? model->shape.classes : 0;
	rs_cbor_write_array(out, count);
	for (size_t k = 0; k < count; k++)
		write_text(out, model->levels[k]);
}

enum rs_code rs_model_write(const struct rs_model *model, struct rs_buffer *out, struct rs_error *err)
{
	rs_cbor_write_array(out, FIELDS);
	write_text(out, RS_MODEL_FORMAT);
	rs_cbor_write_u64(out, RS_MODEL_VERSION);
	rs_cbor_write_bytes(out, rs_bytes_of(model->study.bytes, RS_SHA256_SIZE));
	rs_cbor_write_bytes(out, rs_bytes_of(model->training.bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, model->shape.target);
	rs_cbor_write_u64(out, model->shape.classes);
	write_text(out, model->id);
	if (model->centre)
		write_text(out, model->centre);
	else
		rs_cbor_write_null(out);
	write_levels(model, out);
	rs_cbor_write_u64(out, model->rows);
	rs_cbor_write_u64(out, model->positives);
	rs_cbor_write_f64(out, model->threshold);
	rs_cbor_write_f64(out, model->merit);
	rs_cbor_write_f64(out, model->merit_lower);
	rs_cbor_write_f64(out, model->merit_upper);
	rs_cbor_write_array(out, model->part_count);
	for (size_t p = 0; p < model->part_count; p++)
		write_part(&model->parts[p], model->part_names[p], out);
	write_stack(model, out);
	write_curve(&model->curve, out);
	rs_packed_write_f64s(out, model->residuals, model->residual_count);
	write_bounds(model, out);
	return rs_buffer_check(out, "a model", err);
}

/* ---- reading ---- */

struct reading {
	struct rs_cbor_reader cbor;
	struct rs_model *model;
	struct rs_error *err;
};

static enum rs_code wrong(const struct reading *r, const char *what) { return rs_packed_wrong(what, r->err); }

static enum rs_code take(struct reading *r, size_t count, size_t size, void *out)
{
	void *block = rs_arena_allocate_array(&r->model->arena, count ? count : 1, size);
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

/* A number of items of which each takes at least one byte of the file. */
static enum rs_code read_array(struct reading *r, const char *field, size_t maximum, size_t *out)
{
	RS_TRY(rs_cbor_read_array(&r->cbor, field, out, r->err));
	return *out <= maximum && *out <= r->cbor.input.size ? RS_OK : wrong(r, field);
}

static enum rs_code read_shape(struct reading *r, struct rs_model_shape *out)
{
	uint64_t target, classes;
	RS_TRY(rs_packed_read_count(&r->cbor, "target", RS_TARGET_SURVIVAL, &target, r->err));
	RS_TRY(rs_packed_read_count(&r->cbor, "classes", RS_CLASSES_MAX, &classes, r->err));
	bool known = target == RS_TARGET_BINARY ? classes == 2
	             : target == RS_TARGET_SURVIVAL
	                     ? classes == 0
	                     : (target == RS_TARGET_CLASSES || target == RS_TARGET_ORDINAL) && classes > 2;
	*out = (struct rs_model_shape){(enum rs_target)target, (uint32_t)classes, 0};
	return known ? RS_OK : wrong(r, "target");
}

static enum rs_code read_centre(struct reading *r)
{
	enum rs_cbor_kind kind;
	RS_TRY(rs_cbor_peek(&r->cbor, &kind, r->err));
	return kind == RS_CBOR_NULL ? rs_cbor_read_null(&r->cbor, "centre", r->err)
	                            : read_text(r, "centre", &r->model->centre);
}

static enum rs_code read_levels(struct reading *r)
{
	size_t count = r->model->shape.classes > 2 ? r->model->shape.classes : 0;
	RS_TRY(rs_packed_read_parts(&r->cbor, "levels", count, r->err));
	RS_TRY(take(r, count, sizeof *r->model->levels, &r->model->levels));
	for (size_t k = 0; k < count; k++)
		RS_TRY(read_text(r, "level", &r->model->levels[k]));
	return RS_OK;
}

static enum rs_code read_head(struct reading *r)
{
	struct rs_model *model = r->model;
	struct rs_str format;
	uint64_t version, rows, positives;
	size_t fields;
	RS_TRY(rs_cbor_read_array(&r->cbor, "model", &fields, r->err));
	RS_TRY(rs_cbor_read_str(&r->cbor, "format", &format, r->err));
	RS_TRY(rs_cbor_read_u64(&r->cbor, "version", &version, r->err));
	if (!rs_str_equal_text(format, RS_MODEL_FORMAT))
		return rs_error_set(r->err, RS_MALFORMED, "not a model of radseal");
	if (version != RS_MODEL_VERSION)
		return rs_error_set(
			r->err, RS_UNSUPPORTED,
			"a model of version %llu; this program reads %d: train it again from its study",
			(unsigned long long)version, RS_MODEL_VERSION);
	if (fields != FIELDS)
		return wrong(r, "length");
	RS_TRY(rs_cbor_read_fixed(&r->cbor, "study", model->study.bytes, RS_SHA256_SIZE, r->err));
	RS_TRY(rs_cbor_read_fixed(&r->cbor, "training", model->training.bytes, RS_SHA256_SIZE, r->err));
	RS_TRY(read_shape(r, &model->shape));
	RS_TRY(read_text(r, "id", &model->id));
	RS_TRY(read_centre(r));
	RS_TRY(read_levels(r));
	RS_TRY(rs_packed_read_count(&r->cbor, "rows", UINT32_MAX, &rows, r->err));
	RS_TRY(rs_packed_read_count(&r->cbor, "positives", rows, &positives, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "threshold", &model->threshold, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "merit", &model->merit, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "merit", &model->merit_lower, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "merit", &model->merit_upper, r->err));
	model->rows = (size_t)rows;
	model->positives = (size_t)positives;
	return RS_OK;
}

static enum rs_code read_column(struct reading *r, struct rs_fitted_column *out)
{
	uint64_t modality;
	size_t levels;
	RS_TRY(rs_packed_read_parts(&r->cbor, "column", 5, r->err));
	RS_TRY(read_text(r, "name", &out->name));
	RS_TRY(rs_cbor_read_bool(&r->cbor, "categorical", &out->categorical, r->err));
	RS_TRY(read_array(r, "levels", COLUMNS_MAX, &levels));
	RS_TRY(take(r, levels, sizeof *out->levels, &out->levels));
	for (size_t l = 0; l < levels; l++) {
		RS_TRY(read_text(r, "level", &out->levels[l]));
		if (l > 0 && strcmp(out->levels[l - 1], out->levels[l]) >= 0)
			return wrong(r, "levels");
	}
	out->level_count = (uint32_t)levels;
	if (levels > 0 && !out->categorical && (levels > 1 || out->levels[0][0] != '\0'))
		return wrong(r, "levels");
	RS_TRY(rs_packed_read_count(&r->cbor, "modality", UINT32_MAX, &modality, r->err));
	RS_TRY(rs_cbor_read_bool(&r->cbor, "indicator", &out->indicator, r->err));
	out->modality = (uint32_t)modality;
	return out->indicator && out->categorical ? wrong(r, "indicator") : RS_OK;
}

static enum rs_code read_columns(struct reading *r, struct rs_fitted *fitted)
{
	RS_TRY(read_array(r, "columns", COLUMNS_MAX, &fitted->column_count));
	RS_TRY(take(r, fitted->column_count, sizeof *fitted->columns, &fitted->columns));
	for (size_t c = 0; c < fitted->column_count; c++) {
		RS_TRY(read_column(r, &fitted->columns[c]));
		fitted->width += rs_fitted_width(&fitted->columns[c]);
	}
	return RS_OK;
}

static enum rs_code read_step(struct reading *r, size_t width, struct rs_fitted_step *out)
{
	const char *name;
	RS_TRY(rs_packed_read_parts(&r->cbor, "step", 2, r->err));
	RS_TRY(read_text(r, "step", &name));
	out->step = rs_step_find(name);
	if (!out->step)
		return rs_error_set(r->err, RS_UNSUPPORTED,
		                    "a model with a step '%s', which this program lacks", name);
	out->width = width;
	if (!out->step->choose) {
		RS_TRY(rs_step_create_state(out->step, &out->state, r->err));
		return out->step->read(&r->cbor, width, out->state, r->err);
	}
	RS_TRY(rs_packed_read_u32s(&r->cbor, "kept inputs", (uint32_t)width, &out->kept, &out->width,
	                           r->err));
	for (size_t i = 1; i < out->width; i++)
		if (out->kept[i] <= out->kept[i - 1])
			return wrong(r, "kept inputs");
	return RS_OK;
}

static enum rs_code read_steps(struct reading *r, struct rs_fitted *fitted)
{
	size_t count;
	fitted->shape.columns = fitted->width;
	RS_TRY(read_array(r, "steps", RS_COUNT(fitted->steps), &count));
	for (size_t s = 0; s < count; s++) {
		struct rs_fitted_step *step = &fitted->steps[fitted->step_count++];
		RS_TRY(read_step(r, fitted->shape.columns, step));
		fitted->shape.columns = step->width;
	}
	return RS_OK;
}

static enum rs_code read_learner(struct reading *r, struct rs_fitted *fitted)
{
	const char *name;
	RS_TRY(read_text(r, "learner", &name));
	const struct rs_learner *learner = rs_learner_find(name);
	if (!learner)
		return rs_error_set(r->err, RS_UNSUPPORTED, "a model of sort '%s', which this program lacks",
		                    name);
	if (!(learner->targets & fitted->shape.target) ||
	    (learner->needs_inputs && fitted->shape.columns == 0))
		return wrong(r, "learner");
	RS_TRY(rs_learner_read(learner, &r->cbor, &fitted->shape, &fitted->state, r->err));
	fitted->learner = learner;
	return RS_OK;
}

static enum rs_code read_part(struct reading *r, size_t index)
{
	struct rs_fitted *fitted = &r->model->parts[index];
	fitted->shape = r->model->shape;
	RS_TRY(rs_packed_read_parts(&r->cbor, "part", 5, r->err));
	RS_TRY(read_text(r, "part", &r->model->part_names[index]));
	RS_TRY(read_columns(r, fitted));
	RS_TRY(read_steps(r, fitted));
	return read_learner(r, fitted);
}

static enum rs_code read_parts(struct reading *r)
{
	size_t count;
	RS_TRY(read_array(r, "parts", RS_PARTS_MAX, &count));
	while (r->model->part_count < count)
		RS_TRY(read_part(r, r->model->part_count++));
	return count > 0 ? RS_OK : wrong(r, "parts");
}

static enum rs_code read_stack_numbers(struct reading *r, const char *field, double *out)
{
	size_t count = r->model->part_count;
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_packed_read_f64s_of(&r->cbor, field, count, &values, r->err));
	memcpy(out, values, count * sizeof *out);
	return RS_OK;
}

static enum rs_code read_stack(struct reading *r)
{
	struct rs_stack *stack = &r->model->stack;
	enum rs_cbor_kind kind;
	RS_TRY(rs_cbor_peek(&r->cbor, &kind, r->err));
	r->model->fused = kind != RS_CBOR_NULL;
	if (!r->model->fused)
		return r->model->part_count == 1 ? rs_cbor_read_null(&r->cbor, "stack", r->err)
		                                 : wrong(r, "stack");
	stack->count = r->model->part_count;
	RS_TRY(rs_packed_read_parts(&r->cbor, "stack", 4, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "intercept", &stack->intercept, r->err));
	RS_TRY(read_stack_numbers(r, "weights", stack->weight));
	RS_TRY(read_stack_numbers(r, "means", stack->mean));
	RS_TRY(read_stack_numbers(r, "deviations", stack->deviation));
	for (size_t p = 0; p < stack->count; p++)
		if (stack->weight[p] < 0 || stack->deviation[p] < 0)
			return wrong(r, "stack");
	return RS_OK;
}

static enum rs_code read_curve(struct reading *r)
{
	struct rs_risk_curve *curve = &r->model->curve;
	enum rs_cbor_kind kind;
	size_t hazards, spreads, centres;
	RS_TRY(rs_cbor_peek(&r->cbor, &kind, r->err));
	bool wanted = r->model->shape.target == RS_TARGET_SURVIVAL;
	if (wanted != (kind != RS_CBOR_NULL))
		return wrong(r, "curve");
	if (!wanted)
		return rs_cbor_read_null(&r->cbor, "curve", r->err);
	RS_TRY(rs_packed_read_parts(&r->cbor, "curve", 6, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "slope", &curve->slope, r->err));
	RS_TRY(rs_packed_read_number(&r->cbor, "variance", &curve->slope_variance, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "times", &curve->times, &curve->count, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "hazards", &curve->hazard, &hazards, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "spreads", &curve->spread, &spreads, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "centres", &curve->centre, &centres, r->err));
	bool can_be = curve->count > 0 && hazards == curve->count && spreads == curve->count &&
	              centres == curve->count && curve->hazard[0] >= 0 && curve->slope_variance >= 0 &&
	              rs_packed_ascends(curve->times, curve->count, true) &&
	              rs_packed_ascends(curve->hazard, hazards, false);
	for (size_t s = 0; can_be && s < spreads; s++)
		can_be = curve->spread[s] >= 0;
	return can_be ? RS_OK : wrong(r, "curve");
}

static enum rs_code read_bounds(struct reading *r)
{
	struct rs_conformal *bounds = &r->model->bounds;
	size_t shares;
	if (r->model->shape.target != RS_TARGET_SURVIVAL)
		return rs_cbor_read_null(&r->cbor, "bounds", r->err);
	RS_TRY(rs_packed_read_parts(&r->cbor, "bounds", 2, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "levels", &bounds->level, &bounds->count, r->err));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "shares", &bounds->share, &shares, r->err));
	bool can_be = shares == bounds->count && rs_packed_ascends(bounds->level, shares, false) &&
	              rs_packed_ascends(bounds->share, shares, false) &&
	              (shares == 0 ||
	               (bounds->level[0] >= 0 && bounds->level[shares - 1] <= 1 && bounds->share[0] > 0));
	return can_be ? RS_OK : wrong(r, "bounds");
}

static enum rs_code read_all(struct reading *r)
{
	struct rs_model *model = r->model;
	RS_TRY(read_head(r));
	RS_TRY(read_parts(r));
	RS_TRY(read_stack(r));
	RS_TRY(read_curve(r));
	RS_TRY(rs_packed_read_f64s(&r->cbor, "residuals", &model->residuals, &model->residual_count, r->err));
	if (!rs_packed_ascends(model->residuals, model->residual_count, false))
		return wrong(r, "residuals");
	return read_bounds(r);
}

bool rs_model_knows_survival(const struct rs_model *model)
{
	return !model->fused && model->parts[0].learner->survival;
}

void rs_model_finish(struct rs_model *model)
{
	for (size_t p = 0; p < model->part_count; p++)
		rs_fitted_finish(&model->parts[p]);
	rs_arena_finish(&model->arena);
	rs_curve_finish(&model->curve);
	rs_conformal_finish(&model->bounds);
	rs_free(model->residuals);
}

void rs_model_destroy(struct rs_model *model)
{
	if (!model)
		return;
	rs_model_finish(model);
	rs_free(model);
}

void rs_model_destroy_pointer(struct rs_model **model) { rs_model_destroy(*model); }

size_t rs_model_levels(const struct rs_model *model, const char *const **out)
{
	*out = (const char *const *)model->levels;
	return model->shape.classes > 2 ? model->shape.classes : 0;
}

bool rs_model_is_survival(const struct rs_model *model) { return model->shape.target == RS_TARGET_SURVIVAL; }

enum rs_code rs_model_read(struct rs_bytes file, struct rs_model **out, struct rs_error *err)
{
	struct reading reading = {.err = err};
	if (file.size > RS_MODEL_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a model file may have %zu bytes", RS_MODEL_SIZE_MAX);
	RS_TRY(rs_cbor_reader_init(&reading.cbor, file, err));
	struct rs_model *model = rs_allocate(sizeof *model);
	if (!model)
		return rs_error_memory(err, sizeof *model, "a model");
	/* Texts and columns: at most some ten times what stands in the file. */
	rs_arena_init(&model->arena, 128 * file.size + 65536);
	reading.model = model;
	enum rs_code code = read_all(&reading);
	if (code != RS_OK)
		rs_model_destroy(model);
	else
		*out = model;
	return code;
}
