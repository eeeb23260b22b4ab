/* The user of C-GET (PS3.4 section C.4.3): within its association the archive stores, and this side answers. */
#include "receiving.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "dicomnet/dicomnet_association.h"
#include "ledger/ledger.h"
#include "workflow/workflow_intake.h"

#define LISTED_MAX ((size_t)1 << 20)

void listed_finish(struct listed_list *list) { rs_free(list->items); }

enum rs_code listed_add(struct listed_list *list, struct rs_str instance, struct rs_str sop_class,
                        struct rs_error *err)
{
	if (list->count == LISTED_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the archive lists more than %zu instances",
		                    LISTED_MAX);
	if (!rs_dicom_uid_valid(instance) || instance.size >= UID_SIZE || sop_class.size >= UID_SIZE)
		return rs_error_set(err, RS_MALFORMED, "the archive lists an instance without a sound UID");
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct listed *items = rs_reallocate(list->items, capacity * sizeof *items);
		if (!items)
			return rs_error_memory(err, capacity * sizeof *items, "a list of instances");
		list->items = items;
		list->capacity = capacity;
	}
	struct listed *listed = &list->items[list->count++];
	memset(listed, 0, sizeof *listed);
	memcpy(listed->instance, instance.data, instance.size);
	if (sop_class.size)
		memcpy(listed->sop_class, sop_class.data, sop_class.size);
	return RS_OK;
}

static int by_instance(const void *a, const void *b)
{
	const struct listed *first = a, *second = b;
	return strcmp(first->instance, second->instance);
}

void listed_sort(struct listed_list *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof *list->items, by_instance);
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 || strcmp(list->items[kept - 1].instance, list->items[i].instance) != 0)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

/* Asked for besides what the archive stores in, so that it sends what it has: the frequent ones first. */
static const char *const syntaxes[] = {
	RS_SYNTAX_EXPLICIT_LE,     RS_SYNTAX_IMPLICIT_LE,     "1.2.840.10008.1.2.4.90",
	"1.2.840.10008.1.2.4.70",  "1.2.840.10008.1.2.4.50",  "1.2.840.10008.1.2.4.80",
	"1.2.840.10008.1.2.5",     "1.2.840.10008.1.2.4.91",  "1.2.840.10008.1.2.4.81",
	"1.2.840.10008.1.2.4.57",  "1.2.840.10008.1.2.4.51",  "1.2.840.10008.1.2.1.99",
	"1.2.840.10008.1.2.2",     "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102",
	"1.2.840.10008.1.2.4.103", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202",
	"1.2.840.10008.1.2.4.203"};
/* Of archives that do not tell their instances' classes. */
static const char *const classes[] = {
	"1.2.840.10008.5.1.4.1.1.1",      "1.2.840.10008.5.1.4.1.1.1.1",    "1.2.840.10008.5.1.4.1.1.1.2",
	"1.2.840.10008.5.1.4.1.1.2",      "1.2.840.10008.5.1.4.1.1.2.1",    "1.2.840.10008.5.1.4.1.1.3.1",
	"1.2.840.10008.5.1.4.1.1.4",      "1.2.840.10008.5.1.4.1.1.4.1",    "1.2.840.10008.5.1.4.1.1.6.1",
	"1.2.840.10008.5.1.4.1.1.7",      "1.2.840.10008.5.1.4.1.1.7.2",    "1.2.840.10008.5.1.4.1.1.7.4",
	"1.2.840.10008.5.1.4.1.1.11.1",   "1.2.840.10008.5.1.4.1.1.12.1",   "1.2.840.10008.5.1.4.1.1.12.2",
	"1.2.840.10008.5.1.4.1.1.13.1.3", "1.2.840.10008.5.1.4.1.1.20",     "1.2.840.10008.5.1.4.1.1.66.1",
	"1.2.840.10008.5.1.4.1.1.66.4",   "1.2.840.10008.5.1.4.1.1.77.1.1", "1.2.840.10008.5.1.4.1.1.77.1.6",
	"1.2.840.10008.5.1.4.1.1.88.11",  "1.2.840.10008.5.1.4.1.1.88.22",  "1.2.840.10008.5.1.4.1.1.88.33",
	"1.2.840.10008.5.1.4.1.1.88.59",  "1.2.840.10008.5.1.4.1.1.88.67",  "1.2.840.10008.5.1.4.1.1.104.1",
	"1.2.840.10008.5.1.4.1.1.128",    "1.2.840.10008.5.1.4.1.1.481.1",  "1.2.840.10008.5.1.4.1.1.481.2",
	"1.2.840.10008.5.1.4.1.1.481.3",  "1.2.840.10008.5.1.4.1.1.481.5"};

