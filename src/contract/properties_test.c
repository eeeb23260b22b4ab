/* What must hold whatever is sent, tried on thousands of seeded random sequences: narrowing only takes away; who was
 * revoked never acts again; a refusal writes nothing; a replay comes to the same; what does not touch the same rows may
 * come in either order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_random.h"
#include "contract/contract_memory.h"

#define MEMBERS 20 /* from 12 on: devices, or nobody yet */
#define SUBJECTS 3
#define DAY RS_CLOCK_SLACK_MS
#define START (100 * DAY)

static uint64_t below(struct rs_stream *dice, uint64_t limit) { return rs_stream_next(dice) % limit; }

static struct rs_digest digest_of(char letter, uint64_t number)
{
	struct rs_digest digest = {.bytes = {(uint8_t)letter, (uint8_t)(number >> 8), (uint8_t)number, 1}};
	return digest;
}

/* Member 0 founded; 1 … 3 administer an organisation each; the others are whatever the dice say. */
static struct rs_member_key member_of(uint64_t number)
{
	struct rs_member_key key = {.bytes = {'k', (uint8_t)number, 1}};
	return key;
}

static const char *const organisations[] = {"Hospital", "Radiology", "Oncology", "Research"};
static struct rs_str organisation_of(uint64_t number) { return rs_str_from(organisations[number % 4]); }

static uint8_t lists[2][3 * RS_SHA256_SIZE];

static struct rs_bytes some_digests(struct rs_stream *dice, char letter, unsigned list, uint64_t range)
{
	size_t size = 0;
	for (uint64_t i = 1; i <= range && size < sizeof lists[0]; i++)
		if (below(dice, 3) == 0) {
			struct rs_digest digest = digest_of(letter, i);
			memcpy(lists[list] + size, digest.bytes, RS_SHA256_SIZE);
			size += RS_SHA256_SIZE;
		}
	return rs_bytes_of(lists[list], size);
}

static uint32_t some_set(struct rs_stream *dice, uint32_t all)
{
	uint32_t set = (uint32_t)rs_stream_next(dice) & all;
	return set ? set : all;
}

static void set_terms(struct rs_stream *dice, struct rs_act *act)
{
	act->roles = some_set(dice, RS_SET_ROLES_ALL);
	act->purposes = some_set(dice, RS_SET_PURPOSES_ALL);
	act->operations = some_set(dice, RS_SET_OPERATIONS_ALL);
	act->from_ms = START - below(dice, 3) * DAY;
	act->until_ms = below(dice, 2) ? START + (1 + below(dice, 8)) * DAY : 0;
	if (below(dice, 2))
		act->studies = some_digests(dice, 's', 0, 3);
}

