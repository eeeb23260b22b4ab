/* Hostile queries and JSON bodies of REST: the first byte says of which operation, its line is the query. */
#include <assert.h>
#include <string.h>

#include "web/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	struct rs_error err = {.message = ""};
	const uint8_t *end = size > 1 ? memchr(data + 1, '\n', size - 1) : NULL;
	size_t count = 0;
	if (!end)
		return 0;
	while (operation_at(count))
		count++;
	struct call call = {.request = &request, .operation = operation_at(data[0] % count)};
	char raw[TARGET_SIZE_MAX];
	size_t query_size = (size_t)(end - data - 1);
	if (query_size + 4 >= sizeof raw)
		return 0;
	memcpy(raw, "/a?", 3);
	memcpy(raw + 3, data + 1, query_size);
	if (target_parse((struct rs_str){raw, query_size + 3}, &request.target, &err) != RS_OK)
		return 0;
	call.query = json_object();
	call.body = json_loadb((const char *)end + 1, size - query_size - 2, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call.body) && call_check(&call, &err) == RS_OK)
		for (const struct field *at = call.operation->body; at && at->name; at++) {
			struct rs_digest digest;
			assert(!at->required || json_object_get(call.body, at->name));
			if (at->kind == FIELD_HEX && call_text(&call, at->name))
				assert(call_hex(&call, at->name, &digest));
			(void)call_number(&call, at->name, 0);
			(void)call_time(&call, at->name, 0);
			(void)call_flag(&call, at->name);
		}
	json_decref(call.body);
	json_decref(call.query);
	return 0;
}
