/* From a request to an operation's function, and back. */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "node/node_parts.h"
#include "server.h"
#include "services.h"
#include "words.h"

extern const struct operation operations_audit[], operations_consents[], operations_data[],
	operations_envelopes[], operations_glass[], operations_jobs[], operations_login[], operations_node[],
	operations_devices[], operations_people[];

static const struct operation *const tables[] = {
	operations_login, operations_people, operations_consents, operations_data,      operations_glass,
	operations_jobs,  operations_audit,  operations_node,     operations_envelopes, operations_devices};

/* One for each operation, and the end: made once, before there are threads. */
#define OPERATIONS_MAX 64
struct route routes_api[OPERATIONS_MAX + 1];

const struct operation *operation_at(size_t index)
{
	for (size_t i = 0; i < RS_COUNT(tables); i++)
		for (const struct operation *at = tables[i]; at->run; at++)
			if (index-- == 0)
				return at;
	return NULL;
}

static const json_t *member(const struct call *call, const char *name)
{
	const json_t *value = json_object_get(call->body, name);
	return json_is_null(value) ? NULL : value;
}

/* Texts of the query stand for numbers and switches, too; they were checked. */
static const char *asked(const struct call *call, const char *name)
{
	return json_string_value(json_object_get(call->query, name));
}

const char *call_text(const struct call *call, const char *name)
{
	const char *text = json_string_value(member(call, name));
	return text ? text : asked(call, name);
}

bool call_flag(const struct call *call, const char *name)
{
	const char *text = asked(call, name);
	return json_is_true(member(call, name)) || (text && strcmp(text, "false") != 0);
}

uint64_t call_number(const struct call *call, const char *name, uint64_t fallback)
{
	const json_t *value = member(call, name);
	if (value)
		return (uint64_t)json_integer_value(value);
	(void)rs_parse_u64(rs_str_from(asked(call, name)), &fallback);
	return fallback;
}

uint64_t call_time(const struct call *call, const char *name, uint64_t fallback_ms)
{
	(void)rs_parse_time_ms(rs_str_from(call_text(call, name)), &fallback_ms);
	return fallback_ms;
}

bool call_hex(const struct call *call, const char *name, struct rs_digest *out)
{
	const char *text = call_text(call, name);
	return text && rs_hex_decode(rs_str_from(text), out->bytes, sizeof out->bytes);
}

enum rs_code call_name(const struct call *call, char out[static 129], struct rs_error *err)
{
	struct rs_str name = call->request->values[0];
	if (name.size == 0 || name.size > 128)
		return rs_error_set(err, RS_USAGE, "a name in the path is too long");
	memcpy(out, name.data, name.size);
	out[name.size] = '\0';
	return RS_OK;
}

struct rs_bytes call_bytes(const struct call *call)
{
	const struct rs_buffer *body = call->request->state;
	return body ? rs_buffer_bytes(body) : rs_bytes_of("", 0);
}

void put_text(struct call *call, const char *key, const char *value)
{
	rs_json_key(&call->json, key);
	if (value && *value)
		rs_json_text(&call->json, value);
	else
		rs_json_null(&call->json);
}

void put_number(struct call *call, const char *key, uint64_t value)
{
	rs_json_key(&call->json, key);
	rs_json_u64(&call->json, value);
}

void put_switch(struct call *call, const char *key, bool value)
{
	rs_json_key(&call->json, key);
	rs_json_bool(&call->json, value);
}

void put_time(struct call *call, const char *key, uint64_t time_ms)
{
	char text[RS_TIME_TEXT_SIZE] = "";
	if (time_ms)
		rs_format_time_ms(time_ms, text);
	put_text(call, key, text);
}

void put_hex(struct call *call, const char *key, const void *bytes, size_t size)
{
	rs_json_key(&call->json, key);
	rs_json_hex(&call->json, rs_bytes_of(bytes, size));
}

void row_begin(struct call *call) { rs_json_object_begin(&call->json); }

enum rs_code row_end(struct call *call, struct rs_error *err)
{
	rs_json_object_end(&call->json);
	return rs_buffer_check(&call->request->body, "an answer", err);
}

