/* Reading, answering, waiting; Verification and Storage (PS3.4 annexes A and B). */
#include "held.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "dicom/dicom.h"
#include "ledger/ledger.h"

#define SECOND_NS ((uint64_t)1000000000)
#define ASSOCIATE_NS \
	(10 * SECOND_NS) /* ARTIM (PS3.8 section 9.1.5): to ask for an association, and to close after it */
#define MESSAGE_NS (30 * SECOND_NS) /* for a message, and a second more for every SLOWEST bytes of it */
#define SLOWEST ((uint64_t)16 * 1024)
#define UNSENT_MAX \
	((size_t)64 * 1024) /* of answers that a peer does not take: until it does, it is not read from */
#define READS_MAX 64        /* until other connections have their turn */

enum next { NEXT_READ, NEXT_WAIT, NEXT_CLOSE };

static uint64_t now_ns(const struct connection *connection)
{
	const struct rs_clock *clock = connection->service->world->clock;
	return clock->monotonic_ns(clock);
}

enum rs_code connection_open(struct service *service, int socket, SSL_CTX *tls, const char *host,
                             struct connection **out, struct rs_error *err)
{
	struct transport transport;
	RS_TRY(transport_open(socket, tls, NULL, &transport, err));
	struct connection *connection = rs_allocate(sizeof *connection);
	enum rs_code code = connection ? rs_association_accept_connection(&connection->association, err)
	                               : rs_error_memory(err, sizeof *connection, "a connection");
	if (code != RS_OK) {
		transport_close(&transport);
		rs_free(connection);
		return code;
	}
	connection->service = service;
	connection->transport = transport;
	rs_buffer_init(&connection->rest, CHUNK_SIZE);
	rs_buffer_init(&connection->message, COMMITMENT_SIZE_MAX);
	snprintf(connection->host, sizeof connection->host, "%s", host);
	atomic_init(&connection->deadline_ns, now_ns(connection) + ASSOCIATE_NS);
	*out = connection;
	return RS_OK;
}

static void say(const struct connection *connection, enum rs_log_level level, const char *event,
                const char *reason)
{
	char stored[24], refused[24], bytes[24];
	snprintf(stored, sizeof stored, "%llu", (unsigned long long)connection->stored);
	snprintf(refused, sizeof refused, "%llu", (unsigned long long)connection->refused);
	snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)connection->bytes);
	for (size_t i = 0; i < RS_GATEWAY_EVENT_COUNT; i++)
		if (strcmp(event, rs_gateway_event_name((enum rs_gateway_event)i)) == 0)
			atomic_fetch_add(&connection->service->events[i], 1);
	RS_LOG(connection->service->options->log, level, event,
	       {"peer", rs_association_peer_title(connection->association)}, {"host", connection->host},
	       {"stored", stored}, {"refused", refused}, {"bytes", bytes}, {"reason", reason});
}

void connection_close(struct connection *connection)
{
	connection->service->closed(connection);
	if (connection->is_counted)
		atomic_fetch_sub(&connection->service->associations, 1);
	rs_arrival_abandon(connection->arrival);
	finding_destroy(connection->finding);
	retrieving_destroy(connection->retrieving);
	rs_association_destroy(connection->association);
	rs_buffer_finish(&connection->rest);
	rs_buffer_finish(&connection->message);
	transport_close(&connection->transport);
	rs_free(connection);
}

void connection_expire(struct connection *connection)
{
	atomic_store(&connection->is_expired, true);
	/* Who takes no answers is not read from: only the end of both directions is noticed. */
	(void)shutdown(connection->transport.socket, atomic_load(&connection->is_deaf) ? SHUT_RDWR : SHUT_RD);
}

/* What the time of the next bytes depends on. */
static void set_deadline(struct connection *connection)
{
	bool within = rs_association_is_within(connection->association);
	uint64_t now = now_ns(connection), deadline = now + ASSOCIATE_NS;
	if (rs_association_is_established(connection->association) && within)
		deadline = connection->message_since_ns + MESSAGE_NS +
		           connection->message_bytes / SLOWEST * SECOND_NS;
	else if (rs_association_is_established(connection->association))
		deadline = now + connection->service->options->idle_s * SECOND_NS;
	else if (connection->message_since_ns)
		deadline = connection->message_since_ns + ASSOCIATE_NS;
	atomic_store(&connection->is_busy, within || connection->finding);
	atomic_store(&connection->deadline_ns, deadline);
}

