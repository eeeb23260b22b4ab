/* Feeding an association: PDUs are taken apart as their bytes arrive, P-DATA-TF without ever being whole in memory. */
#include "dicomnet/dicomnet_association.h"

#include <assert.h>
#include <string.h>

#include "machine.h"

#define HEADER_SIZE 6
#define OUT_MAX ((size_t)1 << 26)

enum pdu {
	PDU_ASSOCIATE_RQ = 1,
	PDU_ASSOCIATE_AC,
	PDU_ASSOCIATE_RJ,
	PDU_DATA,
	PDU_RELEASE_RQ,
	PDU_RELEASE_RP,
	PDU_ABORT,
};

struct rs_association {
	enum state state;
	bool is_requestor;
	struct rs_buffer out;
	struct rs_contexts contexts;
	const struct rs_associate *request; /* ours; borrowed */
	struct rs_associate *associate;     /* the peer's, while it is looked at */
	char peer_title[RS_TITLE_SIZE];
	uint32_t piece_max; /* of values that we send */

	uint8_t header[HEADER_SIZE]; /* of a PDU, or of a value in one */
	size_t header_size;
	uint8_t type;          /* of the PDU; 0 between two */
	uint32_t pdu_left;     /* bytes of it to come */
	struct rs_buffer body; /* of a PDU that is no P-DATA-TF */

	bool in_value;
	uint32_t value_left;
	bool value_is_command, value_is_last;
	const struct rs_context *context; /* of the message that is being received */
	bool awaits_data;
	struct rs_buffer encoded; /* command set */
	struct rs_command command;
};

static enum rs_code create(bool is_requestor, struct rs_association **out, struct rs_error *err)
{
	struct rs_association *association = rs_allocate(sizeof *association);
	if (!association)
		return rs_error_memory(err, sizeof *association, "an association");
	association->state = STATE_IDLE;
	association->is_requestor = is_requestor;
	rs_buffer_init(&association->out, OUT_MAX);
	rs_buffer_init(&association->body, RS_ASSOCIATE_PDU_MAX);
	rs_buffer_init(&association->encoded, RS_COMMAND_SIZE_MAX);
	*out = association;
	return RS_OK;
}

void rs_association_destroy(struct rs_association *association)
{
	if (!association)
		return;
	rs_buffer_finish(&association->out);
	rs_buffer_finish(&association->body);
	rs_buffer_finish(&association->encoded);
	rs_contexts_finish(&association->contexts);
	rs_free(association->associate);
	rs_free(association);
}

enum rs_code rs_association_accept_connection(struct rs_association **out, struct rs_error *err)
{
	RS_TRY(create(false, out, err));
	machine_step(&(*out)->state, EVENT_CONNECTION, false);
	return RS_OK;
}

enum rs_code rs_association_open(const struct rs_associate *request, struct rs_association **out,
                                 struct rs_error *err)
{
	struct rs_association *association;
	RS_TRY(create(true, &association, err));
	enum rs_code code = rs_associate_encode(request, false, &association->out, err);
	if (code != RS_OK) {
		rs_association_destroy(association);
		return code;
	}
	association->request = request;
	machine_step(&association->state, EVENT_REQUEST, true);
	machine_step(&association->state, EVENT_CONNECTED, true);
	*out = association;
	return RS_OK;
}

struct rs_buffer *rs_association_out(struct rs_association *association) { return &association->out; }

bool rs_association_is_over(const struct rs_association *association)
{
	return association->state == STATE_IDLE || association->state == STATE_AWAITING_CLOSE;
}

bool rs_association_is_established(const struct rs_association *association)
{
	return association->state == STATE_ESTABLISHED;
}

bool rs_association_is_within(const struct rs_association *association)
{
	return association->header_size > 0 || association->type != 0 || association->awaits_data ||
	       association->context != NULL;
}

const struct rs_contexts *rs_association_contexts(const struct rs_association *association)
{
	return &association->contexts;
}

const char *rs_association_peer_title(const struct rs_association *association)
{
	return association->peer_title;
}

