/* What every engine must do, run on each: the vectors of the contract one by one and all at once, retries, ids taken,
 * groups that fail as a whole, the same root for the same entries, a state that only transactions change. A new engine is
 * one row in `engines`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/contract_vectors.h"
#include "ledger/ledger_head.h"

#define VECTORS_MAX 1024

struct fixture {
	char directory[64], path[96];
	struct rs_signing_key log;
	struct rs_engine engine;
	struct rs_error err;
	struct rs_vector vectors[VECTORS_MAX];
	struct rs_transaction transactions[VECTORS_MAX]; /* the same, borrowed */
	size_t count;
};

static void open_embedded(struct fixture *f)
{
	struct rs_ledger *ledger;
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	assert_int_equal(rs_ledger_open(rs_world_system(), f->path, &options, &ledger, &f->err), RS_OK);
	f->engine = rs_ledger_engine(ledger);
}

static void open_memory(struct fixture *f)
{
	assert_int_equal(rs_memory_engine_create(&f->engine, &f->err), RS_OK);
}

static const struct {
	const char *name;
	void (*open)(struct fixture *f);
	bool lasts; /* what it holds is there when it is opened again */
} engines[] = {
	{"memory", open_memory, false},
	{"embedded", open_embedded, true},
};

static void start(struct fixture *f, size_t engine)
{
	snprintf(f->directory, sizeof f->directory, "/tmp/radseal-conformance-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/ledger.sqlite", f->directory);
	engines[engine].open(f);
}

static void stop(struct fixture *f)
{
	char command[128];
	f->engine.close(f->engine.context);
	snprintf(command, sizeof command, "rm -r %s", f->directory);
	assert_int_equal(system(command), 0);
}

static void load(struct fixture *f, const char *name)
{
	struct rs_vectors *vectors;
	if (rs_vectors_open(name, &vectors, &f->err) != RS_OK)
		fail_msg("%s", f->err.message);
	f->count = rs_vectors_count(vectors);
	assert_in_range(f->count, 1, VECTORS_MAX);
	for (size_t i = 0; i < f->count; i++) {
		if (rs_vectors_read(vectors, i, &f->vectors[i], &f->err) != RS_OK)
			fail_msg("%s: %s", name, f->err.message);
		f->transactions[i] = f->vectors[i].transaction;
		f->transactions[i].checked = false; /* as if it came from outside */
	}
	rs_vectors_close(vectors);
}

static void unload(struct fixture *f)
{
	for (size_t i = 0; i < f->count; i++)
		rs_transaction_finish(&f->vectors[i].transaction);
}

static void state_digest(struct fixture *f, struct rs_digest *out)
{
	struct rs_state state = f->engine.state(f->engine.context);
	assert_int_equal(rs_state_digest(&state, out, &f->err), RS_OK);
}

static void root_of(struct fixture *f, struct rs_digest *out)
{
	assert_int_equal(f->engine.root(f->engine.context, out, &f->err), RS_OK);
}

static void append(struct fixture *f, size_t first, size_t count, struct rs_append_result *results)
{
	if (f->engine.append(f->engine.context, &f->transactions[first], count, results, &f->err) != RS_OK)
		fail_msg("step %zu: %s", first, f->err.message);
}

static void check_step(struct fixture *f, size_t i, enum rs_refusal refusal)
{
	const struct rs_vector *vector = &f->vectors[i];
	struct rs_state state = f->engine.state(f->engine.context);
	struct rs_digest digest;
	struct rs_decision decision;
	if (refusal != vector->refusal)
		fail_msg("step %zu: %s, expected %s", i, rs_refusal_name(refusal),
		         rs_refusal_name(vector->refusal));
	state_digest(f, &digest);
	if (!rs_digest_equal(&digest, &vector->state))
		fail_msg("step %zu: another state", i);
	if (!vector->has_decision)
		return;
	assert_int_equal(rs_contract_decision(&state, vector->id, &decision, &f->err), RS_OK);
	assert_true(decision.refusal == vector->decision.refusal && decision.basis == vector->decision.basis);
}

/* Each engine runs `test` on each file of vectors, beginning with an empty ledger. */
static void for_all(struct fixture *f, void (*test)(struct fixture *f, size_t engine))
{
	for (size_t name = 0; name < rs_vector_names_count; name++)
		for (size_t engine = 0; engine < RS_COUNT(engines); engine++) {
			load(f, rs_vector_names[name]);
			start(f, engine);
			test(f, engine);
			stop(f);
			unload(f);
		}
}

