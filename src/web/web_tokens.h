/* Bearer tokens (RFC 6750) from a text file, one a line, for machines in a house without an identity provider:
 *
 *   # SHA-256 of the token                                            member   rights           purpose
 *   9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bb82cd15d6c15b0f00a08  reader   query,retrieve   treatment
 *
 * The file tells nobody a token. A member is a key file keys/NAME.key that opens without a passphrase, or "node". Rights are
 * those of web_caller.h, or all. A token that has less than 32 characters is never taken. */
#ifndef RS_WEB_TOKENS_H
#define RS_WEB_TOKENS_H

#include "web/web_caller.h"

struct rs_web_tokens;
/* node_actor: who "node" is; must outlive the tokens, as the node must. errors  RS_MALFORMED naming the line, RS_NOT_FOUND */
enum rs_code rs_web_tokens_read(struct rs_node *node, const struct rs_actor *node_actor, const char *path,
                                struct rs_web_tokens **out, struct rs_error *err);
void rs_web_tokens_free(struct rs_web_tokens *tokens); /* accepts NULL */
struct rs_web_authenticator rs_web_tokens_authenticator(struct rs_web_tokens *tokens);

#endif
