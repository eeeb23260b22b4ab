/* Envelopes: their payload, and whose key signs them. See envelope.h. */
#include <string.h>

#include "dicom/dicom.h"
#include "envelope/envelope.h"

#define VERSION 1
#define EMPTY_MAP 0xa0
static const struct rs_str external = {"radseal envelope v1", 19};

enum field {
	FIELD_VERSION = 1,
	FIELD_KIND,
	FIELD_DEVICE,
	FIELD_BOOT,
	FIELD_SEQUENCE,
	FIELD_CAPTURED,
	FIELD_CLOCK,
	FIELD_CLOCK_ERROR,
	FIELD_PREVIOUS,
	FIELD_STUDY,
	FIELD_SERIES,
	FIELD_SOP_CLASS,
	FIELD_SOP_INSTANCE,
	FIELD_SHA256,
	FIELD_LENGTH,
	FIELD_TRANSFER_SYNTAX,
	FIELD_LISTED
};

const char *rs_clock_quality_name(enum rs_clock_quality quality)
{
	switch (quality) {
#define CLOCK_CASE(member, number, name) \
	case RS_CLOCK_##member: return name;
		RS_CLOCK_QUALITIES(CLOCK_CASE)
#undef CLOCK_CASE
	default: return "unknown";
	}
}

bool rs_device_name_valid(struct rs_str name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return name.size > 0 && name.size <= RS_DEVICE_NAME_MAX;
}

static bool has_previous(const struct rs_envelope *envelope)
{
	static const struct rs_digest none;
	return !rs_digest_equal(&envelope->previous, &none);
}

static void write_text(struct rs_buffer *out, enum field field, struct rs_str value)
{
	rs_cbor_write_u64(out, field);
	rs_cbor_write_str(out, value);
}

static void write_number(struct rs_buffer *out, enum field field, uint64_t value)
{
	rs_cbor_write_u64(out, field);
	rs_cbor_write_u64(out, value);
}

static void write_digest(struct rs_buffer *out, enum field field, const struct rs_digest *value)
{
	rs_cbor_write_u64(out, field);
	rs_cbor_write_bytes(out, rs_bytes_of(value->bytes, RS_SHA256_SIZE));
}

static void write_payload(const struct rs_envelope *envelope, const struct rs_listed *listed,
                          struct rs_buffer *out)
{
	const bool is_instance = envelope->kind == RS_ENVELOPE_INSTANCE;
	rs_cbor_write_map(out, (is_instance ? 15u : 11u) + has_previous(envelope));
	write_number(out, FIELD_VERSION, VERSION);
	write_number(out, FIELD_KIND, envelope->kind);
	write_text(out, FIELD_DEVICE, envelope->device);
	rs_cbor_write_u64(out, FIELD_BOOT);
	rs_cbor_write_bytes(out, rs_bytes_of(envelope->boot, RS_BOOT_SIZE));
	write_number(out, FIELD_SEQUENCE, envelope->sequence);
	write_number(out, FIELD_CAPTURED, envelope->captured_ms);
	write_number(out, FIELD_CLOCK, envelope->clock);
	write_number(out, FIELD_CLOCK_ERROR, envelope->clock_error_ms);
	if (has_previous(envelope))
		write_digest(out, FIELD_PREVIOUS, &envelope->previous);
	write_text(out, FIELD_STUDY, envelope->study);
	write_text(out, FIELD_SERIES, envelope->series);
	if (is_instance) {
		write_text(out, FIELD_SOP_CLASS, envelope->sop_class);
		write_text(out, FIELD_SOP_INSTANCE, envelope->sop_instance);
		write_digest(out, FIELD_SHA256, &envelope->sha256);
		write_number(out, FIELD_LENGTH, envelope->length);
		write_text(out, FIELD_TRANSFER_SYNTAX, envelope->transfer_syntax);
		return;
	}
	rs_cbor_write_u64(out, FIELD_LISTED);
	rs_cbor_write_array(out, envelope->listed_count);
	for (size_t i = 0; i < envelope->listed_count; i++) {
		rs_cbor_write_array(out, 2);
		rs_cbor_write_str(out, listed[i].sop_instance);
		rs_cbor_write_bytes(out, rs_bytes_of(listed[i].sha256.bytes, RS_SHA256_SIZE));
	}
}

