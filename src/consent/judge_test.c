/* What tokens answer: the contract's own answer, whatever is granted, narrowed, denied and revoked; and never more after a
 * block than before it. Clocks that are wrong. Proofs of what is in force. */
#include "consent_test.h"
#include "contract/contract_memory.h"

#define ROLES 7
#define TOKENS 3
#define SUBJECT ((struct rs_digest){{'p', 1}})

static const char *const organisations[] = {"Hospital", "Research", "Onkologie Süd"};

static struct rs_member_key member_of(unsigned organisation, unsigned role)
{
	return (struct rs_member_key){{'m', (uint8_t)(organisation + 1), (uint8_t)role}};
}

static struct rs_digest study_of(uint64_t number) { return (struct rs_digest){{'s', (uint8_t)number}}; }

static enum rs_refusal apply(const struct rs_state *state, struct rs_act act)
{
	static uint64_t number;
	enum rs_refusal refusal;
	rs_write_be64(act.id, ++number);
	act.time_ms = act.time_ms ? act.time_ms : 1;
	act.signer = act.signer.bytes[0] ? act.signer : member_of(0, RS_ROLE_HOSPITAL_ADMINISTRATOR);
	assert_int_equal(rs_contract_apply(state, &act, &refusal, NULL), RS_OK);
	return refusal;
}

/* A hospital with a subject and four images (three in a study each), two other organisations with everyone. */
static void found(const struct rs_state *state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
		                     .organisation = rs_str_from(organisations[i]),
		                     .member = member_of(i, RS_ROLE_HOSPITAL_ADMINISTRATOR)};
		assert_int_equal(apply(state, act), RS_REFUSAL_NONE);
		for (unsigned role = 1; role <= ROLES; role++) {
			if (role == RS_ROLE_HOSPITAL_ADMINISTRATOR)
				continue;
			act.type = RS_TRANSACTION_MEMBER_GRANT;
			act.signer = member_of(i, RS_ROLE_HOSPITAL_ADMINISTRATOR);
			act.member = member_of(i, role);
			act.role = (enum rs_role)role;
			assert_int_equal(apply(state, act), RS_REFUSAL_NONE);
		}
	}
	struct rs_act act = {.type = RS_TRANSACTION_SUBJECT_REGISTER,
	                     .organisation = rs_str_from(organisations[0]),
	                     .subject = SUBJECT};
	assert_int_equal(apply(state, act), RS_REFUSAL_NONE);
	for (uint8_t i = 0; i < 4; i++) {
		act.type = RS_TRANSACTION_OBJECT_REGISTER;
		act.kind = RS_OBJECT_IMAGE;
		act.instances = 1;
		act.commitment = (struct rs_digest){{'o', i}};
		act.study = i ? study_of(i) : (struct rs_digest){{0}};
		assert_int_equal(apply(state, act), RS_REFUSAL_NONE);
	}
}

static uint32_t some_of(struct rs_stream *dice, uint32_t set)
{
	uint32_t chosen = set & (uint32_t)(rs_stream_next(dice) | rs_stream_next(dice));
	return chosen ? chosen : set;
}

static struct rs_consent_terms random_terms(struct rs_stream *dice)
{
	struct rs_consent_terms terms = test_terms(organisations[1 + rs_stream_next(dice) % 2]);
	terms.roles = some_of(dice, RS_SET_ROLES_ALL);
	terms.purposes = some_of(dice, RS_SET_PURPOSES_ALL);
	terms.operations = some_of(dice, RS_SET_OPERATIONS_ALL);
	terms.from_ms = rs_stream_next(dice) % 3 * 10;
	terms.until_ms = rs_stream_next(dice) % 2 ? terms.from_ms + 20 + rs_stream_next(dice) % 60 : 0;
	for (uint64_t i = 1; i <= 3 && rs_stream_next(dice) % 4; i++)
		if (rs_stream_next(dice) % 4 == 0) {
			memcpy(terms.studies + terms.studies_size, study_of(i).bytes, RS_SHA256_SIZE);
			terms.studies_size += RS_SHA256_SIZE;
		}
	if (rs_stream_next(dice) % 4 == 0) {
		terms.effect = RS_CONSENT_DENY;
		terms.organisation_size = rs_stream_next(dice) % 2 ? terms.organisation_size : 0;
	}
	return terms;
}

