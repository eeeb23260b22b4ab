/* Tables, and adding what came. */
#include "rows.h"

#include <string.h>

#define PLAIN_MAX ((size_t)2 * RS_CATALOGUE_ENTRY_MAX)
#define PADDING 64 /* so that a box's size tells little of a name's */
#define PADDING_IMAGE 32

/* What deletes records deletes what is said of them; a level goes with the last one below it. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS catalogue_patient("
	" id INTEGER PRIMARY KEY, subject BLOB NOT NULL UNIQUE, box BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS catalogue_study("
	" id INTEGER PRIMARY KEY, patient INTEGER NOT NULL, name BLOB NOT NULL, box BLOB NOT NULL,"
	" UNIQUE(patient,name));"
	"CREATE INDEX IF NOT EXISTS catalogue_study_name ON catalogue_study(name);"
	"CREATE TABLE IF NOT EXISTS catalogue_series("
	" id INTEGER PRIMARY KEY, study INTEGER NOT NULL, name BLOB NOT NULL, instances INTEGER NOT NULL,"
	" box BLOB NOT NULL, UNIQUE(study,name));"
	"CREATE INDEX IF NOT EXISTS catalogue_series_name ON catalogue_series(name);"
	"CREATE TABLE IF NOT EXISTS catalogue_image("
	" record INTEGER PRIMARY KEY REFERENCES record(id) ON DELETE CASCADE, series INTEGER NOT NULL,"
	" box BLOB NOT NULL);"
	"CREATE INDEX IF NOT EXISTS catalogue_image_series ON catalogue_image(series);"
	"CREATE TABLE IF NOT EXISTS catalogue_patient_token("
	" hash BLOB NOT NULL, item INTEGER NOT NULL REFERENCES catalogue_patient(id) ON DELETE CASCADE,"
	" PRIMARY KEY(hash,item)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS catalogue_patient_tokens ON catalogue_patient_token(item);"
	"CREATE TABLE IF NOT EXISTS catalogue_study_token("
	" hash BLOB NOT NULL, item INTEGER NOT NULL REFERENCES catalogue_study(id) ON DELETE CASCADE,"
	" PRIMARY KEY(hash,item)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS catalogue_study_tokens ON catalogue_study_token(item);"
	"CREATE TRIGGER IF NOT EXISTS catalogue_image_came AFTER INSERT ON catalogue_image BEGIN"
	" UPDATE catalogue_series SET instances=instances+1 WHERE id=new.series; END;"
	"CREATE TRIGGER IF NOT EXISTS catalogue_image_went AFTER DELETE ON catalogue_image BEGIN"
	" UPDATE catalogue_series SET instances=instances-1 WHERE id=old.series;"
	" DELETE FROM catalogue_series WHERE id=old.series AND instances=0; END;"
	"CREATE TRIGGER IF NOT EXISTS catalogue_series_went AFTER DELETE ON catalogue_series BEGIN"
	" DELETE FROM catalogue_study WHERE id=old.study"
	" AND NOT EXISTS(SELECT 1 FROM catalogue_series WHERE study=old.study); END;"
	"CREATE TRIGGER IF NOT EXISTS catalogue_study_went AFTER DELETE ON catalogue_study BEGIN"
	" DELETE FROM catalogue_patient WHERE id=old.patient"
	" AND NOT EXISTS(SELECT 1 FROM catalogue_study WHERE patient=old.patient); END;";

static const char *const statements[STATEMENT_COUNT] = {
	[FIND_PATIENT] = "SELECT id FROM catalogue_patient WHERE subject=?1",
	[FIND_STUDY] = "SELECT id,box FROM catalogue_study WHERE patient=?1 AND name=?2",
	[FIND_SERIES] = "SELECT id,box FROM catalogue_series WHERE study=?1 AND name=?2",
	[ADD_PATIENT] = "INSERT INTO catalogue_patient VALUES(NULL,?1,?2)",
	[ADD_STUDY] = "INSERT INTO catalogue_study VALUES(NULL,?1,?2,?3)",
	[ADD_SERIES] = "INSERT INTO catalogue_series VALUES(NULL,?1,?2,0,?3)",
	[ADD_IMAGE] = "INSERT INTO catalogue_image VALUES(?1,?2,?3)",
	[ADD_PATIENT_TOKEN] = "INSERT OR IGNORE INTO catalogue_patient_token VALUES(?1,?2)",
	[ADD_STUDY_TOKEN] = "INSERT OR IGNORE INTO catalogue_study_token VALUES(?1,?2)",
	[CHANGE_STUDY] = "UPDATE catalogue_study SET box=?2 WHERE id=?1",
	[LAST_ROW] = "SELECT last_insert_rowid()",
	[GET_PATIENT] = "SELECT 0,subject,box FROM catalogue_patient WHERE id=?1",
	[GET_STUDY] = "SELECT patient,name,box FROM catalogue_study WHERE id=?1",
	[GET_SERIES] = "SELECT study,name,box FROM catalogue_series WHERE id=?1",
	[GET_IMAGE] = "SELECT series,x'',box FROM catalogue_image WHERE record=?1",
	[EACH_PATIENT] = "SELECT id FROM catalogue_patient WHERE id<?1 ORDER BY id DESC",
	[EACH_STUDY] = "SELECT id FROM catalogue_study WHERE id<?1 ORDER BY id DESC",
	[EACH_SERIES] = "SELECT id FROM catalogue_series WHERE id<?1 ORDER BY id DESC",
	[EACH_IMAGE] = "SELECT record FROM catalogue_image WHERE record<?1 ORDER BY record DESC",
	[STUDIES_OF] = "SELECT id FROM catalogue_study WHERE patient=?1 ORDER BY id DESC",
	[SERIES_OF] = "SELECT id FROM catalogue_series WHERE study=?1 ORDER BY id",
	[IMAGES_OF] = "SELECT record FROM catalogue_image WHERE series=?1 ORDER BY record",
	[BY_PATIENT_TOKEN] =
		"SELECT item FROM catalogue_patient_token WHERE hash=?2 AND item<?1 ORDER BY item DESC",
	[BY_STUDY_TOKEN] =
		"SELECT item FROM catalogue_study_token WHERE hash=?2 AND item<?1 ORDER BY item DESC",
	[BY_STUDY_NAME] = "SELECT id FROM catalogue_study WHERE name=?2 AND id<?1 ORDER BY id DESC",
	[BY_SERIES_NAME] = "SELECT id FROM catalogue_series WHERE name=?2 AND id<?1 ORDER BY id DESC",
	[BY_IDENTITY] = "SELECT record FROM record JOIN catalogue_image ON record=record.id"
			" WHERE identity_locator=?2 AND record<?1 ORDER BY record DESC",
	[COUNT_BY_PATIENT_TOKEN] =
		"SELECT count(*) FROM (SELECT 1 FROM catalogue_patient_token WHERE hash=?1 LIMIT ?2)",
	[COUNT_BY_STUDY_TOKEN] =
		"SELECT count(*) FROM (SELECT 1 FROM catalogue_study_token WHERE hash=?1 LIMIT ?2)",
	[COUNTS_OF_PATIENT] =
		"SELECT count(DISTINCT study.id),count(*),sum(instances) FROM catalogue_study AS study"
		" JOIN catalogue_series ON study=study.id WHERE patient=?1",
	[COUNTS_OF_STUDY] = "SELECT 1,count(*),sum(instances) FROM catalogue_series WHERE study=?1",
	[COUNT_OF_SERIES] = "SELECT 1,1,instances FROM catalogue_series WHERE id=?1",
	[FIRST_TRANSACTION] =
		"SELECT transaction_id FROM catalogue_image AS image JOIN record ON record.id=image.record"
		" WHERE series=(SELECT min(id) FROM catalogue_series WHERE study=?1)"
		" ORDER BY image.record LIMIT 1",
	/* Names, too, unless somebody else has a study or series of this UID. */
	[TRACES_OF] =
		"WITH own_patient AS (SELECT id,box FROM catalogue_patient WHERE subject=?1),"
		" own_study AS (SELECT id,name,box FROM catalogue_study WHERE patient IN"
		"  (SELECT id FROM own_patient)),"
		" own_series AS (SELECT id,study,name,box FROM catalogue_series WHERE study IN"
		"  (SELECT id FROM own_study))"
		" SELECT box FROM own_patient UNION ALL SELECT box FROM own_study UNION ALL"
		" SELECT box FROM own_series UNION ALL SELECT box FROM catalogue_image WHERE series IN"
		"  (SELECT id FROM own_series) UNION ALL"
		" SELECT name FROM own_study AS own WHERE NOT EXISTS (SELECT 1 FROM catalogue_study AS"
		"  other WHERE other.name=own.name AND other.id<>own.id) UNION ALL"
		" SELECT name FROM own_series AS own WHERE NOT EXISTS (SELECT 1 FROM catalogue_series AS"
		"  other WHERE other.name=own.name AND other.id<>own.id)",
};

