/* Paper A's consortium in one step: a governing organisation and four others with an administrator each. */
#include "node/node_keys.h"
#include "access/access_people.h"

#define GOVERNING "Hospital Administration"

const struct rs_consortium_party rs_consortium_parties[RS_CONSORTIUM_PARTIES] = {
	{"Radiology", "radiology-admin", RS_ORGANISATION_RADIOLOGY},
	{"Oncology", "oncology-admin", RS_ORGANISATION_ONCOLOGY},
	{"Research", "research-admin", RS_ORGANISATION_RESEARCH},
	{"Regulator", "regulator-admin", RS_ORGANISATION_REGULATOR},
};

static enum rs_code add_party(struct rs_node *node, const struct rs_actor *actor,
                              const struct rs_keys_place *keys, struct rs_bytes passphrase,
                              const struct rs_consortium_party *party, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .organisation = rs_str_from(party->organisation),
	                     .organisation_kind = party->kind};
	uint64_t index;
	RS_TRY(rs_key_new(keys, party->key_name, passphrase, &act.member, err));
	return rs_node_transact(node, actor, &act, &index, err);
}

static void node_close(struct rs_node **node) { rs_node_close(*node); }

enum rs_code rs_node_create_consortium(const struct rs_world *world, const char *directory,
                                       struct rs_bytes passphrase, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	const struct rs_keys_place keys = {world, directory};
	RS_TRY(rs_node_create_of_kind(world, directory, GOVERNING, RS_ORGANISATION_ADMINISTRATION, passphrase,
	                              err));
	RS_TRY(rs_node_open(world, directory, RS_NODE_WRITE, passphrase, NULL, &node, err));
	RS_TRY(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &actor, err));
	for (size_t i = 0; i < RS_CONSORTIUM_PARTIES; i++)
		RS_TRY(add_party(node, actor, &keys, passphrase, &rs_consortium_parties[i], err));
	return RS_OK;
}
