/* Asking for an association, waiting for answers; verification. */
#include "client.h"

#include <string.h>
#include <unistd.h>

#include "net/net_socket.h"

#define CHUNK_SIZE ((size_t)64 * 1024)

/* One selection for a class, in however many contexts. */
static bool has_role(const struct rs_associate *request, const char *sop_class)
{
	for (size_t i = 0; i < request->role_count; i++)
		if (rs_str_equal_text(request->roles[i].sop_class, sop_class))
			return true;
	return false;
}

static enum rs_code make_request(const struct rs_dicom_peer *peer, const struct client_proposal *proposals,
                                 size_t count, struct client *client, struct rs_error *err)
{
	struct rs_associate *request = client->request = rs_allocate(sizeof *request);
	size_t called = strlen(peer->called), calling = strlen(peer->calling);
	if (!request)
		return rs_error_memory(err, sizeof *request, "an association");
	if (called == 0 || called >= RS_TITLE_SIZE || calling == 0 || calling >= RS_TITLE_SIZE)
		return rs_error_set(err, RS_USAGE, "AE titles have 1 to %d characters", RS_TITLE_SIZE - 1);
	memcpy(request->called, peer->called, called);
	memcpy(request->calling, peer->calling, calling);
	request->protocol = 1;
	request->application_context = RS_STR(RS_DICOM_APPLICATION_CONTEXT);
	request->implementation_uid = RS_STR(RS_DICOM_IMPLEMENTATION_UID);
	request->implementation_version = RS_STR(RS_DICOM_IMPLEMENTATION_VERSION);
	request->max_length = RS_PDU_SIZE_OFFERED;
	/* All items first: the buffer moves while it grows. */
	rs_buffer_init(&client->syntaxes, RS_CONTEXTS_MAX * (4 + RS_UID_SIZE));
	for (size_t i = 0; i < count; i++)
		rs_presentation_add(&client->syntaxes, rs_str_from(proposals[i].transfer_syntax));
	RS_TRY(rs_buffer_check(&client->syntaxes, "transfer syntaxes", err));
	for (size_t i = 0, at = 0; i < count; i++) {
		size_t size = 4 + strlen(proposals[i].transfer_syntax);
		request->contexts[request->context_count++] = (struct rs_presentation){
			.id = (uint8_t)(2 * i + 1),
			.abstract_syntax = rs_str_from(proposals[i].sop_class),
			.transfer_syntaxes = rs_bytes_of(client->syntaxes.data + at, size),
		};
		if (proposals[i].we_are_scp && !has_role(request, proposals[i].sop_class))
			request->roles[request->role_count++] = (struct rs_role_selection){
				rs_str_from(proposals[i].sop_class), .scu = false, .scp = true};
		at += size;
	}
	return RS_OK;
}

static enum rs_code lost(const struct client *client, struct rs_error *err)
{
	if (client->transport.failure)
		return rs_error_set(err, RS_IO, "TLS: %s", client->transport.failure);
	return rs_error_set(err, RS_IO, "the peer closed the connection, or was silent for too long");
}

static enum rs_code client_write(struct client *client, struct rs_bytes bytes, struct rs_error *err)
{
	while (bytes.size > 0) {
		size_t sent;
		if (transport_write(&client->transport, bytes, &sent) != MOVED_SOME)
			return lost(client, err);
		bytes.data += sent;
		bytes.size -= sent;
	}
	return RS_OK;
}

enum rs_code client_flush(struct client *client, struct rs_error *err)
{
	struct rs_buffer *out = rs_association_out(client->association);
	RS_TRY(client_write(client, rs_buffer_bytes(out), err));
	rs_buffer_clear(out);
	return RS_OK;
}

enum rs_code client_event(struct client *client, struct rs_event *out, struct rs_error *err)
{
	for (;;) {
		size_t used, got;
		if (client->chunk_at == client->chunk_size) {
			if (transport_read(&client->transport, client->chunk, CHUNK_SIZE, &got) != MOVED_SOME)
				return lost(client, err);
			client->chunk_size = got;
			client->chunk_at = 0;
		}
		enum rs_code code = rs_association_take(
			client->association,
			rs_bytes_of(client->chunk + client->chunk_at, client->chunk_size - client->chunk_at),
			&used, out, err);
		if (code != RS_OK) {
			(void)client_flush(client, NULL); /* the abort */
			return code;
		}
		client->chunk_at += used;
		if (out->kind == RS_EVENT_REJECTED)
			return rs_error_set(err, RS_REFUSED, "the peer rejects the association: %s",
			                    rs_reject_text(out->result, out->source, out->reason));
		if (out->kind == RS_EVENT_ABORTED)
			return rs_error_set(err, RS_REFUSED, "the peer aborted: %s",
			                    rs_abort_text(out->source, out->reason));
		if (out->kind != RS_EVENT_NONE)
			return RS_OK;
	}
}

