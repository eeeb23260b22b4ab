/* Table 9-10 of PS3.8: rows are events, columns the states 1 to 13; a cell is an action and the next state. */
#include "machine.h"

struct cell {
	unsigned char action, next;
};

/* Where AE-6 refuses, and in AR-8, the next state depends on more; see machine_step() and association.c. */
#define __                     \
	{                      \
		ACTION_NONE, 0 \
	}
#define S(next)                   \
	{                         \
		ACTION_SEND, next \
	}
#define T(next)                   \
	{                         \
		ACTION_TAKE, next \
	}
#define TC                           \
	{                            \
		ACTION_TAKE_CLOSE, 1 \
	}
#define SC                            \
	{                             \
		ACTION_SEND_CLOSE, 13 \
	}
#define A8                       \
	{                        \
		ACTION_ABORT, 13 \
	}
#define A7                              \
	{                               \
		ACTION_ABORT_SILENT, 13 \
	}
#define A6                        \
	{                         \
		ACTION_IGNORE, 13 \
	}
#define CL                      \
	{                       \
		ACTION_CLOSE, 1 \
	}
#define LO                     \
	{                      \
		ACTION_LOST, 1 \
	}
#define CO                        \
	{                         \
		ACTION_CONNECT, 4 \
	}
#define TI                            \
	{                             \
		ACTION_START_TIMER, 2 \
	}

static const struct cell table[EVENT_COUNT][13] = {
	/*                         1   2   3   4   5   6   7   8   9      10     11  12     13 */
	[EVENT_REQUEST] = {CO, __, __, __, __, __, __, __, __, __, __, __, __},
	[EVENT_CONNECTED] = {__, __, __, S(5), __, __, __, __, __, __, __, __, __},
	[EVENT_AC_PDU] = {__, SC, A8, __, T(6), A8, A8, A8, A8, A8, A8, A8, A6},
	[EVENT_RJ_PDU] = {__, SC, A8, __, TC, A8, A8, A8, A8, A8, A8, A8, A6},
	[EVENT_CONNECTION] = {TI, __, __, __, __, __, __, __, __, __, __, __, __},
	[EVENT_RQ_PDU] = {__, T(3), A8, __, A8, A8, A8, A8, A8, A8, A8, A8, A7},
	[EVENT_ACCEPT] = {__, __, S(6), __, __, __, __, __, __, __, __, __, __},
	[EVENT_REJECT] = {__, __, SC, __, __, __, __, __, __, __, __, __, __},
	[EVENT_DATA] = {__, __, __, __, __, S(6), __, S(8), __, __, __, __, __},
	[EVENT_DATA_PDU] = {__, SC, A8, __, A8, T(6), T(7), A8, A8, A8, A8, A8, A6},
	[EVENT_RELEASE] = {__, __, __, __, __, S(7), __, __, __, __, __, __, __},
	[EVENT_RELEASE_RQ_PDU] = {__, SC, A8, __, A8, T(8), T(9), A8, A8, A8, A8, A8, A6},
	[EVENT_RELEASE_RP_PDU] = {__, SC, A8, __, A8, A8, TC, A8, A8, T(12), TC, A8, A6},
	[EVENT_RELEASE_ANSWER] = {__, __, __, __, __, __, __, S(13), S(11), __, __, S(13), __},
	[EVENT_ABORT] = {__, __, SC, CL, SC, SC, SC, SC, SC, SC, SC, SC, __},
	[EVENT_ABORT_PDU] = {__, CL, TC, __, TC, TC, TC, TC, TC, TC, TC, TC, CL},
	[EVENT_CLOSED] = {__, CL, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, CL},
	[EVENT_TIMEOUT] = {__, CL, __, __, __, __, __, __, __, __, __, __, CL},
	[EVENT_BAD_PDU] = {__, SC, A8, __, A8, A8, A8, A8, A8, A8, A8, A8, A7},
};

enum action machine_step(enum state *state, enum event event, bool is_requestor)
{
	const struct cell *cell = &table[event][*state - 1];
	if (cell->action == ACTION_NONE)
		return ACTION_NONE;
	*state = (enum state)cell->next;
	if (*state == STATE_COLLISION_REQUESTOR_LOCAL && event == EVENT_RELEASE_RQ_PDU && !is_requestor)
		*state = STATE_COLLISION_ACCEPTOR_PEER;
	return (enum action)cell->action;
}
