/* What a node answers a device about an envelope. See envelope.h. */
#include <string.h>

#include "envelope/envelope.h"

#define VERSION 1
static const struct rs_str external = {"radseal acknowledgement v1", 26};

enum field { FIELD_VERSION = 1, FIELD_ENVELOPE, FIELD_OUTCOME, FIELD_TIME };

const char *rs_acknowledged_name(enum rs_acknowledged outcome)
{
	static const char *const names[] = {
		[RS_ACKNOWLEDGED_SEALED] = "sealed",           [RS_ACKNOWLEDGED_KNOWN] = "known",
		[RS_ACKNOWLEDGED_QUARANTINED] = "quarantined", [RS_ACKNOWLEDGED_LISTED] = "listed",
		[RS_ACKNOWLEDGED_REFUSED] = "refused",
	};
	return outcome < RS_COUNT(names) && names[outcome] ? names[outcome] : "unknown";
}

enum rs_code rs_acknowledgement_sign(const struct rs_acknowledgement *acknowledgement,
                                     const struct rs_signing_key *node, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_cose_signer signer = rs_cose_signer_of(node);
	rs_buffer_init(&payload, RS_ACKNOWLEDGEMENT_SIZE_MAX);
	rs_cbor_write_map(&payload, 4);
	rs_cbor_write_u64(&payload, FIELD_VERSION);
	rs_cbor_write_u64(&payload, VERSION);
	rs_cbor_write_u64(&payload, FIELD_ENVELOPE);
	rs_cbor_write_bytes(&payload, rs_bytes_of(acknowledgement->envelope.bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(&payload, FIELD_OUTCOME);
	rs_cbor_write_u64(&payload, acknowledgement->outcome);
	rs_cbor_write_u64(&payload, FIELD_TIME);
	rs_cbor_write_u64(&payload, acknowledgement->time_ms);
	RS_TRY(rs_buffer_check(&payload, "an acknowledgement", err));
	return rs_cose_sign1(&signer, external, rs_buffer_bytes(&payload), out, err);
}

static enum rs_code read_payload(struct rs_bytes payload, struct rs_acknowledgement *out,
                                 struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	uint64_t field[4], version, outcome;
	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(rs_cbor_read_map(&reader, "acknowledgement", &count, err));
	if (count != RS_COUNT(field))
		return rs_error_set(err, RS_MALFORMED, "it has %zu fields", count);
	RS_TRY(rs_cbor_read_u64(&reader, "version", &field[0], err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	RS_TRY(rs_cbor_read_u64(&reader, "envelope", &field[1], err));
	RS_TRY(rs_cbor_read_fixed(&reader, "envelope", out->envelope.bytes, RS_SHA256_SIZE, err));
	RS_TRY(rs_cbor_read_u64(&reader, "outcome", &field[2], err));
	RS_TRY(rs_cbor_read_u64(&reader, "outcome", &outcome, err));
	RS_TRY(rs_cbor_read_u64(&reader, "time", &field[3], err));
	RS_TRY(rs_cbor_read_u64(&reader, "time", &out->time_ms, err));
	out->outcome = (enum rs_acknowledged)outcome;
	for (size_t i = 0; i < RS_COUNT(field); i++)
		if (field[i] != i + 1)
			return rs_error_set(err, RS_MALFORMED, "field %zu is missing", i + 1);
	return version == VERSION && outcome >= RS_ACKNOWLEDGED_SEALED && outcome <= RS_ACKNOWLEDGED_REFUSED
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "unknown version or outcome");
}

enum rs_code rs_acknowledgement_verify(struct rs_bytes message, const uint8_t node[static RS_KEY_SIZE],
                                       struct rs_acknowledgement *out, struct rs_error *err)
{
	struct rs_acknowledgement acknowledgement = {.time_ms = 0};
	struct rs_cose_key key = {.algorithm = RS_COSE_EDDSA};
	struct rs_cose_sign1 sign1;
	memcpy(key.bytes, node, RS_KEY_SIZE);
	if (rs_cose_sign1_parse(message, &sign1, err) != RS_OK ||
	    rs_cose_sign1_verify(&sign1, &key, external, err) != RS_OK ||
	    read_payload(sign1.payload, &acknowledgement, err) != RS_OK)
		return rs_error_context(err, "acknowledgement");
	*out = acknowledgement;
	return RS_OK;
}
