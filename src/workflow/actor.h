/* An actor's key, for what is signed beside entries. */
#ifndef WORKFLOW_ACTOR_H
#define WORKFLOW_ACTOR_H

#include "workflow/workflow_act.h"

/* Lives as long as the actor. */
const struct rs_signing_key *actor_key(const struct rs_actor *actor);

#endif
