/* Hostile identifiers against a catalogue. The first byte chooses transfer syntax and information model, the rest is the data set
 * of a C-FIND. Whatever is asked, tokens lose no match: what is found is what a look at every row finds, page by page, too. The
 * same bytes are described as if they were an instance: values that come out are whole, and UTF-8. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_sim.h"
#include "catalogue/match.h"
#include "gateway/identifier.h"

#define PATH "/index.sqlite"
#define ROWS 24
#define FOUND_MAX 64

static struct rs_catalogue *catalogue;

static enum rs_code subject_key(void *context, struct rs_bytes subject, struct rs_secret *out,
                                struct rs_error *err)
{
	(void)context;
	(void)err;
	memset(out->bytes, subject.data[0], sizeof out->bytes);
	return RS_OK;
}

static void identity(void *context, struct rs_str uid, struct rs_digest *out)
{
	(void)context;
	rs_sha256(rs_bytes_of_str(uid), out);
}

static void describe(struct rs_bytes data, const char *syntax, struct rs_catalogue_entry *out)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	rs_buffer_init(&file, (size_t)1 << 20);
	*out = (struct rs_catalogue_entry){.begin = {0}};
	assert(rs_dicom_put_meta("1.2", "1.2", syntax, NULL, &file, NULL) == RS_OK);
	rs_buffer_append_bytes(&file, data);
	if (file.failed == RS_OK && rs_dicom_parse(rs_buffer_bytes(&file), &dicom, NULL) == RS_OK)
		rs_catalogue_describe(&dicom, out);
}

/* Row by row a little different. */
static void add(struct rs_store *store, int number)
{
	static const char *const names[] = {"Doe^Jane", "Doe^John", "", "M\xFCller^J=Yamada^T"};
	static struct rs_catalogue_entry entry;
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_secret key;
	char uid[3][32], id[16], date[16], sql[160];
	uint8_t subject[32] = {(uint8_t)(number / 4)};
	struct rs_digest locator;
	snprintf(uid[0], sizeof uid[0], "1.2.%d.%d", number / 2, number);
	snprintf(uid[1], sizeof uid[1], "1.%d", number / 4);
	snprintf(uid[2], sizeof uid[2], "1.2.%d", number / 2);
	snprintf(id, sizeof id, "P%d", number / 4);
	snprintf(date, sizeof date, "20%02d0%d15", 10 + number / 4, 1 + number / 8);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, 1 << 16);
	rs_dicom_builder_text(&builder, 0x00080005, "CS", "ISO_IR 100");
	rs_dicom_builder_text(&builder, 0x00080018, "UI", uid[0]);
	rs_dicom_builder_text(&builder, 0x00080020, "DA", date);
	rs_dicom_builder_text(&builder, 0x00080030, "TM", number % 3 ? "101530" : "");
	rs_dicom_builder_text(&builder, 0x00080060, "CS", number % 2 ? "MR" : "CT");
	rs_dicom_builder_text(&builder, 0x00100010, "PN", names[number / 4 % 4]);
	rs_dicom_builder_text(&builder, 0x00100020, "LO", id);
	rs_dicom_builder_text(&builder, 0x00100030, "DA", "19700101");
	rs_dicom_builder_text(&builder, 0x0020000D, "UI", uid[1]);
	rs_dicom_builder_text(&builder, 0x0020000E, "UI", uid[2]);
	describe(rs_buffer_bytes(&builder.body), RS_SYNTAX_EXPLICIT_LE, &entry);
	identity(NULL, rs_str_from(uid[0]), &locator);
	char hex[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(locator.bytes, RS_SHA256_SIZE), hex);
	snprintf(sql, sizeof sql, "INSERT INTO record VALUES(%d,NULL,NULL,x'%s')", number + 1, hex);
	assert(rs_store_run(store, sql, NULL) == RS_OK);
	(void)subject_key(NULL, rs_bytes_of(subject, 32), &key, NULL);
	const struct rs_catalogue_instance instance = {number + 1, &entry};
	assert(rs_catalogue_add(catalogue, rs_bytes_of(subject, 32), &key, &instance, 1, NULL) == RS_OK);
}

static void set_up(void)
{
	const struct rs_catalogue_keys keys = {.subject_key = subject_key, .identity = identity};
	static struct rs_sim *sim;
	struct rs_store *store;
	assert(rs_sim_create(1, &sim, NULL) == RS_OK);
	assert(rs_store_open(rs_sim_world(sim), PATH, RS_STORE_WRITE,
	                     "CREATE TABLE record(id INTEGER PRIMARY KEY, transaction_id BLOB, subject BLOB,"
	                     " identity_locator BLOB);",
	                     1, &store, NULL) == RS_OK);
	assert(rs_catalogue_make(store, NULL) == RS_OK);
	assert(rs_catalogue_open(rs_sim_world(sim), store, &keys, &catalogue, NULL) == RS_OK);
	assert(rs_store_begin(store, NULL) == RS_OK);
	for (int number = 0; number < ROWS; number++)
		add(store, number);
	assert(rs_store_commit(store, NULL) == RS_OK);
}

