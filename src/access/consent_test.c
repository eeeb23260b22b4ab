/* Consents through a node: by whom they may be given, what becomes of a guardian's when the child comes of age, consents that
 * follow each other, and that a token is never out before the ledger has its consent. */
#include "node/node_test.h"

#include "ledger/ledger.h"
#include "node/node_parts.h"
#include "access/access_consent.h"
#include "node/node_keys.h"

#define SUBJECT ((struct rs_digest){{'s', 'u', 'b', 1}})

static const struct rs_bytes no_passphrase = {(const uint8_t *)"", 0};

struct house {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin, *mother, *child;
	struct rs_member_key mother_id, child_id;
};

static enum rs_code act(struct house *house, const struct rs_actor *actor, struct rs_act what, char *sentence)
{
	struct rs_error err = {0};
	uint64_t index;
	enum rs_code code = rs_node_transact(house->node, actor, &what, &index, &err);
	memcpy(sentence, err.message, sizeof err.message);
	return code;
}

static struct rs_actor *enrol(struct house *house, const char *name, struct rs_member_key *out)
{
	const struct rs_keys_place place = {rs_sim_world(house->sim), "/node"};
	struct rs_act grant = {.type = RS_TRANSACTION_MEMBER_GRANT, .role = RS_ROLE_PATIENT};
	struct rs_actor *actor;
	char sentence[RS_ERROR_MESSAGE_SIZE];
	assert_int_equal(rs_key_new(&place, name, no_passphrase, out, NULL), RS_OK);
	grant.member = *out;
	assert_int_equal(act(house, house->admin, grant, sentence), RS_OK);
	assert_int_equal(rs_node_actor_open(house->node, name, no_passphrase, &actor, NULL), RS_OK);
	return actor;
}

static void bind(struct house *house, const struct rs_member_key *guardian)
{
	struct rs_act bind = {
		.type = RS_TRANSACTION_SUBJECT_REGISTER, .subject = SUBJECT, .member = *guardian};
	char sentence[RS_ERROR_MESSAGE_SIZE];
	assert_int_equal(act(house, house->admin, bind, sentence), RS_OK);
}

static void house_open(struct house *house)
{
	*house = (struct house){.sim = make_world()};
	house->node = open_node(house->sim, "/node", RS_NODE_WRITE);
	house->admin = open_administrator(house->node);
	house->mother = enrol(house, "mother", &house->mother_id);
	house->child = enrol(house, "child", &house->child_id);
	bind(house, &house->mother_id);
}

static void house_close(struct house *house)
{
	rs_actor_close(house->admin);
	rs_actor_close(house->mother);
	rs_actor_close(house->child);
	rs_node_close(house->node);
	rs_sim_destroy(house->sim);
}

static struct rs_consent_terms terms_of(uint32_t operations)
{
	struct rs_consent_terms terms = {.effect = RS_CONSENT_PERMIT,
	                                 .organisation = "Radiology",
	                                 .organisation_size = 9,
	                                 .roles = RS_SET(RS_ROLE_RESEARCHER),
	                                 .purposes = RS_SET(RS_PURPOSE_RESEARCH),
	                                 .operations = operations};
	return terms;
}

static enum rs_code give(struct house *house, const struct rs_actor *actor,
                         const struct rs_consent_terms *terms, struct rs_consent_token *out,
                         struct rs_error *err)
{
	struct rs_buffer bytes RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest name, subject = SUBJECT;
	uint64_t index;
	rs_buffer_init(&bytes, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_node_consent_grant(house->node, actor, &subject, terms, &bytes, &name, &index, err));
	assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&bytes), out, NULL), RS_OK);
	assert_true(rs_digest_equal(rs_consent_token_name(out), &name));
	return RS_OK;
}

static enum rs_refusal ask(struct house *house, const struct rs_consent_token *tokens, size_t count,
                           enum rs_operation operation, uint64_t time_ms)
{
	struct rs_consent_question question = {.subject = SUBJECT,
	                                       .organisation = RS_STR("Radiology"),
	                                       .role = RS_ROLE_RESEARCHER,
	                                       .purpose = RS_PURPOSE_RESEARCH,
	                                       .operation = operation,
	                                       .time_ms = time_ms};
	struct rs_consent_answer answer;
	assert_int_equal(rs_node_consent_judge(house->node, tokens, count, &question, &answer, NULL), RS_OK);
	return answer.refusal;
}

