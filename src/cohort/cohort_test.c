/* A cohort on a simulated disk: operands, order, memory that runs out at any moment, a disk that fails at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/base_sim.h"
#include "cohort/cohort.h"

static void operands(void **state)
{
	static const struct {
		const char *words[5];
		const char *expected; /* "prefix image mask|", or a word of the sentence after '!' */
	} rows[] = {
		{{"a", "b"}, " a b|"},
		{{"./a=b", "c"}, " ./a=b c|"},
		{{"t1=a", "mask=b"}, "t1 a b|"},
		{{"mask=m", "t1=a", "t2=b"}, "t1 a m|t2 b m|"},
		{{"t1=a", "mask:t1=m"}, "t1 a m|"},
		{{"t1=a", "t2=b", "mask:t2=n", "mask=m"}, "t1 a m|t2 b n|"},
		{{"t1=x=y", "mask=b"}, "t1 x=y b|"},
		{{"a"}, "!name an image"},
		{{"a", "b", "c"}, "!name an image"},
		{{"t1=a", "t1=b", "mask=m"}, "!twice"},
		{{"t1=a"}, "!has no mask"},
		{{"t1=a", "mask:t2=m"}, "!not named"},
		{{"t 1=a", "mask=m"}, "!cannot name"},
		{{"=a", "mask=m"}, "!cannot name"},
		{{"mask=m"}, "!no image"},
		{{"t1=a", "b"}, "!t1=b"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
		struct rs_error err = {0};
		char text[256] = "", copies[5][32], *words[5];
		size_t count = 0, used = 0;
		for (; count < 5 && rows[i].words[count] != NULL; count++) {
			snprintf(copies[count], sizeof copies[count], "%s", rows[i].words[count]);
			words[count] = copies[count];
		}
		enum rs_code code = rs_cohort_from_operands(words, count, &cohort, &err);
		for (size_t k = 0; code == RS_OK && k < cohort.image_count; k++)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %s|",
			                         cohort.cases[0].images[k].prefix,
			                         cohort.cases[0].images[k].image,
			                         cohort.cases[0].images[k].mask);
		if (rows[i].expected[0] == '!'
		            ? code != RS_USAGE || !strstr(err.message, rows[i].expected + 1)
		            : strcmp(text, rows[i].expected) != 0)
			fail_msg("operands %zu: '%s' %s", i, text, err.message);
	}
}