struct found {
	const struct identifier *only; /* what a look at every row keeps; NULL: all */
	int64_t rows[FOUND_MAX];
	size_t count, page;
};

static bool fits(const struct identifier *identifier, const struct rs_catalogue_match *match)
{
	for (size_t i = 0; i < identifier->key_count; i++) {
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		struct key key;
		const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(
			identifier->keys[i].tag);
		if (!attribute || attribute->level > identifier->level)
			continue;
		assert(key_read(&identifier->keys[i], &key, NULL) == RS_OK);
		if (key.kind == KEY_ANY)
			continue;
		assert(rs_catalogue_value(match, identifier->keys[i].tag, text, &value, NULL) == RS_OK);
		if (!key_matches(&key, value))
			return false;
	}
	return true;
}

static enum rs_code see(void *context, const struct rs_catalogue_match *match, bool *out_stop,
                        struct rs_error *err)
{
	struct found *found = context;
	(void)err;
	if (found->only && !fits(found->only, match))
		return RS_OK;
	assert(found->count < FOUND_MAX);
	found->rows[found->count++] = match->row[match->level];
	*out_stop = found->page && found->count % found->page == 0;
	return RS_OK;
}

static enum rs_code find(const struct identifier *identifier, bool all, size_t page, struct found *out)
{
	const struct rs_catalogue_query query = {identifier->level, identifier->keys,
	                                         all ? 0 : identifier->key_count};
	struct rs_catalogue_place place = {.part = 0};
	enum rs_code code = RS_OK;
	bool ended = false;
	*out = (struct found){.only = all ? identifier : NULL, .page = page};
	while (code == RS_OK && !ended)
		code = rs_catalogue_find(catalogue, &query, &place, see, out, &ended, NULL);
	return code;
}

static int by_row(const void *a, const void *b)
{
	const int64_t *first = a, *second = b;
	return (*first > *second) - (*first < *second);
}

static void compare(const struct identifier *identifier)
{
	struct found found, paged, looked;
	enum rs_code code = find(identifier, false, 0, &found);
	assert(find(identifier, false, 2, &paged) == code);
	if (code != RS_OK)
		return;
	assert(find(identifier, true, 0, &looked) == RS_OK);
	assert(found.count == paged.count &&
	       memcmp(found.rows, paged.rows, found.count * sizeof *found.rows) == 0);
	qsort(found.rows, found.count, sizeof *found.rows, by_row);
	qsort(looked.rows, looked.count, sizeof *looked.rows, by_row);
	assert(found.count == looked.count &&
	       memcmp(found.rows, looked.rows, found.count * sizeof *found.rows) == 0);
}

static void check_entry(const struct rs_catalogue_entry *entry)
{
	struct rs_bytes rest = {entry->bytes, entry->begin[RS_LEVEL_COUNT]};
	struct token tokens[TOKENS_MAX];
	static const struct rs_secret key;
	struct rs_str value;
	uint8_t number;
	assert(entry->begin[0] == 0 && entry->begin[RS_LEVEL_COUNT] <= RS_CATALOGUE_ENTRY_MAX);
	for (size_t i = 0; i < RS_LEVEL_COUNT; i++)
		assert(entry->begin[i] <= entry->begin[i + 1]);
	(void)tokens_of_row(&key, RS_LEVEL_PATIENT, rest, tokens);
	while (values_next(&rest, &number, &value))
		assert(rs_utf8_valid(value));
	assert(rest.size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const syntaxes[] = {RS_SYNTAX_IMPLICIT_LE, RS_SYNTAX_EXPLICIT_LE};
	static const char *const models[] = {"1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.2.1"};
	struct identifier identifier RS_CLEANUP(identifier_finish) = {.key_count = 0};
	static struct rs_catalogue_entry entry;
	struct rs_error err = {0};
	if (!catalogue)
		set_up();
	if (size < 1)
		return 0;
	struct rs_bytes bytes = {data + 1, size - 1};
	const char *syntax = syntaxes[data[0] & 1];
	if (identifier_read(bytes, models[data[0] >> 1 & 1], syntax, &identifier, &err) == RS_OK)
		compare(&identifier);
	else
		assert(err.message[0]);
	describe(bytes, syntax, &entry);
	check_entry(&entry);
	return 0;
}
