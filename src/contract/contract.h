/* The contract: who may do what, whose consent it rests on, and what became of it. Pure and deterministic: no clock, no
 * random number, no floating point, no file; time and identity come with the transaction, and all it knows is a state of
 * keys and values. The embedded engine, the twin in memory and every other engine run this same code.
 *
 * A transaction is a COSE_Sign1 (RFC 9052, tag 18; EdDSA; kid = the caller's Ed25519 key; external_aad
 * "radseal transaction v1") over deterministic CBOR {1: version, 2: type, 3: id, 4: time, 5: body}. These bytes are
 * the log's entry. No entry holds personal data: objects, subjects, studies, names stand in it as commitments. */
#ifndef RS_CONTRACT_H
#define RS_CONTRACT_H

#include "identity/identity.h"

#define RS_TRANSACTION_ID_SIZE 16
#define RS_ENTRY_SIZE_MAX 65535 /* C2SP tlog-tiles */
#define RS_PARENTS_MAX 64
#define RS_STUDIES_MAX 64
#define RS_ORIGIN_MAX 200
#define RS_LOCATOR_SIZE 36 /* a CIDv1: of a ciphertext */

/* Types: number on the ledger (never renumber), name. */
#define RS_TRANSACTION_TYPES(X)                         \
	X(ORGANISATION_ADD, 1, "organisation-add")      \
	X(MEMBER_GRANT, 2, "member-grant")              \
	X(MEMBER_REVOKE, 3, "member-revoke")            \
	X(DEVICE_ENROL, 4, "device-enrol")              \
	X(DEVICE_REVOKE, 5, "device-revoke")            \
	X(OBJECT_REGISTER, 6, "object-register")        \
	X(DEVICE_ROTATE, 7, "device-rotate")            \
	X(SUBJECT_REGISTER, 8, "subject-register")      \
	X(PROFILE_SET, 9, "profile-set")                \
	X(CONSENT_GRANT, 10, "consent-grant")           \
	X(CONSENT_NARROW, 11, "consent-narrow")         \
	X(CONSENT_REVOKE, 12, "consent-revoke")         \
	X(ACCESS_REQUEST, 13, "access-request")         \
	X(BREAK_GLASS, 14, "break-glass")               \
	X(BREAK_GLASS_REVIEW, 15, "break-glass-review") \
	X(ERASURE, 16, "erasure")                       \
	X(CHECKPOINT_ANCHOR, 17, "checkpoint-anchor")

enum rs_transaction_type {
#define RS_TYPE_MEMBER(member, number, name) RS_TRANSACTION_##member = number,
	RS_TRANSACTION_TYPES(RS_TYPE_MEMBER)
#undef RS_TYPE_MEMBER
		RS_TRANSACTION_TYPE_COUNT
};
const char *rs_transaction_type_name(enum rs_transaction_type type); /* "unknown" for anything else */
bool rs_transaction_type_from_name(struct rs_str name, enum rs_transaction_type *out);

/* The five of a consortium; an organisation of no kind (a hospital on its own) may have every role. */
#define RS_ORGANISATION_KINDS(X)                        \
	X(RADIOLOGY, 1, "radiology")                    \
	X(ONCOLOGY, 2, "oncology")                      \
	X(ADMINISTRATION, 3, "hospital-administration") \
	X(RESEARCH, 4, "research")                      \
	X(REGULATOR, 5, "regulator")
enum rs_organisation_kind {
	RS_ORGANISATION_ANY = 0,
#define RS_KIND_MEMBER(member, number, name) RS_ORGANISATION_##member = number,
	RS_ORGANISATION_KINDS(RS_KIND_MEMBER)
#undef RS_KIND_MEMBER
		RS_ORGANISATION_KIND_COUNT
};

enum rs_object_kind {
	RS_OBJECT_IMAGE = 1,
	RS_OBJECT_MASK,
	RS_OBJECT_FEATURES,
	RS_OBJECT_MODEL,
	RS_OBJECT_PREDICTION,
	RS_OBJECT_REPORT
};

/* Why data are used: number, name, code of HL7 v3 PurposeOfUse. */
#define RS_PURPOSES(X)                            \
	X(TREATMENT, 1, "treatment", "TREAT")     \
	X(RESEARCH, 2, "research", "HRESCH")      \
	X(OPERATIONS, 3, "operations", "HOPERAT") \
	X(EMERGENCY, 4, "emergency", "ETREAT")    \
	X(AUDIT, 5, "audit", "HCOMPL")            \
	X(PATIENT_REQUEST, 6, "patient-request", "PATRQT")