/* Once the socket is armed the connection may be another thread's: nothing of it is looked at any more. */
static bool wait_for(struct connection *connection, int operation, bool now)
{
	size_t unsent = rs_association_out(connection->association)->size;
	bool writes = now || connection->transport.awaits_write || unsent > 0;
	bool reads = unsent <= UNSENT_MAX;
	struct epoll_event event = {.events = EPOLLONESHOT | (reads ? (uint32_t)EPOLLIN : 0) |
	                                      (writes ? (uint32_t)EPOLLOUT : 0),
	                            .data.ptr = connection};
	int epoll = connection->service->epoll, socket = connection->transport.socket;
	atomic_store(&connection->is_deaf, !reads);
	set_deadline(connection);
	return epoll_ctl(epoll, operation, socket, &event) == 0;
}

bool connection_start(struct connection *connection)
{
	connection->message_since_ns = now_ns(connection);
	return wait_for(connection, EPOLL_CTL_ADD, false);
}

/* As much as the socket takes. False when the connection is over. */
static bool flush(struct connection *connection)
{
	struct rs_buffer *out = rs_association_out(connection->association);
	size_t done = 0, sent;
	enum moved moved = MOVED_SOME;
	while (done < out->size && moved == MOVED_SOME) {
		moved = transport_write(&connection->transport,
		                        rs_bytes_of(out->data + done, out->size - done), &sent);
		if (moved == MOVED_SOME)
			done += sent;
	}
	if (done == out->size) {
		rs_buffer_clear(out);
	} else if (done > 0) {
		memmove(out->data, out->data + done, out->size - done);
		out->size -= done;
	}
	return moved != MOVED_END;
}

static enum rs_code respond(struct connection *connection, uint16_t status, const char *reason,
                            struct rs_error *err)
{
	struct rs_command answer;
	rs_command_answer(&connection->request, status, reason, &answer);
	return rs_association_command(connection->association, connection->context, &answer, err);
}

static uint16_t status_of(enum rs_code code)
{
	switch (code) {
	case RS_OK: return RS_STATUS_SUCCESS;
	case RS_USAGE: return RS_STATUS_NOT_OF_ITS_CLASS;
	case RS_MALFORMED:
	case RS_UNSUPPORTED: return RS_STATUS_NOT_UNDERSTOOD;
	case RS_REFUSED: return RS_STATUS_NOT_AUTHORIZED;
	case RS_BUSY:
	case RS_TOO_LARGE:
	case RS_NO_SPACE:
	case RS_NO_MEMORY: return RS_STATUS_OUT_OF_RESOURCES;
	default: return RS_STATUS_PROCESSING_FAILURE;
	}
}

static void refuse(struct connection *connection, uint16_t status, const char *reason)
{
	rs_arrival_abandon(connection->arrival);
	connection->arrival = NULL;
	connection->status = status;
	snprintf(connection->reason, sizeof connection->reason, "%.*s", RS_COMMENT_SIZE - 1, reason);
}

/* Its source's name, as records have it. */
static void source_of(const struct connection *connection, char *out, size_t size)
{
	(void)snprintf(out, size, "dicom %s", rs_association_peer_title(connection->association));
}

/* Envelopes of what follows, or of nothing of ours. */
static void begin_sidecar(struct connection *connection, const struct rs_arrival_claims *claims)
{
	rs_buffer_finish(&connection->message);
	rs_buffer_init(&connection->message, RS_SIDECAR_MAX);
	connection->is_sidecar = rs_dicom_put_meta(claims->sop_class_uid, claims->sop_instance_uid,
	                                           claims->transfer_syntax_uid, claims->implementation_uid,
	                                           &connection->message, NULL) == RS_OK;
}