enum rs_code rs_envelope_sign(const struct rs_envelope *envelope, const struct rs_listed *listed,
                              const struct rs_cose_signer *signer, struct rs_buffer *out,
                              struct rs_error *err)
{
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_envelope again;
	size_t before = out->size;
	rs_buffer_init(&payload, RS_MANIFEST_SIZE_MAX);
	write_payload(envelope, listed, &payload);
	RS_TRY(rs_buffer_check(&payload, "an envelope", err));
	RS_TRY(rs_cose_sign1(signer, external, rs_buffer_bytes(&payload), out, err));
	/* What nobody could read back is not signed. */
	if (rs_envelope_parse(rs_bytes_of(out->data + before, out->size - before), &again, err) == RS_OK)
		return RS_OK;
	out->size = before;
	(void)rs_error_context(err, "an envelope cannot be made of this");
	return RS_USAGE;
}

static enum rs_code expect(struct rs_cbor_reader *reader, enum field field, const char *name,
                           struct rs_error *err)
{
	uint64_t found;
	RS_TRY(rs_cbor_read_u64(reader, name, &found, err));
	return found == (uint64_t)field ? RS_OK
	                                : rs_error_set(err, RS_MALFORMED, "field %llu stands where %s must",
	                                               (unsigned long long)found, name);
}

static enum rs_code read_number(struct rs_cbor_reader *reader, enum field field, const char *name,
                                uint64_t most, uint64_t *out, struct rs_error *err)
{
	RS_TRY(expect(reader, field, name, err));
	RS_TRY(rs_cbor_read_u64(reader, name, out, err));
	return *out <= most ? RS_OK : rs_error_set(err, RS_MALFORMED, "%s is too large", name);
}

static enum rs_code read_uid(struct rs_cbor_reader *reader, enum field field, const char *name,
                             struct rs_str *out, struct rs_error *err)
{
	RS_TRY(expect(reader, field, name, err));
	RS_TRY(rs_cbor_read_str(reader, name, out, err));
	return rs_dicom_uid_valid(*out) ? RS_OK : rs_error_set(err, RS_MALFORMED, "%s is no UID", name);
}

static enum rs_code read_previous(struct rs_cbor_reader *reader, struct rs_envelope *out,
                                  struct rs_error *err)
{
	RS_TRY(expect(reader, FIELD_PREVIOUS, "previous", err));
	RS_TRY(rs_cbor_read_fixed(reader, "previous", out->previous.bytes, RS_SHA256_SIZE, err));
	return has_previous(out) ? RS_OK : rs_error_set(err, RS_MALFORMED, "previous is zeros");
}

static enum rs_code read_common(struct rs_cbor_reader *reader, bool previous, struct rs_envelope *out,
                                struct rs_error *err)
{
	uint64_t number;
	RS_TRY(expect(reader, FIELD_DEVICE, "device", err));
	RS_TRY(rs_cbor_read_str(reader, "device", &out->device, err));
	if (!rs_device_name_valid(out->device))
		return rs_error_set(err, RS_MALFORMED,
		                    "device: a name has 1 to %d letters, digits, '-', '_' or '.'",
		                    RS_DEVICE_NAME_MAX);
	RS_TRY(expect(reader, FIELD_BOOT, "boot", err));
	RS_TRY(rs_cbor_read_fixed(reader, "boot", out->boot, RS_BOOT_SIZE, err));
	/* SQLite's integers, in which they are remembered, are signed. */
	RS_TRY(read_number(reader, FIELD_SEQUENCE, "sequence", INT64_MAX, &out->sequence, err));
	RS_TRY(read_number(reader, FIELD_CAPTURED, "captured", INT64_MAX, &out->captured_ms, err));
	RS_TRY(read_number(reader, FIELD_CLOCK, "clock", RS_CLOCK_QUALITY_COUNT - 1, &number, err));
	out->clock = (enum rs_clock_quality)number;
	RS_TRY(read_number(reader, FIELD_CLOCK_ERROR, "clock error", INT64_MAX, &out->clock_error_ms, err));
	if (out->sequence == 0)
		return rs_error_set(err, RS_MALFORMED, "sequence: it begins with 1");
	if (previous)
		RS_TRY(read_previous(reader, out, err));
	RS_TRY(read_uid(reader, FIELD_STUDY, "StudyInstanceUID", &out->study, err));
	return read_uid(reader, FIELD_SERIES, "SeriesInstanceUID", &out->series, err);
}

