/* Memory ends at the k-th request, for k by rs_memory_next(), while a log is replayed and an answer written: it says so, and
 * the next one finds everything. SQLite's requests count, too. */
#include "audit/audit_write.h"
#include "store/store_memory.h"
#include "story.h"

#define REQUESTS_MAX 100000
#define ENTRIES 27
#define LINES 3 /* about the second subject: a registration, features of another one's image, broken glass */

struct told {
	struct rs_audit_writer *writer;
	uint64_t lines;
};

static enum rs_code drop(void *context RS_UNUSED, struct rs_bytes piece RS_UNUSED,
                         struct rs_error *err RS_UNUSED)
{
	return RS_OK;
}

static enum rs_code pass_on(void *context, const struct rs_audit_line *line, struct rs_error *err)
{
	struct told *told = context;
	told->lines++;
	return rs_audit_writer_line(told->writer, line, err);
}

static enum rs_code write_answer(struct rs_audit *audit, enum rs_audit_format format, uint64_t *out_lines,
                                 struct rs_error *err)
{
	const struct rs_audit_question question = {
		.about = RS_AUDIT_SUBJECT, .id = named('p', 2), .now_ms = START + 30 * DAY};
	const struct rs_audit_heading heading = {
		.question = "a subject",
		.checkpoint = {.origin = "radseal.local/story", .size = ENTRIES},
		.request = RS_AUDIT_NO_ENTRY};
	struct told told = {.lines = 0};
	RS_TRY(rs_audit_writer_create(&heading, format, drop, NULL, &told.writer, err));
	enum rs_code code = rs_audit_ask(audit, &question, pass_on, &told, err);
	if (code == RS_OK)
		code = rs_audit_writer_end(told.writer, err);
	rs_audit_writer_destroy(told.writer);
	*out_lines = told.lines;
	return code;
}

/* All of it: a new file or the one that is there, replayed, and an answer. */
static enum rs_code audit_everything(struct fixture *f, struct rs_error *err)
{
	struct rs_audit *audit RS_CLEANUP(rs_audit_close_pointer) = NULL;
	uint64_t lines;
	RS_TRY(rs_audit_open(rs_sim_world(f->sim), PATH, &f->engine, RS_AUDIT_WRITE, &audit, err));
	RS_TRY(rs_audit_update(audit, NULL, NULL, err));
	RS_TRY(write_answer(audit, RS_AUDIT_FHIR, &lines, err));
	assert_int_equal(lines, LINES);
	return RS_OK;
}

static void no_fault(void *context RS_UNUSED, const char *sentence) { fail_msg("%s", sentence); }

static void assert_whole(struct fixture *f)
{
	struct rs_error err = {0};
	if (audit_everything(f, &err) != RS_OK)
		fail_msg("%s", err.message);
	open_audit(f);
	if (rs_audit_check(f->audit, no_fault, NULL, &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_audit_close(f->audit);
	f->audit = NULL;
}

static void remove_file(struct fixture *f)
{
	static const char *const names[] = {PATH, PATH "-wal", PATH "-shm"};
	const struct rs_files *files = rs_sim_world(f->sim)->files;
	for (size_t i = 0; i < RS_COUNT(names); i++)
		(void)files->remove(files, names[i], NULL);
}

static void every_request_may_fail(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	rs_audit_close(f.audit);
	f.audit = NULL;
	for (uint64_t k = 1; k < REQUESTS_MAX; k = rs_memory_next(k)) {
		struct rs_error err = {0};
		remove_file(&f);
		rs_memory_fail_at(k);
		enum rs_code code = audit_everything(&f, &err);
		uint64_t asked = rs_memory_fail_at(0);
		if (code != RS_OK && (code != RS_NO_MEMORY || !strstr(err.message, "memory")))
			fail_msg("request %llu: %s: %s", (unsigned long long)k, rs_code_name(code),
			         err.message);
		assert_whole(&f);
		if (code == RS_OK) {
			print_message("# %llu requests\n", (unsigned long long)asked);
			finish(&f);
			return;
		}
	}
	fail_msg("it never succeeds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_request_may_fail)};
	if (!store_memory_from_base() || rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests_name("audit/memory", tests, NULL, NULL);
}