/* Any transaction at all, with few names, so that they meet. */
static struct rs_act random_act(struct rs_stream *dice, uint64_t number)
{
	struct rs_act act = {
		.type = (enum rs_transaction_type)(1 + below(dice, RS_TRANSACTION_TYPE_COUNT - 1)),
		.time_ms = START + below(dice, 10) * DAY / 2,
		.instances = 1};
	bool about_device = act.type == RS_TRANSACTION_DEVICE_ENROL ||
	                    act.type == RS_TRANSACTION_DEVICE_REVOKE ||
	                    act.type == RS_TRANSACTION_DEVICE_ROTATE;
	uint64_t signer = below(dice, 2) ? below(dice, 4) : below(dice, MEMBERS);
	act.id[0] = 1;
	rs_write_be64(act.id + 8, number);
	act.signer = member_of(signer);
	act.organisation = organisation_of(below(dice, 5) ? signer : below(dice, 4));
	act.member = member_of(about_device ? 12 + below(dice, MEMBERS - 12) : 4 + below(dice, MEMBERS - 4));
	act.successor = member_of(12 + below(dice, MEMBERS - 12));
	act.role = (enum rs_role)(1 + below(dice, RS_ROLE_COUNT - 1));
	act.kind = (enum rs_object_kind)(1 + below(dice, 6));
	act.commitment = digest_of('o', 1 + below(dice, 40));
	act.subject = digest_of('p', 1 + below(dice, SUBJECTS));
	act.consent = digest_of('c', 1 + below(dice, 6));
	act.effect = below(dice, 5) ? RS_CONSENT_PERMIT : RS_CONSENT_DENY;
	act.purpose = (enum rs_purpose)(1 + below(dice, 6));
	act.operation = (enum rs_operation)(1 + below(dice, 5));
	act.reason = digest_of('r', 1);
	act.outcome = below(dice, 2) ? RS_REVIEW_JUSTIFIED : RS_REVIEW_UNJUSTIFIED;
	act.attribute = below(dice, 2) ? RS_PROFILE_BIRTHDAY : RS_PROFILE_CONTACT;
	act.origin = RS_STR("log");
	act.size = 1 + below(dice, 9);
	act.root = digest_of('t', 1 + below(dice, 2));
	if (act.type == RS_TRANSACTION_BREAK_GLASS) {
		act.signer = below(dice, 2) ? member_of(7 + below(dice, 2)) : act.signer;
		memset(act.id, 0, sizeof act.id);
		memcpy(act.id, (const uint8_t[3]){9, act.signer.bytes[1], (uint8_t)below(dice, 3)}, 3);
	}
	if (act.type == RS_TRANSACTION_BREAK_GLASS_REVIEW) { /* of the two clinicians */
		act.member = member_of(7 + below(dice, 2));
		memcpy(act.glass, (const uint8_t[3]){9, act.member.bytes[1], (uint8_t)below(dice, 3)}, 3);
	}
	set_terms(dice, &act);
	if (act.type == RS_TRANSACTION_CONSENT_GRANT &&
	    below(dice, 2)) { /* wide, so that there is something to narrow */
		act.roles = RS_SET_ROLES_ALL;
		act.purposes = RS_SET_PURPOSES_ALL;
		act.operations = RS_SET_OPERATIONS_ALL;
		act.from_ms = act.until_ms = act.studies.size = 0;
	}
	if (act.type == RS_TRANSACTION_OBJECT_REGISTER) {
		act.parents = some_digests(dice, 'o', 1, below(dice, 6));
		act.study = below(dice, 2) ? digest_of('s', 1 + below(dice, 3)) : (struct rs_digest){{0}};
		act.purpose = below(dice, 2) ? act.purpose : 0;
		act.subject = below(dice, 4) ? act.subject : (struct rs_digest){{0}};
		act.study = act.subject.bytes[0] ? act.study : (struct rs_digest){{0}};
	}
	if (act.type == RS_TRANSACTION_SUBJECT_REGISTER && below(dice, 2))
		act.member = (struct rs_member_key){{0}};
	if (act.type == RS_TRANSACTION_MEMBER_GRANT && act.from_ms > START)
		act.until_ms = 0;
	if (act.type == RS_TRANSACTION_ERASURE && below(dice, 8))
		act.subject = digest_of('p', 99);
	return act;
}

static struct rs_digest digest_of_state(const struct rs_state *state)
{
	struct rs_digest digest;
	assert_int_equal(rs_state_digest(state, &digest, NULL), RS_OK);
	return digest;
}

static enum rs_refusal apply(const struct rs_state *state, const struct rs_act *act)
{
	enum rs_refusal refusal = RS_REFUSAL_COUNT;
	struct rs_error err = {0};
	if (rs_contract_apply(state, act, &refusal, &err) != RS_OK)
		fail_msg("%s: %s", rs_transaction_type_name(act->type), err.message);
	assert_true(refusal < RS_REFUSAL_COUNT);
	return refusal;
}

/* A hospital whose administrators are members 0 … 3, with a few who work there, subjects and objects. */
static void found(const struct rs_state *state)
{
	for (uint64_t i = 0; i < 4; i++) {
		struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
		                     .id = {2, (uint8_t)i},
		                     .time_ms = START - 50 * DAY,
		                     .signer = member_of(0),
		                     .organisation = organisation_of(i),
		                     .member = member_of(i)};
		assert_int_equal(apply(state, &act), RS_REFUSAL_NONE);
	}
	for (uint64_t i = 4; i < 12; i++) {
		struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT,
		                     .id = {3, (uint8_t)i},
		                     .time_ms = START - 50 * DAY,
		                     .signer = member_of(i % 4),
		                     .organisation = organisation_of(i),
		                     .member = member_of(i),
		                     .role = (enum rs_role)(1 + i % 7)};
		assert_int_equal(apply(state, &act), RS_REFUSAL_NONE);
	}
	for (uint64_t i = 1; i <= SUBJECTS; i++) {
		struct rs_act act = {.type = RS_TRANSACTION_SUBJECT_REGISTER,
		                     .id = {4, (uint8_t)i},
		                     .time_ms = START - 50 * DAY,
		                     .signer = member_of(i),
		                     .organisation = organisation_of(i),
		                     .subject = digest_of('p', i)};
		assert_int_equal(apply(state, &act), RS_REFUSAL_NONE);
		act.type = RS_TRANSACTION_OBJECT_REGISTER;
		act.id[0] = 5;
		act.kind = RS_OBJECT_IMAGE;
		act.instances = 1;
		act.commitment = digest_of('o', i);
		act.study = digest_of('s', i);
		assert_int_equal(apply(state, &act), RS_REFUSAL_NONE);
	}
}

