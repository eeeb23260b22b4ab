/* Rows: added, found by every key, counted, paged, and gone with their records. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_sim.h"
#include "catalogue/catalogue.h"

#define PATH "/index.sqlite"
#define PATIENTS 20
#define STUDIES 3 /* of each patient */
#define IMAGES 5  /* of each of two series */
#define RECORDS (PATIENTS * STUDIES * 2 * IMAGES)

static const char schema[] = "CREATE TABLE record(id INTEGER PRIMARY KEY, transaction_id BLOB, subject BLOB,"
			     " identity_locator BLOB);"
			     "CREATE INDEX record_identity ON record(identity_locator);";

struct fixture {
	struct rs_sim *sim;
	struct rs_store *store;
	struct rs_catalogue *catalogue;
};

/* A subject's key is its number, again and again; the last one is erased. */
static enum rs_code subject_key(void *context, struct rs_bytes subject, struct rs_secret *out,
                                struct rs_error *err)
{
	(void)context;
	(void)err;
	memset(out->bytes, subject.data[0] + 1, sizeof out->bytes);
	return subject.data[0] == PATIENTS ? RS_NOT_FOUND : RS_OK;
}

static void identity(void *context, struct rs_str uid, struct rs_digest *out)
{
	(void)context;
	rs_sha256(rs_bytes_of_str(uid), out);
}

static void describe(int patient, int study, int series, int image, struct rs_catalogue_entry *out)
{
	static const char *const names[] = {"Doe^John", "Roe^Jane", "M\xFCller^J\xFCrgen", "Doe-Smith^Ann"};
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_error err = {0};
	char id[32], date[32], uid[4][64], number[16];
	snprintf(id, sizeof id, "P%02d", patient);
	snprintf(date, sizeof date, "2024%02d%02d", study + 1, patient + 1);
	snprintf(number, sizeof number, "%d", image + 1);
	snprintf(uid[0], sizeof uid[0], "1.2.%d.%d.%d.%d", patient + 1, study, series, image);
	snprintf(uid[1], sizeof uid[1], "1.2.%d.%d", patient + 1, study);
	snprintf(uid[2], sizeof uid[2], "1.2.%d.%d.%d", patient + 1, study, series);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&builder, 0x00080005, "CS", "ISO_IR 100");
	rs_dicom_builder_text(&builder, 0x00080016, "UI",
	                      series ? "1.2.840.10008.5.1.4.1.1.66.4" : "1.2.840.10008.5.1.4.1.1.4");
	rs_dicom_builder_text(&builder, 0x00080018, "UI", uid[0]);
	rs_dicom_builder_text(&builder, 0x00080020, "DA", date);
	rs_dicom_builder_text(&builder, 0x00080060, "CS", series ? "SEG" : "MR");
	rs_dicom_builder_text(&builder, 0x00081030, "LO", study ? "knee left" : "head");
	rs_dicom_builder_text(&builder, 0x00100010, "PN", names[patient % 4]);
	rs_dicom_builder_text(&builder, 0x00100020, "LO", id);
	rs_dicom_builder_text(&builder, 0x0020000D, "UI", uid[1]);
	rs_dicom_builder_text(&builder, 0x0020000E, "UI", uid[2]);
	rs_dicom_builder_text(&builder, 0x00200013, "IS", number);
	rs_dicom_builder_u16(&builder, 0x00280010, image == 4 ? 128 : 256);
	if (image == 0)
		rs_dicom_builder_u16(&builder, 0x00280011, 256); /* the others do not say it */
	assert_int_equal((rs_buffer_init(&file, 1 << 20),
	                  rs_dicom_builder_file(&builder, "1.2.840.10008.5.1.4.1.1.4", uid[0], &file, &err)),
	                 RS_OK);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, &err), RS_OK);
	rs_catalogue_describe(&dicom, out);
}

