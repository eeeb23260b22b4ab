/* Proofs of the verifiable map as bytes. */
#include <string.h>

#include "ledger/ledger_map.h"

#define VERSION 1

enum proof_field { PROOF_VERSION = 1, PROOF_SIBLINGS, PROOF_OTHER };

static bool is_nothing(const struct rs_digest *digest)
{
	static const struct rs_digest nothing;
	return rs_digest_equal(digest, &nothing);
}

static void write_digest(struct rs_buffer *out, const struct rs_digest *digest)
{
	rs_cbor_write_bytes(out, rs_bytes_of(digest->bytes, RS_SHA256_SIZE));
}

enum rs_code rs_map_proof_encode(const struct rs_map_proof *proof, struct rs_buffer *out,
                                 struct rs_error *err)
{
	rs_cbor_write_map(out, proof->has_other ? 3 : 2);
	rs_cbor_write_u64(out, PROOF_VERSION);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, PROOF_SIBLINGS);
	rs_cbor_write_array(out, proof->count);
	for (size_t i = 0; i < proof->count; i++) {
		if (is_nothing(&proof->siblings[i]))
			rs_cbor_write_bytes(out, rs_bytes_of("", 0));
		else
			write_digest(out, &proof->siblings[i]);
	}
	if (proof->has_other) {
		rs_cbor_write_u64(out, PROOF_OTHER);
		rs_cbor_write_array(out, 2);
		write_digest(out, &proof->other_path);
		write_digest(out, &proof->other_value);
	}
	return rs_buffer_check(out, "a proof", err);
}

static enum rs_code expect(struct rs_cbor_reader *reader, const char *field, uint64_t value,
                           struct rs_error *err)
{
	uint64_t found;
	RS_TRY(rs_cbor_read_u64(reader, field, &found, err));
	return found == value ? RS_OK : rs_error_set(err, RS_MALFORMED, "%s: unknown, or missing", field);
}

static enum rs_code read_sibling(struct rs_cbor_reader *reader, struct rs_digest *out, struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_cbor_read_bytes(reader, "sibling", &bytes, err));
	if (bytes.size != 0 && bytes.size != RS_SHA256_SIZE)
		return rs_error_set(err, RS_MALFORMED, "sibling: 32 bytes, or none");
	memset(out->bytes, 0, RS_SHA256_SIZE);
	if (bytes.size)
		memcpy(out->bytes, bytes.data, RS_SHA256_SIZE);
	/* Nothing has one form only. */
	return bytes.size && is_nothing(out) ? rs_error_set(err, RS_MALFORMED, "sibling: it is all zero")
	                                     : RS_OK;
}

static enum rs_code read_other(struct rs_cbor_reader *reader, struct rs_map_proof *proof,
                               struct rs_error *err)
{
	size_t count;
	RS_TRY(expect(reader, "other leaf", PROOF_OTHER, err));
	RS_TRY(rs_cbor_read_array(reader, "other leaf", &count, err));
	if (count != 2)
		return rs_error_set(err, RS_MALFORMED, "other leaf: a path and a value are needed");
	proof->has_other = true;
	RS_TRY(rs_cbor_read_fixed(reader, "other leaf", proof->other_path.bytes, RS_SHA256_SIZE, err));
	return rs_cbor_read_fixed(reader, "other leaf", proof->other_value.bytes, RS_SHA256_SIZE, err);
}

static enum rs_code decode(struct rs_bytes encoded, struct rs_map_proof *proof, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t fields;
	RS_TRY(rs_cbor_reader_init(&reader, encoded, err));
	RS_TRY(rs_cbor_read_map(&reader, "proof", &fields, err));
	if (fields != 2 && fields != 3)
		return rs_error_set(err, RS_MALFORMED, "two or three fields are needed");
	RS_TRY(expect(&reader, "version", PROOF_VERSION, err));
	RS_TRY(expect(&reader, "version", VERSION, err));
	RS_TRY(expect(&reader, "siblings", PROOF_SIBLINGS, err));
	RS_TRY(rs_cbor_read_array(&reader, "siblings", &proof->count, err));
	if (proof->count > RS_MAP_DEPTH_MAX)
		return rs_error_set(err, RS_MALFORMED, "siblings: more than %d", RS_MAP_DEPTH_MAX);
	for (size_t i = 0; i < proof->count; i++)
		RS_TRY(read_sibling(&reader, &proof->siblings[i], err));
	return fields == 3 ? read_other(&reader, proof, err) : RS_OK;
}

enum rs_code rs_map_proof_decode(struct rs_bytes encoded, struct rs_map_proof *out, struct rs_error *err)
{
	struct rs_map_proof proof = {.count = 0};
	if (decode(encoded, &proof, err) != RS_OK)
		return rs_error_context(err, "proof of the map");
	*out = proof;
	return RS_OK;
}
