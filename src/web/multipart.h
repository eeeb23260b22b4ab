/* Bodies of several parts (RFC 2046 section 5.1), taken as they come: no part is kept, no head is longer than it needs to be. */
#ifndef RS_WEB_MULTIPART_H
#define RS_WEB_MULTIPART_H

#include "base/base.h"
#include "media.h"

#define DELIMITER_MAX 80 /* a boundary has 70 characters at most */
#define PART_HEAD_MAX ((size_t)8192)

/* What hears of parts. Anything but RS_OK ends the reading with that. */
struct multipart_parts {
	enum rs_code (*begin)(void *context, const struct media *type,
	                      struct rs_error *err); /* name empty: none said */
	enum rs_code (*data)(void *context, struct rs_bytes bytes, struct rs_error *err);
	enum rs_code (*end)(void *context, struct rs_error *err);
	void *context;
};

struct multipart {
	struct multipart_parts parts;
	char delimiter[DELIMITER_MAX];
	size_t delimiter_size;
	enum {
		MULTIPART_PREAMBLE,
		MULTIPART_DELIMITED,
		MULTIPART_HEAD,
		MULTIPART_DATA,
		MULTIPART_OVER
	} state;
	size_t held; /* so many bytes of the delimiter may have come */
	struct rs_buffer head;
	struct rs_str location; /* of the part that begins: its Content-Location; borrows from head */
};

/* errors  RS_MALFORMED: a boundary that is none */
enum rs_code multipart_init(struct multipart *multipart, const char *boundary,
                            const struct multipart_parts *parts, struct rs_error *err);
void multipart_finish(struct multipart *multipart); /* accepts zeroed memory */
enum rs_code multipart_take(struct multipart *multipart, struct rs_bytes bytes, struct rs_error *err);
/* RS_MALFORMED when the last part has no end. */
enum rs_code multipart_end(const struct multipart *multipart, struct rs_error *err);

#endif
