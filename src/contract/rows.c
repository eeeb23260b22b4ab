/* The rows of the state, written and read. A row that is not one was changed behind the contract's back. */
#include <assert.h>
#include <string.h>

#include "rows.h"

struct rs_str name_str(const struct name *name) { return (struct rs_str){name->text, name->size}; }

void name_set(struct name *name, struct rs_str text)
{
	assert(text.size <= sizeof name->text);
	if (text.size)
		memcpy(name->text, text.data, text.size);
	name->size = text.size;
}

struct key key_of_two(char letter, struct rs_bytes first, struct rs_bytes second)
{
	struct key key = {.bytes = {(uint8_t)letter}, .size = 1 + first.size + second.size};
	assert(key.size <= sizeof key.bytes);
	if (first.size)
		memcpy(key.bytes + 1, first.data, first.size);
	if (second.size)
		memcpy(key.bytes + 1 + first.size, second.data, second.size);
	return key;
}

struct key key_of(char letter, struct rs_bytes about)
{
	return key_of_two(letter, about, (struct rs_bytes){.size = 0});
}

struct rs_bytes key_bytes(const struct key *key) { return rs_bytes_of(key->bytes, key->size); }

struct rs_bytes digest_bytes(const struct rs_digest *digest)
{
	return rs_bytes_of(digest->bytes, RS_SHA256_SIZE);
}

struct rs_bytes member_bytes(const struct rs_member_key *key) { return rs_bytes_of(key->bytes, RS_KEY_SIZE); }

enum rs_code row_find(const struct rs_state *state, const struct key *key, struct rs_bytes *out,
                      struct rs_error *err)
{
	return state->get(state->context, key_bytes(key), out, err);
}

enum rs_code row_has(const struct rs_state *state, const struct key *key, bool *out, struct rs_error *err)
{
	struct rs_bytes value;
	enum rs_code code = row_find(state, key, &value, err);
	*out = code == RS_OK;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code row_put(const struct rs_state *state, const struct key *key, struct rs_bytes value,
                     struct rs_error *err)
{
	return state->put(state->context, key_bytes(key), value, err);
}

/* A value under way. No row is longer than a state's value may be: the sizes of its parts are bounded. */
struct writing {
	uint8_t bytes[RS_STATE_VALUE_MAX];
	struct rs_buffer out;
};

static void start_row(struct writing *writing, size_t count)
{
	writing->out = (struct rs_buffer){
		.data = writing->bytes, .capacity = sizeof writing->bytes, .maximum = sizeof writing->bytes};
	rs_cbor_write_array(&writing->out, count);
}

/* Zeros stand for none and are written as no bytes. */
static void write_optional(struct writing *writing, const void *bytes, size_t size)
{
	rs_cbor_write_bytes(&writing->out, rs_bytes_of(bytes, act_is_none(bytes, size) ? 0 : size));
}

static enum rs_code end_row(struct writing *writing, const struct rs_state *state, const struct key *key,
                            struct rs_error *err)
{
	RS_TRY(rs_buffer_check(&writing->out, "a row of the state", err));
	return row_put(state, key, rs_buffer_bytes(&writing->out), err);
}

static enum rs_code altered(const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_ALTERED, "the state's row of %s is not one", what);
}

static enum rs_code open_row(struct rs_cbor_reader *reader, struct rs_bytes value, size_t count,
                             struct rs_error *err)
{
	size_t found;
	RS_TRY(rs_cbor_reader_init(reader, value, err));
	RS_TRY(rs_cbor_read_array(reader, "row", &found, err));
	return found == count ? RS_OK : RS_MALFORMED;
}

static enum rs_code read_name(struct rs_cbor_reader *reader, struct name *out, struct rs_error *err)
{
	struct rs_str text;
	RS_TRY(rs_cbor_read_str(reader, "organisation", &text, err));
	if (text.size > sizeof out->text)
		return RS_MALFORMED;
	name_set(out, text);
	return RS_OK;
}

/* As write_optional wrote it. */
static enum rs_code read_optional(struct rs_cbor_reader *reader, void *out, size_t size, struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_cbor_read_bytes(reader, "bytes", &bytes, err));
	if (bytes.size && bytes.size != size)
		return RS_MALFORMED;
	memset(out, 0, size);
	if (bytes.size)
		memcpy(out, bytes.data, size);
	return RS_OK;
}

