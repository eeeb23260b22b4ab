/* The thread that brings audit messages to the collector. */
#include "collector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "access/access_audit.h"
#include "node/node_parts.h"
#include "workflow/workflow_intake.h"

#define PAUSE_MS 500
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define SETTLED_NS UINT64_C(1000000000) /* a connection that still stands then has not just been reset */
#define GRACE_NS UINT64_C(2000000000)

static uint64_t now_ns(const struct rs_collector *collector)
{
	return collector->clock->monotonic_ns(collector->clock);
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->entries == b->entries && a->events == b->events;
}

static struct place delivered(struct rs_collector *collector)
{
	pthread_mutex_lock(&collector->mutex);
	const struct place place = {collector->spool.entries, collector->spool.events};
	pthread_mutex_unlock(&collector->mutex);
	return place;
}

/* Until so long, an event, or the end. */
static void wait_ms(struct rs_collector *collector, unsigned time_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += time_ms / 1000;
	until.tv_nsec += (long)(time_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&collector->mutex);
	if (!collector->stops)
		(void)pthread_cond_timedwait(&collector->woken, &collector->mutex, &until);
	pthread_mutex_unlock(&collector->mutex);
}

/* What was sent and is not known to be delivered is sent again. */
static void disconnect(struct rs_collector *collector, const struct rs_error *why)
{
	rs_tls_close(collector->tls);
	collector->tls = NULL;
	collector->has_mark = false;
	if (why)
		RS_LOG(collector->log, RS_LOG_WARNING, "collector", {"address", collector->address},
		       {"reason", why->message});
	collector->backoff_ms = collector->backoff_ms ? collector->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (collector->backoff_ms > BACKOFF_MAX_MS)
		collector->backoff_ms = BACKOFF_MAX_MS;
}

static bool connect_to(struct rs_collector *collector)
{
	const struct rs_tls_options options = {rs_str_from(collector->address), collector->authorities,
	                                       collector->certificate, collector->key, TIMEOUT_MS};
	struct rs_error err = {.message = ""};
	if (rs_tls_connect(&options, &collector->tls, &err) != RS_OK) {
		disconnect(collector, &err);
		return false;
	}
	collector->sent = delivered(collector);
	RS_LOG(collector->log, RS_LOG_INFO, "collector", {"address", collector->address},
	       {"reason", "connected"});
	return true;
}

static void note(struct batch *batch)
{
	batch->items[batch->count++] = (struct batch_item){batch->bytes.size, batch->end};
}

static enum rs_code take_event(void *context, uint64_t number, const struct rs_atna_event *event,
                               struct rs_error *err)
{
	struct batch *batch = context;
	const struct rs_collector *collector = batch->collector;
	RS_TRY(collector->is_fhir ? rs_fhir_event(&batch->heading, event, number, &batch->bytes, err)
	                          : rs_atna_event(&collector->source, event, number, &batch->bytes, err));
	batch->end.events = number;
	note(batch);
	return RS_OK;
}

static enum rs_code take_line(void *context, const struct rs_audit_line *line, struct rs_error *err)
{
	struct batch *batch = context;
	const struct rs_collector *collector = batch->collector;
	RS_TRY(collector->is_fhir ? rs_fhir_line(&batch->heading, line, &batch->bytes, err)
	                          : rs_atna_line(&collector->source, line, &batch->bytes, err));
	batch->end.entries = line->entry + 1;
	note(batch);
	return RS_OK;
}

/* While nobody commits, so that log and state stay as they are. */
static enum rs_code take_lines(void *context, struct rs_node *node, struct rs_error *err)
{
	struct batch *batch = context;
	struct rs_collector *collector = batch->collector;
	if (rs_ledger_size(node->ledger) == batch->end.entries)
		return RS_OK;
	if (collector->audit)
		RS_TRY(rs_audit_update(collector->audit, NULL, NULL, err));
	else
		RS_TRY(rs_node_audit_open(node, false, NULL, NULL, &collector->audit, err));
	RS_TRY(rs_node_checkpoint(node, &batch->heading.checkpoint, err));
	return rs_audit_entries(collector->audit, batch->end.entries, BATCH, rs_world_now_ms(node->world),
	                        take_line, batch, err);
}

