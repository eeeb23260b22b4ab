/* The node's doors to a network: DICOM today. Threads wait for sockets (epoll); each connection is one thread's at a time.
 *
 * An instance is answered with success when its bytes and its ledger entry are durable (workflow/workflow_intake.h). Who may
 * associate, and for what, says `peers.conf` in the node (see peers.h): one line for each AE title. */
#ifndef RS_GATEWAY_H
#define RS_GATEWAY_H

#include <signal.h>

#include "base/base.h"
#include "workflow/workflow.h"

#define RS_GATEWAY_PORT_COUNT 2

struct rs_gateway_options {
	const char *dicom, *dicom_tls; /* addresses to listen at, "127.0.0.1:11112"; NULL: not */
	const char *ae_title;          /* ours: what peers must call */
	/* PEM files for dicom_tls: our certificates with the key; authorities: peers need a certificate of one of these (NULL:
	 * none is asked for). */
	const char *certificate, *key, *authorities;
	/* PEM file of lists of certificates that authorities revoked; NULL: none. It and the files above are read again when
	 * *hangups (NULL: never) changes, for connections from then on. */
	const char *revocations;
	const volatile sig_atomic_t *hangups;
	const char *peers;         /* NULL: anyone who calls our title may echo and store */
	unsigned threads;          /* that serve; 0: as many as suit the machine */
	unsigned associations_max; /* at once; more are rejected as "local limit exceeded" */
	unsigned idle_s;           /* how long an association may be silent between messages */
	size_t memory_max;         /* of all instances that are being received; more goes over the disk */
	const struct rs_log *log;  /* may be NULL */
};

struct rs_gateway;
/* Listens when it returns. Node and actor (NULL: the node's administrator) belong to it until it is closed.
 * errors  RS_USAGE, RS_IO naming the address, RS_MALFORMED naming the line of a file */
enum rs_code rs_gateway_open(struct rs_node *node, const struct rs_actor *actor,
                             const struct rs_gateway_options *options, struct rs_gateway **out,
                             struct rs_error *err);
/* The ports that were taken, of dicom and dicom_tls; 0 for one that is not listened at. */
void rs_gateway_ports(const struct rs_gateway *gateway, unsigned out[static RS_GATEWAY_PORT_COUNT]);
/* What its doors let in, for others above it: as long as the gateway is open. */
struct rs_intake;
struct rs_intake *rs_gateway_intake(const struct rs_gateway *gateway);
struct rs_reception;
struct rs_reception *rs_gateway_reception(const struct rs_gateway *gateway);
unsigned rs_gateway_associations(const struct rs_gateway *gateway); /* now */
/* What went wrong since the start, by the event of the log. */
#define RS_GATEWAY_EVENTS(X)                \
	X(REJECTED, "association_rejected") \
	X(BROKEN, "association_broken")     \
	X(TLS_REFUSED, "tls_refused")       \
	X(INSTANCE_REFUSED, "instance_refused")
enum rs_gateway_event {
#define RS_GATEWAY_EVENT_MEMBER(member, name) RS_GATEWAY_##member,
	RS_GATEWAY_EVENTS(RS_GATEWAY_EVENT_MEMBER)
#undef RS_GATEWAY_EVENT_MEMBER
		RS_GATEWAY_EVENT_COUNT
};
const char *rs_gateway_event_name(enum rs_gateway_event event);
uint64_t rs_gateway_events(const struct rs_gateway *gateway, enum rs_gateway_event event);
/* Until the certificate of dicom_tls ends, below zero when it has; false without TLS. It is warned of for 30 days before. */
bool rs_gateway_certificate_days(const struct rs_gateway *gateway, double *out);
/* Until a list of revocations is out of date, below zero when one is; false without any. Warned of in the same way. */
bool rs_gateway_revocations_days(const struct rs_gateway *gateway, double *out);
/* Serves until *stop; then what is under way is finished, for ten seconds at most. */
enum rs_code rs_gateway_run(struct rs_gateway *gateway, const volatile sig_atomic_t *stop,
                            struct rs_error *err);
enum rs_code rs_gateway_close(struct rs_gateway *gateway, struct rs_error *err); /* accepts NULL */

#endif
