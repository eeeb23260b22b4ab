/* The operating system as a world, on real files in a temporary directory. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

static char root[] = "/tmp/radseal_world_XXXXXX";
static const struct rs_world *world;

/* A path below the temporary directory; four of them are valid at a time. */
static const char *at(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(rs_file_replace(world, at(name), rs_bytes_of_str(rs_str_from(text)), 0600, NULL),
	                 RS_OK);
}

static void assert_content(const char *name, const char *text)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	assert_int_equal(rs_file_read_all(world, at(name), 1000, &content, NULL), RS_OK);
	assert_true(rs_str_equal_text(rs_buffer_str(&content), text));
}

static void reads_and_writes_at_offsets(void **state)
{
	struct rs_file *file = NULL;
	const unsigned flags = RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE;
	char out[16] = "";
	size_t read;
	uint64_t size;
	struct stat status;
	(void)state;
	assert_int_equal(rs_file_open(world, at("a"), flags, &file, NULL), RS_OK);
	assert_int_equal(rs_file_write_at(file, 6, "world", 5, NULL), RS_OK);
	assert_int_equal(rs_file_write_at(file, 0, "hello ", 6, NULL), RS_OK);
	assert_int_equal(rs_file_read_at(file, 4, out, 16, &read, NULL), RS_OK);
	assert_int_equal(read, 7);
	assert_string_equal(out, "o world");
	assert_int_equal(rs_file_read_at(file, 11, out, 16, &read, NULL), RS_OK);
	assert_int_equal(read, 0);
	assert_int_equal(rs_file_size(file, &size, NULL), RS_OK);
	assert_true(size == 11);
	assert_int_equal(file->files->truncate(file, 5, NULL), RS_OK);
	assert_int_equal(rs_file_sync(file, NULL), RS_OK);
	rs_file_close(file);
	rs_file_close(NULL);
	assert_content("a", "hello");
	assert_int_equal(stat(at("a"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

/* Pieces of every size, from aligned memory and not, at aligned offsets and not: the file is as with plain writes. */
static void uncached_writing_changes_nothing(void **state)
{
	static const size_t sizes[] = {200 * 1024, 4096, 70000, 1, 3 * 64 * 1024, 128 * 1024 + 17};
	const unsigned flags = RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_UNCACHED;
	size_t total = 0;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(sizes); i++)
		total += 2 * sizes[i];
	uint8_t *memory = rs_allocate(total + 2 * RS_UNCACHED_ALIGNMENT), *read = rs_allocate(total);
	for (size_t shift = 0; shift < 2; shift++) {
		struct rs_file *file = NULL;
		size_t past = (uintptr_t)memory % RS_UNCACHED_ALIGNMENT, done = 0, got;
		uint8_t *bytes = memory + (RS_UNCACHED_ALIGNMENT - past) + shift;
		for (size_t i = 0; i < total; i++)
			bytes[i] = (uint8_t)(i * 13 + i / 255 + shift);
		assert_int_equal(rs_file_open(world, at("uncached"), flags, &file, NULL), RS_OK);
		for (size_t i = 0; i < 2 * RS_COUNT(sizes); done += sizes[i++ % RS_COUNT(sizes)]) {
			assert_int_equal(
				rs_file_write_at(file, done, bytes + done, sizes[i % RS_COUNT(sizes)], NULL),
				RS_OK);
			rs_file_start_writeback(file);
		}
		assert_int_equal(done, total);
		assert_int_equal(rs_file_sync(file, NULL), RS_OK);
		assert_int_equal(rs_file_read_at(file, 0, read, total, &got, NULL), RS_OK);
		assert_int_equal(got, total);
		assert_memory_equal(read, bytes, total);
		/* The next one overwrites it at places of another alignment. */
		assert_int_equal(rs_file_write_at(file, 3, bytes, total - 3, NULL), RS_OK);
		assert_int_equal(rs_file_read_at(file, 3, read, total - 3, &got, NULL), RS_OK);
		assert_memory_equal(read, bytes, total - 3);
		rs_file_close(file);
	}
	rs_free(memory);
	rs_free(read);
}

static void opening(void **state)
{
	const struct rs_files *files = world->files;
	const unsigned create = RS_OPEN_WRITE | RS_OPEN_CREATE;
	struct rs_file *file = NULL;
	struct rs_error err = {0};
	struct rs_file_stat status;
	(void)state;
	assert_int_equal(rs_file_open(world, at("none"), RS_OPEN_READ, &file, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "/none: cannot be opened: "));
	assert_int_equal(rs_file_open(world, at("none/x"), create, &file, NULL), RS_NOT_FOUND);
	put("b", "content");
	assert_int_equal(rs_file_open(world, at("b"), create | RS_OPEN_EXCLUSIVE, &file, NULL), RS_EXISTS);
	assert_int_equal(rs_file_open(world, root, RS_OPEN_WRITE, &file, NULL), RS_IO);
	assert_null(file);
	assert_int_equal(rs_file_open(world, at("b"), create | RS_OPEN_TRUNCATE, &file, NULL), RS_OK);
	rs_file_close_pointer(&file);
	assert_content("b", "");
	assert_int_equal(files->open(files, at("c"), create, 0640, &file, NULL), RS_OK);
	rs_file_close(file);
	assert_int_equal(files->stat(files, at("c"), &status, NULL), RS_OK);
	assert_true(status.kind == RS_FILE_REGULAR && status.size == 0 && status.mode == 0640);
}

static void a_full_device_has_its_code(void **state)
{
	struct rs_file *file = NULL;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_file_open(world, "/dev/full", RS_OPEN_WRITE, &file, NULL), RS_OK);
	assert_int_equal(rs_file_write_at(file, 0, "x", 1, &err), RS_NO_SPACE);
	assert_non_null(strstr(err.message, "/dev/full: cannot be written: "));
	rs_file_close(file);
}

static void locks_conflict(void **state)
{
	const struct rs_files *files = world->files;
	struct rs_file *a = NULL, *b = NULL;
	struct rs_error err = {0};
	(void)state;
	put("lock", "");
	assert_int_equal(rs_file_open(world, at("lock"), RS_OPEN_READ, &a, NULL), RS_OK);
	assert_int_equal(rs_file_open(world, at("lock"), RS_OPEN_READ, &b, NULL), RS_OK);
	assert_int_equal(files->lock(a, true, NULL), RS_OK);
	assert_int_equal(files->lock(b, false, &err), RS_BUSY);
	assert_non_null(strstr(err.message, "/lock: another process holds it"));
	assert_int_equal(files->lock(a, false, NULL), RS_OK);
	assert_int_equal(files->lock(b, false, NULL), RS_OK);
	assert_int_equal(files->lock(b, true, NULL), RS_BUSY);
	rs_file_close(a);
	assert_int_equal(files->lock(b, true, NULL), RS_OK);
	rs_file_close(b);
}

struct seen {
	char text[256];
	unsigned stop_at;
};

static enum rs_code note(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);
	if (seen->stop_at && --seen->stop_at == 0)
		return rs_error_set(err, RS_CANCELLED, "enough");
	snprintf(seen->text + used, sizeof seen->text - used, "%.*s%s ", RS_STR_ARGUMENTS(name),
	         kind == RS_FILE_DIRECTORY ? "/"
	         : kind == RS_FILE_OTHER   ? "|"
	                                   : "");
	return RS_OK;
}

static void lists_in_order(void **state)
{
	const struct rs_files *files = world->files;
	struct seen seen = {"", 0};
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_directory_make(world, at("list/b"), NULL), RS_OK);
	put("list/a", "");
	put("list/Z", "");
	put("list/\xc3\xa9", "");
	put("list/.hidden", "");
	assert_int_equal(mkfifo(at("list/pipe"), 0600), 0);
	assert_int_equal(symlink("b", at("list/link")), 0);
	assert_int_equal(symlink("nowhere", at("list/loose")), 0);
	assert_int_equal(files->list(files, at("list"), note, &seen, NULL), RS_OK);
	assert_string_equal(seen.text, ".hidden Z a b/ link/ loose| pipe| \xc3\xa9 ");
	seen = (struct seen){"", 3};
	assert_int_equal(files->list(files, at("list"), note, &seen, &err), RS_CANCELLED);
	assert_string_equal(seen.text, ".hidden Z ");
	assert_int_equal(files->list(files, at("none"), note, &seen, NULL), RS_NOT_FOUND);
}

