#include "sealing.h"

#include <string.h>

#include "access/access_retrieve.h"
#include "access_words.h"
#include "image/image.h"
#include "session.h"
#include "workflow/workflow_made.h"

#define PREDICTION_MAX ((size_t)1 << 20)
#define PICTURE_MAX ((size_t)1 << 30)
#define VOLUME_MAX ((size_t)16 << 30)

enum rs_code sealing_open(const struct command_line *line, struct rs_pool *pool, enum rs_operation operation,
                          bool must_ask, struct sealing *out, struct rs_error *err)
{
	bool asks = option_given(line, "purpose") || option_given(line, "as");
	*out = (struct sealing){.operation = operation, .issuer = ""};
	if (!option_given(line, "home"))
		return asks ? rs_error_set(err, RS_USAGE, "%s: --as and --purpose go with --home",
		                           line->command->name)
		            : RS_OK;
	if (option_given(line, "issuer"))
		out->issuer = option_value(line, "issuer");
	if (asks || must_ask)
		RS_TRY(option_purpose(line, &out->purpose, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, &out->node, err));
	out->asks = asks || must_ask;
	return out->asks ? session_actor(line, out->node, &out->actor, err) : RS_OK;
}

void sealing_finish(struct sealing *sealing)
{
	rs_free(sealing->sources);
	rs_free(sealing->rows);
	rs_actor_close(sealing->actor);
	session_node_close(&sealing->node);
}

static enum rs_code make_rows(struct sealing *sealing, size_t count, struct rs_error *err)
{
	sealing->sources = rs_allocate_array(count, sizeof *sealing->sources);
	sealing->rows = rs_allocate_array(count, sizeof *sealing->rows);
	return sealing->sources && sealing->rows
	               ? RS_OK
	               : rs_error_memory(err, count * sizeof *sealing->sources, "rows");
}

static enum rs_code ask_for_rows(const struct sealing *sealing, struct rs_error *err)
{
	if (sealing->asks)
		RS_TRY(rs_node_permit_rows(sealing->node, sealing->actor, sealing->sources, sealing->count,
		                           sealing->purpose, sealing->operation, err));
	rs_node_rest(sealing->node); /* what is sealed takes its time to be made */
	return RS_OK;
}

enum rs_code sealing_permit(struct sealing *sealing, const struct rs_row_origin *origins, size_t count,
                            struct rs_error *err)
{
	if (!sealing->node)
		return RS_OK;
	RS_TRY(make_rows(sealing, count, err));
	for (; sealing->count < count; sealing->count++) {
		const struct rs_row_origin *origin = &origins[sealing->count];
		sealing->rows[sealing->count] = origin->row;
		RS_TRY(rs_node_find_row(sealing->node, sealing->issuer, origin->id, origin->receipt,
		                        &sealing->sources[sealing->count], err));
	}
	return ask_for_rows(sealing, err);
}

static enum rs_code find_file(struct sealing *sealing, const char *path, struct rs_row_source *out,
                              struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	struct rs_sealed sealed;
	RS_TRY(rs_file_read_all(rs_world_system(), path, PICTURE_MAX, &file, err));
	rs_sha256(rs_buffer_bytes(&file), &digest);
	enum rs_code code = rs_node_sealed(sealing->node, &digest, &sealed, err);
	if (code == RS_NOT_FOUND)
		return RS_OK;
	RS_TRY(code);
	*out = (struct rs_row_source){.known = true,
	                              .has_object = true,
	                              .subject = sealed.subject,
	                              .entry = sealed.entry,
	                              .commitment = sealed.commitment};
	return RS_OK;
}

enum rs_code sealing_permit_files(struct sealing *sealing, const char *const *paths, size_t count,
                                  struct rs_error *err)
{
	if (!sealing->node)
		return RS_OK;
	RS_TRY(make_rows(sealing, count, err));
	for (; sealing->count < count; sealing->count++) {
		sealing->rows[sealing->count] = sealing->count;
		RS_TRY(find_file(sealing, paths[sealing->count], &sealing->sources[sealing->count], err));
	}
	return ask_for_rows(sealing, err);
}

