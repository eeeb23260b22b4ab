/* Staging one file. The index and the subjects' keys belong to one thread at a time, so they are used
 * under the node's mutex; reading, hashing and encrypting run in parallel. */
#include "stage.h"

#include <string.h>

#include "node/node_room.h"
#include "workflow/workflow_source.h"
#include "workflow/workflow_features.h"

static enum rs_code fail(struct staged *staged, enum rs_admit_outcome outcome, const struct rs_error *reason)
{
	staged->result.outcome = outcome;
	staged->result.error = *reason;
	return RS_OK;
}

/* Failures of one file end that file only; these end the whole command. */
static bool ends_everything(enum rs_code code)
{
	return code == RS_NO_SPACE || code == RS_NO_MEMORY || code == RS_INTERNAL;
}

static enum rs_code failed(struct staged *staged, enum rs_code code, const struct rs_error *reason,
                           struct rs_error *err)
{
	if (ends_everything(code)) {
		if (err)
			*err = *reason;
		return code;
	}
	return fail(staged, RS_ADMIT_FAILED, reason);
}

/* The files that a vector was measured from, as far as they are sealed here: the first one tells whose it is, their
 * entries are its parents (RS_PARENTS_MAX at most; the vector itself names every file), and their study is its study. */
struct looking {
	struct rs_node *node;
	struct staged *staged;
	bool found, several_studies;
};

static bool has_parent(const struct rs_buffer *parents, const struct rs_digest *commitment)
{
	for (size_t at = 0; at < parents->size; at += RS_SHA256_SIZE)
		if (memcmp(parents->data + at, commitment->bytes, RS_SHA256_SIZE) == 0)
			return true;
	return false;
}

/* Files of several studies have none together. */
static void take_study(struct looking *looking, struct rs_str own)
{
	char *study = looking->staged->what.study_instance_uid;
	if (own.size == 0 || own.size >= UID_SIZE || looking->several_studies)
		return;
	looking->several_studies = *study && !rs_str_equal_text(own, study);
	memcpy(study, own.data, own.size);
	study[looking->several_studies ? 0 : own.size] = '\0';
}