enum rs_purpose {
#define RS_PURPOSE_MEMBER(member, number, name, code) RS_PURPOSE_##member = number,
	RS_PURPOSES(RS_PURPOSE_MEMBER)
#undef RS_PURPOSE_MEMBER
};
/* What is done with data. */
#define RS_OPERATIONS(X)         \
	X(READ, 1, "read")       \
	X(EXTRACT, 2, "extract") \
	X(TRAIN, 3, "train")     \
	X(PREDICT, 4, "predict") \
	X(EXPORT, 5, "export")
enum rs_operation {
#define RS_OPERATION_MEMBER(member, number, name) RS_OPERATION_##member = number,
	RS_OPERATIONS(RS_OPERATION_MEMBER)
#undef RS_OPERATION_MEMBER
};
/* A set of roles, purposes or operations: bit n stands for number n. */
#define RS_SET(number) (1u << (number))
#define RS_SET_ROLES_ALL 0x1feu
#define RS_SET_PURPOSES_ALL \
	0x1eu /* of which a consent may speak: audits and patients' own requests need none */
#define RS_SET_OPERATIONS_ALL 0x3eu

enum rs_consent_effect { RS_CONSENT_PERMIT = 1, RS_CONSENT_DENY };
enum rs_review_outcome { RS_REVIEW_JUSTIFIED = 1, RS_REVIEW_UNJUSTIFIED };
enum rs_profile_attribute { RS_PROFILE_BIRTHDAY = 1, RS_PROFILE_CONTACT };

/* What a transaction says. Fields that its type does not use are zero; views borrow. A digest of zeros stands for none:
 * as such it is left out of the entry. */
struct rs_act {
	enum rs_transaction_type type;
	uint8_t id[RS_TRANSACTION_ID_SIZE]; /* a retry with the same id and content is the same transaction */
	uint64_t time_ms;
	struct rs_member_key signer;
	struct rs_str organisation;  /* for which it is signed; of a consent: to which it is given */
	struct rs_member_key member; /* whom it is about; the first administrator of ORGANISATION_ADD; the
	                              * patient (or guardian) of SUBJECT_REGISTER, may be none */
	enum rs_role role;           /* MEMBER_GRANT */
	uint64_t from_ms, until_ms;  /* MEMBER_GRANT, consents; until 0: open */
	enum rs_object_kind kind;    /* OBJECT_REGISTER and below */
	struct rs_digest commitment; /* PROFILE_SET, too; of ACCESS_REQUEST: the object */
	uint64_t instances;          /* >= 1 */
	bool has_previous;           /* the object is a new version of `previous` */
	struct rs_digest previous;
	struct rs_bytes parents; /* commitments it was made from, RS_SHA256_SIZE bytes each */
	enum rs_organisation_kind organisation_kind; /* ORGANISATION_ADD, may be none */
	struct rs_digest subject;                    /* rs_subject_token(); of OBJECT_REGISTER may be none */
	struct rs_digest study;                      /* salted commitment to a study; may be none */
	struct rs_digest label;   /* salted commitment to a name or place (paper B); may be none */
	struct rs_digest consent; /* its name: any 32 bytes that were none before */
	enum rs_consent_effect effect;
	uint32_t roles, purposes, operations; /* sets, not empty */
	struct rs_bytes studies;              /* RS_SHA256_SIZE bytes each; empty: all of the subject's */
	enum rs_purpose purpose;              /* OBJECT_REGISTER (may be none), ACCESS_REQUEST */
	enum rs_operation operation;
	struct rs_digest reason;               /* commitment to a text: BREAK_GLASS and its review */
	uint8_t glass[RS_TRANSACTION_ID_SIZE]; /* the BREAK_GLASS that is reviewed; `member` broke it */
	enum rs_review_outcome outcome;
	enum rs_profile_attribute attribute;
	uint8_t locator[RS_LOCATOR_SIZE]; /* where the encrypted value lies; may be none */
	struct rs_str origin;             /* CHECKPOINT_ANCHOR: of which log */
	uint64_t size;                    /* its entries */
	struct rs_digest root;
	struct rs_member_key successor; /* DEVICE_ROTATE: the new key of `member` */
};

