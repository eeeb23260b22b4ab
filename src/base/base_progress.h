/* A progress bar with time left for terminals; silent when the stream is not one. */
#ifndef RS_BASE_PROGRESS_H
#define RS_BASE_PROGRESS_H

#include <stdio.h>

#include "base/base_world.h"

struct rs_progress {
	FILE *stream; /* NULL when silent */
	const struct rs_clock *clock;
	const char *label;
	uint64_t total, done;
	uint64_t started_ns, drawn_ns;
};

/* stream: usually stderr. label: static text ("sealing"). total 0: unknown. */
void rs_progress_begin(struct rs_progress *progress, const struct rs_clock *clock, FILE *stream,
                       const char *label, uint64_t total);
/* Draws at most ten times a second. Call from one thread. */
void rs_progress_update(struct rs_progress *progress, uint64_t done);
void rs_progress_end(struct rs_progress *progress); /* clears the line */

#endif
