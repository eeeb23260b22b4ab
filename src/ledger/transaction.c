/* Transactions: deterministic CBOR in COSE_Sign1. */
#include <string.h>

#include "ledger/ledger.h"

#define COSE_SIGN1_TAG 18
#define COSE_ALGORITHM 1
#define COSE_KID 4
#define COSE_EDDSA (-8)
#define VERSION 1

static const struct rs_str external = {"radseal transaction v1", 22};

enum field { FIELD_VERSION = 1, FIELD_TYPE, FIELD_ID, FIELD_TIME, FIELD_BODY };
enum body_field {
	BODY_ORGANISATION = 1,
	BODY_MEMBER,
	BODY_ROLE,
	BODY_FROM,
	BODY_UNTIL,
	BODY_KIND,
	BODY_COMMITMENT,
	BODY_INSTANCES,
	BODY_PREVIOUS,
	BODY_PARENTS,
	BODY_FIELD_COUNT,
};

#define BIT(field) (1u << (field))
/* Which fields a type has, and which of them may be left out. */
static const struct {
	enum rs_transaction_type type;
	const char *name;
	unsigned fields, optional;
} types[] = {
	{RS_TRANSACTION_ORGANISATION_ADD, "organisation-add", BIT(BODY_ORGANISATION) | BIT(BODY_MEMBER), 0},
	{RS_TRANSACTION_MEMBER_GRANT, "member-grant",
         BIT(BODY_ORGANISATION) | BIT(BODY_MEMBER) | BIT(BODY_ROLE) | BIT(BODY_FROM) | BIT(BODY_UNTIL),
         BIT(BODY_UNTIL)},
	{RS_TRANSACTION_MEMBER_REVOKE, "member-revoke", BIT(BODY_MEMBER), 0},
	{RS_TRANSACTION_DEVICE_ENROL, "device-enrol", BIT(BODY_ORGANISATION) | BIT(BODY_MEMBER), 0},
	{RS_TRANSACTION_DEVICE_REVOKE, "device-revoke", BIT(BODY_MEMBER), 0},
	{RS_TRANSACTION_OBJECT_REGISTER, "object-register",
         BIT(BODY_ORGANISATION) | BIT(BODY_KIND) | BIT(BODY_COMMITMENT) | BIT(BODY_INSTANCES) |
                 BIT(BODY_PREVIOUS) | BIT(BODY_PARENTS),
         BIT(BODY_PREVIOUS) | BIT(BODY_PARENTS)},
};

