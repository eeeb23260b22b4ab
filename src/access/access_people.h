/* Members and devices as a node's users see them: found by what they type, with local names, revocations and rotations.
 *
 * Names never reach the ledger: there a member's label is a salted commitment. Name and salt lie in keys/names.box, encrypted
 * under the node's keys; without them the label tells nothing. */
#ifndef RS_ACCESS_PEOPLE_H
#define RS_ACCESS_PEOPLE_H

#include "contract/contract_people.h"
#include "node/node_act.h"

#define RS_LOCAL_NAME_MAX 256 /* bytes of UTF-8 */

/* Whom a user means by: 64 hexadecimal digits; "node" (its administrator); the name of a key file in keys/; or the first
 * digits, at least eight, of one key on the ledger. errors  RS_USAGE; RS_NOT_FOUND */
enum rs_code rs_node_find_person(struct rs_node *node, const char *text, struct rs_member_key *out,
                                 struct rs_error *err);

/* Who may act at all now, as the ledger has it. errors  RS_REFUSED "NAME: sentence": unknown, revoked, or outside of the role's
 * period */
enum rs_code rs_node_person_in_force(struct rs_node *node, const struct rs_member_key *key,
                                     struct rs_person *out, struct rs_error *err);

struct rs_person_status {
	struct rs_person person;
	uint64_t revoked_ms;              /* by the ledger's entry; 0: never */
	struct rs_member_key successor;   /* the key that came in place of it; zeros: none */
	char name[RS_LOCAL_NAME_MAX + 1]; /* local; "": none, or not the one that the label commits to */
};
struct rs_people {
	struct rs_person_status *list; /* members, then devices, each in the order of their keys */
	size_t count;
};
void rs_people_finish(struct rs_people *people); /* accepts zeroed memory */
/* All of them; walks the log when somebody was revoked, as the state tells that, but not when. */
enum rs_code rs_node_people(struct rs_node *node, struct rs_people *out, struct rs_error *err);

/* What happened to one key, in the order of the log: everything that granted, changed, revoked or rotated it. */
struct rs_person_event {
	uint64_t entry;
	struct rs_act act;              /* borrows from the log: for the time of the call */
	struct rs_member_key successor; /* by a rotation that this entry is part of; else zeros */
	struct rs_member_key predecessor;
};
typedef enum rs_code rs_person_event_visit(void *context, const struct rs_person_event *event,
                                           struct rs_error *err);
enum rs_code rs_node_each_person_event(struct rs_node *node, const struct rs_member_key *key,
                                       rs_person_event_visit *visit, void *context, struct rs_error *err);

/* Keeps a name for a key (durable) and says the label that commits to it. errors  RS_USAGE for no UTF-8, or too long */
enum rs_code rs_node_name_keep(struct rs_node *node, const struct rs_member_key *key, struct rs_str name,
                               struct rs_digest *out_label, struct rs_error *err);
/* Name and salt are gone: nobody can tell any more what the label on the ledger commits to. RS_NOT_FOUND: there was none. */
enum rs_code rs_node_name_forget(struct rs_node *node, const struct rs_member_key *key, struct rs_error *err);

/* A member's new key: it is granted what the old one has, then the old one is revoked. Both entries' ids are made from the
 * two keys (SHA-256("radseal member rotation v1" ‖ step ‖ old ‖ new), first 16 bytes; step 1 and 2): that is the link
 * between them, which anybody can compute; and done again after an interruption, nothing is doubled.
 * *out_entry: of the grant. errors  those of rs_node_transact(); RS_NOT_FOUND; RS_USAGE: a device, revoked, or the same key */
enum rs_code rs_node_member_rotate(struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_member_key *old, const struct rs_member_key *replacement,
                                   uint64_t *out_entry, struct rs_error *err);

/* A node with paper A's five organisations on its ledger. The one it belongs to governs ("Hospital Administration"); each of
 * the others has an administrator, whose key lies beside the node's: keys/NAME.key, NAME as below. They open as the node does
 * (the same passphrase, or an unlock file each), to be moved or changed by whom they are given to. */
enum rs_code rs_node_create_consortium(const struct rs_world *world, const char *directory,
                                       struct rs_bytes passphrase, struct rs_error *err);
struct rs_consortium_party {
	const char *organisation, *key_name;
	enum rs_organisation_kind kind;
};
#define RS_CONSORTIUM_PARTIES 4
extern const struct rs_consortium_party rs_consortium_parties[RS_CONSORTIUM_PARTIES];

#endif
