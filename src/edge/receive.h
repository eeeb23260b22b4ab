/* One association of a scanner. */
#ifndef RS_EDGE_RECEIVE_H
#define RS_EDGE_RECEIVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "edge/edge.h"

#define ASSOCIATIONS_MAX 8
#define PARTIAL ".part"

/* What associations have in common. */
struct receiving {
	const struct rs_world *world;
	const struct rs_edge_options *options;
	const char *directory;
	atomic_bool ends, is_full;
	atomic_ullong number; /* of files */
};

/* Until it ends; the socket is the caller's. */
void receive_association(struct receiving *shared, int socket);
void receive_say(const struct receiving *shared, enum rs_log_level level, const char *event, const char *peer,
                 const char *reason);

#endif
