/* Structured field values of HTTP (RFC 8941), as far as signatures need them: dictionaries of items and of lists within them.
 * Nothing is copied: an item is what stands in the field. Keys may come once: who sends one twice means to deceive somebody. */
#ifndef RS_ENVELOPE_FIELDS_H
#define RS_ENVELOPE_FIELDS_H

#include "base/base.h"

#define FIELD_SIZE_MAX ((size_t)4096)

struct fields {
	const char *at, *end;
};
enum item_kind { ITEM_NUMBER, ITEM_STRING, ITEM_TOKEN, ITEM_BYTES, ITEM_SWITCH };
struct item {
	enum item_kind kind;
	struct rs_str
		text; /* of a string without its quotes, escapes as they are; of bytes without colons, base64 */
};

/* errors  RS_TOO_LARGE */
enum rs_code fields_init(struct fields *fields, struct rs_str text, struct rs_error *err);
/* The next member's key; *out_any false at the end. *first: true before the first call, and the function's from then on. Its
 * value comes next. */
enum rs_code fields_key(struct fields *fields, bool *first, struct rs_str *out, bool *out_any,
                        struct rs_error *err);
/* A value that is an item, without its parameters; a key alone is the switch "?1". */
enum rs_code fields_item(struct fields *fields, struct item *out, struct rs_error *err);
/* Whether the member is a list; steps into it. */
bool fields_list(struct fields *fields);
/* The list's next item; *out_any false after its end, where its parameters begin. */
enum rs_code fields_listed(struct fields *fields, bool *first, struct item *out, bool *out_any,
                           struct rs_error *err);
/* The next parameter of what was read; *out_any false when there is none left. */
enum rs_code fields_parameter(struct fields *fields, struct rs_str *out_key, struct item *out, bool *out_any,
                              struct rs_error *err);
/* The rest of a member whose value is of no interest. */
enum rs_code fields_pass(struct fields *fields, struct rs_error *err);

#endif
