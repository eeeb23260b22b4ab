/* What the two ways to a collector share: messages of syslog (collector.c), and FHIR AuditEvents by POST (posting.c). */
#ifndef GATEWAY_COLLECTOR_H
#define GATEWAY_COLLECTOR_H

#include <pthread.h>

#include "audit/audit_fhir.h"
#include "gateway/gateway_collector.h"
#include "net/net_tls.h"
#include "node/node_parts.h"
#include "spool.h"

#define TIMEOUT_MS 10000
#define BATCH 64 /* messages between two looks at the connection */
#define HOST_SIZE 256

/* How far the two streams are. */
struct place {
	uint64_t entries, events;
};

struct rs_collector {
	struct rs_intake *intake;
	struct rs_collector *next; /* that is told the same */
	bool is_fhir;
	char *address, *authorities, *certificate, *key;
	const struct rs_log *log;
	const struct rs_clock *clock;
	char host[HOST_SIZE], origin[ORIGIN_MAX + 1];
	struct rs_atna_source source;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t woken;
	bool stops, warned;
	struct spool spool;
	/* The thread's own. */
	struct rs_audit *audit;
	struct rs_tls *tls;
	struct place sent, marked; /* marked: sent when the mark was set, and not yet known to be delivered */
	bool has_mark;
	uint64_t mark_ns;
	unsigned backoff_ms;
};

/* Messages as they were appended, and how far each of them leads. */
struct batch {
	struct rs_collector *collector;
	struct rs_audit_heading heading; /* for FHIR */
	struct rs_buffer bytes;
	struct place end;
	struct batch_item {
		size_t end; /* in bytes */
		struct place place;
	} items[2 * BATCH];
	size_t count;
};
/* Behind what was sent. */
enum rs_code batch_fill(struct batch *batch, struct rs_error *err);

enum rs_code collector_delivered(struct rs_collector *collector, const struct place *place,
                                 struct rs_error *err);
/* *out_any: something was sent. Opens a connection when there is something to say, and none. */
enum rs_code posting_deliver(struct rs_collector *collector, bool *out_any, struct rs_error *err);

#endif
