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

#endif