enum rs_code sealing_permit_model(const struct sealing *sealing, const char *path, struct rs_bytes content,
                                  struct rs_error *err)
{
	struct rs_digest digest;
	struct rs_sealed sealed;
	if (!sealing->node)
		return RS_OK;
	rs_sha256(content, &digest);
	enum rs_code code = rs_node_sealed(sealing->node, &digest, &sealed, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(
			err, code,
			"%s: this model is not sealed in the node; radseal train or segment train with --home seals it",
			path);
	RS_TRY(code);
	return rs_node_permit(sealing->node, sealing->actor, &path, 1, sealing->purpose, sealing->operation,
	                      err);
}

/* ---- what was made ---- */

void receipts_finish(struct receipts *receipts)
{
	for (size_t i = 0; i < receipts->count; i++)
		rs_free(receipts->paths[i]);
	rs_free(receipts->paths);
}

struct taking {
	struct receipts *receipts;
	struct rs_error error;
};

static void take_receipt(void *context, const struct rs_admit_result *result)
{
	struct taking *taking = context;
	bool sealed = result->outcome == RS_ADMIT_SEALED || result->outcome == RS_ADMIT_KNOWN;
	char *path = sealed ? rs_str_duplicate(rs_str_from(result->receipt_path)) : NULL;
	if (!path && taking->error.code == RS_OK)
		taking->error = sealed ? (struct rs_error){.code = RS_NO_MEMORY} : result->error;
	taking->receipts->paths[taking->receipts->count++] = path;
}

/* Receipts are added to those that are there. */
static enum rs_code admit(struct sealing *sealing, const struct rs_made *made, size_t count,
                          struct receipts *out, struct rs_error *err)
{
	struct taking taking = {.receipts = out};
	const struct rs_admit_options options = {.report = take_receipt, .context = &taking};
	char **more = rs_reallocate(out->paths, (out->count + count + 1) * sizeof *more);
	if (!more)
		return rs_error_memory(err, count * sizeof *more, "receipts");
	out->paths = more;
	RS_TRY(rs_node_admit_made(sealing->node, made, count, &options, err));
	return taking.error.code == RS_OK ? RS_OK : rs_error_memory(err, count, "receipts");
}

static bool has_parent(const struct rs_buffer *parents, const struct rs_digest *commitment)
{
	for (size_t at = 0; at < parents->size; at += RS_SHA256_SIZE)
		if (memcmp(parents->data + at, commitment->bytes, RS_SHA256_SIZE) == 0)
			return true;
	return false;
}

static void add_parent(struct rs_buffer *parents, const struct rs_digest *commitment)
{
	if (!has_parent(parents, commitment) && parents->size < RS_PARENTS_MAX * RS_SHA256_SIZE)
		rs_buffer_append(parents, commitment->bytes, RS_SHA256_SIZE);
}

static enum rs_code sealed_content(struct sealing *sealing, struct rs_bytes content, struct rs_sealed *out,
                                   struct rs_error *err)
{
	struct rs_digest digest;
	rs_sha256(content, &digest);
	enum rs_code code = rs_node_sealed(sealing->node, &digest, out, err);
	return code == RS_NOT_FOUND ? rs_error_set(err, code, "is not sealed in this node") : code;
}

static enum rs_code read_replaced(struct sealing *sealing, const char *path, struct rs_sealed *out,
                                  struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_MODEL_SIZE_MAX, &file, err));
	if (sealed_content(sealing, rs_buffer_bytes(&file), out, err) != RS_OK)
		return rs_error_context(err, "--replaces %s", path);
	return RS_OK;
}