/* A block that leaves some of each. */
static struct rs_consent_terms random_narrowing(struct rs_stream *dice, const struct rs_consent_terms *terms)
{
	struct rs_consent_terms less = {.effect = terms->effect, .roles = some_of(dice, terms->roles)};
	if (rs_stream_next(dice) % 2)
		less.purposes = some_of(dice, terms->purposes);
	if (rs_stream_next(dice) % 2)
		less.operations = some_of(dice, terms->operations);
	if (rs_stream_next(dice) % 2)
		less.from_ms = terms->from_ms + rs_stream_next(dice) % 5;
	if (rs_stream_next(dice) % 2)
		less.until_ms = terms->until_ms ? terms->until_ms - rs_stream_next(dice) % 5 : 50;
	if (rs_stream_next(dice) % 2) {
		memcpy(less.studies, terms->studies_size ? terms->studies : study_of(2).bytes,
		       RS_SHA256_SIZE);
		less.studies_size = RS_SHA256_SIZE;
	}
	return less;
}

struct wallet {
	struct rs_consent_token tokens[TOKENS];
	struct rs_digest revoked[TOKENS];
	size_t revoked_count;
};

static struct rs_act consent_act(enum rs_transaction_type type, const struct rs_consent_token *token,
                                 const struct rs_consent_terms *terms)
{
	struct rs_act act = {.type = type, .subject = SUBJECT, .consent = *rs_consent_token_name(token)};
	rs_consent_terms_to_act(terms, &act);
	return act;
}

/* The same consent as a token and on the ledger. */
static void grant_both(struct test_world *world, const struct rs_state *state, struct wallet *wallet,
                       size_t number)
{
	struct rs_buffer bytes;
	struct rs_signing_key issuer;
	struct rs_consent_token *token = &wallet->tokens[number];
	struct rs_consent_terms terms = random_terms(&world->dice);
	struct rs_digest subject = SUBJECT;
	test_key(1, &issuer);
	rs_buffer_init(&bytes, RS_CONSENT_TOKEN_SIZE_MAX);
	assert_int_equal(rs_consent_token_grant(&world->world, &issuer, &subject, &terms, &bytes, NULL),
	                 RS_OK);
	assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&bytes), token, NULL), RS_OK);
	assert_int_equal(apply(state, consent_act(RS_TRANSACTION_CONSENT_GRANT, token, &terms)),
	                 RS_REFUSAL_NONE);
	for (unsigned i = 0; i < rs_stream_next(&world->dice) % 3 && terms.effect == RS_CONSENT_PERMIT; i++) {
		struct rs_consent_terms less = random_narrowing(&world->dice, &terms);
		struct rs_buffer next;
		rs_buffer_init(&next, RS_CONSENT_TOKEN_SIZE_MAX);
		if (rs_consent_token_narrow(&world->world, rs_buffer_bytes(&bytes), &less, &next, NULL) ==
		    RS_OK) {
			assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&next), token, NULL), RS_OK);
			rs_buffer_finish(&bytes);
			bytes = next;
			assert_true(rs_consent_token_terms(token, &terms));
			assert_int_equal(
				apply(state, consent_act(RS_TRANSACTION_CONSENT_NARROW, token, &terms)),
				RS_REFUSAL_NONE);
		}
	}
	rs_buffer_finish(&bytes);
	if (rs_stream_next(&world->dice) % 5)
		return;
	wallet->revoked[wallet->revoked_count++] = *rs_consent_token_name(token);
	assert_int_equal(apply(state, consent_act(RS_TRANSACTION_CONSENT_REVOKE, token, &terms)),
	                 RS_REFUSAL_NONE);
}

static struct rs_consent_trust trust_of(const struct wallet *wallet, struct rs_member_key *issuer)
{
	struct rs_signing_key key;
	test_key(1, &key);
	memcpy(issuer->bytes, key.public_key, RS_KEY_SIZE);
	return (struct rs_consent_trust){issuer, 1, wallet->revoked, wallet->revoked_count, NULL};
}

