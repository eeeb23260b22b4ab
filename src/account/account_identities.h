/* Whom the HTTP door believes beside its own accounts: identity providers with their tokens (OpenID Connect), and certificates.
 * A JSON file says who they are and which member each of theirs acts as:
 *
 *   {"providers": [{"issuer": "https://idp.example", "audience": "radseal", "jwks": "https://idp.example/keys",
 *                   "authorities": "ca.pem", "skew_s": 60}],
 *    "tokens": [{"issuer": "https://idp.example", "claims": {"groups": "radiology"}, "member": "reader-2",
 *                "role": "radiologist", "rights": "query,retrieve", "purpose": "treatment"}],
 *    "certificates": [{"san": "DNS:mr-1.example", "member": "mr-1", "rights": "store"},
 *                     {"fingerprint": "64 digits: SHA-256 of the DER", "member": "ct-2", "rights": "store"}]}
 *
 * jwks is an https address or a file; authorities and skew_s may be missing. Of the rules for tokens the first whose claims are
 * all there is taken; a claim that is a list has to contain the text. A member is the name of a key file that opens without a
 * passphrase. Keys are fetched when they are first needed, again after an hour, and at once for a key that is not known, once
 * a minute at most; where that fails, those that are there serve for a day. */
#ifndef RS_ACCOUNT_IDENTITIES_H
#define RS_ACCOUNT_IDENTITIES_H

#include "account/account_jwt.h"

struct rs_identity {                           /* lives as long as the identities */
	const char *member, *rights, *purpose; /* purpose NULL: not said */
	const char *role;                      /* that the member has to have on the ledger; NULL: any */
};

/* Where keys come from, for tests; NULL: rs_https_get(). */
typedef enum rs_code rs_identities_fetch(void *context, const char *url, const char *authorities,
                                         struct rs_buffer *out, struct rs_error *err);

struct rs_identities;
/* errors  RS_MALFORMED naming what is wrong */
enum rs_code rs_identities_read(const struct rs_world *world, const char *path, rs_identities_fetch *fetch,
                                void *context, struct rs_identities **out, struct rs_error *err);
enum rs_code rs_identities_parse(const struct rs_world *world, struct rs_bytes json,
                                 rs_identities_fetch *fetch, void *context, struct rs_identities **out,
                                 struct rs_error *err);
void rs_identities_free(struct rs_identities *identities); /* accepts NULL */
/* All of them, so that what is wrong with one is said at the start. NULL behind the last. */
const struct rs_identity *rs_identities_at(const struct rs_identities *identities, size_t index);
/* Who the bearer of a token is. out_subject: SHA-256 of issuer and sub, for logs. From several threads at once.
 * errors  RS_DENIED, and why; RS_NOT_FOUND: its issuer is none of the providers; RS_MALFORMED: no such token */
enum rs_code rs_identities_token(struct rs_identities *identities, struct rs_str token,
                                 const struct rs_identity **out, struct rs_digest *out_subject,
                                 struct rs_error *err);
/* Who showed a certificate (DER), whose chain TLS has verified. RS_NOT_FOUND: nobody is said to have it */
enum rs_code rs_identities_certificate(const struct rs_identities *identities, struct rs_bytes der,
                                       const struct rs_identity **out, struct rs_error *err);

#endif
