/* Study files: YAML whose every key stands in a table here; others are refused by name. */
#include <string.h>
#include <yaml.h>

#include "report/report.h"
#include "plan_file.h"

#define FILE_MAX ((size_t)1 << 20)
#define ARENA_MAX ((size_t)8 << 20)

enum kind {
	KIND_TEXT,
	KIND_NAMES,
	KIND_COUNT,
	KIND_NUMBER,
	KIND_KEYS,
	KIND_MODALITIES,
	KIND_STEPS,
	KIND_MODELS,
	KIND_CARD
};
struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	double minimum, maximum;
	const struct key *inside; /* of KIND_KEYS */
	const char
		*words; /* of KIND_TEXT: those that may stand there, each with a space before it; NULL: any */
};
/* clang-format off */
#define AT(member) .offset = offsetof(struct rs_study, member)
#define TEXT(key, member) {.name = (key), .kind = KIND_TEXT, AT(member)}
#define WORD(key, member, list) {.name = (key), .kind = KIND_TEXT, AT(member), .words = (list)}
#define NAMES(key, member) {.name = (key), .kind = KIND_NAMES, AT(member)}
#define RANGE(key, is, member, least, most) \
	{.name = (key), .kind = (is), AT(member), .minimum = (least), .maximum = (most)}
#define KEYS(key, table) {.name = (key), .kind = KIND_KEYS, .inside = (table)}
/* clang-format on */
static const struct key class_keys[] = {
	TEXT("column", class_column),
	NAMES("positive", positive),
	{.name = NULL},
};
static const struct key classes_keys[] = {
	TEXT("column", classes_column),
	NAMES("levels", levels),
	{.name = NULL},
};
static const struct key ordinal_keys[] = {
	TEXT("column", ordinal_column),
	NAMES("levels", levels),
	{.name = NULL},
};
static const struct key survival_keys[] = {
	TEXT("time", time),
	TEXT("event", event),
	NAMES("event_value", event_value),
	{.name = NULL},
};
static const struct key target_keys[] = {
	KEYS("class", class_keys),
	KEYS("classes", classes_keys),
	KEYS("ordinal", ordinal_keys),
	KEYS("survival", survival_keys),
	{.name = NULL},
};
static const struct key repeated_keys[] = {
	TEXT("table", repeated),
	TEXT("measurement", measurement),
	{.name = NULL},
};
static const struct key study_keys[] = {
	NAMES("tables", tables),
	TEXT("id", id),
	KEYS("target", target_keys),
	TEXT("centre", centre),
	{.name = "features", .kind = KIND_MODALITIES},
	NAMES("clinical", clinical),
	NAMES("volume", volume),
	NAMES("categorical", categorical),
	NAMES("mark_gaps", mark_gaps),
	WORD("validate", validate, " subject centre centres"),
	WORD("assign", assign, " random rank"),
	RANGE("folds", KIND_COUNT, folds, 2, 1000),
	RANGE("split", KIND_NUMBER, split, 0.5, 0.95),
	RANGE("bootstrap", KIND_COUNT, bootstrap, 0, 100000),
	RANGE("permutations", KIND_COUNT, permutations, 0, 100000),
	RANGE("repeats", KIND_COUNT, repeats, 1, 1000),
	RANGE("seed", KIND_COUNT, seed, 0, 9007199254740992.0),
	WORD("fusion", fusion, " none early late"),
	WORD("weights", weights, " none balanced"),
	RANGE("inner_folds", KIND_COUNT, inner_folds, 2, 1000),
	KEYS("repeated", repeated_keys),
	{.name = "steps", .kind = KIND_STEPS},
	{.name = "model", .kind = KIND_MODELS},
	TEXT("title", title),
	WORD("synthetic", synthetic, " yes no"),
	{.name = "card", .kind = KIND_CARD},
	{.name = NULL},
};

void rs_study_finish(struct rs_study *study) { rs_arena_finish(&study->arena); }

