/* OpenAPI 3.1 out of the operations and their fields. */
#include "web/web_openapi.h"

#include <stdio.h>
#include <string.h>

#include "api.h"
#include "people.h"

#ifndef RADSEAL_VERSION
#define RADSEAL_VERSION "0"
#endif

#define PURPOSES "treatment,research,operations,emergency,audit,patient-request"
#define PATH_PARAMETER "{name}"

static void pair(struct rs_json *json, const char *key, const char *value)
{
	rs_json_key(json, key);
	rs_json_text(json, value);
}

static void begin(struct rs_json *json, const char *key)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
}

static void put_choices(struct rs_json *json, const struct field *field)
{
	struct rs_str rest = rs_str_from(field->choices), one;
	if (!field->choices)
		return;
	rs_json_key(json, "enum");
	rs_json_array_begin(json);
	while (rs_str_split(&rest, ',', &one))
		rs_json_str(json, one);
	rs_json_array_end(json);
}

/* The schema of one value; null is one, too, where `nullable`. */
static void value_schema(struct rs_json *json, const struct field *field, bool nullable)
{
	static const char *const types[] = {
		[FIELD_TEXT] = "string", [FIELD_NUMBER] = "integer", [FIELD_SWITCH] = "boolean",
		[FIELD_TIME] = "string", [FIELD_HEX] = "string",     [FIELD_TEXTS] = "array"};
	rs_json_object_begin(json);
	if (nullable) {
		rs_json_key(json, "oneOf");
		rs_json_array_begin(json);
		value_schema(json, field, false);
		rs_json_object_begin(json);
		pair(json, "type", "null");
		rs_json_object_end(json);
		rs_json_array_end(json);
		rs_json_object_end(json);
		return;
	}
	pair(json, "type", types[field->kind]);
	if (field->kind == FIELD_NUMBER) {
		rs_json_key(json, "minimum");
		rs_json_u64(json, 0);
	}
	if (field->kind == FIELD_HEX)
		pair(json, "pattern", "^[0-9a-f]{64}$");
	if (field->kind == FIELD_TIME)
		pair(json, "pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z)?$");
	if (field->kind == FIELD_TEXTS) {
		begin(json, "items");
		pair(json, "type", "string");
		put_choices(json, field);
		rs_json_object_end(json);
	} else {
		put_choices(json, field);
	}
	rs_json_object_end(json);
}

static void object_schema(struct rs_json *json, const struct field *fields, bool is_answer)
{
	rs_json_object_begin(json);
	pair(json, "type", "object");
	begin(json, "properties");
	for (const struct field *at = fields; at->name; at++) {
		rs_json_key(json, at->name);
		value_schema(json, at, !at->required);
	}
	rs_json_object_end(json);
	rs_json_key(json, "required");
	rs_json_array_begin(json);
	for (const struct field *at = fields; at->name; at++)
		if (at->required || is_answer)
			rs_json_text(json, at->name);
	rs_json_array_end(json);
	rs_json_key(json, "additionalProperties");
	rs_json_bool(json, false);
	rs_json_object_end(json);
}

static void put_parameter(struct rs_json *json, const struct field *field, const char *in)
{
	rs_json_object_begin(json);
	pair(json, "name", field->name);
	pair(json, "in", in);
	pair(json, "description", field->help);
	rs_json_key(json, "required");
	rs_json_bool(json, field->required);
	rs_json_key(json, "schema");
	value_schema(json, field, false);
	rs_json_object_end(json);
}

static void put_parameters(struct rs_json *json, const struct operation *operation)
{
	static const struct field
		name = {"name", FIELD_TEXT, true, "whom or what the path names", NULL},
		purpose = {"Radseal-Purpose", FIELD_TEXT, false,
	                   "what data are used for; otherwise what the caller's role is there for", PURPOSES},
		asked = {"purpose", FIELD_TEXT, false, "the same, for who cannot send headers", PURPOSES};
	rs_json_key(json, "parameters");
	rs_json_array_begin(json);
	if (strstr(operation->route.path, PATH_PARAMETER))
		put_parameter(json, &name, "path");
	for (const struct field *at = operation->headers; at && at->name; at++)
		put_parameter(json, at, "header");
	for (const struct field *at = operation->query; at && at->name; at++)
		put_parameter(json, at, "query");
	if (operation->route.right & ~(unsigned)RS_WEB_MAY_ACCOUNT)
		for (size_t i = 0; i < 2; i++)
			put_parameter(json, i ? &asked : &purpose, i ? "query" : "header");
	rs_json_array_end(json);
}

static void put_body(struct rs_json *json, const struct operation *operation)
{
	if (!operation->route.body_max)
		return;
	begin(json, "requestBody");
	rs_json_key(json, "required");
	rs_json_bool(json, true);
	begin(json, "content");
	begin(json, operation->body ? "application/json" : "application/octet-stream");
	rs_json_key(json, "schema");
	if (operation->body) {
		object_schema(json, operation->body, false);
	} else {
		rs_json_object_begin(json);
		rs_json_object_end(json);
	}
	rs_json_object_end(json);
	rs_json_object_end(json);
	rs_json_object_end(json);
}

static void put_answer(struct rs_json *json, const struct operation *operation)
{
	if (!operation->answer && !operation->media)
		return;
	begin(json, "content");
	begin(json, operation->media ? operation->media : "application/json");
	rs_json_key(json, "schema");
	if (!operation->answer) {
		rs_json_object_begin(json);
		rs_json_object_end(json);
	} else if (operation->answers_list) {
		rs_json_object_begin(json);
		pair(json, "type", "array");
		rs_json_key(json, "items");
		object_schema(json, operation->answer, true);
		rs_json_object_end(json);
	} else {
		object_schema(json, operation->answer, true);
	}
	rs_json_object_end(json);
	rs_json_object_end(json);
}

