/* Reading (libyaml) and writing radseal.yaml. */
#include "node/node_config.h"

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

enum rs_code config_init(struct config *out, const char *organisation, struct rs_error *err)
{
	if (!name_is_fit(rs_str_from(organisation)))
		return rs_error_set(
			err, RS_USAGE,
			"the organisation's name must have 1 to %d characters, without controls, quotes "
			"or backslashes",
			RS_ORGANISATION_NAME_MAX);
	*out = (struct config){.vault_reserve = VAULT_RESERVE_DEFAULT};
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
		"# What the vault may take, and where copies of its objects are kept (radseal vault). Optional.\n"
		"# vault:\n"
		"#   quota: 500 GB        # of objects; sealing ends before more are stored\n"
		"#   reserve: 64 MiB      # left free on the disk, so that the ledger can always be written\n"
		"#   store: ipfs          # copies in an IPFS node besides this directory; \"local\": none\n"
		"#   url: http://127.0.0.1:5001\n",
		config->organisation, config->origin);
	RS_TRY(rs_buffer_check(&text, "the configuration", err));
	return rs_file_replace(world, path, rs_buffer_bytes(&text), 0600, err);
}

/* Nodes made earlier say what opens their keys; now the files tell it: locked.h. */
enum key { ORGANISATION, ORIGIN, NEEDED_COUNT, UNLOCK = NEEDED_COUNT, STORE, URL, QUOTA, RESERVE, KEY_COUNT };
static const char *const keys[KEY_COUNT] = {"organisation", "origin",       "unlock",        "vault: store",
                                            "vault: url",   "vault: quota", "vault: reserve"};
#define SECTION "vault"

/* "500 GB", "64MiB", "1024": a whole number and a unit, of thousands or of 1024. */
static bool parse_bytes(struct rs_str text, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {{"kB", 1000},  {"MB", 1000000},  {"GB", 1000000000}, {"TB", UINT64_C(1000000000000)},
	             {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30},   {"TiB", UINT64_C(1) << 40},
	             {"", 1}};
	size_t digits = 0;
	uint64_t number;
	while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	if (!rs_parse_u64((struct rs_str){text.data, digits}, &number))
		return false;
	struct rs_str unit = rs_str_trim((struct rs_str){text.data + digits, text.size - digits});
	for (size_t i = 0; i < RS_COUNT(units); i++)
		if (rs_str_equal_text(unit, units[i].name))
			return number <= INT64_MAX / units[i].factor &&
			       (*out = number * units[i].factor, true);
	return false;
}

static enum rs_code set_vault(struct config *config, enum key key, struct rs_str value, size_t line,
                              struct rs_error *err)
{
	if (key == STORE) {
		bool ipfs = rs_str_equal_text(value, "ipfs");
		if (!ipfs && !rs_str_equal_text(value, "local"))
			return rs_error_set(err, RS_MALFORMED, "line %zu: store is \"local\" or \"ipfs\"",
			                    line);
		config->vault_ipfs = ipfs;
		return RS_OK;
	}
	if (key == URL) {
		if (!rs_str_starts_with(value, "http://") || value.size > VAULT_URL_MAX ||
		    memchr(value.data, '\0', value.size))
			return rs_error_set(err, RS_MALFORMED,
			                    "line %zu: url is http://host:port, of at most %d characters",
			                    line, VAULT_URL_MAX);
		memcpy(config->vault_url, value.data, value.size);
		config->vault_url[value.size] = '\0';
		return RS_OK;
	}
	if (!parse_bytes(value, key == QUOTA ? &config->vault_quota : &config->vault_reserve))
		return rs_error_set(err, RS_MALFORMED,
		                    "line %zu: '" RS_STR_FORMAT
		                    "' is no number of bytes, as in 500 GB or 64 MiB",
		                    line, RS_STR_ARGUMENTS(value));
	return RS_OK;
}

static enum rs_code set_value(struct config *config, enum key key, struct rs_str value, size_t line,
                              struct rs_error *err)
{
	char *target = key == ORGANISATION ? config->organisation : config->origin;
	size_t maximum = key == ORGANISATION ? RS_ORGANISATION_NAME_MAX : ORIGIN_MAX;
	if (key == UNLOCK)
		return RS_OK;
	if (key >= NEEDED_COUNT)
		return set_vault(config, key, value, line, err);
	if (value.size == 0 || value.size > maximum || memchr(value.data, '\0', value.size))
		return rs_error_set(err, RS_MALFORMED, "line %zu: %s must have 1 to %zu characters", line,
		                    keys[key], maximum);
	memcpy(target, value.data, value.size);
	target[value.size] = '\0';
	return RS_OK;
}

struct reading {
	struct config *config;
	unsigned seen;   /* bit per key */
	int key;         /* whose value comes next; -1: a key comes next */
	unsigned depth;  /* of mappings */
	bool in_section; /* the mapping of "vault:" comes next, or is being read */
	bool had_section;
};

static bool names_key(const struct reading *reading, struct rs_str text, const char *key)
{
	const size_t prefix = sizeof SECTION ": " - 1;
	bool of_section = rs_str_starts_with(rs_str_from(key), SECTION ": ");
	return of_section == (reading->depth == 2) &&
	       rs_str_equal_text(text, key + (of_section ? prefix : 0));
}

static enum rs_code take_scalar(struct reading *reading, struct rs_str text, size_t line,
                                struct rs_error *err)
{
	if (reading->depth != (reading->in_section ? 2u : 1u))
		return rs_error_set(err, RS_MALFORMED, "line %zu: a mapping of keys and values is needed",
		                    line);
	if (reading->key >= 0) {
		enum key key = (enum key)reading->key;
		reading->key = -1;
		return set_value(reading->config, key, text, line, err);
	}
	if (reading->depth == 1 && rs_str_equal_text(text, SECTION) && !reading->had_section) {
		reading->in_section = reading->had_section = true;
		return RS_OK;
	}
	for (int key = 0; key < KEY_COUNT; key++)
		if (names_key(reading, text, keys[key])) {
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
		if (reading->depth == (reading->in_section && reading->key < 0 ? 1u : 0u)) {
			reading->depth++;
			return RS_OK;
		}
		return rs_error_set(err, RS_MALFORMED, "line %zu: a value is needed, not a mapping", line);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_ALIAS_EVENT:
		return rs_error_set(err, RS_MALFORMED, "line %zu: a value is needed, not a list or an alias",
		                    line);
	case YAML_MAPPING_END_EVENT:
		reading->depth--;
		reading->in_section = false;
		return RS_OK;
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
	for (int key = 0; key < NEEDED_COUNT; key++)
		if (!(reading->seen & 1u << key))
			return rs_error_set(err, RS_MALFORMED, "the key %s is missing", keys[key]);
	return RS_OK;
}

enum rs_code config_read(const struct rs_world *world, const char *path, struct config *out,
                         struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct config config = {.vault_reserve = VAULT_RESERVE_DEFAULT, .vault_url = VAULT_URL_DEFAULT};
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
