/* Roles, member keys and pseudonyms: their names and texts. */
#include "identity/identity.h"

#include <string.h>

_Static_assert(sizeof(struct rs_member_key) == 32 && sizeof(struct rs_pseudonym) == 32, "32-byte ids");

const char *rs_role_name(enum rs_role role)
{
	switch (role) {
#define ROLE_CASE(member, number, name, text) \
	case RS_ROLE_##member: return name;
		RS_ROLES(ROLE_CASE)
#undef ROLE_CASE
	default: return "none";
	}
}

bool rs_role_from_number(uint64_t number, enum rs_role *out)
{
	switch (number) {
#define ROLE_CASE(member, number, name, text) \
	case number: *out = RS_ROLE_##member; return true;
		RS_ROLES(ROLE_CASE)
#undef ROLE_CASE
	default: return false;
	}
}

bool rs_role_from_name(struct rs_str name, enum rs_role *out)
{
	for (uint64_t number = 1; number < RS_ROLE_COUNT; number++) {
		enum rs_role role;
		if (rs_role_from_number(number, &role) && rs_str_equal_text(name, rs_role_name(role))) {
			*out = role;
			return true;
		}
	}
	return false;
}

/* Exactly 64 digits; lower case alone, so that an id has one text. */
static enum rs_code parse_id(struct rs_str hex, const char *what, uint8_t out[static 32],
                             struct rs_error *err)
{
	uint8_t bytes[32];
	bool lower = true;

	for (size_t i = 0; i < hex.size; i++)
		lower = lower && !(hex.data[i] >= 'A' && hex.data[i] <= 'F');
	if (!lower || !rs_hex_decode(hex, bytes, sizeof(bytes)))
		return rs_error_set(err, RS_MALFORMED,
		                    "a %s is 64 hexadecimal digits in lower case; this has "
		                    "%zu characters",
		                    what, hex.size);
	memcpy(out, bytes, sizeof(bytes));
	return RS_OK;
}

bool rs_member_key_equal(const struct rs_member_key *a, const struct rs_member_key *b)
{
	return rs_equal_constant_time(a->bytes, b->bytes, sizeof(a->bytes));
}

void rs_member_key_format(const struct rs_member_key *key, char out[static RS_MEMBER_KEY_TEXT_SIZE])
{
	rs_hex_encode(rs_bytes_of(key->bytes, sizeof(key->bytes)), out);
}

enum rs_code rs_member_key_parse(struct rs_str hex, struct rs_member_key *out, struct rs_error *err)
{
	return parse_id(hex, "member key", out->bytes, err);
}

bool rs_pseudonym_equal(const struct rs_pseudonym *a, const struct rs_pseudonym *b)
{
	return rs_equal_constant_time(a->bytes, b->bytes, sizeof(a->bytes));
}

void rs_pseudonym_format(const struct rs_pseudonym *pseudonym, char out[static RS_PSEUDONYM_TEXT_SIZE])
{
	rs_hex_encode(rs_bytes_of(pseudonym->bytes, sizeof(pseudonym->bytes)), out);
}

enum rs_code rs_pseudonym_parse(struct rs_str hex, struct rs_pseudonym *out, struct rs_error *err)
{
	return parse_id(hex, "pseudonym", out->bytes, err);
}
