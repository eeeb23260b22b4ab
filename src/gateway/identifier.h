/* The identifier of a query or a retrieval (PS3.4 section C.4): its level and keys. */
#ifndef RS_GATEWAY_IDENTIFIER_H
#define RS_GATEWAY_IDENTIFIER_H

#include "catalogue/catalogue.h"
#include "dicomnet/dicomnet.h"

#define IDENTIFIER_SIZE_MAX ((size_t)4 << 20)

struct identifier_element {
	uint32_t tag;
	char vr[3];
};
struct identifier {
	enum rs_level level;
	bool is_latin; /* it speaks ISO_IR 100: who sent it may know no UTF-8 */
	/* What was asked for, in the order of tags; and of it what the catalogue knows, which is asked of it. */
	struct identifier_element *elements;
	size_t element_count;
	struct rs_catalogue_key keys[RS_CATALOGUE_KEYS_MAX];
	size_t key_count;
	struct rs_buffer text; /* of keys */
};
void identifier_finish(struct identifier *identifier); /* accepts zeroed memory */
/* Finish it either way. errors  RS_USAGE: no such level in this information model; RS_MALFORMED, RS_TOO_LARGE */
enum rs_code identifier_read(struct rs_bytes data, const char *sop_class, const char *transfer_syntax,
                             struct identifier *out, struct rs_error *err);

#endif
