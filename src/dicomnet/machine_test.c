/* The state machine against PS3.8: the lives of associations, and the rules that hold for whole rows and columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "machine.h"

struct step {
	enum event event;
	enum action action;
	enum state next;
};

static void walk(const struct step *steps, bool is_requestor)
{
	enum state state = STATE_IDLE;
	for (size_t i = 0; steps[i].action != ACTION_NONE; i++) {
		assert_int_equal(machine_step(&state, steps[i].event, is_requestor), steps[i].action);
		assert_int_equal(state, steps[i].next);
	}
}

static void associations_live_and_end(void **state)
{
	static const struct step acceptor[] = {{EVENT_CONNECTION, ACTION_START_TIMER, 2},
	                                       {EVENT_RQ_PDU, ACTION_TAKE, 3},
	                                       {EVENT_ACCEPT, ACTION_SEND, 6},
	                                       {EVENT_DATA_PDU, ACTION_TAKE, 6},
	                                       {EVENT_RELEASE_RQ_PDU, ACTION_TAKE, 8},
	                                       {EVENT_DATA, ACTION_SEND, 8},
	                                       {EVENT_RELEASE_ANSWER, ACTION_SEND, 13},
	                                       {EVENT_CLOSED, ACTION_CLOSE, 1},
	                                       {EVENT_CLOSED, ACTION_NONE, 1}};
	static const struct step requestor[] = {
		{EVENT_REQUEST, ACTION_CONNECT, 4}, {EVENT_CONNECTED, ACTION_SEND, 5},
		{EVENT_AC_PDU, ACTION_TAKE, 6},     {EVENT_RELEASE, ACTION_SEND, 7},
		{EVENT_DATA_PDU, ACTION_TAKE, 7},   {EVENT_RELEASE_RP_PDU, ACTION_TAKE_CLOSE, 1},
		{EVENT_CLOSED, ACTION_NONE, 1}};
	(void)state;
	walk(acceptor, false);
	walk(requestor, true);
}

/* Both ask for a release at once (AR-8): the requestor answers first. */
static void releases_that_meet_are_told_apart(void **state)
{
	static const struct step requestor[] = {{EVENT_REQUEST, ACTION_CONNECT, 4},
	                                        {EVENT_CONNECTED, ACTION_SEND, 5},
	                                        {EVENT_AC_PDU, ACTION_TAKE, 6},
	                                        {EVENT_RELEASE, ACTION_SEND, 7},
	                                        {EVENT_RELEASE_RQ_PDU, ACTION_TAKE, 9},
	                                        {EVENT_RELEASE_ANSWER, ACTION_SEND, 11},
	                                        {EVENT_RELEASE_RP_PDU, ACTION_TAKE_CLOSE, 1},
	                                        {EVENT_CLOSED, ACTION_NONE, 1}};
	static const struct step acceptor[] = {{EVENT_CONNECTION, ACTION_START_TIMER, 2},
	                                       {EVENT_RQ_PDU, ACTION_TAKE, 3},
	                                       {EVENT_ACCEPT, ACTION_SEND, 6},
	                                       {EVENT_RELEASE, ACTION_SEND, 7},
	                                       {EVENT_RELEASE_RQ_PDU, ACTION_TAKE, 10},
	                                       {EVENT_RELEASE_RP_PDU, ACTION_TAKE, 12},
	                                       {EVENT_RELEASE_ANSWER, ACTION_SEND, 13},
	                                       {EVENT_CLOSED, ACTION_CLOSE, 1},
	                                       {EVENT_CLOSED, ACTION_NONE, 1}};
	(void)state;
	walk(requestor, true);
	walk(acceptor, false);
}

/* From every state but those without a connection, an unknown PDU, an abort and a closed connection lead out. */
static void every_state_has_a_way_out(void **state)
{
	(void)state;
	for (int from = 2; from <= 13; from++) {
		if (from == STATE_AWAITING_TRANSPORT)
			continue;
		enum state bad = (enum state)from, abort = bad, closed = bad;
		assert_int_not_equal(machine_step(&bad, EVENT_BAD_PDU, false), ACTION_NONE);
		assert_int_equal(bad, STATE_AWAITING_CLOSE);
		assert_int_not_equal(machine_step(&abort, EVENT_ABORT_PDU, false), ACTION_NONE);
		assert_int_equal(abort, STATE_IDLE);
		assert_int_not_equal(machine_step(&closed, EVENT_CLOSED, false), ACTION_NONE);
		assert_int_equal(closed, STATE_IDLE);
	}
}

/* Data are taken in Sta6 and Sta7 alone, and sent in Sta6 and Sta8 alone. */
static void data_have_their_time(void **state)
{
	(void)state;
	for (int from = 1; from <= 13; from++) {
		enum state taking = (enum state)from, sending = taking;
		assert_int_equal(machine_step(&taking, EVENT_DATA_PDU, true) == ACTION_TAKE,
		                 from == 6 || from == 7);
		assert_int_equal(machine_step(&sending, EVENT_DATA, true) == ACTION_SEND,
		                 from == 6 || from == 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(associations_live_and_end),
		cmocka_unit_test(releases_that_meet_are_told_apart),
		cmocka_unit_test(every_state_has_a_way_out),
		cmocka_unit_test(data_have_their_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
