/* Consent grants as signed tokens that whoever holds one can narrow offline, shaped like Biscuit's: an authority block signed by
 * the patient's (or guardian's, or custodian's) key, then blocks that only take away. Each block names the key that signs the
 * next; the last such key's seed travels with the token (whoever holds it may narrow on), or its signature over the last block
 * seals the token. The vocabulary is the contract's (one organisation for a permission), and so is the answer: a token
 * says what its terms would say as a CONSENT_GRANT on the ledger, under the authority block's id as the consent's name.
 *
 * A token is deterministic CBOR {1: 1, 2: [block …], 3: seed} or {…, 4: seal}. A block is the bytes of a COSE_Sign1 (RFC 9052,
 * tag 18; EdDSA; kid = the signer), external_aad "radseal consent v1", for later blocks followed by the signature of the block
 * before. Payload: {1: 1, 2: next key, 3: terms} and, in the authority block, 4: subject, 5: effect, 6: issued, 7: 16 random
 * bytes. Terms: {1: organisation, 2: roles, 3: purposes, 4: operations, 5: from, 6: until, 7: studies}; left out, a term does not
 * narrow. The seal: Ed25519 over "radseal consent seal v1" and the last signature. A block's id: SHA-256 of its signature.
 *
 * What is in force is the intersection of the blocks. A denial is sealed, and never narrowed: that would give leave. */
#ifndef RS_CONSENT_H
#define RS_CONSENT_H

#include "contract/contract_consents.h"

#define RS_CONSENT_BLOCKS_MAX 16
#define RS_CONSENT_TOKEN_SIZE_MAX ((size_t)65536)

struct rs_consent_block {
	struct rs_member_key signer;
	struct rs_digest id;
	struct rs_consent_terms terms; /* as stated: zero where the block does not narrow */
};
struct rs_consent_token {
	struct rs_digest subject;
	enum rs_consent_effect effect;
	uint64_t issued_ms;
	struct rs_consent_block blocks[RS_CONSENT_BLOCKS_MAX];
	size_t count; /* >= 1; the first is the authority block */
	bool sealed;
};

/* Terms need roles, purposes and operations; a permission an organisation, too. A denial comes out sealed. Appended to out.
 * errors  RS_USAGE: the terms are none that a consent can have */
enum rs_code rs_consent_token_grant(const struct rs_world *world, const struct rs_signing_key *issuer,
                                    const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                    struct rs_buffer *out, struct rs_error *err);
/* The same with one block more. Terms that are zero stay as they are.
 * errors  RS_REFUSED: sealed, a denial, wider than what is in force, or nothing left */
enum rs_code rs_consent_token_narrow(const struct rs_world *world, struct rs_bytes token,
                                     const struct rs_consent_terms *terms, struct rs_buffer *out,
                                     struct rs_error *err);
enum rs_code rs_consent_token_seal(struct rs_bytes token, struct rs_buffer *out,
                                   struct rs_error *err); /* RS_REFUSED: it is */

/* Checks form, the chain of signatures and what ends it; whose key signed the first block is the caller's to judge.
 * errors  RS_MALFORMED, RS_TOO_LARGE, RS_UNSUPPORTED; RS_ALTERED when a signature or the chain does not fit */
enum rs_code rs_consent_token_open(struct rs_bytes token, struct rs_consent_token *out, struct rs_error *err);
/* The consent's name on the ledger: the id of the authority block. */
const struct rs_digest *rs_consent_token_name(const struct rs_consent_token *token);
/* The intersection of all blocks. False when nothing is left in it. */
bool rs_consent_token_terms(const struct rs_consent_token *token, struct rs_consent_terms *out);

/* Who asks for what: as the verifier knows it, not as the holder of the token claims. */
struct rs_consent_question {
	struct rs_digest subject;
	struct rs_str organisation;
	enum rs_role role;
	enum rs_purpose purpose;
	enum rs_operation operation;
	struct rs_digest study; /* zeros: not known */
	uint64_t time_ms;
	uint64_t
		skew_ms; /* the verifier's clock may be wrong by so much: a permission must hold, and a denial
	                   * counts, anywhere from time - skew to time + skew */
};
struct rs_consent_hearing;
struct rs_consent_trust {
	const struct rs_member_key *issuers; /* whose consents count for this subject */
	size_t issuer_count;
	const struct rs_digest *revoked; /* ids of blocks */
	size_t revoked_count;
	const struct rs_consent_hearing *ledger; /* NULL: not asked */
};
struct rs_consent_answer {
	enum rs_refusal refusal;  /* RS_REFUSAL_NONE: permitted */
	struct rs_digest consent; /* the one it rests on or that denies it; else zeros */
	char sentence[RS_ERROR_MESSAGE_SIZE];
};
/* Default deny; a denial overrides whatever permits. */
void rs_consent_judge(const struct rs_consent_token *tokens, size_t count,
                      const struct rs_consent_trust *trust, const struct rs_consent_question *question,
                      struct rs_consent_answer *out);

/* What a ledger says of the consents about the subject, heard one by one before tokens are judged: its denials count, and a
 * token permits only what its consent does there too. */
#define RS_CONSENT_TOKENS_MAX 64
struct rs_consent_hearing {
	const struct rs_consent_question *question;
	const struct rs_consent_token *tokens; /* those that will be judged */
	size_t count;                          /* at most RS_CONSENT_TOKENS_MAX */
	bool permits[RS_CONSENT_TOKENS_MAX], revoked[RS_CONSENT_TOKENS_MAX];
	struct rs_consent_answer denial; /* refusal NONE: there is none */
};
void rs_consent_hear(struct rs_consent_hearing *hearing, const struct rs_consent_facts *consent);
/* All of them out of a proof (ledger/ledger_claim.h), whose key and value these are; or, where that is a proof of one consent,
 * that of one of the tokens: denials are then not heard.
 * errors  RS_ALTERED when it is neither */
enum rs_code rs_consent_hear_proved(struct rs_consent_hearing *hearing, struct rs_bytes key,
                                    struct rs_bytes value, struct rs_error *err);

#endif
