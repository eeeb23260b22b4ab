/* Records, their commitments, and receipts that open them. */
#include <string.h>

#include "ledger/ledger.h"

#define VERSION 1

enum record_field {
	RECORD_VERSION = 1,
	RECORD_KIND,
	RECORD_SHA256,
	RECORD_SIZE,
	RECORD_MEDIA,
	RECORD_CID,
	RECORD_IDENTIFIERS,
	RECORD_SOURCE
};
enum source_field { SOURCE_TEXT = 1, SOURCE_ENVELOPE };

static void write_source(const struct rs_record *record, struct rs_buffer *out)
{
	rs_cbor_write_u64(out, RECORD_SOURCE);
	rs_cbor_write_map(out, record->envelope.size ? 2 : 1);
	rs_cbor_write_u64(out, SOURCE_TEXT);
	rs_cbor_write_str(out, record->source);
	if (record->envelope.size == 0)
		return;
	rs_cbor_write_u64(out, SOURCE_ENVELOPE);
	rs_cbor_write_bytes(out, record->envelope);
}

enum rs_code rs_record_encode(const struct rs_record *record, struct rs_buffer *out, struct rs_error *err)
{
	size_t identifiers = 0;
	for (size_t i = 0; i < RS_IDENTIFIERS; i++)
		identifiers += record->identifiers[i].size > 0;
	rs_cbor_write_map(out, record->source.size ? 8 : 7);
	rs_cbor_write_u64(out, RECORD_VERSION);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, RECORD_KIND);
	rs_cbor_write_u64(out, record->kind);
	rs_cbor_write_u64(out, RECORD_SHA256);
	rs_cbor_write_bytes(out, rs_bytes_of(record->sha256.bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, RECORD_SIZE);
	rs_cbor_write_u64(out, record->size);
	rs_cbor_write_u64(out, RECORD_MEDIA);
	rs_cbor_write_str(out, record->media);
	rs_cbor_write_u64(out, RECORD_CID);
	rs_cbor_write_bytes(out, record->cid);
	rs_cbor_write_u64(out, RECORD_IDENTIFIERS);
	rs_cbor_write_map(out, identifiers);
	for (size_t i = 0; i < RS_IDENTIFIERS; i++) {
		if (record->identifiers[i].size == 0)
			continue;
		rs_cbor_write_u64(out, i + 1);
		rs_cbor_write_str(out, record->identifiers[i]);
	}
	if (record->source.size)
		write_source(record, out);
	return rs_buffer_check(out, "a record", err);
}

static enum rs_code read_field(struct rs_cbor_reader *reader, enum record_field expected, const char *name,
                               struct rs_error *err)
{
	uint64_t field;
	RS_TRY(rs_cbor_read_u64(reader, name, &field, err));
	return field == expected ? RS_OK : rs_error_set(err, RS_MALFORMED, "record: %s is missing", name);
}

static enum rs_code read_identifiers(struct rs_cbor_reader *reader, struct rs_record *record,
                                     struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_cbor_read_map(reader, "identifiers", &count, err));
	for (size_t i = 0; i < count; i++) {
		uint64_t key;
		RS_TRY(rs_cbor_read_u64(reader, "identifier", &key, err));
		if (key < 1 || key > RS_IDENTIFIERS)
			return rs_error_set(err, RS_MALFORMED, "record: unknown identifier");
		RS_TRY(rs_cbor_read_str(reader, "identifier", &record->identifiers[key - 1], err));
		if (record->identifiers[key - 1].size == 0)
			return rs_error_set(err, RS_MALFORMED, "record: an identifier is empty");
	}
	return RS_OK;
}

