/* Tokens: three texts of base64url with dots between, signed; and whether their claims are for us, now. */
#include "account/account_jwt.h"

#include <string.h>
#include <strings.h>

#include "jwks.h"

#define SIGNATURE_MAX 1400 /* letters: RSA of 8192 bits has 1366 */

static void json_finish(json_t **json) { json_decref(*json); }

static enum rs_code read_object(struct rs_str text, const char *part, json_t **out, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_buffer_finish) = {0};
	json_error_t why;
	rs_buffer_init(&plain, RS_JWT_SIZE_MAX);
	if (rs_buffer_reserve(&plain, text.size) != RS_OK)
		return rs_buffer_check(&plain, "a token", err);
	if (!base64url_decode(text, plain.data, &plain.size))
		return rs_error_set(err, RS_MALFORMED, "the token's %s is not base64url without padding",
		                    part);
	json_t *json = json_loadb((const char *)plain.data, plain.size, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(json)) {
		json_decref(json);
		return rs_error_set(err, RS_MALFORMED, "the token's %s is no JSON object", part);
	}
	*out = json;
	return RS_OK;
}

struct parts {
	struct rs_str header, payload, signature, signed_text;
};

static enum rs_code split(struct rs_str token, struct parts *out, struct rs_error *err)
{
	struct rs_str rest = token;
	if (token.size > RS_JWT_SIZE_MAX)
		return rs_error_set(err, RS_MALFORMED, "a token has at most %zu bytes, this one %zu",
		                    RS_JWT_SIZE_MAX, token.size);
	bool whole = rs_str_split(&rest, '.', &out->header) && rs_str_split(&rest, '.', &out->payload) &&
	             out->header.size && out->payload.size && rest.size && !memchr(rest.data, '.', rest.size);
	if (!whole)
		return rs_error_set(err, RS_MALFORMED, "it is no signed token: HEADER.CLAIMS.SIGNATURE");
	out->signature = rest;
	out->signed_text = (struct rs_str){token.data, out->header.size + 1 + out->payload.size};
	return RS_OK;
}

static enum rs_code check_header(const json_t *header, enum rs_jws_algorithm *out, struct rs_error *err)
{
	const char *algorithm = json_string_value(json_object_get(header, "alg"));
	const json_t *type = json_object_get(header, "typ");
	if (!algorithm || !rs_jws_algorithm_from_name(rs_str_from(algorithm), out))
		return rs_error_set(err, RS_DENIED,
		                    "the token is signed by '%.20s': RS256, ES256 and EdDSA are taken",
		                    algorithm ? algorithm : "");
	if (json_object_get(header, "crit"))
		return rs_error_set(err, RS_DENIED,
		                    "the token has critical parameters, and none is known here");
	if (type && (!json_is_string(type) || (strcasecmp(json_string_value(type), "JWT") != 0 &&
	                                       strcasecmp(json_string_value(type), "at+jwt") != 0)))
		return rs_error_set(err, RS_DENIED,
		                    "it is no token for access: its typ is neither JWT nor at+jwt");
	return RS_OK;
}

static enum rs_code check_signature(const struct parts *parts, const json_t *header,
                                    const struct rs_jwks *keys, struct rs_error *err)
{
	uint8_t signature[SIGNATURE_MAX];
	size_t size;
	enum rs_jws_algorithm algorithm;
	const struct rs_jws_key *key;
	const json_t *kid = json_object_get(header, "kid");
	RS_TRY(check_header(header, &algorithm, err));
	if (kid && !json_is_string(kid))
		return rs_error_set(err, RS_MALFORMED, "the token's kid is no text");
	if (parts->signature.size > SIGNATURE_MAX || !base64url_decode(parts->signature, signature, &size))
		return rs_error_set(err, RS_MALFORMED, "the token's signature is no signature");
	RS_TRY(jwks_find(keys, algorithm, kid ? json_string_value(kid) : NULL, &key, err));
	if (!rs_jws_valid(key, rs_bytes_of_str(parts->signed_text), rs_bytes_of(signature, size)))
		return rs_error_set(err, RS_DENIED, "the token's signature is wrong");
	return RS_OK;
}

