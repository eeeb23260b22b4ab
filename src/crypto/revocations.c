/* Lists of revoked certificates (RFC 5280 section 5); see crypto_certificate.h. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/crypto_certificate.h"

#define DAY_S 86400
#define LISTS_MAX 64

static BIO *reading(struct rs_bytes pem)
{
	return BIO_new_mem_buf(pem.data, pem.size > INT32_MAX ? 0 : (int)pem.size);
}

static X509 *read_certificate(struct rs_bytes pem)
{
	BIO *bio = pem.size ? reading(pem) : NULL;
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return certificate;
}

static X509_CRL *read_list(struct rs_bytes pem)
{
	BIO *bio = pem.size ? reading(pem) : NULL;
	X509_CRL *list = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return list;
}

static EVP_PKEY *read_key(struct rs_bytes pem)
{
	BIO *bio = reading(pem);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return key;
}

static bool add(X509_CRL *list, const ASN1_INTEGER *serial, const ASN1_TIME *since)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	bool done = revoked &&
	            X509_REVOKED_set_serialNumber(revoked, (ASN1_INTEGER *)(uintptr_t)serial) == 1 &&
	            X509_REVOKED_set_revocationDate(revoked, (ASN1_TIME *)(uintptr_t)since) == 1 &&
	            X509_CRL_add0_revoked(list, revoked) == 1;
	if (!done)
		X509_REVOKED_free(revoked);
	return done;
}

/* What was revoked before stays so. */
static bool add_earlier(X509_CRL *list, X509_CRL *earlier)
{
	STACK_OF(X509_REVOKED) *entries = earlier ? X509_CRL_get_REVOKED(earlier) : NULL;
	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
		if (!add(list, X509_REVOKED_get0_serialNumber(entry),
		         X509_REVOKED_get0_revocationDate(entry)))
			return false;
	}
	return true;
}

static bool extend(X509_CRL *list, X509 *issuer, uint64_t number)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, NULL, NULL, list, 0);
	X509_EXTENSION *key = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid");
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	bool done = key && serial && X509_CRL_add_ext(list, key, -1) == 1 &&
	            ASN1_INTEGER_set_uint64(serial, number) == 1 &&
	            X509_CRL_add1_ext_i2d(list, NID_crl_number, serial, 0, 0) == 1;
	X509_EXTENSION_free(key);
	ASN1_INTEGER_free(serial);
	return done;
}

static bool make(const struct rs_revocations_request *request, X509 *issuer, EVP_PKEY *key, X509_CRL *earlier,
                 X509 *revoked, X509_CRL *list)
{
	const time_t now = (time_t)(request->now_ms / 1000);
	ASN1_TIME *since = ASN1_TIME_set(NULL, now), *next = ASN1_TIME_adj(NULL, now, (int)request->days, 0);
	X509_REVOKED *known = NULL;
	bool is_known = earlier && revoked && X509_CRL_get0_by_cert(earlier, &known, revoked) == 1;
	bool done = since && next && X509_CRL_set_version(list, 1) == 1 &&
	            X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)) == 1 &&
	            X509_CRL_set1_lastUpdate(list, since) == 1 && X509_CRL_set1_nextUpdate(list, next) == 1 &&
	            add_earlier(list, earlier) &&
	            (!revoked || is_known || add(list, X509_get0_serialNumber(revoked), since)) &&
	            extend(list, issuer, request->now_ms) && X509_CRL_sort(list) == 1 &&
	            X509_CRL_sign(list, key, EVP_sha256()) > 0;
	ASN1_TIME_free(since);
	ASN1_TIME_free(next);
	return done;
}

static enum rs_code write_list(X509_CRL *list, struct rs_buffer *out, struct rs_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size = bio && PEM_write_bio_X509_CRL(bio, list) == 1 ? BIO_get_mem_data(bio, &data) : 0;
	if (size > 0)
		rs_buffer_append(out, data, (size_t)size);
	BIO_free(bio);
	return size > 0 ? rs_buffer_check(out, "a list of revoked certificates", err)
	                : rs_error_set(err, RS_INTERNAL, "a list of revoked certificates cannot be written");
}

enum rs_code rs_revocations_make(const struct rs_revocations_request *request, struct rs_buffer *out,
                                 struct rs_error *err)
{
	X509 *issuer = read_certificate(request->authority), *revoked = read_certificate(request->revoked);
	EVP_PKEY *key = read_key(request->authority_key);
	X509_CRL *earlier = read_list(request->earlier), *list = X509_CRL_new();
	enum rs_code code = RS_OK;
	if (!list)
		code = rs_error_memory(err, 1, "a list of revoked certificates");
	else if (!issuer || !key || X509_check_private_key(issuer, key) != 1)
		code = rs_error_set(err, RS_MALFORMED,
		                    "the authority's certificate and key are none, or no pair");
	else if (request->earlier.size && (!earlier || X509_CRL_verify(earlier, key) != 1))
		code = rs_error_set(err, RS_ALTERED,
		                    "the list of revoked certificates is not of this authority");
	else if (request->revoked.size && (!revoked || X509_check_issued(issuer, revoked) != X509_V_OK))
		code = rs_error_set(err, RS_USAGE, "the certificate is not of this authority");
	else if (!make(request, issuer, key, earlier, revoked, list))
		code = rs_error_set(err, RS_INTERNAL, "OpenSSL makes no list of revoked certificates");
	if (code == RS_OK)
		code = write_list(list, out, err);
	X509_free(issuer);
	X509_free(revoked);
	EVP_PKEY_free(key);
	X509_CRL_free(earlier);
	X509_CRL_free(list);
	ERR_clear_error();
	return code;
}

enum rs_code rs_revocations_days(struct rs_bytes pem, double *out, struct rs_error *err)
{
	BIO *bio = reading(pem);
	double least = 0;
	size_t count = 0;
	for (; bio && count < LISTS_MAX; count++) {
		X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
		int days = 0, seconds = 0;
		if (!list)
			break;
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
		if (next)
			(void)ASN1_TIME_diff(&days, &seconds, NULL, next);
		X509_CRL_free(list);
		double left = next ? days + seconds / (double)DAY_S : 0;
		least = count == 0 || left < least ? left : least;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (count == 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "there is no list of revoked certificates (PEM: X509 CRL) in it");
	*out = least;
	return RS_OK;
}