/* An entry's bytes; `checked`: signed in this process or verified. */
struct rs_transaction {
	struct rs_buffer entry;
	bool checked;
};
void rs_transaction_finish(struct rs_transaction *transaction); /* accepts zeroed memory */
/* act->signer is set from the key. */
enum rs_code rs_transaction_sign(const struct rs_act *act, const struct rs_signing_key *key,
                                 struct rs_transaction *out, struct rs_error *err);
/* Parses strictly; does not verify the signature. */
enum rs_code rs_transaction_parse(struct rs_bytes entry, struct rs_act *out, struct rs_error *err);
enum rs_code rs_transaction_verify(struct rs_bytes entry, struct rs_act *out,
                                   struct rs_error *err); /* RS_ALTERED */
/* The payload alone, for engines that sign in their own way (Fabric, Ethereum); the signer is theirs to set. */
void rs_act_encode(const struct rs_act *act, struct rs_buffer *out);
enum rs_code rs_act_decode(struct rs_bytes payload, struct rs_act *out, struct rs_error *err);

/* What the contract sees and changes. No key is longer than RS_STATE_KEY_MAX, no value than RS_STATE_VALUE_MAX.
 * Keys that begin with 'T' are the engine's own (which transaction stands where). */
#define RS_STATE_KEY_MAX 256
#define RS_STATE_VALUE_MAX 4096
/* Anything but RS_OK ends the walk with that code. It may get, but neither put nor walk. */
typedef enum rs_code rs_state_visit(void *visitor, struct rs_bytes key, struct rs_bytes value,
                                    struct rs_error *err);
struct rs_state {
	/* RS_NOT_FOUND without a sentence when there is no such key; the view is valid until the next call. */
	enum rs_code (*get)(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err);
	enum rs_code (*put)(void *context, struct rs_bytes key, struct rs_bytes value, struct rs_error *err);
	/* All keys that begin with `prefix`, in bytewise order. */
	enum rs_code (*each)(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
	                     struct rs_error *err);
	void *context;
};
/* SHA-256 over be32(size of key) ‖ key ‖ be32(size of value) ‖ value of every row but the engine's own, in order:
 * two engines that agree have the same. */
enum rs_code rs_state_digest(const struct rs_state *state, struct rs_digest *out, struct rs_error *err);

/* Refusals: name (stable), number (never renumber), sentence. */
#define RS_REFUSALS(X)                                                                                      \
	X(NONE, 0, "admitted")                                                                              \
	X(NOT_FOUNDED, 1,                                                                                   \
	  "the ledger is empty; its first transaction must add an organisation and name the signer as "     \
	  "its administrator")                                                                              \
	X(UNKNOWN_SIGNER, 2, "the signer is no member and no device")                                       \
	X(REVOKED, 3, "the signer was revoked")                                                             \
	X(OUT_OF_PERIOD, 4, "the signer's role does not cover the transaction's time")                      \
	X(ROLE, 5, "the signer's role does not allow this")                                                 \
	X(SCOPE, 6, "the signer's role allows this, but not for this organisation or subject")              \
	X(UNKNOWN_ORGANISATION, 7, "there is no such organisation")                                         \
	X(ALREADY_THERE, 8, "it is already there")                                                          \
	X(NOT_THERE, 9, "what it is about is not there")                                                    \
	X(ID_TAKEN, 10, "another transaction has this id")                                                  \
	X(BACKDATED, 11, "it is dated more than a day before its organisation's last anchor")               \
	X(ROTATED, 12, "the device has another key since")                                                  \
	X(ORGANISATION_KIND, 13, "an organisation of this kind has no such role")                           \
	X(UNKNOWN_SUBJECT, 14, "there is no such subject")                                                  \
	X(ERASED, 15, "the subject was erased")                                                             \
	X(NOT_A_PATIENT, 16, "the key that is to act for the subject is no patient's")                      \
	X(PARENT, 17, "an object of this kind is not made from such parents")                               \
	X(VERSION, 18, "a version has the kind, organisation and subject of the one before it")             \
	X(SUPERSEDED, 19, "there is a newer version of it already")                                         \
	X(NO_CONSENT, 20, "no consent covers this")                                                         \
	X(CONSENT_DENIES, 21, "a consent denies this")                                                      \
	X(CONSENT_REVOKED, 22, "the consent was revoked")                                                   \
	X(WIDENS, 23, "a consent can be narrowed, not widened")                                             \
	X(PURPOSE, 24, "the signer's role does not allow this operation for this purpose")                  \
	X(REVIEW_OVERDUE, 25, "the signer broke the glass more than seven days ago and nobody reviewed it") \
	X(OWN_REVIEW, 26, "nobody reviews what they did themselves")                                        \
	X(ALREADY_REVIEWED, 27, "it was reviewed already")                                                  \
	X(ROLLED_BACK, 28, "this log was anchored with more entries before")                                \
	X(FORKED, 29, "this log was anchored with the same size and another root before")                   \
	X(MAP_HEAD, 30, "it is not the head of the map that the entries before it lead to")
