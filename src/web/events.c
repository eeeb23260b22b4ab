/* What is being sealed, as it goes on: Server-Sent Events (HTML, section 9.2). Numbers only; they tell of nobody. */
#include <stdio.h>
#include <string.h>

#include "services.h"

#define LOOK_MS 250
#define SILENCE_MS 15000 /* then a comment keeps the connection alive */

struct watching {
	struct stream stream; /* first: it is one */
	struct rs_web *web;
	struct rs_intake_counts last;
	bool is_first;
};

static bool is_same(const struct rs_intake_counts *a, const struct rs_intake_counts *b)
{
	return a->sealed == b->sealed && a->known == b->known && a->refused == b->refused &&
	       a->waiting == b->waiting;
}

static enum rs_code read_event(struct stream *stream, void *out, size_t size, size_t *out_read,
                               struct rs_error *err RS_UNUSED)
{
	struct watching *watching = (struct watching *)stream;
	struct rs_intake_counts now;
	int written = 0;
	for (unsigned silent_ms = 0; written == 0 && !web_is_stopping(watching->web); silent_ms += LOOK_MS) {
		rs_intake_count(web_intake(watching->web), &now);
		if (watching->is_first || !is_same(&now, &watching->last))
			written = snprintf(
				out, size,
				"event: sealing\ndata: {\"sealed\":%llu,\"known\":%llu,\"refused\":%llu,"
				"\"waiting\":%zu,\"bytes\":%llu}\n\n",
				(unsigned long long)now.sealed, (unsigned long long)now.known,
				(unsigned long long)now.refused, now.waiting, (unsigned long long)now.bytes);
		else if (silent_ms >= SILENCE_MS)
			written = snprintf(out, size, ": still here\n\n");
		else
			web_pause(watching->web, LOOK_MS);
	}
	if (written > 0) {
		watching->last = now;
		watching->is_first = false;
	}
	*out_read = written > 0 && (size_t)written < size ? (size_t)written : 0;
	return RS_OK;
}

static void close_events(struct stream *stream) { rs_free(stream); }

static enum rs_code events(struct request *request, struct rs_error *err)
{
	RS_TRY(request_check_member(request, err));
	struct watching *watching = rs_allocate(sizeof *watching);
	if (!watching)
		return rs_error_memory(err, sizeof *watching, "events");
	watching->stream = (struct stream){NO_SIZE, read_event, close_events};
	watching->web = request->web;
	watching->is_first = true;
	request->stream = &watching->stream;
	snprintf(request->media, sizeof request->media, "text/event-stream");
	return RS_OK;
}

const struct route routes_events[] = {
	{"GET", "/events", RS_WEB_MAY_WATCH, 0, NULL, NULL, events, NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
