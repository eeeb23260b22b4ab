/* Requests for several objects at once. */
#ifndef RS_ACCESS_PERMIT_H
#define RS_ACCESS_PERMIT_H

#include "node/node_act.h"

struct permitting {
	struct rs_node *node;
	enum rs_purpose purpose;
	enum rs_operation operation;
	struct rs_buffer entries; /* be64 each, of what is asked for */
};
/* One request for each, all durable before the first decision is looked at. errors  RS_REFUSED of the first refused */
enum rs_code permit_ask(struct permitting *permitting, const struct rs_actor *actor, struct rs_error *err);

#endif
