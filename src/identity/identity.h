/* Who is who: organisations, members and their keys, the keys of a node, data subjects.
 *
 * Patient identifiers enter here and do not leave: everything above knows a person by a
 * struct rs_pseudonym only. Every key that makes a ledger entry meaningful hangs on the
 * subject's own key; erasing that key turns the entries into noise (crypto-shredding). */
#ifndef RS_IDENTITY_H
#define RS_IDENTITY_H

#include "base/base.h"
#include "crypto/crypto.h"

/* Roles: number on the ledger (never renumber), name, who that is. */
#define RS_ROLES(X)                                                                  \
	X(RADIOLOGIST, 1, "radiologist", "reads images and outlines tumours")        \
	X(ONCOLOGIST, 2, "oncologist", "reads prognoses of own patients")            \
	X(RESEARCHER, 3, "researcher", "uses consented, pseudonymous data")          \
	X(DATA_ENGINEER, 4, "data-engineer", "extracts features, trains models")     \
	X(HOSPITAL_ADMINISTRATOR, 5, "hospital-administrator", "enrols and removes") \
	X(REGULATOR, 6, "regulator", "audits accesses and changes")                  \
	X(PATIENT, 7, "patient", "gives and withdraws consent")                      \
	X(DEVICE, 8, "device", "a scanner or gateway that seals images")

enum rs_role {
	RS_ROLE_NONE = 0,
#define RS_ROLE_MEMBER(member, number, name, text) RS_ROLE_##member = number,
	RS_ROLES(RS_ROLE_MEMBER)
#undef RS_ROLE_MEMBER
		RS_ROLE_COUNT
};

const char *rs_role_name(enum rs_role role);                   /* "none" for anything unknown */
bool rs_role_from_name(struct rs_str name, enum rs_role *out); /* *out left alone when unknown */
bool rs_role_from_number(uint64_t number, enum rs_role *out);

/* A member's (or device's) id is its Ed25519 public key. */
struct rs_member_key {
	uint8_t bytes[RS_KEY_SIZE];
};
#define RS_MEMBER_KEY_TEXT_SIZE 65
bool rs_member_key_equal(const struct rs_member_key *a, const struct rs_member_key *b);
void rs_member_key_format(const struct rs_member_key *key, char out[static RS_MEMBER_KEY_TEXT_SIZE]);
enum rs_code rs_member_key_parse(struct rs_str hex, struct rs_member_key *out, struct rs_error *err);

/* HMAC-SHA-256(k_project, "subject" 0x00 ‖ issuer ‖ 0x00 ‖ PatientID). */
struct rs_pseudonym {
	uint8_t bytes[32];
};
#define RS_PSEUDONYM_TEXT_SIZE 65
bool rs_pseudonym_equal(const struct rs_pseudonym *a, const struct rs_pseudonym *b);
void rs_pseudonym_format(const struct rs_pseudonym *pseudonym, char out[static RS_PSEUDONYM_TEXT_SIZE]);
enum rs_code rs_pseudonym_parse(struct rs_str hex, struct rs_pseudonym *out, struct rs_error *err);

/* The node's own keys: one encrypted key file (keys/node.key). */
struct rs_keyring;

#define RS_ORGANISATION_NAME_MAX 128
/* Makes all keys and writes the file; RS_EXISTS when it is there (it is never overwritten: the
 * keys in it cannot be made again). organisation: 1 … 128 bytes of UTF-8 without control characters.
 * *out (may be NULL) is the open keyring. */
enum rs_code rs_keyring_create(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                               struct rs_str organisation, struct rs_keyring **out, struct rs_error *err);
/* RS_REFUSED for a wrong passphrase or an altered file; RS_DENIED for a readable-by-others one. */
enum rs_code rs_keyring_open(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                             struct rs_keyring **out, struct rs_error *err);
/* The same keys under a new passphrase or unlock file; atomic. */
enum rs_code rs_keyring_change_unlock(const struct rs_world *world, const char *path,
                                      const struct rs_unlock *old, const struct rs_unlock *new_unlock,
                                      struct rs_error *err);
void rs_keyring_close(struct rs_keyring *keyring);          /* wipes; accepts NULL */
void rs_keyring_close_pointer(struct rs_keyring **keyring); /* for RS_CLEANUP */