/* PS3.4 section B.2: the data set that follows goes to the intake as it comes. */
static void begin_store(struct connection *connection, const struct rs_context *context)
{
	const struct rs_command *request = &connection->request;
	const struct rs_arrival_claims claims = {.sop_class_uid = request->sop_class,
	                                         .sop_instance_uid = request->instance,
	                                         .transfer_syntax_uid = context->transfer_syntax,
	                                         .implementation_uid = RS_DICOM_IMPLEMENTATION_UID};
	char source[RS_SOURCE_MAX];
	struct rs_error err = {0};
	source_of(connection, source, sizeof source);
	if (strcmp(context->sop_class, request->sop_class) != 0)
		refuse(connection, RS_STATUS_NOT_OF_ITS_CLASS, "the context is of another SOP class");
	else if (!rs_command_has_data(request))
		refuse(connection, RS_STATUS_NOT_UNDERSTOOD, "there is no data set");
	else if (rs_arrival_begin(connection->service->intake, &claims, &connection->arrival, &err) !=
	                 RS_OK ||
	         rs_arrival_vouch(connection->arrival, source, rs_bytes_of("", 0), &err) != RS_OK)
		refuse(connection, status_of(err.code), err.message);
	if (!connection->arrival)
		return;
	connection->is_awaited = rs_reception_awaits(connection->service->reception, request->instance);
	rs_sha256_init(&connection->hash);
	if (strcmp(request->sop_class, RS_SIDECAR_SOP_CLASS) == 0)
		begin_sidecar(connection, &claims);
}

/* PS3.4 section J.3.2. */
static void begin_commitment(struct connection *connection)
{
	const struct rs_command *request = &connection->request;
	if (strcmp(request->sop_class, RS_SOP_COMMITMENT) != 0 ||
	    strcmp(request->instance, COMMITMENT_INSTANCE) != 0)
		refuse(connection, RS_STATUS_NO_SUCH_INSTANCE, "storage commitment has one instance");
	else if (request->kind != COMMITMENT_ACTION || !rs_command_has_data(request))
		refuse(connection, RS_STATUS_NO_SUCH_ACTION,
		       "storage commitment has one action, with a data set");
}

static bool is_commitment(const struct connection *connection)
{
	return connection->request.field == RS_N_ACTION_RQ && connection->status == RS_STATUS_SUCCESS;
}

/* Within the association, when the peer listens nowhere. */
static enum rs_code report_here(struct connection *connection, uint16_t event, struct rs_bytes report,
                                struct rs_error *err)
{
	const struct rs_command told = {.present = RS_HAS(SOP_CLASS) | RS_HAS(FIELD) | RS_HAS(MESSAGE) |
	                                           RS_HAS(DATA) | RS_HAS(INSTANCE) | RS_HAS(EVENT),
	                                .field = RS_N_EVENT_REPORT_RQ,
	                                .message = ++connection->reports,
	                                .kind = event,
	                                .sop_class = RS_SOP_COMMITMENT,
	                                .instance = COMMITMENT_INSTANCE};
	RS_TRY(rs_association_command(connection->association, connection->context, &told, err));
	return rs_association_data(connection->association, connection->context, report, err);
}

static enum rs_code end_commitment(struct connection *connection, const struct rs_context *context,
                                   struct rs_error *err)
{
	struct service *service = connection->service;
	struct rs_buffer report RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error failure = {0};
	uint16_t event = 0;
	bool elsewhere = connection->peer->port != 0;
	enum rs_code code = commitment_answer(service->intake, rs_buffer_bytes(&connection->message),
	                                      context->transfer_syntax, &report, &event, &failure);
	rs_buffer_finish(&connection->message);
	rs_buffer_init(&connection->message, COMMITMENT_SIZE_MAX);
	if (code == RS_OK && elsewhere)
		code = reporter_add(service->reporter, connection->peer,
		                    rs_association_peer_title(connection->association),
		                    context->transfer_syntax, event, &report, &failure);
	if (code != RS_OK)
		refuse(connection, RS_STATUS_PROCESSING_FAILURE, failure.message);
	RS_TRY(respond(connection, connection->status, connection->reason[0] ? connection->reason : NULL,
	               err));
	return code == RS_OK && !elsewhere ? report_here(connection, event, rs_buffer_bytes(&report), err)
	                                   : RS_OK;
}

/* PS3.4 sections C.4.1.3.2, C.4.2.3.2, C.4.3.3.2: the identifier follows. */
static void begin_query(struct connection *connection, const struct rs_context *context)
{
	if (strcmp(context->sop_class, connection->request.sop_class) != 0)
		refuse(connection, RS_STATUS_NOT_OF_ITS_CLASS, "the context is of another SOP class");
	else if (!rs_command_has_data(&connection->request))
		refuse(connection, RS_STATUS_NOT_UNDERSTOOD, "there is no identifier");
}

