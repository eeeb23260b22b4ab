/* What a transaction says, as deterministic CBOR and back: a table of fields, and which type has which of them. */
#include <string.h>

#include "act.h"

#define VERSION 1

enum payload_field { FIELD_VERSION = 1, FIELD_TYPE, FIELD_ID, FIELD_TIME, FIELD_BODY };

/* Numbers of the body's fields: never renumber. */
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
	BODY_ORGANISATION_KIND,
	BODY_SUBJECT,
	BODY_STUDY,
	BODY_LABEL,
	BODY_CONSENT,
	BODY_EFFECT,
	BODY_ROLES,
	BODY_PURPOSES,
	BODY_OPERATIONS,
	BODY_STUDIES,
	BODY_PURPOSE,
	BODY_OPERATION,
	BODY_REASON,
	BODY_GLASS,
	BODY_OUTCOME,
	BODY_ATTRIBUTE,
	BODY_LOCATOR,
	BODY_ORIGIN,
	BODY_SIZE,
	BODY_ROOT,
	BODY_SUCCESSOR,
	BODY_FIELD_COUNT,
};

enum form { FORM_TEXT, FORM_FIXED, FORM_NUMBER, FORM_LIST };

#define AT(member) offsetof(struct rs_act, member), sizeof(((struct rs_act *)0)->member)
/* Text: 1 … most bytes. Fixed: as many bytes as the member has, not all zero (which stands for none). Number: least …
 * most, in the member's width. List: 1 … most digests. `fault` is the sentence when it is none of that. */
static const struct field {
	const char *name;
	enum form form;
	size_t offset, width;
	uint64_t least, most;
	const char *fault;
} fields[BODY_FIELD_COUNT] = {
	[BODY_ORGANISATION] = {"organisation", FORM_TEXT, AT(organisation), 1, RS_ORGANISATION_NAME_MAX,
                               "1 to 128 bytes"},
	[BODY_MEMBER] = {"member", FORM_FIXED, AT(member), 0, 0, "it is all zero"},
	[BODY_ROLE] = {"role", FORM_NUMBER, AT(role), 1, RS_ROLE_COUNT - 1, "unknown number"},
	[BODY_FROM] = {"from", FORM_NUMBER, AT(from_ms), 0, UINT64_MAX, ""},
	[BODY_UNTIL] = {"until", FORM_NUMBER, AT(until_ms), 1, UINT64_MAX, "not after from"},
	[BODY_KIND] = {"kind", FORM_NUMBER, AT(kind), RS_OBJECT_IMAGE, RS_OBJECT_REPORT, "unknown number"},
	[BODY_COMMITMENT] = {"commitment", FORM_FIXED, AT(commitment), 0, 0, "it is all zero"},
	[BODY_INSTANCES] = {"instances", FORM_NUMBER, AT(instances), 1, UINT64_MAX, "at least 1"},
	[BODY_PREVIOUS] = {"previous", FORM_FIXED, AT(previous), 0, 0, "it is all zero"},
	[BODY_PARENTS] = {"parents", FORM_LIST, AT(parents), 1, RS_PARENTS_MAX, "1 to 64 commitments"},
	[BODY_ORGANISATION_KIND] = {"kind of organisation", FORM_NUMBER, AT(organisation_kind), 1,
                                    RS_ORGANISATION_KIND_COUNT - 1, "unknown number"},
	[BODY_SUBJECT] = {"subject", FORM_FIXED, AT(subject), 0, 0, "it is all zero"},
	[BODY_STUDY] = {"study", FORM_FIXED, AT(study), 0, 0, "it is all zero"},
	[BODY_LABEL] = {"label", FORM_FIXED, AT(label), 0, 0, "it is all zero"},
	[BODY_CONSENT] = {"consent", FORM_FIXED, AT(consent), 0, 0, "it is all zero"},
	[BODY_EFFECT] = {"effect", FORM_NUMBER, AT(effect), RS_CONSENT_PERMIT, RS_CONSENT_DENY,
                         "unknown number"},
	[BODY_ROLES] = {"roles", FORM_NUMBER, AT(roles), 1, RS_SET_ROLES_ALL, "no set of roles"},
	[BODY_PURPOSES] = {"purposes", FORM_NUMBER, AT(purposes), 1, RS_SET_PURPOSES_ALL,
                           "no set of purposes that consents speak about"},
	[BODY_OPERATIONS] = {"operations", FORM_NUMBER, AT(operations), 1, RS_SET_OPERATIONS_ALL,
                             "no set of operations"},
	[BODY_STUDIES] = {"studies", FORM_LIST, AT(studies), 1, RS_STUDIES_MAX, "1 to 64 commitments"},
	[BODY_PURPOSE] = {"purpose", FORM_NUMBER, AT(purpose), RS_PURPOSE_TREATMENT,
                          RS_PURPOSE_PATIENT_REQUEST, "unknown number"},
	[BODY_OPERATION] = {"operation", FORM_NUMBER, AT(operation), RS_OPERATION_READ, RS_OPERATION_EXPORT,
                            "unknown number"},
	[BODY_REASON] = {"reason", FORM_FIXED, AT(reason), 0, 0, "it is all zero"},
	[BODY_GLASS] = {"glass", FORM_FIXED, AT(glass), 0, 0, "it is all zero"},
	[BODY_OUTCOME] = {"outcome", FORM_NUMBER, AT(outcome), RS_REVIEW_JUSTIFIED, RS_REVIEW_UNJUSTIFIED,
                          "unknown number"},
	[BODY_ATTRIBUTE] = {"attribute", FORM_NUMBER, AT(attribute), RS_PROFILE_BIRTHDAY, RS_PROFILE_CONTACT,
                            "unknown number"},
	[BODY_LOCATOR] = {"locator", FORM_FIXED, AT(locator), 0, 0, "it is all zero"},
	[BODY_ORIGIN] = {"origin", FORM_TEXT, AT(origin), 1, RS_ORIGIN_MAX, "1 to 200 bytes"},
	[BODY_SIZE] = {"size", FORM_NUMBER, AT(size), 1, INT64_MAX, "at least 1, at most 2^63-1"},
	[BODY_ROOT] = {"root", FORM_FIXED, AT(root), 0, 0, "it is all zero"},
	[BODY_SUCCESSOR] = {"successor", FORM_FIXED, AT(successor), 0, 0, "it is all zero"},
};