static void run_one_by_one(struct fixture *f, size_t engine)
{
	struct rs_append_result result;
	(void)engine;
	for (size_t i = 0; i < f->count; i++) {
		append(f, i, 1, &result);
		check_step(f, i, result.refusal);
	}
}

static void vectors_one_by_one(void **state) { for_all(*state, run_one_by_one); }

/* All at once; what was admitted stands in its order, can be found, and a second time nothing changes. */
static void run_all_at_once(struct fixture *f, size_t engine)
{
	static struct rs_append_result results[VECTORS_MAX], again[VECTORS_MAX];
	struct rs_digest digest, root, same;
	uint64_t index;
	append(f, 0, f->count, results);
	check_step(f, f->count - 1, results[f->count - 1].refusal);
	root_of(f, &root);
	uint64_t size = f->engine.size(f->engine.context), next = 0;
	for (size_t i = 0; i < f->count; i++) {
		struct rs_bytes entry;
		assert_int_equal(results[i].refusal, f->vectors[i].refusal);
		if (results[i].refusal != RS_REFUSAL_NONE)
			continue;
		assert_true(results[i].index <= next);
		next += results[i].index == next;
		assert_int_equal(f->engine.entry(f->engine.context, results[i].index, &entry, &f->err),
		                 RS_OK);
		assert_true(rs_bytes_equal(entry, rs_buffer_bytes(&f->transactions[i].entry)));
		assert_int_equal(f->engine.find(f->engine.context, f->vectors[i].id, &index, &f->err), RS_OK);
		assert_int_equal(index, results[i].index);
	}
	assert_int_equal(next, size);
	if (engines[engine].lasts) {
		f->engine.close(f->engine.context);
		engines[engine].open(f);
	}
	for (size_t i = 0; i < f->count; i++)
		if (results[i].refusal == RS_REFUSAL_NONE) {
			append(f, i, 1, &again[i]);
			assert_int_equal(again[i].refusal, RS_REFUSAL_NONE);
			assert_int_equal(again[i].index, results[i].index);
		}
	assert_int_equal(f->engine.size(f->engine.context), size);
	root_of(f, &same);
	state_digest(f, &digest);
	assert_true(rs_digest_equal(&root, &same));
	assert_true(rs_digest_equal(&digest, &f->vectors[f->count - 1].state));
}

static void vectors_all_at_once_and_again(void **state) { for_all(*state, run_all_at_once); }

/* One transaction of a group is forged: nothing of the group is in. */
static void run_forged_group(struct fixture *f, size_t engine)
{
	static struct rs_append_result results[VECTORS_MAX];
	struct rs_digest before, after, root, root_after;
	size_t half = f->count / 2;
	(void)engine;
	append(f, 0, half, results);
	state_digest(f, &before);
	root_of(f, &root);
	uint64_t size = f->engine.size(f->engine.context);
	struct rs_buffer *last = &f->transactions[f->count - 1].entry;
	last->data[last->size - 1] ^= 1;
	assert_int_equal(f->engine.append(f->engine.context, &f->transactions[half], f->count - half, results,
	                                  &f->err),
	                 RS_ALTERED);
	last->data[last->size - 1] ^= 1;
	state_digest(f, &after);
	root_of(f, &root_after);
	assert_true(rs_digest_equal(&before, &after) && rs_digest_equal(&root, &root_after));
	assert_int_equal(f->engine.size(f->engine.context), size);
	append(f, half, f->count - half, results);
	state_digest(f, &after);
	assert_true(rs_digest_equal(&after, &f->vectors[f->count - 1].state));
}

static void a_group_fails_as_a_whole(void **state) { for_all(*state, run_forged_group); }

static void next_head(struct fixture *f, struct rs_map_head *out)
{
	assert_int_equal(f->engine.map_next(f->engine.context, out, &f->err), RS_OK);
}

/* The same entries, the same tree and the same map, whichever engine. */
static void engines_agree_on_the_root(void **state)
{
	struct fixture *f = *state;
	static struct rs_append_result results[VECTORS_MAX];
	for (size_t name = 0; name < rs_vector_names_count; name++) {
		struct rs_digest roots[RS_COUNT(engines)];
		struct rs_map_head heads[RS_COUNT(engines)];
		load(f, rs_vector_names[name]);
		for (size_t engine = 0; engine < RS_COUNT(engines); engine++) {
			start(f, engine);
			append(f, 0, f->count, results);
			root_of(f, &roots[engine]);
			assert_true(rs_digest_equal(&roots[engine], &roots[0]));
			next_head(f, &heads[engine]);
			assert_memory_equal(&heads[engine], &heads[0], sizeof *heads);
			stop(f);
		}
		unload(f);
	}
}