static enum rs_code has_tables(struct rs_store *store, bool *out, struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	RS_TRY(rs_statement_prepare(store, "SELECT 1 FROM sqlite_schema WHERE name='catalogue_study_went'",
	                            &statement, err));
	RS_TRY(rs_statement_step(statement, out, err));
	rs_statement_reset(statement);
	return RS_OK;
}

enum rs_code rs_catalogue_make(struct rs_store *store, struct rs_error *err)
{
	bool there;
	RS_TRY(has_tables(store, &there, err));
	if (there)
		return RS_OK;
	RS_TRY(rs_store_begin(store, err));
	enum rs_code code = rs_store_run(store, schema, err);
	if (code == RS_OK)
		code = rs_store_commit(store, err);
	if (code != RS_OK)
		rs_store_rollback(store);
	return code;
}

enum rs_code rs_catalogue_open(const struct rs_world *world, struct rs_store *store,
                               const struct rs_catalogue_keys *keys, struct rs_catalogue **out,
                               struct rs_error *err)
{
	bool there;
	RS_TRY(has_tables(store, &there, err));
	if (!there)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "this node has no catalogue yet: run radseal fsck --repair");
	struct rs_catalogue *catalogue = rs_allocate(sizeof *catalogue);
	if (!catalogue)
		return rs_error_memory(err, sizeof *catalogue, "a catalogue");
	catalogue->world = world;
	catalogue->store = store;
	catalogue->keys = *keys;
	rs_buffer_init(&catalogue->plain, PLAIN_MAX);
	rs_buffer_init(&catalogue->box, PLAIN_MAX + 128);
	rs_buffer_init(&catalogue->other, PLAIN_MAX);
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		enum rs_code code = rs_statement_prepare(store, statements[i], &catalogue->statements[i],
		                                         err);
		if (code != RS_OK) {
			rs_catalogue_close(catalogue);
			return code;
		}
	}
	*out = catalogue;
	return RS_OK;
}