struct receiving {
	struct rs_intake *intake;
	struct asking asking;
	struct listed_list *list;
	struct rs_dicom_fetched *counts;
	/* The instance that is being received. */
	struct rs_command request;
	uint8_t context;
	struct rs_arrival *arrival;
	uint16_t status;
	char reason[RS_COMMENT_SIZE];
	/* Of the one that waits to be durable. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_done;
	enum rs_code code;
	struct rs_admit_result result;
	struct rs_error err;
	struct rs_error *first; /* failure of this node */
};

static size_t distinct_classes(const struct listed_list *list, const char *out[static RS_CONTEXTS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < list->count && count < RS_CONTEXTS_MAX; i++) {
		size_t k = 0;
		while (k < count && strcmp(out[k], list->items[i].sop_class) != 0)
			k++;
		if (k == count && list->items[i].sop_class[0])
			out[count++] = list->items[i].sop_class;
	}
	for (size_t i = 0; count == 0 && i < RS_COUNT(classes); i++)
		out[i] = classes[i];
	return count ? count : RS_COUNT(classes);
}

/* A context for each class in each syntax, as many as there is room for: that of a stored syntax is taken then. */
static size_t propose(const struct listed_list *list, const char *get,
                      struct client_proposal out[static RS_CONTEXTS_MAX])
{
	const char *distinct[RS_CONTEXTS_MAX];
	size_t class_count = distinct_classes(list, distinct), count = 0;
	out[count++] = (struct client_proposal){get, RS_SYNTAX_IMPLICIT_LE, false};
	for (size_t k = 0; k < RS_COUNT(syntaxes); k++)
		for (size_t i = 0; i < class_count && count < RS_CONTEXTS_MAX; i++)
			out[count++] = (struct client_proposal){distinct[i], syntaxes[k], true};
	return count;
}

static uint16_t status_of(enum rs_code code)
{
	switch (code) {
	case RS_OK: return RS_STATUS_SUCCESS;
	case RS_USAGE: return RS_STATUS_NOT_OF_ITS_CLASS;
	case RS_REFUSED: return RS_STATUS_NOT_AUTHORIZED;
	case RS_MALFORMED:
	case RS_UNSUPPORTED: return RS_STATUS_NOT_UNDERSTOOD;
	default: return RS_STATUS_OUT_OF_RESOURCES;
	}
}

static void refuse(struct receiving *receiving, const struct rs_error *err)
{
	rs_arrival_abandon(receiving->arrival);
	receiving->arrival = NULL;
	receiving->status = status_of(err->code);
	snprintf(receiving->reason, sizeof receiving->reason, "%.*s", RS_COMMENT_SIZE - 1, err->message);
	if (receiving->first->code == RS_OK)
		*receiving->first = *err;
}

static enum rs_code begin_store(struct receiving *receiving, const struct rs_event *event,
                                struct rs_error *err)
{
	const struct rs_command *request = event->command;
	const struct rs_arrival_claims claims = {.sop_class_uid = request->sop_class,
	                                         .sop_instance_uid = request->instance,
	                                         .transfer_syntax_uid = event->context->transfer_syntax,
	                                         .implementation_uid = RS_DICOM_IMPLEMENTATION_UID};
	char source[RS_SOURCE_MAX];
	struct rs_error failure = {0};
	if (request->field != RS_C_STORE_RQ || !rs_command_has_data(request))
		return rs_error_set(err, RS_MALFORMED, "the archive asks for something else than storing");
	receiving->request = *request;
	receiving->context = event->context->id;
	receiving->status = RS_STATUS_SUCCESS;
	receiving->reason[0] = '\0';
	snprintf(source, sizeof source, "dicom %s", receiving->asking.client.request->called);
	if (rs_arrival_begin(receiving->intake, &claims, &receiving->arrival, &failure) != RS_OK ||
	    rs_arrival_vouch(receiving->arrival, source, rs_bytes_of("", 0), &failure) != RS_OK)
		refuse(receiving, &failure);
	return RS_OK;
}

static void stored(void *context, enum rs_code code, const struct rs_admit_result *result,
                   const struct rs_error *err)
{
	struct receiving *receiving = context;
	pthread_mutex_lock(&receiving->mutex);
	receiving->code = code;
	receiving->result.outcome = result->outcome;
	receiving->err = *err;
	receiving->is_done = true;
	pthread_cond_signal(&receiving->changed);
	pthread_mutex_unlock(&receiving->mutex);
}