static void directories(void **state)
{
	const struct rs_files *files = world->files;
	struct rs_file_stat status;
	(void)state;
	assert_int_equal(rs_directory_make(world, at("x//y/z/"), NULL), RS_OK);
	assert_int_equal(rs_directory_make(world, at("x/y"), NULL), RS_OK);
	assert_int_equal(files->stat(files, at("x/y/z"), &status, NULL), RS_OK);
	assert_true(status.kind == RS_FILE_DIRECTORY && status.mode == 0700);
	assert_int_equal(files->make_directory(files, at("x"), 0700, NULL), RS_EXISTS);
	assert_int_equal(files->remove_directory(files, at("x"), NULL), RS_EXISTS);
	assert_int_equal(files->remove_directory(files, at("x/y/z"), NULL), RS_OK);
	assert_false(rs_path_exists(world, at("x/y/z")));
	assert_int_equal(files->sync_directory(files, at("x/y"), NULL), RS_OK);
	assert_int_equal(files->sync_directory(files, at("x/none"), NULL), RS_NOT_FOUND);
	put("x/f", "1");
	assert_int_equal(files->rename(files, at("x/f"), at("x/y/g"), NULL), RS_OK);
	assert_content("x/y/g", "1");
	assert_int_equal(files->rename(files, at("x/f"), at("x/h"), NULL), RS_NOT_FOUND);
	assert_int_equal(files->remove(files, at("x/y/g"), NULL), RS_OK);
	assert_int_equal(files->remove(files, at("x/y/g"), NULL), RS_NOT_FOUND);
	assert_int_equal(rs_directory_make(world, at("a/b"), NULL), RS_NOT_FOUND); /* a is a file */
}