static void add_series(struct fixture *f, int patient, int study, int series, int64_t *record)
{
	static struct rs_catalogue_entry entries[IMAGES];
	struct rs_catalogue_instance instances[IMAGES];
	struct rs_statement *insert = NULL;
	struct rs_error err = {0};
	struct rs_secret key;
	uint8_t subject[32] = {(uint8_t)patient};
	assert_int_equal(
		rs_statement_prepare(f->store, "INSERT INTO record VALUES(?1,?2,?3,?4)", &insert, &err),
		RS_OK);
	for (int image = 0; image < IMAGES; image++) {
		struct rs_digest locator;
		char uid[64];
		describe(patient, study, series, image, &entries[image]);
		snprintf(uid, sizeof uid, "1.2.%d.%d.%d.%d", patient + 1, study, series, image);
		identity(NULL, rs_str_from(uid), &locator);
		instances[image] = (struct rs_catalogue_instance){++*record, &entries[image]};
		rs_statement_bind_i64(insert, 1, *record);
		rs_statement_bind_bytes(insert, 2, rs_bytes_of("0123456789abcdef", 16));
		rs_statement_bind_bytes(insert, 3, rs_bytes_of(subject, sizeof subject));
		rs_statement_bind_bytes(insert, 4, rs_bytes_of(locator.bytes, RS_SHA256_SIZE));
		assert_int_equal(rs_statement_run(insert, &err), RS_OK);
	}
	rs_statement_finish(insert);
	(void)subject_key(NULL, rs_bytes_of(subject, 32), &key, NULL);
	assert_int_equal(
		rs_catalogue_add(f->catalogue, rs_bytes_of(subject, 32), &key, instances, IMAGES, &err),
		RS_OK);
}

static int set_up(void **state)
{
	static struct fixture f;
	struct rs_catalogue_keys keys = {.tokens = {{7}}, .subject_key = subject_key, .identity = identity};
	struct rs_error err = {0};
	int64_t record = 0;
	assert_int_equal(rs_sim_create(3, &f.sim, &err), RS_OK);
	const struct rs_world *world = rs_sim_world(f.sim);
	assert_int_equal(rs_store_open(world, PATH, RS_STORE_WRITE, schema, 1, &f.store, &err), RS_OK);
	assert_int_equal(rs_catalogue_make(f.store, &err), RS_OK);
	assert_int_equal(rs_catalogue_open(world, f.store, &keys, &f.catalogue, &err), RS_OK);
	assert_int_equal(rs_store_begin(f.store, &err), RS_OK);
	for (int patient = 0; patient <= PATIENTS; patient++)
		for (int study = 0; study < STUDIES; study++)
			for (int series = 0; series < 2; series++)
				add_series(&f, patient, study, series, &record);
	assert_int_equal(rs_store_commit(f.store, &err), RS_OK);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	rs_catalogue_close(f->catalogue);
	rs_store_close(f->store);
	rs_sim_destroy(f->sim);
	return 0;
}

struct seen {
	size_t count, stop_at;
	char last[2048]; /* the values asked for, of the last match */
	const uint32_t *tags;
	int64_t rows[RECORDS];
};

static enum rs_code see(void *context, const struct rs_catalogue_match *match, bool *out_stop,
                        struct rs_error *err)
{
	struct seen *seen = context;
	seen->last[0] = '\0';
	for (const uint32_t *tag = seen->tags; tag && *tag; tag++) {
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		RS_TRY(rs_catalogue_value(match, *tag, text, &value, err));
		size_t at = strlen(seen->last);
		snprintf(seen->last + at, sizeof seen->last - at, RS_STR_FORMAT "|", RS_STR_ARGUMENTS(value));
	}
	assert_true(seen->count < RECORDS);
	seen->rows[seen->count++] = match->row[match->level];
	*out_stop = seen->stop_at && seen->count % seen->stop_at == 0;
	return RS_OK;
}

static size_t find(struct fixture *f, enum rs_level level, const char *const (*texts)[2], struct seen *seen)
{
	struct rs_catalogue_key keys[8];
	struct rs_catalogue_query query = {level, keys, 0};
	struct rs_catalogue_place place = {.part = 0};
	struct rs_error err = {0};
	bool ended = false;
	seen->count = 0;
	for (; texts[query.key_count][0]; query.key_count++) {
		const struct rs_dicom_entry *entry = rs_dicom_lookup_keyword(
			rs_str_from(texts[query.key_count][0]));
		assert_non_null(entry);
		keys[query.key_count] = (struct rs_catalogue_key){entry->tag,
		                                                  rs_str_from(texts[query.key_count][1])};
	}
	while (!ended)
		assert_int_equal(rs_catalogue_find(f->catalogue, &query, &place, see, seen, &ended, &err),
		                 RS_OK);
	return seen->count;
}

