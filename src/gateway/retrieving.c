/* Identifiers of retrievals, sub-operations one by one, and what is said of them. */
#include "retrieving.h"

#include <string.h>

#include "held.h"
#include "taking.h"

#define TAG_PATIENT RS_DICOM_TAG(0x0010, 0x0020)
#define TAG_STUDY RS_DICOM_TAG(0x0020, 0x000D)
#define TAG_SERIES RS_DICOM_TAG(0x0020, 0x000E)
#define TAG_INSTANCE RS_DICOM_TAG(0x0008, 0x0018)
#define FAILED_LIST RS_DICOM_TAG(0x0008, 0x0058)
#define FAILED_MAX ((size_t)UINT16_MAX - 1) /* bytes of a UI element where its length has two */
#define STATUS_NO_MATCHES_COUNTED 0xA701    /* PS3.4 tables C.4-2 and C.4-3 */
#define STATUS_NO_SUBOPERATION 0xA702
#define PATIENCE_MS 60000 /* of a destination, at least */

struct retrieving {
	struct retrieving_service *service;
	struct rs_command request;
	uint8_t context;
	bool is_implicit;
	const struct peer *peer;        /* who asks */
	const struct peer *destination; /* NULL: C-GET */
	struct identifier identifier;
	struct picked_list list;
	size_t at; /* the next of them */
	struct taking taking;
	unsigned completed, failed, warned; /* at most PICKED_MAX */
	uint16_t status;
	struct rs_buffer failed_uids;
	struct rs_error first;
	bool is_cancelled;
};

/* ---- what is asked for ---- */

/* Unique keys alone (PS3.4 section C.4.2.2.1), that of the level with a value, and none that stands for anything: never more is
 * sent than was meant. What the catalogue does not know, and what is empty, does no harm. */
static enum rs_code check_keys(const struct identifier *identifier, struct rs_error *err)
{
	static const uint32_t unique[RS_LEVEL_COUNT] = {TAG_PATIENT, TAG_STUDY, TAG_SERIES, TAG_INSTANCE};
	bool has_own = false;
	for (size_t i = 0; i < identifier->key_count; i++) {
		const struct rs_catalogue_key *key = &identifier->keys[i];
		size_t level = 0;
		if (key->value.size == 0)
			continue;
		while (level < RS_LEVEL_COUNT && unique[level] != key->tag)
			level++;
		if (level > identifier->level)
			return rs_error_set(err, RS_USAGE,
			                    "(%04X,%04X) is no unique key at or above the level",
			                    key->tag >> 16, key->tag & 0xFFFF);
		if (memchr(key->value.data, '*', key->value.size) ||
		    memchr(key->value.data, '?', key->value.size))
			return rs_error_set(err, RS_USAGE, "a retrieval has no wildcards");
		has_own = has_own || level == identifier->level;
	}
	return has_own ? RS_OK
	               : rs_error_set(err, RS_USAGE, "the unique key of the level is missing, or empty");
}

enum rs_code retrieving_create(struct retrieving_service *service, const struct rs_command *request,
                               const struct rs_context *context, const struct peer *peer,
                               struct rs_bytes identifier, struct retrieving **out, struct rs_error *err)
{
	struct retrieving *retrieving = rs_allocate(sizeof *retrieving);
	if (!retrieving)
		return rs_error_memory(err, sizeof *retrieving, "a retrieval");
	retrieving->service = service;
	retrieving->request = *request;
	retrieving->context = context->id;
	retrieving->is_implicit = strcmp(context->transfer_syntax, RS_SYNTAX_IMPLICIT_LE) == 0;
	retrieving->peer = peer;
	retrieving->taking.service = service;
	rs_buffer_init(&retrieving->failed_uids, FAILED_MAX);
	enum rs_code code = identifier_read(identifier, context->sop_class, context->transfer_syntax,
	                                    &retrieving->identifier, err);
	if (code == RS_OK)
		code = check_keys(&retrieving->identifier, err);
	if (code == RS_OK && request->field == RS_C_MOVE_RQ) {
		retrieving->destination = peers_destination(service->peers, request->title);
		if (!retrieving->destination)
			code = rs_error_set(err, RS_NOT_FOUND,
			                    "no peer of that title has an address and port");
	}
	if (code != RS_OK) {
		retrieving_destroy(retrieving);
		return code;
	}
	*out = retrieving;
	return RS_OK;
}

