/* ECDSA over P-256 with SHA-256 (FIPS 186-5), by OpenSSL: the signatures of secure elements that have no Ed25519. */
#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#define HALF ((size_t)RS_P256_SIZE / 2)
#define POINT_SIZE ((size_t)RS_P256_SIZE + 1)
#define UNCOMPRESSED 4
#define DER_MAX 80

static EVP_PKEY *public_of(const uint8_t public_key[static RS_P256_SIZE])
{
	static char curve[] = "prime256v1";
	uint8_t point[POINT_SIZE] = {UNCOMPRESSED};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	memcpy(point + 1, public_key, RS_P256_SIZE);
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
		OSSL_PARAM_construct_end(),
	};
	if (context && EVP_PKEY_fromdata_init(context) == 1)
		(void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* COSE and JOSE write r ‖ s, OpenSSL wants DER. */
static int to_der(const uint8_t signature[static RS_P256_SIZE], uint8_t out[static DER_MAX])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, (int)HALF, NULL), *s = BN_bin2bn(signature + HALF, (int)HALF, NULL);
	int size = 0;
	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		uint8_t *at = out;
		size = i2d_ECDSA_SIG(pair, &at);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return size;
}

bool rs_p256_valid(const uint8_t public_key[static RS_P256_SIZE], struct rs_bytes message,
                   const uint8_t signature[static RS_P256_SIZE])
{
	uint8_t der[DER_MAX];
	int size = to_der(signature, der);
	EVP_PKEY *key = public_of(public_key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = key && context && size > 0 &&
	             EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	             EVP_DigestVerify(context, der, (size_t)size, message.data, message.size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return valid;
}

enum rs_code rs_p256_open(struct rs_bytes pem, struct rs_p256 **out, struct rs_error *err)
{
	BIO *text = pem.size <= INT32_MAX ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
	/* No passphrase is asked for: who starts the agent is no person. */
	static char none[] = "";
	EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, none) : NULL;
	char group[32] = "";
	BIO_free(text);
	if (!key ||
	    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0) {
		EVP_PKEY_free(key);
		return rs_error_set(err, RS_MALFORMED,
		                    "it is no private key of P-256 in PEM without passphrase");
	}
	*out = (struct rs_p256 *)key;
	return RS_OK;
}

void rs_p256_close(struct rs_p256 *key) { EVP_PKEY_free((EVP_PKEY *)key); }

enum rs_code rs_p256_public(const struct rs_p256 *key, uint8_t out[static RS_P256_SIZE], struct rs_error *err)
{
	uint8_t point[POINT_SIZE];
	size_t size = 0;
	if (EVP_PKEY_get_octet_string_param((const EVP_PKEY *)key, OSSL_PKEY_PARAM_PUB_KEY, point,
	                                    sizeof point, &size) != 1 ||
	    size != sizeof point)
		return rs_error_set(err, RS_INTERNAL, "the public key cannot be had from OpenSSL");
	memcpy(out, point + 1, RS_P256_SIZE);
	return RS_OK;
}

enum rs_code rs_p256_sign(const struct rs_p256 *key, struct rs_bytes message,
                          uint8_t out[static RS_P256_SIZE], struct rs_error *err)
{
	uint8_t der[DER_MAX];
	const uint8_t *at = der;
	size_t size = sizeof der;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context &&
	            EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, (EVP_PKEY *)(uintptr_t)key) == 1 &&
	            EVP_DigestSign(context, der, &size, message.data, message.size) == 1;
	ECDSA_SIG *pair = done ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
	done = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)HALF) == (int)HALF &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + HALF, (int)HALF) == (int)HALF;
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(context);
	return done ? RS_OK : rs_error_set(err, RS_INTERNAL, "OpenSSL did not sign");
}