static bool is_query(const struct connection *connection)
{
	const uint16_t field = connection->request.field;
	return (field == RS_C_FIND_RQ || field == RS_C_GET_RQ || field == RS_C_MOVE_RQ) &&
	       connection->status == RS_STATUS_SUCCESS;
}

static enum rs_code end_find(struct connection *connection, const struct rs_context *context,
                             struct rs_error *err)
{
	struct rs_error failure = {0};
	enum rs_code code = finding_create(&connection->service->finding, &connection->request, context,
	                                   connection->peer->purpose, rs_buffer_bytes(&connection->message),
	                                   &connection->finding, &failure);
	rs_buffer_clear(&connection->message);
	return code == RS_OK ? RS_OK : respond(connection, status_of(code), failure.message, err);
}

static enum rs_code end_retrieve(struct connection *connection, const struct rs_context *context,
                                 bool *out_waits, struct rs_error *err)
{
	struct rs_error failure = {0};
	enum rs_code code = retrieving_create(&connection->service->retrieving, &connection->request, context,
	                                      connection->peer, rs_buffer_bytes(&connection->message),
	                                      &connection->retrieving, &failure);
	rs_buffer_clear(&connection->message);
	*out_waits = code == RS_OK;
	if (code == RS_OK)
		return RS_OK;
	say(connection, RS_LOG_WARNING, "retrieval_refused", failure.message);
	return respond(connection, code == RS_NOT_FOUND ? RS_STATUS_UNKNOWN_DESTINATION : status_of(code),
	               failure.message, err);
}

static void tell_of_retrieval(const struct connection *connection, enum rs_code code,
                              const struct rs_error *err)
{
	const struct retrieving_summary summary = retrieving_summary(connection->retrieving);
	char found[24], hidden[24], completed[8], failed[8], warned[8], status[8];
	bool fine = code == RS_OK && summary.failed == 0 && summary.reason[0] == '\0';
	snprintf(found, sizeof found, "%zu", summary.found);
	snprintf(hidden, sizeof hidden, "%llu", (unsigned long long)summary.hidden);
	snprintf(completed, sizeof completed, "%u", summary.completed);
	snprintf(failed, sizeof failed, "%u", summary.failed);
	snprintf(warned, sizeof warned, "%u", summary.warned);
	snprintf(status, sizeof status, "%04XH", (unsigned)summary.status);
	RS_LOG(connection->service->options->log, fine && summary.hidden == 0 ? RS_LOG_INFO : RS_LOG_WARNING,
	       "retrieval", {"peer", rs_association_peer_title(connection->association)},
	       {"host", connection->host}, {"to", summary.destination}, {"level", summary.level},
	       {"instances", found}, {"not_permitted", hidden}, {"completed", completed}, {"failed", failed},
	       {"warned", warned}, {"status", code == RS_OK ? status : "none"},
	       {"reason", code == RS_OK ? summary.reason : err->message});
}

/* By a thread of its own, which then gives the connection back. */
static void retrieve(void *context)
{
	struct connection *connection = context;
	struct rs_error err = {0};
	struct held held;
	enum rs_code code = held_begin(connection, connection->request.message, &held, &err);
	if (code == RS_OK)
		code = retrieving_run(connection->retrieving, &held, &err);
	held_end(&held);
	tell_of_retrieval(connection, code, &err);
	retrieving_destroy(connection->retrieving);
	connection->retrieving = NULL;
	if (code == RS_MALFORMED)
		rs_association_abort(connection->association, RS_ABORT_PROVIDER, RS_ABORT_UNEXPECTED_PDU);
	if (code != RS_OK)
		(void)flush(connection);
	if (code != RS_OK || !wait_for(connection, EPOLL_CTL_MOD, connection->rest.size > 0))
		connection_close(connection);
}

/* False when the connection is still the worker's. */
static bool hand_over(struct connection *connection)
{
	struct rs_error err = {0};
	atomic_store(&connection->is_busy, true);
	atomic_store(&connection->deadline_ns, UINT64_MAX);
	if (hands_give(&connection->service->retrieving.hands, retrieve, connection))
		return true;
	retrieving_destroy(connection->retrieving);
	connection->retrieving = NULL;
	(void)respond(connection, RS_STATUS_OUT_OF_RESOURCES + 2, "as many retrievals as are served at once",
	              &err);
	(void)flush(connection);
	return false;
}

