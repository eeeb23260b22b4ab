/* RS256 over OpenSSL; ES256 and EdDSA are the module's own. */
#include "crypto/crypto_jws.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define EXPONENT_MAX 8 /* bytes */

struct rs_jws_key {
	enum rs_jws_algorithm algorithm;
	EVP_PKEY *rsa;
	uint8_t point[RS_P256_SIZE]; /* of P-256, or an Ed25519 key */
};

bool rs_jws_algorithm_from_name(struct rs_str name, enum rs_jws_algorithm *out)
{
	static const char *const names[] = {
		[RS_JWS_RS256] = "RS256", [RS_JWS_ES256] = "ES256", [RS_JWS_EDDSA] = "EdDSA"};
	for (size_t i = RS_JWS_RS256; i < RS_COUNT(names); i++)
		if (rs_str_equal_text(name, names[i])) {
			*out = (enum rs_jws_algorithm)i;
			return true;
		}
	return false;
}

void rs_jws_key_free(struct rs_jws_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->rsa);
	rs_free(key);
}

enum rs_jws_algorithm rs_jws_key_algorithm(const struct rs_jws_key *key) { return key->algorithm; }

static EVP_PKEY *public_key(OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	if (parameters && context && EVP_PKEY_fromdata_init(context) == 1)
		(void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	return key;
}

static EVP_PKEY *rsa_key(struct rs_bytes modulus, struct rs_bytes exponent)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
	BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
	EVP_PKEY *key = NULL;
	if (builder && n && e && BN_num_bits(n) >= RSA_BITS_MIN && BN_is_odd(n) && BN_is_odd(e) &&
	    !BN_is_one(e) && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = public_key(builder);
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

static bool set_key(struct rs_jws_key *key, struct rs_bytes first, struct rs_bytes second)
{
	switch (key->algorithm) {
	case RS_JWS_RS256:
		if (first.size <= RSA_BITS_MAX / 8 && second.size <= EXPONENT_MAX)
			key->rsa = rsa_key(first, second);
		return key->rsa != NULL;
	case RS_JWS_ES256:
		if (first.size != RS_P256_SIZE / 2 || second.size != RS_P256_SIZE / 2)
			return false;
		memcpy(key->point, first.data, first.size);
		memcpy(key->point + first.size, second.data, second.size);
		return true;
	case RS_JWS_EDDSA:
		if (first.size != RS_KEY_SIZE)
			return false;
		memcpy(key->point, first.data, first.size);
		return true;
	}
	return false;
}

enum rs_code rs_jws_key_make(enum rs_jws_algorithm algorithm, struct rs_bytes first, struct rs_bytes second,
                             struct rs_jws_key **out, struct rs_error *err)
{
	struct rs_jws_key *key = rs_allocate(sizeof *key);
	if (!key)
		return rs_error_memory(err, sizeof *key, "a public key");
	key->algorithm = algorithm;
	if (!set_key(key, first, second)) {
		rs_jws_key_free(key);
		return rs_error_set(
			err, RS_MALFORMED,
			"it is no public key: RSA of %d to %d bits, a point of P-256 or Ed25519 is needed",
			RSA_BITS_MIN, RSA_BITS_MAX);
	}
	*out = key;
	return RS_OK;
}

static bool rsa_valid(EVP_PKEY *key, struct rs_bytes message, struct rs_bytes signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	             EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) ==
	                     1;
	EVP_MD_CTX_free(context);
	return valid;
}

bool rs_jws_valid(const struct rs_jws_key *key, struct rs_bytes message, struct rs_bytes signature)
{
	switch (key->algorithm) {
	case RS_JWS_RS256: return rsa_valid(key->rsa, message, signature);
	case RS_JWS_ES256:
		return signature.size == RS_P256_SIZE && rs_p256_valid(key->point, message, signature.data);
	case RS_JWS_EDDSA:
		return signature.size == RS_SIGNATURE_SIZE &&
		       rs_signature_valid(key->point, message, signature.data);
	}
	return false;
}