#define BIT(field) ((uint64_t)1 << BODY_##field)
#define CONSENT_TERMS                                                                             \
	(BIT(SUBJECT) | BIT(CONSENT) | BIT(ROLES) | BIT(PURPOSES) | BIT(OPERATIONS) | BIT(FROM) | \
	 BIT(UNTIL) | BIT(STUDIES))
/* Which fields a type has, and which of them may be left out. */
static const struct type {
	uint64_t fields, optional;
} types[RS_TRANSACTION_TYPE_COUNT] = {
	[RS_TRANSACTION_ORGANISATION_ADD] = {BIT(ORGANISATION) | BIT(MEMBER) | BIT(ORGANISATION_KIND),
                                             BIT(ORGANISATION_KIND)},
	[RS_TRANSACTION_MEMBER_GRANT] = {BIT(ORGANISATION) | BIT(MEMBER) | BIT(ROLE) | BIT(FROM) |
                                                 BIT(UNTIL) | BIT(LABEL),
                                         BIT(UNTIL) | BIT(LABEL)},
	[RS_TRANSACTION_MEMBER_REVOKE] = {BIT(MEMBER), 0},
	[RS_TRANSACTION_DEVICE_ENROL] = {BIT(ORGANISATION) | BIT(MEMBER), 0},
	[RS_TRANSACTION_DEVICE_REVOKE] = {BIT(MEMBER), 0},
	[RS_TRANSACTION_OBJECT_REGISTER] = {BIT(ORGANISATION) | BIT(KIND) | BIT(COMMITMENT) | BIT(INSTANCES) |
                                                    BIT(PREVIOUS) | BIT(PARENTS) | BIT(SUBJECT) | BIT(STUDY) |
                                                    BIT(LABEL) | BIT(PURPOSE),
                                            BIT(PREVIOUS) | BIT(PARENTS) | BIT(SUBJECT) | BIT(STUDY) |
                                                    BIT(LABEL) | BIT(PURPOSE)},
	[RS_TRANSACTION_DEVICE_ROTATE] = {BIT(MEMBER) | BIT(SUCCESSOR), 0},
	[RS_TRANSACTION_SUBJECT_REGISTER] = {BIT(ORGANISATION) | BIT(SUBJECT) | BIT(MEMBER), BIT(MEMBER)},
	[RS_TRANSACTION_PROFILE_SET] = {BIT(SUBJECT) | BIT(ATTRIBUTE) | BIT(COMMITMENT) | BIT(LOCATOR),
                                        BIT(LOCATOR)},
	[RS_TRANSACTION_CONSENT_GRANT] = {CONSENT_TERMS | BIT(EFFECT) | BIT(ORGANISATION),
                                          BIT(UNTIL) | BIT(STUDIES) | BIT(ORGANISATION)},
	[RS_TRANSACTION_CONSENT_NARROW] = {CONSENT_TERMS, BIT(UNTIL) | BIT(STUDIES)},
	[RS_TRANSACTION_CONSENT_REVOKE] = {BIT(SUBJECT) | BIT(CONSENT), 0},
	[RS_TRANSACTION_ACCESS_REQUEST] = {BIT(COMMITMENT) | BIT(PURPOSE) | BIT(OPERATION), 0},
	[RS_TRANSACTION_BREAK_GLASS] = {BIT(SUBJECT) | BIT(REASON), 0},
	[RS_TRANSACTION_BREAK_GLASS_REVIEW] = {BIT(MEMBER) | BIT(GLASS) | BIT(OUTCOME) | BIT(REASON), 0},
	[RS_TRANSACTION_ERASURE] = {BIT(SUBJECT), 0},
	[RS_TRANSACTION_CHECKPOINT_ANCHOR] = {BIT(ORGANISATION) | BIT(ORIGIN) | BIT(SIZE) | BIT(ROOT), 0},
};

