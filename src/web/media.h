/* Media types of Content-Type and Accept (RFC 9110 sections 8.3 and 12.5.1), ranges of bytes, tags of entities. */
#ifndef RS_WEB_MEDIA_H
#define RS_WEB_MEDIA_H

#include "base/base.h"

#define PARAMETER_SIZE 128

struct media {
	struct rs_str name;       /* "multipart/related", "*" "/" "*" */
	struct rs_str parameters; /* what follows the first semicolon */
};
/* The next one of a list parted by commas, which *rest loses; false at its end. What is no media type is passed over. */
bool media_next(struct rs_str *rest, struct media *out);
bool media_is(const struct media *media, const char *name); /* any case */
/* A parameter's value without quotes; false without one, or when it is longer than PARAMETER_SIZE - 1. */
bool media_parameter(const struct media *media, const char *name, char out[static PARAMETER_SIZE]);
/* Its weight in thousandths; 0: not acceptable. */
unsigned media_quality(const struct media *media);
/* Whether a media type as we would send it fits a type or a range of an Accept header. */
bool media_covers(const struct media *range, const char *name);

/* "bytes=0-499" of `size` bytes: one range. False: answer with everything; *out_satisfiable is false when none of it is there. */
bool range_parse(struct rs_str header, uint64_t size, uint64_t *out_begin, uint64_t *out_end,
                 bool *out_satisfiable);
/* Whether a list of If-None-Match has the tag ("\"abc\"" or "W/\"abc\"" or "*"). */
bool tag_listed(struct rs_str header, const char *tag);

#endif