/* Every question that differs by role, purpose, operation, study, organisation and time; true: permitted by consent. */
#define QUESTIONS (4 * 4 * 5 * 3)
static void ask_everything(const struct rs_state *state, uint64_t time_ms, bool out[QUESTIONS])
{
	static const uint64_t objects[] = {1, 22, 23};
	size_t count = 0;
	for (uint64_t who = 7; who < 11; who++) /* radiologist, oncologist, researcher, data engineer */
		for (unsigned purpose = 1; purpose <= 4; purpose++)
			for (unsigned operation = 1; operation <= 5; operation++)
				for (size_t object = 0; object < 3; object++) {
					struct rs_act act = {.type = RS_TRANSACTION_ACCESS_REQUEST,
					                     .time_ms = time_ms,
					                     .signer = member_of(who),
					                     .commitment = digest_of('o', objects[object]),
					                     .purpose = (enum rs_purpose)purpose,
					                     .operation = (enum rs_operation)operation};
					struct rs_decision decision;
					assert_int_equal(rs_contract_decide(state, &act, &decision, NULL),
					                 RS_OK);
					out[count++] = decision.refusal == RS_REFUSAL_NONE;
				}
	assert_int_equal(count, QUESTIONS);
}

/* Three images of one subject, in a study each, and people of every role elsewhere. */
static void prepare_narrowing(const struct rs_state *state)
{
	found(state);
	for (uint64_t i = 2; i <= 3; i++) {
		struct rs_act act = {.type = RS_TRANSACTION_OBJECT_REGISTER,
		                     .id = {6, (uint8_t)i},
		                     .time_ms = START,
		                     .signer = member_of(1),
		                     .organisation = organisation_of(1),
		                     .subject = digest_of('p', 1),
		                     .kind = RS_OBJECT_IMAGE,
		                     .instances = 1,
		                     .commitment = digest_of('o', i + 20),
		                     .study = digest_of('s', i)};
		assert_int_equal(apply(state, &act), RS_REFUSAL_NONE);
	}
}

static unsigned compare_answers(const bool *before, const bool *after, unsigned *lost)
{
	unsigned held = 0;
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (after[i] && !before[i])
			fail_msg("question %zu: narrowing gave leave", i);
		*lost += before[i] && !after[i];
		held += after[i];
	}
	return held;
}

static void narrowing_only_takes_away(void **state)
{
	struct rs_stream dice = {1};
	unsigned admitted = 0, lost = 0, held = 0;
	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct rs_memory_state memory = {.count = 0};
		const struct rs_state view = rs_memory_state_view(&memory);
		bool before[QUESTIONS], after[QUESTIONS];
		prepare_narrowing(&view);
		struct rs_act act = {.type = RS_TRANSACTION_CONSENT_GRANT,
		                     .id = {7},
		                     .time_ms = START,
		                     .signer = member_of(1),
		                     .organisation = organisation_of(below(&dice, 4)),
		                     .subject = digest_of('p', 1),
		                     .consent = digest_of('c', 1),
		                     .effect = RS_CONSENT_PERMIT};
		set_terms(&dice, &act);
		assert_int_equal(apply(&view, &act), RS_REFUSAL_NONE);
		uint64_t time_ms = START + below(&dice, 8) * DAY;
		for (unsigned narrowing = 0; narrowing < 4; narrowing++) {
			ask_everything(&view, time_ms, before);
			struct rs_act narrow = act;
			narrow.type = RS_TRANSACTION_CONSENT_NARROW;
			set_terms(&dice, &narrow);
			if (below(&dice, 2)) { /* else most of them are refused */
				narrow.roles = (narrow.roles & act.roles) ? narrow.roles & act.roles
				                                          : act.roles;
				narrow.purposes = (narrow.purposes & act.purposes)
				                          ? narrow.purposes & act.purposes
				                          : act.purposes;
				narrow.operations = (narrow.operations & act.operations)
				                            ? narrow.operations & act.operations
				                            : act.operations;
				narrow.from_ms = act.from_ms > narrow.from_ms ? act.from_ms : narrow.from_ms;
				narrow.until_ms = act.until_ms;
			}
			if (apply(&view, &narrow) != RS_REFUSAL_NONE)
				continue;
			admitted++;
			act = narrow;
			ask_everything(&view, time_ms, after);
			held += compare_answers(before, after, &lost);
		}
		rs_memory_state_finish(&memory);
	}
	print_message("# %u narrowings admitted, %u rights lost, %u kept, none gained\n", admitted, lost,
	              held);
	assert_true(admitted > 1000 && lost > 100 && held > 100);
}

