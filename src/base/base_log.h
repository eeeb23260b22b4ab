/* Structured log, one line an event: time=… level=… event=… key=value …
 * Used by floors 5 and 6 only, once, where an error is handled; libraries return errors.
 * Values are pseudonyms and technical facts, never identifiers of a person. */
#ifndef RS_BASE_LOG_H
#define RS_BASE_LOG_H

#include <stdio.h>

#include "base/base_world.h"

enum rs_log_level { RS_LOG_DEBUG, RS_LOG_INFO, RS_LOG_WARNING, RS_LOG_ERROR };

struct rs_log {
	FILE *stream; /* NULL: silent */
	enum rs_log_level minimum;
	const struct rs_clock *clock;
};

struct rs_log_field {
	const char *key;   /* [a-z_]+ */
	const char *value; /* quoted when it holds spaces, quotes or '='; controls escaped */
};

/* One line of at most 8 KiB, one write; fields that do not fit are replaced by
 * fields_left_out=true. log may be NULL. */
void rs_log_write(const struct rs_log *log, enum rs_log_level level, const char *event,
                  const struct rs_log_field *fields, size_t count);
#define RS_LOG(log, level, event, ...)                                                    \
	rs_log_write((log), (level), (event), (const struct rs_log_field[]){__VA_ARGS__}, \
	             sizeof((const struct rs_log_field[]){__VA_ARGS__}) / sizeof(struct rs_log_field))

#endif