void rs_catalogue_close(struct rs_catalogue *catalogue)
{
	if (!catalogue)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		rs_statement_finish(catalogue->statements[i]);
	rs_secret_finish(&catalogue->keys.tokens);
	rs_secret_buffer_finish(&catalogue->plain);
	rs_secret_buffer_finish(&catalogue->other);
	rs_buffer_finish(&catalogue->box);
	rs_free(catalogue);
}

void row_name_image(int64_t record, uint8_t out[static IMAGE_NAME_SIZE])
{
	rs_write_be64(out, (uint64_t)record);
}

/* A subject's pseudonym, a token, or a number, behind the level. */
static size_t associate(enum rs_level level, struct rs_bytes name, uint8_t out[static 64])
{
	size_t size = name.size < 63 ? name.size : 63;
	out[0] = (uint8_t)level;
	memcpy(out + 1, name.data, size);
	return size + 1;
}

enum rs_code row_open(enum rs_level level, const struct rs_secret *key, struct rs_bytes name,
                      struct rs_bytes box, struct rs_buffer *out, struct rs_error *err)
{
	uint8_t associated[64];
	size_t size = associate(level, name, associated);
	enum rs_code code = rs_box_open(key, rs_bytes_of(associated, size), box, out, err);
	return code == RS_ALTERED ? rs_error_set(err, code, "a row of the catalogue does not open") : code;
}