/* Seconds since 1970, perhaps with a fraction (RFC 7519 section 2). */
static enum rs_code read_time(const json_t *claims, const char *name, bool needed, bool *out_there,
                              double *out_s, struct rs_error *err)
{
	const json_t *value = json_object_get(claims, name);
	*out_there = value != NULL;
	if (!value && !needed)
		return RS_OK;
	if (!json_is_number(value) || !(json_number_value(value) >= 0) || json_number_value(value) > 1e12)
		return rs_error_set(err, RS_DENIED, "the token's %s is no time", name);
	*out_s = json_number_value(value);
	return RS_OK;
}

static enum rs_code check_times(const json_t *claims, const struct rs_jwt_expectation *expectation,
                                struct rs_error *err)
{
	const double now_s = (double)expectation->now_ms / 1000, skew_s = (double)expectation->skew_ms / 1000;
	double time_s = 0;
	bool there;
	RS_TRY(read_time(claims, "exp", true, &there, &time_s, err));
	if (time_s + skew_s <= now_s)
		return rs_error_set(err, RS_DENIED, "the token has expired %.0f s ago", now_s - time_s);
	RS_TRY(read_time(claims, "nbf", false, &there, &time_s, err));
	if (there && time_s > now_s + skew_s)
		return rs_error_set(err, RS_DENIED, "the token is valid in %.0f s only", time_s - now_s);
	RS_TRY(read_time(claims, "iat", false, &there, &time_s, err));
	if (there && time_s > now_s + skew_s)
		return rs_error_set(err, RS_DENIED, "the token will be issued in %.0f s: is a clock wrong?",
		                    time_s - now_s);
	return RS_OK;
}

static bool is_for(const json_t *audience, const char *us)
{
	size_t index;
	const json_t *one;
	if (json_is_string(audience))
		return strcmp(json_string_value(audience), us) == 0;
	json_array_foreach((json_t *)(uintptr_t)audience, index, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), us) == 0)
			return true;
	}
	return false;
}

static enum rs_code check_claims(const json_t *claims, const struct rs_jwt_expectation *expectation,
                                 struct rs_error *err)
{
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	if (!issuer || strcmp(issuer, expectation->issuer) != 0)
		return rs_error_set(err, RS_DENIED, "the token is of another issuer");
	if (!is_for(json_object_get(claims, "aud"), expectation->audience))
		return rs_error_set(err, RS_DENIED, "the token is for another audience");
	return check_times(claims, expectation, err);
}

enum rs_code rs_jwt_check(struct rs_str token, const struct rs_jwks *keys,
                          const struct rs_jwt_expectation *expectation, json_t **out_claims,
                          struct rs_error *err)
{
	json_t *header RS_CLEANUP(json_finish) = NULL;
	json_t *claims RS_CLEANUP(json_finish) = NULL;
	struct parts parts;
	RS_TRY(split(token, &parts, err));
	RS_TRY(read_object(parts.header, "header", &header, err));
	RS_TRY(check_signature(&parts, header, keys, err));
	RS_TRY(read_object(parts.payload, "claims", &claims, err));
	RS_TRY(check_claims(claims, expectation, err));
	*out_claims = claims;
	claims = NULL;
	return RS_OK;
}

enum rs_code rs_jwt_issuer(struct rs_str token, char *out, size_t size, struct rs_error *err)
{
	json_t *claims RS_CLEANUP(json_finish) = NULL;
	struct parts parts;
	RS_TRY(split(token, &parts, err));
	RS_TRY(read_object(parts.payload, "claims", &claims, err));
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	if (!issuer || strlen(issuer) >= size)
		return rs_error_set(err, RS_DENIED, "the token names no issuer");
	memcpy(out, issuer, strlen(issuer) + 1);
	return RS_OK;
}
