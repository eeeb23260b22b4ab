/* Reception by C-STORE: what scanners send lies as a DICOM file in the state's directory "received" when it is answered with
 * success, durably; the agent takes it from there into its queue, and signs it. A thread that accepts, and one for each
 * association. */
#ifndef RS_EDGE_LISTEN_H
#define RS_EDGE_LISTEN_H

#include "edge/edge.h"

struct listener;
/* directory: exists; what a crash left of files that were being received is removed. errors  RS_USAGE, RS_IO */
enum rs_code listener_open(const struct rs_world *world, const struct rs_edge_options *options,
                           const char *directory, struct listener **out, struct rs_error *err);
void listener_close(struct listener *listener); /* accepts NULL */
/* Whether the queue has room; else peers are told to send again later. Any thread. */
void listener_allow(struct listener *listener, bool has_room); /* accepts NULL */

#endif