enum rs_code client_message(struct client *client, struct rs_command *out, struct rs_buffer *data,
                            struct rs_error *err)
{
	struct rs_event event;
	RS_TRY(client_event(client, &event, err));
	if (event.kind != RS_EVENT_COMMAND || !(event.command->field & RS_COMMAND_RESPONSE) ||
	    event.command->message != client->message)
		return rs_error_set(err, RS_MALFORMED, "the peer answers something else than was asked");
	*out = *event.command;
	rs_buffer_clear(data);
	for (bool more = rs_command_has_data(out); more; more = !event.is_last) {
		RS_TRY(client_event(client, &event, err));
		if (event.kind != RS_EVENT_DATA)
			return rs_error_set(err, RS_MALFORMED,
			                    "the peer does not send the data set of its answer");
		rs_buffer_append_bytes(data, event.data);
		RS_TRY(rs_buffer_check(data, "the peer's answer", err));
	}
	return RS_OK;
}

enum rs_code client_response(struct client *client, struct rs_command *out, struct rs_error *err)
{
	struct rs_buffer none RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&none, 0);
	return client_message(client, out, &none, err);
}

static enum rs_code connect_to(const struct rs_dicom_peer *peer, struct client *client, struct rs_error *err)
{
	int socket;
	if (peer->is_tls)
		RS_TRY(tls_client(peer->certificate, peer->key, peer->authorities, &client->tls, err));
	RS_TRY(rs_socket_connect(rs_str_from(peer->address), peer->timeout_ms, &socket, err));
	RS_TRY(transport_open(socket, client->tls, peer->is_tls ? peer->address : NULL, &client->transport,
	                      err));
	client->is_connected = true;
	return RS_OK;
}

static enum rs_code associate(struct client *client, struct rs_error *err)
{
	struct rs_event event;
	client->chunk = rs_reallocate(NULL, CHUNK_SIZE);
	if (!client->chunk)
		return rs_error_memory(err, CHUNK_SIZE, "an association");
	RS_TRY(rs_association_open(client->request, &client->association, err));
	RS_TRY(client_flush(client, err));
	RS_TRY(client_event(client, &event, err));
	return event.kind == RS_EVENT_ACCEPTED
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "the peer answers something else than was asked");
}

enum rs_code client_open(const struct rs_dicom_peer *peer, const struct client_proposal *proposals,
                         size_t count, struct client *out, struct rs_error *err)
{
	*out = (struct client){.message = 0};
	enum rs_code code = make_request(peer, proposals, count, out, err);
	if (code == RS_OK)
		code = connect_to(peer, out, err);
	if (code == RS_OK)
		code = associate(out, err);
	if (code == RS_OK)
		return RS_OK;
	bool named = !out->is_connected; /* the socket's own sentence names the address */
	client_close(out);
	if (!named)
		rs_error_context(err, "%s", peer->address);
	return code;
}

void client_close(struct client *client)
{
	struct rs_event event;
	if (client->association && rs_association_is_established(client->association)) {
		rs_association_release(client->association);
		if (client_flush(client, NULL) == RS_OK)
			(void)client_event(client, &event, NULL);
	}
	rs_association_destroy(client->association);
	if (client->is_connected)
		transport_close(&client->transport);
	SSL_CTX_free(client->tls);
	rs_buffer_finish(&client->syntaxes);
	rs_free(client->request);
	rs_free(client->chunk);
	*client = (struct client){.message = 0};
}

const struct rs_context *client_context(const struct client *client, const char *sop_class,
                                        const char *transfer_syntax)
{
	const struct rs_contexts *contexts = rs_association_contexts(client->association);
	for (size_t i = 0; i < contexts->count; i++)
		if (strcmp(contexts->items[i].sop_class, sop_class) == 0 &&
		    strcmp(contexts->items[i].transfer_syntax, transfer_syntax) == 0)
			return &contexts->items[i];
	return NULL;
}

static enum rs_code echo(struct client *client, struct rs_error *err)
{
	const struct rs_context *context = client_context(client, RS_SOP_VERIFICATION, RS_SYNTAX_IMPLICIT_LE);
	struct rs_command request = {.present = RS_HAS(SOP_CLASS) | RS_HAS(FIELD) | RS_HAS(MESSAGE) |
	                                        RS_HAS(DATA),
	                             .sop_class = RS_SOP_VERIFICATION,
	                             .field = RS_C_ECHO_RQ,
	                             .message = ++client->message,
	                             .data = RS_NO_DATA};
	struct rs_command response;
	if (!context)
		return rs_error_set(err, RS_REFUSED, "the peer associates, but takes no verification");
	RS_TRY(rs_association_command(client->association, context->id, &request, err));
	RS_TRY(client_flush(client, err));
	RS_TRY(client_response(client, &response, err));
	return response.status == RS_STATUS_SUCCESS
	               ? RS_OK
	               : rs_error_set(err, RS_REFUSED, "the peer answers with status %04XH", response.status);
}

enum rs_code rs_dicom_peer_echo(const struct rs_dicom_peer *peer, struct rs_error *err)
{
	static const struct client_proposal verification = {RS_SOP_VERIFICATION, RS_SYNTAX_IMPLICIT_LE,
	                                                    false};
	struct client client;
	RS_TRY(client_open(peer, &verification, 1, &client, err));
	enum rs_code code = echo(&client, err);
	if (code != RS_OK)
		rs_error_context(err, "%s", peer->address);
	client_close(&client);
	return code;
}
