/* Models as files. One CBOR array: format, version, spacing, names of channels, seed, epochs, patches, digests of the cases that
 * it was trained on, Dice of those that were held out, network. */
#include <string.h>

#include "learned.h"
#include "recipe/recipe_packed.h"

#define FORMAT "radseal-segmentation"
#define VERSION 2
#define FIELDS 10
#define CASES_MAX ((uint64_t)1 << 20)
#define SPACING_LEAST 0.1
#define SPACING_MOST 100.0

void rs_learned_destroy(struct rs_learned *model)
{
	if (!model)
		return;
	rs_free(model->cases);
	rs_free(model->dice);
	rs_network_finish(&model->network);
	rs_free(model);
}

void rs_learned_destroy_pointer(struct rs_learned **model) { rs_learned_destroy(*model); }

void rs_learned_tell(const struct rs_learned *model, struct rs_learned_facts *out)
{
	*out = (struct rs_learned_facts){.channels = model->channels,
	                                 .weights = rs_network_weights(&model->network),
	                                 .cases = model->case_count,
	                                 .spacing_mm = model->spacing_mm,
	                                 .dice = model->dice,
	                                 .dice_count = model->dice_count};
	for (size_t c = 0; c < model->channels; c++)
		out->names[c] = model->names[c];
}

void rs_learned_write(const struct rs_learned *model, struct rs_buffer *out)
{
	rs_cbor_write_array(out, FIELDS);
	rs_cbor_write_str(out, RS_STR(FORMAT));
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_f64(out, model->spacing_mm);
	rs_cbor_write_array(out, model->channels);
	for (size_t c = 0; c < model->channels; c++)
		rs_cbor_write_str(out, rs_str_from(model->names[c]));
	rs_cbor_write_u64(out, model->seed);
	rs_cbor_write_u64(out, model->epochs);
	rs_cbor_write_u64(out, model->patches);
	rs_cbor_write_bytes(out, rs_bytes_of(model->cases, model->case_count * sizeof *model->cases));
	rs_packed_write_f64s(out, model->dice, model->dice_count);
	rs_network_write(&model->network, out);
}

static enum rs_code read_names(struct rs_cbor_reader *reader, struct rs_learned *model, struct rs_error *err)
{
	RS_TRY(rs_cbor_read_array(reader, "channels", &model->channels, err));
	if (model->channels < 1 || model->channels > RS_LEARNED_CHANNELS_MAX)
		return rs_packed_wrong("number of channels", err);
	for (size_t c = 0; c < model->channels; c++) {
		struct rs_str name;
		RS_TRY(rs_cbor_read_str(reader, "channel", &name, err));
		if (name.size == 0 || name.size >= sizeof model->names[c] || memchr(name.data, 0, name.size))
			return rs_packed_wrong("name of a channel", err);
		memcpy(model->names[c], name.data, name.size);
	}
	return RS_OK;
}

static enum rs_code read_training(struct rs_cbor_reader *reader, struct rs_learned *model,
                                  struct rs_error *err)
{
	struct rs_bytes cases;
	RS_TRY(rs_cbor_read_u64(reader, "seed", &model->seed, err));
	RS_TRY(rs_cbor_read_u64(reader, "epochs", &model->epochs, err));
	RS_TRY(rs_cbor_read_u64(reader, "patches", &model->patches, err));
	RS_TRY(rs_packed_read_records(reader, "cases", sizeof *model->cases, &cases, &model->case_count,
	                              err));
	if (model->case_count == 0 || model->case_count > CASES_MAX)
		return rs_packed_wrong("number of cases", err);
	model->cases = rs_allocate_array(model->case_count, sizeof *model->cases);
	if (!model->cases)
		return rs_error_memory(err, cases.size, "a model");
	memcpy(model->cases, cases.data, cases.size);
	RS_TRY(rs_packed_read_f64s(reader, "Dice", &model->dice, &model->dice_count, err));
	for (size_t i = 0; i < model->dice_count; i++)
		if (!(model->dice[i] >= 0 && model->dice[i] <= 1))
			return rs_packed_wrong("Dice", err);
	return RS_OK;
}

static enum rs_code read_model(struct rs_bytes file, struct rs_learned *model, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_packed_read_begin(&reader, file, FIELDS, "segmentation", FORMAT, VERSION, err));
	RS_TRY(rs_packed_read_number(&reader, "spacing", &model->spacing_mm, err));
	if (!(model->spacing_mm >= SPACING_LEAST && model->spacing_mm <= SPACING_MOST))
		return rs_packed_wrong("spacing", err);
	RS_TRY(read_names(&reader, model, err));
	RS_TRY(read_training(&reader, model, err));
	RS_TRY(rs_network_read(&reader, &model->network, err));
	const struct rs_shape in = {(uint32_t)model->channels, {PATCH, PATCH, PATCH}},
			      out = {2, {PATCH, PATCH, PATCH}};
	if (memcmp(&model->network.shapes[0], &in, sizeof in) != 0 ||
	    memcmp(rs_network_output(&model->network), &out, sizeof out) != 0)
		return rs_packed_wrong("network", err);
	return RS_OK;
}

enum rs_code rs_learned_read(struct rs_bytes file, struct rs_learned **out, struct rs_error *err)
{
	struct rs_learned *model = rs_allocate(sizeof *model);
	if (!model)
		return rs_error_memory(err, sizeof *model, "a model");
	enum rs_code code = read_model(file, model, err);
	if (code != RS_OK)
		rs_learned_destroy(model);
	else
		*out = model;
	return code;
}
