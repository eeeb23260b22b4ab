/* Paper B's profile of a subject: birthday and contact. The ledger has a salted commitment to each and the address of the
 * encrypted value in the vault; the value opens with the subject's key, so erasing the subject erases it. */
#ifndef RS_ACCESS_PROFILE_H
#define RS_ACCESS_PROFILE_H

#include "node/node_act.h"
#include "node/node_subject.h"

#define RS_PROFILE_VALUE_MAX ((size_t)4096) /* bytes of UTF-8 */

/* Durable when it returns; the value before it, if there was one, is deleted. *out_commitment may be NULL.
 * errors  RS_REFUSED, and then nothing was kept; RS_USAGE for no UTF-8, nothing, or too much */
enum rs_code rs_node_profile_set(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_node_subject *subject, enum rs_profile_attribute attribute,
                                 struct rs_str value, uint64_t *out_entry, struct rs_error *err);
/* The value, appended, after an access request of the actor's about the subject's first object was admitted and decided:
 * its entry is durable before anything is opened.
 * errors  RS_REFUSED "NAME: sentence"; RS_NOT_FOUND: there is none, or nothing was sealed of the subject;
 *         RS_ALTERED: it is not what the ledger commits to */
enum rs_code rs_node_profile_read(struct rs_node *node, const struct rs_actor *actor,
                                  const struct rs_node_subject *subject, enum rs_profile_attribute attribute,
                                  enum rs_purpose purpose, struct rs_buffer *out, struct rs_error *err);

#endif
