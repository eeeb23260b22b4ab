/* Erasing a subject, in an order that a crash at any point leaves either undone or certain to be ended:
 * note in erasing/ → entry in the ledger → key → objects, receipts, rows → traces → proof → certificate → the note goes.
 * Until the entry is in the ledger nothing is lost; from then on node_resume_erasures() ends it. */
#include "erase.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "certificate.h"
#include "contract/contract_subject.h"
#include "node/node_forget.h"
#include "traces.h"

#define NOTE_VERSION 1
#define NOTE_MAX ((size_t)4096)

/* One erasure on its way. The note holds what cannot be found out again once the key is gone. */
struct erasure {
	struct rs_node *node;
	struct rs_node_subject subject;
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	struct rs_erasure_facts facts;
	struct rs_buffer traces, boxes;
};

static void erasure_finish(struct erasure *erasure)
{
	rs_buffer_finish(&erasure->traces);
	rs_buffer_finish(&erasure->boxes);
}

static enum rs_code note_path(const struct rs_node *node, const struct rs_pseudonym *pseudonym, char **out,
                              struct rs_error *err)
{
	char text[RS_PSEUDONYM_TEXT_SIZE], name[16 + RS_PSEUDONYM_TEXT_SIZE];
	rs_pseudonym_format(pseudonym, text);
	snprintf(name, sizeof name, "erasing/%s", text);
	return node_path(node, name, out, err);
}

static enum rs_code write_note(struct erasure *erasure, struct rs_error *err)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	rs_buffer_init(&note, NOTE_MAX);
	rs_cbor_write_array(&note, 7);
	rs_cbor_write_u64(&note, NOTE_VERSION);
	rs_cbor_write_bytes(&note, rs_bytes_of(erasure->subject.token.bytes, RS_SHA256_SIZE));
	rs_cbor_write_bytes(&note, rs_bytes_of(erasure->id, sizeof erasure->id));
	rs_cbor_write_str(&note, rs_str_from(erasure->facts.ground));
	rs_cbor_write_u64(&note, erasure->facts.records);
	rs_cbor_write_u64(&note, erasure->facts.objects);
	rs_cbor_write_u64(&note, erasure->facts.receipts);
	RS_TRY(rs_buffer_check(&note, "the note of an erasure", err));
	RS_TRY(node_path(erasure->node, "erasing", &directory, err));
	RS_TRY(rs_directory_make(erasure->node->world, directory, err));
	RS_TRY(note_path(erasure->node, &erasure->subject.pseudonym, &path, err));
	return rs_file_replace(erasure->node->world, path, rs_buffer_bytes(&note), 0600, err);
}

