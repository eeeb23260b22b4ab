/* The operating system as a world: POSIX clock, getrandom(), files. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT, sync_file_range */
#endif
#include "base/base_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define DIRECT_MIN ((size_t)64 * 1024) /* bytes; less is copied sooner than written */

struct system_file {
	struct rs_file file;
	int descriptor;
	bool uncached; /* as asked for, until the system turns out not to do it */
	bool direct;   /* the descriptor's state */
	char path[];
};

static const struct rs_files system_files;

static struct system_file *self(struct rs_file *file) { return (struct system_file *)file; }

static uint64_t system_now_ms(const struct rs_clock *clock RS_UNUSED)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t system_monotonic_ns(const struct rs_clock *clock RS_UNUSED)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum rs_code system_fill(const struct rs_random *random RS_UNUSED, void *out, size_t size,
                                struct rs_error *err)
{
	uint8_t *p = out;
	while (size) {
		ssize_t got = getrandom(p, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return rs_error_errno(err, errno, "the system gives no random numbers");
		p += got;
		size -= (size_t)got;
	}
	return RS_OK;
}

static enum rs_code system_open(const struct rs_files *files RS_UNUSED, const char *path, unsigned flags,
                                unsigned mode, struct rs_file **out, struct rs_error *err)
{
	bool read = flags & RS_OPEN_READ, write = flags & RS_OPEN_WRITE;
	/* O_NONBLOCK: opening a pipe by mistake must not hang; regular files do not notice. */
	int how = (write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (flags & RS_OPEN_CREATE)
		how |= O_CREAT;
	if (flags & RS_OPEN_EXCLUSIVE)
		how |= O_EXCL;
	if (flags & RS_OPEN_TRUNCATE)
		how |= O_TRUNC;
	size_t length = strlen(path) + 1;
	struct system_file *file = rs_allocate(sizeof *file + length);
	if (!file)
		return rs_error_memory(err, sizeof *file + length, "an open file");
	file->file.files = &system_files;
	file->uncached = flags & RS_OPEN_UNCACHED;
	memcpy(file->path, path, length);
	file->descriptor = open(path, how, (mode_t)mode);
	if (file->descriptor < 0) {
		int reason = errno;
		rs_free(file);
		return rs_error_errno(err, reason, "%s: cannot be opened", path);
	}
	*out = &file->file;
	return RS_OK;
}

/* O_DIRECT is a flag that can be set while a file is open, on file systems that know it. */
static void set_direct(struct system_file *file, bool direct)
{
	if (file->direct == direct)
		return;
	int flags = fcntl(file->descriptor, F_GETFL);
	if (flags >= 0 &&
	    fcntl(file->descriptor, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0)
		file->direct = direct;
	else
		file->uncached = false;
}

/* As pwrite(). What is aligned goes past the cache when that is wished for. */
static ssize_t put_some(struct system_file *file, uint64_t offset, const uint8_t *data, size_t size)
{
	const size_t mask = RS_UNCACHED_ALIGNMENT - 1;
	size_t whole = size & ~mask;
	bool fits = file->uncached && whole >= DIRECT_MIN && !(offset & mask) && !((uintptr_t)data & mask);
	set_direct(file, fits);
	if (fits && file->direct) {
		ssize_t put = pwrite(file->descriptor, data, whole, (off_t)offset);
		if (put >= 0 || errno != EINVAL)
			return put;
		file->uncached = false; /* the disk wants another alignment */
		set_direct(file, false);
	}
	return pwrite(file->descriptor, data, size, (off_t)offset);
}

static enum rs_code system_read_at(struct rs_file *file, uint64_t offset, void *out, size_t size,
                                   size_t *out_read, struct rs_error *err)
{
	uint8_t *p = out;
	size_t done = 0;
	set_direct(self(file), false);
	while (done < size) {
		ssize_t got = pread(self(file)->descriptor, p + done, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rs_error_errno(err, errno, "%s: cannot be read", self(file)->path);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*out_read = done;
	return RS_OK;
}

static enum rs_code system_write_at(struct rs_file *file, uint64_t offset, const void *data, size_t size,
                                    struct rs_error *err)
{
	const uint8_t *p = data;
	size_t done = 0;
	while (done < size) {
		ssize_t put = put_some(self(file), offset + done, p + done, size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return rs_error_errno(err, errno, "%s: cannot be written", self(file)->path);
		done += (size_t)put;
	}
	return RS_OK;
}

static enum rs_code system_size(struct rs_file *file, uint64_t *out_size, struct rs_error *err)
{
	struct stat status;
	if (fstat(self(file)->descriptor, &status) != 0)
		return rs_error_errno(err, errno, "%s: its size cannot be read", self(file)->path);
	*out_size = (uint64_t)status.st_size;
	return RS_OK;
}

static enum rs_code system_truncate(struct rs_file *file, uint64_t size, struct rs_error *err)
{
	if (ftruncate(self(file)->descriptor, (off_t)size) != 0)
		return rs_error_errno(err, errno, "%s: cannot be cut to %llu bytes", self(file)->path,
		                      (unsigned long long)size);
	return RS_OK;
}

static enum rs_code system_sync(struct rs_file *file, struct rs_error *err)
{
	if (fsync(self(file)->descriptor) != 0)
		return rs_error_errno(err, errno, "%s: cannot be made durable", self(file)->path);
	return RS_OK;
}

static void system_start_writeback(struct rs_file *file)
{
	/* The whole file. Failures come back from fsync(). */
	(void)sync_file_range(self(file)->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void system_start_reading(struct rs_file *file, uint64_t offset, size_t size)
{
	(void)posix_fadvise(self(file)->descriptor, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
}

static enum rs_code system_lock(struct rs_file *file, bool exclusive, struct rs_error *err)
{
	if (flock(self(file)->descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return RS_OK;
	if (errno == EWOULDBLOCK)
		return rs_error_set(err, RS_BUSY, "%s: another process holds it; wait for it or stop it",
		                    self(file)->path);
	return rs_error_errno(err, errno, "%s: cannot be locked", self(file)->path);
}

static void system_close(struct rs_file *file)
{
	if (!file)
		return;
	close(self(file)->descriptor);
	rs_free(file);
}

static enum rs_code system_rename(const struct rs_files *files RS_UNUSED, const char *from, const char *to,
                                  struct rs_error *err)
{
	if (rename(from, to) != 0)
		return rs_error_errno(err, errno, "%s: cannot be renamed to %s", from, to);
	return RS_OK;
}

static enum rs_code system_remove(const struct rs_files *files RS_UNUSED, const char *path,
                                  struct rs_error *err)
{
	if (unlink(path) != 0)
		return rs_error_errno(err, errno, "%s: cannot be removed", path);
	return RS_OK;
}

static enum rs_code system_make_directory(const struct rs_files *files RS_UNUSED, const char *path,
                                          unsigned mode, struct rs_error *err)
{
	if (mkdir(path, (mode_t)mode) != 0)
		return rs_error_errno(err, errno, "%s: the directory cannot be made", path);
	return RS_OK;
}

static enum rs_code system_remove_directory(const struct rs_files *files RS_UNUSED, const char *path,
                                            struct rs_error *err)
{
	if (rmdir(path) != 0)
		return rs_error_errno(err, errno, "%s: the directory cannot be removed", path);
	return RS_OK;
}

static enum rs_code system_sync_directory(const struct rs_files *files RS_UNUSED, const char *path,
                                          struct rs_error *err)
{
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return rs_error_errno(err, errno, "%s: the directory cannot be opened", path);
	int result = fsync(descriptor), reason = errno;
	close(descriptor);
	if (result != 0)
		return rs_error_errno(err, reason, "%s: the directory cannot be made durable", path);
	return RS_OK;
}

static enum rs_code system_stat(const struct rs_files *files RS_UNUSED, const char *path,
                                struct rs_file_stat *out, struct rs_error *err)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return rs_error_errno(err, errno, "%s", path);
	out->kind = S_ISREG(status.st_mode)   ? RS_FILE_REGULAR
	            : S_ISDIR(status.st_mode) ? RS_FILE_DIRECTORY
	                                      : RS_FILE_OTHER;
	out->size = (uint64_t)status.st_size;
	out->mode = status.st_mode & 07777;
	out->modified_ns = (uint64_t)status.st_mtim.tv_sec * 1000000000U + (uint64_t)status.st_mtim.tv_nsec;
	return RS_OK;
}

static int without_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum rs_file_kind kind_of(const char *directory, const char *name)
{
	char *path = rs_path_join(directory, name);
	struct rs_file_stat status = {.kind = RS_FILE_OTHER};
	if (path)
		(void)system_stat(&system_files, path, &status, NULL);
	rs_free(path);
	return status.kind;
}

static enum rs_code system_list(const struct rs_files *files RS_UNUSED, const char *path,
                                rs_list_visit *visit, void *context, struct rs_error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, without_dots, by_bytes);
	if (count < 0)
		return rs_error_errno(err, errno, "%s: the directory cannot be listed", path);
	enum rs_code code = RS_OK;
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		if (code == RS_OK)
			code = visit(context, rs_str_from(name), kind_of(path, name), err);
		free(entries[i]);
	}
	free(entries);
	return code;
}

static enum rs_code system_free_space(const struct rs_files *files RS_UNUSED, const char *path, uint64_t *out,
                                      struct rs_error *err)
{
	struct statvfs status;
	if (statvfs(path, &status) != 0)
		return rs_error_errno(err, errno, "%s: its disk cannot be asked for its free space", path);
	*out = (uint64_t)status.f_bavail * status.f_frsize;
	return RS_OK;
}

static const struct rs_files system_files = {
	.open = system_open,
	.read_at = system_read_at,
	.write_at = system_write_at,
	.size = system_size,
	.truncate = system_truncate,
	.sync = system_sync,
	.start_writeback = system_start_writeback,
	.start_reading = system_start_reading,
	.lock = system_lock,
	.close = system_close,
	.rename = system_rename,
	.remove = system_remove,
	.make_directory = system_make_directory,
	.remove_directory = system_remove_directory,
	.sync_directory = system_sync_directory,
	.stat = system_stat,
	.list = system_list,
	.free_space = system_free_space,
};

const struct rs_world *rs_world_system(void)
{
	static const struct rs_clock clock = {system_now_ms, system_monotonic_ns};
	static const struct rs_random random = {system_fill};
	static const struct rs_world world = {&clock, &random, &system_files};
	return &world;
}

bool rs_world_is_system(const struct rs_world *world) { return world->files == &system_files; }
