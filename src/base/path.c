/* Paths, whole files and times: what is built from the world's primitives. */
#include <stdio.h>
#include <string.h>

#include "base/base_world.h"

uint64_t rs_world_now_ms(const struct rs_world *world) { return world->clock->now_ms(world->clock); }

enum rs_code rs_world_random(const struct rs_world *world, void *out, size_t size, struct rs_error *err)
{
	return world->random->fill(world->random, out, size, err);
}

enum rs_code rs_file_open(const struct rs_world *world, const char *path, unsigned flags,
                          struct rs_file **out, struct rs_error *err)
{
	return world->files->open(world->files, path, flags, 0600, out, err);
}

enum rs_code rs_file_read_at(struct rs_file *file, uint64_t offset, void *out, size_t size, size_t *out_read,
                             struct rs_error *err)
{
	return file->files->read_at(file, offset, out, size, out_read, err);
}

enum rs_code rs_file_write_at(struct rs_file *file, uint64_t offset, const void *data, size_t size,
                              struct rs_error *err)
{
	return file->files->write_at(file, offset, data, size, err);
}

enum rs_code rs_file_size(struct rs_file *file, uint64_t *out_size, struct rs_error *err)
{
	return file->files->size(file, out_size, err);
}

enum rs_code rs_file_sync(struct rs_file *file, struct rs_error *err) { return file->files->sync(file, err); }

void rs_file_start_reading(struct rs_file *file, uint64_t offset, size_t size)
{
	if (file->files->start_reading)
		file->files->start_reading(file, offset, size);
}

void rs_file_start_writeback(struct rs_file *file)
{
	if (file->files->start_writeback)
		file->files->start_writeback(file);
}

void rs_file_close(struct rs_file *file)
{
	if (file)
		file->files->close(file);
}

void rs_file_close_pointer(struct rs_file **file) { rs_file_close(*file); }

static enum rs_code require_regular(const struct rs_world *world, const char *path, struct rs_error *err)
{
	struct rs_file_stat status;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	if (status.kind == RS_FILE_DIRECTORY)
		return rs_error_set(err, RS_USAGE, "%s: is a directory, a file is needed here", path);
	if (status.kind == RS_FILE_OTHER)
		return rs_error_set(err, RS_USAGE, "%s: is not a regular file", path);
	return RS_OK;
}

/* Reads to the end, whatever size was promised: the file may change while it is read. */
static enum rs_code read_into(struct rs_file *file, size_t size, struct rs_buffer *out, const char *path,
                              struct rs_error *err)
{
	for (;;) {
		size_t want = size > out->size ? size - out->size : 1, got = 0;
		if (rs_buffer_reserve(out, want) != RS_OK)
			return rs_buffer_check(out, path, err);
		RS_TRY(rs_file_read_at(file, out->size, out->data + out->size, want, &got, err));
		out->size += got;
		if (got < want)
			return RS_OK;
	}
}

enum rs_code rs_file_open_to_read(const struct rs_world *world, const char *path, size_t maximum,
                                  struct rs_file **out, uint64_t *out_size, struct rs_error *err)
{
	struct rs_file *file = NULL;
	uint64_t size = 0;
	RS_TRY(require_regular(world, path, err));
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ, &file, err));
	enum rs_code code = rs_file_size(file, &size, err);
	if (code == RS_OK && size > maximum)
		code = rs_error_set(err, RS_TOO_LARGE, "%s: has %llu bytes, at most %zu are read here", path,
		                    (unsigned long long)size, maximum);
	if (code != RS_OK) {
		rs_file_close(file);
		return code;
	}
	*out = file;
	*out_size = size;
	return RS_OK;
}

