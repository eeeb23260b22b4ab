/* People and machines that come with more than a token of ours: accounts and their sessions, bearers of an identity provider's
 * tokens, owners of certificates. Each request of theirs is signed by the member's key that belongs to them. */
#ifndef RS_WEB_PEOPLE_H
#define RS_WEB_PEOPLE_H

#include "node/node_account.h"
#include "web/web_caller.h"

struct rs_web_people;
struct rs_web_people_options {
	struct rs_node
		*node; /* of the people's own: open for reading, used by nobody else; must outlive them */
	bool accounts; /* whether those of accounts.sqlite may log in */
	const char *identities;        /* file of account_identities.h; NULL: none */
	uint64_t idle_ms, lifetime_ms; /* of sessions */
};
/* errors  what the file of identities lacks: RS_MALFORMED, RS_NOT_FOUND: a member's key */
enum rs_code rs_web_people_open(const struct rs_web_people_options *options, struct rs_web_people **out,
                                struct rs_error *err);
void rs_web_people_close(struct rs_web_people *people); /* accepts NULL */
/* Sessions, bearers, certificates: at most three. *out_count: how many there are. */
#define RS_WEB_PEOPLE_AUTHENTICATORS 3
void rs_web_people_authenticators(struct rs_web_people *people,
                                  struct rs_web_authenticator out[static RS_WEB_PEOPLE_AUTHENTICATORS],
                                  size_t *out_count);

#endif
