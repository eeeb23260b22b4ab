/* One connection of a peer, and what it asks for. At any moment it is of one thread: of a worker that serves it, of epoll, of
 * who commits the instance that it waits for, or of the thread of its retrieval. */
#ifndef RS_GATEWAY_CONNECTION_H
#define RS_GATEWAY_CONNECTION_H

#include <stdatomic.h>

#include "commitment.h"
#include "devices/devices.h"
#include "dicomnet/dicomnet_association.h"
#include "finding.h"
#include "gateway/gateway.h"
#include "peers.h"
#include "retrieving.h"
#include "transport.h"
#include "workflow/workflow_intake.h"

#define CHUNK_SIZE ((size_t)256 * 1024) /* bytes a worker reads at once */

struct connection;

/* What connections need of the server. */
struct service {
	const struct rs_gateway_options *options;
	const struct peers *peers;
	struct rs_intake *intake;
	struct finding_service finding;
	struct retrieving_service retrieving;
	struct rs_reception *reception;
	struct reporter *reporter;
	atomic_uint associations;
	atomic_ullong events[RS_GATEWAY_EVENT_COUNT];
	atomic_bool stopping, ending; /* ending: who waits for a peer waits no longer */
	const struct rs_world *world;
	int epoll;
	void (*closed)(struct connection *connection); /* takes it out of the server's list */
};

struct connection {
	struct service *service;
	struct connection *next, **previous; /* of the server's list */
	struct transport transport;
	char host[PEER_HOST_SIZE];
	struct rs_association *association;
	bool is_counted; /* among the service's associations */
	const struct peer *peer;
	struct rs_buffer rest; /* received while an instance was waited for */
	/* The request that is being received: its data set goes to `arrival`, or nowhere when `status` is a failure. */
	struct rs_command request;
	uint8_t context;
	struct rs_arrival *arrival;
	bool is_awaited; /* a device announced it: its data set is hashed */
	struct rs_sha256 hash;
	bool is_sidecar;               /* it may have envelopes: kept in `message`, too */
	bool is_whole;                 /* it is, and waits to be admitted */
	struct rs_buffer message;      /* a data set that is no instance */
	struct finding *finding;       /* a query that is being answered */
	struct retrieving *retrieving; /* a retrieval: the connection is of its thread */
	uint16_t status;
	char reason[RS_COMMENT_SIZE];
	uint64_t message_since_ns, message_bytes;
	uint64_t stored, refused, bytes;
	uint16_t reports; /* messages of ours in this association */
	/* Read by the thread that looks after time. */
	_Atomic uint64_t deadline_ns;
	atomic_bool is_busy, is_expired,
		is_deaf; /* is_deaf: so many answers are not taken that nothing is read */
};

/* The socket is the connection's, also after a failure. */
enum rs_code connection_open(struct service *service, int socket, SSL_CTX *tls, const char *host,
                             struct connection **out, struct rs_error *err);
/* Waits for the socket for the first time. */
bool connection_start(struct connection *connection);
/* The socket is ready. chunk: CHUNK_SIZE bytes of the worker's own. */
void connection_serve(struct connection *connection, uint8_t *chunk);
void connection_close(struct connection *connection);
/* A deadline has passed, or the server stops: the next read sees it. Of a thread that keeps the connection from being closed. */
void connection_expire(struct connection *connection);

#endif