const char *rs_transaction_type_name(enum rs_transaction_type type)
{
	for (size_t i = 0; i < RS_COUNT(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "unknown";
}

void rs_transaction_finish(struct rs_transaction *transaction)
{
	if (transaction)
		rs_buffer_finish(&transaction->entry);
}

static unsigned fields_of(const struct rs_act *act)
{
	unsigned fields = 0;
	for (size_t i = 0; i < RS_COUNT(types); i++)
		if (types[i].type == act->type)
			fields = types[i].fields;
	if (act->until_ms == 0)
		fields &= ~BIT(BODY_UNTIL);
	if (!act->has_previous)
		fields &= ~BIT(BODY_PREVIOUS);
	if (act->parents.size == 0)
		fields &= ~BIT(BODY_PARENTS);
	return fields;
}

static void write_body_field(struct rs_buffer *out, enum body_field field, const struct rs_act *act)
{
	rs_cbor_write_u64(out, field);
	switch (field) {
	case BODY_ORGANISATION: rs_cbor_write_str(out, act->organisation); break;
	case BODY_MEMBER: rs_cbor_write_bytes(out, rs_bytes_of(act->member.bytes, RS_KEY_SIZE)); break;
	case BODY_ROLE: rs_cbor_write_u64(out, act->role); break;
	case BODY_FROM: rs_cbor_write_u64(out, act->from_ms); break;
	case BODY_UNTIL: rs_cbor_write_u64(out, act->until_ms); break;
	case BODY_KIND: rs_cbor_write_u64(out, act->kind); break;
	case BODY_COMMITMENT:
		rs_cbor_write_bytes(out, rs_bytes_of(act->commitment.bytes, RS_SHA256_SIZE));
		break;
	case BODY_INSTANCES: rs_cbor_write_u64(out, act->instances); break;
	case BODY_PREVIOUS: rs_cbor_write_bytes(out, rs_bytes_of(act->previous.bytes, RS_SHA256_SIZE)); break;
	case BODY_PARENTS: rs_cbor_write_bytes(out, act->parents); break;
	case BODY_FIELD_COUNT: break;
	}
}

static void write_payload(struct rs_buffer *out, const struct rs_act *act)
{
	unsigned fields = fields_of(act);
	rs_cbor_write_map(out, 5);
	rs_cbor_write_u64(out, FIELD_VERSION);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, FIELD_TYPE);
	rs_cbor_write_u64(out, act->type);
	rs_cbor_write_u64(out, FIELD_ID);
	rs_cbor_write_bytes(out, rs_bytes_of(act->id, sizeof act->id));
	rs_cbor_write_u64(out, FIELD_TIME);
	rs_cbor_write_u64(out, act->time_ms);
	rs_cbor_write_u64(out, FIELD_BODY);
	rs_cbor_write_map(out, (size_t)__builtin_popcount(fields));
	for (unsigned field = BODY_ORGANISATION; field < BODY_FIELD_COUNT; field++)
		if (fields & BIT(field))
			write_body_field(out, (enum body_field)field, act);
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
	write_payload(&payload, act);
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

static enum rs_code expect(struct rs_cbor_reader *reader, const char *field, uint64_t value,
                           struct rs_error *err)
{
	uint64_t found;
	RS_TRY(rs_cbor_read_u64(reader, field, &found, err));
	if (found != value)
		return rs_error_set(err, RS_MALFORMED, "%s: %llu stands where %llu must", field,
		                    (unsigned long long)found, (unsigned long long)value);
	return RS_OK;
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
	RS_TRY(expect(&reader, "protected header", COSE_ALGORITHM, err));
	RS_TRY(rs_cbor_read_i64(&reader, "algorithm", &algorithm, err));
	if (algorithm != COSE_EDDSA)
		return rs_error_set(err, RS_UNSUPPORTED, "algorithm %lld; only EdDSA (-8) is known",
		                    (long long)algorithm);
	RS_TRY(expect(&reader, "protected header", COSE_KID, err));
	return rs_cbor_read_fixed(&reader, "key", act->signer.bytes, RS_KEY_SIZE, err);
}

static enum rs_code read_body_field(struct rs_cbor_reader *reader, enum body_field field, struct rs_act *act,
                                    struct rs_error *err)
{
	uint64_t number;
	switch (field) {
	case BODY_ORGANISATION:
		RS_TRY(rs_cbor_read_str(reader, "organisation", &act->organisation, err));
		if (act->organisation.size == 0 || act->organisation.size > RS_ORGANISATION_NAME_MAX)
			return rs_error_set(err, RS_MALFORMED, "organisation: 1 to %d bytes",
			                    RS_ORGANISATION_NAME_MAX);
		return RS_OK;
	case BODY_MEMBER: return rs_cbor_read_fixed(reader, "member", act->member.bytes, RS_KEY_SIZE, err);
	case BODY_ROLE:
		RS_TRY(rs_cbor_read_u64(reader, "role", &number, err));
		return rs_role_from_number(number, &act->role)
		               ? RS_OK
		               : rs_error_set(err, RS_MALFORMED, "role: unknown number");
	case BODY_FROM: return rs_cbor_read_u64(reader, "from", &act->from_ms, err);
	case BODY_UNTIL:
		RS_TRY(rs_cbor_read_u64(reader, "until", &act->until_ms, err));
		return act->until_ms > act->from_ms
		               ? RS_OK
		               : rs_error_set(err, RS_MALFORMED, "until: not after from");
	case BODY_KIND:
		RS_TRY(rs_cbor_read_u64(reader, "kind", &number, err));
		if (number < RS_OBJECT_IMAGE || number > RS_OBJECT_REPORT)
			return rs_error_set(err, RS_MALFORMED, "kind: unknown number");
		act->kind = (enum rs_object_kind)number;
		return RS_OK;
	case BODY_COMMITMENT:
		return rs_cbor_read_fixed(reader, "commitment", act->commitment.bytes, RS_SHA256_SIZE, err);
	case BODY_INSTANCES:
		RS_TRY(rs_cbor_read_u64(reader, "instances", &act->instances, err));
		return act->instances ? RS_OK : rs_error_set(err, RS_MALFORMED, "instances: at least 1");
	case BODY_PREVIOUS:
		act->has_previous = true;
		return rs_cbor_read_fixed(reader, "previous", act->previous.bytes, RS_SHA256_SIZE, err);
	case BODY_PARENTS:
		RS_TRY(rs_cbor_read_bytes(reader, "parents", &act->parents, err));
		if (act->parents.size == 0 || act->parents.size % RS_SHA256_SIZE ||
		    act->parents.size / RS_SHA256_SIZE > RS_PARENTS_MAX)
			return rs_error_set(err, RS_MALFORMED, "parents: 1 to %d commitments",
			                    RS_PARENTS_MAX);
		return RS_OK;
	case BODY_FIELD_COUNT: break;
	}
	return rs_error_set(err, RS_MALFORMED, "body: unknown field");
}

static enum rs_code parse_body(struct rs_cbor_reader *reader, struct rs_act *act, struct rs_error *err)
{
	size_t row = 0, count;
	unsigned seen = 0;
	while (row < RS_COUNT(types) && types[row].type != act->type)
		row++;
	if (row == RS_COUNT(types))
		return rs_error_set(err, RS_UNSUPPORTED, "type: unknown number");
	RS_TRY(rs_cbor_read_map(reader, "body", &count, err));
	for (size_t i = 0; i < count; i++) {
		uint64_t field;
		RS_TRY(rs_cbor_read_u64(reader, "body", &field, err));
		if (field >= BODY_FIELD_COUNT || !(types[row].fields & BIT(field)))
			return rs_error_set(err, RS_MALFORMED, "body: field %llu does not belong to %s",
			                    (unsigned long long)field, types[row].name);
		seen |= BIT(field);
		RS_TRY(read_body_field(reader, (enum body_field)field, act, err));
	}
	if ((types[row].fields & ~types[row].optional & ~seen) != 0)
		return rs_error_set(err, RS_MALFORMED, "body: a field of %s is missing", types[row].name);
	return RS_OK;
}

static enum rs_code parse_payload(struct rs_bytes payload, struct rs_act *act, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	uint64_t type;
	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(rs_cbor_read_map(&reader, "payload", &count, err));
	if (count != 5)
		return rs_error_set(err, RS_MALFORMED, "payload: five fields are needed");
	RS_TRY(expect(&reader, "payload", FIELD_VERSION, err));
	RS_TRY(expect(&reader, "version", VERSION, err));
	RS_TRY(expect(&reader, "payload", FIELD_TYPE, err));
	RS_TRY(rs_cbor_read_u64(&reader, "type", &type, err));
	act->type = type <= RS_TRANSACTION_OBJECT_REGISTER ? (enum rs_transaction_type)type : 0;
	RS_TRY(expect(&reader, "payload", FIELD_ID, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "id", act->id, sizeof act->id, err));
	RS_TRY(expect(&reader, "payload", FIELD_TIME, err));
	RS_TRY(rs_cbor_read_u64(&reader, "time", &act->time_ms, err));
	RS_TRY(expect(&reader, "payload", FIELD_BODY, err));
	return parse_body(&reader, act, err);
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
	RS_TRY(parse_protected(parts->header, act, err));
	return parse_payload(parts->payload, act, err);
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