static enum rs_code take_parent(struct looking *looking, const struct index_row *row, struct rs_error *err)
{
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer *parents = &looking->staged->parents;
	struct rs_record record;
	struct rs_bytes entry;
	struct rs_act act;
	RS_TRY(rs_ledger_entry(looking->node->ledger, (uint64_t)row->entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	if (has_parent(parents, &act.commitment) || parents->size == RS_PARENTS_MAX * RS_SHA256_SIZE)
		return RS_OK;
	rs_buffer_init(&encoded, 8192);
	RS_TRY(node_open_record(looking->node, row, &encoded, err));
	RS_TRY(rs_record_decode(rs_buffer_bytes(&encoded), &record, err));
	take_study(looking, record.identifiers[2]);
	rs_buffer_append(parents, act.commitment.bytes, RS_SHA256_SIZE);
	return rs_buffer_check(parents, "the parents of a vector", err);
}

static enum rs_code look_at_source(struct looking *looking, const struct rs_digest *locator,
                                   struct rs_error *err)
{
	struct rs_pseudonym *subject = &looking->staged->subject;
	struct index_row row;
	enum rs_code code = index_find_content(looking->node->index,
	                                       rs_bytes_of(locator->bytes, LOCATOR_SIZE), &row, err);
	if (code == RS_NOT_FOUND || (code == RS_OK && row.subject.size != sizeof subject->bytes))
		return RS_OK;
	RS_TRY(code);
	if (!looking->found)
		memcpy(subject->bytes, row.subject.data, row.subject.size);
	looking->found = true;
	/* The record of who was erased does not open any more. */
	code = row.entry < 0 ? RS_NOT_FOUND : take_parent(looking, &row, err);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static enum rs_code look_for_source(void *context, const struct rs_digest *file, struct rs_error *err)
{
	struct looking *looking = context;
	struct rs_digest locator;
	node_locator(looking->node, LOCATOR_CONTENT, rs_bytes_of(file->bytes, RS_SHA256_SIZE), &locator);
	pthread_mutex_lock(&looking->node->mutex);
	enum rs_code code = look_at_source(looking, &locator, err);
	pthread_mutex_unlock(&looking->node->mutex);
	return code;
}

/* DICOM names its patient; a vector of features is of whom its image is. Other files belong to the subject the user
 * named, or each to one of its own, so that erasing one subject never erases another. */
static enum rs_code find_subject(struct rs_node *node, struct staged *staged, const struct source *source,
                                 struct rs_error *err)
{
	const struct classified *what = &staged->what;
	struct looking looking = {.node = node, .staged = staged};
	const char *named = staged->made ? NULL : staged->options->subject;
	char text[2 * RS_SHA256_SIZE + 1];
	rs_buffer_init(&staged->parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	if (staged->made)
		rs_buffer_append_bytes(&staged->parents, staged->made->parents);
	RS_TRY(rs_buffer_check(&staged->parents, "the objects it was made from", err));
	if (staged->made && staged->made->subject) {
		staged->subject = *staged->made->subject;
		return RS_OK;
	}
	if (what->is_features)
		RS_TRY(rs_features_parse(rs_buffer_bytes(&source->memory), look_for_source, &looking, err));
	if (looking.found)
		return RS_OK;
	if (what->patient_id[0])
		return rs_keyring_pseudonym(node->keyring, rs_str_from(what->issuer),
		                            rs_str_from(what->patient_id), &staged->subject, err);
	if (named)
		return rs_keyring_pseudonym(node->keyring, RS_STR(""), rs_str_from(named), &staged->subject,
		                            err);
	if (what->study_instance_uid[0])
		return rs_keyring_pseudonym(node->keyring, RS_STR("radseal:study"),
		                            rs_str_from(what->study_instance_uid), &staged->subject, err);
	rs_hex_encode(rs_bytes_of(staged->content.bytes, RS_SHA256_SIZE), text);
	return rs_keyring_pseudonym(node->keyring, RS_STR("radseal:content"), rs_str_from(text),
	                            &staged->subject, err);
}

static void find_locators(struct rs_node *node, struct staged *staged)
{
	const struct classified *what = &staged->what;
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(staged->content.bytes, RS_SHA256_SIZE),
	             &staged->content_locator);
	if (what->sop_instance_uid[0])
		node_locator(node, LOCATOR_INSTANCE, rs_bytes_of_str(rs_str_from(what->sop_instance_uid)),
		             &staged->identity_locator);
	if (what->series_instance_uid[0])
		node_locator(node, LOCATOR_SERIES, rs_bytes_of_str(rs_str_from(what->series_instance_uid)),
		             &staged->series);
	else
		staged->series = staged->content_locator;
}

/* The receipt of an earlier sealing of the same bytes, for the same subject: that others have them is told to nobody, and
 * erasing a subject takes nothing from another. */
enum rs_code stage_find_earlier(struct rs_node *node, struct staged *staged, bool *out_found,
                                struct rs_error *err)
{
	struct index_row row;
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = index_find_content_of(
		node->index, rs_bytes_of(staged->content_locator.bytes, LOCATOR_SIZE),
		rs_bytes_of(staged->subject.bytes, sizeof staged->subject.bytes), &row, err);
	*out_found = code == RS_OK;
	if (code == RS_OK)
		code = node_receipt_path(node, row.cid, &staged->receipt_path, err);
	pthread_mutex_unlock(&node->mutex);
	if (code == RS_NOT_FOUND)
		return RS_OK;
	RS_TRY(code);
	staged->result.outcome = RS_ADMIT_KNOWN;
	staged->result.receipt_path = staged->receipt_path;
	return RS_OK;
}

static enum rs_code encrypt(struct rs_node *node, struct staged *staged, const struct rs_content *content,
                            struct rs_sha256 *hash, struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret object_key RS_CLEANUP(rs_secret_finish) = {0};
	/* While others may write, no key is made. */
	pthread_mutex_lock(&node->mutex);
	bool here = node->lock != NULL;
	enum rs_code code = rs_subject_key_get(node->subjects, &staged->subject, here, &subject_key, err);
	pthread_mutex_unlock(&node->mutex);
	if (code == RS_NOT_FOUND && !here)
		return rs_error_set(err, RS_BUSY, "a new subject, while others write to the node");
	RS_TRY(code);
	rs_subject_token(&subject_key, &staged->token);
	RS_TRY(rs_world_random(node->world, staged->object_nonce, NONCE_SIZE, err));
	rs_subject_object_key(&subject_key, staged->object_nonce, &object_key);
	pthread_mutex_lock(&node->mutex);
	code = room_take(node, content->size, err);
	pthread_mutex_unlock(&node->mutex);
	RS_TRY(code);
	code = rs_vault_stage_hashing(node->vault, &object_key, staged->object_nonce, content, hash,
	                              &staged->object, &staged->cid, err);
	pthread_mutex_lock(&node->mutex);
	room_written(node, content->size);
	if (code != RS_OK)
		room_recount(node);
	pthread_mutex_unlock(&node->mutex);
	RS_TRY(code);
	staged->staged = true;
	return RS_OK;
}

enum rs_code stage_check_key(struct rs_node *node, const struct staged *staged, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_digest token;
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = rs_subject_key_get(node->subjects, &staged->subject, false, &key, err);
	pthread_mutex_unlock(&node->mutex);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	rs_subject_token(&key, &token);
	if (code == RS_OK && rs_digest_equal(&token, &staged->token))
		return RS_OK;
	return rs_error_set(err, RS_BUSY,
	                    "its subject was erased while it was received, or its key could not be "
	                    "kept; send it again");
}

static enum rs_code stage_content(struct rs_node *node, struct staged *staged, struct source *source,
                                  struct rs_error *err)
{
	bool known;
	RS_TRY(source_hash(source, err));
	staged->content = source->sha256;
	staged->size = staged->result.size = source->size;
	staged->result.media = staged->what.media;
	find_locators(node, staged);
	RS_TRY(find_subject(node, staged, source, err));
	RS_TRY(stage_find_earlier(node, staged, &known, err));
	if (known)
		return RS_OK;
	struct rs_content content = source_content(source);
	RS_TRY(encrypt(node, staged, &content, NULL, err));
	staged->result.outcome = RS_ADMIT_SEALED;
	return RS_OK;
}

enum rs_code stage_arrived(struct rs_node *node, struct staged *staged, const struct rs_content *content,
                           struct rs_sha256 *hash, struct rs_error *err)
{
	struct rs_sha256 own;
	staged->result.path = staged->file->path;
	staged->result.receipt_path = "";
	staged->result.size = staged->size;
	staged->result.media = staged->what.media;
	if (hash)
		own = *hash;
	RS_TRY(find_subject(node, staged, NULL, err)); /* no vector of features: needs no source */
	RS_TRY(encrypt(node, staged, content, hash ? &own : NULL, err));
	if (hash)
		rs_sha256_final(&own, &staged->content);
	staged->result.sha256 = staged->content;
	find_locators(node, staged);
	staged->result.outcome = RS_ADMIT_SEALED;
	return RS_OK;
}

static enum rs_code open_made(struct rs_node *node, struct staged *staged, struct source *out,
                              struct rs_error *err)
{
	const struct rs_made *made = staged->made;
	*out = (struct source){.world = node->world, .path = staged->file->path, .size = made->content.size};
	staged->what = (struct classified){.media = made->media};
	if (strcmp(made->media, "application/dicom") == 0) /* found by what it says of itself, as any other */
		RS_TRY(classify(made->content, &staged->what, err));
	rs_buffer_init(&out->memory, made->content.size + 1);
	if (rs_buffer_append_bytes(&out->memory, made->content) != RS_OK)
		return rs_error_memory(err, made->content.size, "what is sealed");
	return RS_OK;
}

enum rs_code stage_file(struct rs_node *node, struct staged *staged, struct rs_error *err)
{
	const char *path = staged->file->path;
	struct source source RS_CLEANUP(source_finish) = {.file = NULL};
	struct rs_error reason = {0};
	staged->result.path = path;
	staged->result.receipt_path = staged->result.media = "";
	enum rs_code code = staged->made ? open_made(node, staged, &source, &reason)
	                                 : source_open(node->world, path, node->memory_max, &source, &reason);
	if (code == RS_OK && !staged->made)
		code = source_recognise(&source, &staged->what, &reason);
	if (code == RS_UNSUPPORTED && !staged->file->named)
		return fail(staged, RS_ADMIT_SKIPPED, &reason);
	if (code != RS_OK)
		return failed(staged, code, &reason, err);
	code = stage_content(node, staged, &source, &reason);
	if (code != RS_OK) {
		rs_error_context(&reason, "%s", path);
		return failed(staged, code, &reason, err);
	}
	return RS_OK;
}

void staged_finish(struct rs_node *node, struct staged *staged)
{
	if (staged->staged)
		rs_vault_abort(node->vault, staged->object);
	if (staged->staged || staged->result.outcome == RS_ADMIT_FAILED)
		room_recount(node);
	staged->staged = false;
	rs_free(staged->receipt_path);
	staged->receipt_path = NULL;
	rs_buffer_finish(&staged->parents);
	rs_buffer_finish(&staged->envelope);
}
