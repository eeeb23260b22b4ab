/* The outside world: clock, random numbers, files. It is passed in; nothing below floor 6
 * calls time(), rand() or open() itself. That is what makes simulation and crash tests
 * possible: base_sim.h has a world whose disk forgets what was not synced. */
#ifndef RS_BASE_WORLD_H
#define RS_BASE_WORLD_H

#include "base/base_buffer.h"

struct rs_clock {
	/* Milliseconds since 1970-01-01 UTC, without leap seconds. */
	uint64_t (*now_ms)(const struct rs_clock *clock);
	/* Never goes back; only differences mean something. */
	uint64_t (*monotonic_ns)(const struct rs_clock *clock);
};

struct rs_random {
	/* Fills out with unpredictable bytes; RS_IO when the system has none. */
	enum rs_code (*fill)(const struct rs_random *random, void *out, size_t size, struct rs_error *err);
};

enum rs_open_flags {
	RS_OPEN_READ = 1,
	RS_OPEN_WRITE = 2,     /* READ|WRITE for both */
	RS_OPEN_CREATE = 4,    /* made when missing */
	RS_OPEN_EXCLUSIVE = 8, /* with CREATE: RS_EXISTS when there */
	RS_OPEN_TRUNCATE = 16,
	/* A wish: what is written will not be read soon. Whole pieces of RS_UNCACHED_ALIGNMENT, from memory and at offsets
	 * aligned to it, then go to the disk without a copy in the system's cache, where the disk can do that. Changes
	 * nothing else. Such a file is written by one thread at a time. */
	RS_OPEN_UNCACHED = 32,
};
#define RS_UNCACHED_ALIGNMENT ((size_t)4096)

enum rs_file_kind { RS_FILE_REGULAR, RS_FILE_DIRECTORY, RS_FILE_OTHER };

struct rs_file_stat {
	enum rs_file_kind kind;
	uint64_t size;
	unsigned mode;        /* permission bits */
	uint64_t modified_ns; /* since 1970-01-01 UTC; 0 where the world keeps no times */
};

struct rs_files;
struct rs_file { /* first member of every implementation's struct */
	const struct rs_files *files;
};

/* Returning anything but RS_OK ends the listing with that code. */
typedef enum rs_code rs_list_visit(void *context, struct rs_str name, enum rs_file_kind kind,
                                   struct rs_error *err);

/* Errors name the path, never more of the content. All offsets and sizes in bytes. */
struct rs_files {
	enum rs_code (*open)(const struct rs_files *files, const char *path, unsigned flags, unsigned mode,
	                     struct rs_file **out, struct rs_error *err);
	/* Reads up to size bytes; *out_read < size only at the end of the file. */
	enum rs_code (*read_at)(struct rs_file *file, uint64_t offset, void *out, size_t size,
	                        size_t *out_read, struct rs_error *err);
	enum rs_code (*write_at)(struct rs_file *file, uint64_t offset, const void *data, size_t size,
	                         struct rs_error *err); /* all or an error */
	enum rs_code (*size)(struct rs_file *file, uint64_t *out_size, struct rs_error *err);
	enum rs_code (*truncate)(struct rs_file *file, uint64_t size, struct rs_error *err);
	enum rs_code (*sync)(struct rs_file *file, struct rs_error *err); /* content durable */
	/* The disk may begin to write what it was given, so that a sync later has less to wait for. Promises nothing. May be
	 * NULL. */
	void (*start_writeback)(struct rs_file *file);
	/* The disk may begin to read what will be asked for next. Promises nothing. May be NULL. */
	void (*start_reading)(struct rs_file *file, uint64_t offset, size_t size);
	/* Advisory, held until close; RS_BUSY when another process has it. */
	enum rs_code (*lock)(struct rs_file *file, bool exclusive, struct rs_error *err);
	void (*close)(struct rs_file *file); /* accepts NULL */
	enum rs_code (*rename)(const struct rs_files *files, const char *from, const char *to,
	                       struct rs_error *err); /* replaces `to` atomically */
	enum rs_code (*remove)(const struct rs_files *files, const char *path, struct rs_error *err);
	enum rs_code (*make_directory)(const struct rs_files *files, const char *path, unsigned mode,
	                               struct rs_error *err); /* RS_EXISTS when there */
	enum rs_code (*remove_directory)(const struct rs_files *files, const char *path,
	                                 struct rs_error *err); /* must be empty */
	enum rs_code (*sync_directory)(const struct rs_files *files, const char *path,
	                               struct rs_error *err); /* names in it durable */
	enum rs_code (*stat)(const struct rs_files *files, const char *path, struct rs_file_stat *out,
	                     struct rs_error *err); /* follows links */
	/* Every name but "." and "..", sorted bytewise. */
	enum rs_code (*list)(const struct rs_files *files, const char *path, rs_list_visit *visit,
	                     void *context, struct rs_error *err);
	/* Bytes that may still be written to the disk `path` is on. May be NULL: nobody knows. */
	enum rs_code (*free_space)(const struct rs_files *files, const char *path, uint64_t *out,
	                           struct rs_error *err);
};