static void case_write(const struct rs_world *world, unsigned number)
{
	const struct rs_geometry geometry = {
		.size = {5, 4, 3}, .spacing_mm = {1, 1, 2}, .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	char path[32];
	assert_int_equal(rs_volume_init(&volume, &geometry, &err), RS_OK);
	assert_int_equal(rs_mask_init(&mask, &geometry, &err), RS_OK);
	volume.stored = RS_VOXEL_I16;
	for (size_t i = 0; i < 60; i++) {
		volume.voxels[i] = (double)((i * 37 + number * 11) % 200);
		mask.labels[i] = i % 5 > 0;
	}
	snprintf(path, sizeof path, "/i%u.nrrd", number);
	assert_int_equal(rs_volume_write(world, path, &volume, &err), RS_OK);
	snprintf(path, sizeof path, "/m%u.nrrd", number);
	assert_int_equal(rs_mask_write(world, path, &mask, &err), RS_OK);
}

#define CASES 5

/* A disk with five cases and their table. */
static void cases_write(const struct rs_world *world)
{
	struct rs_buffer table RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(&table, 4096);
	rs_buffer_append_text(&table, "Image,Mask\n");
	for (unsigned i = 0; i < CASES; i++) {
		case_write(world, i);
		rs_buffer_printf(&table, "i%u.nrrd,m%u.nrrd\n", i, i);
	}
	assert_int_equal(rs_file_replace(world, "/cases.csv", rs_buffer_bytes(&table), 0644, &err), RS_OK);
}

struct seen {
	struct rs_buffer text; /* every cell of every row */
	size_t next, column_count, failed;
	enum rs_code worst; /* of failed cases */
};

static enum rs_code see_columns(void *context, const struct rs_cohort_column *columns, size_t count,
                                struct rs_error *err)
{
	struct seen *seen = context;
	(void)columns, (void)err;
	seen->column_count = count;
	return RS_OK;
}

static enum rs_code see_row(void *context, size_t index, const char *const *cells, struct rs_error *err)
{
	struct seen *seen = context;
	(void)err;
	assert_int_equal(index, seen->next);
	for (size_t i = 0; i < seen->column_count; i++)
		rs_buffer_append(&seen->text, cells[i], strlen(cells[i]) + 1);
	return RS_OK;
}

static void see_done(void *context, size_t index, const struct rs_error *failure, const char *notes)
{
	struct seen *seen = context;
	(void)notes;
	assert_int_equal(index, seen->next++);
	seen->failed += failure != NULL;
	if (failure != NULL)
		seen->worst = failure->code;
}

static enum rs_code measure(const struct rs_world *world, unsigned jobs, const char *journal,
                            struct seen *seen, struct rs_cohort_counts *counts, struct rs_error *err)
{
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	struct rs_radiomics_settings settings;
	const struct rs_cohort_sink sink = {seen, see_columns, see_row, see_done};
	const struct rs_cohort_job job = {
		.world = world, .settings = &settings, .version = "1", .jobs = jobs, .journal_path = journal};
	rs_radiomics_settings_default(&settings);
	seen->next = seen->failed = 0;
	rs_buffer_finish(&seen->text);
	rs_buffer_init(&seen->text, (size_t)1 << 24);
	RS_TRY(rs_cohort_read(world, "/cases.csv", &cohort, err));
	return rs_cohort_measure(&cohort, &job, &sink, counts, err);
}

static bool same(const struct seen *a, const struct seen *b)
{
	return rs_bytes_equal(rs_buffer_bytes(&a->text), rs_buffer_bytes(&b->text));
}

/* Every allocation fails once, and all after it: a sentence or a failed case, and afterwards the journal holds
 * nothing that is wrong. */
static void memory_runs_out(void **state)
{
	struct rs_sim *sim = NULL;
	struct seen whole = {.next = 0}, seen = {.next = 0};
	struct rs_cohort_counts counts;
	struct rs_error err = {0};
	size_t failures = 0;
	bool clean = false;
	(void)state;
	assert_int_equal(rs_sim_create(1, &sim, &err), RS_OK);
	const struct rs_world *world = rs_sim_world(sim);
	cases_write(world);
	assert_int_equal(measure(world, 1, NULL, &whole, &counts, &err), RS_OK);
	assert_int_equal(counts.measured, CASES);
	for (uint64_t k = 1; !clean; k = rs_memory_next(k)) {
		rs_memory_fail_at(k);
		enum rs_code code = measure(world, 1, "/journal", &seen, &counts, &err);
		uint64_t asked = rs_memory_fail_at(0);
		clean = asked < k;
		failures += !clean;
		assert_true(code == RS_OK || code == RS_NO_MEMORY);
		assert_true(clean ? code == RS_OK && seen.failed == 0 : true);
		assert_true(seen.failed == 0 || seen.worst == RS_NO_MEMORY);
		if (code == RS_OK && seen.failed == 0)
			assert_true(same(&seen, &whole));
		(void)world->files->remove(world->files, "/journal", NULL);
	}
	assert_true(failures > 100);
	rs_buffer_finish(&whole.text);
	rs_buffer_finish(&seen.text);
	rs_sim_destroy(sim);
}

static void threads_change_nothing_and_the_journal_resumes(void **state)
{
	struct rs_sim *sim = NULL;
	struct seen whole = {.next = 0}, seen = {.next = 0};
	struct rs_cohort_counts counts;
	struct rs_error err = {0};
	struct rs_buffer journal RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	assert_int_equal(rs_sim_create(1, &sim, &err), RS_OK);
	const struct rs_world *world = rs_sim_world(sim);
	cases_write(world);
	assert_int_equal(measure(world, 1, NULL, &whole, &counts, &err), RS_OK);
	for (unsigned jobs = 1; jobs < 9; jobs++) {
		assert_int_equal(measure(world, jobs, NULL, &seen, &counts, &err), RS_OK);
		assert_true(same(&seen, &whole));
	}
	assert_int_equal(measure(world, 2, "/journal", &seen, &counts, &err), RS_OK);
	assert_int_equal(rs_file_read_all(world, "/journal", (size_t)1 << 24, &journal, &err), RS_OK);
	/* Whatever the journal was cut down to, the table is the same; what was whole is not measured again. */
	size_t resumed = 0;
	for (size_t size = 0; size <= journal.size; size += size < 200 ? 1 : 97) {
		assert_int_equal(
			rs_file_replace(world, "/journal", rs_bytes_of(journal.data, size), 0600, &err),
			RS_OK);
		assert_int_equal(measure(world, 1, "/journal", &seen, &counts, &err), RS_OK);
		assert_true(same(&seen, &whole));
		assert_true(counts.resumed >= resumed && counts.measured == CASES);
		resumed = counts.resumed;
	}
	assert_int_equal(resumed, CASES - 1); /* the last step was short of the whole */
	rs_buffer_finish(&whole.text);
	rs_buffer_finish(&seen.text);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(threads_change_nothing_and_the_journal_resumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