enum rs_code sealing_model(struct sealing *sealing, const char *replaces, struct rs_bytes model,
                           struct rs_bytes report, bool report_is_json, struct rs_bytes study,
                           struct receipts *out, struct rs_error *err)
{
	struct rs_buffer parents RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_sealed before, own;
	char names[][8] = {"model", "report", "study"};
	rs_buffer_init(&parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	for (size_t i = 0; i < sealing->count; i++)
		if (sealing->sources[i].has_object)
			add_parent(&parents, &sealing->sources[i].commitment);
	struct rs_made made = {.name = names[0],
	                       .kind = RS_OBJECT_MODEL,
	                       .media = RS_MEDIA_MODEL,
	                       .content = model,
	                       .parents = rs_buffer_bytes(&parents)};
	RS_TRY(rs_buffer_check(&parents, "the parents of a model", err));
	if (replaces) {
		RS_TRY(read_replaced(sealing, replaces, &before, err));
		made.previous = &before.commitment;
		made.subject = &before.subject;
	}
	RS_TRY(admit(sealing, &made, 1, out, err));
	RS_TRY(sealed_content(sealing, model, &own, err));
	const struct rs_bytes parent = rs_bytes_of(own.commitment.bytes, RS_SHA256_SIZE);
	const struct rs_made others[] = {
		{names[1], RS_OBJECT_REPORT, report_is_json ? "application/json" : "text/html", report,
	         &own.subject, parent, NULL},
		{names[2], RS_OBJECT_REPORT, "application/yaml", study, &own.subject, parent, NULL},
	};
	return admit(sealing, others, RS_COUNT(others), out, err);
}

enum rs_code sealing_subject(const struct sealing *sealing, const struct rs_pseudonym **out,
                             struct rs_error *err)
{
	*out = NULL;
	for (size_t i = 0; i < sealing->count; i++) {
		const struct rs_pseudonym *own = &sealing->sources[i].subject;
		if (!sealing->sources[i].known)
			continue;
		if (*out && memcmp(*out, own, sizeof *own) != 0)
			return rs_error_set(
				err, RS_REFUSED,
				"the images are of several subjects: what is made of them would be nobody's");
		*out = own;
	}
	return RS_OK;
}

enum rs_code sealing_made(struct sealing *sealing, enum rs_object_kind kind, const char *media,
                          const struct rs_digest *model, struct rs_bytes content, struct receipts *out,
                          struct rs_error *err)
{
	struct rs_buffer parents RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_sealed sealed;
	char name[] = "made";
	struct rs_made made = {.name = name, .kind = kind, .media = media, .content = content};
	rs_buffer_init(&parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	if (model) {
		RS_TRY(rs_node_sealed(sealing->node, model, &sealed, err));
		add_parent(&parents, &sealed.commitment);
		RS_TRY(sealing_subject(sealing, &made.subject, err));
	}
	for (size_t i = 0; i < sealing->count; i++)
		if (sealing->sources[i].has_object)
			add_parent(&parents, &sealing->sources[i].commitment);
	RS_TRY(rs_buffer_check(&parents, "the parents of what was made", err));
	made.parents = rs_buffer_bytes(&parents);
	return admit(sealing, &made, 1, out, err);
}

/* What each prediction is made from, and whose it is: the row's vectors and the model. */
static void origin_of(const struct sealing *sealing, size_t row, size_t *at, struct rs_made *out,
                      struct rs_buffer *parents)
{
	for (; *at < sealing->count && sealing->rows[*at] == row; ++*at) {
		const struct rs_row_source *source = &sealing->sources[*at];
		if (source->known)
			out->subject = &source->subject;
		if (source->has_object)
			add_parent(parents, &source->commitment);
	}
}

struct prediction {
	struct rs_buffer text, parents;
};

static enum rs_code make_prediction(struct rs_bytes head, struct rs_bytes row, const struct rs_sealed *model,
                                    struct prediction *out, struct rs_error *err)
{
	rs_buffer_init(&out->text, PREDICTION_MAX);
	rs_buffer_append_bytes(&out->text, head);
	rs_buffer_append_bytes(&out->text, row);
	rs_buffer_append_text(&out->text, "\n");
	rs_buffer_init(&out->parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	add_parent(&out->parents, &model->commitment);
	return rs_buffer_check(&out->text, "a prediction", err);
}

static enum rs_code admit_predictions(struct sealing *sealing, const struct rs_sealed *model,
                                      struct rs_bytes head, const struct rs_buffer *text, const size_t *ends,
                                      size_t count, struct prediction *predictions, struct receipts *out,
                                      struct rs_error *err)
{
	struct rs_made *made RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *made);
	char name[] = "prediction";
	if (!made)
		return rs_error_memory(err, count * sizeof *made, "predictions");
	for (size_t i = 0, at = 0; i < count; i++) {
		size_t start = i ? ends[i - 1] : 0;
		RS_TRY(make_prediction(head, rs_bytes_of(text->data + start, ends[i] - start), model,
		                       &predictions[i], err));
		made[i] = (struct rs_made){
			.name = name, .kind = RS_OBJECT_PREDICTION, .media = RS_MEDIA_PREDICTION};
		origin_of(sealing, i, &at, &made[i], &predictions[i].parents);
		made[i].content = rs_buffer_bytes(&predictions[i].text);
		made[i].parents = rs_buffer_bytes(&predictions[i].parents);
	}
	return admit(sealing, made, count, out, err);
}

enum rs_code sealing_predictions(struct sealing *sealing, const struct rs_digest *model, struct rs_bytes head,
                                 const struct rs_buffer *text, const size_t *ends, size_t count,
                                 struct receipts *out, struct rs_error *err)
{
	struct rs_sealed sealed;
	RS_TRY(rs_node_sealed(sealing->node, model, &sealed, err));
	struct prediction *predictions = rs_allocate_array(count, sizeof *predictions);
	if (!predictions)
		return rs_error_memory(err, count * sizeof *predictions, "predictions");
	enum rs_code code = admit_predictions(sealing, &sealed, head, text, ends, count, predictions, out,
	                                      err);
	for (size_t i = 0; i < count; i++) {
		rs_buffer_finish(&predictions[i].text);
		rs_buffer_finish(&predictions[i].parents);
	}
	rs_free(predictions);
	return code;
}

/* Seals it, and adds its commitment to the report's parents. */
static enum rs_code admit_volume(struct sealing *sealing, char *path, const struct rs_made *like,
                                 struct rs_buffer *report_parents, struct receipts *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_made made = *like;
	struct rs_sealed sealed;
	RS_TRY(rs_file_read_all(rs_world_system(), path, VOLUME_MAX, &file, err));
	made.name = path;
	made.kind = rs_str_ends_with(rs_str_from(path), "/mask.nii.gz") ? RS_OBJECT_MASK : RS_OBJECT_IMAGE;
	made.content = rs_buffer_bytes(&file);
	RS_TRY(rs_image_inspect(made.content, &made.media, err));
	RS_TRY(admit(sealing, &made, 1, out, err));
	RS_TRY(sealed_content(sealing, made.content, &sealed, err));
	add_parent(report_parents, &sealed.commitment);
	return RS_OK;
}

enum rs_code sealing_prepared(struct sealing *sealing, struct rs_bytes report, char *const *files,
                              size_t count, struct receipts *out, struct rs_error *err)
{
	struct rs_buffer parents RS_CLEANUP(rs_buffer_finish) = {0},
				 volumes RS_CLEANUP(rs_buffer_finish) = {0};
	char name[] = "prepared.json";
	struct rs_made made = {.name = name};
	rs_buffer_init(&parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	rs_buffer_init(&volumes, RS_PARENTS_MAX * RS_SHA256_SIZE);
	RS_TRY(sealing_subject(sealing, &made.subject, err));
	for (size_t i = 0; i < sealing->count; i++)
		if (sealing->sources[i].has_object)
			add_parent(&parents, &sealing->sources[i].commitment);
	made.parents = rs_buffer_bytes(&parents);
	for (size_t i = 0; i < count; i++)
		RS_TRY(admit_volume(sealing, files[i], &made, &volumes, out, err));
	made.kind = RS_OBJECT_REPORT;
	made.media = "application/json";
	made.content = report;
	made.parents = rs_buffer_bytes(&volumes);
	return admit(sealing, &made, 1, out, err);
}