static void test_every_key_finds(void **state)
{
	static const struct {
		enum rs_level level;
		const char *keys[4][2];
		size_t count;
	} rows[] = {
		{RS_LEVEL_PATIENT, {{NULL}}, PATIENTS},
		{RS_LEVEL_STUDY, {{NULL}}, PATIENTS * STUDIES},
		{RS_LEVEL_SERIES, {{NULL}}, PATIENTS * STUDIES * 2},
		{RS_LEVEL_IMAGE, {{NULL}}, RECORDS},
		{RS_LEVEL_PATIENT, {{"PatientID", "P03"}}, 1},
		{RS_LEVEL_PATIENT, {{"PatientID", "P03\\P04\\P03\\none"}}, 2},
		{RS_LEVEL_STUDY, {{"PatientID", "P0*"}}, 10 * STUDIES},
		{RS_LEVEL_STUDY, {{"PatientName", "DOE*"}}, PATIENTS / 2 * STUDIES},
		{RS_LEVEL_STUDY, {{"PatientName", "doe^john"}}, PATIENTS / 4 * STUDIES},
		{RS_LEVEL_STUDY, {{"PatientName", "m\xC3\xBCl*"}}, PATIENTS / 4 * STUDIES},
		{RS_LEVEL_STUDY, {{"PatientName", "d*"}}, PATIENTS / 2 * STUDIES},
		{RS_LEVEL_STUDY, {{"StudyDate", "20240101-20240131"}}, PATIENTS},
		{RS_LEVEL_STUDY, {{"StudyDate", "20240215-"}}, PATIENTS + 6},
		{RS_LEVEL_STUDY, {{"StudyDate", "20240101"}, {"PatientName", "Doe*"}}, 1},
		{RS_LEVEL_STUDY, {{"StudyDescription", "*knee*"}}, PATIENTS * 2},
		{RS_LEVEL_STUDY, {{"ModalitiesInStudy", "SEG"}}, PATIENTS * STUDIES},
		{RS_LEVEL_STUDY, {{"ModalitiesInStudy", "CT"}}, 0},
		{RS_LEVEL_STUDY, {{"StudyInstanceUID", "1.2.4.1"}}, 1},
		{RS_LEVEL_SERIES, {{"StudyInstanceUID", "1.2.4.1"}, {"Modality", "SEG"}}, 1},
		{RS_LEVEL_IMAGE, {{"StudyInstanceUID", "1.2.4.1\\1.2.4.2"}}, 4 * IMAGES},
		{RS_LEVEL_IMAGE, {{"SeriesInstanceUID", "1.2.4.1.0"}, {"Rows", "128"}}, 1},
		{RS_LEVEL_IMAGE, {{"SeriesInstanceUID", "1.2.4.1.0"}, {"Columns", "256"}}, 1},
		{RS_LEVEL_IMAGE, {{"SOPInstanceUID", "1.2.4.1.0.3"}}, 1},
		{RS_LEVEL_IMAGE, {{"SOPInstanceUID", "1.2.4.1.0.3\\1.2.5.1.0.3\\1.9"}}, 2},
		{RS_LEVEL_IMAGE, {{"SOPInstanceUID", "1.2.4.1.0.3"}, {"PatientID", "P04"}}, 0},
		{RS_LEVEL_IMAGE,
	         {{"SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4"}, {"StudyInstanceUID", "1.2.4.1"}},
	         IMAGES},
		{RS_LEVEL_STUDY, {{"PatientID", "P20"}}, 0}, /* erased */
		{RS_LEVEL_STUDY,
	         {{"Modality", "CT"}},
	         PATIENTS * STUDIES}, /* below the level: not a key of it */
	};
	static struct seen seen, paged;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		if (find(*state, rows[i].level, rows[i].keys, &seen) != rows[i].count)
			fail_msg("row %zu: %zu matches", i, seen.count);
		/* Page by page it is the same. */
		paged.stop_at = 3;
		assert_int_equal(find(*state, rows[i].level, rows[i].keys, &paged), rows[i].count);
		assert_memory_equal(seen.rows, paged.rows, rows[i].count * sizeof *seen.rows);
	}
}

static void test_values(void **state)
{
	static const uint32_t tags[] = {0x00100010, 0x00080061, 0x00080062, 0x00201206, 0x00201208,
	                                0x00201200, 0x00201209, 0x00280010, 0x00280011, 0};
	static const char *const study[][2] = {{"StudyInstanceUID", "1.2.3.1"}, {NULL}};
	static const char *const image[][2] = {{"SOPInstanceUID", "1.2.3.1.1.4"}, {NULL}};
	static struct seen seen = {.tags = tags};
	assert_int_equal(find(*state, RS_LEVEL_STUDY, study, &seen), 1);
	assert_string_equal(seen.last, "M\xC3\xBCller^J\xC3\xBCrgen|MR\\SEG|1.2.840.10008.5.1.4.1.1.4\\"
	                               "1.2.840.10008.5.1.4.1.1.66.4|2|10|3||||");
	assert_int_equal(find(*state, RS_LEVEL_IMAGE, image, &seen), 1);
	assert_string_equal(seen.last, "M\xC3\xBCller^J\xC3\xBCrgen|MR\\SEG|1.2.840.10008.5.1.4.1.1.4\\"
	                               "1.2.840.10008.5.1.4.1.1.66.4|2|10|3|5|128||");
}

