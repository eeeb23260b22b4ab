/* Keys derived from a subject's key. Each label is used for one purpose and has a version, so
 * that no key ever serves two. */
#include "identity/identity.h"

#include <string.h>

#define RECORD_LABEL "radseal record v1"
#define OBJECT_LABEL "radseal object v1"
#define INDEX_LABEL "radseal index v1"
#define TOKEN_LABEL "radseal subject v1"
#define COMMITMENT_LABEL "radseal commitment v1"

static void derive(const struct rs_secret *subject, const uint8_t *info, size_t info_size,
                   struct rs_secret *out)
{
	rs_hkdf_sha256(rs_bytes_of(subject->bytes, sizeof(subject->bytes)), (struct rs_bytes){0},
	               rs_bytes_of(info, info_size), out->bytes, sizeof(out->bytes));
}

void rs_subject_record_key(const struct rs_secret *subject, const uint8_t nonce[static RS_NONCE_SIZE],
                           uint32_t instance_index, struct rs_secret *out)
{
	uint8_t info[sizeof(RECORD_LABEL) - 1 + RS_NONCE_SIZE + 4];
	memcpy(info, RECORD_LABEL, sizeof(RECORD_LABEL) - 1);
	memcpy(info + sizeof(RECORD_LABEL) - 1, nonce, RS_NONCE_SIZE);
	rs_write_be32(info + sizeof(info) - 4, instance_index);
	derive(subject, info, sizeof(info), out);
}

void rs_subject_object_key(const struct rs_secret *subject, const uint8_t nonce[static RS_NONCE_SIZE],
                           struct rs_secret *out)
{
	uint8_t info[sizeof(OBJECT_LABEL) - 1 + RS_NONCE_SIZE];
	memcpy(info, OBJECT_LABEL, sizeof(OBJECT_LABEL) - 1);
	memcpy(info + sizeof(OBJECT_LABEL) - 1, nonce, RS_NONCE_SIZE);
	derive(subject, info, sizeof(info), out);
}

void rs_subject_index_key(const struct rs_secret *subject, struct rs_secret *out)
{
	derive(subject, (const uint8_t *)INDEX_LABEL, sizeof(INDEX_LABEL) - 1, out);
}

void rs_subject_token(const struct rs_secret *subject, struct rs_digest *out)
{
	struct rs_secret token RS_CLEANUP(rs_secret_finish) = {0};
	derive(subject, (const uint8_t *)TOKEN_LABEL, sizeof(TOKEN_LABEL) - 1, &token);
	memcpy(out->bytes, token.bytes, sizeof(out->bytes));
}

void rs_subject_commitment_key(const struct rs_secret *subject, struct rs_secret *out)
{
	derive(subject, (const uint8_t *)COMMITMENT_LABEL, sizeof(COMMITMENT_LABEL) - 1, out);
}

void rs_subject_commitment(const struct rs_secret *subject, uint8_t kind, struct rs_bytes value,
                           struct rs_digest *out)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	const struct rs_bytes parts[] = {{&kind, 1}, value};
	rs_subject_commitment_key(subject, &key);
	rs_hmac_sha256_parts(rs_bytes_of(key.bytes, sizeof(key.bytes)), parts, RS_COUNT(parts), out);
}
