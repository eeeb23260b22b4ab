/* Certificates; see crypto_certificate.h. */
#include "crypto/crypto_certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define DAY_S 86400
#define SERIAL_BITS 120

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static bool number(X509 *certificate)
{
	BIGNUM *serial = BN_new();
	bool done = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	            BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
	BN_free(serial);
	return done;
}

static bool fill(const struct rs_certificate_request *request, X509 *certificate, EVP_PKEY *key, X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	const time_t start = (time_t)(request->now_ms / 1000) - DAY_S,
		     end = start + DAY_S + (time_t)request->days * DAY_S;
	const bool is_authority = request->kind == RS_CERTIFICATE_AUTHORITY;
	return X509_set_version(certificate, X509_VERSION_3) == 1 && number(certificate) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)request->name, -1,
	                                  -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
	       ASN1_TIME_set(X509_getm_notBefore(certificate), start) &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), end) &&
	       X509_set_pubkey(certificate, key) == 1 &&
	       extend(certificate, issuer, NID_basic_constraints,
	              is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
	       extend(certificate, issuer, NID_key_usage,
	              is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
	       extend(certificate, issuer, NID_subject_key_identifier, "hash") &&
	       extend(certificate, issuer, NID_authority_key_identifier, "keyid") &&
	       (is_authority ||
	        extend(certificate, issuer, NID_ext_key_usage,
	               request->kind == RS_CERTIFICATE_SERVER ? "serverAuth" : "clientAuth")) &&
	       (!request->hosts || extend(certificate, issuer, NID_subject_alt_name, request->hosts));
}

static bool give(BIO *bio, struct rs_buffer *out)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	return size > 0 && rs_buffer_append(out, data, (size_t)size) == RS_OK;
}

static bool write_pem(X509 *certificate, EVP_PKEY *key, struct rs_buffer *out_certificate,
                      struct rs_buffer *out_key)
{
	BIO *first = BIO_new(BIO_s_mem()), *second = BIO_new(BIO_s_secmem());
	bool done = first && second && PEM_write_bio_X509(first, certificate) == 1 &&
	            PEM_write_bio_PKCS8PrivateKey(second, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	            give(first, out_certificate) && give(second, out_key);
	BIO_free(first);
	BIO_free(second);
	return done;
}

static BIO *reading(struct rs_bytes pem)
{
	return BIO_new_mem_buf(pem.data, pem.size > INT32_MAX ? 0 : (int)pem.size);
}

enum rs_code rs_certificate_make(const struct rs_certificate_request *request,
                                 struct rs_buffer *out_certificate, struct rs_buffer *out_key,
                                 struct rs_error *err)
{
	const bool is_authority = request->kind == RS_CERTIFICATE_AUTHORITY;
	BIO *issuer_text = reading(request->authority), *key_text = reading(request->authority_key);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509 *issuer = is_authority ? certificate : PEM_read_bio_X509(issuer_text, NULL, NULL, NULL);
	EVP_PKEY *issuer_key = is_authority ? key : PEM_read_bio_PrivateKey(key_text, NULL, NULL, NULL);
	enum rs_code code = RS_OK;
	if (!key || !certificate)
		code = rs_error_set(err, RS_INTERNAL, "OpenSSL makes no key or certificate");
	else if (!is_authority && (!issuer || !issuer_key || X509_check_private_key(issuer, issuer_key) != 1))
		code = rs_error_set(err, RS_MALFORMED,
		                    "the authority's certificate and key are none, or no pair");
	if (code == RS_OK && (!fill(request, certificate, key, issuer) ||
	                      X509_sign(certificate, issuer_key, EVP_sha256()) <= 0))
		code = rs_error_set(err, RS_USAGE, "no certificate can be made for the name '%s'%s%s",
		                    request->name, request->hosts ? " and " : "",
		                    request->hosts ? request->hosts : "");
	if (code == RS_OK && !write_pem(certificate, key, out_certificate, out_key))
		code = rs_error_set(err, RS_INTERNAL, "a certificate cannot be written");
	if (!is_authority) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(issuer_text);
	BIO_free(key_text);
	return code;
}