static void a_child_comes_of_age(void **state)
{
	struct house house;
	struct rs_consent_token given, own, offline;
	struct rs_consent_facts row;
	struct rs_consent_terms terms = terms_of(RS_SET_OPERATIONS_ALL), less = {.operations = 2};
	struct rs_buffer bytes RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_signing_key key;
	struct rs_error err = {0};
	struct rs_digest subject = SUBJECT;
	char name[2 * RS_SHA256_SIZE + 1];
	uint64_t index, now;
	(void)state;
	house_open(&house);
	now = rs_world_now_ms(rs_sim_world(house.sim));
	assert_int_equal(give(&house, house.child, &terms, &own, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "SCOPE"));
	assert_int_equal(give(&house, house.mother, &terms, &given, &err), RS_OK);
	assert_int_equal(ask(&house, &given, 1, RS_OPERATION_TRAIN, now), RS_REFUSAL_NONE);
	/* A token that the guardian made at home, and that nobody brought to the ledger yet */
	const struct rs_keys_place place = {rs_sim_world(house.sim), "/node"};
	assert_int_equal(rs_key_open(&place, "mother", no_passphrase, &key, NULL), RS_OK);
	rs_buffer_init(&bytes, RS_CONSENT_TOKEN_SIZE_MAX);
	assert_int_equal(rs_consent_token_grant(place.world, &key, &subject, &terms, &bytes, NULL), RS_OK);
	rs_signing_key_finish(&key);
	assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&bytes), &offline, NULL), RS_OK);
	assert_int_equal(ask(&house, &offline, 1, RS_OPERATION_TRAIN, now), RS_REFUSAL_NO_CONSENT);
	bind(&house, &house.child_id);
	/* What was given stays in force until the child takes it back; the guardian has no say any more */
	assert_int_equal(ask(&house, &given, 1, RS_OPERATION_TRAIN, now), RS_REFUSAL_NONE);
	assert_int_equal(rs_node_consent_record(house.node, house.admin, &offline, &index, &err), RS_REFUSED);
	assert_int_equal(give(&house, house.mother, &terms, &offline, &err), RS_REFUSED);
	rs_hex_encode(rs_bytes_of(rs_consent_token_name(&given)->bytes, RS_SHA256_SIZE), name);
	assert_int_equal(rs_node_consent_find(house.node, rs_str_from(name), &row, NULL), RS_OK);
	assert_int_equal(rs_node_consent_revoke(house.node, house.mother, &row, &index, &err), RS_REFUSED);
	assert_int_equal(rs_node_consent_narrow(house.node, house.child, &row, &less, &index, &err), RS_OK);
	assert_int_equal(ask(&house, &given, 1, RS_OPERATION_TRAIN, now), RS_REFUSAL_NO_CONSENT);
	assert_int_equal(ask(&house, &given, 1, RS_OPERATION_READ, now), RS_REFUSAL_NONE);
	assert_int_equal(rs_node_consent_revoke(house.node, house.child, &row, &index, &err), RS_OK);
	assert_int_equal(ask(&house, &given, 1, RS_OPERATION_READ, now), RS_REFUSAL_CONSENT_REVOKED);
	assert_int_equal(give(&house, house.child, &terms, &own, &err), RS_OK);
	assert_int_equal(ask(&house, &own, 1, RS_OPERATION_TRAIN, now), RS_REFUSAL_NONE);
	house_close(&house);
}

/* A new version: the old consent ends where the new one begins, and at no time is neither or are both in force. */
static void versions_follow_each_other(void **state)
{
	struct house house;
	struct rs_consent_token versions[2];
	struct rs_consent_terms old = terms_of(RS_SET_OPERATIONS_ALL),
				new_terms = terms_of(RS_SET(RS_OPERATION_READ)), until = {.roles = 0};
	struct rs_consent_facts row;
	struct rs_error err = {0};
	char name[2 * RS_SHA256_SIZE + 1];
	uint64_t index, change;
	(void)state;
	house_open(&house);
	change = rs_world_now_ms(rs_sim_world(house.sim)) + 1000000;
	assert_int_equal(give(&house, house.mother, &old, &versions[0], &err), RS_OK);
	rs_hex_encode(rs_bytes_of(rs_consent_token_name(&versions[0])->bytes, RS_SHA256_SIZE), name);
	assert_int_equal(rs_node_consent_find(house.node, rs_str_from(name), &row, NULL), RS_OK);
	until.until_ms = new_terms.from_ms = change;
	assert_int_equal(rs_node_consent_narrow(house.node, house.mother, &row, &until, &index, &err), RS_OK);
	assert_int_equal(give(&house, house.mother, &new_terms, &versions[1], &err), RS_OK);
	assert_int_equal(ask(&house, versions, 2, RS_OPERATION_TRAIN, change - 1), RS_REFUSAL_NONE);
	assert_int_equal(ask(&house, versions, 2, RS_OPERATION_TRAIN, change), RS_REFUSAL_NO_CONSENT);
	assert_int_equal(ask(&house, versions, 2, RS_OPERATION_READ, change - 1), RS_REFUSAL_NONE);
	assert_int_equal(ask(&house, versions, 2, RS_OPERATION_READ, change), RS_REFUSAL_NONE);
	assert_int_equal(ask(&house, &versions[1], 1, RS_OPERATION_READ, change - 1), RS_REFUSAL_NO_CONSENT);
	house_close(&house);
}

static void a_token_is_out_when_its_consent_is_durable(void **state)
{
	struct house house;
	struct rs_consent_token token;
	struct rs_consent_terms terms = terms_of(2), everyone = terms_of(4);
	struct rs_consent_facts row;
	struct rs_error err = {0};
	char name[2 * RS_SHA256_SIZE + 1];
	(void)state;
	house_open(&house);
	assert_int_equal(give(&house, house.mother, &terms, &token, &err), RS_OK);
	rs_sim_cut(house.sim, RS_SIM_LOSE_ALL);
	rs_node_close(house.node);
	house.node = open_node(house.sim, "/node", RS_NODE_WRITE);
	rs_hex_encode(rs_bytes_of(rs_consent_token_name(&token)->bytes, RS_SHA256_SIZE), name);
	name[9] = '\0';
	assert_int_equal(rs_node_consent_find(house.node, rs_str_from(name), &row, NULL), RS_OK);
	assert_true(rs_consent_terms_equal(&row.terms, &terms));
	/* A denial for everybody is not one for the signer's organisation */
	everyone.effect = RS_CONSENT_DENY;
	everyone.organisation_size = 0;
	assert_int_equal(give(&house, house.mother, &everyone, &token, &err), RS_OK);
	rs_hex_encode(rs_bytes_of(rs_consent_token_name(&token)->bytes, RS_SHA256_SIZE), name);
	assert_int_equal(rs_node_consent_find(house.node, rs_str_from(name), &row, NULL), RS_OK);
	assert_int_equal(row.terms.organisation_size, 0);
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_comes_of_age),
		cmocka_unit_test(versions_follow_each_other),
		cmocka_unit_test(a_token_is_out_when_its_consent_is_durable),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