static bool compare_one(const struct rs_state *state, const struct wallet *wallet, unsigned organisation,
                        unsigned role, unsigned use, uint8_t object, uint64_t time_ms)
{
	struct rs_act act = {.type = RS_TRANSACTION_ACCESS_REQUEST,
	                     .signer = member_of(organisation, role),
	                     .time_ms = time_ms,
	                     .commitment = {{'o', object}},
	                     .purpose = (enum rs_purpose)(1 + use / 5),
	                     .operation = (enum rs_operation)(1 + use % 5)};
	struct rs_consent_question question = {.subject = SUBJECT,
	                                       .organisation = rs_str_from(organisations[organisation]),
	                                       .role = (enum rs_role)role,
	                                       .purpose = act.purpose,
	                                       .operation = act.operation,
	                                       .time_ms = time_ms};
	struct rs_member_key issuer;
	struct rs_consent_trust trust = trust_of(wallet, &issuer);
	struct rs_decision decision;
	struct rs_consent_answer answer;
	if (object)
		question.study = study_of(object);
	assert_int_equal(rs_contract_decide(state, &act, &decision, NULL), RS_OK);
	rs_consent_judge(wallet->tokens, TOKENS, &trust, &question, &answer);
	enum rs_refusal refusal = answer.refusal == RS_REFUSAL_CONSENT_REVOKED ? RS_REFUSAL_NO_CONSENT
	                                                                       : answer.refusal;
	if (refusal != decision.refusal)
		fail_msg("role %u use %u object %u: the contract says %s, the tokens %s", role, use, object,
		         rs_refusal_name(decision.refusal), answer.sentence);
	return refusal == RS_REFUSAL_NONE;
}

static void tokens_answer_as_the_contract_does(void **unused)
{
	unsigned permitted = 0, asked = 0;
	(void)unused;
	for (uint64_t round = 0; round < 60; round++) {
		struct rs_memory_state memory = {.count = 0};
		const struct rs_state state = rs_memory_state_view(&memory);
		struct wallet wallet = {.revoked_count = 0};
		struct test_world world;
		test_world_init(&world, 1, rs_bytes_of("", 0));
		world.dice.state = round;
		found(&state);
		for (size_t i = 0; i < TOKENS; i++)
			grant_both(&world, &state, &wallet, i);
		for (unsigned organisation = 1; organisation < 3; organisation++)
			for (unsigned role = 1; role <= ROLES; role++)
				for (unsigned use = 0; use < 30; use++)
					for (uint8_t object = 0; object < 4; object++, asked++)
						permitted += compare_one(
							&state, &wallet, organisation, role, use, object,
							1 + rs_stream_next(&world.dice) % 80);
		rs_memory_state_finish(&memory);
	}
	print_message("# %u questions, %u permitted\n", asked, permitted);
	assert_true(permitted > 1000 && permitted < asked / 2);
}

/* Blocks of any kind, as another program may write them: signatures are no matter here. */
static void a_block_only_takes_away(void **unused)
{
	struct rs_stream dice = {7};
	unsigned lost = 0, held = 0;
	(void)unused;
	for (unsigned round = 0; round < 20000; round++) {
		struct wallet wallet = {.revoked_count = 0};
		struct rs_consent_token *token = &wallet.tokens[0];
		struct rs_member_key issuer;
		struct rs_consent_trust trust = trust_of(&wallet, &issuer);
		struct rs_consent_answer before, after;
		token->effect = RS_CONSENT_PERMIT;
		token->subject = SUBJECT;
		token->count = 2 + rs_stream_next(&dice) % 3;
		for (size_t i = 0; i < token->count; i++) {
			token->blocks[i].signer = issuer;
			token->blocks[i].terms = random_terms(&dice);
			token->blocks[i].terms.effect = RS_CONSENT_PERMIT;
			if (i > 0 && rs_stream_next(&dice) % 2)
				token->blocks[i].terms.organisation_size = 0;
			else if (!token->blocks[i].terms.organisation_size)
				token->blocks[i].terms = test_terms("Research");
		}
		for (unsigned i = 0; i < 40; i++) {
			struct rs_consent_question question = {
				.subject = SUBJECT,
				.organisation = rs_str_from(organisations[rs_stream_next(&dice) % 3]),
				.role = (enum rs_role)(1 + rs_stream_next(&dice) % ROLES),
				.purpose = (enum rs_purpose)(1 + rs_stream_next(&dice) % 6),
				.operation = (enum rs_operation)(1 + rs_stream_next(&dice) % 5),
				.study = study_of(rs_stream_next(&dice) % 4),
				.time_ms = rs_stream_next(&dice) % 90};
			rs_consent_judge(token, 1, &trust, &question, &after);
			token->count--;
			rs_consent_judge(token, 1, &trust, &question, &before);
			token->count++;
			assert_true(after.refusal != RS_REFUSAL_NONE || before.refusal == RS_REFUSAL_NONE);
			held += after.refusal == RS_REFUSAL_NONE;
			lost += before.refusal == RS_REFUSAL_NONE && after.refusal != RS_REFUSAL_NONE;
		}
	}
	print_message("# %u held, %u lost, none gained\n", held, lost);
	assert_true(held > 1000 && lost > 1000);
}

