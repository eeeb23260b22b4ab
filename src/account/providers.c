/* Keys of identity providers: fetched, kept, and fetched again when they were exchanged. */
#include "providers.h"

#include <string.h>

#include "net/net_tls.h"

#define FETCH_TIMEOUT_MS 5000
#define FRESH_MS ((uint64_t)3600 * 1000)
#define RETRY_MS ((uint64_t)60 * 1000)
#define STALE_MS ((uint64_t)24 * 3600 * 1000)
#define SKEW_DEFAULT_S 60
#define SKEW_MAX_S 600

void providers_finish(struct providers *providers)
{
	for (size_t i = 0; i < providers->count; i++) {
		rs_jwks_free(providers->list[i].keys);
		pthread_mutex_destroy(&providers->list[i].mutex);
	}
}

static enum rs_code read_provider(const json_t *json, struct provider *out, struct rs_error *err)
{
	const struct text_field fields[] = {{"issuer", true, &out->issuer},
	                                    {"audience", true, &out->audience},
	                                    {"jwks", true, &out->jwks},
	                                    {"authorities", false, &out->authorities},
	                                    {"skew_s", false, NULL}};
	const json_t *skew = json_object_get(json, "skew_s");
	RS_TRY(object_texts(json, fields, RS_COUNT(fields), err));
	if (strlen(out->issuer) > ISSUER_MAX || !out->issuer[0] || !out->audience[0])
		return rs_error_set(err, RS_MALFORMED,
		                    "issuer and audience are not empty, and issuer has at most %d bytes",
		                    ISSUER_MAX);
	if (strncmp(out->jwks, "http://", 7) == 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "jwks is fetched by https only: who could change it could be anybody");
	if (skew &&
	    (!json_is_integer(skew) || json_integer_value(skew) < 0 || json_integer_value(skew) > SKEW_MAX_S))
		return rs_error_set(err, RS_MALFORMED, "skew_s is a number from 0 to %d", SKEW_MAX_S);
	out->skew_ms = (uint64_t)(skew ? json_integer_value(skew) : SKEW_DEFAULT_S) * 1000;
	return RS_OK;
}

enum rs_code providers_read(struct providers *providers, const struct rs_world *world, const json_t *list,
                            rs_identities_fetch *fetch, void *context, struct rs_error *err)
{
	size_t count = json_array_size(list);
	if ((list && !json_is_array(list)) || count > PROVIDERS_MAX)
		return rs_error_set(err, RS_MALFORMED, "providers is no list of at most %d", PROVIDERS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct provider *provider = &providers->list[i];
		*provider = (struct provider){.world = world, .fetch = fetch, .context = context};
		enum rs_code code = read_provider(json_array_get(list, i), provider, err);
		if (code == RS_OK && providers_find(providers, provider->issuer))
			code = rs_error_set(err, RS_MALFORMED, "its issuer is another one's, too");
		if (code != RS_OK)
			return err ? rs_error_context(err, "providers, number %zu", i + 1) : code;
		pthread_mutex_init(&provider->mutex, NULL);
		providers->count++;
	}
	return RS_OK;
}

struct provider *providers_find(struct providers *providers, const char *issuer)
{
	for (size_t i = 0; i < providers->count; i++)
		if (strcmp(providers->list[i].issuer, issuer) == 0)
			return &providers->list[i];
	return NULL;
}

static enum rs_code load(struct provider *provider, struct rs_buffer *out, struct rs_error *err)
{
	if (strncmp(provider->jwks, "https://", 8) != 0)
		return rs_file_read_all(provider->world, provider->jwks, RS_JWKS_SIZE_MAX, out, err);
	rs_buffer_init(out, RS_JWKS_SIZE_MAX);
	if (provider->fetch)
		return provider->fetch(provider->context, provider->jwks, provider->authorities, out, err);
	return rs_https_get(provider->jwks, provider->authorities, RS_JWKS_SIZE_MAX, FETCH_TIMEOUT_MS, out,
	                    err);
}

static enum rs_code fetch(struct provider *provider, uint64_t now_ms, struct rs_error *err)
{
	struct rs_buffer json RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_jwks *keys = NULL;
	provider->tried_ms = now_ms;
	enum rs_code code = load(provider, &json, err);
	if (code == RS_OK)
		code = rs_jwks_parse(rs_buffer_bytes(&json), &keys, err);
	if (code != RS_OK)
		return err ? rs_error_context(err, "keys of %.200s", provider->issuer) : code;
	rs_jwks_free(provider->keys);
	provider->keys = keys;
	provider->fetched_ms = now_ms;
	return RS_OK;
}

/* A clock that was set back must not keep keys for ever: ages are taken as they are, small or large. */
static bool is_older(uint64_t then_ms, uint64_t now_ms, uint64_t than_ms)
{
	return now_ms < then_ms || now_ms - then_ms >= than_ms;
}

static enum rs_code check_locked(struct provider *provider, struct rs_str token, json_t **out_claims,
                                 struct rs_error *err)
{
	const uint64_t now_ms = rs_world_now_ms(provider->world);
	const struct rs_jwt_expectation expectation = {provider->issuer, provider->audience, now_ms,
	                                               provider->skew_ms};
	struct rs_error why = {.message = ""};
	if (!provider->keys || is_older(provider->fetched_ms, now_ms, FRESH_MS))
		if (provider->tried_ms == 0 || is_older(provider->tried_ms, now_ms, RETRY_MS))
			(void)fetch(provider, now_ms, &why);
	if (!provider->keys || is_older(provider->fetched_ms, now_ms, STALE_MS))
		return rs_error_set(err, RS_DENIED, "no token can be checked now: %s",
		                    why.message[0] ? why.message : "its issuer's keys could not be fetched");
	enum rs_code code = rs_jwt_check(token, provider->keys, &expectation, out_claims, err);
	if (code != RS_NOT_FOUND || !is_older(provider->tried_ms, now_ms, RETRY_MS))
		return code == RS_NOT_FOUND && err ? (err->code = RS_DENIED) : code;
	RS_TRY(fetch(provider, now_ms, err));
	code = rs_jwt_check(token, provider->keys, &expectation, out_claims, err);
	return code == RS_NOT_FOUND && err ? (err->code = RS_DENIED) : code;
}

enum rs_code provider_check(struct provider *provider, struct rs_str token, json_t **out_claims,
                            struct rs_error *err)
{
	pthread_mutex_lock(&provider->mutex);
	enum rs_code code = check_locked(provider, token, out_claims, err);
	pthread_mutex_unlock(&provider->mutex);
	return code == RS_NOT_FOUND ? RS_DENIED : code;
}