enum rs_code rs_file_read_all(const struct rs_world *world, const char *path, size_t maximum,
                              struct rs_buffer *out, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint64_t size;
	RS_TRY(rs_file_open_to_read(world, path, maximum, &file, &size, err));
	/* One byte more than the maximum, so that the end can be seen. */
	size_t room = maximum < SIZE_MAX ? maximum + 1 : maximum;
	struct rs_buffer content;
	rs_buffer_init(&content, room);
	enum rs_code code = read_into(file, (size_t)size + 1, &content, path, err);
	if (code == RS_OK && content.size > maximum)
		code = rs_error_set(err, RS_TOO_LARGE, "%s: grew past %zu bytes while being read", path,
		                    maximum);
	if (code != RS_OK) {
		rs_buffer_finish(&content);
		return code;
	}
	*out = content;
	return RS_OK;
}

static enum rs_code write_new(const struct rs_world *world, const char *path, struct rs_bytes content,
                              unsigned mode, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	RS_TRY(world->files->open(world->files, path, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE,
	                          mode, &file, err));
	RS_TRY(rs_file_write_at(file, 0, content.data, content.size, err));
	return rs_file_sync(file, err);
}

enum rs_code rs_file_replace(const struct rs_world *world, const char *path, struct rs_bytes content,
                             unsigned mode, struct rs_error *err)
{
	uint8_t nonce[8];
	char suffix[17];
	RS_TRY(rs_world_random(world, nonce, sizeof nonce, err));
	rs_hex_encode(rs_bytes_of(nonce, sizeof nonce), suffix);
	char *temporary RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s.%s.tmp", path, suffix);
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (!temporary || !directory)
		return rs_error_memory(err, strlen(path), "a path");
	enum rs_code code = write_new(world, temporary, content, mode, err);
	if (code == RS_OK)
		code = world->files->rename(world->files, temporary, path, err);
	if (code != RS_OK) {
		(void)world->files->remove(world->files, temporary, NULL);
		return code;
	}
	return world->files->sync_directory(world->files, directory, err);
}

struct cleaning {
	const struct rs_world *world;
	const char *directory;
};

/* "<name>.<16 hexadecimal digits>.tmp" */
static bool is_temporary(struct rs_str name)
{
	uint8_t nonce[8];
	return name.size > 21 && memcmp(name.data + name.size - 4, ".tmp", 4) == 0 &&
	       name.data[name.size - 21] == '.' &&
	       rs_hex_decode((struct rs_str){name.data + name.size - 20, 16}, nonce, sizeof nonce);
}

static enum rs_code clean_one(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	const struct cleaning *cleaning = context;
	if (kind != RS_FILE_REGULAR || !is_temporary(name))
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, cleaning->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	return cleaning->world->files->remove(cleaning->world->files, path, err);
}

enum rs_code rs_replaced_clean(const struct rs_world *world, const char *directory, struct rs_error *err)
{
	struct cleaning cleaning = {world, directory};
	if (!rs_path_exists(world, directory))
		return RS_OK;
	return world->files->list(world->files, directory, clean_one, &cleaning, err);
}

static enum rs_code make_one(const struct rs_world *world, const char *path, struct rs_error *err)
{
	char *parent RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	bool existed = rs_path_exists(world, path);
	struct rs_error reason = {0};
	if (!parent)
		return rs_error_memory(err, strlen(path), "a path");
	if (!existed) {
		enum rs_code code = world->files->make_directory(world->files, path, 0700, err);
		existed = code == RS_EXISTS;
		if (!existed)
			RS_TRY(code);
	}
	enum rs_code code = world->files->sync_directory(world->files, parent, &reason);
	/* Where we may not read we did not make anything either: /home, say, of a system that hides its users. */
	if (code == RS_OK || (existed && code == RS_DENIED))
		return RS_OK;
	return rs_error_set(err, code, "%s", reason.message);
}

enum rs_code rs_directory_make(const struct rs_world *world, const char *path, struct rs_error *err)
{
	char *copy RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(rs_str_from(path));
	if (!copy)
		return rs_error_memory(err, strlen(path), "a path");
	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		RS_TRY(make_one(world, copy, err));
		*p = '/';
	}
	return make_one(world, copy, err);
}

