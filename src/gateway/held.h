/* A connection that one thread keeps for itself until a request of its peer is answered: what is sent and received is waited for.
 * A peer that takes or says nothing for too long is lost, and so is every one when the server has waited long enough to stop. */
#ifndef RS_GATEWAY_HELD_H
#define RS_GATEWAY_HELD_H

#include "connection.h"
#include "storing.h"

struct held {
	struct connection *connection;
	uint16_t request;     /* the number of what is being answered: it may be cancelled */
	uint16_t message;     /* of our own last request within the association */
	struct rs_buffer got; /* received, taken as far as `at` */
	size_t at;
	struct rs_command response;
	bool has_response, is_cancelled;
};

/* Takes over what the connection has received already. */
enum rs_code held_begin(struct connection *connection, uint16_t request, struct held *out,
                        struct rs_error *err);
/* Gives back what was received and not taken. */
void held_end(struct held *held);
struct link held_link(struct held *held);
/* Everything in the association's `out`. */
enum rs_code held_flush(struct held *held, struct rs_error *err);
/* Takes what has come, without waiting. errors  RS_IO, RS_REFUSED (aborted), RS_MALFORMED: the association is over */
enum rs_code held_look(struct held *held, struct rs_error *err);

#endif
