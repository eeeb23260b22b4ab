/* A world whose random bytes and time are said beforehand, and dice. */
#ifndef CONSENT_TEST_H
#define CONSENT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_random.h"
#include "consent/consent.h"

struct test_world {
	struct rs_clock clock;
	struct rs_random random;
	struct rs_world world;
	uint64_t now_ms;
	struct rs_stream dice;
	struct rs_bytes drawn; /* given out first; then what the dice say */
};

static inline uint64_t test_now(const struct rs_clock *clock)
{
	return ((const struct test_world *)(const void *)clock)->now_ms;
}

static inline enum rs_code test_fill(const struct rs_random *random, void *out, size_t size,
                                     struct rs_error *err)
{
	uintptr_t at = (uintptr_t)random - offsetof(struct test_world, random);
	struct test_world *world = (struct test_world *)at; /* the tests' own, and not constant */
	uint8_t *bytes = out;
	(void)err;
	for (size_t i = 0; i < size; i++) {
		bytes[i] = world->drawn.size ? *world->drawn.data : (uint8_t)rs_stream_next(&world->dice);
		if (world->drawn.size)
			world->drawn = rs_bytes_of(world->drawn.data + 1, world->drawn.size - 1);
	}
	return RS_OK;
}

static inline void test_world_init(struct test_world *world, uint64_t now_ms, struct rs_bytes drawn)
{
	*world = (struct test_world){
		.clock = {.now_ms = test_now}, .random = {test_fill}, .now_ms = now_ms, .drawn = drawn};
	world->world = (struct rs_world){.clock = &world->clock, .random = &world->random};
}

static inline void test_key(uint8_t number, struct rs_signing_key *out)
{
	struct rs_secret seed = {{number, 1}};
	rs_signing_key_from_seed(&seed, out);
}

static inline struct rs_consent_terms test_terms(const char *organisation)
{
	struct rs_consent_terms terms = {.effect = RS_CONSENT_PERMIT,
	                                 .organisation_size = strlen(organisation),
	                                 .roles = RS_SET_ROLES_ALL,
	                                 .purposes = RS_SET_PURPOSES_ALL,
	                                 .operations = RS_SET_OPERATIONS_ALL};
	memcpy(terms.organisation, organisation, terms.organisation_size);
	return terms;
}

#endif
