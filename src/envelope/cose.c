/* COSE_Sign1 (RFC 9052 section 4.2) of one signer, with EdDSA or ES256 (RFC 9053 sections 2.1, 2.2). */
#include <string.h>

#include "envelope/envelope.h"

#define COSE_SIGN1_TAG 18
#define COSE_ALGORITHM 1
#define COSE_KID 4
#define OVERHEAD ((size_t)512) /* header, signature and their heads */

/* RFC 9679 section 4: the required members of a COSE_Key of EC2 in deterministic CBOR. */
void rs_cose_key_id(const struct rs_cose_key *key, struct rs_member_key *out)
{
	enum { KTY = 1, CURVE = -1, X = -2, Y = -3, EC2 = 2, P256 = 1 };
	uint8_t encoded[96];
	struct rs_buffer cose = {.data = encoded, .capacity = sizeof encoded, .maximum = sizeof encoded};
	struct rs_digest thumbprint;
	if (key->algorithm == RS_COSE_EDDSA) {
		memcpy(out->bytes, key->bytes, RS_KEY_SIZE);
		return;
	}
	rs_cbor_write_map(&cose, 4);
	rs_cbor_write_i64(&cose, KTY);
	rs_cbor_write_u64(&cose, EC2);
	rs_cbor_write_i64(&cose, CURVE);
	rs_cbor_write_u64(&cose, P256);
	rs_cbor_write_i64(&cose, X);
	rs_cbor_write_bytes(&cose, rs_bytes_of(key->bytes, RS_KEY_SIZE));
	rs_cbor_write_i64(&cose, Y);
	rs_cbor_write_bytes(&cose, rs_bytes_of(key->bytes + RS_KEY_SIZE, RS_KEY_SIZE));
	rs_sha256(rs_buffer_bytes(&cose), &thumbprint);
	memcpy(out->bytes, thumbprint.bytes, RS_KEY_SIZE);
}

/* The map's first pair is the algorithm: 1 is the least of keys. */
static enum rs_code read_algorithm(struct rs_bytes header, enum rs_cose_algorithm *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	int64_t label, algorithm;
	RS_TRY(rs_cbor_reader_init(&reader, header, err));
	RS_TRY(rs_cbor_read_map(&reader, "protected header", &count, err));
	if (count == 0)
		return rs_error_set(err, RS_MALFORMED, "protected header: it names no algorithm");
	RS_TRY(rs_cbor_read_i64(&reader, "protected header", &label, err));
	if (label != COSE_ALGORITHM)
		return rs_error_set(err, RS_MALFORMED, "protected header: it names no algorithm");
	RS_TRY(rs_cbor_read_i64(&reader, "algorithm", &algorithm, err));
	if (algorithm != RS_COSE_EDDSA && algorithm != RS_COSE_ES256)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "algorithm %lld; EdDSA (-8) and ES256 (-7) are known",
		                    (long long)algorithm);
	*out = (enum rs_cose_algorithm)algorithm;
	return RS_OK;
}

enum rs_code rs_cose_sign1_parse(struct rs_bytes message, struct rs_cose_sign1 *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_cose_sign1 sign1;
	uint64_t tag;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, message, err));
	RS_TRY(rs_cbor_read_tag(&reader, "COSE_Sign1", &tag, err));
	RS_TRY(rs_cbor_read_array(&reader, "COSE_Sign1", &count, err));
	if (tag != COSE_SIGN1_TAG || count != 4)
		return rs_error_set(err, RS_MALFORMED, "it is no COSE_Sign1");
	RS_TRY(rs_cbor_read_bytes(&reader, "protected header", &sign1.header, err));
	RS_TRY(rs_cbor_skip(&reader, &sign1.unprotected, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "payload", &sign1.payload, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "signature", &sign1.signature, err));
	if (sign1.signature.size != RS_SIGNATURE_SIZE)
		return rs_error_set(err, RS_MALFORMED, "signature: 64 bytes are needed");
	RS_TRY(read_algorithm(sign1.header, &sign1.algorithm, err));
	*out = sign1;
	return RS_OK;
}

