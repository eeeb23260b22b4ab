/* Contexts and PDUs of C-STORE requests. */
#include "storing.h"

#include <string.h>

#include "dicom/dicom_transcode.h"

/* Besides an instance's own, in the order of preference. */
static const char *const plain_syntaxes[] = {RS_DICOM_SYNTAX_EXPLICIT, RS_DICOM_SYNTAX_IMPLICIT};

static enum rs_code flush_client(void *context, struct rs_error *err) { return client_flush(context, err); }

static enum rs_code client_answer(void *context, struct rs_command *out, struct rs_error *err)
{
	return client_response(context, out, err);
}

struct link client_link(struct client *client)
{
	return (struct link){client->association, false,         &client->message,
	                     flush_client,        client_answer, client};
}

void link_break(const struct link *link)
{
	rs_buffer_clear(rs_association_out(link->association)); /* a PDU that is not full */
	rs_association_abort(link->association, RS_ABORT_PROVIDER, RS_ABORT_UNSPECIFIED);
	(void)link->flush(link->context, NULL);
}

static size_t propose_one(struct client_proposal *proposals, size_t count, const char *sop_class,
                          const char *transfer_syntax)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(proposals[i].sop_class, sop_class) == 0 &&
		    strcmp(proposals[i].transfer_syntax, transfer_syntax) == 0)
			return count;
	if (count < RS_CONTEXTS_MAX)
		proposals[count++] = (struct client_proposal){sop_class, transfer_syntax, false};
	return count;
}

/* A file that does not say its syntax has one of those that can be guessed. */
static bool is_convertible(const char *transfer_syntax)
{
	return !transfer_syntax[0] || rs_dicom_reads(transfer_syntax);
}

size_t storing_propose(struct client_proposal *proposals, size_t count, const char *sop_class,
                       const char *transfer_syntax)
{
	if (transfer_syntax[0])
		count = propose_one(proposals, count, sop_class, transfer_syntax);
	for (size_t i = 0; is_convertible(transfer_syntax) && i < RS_COUNT(plain_syntaxes); i++)
		count = propose_one(proposals, count, sop_class, plain_syntaxes[i]);
	return count;
}

static const struct rs_context *find(const struct link *link, const char *sop_class,
                                     const char *transfer_syntax)
{
	const struct rs_contexts *contexts = rs_association_contexts(link->association);
	for (size_t i = 0; i < contexts->count; i++) {
		const struct rs_context *context = &contexts->items[i];
		if (strcmp(context->sop_class, sop_class) != 0 || (link->peer_asked && !context->peer_is_scp))
			continue;
		/* Any that can be written, when none is named. */
		if (transfer_syntax ? strcmp(context->transfer_syntax, transfer_syntax) == 0
		                    : rs_dicom_writes(context->transfer_syntax))
			return context;
	}
	return NULL;
}

const struct rs_context *storing_context(const struct link *link, const char *sop_class,
                                         const char *transfer_syntax, const char **out_as)
{
	const struct rs_context *context = find(link, sop_class, transfer_syntax);
	*out_as = NULL;
	if (context || !is_convertible(transfer_syntax))
		return context;
	for (size_t i = 0; !context && i < RS_COUNT(plain_syntaxes); i++)
		context = find(link, sop_class, plain_syntaxes[i]);
	if (!context)
		context = find(link, sop_class, NULL);
	*out_as = context ? context->transfer_syntax : NULL;
	return context;
}

enum rs_code storing_request(const struct link *link, const struct rs_context *context, const char *instance,
                             const char *originator, uint16_t originator_message, struct rs_error *err)
{
	struct rs_command request = {.present = RS_HAS(SOP_CLASS) | RS_HAS(FIELD) | RS_HAS(MESSAGE) |
	                                        RS_HAS(PRIORITY) | RS_HAS(DATA) | RS_HAS(INSTANCE),
	                             .field = RS_C_STORE_RQ,
	                             .message = ++*link->message,
	                             .data = 0};
	memcpy(request.sop_class, context->sop_class, sizeof request.sop_class);
	memcpy(request.instance, instance, strlen(instance) + 1);
	if (originator) {
		request.present |= RS_HAS(ORIGINATOR) | RS_HAS(ORIGINATOR_MESSAGE);
		memcpy(request.title, originator, strlen(originator) + 1);
		request.originator_message = originator_message;
	}
	return rs_association_command(link->association, context->id, &request, err);
}

/* The PDU that is being filled lies in `out`, its header's room in front; nothing else does. */
static enum rs_code begin_pdu(const struct pdus *pdus, struct rs_error *err)
{
	static const uint8_t room[RS_PDATA_HEADER_SIZE];
	struct rs_buffer *out = rs_association_out(pdus->link->association);
	rs_buffer_append(out, room, sizeof room);
	return rs_buffer_check(out, "a PDU", err);
}

static enum rs_code end_pdu(const struct pdus *pdus, struct rs_error *err)
{
	struct rs_buffer *out = rs_association_out(pdus->link->association);
	rs_association_piece_header(pdus->link->association, pdus->context, out->size - RS_PDATA_HEADER_SIZE,
	                            pdus->left == 0, out->data);
	return pdus->link->flush(pdus->link->context, err);
}

enum rs_code pdus_begin(const struct link *link, uint8_t context, uint64_t size, struct pdus *out,
                        struct rs_error *err)
{
	*out = (struct pdus){link, context, size};
	RS_TRY(link->flush(link->context, err));
	RS_TRY(begin_pdu(out, err));
	return size == 0 ? end_pdu(out, err) : RS_OK;
}

enum rs_code pdus_put(struct pdus *pdus, struct rs_bytes bytes, struct rs_error *err)
{
	struct rs_buffer *out = rs_association_out(pdus->link->association);
	const size_t most = rs_association_piece_max(pdus->link->association) + RS_PDATA_HEADER_SIZE;
	while (bytes.size > 0) {
		size_t room = most - out->size, size = bytes.size < room ? bytes.size : room;
		if (size > pdus->left)
			return rs_error_set(err, RS_INTERNAL, "a data set is longer than was said");
		rs_buffer_append(out, bytes.data, size);
		RS_TRY(rs_buffer_check(out, "a PDU", err));
		bytes = rs_bytes_of(bytes.data + size, bytes.size - size);
		pdus->left -= size;
		if (pdus->left > 0 && out->size < most)
			continue;
		RS_TRY(end_pdu(pdus, err));
		if (pdus->left > 0)
			RS_TRY(begin_pdu(pdus, err));
	}
	return RS_OK;
}

enum rs_code storing_transcode(struct rs_bytes file, const char *transfer_syntax, size_t maximum,
                               struct rs_buffer *copy, struct rs_bytes *out_data, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom made RS_CLEANUP(rs_dicom_finish) = {0};
	size_t begin;
	rs_buffer_init(copy, maximum);
	RS_TRY(rs_dicom_parse(file, &dicom, err));
	RS_TRY(rs_dicom_transcode(&dicom, transfer_syntax, NULL, copy, err));
	RS_TRY(rs_dicom_parse_front(rs_buffer_bytes(copy), &made, &begin, err));
	*out_data = rs_bytes_of(copy->data + begin, copy->size - begin);
	return RS_OK;
}
