/* Associations fed with what DCMTK 3.6.7's dcmsend sends (bytes captured from it), whole and byte by byte; and with what
 * no honest peer sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dicomnet/dicomnet_association.h"

#define UNDER_TEST_MAX 4096
/* `dcmsend -aec RADSEAL` of a small Secondary Capture in explicit little endian. */
#define ASSOCIATE                                                                                    \
	"010000000103000100005241445345414c20202020202020202044434d53454e44202020202020202020000000" \
	"000000000000000000000000000000000000000000000000000000000010000015312e322e3834302e31303030" \
	"382e332e312e312e31200000640100ff0030000019312e322e3834302e31303030382e352e312e342e312e312e" \
	"3740000013312e322e3834302e31303030382e312e322e3140000013312e322e3834302e31303030382e312e32" \
	"2e3240000011312e322e3834302e31303030382e312e325000003a51000004000040005200001b312e322e3237" \
	"362e302e373233303031302e332e302e332e362e375500000f4f464649535f44434d544b5f333637"
#define STORE_COMMAND                                                                                \
	"04000000006a000000660103000000000400000058000000000002001a000000312e322e3834302e3130303038" \
	"2e352e312e342e312e312e37000000000102000000010000001001020000000100000000070200000000000000" \
	"00080200000001000000001006000000322e32352e31"
#define STORE_DATA                                                                                   \
	"04000000005c0000005801020800160055491a00312e322e3834302e31303030382e352e312e342e312e312e37" \
	"000800180055490600322e32352e31100020004c4f0200503120000d0055490600322e32352e3220000e005549" \
	"0600322e32352e33"
#define RELEASE "05000000000400000000"
#define DATA_SIZE 86

struct session {
	struct rs_association *association;
	enum rs_event_kind seen[16];
	size_t count, data;
	bool was_last;
	uint16_t field;
};

static const struct rs_acceptance everything = {RS_SERVICES_ALL, NULL};

static size_t unhex(const char *hex, uint8_t out[static UNDER_TEST_MAX])
{
	size_t size = strlen(hex) / 2;
	assert_true(size <= UNDER_TEST_MAX && rs_hex_decode(rs_str_from(hex), out, size));
	return size;
}

static void note(struct session *session, const struct rs_event *event)
{
	if (event->kind == RS_EVENT_DATA) {
		session->data += event->data.size;
		session->was_last = event->is_last;
		if (!event->is_last)
			return;
	}
	if (event->kind == RS_EVENT_COMMAND)
		session->field = event->command->field;
	if (event->kind == RS_EVENT_REQUESTED) {
		assert_string_equal(event->associate->called, "RADSEAL");
		assert_string_equal(event->associate->calling, "DCMSEND");
		assert_int_equal(event->associate->max_length, 0x4000);
		assert_true(rs_str_equal_text(event->associate->implementation_version, "OFFIS_DCMTK_367"));
	}
	assert_true(session->count < RS_COUNT(session->seen));
	session->seen[session->count++] = event->kind;
	if (event->kind == RS_EVENT_REQUESTED)
		assert_int_equal(rs_association_accept(session->association, &everything, NULL), RS_OK);
	if (event->kind == RS_EVENT_RELEASE)
		rs_association_release_answer(session->association);
}

/* In pieces of `step` bytes. */
static enum rs_code feed(struct session *session, struct rs_bytes bytes, size_t step, struct rs_error *err)
{
	while (bytes.size > 0) {
		struct rs_event event;
		size_t used, size = bytes.size < step ? bytes.size : step;
		RS_TRY(rs_association_take(session->association, rs_bytes_of(bytes.data, size), &used, &event,
		                           err));
		if (event.kind != RS_EVENT_NONE)
			note(session, &event);
		bytes.data += used;
		bytes.size -= used;
	}
	return RS_OK;
}

static enum rs_code feed_hex(struct session *session, const char *hex, size_t step, struct rs_error *err)
{
	uint8_t bytes[UNDER_TEST_MAX];
	size_t size = unhex(hex, bytes);
	return feed(session, rs_bytes_of(bytes, size), step, err);
}

static struct session begin(void)
{
	struct session session = {.association = NULL};
	struct rs_error err = {0};
	assert_int_equal(rs_association_accept_connection(&session.association, &err), RS_OK);
	return session;
}

