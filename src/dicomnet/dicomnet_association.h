/* One association: what was received goes in, events come out; see dicomnet.h.
 *
 * Whoever has the connection gives bytes to rs_association_take() until it took all of them, and sends what lies in
 * rs_association_out(). The state machine is that of PS3.8; what it forbids is answered by an A-ABORT that is in `out` when
 * take returns its error. Of one thread at a time. */
#ifndef RS_DICOMNET_ASSOCIATION_H
#define RS_DICOMNET_ASSOCIATION_H

#include "dicomnet/dicomnet_command.h"

struct rs_association;

enum rs_event_kind {
	RS_EVENT_NONE,      /* all bytes were taken */
	RS_EVENT_REQUESTED, /* the peer asks for this association: accept or reject */
	RS_EVENT_ACCEPTED,  /* the peer accepts ours */
	RS_EVENT_REJECTED,
	RS_EVENT_COMMAND,
	RS_EVENT_DATA,    /* a piece of the data set of the last command */
	RS_EVENT_RELEASE, /* the peer asks to release: rs_association_release_answer() */
	RS_EVENT_RELEASED,
	RS_EVENT_ABORTED,
};
struct rs_event { /* views and pointers are good until the next call */
	enum rs_event_kind kind;
	const struct rs_associate *associate;
	const struct rs_context *context; /* of COMMAND and DATA */
	const struct rs_command *command;
	struct rs_bytes data;
	bool is_last;                   /* of DATA: the data set ends with this piece, which may be empty */
	uint8_t result, source, reason; /* of REJECTED and ABORTED */
};

enum rs_code rs_association_accept_connection(struct rs_association **out, struct rs_error *err);
/* For who asks: the request is in `out` when this returns. `request` must outlive the answer. */
enum rs_code rs_association_open(const struct rs_associate *request, struct rs_association **out,
                                 struct rs_error *err);
void rs_association_destroy(struct rs_association *association); /* accepts NULL */

/* errors  RS_MALFORMED, RS_TOO_LARGE, RS_UNSUPPORTED: the association is over, once `out` is sent */
enum rs_code rs_association_take(struct rs_association *association, struct rs_bytes received,
                                 size_t *out_used, struct rs_event *out, struct rs_error *err);
/* What is to be sent; who sends removes it. */
struct rs_buffer *rs_association_out(struct rs_association *association);
/* Nothing more is to be received; `out` may have something left. */
bool rs_association_is_over(const struct rs_association *association);
/* Contexts were agreed on, and nobody released or aborted. */
bool rs_association_is_established(const struct rs_association *association);
/* A message is under way: some of a PDU was received and not all, or of a command its data set is missing. */
bool rs_association_is_within(const struct rs_association *association);
const struct rs_contexts *rs_association_contexts(const struct rs_association *association);
const char *rs_association_peer_title(
	const struct rs_association *association); /* the calling one, of the requestor */

/* errors  RS_MALFORMED, RS_UNSUPPORTED: rejected instead; nothing to be done but sending `out` */
enum rs_code rs_association_accept(struct rs_association *association, const struct rs_acceptance *policy,
                                   struct rs_error *err);
void rs_association_reject(struct rs_association *association, enum rs_reject reason);
enum rs_code rs_association_command(struct rs_association *association, uint8_t context,
                                    const struct rs_command *command, struct rs_error *err);
/* Bytes of a data set that one PDU can hold, even. */
size_t rs_association_piece_max(const struct rs_association *association);
/* The header of a PDU whose value of `size` bytes (at most rs_association_piece_max()) is sent behind it, not through `out`. */
void rs_association_piece_header(struct rs_association *association, uint8_t context, size_t size,
                                 bool is_last, uint8_t out[static RS_PDATA_HEADER_SIZE]);
/* A whole small data set through `out`. */
enum rs_code rs_association_data(struct rs_association *association, uint8_t context, struct rs_bytes data,
                                 struct rs_error *err);
void rs_association_release(struct rs_association *association);
void rs_association_release_answer(struct rs_association *association);
void rs_association_abort(struct rs_association *association, enum rs_abort_source source,
                          enum rs_abort_reason reason);

#endif