static enum rs_code read_instance(struct rs_cbor_reader *reader, struct rs_envelope *out,
                                  struct rs_error *err)
{
	RS_TRY(read_uid(reader, FIELD_SOP_CLASS, "SOPClassUID", &out->sop_class, err));
	RS_TRY(read_uid(reader, FIELD_SOP_INSTANCE, "SOPInstanceUID", &out->sop_instance, err));
	RS_TRY(expect(reader, FIELD_SHA256, "SHA-256", err));
	RS_TRY(rs_cbor_read_fixed(reader, "SHA-256", out->sha256.bytes, RS_SHA256_SIZE, err));
	RS_TRY(read_number(reader, FIELD_LENGTH, "length", INT64_MAX, &out->length, err));
	return read_uid(reader, FIELD_TRANSFER_SYNTAX, "TransferSyntaxUID", &out->transfer_syntax, err);
}

static enum rs_code read_listed(struct rs_cbor_reader *reader, struct rs_listed *out, struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_cbor_read_array(reader, "an instance", &count, err));
	if (count != 2)
		return rs_error_set(err, RS_MALFORMED, "an instance is listed by its UID and SHA-256");
	RS_TRY(rs_cbor_read_str(reader, "SOPInstanceUID", &out->sop_instance, err));
	if (!rs_dicom_uid_valid(out->sop_instance))
		return rs_error_set(err, RS_MALFORMED, "SOPInstanceUID is no UID");
	return rs_cbor_read_fixed(reader, "SHA-256", out->sha256.bytes, RS_SHA256_SIZE, err);
}

static enum rs_code read_manifest(struct rs_cbor_reader *reader, struct rs_envelope *out,
                                  struct rs_error *err)
{
	struct rs_listed listed;
	size_t start;
	RS_TRY(expect(reader, FIELD_LISTED, "instances", err));
	start = reader->position;
	RS_TRY(rs_cbor_read_array(reader, "instances", &out->listed_count, err));
	if (out->listed_count == 0 || out->listed_count > RS_MANIFEST_INSTANCES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a manifest lists 1 to %zu instances, not %zu",
		                    RS_MANIFEST_INSTANCES_MAX, out->listed_count);
	for (size_t i = 0; i < out->listed_count; i++)
		RS_TRY(read_listed(reader, &listed, err));
	out->listed = rs_bytes_of(reader->input.data + start, reader->position - start);
	return RS_OK;
}

static enum rs_code read_payload(struct rs_bytes payload, struct rs_envelope *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	uint64_t number;
	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(rs_cbor_read_map(&reader, "envelope", &count, err));
	RS_TRY(read_number(&reader, FIELD_VERSION, "version", UINT64_MAX, &number, err));
	if (number != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "version %llu; only %d is known",
		                    (unsigned long long)number, VERSION);
	RS_TRY(read_number(&reader, FIELD_KIND, "kind", UINT64_MAX, &number, err));
	if (number != RS_ENVELOPE_INSTANCE && number != RS_ENVELOPE_MANIFEST)
		return rs_error_set(err, RS_UNSUPPORTED, "kind %llu is unknown", (unsigned long long)number);
	out->kind = (enum rs_envelope_kind)number;
	size_t least = out->kind == RS_ENVELOPE_INSTANCE ? 15 : 11;
	if (count != least && count != least + 1)
		return rs_error_set(err, RS_MALFORMED, "it has %zu fields", count);
	RS_TRY(read_common(&reader, count == least + 1, out, err));
	return out->kind == RS_ENVELOPE_INSTANCE ? read_instance(&reader, out, err)
	                                         : read_manifest(&reader, out, err);
}