static const char *const type_names[RS_TRANSACTION_TYPE_COUNT] = {
#define TYPE_NAME(member, number, name) [number] = name,
	RS_TRANSACTION_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

const char *rs_transaction_type_name(enum rs_transaction_type type)
{
	return (unsigned)type < RS_TRANSACTION_TYPE_COUNT && type_names[type] ? type_names[type] : "unknown";
}

bool rs_transaction_type_from_name(struct rs_str name, enum rs_transaction_type *out)
{
	for (unsigned i = 0; i < RS_TRANSACTION_TYPE_COUNT; i++)
		if (type_names[i] && rs_str_equal_text(name, type_names[i])) {
			*out = (enum rs_transaction_type)i;
			return true;
		}
	return false;
}

bool act_is_none(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint8_t any = 0;
	for (size_t i = 0; i < size; i++)
		any |= at[i];
	return any == 0;
}

static uint64_t load_number(const struct rs_act *act, const struct field *field)
{
	uint32_t narrow = 0;
	uint64_t wide = 0;
	const uint8_t *at = (const uint8_t *)act + field->offset;
	memcpy(field->width == sizeof narrow ? (void *)&narrow : (void *)&wide, at, field->width);
	return wide + narrow;
}

static void store_number(struct rs_act *act, const struct field *field, uint64_t wide)
{
	uint32_t narrow = (uint32_t)wide;
	uint8_t *at = (uint8_t *)act + field->offset;
	memcpy(at, field->width == sizeof narrow ? (void *)&narrow : (void *)&wide, field->width);
}

/* Whether a field that may be left out is. */
static bool is_absent(const struct rs_act *act, unsigned number)
{
	const struct field *field = &fields[number];
	const uint8_t *at = (const uint8_t *)act + field->offset;
	if (number == BODY_PREVIOUS)
		return !act->has_previous;
	switch (field->form) {
	case FORM_TEXT: return ((const struct rs_str *)(const void *)at)->size == 0;
	case FORM_LIST: return ((const struct rs_bytes *)(const void *)at)->size == 0;
	case FORM_NUMBER: return load_number(act, field) == 0;
	case FORM_FIXED: break;
	}
	return act_is_none(at, field->width);
}

static uint64_t fields_of(const struct rs_act *act)
{
	const struct type *type = &types[(unsigned)act->type < RS_TRANSACTION_TYPE_COUNT ? act->type : 0];
	uint64_t present = type->fields;
	for (unsigned number = 1; number < BODY_FIELD_COUNT; number++)
		if (type->optional >> number & 1 && is_absent(act, number))
			present &= ~((uint64_t)1 << number);
	return present;
}

static void write_body_field(struct rs_buffer *out, unsigned number, const struct rs_act *act)
{
	const struct field *field = &fields[number];
	const uint8_t *at = (const uint8_t *)act + field->offset;
	rs_cbor_write_u64(out, number);
	switch (field->form) {
	case FORM_TEXT: rs_cbor_write_str(out, *(const struct rs_str *)(const void *)at); break;
	case FORM_LIST: rs_cbor_write_bytes(out, *(const struct rs_bytes *)(const void *)at); break;
	case FORM_NUMBER: rs_cbor_write_u64(out, load_number(act, field)); break;
	case FORM_FIXED: rs_cbor_write_bytes(out, rs_bytes_of(at, field->width)); break;
	}
}

void rs_act_encode(const struct rs_act *act, struct rs_buffer *out)
{
	uint64_t present = fields_of(act);
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
	rs_cbor_write_map(out, (size_t)__builtin_popcountll(present));
	for (unsigned number = 1; number < BODY_FIELD_COUNT; number++)
		if (present >> number & 1)
			write_body_field(out, number, act);
}

enum rs_code act_expect(struct rs_cbor_reader *reader, const char *field, uint64_t value,
                        struct rs_error *err)
{
	uint64_t found;
	RS_TRY(rs_cbor_read_u64(reader, field, &found, err));
	if (found != value)
		return rs_error_set(err, RS_MALFORMED, "%s: %llu stands where %llu must", field,
		                    (unsigned long long)found, (unsigned long long)value);
	return RS_OK;
}

static enum rs_code wrong(const struct field *field, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "%s: %s", field->name, field->fault);
}

