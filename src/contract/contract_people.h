/* Who is in the contract's state: organisations, members and devices, to read. */
#ifndef RS_CONTRACT_PEOPLE_H
#define RS_CONTRACT_PEOPLE_H

#include "contract/contract.h"

/* A member or a device, revoked ones included. */
struct rs_person {
	struct rs_member_key key;
	enum rs_role role;          /* RS_ROLE_DEVICE: a device */
	uint64_t from_ms, until_ms; /* until 0: open */
	bool revoked;
	char organisation[RS_ORGANISATION_NAME_MAX + 1];
	struct rs_digest label;         /* zeros: none */
	struct rs_member_key successor; /* of a device that was rotated; else zeros */
};
/* RS_NOT_FOUND names the key. */
enum rs_code rs_contract_person(const struct rs_state *state, const struct rs_member_key *key,
                                struct rs_person *out, struct rs_error *err);
/* Members, then devices, each in the order of their keys. Anything but RS_OK ends it with that code; the visitor may not
 * walk the state. */
typedef enum rs_code rs_person_visit(void *context, const struct rs_person *person, struct rs_error *err);
enum rs_code rs_contract_each_person(const struct rs_state *state, rs_person_visit *visit, void *context,
                                     struct rs_error *err);

const char *rs_organisation_kind_name(enum rs_organisation_kind kind); /* "" for none */
bool rs_organisation_kind_from_name(struct rs_str name, enum rs_organisation_kind *out);

struct rs_organisation {
	char name[RS_ORGANISATION_NAME_MAX + 1];
	enum rs_organisation_kind kind;
	struct rs_member_key administrator; /* the first one */
};
typedef enum rs_code rs_organisation_visit(void *context, const struct rs_organisation *organisation,
                                           struct rs_error *err);
/* In the order of their names. */
enum rs_code rs_contract_each_organisation(const struct rs_state *state, rs_organisation_visit *visit,
                                           void *context, struct rs_error *err);

#endif