enum rs_code batch_fill(struct batch *batch, struct rs_error *err)
{
	struct rs_collector *collector = batch->collector;
	batch->end = collector->sent;
	batch->heading = (struct rs_audit_heading){.request = RS_AUDIT_NO_ENTRY};
	snprintf(batch->heading.checkpoint.origin, sizeof batch->heading.checkpoint.origin, "%s",
	         collector->origin);
	pthread_mutex_lock(&collector->mutex);
	enum rs_code code = spool_each(&collector->spool, batch->end.events, BATCH, take_event, batch, err);
	pthread_mutex_unlock(&collector->mutex);
	RS_TRY(code);
	return rs_intake_run(collector->intake, take_lines, batch, err);
}

static void batch_finish(struct batch *batch) { rs_buffer_finish(&batch->bytes); }

/* *out_any: something was sent. */
static enum rs_code send_batch(struct rs_collector *collector, bool *out_any, struct rs_error *err)
{
	struct batch batch RS_CLEANUP(batch_finish) = {.collector = collector};
	rs_buffer_init(&batch.bytes, 2 * BATCH * RS_ATNA_MESSAGE_MAX);
	RS_TRY(batch_fill(&batch, err));
	*out_any = batch.bytes.size > 0;
	RS_TRY(rs_tls_send(collector->tls, rs_buffer_bytes(&batch.bytes), err));
	collector->sent = batch.end;
	return RS_OK;
}

enum rs_code collector_delivered(struct rs_collector *collector, const struct place *place,
                                 struct rs_error *err)
{
	pthread_mutex_lock(&collector->mutex);
	enum rs_code code = spool_delivered(&collector->spool, place->entries, place->events, err);
	collector->warned = false;
	pthread_mutex_unlock(&collector->mutex);
	return code;
}

static enum rs_code confirm(struct rs_collector *collector, struct rs_error *err)
{
	const uint64_t now = now_ns(collector);
	if (!rs_tls_is_open(collector->tls))
		return rs_error_set(err, RS_IO, "the collector ended the connection");
	if (collector->has_mark && now - collector->mark_ns >= SETTLED_NS &&
	    rs_tls_unacknowledged(collector->tls) == 0) {
		RS_TRY(collector_delivered(collector, &collector->marked, err));
		collector->has_mark = false;
		collector->backoff_ms = 0;
	}
	const struct place known = delivered(collector);
	if (!collector->has_mark && !is_same(&collector->sent, &known)) {
		collector->has_mark = true;
		collector->marked = collector->sent;
		collector->mark_ns = now;
	}
	return RS_OK;
}

static void deliver(struct rs_collector *collector)
{
	struct rs_error err = {.message = ""};
	bool any = false;
	enum rs_code code = collector->is_fhir ? posting_deliver(collector, &any, &err)
	                                       : send_batch(collector, &any, &err);
	if (code == RS_OK && !collector->is_fhir)
		code = confirm(collector, &err);
	if (code != RS_OK)
		disconnect(collector, &err);
	else if (!any)
		wait_ms(collector, PAUSE_MS);
}

static bool stops(struct rs_collector *collector)
{
	pthread_mutex_lock(&collector->mutex);
	bool value = collector->stops;
	pthread_mutex_unlock(&collector->mutex);
	return value;
}

static bool is_all_delivered(struct rs_collector *collector)
{
	const struct place known = delivered(collector);
	pthread_mutex_lock(&collector->mutex);
	bool waits = collector->spool.waiting > 0;
	pthread_mutex_unlock(&collector->mutex);
	return !waits && is_same(&collector->sent, &known);
}