static enum rs_code read_u32(struct rs_cbor_reader *reader, uint32_t *out, struct rs_error *err)
{
	uint64_t number;
	RS_TRY(rs_cbor_read_u64(reader, "number", &number, err));
	*out = (uint32_t)number;
	return number <= UINT32_MAX ? RS_OK : RS_MALFORMED;
}

static enum rs_code decode_person(struct rs_bytes value, struct person *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t role;
	RS_TRY(open_row(&reader, value, 5, err));
	RS_TRY(rs_cbor_read_u64(&reader, "role", &role, err));
	RS_TRY(rs_cbor_read_u64(&reader, "from", &out->from_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "until", &out->until_ms, err));
	RS_TRY(rs_cbor_read_bool(&reader, "revoked", &out->revoked, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	return rs_role_from_number(role, &out->role) ? RS_OK : RS_MALFORMED;
}

enum rs_code person_get(const struct rs_state *state, char letter, const struct rs_member_key *id,
                        struct person *out, struct rs_error *err)
{
	struct key key = key_of(letter, member_bytes(id));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return decode_person(value, out, err) == RS_OK ? RS_OK : altered("a member", err);
}

enum rs_code person_put(const struct rs_state *state, char letter, const struct rs_member_key *id,
                        const struct person *person, struct rs_error *err)
{
	struct key key = key_of(letter, member_bytes(id));
	struct writing writing;
	start_row(&writing, 5);
	rs_cbor_write_u64(&writing.out, person->role);
	rs_cbor_write_u64(&writing.out, person->from_ms);
	rs_cbor_write_u64(&writing.out, person->until_ms);
	rs_cbor_write_bool(&writing.out, person->revoked);
	rs_cbor_write_str(&writing.out, name_str(&person->organisation));
	return end_row(&writing, state, &key, err);
}

static enum rs_code decode_subject(struct rs_bytes value, struct subject *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(open_row(&reader, value, 4, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	RS_TRY(read_optional(&reader, &out->patient, sizeof out->patient, err));
	RS_TRY(rs_cbor_read_bool(&reader, "erased", &out->erased, err));
	return rs_cbor_read_u64(&reader, "objects", &out->objects, err);
}

enum rs_code subject_get(const struct rs_state *state, const struct rs_digest *id, struct subject *out,
                         struct rs_error *err)
{
	struct key key = key_of('S', digest_bytes(id));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return decode_subject(value, out, err) == RS_OK ? RS_OK : altered("a subject", err);
}

enum rs_code subject_put(const struct rs_state *state, const struct rs_digest *id,
                         const struct subject *subject, struct rs_error *err)
{
	struct key key = key_of('S', digest_bytes(id));
	struct writing writing;
	start_row(&writing, 4);
	rs_cbor_write_str(&writing.out, name_str(&subject->organisation));
	write_optional(&writing, &subject->patient, sizeof subject->patient);
	rs_cbor_write_bool(&writing.out, subject->erased);
	rs_cbor_write_u64(&writing.out, subject->objects);
	return end_row(&writing, state, &key, err);
}

static enum rs_code decode_object_rest(struct rs_cbor_reader *reader, struct object *out,
                                       struct rs_error *err)
{
	RS_TRY(rs_cbor_read_u64(reader, "version", &out->version, err));
	RS_TRY(rs_cbor_read_fixed(reader, "signer", out->signer.bytes, RS_KEY_SIZE, err));
	RS_TRY(rs_cbor_read_u64(reader, "time", &out->time_ms, err));
	RS_TRY(read_optional(reader, &out->subject, sizeof out->subject, err));
	RS_TRY(read_optional(reader, &out->study, sizeof out->study, err));
	return read_optional(reader, &out->label, sizeof out->label, err);
}

/* The first version of an object that says nothing of a subject or label has a short row: most have. */
#define OBJECT_SHORT 3
#define OBJECT_LONG 9

static enum rs_code decode_object(struct rs_bytes value, struct object *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t kind;
	size_t count;
	*out = (struct object){.version = 1};
	RS_TRY(rs_cbor_reader_init(&reader, value, err));
	RS_TRY(rs_cbor_read_array(&reader, "row", &count, err));
	if (count != OBJECT_SHORT && count != OBJECT_LONG)
		return RS_MALFORMED;
	RS_TRY(rs_cbor_read_u64(&reader, "kind", &kind, err));
	RS_TRY(rs_cbor_read_u64(&reader, "instances", &out->instances, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	if (count == OBJECT_LONG)
		RS_TRY(decode_object_rest(&reader, out, err));
	out->kind = (enum rs_object_kind)kind;
	return kind >= RS_OBJECT_IMAGE && kind <= RS_OBJECT_REPORT ? RS_OK : RS_MALFORMED;
}

enum rs_code object_get(const struct rs_state *state, const struct rs_digest *id, struct object *out,
                        struct rs_error *err)
{
	struct key key = key_of('B', digest_bytes(id));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return decode_object(value, out, err) == RS_OK ? RS_OK : altered("an object", err);
}

enum rs_code object_put(const struct rs_state *state, const struct rs_digest *id, const struct object *object,
                        struct rs_error *err)
{
	struct key key = key_of('B', digest_bytes(id));
	struct writing writing;
	bool is_short = object->version == 1 && !ACT_HAS(object->subject) && !ACT_HAS(object->label);
	start_row(&writing, is_short ? OBJECT_SHORT : OBJECT_LONG);
	rs_cbor_write_u64(&writing.out, object->kind);
	rs_cbor_write_u64(&writing.out, object->instances);
	rs_cbor_write_str(&writing.out, name_str(&object->organisation));
	if (is_short)
		return end_row(&writing, state, &key, err);
	rs_cbor_write_u64(&writing.out, object->version);
	rs_cbor_write_bytes(&writing.out, member_bytes(&object->signer));
	rs_cbor_write_u64(&writing.out, object->time_ms);
	write_optional(&writing, &object->subject, sizeof object->subject);
	write_optional(&writing, &object->study, sizeof object->study);
	write_optional(&writing, &object->label, sizeof object->label);
	return end_row(&writing, state, &key, err);
}

static enum rs_code read_consent(struct rs_bytes value, struct consent *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_bytes studies;
	uint64_t effect;
	RS_TRY(open_row(&reader, value, 9, err));
	RS_TRY(rs_cbor_read_u64(&reader, "effect", &effect, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	RS_TRY(read_u32(&reader, &out->roles, err));
	RS_TRY(read_u32(&reader, &out->purposes, err));
	RS_TRY(read_u32(&reader, &out->operations, err));
	RS_TRY(rs_cbor_read_u64(&reader, "from", &out->from_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "until", &out->until_ms, err));
	RS_TRY(rs_cbor_read_bool(&reader, "revoked", &out->revoked, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "studies", &studies, err));
	if (studies.size > sizeof out->studies || studies.size % RS_SHA256_SIZE)
		return RS_MALFORMED;
	if (studies.size)
		memcpy(out->studies, studies.data, studies.size);
	out->studies_size = studies.size;
	out->effect = (enum rs_consent_effect)effect;
	return effect == RS_CONSENT_PERMIT || effect == RS_CONSENT_DENY ? RS_OK : RS_MALFORMED;
}

enum rs_code consent_decode(struct rs_bytes value, struct consent *out, struct rs_error *err)
{
	return read_consent(value, out, err) == RS_OK ? RS_OK : altered("a consent", err);
}

enum rs_code consent_get(const struct rs_state *state, const struct rs_digest *subject,
                         const struct rs_digest *id, struct consent *out, struct rs_error *err)
{
	struct key key = key_of_two('C', digest_bytes(subject), digest_bytes(id));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return consent_decode(value, out, err);
}

enum rs_code consent_put(const struct rs_state *state, const struct rs_digest *subject,
                         const struct rs_digest *id, const struct consent *consent, struct rs_error *err)
{
	struct key key = key_of_two('C', digest_bytes(subject), digest_bytes(id));
	struct writing writing;
	start_row(&writing, 9);
	rs_cbor_write_u64(&writing.out, consent->effect);
	rs_cbor_write_str(&writing.out, name_str(&consent->organisation));
	rs_cbor_write_u64(&writing.out, consent->roles);
	rs_cbor_write_u64(&writing.out, consent->purposes);
	rs_cbor_write_u64(&writing.out, consent->operations);
	rs_cbor_write_u64(&writing.out, consent->from_ms);
	rs_cbor_write_u64(&writing.out, consent->until_ms);
	rs_cbor_write_bool(&writing.out, consent->revoked);
	rs_cbor_write_bytes(&writing.out, rs_bytes_of(consent->studies, consent->studies_size));
	return end_row(&writing, state, &key, err);
}

static enum rs_code read_glass(struct rs_bytes value, struct glass *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(open_row(&reader, value, 4, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "subject", out->subject.bytes, RS_SHA256_SIZE, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	RS_TRY(rs_cbor_read_u64(&reader, "time", &out->time_ms, err));
	return rs_cbor_read_u64(&reader, "outcome", &out->outcome, err);
}

enum rs_code glass_decode(struct rs_bytes value, struct glass *out, struct rs_error *err)
{
	return read_glass(value, out, err) == RS_OK ? RS_OK : altered("a broken glass", err);
}

static struct key glass_key(const struct rs_member_key *member, const uint8_t *id)
{
	return key_of_two('G', member_bytes(member), rs_bytes_of(id, RS_TRANSACTION_ID_SIZE));
}

enum rs_code glass_get(const struct rs_state *state, const struct rs_member_key *member,
                       const uint8_t id[static RS_TRANSACTION_ID_SIZE], struct glass *out,
                       struct rs_error *err)
{
	struct key key = glass_key(member, id);
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return glass_decode(value, out, err);
}

enum rs_code glass_put(const struct rs_state *state, const struct rs_member_key *member,
                       const uint8_t id[static RS_TRANSACTION_ID_SIZE], const struct glass *glass,
                       struct rs_error *err)
{
	struct key key = glass_key(member, id);
	struct writing writing;
	start_row(&writing, 4);
	rs_cbor_write_bytes(&writing.out, digest_bytes(&glass->subject));
	rs_cbor_write_str(&writing.out, name_str(&glass->organisation));
	rs_cbor_write_u64(&writing.out, glass->time_ms);
	rs_cbor_write_u64(&writing.out, glass->outcome);
	return end_row(&writing, state, &key, err);
}

static enum rs_code decode_anchor(struct rs_bytes value, struct anchor *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(open_row(&reader, value, 4, err));
	RS_TRY(read_name(&reader, &out->organisation, err));
	RS_TRY(rs_cbor_read_u64(&reader, "size", &out->size, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "root", out->root.bytes, RS_SHA256_SIZE, err));
	return rs_cbor_read_u64(&reader, "time", &out->time_ms, err);
}

enum rs_code anchor_get(const struct rs_state *state, struct rs_str origin, struct anchor *out,
                        struct rs_error *err)
{
	struct key key = key_of('A', rs_bytes_of_str(origin));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return decode_anchor(value, out, err) == RS_OK ? RS_OK : altered("an anchor", err);
}

enum rs_code anchor_put(const struct rs_state *state, struct rs_str origin, const struct anchor *anchor,
                        struct rs_error *err)
{
	struct key key = key_of('A', rs_bytes_of_str(origin));
	struct writing writing;
	start_row(&writing, 4);
	rs_cbor_write_str(&writing.out, name_str(&anchor->organisation));
	rs_cbor_write_u64(&writing.out, anchor->size);
	rs_cbor_write_bytes(&writing.out, digest_bytes(&anchor->root));
	rs_cbor_write_u64(&writing.out, anchor->time_ms);
	return end_row(&writing, state, &key, err);
}

static struct key profile_key(const struct rs_digest *subject, enum rs_profile_attribute attribute)
{
	uint8_t number = (uint8_t)attribute;
	return key_of_two('Y', digest_bytes(subject), rs_bytes_of(&number, 1));
}

static enum rs_code decode_profile(struct rs_bytes value, struct profile *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(open_row(&reader, value, 2, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "commitment", out->commitment.bytes, RS_SHA256_SIZE, err));
	RS_TRY(read_optional(&reader, out->locator, sizeof out->locator, err));
	out->has_locator = !act_is_none(out->locator, sizeof out->locator);
	return RS_OK;
}

enum rs_code profile_get(const struct rs_state *state, const struct rs_digest *subject,
                         enum rs_profile_attribute attribute, struct profile *out, struct rs_error *err)
{
	struct key key = profile_key(subject, attribute);
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	return decode_profile(value, out, err) == RS_OK ? RS_OK : altered("a profile", err);
}

enum rs_code profile_put(const struct rs_state *state, const struct rs_digest *subject,
                         enum rs_profile_attribute attribute, const struct profile *profile,
                         struct rs_error *err)
{
	struct key key = profile_key(subject, attribute);
	struct writing writing;
	start_row(&writing, 2);
	rs_cbor_write_bytes(&writing.out, digest_bytes(&profile->commitment));
	write_optional(&writing, profile->locator, sizeof profile->locator);
	return end_row(&writing, state, &key, err);
}
