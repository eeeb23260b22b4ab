/* What an account's owner does at a node is signed by the member's own key. */
#include "node/node_test.h"

#include "ledger/ledger.h"
#include "node/node_account.h"

static void a_session_signs_as_its_member(void **state)
{
	(void)state;
	static const struct rs_account_settings settings = {
		{1, 8192}, RS_SESSION_IDLE_MS, RS_SESSION_LIFETIME_MS, NULL};
	const struct rs_bytes password = rs_bytes_of("a sentence that is long", 23);
	const struct rs_credentials credentials = {RS_STR("lee"), password, RS_STR("")};
	struct rs_sim *sim = make_world();
	struct rs_node *node = NULL;
	struct rs_actor *admin = NULL, *lee = NULL;
	struct rs_accounts *accounts = NULL;
	struct rs_session session;
	struct rs_signing_key key;
	struct rs_bytes entry;
	struct rs_error err = {0};
	struct rs_secret seed;
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT, .role = RS_ROLE_HOSPITAL_ADMINISTRATOR},
		      read;
	char token[RS_SESSION_TOKEN_SIZE];
	uint64_t wait_ms, index;
	node = open_node(sim, "/node", RS_NODE_WRITE);
	assert_int_equal(rs_node_accounts_open(node, &settings, &accounts, &err), RS_OK);
	assert_int_equal(rs_secret_random(rs_sim_world(sim), &seed, &err), RS_OK);
	rs_signing_key_from_seed(&seed, &key);
	memcpy(act.member.bytes, key.public_key, sizeof act.member.bytes);
	assert_int_equal(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &admin, &err), RS_OK);
	assert_int_equal(rs_node_transact(node, admin, &act, &index, &err), RS_OK);
	assert_int_equal(rs_account_add(accounts, RS_STR("lee"), password, &seed, &err), RS_OK);

	assert_int_equal(rs_session_begin(accounts, &credentials, token, &session, &wait_ms, &err), RS_OK);
	assert_int_equal(rs_node_actor_of_seed(node, &session.seed, &lee, &err), RS_OK);
	assert_true(rs_str_equal_text(rs_actor_organisation(lee), "Radiology"));
	act = (struct rs_act){
		.type = RS_TRANSACTION_MEMBER_GRANT, .role = RS_ROLE_RADIOLOGIST, .member = {{5}}};
	assert_int_equal(rs_node_transact(node, lee, &act, &index, &err), RS_OK);
	assert_int_equal(rs_ledger_entry(rs_node_ledger(node), index, &entry, &err), RS_OK);
	assert_int_equal(rs_transaction_verify(entry, &read, &err), RS_OK);
	assert_memory_equal(read.signer.bytes, key.public_key, RS_KEY_SIZE);
	rs_actor_close(lee);
	rs_actor_close(admin);
	rs_accounts_close(accounts);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_session_signs_as_its_member)};
	assert_int_equal(rs_crypto_init(NULL), RS_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