enum rs_code call_act(struct call *call, struct rs_act *act, struct rs_error *err)
{
	uint64_t entry;
	RS_TRY(rs_node_transact(call->node, call->actor, act, &entry, err));
	put_number(call, "entry", entry);
	return RS_OK;
}

enum rs_code call_subject(const struct call *call, struct rs_node_subject *out, struct rs_error *err)
{
	const char *issuer = call_text(call, "issuer");
	return rs_node_subject(call->node, issuer ? issuer : "", call_text(call, "subject"), out, err);
}

static bool is_choice(const struct field *field, struct rs_str text)
{
	struct rs_str rest = rs_str_from(field->choices), one;
	while (field->choices && rs_str_split(&rest, ',', &one))
		if (rs_str_equal(one, text))
			return true;
	return !field->choices;
}

static enum rs_code check_text(const struct field *field, struct rs_str text, struct rs_error *err)
{
	struct rs_digest digest;
	uint64_t number;
	bool good = field->kind == FIELD_HEX      ? rs_hex_decode(text, digest.bytes, sizeof digest.bytes)
	            : field->kind == FIELD_TIME   ? rs_parse_time_ms(text, &number)
	            : field->kind == FIELD_NUMBER ? rs_parse_u64(text, &number)
	                                          : is_choice(field, text);
	if (good)
		return RS_OK;
	if (field->choices)
		return rs_error_set(err, RS_USAGE, "%s is one of %s", field->name, field->choices);
	return rs_error_set(err, RS_USAGE, "%s is no %s", field->name,
	                    field->kind == FIELD_HEX      ? "64 hexadecimal digits"
	                    : field->kind == FIELD_NUMBER ? "natural number"
	                                                  : "time (2026-11-21, or with T03:04:05Z)");
}

static enum rs_code check_value(const struct field *field, const json_t *value, struct rs_error *err)
{
	const char *text = json_string_value(value);
	switch (field->kind) {
	case FIELD_NUMBER:
		if (json_is_integer(value) && json_integer_value(value) >= 0)
			return RS_OK;
		return rs_error_set(err, RS_USAGE, "%s is no natural number", field->name);
	case FIELD_SWITCH:
		return json_is_boolean(value)
		               ? RS_OK
		               : rs_error_set(err, RS_USAGE, "%s is neither true nor false", field->name);
	case FIELD_TEXTS:
		for (size_t i = 0; i < json_array_size(value); i++) {
			const char *one = json_string_value(json_array_get(value, i));
			if (!one)
				return rs_error_set(err, RS_USAGE, "%s is no list of texts", field->name);
			RS_TRY(check_text(field, rs_str_from(one), err));
		}
		return json_is_array(value) ? RS_OK
		                            : rs_error_set(err, RS_USAGE, "%s is no list", field->name);
	default:
		return text ? check_text(field, rs_str_from(text), err)
		            : rs_error_set(err, RS_USAGE, "%s is no text", field->name);
	}
}

static const struct field *field_named(const struct field *fields, struct rs_str name)
{
	for (; fields && fields->name; fields++)
		if (rs_str_equal_text(name, fields->name))
			return fields;
	return NULL;
}

static enum rs_code check_body(const struct call *call, struct rs_error *err)
{
	const struct field *fields = call->operation->body;
	const char *key;
	json_t *value;
	for (const struct field *at = fields; at->name; at++)
		if (at->required && !member(call, at->name))
			return rs_error_set(err, RS_USAGE, "%s is missing: %s", at->name, at->help);
	json_object_foreach(call->body, key, value)
	{
		const struct field *field = field_named(fields, rs_str_from(key));
		if (!field)
			return rs_error_set(err, RS_USAGE, "'%.60s' is not known here", key);
		if (!json_is_null(value))
			RS_TRY(check_value(field, value, err));
	}
	return RS_OK;
}