static void reading_whole_files(void **state)
{
	struct rs_buffer content = {.size = 42};
	struct rs_error err = {0};
	(void)state;
	put("ten", "0123456789");
	assert_int_equal(rs_file_read_all(world, at("ten"), 9, &content, &err), RS_TOO_LARGE);
	assert_non_null(strstr(err.message, "/ten: has 10 bytes, at most 9 are read here"));
	assert_int_equal(rs_file_read_all(world, root, 100, &content, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "is a directory"));
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(rs_file_read_all(world, at("fifo"), 100, &content, &err), RS_USAGE); /* no hanging */
	assert_int_equal(rs_file_read_all(world, at("none"), 100, &content, NULL), RS_NOT_FOUND);
	assert_int_equal(content.size, 42);
	assert_int_equal(rs_file_read_all(world, at("ten"), 10, &content, NULL), RS_OK);
	assert_int_equal(content.size, 10);
	assert_memory_equal(content.data, "0123456789", 10);
	rs_buffer_finish(&content);
	put("empty", "");
	assert_int_equal(rs_file_read_all(world, at("empty"), 0, &content, NULL), RS_OK);
	assert_int_equal(content.size, 0);
	rs_buffer_finish(&content);
	/* Files of /proc say they have no bytes, and have some. */
	assert_int_equal(rs_file_read_all(world, "/proc/self/status", 100000, &content, NULL), RS_OK);
	assert_memory_equal(content.data, "Name:", 5);
	rs_buffer_finish(&content);
	assert_int_equal(rs_file_read_all(world, "/proc/self/status", 100, &content, &err), RS_TOO_LARGE);
}