void retrieving_destroy(struct retrieving *retrieving)
{
	if (!retrieving)
		return;
	identifier_finish(&retrieving->identifier);
	picked_finish(&retrieving->list);
	taking_finish(&retrieving->taking);
	rs_buffer_finish(&retrieving->failed_uids);
	rs_free(retrieving);
}

struct retrieving_summary retrieving_summary(const struct retrieving *retrieving)
{
	return (struct retrieving_summary){rs_level_name(retrieving->identifier.level),
	                                   retrieving->list.count,
	                                   retrieving->list.hidden,
	                                   retrieving->completed,
	                                   retrieving->failed,
	                                   retrieving->warned,
	                                   retrieving->status,
	                                   retrieving->destination ? retrieving->destination->title : "",
	                                   retrieving->first.message};
}

/* ---- what is answered ---- */

static enum rs_code put_failed(struct retrieving *retrieving, struct rs_association *association,
                               struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	rs_buffer_append_u8(&retrieving->failed_uids, 0);
	rs_dicom_builder_init(&builder, retrieving->is_implicit ? RS_DICOM_IMPLICIT_LE : RS_DICOM_EXPLICIT_LE,
	                      2 * FAILED_MAX);
	rs_dicom_builder_text(&builder, FAILED_LIST, "UI", (const char *)retrieving->failed_uids.data);
	if (builder.failure.code != RS_OK)
		return rs_error_set(err, builder.failure.code, "%s", builder.failure.message);
	RS_TRY(rs_buffer_check(&builder.body, "a response", err));
	return rs_association_data(association, retrieving->context, rs_buffer_bytes(&builder.body), err);
}

static enum rs_code respond(struct retrieving *retrieving, struct held *asker, uint16_t status,
                            const char *comment, struct rs_error *err)
{
	struct rs_association *association = asker->connection->association;
	struct rs_command answer;
	const bool is_pending = status == RS_STATUS_PENDING;
	const bool has_list = !is_pending && retrieving->failed_uids.size > 0;
	rs_command_answer(&retrieving->request, status, comment, &answer);
	retrieving->status = status;
	answer.present |= RS_HAS(COMPLETED) | RS_HAS(FAILED) | RS_HAS(WARNED);
	if (is_pending || status == RS_STATUS_CANCELLED)
		answer.present |= RS_HAS(REMAINING);
	answer.remaining = (uint16_t)(retrieving->list.count - retrieving->at);
	answer.completed = (uint16_t)retrieving->completed;
	answer.failed = (uint16_t)retrieving->failed;
	answer.warned = (uint16_t)retrieving->warned;
	if (has_list)
		answer.data = (uint16_t)(RS_NO_DATA + 1);
	RS_TRY(rs_association_command(association, retrieving->context, &answer, err));
	if (has_list)
		RS_TRY(put_failed(retrieving, association, err));
	return held_flush(asker, err);
}

static void count_failure(struct retrieving *retrieving, const struct rs_error *reason)
{
	struct rs_buffer *list = &retrieving->failed_uids;
	const char *uid = retrieving->list.items[retrieving->at++].instance;
	retrieving->failed++;
	if (retrieving->first.code == RS_OK)
		retrieving->first = *reason;
	if (list->size + strlen(uid) + 3 > FAILED_MAX) /* with a separator, and padding */
		return;
	if (list->size > 0)
		rs_buffer_append_u8(list, '\\');
	rs_buffer_append_text(list, uid);
}

static void count_status(struct retrieving *retrieving, uint16_t status)
{
	struct rs_error reason = {0};
	if (status == RS_STATUS_SUCCESS || (status & 0xF000) == 0xB000) {
		retrieving->at++;
		retrieving->completed += status == RS_STATUS_SUCCESS;
		retrieving->warned += status != RS_STATUS_SUCCESS;
		return;
	}
	rs_error_set(&reason, RS_REFUSED, "it was answered with status %04XH", status);
	count_failure(retrieving, &reason);
}

