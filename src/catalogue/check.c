/* The catalogue against itself: every box opens, tokens are those of the values, counts those of the rows. */
#include <stdio.h>
#include <string.h>

#include "loader.h"

enum rs_code rs_catalogue_check_image(struct rs_catalogue *catalogue, int64_t record, struct rs_bytes subject,
                                      const struct rs_str uids[static 3], struct rs_error *err)
{
	static const struct {
		enum rs_level level;
		uint8_t number;
	} rows[] = {{RS_LEVEL_IMAGE, ATTRIBUTE_INSTANCE},
	            {RS_LEVEL_SERIES, ATTRIBUTE_SERIES},
	            {RS_LEVEL_STUDY, ATTRIBUTE_STUDY}};
	struct loader loader RS_CLEANUP(loader_finish) = {.catalogue = catalogue};
	struct rs_str uid;
	loader_init(&loader, catalogue, NULL);
	RS_TRY(loader_get(&loader, RS_LEVEL_IMAGE, record, err));
	if (!loader.rows[RS_LEVEL_IMAGE].is_there)
		return RS_NOT_FOUND;
	if (!rs_bytes_equal(rs_buffer_bytes(&loader.rows[RS_LEVEL_PATIENT].name), subject))
		return rs_error_set(err, RS_ALTERED, "the catalogue has it with another subject");
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		values_get(rs_buffer_bytes(&loader.rows[rows[i].level].plain), rows[i].number, &uid);
		if (!rs_str_equal(uid, uids[i]))
			return rs_error_set(err, RS_ALTERED, "the catalogue has it with other UIDs");
	}
	return RS_OK;
}

struct checking {
	struct loader loader;
	struct rs_catalogue *catalogue;
	rs_catalogue_fault *fault;
	void *context;
	uint64_t tokens; /* that rows should have */
};

static enum rs_code ask(struct rs_catalogue *catalogue, const char *sql, int64_t *out, struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool there;
	RS_TRY(rs_statement_prepare(catalogue->store, sql, &statement, err));
	RS_TRY(rs_statement_step(statement, &there, err));
	*out = there ? rs_statement_i64(statement, 0) : 0;
	rs_statement_reset(statement);
	return RS_OK;
}

/* Each token of a row is there; those that are no row's are found by counting. */
static enum rs_code check_tokens(struct checking *checking, enum rs_level level, int64_t id, bool *out_good,
                                 struct rs_error *err)
{
	struct rs_catalogue *catalogue = checking->catalogue;
	struct rs_statement *statement =
		catalogue->statements[level == RS_LEVEL_PATIENT ? BY_PATIENT_TOKEN : BY_STUDY_TOKEN];
	struct token tokens[TOKENS_MAX];
	size_t count = tokens_of_row(&catalogue->keys.tokens, level,
	                             rs_buffer_bytes(&checking->loader.rows[level].plain), tokens);
	*out_good = true;
	for (size_t i = 0; i < count; i++) {
		bool there, again = false;
		for (size_t before = 0; before < i; before++)
			again = again || memcmp(&tokens[before], &tokens[i], sizeof *tokens) == 0;
		if (again)
			continue;
		checking->tokens++;
		rs_statement_bind_i64(statement, 1, id + 1);
		rs_statement_bind_bytes(statement, 2, rs_bytes_of(tokens[i].bytes, TOKEN_SIZE));
		RS_TRY(rs_statement_step(statement, &there, err));
		*out_good = *out_good && there && rs_statement_i64(statement, 0) == id;
		rs_statement_reset(statement);
	}
	return RS_OK;
}

static enum rs_code check_row(struct checking *checking, enum rs_level level, int64_t id,
                              struct rs_error *err)
{
	struct rs_error reason = {0};
	char sentence[128];
	bool good = true;
	enum rs_code code = loader_get(&checking->loader, level, id, &reason);
	if (code == RS_OK && checking->loader.rows[level].is_there && level <= RS_LEVEL_STUDY)
		RS_TRY(check_tokens(checking, level, id, &good, err));
	if (code != RS_OK && code != RS_ALTERED)
		return rs_error_set(err, code, "%s", reason.message);
	if (code == RS_OK && checking->loader.rows[level].is_there && good)
		return RS_OK;
	snprintf(sentence, sizeof sentence, "row %lld of level %s: %s", (long long)id, rs_level_name(level),
	         code != RS_OK ? "it does not open"
	         : good        ? "nothing stands above it"
	                       : "its tokens are others");
	checking->fault(checking->context, sentence);
	return RS_OK;
}

/* What is above images; those are checked with their records. */
static enum rs_code check_level(struct checking *checking, enum rs_level level, struct rs_error *err)
{
	struct rs_statement *statement = checking->catalogue->statements[EACH_PATIENT + (int)level];
	rs_statement_bind_i64(statement, 1, INT64_MAX);
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		enum rs_code code = check_row(checking, level, rs_statement_i64(statement, 0), err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
	}
}

static enum rs_code check_counts(struct checking *checking, struct rs_error *err)
{
	static const struct {
		const char *sql, *sentence;
	} counts[] = {
		{"SELECT count(*) FROM catalogue_series AS s WHERE instances<>"
	         "(SELECT count(*) FROM catalogue_image WHERE series=s.id)",
	         "a series' count is not that of its images"},
		{"SELECT (SELECT count(*) FROM catalogue_series WHERE instances<1)+"
	         "(SELECT count(*) FROM catalogue_study WHERE id NOT IN (SELECT study FROM catalogue_series))+"
	         "(SELECT count(*) FROM catalogue_patient WHERE id NOT IN (SELECT patient FROM catalogue_study))",
	         "a row has nothing below it"},
		{"SELECT count(*) FROM catalogue_image WHERE record NOT IN (SELECT id FROM record)",
	         "an image has no record"},
	};
	int64_t number, tokens;
	for (size_t i = 0; i < RS_COUNT(counts); i++) {
		RS_TRY(ask(checking->catalogue, counts[i].sql, &number, err));
		if (number)
			checking->fault(checking->context, counts[i].sentence);
	}
	RS_TRY(ask(checking->catalogue, "SELECT count(*) FROM catalogue_patient_token", &tokens, err));
	RS_TRY(ask(checking->catalogue, "SELECT count(*) FROM catalogue_study_token", &number, err));
	if ((uint64_t)(tokens + number) != checking->tokens)
		checking->fault(checking->context, "there are tokens of nothing");
	return RS_OK;
}

enum rs_code rs_catalogue_check(struct rs_catalogue *catalogue, rs_catalogue_fault *fault, void *context,
                                struct rs_error *err)
{
	struct checking checking = {.catalogue = catalogue, .fault = fault, .context = context};
	enum rs_code code = RS_OK;
	loader_init(&checking.loader, catalogue, NULL);
	for (int level = RS_LEVEL_PATIENT; code == RS_OK && level <= RS_LEVEL_SERIES; level++)
		code = check_level(&checking, (enum rs_level)level, err);
	loader_finish(&checking.loader);
	return code == RS_OK ? check_counts(&checking, err) : code;
}
