/* radseal segment train, apply: networks that outline a region. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_segment.h"
#include "option_lists.h"
#include "sealing.h"
#include "segment/segment_learned.h"
#include "workflow/workflow_made.h"

#define REPORT_SIZE_MAX ((size_t)64 << 20)
#define MASK_SIZE_MAX ((size_t)4 << 30)
#define MISSING "-"
#define SEALING_TAKES "as", "as-passphrase-file", "purpose", "issuer"

static void hex_of(struct rs_bytes content, struct rs_digest *digest, char out[2 * RS_SHA256_SIZE + 1])
{
	rs_sha256(content, digest);
	rs_hex_encode(rs_bytes_of(digest->bytes, RS_SHA256_SIZE), out);
}

/* ---- train ---- */

struct training {
	struct rs_progress progress;
	struct rs_buffer text, json_text;
	struct rs_json json;
	double loss;
	struct sealing sealing;
	struct receipts receipts;
};

static void training_finish(struct training *training)
{
	rs_buffer_finish(&training->text);
	rs_buffer_finish(&training->json_text);
	receipts_finish(&training->receipts);
	sealing_finish(&training->sealing);
}

static enum rs_code permit(void *context, const char *const *paths, size_t count, struct rs_error *err)
{
	return sealing_permit_files(&((struct training *)context)->sealing, paths, count, err);
}

static enum rs_code take_epoch(void *context, uint32_t epoch, uint32_t epochs, double loss)
{
	struct training *training = context;
	(void)epochs;
	training->loss = loss;
	rs_progress_update(&training->progress, epoch);
	return RS_OK;
}

static void json_number(struct rs_json *json, const char *key, double value)
{
	rs_json_key(json, key);
	rs_json_f64(json, value);
}

static void take_case(void *context, const struct rs_learned_case *told)
{
	struct training *training = context;
	struct rs_json *json = &training->json;
	rs_buffer_printf(&training->text, "  %-24s Dice %.3f, %.2f ml for %.2f ml\n", told->subject,
	                 told->dice, told->volume_mm3[1] / 1000, told->volume_mm3[0] / 1000);
	rs_json_object_begin(json);
	rs_json_key(json, "subject");
	rs_json_text(json, told->subject);
	rs_json_key(json, "line");
	rs_json_u64(json, told->line);
	json_number(json, "dice", told->dice);
	json_number(json, "volume_mask_ml", told->volume_mm3[0] / 1000);
	json_number(json, "volume_network_ml", told->volume_mm3[1] / 1000);
	json_number(json, "entropy_where_right", told->entropy[0]);
	json_number(json, "entropy_where_wrong", told->entropy[1]);
	rs_json_object_end(json);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct summary {
	double mean, median, least;
};

static enum rs_code summarise(const struct rs_learned_facts *facts, struct summary *out, struct rs_error *err)
{
	const size_t count = facts->dice_count;
	double *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *sorted), sum = 0;
	if (!sorted)
		return rs_error_memory(err, count * sizeof *sorted, "a summary");
	for (size_t i = 0; i < count; i++)
		sum += sorted[i] = facts->dice[i];
	qsort(sorted, count, sizeof *sorted, ascending);
	if (count > 0)
		*out = (struct summary){sum / (double)count,
		                        (sorted[(count - 1) / 2] + sorted[count / 2]) / 2, sorted[0]};
	return RS_OK;
}

