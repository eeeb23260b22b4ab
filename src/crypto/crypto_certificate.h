/* X.509 certificates for machines that know each other: an authority, servers and clients, by OpenSSL; keys of P-256. */
#ifndef RS_CRYPTO_CERTIFICATE_H
#define RS_CRYPTO_CERTIFICATE_H

#include "base/base.h"

enum rs_certificate_kind { RS_CERTIFICATE_AUTHORITY, RS_CERTIFICATE_SERVER, RS_CERTIFICATE_CLIENT };
struct rs_certificate_request {
	enum rs_certificate_kind kind;
	const char *name; /* common name */
	const char *
		hosts; /* of a server: "DNS:broker.example,IP:10.0.0.7" (RFC 5280 section 4.2.1.6); else NULL */
	unsigned days; /* valid from a day before `now_ms` on */
	uint64_t now_ms;
	struct rs_bytes authority, authority_key; /* PEM; empty for an authority, which signs itself */
};
/* Appends PEM. errors  RS_USAGE for a name or hosts that cannot be, RS_MALFORMED for an authority that is none */
enum rs_code rs_certificate_make(const struct rs_certificate_request *request,
                                 struct rs_buffer *out_certificate, struct rs_buffer *out_key,
                                 struct rs_error *err);

/* What an authority has revoked, as PEM (X.509 CRL), appended: what `earlier` lists, and `revoked`.
 * errors  RS_MALFORMED, RS_ALTERED: `earlier` is another's; RS_USAGE: `revoked` is */
struct rs_revocations_request {
	struct rs_bytes authority, authority_key; /* PEM */
	struct rs_bytes earlier, revoked;         /* PEM; may be empty */
	uint64_t now_ms;
	unsigned days; /* until who checks wants another */
};
enum rs_code rs_revocations_make(const struct rs_revocations_request *request, struct rs_buffer *out,
                                 struct rs_error *err);
/* Days until the first of the lists in a PEM file is out of date; below zero when it is. RS_MALFORMED: it has none */
enum rs_code rs_revocations_days(struct rs_bytes pem, double *out, struct rs_error *err);

#endif