struct rs_world {
	const struct rs_clock *clock;
	const struct rs_random *random;
	const struct rs_files *files;
};

/* The operating system's clock, getrandom() and POSIX files. Static storage. */
const struct rs_world *rs_world_system(void);
/* True when files are the operating system's (a library that opens files by itself may then do so). */
bool rs_world_is_system(const struct rs_world *world);

/* Shorthands. */
uint64_t rs_world_now_ms(const struct rs_world *world);
enum rs_code rs_world_random(const struct rs_world *world, void *out, size_t size, struct rs_error *err);
enum rs_code rs_file_open(const struct rs_world *world, const char *path, unsigned flags,
                          struct rs_file **out, struct rs_error *err); /* mode 0600 when created */
enum rs_code rs_file_read_at(struct rs_file *file, uint64_t offset, void *out, size_t size, size_t *out_read,
                             struct rs_error *err);
enum rs_code rs_file_write_at(struct rs_file *file, uint64_t offset, const void *data, size_t size,
                              struct rs_error *err);
enum rs_code rs_file_size(struct rs_file *file, uint64_t *out_size, struct rs_error *err);
enum rs_code rs_file_sync(struct rs_file *file, struct rs_error *err);
void rs_file_start_writeback(struct rs_file *file);
void rs_file_start_reading(struct rs_file *file, uint64_t offset, size_t size);
void rs_file_close(struct rs_file *file);          /* accepts NULL */
void rs_file_close_pointer(struct rs_file **file); /* for RS_CLEANUP */
/* A regular file of at most `maximum` bytes; others are refused as rs_file_read_all() does. */
enum rs_code rs_file_open_to_read(const struct rs_world *world, const char *path, size_t maximum,
                                  struct rs_file **out, uint64_t *out_size, struct rs_error *err);
/* The whole file into *out (init'ed by this function with `maximum`; finish it).
 * RS_TOO_LARGE when the file is larger; a directory is refused with a sentence. */
enum rs_code rs_file_read_all(const struct rs_world *world, const char *path, size_t maximum,
                              struct rs_buffer *out, struct rs_error *err);
/* Atomic and durable: temporary name, write, sync, rename, sync of the directory. */
enum rs_code rs_file_replace(const struct rs_world *world, const char *path, struct rs_bytes content,
                             unsigned mode, struct rs_error *err);
/* Removes what an rs_file_replace() that was interrupted left in the directory; RS_OK when there is no such directory.
 * Nobody may be replacing a file there. */
enum rs_code rs_replaced_clean(const struct rs_world *world, const char *directory, struct rs_error *err);
/* Makes the directory and its missing parents, mode 0700. All their names are durable when it returns RS_OK, those that
 * were there before too: an attempt that was interrupted may have made them. */
enum rs_code rs_directory_make(const struct rs_world *world, const char *path, struct rs_error *err);
bool rs_path_exists(const struct rs_world *world, const char *path);
/* "a/b" from "a" and "b"; new heap string, NULL without memory. */
char *rs_path_join(const char *directory, const char *name) RS_MUST_CHECK;
/* Last component; points into path. */
const char *rs_path_name(const char *path);
/* Directory part as a new heap string ("." when there is none); NULL without memory. */
char *rs_path_directory(const char *path) RS_MUST_CHECK;

/* "2026-11-21T03:04:05.678Z" (RFC 3339, UTC), NUL-terminated. */
#define RS_TIME_TEXT_SIZE 32
void rs_format_time_ms(uint64_t time_ms, char out[static RS_TIME_TEXT_SIZE]);
/* The same back, with or without milliseconds, or a day alone: its beginning (UTC). From 1970 on; false for anything else. */
bool rs_parse_time_ms(struct rs_str text, uint64_t *out);

#endif