/* {1: algorithm, 4: kid}, and of ES256 "key": x ‖ y that the kid is the thumbprint of. */
static enum rs_code read_header(const struct rs_cose_sign1 *sign1, struct rs_cose_key *out_key,
                                struct rs_member_key *out_kid, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_member_key kid;
	struct rs_str name;
	int64_t label;
	size_t count;
	bool is_p256 = sign1->algorithm == RS_COSE_ES256;
	*out_key = (struct rs_cose_key){.algorithm = sign1->algorithm};
	RS_TRY(rs_cbor_reader_init(&reader, sign1->header, err));
	RS_TRY(rs_cbor_read_map(&reader, "protected header", &count, err));
	RS_TRY(rs_cbor_skip(&reader, NULL, err));
	RS_TRY(rs_cbor_skip(&reader, NULL, err));
	if (count != (is_p256 ? 3u : 2u))
		return rs_error_set(err, RS_MALFORMED, "protected header: it has %zu fields", count);
	RS_TRY(rs_cbor_read_i64(&reader, "protected header", &label, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "kid", out_kid->bytes, RS_KEY_SIZE, err));
	if (is_p256) {
		RS_TRY(rs_cbor_read_str(&reader, "protected header", &name, err));
		RS_TRY(rs_cbor_read_fixed(&reader, "key", out_key->bytes, RS_P256_SIZE, err));
		if (!rs_str_equal_text(name, "key"))
			return rs_error_set(err, RS_MALFORMED, "protected header: there is no key");
	} else {
		memcpy(out_key->bytes, out_kid->bytes, RS_KEY_SIZE);
	}
	rs_cose_key_id(out_key, &kid);
	if (label != 4 || !rs_member_key_equal(&kid, out_kid))
		return rs_error_set(err, RS_MALFORMED, "protected header: the kid is not the key's");
	return RS_OK;
}

static enum rs_code parse(struct rs_bytes message, struct rs_cose_sign1 *sign1, struct rs_cose_key *key,
                          struct rs_envelope *out, struct rs_error *err)
{
	if (message.size > RS_MANIFEST_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%zu bytes, at most %zu", message.size,
		                    RS_MANIFEST_SIZE_MAX);
	RS_TRY(rs_cose_sign1_parse(message, sign1, err));
	RS_TRY(read_header(sign1, key, &out->signer, err));
	RS_TRY(read_payload(sign1->payload, out, err));
	if (out->kind == RS_ENVELOPE_INSTANCE && message.size > RS_ENVELOPE_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%zu bytes of an instance, at most %zu", message.size,
		                    RS_ENVELOPE_SIZE_MAX);
	/* What is outside the signature says nothing. */
	if (sign1->unprotected.size != 1 || sign1->unprotected.data[0] != EMPTY_MAP)
		return rs_error_set(err, RS_MALFORMED, "the unprotected header must be empty");
	return RS_OK;
}

enum rs_code rs_envelope_parse(struct rs_bytes message, struct rs_envelope *out, struct rs_error *err)
{
	struct rs_envelope envelope = {.sequence = 0};
	struct rs_cose_sign1 sign1;
	struct rs_cose_key key;
	if (parse(message, &sign1, &key, &envelope, err) != RS_OK)
		return rs_error_context(err, "envelope");
	*out = envelope;
	return RS_OK;
}

enum rs_code rs_envelope_verify(struct rs_bytes message, struct rs_envelope *out, struct rs_error *err)
{
	struct rs_envelope envelope = {.sequence = 0};
	struct rs_cose_sign1 sign1;
	struct rs_cose_key key;
	if (parse(message, &sign1, &key, &envelope, err) != RS_OK ||
	    rs_cose_sign1_verify(&sign1, &key, external, err) != RS_OK)
		return rs_error_context(err, "envelope");
	*out = envelope;
	return RS_OK;
}

enum rs_code rs_envelope_each(const struct rs_envelope *manifest, rs_listed_visit *visit, void *context,
                              struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_listed listed;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, manifest->listed, err));
	RS_TRY(rs_cbor_read_array(&reader, "instances", &count, err));
	for (size_t i = 0; i < count; i++) {
		RS_TRY(read_listed(&reader, &listed, err));
		RS_TRY(visit(context, &listed, err));
	}
	return RS_OK;
}