static void dcmsend_is_served_however_its_bytes_arrive(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 64, UNDER_TEST_MAX};
	static const enum rs_event_kind expected[] = {RS_EVENT_REQUESTED, RS_EVENT_COMMAND, RS_EVENT_DATA,
	                                              RS_EVENT_RELEASE};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(steps); i++) {
		struct session session = begin();
		struct rs_error err = {0};
		assert_int_equal(feed_hex(&session, ASSOCIATE STORE_COMMAND STORE_DATA, steps[i], &err),
		                 RS_OK);
		assert_true(rs_association_is_established(session.association));
		assert_false(rs_association_is_within(session.association));
		assert_int_equal(feed_hex(&session, RELEASE, steps[i], &err), RS_OK);
		assert_int_equal(session.count, RS_COUNT(expected));
		assert_memory_equal(session.seen, expected, sizeof expected);
		assert_int_equal(session.data, DATA_SIZE);
		assert_true(session.was_last && session.field == RS_C_STORE_RQ);
		assert_true(rs_association_is_over(session.association));
		assert_string_equal(rs_association_peer_title(session.association), "DCMSEND");
		rs_association_destroy(session.association);
	}
}

/* The answer is read by the requestor's side, which then stores by it. */
static void what_is_accepted_is_agreed_on(void **state)
{
	struct session session = begin();
	struct rs_associate *request = rs_allocate(sizeof *request);
	struct rs_association *asking;
	struct rs_error err = {0};
	struct rs_event event;
	uint8_t bytes[UNDER_TEST_MAX], header[RS_PDATA_HEADER_SIZE];
	size_t size = unhex(ASSOCIATE, bytes), used;
	(void)state;
	assert_non_null(request);
	assert_int_equal(feed(&session, rs_bytes_of(bytes, size), size, &err), RS_OK);
	assert_int_equal(rs_associate_decode(rs_bytes_of(bytes + 6, size - 6), false, request, &err), RS_OK);
	assert_int_equal(rs_association_open(request, &asking, &err), RS_OK);
	bytes[105] = 0; /* reserved; DCMTK writes FFH there */
	assert_memory_equal(rs_association_out(asking)->data, bytes, size);
	struct rs_buffer *answer = rs_association_out(session.association);
	assert_int_equal(rs_association_take(asking, rs_buffer_bytes(answer), &used, &event, &err), RS_OK);
	assert_int_equal(event.kind, RS_EVENT_ACCEPTED);
	assert_int_equal(used, answer->size);
	const struct rs_contexts *agreed = rs_association_contexts(asking);
	assert_int_equal(agreed->count, 1);
	assert_string_equal(agreed->items[0].sop_class, "1.2.840.10008.5.1.4.1.1.7");
	assert_string_equal(agreed->items[0].transfer_syntax, RS_SYNTAX_EXPLICIT_LE);
	assert_int_equal(rs_association_piece_max(asking), RS_PDU_SIZE_SENT_MAX - 6);
	assert_int_equal(rs_association_piece_max(session.association), 0x4000 - 6);
	rs_association_piece_header(asking, 1, 86, true, header);
	assert_int_equal(unhex(STORE_DATA, bytes), sizeof header + 86);
	assert_memory_equal(header, bytes, sizeof header);
	rs_association_destroy(asking);
	rs_association_destroy(session.association);
	rs_free(request);
}

/* {what comes, after what; the last four bytes that are sent back} */
static void what_no_peer_should_send_is_broken_off(void **state)
{
	static const struct {
		const char *name, *before, *hex;
		uint8_t type, source, reason;
	} cases[] = {
		{"not DICOM", "", "474554202f20485454502f312e310d0a", 7, 0, 0},
		{"data before an association", "", STORE_DATA, 7, 0, 0},
		{"an association PDU of 4 GiB", "", "0100ffffffff", 7, 0, 0},
		{"no protocol version", "",
	         "01000000004400000000"
	         "41202020202020202020202020202020422020202020202020202020202020200000000000000000000000000000000000"
	         "00000000000000000000000000000000",
	         3, 2, 2},
		{"no application context", "",
	         "01000000004400010000"
	         "41202020202020202020202020202020422020202020202020202020202020200000000000000000000000000000000000"
	         "00000000000000000000000000000000",
	         3, 1, 2},
		{"associated twice", ASSOCIATE, ASSOCIATE, 7, 2, 2},
		{"unknown PDU", ASSOCIATE, "080000000004", 7, 2, 1},
		{"release that is too long", ASSOCIATE, "05000000000800000000", 7, 2, 6},
		{"PDU beyond what was offered", ASSOCIATE, "040000040001", 7, 2, 6},
		{"value beyond its PDU", ASSOCIATE, "040000000008000000070103", 7, 2, 6},
		{"value of no byte", ASSOCIATE, "040000000006000000010103", 7, 2, 6},
		{"bytes that are no value", ASSOCIATE, "04000000000b0000000501020000000000000000", 7, 2, 6},
		{"context that was not agreed on", ASSOCIATE, "040000000008000000040303", 7, 2, 6},
		{"data set without a command", ASSOCIATE, STORE_DATA, 7, 2, 6},
		{"command where data are due", ASSOCIATE STORE_COMMAND, STORE_COMMAND, 7, 2, 6},
		{"command that is none", ASSOCIATE, "0400000000080000000401030000", 7, 2, 6},
		{"release answered that was not asked", ASSOCIATE, "06000000000400000000", 7, 2, 2},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct session session = begin();
		struct rs_error err = {0};
		assert_int_equal(feed_hex(&session, cases[i].before, 5, &err), RS_OK);
		struct rs_buffer *out = rs_association_out(session.association);
		rs_buffer_clear(out);
		if (feed_hex(&session, cases[i].hex, 5, &err) == RS_OK || !err.message[0] ||
		    out->size != 10 || out->data[0] != cases[i].type || out->data[8] != cases[i].source ||
		    out->data[9] != cases[i].reason || !rs_association_is_over(session.association))
			fail_msg("%s: %s; %zu bytes sent", cases[i].name, err.message, out->size);
		rs_association_destroy(session.association);
	}
}