static void *work(void *context)
{
	struct rs_collector *collector = context;
	while (!stops(collector)) {
		if (collector->is_fhir || collector->tls || connect_to(collector))
			deliver(collector);
		if (!collector->tls && collector->backoff_ms > 0)
			wait_ms(collector, collector->backoff_ms);
	}
	const uint64_t until = now_ns(collector) + GRACE_NS;
	while ((collector->is_fhir ? collector->backoff_ms == 0 : collector->tls != NULL) &&
	       now_ns(collector) < until && !is_all_delivered(collector)) {
		const struct timespec pause = {.tv_nsec = 50000000};
		deliver(collector);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

static void tell(struct rs_collector *collector, const struct rs_atna_event *event)
{
	struct rs_error err = {.message = ""};
	pthread_mutex_lock(&collector->mutex);
	enum rs_code code = spool_put(&collector->spool, event, RS_COLLECTOR_EVENTS_MAX, &err);
	bool full = collector->spool.lost > 0 && !collector->warned;
	collector->warned = collector->warned || full;
	pthread_cond_signal(&collector->woken);
	pthread_mutex_unlock(&collector->mutex);
	if (full)
		rs_error_set(
			&err, RS_NO_SPACE,
			"%d events wait for the collector: newer ones are counted, not kept, until it takes them",
			RS_COLLECTOR_EVENTS_MAX);
	if (code != RS_OK || full)
		RS_LOG(collector->log, RS_LOG_ERROR, "collector", {"address", collector->address},
		       {"reason", err.message});
}

void rs_collector_tell(struct rs_collector *collector, enum rs_atna_kind kind, bool failed,
                       const uint8_t *user, const char *host)
{
	struct rs_atna_event event = {
		.kind = kind, .failed = failed, .time_ms = rs_world_now_ms(rs_world_system())};
	if (user)
		rs_hex_encode(rs_bytes_of(user, RS_KEY_SIZE), event.user);
	(void)snprintf(event.host, sizeof event.host, "%s", host ? host : "");
	for (; collector; collector = collector->next)
		tell(collector, &event);
}

/* Paths and address belong to the caller's command line, but cost little. */
static enum rs_code copy_options(struct rs_collector *collector, const struct rs_collector_options *options,
                                 struct rs_error *err)
{
	const char *const given[] = {options->address, options->authorities, options->certificate,
	                             options->key};
	char **const kept[] = {&collector->address, &collector->authorities, &collector->certificate,
	                       &collector->key};
	for (size_t i = 0; i < RS_COUNT(given); i++) {
		*kept[i] = given[i] ? rs_str_duplicate(rs_str_from(given[i])) : NULL;
		if (given[i] && !*kept[i])
			return rs_error_memory(err, strlen(given[i]), "a collector");
	}
	return RS_OK;
}

static enum rs_code open_node(void *context, struct rs_node *node, struct rs_error *err)
{
	struct rs_collector *collector = context;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	(void)snprintf(collector->origin, sizeof collector->origin, "%s", node->config.origin);
	RS_TRY(node_path(node, collector->is_fhir ? "collector-fhir.sqlite" : "collector.sqlite", &path,
	                 err));
	RS_TRY(spool_open(node->world, path, &collector->spool, err));
	collector->sent = (struct place){collector->spool.entries, collector->spool.events};
	return RS_OK;
}

static enum rs_code start(struct rs_collector *collector, struct rs_error *err)
{
	RS_TRY(rs_intake_run(collector->intake, open_node, collector, err));
	if (gethostname(collector->host, sizeof collector->host - 1) != 0 || !collector->host[0])
		(void)snprintf(collector->host, sizeof collector->host, "-");
	collector->source = (struct rs_atna_source){collector->origin, collector->host, (unsigned)getpid()};
	int failed = pthread_create(&collector->thread, NULL, work, collector);
	return failed ? rs_error_errno(err, failed, "a thread cannot be started") : RS_OK;
}

static void collector_free(struct rs_collector *collector)
{
	rs_tls_close(collector->tls);
	rs_audit_close(collector->audit);
	spool_close(&collector->spool);
	pthread_cond_destroy(&collector->woken);
	pthread_mutex_destroy(&collector->mutex);
	rs_free(collector->address);
	rs_free(collector->authorities);
	rs_free(collector->certificate);
	rs_free(collector->key);
	rs_free(collector);
}

enum rs_code rs_collector_open(struct rs_gateway *gateway, const struct rs_collector_options *options,
                               struct rs_collector **out, struct rs_error *err)
{
	struct rs_collector *collector = rs_allocate(sizeof *collector);
	pthread_condattr_t attributes;
	if (!collector)
		return rs_error_memory(err, sizeof *collector, "a collector");
	collector->intake = rs_gateway_intake(gateway);
	collector->log = options->log;
	collector->is_fhir = rs_str_starts_with(rs_str_from(options->address), "https://");
	collector->clock = rs_world_system()->clock;
	pthread_mutex_init(&collector->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&collector->woken, &attributes);
	pthread_condattr_destroy(&attributes);
	enum rs_code code = copy_options(collector, options, err);
	if (code == RS_OK)
		code = start(collector, err);
	if (code != RS_OK) {
		collector_free(collector);
		return code;
	}
	rs_collector_tell(collector, RS_ATNA_START, false, NULL, NULL);
	collector->next = options->next;
	*out = collector;
	return RS_OK;
}

void rs_collector_close(struct rs_collector *collector)
{
	if (!collector)
		return;
	collector->next = NULL;
	rs_collector_tell(collector, RS_ATNA_STOP, false, NULL, NULL);
	pthread_mutex_lock(&collector->mutex);
	collector->stops = true;
	pthread_cond_signal(&collector->woken);
	pthread_mutex_unlock(&collector->mutex);
	pthread_join(collector->thread, NULL);
	collector_free(collector);
}