/* One page; the peer may cancel between two. */
static enum next go_on_finding(struct connection *connection)
{
	struct rs_error err = {0};
	bool ended;
	if (finding_go_on(connection->finding, connection->association, &ended, &err) != RS_OK)
		return NEXT_CLOSE;
	if (ended) {
		const struct finding_summary summary = finding_summary(connection->finding);
		char matches[24], hidden[24], status[8];
		snprintf(matches, sizeof matches, "%llu", (unsigned long long)summary.matches);
		snprintf(hidden, sizeof hidden, "%llu", (unsigned long long)summary.hidden);
		snprintf(status, sizeof status, "%04XH", (unsigned)summary.status);
		RS_LOG(connection->service->options->log,
		       summary.hidden || summary.status != RS_STATUS_SUCCESS ? RS_LOG_WARNING : RS_LOG_INFO,
		       "query", {"peer", rs_association_peer_title(connection->association)},
		       {"host", connection->host}, {"level", summary.level}, {"matches", matches},
		       {"not_permitted", hidden}, {"status", status});
		finding_destroy(connection->finding);
		connection->finding = NULL;
	}
	return flush(connection) ? NEXT_READ : NEXT_CLOSE;
}

/* While a query is answered, nothing but its end may be asked for: no more than one operation was agreed on. */
static enum rs_code take_meanwhile(struct connection *connection, const struct rs_command *command,
                                   struct rs_error *err)
{
	if (command->field == RS_C_CANCEL_RQ && finding_is(connection->finding, command->message))
		finding_cancel(connection->finding);
	return command->field == RS_C_CANCEL_RQ
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "a request came while another is answered");
}

/* A command; a data set may follow, which is waited for even when the answer is no already. */
static enum rs_code take_command(struct connection *connection, const struct rs_event *event,
                                 struct rs_error *err)
{
	const unsigned storage = RS_SERVICE_STORAGE | RS_SERVICE_STORAGE_PRIVATE;
	const unsigned service = event->context->service;
	const uint16_t field = event->command->field;
	if (connection->finding)
		return take_meanwhile(connection, event->command, err);
	connection->request = *event->command;
	connection->context = event->context->id;
	connection->status = RS_STATUS_SUCCESS;
	connection->reason[0] = '\0';
	connection->is_awaited = connection->is_sidecar = false;
	rs_buffer_clear(&connection->message);
	/* Answers to reports; and cancelling what is over: nothing here takes long enough for that. */
	if ((field & RS_COMMAND_RESPONSE) || field == RS_C_CANCEL_RQ)
		return RS_OK;
	/* A context may be there only because the peer retrieves: then it stores nothing by it. */
	if (field == RS_C_STORE_RQ && (service & storage & connection->peer->takes.services))
		begin_store(connection, event->context);
	else if (field == RS_N_ACTION_RQ && service == RS_SERVICE_COMMITMENT)
		begin_commitment(connection);
	else if ((field == RS_C_FIND_RQ && service == RS_SERVICE_FIND) ||
	         (field == RS_C_GET_RQ && service == RS_SERVICE_GET) ||
	         (field == RS_C_MOVE_RQ && service == RS_SERVICE_MOVE))
		begin_query(connection, event->context);
	else if (field != RS_C_ECHO_RQ || service != RS_SERVICE_VERIFICATION)
		refuse(connection, RS_STATUS_UNRECOGNIZED_OPERATION, "this context does not serve that");
	if (rs_command_has_data(event->command))
		return RS_OK;
	connection->refused += connection->status != RS_STATUS_SUCCESS;
	return respond(connection, connection->status, connection->reason[0] ? connection->reason : NULL,
	               err);
}

