/* What the agent's parts share. One thread. */
#ifndef RS_EDGE_AGENT_H
#define RS_EDGE_AGENT_H

#include "edge/edge.h"
#include "listen.h"
#include "queue.h"
#include "wrap.h"

struct transport;

struct agent {
	const struct rs_world *world;
	const struct rs_edge_options *options;
	const volatile sig_atomic_t *stop;
	struct queue queue;
	struct rs_edge_summary *summary;
	uint8_t boot[RS_BOOT_SIZE];
	uint64_t sequence;
	struct rs_digest previous; /* the last receipt, or envelope; zeros: none yet */
	char *series;              /* directory of what manifests will list */
	char *received;            /* directory of what came by C-STORE */
	struct listener *listener; /* NULL: nobody may send */
	uint64_t series_looked_ns;
	double tokens; /* bytes that may be sent now, when the rate is limited */
	uint64_t tokens_ns;
	bool is_directory_empty; /* at the last look: nothing that waits to be taken */
	uint64_t quota_told_ns;
};

uint64_t agent_now_ns(const struct agent *agent);
void agent_say(const struct agent *agent, enum rs_log_level level, const char *event, const char *about,
               const char *reason);
/* Exponential, from a second to a minute, and none meets another: ± a quarter. */
uint64_t agent_back_off_ns(const struct agent *agent, unsigned failures);
/* How much of `size` bytes the rate allows now; takes it. */
size_t agent_allow(struct agent *agent, size_t size);
/* An envelope of what the agent says next: fills in boot, sequence, clock, previous. */
enum rs_code agent_sign(struct agent *agent, struct rs_envelope *envelope, const struct rs_listed *listed,
                        struct rs_buffer *out, struct rs_error *err);
/* The node acknowledged it (message: COSE_Sign1, checked; empty: by the protocol's own success). */
enum rs_code agent_settle(struct agent *agent, struct item *item, enum rs_acknowledged outcome,
                          uint64_t bytes, struct rs_bytes message, struct rs_error *err);

/* Into the queue what lies in the watched directory and has settled, and what was received. */
enum rs_code take_files(struct agent *agent, struct rs_error *err);
/* What a series has, noted before its item is in the queue. */
enum rs_code series_note(struct agent *agent, const struct wrapped *wrapped, struct rs_error *err);
/* Manifests of series that nothing was added to for a while; `all`: of every one. */
enum rs_code series_announce(struct agent *agent, bool all, struct rs_error *err);
bool series_pending(const struct agent *agent);

struct transport_type {
	/* address: what stands behind the scheme */
	enum rs_code (*open)(struct agent *agent, const char *address, bool is_tls, struct transport **out,
	                     struct rs_error *err);
	/* Sends and receives what can be, and waits for more, at most so long and until `wake` is readable. */
	enum rs_code (*step)(struct transport *transport, int wake, int wait_ms, struct rs_error *err);
	void (*close)(struct transport *transport);
};
extern const struct transport_type transport_mqtt, transport_dicom, transport_http;
struct transport { /* first member of every implementation */
	const struct transport_type *type;
	struct agent *agent;
};

#endif