static void admit(struct receiving *receiving)
{
	struct rs_arrival *arrival = receiving->arrival;
	receiving->arrival = NULL;
	receiving->is_done = false;
	rs_arrival_admit(arrival, stored, receiving);
	pthread_mutex_lock(&receiving->mutex);
	while (!receiving->is_done)
		pthread_cond_wait(&receiving->changed, &receiving->mutex);
	pthread_mutex_unlock(&receiving->mutex);
	if (receiving->code != RS_OK) {
		refuse(receiving, &receiving->err);
		return;
	}
	struct listed key;
	memcpy(key.instance, receiving->request.instance, sizeof key.instance);
	struct listed *listed = receiving->list->count
	                                ? bsearch(&key, receiving->list->items, receiving->list->count,
	                                          sizeof key, by_instance)
	                                : NULL;
	if (listed)
		listed->is_here = true;
	receiving->counts->sealed += receiving->result.outcome == RS_ADMIT_SEALED;
	receiving->counts->known += receiving->result.outcome != RS_ADMIT_SEALED;
}

static enum rs_code end_store(struct receiving *receiving, struct rs_error *err)
{
	struct client *client = &receiving->asking.client;
	struct rs_command answer;
	if (receiving->arrival)
		admit(receiving);
	receiving->counts->refused += receiving->status != RS_STATUS_SUCCESS;
	rs_command_answer(&receiving->request, receiving->status,
	                  receiving->reason[0] ? receiving->reason : NULL, &answer);
	RS_TRY(rs_association_command(client->association, receiving->context, &answer, err));
	RS_TRY(client_flush(client, err));
	return rs_intake_make_way(receiving->intake, err);
}

/* *out_final: what the archive says of all of it. */
static enum rs_code take(struct receiving *receiving, const struct rs_event *event, bool *out_ended,
                         struct rs_command *out_final, struct rs_error *err)
{
	const struct rs_command *command = event->command;
	const bool is_ours = command && (command->field & RS_COMMAND_RESPONSE);
	struct rs_error failure = {0};
	if (event->kind != RS_EVENT_COMMAND && event->kind != RS_EVENT_DATA)
		return rs_error_set(err, RS_MALFORMED, "the archive ends before it has answered");
	if (is_ours && event->kind == RS_EVENT_COMMAND)
		*out_final = *command;
	if (is_ours) {
		*out_ended = !asking_is_pending(out_final->status) &&
		             (event->kind == RS_EVENT_DATA ? event->is_last : !rs_command_has_data(command));
		return RS_OK;
	}
	if (event->kind == RS_EVENT_COMMAND)
		return begin_store(receiving, event, err);
	if (receiving->arrival && rs_arrival_add(receiving->arrival, event->data, &failure) != RS_OK)
		refuse(receiving, &failure);
	return event->is_last ? end_store(receiving, err) : RS_OK;
}

static enum rs_code receive(struct receiving *receiving, struct rs_error *err)
{
	struct rs_command final = {.status = RS_STATUS_PENDING};
	bool ended = false;
	while (!ended) {
		struct rs_event event;
		RS_TRY(client_event(&receiving->asking.client, &event, err));
		RS_TRY(take(receiving, &event, &ended, &final, err));
	}
	return final.status == RS_STATUS_SUCCESS ? RS_OK : asking_refused(&final, err);
}

enum rs_code receiving_run(struct rs_intake *intake, const struct rs_dicom_peer *peer,
                           const struct rs_dicom_query *query, struct listed_list *list,
                           struct rs_dicom_fetched *counts, struct rs_error *err)
{
	struct client_proposal proposals[RS_CONTEXTS_MAX];
	struct rs_error first = {0};
	struct receiving receiving = {.intake = intake, .list = list, .counts = counts, .first = &first};
	const char *get = asking_class(query, RS_C_GET_RQ);
	size_t count = propose(list, get, proposals);
	pthread_mutex_init(&receiving.mutex, NULL);
	pthread_cond_init(&receiving.changed, NULL);
	enum rs_code code = asking_open(peer, query, RS_C_GET_RQ, NULL, proposals, count, &receiving.asking,
	                                err);
	if (code == RS_OK)
		code = receive(&receiving, err);
	rs_arrival_abandon(receiving.arrival);
	asking_finish(&receiving.asking);
	pthread_cond_destroy(&receiving.changed);
	pthread_mutex_destroy(&receiving.mutex);
	return first.code == RS_OK ? code : rs_error_set(err, first.code, "%s", first.message);
}