/* *out_waits: the arrival is whole, and to be admitted, or a retrieval is to be served. */
static enum rs_code take_data(struct connection *connection, const struct rs_event *event, bool *out_waits,
                              struct rs_error *err)
{
	struct rs_error failure = {0};
	if (connection->arrival && rs_arrival_add(connection->arrival, event->data, &failure) != RS_OK)
		refuse(connection, status_of(failure.code), failure.message);
	if (connection->is_awaited)
		rs_sha256_update(&connection->hash, event->data.data, event->data.size);
	if (connection->is_sidecar)
		connection->is_sidecar = rs_buffer_append_bytes(&connection->message, event->data) == RS_OK;
	if ((is_commitment(connection) || is_query(connection)) &&
	    rs_buffer_append_bytes(&connection->message, event->data) != RS_OK)
		refuse(connection, RS_STATUS_PROCESSING_FAILURE, "the request is too large");
	connection->bytes += event->data.size;
	*out_waits = connection->is_whole = event->is_last && connection->arrival;
	if (!event->is_last || connection->arrival || (connection->request.field & RS_COMMAND_RESPONSE))
		return RS_OK;
	if (is_commitment(connection))
		return end_commitment(connection, event->context, err);
	if (is_query(connection))
		return connection->request.field == RS_C_FIND_RQ
		               ? end_find(connection, event->context, err)
		               : end_retrieve(connection, event->context, out_waits, err);
	connection->refused++;
	return respond(connection, connection->status, connection->reason, err);
}

static void reject(struct connection *connection, enum rs_reject reason, const char *why)
{
	rs_association_reject(connection->association, reason);
	say(connection, RS_LOG_WARNING, "association_rejected", why);
}

static enum rs_code take_request(struct connection *connection, const struct rs_event *event,
                                 struct rs_error *err)
{
	struct service *service = connection->service;
	const struct rs_associate *associate = event->associate;
	if (strcmp(associate->called, service->options->ae_title) != 0) {
		reject(connection, RS_REJECT_CALLED_TITLE, "it called another AE title");
		return RS_OK;
	}
	connection->peer = peers_find(service->peers, associate->calling, connection->host);
	if (!connection->peer) {
		reject(connection, RS_REJECT_CALLING_TITLE, "its AE title or address is not among the peers");
		return RS_OK;
	}
	connection->is_counted = true;
	if (atomic_fetch_add(&service->associations, 1) >= service->options->associations_max ||
	    atomic_load(&service->stopping)) {
		reject(connection, RS_REJECT_LIMIT, "there are as many associations as are allowed");
		return RS_OK;
	}
	RS_TRY(rs_association_accept(connection->association, &connection->peer->takes, err));
	say(connection, RS_LOG_INFO, "association", "accepted");
	return RS_OK;
}

static enum rs_code take_event(struct connection *connection, const struct rs_event *event, bool *out_waits,
                               struct rs_error *err)
{
	switch (event->kind) {
	case RS_EVENT_REQUESTED: return take_request(connection, event, err);
	case RS_EVENT_COMMAND: return take_command(connection, event, err);
	case RS_EVENT_DATA: return take_data(connection, event, out_waits, err);
	case RS_EVENT_RELEASE:
		rs_association_release_answer(connection->association);
		say(connection, RS_LOG_INFO, "association", "released");
		return RS_OK;
	case RS_EVENT_ABORTED:
		say(connection, RS_LOG_WARNING, "association", "aborted by the peer");
		return RS_OK;
	default: return RS_OK;
	}
}

/* What was received. After NEXT_WAIT what is left of it lies in `rest`. */
static enum next take(struct connection *connection, struct rs_bytes bytes)
{
	struct rs_error err = {0};
	bool waits = false;
	if (!rs_association_is_within(connection->association)) {
		connection->message_since_ns = now_ns(connection);
		connection->message_bytes = 0;
	}
	connection->message_bytes += bytes.size;
	while (bytes.size > 0 && !waits) {
		struct rs_event event;
		size_t used;
		enum rs_code code = rs_association_take(connection->association, bytes, &used, &event, &err);
		if (code == RS_OK)
			code = take_event(connection, &event, &waits, &err);
		if (code != RS_OK) {
			say(connection, RS_LOG_WARNING, "association_broken", err.message);
			break;
		}
		bytes.data += used;
		bytes.size -= used;
	}
	if (waits && rs_buffer_append_bytes(&connection->rest, bytes) != RS_OK)
		return NEXT_CLOSE;
	if (!flush(connection))
		return NEXT_CLOSE;
	return waits ? NEXT_WAIT : NEXT_READ;
}

/* An instance is durable, or refused. */
static void stored(void *context, enum rs_code code, const struct rs_admit_result *result,
                   const struct rs_error *err)
{
	struct connection *connection = context;
	struct rs_error failure = {0};
	(void)result;
	connection->stored += code == RS_OK;
	connection->refused += code != RS_OK;
	if (code != RS_OK)
		say(connection, RS_LOG_WARNING, "instance_refused", err->message);
	if (respond(connection, status_of(code), code == RS_OK ? NULL : err->message, &failure) != RS_OK ||
	    !flush(connection) || !wait_for(connection, EPOLL_CTL_MOD, connection->rest.size > 0))
		connection_close(connection);
}