bool rs_names_hold(const struct rs_study_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* Back to the last star when what follows it does not fit. */
bool rs_pattern_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;
	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

unsigned long rs_study_line_of(const yaml_node_t *node) { return (unsigned long)node->start_mark.line + 1; }

enum rs_code rs_study_read_text(struct rs_study_reading *r, const yaml_node_t *node, const char **out)
{
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: a text is expected",
		                    rs_study_line_of(node));
	size_t size = node->data.scalar.length + 1;
	char *copy = rs_arena_allocate(&r->study->arena, size);
	if (!copy)
		return rs_error_memory(r->err, size, "a study");
	memcpy(copy, node->data.scalar.value, size);
	*out = copy;
	return RS_OK;
}

/* A list of texts, or one. */
static enum rs_code read_names(struct rs_study_reading *r, yaml_node_t *node, struct rs_study_names *out)
{
	bool list = node->type == YAML_SEQUENCE_NODE;
	size_t count = list ? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) : 1;
	if (count > RS_STUDY_NAMES_MAX)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d names",
		                    rs_study_line_of(node), RS_STUDY_NAMES_MAX);
	out->items = rs_arena_allocate_array(&r->study->arena, count, sizeof *out->items);
	if (!out->items)
		return rs_error_memory(r->err, count * sizeof *out->items, "a study");
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = list ? yaml_document_get_node(r->document,
		                                                  node->data.sequence.items.start[i])
		                         : node;
		RS_TRY(rs_study_read_text(r, item, &out->items[i]));
	}
	return RS_OK;
}

enum rs_code rs_study_read_number(struct rs_study_reading *r, const yaml_node_t *node, const char *name,
                                  bool whole, double minimum, double maximum, double *out)
{
	const char *text;
	RS_TRY(rs_study_read_text(r, node, &text));
	double value;
	if (!rs_parse_f64(rs_str_from(text), &value) || !(value >= minimum && value <= maximum) ||
	    (whole && value != (double)(uint64_t)value))
		return rs_error_set(r->err, RS_MALFORMED, "line %lu: %s is a %snumber from %.17g to %.17g",
		                    rs_study_line_of(node), name, whole ? "whole " : "", minimum, maximum);
	*out = value;
	return RS_OK;
}

enum rs_code rs_study_each_pair(struct rs_study_reading *r, yaml_node_t *node, rs_study_read_pair *read,
                                const void *context)
{
	if (node->type != YAML_MAPPING_NODE)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "line %lu: names with values are expected, \"name: value\"",
		                    rs_study_line_of(node));
	yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	for (yaml_node_pair_t *p = pairs; p < node->data.mapping.pairs.top; p++) {
		const char *name, *other;
		yaml_node_t *at = yaml_document_get_node(r->document, p->key);
		RS_TRY(rs_study_read_text(r, at, &name));
		for (yaml_node_pair_t *q = pairs; q < p; q++) {
			other = (const char *)yaml_document_get_node(r->document, q->key)->data.scalar.value;
			if (strcmp(other, name) == 0)
				return rs_error_set(r->err, RS_MALFORMED, "line %lu: '%s' appears twice",
				                    rs_study_line_of(at), name);
		}
		RS_TRY(read(r, name, yaml_document_get_node(r->document, p->value), context));
	}
	return RS_OK;
}

void rs_known_add(struct rs_known_names *known, const char *name)
{
	size_t length = strlen(name), gap = known->used ? 2 : 0;
	if (known->used + gap + length >= sizeof known->text)
		return;
	memcpy(known->text + known->used, ", ", gap);
	memcpy(known->text + known->used + gap, name, length + 1);
	known->used += gap + length;
}

enum rs_code rs_known_refuse(const struct rs_known_names *known, struct rs_study_reading *r,
                             const yaml_node_t *at, const char *name)
{
	return rs_error_set(r->err, RS_MALFORMED, "line %lu: '%s' is unknown; there are %s",
	                    rs_study_line_of(at), name, known->text);
}