/* RFC 9052 section 4.4: ["Signature1", protected, external_aad, payload]. */
static enum rs_code to_be_signed(struct rs_bytes header, struct rs_str external_aad, struct rs_bytes payload,
                                 struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_init(out, payload.size + header.size + external_aad.size + 64);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_str(out, RS_STR("Signature1"));
	rs_cbor_write_bytes(out, header);
	rs_cbor_write_bytes(out, rs_bytes_of_str(external_aad));
	rs_cbor_write_bytes(out, payload);
	return rs_buffer_check(out, "what is signed", err);
}

enum rs_code rs_cose_sign1_verify(const struct rs_cose_sign1 *sign1, const struct rs_cose_key *key,
                                  struct rs_str external_aad, struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(to_be_signed(sign1->header, external_aad, sign1->payload, &message, err));
	bool valid = sign1->algorithm == key->algorithm &&
	             (key->algorithm == RS_COSE_EDDSA
	                      ? rs_signature_valid(key->bytes, rs_buffer_bytes(&message),
	                                           sign1->signature.data)
	                      : rs_p256_valid(key->bytes, rs_buffer_bytes(&message), sign1->signature.data));
	return valid ? RS_OK : rs_error_set(err, RS_ALTERED, "the signature does not fit the content");
}

static enum rs_code sign_ed25519(const void *context, struct rs_bytes message,
                                 uint8_t out[static RS_SIGNATURE_SIZE], struct rs_error *err RS_UNUSED)
{
	rs_sign(context, message, out);
	return RS_OK;
}

struct rs_cose_signer rs_cose_signer_of(const struct rs_signing_key *key)
{
	struct rs_cose_signer signer = {{.algorithm = RS_COSE_EDDSA}, sign_ed25519, key};
	memcpy(signer.key.bytes, key->public_key, RS_KEY_SIZE);
	return signer;
}

static enum rs_code sign_p256(const void *context, struct rs_bytes message,
                              uint8_t out[static RS_SIGNATURE_SIZE], struct rs_error *err)
{
	return rs_p256_sign(context, message, out, err);
}

enum rs_code rs_cose_signer_of_p256(const struct rs_p256 *key, struct rs_cose_signer *out,
                                    struct rs_error *err)
{
	struct rs_cose_signer signer = {{.algorithm = RS_COSE_ES256}, sign_p256, key};
	RS_TRY(rs_p256_public(key, signer.key.bytes, err));
	*out = signer;
	return RS_OK;
}

static void write_header(struct rs_buffer *out, const struct rs_cose_key *key)
{
	struct rs_member_key kid;
	bool is_p256 = key->algorithm == RS_COSE_ES256;
	rs_cose_key_id(key, &kid);
	rs_cbor_write_map(out, is_p256 ? 3 : 2);
	rs_cbor_write_u64(out, COSE_ALGORITHM);
	rs_cbor_write_i64(out, key->algorithm);
	rs_cbor_write_u64(out, COSE_KID);
	rs_cbor_write_bytes(out, rs_bytes_of(kid.bytes, RS_KEY_SIZE));
	if (!is_p256)
		return;
	rs_cbor_write_str(out, RS_STR("key"));
	rs_cbor_write_bytes(out, rs_bytes_of(key->bytes, RS_P256_SIZE));
}

enum rs_code rs_cose_sign1(const struct rs_cose_signer *signer, struct rs_str external_aad,
                           struct rs_bytes payload, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer header RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t signature[RS_SIGNATURE_SIZE];
	rs_buffer_init(&header, OVERHEAD);
	write_header(&header, &signer->key);
	RS_TRY(rs_buffer_check(&header, "a protected header", err));
	RS_TRY(to_be_signed(rs_buffer_bytes(&header), external_aad, payload, &message, err));
	RS_TRY(signer->sign(signer->context, rs_buffer_bytes(&message), signature, err));
	rs_cbor_write_tag(out, COSE_SIGN1_TAG);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&header));
	rs_cbor_write_map(out, 0);
	rs_cbor_write_bytes(out, payload);
	rs_cbor_write_bytes(out, rs_bytes_of(signature, sizeof signature));
	return rs_buffer_check(out, "a signed message", err);
}