/* PDUs with four bytes of body. */
static void put_small(struct rs_association *association, enum pdu type, uint8_t second, uint8_t third,
                      uint8_t fourth)
{
	const uint8_t pdu[10] = {(uint8_t)type, 0, 0, 0, 0, 4, 0, second, third, fourth};
	rs_buffer_append(&association->out, pdu, sizeof pdu);
}

static enum rs_code break_off(struct rs_association *association, enum event event,
                              enum rs_abort_reason reason, enum rs_code code)
{
	enum action action = machine_step(&association->state, event, association->is_requestor);
	if (action == ACTION_ABORT || action == ACTION_ABORT_SILENT)
		put_small(association, PDU_ABORT, 0, RS_ABORT_PROVIDER, (uint8_t)reason);
	else if (action == ACTION_SEND_CLOSE) /* AA-1: before there is a user */
		put_small(association, PDU_ABORT, 0, RS_ABORT_USER, RS_ABORT_UNSPECIFIED);
	association->state = STATE_AWAITING_CLOSE;
	return code;
}

static enum rs_code bad_pdu(struct rs_association *association, enum rs_abort_reason reason,
                            enum rs_code code)
{
	return break_off(association, EVENT_BAD_PDU, reason, code);
}

static void reject(struct rs_association *association, enum rs_reject reason)
{
	/* Transient reasons are those of load (PS3.8 table 9-21). */
	uint8_t result = reason == RS_REJECT_CONGESTION || reason == RS_REJECT_LIMIT ? 2 : 1;
	put_small(association, PDU_ASSOCIATE_RJ, result, (uint8_t)(reason >> 4), (uint8_t)(reason & 15));
	association->state = STATE_AWAITING_CLOSE;
}

void rs_association_reject(struct rs_association *association, enum rs_reject reason)
{
	if (machine_step(&association->state, EVENT_REJECT, false) == ACTION_SEND_CLOSE)
		reject(association, reason);
}

static enum rs_code set_piece_max(struct rs_association *association, uint32_t max_length,
                                  struct rs_error *err)
{
	if (max_length != 0 && max_length < RS_PDU_SIZE_SENT_MIN)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the peer takes PDUs of %u bytes at most; %u are needed", max_length,
		                    RS_PDU_SIZE_SENT_MIN);
	if (max_length == 0 || max_length > RS_PDU_SIZE_SENT_MAX)
		max_length = RS_PDU_SIZE_SENT_MAX;
	/* The length counts the value's header, of 6 bytes; values are even. */
	association->piece_max = (max_length - HEADER_SIZE) & ~UINT32_C(1);
	return RS_OK;
}

enum rs_code rs_association_accept(struct rs_association *association, const struct rs_acceptance *policy,
                                   struct rs_error *err)
{
	struct rs_associate *answer RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *answer);
	if (!answer || association->state != STATE_AWAITING_RESPONSE) {
		rs_association_reject(association, RS_REJECT_CONGESTION);
		return rs_error_memory(err, sizeof *answer, "an association's answer");
	}
	enum rs_code code = set_piece_max(association, association->associate->max_length, err);
	if (code == RS_OK)
		code = rs_negotiate(association->associate, policy, answer, &association->contexts, err);
	if (code == RS_OK)
		code = rs_associate_encode(answer, true, &association->out, err);
	if (code != RS_OK) {
		rs_association_reject(association, RS_REJECT_NO_REASON);
		return code;
	}
	memcpy(association->peer_title, association->associate->calling, sizeof association->peer_title);
	machine_step(&association->state, EVENT_ACCEPT, false);
	rs_free(association->associate);
	association->associate = NULL;
	rs_buffer_finish(&association->body);
	rs_buffer_init(&association->body, RS_ASSOCIATE_PDU_MAX);
	return RS_OK;
}

