/* What a request asks for: its target taken apart (RFC 9112 section 3.2.1), and ranges and media types of its head. */
#ifndef RS_WEB_TARGET_H
#define RS_WEB_TARGET_H

#include "base/base.h"

#define TARGET_SIZE_MAX ((size_t)8192)
#define SEGMENTS_MAX 16
#define QUERY_MAX 64

struct query_pair {
	struct rs_str name, value;
};
/* Views borrow from `text`, which is the struct's own: it must not move. */
struct target {
	struct rs_str segments[SEGMENTS_MAX];
	size_t segment_count;
	struct query_pair query[QUERY_MAX];
	size_t query_count;
	char text[TARGET_SIZE_MAX]; /* decoded */
};
/* Strict: no empty segments or those of dots, nothing that decodes to a control character, to a slash within a segment, or to
 * no UTF-8. errors  RS_MALFORMED, RS_TOO_LARGE */
enum rs_code target_parse(struct rs_str raw, struct target *out, struct rs_error *err);
/* The value of the first parameter of this name; false without one. */
bool target_query(const struct target *target, const char *name, struct rs_str *out);

/* A path like "/studies/{uid}/frames/{list}". {uid}: a DICOM UID; {list}: numbers parted by commas; {name}: 1 to 128 letters,
 * digits, '.', '_', '-'. What stands in the target's place of a parameter goes to out_values, at most `values_max`. */
bool target_matches(const struct target *target, const char *path, struct rs_str *out_values,
                    size_t values_max);

#endif
