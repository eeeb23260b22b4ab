/* Accepting associations, and threads for them. */
#include "listen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_socket.h"
#include "receive.h"

#define TICK_MS 250

/* One association at a time. */
struct slot {
	struct listener *listener;
	pthread_t thread;
	atomic_bool is_over; /* the thread has nothing left to do */
	bool is_used;
	int socket;
};

struct listener {
	struct receiving shared;
	pthread_t thread;
	bool has_thread;
	int socket;
	struct slot slots[ASSOCIATIONS_MAX];
};

static void *serve(void *context)
{
	struct slot *slot = context;
	receive_association(&slot->listener->shared, slot->socket);
	close(slot->socket);
	atomic_store(&slot->is_over, true);
	return NULL;
}

static void reap(struct slot *slot)
{
	if (slot->is_used)
		pthread_join(slot->thread, NULL);
	slot->is_used = false;
}

/* Who finds no place is closed at once: PACS and scanners try again. */
static void place(struct listener *listener, int socket)
{
	for (size_t i = 0; i < ASSOCIATIONS_MAX; i++) {
		struct slot *slot = &listener->slots[i];
		if (slot->is_used && !atomic_load(&slot->is_over))
			continue;
		reap(slot);
		slot->listener = listener;
		slot->socket = socket;
		atomic_store(&slot->is_over, false);
		slot->is_used = pthread_create(&slot->thread, NULL, serve, slot) == 0;
		if (slot->is_used)
			return;
		break;
	}
	receive_say(&listener->shared, RS_LOG_WARNING, "association_rejected", "",
	            "there is no place for another");
	close(socket);
}

static void *listen_on(void *context)
{
	struct listener *listener = context;
	struct pollfd polled = {.fd = listener->socket, .events = POLLIN};
	while (!atomic_load(&listener->shared.ends)) {
		if (poll(&polled, 1, TICK_MS) <= 0)
			continue;
		int socket = accept(listener->socket, NULL, NULL);
		if (socket >= 0)
			place(listener, socket);
	}
	return NULL;
}

static enum rs_code remove_partial(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                   struct rs_error *err)
{
	const struct receiving *shared = context;
	const struct rs_files *files = shared->world->files;
	char text[64];
	if (!rs_str_ends_with(name, PARTIAL) || name.size >= sizeof text)
		return RS_OK;
	(void)snprintf(text, sizeof text, RS_STR_FORMAT, RS_STR_ARGUMENTS(name));
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(shared->directory, text);
	return path ? files->remove(files, path, err) : rs_error_memory(err, name.size, "a path");
}

static enum rs_code start(struct listener *listener, struct rs_error *err)
{
	struct receiving *shared = &listener->shared;
	char port[16];
	RS_TRY(shared->world->files->list(shared->world->files, shared->directory, remove_partial, shared,
	                                  err));
	RS_TRY(rs_socket_listen(shared->options->listen, &listener->socket, err));
	int failed = pthread_create(&listener->thread, NULL, listen_on, listener);
	if (failed)
		return rs_error_errno(err, failed, "a thread cannot be started");
	listener->has_thread = true;
	(void)snprintf(port, sizeof port, "%u", rs_socket_port(listener->socket));
	receive_say(shared, RS_LOG_INFO, "listening", port, "");
	return RS_OK;
}

enum rs_code listener_open(const struct rs_world *world, const struct rs_edge_options *options,
                           const char *directory, struct listener **out, struct rs_error *err)
{
	struct listener *listener = rs_allocate(sizeof *listener);
	if (!listener)
		return rs_error_memory(err, sizeof *listener, "a listener");
	listener->shared.world = world;
	listener->shared.options = options;
	listener->shared.directory = directory;
	listener->socket = -1;
	enum rs_code code = start(listener, err);
	if (code != RS_OK) {
		listener_close(listener);
		return code;
	}
	*out = listener;
	return RS_OK;
}

void listener_close(struct listener *listener)
{
	if (!listener)
		return;
	atomic_store(&listener->shared.ends, true);
	if (listener->has_thread)
		pthread_join(listener->thread, NULL);
	for (size_t i = 0; i < ASSOCIATIONS_MAX; i++)
		reap(&listener->slots[i]);
	if (listener->socket >= 0)
		close(listener->socket);
	rs_free(listener);
}

void listener_allow(struct listener *listener, bool has_room)
{
	if (listener)
		atomic_store(&listener->shared.is_full, !has_room);
}