/* A clock that may be wrong takes from what is permitted and adds to what is denied; it never gives. */
static void a_wrong_clock_gives_nothing(void **unused)
{
	static const struct {
		enum rs_consent_effect effect;
		uint64_t time_ms, skew_ms;
		bool speaks;
	} cases[] = {
		{RS_CONSENT_PERMIT, 100, 0, true},   {RS_CONSENT_PERMIT, 99, 0, false},
		{RS_CONSENT_PERMIT, 199, 0, true},   {RS_CONSENT_PERMIT, 200, 0, false},
		{RS_CONSENT_PERMIT, 109, 10, false}, {RS_CONSENT_PERMIT, 110, 10, true},
		{RS_CONSENT_PERMIT, 189, 10, true},  {RS_CONSENT_PERMIT, 190, 10, false},
		{RS_CONSENT_PERMIT, 5, 10, false},   {RS_CONSENT_PERMIT, UINT64_MAX, 10, false},
		{RS_CONSENT_DENY, 90, 9, false},     {RS_CONSENT_DENY, 90, 10, true},
		{RS_CONSENT_DENY, 209, 10, true},    {RS_CONSENT_DENY, 210, 10, false},
		{RS_CONSENT_DENY, 5, 10, false},     {RS_CONSENT_DENY, 5, UINT64_MAX, true},
	};
	struct wallet wallet = {.revoked_count = 0};
	struct rs_member_key issuer;
	struct rs_consent_trust trust = trust_of(&wallet, &issuer);
	(void)unused;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_consent_token *token = &wallet.tokens[0];
		struct rs_consent_question question = {.subject = SUBJECT,
		                                       .organisation = RS_STR("Research"),
		                                       .role = RS_ROLE_RESEARCHER,
		                                       .purpose = RS_PURPOSE_RESEARCH,
		                                       .operation = RS_OPERATION_TRAIN,
		                                       .time_ms = cases[i].time_ms,
		                                       .skew_ms = cases[i].skew_ms};
		struct rs_consent_answer answer;
		token->count = 1;
		token->subject = SUBJECT;
		token->effect = cases[i].effect;
		token->blocks[0].signer = issuer;
		token->blocks[0].terms = test_terms("Research");
		token->blocks[0].terms.effect = cases[i].effect;
		token->blocks[0].terms.from_ms = 100;
		token->blocks[0].terms.until_ms = 200;
		rs_consent_judge(token, 1, &trust, &question, &answer);
		bool speaks = answer.refusal == (cases[i].effect == RS_CONSENT_DENY
		                                         ? RS_REFUSAL_CONSENT_DENIES
		                                         : RS_REFUSAL_NONE);
		if (speaks != cases[i].speaks)
			fail_msg("case %zu: %s", i, answer.sentence);
	}
}

/* The value of a subject's consents in the map (src/ledger/ledger_head.h): name, size of row, row. */
static struct rs_bytes proved_value(const struct rs_state *state, const struct rs_digest *consent)
{
	static uint8_t value[RS_SHA256_SIZE + 4 + RS_STATE_VALUE_MAX];
	struct rs_digest subject = SUBJECT;
	uint8_t key[RS_CONSENT_KEY_SIZE];
	struct rs_bytes row;
	rs_consent_key(&subject, consent, key);
	assert_int_equal(state->get(state->context, rs_bytes_of(key, sizeof key), &row, NULL), RS_OK);
	memcpy(value, consent->bytes, RS_SHA256_SIZE);
	rs_write_be32(value + RS_SHA256_SIZE, (uint32_t)row.size);
	memcpy(value + RS_SHA256_SIZE + 4, row.data, row.size);
	return rs_bytes_of(value, RS_SHA256_SIZE + 4 + row.size);
}

