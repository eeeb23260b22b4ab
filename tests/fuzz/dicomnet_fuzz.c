/* Hostile bytes over a DICOM connection, in both roles: the first byte chooses the role, the second the size of the pieces they
 * arrive in. However they are cut, the same events come. What decodes encodes, and decodes to the same. */
#include <assert.h>
#include <string.h>

#include "dicomnet/dicomnet_association.h"

static const struct rs_acceptance everything = {RS_SERVICES_ALL, NULL};
static struct rs_associate request;

struct trace {
	uint64_t commands, data, ends;
	enum rs_code code;
};

static void take(struct rs_association *association, const struct rs_event *event, struct trace *trace)
{
	struct rs_command answer;
	if (event->kind == RS_EVENT_REQUESTED)
		(void)rs_association_accept(association, &everything, NULL);
	if (event->kind == RS_EVENT_RELEASE)
		rs_association_release_answer(association);
	if (event->kind == RS_EVENT_COMMAND) {
		assert(event->context);
		trace->commands++;
		rs_command_answer(event->command, 0, "why", &answer);
		(void)rs_association_command(association, event->context->id, &answer, NULL);
	}
	if (event->kind == RS_EVENT_DATA) {
		trace->data += event->data.size;
		trace->ends += event->is_last;
	}
}

static struct trace feed(bool is_requestor, struct rs_bytes bytes, size_t step)
{
	struct trace trace = {0};
	struct rs_association *association = NULL;
	struct rs_error err = {0};
	assert((is_requestor ? rs_association_open(&request, &association, &err)
	                     : rs_association_accept_connection(&association, &err)) == RS_OK);
	while (bytes.size > 0 && trace.code == RS_OK) {
		struct rs_event event;
		size_t used, size = bytes.size < step ? bytes.size : step;
		trace.code = rs_association_take(association, rs_bytes_of(bytes.data, size), &used, &event,
		                                 &err);
		assert(trace.code == RS_OK || (err.message[0] && rs_association_is_over(association)));
		assert(trace.code != RS_OK || used > 0);
		if (trace.code == RS_OK)
			take(association, &event, &trace);
		bytes.data += used;
		bytes.size -= used;
	}
	rs_association_destroy(association);
	return trace;
}

static void set_request(void)
{
	static struct rs_buffer items;
	rs_buffer_init(&items, 256);
	rs_presentation_add(&items, RS_STR(RS_SYNTAX_EXPLICIT_LE));
	request = (struct rs_associate){.protocol = 1,
	                                .called = "THERE",
	                                .calling = "HERE",
	                                .application_context = RS_STR(RS_DICOM_APPLICATION_CONTEXT),
	                                .implementation_uid = RS_STR(RS_DICOM_IMPLEMENTATION_UID),
	                                .context_count = 1};
	request.contexts[0] = (struct rs_presentation){.id = 1,
	                                               .abstract_syntax = RS_STR(RS_SOP_VERIFICATION),
	                                               .transfer_syntaxes = rs_buffer_bytes(&items)};
}

static void try_command(struct rs_bytes bytes)
{
	struct rs_command command, again;
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	if (rs_command_decode(bytes, &command, &err) != RS_OK)
		return;
	rs_buffer_init(&out, RS_COMMAND_SIZE_MAX);
	assert(rs_command_encode(&command, &out, &err) == RS_OK);
	assert(rs_command_decode(rs_buffer_bytes(&out), &again, &err) == RS_OK);
	assert(again.present == command.present && strcmp(again.sop_class, command.sop_class) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (request.context_count == 0)
		set_request();
	if (size < 2)
		return 0;
	struct rs_bytes bytes = {data + 2, size - 2};
	struct trace whole = feed(data[0] & 1, bytes, SIZE_MAX), cut = feed(data[0] & 1, bytes, 1 + data[1]);
	assert(whole.commands == cut.commands && whole.data == cut.data && whole.ends == cut.ends &&
	       whole.code == cut.code);
	try_command(bytes);
	return 0;
}