/* Views into the keyring, valid until it is closed. */
struct rs_str rs_keyring_organisation(const struct rs_keyring *keyring);
const struct rs_signing_key *rs_keyring_log_key(const struct rs_keyring *keyring); /* signs checkpoints */
const struct rs_signing_key *rs_keyring_member_key(
	const struct rs_keyring *keyring); /* the administrator's */
struct rs_member_key rs_keyring_member_id(const struct rs_keyring *keyring);
const struct rs_secret *rs_keyring_seal_secret(const struct rs_keyring *keyring); /* X25519 */
const struct rs_secret *rs_keyring_kek(const struct rs_keyring *keyring);         /* wraps subject keys */
/* What backups of the node are encrypted under: HKDF(k_wrap, "radseal backup v1" 0x00 ‖ purpose). */
void rs_keyring_backup_key(const struct rs_keyring *keyring, const char *purpose, struct rs_secret *out);
/* What accounts of people are kept under: HKDF(k_wrap, "radseal accounts v1"). */
void rs_keyring_accounts_key(const struct rs_keyring *keyring, struct rs_secret *out);
/* Other keys of the node, one for each purpose: HKDF(k_wrap, "radseal key v1" 0x00 ‖ purpose). */
void rs_keyring_key(const struct rs_keyring *keyring, const char *purpose, struct rs_secret *out);

/* issuer: IssuerOfPatientID, may be empty. Neither may hold a zero byte (RS_MALFORMED; it would let two
 * patients meet); patient_id may not be empty. Values are taken as they are: trim padding before. */
enum rs_code rs_keyring_pseudonym(const struct rs_keyring *keyring, struct rs_str issuer,
                                  struct rs_str patient_id, struct rs_pseudonym *out, struct rs_error *err);
/* Finds an identifier (study, series or instance UID, accession number …) without storing it:
 * HMAC-SHA-256(k_locator, kind ‖ value). `kind` keeps values of different meaning apart. */
void rs_keyring_locator(const struct rs_keyring *keyring, uint8_t kind, struct rs_bytes value,
                        struct rs_digest *out);

/* A member's key of its own, in a key file (keys/<name>.key), payload: its seed. RS_EXISTS when there. */
enum rs_code rs_member_key_file_create(const struct rs_world *world, const char *path,
                                       const struct rs_unlock *unlock, struct rs_signing_key *out,
                                       struct rs_error *err);
enum rs_code rs_member_key_file_open(const struct rs_world *world, const char *path,
                                     const struct rs_unlock *unlock, struct rs_signing_key *out,
                                     struct rs_error *err);
/* The same key under another unlock; atomic. */
enum rs_code rs_member_key_file_change(const struct rs_world *world, const char *path,
                                       const struct rs_unlock *old, const struct rs_unlock *new_unlock,
                                       struct rs_error *err);

/* Keys derived from a subject's key (HKDF-SHA-256, no salt); nonces are 16 random bytes of the series. */
#define RS_NONCE_SIZE 16
/* k_record: the key of a leaf's commitment; info = "radseal record v1" ‖ nonce ‖ be32(instance index). */
void rs_subject_record_key(const struct rs_secret *subject, const uint8_t nonce[static RS_NONCE_SIZE],
                           uint32_t instance_index, struct rs_secret *out);
/* The key an object is encrypted with in the vault; info = "radseal object v1" ‖ nonce. */
void rs_subject_object_key(const struct rs_secret *subject, const uint8_t nonce[static RS_NONCE_SIZE],
                           struct rs_secret *out);
/* The key under which the index keeps what is said about the subject; info = "radseal index v1". */
void rs_subject_index_key(const struct rs_secret *subject, struct rs_secret *out);

/* The subject's name on the ledger; info = "radseal subject v1". Once the key is erased, nobody can tell whose it was. */
void rs_subject_token(const struct rs_secret *subject, struct rs_digest *out);
/* A study's name there, and a salted commitment to any small value (birthday, contact, the name of a place): HMAC-SHA-256
 * under a key derived with info = "radseal commitment v1" over kind ‖ value; `kind` keeps values of different meaning apart. */
void rs_subject_commitment(const struct rs_secret *subject, uint8_t kind, struct rs_bytes value,
                           struct rs_digest *out);
