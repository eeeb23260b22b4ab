/* Sets of public keys (RFC 7517). */
#include "jwks.h"

#include <string.h>

#define NUMBER_MAX 1024 /* bytes of an RSA modulus that is looked at */

struct key {
	char kid[RS_JWT_KID_MAX + 1];
	struct rs_jws_key *key;
};

struct rs_jwks {
	struct key keys[RS_JWKS_KEYS_MAX];
	size_t count;
};

static void json_finish(json_t **json) { json_decref(*json); }

bool base64url_decode(struct rs_str text, uint8_t *out, size_t *out_size)
{
	/* In blocks of four letters, so that no copy of the whole is needed. */
	size_t used = 0;
	for (size_t i = 0; i < text.size; i += 4) {
		char block[5] = "====";
		uint8_t bytes[3];
		size_t size, count = text.size - i < 4 ? text.size - i : 4;
		for (size_t k = 0; k < count; k++) {
			char c = text.data[i + k];
			if (c == '+' || c == '/' || c == '=')
				return false;
			block[k] = c;
			if (c == '-')
				block[k] = '+';
			else if (c == '_')
				block[k] = '/';
		}
		if (!rs_base64_decode(rs_str_from(block), bytes, &size))
			return false;
		memcpy(out + used, bytes, size);
		used += size;
	}
	*out_size = used;
	return true;
}

void rs_jwks_free(struct rs_jwks *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		rs_jws_key_free(keys->keys[i].key);
	rs_free(keys);
}

static void jwks_finish(struct rs_jwks **keys) { rs_jwks_free(*keys); }

size_t rs_jwks_count(const struct rs_jwks *keys) { return keys->count; }

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && strcmp(text, wanted) == 0;
}

/* What a key is for, by its kind; false for one that we have no use for. */
static bool algorithm_of(const json_t *key, enum rs_jws_algorithm *out)
{
	const json_t *use = json_object_get(key, "use");
	const char *stated = json_string_value(json_object_get(key, "alg"));
	enum rs_jws_algorithm named;
	if (use && !is_text(key, "use", "sig"))
		return false;
	if (is_text(key, "kty", "RSA"))
		*out = RS_JWS_RS256;
	else if (is_text(key, "kty", "EC") && is_text(key, "crv", "P-256"))
		*out = RS_JWS_ES256;
	else if (is_text(key, "kty", "OKP") && is_text(key, "crv", "Ed25519"))
		*out = RS_JWS_EDDSA;
	else
		return false;
	return !stated || (rs_jws_algorithm_from_name(rs_str_from(stated), &named) && named == *out);
}

static enum rs_code read_number(const json_t *key, const char *name, uint8_t *out, size_t *out_size,
                                struct rs_error *err)
{
	const char *text = json_string_value(json_object_get(key, name));
	if (!text || strlen(text) > NUMBER_MAX * 4 / 3 || !base64url_decode(rs_str_from(text), out, out_size))
		return rs_error_set(err, RS_MALFORMED, "its %s is no base64url of at most %d bytes", name,
		                    NUMBER_MAX);
	return RS_OK;
}

static enum rs_code read_key(const json_t *json, enum rs_jws_algorithm algorithm, struct key *out,
                             struct rs_error *err)
{
	static const char *const names[][2] = {
		[RS_JWS_RS256] = {"n", "e"}, [RS_JWS_ES256] = {"x", "y"}, [RS_JWS_EDDSA] = {"x", NULL}};
	uint8_t first[NUMBER_MAX + 3], second[NUMBER_MAX + 3];
	size_t first_size, second_size = 0;
	const char *kid = json_string_value(json_object_get(json, "kid"));
	if (kid && strlen(kid) > RS_JWT_KID_MAX)
		return rs_error_set(err, RS_MALFORMED, "its kid has more than %d bytes", RS_JWT_KID_MAX);
	RS_TRY(read_number(json, names[algorithm][0], first, &first_size, err));
	if (names[algorithm][1])
		RS_TRY(read_number(json, names[algorithm][1], second, &second_size, err));
	memcpy(out->kid, kid ? kid : "", strlen(kid ? kid : "") + 1);
	return rs_jws_key_make(algorithm, rs_bytes_of(first, first_size), rs_bytes_of(second, second_size),
	                       &out->key, err);
}

static enum rs_code read_keys(const json_t *list, struct rs_jwks *out, struct rs_error *err)
{
	size_t count = json_array_size(list);
	for (size_t i = 0; i < count; i++) {
		const json_t *json = json_array_get(list, i);
		enum rs_jws_algorithm algorithm;
		if (!algorithm_of(json, &algorithm))
			continue;
		if (out->count == RS_JWKS_KEYS_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "there are more than %d keys",
			                    RS_JWKS_KEYS_MAX);
		if (read_key(json, algorithm, &out->keys[out->count], err) != RS_OK)
			return rs_error_context(err, "key %zu", i + 1);
		out->count++;
	}
	return out->count ? RS_OK
	                  : rs_error_set(err, RS_NOT_FOUND,
	                                 "no key for signatures by RS256, ES256 or EdDSA is among them");
}

enum rs_code rs_jwks_parse(struct rs_bytes json, struct rs_jwks **out, struct rs_error *err)
{
	json_error_t why;
	struct rs_jwks *keys RS_CLEANUP(jwks_finish) = rs_allocate(sizeof *keys);
	if (!keys)
		return rs_error_memory(err, sizeof *keys, "keys");
	json_t *document RS_CLEANUP(json_finish) = json_loadb((const char *)json.data, json.size,
	                                                      JSON_REJECT_DUPLICATES, &why);
	const json_t *list = json_object_get(document, "keys");
	if (!json_is_array(list))
		return rs_error_set(err, RS_MALFORMED, "it is no JSON Web Key Set: {\"keys\": [...]}%s%s",
		                    document ? "" : ": ", document ? "" : why.text);
	RS_TRY(read_keys(list, keys, err));
	*out = keys;
	keys = NULL;
	return RS_OK;
}

enum rs_code jwks_find(const struct rs_jwks *keys, enum rs_jws_algorithm algorithm, const char *kid,
                       const struct rs_jws_key **out, struct rs_error *err)
{
	const struct rs_jws_key *found = NULL;
	size_t count = 0;
	for (size_t i = 0; i < keys->count; i++) {
		const struct key *key = &keys->keys[i];
		if (rs_jws_key_algorithm(key->key) != algorithm || (kid && strcmp(kid, key->kid) != 0))
			continue;
		found = key->key;
		count++;
	}
	if (count != 1)
		return rs_error_set(err, RS_NOT_FOUND, "%s of the issuer's keys signed the token",
		                    count ? "it is not said which" : "none");
	*out = found;
	return RS_OK;
}