/* PS3.8 section 9.3.2: version 1, and DICOM's application context. */
static enum rs_code take_request(struct rs_association *association, struct rs_event *out,
                                 struct rs_error *err)
{
	const struct rs_associate *associate = association->associate;
	if (!(associate->protocol & 1)) {
		reject(association, RS_REJECT_PROTOCOL_VERSION);
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the peer speaks protocol version bits %04XH, not version 1",
		                    associate->protocol);
	}
	if (!rs_str_equal_text(associate->application_context, RS_DICOM_APPLICATION_CONTEXT)) {
		reject(association, RS_REJECT_APPLICATION_CONTEXT);
		return rs_error_set(err, RS_UNSUPPORTED, "the peer's application context is not DICOM's");
	}
	*out = (struct rs_event){.kind = RS_EVENT_REQUESTED, .associate = associate};
	return RS_OK;
}

static enum rs_code take_answer(struct rs_association *association, struct rs_event *out,
                                struct rs_error *err)
{
	enum rs_code code = set_piece_max(association, association->associate->max_length, err);
	if (code == RS_OK)
		code = rs_contexts_agreed(association->request, association->associate,
		                          &association->contexts, err);
	if (code != RS_OK)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER, code);
	*out = (struct rs_event){.kind = RS_EVENT_ACCEPTED, .associate = association->associate};
	return RS_OK;
}

static enum rs_code take_associate(struct rs_association *association, struct rs_event *out,
                                   struct rs_error *err)
{
	bool is_answer = association->type == PDU_ASSOCIATE_AC;
	if (!association->associate)
		association->associate = rs_allocate(sizeof *association->associate);
	if (!association->associate)
		return bad_pdu(association, RS_ABORT_UNSPECIFIED,
		               rs_error_memory(err, sizeof *association->associate, "an association"));
	enum rs_code code = rs_associate_decode(rs_buffer_bytes(&association->body), is_answer,
	                                        association->associate, err);
	if (code != RS_OK)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER, code);
	return is_answer ? take_answer(association, out, err) : take_request(association, out, err);
}

static const struct {
	enum event event;
	uint32_t least, most; /* bytes of body */
} pdus[] = {
	[PDU_ASSOCIATE_RQ] = {EVENT_RQ_PDU, 68, RS_ASSOCIATE_PDU_MAX},
	[PDU_ASSOCIATE_AC] = {EVENT_AC_PDU, 68, RS_ASSOCIATE_PDU_MAX},
	[PDU_ASSOCIATE_RJ] = {EVENT_RJ_PDU, 4, 4},
	[PDU_DATA] = {EVENT_DATA_PDU, HEADER_SIZE, RS_PDU_SIZE_OFFERED},
	[PDU_RELEASE_RQ] = {EVENT_RELEASE_RQ_PDU, 4, 4},
	[PDU_RELEASE_RP] = {EVENT_RELEASE_RP_PDU, 4, 4},
	[PDU_ABORT] = {EVENT_ABORT_PDU, 4, 4},
};

/* Header of a PDU: its type, a reserved byte, the length of what follows. */
static enum rs_code begin_pdu(struct rs_association *association, struct rs_error *err)
{
	uint8_t type = association->header[0];
	uint32_t size = rs_read_be32(association->header + 2);
	association->header_size = 0;
	if (type == 0 || type >= RS_COUNT(pdus))
		return bad_pdu(
			association, RS_ABORT_UNRECOGNIZED_PDU,
			rs_error_set(err, RS_MALFORMED, "a PDU of type %02XH is none of DICOM's", type));
	if (size < pdus[type].least || size > pdus[type].most)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, size > pdus[type].most ? RS_TOO_LARGE : RS_MALFORMED,
		                            "a PDU of type %02XH has %u bytes; %u to %u are allowed", type,
		                            size, pdus[type].least, pdus[type].most));
	/* Whether it may come now is asked before its bytes are waited for. */
	enum state state = association->state;
	enum action action = machine_step(&state, pdus[type].event, association->is_requestor);
	if (action != ACTION_TAKE && action != ACTION_TAKE_CLOSE && action != ACTION_CLOSE)
		return break_off(
			association, pdus[type].event, RS_ABORT_UNEXPECTED_PDU,
			rs_error_set(err, RS_MALFORMED, "a PDU of type %02XH comes at the wrong time", type));
	association->type = type;
	association->pdu_left = size;
	rs_buffer_clear(&association->body);
	return RS_OK;
}