/* PS3.4 section C.4.2.3.1: what all of it came to. */
static enum rs_code conclude(struct retrieving *retrieving, struct held *asker, struct rs_error *err)
{
	const bool any = retrieving->completed > 0 || retrieving->warned > 0;
	const char *why = retrieving->first.code == RS_OK ? NULL : retrieving->first.message;
	if (retrieving->is_cancelled)
		return respond(retrieving, asker, RS_STATUS_CANCELLED, NULL, err);
	if (retrieving->failed == 0)
		return respond(retrieving, asker, RS_STATUS_SUCCESS, NULL, err);
	return respond(retrieving, asker, any ? RS_STATUS_SUBOPERATIONS_FAILED : STATUS_NO_SUBOPERATION, why,
	               err);
}

/* ---- sub-operations ---- */

/* Whether the peer wants no more; and what is left fails when the server stops. Tells how far it is. */
static enum rs_code between(struct retrieving *retrieving, struct held *asker, struct rs_error *err)
{
	struct rs_error stops = {0};
	RS_TRY(held_look(asker, err));
	retrieving->is_cancelled = asker->is_cancelled && retrieving->at < retrieving->list.count;
	if (atomic_load(&asker->connection->service->stopping)) {
		rs_error_set(&stops, RS_CANCELLED, "the server stops");
		while (retrieving->at < retrieving->list.count)
			count_failure(retrieving, &stops);
	}
	if (retrieving->is_cancelled || retrieving->at == retrieving->list.count)
		return RS_OK;
	return respond(retrieving, asker, RS_STATUS_PENDING, NULL, err);
}

/* One of them over an association; a failure is that of the association. */
static enum rs_code send_next(struct retrieving *retrieving, const struct link *link, size_t end,
                              struct rs_error *err)
{
	const struct picked *picked = &retrieving->list.items[retrieving->at];
	struct rs_error reason;
	uint16_t status = 0;
	RS_TRY(taking_send(&retrieving->taking, link, picked, retrieving->at + 1 < end ? picked + 1 : NULL,
	                   &status, &reason, err));
	if (reason.code != RS_OK)
		count_failure(retrieving, &reason);
	else
		count_status(retrieving, status);
	return RS_OK;
}

static enum rs_code get(struct retrieving *retrieving, struct held *asker, struct rs_error *err)
{
	const struct link link = held_link(asker);
	while (retrieving->at < retrieving->list.count && !retrieving->is_cancelled) {
		RS_TRY(send_next(retrieving, &link, retrieving->list.count, err));
		RS_TRY(between(retrieving, asker, err));
	}
	return RS_OK;
}

/* Without those that the destination's line does not name. */
static size_t keep_taken(const struct peer *peer, struct client_proposal *proposals, size_t from,
                         size_t count)
{
	size_t kept = from;
	for (size_t i = from; i < count; i++) {
		struct rs_str rest = rs_str_from(peer->takes.transfer_syntaxes), one;
		bool named = peer->takes.transfer_syntaxes == NULL;
		while (!named && rs_str_split(&rest, ',', &one))
			named = rs_str_equal_text(rs_str_trim(one), proposals[i].transfer_syntax);
		if (named)
			proposals[kept++] = proposals[i];
	}
	return kept;
}

/* Contexts for the next instances, as many as one association can have; gives the first that has none. */
static size_t propose(const struct retrieving *retrieving, struct client_proposal out[static RS_CONTEXTS_MAX],
                      size_t *out_count)
{
	size_t i = retrieving->at;
	*out_count = 0;
	for (; i < retrieving->list.count; i++) {
		const struct picked *picked = &retrieving->list.items[i];
		size_t count = storing_propose(out, *out_count, picked->sop_class, picked->syntax);
		if (count == RS_CONTEXTS_MAX && *out_count > 0 && count > *out_count)
			break; /* some of its own may have found no room */
		*out_count = keep_taken(retrieving->destination, out, *out_count, count);
	}
	return i;
}

static void fail_rest(struct retrieving *retrieving, size_t end, const struct rs_error *reason)
{
	while (retrieving->at < end)
		count_failure(retrieving, reason);
}