static enum rs_code read_source(struct rs_cbor_reader *reader, struct rs_record *record, struct rs_error *err)
{
	size_t count;
	uint64_t text, envelope = SOURCE_ENVELOPE;
	RS_TRY(read_field(reader, RECORD_SOURCE, "source", err));
	RS_TRY(rs_cbor_read_map(reader, "source", &count, err));
	RS_TRY(rs_cbor_read_u64(reader, "source", &text, err));
	RS_TRY(rs_cbor_read_str(reader, "source", &record->source, err));
	if (count == 2) {
		RS_TRY(rs_cbor_read_u64(reader, "envelope", &envelope, err));
		RS_TRY(rs_cbor_read_bytes(reader, "envelope", &record->envelope, err));
	}
	bool sized = record->source.size > 0 && record->source.size <= RS_SOURCE_MAX &&
	             record->envelope.size <= RS_RECORD_ENVELOPE_MAX &&
	             (count == 2) == (record->envelope.size > 0);
	return sized && text == SOURCE_TEXT && envelope == SOURCE_ENVELOPE
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "record: its source is none");
}

enum rs_code rs_record_decode(struct rs_bytes encoded, struct rs_record *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_record record = {.size = 0};
	size_t count;
	uint64_t version, kind;
	RS_TRY(rs_cbor_reader_init(&reader, encoded, err));
	RS_TRY(rs_cbor_read_map(&reader, "record", &count, err));
	RS_TRY(read_field(&reader, RECORD_VERSION, "version", err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	RS_TRY(read_field(&reader, RECORD_KIND, "kind", err));
	RS_TRY(rs_cbor_read_u64(&reader, "kind", &kind, err));
	if ((count != 7 && count != 8) || version != VERSION || kind < RS_OBJECT_IMAGE ||
	    kind > RS_OBJECT_REPORT)
		return rs_error_set(err, RS_MALFORMED, "record: unknown version or kind");
	record.kind = (enum rs_object_kind)kind;
	RS_TRY(read_field(&reader, RECORD_SHA256, "SHA-256", err));
	RS_TRY(rs_cbor_read_fixed(&reader, "SHA-256", record.sha256.bytes, RS_SHA256_SIZE, err));
	RS_TRY(read_field(&reader, RECORD_SIZE, "size", err));
	RS_TRY(rs_cbor_read_u64(&reader, "size", &record.size, err));
	RS_TRY(read_field(&reader, RECORD_MEDIA, "media", err));
	RS_TRY(rs_cbor_read_str(&reader, "media", &record.media, err));
	RS_TRY(read_field(&reader, RECORD_CID, "CID", err));
	RS_TRY(rs_cbor_read_bytes(&reader, "CID", &record.cid, err));
	RS_TRY(read_field(&reader, RECORD_IDENTIFIERS, "identifiers", err));
	RS_TRY(read_identifiers(&reader, &record, err));
	if (count == 8)
		RS_TRY(read_source(&reader, &record, err));
	*out = record;
	return RS_OK;
}

void rs_record_commit(const struct rs_secret *key, struct rs_bytes encoded, struct rs_digest *out)
{
	rs_hmac_sha256(rs_bytes_of(key->bytes, sizeof key->bytes), encoded, out);
}

enum receipt_field {
	RECEIPT_VERSION = 1,
	RECEIPT_ENTRY,
	RECEIPT_INSTANCE,
	RECEIPT_INSTANCES,
	RECEIPT_PATH,
	RECEIPT_KEY,
	RECEIPT_RECORD
};

static void encode(const struct rs_receipt *receipt, struct rs_buffer *out)
{
	rs_cbor_write_map(out, 7);
	rs_cbor_write_u64(out, RECEIPT_VERSION);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, RECEIPT_ENTRY);
	rs_cbor_write_bytes(out, receipt->entry);
	rs_cbor_write_u64(out, RECEIPT_INSTANCE);
	rs_cbor_write_u64(out, receipt->instance);
	rs_cbor_write_u64(out, RECEIPT_INSTANCES);
	rs_cbor_write_u64(out, receipt->instances);
	rs_cbor_write_u64(out, RECEIPT_PATH);
	rs_cbor_write_array(out, receipt->instance_path_count);
	for (size_t i = 0; i < receipt->instance_path_count; i++)
		rs_cbor_write_bytes(out, rs_bytes_of(receipt->instance_path[i].bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, RECEIPT_KEY);
	rs_cbor_write_bytes(out, rs_bytes_of(receipt->key.bytes, RS_KEY_SIZE));
	rs_cbor_write_u64(out, RECEIPT_RECORD);
	rs_cbor_write_bytes(out, receipt->record);
}

enum rs_code rs_receipt_format(const struct rs_receipt *receipt, uint64_t index, const struct rs_digest *path,
                               size_t path_count, struct rs_str checkpoint, struct rs_buffer *out,
                               struct rs_error *err)
{
	struct rs_buffer extra RS_CLEANUP(rs_secret_buffer_finish) = {0};
	rs_buffer_init(&extra, (size_t)64 * 1024);
	encode(receipt, &extra);
	RS_TRY(rs_buffer_check(&extra, "a receipt", err));
	return rs_tlog_proof_format(rs_buffer_bytes(&extra), index, path, path_count, checkpoint, out, err);
}

static enum rs_code receipt_field(struct rs_cbor_reader *reader, enum receipt_field expected,
                                  const char *name, struct rs_error *err)
{
	uint64_t field;
	RS_TRY(rs_cbor_read_u64(reader, name, &field, err));
	return field == expected ? RS_OK : rs_error_set(err, RS_MALFORMED, "receipt: %s is missing", name);
}

static enum rs_code decode_path(struct rs_cbor_reader *reader, struct rs_receipt *receipt,
                                struct rs_error *err)
{
	RS_TRY(rs_cbor_read_array(reader, "path", &receipt->instance_path_count, err));
	if (receipt->instance_path_count > RS_PROOF_HASHES_MAX)
		return rs_error_set(err, RS_MALFORMED, "receipt: its path is longer than any tree needs");
	for (size_t i = 0; i < receipt->instance_path_count; i++)
		RS_TRY(rs_cbor_read_fixed(reader, "path", receipt->instance_path[i].bytes, RS_SHA256_SIZE,
		                          err));
	return RS_OK;
}

static enum rs_code decode(struct rs_bytes extra, struct rs_receipt *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	uint64_t version;
	RS_TRY(rs_cbor_reader_init(&reader, extra, err));
	RS_TRY(rs_cbor_read_map(&reader, "receipt", &count, err));
	RS_TRY(receipt_field(&reader, RECEIPT_VERSION, "version", err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (count != 7 || version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "receipt: unknown version");
	RS_TRY(receipt_field(&reader, RECEIPT_ENTRY, "entry", err));
	RS_TRY(rs_cbor_read_bytes(&reader, "entry", &out->entry, err));
	RS_TRY(receipt_field(&reader, RECEIPT_INSTANCE, "instance", err));
	RS_TRY(rs_cbor_read_u64(&reader, "instance", &out->instance, err));
	RS_TRY(receipt_field(&reader, RECEIPT_INSTANCES, "instances", err));
	RS_TRY(rs_cbor_read_u64(&reader, "instances", &out->instances, err));
	RS_TRY(receipt_field(&reader, RECEIPT_PATH, "path", err));
	RS_TRY(decode_path(&reader, out, err));
	RS_TRY(receipt_field(&reader, RECEIPT_KEY, "key", err));
	RS_TRY(rs_cbor_read_fixed(&reader, "key", out->key.bytes, RS_KEY_SIZE, err));
	RS_TRY(receipt_field(&reader, RECEIPT_RECORD, "record", err));
	return rs_cbor_read_bytes(&reader, "record", &out->record, err);
}

static enum rs_code check_instance(const struct rs_receipt *receipt, const struct rs_act *act,
                                   struct rs_error *err)
{
	struct rs_digest commitment, leaf;
	rs_record_commit(&receipt->key, receipt->record, &commitment);
	rs_leaf_hash(rs_bytes_of(commitment.bytes, RS_SHA256_SIZE), &leaf);
	if (act->type != RS_TRANSACTION_OBJECT_REGISTER || receipt->instances != act->instances ||
	    !rs_inclusion_valid(&leaf, receipt->instance, receipt->instances, receipt->instance_path,
	                        receipt->instance_path_count, &act->commitment))
		return rs_error_set(err, RS_ALTERED,
		                    "the receipt's record is not the one its ledger entry commits to");
	return RS_OK;
}

static enum rs_code check_parts(const struct rs_tlog_proof *proof, const struct rs_trust *trust,
                                struct rs_receipt_facts *facts, struct rs_error *err)
{
	struct rs_receipt receipt = {.instance = 0};
	struct rs_checkpoint checkpoint;
	struct rs_act act;
	struct rs_record record;
	struct rs_digest leaf;
	size_t cosigned;
	RS_TRY(rs_checkpoint_open(proof->checkpoint, trust, &checkpoint, &cosigned, err));
	RS_TRY(decode(rs_buffer_bytes(&proof->extra), &receipt, err));
	rs_leaf_hash(receipt.entry, &leaf);
	if (!rs_inclusion_valid(&leaf, proof->index, checkpoint.size, proof->path, proof->path_count,
	                        &checkpoint.root))
		return rs_error_set(err, RS_ALTERED,
		                    "the receipt's entry is not in the log its checkpoint signs");
	RS_TRY(rs_transaction_verify(receipt.entry, &act, err));
	RS_TRY(check_instance(&receipt, &act, err));
	RS_TRY(rs_record_decode(receipt.record, &record, err));
	*facts = (struct rs_receipt_facts){
		.time_ms = act.time_ms,
		.index = proof->index,
		.tree_size = checkpoint.size,
		.cosigned = cosigned,
		.instance = receipt.instance,
		.instances = receipt.instances,
		.kind = record.kind,
		.signer = act.signer,
		.sha256 = record.sha256,
		.size = record.size,
	};
	memcpy(facts->origin, checkpoint.origin, sizeof facts->origin);
	size_t size = record.media.size < sizeof facts->media - 1 ? record.media.size
	                                                          : sizeof facts->media - 1;
	memcpy(facts->media, record.media.data, size);
	if (record.source.size)
		memcpy(facts->source, record.source.data, record.source.size);
	if (record.envelope.size)
		memcpy(facts->envelope, record.envelope.data, record.envelope.size);
	facts->envelope_size = record.envelope.size;
	rs_secret_finish(&receipt.key);
	return RS_OK;
}

static enum rs_code check_trusted(struct rs_str text, const struct rs_trust *trust,
                                  struct rs_receipt_facts *out, struct rs_error *err)
{
	struct rs_tlog_proof proof RS_CLEANUP(rs_tlog_proof_finish) = {.index = 0};
	struct rs_receipt_facts facts;
	RS_TRY(rs_tlog_proof_parse(text, &proof, err));
	RS_TRY(check_parts(&proof, trust, &facts, err));
	*out = facts;
	return RS_OK;
}

enum rs_code rs_receipt_check(struct rs_str text, const struct rs_note_key *key, struct rs_receipt_facts *out,
                              struct rs_error *err)
{
	const struct rs_trust trust = {.log = *key};
	return check_trusted(text, &trust, out, err);
}

enum rs_code rs_receipt_match_trusted(struct rs_str text, const struct rs_trust *trust,
                                      const struct rs_digest *sha256, uint64_t size,
                                      struct rs_receipt_facts *out, struct rs_error *err)
{
	struct rs_receipt_facts facts;
	RS_TRY(check_trusted(text, trust, &facts, err));
	if (facts.size != size || !rs_digest_equal(&facts.sha256, sha256))
		return rs_error_set(err, RS_ALTERED,
		                    "the file's bytes are not the ones this receipt was made for");
	*out = facts;
	return RS_OK;
}

enum rs_code rs_receipt_match(struct rs_str text, const struct rs_note_key *key,
                              const struct rs_digest *sha256, uint64_t size, struct rs_receipt_facts *out,
                              struct rs_error *err)
{
	const struct rs_trust trust = {.log = *key};
	return rs_receipt_match_trusted(text, &trust, sha256, size, out, err);
}