static enum rs_code read_modality(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                                  const void *context)
{
	(void)context;
	struct rs_study *study = r->study;
	if (study->modality_count == RS_STUDY_MODALITIES_MAX)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d modalities",
		                    rs_study_line_of(value), RS_STUDY_MODALITIES_MAX);
	struct rs_study_modality *modality = &study->modalities[study->modality_count++];
	modality->name = name;
	return read_names(r, value, &modality->patterns);
}

static enum rs_code read_card(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                              const void *context)
{
	struct rs_study *study = r->study;
	(void)context;
	if (!rs_card_key_known(name))
		return rs_error_set(
			r->err, RS_MALFORMED,
			"line %lu: '%s' is nothing that a card tells; the checklists of train --report name its keys",
			rs_study_line_of(value), name);
	if (study->card_count == RS_CARD_MAX)
		return rs_error_set(r->err, RS_TOO_LARGE, "line %lu: more than %d keys",
		                    rs_study_line_of(value), RS_CARD_MAX);
	study->card[study->card_count].name = name;
	return rs_study_read_text(r, value, &study->card[study->card_count++].value);
}

static enum rs_code read_key(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                             const void *context);

static bool is_among(const char *words, const char *text)
{
	size_t length = strlen(text);
	for (const char *at = strstr(words, text); at; at = strstr(at + 1, text))
		if (at[-1] == ' ' && (at[length] == ' ' || at[length] == '\0') && !strchr(text, ' '))
			return true;
	return false;
}

static enum rs_code read_value(struct rs_study_reading *r, const struct key *key, yaml_node_t *value)
{
	void *member = (char *)r->study + key->offset;
	double number = 0;
	if (key->kind == KIND_NAMES)
		return read_names(r, value, member);
	if (key->kind == KIND_KEYS)
		return rs_study_each_pair(r, value, read_key, key->inside);
	if (key->kind == KIND_MODALITIES)
		return rs_study_each_pair(r, value, read_modality, NULL);
	if (key->kind == KIND_STEPS)
		return study_read_steps(r, value);
	if (key->kind == KIND_CARD)
		return rs_study_each_pair(r, value, read_card, NULL);
	if (key->kind == KIND_MODELS)
		return study_read_models(r, value);
	if (key->kind != KIND_TEXT) {
		RS_TRY(rs_study_read_number(r, value, key->name, key->kind == KIND_COUNT, key->minimum,
		                            key->maximum, &number));
		if (key->kind == KIND_COUNT)
			*(uint64_t *)member = (uint64_t)number;
		else
			*(double *)member = number;
		return RS_OK;
	}
	const char **text = member;
	RS_TRY(rs_study_read_text(r, value, text));
	return key->words && !is_among(key->words, *text)
	               ? rs_error_set(r->err, RS_MALFORMED, "line %lu: %s is one of%s",
	                              rs_study_line_of(value), key->name, key->words)
	               : RS_OK;
}

static enum rs_code read_key(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                             const void *context)
{
	struct rs_known_names known = {0};
	for (const struct key *key = context; key->name; key++) {
		if (strcmp(key->name, name) == 0)
			return read_value(r, key, value);
		rs_known_add(&known, key->name);
	}
	return rs_known_refuse(&known, r, value, name);
}

static enum rs_code check_target(struct rs_study *study, struct rs_error *err)
{
	const char *const columns[] = {study->class_column, study->classes_column, study->ordinal_column,
	                               study->time};
	static const enum rs_target targets[] = {RS_TARGET_BINARY, RS_TARGET_CLASSES, RS_TARGET_ORDINAL,
	                                         RS_TARGET_SURVIVAL};
	size_t given = 0;
	for (size_t t = 0; t < RS_COUNT(targets); t++) {
		given += columns[t] != NULL;
		if (columns[t])
			study->target = targets[t];
	}
	if (given != 1)
		return rs_error_set(
			err, RS_MALFORMED,
			"a study has one target: class {column, positive}, classes {column, levels}, "
			"ordinal {column, levels} or survival {time, event, event_value}");
	if (study->ordinal_column && study->levels.count == 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "an ordinal target lists its levels, the lowest first");
	if (study->levels.count > RS_CLASSES_MAX || study->levels.count == 1)
		return rs_error_set(err, RS_MALFORMED, "a target has 2 to %d levels", RS_CLASSES_MAX);
	if (study->target != RS_TARGET_BINARY && study->target != RS_TARGET_SURVIVAL)
		study->class_column = study->classes_column ? study->classes_column : study->ordinal_column;
	if (study->levels.count == 2)
		study->target = RS_TARGET_BINARY;
	return RS_OK;
}