static enum rs_code read_note(struct erasure *out, struct rs_error *err)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_cbor_reader reader;
	struct rs_str ground;
	uint64_t version;
	size_t count;
	RS_TRY(note_path(out->node, &out->subject.pseudonym, &path, err));
	RS_TRY(rs_file_read_all(out->node->world, path, NOTE_MAX, &note, err));
	RS_TRY(rs_cbor_reader_init(&reader, rs_buffer_bytes(&note), err));
	RS_TRY(rs_cbor_read_array(&reader, "note", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (count != 7 || version != NOTE_VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: no note of version %d", path, NOTE_VERSION);
	RS_TRY(rs_cbor_read_fixed(&reader, "token", out->subject.token.bytes, RS_SHA256_SIZE, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "id", out->id, sizeof out->id, err));
	RS_TRY(rs_cbor_read_str(&reader, "ground", &ground, err));
	if (ground.size >= sizeof out->facts.ground)
		return rs_error_set(err, RS_MALFORMED, "%s: its ground is none", path);
	memcpy(out->facts.ground, ground.data, ground.size);
	RS_TRY(rs_cbor_read_u64(&reader, "records", &out->facts.records, err));
	RS_TRY(rs_cbor_read_u64(&reader, "objects", &out->facts.objects, err));
	return rs_cbor_read_u64(&reader, "receipts", &out->facts.receipts, err);
}

static enum rs_code drop_note(const struct erasure *erasure, struct rs_error *err)
{
	const struct rs_files *files = erasure->node->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(erasure->node, "erasing", &directory, err));
	RS_TRY(note_path(erasure->node, &erasure->subject.pseudonym, &path, err));
	RS_TRY(files->remove(files, path, err));
	return files->sync_directory(files, directory, err);
}

/* What is there before: counted, and kept in memory to look for it and to try to open it afterwards. */
static enum rs_code remember_row(void *context, const struct index_row *row, struct rs_error *err)
{
	struct erasure *erasure = context;
	char *receipt RS_CLEANUP(rs_free_pointer) = NULL;
	uint8_t size[4];
	struct rs_cid cid;
	erasure->facts.records++;
	if (rs_cid_from_bytes(row->cid, &cid)) {
		RS_TRY(node_receipt_path(erasure->node, row->cid, &receipt, err));
		erasure->facts.objects += rs_vault_has(erasure->node->vault, &cid);
		erasure->facts.receipts += rs_path_exists(erasure->node->world, receipt);
	}
	RS_TRY(trace_add(&erasure->traces, row->object_nonce, err));
	RS_TRY(trace_add(&erasure->traces, row->box, err));
	rs_write_be32(size, (uint32_t)row->box.size);
	rs_buffer_append_bytes(&erasure->boxes, row->content_locator);
	rs_buffer_append(&erasure->boxes, size, sizeof size);
	rs_buffer_append_bytes(&erasure->boxes, row->box);
	return rs_buffer_check(&erasure->boxes, "a subject's records", err);
}

static enum rs_code remember_value(void *context, struct rs_bytes value, struct rs_error *err)
{
	struct erasure *erasure = context;
	return trace_add(&erasure->traces, value, err);
}

static enum rs_code remember_catalogue(struct erasure *erasure, struct rs_bytes pseudonym,
                                       struct rs_error *err)
{
	struct rs_catalogue *catalogue;
	RS_TRY(node_catalogue(erasure->node, &catalogue, err));
	return rs_catalogue_traces(catalogue, pseudonym, remember_value, erasure, err);
}

static enum rs_code remember(struct erasure *erasure, struct rs_error *err)
{
	struct rs_bytes pseudonym = {erasure->subject.pseudonym.bytes,
	                             sizeof erasure->subject.pseudonym.bytes};
	struct rs_buffer wrapped RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&erasure->traces, (size_t)1 << 30);
	rs_buffer_init(&erasure->boxes, (size_t)1 << 30);
	rs_buffer_init(&wrapped, 256);
	RS_TRY(trace_add(&erasure->traces, pseudonym, err));
	enum rs_code code = rs_subject_key_wrapped(erasure->node->subjects, &erasure->subject.pseudonym,
	                                           &wrapped, err);
	if (code == RS_OK)
		code = trace_add(&erasure->traces, rs_buffer_bytes(&wrapped), err);
	if (code != RS_OK && code != RS_NOT_FOUND) /* gone already: an erasure that is resumed */
		return code;
	RS_TRY(remember_catalogue(erasure, pseudonym, err));
	return index_each_row_of_subject(erasure->node->index, pseudonym, remember_row, erasure, err);
}

/* No key that is left is the erased one (its token tells), and none opens an old record. */
static enum rs_code try_key(struct erasure *erasure, const struct rs_secret *key, struct rs_error *err)
{
	struct rs_secret index_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_digest token;
	rs_subject_token(key, &token);
	rs_subject_index_key(key, &index_key);
	bool opens = rs_digest_equal(&token, &erasure->subject.token);
	const struct rs_buffer *boxes = &erasure->boxes;
	for (size_t at = 0; !opens && at + LOCATOR_SIZE + 4 <= boxes->size;) {
		struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
		struct rs_bytes locator = {boxes->data + at, LOCATOR_SIZE};
		struct rs_bytes box = {boxes->data + at + LOCATOR_SIZE + 4,
		                       rs_read_be32(boxes->data + at + LOCATOR_SIZE)};
		rs_buffer_init(&plain, box.size);
		opens = rs_box_open(&index_key, locator, box, &plain, NULL) == RS_OK;
		at += LOCATOR_SIZE + 4 + box.size;
	}
	erasure->facts.keys_tried++;
	return opens ? rs_error_set(err, RS_ALTERED, "a key that is left opens what was erased") : RS_OK;
}

