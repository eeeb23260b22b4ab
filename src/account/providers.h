/* Identity providers and the keys that they publish. */
#ifndef ACCOUNT_PROVIDERS_H
#define ACCOUNT_PROVIDERS_H

#include <pthread.h>

#include "account/account_identities.h"

#define ISSUER_MAX 512
#define PROVIDERS_MAX 16

struct provider {
	const struct rs_world *world;
	const char *issuer, *audience, *jwks, *authorities;
	uint64_t skew_ms;
	rs_identities_fetch *fetch;
	void *context;
	pthread_mutex_t
		mutex; /* guards what follows; held while keys are fetched, so that one thread does it for all */
	struct rs_jwks *keys;
	uint64_t fetched_ms, tried_ms;
};

struct providers {
	struct provider list[PROVIDERS_MAX];
	size_t count;
};

struct text_field {
	const char *name;
	bool needed;
	const char **out; /* NULL: not a text, read elsewhere */
};
/* The texts of an object that has no other members. errors  RS_MALFORMED */
enum rs_code object_texts(const json_t *object, const struct text_field *fields, size_t count,
                          struct rs_error *err);

enum rs_code providers_read(struct providers *providers, const struct rs_world *world, const json_t *list,
                            rs_identities_fetch *fetch, void *context, struct rs_error *err);
void providers_finish(struct providers *providers);
struct provider *providers_find(struct providers *providers, const char *issuer); /* NULL: none */
/* rs_jwt_check() with the provider's keys, fetched where that is needed. */
enum rs_code provider_check(struct provider *provider, struct rs_str token, json_t **out_claims,
                            struct rs_error *err);

#endif
