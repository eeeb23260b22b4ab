/* Paper B's operations ("Safekeeping of medical imaging data with a blockchain-based system") by their names, as a facade:
 * each one that writes is a transaction of the contract, each one that reads reads the contract's state. The paper deploys
 * one contract for each patient; here the patient is the subject that is passed in. Names, places, birthday and contact are
 * salted commitments, never the values, and a hash of pixels is a keyed one: on a ledger nothing can be taken back.
 *
 * Reading the state is no secret kept: whoever holds a copy can. What lies behind the commitments is released by an access
 * request (ACCESS_REQUEST), which is recorded. */
#ifndef RS_CONTRACT_XRAY_H
#define RS_CONTRACT_XRAY_H

#include "contract/contract.h"

/* The paper's UserType: 1 is its doctor; it gives no other number. */
enum rs_xray_user { RS_XRAY_HOST = 0, RS_XRAY_DOCTOR = 1, RS_XRAY_GOV = 2 };

/* What the paper's functions take. Each uses what it needs. */
struct rs_xray_arguments {
	uint8_t id[RS_TRANSACTION_ID_SIZE]; /* of the transaction */
	uint64_t time_ms;
	struct rs_str organisation;       /* the caller's */
	struct rs_digest subject;         /* whose contract it is */
	struct rs_digest name;            /* setPermission: of the user, committed to; may be none */
	struct rs_member_key user;        /* setPermission, removePermission: whose */
	enum rs_xray_user type;           /* setPermission */
	bool allowed;                     /* setPermission; false removes */
	uint64_t until_ms;                /* setPermission; 0: open */
	struct rs_digest place;           /* setXrayhash: what was imaged, committed to; may be none */
	struct rs_digest commitment;      /* setXrayhash, setBirthday, setContact */
	uint8_t locator[RS_LOCATOR_SIZE]; /* setBirthday, setContact: of the encrypted value; may be none */
};

/* The transaction that the paper's function `name` is: to be signed by the caller and handed to an engine. RS_NOT_FOUND
 * names the functions there are; RS_USAGE for one that only reads, or a user of no type. */
enum rs_code rs_xray_act(struct rs_str name, const struct rs_xray_arguments *arguments, struct rs_act *out,
                         struct rs_error *err);

struct rs_xray_hash {
	enum rs_object_kind kind; /* the subject's objects are of other kinds, too */
	struct rs_member_key doctor;
	struct rs_digest doctor_name; /* as setPermission gave it; zeros: none */
	struct rs_digest place, commitment;
	uint64_t time_ms;
};
/* getXrayhashCount */
enum rs_code rs_xray_count(const struct rs_state *state, const struct rs_digest *subject, uint64_t *out,
                           struct rs_error *err);
/* getXrayhash; index counts from 0. RS_NOT_FOUND past the end. */
enum rs_code rs_xray_get(const struct rs_state *state, const struct rs_digest *subject, uint64_t index,
                         struct rs_xray_hash *out, struct rs_error *err);

struct rs_xray_value {
	bool set, has_locator;
	struct rs_digest commitment;
	uint8_t locator[RS_LOCATOR_SIZE];
};
struct rs_xray_profile {
	struct rs_member_key patient; /* zeros: nobody acts for the subject but the custodian */
	bool erased;
	struct rs_xray_value birthday, contact;
};
/* profile */
enum rs_code rs_xray_profile(const struct rs_state *state, const struct rs_digest *subject,
                             struct rs_xray_profile *out, struct rs_error *err);

#endif