static void replacing_leaves_no_traces(void **state)
{
	const struct rs_files *files = world->files;
	struct seen seen = {"", 0};
	struct rs_file_stat status;
	(void)state;
	assert_int_equal(rs_directory_make(world, at("r"), NULL), RS_OK);
	put("r/f", "one");
	assert_int_equal(rs_file_replace(world, at("r/f"), rs_bytes_of("two", 3), 0644, NULL), RS_OK);
	assert_content("r/f", "two");
	assert_int_equal(files->stat(files, at("r/f"), &status, NULL), RS_OK);
	assert_int_equal(status.mode, 0644);
	/* A directory stands where the file should go: refused, and the temporary file is gone. */
	assert_int_equal(rs_directory_make(world, at("r/d"), NULL), RS_OK);
	assert_int_not_equal(rs_file_replace(world, at("r/d"), rs_bytes_of("x", 1), 0600, NULL), RS_OK);
	assert_int_equal(rs_file_replace(world, at("none/f"), rs_bytes_of("x", 1), 0600, NULL), RS_NOT_FOUND);
	assert_int_equal(files->list(files, at("r"), note, &seen, NULL), RS_OK);
	assert_string_equal(seen.text, "d/ f ");
	/* A name without a directory part means the working directory. */
	assert_int_equal(chdir(at("r")), 0);
	assert_int_equal(rs_file_replace(world, "g", rs_bytes_of("x", 1), 0600, NULL), RS_OK);
	assert_int_equal(chdir("/"), 0);
	assert_content("r/g", "x");
}

static void what_an_interrupted_replacing_left_is_removed(void **state)
{
	static const char *const names[] = {"left/f", "left/f.0123456789abcdef.tmp", "left/f.tmp",
	                                    "left/f.0123456789abcdeg.tmp", "left/.0123456789abcdef.tmp"};
	struct seen seen = {"", 0};
	(void)state;
	assert_int_equal(rs_replaced_clean(world, at("left"), NULL), RS_OK);
	assert_int_equal(rs_directory_make(world, at("left/d.0123456789abcdef.tmp"), NULL), RS_OK);
	for (size_t i = 0; i < RS_COUNT(names); i++)
		put(names[i], "x");
	assert_int_equal(rs_replaced_clean(world, at("left"), NULL), RS_OK);
	assert_int_equal(world->files->list(world->files, at("left"), note, &seen, NULL), RS_OK);
	assert_string_equal(seen.text,
	                    ".0123456789abcdef.tmp d.0123456789abcdef.tmp/ f f.0123456789abcdeg.tmp f.tmp ");
}

/* Every allocation fails once: a code, no leak (the sanitisers look), and old or new content. */
static void no_memory_is_told(void **state)
{
	(void)state;
	for (uint64_t k = 1; k < 30; k++) {
		struct rs_buffer content = {0};
		put("poor", "old");
		rs_memory_fail_at(k);
		enum rs_code made = rs_directory_make(world, at("p/q"), NULL);
		enum rs_code replaced = rs_file_replace(world, at("poor"), rs_bytes_of("new", 3), 0600, NULL);
		enum rs_code read = rs_file_read_all(world, at("poor"), 10, &content, NULL);
		rs_memory_fail_at(0);
		rs_buffer_finish(&content);
		assert_true(made == RS_OK || made == RS_NO_MEMORY);
		assert_true(replaced == RS_OK || replaced == RS_NO_MEMORY);
		assert_true(read == RS_OK || read == RS_NO_MEMORY);
		struct rs_buffer after RS_CLEANUP(rs_buffer_finish) = {0};
		assert_int_equal(rs_file_read_all(world, at("poor"), 10, &after, NULL), RS_OK);
		bool is_new = rs_str_equal_text(rs_buffer_str(&after), "new");
		assert_true(is_new || (replaced != RS_OK && rs_str_equal_text(rs_buffer_str(&after), "old")));
		if (made == RS_OK && replaced == RS_OK && read == RS_OK)
			return;
	}
	fail_msg("more allocations than thought");
}

static void paths(void **state)
{
	static const char *const rows[][3] = {{"/a/b", "/a", "b"},
	                                      {"a", ".", "a"},
	                                      {"/a", "/", "a"},
	                                      {"a/b/c", "a/b", "c"},
	                                      {"a/", "a", ""}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(rows[i][0]);
		assert_string_equal(directory, rows[i][1]);
		assert_string_equal(rs_path_name(rows[i][0]), rows[i][2]);
	}
	char *a RS_CLEANUP(rs_free_pointer) = rs_path_join("a", "b");
	char *b RS_CLEANUP(rs_free_pointer) = rs_path_join("/", "b");
	assert_string_equal(a, "a/b");
	assert_string_equal(b, "/b");
}