/* A list's digests ascend where their order says nothing: two lists of the same are the same bytes. */
static bool ascends(struct rs_bytes list)
{
	for (size_t i = RS_SHA256_SIZE; i < list.size; i += RS_SHA256_SIZE)
		if (memcmp(list.data + i - RS_SHA256_SIZE, list.data + i, RS_SHA256_SIZE) >= 0)
			return false;
	return true;
}

static enum rs_code read_text(struct rs_cbor_reader *reader, const struct field *field, void *at,
                              struct rs_error *err)
{
	struct rs_str text;
	RS_TRY(rs_cbor_read_str(reader, field->name, &text, err));
	if (text.size < field->least || text.size > field->most)
		return wrong(field, err);
	memcpy(at, &text, sizeof text);
	return RS_OK;
}

static enum rs_code read_list(struct rs_cbor_reader *reader, unsigned number, void *at, struct rs_error *err)
{
	const struct field *field = &fields[number];
	struct rs_bytes list;
	RS_TRY(rs_cbor_read_bytes(reader, field->name, &list, err));
	if (list.size == 0 || list.size % RS_SHA256_SIZE || list.size / RS_SHA256_SIZE > field->most)
		return wrong(field, err);
	if (number == BODY_STUDIES && !ascends(list))
		return rs_error_set(err, RS_MALFORMED, "%s: they must ascend", field->name);
	memcpy(at, &list, sizeof list);
	return RS_OK;
}