static enum rs_code tell_json(struct training *training, const struct rs_learned_facts *facts,
                              const struct summary *summary, const char *hex, struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&out, REPORT_SIZE_MAX);
	rs_json_init(&json, &out, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "model");
	rs_json_text(&json, hex);
	rs_json_key(&json, "channels");
	rs_json_array_begin(&json);
	for (size_t c = 0; c < facts->channels; c++)
		rs_json_text(&json, facts->names[c]);
	rs_json_array_end(&json);
	json_number(&json, "spacing_mm", facts->spacing_mm);
	rs_json_key(&json, "weights");
	rs_json_u64(&json, facts->weights);
	rs_json_key(&json, "trained_on");
	rs_json_u64(&json, facts->cases);
	json_number(&json, "loss", training->loss);
	if (facts->dice_count > 0) {
		json_number(&json, "dice_mean", summary->mean);
		json_number(&json, "dice_median", summary->median);
		json_number(&json, "dice_least", summary->least);
	}
	rs_json_key(&json, "held_out");
	rs_buffer_append_bytes(&out, rs_buffer_bytes(&training->json_text));
	if (training->receipts.count > 0) {
		rs_buffer_append_text(&out, ",\n\"receipt\":");
		rs_json_init(&json, &out, true);
		rs_json_text(&json, training->receipts.paths[0]);
	}
	rs_buffer_append_text(&out, "}\n");
	RS_TRY(rs_buffer_check(&out, "the report", err));
	return session_write(NULL, rs_buffer_bytes(&out), err);
}

static enum rs_code tell_text(struct training *training, const struct rs_learned_facts *facts,
                              const struct summary *summary, const char *hex, struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&out, REPORT_SIZE_MAX);
	rs_buffer_printf(&out, "%zu weights, trained on %zu cases at %g mm, loss %.4f\n", facts->weights,
	                 facts->cases, facts->spacing_mm, training->loss);
	if (facts->dice_count > 0) {
		rs_buffer_printf(&out, "%zu cases of other subjects, held out:\n", facts->dice_count);
		rs_buffer_append_bytes(&out, rs_buffer_bytes(&training->text));
		rs_buffer_printf(&out, "Dice %.3f in the mean, %.3f in the median, %.3f at the least\n",
		                 summary->mean, summary->median, summary->least);
	} else {
		rs_buffer_append_text(&out, "no case was held out: what it is worth is not known\n");
	}
	rs_buffer_printf(&out, "model %s\n", hex);
	if (training->receipts.count > 0)
		rs_buffer_printf(&out, "sealed %s\n", training->receipts.paths[0]);
	RS_TRY(rs_buffer_check(&out, "the report", err));
	return session_write(NULL, rs_buffer_bytes(&out), err);
}

static enum rs_code count_option(const struct command_line *line, const char *name, uint32_t fallback,
                                 uint32_t *out, struct rs_error *err)
{
	uint64_t value;
	RS_TRY(option_u64(line, name, fallback, UINT32_MAX, &value, err));
	*out = (uint32_t)value;
	return RS_OK;
}

static enum rs_code training_options(const struct command_line *line, struct rs_learned_options *out,
                                     struct rs_error *err)
{
	*out = (struct rs_learned_options){.label = option_value(line, "label")};
	RS_TRY(option_number(line, "validate", 0.2, &out->held_out, err));
	RS_TRY(option_number(line, "spacing", 3, &out->spacing_mm, err));
	RS_TRY(count_option(line, "epochs", 100, &out->epochs, err));
	RS_TRY(count_option(line, "patches", 4, &out->patches, err));
	RS_TRY(count_option(line, "width", 8, &out->width, err));
	return option_u64(line, "seed", 1, UINT64_MAX, &out->seed, err);
}

