/* What writing and reading of tokens share. */
#ifndef CONSENT_TOKEN_H
#define CONSENT_TOKEN_H

#include "consent/consent.h"

#define TOKEN_VERSION 1
#define COSE_SIGN1_TAG 18
#define COSE_ALGORITHM 1
#define COSE_KID 4
#define COSE_EDDSA (-8)
#define RANDOM_SIZE 16
#define TERMS_COUNT 7
#define BLOCK_SIZE_MAX ((size_t)4096)
enum token_field { TOKEN_FIELD_VERSION = 1, TOKEN_FIELD_BLOCKS, TOKEN_FIELD_SEED, TOKEN_FIELD_SEAL };
enum block_field {
	BLOCK_VERSION = 1,
	BLOCK_NEXT,
	BLOCK_TERMS,
	BLOCK_SUBJECT,
	BLOCK_EFFECT,
	BLOCK_ISSUED,
	BLOCK_RANDOM,
};
enum terms_field {
	TERMS_ORGANISATION = 1,
	TERMS_ROLES,
	TERMS_PURPOSES,
	TERMS_OPERATIONS,
	TERMS_FROM,
	TERMS_UNTIL,
	TERMS_STUDIES,
};

/* A token's parts as they lie in its bytes. */
struct envelope {
	struct rs_bytes blocks[RS_CONSENT_BLOCKS_MAX];
	size_t count;
	struct rs_bytes last_signature;
	struct rs_bytes end; /* a seed or a seal */
	bool sealed;
};
enum rs_code token_open(struct rs_bytes bytes, struct rs_consent_token *out, struct envelope *envelope,
                        struct rs_error *err);

/* RFC 9052 §4.4; `before`: the signature of the block before, empty for the first. */
void token_write_to_be_signed(struct rs_buffer *out, struct rs_bytes header, struct rs_bytes before,
                              struct rs_bytes payload);
void token_write_seal_message(struct rs_buffer *out, struct rs_bytes last_signature);

/* Takes away from `terms` what the block does not leave; false when nothing is left. */
bool terms_narrow(struct rs_consent_terms *terms, const struct rs_consent_terms *block);

#endif