static enum rs_code try_subject(void *context, const struct rs_pseudonym *pseudonym RS_UNUSED,
                                const struct rs_secret *key, struct rs_error *err)
{
	return try_key(context, key, err);
}

/* Everything that is left is tried on everything that there was. */
static enum rs_code prove(struct erasure *erasure, struct rs_error *err)
{
	struct rs_node *node = erasure->node;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_bytes pseudonym = {erasure->subject.pseudonym.bytes,
	                             sizeof erasure->subject.pseudonym.bytes};
	struct forgotten left = {.rows = 0};
	erasure->facts.keys_tried = 0;
	enum rs_code code = node_subject_key(node, pseudonym, false, &key, err);
	if (code == RS_OK)
		return rs_error_set(err, RS_ALTERED, "the subject's key is still there");
	if (code != RS_NOT_FOUND)
		return code;
	const struct rs_secret *const own[] = {
		rs_keyring_kek(node->keyring), rs_keyring_seal_secret(node->keyring),
		&rs_keyring_log_key(node->keyring)->seed, &rs_keyring_member_key(node->keyring)->seed};
	for (size_t i = 0; i < RS_COUNT(own); i++)
		RS_TRY(try_key(erasure, own[i], err));
	RS_TRY(rs_subject_keys_each(node->subjects, try_subject, erasure, err));
	RS_TRY(forget_subject(node, &erasure->subject.pseudonym, &left, err));
	if (left.rows || left.objects || left.receipts)
		return rs_error_set(err, RS_ALTERED, "files of the subject were still there");
	return traces_search(node, &erasure->traces, &erasure->facts.bytes_searched, err);
}

static enum rs_code keep_certificate(struct erasure *erasure, struct rs_bytes certificate,
                                     struct rs_error *err)
{
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char name[64];
	snprintf(name, sizeof name, "certificates/erasure-%" PRIu64 ".note", erasure->facts.entry);
	RS_TRY(node_path(erasure->node, "certificates", &directory, err));
	RS_TRY(node_path(erasure->node, name, &path, err));
	RS_TRY(rs_directory_make(erasure->node->world, directory, err));
	return rs_file_replace(erasure->node->world, path, certificate, 0644, err);
}

static enum rs_code time_of_entry(struct erasure *erasure, struct rs_error *err)
{
	struct rs_bytes entry;
	struct rs_act act;
	RS_TRY(rs_ledger_entry(erasure->node->ledger, erasure->facts.entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	rs_format_time_ms(act.time_ms, erasure->facts.erased_at);
	return RS_OK;
}

/* From the entry on. Every step may have been done before. */
static enum rs_code carry_out(struct erasure *erasure, struct rs_buffer *certificate, struct rs_error *err)
{
	struct rs_node *node = erasure->node;
	struct forgotten forgotten = {.rows = 0};
	size_t start = certificate->size;
	enum rs_code code = rs_subject_key_erase(node->subjects, &erasure->subject.pseudonym, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	RS_TRY(forget_subject(node, &erasure->subject.pseudonym, &forgotten, err));
	RS_TRY(index_scrub(node->index, err));
	RS_TRY(prove(erasure, err));
	RS_TRY(time_of_entry(erasure, err));
	RS_TRY(certificate_make(node, &erasure->subject.token, &erasure->facts, certificate, err));
	RS_TRY(keep_certificate(erasure, rs_bytes_of(certificate->data + start, certificate->size - start),
	                        err));
	return drop_note(erasure, err);
}

/* What is decided by the ledger: whether the entry is there. */
static enum rs_code resume(struct erasure *erasure, struct rs_buffer *certificate, struct rs_error *err)
{
	struct rs_erasure_facts noted;
	RS_TRY(read_note(erasure, err));
	enum rs_code code = rs_ledger_find(erasure->node->ledger, erasure->id, &erasure->facts.entry, err);
	if (code == RS_NOT_FOUND)
		return drop_note(erasure, err);
	RS_TRY(code);
	noted = erasure->facts;
	RS_TRY(remember(erasure, err));
	erasure->facts = noted;
	return carry_out(erasure, certificate, err);
}

/* A note that a crash kept from getting its name tells the pseudonym, and is for nothing. */
static enum rs_code remove_unfinished(const struct rs_node *node, struct rs_str name, struct rs_error *err)
{
	const struct rs_files *files = node->world->files;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/erasing/" RS_STR_FORMAT, node->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	return files->remove(files, path, err);
}

static enum rs_code resume_one(void *context, struct rs_str name, enum rs_file_kind kind,
                               struct rs_error *err)
{
	struct erasure erasure RS_CLEANUP(erasure_finish) = {.node = context};
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	if (rs_pseudonym_parse(name, &erasure.subject.pseudonym, NULL) != RS_OK)
		return remove_unfinished(context, name, err);
	rs_buffer_init(&certificate, (size_t)1 << 24);
	return resume(&erasure, &certificate, err);
}

/* What a crash left of a certificate is none, and of a reason would tell its pseudonym. */
static enum rs_code clean(const struct rs_node *node, const char *name, struct rs_error *err)
{
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, name, &directory, err));
	return rs_replaced_clean(node->world, directory, err);
}

enum rs_code node_resume_erasures(struct rs_node *node, struct rs_error *err)
{
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(clean(node, "certificates", err));
	RS_TRY(clean(node, "reasons", err));
	RS_TRY(node_path(node, "erasing", &directory, err));
	if (!rs_path_exists(node->world, directory))
		return RS_OK;
	if (node->world->files->list(node->world->files, directory, resume_one, node, err) != RS_OK)
		return rs_error_context(err, "ending an erasure that was interrupted");
	return RS_OK;
}

static enum rs_code request(struct erasure *erasure, const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_ERASURE, .subject = erasure->subject.token};
	RS_TRY(rs_world_random(erasure->node->world, act.id, sizeof act.id, err));
	memcpy(erasure->id, act.id, sizeof act.id);
	RS_TRY(write_note(erasure, err));
	enum rs_code code = rs_node_transact(erasure->node, actor, &act, &erasure->facts.entry, err);
	if (code == RS_REFUSED)
		(void)drop_note(erasure, NULL); /* what is left of it, the next opening drops */
	return code;
}

