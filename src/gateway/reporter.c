/* A thread that reports on storage commitments to peers that listen for it. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "commitment.h"

#define WAITING_MAX 256
#define TRIES 5
#define TIMEOUT_MS 10000
#define PAUSE_S 2 /* before the second try; doubled for each more */

struct report {
	struct report *next;
	char address[PEER_ADDRESS_SIZE], called[RS_TITLE_SIZE], transfer_syntax[RS_UID_SIZE];
	bool is_tls;
	uint16_t event;
	struct rs_buffer data;
	unsigned tries;
	time_t due; /* of the monotonic clock */
};

struct reporter {
	const struct rs_gateway_options *options;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct report *first, **last;
	size_t count;
	bool ends;
};

static time_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void report_free(struct report *report)
{
	rs_buffer_finish(&report->data);
	rs_free(report);
}

/* PS3.7 section 10.3.1. */
static enum rs_code tell(struct client *client, const struct report *report, struct rs_error *err)
{
	const struct rs_context *context = client_context(client, RS_SOP_COMMITMENT, report->transfer_syntax);
	struct rs_command response;
	struct rs_command request = {.present = RS_HAS(SOP_CLASS) | RS_HAS(FIELD) | RS_HAS(MESSAGE) |
	                                        RS_HAS(DATA) | RS_HAS(INSTANCE) | RS_HAS(EVENT),
	                             .field = RS_N_EVENT_REPORT_RQ,
	                             .message = ++client->message,
	                             .kind = report->event,
	                             .sop_class = RS_SOP_COMMITMENT,
	                             .instance = COMMITMENT_INSTANCE};
	if (!context)
		return rs_error_set(err, RS_REFUSED, "the peer takes no storage commitment");
	RS_TRY(rs_association_command(client->association, context->id, &request, err));
	RS_TRY(rs_association_data(client->association, context->id, rs_buffer_bytes(&report->data), err));
	RS_TRY(client_flush(client, err));
	RS_TRY(client_response(client, &response, err));
	return response.status == RS_STATUS_SUCCESS
	               ? RS_OK
	               : rs_error_set(err, RS_REFUSED, "the peer answers with status %04XH", response.status);
}

static enum rs_code deliver(const struct reporter *reporter, const struct report *report,
                            struct rs_error *err)
{
	const struct client_proposal proposal = {RS_SOP_COMMITMENT, report->transfer_syntax,
	                                         .we_are_scp = true};
	const struct rs_dicom_peer peer = {.address = report->address,
	                                   .called = report->called,
	                                   .calling = reporter->options->ae_title,
	                                   .is_tls = report->is_tls,
	                                   .certificate = reporter->options->certificate,
	                                   .key = reporter->options->key,
	                                   .authorities = reporter->options->authorities,
	                                   .timeout_ms = TIMEOUT_MS};
	struct client client;
	RS_TRY(client_open(&peer, &proposal, 1, &client, err));
	enum rs_code code = tell(&client, report, err);
	client_close(&client);
	return code;
}

/* With the mutex: the first report that is due, taken off the list; NULL when none is. */
static struct report *take_due(struct reporter *reporter)
{
	for (struct report **at = &reporter->first; *at; at = &(*at)->next) {
		struct report *report = *at;
		if (report->due > now())
			continue;
		*at = report->next;
		if (reporter->last == &report->next)
			reporter->last = at;
		reporter->count--;
		return report;
	}
	return NULL;
}

static void append(struct reporter *reporter, struct report *report)
{
	report->next = NULL;
	*reporter->last = report;
	reporter->last = &report->next;
	reporter->count++;
}

static void log_outcome(const struct reporter *reporter, const struct report *report, const char *outcome)
{
	RS_LOG(reporter->options->log, RS_LOG_INFO, "commitment_report", {"peer", report->called},
	       {"address", report->address}, {"outcome", outcome});
}

/* True when it has to be tried again. */
static bool try_once(const struct reporter *reporter, struct report *report)
{
	struct rs_error err = {0};
	enum rs_code code = deliver(reporter, report, &err);
	log_outcome(reporter, report, code == RS_OK ? "delivered" : err.message);
	report->due = now() + ((time_t)PAUSE_S << report->tries++);
	return code != RS_OK && report->tries < TRIES;
}

static void *work(void *context)
{
	struct reporter *reporter = context;
	pthread_mutex_lock(&reporter->mutex);
	while (!reporter->ends) {
		struct report *report = take_due(reporter);
		if (!report) {
			struct timespec until;
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_sec++;
			(void)pthread_cond_timedwait(&reporter->changed, &reporter->mutex, &until);
			continue;
		}
		pthread_mutex_unlock(&reporter->mutex);
		bool again = try_once(reporter, report);
		pthread_mutex_lock(&reporter->mutex);
		if (again)
			append(reporter, report);
		else
			report_free(report);
	}
	pthread_mutex_unlock(&reporter->mutex);
	return NULL;
}

enum rs_code reporter_create(const struct rs_gateway_options *options, struct reporter **out,
                             struct rs_error *err)
{
	struct reporter *reporter = rs_allocate(sizeof *reporter);
	if (!reporter)
		return rs_error_memory(err, sizeof *reporter, "a reporter");
	reporter->options = options;
	reporter->last = &reporter->first;
	pthread_mutex_init(&reporter->mutex, NULL);
	pthread_cond_init(&reporter->changed, NULL);
	int failed = pthread_create(&reporter->thread, NULL, work, reporter);
	if (failed) {
		rs_free(reporter);
		return rs_error_errno(err, failed, "a thread cannot be started");
	}
	*out = reporter;
	return RS_OK;
}

void reporter_destroy(struct reporter *reporter)
{
	if (!reporter)
		return;
	pthread_mutex_lock(&reporter->mutex);
	reporter->ends = true;
	pthread_cond_signal(&reporter->changed);
	pthread_mutex_unlock(&reporter->mutex);
	pthread_join(reporter->thread, NULL);
	for (struct report *report = reporter->first, *next; report; report = next) {
		next = report->next;
		log_outcome(reporter, report, "given up: the server stops");
		report_free(report);
	}
	pthread_cond_destroy(&reporter->changed);
	pthread_mutex_destroy(&reporter->mutex);
	rs_free(reporter);
}

enum rs_code reporter_add(struct reporter *reporter, const struct peer *peer, const char *called,
                          const char *transfer_syntax, uint16_t event, struct rs_buffer *data,
                          struct rs_error *err)
{
	struct report *report = rs_allocate(sizeof *report);
	if (!report)
		return rs_error_memory(err, sizeof *report, "a report");
	report->event = event;
	peer_address(peer, report->address);
	report->is_tls = peer->is_tls;
	snprintf(report->called, sizeof report->called, "%s", called);
	snprintf(report->transfer_syntax, sizeof report->transfer_syntax, "%s", transfer_syntax);
	pthread_mutex_lock(&reporter->mutex);
	bool full = reporter->count >= WAITING_MAX;
	if (!full) {
		report->data = *data;
		*data = (struct rs_buffer){.maximum = 0};
		append(reporter, report);
		pthread_cond_signal(&reporter->changed);
	}
	pthread_mutex_unlock(&reporter->mutex);
	if (!full)
		return RS_OK;
	rs_free(report);
	return rs_error_set(err, RS_TOO_LARGE, "%d reports wait to be delivered already", WAITING_MAX);
}
