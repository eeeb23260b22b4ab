/* Reading (libyaml) and writing radseal.yaml. */
#include "config.h"

#include <string.h>
#include <yaml.h>

#define CONFIG_SIZE_MAX ((size_t)64 * 1024)

static bool name_is_fit(struct rs_str name)
{
	if (name.size == 0 || name.size > RS_ORGANISATION_NAME_MAX || !rs_utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((uint8_t)name.data[i] < 0x20 || name.data[i] == 0x7f || name.data[i] == '"' ||
		    name.data[i] == '\\')
			return false;
	return true;
}

/* C2SP signed-note: a key name holds no spaces and no plus; we keep to letters, digits, '-' and '.'. */
static void origin_of(const char *organisation, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "radseal.local/");
	for (const char *p = organisation; *p && used + 1 < size; p++) {
		char c = *p;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		bool fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
		out[used++] = fit ? c : '-';
	}
	out[used] = '\0';
}

enum rs_code config_init(struct config *out, const char *organisation, bool unlock_file, struct rs_error *err)
{
	if (!name_is_fit(rs_str_from(organisation)))
		return rs_error_set(
			err, RS_USAGE,
			"the organisation's name must have 1 to %d characters, without controls, quotes "
			"or backslashes",
			RS_ORGANISATION_NAME_MAX);
	*out = (struct config){.unlock_file = unlock_file};
	memcpy(out->organisation, organisation, strlen(organisation) + 1);
	origin_of(organisation, out->origin, sizeof out->origin);
	return RS_OK;
}

enum rs_code config_write(const struct rs_world *world, const char *path, const struct config *config,
                          struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, CONFIG_SIZE_MAX);
	rs_buffer_printf(
		&text,
		"# Configuration of a radseal node. Unknown keys are refused.\n\n"
		"# The organisation that runs this node, as its ledger's first entry names it.\n"
		"organisation: \"%s\"\n\n"
		"# The name of the log in checkpoints and receipts. Receipts are checked against it:\n"
		"# it must not change in the life of the node.\n"
		"origin: \"%s\"\n\n"
		"# What opens keys/node.key: \"file\" (keys/unlock.key, for a service that starts by\n"
		"# itself) or \"passphrase\" (--passphrase-file or $RADSEAL_PASSPHRASE).\n"
		"unlock: \"%s\"\n",
		config->organisation, config->origin, config->unlock_file ? "file" : "passphrase");
	RS_TRY(rs_buffer_check(&text, "the configuration", err));
	return rs_file_replace(world, path, rs_buffer_bytes(&text), 0600, err);
}

enum key { ORGANISATION, ORIGIN, UNLOCK, KEY_COUNT };
static const char *const keys[KEY_COUNT] = {"organisation", "origin", "unlock"};

static enum rs_code set_value(struct config *config, enum key key, struct rs_str value, size_t line,
                              struct rs_error *err)
{
	char *target = key == ORGANISATION ? config->organisation : config->origin;
	size_t maximum = key == ORGANISATION ? RS_ORGANISATION_NAME_MAX : ORIGIN_MAX;
	if (key == UNLOCK) {
		config->unlock_file = rs_str_equal_text(value, "file");
		if (!config->unlock_file && !rs_str_equal_text(value, "passphrase"))
			return rs_error_set(err, RS_MALFORMED,
			                    "line %zu: unlock is \"file\" or \"passphrase\"", line);
		return RS_OK;
	}
	if (value.size == 0 || value.size > maximum || memchr(value.data, '\0', value.size))
		return rs_error_set(err, RS_MALFORMED, "line %zu: %s must have 1 to %zu characters", line,
		                    keys[key], maximum);
	memcpy(target, value.data, value.size);
	target[value.size] = '\0';
	return RS_OK;
}

struct reading {
	struct config *config;
	unsigned seen;  /* bit per key */
	int key;        /* whose value comes next; -1: a key comes next */
	unsigned depth; /* of mappings */
};

static enum rs_code take_scalar(struct reading *reading, struct rs_str text, size_t line,
                                struct rs_error *err)
{
	if (reading->depth != 1)
		return rs_error_set(err, RS_MALFORMED, "line %zu: a mapping of keys and values is needed",
		                    line);
	if (reading->key >= 0) {
		enum key key = (enum key)reading->key;
		reading->key = -1;
		return set_value(reading->config, key, text, line, err);
	}
	for (int key = 0; key < KEY_COUNT; key++)
		if (rs_str_equal_text(text, keys[key])) {
			if (reading->seen & 1u << key)
				return rs_error_set(err, RS_MALFORMED, "line %zu: %s stands twice", line,
				                    keys[key]);
			reading->seen |= 1u << key;
			reading->key = key;
			return RS_OK;
		}
	return rs_error_set(err, RS_MALFORMED, "line %zu: unknown key '" RS_STR_FORMAT "'", line,
	                    RS_STR_ARGUMENTS(text));
}

static enum rs_code take_event(struct reading *reading, const yaml_event_t *event, struct rs_error *err)
{
	size_t line = event->start_mark.line + 1;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(
			reading,
			(struct rs_str){(const char *)event->data.scalar.value, event->data.scalar.length},
			line, err);
	case YAML_MAPPING_START_EVENT:
		if (reading->depth++ == 0)
			return RS_OK;
		return rs_error_set(err, RS_MALFORMED, "line %zu: a value is needed, not a mapping", line);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_ALIAS_EVENT:
		return rs_error_set(err, RS_MALFORMED, "line %zu: a value is needed, not a list or an alias",
		                    line);
	default: return RS_OK;
	}
}

static enum rs_code parse(yaml_parser_t *parser, struct reading *reading, struct rs_error *err)
{
	for (bool ended = false; !ended;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return rs_error_set(err, RS_MALFORMED, "line %zu: %s", parser->problem_mark.line + 1,
			                    parser->problem ? parser->problem : "not YAML");
		ended = event.type == YAML_STREAM_END_EVENT;
		enum rs_code code = take_event(reading, &event, err);
		yaml_event_delete(&event);
		RS_TRY(code);
	}
	for (int key = 0; key < KEY_COUNT; key++)
		if (!(reading->seen & 1u << key))
			return rs_error_set(err, RS_MALFORMED, "the key %s is missing", keys[key]);
	return RS_OK;
}

enum rs_code config_read(const struct rs_world *world, const char *path, struct config *out,
                         struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct config config = {0};
	struct reading reading = {.config = &config, .key = -1};
	RS_TRY(rs_file_read_all(world, path, CONFIG_SIZE_MAX, &text, err));
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return rs_error_memory(err, sizeof parser, "a YAML parser");
	yaml_parser_set_input_string(&parser, text.data, text.size);
	enum rs_code code = parse(&parser, &reading, err);
	yaml_parser_delete(&parser);
	if (code != RS_OK)
		return rs_error_context(err, "%s", path);
	*out = config;
	return RS_OK;
}