static enum rs_code read_number(struct rs_cbor_reader *reader, unsigned number, struct rs_act *act,
                                struct rs_error *err)
{
	const struct field *field = &fields[number];
	uint64_t value;
	bool is_set = number == BODY_ROLES || number == BODY_PURPOSES || number == BODY_OPERATIONS;
	RS_TRY(rs_cbor_read_u64(reader, field->name, &value, err));
	if (value < field->least || value > field->most || (is_set && value & ~field->most) ||
	    (number == BODY_UNTIL && value <= act->from_ms))
		return wrong(field, err);
	store_number(act, field, value);
	return RS_OK;
}

static enum rs_code read_body_field(struct rs_cbor_reader *reader, unsigned number, struct rs_act *act,
                                    struct rs_error *err)
{
	const struct field *field = &fields[number];
	uint8_t *at = (uint8_t *)act + field->offset;
	switch (field->form) {
	case FORM_TEXT: return read_text(reader, field, at, err);
	case FORM_LIST: return read_list(reader, number, at, err);
	case FORM_NUMBER: return read_number(reader, number, act, err);
	case FORM_FIXED: break;
	}
	act->has_previous = act->has_previous || number == BODY_PREVIOUS;
	RS_TRY(rs_cbor_read_fixed(reader, field->name, at, field->width, err));
	return act_is_none(at, field->width) ? wrong(field, err) : RS_OK;
}

static enum rs_code decode_body(struct rs_cbor_reader *reader, struct rs_act *act, struct rs_error *err)
{
	const struct type *type = &types[act->type];
	const char *name = type_names[act->type];
	uint64_t seen = 0;
	size_t count;
	RS_TRY(rs_cbor_read_map(reader, "body", &count, err));
	for (size_t i = 0; i < count; i++) {
		uint64_t number;
		RS_TRY(rs_cbor_read_u64(reader, "body", &number, err));
		if (number >= BODY_FIELD_COUNT || !(type->fields >> number & 1))
			return rs_error_set(err, RS_MALFORMED, "body: field %llu does not belong to %s",
			                    (unsigned long long)number, name);
		seen |= (uint64_t)1 << number;
		RS_TRY(read_body_field(reader, (unsigned)number, act, err));
	}
	if (type->fields & ~type->optional & ~seen)
		return rs_error_set(err, RS_MALFORMED, "body: a field of %s is missing", name);
	if (act->effect == RS_CONSENT_PERMIT && act->organisation.size == 0)
		return rs_error_set(err, RS_MALFORMED, "body: a consent that permits names an organisation");
	return RS_OK;
}

static enum rs_code decode_payload(struct rs_bytes payload, struct rs_act *act, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	uint64_t type;
	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(rs_cbor_read_map(&reader, "payload", &count, err));
	if (count != 5)
		return rs_error_set(err, RS_MALFORMED, "payload: five fields are needed");
	RS_TRY(act_expect(&reader, "payload", FIELD_VERSION, err));
	RS_TRY(act_expect(&reader, "version", VERSION, err));
	RS_TRY(act_expect(&reader, "payload", FIELD_TYPE, err));
	RS_TRY(rs_cbor_read_u64(&reader, "type", &type, err));
	if (type == 0 || type >= RS_TRANSACTION_TYPE_COUNT)
		return rs_error_set(err, RS_UNSUPPORTED, "type: unknown number");
	act->type = (enum rs_transaction_type)type;
	RS_TRY(act_expect(&reader, "payload", FIELD_ID, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "id", act->id, sizeof act->id, err));
	RS_TRY(act_expect(&reader, "payload", FIELD_TIME, err));
	RS_TRY(rs_cbor_read_u64(&reader, "time", &act->time_ms, err));
	RS_TRY(act_expect(&reader, "payload", FIELD_BODY, err));
	return decode_body(&reader, act, err);
}

enum rs_code rs_act_decode(struct rs_bytes payload, struct rs_act *out, struct rs_error *err)
{
	struct rs_act act = {.time_ms = 0};
	RS_TRY(decode_payload(payload, &act, err));
	*out = act;
	return RS_OK;
}
