/* fsck: vault against index against ledger against receipts, every fault named, nothing changed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "node/node_forget.h"
#include "node/node_parts.h"
#include "workflow/workflow_check.h"
#include "node/node_reason.h"

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)

struct checking {
	struct rs_node *node;
	rs_fault_report *report;
	void *context;
	struct rs_check_counts counts;
	struct rs_note_key key;
	uint64_t instances_in_ledger; /* announced by its entries, but for those of erased subjects */
	struct rs_buffer erased;      /* their tokens */
	uint64_t not_catalogued;
};

static void found(struct checking *checking, const char *part, const char *format, ...) RS_PRINTF(3, 4);

static void found(struct checking *checking, const char *part, const char *format, ...)
{
	char sentence[RS_ERROR_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	checking->counts.faults++;
	checking->report(checking->context, part, sentence);
}

/* What tells of altered or missing content is a fault, and the check goes on. */
static enum rs_code judged(struct checking *checking, const char *part, const char *thing, enum rs_code code,
                           const struct rs_error *reason, struct rs_error *err)
{
	switch (code) {
	case RS_OK: return RS_OK;
	case RS_NO_MEMORY:
	case RS_CANCELLED:
	case RS_INTERNAL:
	case RS_BUSY:
		if (err)
			*err = *reason;
		return code;
	default: found(checking, part, "%s%s%s", thing, *thing ? ": " : "", reason->message); return RS_OK;
	}
}

static void ledger_fault(void *context, const char *sentence) { found(context, "ledger", "%s", sentence); }

static enum rs_code count_instances(struct checking *checking, struct rs_error *err)
{
	struct rs_ledger *ledger = checking->node->ledger;
	checking->counts.entries = rs_ledger_size(ledger);
	for (uint64_t index = 0; index < checking->counts.entries; index++) {
		struct rs_bytes entry;
		struct rs_act act;
		struct rs_error reason = {0};
		enum rs_code code = rs_ledger_entry(ledger, index, &entry, &reason);
		if (code == RS_OK)
			code = rs_transaction_parse(entry, &act, &reason);
		/* Altered entries were named by the ledger's own check. */
		if (code == RS_OK && act.type == RS_TRANSACTION_OBJECT_REGISTER &&
		    !erased_tokens_have(&checking->erased, &act.subject))
			checking->instances_in_ledger += act.instances;
		else if (code == RS_NO_MEMORY)
			return rs_error_set(err, code, "%s", reason.message);
		if (code != RS_OK ||
		    (act.type != RS_TRANSACTION_BREAK_GLASS && act.type != RS_TRANSACTION_BREAK_GLASS_REVIEW))
			continue;
		char thing[32];
		snprintf(thing, sizeof thing, "entry %" PRIu64, index);
		code = node_check_reason(checking->node, &act, &reason);
		RS_TRY(judged(checking, "reasons", thing, code, &reason, err));
	}
	return RS_OK;
}

/* Of an erased subject there is no key. */
static enum rs_code check_key(void *context, const struct rs_pseudonym *pseudonym,
                              const struct rs_secret *key, struct rs_error *err RS_UNUSED)
{
	struct checking *checking = context;
	char text[RS_PSEUDONYM_TEXT_SIZE];
	struct rs_digest token;
	rs_subject_token(key, &token);
	rs_pseudonym_format(pseudonym, text);
	if (erased_tokens_have(&checking->erased, &token))
		found(checking, "subjects", "subject %s was erased, and its key is there", text);
	return RS_OK;
}

static enum rs_code subject_fault(void *context, const char *finding, struct rs_error *err RS_UNUSED)
{
	found(context, "subjects", "%s", finding);
	return RS_OK;
}

/* The row's own columns against its decrypted record. */
static enum rs_code check_columns(struct checking *checking, const struct index_row *row,
                                  const struct rs_record *record, struct rs_error *err)
{
	struct rs_digest content, identity;
	struct rs_str instance = record->identifiers[0];
	node_locator(checking->node, LOCATOR_CONTENT, rs_bytes_of(record->sha256.bytes, RS_SHA256_SIZE),
	             &content);
	node_locator(checking->node, LOCATOR_INSTANCE, rs_bytes_of_str(instance), &identity);
	struct rs_bytes expected = {identity.bytes, instance.size ? RS_SHA256_SIZE : 0};
	if (!rs_bytes_equal(row->content_locator, rs_bytes_of(content.bytes, RS_SHA256_SIZE)) ||
	    !rs_bytes_equal(row->identity_locator, expected) || row->size != record->size ||
	    !rs_bytes_equal(row->cid, record->cid))
		return rs_error_set(err, RS_ALTERED, "its columns are not what its record says");
	return RS_OK;
}

static enum rs_code check_place(struct checking *checking, const struct index_row *row, struct rs_error *err)
{
	uint64_t entry;
	if (row->transaction_id.size != TRANSACTION_ID_SIZE)
		return rs_error_set(err, RS_ALTERED, "its transaction's id is none");
	enum rs_code code = rs_ledger_find(checking->node->ledger, row->transaction_id.data, &entry, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(
			err, RS_ALTERED,
			row->entry < 0 ? "sealing it was interrupted; the next radseal seal takes it back"
				       : "the ledger does not know its transaction");
	RS_TRY(code);
	if (row->entry < 0)
		return rs_error_set(err, RS_ALTERED,
		                    "sealing it was interrupted after the ledger took it; the next radseal "
		                    "seal completes it");
	if (row->entry != (int64_t)entry)
		return rs_error_set(err, RS_ALTERED, "the ledger has its transaction at another place");
	return RS_OK;
}

/* Whose it is on the ledger. Entries from before subjects stood there name none. */
static enum rs_code check_subject(struct checking *checking, const struct index_row *row,
                                  const struct rs_record *record, struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_digest token, study;
	struct rs_bytes entry;
	struct rs_act act;
	RS_TRY(rs_ledger_entry(checking->node->ledger, (uint64_t)row->entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	if (rs_digest_equal(&act.subject, &(struct rs_digest){{0}}))
		return RS_OK;
	RS_TRY(node_subject_key(checking->node, row->subject, false, &subject_key, err));
	rs_subject_token(&subject_key, &token);
	node_commitment(&subject_key, RS_COMMITMENT_STUDY, record->identifiers[2], &study);
	if (!rs_digest_equal(&act.subject, &token) || !rs_digest_equal(&act.study, &study))
		return rs_error_set(err, RS_ALTERED, "its entry names another subject or study");
	return RS_OK;
}

static enum rs_code check_row_object(struct checking *checking, const struct index_row *row,
                                     const struct rs_record *record, struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret object_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_object_facts facts;
	struct rs_cid cid;
	if (!rs_cid_from_bytes(row->cid, &cid) || row->object_nonce.size != NONCE_SIZE)
		return rs_error_set(err, RS_ALTERED, "its address or nonce is none");
	RS_TRY(node_subject_key(checking->node, row->subject, false, &subject_key, err));
	rs_subject_object_key(&subject_key, row->object_nonce.data, &object_key);
	RS_TRY(rs_vault_check(checking->node->vault, &cid, &object_key, &facts, err));
	if (!rs_digest_equal(&facts.sha256, &record->sha256) || facts.size != record->size)
		return rs_error_set(err, RS_ALTERED, "its content is not what its record says");
	if (memcmp(facts.nonce, row->object_nonce.data, NONCE_SIZE) != 0)
		return rs_error_set(err, RS_ALTERED, "its nonce is not the one in the index");
	checking->counts.objects++;
	return RS_OK;
}

static enum rs_code check_receipt_text(struct checking *checking, struct rs_str text,
                                       const struct rs_record *record, struct rs_error *err)
{
	struct rs_receipt_facts facts;
	RS_TRY(rs_receipt_check(text, &checking->key, &facts, err));
	if (!rs_digest_equal(&facts.sha256, &record->sha256))
		return rs_error_set(err, RS_ALTERED, "it is for other content");
	return RS_OK;
}

static enum rs_code check_kept_receipt(struct checking *checking, const struct index_row *row,
                                       const struct rs_record *record, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_receipt_path(checking->node, row->cid, &path, err));
	RS_TRY(rs_file_read_all(checking->node->world, path, RECEIPT_SIZE_MAX, &text, err));
	RS_TRY(check_receipt_text(checking, rs_buffer_str(&text), record, err));
	checking->counts.receipts++;
	return RS_OK;
}

/* The record, its place in the ledger, and the commitment between them (by making the receipt anew). */
static enum rs_code check_record(struct checking *checking, const struct index_row *row,
                                 const struct rs_record *record, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, RECEIPT_SIZE_MAX);
	RS_TRY(check_columns(checking, row, record, err));
	RS_TRY(check_place(checking, row, err));
	RS_TRY(check_subject(checking, row, record, err));
	RS_TRY(node_format_receipt(checking->node, row, &text, err));
	return check_receipt_text(checking, rs_buffer_str(&text), record, err);
}

/* A profile's value: its entry names the object, and no receipt is made. */
static enum rs_code check_value(struct checking *checking, const struct index_row *row,
                                const struct rs_record *record, struct rs_error *err)
{
	struct rs_bytes entry;
	struct rs_act act;
	RS_TRY(check_place(checking, row, err));
	RS_TRY(check_subject(checking, row, record, err));
	RS_TRY(rs_ledger_entry(checking->node->ledger, (uint64_t)row->entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	if (act.type != RS_TRANSACTION_PROFILE_SET || !rs_bytes_equal(row->cid, record->cid) ||
	    !rs_bytes_equal(row->cid, rs_bytes_of(act.locator, sizeof act.locator)))
		return rs_error_set(err, RS_ALTERED, "its entry names another object");
	return check_row_object(checking, row, record, err);
}

/* What it is found by says whose it is, and which. */
static enum rs_code check_catalogued(struct checking *checking, const struct index_row *row,
                                     const struct rs_record *record, struct rs_error *err)
{
	struct rs_catalogue *catalogue = checking->node->catalogue;
	if (!rs_str_equal_text(record->media, "application/dicom"))
		return RS_OK;
	enum rs_code code = catalogue ? rs_catalogue_check_image(catalogue, row->row, row->subject,
	                                                         record->identifiers, err)
	                              : RS_NOT_FOUND;
	checking->not_catalogued += code == RS_NOT_FOUND;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static void catalogue_fault(void *context, const char *sentence)
{
	found(context, "catalogue", "%s", sentence);
}

static enum rs_code check_catalogue(struct checking *checking, struct rs_error *err)
{
	struct rs_catalogue *catalogue;
	struct rs_error reason = {0};
	enum rs_code code = node_catalogue(checking->node, &catalogue, &reason);
	if (code == RS_NOT_FOUND) /* told when it is missed */
		return RS_OK;
	if (code == RS_OK)
		code = rs_catalogue_check(catalogue, catalogue_fault, checking, &reason);
	return judged(checking, "catalogue", "", code, &reason, err);
}

static enum rs_code check_row(void *context, const struct index_row *row, struct rs_error *err)
{
	struct checking *checking = context;
	bool is_value = row->instances == 0;
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error reason = {0};
	struct rs_record record;
	char thing[64];
	checking->counts.records += !is_value;
	rs_buffer_init(&encoded, 8192);
	snprintf(thing, sizeof thing, "record %" PRId64, row->row);
	enum rs_code code = node_open_record(checking->node, row, &encoded, &reason);
	if (code == RS_OK)
		code = rs_record_decode(rs_buffer_bytes(&encoded), &record, &reason);
	if (code != RS_OK)
		return judged(checking, "index", thing, code, &reason, err);
	if (is_value) {
		code = check_value(checking, row, &record, &reason);
		return judged(checking, "index", thing, code, &reason, err);
	}
	code = check_record(checking, row, &record, &reason);
	RS_TRY(judged(checking, "index", thing, code, &reason, err));
	code = check_catalogued(checking, row, &record, &reason);
	RS_TRY(judged(checking, "catalogue", thing, code, &reason, err));
	code = check_row_object(checking, row, &record, &reason);
	RS_TRY(judged(checking, "vault", thing, code, &reason, err));
	code = check_kept_receipt(checking, row, &record, &reason);
	return judged(checking, "receipts", thing, code, &reason, err);
}

static enum rs_code check_intent(void *context, struct rs_bytes id RS_UNUSED,
                                 struct rs_bytes transaction RS_UNUSED, struct rs_error *err RS_UNUSED)
{
	found(context, "index", "a sealing was interrupted; the next radseal seal ends it");
	return RS_OK;
}

static enum rs_code check_listed(void *context, const struct rs_cid *cid, struct rs_str name,
                                 struct rs_error *err)
{
	struct checking *checking = context;
	bool known = false;
	if (cid)
		RS_TRY(index_has_object(checking->node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes),
		                        &known, err));
	if (!known)
		found(checking, "vault", RS_STR_FORMAT ": no record knows this file", RS_STR_ARGUMENTS(name));
	return RS_OK;
}

static void audit_fault(void *context, const char *sentence) { found(context, "audit", "%s", sentence); }

/* Derived from the ledger, so it is checked last and only where there is one. */
static enum rs_code check_audit(struct checking *checking, struct rs_error *err)
{
	struct rs_node *node = checking->node;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_audit *audit RS_CLEANUP(rs_audit_close_pointer) = NULL;
	const struct rs_engine engine = rs_ledger_engine(node->ledger);
	struct rs_error reason = {0};
	RS_TRY(node_path(node, "audit.sqlite", &path, err));
	if (!rs_path_exists(node->world, path))
		return RS_OK;
	uint64_t before = checking->counts.faults;
	enum rs_code code = rs_audit_open(node->world, path, &engine, RS_AUDIT_READ, &audit, &reason);
	if (code == RS_OK)
		code = rs_audit_check(audit, audit_fault, checking, &reason);
	if (code == RS_ALTERED && checking->counts.faults > before)
		code = RS_OK;
	return judged(checking, "audit", "audit.sqlite", code, &reason, err);
}

/* Others may write meanwhile: the node is checked as it was at the beginning. */
static enum rs_code check_parts(struct checking *checking, struct rs_error *err)
{
	struct rs_node *node = checking->node;
	struct rs_error reason = {0};
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &checking->key, err));
	/* Its tables may have to be made, which the moment that is looked at does not allow. */
	struct rs_catalogue *catalogue;
	(void)node_catalogue(node, &catalogue, NULL);
	RS_TRY(node_pin(node, err));
	RS_TRY(rs_vault_list(node->vault, check_listed, checking, err));
	node_let_write(node);
	uint64_t before = checking->counts.faults;
	enum rs_code code = rs_ledger_check(node->ledger, ledger_fault, checking, &reason);
	if (code == RS_ALTERED && checking->counts.faults > before)
		code = RS_OK;
	RS_TRY(judged(checking, "ledger", "", code, &reason, err));
	RS_TRY(erased_tokens(node->ledger, false, &checking->erased, err));
	RS_TRY(count_instances(checking, err));
	before = checking->counts.faults;
	code = rs_subject_keys_each(node->subjects, check_key, checking, &reason);
	RS_TRY(code == RS_ALTERED ? RS_OK : judged(checking, "subjects", "", code, &reason, err));
	code = rs_subject_keys_check(node->subjects, subject_fault, checking, &reason);
	if (code == RS_ALTERED && checking->counts.faults > before)
		code = RS_OK;
	RS_TRY(judged(checking, "subjects", "", code, &reason, err));
	code = rs_subject_keys_count(node->subjects, &checking->counts.subjects, &reason);
	RS_TRY(judged(checking, "subjects", "", code, &reason, err));
	RS_TRY(judged(checking, "index", "", index_check_file(node->index, &reason), &reason, err));
	RS_TRY(index_each_intent(node->index, check_intent, checking, err));
	RS_TRY(check_catalogue(checking, err));
	RS_TRY(index_each_row(node->index, check_row, checking, err));
	if (checking->not_catalogued)
		found(checking, "catalogue",
		      "%" PRIu64
		      " records are not found by their attributes: radseal fsck --repair adds them",
		      checking->not_catalogued);
	if (checking->counts.records != checking->instances_in_ledger)
		found(checking, "index",
		      "it has %" PRIu64 " records, the ledger announces %" PRIu64 " instances",
		      checking->counts.records, checking->instances_in_ledger);
	return check_audit(checking, err);
}

enum rs_code rs_node_check(struct rs_node *node, rs_fault_report *report, void *context,
                           struct rs_check_counts *out, struct rs_error *err)
{
	struct checking checking = {.node = node, .report = report, .context = context};
	enum rs_code code = check_parts(&checking, err);
	node_unpin(node);
	rs_buffer_finish(&checking.erased);
	RS_TRY(code);
	*out = checking.counts;
	if (checking.counts.faults)
		return rs_error_set(err, RS_ALTERED, "%" PRIu64 " faults found", checking.counts.faults);
	return RS_OK;
}