/* Header of a value in a P-DATA-TF PDU: its length with the two bytes that follow: context, flags (PS3.8 annex E). */
static enum rs_code begin_value(struct rs_association *association, struct rs_error *err)
{
	uint32_t size = rs_read_be32(association->header);
	uint8_t id = association->header[4], flags = association->header[5];
	const struct rs_context *context = rs_contexts_find(&association->contexts, id);
	association->header_size = 0;
	/* pdu_left has lost the header already. */
	if (size < 2 || size - 2 > association->pdu_left)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, RS_MALFORMED,
		                            "a value of %u bytes does not fit into its PDU", size));
	if (!context)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, RS_MALFORMED, "context %u was not agreed on", id));
	if ((flags & 1) == association->awaits_data ||
	    (association->context != NULL && association->context != context))
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, RS_MALFORMED, "a %s comes where a %s of context %u is due",
		                            flags & 1 ? "command" : "data set",
		                            association->awaits_data ? "data set" : "command",
		                            association->context ? association->context->id : id));
	association->context = context;
	association->in_value = true;
	association->value_left = size - 2;
	association->value_is_command = flags & 1;
	association->value_is_last = flags & 2;
	return RS_OK;
}

static enum rs_code end_command(struct rs_association *association, struct rs_event *out,
                                struct rs_error *err)
{
	enum rs_code code = rs_command_decode(rs_buffer_bytes(&association->encoded), &association->command,
	                                      err);
	if (code != RS_OK)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER, code);
	*out = (struct rs_event){
		.kind = RS_EVENT_COMMAND, .context = association->context, .command = &association->command};
	rs_buffer_clear(&association->encoded);
	association->awaits_data = rs_command_has_data(&association->command);
	if (!association->awaits_data)
		association->context = NULL;
	return RS_OK;
}

static void end_value(struct rs_association *association)
{
	association->in_value = false;
	if (association->pdu_left == 0)
		association->type = 0;
}

/* Bytes of a value, as far as they are there. */
static enum rs_code take_value(struct rs_association *association, struct rs_bytes *rest,
                               struct rs_event *out, struct rs_error *err)
{
	size_t size = rest->size < association->value_left ? rest->size : association->value_left;
	struct rs_bytes piece = {rest->data, size};
	rest->data += size;
	rest->size -= size;
	association->value_left -= (uint32_t)size;
	association->pdu_left -= (uint32_t)size;
	bool ends = association->value_left == 0, is_last = ends && association->value_is_last;
	if (ends)
		end_value(association);
	if (!association->value_is_command) {
		if (size || is_last)
			*out = (struct rs_event){.kind = RS_EVENT_DATA,
			                         .context = association->context,
			                         .command = &association->command,
			                         .data = piece,
			                         .is_last = is_last};
		if (is_last)
			association->awaits_data = false;
		if (is_last)
			association->context = NULL;
		return RS_OK;
	}
	if (rs_buffer_append_bytes(&association->encoded, piece) != RS_OK)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, RS_TOO_LARGE, "a command set has more than %zu bytes",
		                            RS_COMMAND_SIZE_MAX));
	return is_last ? end_command(association, out, err) : RS_OK;
}

/* The whole body of a PDU that is no P-DATA-TF. */
static enum rs_code end_pdu(struct rs_association *association, struct rs_event *out, struct rs_error *err)
{
	const uint8_t *body = association->body.data;
	uint8_t type = association->type;
	enum rs_code code = RS_OK;
	machine_step(&association->state, pdus[type].event, association->is_requestor);
	if (type == PDU_ASSOCIATE_RQ || type == PDU_ASSOCIATE_AC)
		code = take_associate(association, out, err);
	else
		*out = (struct rs_event){
			.kind = type == PDU_ASSOCIATE_RJ ? RS_EVENT_REJECTED
		                : type == PDU_ABORT      ? RS_EVENT_ABORTED
		                : type == PDU_RELEASE_RQ ? RS_EVENT_RELEASE
		                                         : RS_EVENT_RELEASED,
			.result = type == PDU_ASSOCIATE_RJ ? body[1] : 0,
			.source = body[2],
			.reason = body[3],
		};
	association->type = 0;
	return code;
}

