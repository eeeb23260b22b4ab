/* Acting through a node: a member signs an entry, the contract admits or refuses it, and the answer is durable. */
#ifndef RS_NODE_ACT_H
#define RS_NODE_ACT_H

#include "contract/contract.h"
#include "node/node.h"

/* Who signs. The node must outlive it. */
struct rs_actor;
/* name: of the key file keys/NAME.key; NULL: the node's administrator. The file opens with keys/NAME.unlock where there is
 * one, else with the passphrase.
 * errors  RS_USAGE for a name that is none, or a passphrase that is missing; RS_NOT_FOUND; RS_DENIED when the key does not
 *         open */
enum rs_code rs_node_actor_open(const struct rs_node *node, const char *name, struct rs_bytes passphrase,
                                struct rs_actor **out, struct rs_error *err);
void rs_actor_close(struct rs_actor *actor);          /* wipes; accepts NULL */
void rs_actor_close_pointer(struct rs_actor **actor); /* for RS_CLEANUP */
struct rs_member_key rs_actor_id(const struct rs_actor *actor);
/* The member's as of the state when the actor was opened; of a key that is nobody's, the node's. Lives as long as the actor. */
struct rs_str rs_actor_organisation(const struct rs_actor *actor);

/* The node's own member: who signs when nobody is named. */
struct rs_member_key rs_node_administrator(const struct rs_node *node);
/* The contract's state, to read: put() answers RS_USAGE. One thread at a time, as all of the ledger. */
struct rs_state rs_node_state(struct rs_node *node);

/* Signs what `act` says and appends it; durable when it returns RS_OK. What is missing of it is filled in: id (random) and
 * time (now) stay in `act`; the signer and the organisation (when empty, the actor's) go into the entry alone. After a
 * failure the same act, now with its id, may be handed over again, by another process too: when it is in the log already,
 * the answer is its place there.
 * errors  RS_REFUSED "NAME: sentence" of enum rs_refusal; RS_USAGE when the node was opened for reading */
enum rs_code rs_node_transact(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                              uint64_t *out_index, struct rs_error *err);
/* Several at once: one durable commit for all. What is refused stands in the results, and does not stop the others. */
struct rs_append_result;
enum rs_code rs_node_transact_all(struct rs_node *node, const struct rs_actor *actor, struct rs_act *acts,
                                  size_t count, struct rs_append_result *results, struct rs_error *err);

#endif
