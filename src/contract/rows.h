/* The rows of the state: a letter, then what the row is about. Values are deterministic CBOR arrays where nothing else is
 * said.
 *   F                        id of the transaction that founded the ledger
 *   O name                   administrator's key, then one byte: its kind, when it has one
 *   M key, D key             a member, a device: [role, from, until, revoked, organisation]
 *   L key                    a member's label
 *   R key                    the key that a device has instead
 *   S subject                [organisation, patient's key or empty, erased, objects]
 *   X subject be64           the commitment of the subject's object of this number
 *   Y subject attribute      [commitment, locator or empty]
 *   B commitment             an object: [kind, instances, organisation], and when it is a later version or says of a subject
 *                            or label: [kind, instances, organisation, version, signer, time, subject, study, label]; the
 *                            last three may be empty
 *   V commitment             the commitment of the next version
 *   C subject consent        [effect, organisation or "", roles, purposes, operations, from, until, revoked, studies]
 *   Q id                     an access request: [refusal, basis, consent or empty, member, object, purpose, operation, time]
 *   G member id              a broken glass: [subject, organisation, time, outcome or 0]
 *   A origin                 the last anchor of a log: [organisation, size, root, time]
 *   K organisation           be64: time of its last anchor */
#ifndef CONTRACT_ROWS_H
#define CONTRACT_ROWS_H

#include "act.h"

/* A name of the caller's own: views of the state end with the next call. */
struct name {
	char text[RS_ORGANISATION_NAME_MAX];
	size_t size;
};
struct rs_str name_str(const struct name *name);
void name_set(struct name *name, struct rs_str text); /* at most RS_ORGANISATION_NAME_MAX bytes */

struct person {
	enum rs_role role;
	uint64_t from_ms, until_ms;
	bool revoked;
	struct name organisation;
};

struct subject {
	struct name organisation;
	struct rs_member_key patient; /* zeros: nobody */
	bool erased;
	uint64_t objects;
};

struct object {
	enum rs_object_kind kind;
	uint64_t instances, version;
	struct name organisation;
	uint64_t time_ms; /* this and the signer: zeros in a short row */
	struct rs_member_key signer;
	struct rs_digest subject, study, label; /* zeros: none */
};

struct consent {
	enum rs_consent_effect effect;
	struct name organisation;
	uint32_t roles, purposes, operations;
	uint64_t from_ms, until_ms;
	bool revoked;
	uint8_t studies[RS_STUDIES_MAX * RS_SHA256_SIZE];
	size_t studies_size;
};

struct glass {
	struct rs_digest subject;
	struct name organisation;
	uint64_t time_ms;
	uint64_t outcome; /* 0: not reviewed */
};

struct anchor {
	struct name organisation;
	uint64_t size, time_ms;
	struct rs_digest root;
};

struct profile {
	struct rs_digest commitment;
	uint8_t locator[RS_LOCATOR_SIZE];
	bool has_locator;
};

/* A key: a letter, then one or two parts, all together at most RS_STATE_KEY_MAX. */
struct key {
	uint8_t bytes[RS_STATE_KEY_MAX];
	size_t size;
};
struct key key_of(char letter, struct rs_bytes about);
struct key key_of_two(char letter, struct rs_bytes first, struct rs_bytes second);
struct rs_bytes key_bytes(const struct key *key);
struct rs_bytes digest_bytes(const struct rs_digest *digest);
struct rs_bytes member_bytes(const struct rs_member_key *key);

/* All of these: RS_NOT_FOUND without a sentence when there is no such row, RS_ALTERED when it is not one. */
enum rs_code row_find(const struct rs_state *state, const struct key *key, struct rs_bytes *out,
                      struct rs_error *err);
enum rs_code row_has(const struct rs_state *state, const struct key *key, bool *out, struct rs_error *err);
enum rs_code row_put(const struct rs_state *state, const struct key *key, struct rs_bytes value,
                     struct rs_error *err);
enum rs_code person_get(const struct rs_state *state, char letter, const struct rs_member_key *id,
                        struct person *out, struct rs_error *err);
enum rs_code person_put(const struct rs_state *state, char letter, const struct rs_member_key *id,
                        const struct person *person, struct rs_error *err);
enum rs_code subject_get(const struct rs_state *state, const struct rs_digest *id, struct subject *out,
                         struct rs_error *err);
enum rs_code subject_put(const struct rs_state *state, const struct rs_digest *id,
                         const struct subject *subject, struct rs_error *err);
enum rs_code object_get(const struct rs_state *state, const struct rs_digest *id, struct object *out,
                        struct rs_error *err);
enum rs_code object_put(const struct rs_state *state, const struct rs_digest *id, const struct object *object,
                        struct rs_error *err);
enum rs_code consent_get(const struct rs_state *state, const struct rs_digest *subject,
                         const struct rs_digest *id, struct consent *out, struct rs_error *err);
enum rs_code consent_put(const struct rs_state *state, const struct rs_digest *subject,
                         const struct rs_digest *id, const struct consent *consent, struct rs_error *err);
enum rs_code consent_decode(struct rs_bytes value, struct consent *out, struct rs_error *err);
enum rs_code glass_get(const struct rs_state *state, const struct rs_member_key *member,
                       const uint8_t id[static RS_TRANSACTION_ID_SIZE], struct glass *out,
                       struct rs_error *err);
enum rs_code glass_put(const struct rs_state *state, const struct rs_member_key *member,
                       const uint8_t id[static RS_TRANSACTION_ID_SIZE], const struct glass *glass,
                       struct rs_error *err);
enum rs_code glass_decode(struct rs_bytes value, struct glass *out, struct rs_error *err);
enum rs_code anchor_get(const struct rs_state *state, struct rs_str origin, struct anchor *out,
                        struct rs_error *err);
enum rs_code anchor_put(const struct rs_state *state, struct rs_str origin, const struct anchor *anchor,
                        struct rs_error *err);
enum rs_code profile_get(const struct rs_state *state, const struct rs_digest *subject,
                         enum rs_profile_attribute attribute, struct profile *out, struct rs_error *err);
enum rs_code profile_put(const struct rs_state *state, const struct rs_digest *subject,
                         enum rs_profile_attribute attribute, const struct profile *profile,
                         struct rs_error *err);

#endif