static enum rs_code train(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct training training RS_CLEANUP(training_finish) = {0};
	struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_learned_report report = {permit, take_epoch, take_case, &training};
	struct rs_learned_options options;
	struct rs_learned_facts facts;
	struct rs_digest digest;
	struct summary summary = {0};
	char hex[2 * RS_SHA256_SIZE + 1];
	if (!option_given(line, "output"))
		return rs_error_set(err, RS_USAGE, "segment train: say with --output where the model goes");
	RS_TRY(training_options(line, &options, err));
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(sealing_open(line, pool, RS_OPERATION_TRAIN, false, &training.sealing, err));
	rs_buffer_init(&training.text, REPORT_SIZE_MAX);
	rs_buffer_init(&training.json_text, REPORT_SIZE_MAX);
	rs_json_init(&training.json, &training.json_text, true);
	rs_json_array_begin(&training.json);
	rs_progress_begin(&training.progress, rs_world_system()->clock,
	                  option_given(line, "quiet") ? NULL : stderr, "training", options.epochs);
	enum rs_code code = rs_learned_train(rs_world_system(), segment_operand(line, 0), &options, &report,
	                                     pool, &model, err);
	rs_progress_end(&training.progress);
	RS_TRY(code);
	rs_json_array_end(&training.json);
	rs_buffer_init(&file, RS_LEARNED_FILE_MAX);
	rs_learned_write(model, &file);
	RS_TRY(rs_buffer_check(&file, "the model", err));
	RS_TRY(rs_buffer_check(&training.text, "the report", err));
	RS_TRY(rs_buffer_check(&training.json_text, "the report", err));
	hex_of(rs_buffer_bytes(&file), &digest, hex);
	RS_TRY(session_write(option_value(line, "output"), rs_buffer_bytes(&file), err));
	if (training.sealing.node)
		RS_TRY(sealing_made(&training.sealing, RS_OBJECT_MODEL, RS_MEDIA_MODEL, NULL,
		                    rs_buffer_bytes(&file), &training.receipts, err));
	rs_learned_tell(model, &facts);
	RS_TRY(summarise(&facts, &summary, err));
	if (option_given(line, "json"))
		return tell_json(&training, &facts, &summary, hex, err);
	return option_given(line, "quiet") ? RS_OK : tell_text(&training, &facts, &summary, hex, err);
}

const struct segment_verb segment_train = {
	.name = "train",
	.arguments = "one table of cases, and --output for the model",
	.takes = {"output", "label", "validate", "spacing", "epochs", "patches", "width", "seed",
                  SEALING_TAKES},
	.least = 1,
	.most = 1,
	.run = train,
};

/* ---- apply ---- */

struct applying {
	struct rs_volume volumes[RS_LEARNED_CHANNELS_MAX];
	const struct rs_volume *there[RS_LEARNED_CHANNELS_MAX];
	struct rs_mask mask;
	struct rs_volume uncertainty;
	struct sealing sealing;
	struct receipts receipts;
};

static void applying_finish(struct applying *applying)
{
	for (size_t c = 0; c < RS_LEARNED_CHANNELS_MAX; c++)
		rs_volume_finish(&applying->volumes[c]);
	rs_mask_finish(&applying->mask);
	rs_volume_finish(&applying->uncertainty);
	receipts_finish(&applying->receipts);
	sealing_finish(&applying->sealing);
}

/* The images that are there; a mask belongs to the one subject that they are of. */
static enum rs_code permit_images(const struct command_line *line, struct sealing *sealing,
                                  struct rs_error *err)
{
	const char *paths[RS_LEARNED_CHANNELS_MAX];
	const struct rs_pseudonym *subject;
	size_t count = 0;
	for (size_t c = 1; c + 1 < line->operand_count; c++)
		if (strcmp(segment_operand(line, c), MISSING) != 0)
			paths[count++] = segment_operand(line, c);
	RS_TRY(sealing_permit_files(sealing, paths, count, err));
	return sealing_subject(sealing, &subject, err);
}

/* What lies in the mask's file, made by the model. */
static enum rs_code seal_mask(const struct command_line *line, struct applying *applying,
                              const struct rs_digest *model, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *media = NULL;
	if (!applying->sealing.node)
		return RS_OK;
	RS_TRY(rs_file_read_all(rs_world_system(), option_value(line, "output"), MASK_SIZE_MAX, &file, err));
	RS_TRY(rs_image_inspect(rs_buffer_bytes(&file), &media, err));
	RS_TRY(sealing_made(&applying->sealing, RS_OBJECT_MASK, media, model, rs_buffer_bytes(&file),
	                    &applying->receipts, err));
	return RS_OK;
}

