/* Breaking the glass: data without consent, in an emergency, for a reason that somebody else will read. The ledger has a
 * salted commitment to the reason; its text lies in the node (reasons/), encrypted under the subject's key, and goes with it. */
#ifndef RS_ACCESS_GLASS_H
#define RS_ACCESS_GLASS_H

#include "contract/contract_glass.h"
#include "node/node_act.h"
#include "node/node_reason.h"
#include "node/node_subject.h"

/* The id by which it is reviewed.
 * errors  RS_USAGE: no reason, or one that is too long or no text; RS_REFUSED */
enum rs_code rs_node_break_glass(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_node_subject *subject, const char *reason,
                                 uint8_t out_id[static RS_TRANSACTION_ID_SIZE], struct rs_error *err);
/* errors  as above; RS_NOT_FOUND: no glass has this id */
enum rs_code rs_node_review_glass(struct rs_node *node, const struct rs_actor *actor,
                                  const uint8_t id[static RS_TRANSACTION_ID_SIZE],
                                  enum rs_review_outcome outcome, const char *reason, struct rs_error *err);

struct rs_glass_details {
	struct rs_glass glass;
	uint64_t due_ms; /* when it must be reviewed */
	bool overdue;
	bool readable; /* the actor broke it or may review it: */
	const char *reason,
		*reviewing; /* the texts; "" when they are not for the actor, or gone with the subject */
};
typedef enum rs_code rs_node_glass_visit(void *context, const struct rs_glass_details *glass,
                                         struct rs_error *err);
/* In the order of their times; reviewed ones too if `all`. */
enum rs_code rs_node_each_glass(struct rs_node *node, const struct rs_actor *actor, bool all,
                                rs_node_glass_visit *visit, void *context, struct rs_error *err);

#endif