static enum rs_refusal heard(struct rs_consent_token *token, struct rs_bytes value, enum rs_code code)
{
	struct rs_consent_question question = {.subject = SUBJECT,
	                                       .organisation = RS_STR("Research"),
	                                       .role = RS_ROLE_RESEARCHER,
	                                       .purpose = RS_PURPOSE_RESEARCH,
	                                       .operation = RS_OPERATION_TRAIN,
	                                       .time_ms = 5};
	struct rs_consent_hearing hearing = {.question = &question, .tokens = token, .count = 1};
	struct rs_member_key issuer;
	struct rs_consent_answer answer;
	struct wallet wallet = {.revoked_count = 0};
	struct rs_consent_trust trust = trust_of(&wallet, &issuer);
	uint8_t key[1 + RS_SHA256_SIZE] = {'C', 'p', 1};
	token->blocks[0].signer = issuer;
	trust.ledger = &hearing;
	assert_int_equal(rs_consent_hear_proved(&hearing, rs_bytes_of(key, sizeof key), value, NULL), code);
	rs_consent_judge(token, 1, &trust, &question, &answer);
	key[1] ^= 1;
	assert_int_equal(rs_consent_hear_proved(&hearing, rs_bytes_of(key, sizeof key), value, NULL),
	                 RS_ALTERED);
	return answer.refusal;
}

/* A token alone would permit: what the ledger proves of its consent takes that back. */
static void what_the_ledger_says_counts(void **unused)
{
	struct rs_memory_state memory = {.count = 0};
	const struct rs_state state = rs_memory_state_view(&memory);
	struct rs_consent_token token = {
		.subject = SUBJECT, .effect = RS_CONSENT_PERMIT, .count = 1, .blocks[0].id = {{'c'}}};
	struct rs_consent_token denial = {.subject = SUBJECT, .count = 1, .blocks[0].id = {{'d'}}};
	struct rs_consent_terms terms = test_terms("Research");
	(void)unused;
	found(&state);
	token.blocks[0].terms = terms;
	assert_int_equal(heard(&token, rs_bytes_of("", 0), RS_OK), RS_REFUSAL_NO_CONSENT);
	assert_int_equal(apply(&state, consent_act(RS_TRANSACTION_CONSENT_GRANT, &token, &terms)), 0);
	struct rs_bytes value = proved_value(&state, &token.blocks[0].id);
	assert_int_equal(heard(&token, value, RS_OK), RS_REFUSAL_NONE);
	assert_int_equal(heard(&token, rs_bytes_of(value.data, value.size - 1), RS_ALTERED),
	                 RS_REFUSAL_NO_CONSENT);
	terms.purposes = RS_SET(RS_PURPOSE_TREATMENT);
	assert_int_equal(apply(&state, consent_act(RS_TRANSACTION_CONSENT_NARROW, &token, &terms)), 0);
	assert_int_equal(heard(&token, proved_value(&state, &token.blocks[0].id), RS_OK),
	                 RS_REFUSAL_NO_CONSENT);
	assert_int_equal(apply(&state, consent_act(RS_TRANSACTION_CONSENT_REVOKE, &token, &terms)), 0);
	assert_int_equal(heard(&token, proved_value(&state, &token.blocks[0].id), RS_OK),
	                 RS_REFUSAL_CONSENT_REVOKED);
	terms = test_terms("");
	terms.effect = RS_CONSENT_DENY;
	assert_int_equal(apply(&state, consent_act(RS_TRANSACTION_CONSENT_GRANT, &denial, &terms)), 0);
	assert_int_equal(heard(&token, proved_value(&state, &denial.blocks[0].id), RS_OK),
	                 RS_REFUSAL_CONSENT_DENIES);
	rs_memory_state_finish(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_answer_as_the_contract_does),
		cmocka_unit_test(a_block_only_takes_away),
		cmocka_unit_test(a_wrong_clock_gives_nothing),
		cmocka_unit_test(what_the_ledger_says_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