/* *out_lost: the connection to the destination, with the reason; a failure is that of who asks. */
static enum rs_code move_some(struct retrieving *retrieving, struct held *asker, struct client *client,
                              size_t end, struct rs_error *out_lost, struct rs_error *err)
{
	const struct link link = client_link(client);
	while (retrieving->at < end && !retrieving->is_cancelled) {
		if (send_next(retrieving, &link, end, out_lost) != RS_OK)
			count_failure(retrieving, out_lost);
		RS_TRY(between(retrieving, asker, err));
		if (out_lost->code != RS_OK)
			break;
	}
	return RS_OK;
}

static struct rs_dicom_peer destination_of(const struct retrieving *retrieving,
                                           char address[static PEER_ADDRESS_SIZE])
{
	const struct rs_gateway_options *options = retrieving->service->options;
	const struct peer *peer = retrieving->destination;
	const unsigned idle_ms = options->idle_s * 1000;
	peer_address(peer, address);
	return (struct rs_dicom_peer){.address = address,
	                              .called = peer->title,
	                              .calling = options->ae_title,
	                              .is_tls = peer->is_tls,
	                              .certificate = options->certificate,
	                              .key = options->key,
	                              .authorities = options->authorities,
	                              .timeout_ms = idle_ms < PATIENCE_MS ? idle_ms : PATIENCE_MS};
}

/* A connection that breaks is made anew for what is left, as long as something came through the one before. */
static enum rs_code move(struct retrieving *retrieving, struct held *asker, struct rs_error *err)
{
	char address[PEER_ADDRESS_SIZE];
	const struct rs_dicom_peer peer = destination_of(retrieving, address);
	retrieving->taking.originator = rs_association_peer_title(asker->connection->association);
	retrieving->taking.originator_message = retrieving->request.message;
	while (retrieving->at < retrieving->list.count && !retrieving->is_cancelled) {
		struct client_proposal proposals[RS_CONTEXTS_MAX];
		struct rs_error lost = {0};
		struct client client;
		size_t count, end = propose(retrieving, proposals, &count);
		const unsigned before = retrieving->completed + retrieving->warned;
		if (count == 0) {
			rs_error_set(&lost, RS_UNSUPPORTED,
			             "the destination takes no transfer syntax of theirs");
			fail_rest(retrieving, end, &lost);
			continue;
		}
		enum rs_code code = client_open(&peer, proposals, count, &client, &lost);
		if (code == RS_OK) {
			code = move_some(retrieving, asker, &client, end, &lost, err);
			if (lost.code != RS_OK) /* nobody there to release it */
				rs_association_abort(client.association, RS_ABORT_USER, RS_ABORT_UNSPECIFIED);
			client_close(&client);
			RS_TRY(code);
		}
		if (lost.code != RS_OK && retrieving->completed + retrieving->warned == before)
			fail_rest(retrieving, retrieving->list.count, &lost);
	}
	return RS_OK;
}

static enum rs_code pick(struct retrieving *retrieving, struct rs_error *err)
{
	struct retrieving_service *service = retrieving->service;
	const struct rs_find find = {
		.actor = service->actor,
		.purpose = retrieving->peer->purpose,
		.query = {RS_LEVEL_IMAGE, retrieving->identifier.keys, retrieving->identifier.key_count}};
	return pick_instances(service->intake, service->finder, &find, NULL, &retrieving->list, err);
}

static uint16_t status_of(enum rs_code code)
{
	switch (code) {
	case RS_USAGE: return RS_STATUS_NOT_OF_ITS_CLASS;
	case RS_REFUSED: return RS_STATUS_NOT_AUTHORIZED;
	case RS_TOO_LARGE:
	case RS_NO_MEMORY: return STATUS_NO_MATCHES_COUNTED;
	default: return RS_STATUS_NOT_UNDERSTOOD;
	}
}

enum rs_code retrieving_run(struct retrieving *retrieving, struct held *asker, struct rs_error *err)
{
	struct rs_error reason = {0};
	if (pick(retrieving, &reason) != RS_OK) {
		retrieving->first = reason;
		retrieving->at = retrieving->list.count = 0;
		return respond(retrieving, asker, status_of(reason.code), reason.message, err);
	}
	RS_TRY(between(retrieving, asker, err));
	RS_TRY(retrieving->destination ? move(retrieving, asker, err) : get(retrieving, asker, err));
	return conclude(retrieving, asker, err);
}