/* Puts are counted and rows remembered, over a state in memory. */
struct watched {
	struct rs_state below;
	uint64_t puts;
	uint64_t read[4096 / 64],
		written[4096 / 64]; /* of hashed keys; a collision only makes it more careful */
};

static unsigned place_of(struct rs_bytes key)
{
	struct rs_digest digest;
	rs_sha256(key, &digest);
	return rs_read_be16(digest.bytes) & 4095;
}

static void mark(uint64_t *set, struct rs_bytes key)
{
	unsigned place = place_of(key);
	set[place / 64] |= (uint64_t)1 << place % 64;
}

static enum rs_code watched_get(void *context, struct rs_bytes key, struct rs_bytes *out,
                                struct rs_error *err)
{
	struct watched *watched = context;
	mark(watched->read, key);
	return watched->below.get(watched->below.context, key, out, err);
}

static enum rs_code watched_put(void *context, struct rs_bytes key, struct rs_bytes value,
                                struct rs_error *err)
{
	struct watched *watched = context;
	watched->puts++;
	mark(watched->written, key);
	/* A walk reads all rows of one letter: each write of such a row is a write of the letter, too. */
	mark(watched->written, rs_bytes_of(key.data, 1));
	return watched->below.put(watched->below.context, key, value, err);
}

static enum rs_code watched_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                                 struct rs_error *err)
{
	struct watched *watched = context;
	mark(watched->read, rs_bytes_of(prefix.data, 1));
	return watched->below.each(watched->below.context, prefix, visit, visitor, err);
}

static struct rs_state watch(struct watched *watched, struct rs_memory_state *memory)
{
	*watched = (struct watched){.below = rs_memory_state_view(memory)};
	return (struct rs_state){watched_get, watched_put, watched_each, watched};
}

static bool meet(const uint64_t *a, const uint64_t *b)
{
	for (size_t i = 0; i < 4096 / 64; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

#define ROUNDS 1000
#define STEPS 150

/* Who was revoked, by a model of its own that knows nothing but the admitted revocations. */
static void nobody_revoked_acts_and_refusals_write_nothing(void **state)
{
	struct rs_stream dice = {2};
	uint64_t admitted[RS_TRANSACTION_TYPE_COUNT] = {0}, attempts = 0, refused = 0;
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rs_memory_state memory = {.count = 0};
		struct watched watched;
		const struct rs_state view = watch(&watched, &memory);
		bool revoked[MEMBERS] = {false};
		found(&view);
		for (uint64_t step = 0; step < STEPS; step++) {
			struct rs_act act = random_act(&dice, step);
			uint64_t signer = act.signer.bytes[1];
			watched.puts = 0;
			enum rs_refusal refusal = apply(&view, &act);
			attempts += revoked[signer];
			if (refusal != RS_REFUSAL_NONE) {
				refused++;
				assert_int_equal(watched.puts, 0);
				continue;
			}
			if (revoked[signer])
				fail_msg("round %u, step %llu: a revoked member's %s was admitted", round,
				         (unsigned long long)step, rs_transaction_type_name(act.type));
			assert_true(watched.puts > 0);
			admitted[act.type]++;
			if (act.type == RS_TRANSACTION_MEMBER_REVOKE ||
			    act.type == RS_TRANSACTION_DEVICE_REVOKE ||
			    act.type == RS_TRANSACTION_DEVICE_ROTATE)
				revoked[act.member.bytes[1]] = true;
		}
		rs_memory_state_finish(&memory);
	}
	print_message("# %u transactions, %llu refused, %llu tried by the revoked\n", ROUNDS * STEPS,
	              (unsigned long long)refused, (unsigned long long)attempts);
	for (unsigned i = 1; i < RS_TRANSACTION_TYPE_COUNT; i++)
		if (i != RS_TRANSACTION_ORGANISATION_ADD && admitted[i] < 5)
			fail_msg("only %llu %s were admitted: this proves little",
			         (unsigned long long)admitted[i],
			         rs_transaction_type_name((enum rs_transaction_type)i));
	assert_true(attempts > 1000);
}

/* Replaying what was admitted, without what was refused, admits it all again and comes to the same state; and what was
 * refused stays refused when it comes again right away. */
static void a_replay_comes_to_the_same(void **state)
{
	struct rs_stream dice = {3};
	static struct rs_act acts[STEPS];
	static uint8_t kept[STEPS][2][sizeof lists[0]];
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rs_memory_state first = {.count = 0}, second = {.count = 0};
		const struct rs_state view = rs_memory_state_view(&first),
				      replay = rs_memory_state_view(&second);
		size_t count = 0;
		found(&view);
		found(&replay);
		for (uint64_t step = 0; step < STEPS; step++) {
			struct rs_act act = random_act(&dice, step);
			enum rs_refusal refusal = apply(&view, &act);
			if (refusal != RS_REFUSAL_NONE) {
				assert_int_equal(apply(&view, &act), refusal);
				continue;
			}
			memcpy(kept[count][0], lists[0], sizeof lists[0]);
			memcpy(kept[count][1], lists[1], sizeof lists[1]);
			acts[count] = act;
			acts[count].studies.data = kept[count][0];
			acts[count].parents.data = kept[count][1];
			count++;
		}
		for (size_t i = 0; i < count; i++)
			assert_int_equal(apply(&replay, &acts[i]), RS_REFUSAL_NONE);
		struct rs_digest a = digest_of_state(&view), b = digest_of_state(&replay);
		assert_true(rs_digest_equal(&a, &b));
		rs_memory_state_finish(&first);
		rs_memory_state_finish(&second);
	}
}