static enum rs_code take_body(struct rs_association *association, struct rs_bytes *rest, struct rs_event *out,
                              struct rs_error *err)
{
	size_t size = rest->size < association->pdu_left ? rest->size : association->pdu_left;
	if (rs_buffer_append(&association->body, rest->data, size) != RS_OK)
		return bad_pdu(association, RS_ABORT_UNSPECIFIED,
		               rs_buffer_check(&association->body, "an A-ASSOCIATE PDU", err));
	rest->data += size;
	rest->size -= size;
	association->pdu_left -= (uint32_t)size;
	return association->pdu_left == 0 ? end_pdu(association, out, err) : RS_OK;
}

/* Six bytes: the header of a PDU, or of a value. True when it is whole. */
static bool fill_header(struct rs_association *association, struct rs_bytes *rest)
{
	size_t missing = HEADER_SIZE - association->header_size;
	size_t size = rest->size < missing ? rest->size : missing;
	memcpy(association->header + association->header_size, rest->data, size);
	association->header_size += size;
	rest->data += size;
	rest->size -= size;
	if (association->type == PDU_DATA)
		association->pdu_left -= (uint32_t)size;
	return association->header_size == HEADER_SIZE;
}

/* One step: some bytes of a header, a body or a value. */
static enum rs_code take_some(struct rs_association *association, struct rs_bytes *rest, struct rs_event *out,
                              struct rs_error *err)
{
	if (association->in_value)
		return take_value(association, rest, out, err);
	if (association->type != 0 && association->type != PDU_DATA)
		return take_body(association, rest, out, err);
	if (association->type == PDU_DATA && association->header_size == 0 &&
	    association->pdu_left < HEADER_SIZE)
		return bad_pdu(association, RS_ABORT_INVALID_PARAMETER,
		               rs_error_set(err, RS_MALFORMED, "%u bytes at the end of a PDU are no value",
		                            association->pdu_left));
	if (!fill_header(association, rest))
		return RS_OK;
	if (association->type == 0)
		return begin_pdu(association, err);
	RS_TRY(begin_value(association, err));
	/* An empty value needs no byte to end. */
	return association->value_left == 0 ? take_value(association, rest, out, err) : RS_OK;
}

enum rs_code rs_association_take(struct rs_association *association, struct rs_bytes received,
                                 size_t *out_used, struct rs_event *out, struct rs_error *err)
{
	struct rs_bytes rest = received;
	*out = (struct rs_event){.kind = RS_EVENT_NONE};
	*out_used = received.size; /* who is over takes all, and does not look (PS3.8, AA-6) */
	while (rest.size > 0 && !rs_association_is_over(association) && out->kind == RS_EVENT_NONE)
		RS_TRY(take_some(association, &rest, out, err));
	if (out->kind != RS_EVENT_NONE)
		*out_used = received.size - rest.size;
	return RS_OK;
}

static void put_piece(struct rs_association *association, uint8_t context, struct rs_bytes piece,
                      uint8_t flags)
{
	uint8_t head[RS_PDATA_HEADER_SIZE] = {PDU_DATA};
	rs_write_be32(head + 2, (uint32_t)piece.size + HEADER_SIZE);
	rs_write_be32(head + 6, (uint32_t)piece.size + 2);
	head[10] = context;
	head[11] = flags;
	rs_buffer_append(&association->out, head, sizeof head);
	rs_buffer_append_bytes(&association->out, piece);
}

