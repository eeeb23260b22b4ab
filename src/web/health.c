/* Whether the server lives, and whether it can take something: for who watches machines. Tells nothing else to anybody. */
#include "node/node_room.h"
#include "services.h"

static enum rs_code say(struct request *request, const char *what, struct rs_error *err)
{
	rs_buffer_printf(&request->body, "{\"status\":\"%s\"}\n", what);
	snprintf(request->media, sizeof request->media, "application/json");
	return rs_buffer_check(&request->body, "an answer", err);
}

static enum rs_code health(struct request *request, struct rs_error *err)
{
	return say(request, "alive", err);
}

/* Not when it stops, nor without room for what comes: whoever spreads work sends it elsewhere then. */
static enum rs_code ready(struct request *request, struct rs_error *err)
{
	struct rs_node *node = web_node(request->web);
	uint64_t left = 0;
	request->status = 503;
	if (web_is_stopping(request->web))
		return rs_error_set(err, RS_BUSY, "the server stops");
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = room_left(node, &left, NULL);
	pthread_mutex_unlock(&node->mutex);
	if (code != RS_OK)
		return rs_error_set(err, code, "the node is not well");
	if (left == 0)
		return rs_error_set(err, RS_NO_SPACE, "there is no room");
	request->status = 200;
	return say(request, "ready", err);
}

const struct route routes_health[] = {
	{"GET", "/health", 0, 0, NULL, NULL, health, NULL},
	{"GET", "/ready", 0, 0, NULL, NULL, ready, NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