static void only_transactions_change_a_state(void **state)
{
	struct fixture *f = *state;
	for (size_t engine = 0; engine < RS_COUNT(engines); engine++) {
		struct rs_bytes entry;
		uint64_t index;
		uint8_t id[RS_TRANSACTION_ID_SIZE] = {1};
		start(f, engine);
		struct rs_state view = f->engine.state(f->engine.context);
		assert_int_equal(view.put(view.context, rs_bytes_of("M", 1), rs_bytes_of("x", 1), &f->err),
		                 RS_USAGE);
		assert_int_equal(f->engine.size(f->engine.context), 0);
		assert_int_equal(f->engine.entry(f->engine.context, 0, &entry, &f->err), RS_NOT_FOUND);
		assert_int_equal(f->engine.find(f->engine.context, id, &index, &f->err), RS_NOT_FOUND);
		stop(f);
	}
}

/* An administrator's transactions, made here. */
struct scene {
	struct rs_signing_key admin;
	uint8_t number; /* of the last one */
};

static enum rs_refusal submit(struct fixture *f, struct scene *scene, struct rs_act *act)
{
	struct rs_transaction transaction;
	struct rs_append_result result;
	act->id[0] = ++scene->number;
	act->time_ms = 1000;
	act->organisation = RS_STR("Radiology");
	assert_int_equal(rs_transaction_sign(act, &scene->admin, &transaction, &f->err), RS_OK);
	assert_int_equal(f->engine.append(f->engine.context, &transaction, 1, &result, &f->err), RS_OK);
	rs_transaction_finish(&transaction);
	return result.refusal;
}

static enum rs_refusal submit_head(struct fixture *f, struct scene *scene, const struct rs_map_head *head)
{
	struct rs_act act = {.organisation = RS_STR("Radiology")};
	struct rs_buffer origin;
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	assert_int_equal(rs_map_head_act(head, &origin, &act, &f->err), RS_OK);
	enum rs_refusal refusal = submit(f, scene, &act);
	rs_buffer_finish(&origin);
	return refusal;
}

static const struct rs_digest subject = {{7}};

static void start_scene(struct fixture *f, struct scene *scene)
{
	struct rs_secret seed = {{3}};
	struct rs_act founding = {.type = RS_TRANSACTION_ORGANISATION_ADD};
	struct rs_act subject_act = {.type = RS_TRANSACTION_SUBJECT_REGISTER, .subject = subject};
	scene->number = 0;
	rs_signing_key_from_seed(&seed, &scene->admin);
	memcpy(founding.member.bytes, scene->admin.public_key, RS_KEY_SIZE);
	assert_int_equal(submit(f, scene, &founding), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, scene, &subject_act), RS_REFUSAL_NONE);
}

static void consent(struct fixture *f, struct scene *scene, enum rs_transaction_type type, uint8_t name)
{
	struct rs_act act = {.type = type, .subject = subject, .consent = {{name}}};
	if (type == RS_TRANSACTION_CONSENT_GRANT) {
		act.effect = RS_CONSENT_PERMIT;
		act.roles = RS_SET_ROLES_ALL;
		act.purposes = RS_SET(RS_PURPOSE_RESEARCH);
		act.operations = RS_SET_OPERATIONS_ALL;
	}
	assert_int_equal(submit(f, scene, &act), RS_REFUSAL_NONE);
}

/* What the last head proves about a key; appends its value. */
static void check_at_head(struct fixture *f, struct rs_bytes key, bool present, struct rs_buffer *value)
{
	struct rs_map_proof proof;
	struct rs_bytes entry;
	struct rs_map_head head;
	struct rs_act act;
	uint64_t index;
	bool there;
	assert_int_equal(f->engine.map_last(f->engine.context, &index, &f->err), RS_OK);
	assert_int_equal(f->engine.entry(f->engine.context, index, &entry, &f->err), RS_OK);
	assert_int_equal(rs_transaction_parse(entry, &act, &f->err), RS_OK);
	assert_true(rs_map_head_of(&act, &head) && head.entries == index);
	rs_buffer_clear(value);
	assert_int_equal(f->engine.map_prove(f->engine.context, key, &proof, &there, value, &f->err), RS_OK);
	assert_int_equal(there, present);
	assert_int_equal(value->size > 0, present);
	assert_int_equal(rs_map_presence_valid(&head.root, key, rs_buffer_bytes(value), &proof), present);
	assert_int_equal(rs_map_absence_valid(&head.root, key, &proof), !present);
}

