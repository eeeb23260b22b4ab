/* Hostile queries of QIDO-RS: what is asked of the catalogue is bounded, and names attributes that it has. The first byte is the
 * level, the second says how many UIDs stand in the path, the rest is the query. */
#include <stdlib.h>
#include <string.h>

#include "catalogue/match.h"
#include "web/qido.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct asked *asked)
{
	const struct rs_catalogue_query *query = &asked->find.query;
	if (query->key_count > RS_CATALOGUE_KEYS_MAX || asked->included_count > ATTRIBUTES_MAX ||
	    asked->values_used > VALUES_SIZE || asked->find.offset > OFFSET_MAX ||
	    asked->find.limit > LIMIT_MAX)
		abort();
	for (size_t i = 0; i < query->key_count; i++) {
		const struct rs_str value = query->keys[i].value;
		if (!rs_catalogue_attribute(query->keys[i].tag) || value.data < asked->values ||
		    value.data + value.size > asked->values + asked->values_used)
			abort();
	}
	for (size_t i = 0; i < asked->included_count; i++)
		if (!rs_catalogue_attribute(asked->included[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	static struct asked asked;
	char raw[TARGET_SIZE_MAX];
	struct rs_error err = {.message = ""};
	if (size < 2 || size + 1 >= sizeof raw)
		return 0;
	memcpy(raw, "/a?", 3);
	memcpy(raw + 3, data + 2, size - 2);
	memset(&request, 0, sizeof request);
	memset(&asked, 0, sizeof asked);
	if (target_parse((struct rs_str){raw, size + 1}, &request.target, &err) != RS_OK)
		return 0;
	for (size_t i = 0; i < data[1] % 3u; i++)
		request.values[i] = RS_STR("1.2.3");
	const enum rs_level level = (enum rs_level)(RS_LEVEL_STUDY +
	                                            data[0] % (RS_LEVEL_COUNT - RS_LEVEL_STUDY));
	enum rs_code code = asked_init(&asked, &request, level, &err);
	if (code != RS_OK && err.message[0] == '\0')
		abort();
	check(&asked);
	return 0;
}