static void run_pair(struct rs_memory_state *memory, const struct rs_act *a, const struct rs_act *b,
                     enum rs_refusal out[2], struct watched seen[2], struct rs_digest *digest)
{
	struct rs_state view = watch(&seen[0], memory);
	rs_memory_state_begin(memory);
	out[0] = apply(&view, a);
	view = watch(&seen[1], memory);
	out[1] = apply(&view, b);
	view = rs_memory_state_view(memory);
	*digest = digest_of_state(&view);
	rs_memory_state_rollback(memory);
}

/* Two that touch no row of each other come to the same in either order; of two that do, the order may decide, but never so
 * that the state depends on anything but the order. */
static void order_matters_only_where_rows_meet(void **state)
{
	struct rs_stream dice = {4};
	unsigned apart = 0, together = 0, differed = 0;
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rs_memory_state memory = {.count = 0};
		const struct rs_state view = rs_memory_state_view(&memory);
		found(&view);
		for (uint64_t step = 0; step < 100; step++) {
			struct watched seen[2], turned[2];
			struct rs_digest forth, back, before = digest_of_state(&view);
			enum rs_refusal one[2], other[2];
			struct rs_act a = random_act(&dice, 2 * step), b = random_act(&dice, 2 * step + 1);
			a.studies.size = a.parents.size = 0; /* the lists are b's now */
			if (a.type == RS_TRANSACTION_OBJECT_REGISTER)
				a.parents = (struct rs_bytes){.size = 0};
			run_pair(&memory, &a, &b, one, seen, &forth);
			run_pair(&memory, &b, &a, other, turned, &back);
			bool touch = meet(seen[0].written, seen[1].read) ||
			             meet(seen[0].written, seen[1].written) ||
			             meet(seen[1].written, seen[0].read);
			bool same = one[0] == other[1] && one[1] == other[0] &&
			            rs_digest_equal(&forth, &back);
			if (!touch && !same)
				fail_msg("%s and %s do not touch, but their order decides",
				         rs_transaction_type_name(a.type), rs_transaction_type_name(b.type));
			apart += !touch && one[0] == RS_REFUSAL_NONE && one[1] == RS_REFUSAL_NONE;
			together += touch;
			differed += !same;
			struct rs_digest after = digest_of_state(&view);
			assert_true(rs_digest_equal(&before, &after)); /* the rollback, too, leaves nothing */
			(void)apply(&view, &a);
		}
		rs_memory_state_finish(&memory);
	}
	print_message("# %u pairs apart and admitted, %u that meet, order decided for %u\n", apart, together,
	              differed);
	assert_true(apart > 200 && together > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(narrowing_only_takes_away),
		cmocka_unit_test(nobody_revoked_acts_and_refusals_write_nothing),
		cmocka_unit_test(a_replay_comes_to_the_same),
		cmocka_unit_test(order_matters_only_where_rows_meet),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