/* Pads `plain` and seals it into catalogue->box. */
static enum rs_code seal(struct rs_catalogue *catalogue, enum rs_level level, const struct rs_secret *key,
                         struct rs_bytes name, struct rs_buffer *plain, struct rs_error *err)
{
	static const uint8_t zeros[PADDING];
	uint8_t associated[64];
	size_t size = associate(level, name, associated);
	size_t step = level == RS_LEVEL_IMAGE ? PADDING_IMAGE : PADDING, over = plain->size % step;
	if (over)
		rs_buffer_append(plain, zeros, step - over);
	RS_TRY(rs_buffer_check(plain, "a row of the catalogue", err));
	rs_buffer_clear(&catalogue->box);
	return rs_box_seal(catalogue->world, key, rs_bytes_of(associated, size), rs_buffer_bytes(plain),
	                   &catalogue->box, err);
}

static struct rs_bytes level_of(const struct rs_catalogue_entry *entry, enum rs_level level)
{
	return rs_bytes_of(entry->bytes + entry->begin[level],
	                   (size_t)(entry->begin[level + 1] - entry->begin[level]));
}

static enum rs_code last_row(struct rs_catalogue *catalogue, int64_t *out, struct rs_error *err)
{
	struct rs_statement *statement = catalogue->statements[LAST_ROW];
	bool there;
	RS_TRY(rs_statement_step(statement, &there, err));
	*out = rs_statement_i64(statement, 0);
	rs_statement_reset(statement);
	return RS_OK;
}

static enum rs_code add_tokens(struct rs_catalogue *catalogue, enum rs_level level, struct rs_bytes values,
                               int64_t row, struct rs_error *err)
{
	struct rs_statement *statement =
		catalogue->statements[level == RS_LEVEL_PATIENT ? ADD_PATIENT_TOKEN : ADD_STUDY_TOKEN];
	struct token tokens[TOKENS_MAX];
	size_t count = tokens_of_row(&catalogue->keys.tokens, level, values, tokens);
	for (size_t i = 0; i < count; i++) {
		rs_statement_bind_bytes(statement, 1, rs_bytes_of(tokens[i].bytes, TOKEN_SIZE));
		rs_statement_bind_i64(statement, 2, row);
		RS_TRY(rs_statement_run(statement, err));
	}
	return RS_OK;
}

/* What is being added. */
struct adding {
	struct rs_catalogue *catalogue;
	const struct rs_secret *key;
	struct rs_bytes subject;
	const struct rs_catalogue_instance *instances;
	size_t count;
	int64_t patient, study, series;
};

static enum rs_code add_patient(struct adding *adding, struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	struct rs_bytes values = level_of(adding->instances[0].entry, RS_LEVEL_PATIENT);
	struct rs_statement *statement = catalogue->statements[FIND_PATIENT];
	bool there;
	rs_statement_bind_bytes(statement, 1, adding->subject);
	RS_TRY(rs_statement_step(statement, &there, err));
	if (there) {
		adding->patient = rs_statement_i64(statement, 0);
		rs_statement_reset(statement);
		return RS_OK;
	}
	rs_buffer_clear(&catalogue->plain);
	rs_buffer_append_bytes(&catalogue->plain, values);
	RS_TRY(seal(catalogue, RS_LEVEL_PATIENT, adding->key, adding->subject, &catalogue->plain, err));
	statement = catalogue->statements[ADD_PATIENT];
	rs_statement_bind_bytes(statement, 1, adding->subject);
	rs_statement_bind_bytes(statement, 2, rs_buffer_bytes(&catalogue->box));
	RS_TRY(rs_statement_run(statement, err));
	RS_TRY(last_row(catalogue, &adding->patient, err));
	return add_tokens(catalogue, RS_LEVEL_PATIENT, values, adding->patient, err);
}