/* The deadline passed, or the server stops and nothing is under way. */
static void break_off(struct connection *connection)
{
	rs_association_abort(connection->association, RS_ABORT_PROVIDER, RS_ABORT_UNSPECIFIED);
	say(connection, RS_LOG_WARNING, "association_broken",
	    atomic_load(&connection->service->stopping) ? "the server stops" : "the peer was silent or slow");
	(void)flush(connection);
}

static enum next read_some(struct connection *connection, uint8_t *chunk)
{
	size_t got;
	enum moved moved = transport_read(&connection->transport, chunk, CHUNK_SIZE, &got);
	if (moved == MOVED_SOME)
		return take(connection, rs_bytes_of(chunk, got));
	if (moved == MOVED_NOTHING)
		return NEXT_WAIT;
	if (connection->transport.failure)
		say(connection, RS_LOG_WARNING, "tls_refused", connection->transport.failure);
	else if (atomic_load(&connection->is_expired))
		break_off(connection);
	else if (rs_association_is_established(connection->association))
		say(connection, RS_LOG_WARNING, "association_broken", "the connection was lost");
	return NEXT_CLOSE;
}

/* What was received while the last instance was waited for. */
static enum next take_rest(struct connection *connection)
{
	struct rs_buffer rest = connection->rest;
	rs_buffer_init(&connection->rest, CHUNK_SIZE);
	enum next next = take(connection, rs_buffer_bytes(&rest));
	rs_buffer_finish(&rest);
	return next;
}

/* The instance is whole. Envelopes are remembered before it is answered. */
static void admit(struct connection *connection, struct rs_arrival *arrival)
{
	struct rs_reception *reception = connection->service->reception;
	struct rs_error err = {0};
	struct rs_digest sha256;
	char source[RS_SOURCE_MAX];
	source_of(connection, source, sizeof source);
	if (connection->is_sidecar &&
	    rs_reception_sidecar(reception, rs_buffer_bytes(&connection->message), &err) != RS_OK &&
	    err.code != RS_NOT_FOUND)
		say(connection, RS_LOG_WARNING, "envelopes_refused", err.message);
	rs_sha256_final(&connection->hash, &sha256);
	rs_reception_admit(reception, arrival, connection->request.instance,
	                   connection->is_awaited ? &sha256 : NULL, source, stored, connection);
}

void connection_serve(struct connection *connection, uint8_t *chunk)
{
	/* Pairs with set_deadline(): what the thread before did is seen here. */
	(void)atomic_load(&connection->deadline_ns);
	enum next next = flush(connection) ? NEXT_READ : NEXT_CLOSE;
	if (next == NEXT_CLOSE && atomic_load(&connection->is_expired))
		say(connection, RS_LOG_WARNING, "association_broken", "the peer does not take its answers");
	if (next == NEXT_READ && connection->rest.size > 0)
		next = take_rest(connection);
	for (int reads = 0; next == NEXT_READ && reads < READS_MAX; reads++) {
		size_t unsent = rs_association_out(connection->association)->size;
		if (unsent > UNSENT_MAX) {
			next = NEXT_WAIT;
			break;
		}
		if (rs_association_is_over(connection->association) && unsent == 0)
			(void)shutdown(connection->transport.socket, SHUT_WR);
		next = read_some(connection, chunk);
		if (connection->finding && next != NEXT_CLOSE)
			next = go_on_finding(connection);
	}
	if (next == NEXT_WAIT && connection->retrieving && hand_over(connection))
		return;
	struct rs_arrival *arrival = connection->arrival;
	if (next == NEXT_WAIT && connection->is_whole) {
		/* From here on the connection is of who commits. */
		connection->arrival = NULL;
		connection->is_whole = false;
		atomic_store(&connection->is_busy, true);
		atomic_store(&connection->deadline_ns, UINT64_MAX);
		admit(connection, arrival);
	} else if (next == NEXT_CLOSE || !wait_for(connection, EPOLL_CTL_MOD, next == NEXT_READ)) {
		connection_close(connection);
	}
}
