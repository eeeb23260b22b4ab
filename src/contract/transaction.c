/* Transactions: an act's bytes in COSE_Sign1. */
#include <string.h>

#include "act.h"

#define COSE_SIGN1_TAG 18
#define COSE_ALGORITHM 1
#define COSE_KID 4
#define COSE_EDDSA (-8)
static const struct rs_str external = {"radseal transaction v1", 22};

void rs_transaction_finish(struct rs_transaction *transaction)
{
	if (transaction)
		rs_buffer_finish(&transaction->entry);
}

static void write_protected(struct rs_buffer *out, const uint8_t key[static RS_KEY_SIZE])
{
	rs_cbor_write_map(out, 2);
	rs_cbor_write_u64(out, COSE_ALGORITHM);
	rs_cbor_write_i64(out, COSE_EDDSA);
	rs_cbor_write_u64(out, COSE_KID);
	rs_cbor_write_bytes(out, rs_bytes_of(key, RS_KEY_SIZE));
}

/* RFC 9052 §4.4: ["Signature1", protected, external_aad, payload]. */
static void write_to_be_signed(struct rs_buffer *out, struct rs_bytes protected_header,
                               struct rs_bytes payload)
{
	rs_cbor_write_array(out, 4);
	rs_cbor_write_str(out, RS_STR("Signature1"));
	rs_cbor_write_bytes(out, protected_header);
	rs_cbor_write_bytes(out, rs_bytes_of_str(external));
	rs_cbor_write_bytes(out, payload);
}

enum rs_code rs_transaction_sign(const struct rs_act *act, const struct rs_signing_key *key,
                                 struct rs_transaction *out, struct rs_error *err)
{
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer header RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer entry;
	uint8_t signature[RS_SIGNATURE_SIZE];
	rs_buffer_init(&payload, RS_ENTRY_SIZE_MAX);
	rs_buffer_init(&header, 64);
	rs_buffer_init(&message, RS_ENTRY_SIZE_MAX);
	rs_buffer_init(&entry, RS_ENTRY_SIZE_MAX);
	rs_act_encode(act, &payload);
	write_protected(&header, key->public_key);
	write_to_be_signed(&message, rs_buffer_bytes(&header), rs_buffer_bytes(&payload));
	RS_TRY(rs_buffer_check(&message, "a transaction", err));
	rs_sign(key, rs_buffer_bytes(&message), signature);
	rs_cbor_write_tag(&entry, COSE_SIGN1_TAG);
	rs_cbor_write_array(&entry, 4);
	rs_cbor_write_bytes(&entry, rs_buffer_bytes(&header));
	rs_cbor_write_map(&entry, 0);
	rs_cbor_write_bytes(&entry, rs_buffer_bytes(&payload));
	rs_cbor_write_bytes(&entry, rs_bytes_of(signature, sizeof signature));
	enum rs_code code = rs_buffer_check(&entry, "a transaction", err);
	if (code == RS_OK) {
		*out = (struct rs_transaction){entry, true};
		return RS_OK;
	}
	rs_buffer_finish(&entry);
	return code;
}

static enum rs_code parse_protected(struct rs_bytes header, struct rs_act *act, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	int64_t algorithm;
	RS_TRY(rs_cbor_reader_init(&reader, header, err));
	RS_TRY(rs_cbor_read_map(&reader, "protected header", &count, err));
	if (count != 2)
		return rs_error_set(err, RS_MALFORMED,
		                    "protected header: it must have an algorithm and a key");
	RS_TRY(act_expect(&reader, "protected header", COSE_ALGORITHM, err));
	RS_TRY(rs_cbor_read_i64(&reader, "algorithm", &algorithm, err));
	if (algorithm != COSE_EDDSA)
		return rs_error_set(err, RS_UNSUPPORTED, "algorithm %lld; only EdDSA (-8) is known",
		                    (long long)algorithm);
	RS_TRY(act_expect(&reader, "protected header", COSE_KID, err));
	return rs_cbor_read_fixed(&reader, "key", act->signer.bytes, RS_KEY_SIZE, err);
}

struct parts {
	struct rs_bytes header, payload, signature;
};

static enum rs_code parse_entry(struct rs_bytes entry, struct parts *parts, struct rs_act *act,
                                struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t tag;
	size_t count;
	if (entry.size > RS_ENTRY_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%zu bytes, at most %d", entry.size,
		                    RS_ENTRY_SIZE_MAX);
	RS_TRY(rs_cbor_reader_init(&reader, entry, err));
	RS_TRY(rs_cbor_read_tag(&reader, "COSE_Sign1", &tag, err));
	RS_TRY(rs_cbor_read_array(&reader, "COSE_Sign1", &count, err));
	if (tag != COSE_SIGN1_TAG || count != 4)
		return rs_error_set(err, RS_MALFORMED, "it is no COSE_Sign1");
	RS_TRY(rs_cbor_read_bytes(&reader, "protected header", &parts->header, err));
	RS_TRY(rs_cbor_read_map(&reader, "unprotected header", &count, err));
	if (count != 0)
		return rs_error_set(err, RS_MALFORMED, "unprotected header: it must be empty");
	RS_TRY(rs_cbor_read_bytes(&reader, "payload", &parts->payload, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "signature", &parts->signature, err));
	if (parts->signature.size != RS_SIGNATURE_SIZE)
		return rs_error_set(err, RS_MALFORMED, "signature: 64 bytes are needed");
	RS_TRY(rs_act_decode(parts->payload, act, err));
	return parse_protected(parts->header, act, err);
}

enum rs_code rs_transaction_parse(struct rs_bytes entry, struct rs_act *out, struct rs_error *err)
{
	struct rs_act act = {.time_ms = 0};
	struct parts parts;
	if (parse_entry(entry, &parts, &act, err) != RS_OK)
		return rs_error_context(err, "transaction");
	*out = act;
	return RS_OK;
}

enum rs_code rs_transaction_verify(struct rs_bytes entry, struct rs_act *out, struct rs_error *err)
{
	struct rs_act act = {.time_ms = 0};
	struct parts parts;
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	if (parse_entry(entry, &parts, &act, err) != RS_OK)
		return rs_error_context(err, "transaction");
	rs_buffer_init(&message, RS_ENTRY_SIZE_MAX + 64);
	write_to_be_signed(&message, parts.header, parts.payload);
	RS_TRY(rs_buffer_check(&message, "a transaction", err));
	if (!rs_signature_valid(act.signer.bytes, rs_buffer_bytes(&message), parts.signature.data))
		return rs_error_set(err, RS_ALTERED, "the transaction's signature does not fit its content");
	*out = act;
	return RS_OK;
}
