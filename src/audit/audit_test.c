/* A consortium's story on the ledger in memory, and every question about it; then a log, a state and a file that were changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store/store.h"
#include "story.h"

static enum rs_code keep(void *context, const struct rs_audit_line *line, struct rs_error *err RS_UNUSED)
{
	struct fixture *f = context;
	assert_true(f->count < LINES_MAX);
	f->told[f->count] = line->entry;
	f->lines[f->count++] = *line;
	return RS_OK;
}

static enum rs_code ask(struct fixture *f, struct rs_audit_question question, struct rs_error *err)
{
	question.now_ms = f->time_ms + 8 * DAY;
	f->count = 0;
	RS_TRY(rs_audit_update(f->audit, NULL, NULL, err));
	return rs_audit_ask(f->audit, &question, keep, f, err);
}

static void expect(struct fixture *f, struct rs_audit_question question, const uint64_t *entries,
                   size_t count)
{
	struct rs_error err = {0};
	if (ask(f, question, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(f->count, count);
	assert_memory_equal(f->told, entries, count * sizeof *entries);
}
#define EXPECT(f, question, ...)                             \
	expect(f, question, (const uint64_t[]){__VA_ARGS__}, \
	       sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#define ABOUT_SUBJECT(number) \
	((struct rs_audit_question){.about = RS_AUDIT_SUBJECT, .id = named('p', number)})

static void a_subject(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	EXPECT(&f, ABOUT_SUBJECT(2), 7, 15, 19);
	EXPECT(&f, ABOUT_SUBJECT(1), 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 25, 26);
	const struct rs_audit_line *care = &f.lines[2], *none = &f.lines[3], *wide = &f.lines[5],
				   *narrow = &f.lines[7], *glass = &f.lines[10];
	assert_int_equal(care->decision.basis, RS_BASIS_CARE);
	assert_int_equal(care->kind, RS_OBJECT_IMAGE);
	assert_int_equal(care->object_entry, 8);
	assert_int_equal(care->signer.role, RS_ROLE_RADIOLOGIST);
	assert_int_equal(care->signer.until_ms, START + 300 * DAY);
	assert_int_equal(care->signer_entry, 1);
	assert_int_equal(none->decision.refusal, RS_REFUSAL_NO_CONSENT);
	assert_false(none->has_terms);
	assert_int_equal(wide->decision.basis, RS_BASIS_CONSENT);
	assert_int_equal(wide->terms.operations, READS_AND_EXTRACTS);
	assert_int_equal(wide->terms_entry, 11);
	assert_string_equal(wide->terms.organisation, RESEARCH);
	assert_int_equal(narrow->terms.operations, READS);
	assert_int_equal(narrow->terms_entry, 13);
	assert_int_equal(glass->review, RS_AUDIT_UNJUSTIFIED);
	assert_int_equal(glass->review_entry, 18);
	assert_int_equal(glass->findings, 1u << RS_AUDIT_GLASS_UNJUSTIFIED);
	assert_int_equal(f.lines[12].decision.basis, RS_BASIS_OVERSIGHT);
	assert_string_equal(f.lines[12].signer.organisation, "Authority");
	assert_int_equal(f.lines[15].findings, 1u << RS_AUDIT_OUTSIDE_ROLE);
	assert_int_equal(f.lines[17].findings, 1u << RS_AUDIT_AFTER_ERASURE);
	finish(&f);
}

static void members_and_all(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	EXPECT(&f,
	       ((struct rs_audit_question){.about = RS_AUDIT_MEMBER, .member = member_of(&f, RESEARCHER)}), 3,
	       10, 12, 14, 22, 23, 24);
	assert_int_equal(f.lines[0].relations, RS_AUDIT_CONCERNS);
	assert_int_equal(f.lines[1].relations, RS_AUDIT_SIGNED);
	EXPECT(&f, ((struct rs_audit_question){.about = RS_AUDIT_MEMBER, .member = member_of(&f, ADMIN)}), 0,
	       1, 2, 4, 11, 18, 21, 25);
	assert_int_equal(f.lines[0].signer.role, RS_ROLE_HOSPITAL_ADMINISTRATOR);
	EXPECT(&f, ((struct rs_audit_question){.about = RS_AUDIT_ALL, .refused = true}), 10, 22, 23, 26);
	EXPECT(&f, ((struct rs_audit_question){.about = RS_AUDIT_ALL, .open_reviews = true}), 19);
	assert_int_equal(f.lines[0].review, RS_AUDIT_REVIEW_OVERDUE);
	EXPECT(&f,
	       ((struct rs_audit_question){
		       .about = RS_AUDIT_ALL, .from_ms = START + 4000, .until_ms = START + 7000}),
	       3, 4, 5);
	finish(&f);
}

#define ABOUT_OBJECT(number) ((struct rs_audit_question){.about = RS_AUDIT_OBJECT, .id = named('o', number)})

static void objects_and_what_they_are_made_of(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	for (uint8_t version = 1; version <= 3;
	     version += 2) { /* asked for either version: both, one after the other */
		EXPECT(&f, ABOUT_OBJECT(version), 8, 9, 10, 12, 14, 15, 16, 20, 22, 23, 26);
		assert_int_equal(f.lines[0].relations, RS_AUDIT_REGISTERS);
		assert_int_equal(f.lines[1].relations, RS_AUDIT_ASKS);
		assert_int_equal(f.lines[5].relations, RS_AUDIT_MADE_FROM);
		assert_int_equal(f.lines[6].relations, RS_AUDIT_FOLLOWS | RS_AUDIT_REGISTERS);
	}
	EXPECT(&f, ABOUT_OBJECT(2), 8, 15);
	assert_int_equal(f.lines[0].relations, RS_AUDIT_PARENT);
	struct rs_audit_question provenance = ABOUT_OBJECT(1);
	provenance.provenance = true;
	EXPECT(&f, provenance, 8, 15, 16);
	assert_int_equal(f.lines[1].relations, RS_AUDIT_DESCENDANT);
	provenance.id = named('o', 2);
	EXPECT(&f, provenance, 15, 8);
	assert_int_equal(f.lines[1].relations, RS_AUDIT_ANCESTOR);
	provenance.id = named('o', 9);
	assert_int_equal(ask(&f, provenance, NULL), RS_OK);
	assert_int_equal(f.count, 0);
	finish(&f);
}

