/* Acting through a node. */
#include "node/node_act.h"

#include <string.h>

#include "node/node_account.h"
#include "node/node_actor.h"
#include "contract/contract_people.h"
#include "ledger/ledger_engine.h"
#include "node/node_parts.h"
#include "node/node_keys.h"

struct rs_actor {
	struct rs_signing_key own;        /* of a key file */
	const struct rs_signing_key *key; /* that, or the keyring's */
	char organisation[RS_ORGANISATION_NAME_MAX + 1];
};

void rs_actor_close(struct rs_actor *actor) { rs_secret_free(actor); }

void rs_actor_close_pointer(struct rs_actor **actor) { rs_actor_close(*actor); }

struct rs_member_key rs_actor_id(const struct rs_actor *actor)
{
	struct rs_member_key id;
	memcpy(id.bytes, actor->key->public_key, sizeof id.bytes);
	return id;
}

const struct rs_signing_key *actor_key(const struct rs_actor *actor) { return actor->key; }

struct rs_str rs_actor_organisation(const struct rs_actor *actor) { return rs_str_from(actor->organisation); }

struct rs_member_key rs_node_administrator(const struct rs_node *node)
{
	return rs_keyring_member_id(node->keyring);
}

struct rs_state rs_node_state(struct rs_node *node)
{
	struct rs_engine engine = rs_ledger_engine(node->ledger);
	return engine.state(engine.context);
}

/* Of which organisation the key's owner is. */
static enum rs_code find_organisation(const struct rs_node *node, struct rs_actor *actor,
                                      struct rs_error *err)
{
	struct rs_engine engine = rs_ledger_engine(node->ledger);
	struct rs_state state = engine.state(engine.context);
	struct rs_person person;
	struct rs_member_key id = rs_actor_id(actor);
	memcpy(actor->organisation, node->config.organisation, sizeof actor->organisation);
	enum rs_code code = rs_contract_person(&state, &id, &person, err);
	if (code == RS_OK)
		memcpy(actor->organisation, person.organisation, sizeof actor->organisation);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code rs_node_actor_open(const struct rs_node *node, const char *name, struct rs_bytes passphrase,
                                struct rs_actor **out, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = rs_secret_allocate(sizeof *actor);
	if (!actor)
		return rs_error_memory(err, sizeof *actor, "a member's key");
	actor->key = &actor->own;
	if (name)
		RS_TRY(rs_key_open(&(struct rs_keys_place){node->world, node->directory}, name, passphrase,
		                   &actor->own, err));
	else
		actor->key = rs_keyring_member_key(node->keyring);
	RS_TRY(find_organisation(node, actor, err));
	*out = actor;
	actor = NULL;
	return RS_OK;
}

enum rs_code rs_node_actor_of_seed(const struct rs_node *node, const struct rs_secret *seed,
                                   struct rs_actor **out, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = rs_secret_allocate(sizeof *actor);
	if (!actor)
		return rs_error_memory(err, sizeof *actor, "a member's key");
	rs_signing_key_from_seed(seed, &actor->own);
	actor->key = &actor->own;
	RS_TRY(find_organisation(node, actor, err));
	*out = actor;
	actor = NULL;
	return RS_OK;
}

/* An entry with this id was appended before, perhaps by a process that did not live to see the answer: its time is taken
 * over, so that the same act has the same bytes. */
static enum rs_code take_known_time(struct rs_node *node, struct rs_act *act, struct rs_error *err)
{
	struct rs_bytes entry;
	struct rs_act known;
	uint64_t index;
	enum rs_code code = rs_ledger_find(node->ledger, act->id, &index, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	RS_TRY(rs_ledger_entry(node->ledger, index, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &known, err));
	act->time_ms = known.time_ms;
	return RS_OK;
}

static enum rs_code complete(struct rs_node *node, struct rs_act *act, struct rs_error *err)
{
	static const uint8_t none[RS_TRANSACTION_ID_SIZE];
	if (act->time_ms == 0)
		act->time_ms = rs_world_now_ms(node->world);
	if (memcmp(act->id, none, sizeof none) == 0)
		return rs_world_random(node->world, act->id, sizeof act->id, err);
	return take_known_time(node, act, err);
}

enum rs_code node_sign(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                       struct rs_transaction *out, struct rs_error *err)
{
	RS_TRY(complete(node, act, err));
	struct rs_act whole = *act;
	whole.signer = rs_actor_id(actor);
	/* A denial without an organisation is one for everybody. */
	if (whole.organisation.size == 0 && act->type != RS_TRANSACTION_CONSENT_GRANT)
		whole.organisation = rs_actor_organisation(actor);
	return rs_transaction_sign(&whole, actor->key, out, err);
}

enum rs_code rs_node_transact_all(struct rs_node *node, const struct rs_actor *actor, struct rs_act *acts,
                                  size_t count, struct rs_append_result *results, struct rs_error *err)
{
	struct rs_transaction *transactions RS_CLEANUP(rs_free_pointer) = NULL;
	size_t signed_count = 0;
	enum rs_code code = RS_OK;
	if (node->access != RS_NODE_WRITE)
		return rs_error_set(err, RS_USAGE, "the node is open for reading only: nobody can act");
	RS_TRY(node_hold(node, err));
	transactions = rs_allocate_array(count, sizeof *transactions);
	if (!transactions)
		return rs_error_memory(err, count * sizeof *transactions, "transactions");
	for (; code == RS_OK && signed_count < count; signed_count++)
		code = node_sign(node, actor, &acts[signed_count], &transactions[signed_count], err);
	if (code == RS_OK)
		code = rs_ledger_append(node->ledger, transactions, count, results, err);
	for (size_t i = 0; i < signed_count; i++)
		rs_transaction_finish(&transactions[i]);
	if (code == RS_OK)
		node_promises_keep(node, false);
	return code;
}

enum rs_code rs_node_transact(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                              uint64_t *out_index, struct rs_error *err)
{
	struct rs_append_result result;
	RS_TRY(rs_node_transact_all(node, actor, act, 1, &result, err));
	if (result.refusal != RS_REFUSAL_NONE)
		return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(result.refusal),
		                    rs_refusal_text(result.refusal));
	*out_index = result.index;
	return RS_OK;
}
