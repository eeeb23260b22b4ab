/* Walking what matches: from the key that leads to the fewest rows, up to its patient, down to the level asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

#define ESTIMATE_MAX 1000 /* rows of a token that are counted */
#define ESTIMATED_TOKENS 64
#define PASSED_MAX 250000 /* rows that are looked at and do not match */

struct walk {
	struct loader loader; /* first: judge() is given it */
	struct rs_catalogue *catalogue;
	enum rs_level level;
	struct key *keys;
	size_t key_count;
	/* What leads: tokens (or an index' locators), or none: all rows of `from`. */
	enum rs_level from;
	enum statement_name by;
	struct rs_buffer tokens;
	size_t token_size;
	rs_catalogue_visit *visit;
	void *context;
	struct rs_catalogue_place *place;
	bool stop;
};

static void walk_finish(struct walk *walk)
{
	loader_finish(&walk->loader);
	rs_free(walk->keys);
	rs_buffer_finish(&walk->tokens);
}

/* A value at this level; of what an image does not say itself, its series'. */
static void value_of(const struct rs_bytes values[static RS_LEVEL_COUNT],
                     const struct rs_catalogue_attribute *attribute, struct rs_str *out)
{
	if (!values_get(values[attribute->level], attribute->number, out) &&
	    attribute->level == RS_LEVEL_IMAGE && values[RS_LEVEL_IMAGE].size)
		values_get(values[RS_LEVEL_SERIES], attribute->number, out);
}

static bool row_matches(const struct walk *walk, enum rs_level level)
{
	struct rs_bytes values[RS_LEVEL_COUNT];
	for (size_t i = 0; i < RS_LEVEL_COUNT; i++)
		values[i] = rs_buffer_bytes(&walk->loader.rows[i].plain);
	for (size_t i = 0; i < walk->key_count; i++) {
		const struct key *key = &walk->keys[i];
		struct rs_str value;
		if (key->kind == KEY_ANY || key->attribute->level != level)
			continue;
		value_of(values, key->attribute, &value);
		if (!key_matches(key, value))
			return false;
	}
	return true;
}

static enum rs_code judge(struct loader *loader, enum rs_level level, bool *out_passed, struct rs_error *err)
{
	struct walk *walk = (struct walk *)loader; /* its first member */
	*out_passed = !row_matches(walk, level);
	if (!*out_passed || ++walk->place->passed <= PASSED_MAX)
		return RS_OK;
	return rs_error_set(err, RS_TOO_LARGE,
	                    "more than %d rows were looked at in vain: give a patient's ID, a date, an "
	                    "accession number, or a name's beginning",
	                    PASSED_MAX);
}

static enum rs_code give(struct walk *walk, struct rs_error *err)
{
	struct rs_catalogue_match match = {
		.level = walk->level,
		.subject = rs_buffer_bytes(&walk->loader.rows[RS_LEVEL_PATIENT].name),
		.catalogue = walk->catalogue};
	for (size_t i = 0; i <= walk->level; i++) {
		match.row[i] = walk->loader.rows[i].id;
		match.values[i] = rs_buffer_bytes(&walk->loader.rows[i].plain);
	}
	return walk->visit(walk->context, &match, &walk->stop, err);
}

static enum rs_code descend(struct walk *walk, enum rs_level level, int64_t id, struct rs_error *err);

static enum rs_code each_child(struct walk *walk, enum rs_level level, int64_t id, struct rs_error *err)
{
	struct rs_statement *statement = walk->catalogue->statements[STUDIES_OF + (int)level];
	enum rs_code code = RS_OK;
	rs_statement_bind_i64(statement, 1, id);
	for (bool more; code == RS_OK;) {
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		code = descend(walk, (enum rs_level)(level + 1), rs_statement_i64(statement, 0), err);
	}
	rs_statement_reset(statement);
	return code;
}

static enum rs_code descend(struct walk *walk, enum rs_level level, int64_t id, struct rs_error *err)
{
	RS_TRY(loader_get(&walk->loader, level, id, err));
	if (!walk->loader.rows[level].is_there || walk->loader.rows[level].is_passed)
		return RS_OK;
	return level == walk->level ? give(walk, err) : each_child(walk, level, id, err);
}

/* The rows of one token, or all of a level. */
static enum rs_code each_of_part(struct walk *walk, struct rs_bytes token, struct rs_error *err)
{
	struct rs_statement *statement = walk->catalogue->statements[walk->by];
	enum rs_code code = RS_OK;
	rs_statement_bind_i64(statement, 1, walk->place->below ? walk->place->below : INT64_MAX);
	if (token.size)
		rs_statement_bind_bytes(statement, 2, token);
	while (code == RS_OK && !walk->stop) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more) {
			walk->place->below = 0;
			walk->place->part++;
			return RS_OK;
		}
		int64_t id = rs_statement_i64(statement, 0);
		code = descend(walk, walk->from, id, err);
		walk->place->below = id;
	}
	rs_statement_reset(statement);
	return code;
}

