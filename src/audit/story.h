/* A consortium's story on the ledger in memory: three houses, two subjects, a consent that is narrowed and revoked, broken
 * glass, an audit, an erasure. Entry numbers stand beside the steps. */
#ifndef AUDIT_STORY_H
#define AUDIT_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "audit/audit.h"
#include "base/base_sim.h"

#define PATH "/audit.sqlite"
#define DAY RS_CLOCK_SLACK_MS
#define START (100 * DAY)
#define LINES_MAX 512
/* A name that a spreadsheet would run, and that no format may let out of its cell. */
#define RESEARCH "=cmd|' /C calc'!A0, \"Research\""

enum who { ADMIN, READER, RESEARCH_ADMIN, RESEARCHER, OVERSEER, REGULATOR, WHO_COUNT };

struct fixture {
	struct rs_sim *sim;
	struct rs_engine engine;
	struct rs_audit *audit;
	struct rs_signing_key keys[WHO_COUNT];
	uint64_t time_ms;
	uint64_t told[LINES_MAX]; /* entries of the last answer */
	size_t count;
	struct rs_audit_line lines[LINES_MAX];
	uint8_t ids; /* given to transactions */
};

static inline struct rs_member_key member_of(const struct fixture *f, enum who who)
{
	struct rs_member_key key;
	memcpy(key.bytes, f->keys[who].public_key, RS_KEY_SIZE);
	return key;
}

static inline struct rs_digest named(char letter, uint8_t number)
{
	return (struct rs_digest){.bytes = {(uint8_t)letter, number}};
}

/* Appends a transaction and answers with its entry, or with RS_AUDIT_NO_ENTRY when the contract refuses it. */
static inline uint64_t add(struct fixture *f, enum who who, struct rs_act act)
{
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_append_result result = {.index = 0};
	struct rs_error err = {0};
	act.id[0] = ++f->ids;
	act.time_ms = act.time_ms ? act.time_ms : (f->time_ms += 1000);
	assert_int_equal(rs_transaction_sign(&act, &f->keys[who], &transaction, &err), RS_OK);
	if (f->engine.append(f->engine.context, &transaction, 1, &result, &err) != RS_OK)
		fail_msg("%s", err.message);
	return result.refusal == RS_REFUSAL_NONE ? result.index : RS_AUDIT_NO_ENTRY;
}

static inline struct rs_act organisation(const struct fixture *f, const char *name,
                                         enum rs_organisation_kind kind, enum who administrator)
{
	return (struct rs_act){.type = RS_TRANSACTION_ORGANISATION_ADD,
	                       .organisation = rs_str_from(name),
	                       .organisation_kind = kind,
	                       .member = member_of(f, administrator)};
}

static inline struct rs_act grant(const struct fixture *f, const char *name, enum who who, enum rs_role role)
{
	return (struct rs_act){.type = RS_TRANSACTION_MEMBER_GRANT,
	                       .organisation = rs_str_from(name),
	                       .member = member_of(f, who),
	                       .role = role,
	                       .from_ms = START,
	                       .until_ms = START + 300 * DAY};
}

static inline struct rs_act object(uint8_t number, enum rs_object_kind kind, uint8_t subject)
{
	return (struct rs_act){.type = RS_TRANSACTION_OBJECT_REGISTER,
	                       .organisation = RS_STR("Hospital"),
	                       .kind = kind,
	                       .instances = 1,
	                       .commitment = named('o', number),
	                       .subject = named('p', subject),
	                       .study = named('t', subject)};
}

static inline struct rs_act request(uint8_t number, enum rs_purpose purpose, enum rs_operation operation)
{
	return (struct rs_act){.type = RS_TRANSACTION_ACCESS_REQUEST,
	                       .commitment = named('o', number),
	                       .purpose = purpose,
	                       .operation = operation};
}

static inline struct rs_act consent(enum rs_transaction_type type, uint32_t operations)
{
	struct rs_act act = {.type = type, .subject = named('p', 1), .consent = named('c', 1)};
	if (type == RS_TRANSACTION_CONSENT_REVOKE)
		return act;
	act.roles = RS_SET(RS_ROLE_RESEARCHER);
	act.purposes = RS_SET(RS_PURPOSE_RESEARCH);
	act.operations = operations;
	act.from_ms = START;
	if (type == RS_TRANSACTION_CONSENT_GRANT) {
		act.effect = RS_CONSENT_PERMIT;
		act.organisation = RS_STR(RESEARCH);
	}
	return act;
}

#define READS RS_SET(RS_OPERATION_READ)
#define READS_AND_EXTRACTS (READS | RS_SET(RS_OPERATION_EXTRACT))