/* A study's or series' row by its UID; its values lie in `plain` when it is there. */
static enum rs_code find_row(struct adding *adding, enum rs_level level, int64_t parent,
                             const struct token *name, int64_t *out_row, bool *out_there,
                             struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	struct rs_statement *statement =
		catalogue->statements[level == RS_LEVEL_STUDY ? FIND_STUDY : FIND_SERIES];
	struct rs_bytes bytes = {name->bytes, TOKEN_SIZE};
	rs_statement_bind_i64(statement, 1, parent);
	rs_statement_bind_bytes(statement, 2, bytes);
	RS_TRY(rs_statement_step(statement, out_there, err));
	if (!*out_there)
		return RS_OK;
	*out_row = rs_statement_i64(statement, 0);
	rs_buffer_clear(&catalogue->plain);
	enum rs_code code = row_open(level, adding->key, bytes, rs_statement_bytes(statement, 1),
	                             &catalogue->plain, err);
	rs_statement_reset(statement);
	return code;
}

static enum rs_code add_row(struct adding *adding, enum rs_level level, int64_t parent,
                            const struct token *name, struct rs_buffer *plain, int64_t *out_row,
                            struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	struct rs_statement *statement =
		catalogue->statements[level == RS_LEVEL_STUDY ? ADD_STUDY : ADD_SERIES];
	struct rs_bytes bytes = {name->bytes, TOKEN_SIZE};
	RS_TRY(seal(catalogue, level, adding->key, bytes, plain, err));
	rs_statement_bind_i64(statement, 1, parent);
	rs_statement_bind_bytes(statement, 2, bytes);
	rs_statement_bind_bytes(statement, 3, rs_buffer_bytes(&catalogue->box));
	RS_TRY(rs_statement_run(statement, err));
	return last_row(catalogue, out_row, err);
}

static bool has_component(struct rs_str list, struct rs_str wanted)
{
	struct rs_str one;
	while (rs_str_split(&list, '\\', &one))
		if (rs_str_equal(one, wanted))
			return true;
	return false;
}

/* `list` with what it has not yet; false when nothing is new. */
static bool gather(const struct adding *adding, enum rs_level level, uint8_t number, struct rs_str list,
                   struct rs_buffer *out)
{
	struct rs_str value;
	rs_buffer_append_str(out, list);
	for (size_t i = 0; i < adding->count; i++)
		if (values_get(level_of(adding->instances[i].entry, level), number, &value) && value.size &&
		    !has_component(rs_buffer_str(out), value) && out->size + value.size < VALUE_MAX) {
			if (out->size)
				rs_buffer_append_u8(out, '\\');
			rs_buffer_append_str(out, value);
		}
	return out->size > list.size;
}

/* A study's values with the modalities and classes of the series that come to it, into catalogue->other. */
static bool gather_all(struct adding *adding, struct rs_bytes values)
{
	struct rs_buffer modalities RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer classes RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer *out = &adding->catalogue->other;
	struct rs_str before[2], value;
	uint8_t number;
	rs_buffer_init(&modalities, VALUE_MAX);
	rs_buffer_init(&classes, VALUE_MAX);
	values_get(values, ATTRIBUTE_MODALITIES, &before[0]);
	values_get(values, ATTRIBUTE_CLASSES, &before[1]);
	bool more = gather(adding, RS_LEVEL_SERIES, ATTRIBUTE_MODALITY, before[0], &modalities);
	more = gather(adding, RS_LEVEL_IMAGE, ATTRIBUTE_CLASS, before[1], &classes) || more;
	rs_buffer_clear(out);
	while (values_next(&values, &number, &value))
		if (number != ATTRIBUTE_MODALITIES && number != ATTRIBUTE_CLASSES)
			values_put(out, number, value);
	values_put(out, ATTRIBUTE_MODALITIES, rs_buffer_str(&modalities));
	values_put(out, ATTRIBUTE_CLASSES, rs_buffer_str(&classes));
	return more;
}

