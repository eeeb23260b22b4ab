/* Models of pictures: their file, and what they say. One CBOR array: format, version, study's digest, side, mean, deviation,
 * temperature, threshold, residuals, network. */
#include <math.h>
#include <string.h>

#include "model/model_parts.h"
#include "recipe/recipe_packed.h"
#include "pictures.h"

#define FORMAT "radseal-pictures"
#define VERSION 1
#define FIELDS 10
#define SIDE_MAX 1024
#define LOGIT_MAX 16.0

void pictures_model_finish(struct rs_pictures_model *model)
{
	rs_free(model->residuals);
	rs_network_finish(&model->network);
	*model = (struct rs_pictures_model){0};
}

void rs_pictures_model_destroy(struct rs_pictures_model *model)
{
	if (model)
		pictures_model_finish(model);
	rs_free(model);
}

void rs_pictures_model_destroy_pointer(struct rs_pictures_model **model)
{
	rs_pictures_model_destroy(*model);
}

void pictures_model_write(const struct rs_pictures_model *model, struct rs_buffer *out)
{
	rs_cbor_write_array(out, FIELDS);
	rs_cbor_write_str(out, RS_STR(FORMAT));
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_bytes(out, rs_bytes_of(model->study.bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, model->side);
	rs_cbor_write_f64(out, model->mean);
	rs_cbor_write_f64(out, model->deviation);
	rs_cbor_write_f64(out, model->temperature);
	rs_cbor_write_f64(out, model->threshold);
	rs_packed_write_f64s(out, model->residuals, model->residual_count);
	rs_network_write(&model->network, out);
}

bool rs_pictures_model_begins(struct rs_bytes file)
{
	/* An array of ten, a text of sixteen bytes. */
	return file.size > sizeof FORMAT + 1 && file.data[0] == (0x80 | FIELDS) &&
	       file.data[1] == (0x60 | (sizeof FORMAT - 1)) &&
	       memcmp(file.data + 2, FORMAT, sizeof FORMAT - 1) == 0;
}

static enum rs_code read_numbers(struct rs_cbor_reader *reader, struct rs_pictures_model *model,
                                 struct rs_error *err)
{
	uint64_t side;
	RS_TRY(rs_packed_read_count(reader, "side", SIDE_MAX, &side, err));
	RS_TRY(rs_packed_read_number(reader, "mean", &model->mean, err));
	RS_TRY(rs_packed_read_number(reader, "deviation", &model->deviation, err));
	RS_TRY(rs_packed_read_number(reader, "temperature", &model->temperature, err));
	RS_TRY(rs_packed_read_number(reader, "threshold", &model->threshold, err));
	RS_TRY(rs_packed_read_f64s(reader, "residuals", &model->residuals, &model->residual_count, err));
	model->side = (size_t)side;
	if (!(model->deviation > 0) || !(model->temperature > 0) ||
	    !(model->threshold >= 0 && model->threshold <= 1))
		return rs_packed_wrong("scale, temperature or threshold", err);
	if (!rs_packed_ascends(model->residuals, model->residual_count, false))
		return rs_packed_wrong("residuals", err);
	return RS_OK;
}

static enum rs_code read_model(struct rs_bytes file, struct rs_pictures_model *model, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_packed_read_begin(&reader, file, FIELDS, "pictures", FORMAT, VERSION, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "study", model->study.bytes, RS_SHA256_SIZE, err));
	RS_TRY(read_numbers(&reader, model, err));
	RS_TRY(rs_network_read(&reader, &model->network, err));
	const struct rs_shape *in = &model->network.shapes[0];
	if (in->channels != 1 || in->size[0] != 1 || in->size[1] != model->side ||
	    in->size[2] != model->side || rs_shape_values(rs_network_output(&model->network)) != 1)
		return rs_packed_wrong("network", err);
	return RS_OK;
}

enum rs_code rs_pictures_model_read(struct rs_bytes file, struct rs_pictures_model **out,
                                    struct rs_error *err)
{
	struct rs_pictures_model *model = rs_allocate(sizeof *model);
	if (!model)
		return rs_error_memory(err, sizeof *model, "a model");
	enum rs_code code = read_model(file, model, err);
	if (code != RS_OK)
		rs_pictures_model_destroy(model);
	else
		*out = model;
	return code;
}

double picture_probability(const struct rs_pictures_model *model, float logit)
{
	/* So that no probability is 0 or 1: nothing is as sure as that. */
	const double z = fmin(fmax((double)logit / model->temperature, -LOGIT_MAX), LOGIT_MAX);
	return 1 / (1 + exp(-z));
}

enum rs_code rs_pictures_predict(const struct rs_pictures_model *model, const struct rs_world *world,
                                 const char *const *paths, size_t count, double coverage,
                                 struct rs_pool *pool, rs_prediction_visit *visit, void *context,
                                 struct rs_error *err)
{
	const double quantile = rs_conformal_quantile(model->residuals, model->residual_count, coverage);
	const size_t values = model->side * model->side;
	float *picture RS_CLEANUP(rs_free_pointer) = rs_allocate_array(values, sizeof *picture), logit;
	if (!picture)
		return rs_error_memory(err, values * sizeof *picture, "a picture");
	for (size_t n = 0; n < count; n++) {
		RS_TRY(picture_load(world, paths[n], model->side, picture, err));
		for (size_t i = 0; i < values; i++)
			picture[i] = (float)(((double)picture[i] - model->mean) / model->deviation);
		RS_TRY(rs_network_apply(&model->network, picture, 1, pool, &logit, err));
		const double p = picture_probability(model, logit);
		visit(context, &(struct rs_prediction){.id = paths[n],
		                                       .probability = p,
		                                       .positive = p >= model->threshold,
		                                       .set_negative = p <= quantile,
		                                       .set_positive = 1 - p <= quantile});
	}
	return RS_OK;
}
