/* Audit messages on their way to a collector (an ATNA audit record repository): syslog over TLS (RFC 5425), or FHIR AuditEvents
 * by POST (ITI-20), each of which is delivered when it was answered with success.
 *
 * What is in the ledger needs no queue: the ledger is one, and what was delivered is a number. What happens at the doors
 * alone (logins, refusals, start and stop) is queued in collector.sqlite, a bounded number of events; beyond it they are
 * counted, and the count is told. Both go out in their order, each at least once: a message counts as delivered when the
 * collector's system has acknowledged its bytes and the connection still stood a second later. What was sent before a
 * connection broke, and had not come so far, is sent again, with the same place by which doubles are told. */
#ifndef RS_GATEWAY_COLLECTOR_H
#define RS_GATEWAY_COLLECTOR_H

#include "audit/audit_atna.h"
#include "gateway/gateway.h"

#define RS_COLLECTOR_EVENTS_MAX 100000 /* in collector.sqlite, or collector-fhir.sqlite */

struct rs_collector;

struct rs_collector_options {
	const char *address;           /* "host:6514", or "https://host/fhir/AuditEvent" */
	const char *authorities;       /* PEM; NULL: the system's */
	const char *certificate, *key; /* our own, PEM; NULL: none */
	const struct rs_log *log;      /* may be NULL */
	struct rs_collector *next;     /* is told whatever this one is told; closed after it. NULL: none */
};
/* Starts a thread that delivers; the gateway must outlive it, and have run before rs_collector_close(). */
enum rs_code rs_collector_open(struct rs_gateway *gateway, const struct rs_collector_options *options,
                               struct rs_collector **out, struct rs_error *err);
/* What can be delivered within two seconds is. Accepts NULL. */
void rs_collector_close(struct rs_collector *collector);
/* Durable when it returns. Any thread; accepts NULL. user: 32 bytes of a member's key, or NULL. A failure is logged: what
 * happens at a door does not wait for the audit's disk. */
void rs_collector_tell(struct rs_collector *collector, enum rs_atna_kind kind, bool failed,
                       const uint8_t *user, const char *host);

#endif