static enum rs_code add_study(struct adding *adding, struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	struct rs_bytes values = level_of(adding->instances[0].entry, RS_LEVEL_STUDY);
	struct rs_statement *change = catalogue->statements[CHANGE_STUDY];
	struct rs_str uid;
	struct token name;
	bool there;
	values_get(values, ATTRIBUTE_STUDY, &uid);
	token_make(&catalogue->keys.tokens, ATTRIBUTE_STUDY, TOKEN_EXACT, uid, &name);
	RS_TRY(find_row(adding, RS_LEVEL_STUDY, adding->patient, &name, &adding->study, &there, err));
	if (!there) {
		(void)gather_all(adding, values);
		RS_TRY(add_row(adding, RS_LEVEL_STUDY, adding->patient, &name, &catalogue->other,
		               &adding->study, err));
		return add_tokens(catalogue, RS_LEVEL_STUDY, values, adding->study, err);
	}
	if (!gather_all(adding, rs_buffer_bytes(&catalogue->plain)))
		return RS_OK;
	RS_TRY(seal(catalogue, RS_LEVEL_STUDY, adding->key, rs_bytes_of(name.bytes, TOKEN_SIZE),
	            &catalogue->other, err));
	rs_statement_bind_i64(change, 1, adding->study);
	rs_statement_bind_bytes(change, 2, rs_buffer_bytes(&catalogue->box));
	return rs_statement_run(change, err);
}

/* What its first instance says of itself is a series' value, too: others say only where they differ. */
static enum rs_code add_series(struct adding *adding, struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	const struct rs_catalogue_entry *entry = adding->instances[0].entry;
	struct rs_bytes values = level_of(entry, RS_LEVEL_SERIES), image = level_of(entry, RS_LEVEL_IMAGE);
	struct rs_str uid, value;
	struct token name;
	uint8_t number;
	bool there;
	values_get(values, ATTRIBUTE_SERIES, &uid);
	token_make(&catalogue->keys.tokens, ATTRIBUTE_SERIES, TOKEN_EXACT, uid, &name);
	RS_TRY(find_row(adding, RS_LEVEL_SERIES, adding->study, &name, &adding->series, &there, err));
	if (there)
		return RS_OK;
	rs_buffer_clear(&catalogue->plain);
	rs_buffer_append_bytes(&catalogue->plain, values);
	while (values_next(&image, &number, &value))
		if (number != ATTRIBUTE_INSTANCE)
			values_put(&catalogue->plain, number, value);
	/* Sealing pads `plain`, which values_next() stops at. */
	return add_row(adding, RS_LEVEL_SERIES, adding->study, &name, &catalogue->plain, &adding->series,
	               err);
}

/* Series' values lie in `plain`. */
static enum rs_code add_image(struct adding *adding, const struct rs_catalogue_instance *instance,
                              struct rs_error *err)
{
	struct rs_catalogue *catalogue = adding->catalogue;
	struct rs_bytes own = level_of(instance->entry, RS_LEVEL_IMAGE), at = own,
			shared = rs_buffer_bytes(&catalogue->plain);
	uint8_t name[IMAGE_NAME_SIZE], number;
	struct rs_str value, other;
	rs_buffer_clear(&catalogue->other);
	while (values_next(&at, &number, &value))
		if (!values_get(shared, number, &other) || !rs_str_equal(value, other))
			values_put(&catalogue->other, number, value);
	while (values_next(&shared, &number, &value))
		if (number > ATTRIBUTE_INSTANCE && !values_get(own, number, &other))
			values_put(&catalogue->other, number, RS_STR(""));
	row_name_image(instance->record, name);
	RS_TRY(seal(catalogue, RS_LEVEL_IMAGE, adding->key, rs_bytes_of(name, sizeof name), &catalogue->other,
	            err));
	struct rs_statement *statement = catalogue->statements[ADD_IMAGE];
	rs_statement_bind_i64(statement, 1, instance->record);
	rs_statement_bind_i64(statement, 2, adding->series);
	rs_statement_bind_bytes(statement, 3, rs_buffer_bytes(&catalogue->box));
	return rs_statement_run(statement, err);
}

enum rs_code rs_catalogue_add(struct rs_catalogue *catalogue, struct rs_bytes subject,
                              const struct rs_secret *subject_key,
                              const struct rs_catalogue_instance *instances, size_t count,
                              struct rs_error *err)
{
	struct adding adding = {.catalogue = catalogue,
	                        .key = subject_key,
	                        .subject = subject,
	                        .instances = instances,
	                        .count = count};
	if (count == 0)
		return RS_OK;
	RS_TRY(add_patient(&adding, err));
	RS_TRY(add_study(&adding, err));
	RS_TRY(add_series(&adding, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(add_image(&adding, &instances[i], err));
	return RS_OK;
}