static enum rs_code tell_mask(const struct command_line *line, const struct applying *applying,
                              const char *model, struct rs_error *err)
{
	const struct rs_geometry *grid = &applying->mask.geometry;
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	const char *receipt = applying->receipts.count > 0 ? applying->receipts.paths[0] : NULL;
	struct rs_json json;
	size_t inside = 0;
	for (size_t i = 0; i < rs_geometry_voxels(grid); i++)
		inside += applying->mask.labels[i] != 0;
	const double ml = (double)inside * grid->spacing_mm[0] * grid->spacing_mm[1] * grid->spacing_mm[2] /
	                  1000;
	rs_buffer_init(&out, REPORT_SIZE_MAX);
	if (!option_given(line, "json")) {
		rs_buffer_printf(&out, "%s: %zu voxels, %.2f ml, by model %s\n", option_value(line, "output"),
		                 inside, ml, model);
		if (receipt)
			rs_buffer_printf(&out, "sealed %s\n", receipt);
		return option_given(line, "quiet") ? RS_OK : session_write(NULL, rs_buffer_bytes(&out), err);
	}
	rs_json_init(&json, &out, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "model");
	rs_json_text(&json, model);
	rs_json_key(&json, "voxels");
	rs_json_u64(&json, inside);
	json_number(&json, "volume_ml", ml);
	rs_json_key(&json, "receipt");
	if (receipt)
		rs_json_text(&json, receipt);
	else
		rs_json_null(&json);
	rs_json_object_end(&json);
	rs_buffer_append_text(&out, "\n");
	RS_TRY(rs_buffer_check(&out, "the report", err));
	return session_write(NULL, rs_buffer_bytes(&out), err);
}

static enum rs_code read_images(const struct command_line *line, const struct rs_learned *model,
                                struct applying *out, struct rs_error *err)
{
	struct rs_learned_facts facts;
	char names[RS_LEARNED_CHANNELS_MAX * 66] = "";
	size_t used = 0;
	rs_learned_tell(model, &facts);
	for (size_t c = 0; c < facts.channels; c++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", c ? ", " : "",
		                         facts.names[c]);
	if (line->operand_count - 2 != facts.channels)
		return rs_error_set(err, RS_USAGE,
		                    "the model takes %zu images, in this order: %s ('" MISSING
		                    "' where one is missing)",
		                    facts.channels, names);
	for (size_t c = 0; c < facts.channels; c++) {
		const char *path = segment_operand(line, c + 1);
		if (strcmp(path, MISSING) == 0)
			continue;
		if (rs_volume_read(rs_world_system(), path, &out->volumes[c], err) != RS_OK)
			return rs_error_context(err, "%s", path);
		out->there[c] = &out->volumes[c];
	}
	return RS_OK;
}

static enum rs_code apply(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct applying applying RS_CLEANUP(applying_finish) = {0};
	struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = segment_operand(line, 0), *uncertainty = option_value(line, "uncertainty");
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	if (!option_given(line, "output"))
		return rs_error_set(err, RS_USAGE, "segment apply: say with --output where the mask goes");
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(sealing_open(line, pool, RS_OPERATION_PREDICT, true, &applying.sealing, err));
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_LEARNED_FILE_MAX, &file, err));
	RS_TRY(sealing_permit_model(&applying.sealing, path, rs_buffer_bytes(&file), err));
	hex_of(rs_buffer_bytes(&file), &digest, hex);
	if (rs_learned_read(rs_buffer_bytes(&file), &model, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	RS_TRY(permit_images(line, &applying.sealing, err));
	RS_TRY(read_images(line, model, &applying, err));
	RS_TRY(rs_learned_apply(model, applying.there, line->operand_count - 2, option_given(line, "whole"),
	                        pool, &applying.mask, uncertainty ? &applying.uncertainty : NULL, err));
	RS_TRY(rs_mask_write(rs_world_system(), option_value(line, "output"), &applying.mask, err));
	if (uncertainty)
		RS_TRY(rs_volume_write(rs_world_system(), uncertainty, &applying.uncertainty, err));
	RS_TRY(seal_mask(line, &applying, &digest, err));
	return tell_mask(line, &applying, hex, err);
}

const struct segment_verb segment_apply = {
	.name = "apply",
	.arguments = "a model and its images",
	.takes = {"output", "uncertainty", "whole", SEALING_TAKES},
	.least = 2,
	.most = 1 + RS_LEARNED_CHANNELS_MAX,
	.run = apply,
};
