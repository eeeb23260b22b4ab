/* One instance to a peer by C-STORE (PS3.4 annex B, PS3.7 section 9.3.1): by which context it goes, and its data set in PDUs. Of
 * who sends files, of who answers C-GET within the peer's association, and of who moves. */
#ifndef RS_GATEWAY_STORING_H
#define RS_GATEWAY_STORING_H

#include "client.h"

/* An association that instances are sent over. */
struct link {
	struct rs_association *association;
	bool peer_asked; /* it asked for the association: only contexts in which it is the SCP serve for storing */
	uint16_t *message; /* the number of our last request */
	enum rs_code (*flush)(void *context,
	                      struct rs_error *err); /* everything in the association's `out` */
	/* Waits for the response to our last request. */
	enum rs_code (*response)(void *context, struct rs_command *out, struct rs_error *err);
	void *context;
};
struct link client_link(struct client *client);
/* Aborts it: what was begun cannot be taken back otherwise, and without its end nobody takes it for whole. */
void link_break(const struct link *link);

/* Proposes the class in the syntax, then in those that it can be decoded to. Gives their number, at most RS_CONTEXTS_MAX. */
size_t storing_propose(struct client_proposal *proposals, size_t count, const char *sop_class,
                       const char *transfer_syntax);
/* The context of the instance's own syntax, or of one that it can be converted to; NULL: there is none. *out_as: the second, or
 * NULL. */
const struct rs_context *storing_context(const struct link *link, const char *sop_class,
                                         const char *transfer_syntax, const char **out_as);
/* The request, into `out`: the data set follows. originator NULL: nobody asked for it; else the AE title that did, and the number
 * of its message. */
enum rs_code storing_request(const struct link *link, const struct rs_context *context, const char *instance,
                             const char *originator, uint16_t originator_message, struct rs_error *err);

/* A data set whose size is known, piece by piece, in PDUs as large as the peer takes. */
struct pdus {
	const struct link *link;
	uint8_t context;
	uint64_t left; /* to be given */
};
enum rs_code pdus_begin(const struct link *link, uint8_t context, uint64_t size, struct pdus *out,
                        struct rs_error *err);
enum rs_code pdus_put(struct pdus *pdus, struct rs_bytes bytes, struct rs_error *err);

/* A copy of a whole file in another syntax; *out_data is its data set, a part of *copy, which this function initialises. */
enum rs_code storing_transcode(struct rs_bytes file, const char *transfer_syntax, size_t maximum,
                               struct rs_buffer *copy, struct rs_bytes *out_data, struct rs_error *err);

#endif