/* Entries 0 … 5: who is who. */
static inline void add_people(struct fixture *f)
{
	add(f, ADMIN, organisation(f, "Hospital", RS_ORGANISATION_ANY, ADMIN));
	add(f, ADMIN, grant(f, "Hospital", READER, RS_ROLE_RADIOLOGIST));
	add(f, ADMIN, organisation(f, RESEARCH, RS_ORGANISATION_RESEARCH, RESEARCH_ADMIN));
	add(f, RESEARCH_ADMIN, grant(f, RESEARCH, RESEARCHER, RS_ROLE_RESEARCHER));
	add(f, ADMIN, organisation(f, "Authority", RS_ORGANISATION_REGULATOR, OVERSEER));
	assert_int_equal(add(f, OVERSEER, grant(f, "Authority", REGULATOR, RS_ROLE_REGULATOR)), 5);
}

/* Entries 6 … 16: two subjects, images, a consent and what rests on it. */
static inline void add_uses(struct fixture *f)
{
	struct rs_act subject = {.type = RS_TRANSACTION_SUBJECT_REGISTER, .organisation = RS_STR("Hospital")};
	struct rs_digest image = named('o', 1);
	subject.subject = named('p', 1);
	add(f, READER, subject);
	subject.subject = named('p', 2);
	add(f, READER, subject);
	add(f, READER, object(1, RS_OBJECT_IMAGE, 1));
	add(f, READER, request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ));
	add(f, RESEARCHER, request(1, RS_PURPOSE_RESEARCH, RS_OPERATION_EXTRACT)); /* 10: no consent */
	add(f, ADMIN, consent(RS_TRANSACTION_CONSENT_GRANT, READS_AND_EXTRACTS));
	add(f, RESEARCHER, request(1, RS_PURPOSE_RESEARCH, RS_OPERATION_EXTRACT));
	add(f, RESEARCH_ADMIN, consent(RS_TRANSACTION_CONSENT_NARROW, READS));
	add(f, RESEARCHER, request(1, RS_PURPOSE_RESEARCH, RS_OPERATION_READ)); /* 14 */
	struct rs_act features = object(2, RS_OBJECT_FEATURES, 2);
	features.parents = rs_bytes_of(image.bytes, RS_SHA256_SIZE);
	add(f, READER, features); /* 15: of the second subject, made from the first one's image */
	struct rs_act version = object(3, RS_OBJECT_IMAGE, 1);
	version.has_previous = true;
	version.previous = image;
	assert_int_equal(add(f, READER, version), 16);
}

/* Entries 17 … 26: broken glass, an audit, ends. */
static inline void add_ends(struct fixture *f)
{
	struct rs_act glass = {
		.type = RS_TRANSACTION_BREAK_GLASS, .subject = named('p', 1), .reason = named('r', 1)};
	add(f, READER, glass);
	struct rs_act review = {.type = RS_TRANSACTION_BREAK_GLASS_REVIEW,
	                        .member = member_of(f, READER),
	                        .glass = {f->ids},
	                        .outcome = RS_REVIEW_UNJUSTIFIED,
	                        .reason = named('r', 2)};
	add(f, ADMIN, review);
	glass.subject = named('p', 2);
	add(f, READER, glass); /* 19: nobody reviews it */
	add(f, REGULATOR, request(1, RS_PURPOSE_AUDIT, RS_OPERATION_READ));
	add(f, ADMIN, consent(RS_TRANSACTION_CONSENT_REVOKE, 0));
	add(f, RESEARCHER, request(1, RS_PURPOSE_RESEARCH, RS_OPERATION_READ));  /* 22: refused */
	add(f, RESEARCHER, request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ)); /* 23: not for this role */
	add(f, RESEARCH_ADMIN,
	    (struct rs_act){.type = RS_TRANSACTION_MEMBER_REVOKE, .member = member_of(f, RESEARCHER)});
	add(f, ADMIN, (struct rs_act){.type = RS_TRANSACTION_ERASURE, .subject = named('p', 1)});
	assert_int_equal(add(f, READER, request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ)), 26);
}

static inline void open_audit(struct fixture *f)
{
	struct rs_error err = {0};
	if (rs_audit_open(rs_sim_world(f->sim), PATH, &f->engine, RS_AUDIT_WRITE, &f->audit, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static inline void begin(struct fixture *f)
{
	*f = (struct fixture){.time_ms = START};
	assert_int_equal(rs_sim_create(3, &f->sim, NULL), RS_OK);
	assert_int_equal(rs_memory_engine_create(&f->engine, NULL), RS_OK);
	for (uint8_t i = 0; i < WHO_COUNT; i++) {
		const struct rs_secret seed = {{(uint8_t)(i + 1)}};
		rs_signing_key_from_seed(&seed, &f->keys[i]);
	}
	open_audit(f);
	add_people(f);
	add_uses(f);
	add_ends(f);
}

static inline void finish(struct fixture *f)
{
	rs_audit_close(f->audit);
	f->engine.close(f->engine.context);
	rs_sim_destroy(f->sim);
}

#endif