/* A command in pieces that never ends, and PDUs of empty values. */
static void memory_is_bounded(void **state)
{
	static const uint8_t empty[] = {4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 1};
	struct session session = begin();
	struct rs_error err = {0};
	uint8_t piece[12 + 1024] = {4, 0, 0, 0, 4, 6, 0, 0, 4, 2, 1, 1};
	enum rs_code code = RS_OK;
	(void)state;
	assert_int_equal(feed_hex(&session, ASSOCIATE, 300, &err), RS_OK);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(feed(&session, rs_bytes_of(empty, sizeof empty), 12, &err), RS_OK);
	size_t fed = 0;
	for (; code == RS_OK && fed < 64; fed++)
		code = feed(&session, rs_bytes_of(piece, sizeof piece), 4096, &err);
	assert_int_equal(code, RS_TOO_LARGE);
	assert_int_equal(fed, RS_COMMAND_SIZE_MAX / 1024 + 1);
	rs_association_destroy(session.association);
}

static void services_are_told_apart(void **state)
{
	static const struct {
		const char *uid;
		unsigned service;
	} cases[] = {
		{"1.2.840.10008.1.1", RS_SERVICE_VERIFICATION},
		{"1.2.840.10008.5.1.4.1.1.2", RS_SERVICE_STORAGE},
		{"1.2.840.10008.5.1.4.1.1.9999.1", RS_SERVICE_STORAGE}, /* newer than we are */
		{"1.2.840.10008.5.1.4.34.7", RS_SERVICE_STORAGE},
		{"1.2.840.10008.5.1.4.1.1.201.2", 0}, /* Inventory - FIND */
		{"1.2.840.10008.5.1.4.1.2.2.1", RS_SERVICE_FIND},
		{"1.2.840.10008.5.1.4.1.2.1.3", RS_SERVICE_GET},
		{"1.2.840.10008.5.1.4.31", 0}, /* modality worklist */
		{"1.2.840.113619.4.2", RS_SERVICE_STORAGE_PRIVATE},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		assert_int_equal(rs_service_of(rs_str_from(cases[i].uid)), cases[i].service);
}

static void a_policy_leaves_what_it_does_not_take(void **state)
{
	static const struct rs_acceptance policies[] = {{RS_SERVICE_VERIFICATION, NULL},
	                                                {RS_SERVICES_ALL, "1.2.840.10008.1.2.5"},
	                                                {RS_SERVICES_ALL, "1.2.3, 1.2.840.10008.1.2"}};
	static const uint8_t results[] = {RS_PRESENTATION_NO_ABSTRACT_SYNTAX,
	                                  RS_PRESENTATION_NO_TRANSFER_SYNTAX, RS_PRESENTATION_ACCEPTED};
	struct rs_associate *request = rs_allocate(2 * sizeof *request), *answer = request + 1;
	struct rs_error err = {0};
	uint8_t bytes[UNDER_TEST_MAX];
	size_t size = unhex(ASSOCIATE, bytes);
	(void)state;
	assert_non_null(request);
	assert_int_equal(rs_associate_decode(rs_bytes_of(bytes + 6, size - 6), false, request, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(policies); i++) {
		struct rs_contexts contexts;
		assert_int_equal(rs_negotiate(request, &policies[i], answer, &contexts, &err), RS_OK);
		assert_int_equal(answer->contexts[0].result, results[i]);
		assert_int_equal(contexts.count, results[i] == RS_PRESENTATION_ACCEPTED);
		if (contexts.count)
			assert_string_equal(contexts.items[0].transfer_syntax, RS_SYNTAX_IMPLICIT_LE);
		rs_contexts_finish(&contexts);
	}
	rs_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dcmsend_is_served_however_its_bytes_arrive),
		cmocka_unit_test(what_is_accepted_is_agreed_on),
		cmocka_unit_test(what_no_peer_should_send_is_broken_off),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(services_are_told_apart),
		cmocka_unit_test(a_policy_leaves_what_it_does_not_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