static void anomalies(void **state)
{
	const struct rs_audit_question question = {.about = RS_AUDIT_ANOMALIES, .burst = 6};
	struct fixture f;
	(void)state;
	begin(&f);
	EXPECT(&f, question, 17, 19, 26, 23); /* glasses, then requests member by member */
	for (int i = 0; i < 8; i++)
		add(&f, RESEARCHER,
		    request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ)); /* revoked: no entry */
	struct rs_act late = request(3, RS_PURPOSE_TREATMENT, RS_OPERATION_READ);
	late.time_ms = START + 1;
	f.time_ms += 2 * DAY;
	for (int i = 0; i < 6; i++) /* 27 … 32: six within an hour, of which five were refused already */
		add(&f, READER, request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ));
	assert_int_equal(add(&f, READER, late), 33);
	EXPECT(&f, question, 17, 19, 26, 27, 28, 29, 30, 31, 32, 33, 23);
	assert_int_equal(f.lines[7].findings, 1u << RS_AUDIT_AFTER_ERASURE | 1u << RS_AUDIT_REFUSED_BURST);
	assert_int_equal(f.lines[8].findings, 1u << RS_AUDIT_AFTER_ERASURE | 1u << RS_AUDIT_BURST);
	assert_int_equal(f.lines[9].findings, 1u << RS_AUDIT_AFTER_ERASURE | 1u << RS_AUDIT_BACKDATED);
	finish(&f);
}

/* --- What was changed is found --- */

static const struct rs_engine *honest;
static struct rs_bytes lie_about;
static uint64_t lie_entry;

static enum rs_code lying_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	static uint8_t changed[RS_STATE_VALUE_MAX];
	const struct rs_state state = honest->state(context);
	RS_TRY(state.get(state.context, key, out, err));
	if (!rs_bytes_equal(key, lie_about))
		return RS_OK;
	memcpy(changed, out->data, out->size);
	changed[1] ^= 1;
	*out = rs_bytes_of(changed, out->size);
	return RS_OK;
}

static struct rs_state lying_state(void *context)
{
	struct rs_state state = honest->state(context);
	state.get = lying_get;
	state.context = context;
	return state;
}

static enum rs_code lying_entry(void *context, uint64_t index, struct rs_bytes *out, struct rs_error *err)
{
	static uint8_t changed[RS_ENTRY_SIZE_MAX];
	RS_TRY(honest->entry(context, index, out, err));
	if (index != lie_entry)
		return RS_OK;
	memcpy(changed, out->data, out->size);
	changed[out->size - 1] ^= 1; /* its signature */
	*out = rs_bytes_of(changed, out->size);
	return RS_OK;
}

static void reopen(struct fixture *f, const struct rs_engine *engine)
{
	struct rs_engine own = f->engine;
	rs_audit_close(f->audit);
	f->engine = *engine;
	open_audit(f);
	f->engine = own;
}