enum rs_refusal {
#define RS_REFUSAL_MEMBER(name, number, text) RS_REFUSAL_##name = number,
	RS_REFUSALS(RS_REFUSAL_MEMBER)
#undef RS_REFUSAL_MEMBER
		RS_REFUSAL_COUNT
};
const char *rs_refusal_name(enum rs_refusal refusal);
const char *rs_refusal_text(enum rs_refusal refusal);
/* MAP_HEAD is an engine's, which has the map (ledger/ledger_head.h), as ID_TAKEN is.
 * Answers with writes (RS_REFUSAL_NONE) or with a refusal, and then nothing was written. An access request is admitted
 * whatever is decided about it: that is read with rs_contract_decision(). */
enum rs_code rs_contract_apply(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                               struct rs_error *err);

/* Clocks differ and devices are offline for hours: so much before an organisation's last anchor is still admitted. */
#define RS_CLOCK_SLACK_MS ((uint64_t)24 * 3600 * 1000)
/* Who broke the glass may use the subject's data for so long, */
#define RS_GLASS_MS ((uint64_t)24 * 3600 * 1000)
/* and must be reviewed within. */
#define RS_REVIEW_WITHIN_MS ((uint64_t)7 * 24 * 3600 * 1000)

/* On what an access rests; number on the ledger, name. */
#define RS_BASES(X)                  \
	X(NONE, 0, "none")           \
	X(CARE, 1, "care")           \
	X(CONSENT, 2, "consent")     \
	X(OWN_DATA, 3, "own-data")   \
	X(OVERSIGHT, 4, "oversight") \
	X(BREAK_GLASS, 5, "break-glass")
enum rs_basis {
#define RS_BASIS_MEMBER(name, number, text) RS_BASIS_##name = number,
	RS_BASES(RS_BASIS_MEMBER)
#undef RS_BASIS_MEMBER
};
const char *rs_basis_name(enum rs_basis basis);

struct rs_decision {
	enum rs_refusal refusal; /* RS_REFUSAL_NONE: permitted */
	enum rs_basis basis;
	struct rs_digest consent; /* the one it rests on or that denies it; else zeros */
};
/* What was decided about an admitted ACCESS_REQUEST; RS_NOT_FOUND (no sentence) when there is none with this id. */
enum rs_code rs_contract_decision(const struct rs_state *state,
                                  const uint8_t id[static RS_TRANSACTION_ID_SIZE], struct rs_decision *out,
                                  struct rs_error *err);
/* What would be decided about an ACCESS_REQUEST by act->signer at act->time_ms; writes nothing. */
enum rs_code rs_contract_decide(const struct rs_state *state, const struct rs_act *act,
                                struct rs_decision *out, struct rs_error *err);

/* The table role × operation × scope, for documents, `radseal audit` and tests. */
enum rs_scope {
	RS_SCOPE_NEVER,            /* default deny */
	RS_SCOPE_ANYWHERE,         /* whatever it is about */
	RS_SCOPE_OWN_ORGANISATION, /* what it is about belongs to the signer's organisation */
	RS_SCOPE_OWN_SUBJECT,      /* the signer acts for the subject: is the patient or the guardian */
	RS_SCOPE_CUSTODIAN,        /* the signer's organisation is the subject's custodian */
	RS_SCOPE_PARTY,     /* custodian of the subject, or the organisation that was given the consent */
	RS_SCOPE_OVERSIGHT, /* own organisation; anywhere when that is of kind regulator */
	RS_SCOPE_SELF,      /* about the signer's own key */
};
enum rs_scope rs_contract_scope(enum rs_transaction_type type, enum rs_role role);
const char *rs_scope_name(enum rs_scope scope);
/* Set (RS_SET) of bases on which the role may do this for this purpose; 0: never. */
unsigned rs_contract_bases(enum rs_role role, enum rs_purpose purpose, enum rs_operation operation);

#endif
