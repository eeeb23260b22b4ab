/* The agent's loop. */
#include "agent.h"

#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SECOND_NS ((uint64_t)1000000000)
#define BACK_OFF_MAX 6 /* 2^6 s */
#define WAIT_MS 500
#define BURST_S 0.25 /* of the rate: so much may be sent at once */

uint64_t agent_now_ns(const struct agent *agent)
{
	return agent->world->clock->monotonic_ns(agent->world->clock);
}

void agent_say(const struct agent *agent, enum rs_log_level level, const char *event, const char *about,
               const char *reason)
{
	RS_LOG(agent->options->log, level, event, {"device", agent->options->device}, {"about", about},
	       {"reason", reason});
}

uint64_t agent_back_off_ns(const struct agent *agent, unsigned failures)
{
	uint64_t base = SECOND_NS << (failures < BACK_OFF_MAX ? failures : BACK_OFF_MAX);
	uint32_t random = 0;
	(void)rs_world_random(agent->world, &random, sizeof random, NULL);
	return base - base / 4 + random % (base / 2);
}

size_t agent_allow(struct agent *agent, size_t size)
{
	uint64_t now = agent_now_ns(agent);
	const double rate = (double)agent->options->rate, most = rate * BURST_S + (double)size;
	if (agent->options->rate == 0)
		return size;
	agent->tokens += rate * (double)(now - agent->tokens_ns) / (double)SECOND_NS;
	agent->tokens_ns = now;
	if (agent->tokens > most)
		agent->tokens = most;
	if (agent->tokens < (double)size)
		return 0;
	agent->tokens -= (double)size;
	return size;
}

enum rs_code agent_sign(struct agent *agent, struct rs_envelope *envelope, const struct rs_listed *listed,
                        struct rs_buffer *out, struct rs_error *err)
{
	envelope->device = rs_str_from(agent->options->device);
	memcpy(envelope->boot, agent->boot, RS_BOOT_SIZE);
	envelope->sequence = agent->sequence + 1;
	envelope->clock = RS_CLOCK_FREE;
	envelope->previous = agent->previous;
	rs_buffer_init(out, RS_MANIFEST_SIZE_MAX);
	RS_TRY(rs_envelope_sign(envelope, listed, agent->options->signer, out, err));
	agent->sequence++;
	rs_sha256(rs_buffer_bytes(out), &agent->previous);
	return RS_OK;
}

enum rs_code agent_settle(struct agent *agent, struct item *item, enum rs_acknowledged outcome,
                          uint64_t bytes, struct rs_bytes message, struct rs_error *err)
{
	if (message.size)
		rs_sha256(message, &agent->previous);
	agent->summary->acknowledged++;
	agent->summary->quarantined += outcome == RS_ACKNOWLEDGED_QUARANTINED;
	agent->summary->bytes += bytes;
	if (outcome == RS_ACKNOWLEDGED_QUARANTINED)
		agent_say(agent, RS_LOG_WARNING, "quarantined", "",
		          "the node keeps it until a member decides");
	return queue_settle(&agent->queue, item, message, err);
}

static enum rs_code watch(const char *directory, const char *received, int *out, struct rs_error *err)
{
	*out = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (*out < 0 || inotify_add_watch(*out, received, IN_MOVED_TO) < 0 ||
	    (directory && inotify_add_watch(*out, directory, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)) {
		if (*out >= 0)
			close(*out);
		return rs_error_set(err, RS_IO, "the directory %s cannot be watched",
		                    directory ? directory : "");
	}
	return RS_OK;
}

/* What it tells is found by looking. */
static void drain(int wake)
{
	char events[4096];
	while (read(wake, events, sizeof events) > 0)
		;
}

static enum rs_code open_transport(struct agent *agent, struct transport **out, struct rs_error *err)
{
	static const struct {
		const char *scheme;
		const struct transport_type *type;
		bool is_tls;
	} schemes[] = {{"mqtt://", &transport_mqtt, false},   {"mqtts://", &transport_mqtt, true},
	               {"dicom://", &transport_dicom, false}, {"dicoms://", &transport_dicom, true},
	               {"http://", &transport_http, false},   {"https://", &transport_http, true}};
	const char *target = agent->options->target;
	for (size_t i = 0; i < RS_COUNT(schemes); i++)
		if (strncmp(target, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
			return schemes[i].type->open(agent, target + strlen(schemes[i].scheme),
			                             schemes[i].is_tls, out, err);
	return rs_error_set(err, RS_USAGE,
	                    "'%s' is nothing to send to: mqtts://, https:// or dicoms://, or without s",
	                    target);
}

static enum rs_code loop(struct agent *agent, struct transport *transport, int wake, struct rs_error *err)
{
	while (!*agent->stop) {
		drain(wake);
		RS_TRY(take_files(agent, err));
		bool ends = agent->options->once && agent->is_directory_empty;
		RS_TRY(series_announce(agent, ends, err));
		if (ends && agent->queue.count == 0 && !series_pending(agent))
			return RS_OK;
		RS_TRY(transport->type->step(transport, wake,
		                             agent->is_directory_empty ? WAIT_MS : WAIT_MS / 10, err));
		RS_TRY(queue_flush(&agent->queue, !agent->queue.items, err));
	}
	return RS_OK;
}

static enum rs_code begin(struct agent *agent, struct rs_error *err)
{
	const struct rs_edge_options *options = agent->options;
	if (!rs_device_name_valid(rs_str_from(options->device)))
		return rs_error_set(err, RS_USAGE, "'%s' is no name of a device", options->device);
	RS_TRY(queue_open(agent->world, options->state, options->quota, &agent->queue, err));
	agent->series = rs_path_join(options->state, "series");
	if (!agent->series)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(agent->world, agent->series, err));
	agent->received = rs_path_join(options->state, "received");
	if (!agent->received)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(agent->world, agent->received, err));
	if (options->listen)
		RS_TRY(listener_open(agent->world, options, agent->received, &agent->listener, err));
	agent->tokens_ns = agent_now_ns(agent);
	return rs_world_random(agent->world, agent->boot, sizeof agent->boot, err);
}

enum rs_code rs_edge_run(const struct rs_world *world, const struct rs_edge_options *options,
                         const volatile sig_atomic_t *stop, struct rs_edge_summary *out, struct rs_error *err)
{
	struct agent agent = {.world = world, .options = options, .stop = stop, .summary = out};
	struct transport *transport = NULL;
	int wake = -1;
	*out = (struct rs_edge_summary){.taken = 0};
	enum rs_code code = begin(&agent, err);
	if (code == RS_OK)
		code = watch(options->watch, agent.received, &wake, err);
	if (code == RS_OK)
		code = open_transport(&agent, &transport, err);
	if (code == RS_OK)
		code = loop(&agent, transport, wake, err);
	if (transport)
		transport->type->close(transport);
	if (wake >= 0)
		close(wake);
	listener_close(agent.listener);
	queue_close(&agent.queue);
	rs_free(agent.series);
	rs_free(agent.received);
	return code;
}