static void put_responses(struct rs_json *json, const struct operation *operation)
{
	char status[12];
	(void)snprintf(status, sizeof status, "%u", operation->status ? operation->status : 200);
	begin(json, "responses");
	begin(json, status);
	pair(json, "description", "done");
	put_answer(json, operation);
	rs_json_object_end(json);
	begin(json, "default");
	pair(json, "$ref", "#/components/responses/Problem");
	rs_json_object_end(json);
	rs_json_object_end(json);
}

/* "GET /api/v1/members/{name}/history" as "get-members-name-history". */
static void put_id(struct rs_json *json, const struct operation *operation)
{
	char id[128];
	size_t used = 0;
	const char *const parts[] = {operation->route.method, operation->route.path + strlen("/api/v1")};
	for (size_t i = 0; i < RS_COUNT(parts); i++)
		for (const char *at = parts[i]; *at && used + 1 < sizeof id; at++)
			if (*at != '{' && *at != '}')
				id[used++] = *at == '/' || *at == '.'   ? '-'
				             : *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20)
				                                        : *at;
	id[used] = '\0';
	pair(json, "operationId", id);
}

static void put_operation(struct rs_json *json, const struct operation *operation)
{
	char method[8] = "";
	for (size_t i = 0; operation->route.method[i] && i + 1 < sizeof method; i++)
		method[i] = (char)(operation->route.method[i] | 0x20);
	begin(json, method);
	put_id(json, operation);
	pair(json, "summary", operation->summary);
	rs_json_key(json, "tags");
	rs_json_array_begin(json);
	rs_json_text(json, operation->group);
	rs_json_array_end(json);
	put_parameters(json, operation);
	put_body(json, operation);
	put_responses(json, operation);
	if (!operation->route.right) {
		rs_json_key(json, "security");
		rs_json_array_begin(json);
		rs_json_array_end(json);
	}
	rs_json_object_end(json);
}

static bool is_first_of_path(size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(operation_at(i)->route.path, operation_at(index)->route.path) == 0)
			return false;
	return true;
}

static void put_paths(struct rs_json *json)
{
	begin(json, "paths");
	for (size_t i = 0; operation_at(i); i++) {
		const char *path = operation_at(i)->route.path;
		if (!is_first_of_path(i))
			continue;
		begin(json, path);
		for (size_t k = i; operation_at(k); k++)
			if (strcmp(operation_at(k)->route.path, path) == 0)
				put_operation(json, operation_at(k));
		rs_json_object_end(json);
	}
	rs_json_object_end(json);
}

static const struct field problem_fields[] = {
	{"type", FIELD_TEXT, true, "", NULL},     {"title", FIELD_TEXT, true, "", NULL},
	{"status", FIELD_NUMBER, true, "", NULL}, {"detail", FIELD_TEXT, true, "", NULL},
	{"code", FIELD_TEXT, true, "", NULL},     {"instance", FIELD_TEXT, true, "", NULL},
	{NULL, FIELD_TEXT, false, NULL, NULL}};

static void put_components(struct rs_json *json)
{
	begin(json, "components");
	begin(json, "responses");
	begin(json, "Problem");
	pair(json, "description",
	     "why not (RFC 9457); what the contract refuses has status 403 and its name in detail");
	begin(json, "content");
	begin(json, "application/problem+json");
	rs_json_key(json, "schema");
	object_schema(json, problem_fields, true);
	for (int i = 0; i < 4; i++)
		rs_json_object_end(json);
	begin(json, "securitySchemes");
	begin(json, "session");
	pair(json, "type", "apiKey");
	pair(json, "in", "cookie");
	pair(json, "name", SESSION_COOKIE);
	rs_json_object_end(json);
	begin(json, "bearer");
	pair(json, "type", "http");
	pair(json, "scheme", "bearer");
	rs_json_object_end(json);
	begin(json, "certificate");
	pair(json, "type", "mutualTLS");
	for (int i = 0; i < 3; i++)
		rs_json_object_end(json);
}

enum rs_code rs_web_openapi(struct rs_buffer *out, struct rs_error *err)
{
	static const char *const schemes[] = {"session", "bearer", "certificate"};
	struct rs_json json;
	rs_json_init(&json, out, true);
	rs_json_object_begin(&json);
	pair(&json, "openapi", "3.1.0");
	begin(&json, "info");
	pair(&json, "title", "radseal");
	pair(&json, "version", RADSEAL_VERSION);
	pair(&json, "description",
	     "What the command line does, over HTTP. Each request is signed by the member that it is of, and "
	     "decided by the contract. Requests with a session's cookie that change something carry the "
	     "session's csrf in the header Radseal-CSRF.");
	begin(&json, "license");
	pair(&json, "name", "Apache-2.0");
	pair(&json, "identifier", "Apache-2.0");
	rs_json_object_end(&json);
	rs_json_object_end(&json);
	rs_json_key(&json, "security");
	rs_json_array_begin(&json);
	for (size_t i = 0; i < RS_COUNT(schemes); i++) {
		rs_json_object_begin(&json);
		rs_json_key(&json, schemes[i]);
		rs_json_array_begin(&json);
		rs_json_array_end(&json);
		rs_json_object_end(&json);
	}
	rs_json_array_end(&json);
	put_paths(&json);
	put_components(&json);
	rs_json_object_end(&json);
	rs_buffer_append_text(out, "\n");
	return rs_buffer_check(out, "the document", err);
}
