/* Consents through a node: given, narrowed and revoked on the ledger, with tokens that show the same without it. */
#ifndef RS_ACCESS_CONSENT_H
#define RS_ACCESS_CONSENT_H

#include "consent/consent.h"
#include "consent/consent_fhir.h"
#include "node/node_act.h"

/* By its name, or by the first eight hexadecimal digits of it and more. RS_NOT_FOUND; RS_USAGE when several begin so. */
enum rs_code rs_node_consent_find(struct rs_node *node, struct rs_str name, struct rs_consent_facts *out,
                                  struct rs_error *err);

/* A token of the actor's alone, for whoever brings it onto a ledger later; the node may be open for reading. Appended. */
enum rs_code rs_node_consent_issue(const struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                   struct rs_buffer *out_token, struct rs_digest *out_name,
                                   struct rs_error *err);
/* A token of the actor's, and the consent of the same name on the ledger; *out_token (appended to) only when that is
 * durable. RS_REFUSED as of rs_node_transact(). */
enum rs_code rs_node_consent_grant(struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                   struct rs_buffer *out_token, struct rs_digest *out_name,
                                   uint64_t *out_index, struct rs_error *err);
/* Brings a token onto the ledger: what all its blocks leave. The key that issued it must be one that may give consent for
 * the subject now. RS_REFUSED (ALREADY_THERE) when the ledger has its consent. */
enum rs_code rs_node_consent_record(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_token *token, uint64_t *out_index,
                                    struct rs_error *err);
/* Terms that are zero stay as they are. */
enum rs_code rs_node_consent_narrow(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_facts *consent,
                                    const struct rs_consent_terms *terms, uint64_t *out_index,
                                    struct rs_error *err);
enum rs_code rs_node_consent_revoke(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_facts *consent, uint64_t *out_index,
                                    struct rs_error *err);

/* rs_consent_judge() with what the ledger knows: which tokens are of consents that it admitted, what was revoked or narrowed
 * there, and the subject's denials. A token that the ledger does not have permits nothing. */
enum rs_code rs_node_consent_judge(struct rs_node *node, const struct rs_consent_token *tokens, size_t count,
                                   const struct rs_consent_question *question, struct rs_consent_answer *out,
                                   struct rs_error *err);

#endif