/* That key: whoever has it, and a value, can check the value's commitment. For the subject. */
void rs_subject_commitment_key(const struct rs_secret *subject, struct rs_secret *out);

/* One random key per data subject, wrapped by the keyring's KEK, in an SQLite file. */
struct rs_subject_keys; /* one thread at a time */

/* Makes the file when missing. The keyring must outlive it. */
enum rs_code rs_subject_keys_open(const struct rs_world *world, const char *path,
                                  const struct rs_keyring *keyring, struct rs_subject_keys **out,
                                  struct rs_error *err);
void rs_subject_keys_close(struct rs_subject_keys *keys);          /* wipes; accepts NULL */
void rs_subject_keys_close_pointer(struct rs_subject_keys **keys); /* for RS_CLEANUP */
/* create: makes the key when there is none (durable before it returns). Otherwise, RS_NOT_FOUND: never
 * seen, or erased. RS_ALTERED names the subject whose row does not unwrap. */
enum rs_code rs_subject_key_get(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                bool create, struct rs_secret *out, struct rs_error *err);
/* Keys made between begin and commit are durable when commit returns, all together; until then nothing may rest on
 * them. A rollback (no-op outside) forgets them. Erasing is not possible in between. */
enum rs_code rs_subject_keys_begin(struct rs_subject_keys *keys, struct rs_error *err);
enum rs_code rs_subject_keys_commit(struct rs_subject_keys *keys, struct rs_error *err);
void rs_subject_keys_rollback(struct rs_subject_keys *keys);
/* Forgets what is in memory of keys, which other processes may erase from now on. */
void rs_subject_keys_rest(struct rs_subject_keys *keys);
/* Gone for good when it returns RS_OK: from the database file, from its write-ahead log and from
 * memory (secure_delete, the file rewritten, its log truncated; milliseconds for ten thousand subjects).
 * RS_NOT_FOUND when there is none. RS_BUSY when another process reads just now: the key is deleted, the
 * rewriting happens at the next open. Backups, and what a disk keeps of blocks it no longer shows, are
 * beyond it; the KEK still guards those. */
enum rs_code rs_subject_key_erase(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                  struct rs_error *err);
/* The row of the key as it is kept, appended: what must be gone after erasing. RS_NOT_FOUND without a sentence. */
enum rs_code rs_subject_key_wrapped(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                    struct rs_buffer *out, struct rs_error *err);
/* Anything but RS_OK ends the walk with that code. */
typedef enum rs_code rs_subject_key_visit(void *context, const struct rs_pseudonym *pseudonym,
                                          const struct rs_secret *key, struct rs_error *err);
enum rs_code rs_subject_keys_each(struct rs_subject_keys *keys, rs_subject_key_visit *visit, void *context,
                                  struct rs_error *err);
/* All keys as they are kept, wrapped, for a backup of the key store: a CBOR array of pseudonym, wrapped key, …, appended. */
enum rs_code rs_subject_keys_export(struct rs_subject_keys *keys, struct rs_buffer *out,
                                    struct rs_error *err);
/* Whether a key comes back; anything but RS_OK ends the import with that code. */
typedef enum rs_code rs_subject_keys_keep(void *context, struct rs_bytes pseudonym,
                                          const struct rs_secret *key, bool *out_keep, struct rs_error *err);
/* Into an empty store, durable: what is not kept is never written. *out_left: how many were not. RS_ALTERED names what
 * does not unwrap. */
enum rs_code rs_subject_keys_import(struct rs_subject_keys *keys, struct rs_bytes exported,
                                    rs_subject_keys_keep *keep, void *context, uint64_t *out_left,
                                    struct rs_error *err);
enum rs_code rs_subject_keys_count(struct rs_subject_keys *keys, uint64_t *out, struct rs_error *err);

/* One finding of a check; returning anything but RS_OK ends it with that code. */
typedef enum rs_code rs_subject_keys_visit(void *context, const char *finding, struct rs_error *err);
/* Unwraps every row and checks the database. Each fault goes to visit (may be NULL); RS_ALTERED at
 * the end when there was any, naming the first. */
enum rs_code rs_subject_keys_check(struct rs_subject_keys *keys, rs_subject_keys_visit *visit, void *context,
                                   struct rs_error *err);

#endif