/* The entry may be there already: of an erasure that this process began, or that the subject asked for elsewhere. */
static enum rs_code find_entry(struct erasure *erasure, bool *out_found, struct rs_error *err)
{
	struct rs_ledger *ledger = erasure->node->ledger;
	const struct rs_state state = rs_ledger_state(ledger);
	struct rs_subject_facts facts;
	enum rs_code code = rs_contract_subject(&state, &erasure->subject.token, &facts, err);
	*out_found = code == RS_OK && facts.erased;
	if (code != RS_OK || !facts.erased)
		return code == RS_NOT_FOUND ? RS_OK : code;
	for (uint64_t index = rs_ledger_size(ledger); index-- > 0;) {
		struct rs_bytes entry;
		struct rs_act act;
		RS_TRY(rs_ledger_entry(ledger, index, &entry, err));
		RS_TRY(rs_transaction_parse(entry, &act, err));
		if (act.type != RS_TRANSACTION_ERASURE ||
		    !rs_digest_equal(&act.subject, &erasure->subject.token))
			continue;
		memcpy(erasure->id, act.id, sizeof act.id);
		erasure->facts.entry = index;
		return write_note(erasure, err);
	}
	return rs_error_set(err, RS_ALTERED, "the subject is erased, but the log has no entry of it");
}

enum rs_code rs_node_erase(struct rs_node *node, const struct rs_actor *actor, const char *issuer,
                           const char *patient_id, const char *ground, struct rs_buffer *certificate,
                           struct rs_erasure_facts *out, struct rs_error *err)
{
	struct erasure erasure RS_CLEANUP(erasure_finish) = {.node = node};
	bool found;
	if (ground && !rs_erasure_ground_is(ground))
		return rs_error_set(err, RS_USAGE, "'%s' is no ground; --help lists them", ground);
	snprintf(erasure.facts.ground, sizeof erasure.facts.ground, "%s", ground ? ground : "none-stated");
	RS_TRY(node_hold(node, err));
	RS_TRY(rs_node_subject(node, issuer, patient_id, &erasure.subject, err));
	RS_TRY(remember(&erasure, err));
	RS_TRY(find_entry(&erasure, &found, err));
	if (!found)
		RS_TRY(request(&erasure, actor, err));
	RS_TRY(carry_out(&erasure, certificate, err));
	*out = erasure.facts;
	return RS_OK;
}