static void changes_are_found(void **state)
{
	struct fixture f;
	struct rs_error err = {0};
	uint8_t consent_key[1 + 2 * RS_SHA256_SIZE] = {'C', 'p', 1, [1 + RS_SHA256_SIZE] = 'c', 1};
	(void)state;
	begin(&f);
	assert_int_equal(ask(&f, ABOUT_SUBJECT(1), &err), RS_OK);
	honest = &f.engine;
	struct rs_engine liar = f.engine;
	liar.state = lying_state;
	lie_about = rs_bytes_of(consent_key, sizeof consent_key);
	reopen(&f, &liar);
	assert_int_equal(ask(&f, ABOUT_SUBJECT(1), &err), RS_ALTERED); /* a consent in the stored state */
	assert_int_equal(ask(&f, ABOUT_SUBJECT(2), &err), RS_OK);
	liar = f.engine;
	liar.entry = lying_entry;
	lie_entry = 9;
	reopen(&f, &liar);
	assert_int_equal(ask(&f, ABOUT_SUBJECT(1), &err), RS_ALTERED); /* a signature */
	assert_non_null(strstr(err.message, "entry 9"));
	assert_int_equal(rs_audit_replay(f.audit, NULL, NULL, &err), RS_ALTERED);
	reopen(&f, &f.engine);
	assert_int_equal(rs_audit_replay(f.audit, NULL, NULL, &err), RS_OK);
	assert_int_equal(ask(&f, ABOUT_SUBJECT(1), &err), RS_OK);
	finish(&f);
}

static void count_fault(void *context, const char *sentence RS_UNUSED) { ++*(size_t *)context; }

static size_t faults_after(struct fixture *f, const char *sql)
{
	struct rs_store *store = NULL;
	size_t faults = 0;
	struct rs_error err = {0};
	assert_int_equal(rs_audit_replay(f->audit, NULL, NULL, &err), RS_OK);
	rs_audit_close(f->audit);
	f->audit = NULL;
	assert_int_equal(rs_store_open(rs_sim_world(f->sim), PATH, RS_STORE_WRITE, "", 1, &store, &err),
	                 RS_OK);
	assert_int_equal(rs_store_run(store, sql, &err), RS_OK);
	rs_store_close(store);
	open_audit(f);
	enum rs_code code = rs_audit_check(f->audit, count_fault, &faults, &err);
	assert_int_equal(code, faults ? RS_ALTERED : RS_OK);
	return faults;
}

static void the_file_is_checked(void **state)
{
	static const char *const changes[] = {
		"DELETE FROM about WHERE entry=12 AND substr(topic,1,1)=x'53'", /* hides an access */
		"INSERT INTO about VALUES(x'53', 3)",
		"DELETE FROM past WHERE entry=13",
		"UPDATE past SET value=zeroblob(4) WHERE entry=11 AND substr(key,1,1)=x'43'",
		"INSERT INTO past VALUES(x'51', 5, x'00')",
	};
	struct fixture f;
	(void)state;
	begin(&f);
	assert_int_equal(faults_after(&f, "SELECT 1"), 0);
	for (size_t i = 0; i < RS_COUNT(changes); i++)
		assert_true(faults_after(&f, changes[i]) > 0);
	finish(&f);
}

/* A log that was put back is another log. */
static void another_log_is_told_apart(void **state)
{
	struct fixture f;
	struct rs_error err = {0};
	(void)state;
	begin(&f);
	assert_int_equal(ask(&f, ABOUT_SUBJECT(1), &err), RS_OK);
	f.engine.close(f.engine.context);
	assert_int_equal(rs_memory_engine_create(&f.engine, NULL), RS_OK);
	f.ids = 100;
	add_people(&f);
	reopen(&f, &f.engine);
	assert_int_equal(rs_audit_update(f.audit, NULL, NULL, &err), RS_ALTERED);
	add_uses(&f);
	add_ends(&f);
	for (int i = 0; i < 3; i++)
		add(&f, READER, request(1, RS_PURPOSE_TREATMENT, RS_OPERATION_READ));
	assert_int_equal(rs_audit_update(f.audit, NULL, NULL, &err), RS_ALTERED);
	assert_int_equal(rs_audit_replay(f.audit, NULL, NULL, &err), RS_OK);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subject),
		cmocka_unit_test(members_and_all),
		cmocka_unit_test(objects_and_what_they_are_made_of),
		cmocka_unit_test(anomalies),
		cmocka_unit_test(changes_are_found),
		cmocka_unit_test(the_file_is_checked),
		cmocka_unit_test(another_log_is_told_apart),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests_name("audit", tests, NULL, NULL) : 1;
}