static size_t consents_in(const struct rs_buffer *value)
{
	struct rs_bytes rest = rs_buffer_bytes(value), name, row;
	size_t count = 0;
	while (rs_map_next_consent(&rest, &name, &row))
		assert_int_equal(name.data[0], ++count);
	assert_int_equal(rest.size, 0);
	return count;
}

static void run_heads(struct fixture *f, struct scene *scene)
{
	uint8_t consents[1 + RS_SHA256_SIZE] = {'C', 7}, member[1 + RS_KEY_SIZE] = {'M'};
	struct rs_bytes key = rs_bytes_of(consents, sizeof consents);
	struct rs_map_proof proof;
	struct rs_map_head head, wrong;
	struct rs_buffer value;
	uint64_t index;
	bool there;
	rs_buffer_init(&value, RS_MAP_VALUE_MAX);
	memcpy(member + 1, scene->admin.public_key, RS_KEY_SIZE);
	assert_int_equal(f->engine.map_last(f->engine.context, &index, &f->err), RS_NOT_FOUND);
	next_head(f, &head);
	assert_int_equal(submit_head(f, scene, &head), RS_REFUSAL_NONE);
	check_at_head(f, key, false, &value);
	check_at_head(f, rs_bytes_of(member, sizeof member), true, &value);
	/* Neither an old one, nor another root. */
	assert_int_equal(submit_head(f, scene, &head), RS_REFUSAL_MAP_HEAD);
	consent(f, scene, RS_TRANSACTION_CONSENT_GRANT, 1);
	consent(f, scene, RS_TRANSACTION_CONSENT_GRANT, 2);
	next_head(f, &wrong);
	wrong.root = head.root;
	assert_int_equal(submit_head(f, scene, &wrong), RS_REFUSAL_MAP_HEAD);
	/* What changed since the head is not proved by it; what did not is. */
	assert_int_equal(f->engine.map_prove(f->engine.context, key, &proof, &there, &value, &f->err),
	                 RS_NOT_FOUND);
	check_at_head(f, rs_bytes_of(member, sizeof member), true, &value);
	next_head(f, &head);
	assert_int_equal(submit_head(f, scene, &head), RS_REFUSAL_NONE);
	check_at_head(f, key, true, &value);
	assert_int_equal(consents_in(&value), 2);
	consent(f, scene, RS_TRANSACTION_CONSENT_REVOKE, 2);
	next_head(f, &wrong);
	assert_false(rs_digest_equal(&wrong.root, &head.root));
	rs_buffer_finish(&value);
}

static void heads_say_what_is_in_force(void **state)
{
	struct fixture *f = *state;
	for (size_t engine = 0; engine < RS_COUNT(engines); engine++) {
		struct scene scene;
		start(f, engine);
		start_scene(f, &scene);
		run_heads(f, &scene);
		stop(f);
	}
}

static void no_fault(void *context, const char *sentence)
{
	(void)context;
	fail_msg("a fault where there is none: %s", sentence);
}

/* The embedded engine's check replays the contract into a table of its own. */
static void the_check_replays_every_transaction(void **state)
{
	struct fixture *f = *state;
	static struct rs_append_result results[VECTORS_MAX];
	for (size_t name = 0; name < rs_vector_names_count; name++) {
		load(f, rs_vector_names[name]);
		start(f, 1);
		append(f, 0, f->count, results);
		assert_int_equal(rs_ledger_check(f->engine.context, no_fault, NULL, &f->err), RS_OK);
		stop(f);
		unload(f);
	}
	struct scene scene;
	start(f, 1);
	start_scene(f, &scene);
	run_heads(f, &scene);
	assert_int_equal(rs_ledger_check(f->engine.context, no_fault, NULL, &f->err), RS_OK);
	stop(f);
}

static int setup(void **state)
{
	struct rs_secret seed = {{1}};
	struct fixture *f = rs_allocate(sizeof *f);
	if (!f || rs_crypto_init(&f->err) != RS_OK)
		return 1;
	rs_signing_key_from_seed(&seed, &f->log);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	rs_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_one_by_one),
		cmocka_unit_test(vectors_all_at_once_and_again),
		cmocka_unit_test(a_group_fails_as_a_whole),
		cmocka_unit_test(engines_agree_on_the_root),
		cmocka_unit_test(only_transactions_change_a_state),
		cmocka_unit_test(heads_say_what_is_in_force),
		cmocka_unit_test(the_check_replays_every_transaction),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
