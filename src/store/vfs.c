/* An SQLite VFS over struct rs_files: what lets a simulated disk see every write, sync and
 * rename of the database. It has no shared memory and its locks do nothing, so the store uses
 * it in exclusive mode only, where SQLite keeps the index of its log on the heap. */
#include <stdio.h>
#include <string.h>

#include "store/store_private.h"

#define PATH_SIZE_MAX 4096

struct world_file {
	sqlite3_file base;
	const struct rs_world *world;
	struct rs_file *file;
	const char *path; /* SQLite keeps it valid until xClose */
	bool directory_unsynced;
};

static int result_of(enum rs_code code, int otherwise)
{
	switch (code) {
	case RS_OK: return SQLITE_OK;
	case RS_NO_SPACE: return SQLITE_FULL;
	case RS_NO_MEMORY: return SQLITE_NOMEM;
	case RS_BUSY: return SQLITE_BUSY;
	default: return otherwise;
	}
}

static enum rs_code sync_directory_of(const struct rs_world *world, const char *path)
{
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (directory == NULL)
		return RS_NO_MEMORY;
	return world->files->sync_directory(world->files, directory, NULL);
}

static int file_close(sqlite3_file *base)
{
	struct world_file *self = (struct world_file *)base;
	rs_file_close(self->file);
	self->file = NULL;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
	struct world_file *self = (struct world_file *)base;
	size_t read = 0;
	enum rs_code code = rs_file_read_at(self->file, (uint64_t)offset, out, (size_t)size, &read, NULL);
	if (code != RS_OK)
		return result_of(code, SQLITE_IOERR_READ);
	if (read == (size_t)size)
		return SQLITE_OK;
	/* SQLite's contract: what is missing reads as zeros. */
	memset((char *)out + read, 0, (size_t)size - read);
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
	struct world_file *self = (struct world_file *)base;
	return result_of(rs_file_write_at(self->file, (uint64_t)offset, data, (size_t)size, NULL),
	                 SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct world_file *self = (struct world_file *)base;
	return result_of(self->file->files->truncate(self->file, (uint64_t)size, NULL),
	                 SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
	struct world_file *self = (struct world_file *)base;
	enum rs_code code = rs_file_sync(self->file, NULL);
	(void)flags;
	/* A new file's content is worth nothing while its name can be lost. */
	if (code == RS_OK && self->directory_unsynced) {
		code = sync_directory_of(self->world, self->path);
		self->directory_unsynced = code != RS_OK;
	}
	return result_of(code, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out)
{
	struct world_file *self = (struct world_file *)base;
	uint64_t size = 0;
	enum rs_code code = rs_file_size(self->file, &size, NULL);
	if (code == RS_OK)
		*out = (sqlite3_int64)size;
	return result_of(code, SQLITE_IOERR_FSTAT);
}

static int file_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int file_check_reserved_lock(sqlite3_file *base, int *out)
{
	(void)base;
	*out = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

/* These two answer as SQLite's own VFS for Unix does, so that the crash tests walk the paths of the real program. */
static int file_sector_size(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int file_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_lock,
	.xCheckReservedLock = file_check_reserved_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

static const struct rs_world *world_of(sqlite3_vfs *base) { return ((struct rs_store_vfs *)base)->world; }

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
	struct world_file *self = (struct world_file *)file;
	unsigned open_flags = RS_OPEN_READ;
	enum rs_code code;

	*self = (struct world_file){.world = world_of(base), .path = path};
	if (path == NULL) /* a temporary file: the store keeps those in memory */
		return SQLITE_CANTOPEN;
	if ((flags & SQLITE_OPEN_READWRITE) != 0)
		open_flags |= RS_OPEN_WRITE;
	if ((flags & SQLITE_OPEN_CREATE) != 0)
		open_flags |= RS_OPEN_CREATE;
	if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0)
		open_flags |= RS_OPEN_EXCLUSIVE;
	code = rs_file_open(self->world, path, open_flags, &self->file, NULL);
	if (code != RS_OK)
		return result_of(code, SQLITE_CANTOPEN);
	self->directory_unsynced = (flags & SQLITE_OPEN_CREATE) != 0;
	self->base.pMethods = &file_methods;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
	const struct rs_world *world = world_of(base);
	enum rs_code code = world->files->remove(world->files, path, NULL);
	if (code == RS_NOT_FOUND)
		return SQLITE_IOERR_DELETE_NOENT;
	if (code == RS_OK && sync_directory)
		code = sync_directory_of(world, path);
	return result_of(code, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out)
{
	const struct rs_world *world = world_of(base);
	struct rs_file_stat stat = {0};
	(void)flags;
	/* As in SQLite's own VFS for Unix, an empty file counts as none. */
	*out = world->files->stat(world->files, path, &stat, NULL) == RS_OK && stat.size > 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int out_size, char *out)
{
	size_t size = strlen(path) + 1;
	(void)base;
	if (size > (size_t)out_size)
		return SQLITE_CANTOPEN;
	memcpy(out, path, size);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int size, char *out)
{
	return rs_world_random(world_of(base), out, (size_t)size, NULL) == RS_OK ? size : 0;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
	(void)base;
	return microseconds; /* simulated time moves when the test says so */
}

static int vfs_time_ms(sqlite3_vfs *base, sqlite3_int64 *out)
{
	/* SQLite counts from noon, 24 November 4714 BC (Julian day 0); 1970 began at day 2440587.5. */
	*out = (sqlite3_int64)(rs_world_now_ms(world_of(base)) + UINT64_C(210866760000000));
	return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *base, double *out)
{
	sqlite3_int64 ms = 0;
	vfs_time_ms(base, &ms);
	*out = (double)ms / 86400000.0;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int size, char *out)
{
	(void)base;
	if (size > 0)
		out[0] = '\0';
	return 0;
}

enum rs_code rs_store_vfs_register(struct rs_store_vfs *vfs, const struct rs_world *world,
                                   struct rs_error *err)
{
	vfs->world = world;
	(void)snprintf(vfs->name, sizeof(vfs->name), "radseal-%p", (void *)vfs);
	vfs->base = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = (int)sizeof(struct world_file),
		.mxPathname = PATH_SIZE_MAX,
		.zName = vfs->name,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_time_ms,
	};
	if (sqlite3_vfs_register(&vfs->base, 0) !=
	    SQLITE_OK) /* SQLite itself begins here, for want of memory it does not */
		return rs_error_memory(err, sizeof *vfs, "SQLite's files");
	vfs->registered = true;
	return RS_OK;
}

void rs_store_vfs_unregister(struct rs_store_vfs *vfs)
{
	if (vfs->registered)
		sqlite3_vfs_unregister(&vfs->base);
	vfs->registered = false;
}