/* Against the C library's calendar: every 20th day for centuries, then any moment. */
static void times_are_written(void **state)
{
	const uint64_t end = UINT64_C(253402300800000);
	uint64_t seed = 9;
	char text[RS_TIME_TEXT_SIZE], expected[64];
	(void)state;
	rs_format_time_ms(UINT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	for (uint64_t i = 0; i < 200000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint64_t ms = i < 140000 ? (i + 1) * 20 * 86400000 - i % 2 : (seed >> 11) % end;
		time_t seconds = (time_t)(ms / 1000);
		struct tm parts;
		assert_true(ms < end);
		assert_non_null(gmtime_r(&seconds, &parts));
		size_t size = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
		snprintf(expected + size, sizeof expected - size, ".%03uZ", (unsigned)(ms % 1000));
		rs_format_time_ms(ms, text);
		assert_string_equal(text, expected);
		uint64_t back = 0;
		assert_true(rs_parse_time_ms(rs_str_from(text), &back));
		assert_true(back == ms);
	}
}

static void times_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"1970-01-01", 0},
	            {"2000-02-29", UINT64_C(951782400000)},
	            {"2026-11-21T12:34:56Z", UINT64_C(1795264496000)},
	            {"9999-12-31T23:59:59.999Z", UINT64_C(253402300799999)}};
	static const char *const bad[] = {"",
	                                  "2026",
	                                  "1969-12-31",
	                                  "2026-02-29",
	                                  "2026-04-31",
	                                  "2026-13-01",
	                                  "2026-00-01",
	                                  "2026-01-00",
	                                  "2026-1-1",
	                                  "2026-11-21 ",
	                                  "2026-11-21T12:34Z",
	                                  "2026-11-21T24:00:00Z",
	                                  "2026-11-21T12:60:00Z",
	                                  "2026-11-21T12:00:60Z",
	                                  "2026-11-21T12:00:00",
	                                  "2026-11-21T12:00:00+01:00",
	                                  "+026-11-21",
	                                  "2026-11-21T12:00:00.1Z",
	                                  "2026-11-21T12:00:00.123",
	                                  "2026-11-21T12:00:00ZZ",
	                                  "20261-11-21"};
	for (size_t i = 0; i < RS_COUNT(good); i++) {
		uint64_t ms = 1;
		assert_true(rs_parse_time_ms(rs_str_from(good[i].text), &ms));
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < RS_COUNT(bad); i++) {
		uint64_t ms = 1;
		if (rs_parse_time_ms(rs_str_from(bad[i]), &ms))
			fail_msg("'%s' was taken", bad[i]);
		assert_true(ms == 1);
	}
}

static void clock_and_random(void **state)
{
	const struct rs_clock *clock = world->clock;
	uint8_t a[64] = {0}, b[64] = {0};
	(void)state;
	uint64_t before = (uint64_t)time(NULL), ns = clock->monotonic_ns(clock);
	uint64_t now = rs_world_now_ms(world) / 1000, after = (uint64_t)time(NULL);
	assert_true(now + 1 >= before && now <= after + 1);
	for (int i = 0; i < 1000; i++) {
		uint64_t next = clock->monotonic_ns(clock);
		assert_true(next >= ns);
		ns = next;
	}
	assert_int_equal(rs_world_random(world, a, sizeof a, NULL), RS_OK);
	assert_int_equal(rs_world_random(world, b, sizeof b, NULL), RS_OK);
	assert_memory_not_equal(a, b, sizeof a);
	assert_true(rs_world_is_system(world));
}

static int set_up(void **state)
{
	(void)state;
	world = rs_world_system();
	umask(022);
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_at_offsets),
		cmocka_unit_test(uncached_writing_changes_nothing),
		cmocka_unit_test(opening),
		cmocka_unit_test(a_full_device_has_its_code),
		cmocka_unit_test(locks_conflict),
		cmocka_unit_test(lists_in_order),
		cmocka_unit_test(directories),
		cmocka_unit_test(reading_whole_files),
		cmocka_unit_test(replacing_leaves_no_traces),
		cmocka_unit_test(what_an_interrupted_replacing_left_is_removed),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(paths),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(clock_and_random),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