static enum rs_code estimate(struct walk *walk, enum statement_name by, struct rs_bytes tokens, uint64_t *out,
                             struct rs_error *err)
{
	uint64_t count = tokens.size / TOKEN_SIZE;
	*out = count;
	if (by != BY_PATIENT_TOKEN && by != BY_STUDY_TOKEN)
		return RS_OK; /* a UID leads to one row */
	struct rs_statement *statement =
		walk->catalogue
			->statements[by == BY_PATIENT_TOKEN ? COUNT_BY_PATIENT_TOKEN : COUNT_BY_STUDY_TOKEN];
	for (size_t i = 0; i < count && i < ESTIMATED_TOKENS && *out < ESTIMATE_MAX; i++) {
		bool there;
		rs_statement_bind_bytes(statement, 1, rs_bytes_of(tokens.data + i * TOKEN_SIZE, TOKEN_SIZE));
		rs_statement_bind_i64(statement, 2, ESTIMATE_MAX);
		RS_TRY(rs_statement_step(statement, &there, err));
		*out += (uint64_t)rs_statement_i64(statement, 0);
		rs_statement_reset(statement);
	}
	return RS_OK;
}

static enum statement_name way_of(const struct rs_catalogue_attribute *attribute)
{
	switch (attribute->number) {
	case ATTRIBUTE_STUDY: return BY_STUDY_NAME;
	case ATTRIBUTE_SERIES: return BY_SERIES_NAME;
	case ATTRIBUTE_INSTANCE: return BY_IDENTITY;
	default: return attribute->level == RS_LEVEL_PATIENT ? BY_PATIENT_TOKEN : BY_STUDY_TOKEN;
	}
}

/* UIDs that no row could be found by lead nowhere; the index has its own locators of instances. */
static enum rs_code locate(struct walk *walk, const struct key *key, struct rs_error *err)
{
	struct rs_str list = key->value, uid;
	struct rs_digest locator;
	rs_buffer_clear(&walk->tokens);
	while (rs_str_split(&list, '\\', &uid)) {
		walk->catalogue->keys.identity(walk->catalogue->keys.context, rs_str_trim(uid), &locator);
		rs_buffer_append(&walk->tokens, locator.bytes, RS_SHA256_SIZE);
	}
	walk->token_size = RS_SHA256_SIZE;
	return rs_buffer_check(&walk->tokens, "instances", err);
}

static bool is_led_by(const struct walk *walk, const struct key *key)
{
	uint8_t number = key->attribute ? key->attribute->number : 0;
	bool is_uid = key->attribute && strcmp(key->attribute->vr, "UI") == 0;
	return number && key->attribute->level <= walk->level &&
	       (!is_uid || number == ATTRIBUTE_STUDY || number == ATTRIBUTE_SERIES ||
	        number == ATTRIBUTE_INSTANCE);
}

static enum rs_code choose_way(struct walk *walk, struct rs_error *err)
{
	uint64_t least = UINT64_MAX, count;
	const struct key *leader = NULL;
	walk->from = walk->level;
	walk->by = EACH_PATIENT + walk->level;
	for (size_t i = 0; i < walk->key_count; i++) {
		struct rs_buffer tokens RS_CLEANUP(rs_buffer_finish) = {0};
		const struct key *key = &walk->keys[i];
		bool usable;
		rs_buffer_init(&tokens, RS_CATALOGUE_KEY_SIZE_MAX * TOKEN_SIZE);
		if (!is_led_by(walk, key))
			continue;
		RS_TRY(tokens_of_key(&walk->catalogue->keys.tokens, key, &tokens, &usable, err));
		if (!usable)
			continue;
		RS_TRY(estimate(walk, way_of(key->attribute), rs_buffer_bytes(&tokens), &count, err));
		if (count >= least)
			continue;
		least = count;
		leader = key;
		struct rs_buffer swapped = walk->tokens;
		walk->tokens = tokens;
		tokens = swapped;
	}
	if (!leader)
		return RS_OK;
	walk->from = (enum rs_level)leader->attribute->level;
	walk->by = way_of(leader->attribute);
	return walk->by == BY_IDENTITY ? locate(walk, leader, err) : RS_OK;
}

static enum rs_code read_keys(struct walk *walk, const struct rs_catalogue_query *query, struct rs_error *err)
{
	if (query->key_count > RS_CATALOGUE_KEYS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d keys", RS_CATALOGUE_KEYS_MAX);
	walk->keys = rs_allocate_array(query->key_count + 1, sizeof *walk->keys);
	if (!walk->keys)
		return rs_error_memory(err, query->key_count * sizeof *walk->keys, "keys");
	for (size_t i = 0; i < query->key_count; i++) {
		const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(query->keys[i].tag);
		if (!attribute || attribute->level > query->level)
			continue;
		RS_TRY(key_read(&query->keys[i], &walk->keys[walk->key_count], err));
		walk->key_count++;
	}
	return RS_OK;
}

static int by_token(const void *a, const void *b) { return memcmp(a, b, TOKEN_SIZE); }

/* A value that a list has twice leads to its rows once. */
static void drop_twins(struct walk *walk)
{
	size_t size = walk->token_size, count = walk->tokens.size / size, kept = 0;
	uint8_t *tokens = walk->tokens.data;
	if (walk->by < BY_STUDY_NAME && walk->from == RS_LEVEL_STUDY) /* dates have an order, and no twins */
		return;
	if (count > 1)
		qsort(tokens, count, size, by_token);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || memcmp(tokens + i * size, tokens + (kept - 1) * size, TOKEN_SIZE) != 0)
			memmove(tokens + kept++ * size, tokens + i * size, size);
	walk->tokens.size = kept * size;
}

