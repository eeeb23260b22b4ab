/* Whom clients' certificates prove: chains to the authorities, less what these revoked. Read again when the server is asked
 * to. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "server.h"

#define CHAIN_MAX 8
#define PEM_SIZE_MAX ((size_t)16 << 20)
#define UNSURE                                                          \
	(GNUTLS_CERT_REVOKED | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | \
	 GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE)

/* revocations: NULL when nobody is asked. */
static enum rs_code fill(gnutls_x509_trust_list_t list, const char *authorities,
                         const struct rs_buffer *revocations, struct rs_error *err)
{
	const gnutls_datum_t trusted = {(unsigned char *)(uintptr_t)authorities,
	                                (unsigned)strlen(authorities)};
	if (gnutls_x509_trust_list_add_trust_mem(list, &trusted, NULL, GNUTLS_X509_FMT_PEM, 0, 0) < 1)
		return rs_error_set(err, RS_USAGE, "--authorities: there is no certificate in the file");
	if (!revocations)
		return RS_OK;
	/* A list that is of none of them, or whose signature is false, is none. */
	const gnutls_datum_t lists = {revocations->data, (unsigned)revocations->size};
	return lists.size && gnutls_x509_trust_list_add_trust_mem(list, NULL, &lists, GNUTLS_X509_FMT_PEM, 0,
	                                                          GNUTLS_TL_VERIFY_CRL) > 0
	               ? RS_OK
	               : rs_error_set(
				 err, RS_USAGE,
				 "--revocations: there is no list in the file that is of one of the authorities");
}

enum rs_code trust_read(struct rs_web *web, struct rs_error *err)
{
	const struct rs_web_options *options = &web->options;
	struct rs_buffer revocations RS_CLEANUP(rs_buffer_finish) = {0};
	gnutls_x509_trust_list_t list = NULL;
	if (!web->authorities)
		return RS_OK;
	if (options->revocations)
		RS_TRY(rs_file_read_all(rs_world_system(), options->revocations, PEM_SIZE_MAX, &revocations,
		                        err));
	if (gnutls_x509_trust_list_init(&list, 0) != 0)
		return rs_error_memory(err, 1, "authorities");
	enum rs_code code = fill(list, web->authorities, options->revocations ? &revocations : NULL, err);
	if (code != RS_OK) {
		gnutls_x509_trust_list_deinit(list, 1);
		return code;
	}
	pthread_rwlock_wrlock(&web->trust_lock);
	gnutls_x509_trust_list_t before = web->trust;
	web->trust = list;
	pthread_rwlock_unlock(&web->trust_lock);
	if (before)
		gnutls_x509_trust_list_deinit(before, 1);
	return RS_OK;
}

void trust_finish(struct rs_web *web)
{
	if (web->trust)
		gnutls_x509_trust_list_deinit(web->trust, 1);
	pthread_rwlock_destroy(&web->trust_lock);
}

static enum trust judge(struct rs_web *web, gnutls_x509_crt_t *chain, unsigned count)
{
	unsigned status = 0;
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
	pthread_rwlock_rdlock(&web->trust_lock);
	int failed = web->trust ? gnutls_x509_trust_list_verify_crt2(web->trust, chain, count, &purpose, 1, 0,
	                                                             &status, NULL)
	                        : -1;
	pthread_rwlock_unlock(&web->trust_lock);
	if (failed == 0 && (status & UNSURE))
		return TRUST_REVOKED;
	return failed == 0 && status == 0 ? TRUST_GOOD : TRUST_NONE;
}

enum trust trust_judge(struct rs_web *web, const gnutls_datum_t *certificates, unsigned count)
{
	gnutls_x509_crt_t chain[CHAIN_MAX];
	unsigned made = 0;
	enum trust trust = TRUST_NONE;
	bool good = count > 0 && count <= CHAIN_MAX;
	while (good && made < count) {
		good = gnutls_x509_crt_init(&chain[made]) == 0;
		made += good;
		good = good && gnutls_x509_crt_import(chain[made - 1], &certificates[made - 1],
		                                      GNUTLS_X509_FMT_DER) == 0;
	}
	if (good)
		trust = judge(web, chain, made);
	for (unsigned i = 0; i < made; i++)
		gnutls_x509_crt_deinit(chain[i]);
	return trust;
}
