/* Proofs of what is in force: who is a member, whose key is a device's, what a subject consents to, and that something is not. */
#ifndef RS_WORKFLOW_PROVE_H
#define RS_WORKFLOW_PROVE_H

#include "ledger/ledger_claim.h"
#include "node/node_act.h"

struct rs_question {
	char letter;           /* 'M' member, 'D' device, 'S' subject, 'C' a subject's consents */
	struct rs_digest what; /* key or token; of a consent: its subject, zeros when that is to be found */
	struct rs_digest consent; /* of the consents this one; zeros: all of them */
};
/* Appends the claim (ledger/ledger_claim.h). With an actor, who signs it, a new head is written unless nothing happened since
 * the last one; without, the last head is taken. Where the cosigned checkpoint covers the head, it is the claim's. `cosigned`:
 * it has to.
 * errors  RS_NOT_FOUND: there is no head, or none that is cosigned, or what is asked for changed since; or a consent's subject
 *         is not known */
enum rs_code rs_node_prove(struct rs_node *node, const struct rs_actor *actor,
                           const struct rs_question *question, bool cosigned, struct rs_buffer *out,
                           struct rs_error *err);

#endif