static enum rs_code put_pieces(struct rs_association *association, uint8_t context, struct rs_bytes bytes,
                               uint8_t kind, struct rs_error *err)
{
	enum state state = association->state;
	if (machine_step(&state, EVENT_DATA, association->is_requestor) != ACTION_SEND)
		return rs_error_set(err, RS_CANCELLED, "the association is over");
	for (size_t at = 0, size; at == 0 || at < bytes.size; at += size) {
		size = bytes.size - at < association->piece_max ? bytes.size - at : association->piece_max;
		put_piece(association, context, rs_bytes_of(bytes.data + at, size),
		          kind | (at + size == bytes.size ? 2 : 0));
		if (bytes.size == 0)
			break;
	}
	return rs_buffer_check(&association->out, "what is to be sent to a peer", err);
}

enum rs_code rs_association_command(struct rs_association *association, uint8_t context,
                                    const struct rs_command *command, struct rs_error *err)
{
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&encoded, RS_COMMAND_SIZE_MAX);
	RS_TRY(rs_command_encode(command, &encoded, err));
	return put_pieces(association, context, rs_buffer_bytes(&encoded), 1, err);
}

enum rs_code rs_association_data(struct rs_association *association, uint8_t context, struct rs_bytes data,
                                 struct rs_error *err)
{
	return put_pieces(association, context, data, 0, err);
}

size_t rs_association_piece_max(const struct rs_association *association) { return association->piece_max; }

void rs_association_piece_header(struct rs_association *association, uint8_t context, size_t size,
                                 bool is_last, uint8_t out[static RS_PDATA_HEADER_SIZE])
{
	assert(size <= association->piece_max);
	memset(out, 0, RS_PDATA_HEADER_SIZE);
	out[0] = PDU_DATA;
	rs_write_be32(out + 2, (uint32_t)size + HEADER_SIZE);
	rs_write_be32(out + 6, (uint32_t)size + 2);
	out[10] = context;
	out[11] = is_last ? 2 : 0;
}

void rs_association_release(struct rs_association *association)
{
	if (machine_step(&association->state, EVENT_RELEASE, association->is_requestor) == ACTION_SEND)
		put_small(association, PDU_RELEASE_RQ, 0, 0, 0);
}

void rs_association_release_answer(struct rs_association *association)
{
	if (machine_step(&association->state, EVENT_RELEASE_ANSWER, association->is_requestor) == ACTION_SEND)
		put_small(association, PDU_RELEASE_RP, 0, 0, 0);
}

void rs_association_abort(struct rs_association *association, enum rs_abort_source source,
                          enum rs_abort_reason reason)
{
	if (machine_step(&association->state, EVENT_ABORT, association->is_requestor) == ACTION_SEND_CLOSE)
		put_small(association, PDU_ABORT, 0, (uint8_t)source, (uint8_t)reason);
}

const char *rs_reject_text(uint8_t result, uint8_t source, uint8_t reason)
{
	static const struct {
		uint8_t source, reason;
		const char *text;
	} texts[] = {
		{1, 2, "the application context is not supported"},
		{1, 3, "the calling AE title is not known there"},
		{1, 7, "the called AE title is not known there"},
		{2, 2, "the protocol version is not supported"},
		{3, 1, "temporary congestion"},
		{3, 2, "the local limit is exceeded"},
	};
	for (size_t i = 0; i < RS_COUNT(texts); i++)
		if (texts[i].source == source && texts[i].reason == reason)
			return texts[i].text;
	return result == 2 ? "no reason was given; it may work later" : "no reason was given";
}

const char *rs_abort_text(uint8_t source, uint8_t reason)
{
	static const char *const texts[] = {
		"reason not specified",       "unrecognized PDU",           "unexpected PDU",
		"reason not specified",       "unrecognized PDU parameter", "unexpected PDU parameter",
		"invalid PDU parameter value"};
	return source == RS_ABORT_PROVIDER && reason < RS_COUNT(texts) ? texts[reason]
	       : source == RS_ABORT_USER                               ? "by the application there"
	                                                               : "reason not specified";
}