enum rs_code rs_catalogue_find(struct rs_catalogue *catalogue, const struct rs_catalogue_query *query,
                               struct rs_catalogue_place *place, rs_catalogue_visit *visit, void *context,
                               bool *out_ended, struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {.catalogue = catalogue,
	                                            .level = query->level,
	                                            .token_size = TOKEN_SIZE,
	                                            .visit = visit,
	                                            .context = context,
	                                            .place = place};
	loader_init(&walk.loader, catalogue, judge);
	RS_TRY(read_keys(&walk, query, err));
	RS_TRY(choose_way(&walk, err));
	drop_twins(&walk);
	size_t parts = walk.by >= BY_PATIENT_TOKEN ? walk.tokens.size / walk.token_size : 1;
	while (!walk.stop && place->part < parts) {
		struct rs_bytes token = {NULL, 0};
		if (walk.by >= BY_PATIENT_TOKEN)
			token = rs_bytes_of(walk.tokens.data + place->part * walk.token_size,
			                    walk.token_size);
		RS_TRY(each_of_part(&walk, token, err));
	}
	*out_ended = place->part >= parts;
	return RS_OK;
}

static enum rs_code count(const struct rs_catalogue_match *match, enum statement_name name, int64_t row,
                          int column, char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                          struct rs_error *err)
{
	struct rs_statement *statement = match->catalogue->statements[name];
	bool there;
	rs_statement_bind_i64(statement, 1, row);
	RS_TRY(rs_statement_step(statement, &there, err));
	int size = snprintf(text, RS_CATALOGUE_COUNT_SIZE, "%lld",
	                    there ? (long long)rs_statement_i64(statement, column) : 0);
	rs_statement_reset(statement);
	*out = (struct rs_str){text, (size_t)size};
	return RS_OK;
}

enum rs_code rs_catalogue_value(const struct rs_catalogue_match *match, uint32_t tag,
                                char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                                struct rs_error *err)
{
	static const struct {
		uint32_t tag;
		enum statement_name name;
		int column;
	} counts[] = {
		{COUNT_PATIENT_STUDIES, COUNTS_OF_PATIENT, 0},   {COUNT_PATIENT_SERIES, COUNTS_OF_PATIENT, 1},
		{COUNT_PATIENT_INSTANCES, COUNTS_OF_PATIENT, 2}, {COUNT_STUDY_SERIES, COUNTS_OF_STUDY, 1},
		{COUNT_STUDY_INSTANCES, COUNTS_OF_STUDY, 2},     {COUNT_SERIES_INSTANCES, COUNT_OF_SERIES, 2},
	};
	const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(tag);
	*out = (struct rs_str){"", 0};
	if (!attribute || attribute->level > match->level)
		return RS_OK;
	for (size_t i = 0; i < RS_COUNT(counts); i++)
		if (counts[i].tag == tag)
			return count(match, counts[i].name, match->row[attribute->level], counts[i].column,
			             text, out, err);
	value_of(match->values, attribute, out);
	return RS_OK;
}

enum rs_code rs_catalogue_first_transaction(struct rs_catalogue *catalogue, int64_t study,
                                            uint8_t out[static 16], struct rs_error *err)
{
	struct rs_statement *statement = catalogue->statements[FIRST_TRANSACTION];
	bool there;
	rs_statement_bind_i64(statement, 1, study);
	RS_TRY(rs_statement_step(statement, &there, err));
	struct rs_bytes id = there ? rs_statement_bytes(statement, 0) : rs_bytes_of("", 0);
	bool good = id.size == 16;
	if (good)
		memcpy(out, id.data, 16);
	rs_statement_reset(statement);
	return good ? RS_OK : RS_NOT_FOUND;
}

enum rs_code rs_catalogue_studies_of(struct rs_catalogue *catalogue, int64_t patient, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct rs_statement *statement = catalogue->statements[STUDIES_OF];
	rs_statement_bind_i64(statement, 1, patient);
	for (bool more = true; more;) {
		uint8_t id[8];
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			break;
		rs_write_be64(id, (uint64_t)rs_statement_i64(statement, 0));
		rs_buffer_append(out, id, sizeof id);
	}
	return rs_buffer_check(out, "a patient's studies", err);
}

enum rs_code rs_catalogue_traces(struct rs_catalogue *catalogue, struct rs_bytes subject,
                                 rs_catalogue_trace *trace, void *context, struct rs_error *err)
{
	struct rs_statement *statement = catalogue->statements[TRACES_OF];
	rs_statement_bind_bytes(statement, 1, subject);
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		enum rs_code code = trace(context, rs_statement_bytes(statement, 0), err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
	}
}