static enum rs_code check_query(struct call *call, struct rs_error *err)
{
	const struct target *target = &call->request->target;
	struct rs_str value;
	for (const struct field *at = call->operation->query; at && at->name; at++)
		if (at->required && !target_query(target, at->name, &value))
			return rs_error_set(err, RS_USAGE, "%s is missing: %s", at->name, at->help);
	for (size_t i = 0; i < target->query_count; i++) {
		const struct query_pair *pair = &target->query[i];
		const struct field *field = field_named(call->operation->query, pair->name);
		if (!field && call->operation->route.right && rs_str_equal_text(pair->name, "purpose")) {
			if (!purpose_parse(pair->value, &call->request->purpose))
				return rs_error_set(err, RS_USAGE, "purpose is none");
			continue;
		}
		if (!field)
			return rs_error_set(err, RS_USAGE, "'" RS_STR_FORMAT "' is not known here",
			                    RS_STR_ARGUMENTS(pair->name));
		if (field->kind != FIELD_SWITCH)
			RS_TRY(check_text(field, pair->value, err));
		if (json_object_set_new(
			    call->query, field->name,
			    json_stringn(pair->value.data ? pair->value.data : "", pair->value.size)) != 0)
			return rs_error_memory(err, pair->value.size, "a query");
	}
	return RS_OK;
}

enum rs_code call_check(struct call *call, struct rs_error *err)
{
	if (call->operation->body)
		RS_TRY(check_body(call, err));
	return check_query(call, err);
}

static enum rs_code run(struct call *call, struct rs_error *err)
{
	const struct operation *operation = call->operation;
	if (operation->media)
		return operation->run(call, err);
	if (operation->answers_list)
		rs_json_array_begin(&call->json);
	else if (operation->answer)
		rs_json_object_begin(&call->json);
	RS_TRY(operation->run(call, err));
	if (operation->answers_list)
		rs_json_array_end(&call->json);
	else if (operation->answer)
		rs_json_object_end(&call->json);
	return rs_buffer_check(&call->request->body, "an answer", err);
}

/* On a node of our own, which takes turns with what comes in by other doors and with other processes, one operation at a time. */
static enum rs_code run_in_turn(struct call *call, struct rs_error *err)
{
	struct rs_web *web = call->request->web;
	call->node = web->options.rest_node;
	if (!call->node)
		return rs_error_set(err, RS_NOT_FOUND, "this server has no such interface");
	pthread_mutex_lock(&web->rest_mutex);
	enum rs_code code = node_hold(call->node, err);
	if (code == RS_OK)
		code = run(call, err);
	rs_node_rest(call->node);
	pthread_mutex_unlock(&web->rest_mutex);
	return code;
}

static enum rs_code answer(struct request *request, struct rs_error *err)
{
	json_t *body RS_CLEANUP(json_release) = NULL;
	json_t *query RS_CLEANUP(json_release) = json_object();
	struct call call = {.request = request,
	                    .operation = operation_at((size_t)(request->route - routes_api)),
	                    .actor = request->caller.actor,
	                    .query = query};
	if (call.operation->body)
		RS_TRY(json_body_read(request, &body, err));
	call.body = body;
	/* Not every operation is decided by the contract; who logs out may do so. */
	if (request->route->right & ~(unsigned)RS_WEB_MAY_ACCOUNT)
		RS_TRY(request_check_member(request, err));
	RS_TRY(call_check(&call, err));
	request->status = call.operation->status;
	(void)snprintf(request->media, sizeof request->media, "%s",
	               call.operation->media    ? call.operation->media
	               : call.operation->answer ? "application/json"
	                                        : "");
	rs_json_init(&call.json, &request->body, false);
	enum rs_code code = call.operation->is_outside ? run(&call, err) : run_in_turn(&call, err);
	/* Of a failure the status is the code's, unless the function said another one. */
	if (code != RS_OK && request->status == call.operation->status)
		request->status = 0;
	return code;
}

void api_prepare(void)
{
	for (size_t i = 0; i < OPERATIONS_MAX && operation_at(i); i++) {
		const struct operation *operation = operation_at(i);
		routes_api[i] = operation->route;
		routes_api[i].answer = answer;
		if (operation->route.body_max) {
			if (!routes_api[i].begin)
				routes_api[i].begin = json_body_begin;
			routes_api[i].take = json_body_take;
			routes_api[i].finish = json_body_finish;
		}
	}
}