static int64_t number(struct fixture *f, const char *sql)
{
	struct rs_statement *statement = NULL;
	bool row;
	assert_int_equal(rs_statement_prepare(f->store, sql, &statement, NULL), RS_OK);
	assert_int_equal(rs_statement_step(statement, &row, NULL), RS_OK);
	int64_t value = rs_statement_i64(statement, 0);
	rs_statement_finish(statement);
	return value;
}

/* Nothing of the values is readable in the file. */
static void test_nothing_readable(void **state)
{
	static const char *const words[] = {"Doe", "knee", "1.2.840", "P03", "20240101", "SEG"};
	struct fixture *f = *state;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	assert_int_equal(rs_store_scrub(f->store, NULL), RS_OK);
	assert_int_equal(rs_file_read_all(rs_sim_world(f->sim), PATH, 1 << 28, &file, NULL), RS_OK);
	assert_true(file.size > 100000);
	for (size_t i = 0; i < RS_COUNT(words); i++)
		assert_null(memmem(file.data, file.size, words[i], strlen(words[i])));
}

/* Rows go with the last record, and a count with each. */
static void test_gone_with_records(void **state)
{
	static const char *const study[][2] = {{"StudyInstanceUID", "1.2.1.0"}, {NULL}};
	static const uint32_t tags[] = {0x00201206, 0x00201208, 0};
	static struct seen seen = {.tags = tags};
	struct fixture *f = *state;
	assert_int_equal(rs_store_run(f->store, "DELETE FROM record WHERE id=1", NULL), RS_OK);
	assert_int_equal(find(f, RS_LEVEL_STUDY, study, &seen), 1);
	assert_string_equal(seen.last, "2|9|");
	assert_int_equal(rs_store_run(f->store, "DELETE FROM record WHERE id<6", NULL), RS_OK);
	assert_int_equal(find(f, RS_LEVEL_STUDY, study, &seen), 1);
	assert_string_equal(seen.last, "1|5|");
	assert_int_equal(rs_store_run(f->store, "DELETE FROM record WHERE id<11", NULL), RS_OK);
	assert_int_equal(find(f, RS_LEVEL_STUDY, study, &seen), 0);
	assert_int_equal(rs_store_run(f->store, "DELETE FROM record", NULL), RS_OK);
	assert_int_equal(number(f, "SELECT (SELECT count(*) FROM catalogue_patient)+"
	                           "(SELECT count(*) FROM catalogue_study)+"
	                           "(SELECT count(*) FROM catalogue_series)+"
	                           "(SELECT count(*) FROM catalogue_image)+"
	                           "(SELECT count(*) FROM catalogue_patient_token)+"
	                           "(SELECT count(*) FROM catalogue_study_token)"),
	                 0);
}

/* A row's box opens nowhere else, and with no other subject's key. */
static void test_altered_rows(void **state)
{
	static const char *const changes[] = {
		"UPDATE catalogue_study SET box=(SELECT box FROM catalogue_study WHERE id=2) WHERE id=1",
		"UPDATE catalogue_patient SET subject=x'05' WHERE id=1",
		"UPDATE catalogue_study SET patient=2 WHERE id=1",
	};
	struct fixture *f = *state;
	static struct seen seen;
	for (size_t i = 0; i < RS_COUNT(changes); i++) {
		struct rs_catalogue_query query = {RS_LEVEL_STUDY, NULL, 0};
		struct rs_catalogue_place place = {.part = 0};
		struct rs_error err = {0};
		bool ended;
		seen.count = 0;
		assert_int_equal(rs_store_begin(f->store, NULL), RS_OK);
		if (rs_store_run(f->store, changes[i], &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_int_equal(rs_catalogue_find(f->catalogue, &query, &place, see, &seen, &ended, &err),
		                 RS_ALTERED);
		rs_store_rollback(f->store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_finds),   cmocka_unit_test(test_values),
		cmocka_unit_test(test_altered_rows),      cmocka_unit_test(test_nothing_readable),
		cmocka_unit_test(test_gone_with_records),
	};
	return cmocka_run_group_tests_name("catalogue/find", tests, set_up, tear_down);
}
