/* The state machine of the upper layer: PS3.8 section 9.2, table 9-10, as a table. */
#ifndef RS_DICOMNET_MACHINE_H
#define RS_DICOMNET_MACHINE_H

#include <stdbool.h>

/* The numbers of the standard. */
enum state {
	STATE_IDLE = 1,
	STATE_TRANSPORT_OPEN = 2,
	STATE_AWAITING_RESPONSE = 3, /* of the local user */
	STATE_AWAITING_TRANSPORT = 4,
	STATE_AWAITING_ANSWER = 5,
	STATE_ESTABLISHED = 6,
	STATE_AWAITING_RELEASE = 7,
	STATE_AWAITING_LOCAL_RELEASE = 8,
	STATE_COLLISION_REQUESTOR_LOCAL = 9,
	STATE_COLLISION_ACCEPTOR_PEER = 10,
	STATE_COLLISION_REQUESTOR_PEER = 11,
	STATE_COLLISION_ACCEPTOR_LOCAL = 12,
	STATE_AWAITING_CLOSE = 13,
};

enum event {
	EVENT_REQUEST,
	EVENT_CONNECTED,
	EVENT_AC_PDU,
	EVENT_RJ_PDU,
	EVENT_CONNECTION,
	EVENT_RQ_PDU,
	EVENT_ACCEPT,
	EVENT_REJECT,
	EVENT_DATA,
	EVENT_DATA_PDU,
	EVENT_RELEASE,
	EVENT_RELEASE_RQ_PDU,
	EVENT_RELEASE_RP_PDU,
	EVENT_RELEASE_ANSWER,
	EVENT_ABORT,
	EVENT_ABORT_PDU,
	EVENT_CLOSED,
	EVENT_TIMEOUT,
	EVENT_BAD_PDU,
	EVENT_COUNT
};

/* Actions of the same effect share a name. */
enum action {
	ACTION_NONE,         /* the event cannot be in this state: of a local one a fault of ours */
	ACTION_SEND,         /* AE-2, AE-7, AR-1, AR-4, AR-7, AR-9, DT-1: the PDU that belongs to the event */
	ACTION_CONNECT,      /* AE-1 */
	ACTION_START_TIMER,  /* AE-5 */
	ACTION_TAKE,         /* AE-3, AE-6, AR-2, AR-6, AR-8, AR-10, DT-2: tell the user */
	ACTION_TAKE_CLOSE,   /* AE-4, AR-3, AA-3: tell the user, and close */
	ACTION_SEND_CLOSE,   /* AE-8, AA-1: send, then wait for the peer to close */
	ACTION_ABORT,        /* AA-8: abort as the provider, tell the user, wait for the peer to close */
	ACTION_ABORT_SILENT, /* AA-7: abort once more */
	ACTION_LOST,         /* AA-4: tell the user that the connection is gone */
	ACTION_CLOSE,        /* AA-2, AA-5, AR-5 */
	ACTION_IGNORE,       /* AA-6 */
};

/* Moves *state on. is_requestor tells the two kinds of a collision of releases apart. */
enum action machine_step(enum state *state, enum event event, bool is_requestor);

#endif
