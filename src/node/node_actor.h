/* An actor's key, for what is signed beside entries. */
#ifndef RS_NODE_ACTOR_H
#define RS_NODE_ACTOR_H

#include "node/node_act.h"

/* Lives as long as the actor. */
const struct rs_signing_key *actor_key(const struct rs_actor *actor);

#endif