static enum rs_code check(struct rs_study *study, struct rs_error *err)
{
	if (study->tables.count == 0 || !study->id)
		return rs_error_set(err, RS_MALFORMED, "a study names its tables and their id column");
	RS_TRY(check_target(study, err));
	if (study->time && !study->event)
		return rs_error_set(err, RS_MALFORMED, "a target of survival names its event column");
	if (study->modality_count == 0 && study->clinical.count == 0)
		return rs_error_set(err, RS_MALFORMED, "a study names features, or clinical columns");
	if (strcmp(study->validate, "subject") != 0 && !study->centre)
		return rs_error_set(err, RS_MALFORMED, "validate: %s needs the column, \"centre: NAME\"",
		                    study->validate);
	if (strcmp(study->fusion, "late") == 0 &&
	    (study->split > 0 || study->bootstrap > 0 || study->permutations > 0))
		return rs_error_set(
			err, RS_MALFORMED,
			"fusion: late goes with cross-validation alone; leave out split, bootstrap and "
			"permutations");
	if (strcmp(study->fusion, "late") == 0 && study->modality_count + (study->clinical.count > 0) < 2)
		return rs_error_set(
			err, RS_MALFORMED,
			"fusion: late needs two modalities of features, or one and clinical columns");
	return study_check_plan(study, err);
}

enum rs_code rs_study_read_file(struct rs_study_reading *r, struct rs_bytes file, rs_study_read_pair *read,
                                const void *context, rs_study_complete *complete)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (yaml_parser_initialize(&parser) == 0)
		return rs_error_memory(r->err, sizeof parser, "YAML");
	yaml_parser_set_input_string(&parser, file.data, file.size);
	if (yaml_parser_load(&parser, &document) == 0) {
		rs_error_set(r->err, RS_MALFORMED, "line %lu: %s",
		             (unsigned long)parser.problem_mark.line + 1,
		             parser.problem ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return RS_MALFORMED;
	}
	r->document = &document;
	yaml_node_t *root = yaml_document_get_root_node(&document);
	enum rs_code code = root ? rs_study_each_pair(r, root, read, context)
	                         : rs_error_set(r->err, RS_MALFORMED, "the file is empty");
	if (code == RS_OK && complete)
		code = complete(r);
	r->document = NULL;
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	return code;
}

enum rs_code rs_study_parse(struct rs_bytes file, struct rs_study *out, struct rs_error *err)
{
	static const char *one = "1";
	struct rs_study study = {.positive = {1, &one},
	                         .event_value = {1, &one},
	                         .validate = "subject",
	                         .assign = "random",
	                         .weights = "none",
	                         .fusion = "none",
	                         .folds = 5,
	                         .repeats = 1,
	                         .inner_folds = 5};
	if (file.size > FILE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a study file may have %zu bytes", FILE_MAX);
	rs_arena_init(&study.arena, ARENA_MAX);
	rs_sha256(file, &study.digest);
	struct rs_study_reading reading = {.study = &study, .err = err};
	enum rs_code code = rs_study_read_file(&reading, file, read_key, study_keys, study_complete_plan);
	if (code == RS_OK)
		code = check(&study, err);
	if (code != RS_OK)
		rs_study_finish(&study);
	else
		*out = study;
	return code;
}
