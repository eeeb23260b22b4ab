/* What a query of QIDO-RS asks for. */
#ifndef RS_WEB_QIDO_H
#define RS_WEB_QIDO_H

#include "access/access_find.h"
#include "service.h"

#define ATTRIBUTES_MAX 128
#define LIMIT_MAX 10000
#define OFFSET_MAX 1000000
#define VALUES_SIZE ((size_t)64 * 1024) /* of all keys */

struct asked {
	struct request *request;
	struct rs_find find;
	struct rs_find_counts counts;
	struct rs_catalogue_key keys[RS_CATALOGUE_KEYS_MAX];
	uint32_t included[ATTRIBUTES_MAX]; /* by includefield */
	size_t included_count;
	char values[VALUES_SIZE];
	size_t values_used;
	struct rs_json json;
	bool is_ignored, is_fuzzy; /* something that was asked for is not done */
};
/* Of the request's path and parameters; asked is zeroed memory. errors  RS_USAGE, RS_TOO_LARGE */
enum rs_code asked_init(struct asked *asked, struct request *request, enum rs_level level,
                        struct rs_error *err);

#endif