bool rs_path_exists(const struct rs_world *world, const char *path)
{
	struct rs_file_stat status;
	return world->files->stat(world->files, path, &status, NULL) == RS_OK;
}

char *rs_path_join(const char *directory, const char *name)
{
	size_t size = strlen(directory);
	const char *separator = size && directory[size - 1] == '/' ? "" : "/";
	return rs_text_printf("%s%s%s", directory, separator, name);
}

const char *rs_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

char *rs_path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return rs_str_duplicate(RS_STR("."));
	size_t size = slash == path ? 1 : (size_t)(slash - path);
	return rs_str_duplicate((struct rs_str){path, size});
}

/* Civil date of a day number (days since 1970-01-01), proleptic Gregorian calendar. */
static void civil_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468; /* days since 0000-03-01 */
	uint64_t era = shifted / 146097, of_era = shifted % 146097;
	uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t shifted_month = (5 * of_year + 2) / 153;
	*day = (unsigned)(of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

void rs_format_time_ms(uint64_t time_ms, char out[static RS_TIME_TEXT_SIZE])
{
	/* 9999-12-31T23:59:59.999Z is the last time RFC 3339 can write. */
	const uint64_t last = UINT64_C(253402300799999);
	if (time_ms > last)
		time_ms = last;
	unsigned year, month, day;
	uint64_t seconds = time_ms / 1000;
	civil_of_days(seconds / 86400, &year, &month, &day);
	unsigned of_day = (unsigned)(seconds % 86400);
	snprintf(out, RS_TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000, month % 100,
	         day % 100, of_day / 3600 % 24, of_day / 60 % 60, of_day % 60, (unsigned)(time_ms % 1000));
}

/* A number of `digits` digits with `after` behind it, or at the end of the text when `after` is 0. */
static bool take_number(struct rs_str *text, size_t digits, char after, unsigned *out)
{
	uint64_t value;
	if (text->size < digits || !rs_parse_u64((struct rs_str){text->data, digits}, &value) ||
	    (after ? text->size == digits || text->data[digits] != after : text->size != digits))
		return false;
	*out = (unsigned)value;
	size_t used = digits + (after != 0);
	*text = (struct rs_str){text->data + used, text->size - used};
	return true;
}

static bool take_time_of_day(struct rs_str text, uint64_t *out_ms)
{
	unsigned hour, minute, second, ms = 0;
	bool fraction = text.size > 8 && text.data[8] == '.';
	if (!take_number(&text, 2, ':', &hour) || !take_number(&text, 2, ':', &minute) ||
	    !take_number(&text, 2, fraction ? '.' : 'Z', &second) ||
	    (fraction && !take_number(&text, 3, 'Z', &ms)) || text.size || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	*out_ms = ((uint64_t)hour * 3600 + (uint64_t)minute * 60 + second) * 1000 + ms;
	return true;
}

bool rs_parse_time_ms(struct rs_str text, uint64_t *out)
{
	unsigned year, month, day, real_year, real_month, real_day;
	bool whole_day = text.size == 10;
	uint64_t of_day = 0;
	if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
	    !take_number(&text, 2, whole_day ? 0 : 'T', &day) ||
	    (!whole_day && !take_time_of_day(text, &of_day)) || year < 1970 || month < 1 || month > 12)
		return false;
	/* Days from 1970-01-01 to the day, counted from the first of March: leap days come last. */
	uint64_t shifted_year = month <= 2 ? year - 1 : year, era = shifted_year / 400;
	uint64_t of_era = shifted_year % 400, shifted_month = month > 2 ? month - 3 : month + 9;
	uint64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	                (153 * shifted_month + 2) / 5 + day - 719469;
	civil_of_days(days, &real_year, &real_month, &real_day);
	if (day < 1 || real_month != month || real_day != day) /* the 30th of February */
		return false;
	*out = days * 86400000 + of_day;
	return true;
}
