/* Why a glass was broken, and what its review found: texts in reasons/, encrypted under the subject's key. */
#ifndef RS_NODE_REASON_H
#define RS_NODE_REASON_H

#include "node/node_parts.h"

#define RS_REASON_MAX 2000 /* bytes */
#define REASON_BOX_MAX ((size_t)RS_REASON_MAX + 1024)

/* reasons/<id of the breaking>.<what>; what: "reason" or "review". New heap string. */
enum rs_code reason_path(const struct rs_node *node, const uint8_t *id, const char *what, char **out,
                         struct rs_error *err);
enum rs_code reason_keep(struct rs_node *node, const struct rs_secret *subject_key,
                         const struct rs_pseudonym *pseudonym, const uint8_t *id, const char *path,
                         const char *reason, struct rs_error *err);
/* Whose glass it is, which tells the key. RS_NOT_FOUND, RS_ALTERED */
enum rs_code reason_pseudonym(struct rs_node *node, const uint8_t *id, struct rs_pseudonym *out,
                              struct rs_error *err);
/* The text with its NUL. Empty when nobody can read it any more: the subject's key is gone, or is another one since.
 * RS_NOT_FOUND when there is none. */
enum rs_code reason_read(struct rs_node *node, const uint8_t *id, const struct rs_digest *subject,
                         const char *what, struct rs_buffer *out, struct rs_error *err);
/* Of a BREAK_GLASS or its review: whether the node has the text that the entry commits to. */
enum rs_code node_check_reason(struct rs_node *node, const struct rs_act *act, struct rs_error *err);

#endif
