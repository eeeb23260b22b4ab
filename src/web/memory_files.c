/* Directories below /dev/shm, named by the process that has them. */
#include "memory_files.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLACE "/dev/shm"
#define PREFIX "radseal-"

static enum rs_code remove_file(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                struct rs_error *err RS_UNUSED)
{
	const struct rs_world *world = rs_world_system();
	char *own RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(name);
	char *path RS_CLEANUP(rs_free_pointer) = own ? rs_path_join(context, own) : NULL;
	if (path)
		(void)world->files->remove(world->files, path, NULL);
	return RS_OK;
}

void memory_files_remove(struct memory_files *files)
{
	const struct rs_world *world = rs_world_system();
	if (!files->path[0])
		return;
	(void)world->files->list(world->files, files->path, remove_file, files->path, NULL);
	(void)world->files->remove_directory(world->files, files->path, NULL);
	files->path[0] = '\0';
}

enum rs_code memory_files_make(struct memory_files *out, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	uint8_t random[8];
	char hex[2 * sizeof random + 1];
	RS_TRY(rs_world_random(world, random, sizeof random, err));
	rs_hex_encode(rs_bytes_of(random, sizeof random), hex);
	(void)snprintf(out->path, sizeof out->path, PLACE "/" PREFIX "%u-%s", (unsigned)getpid(), hex);
	enum rs_code code = world->files->make_directory(world->files, out->path, 0700, err);
	if (code != RS_OK)
		out->path[0] = '\0';
	return code;
}

static enum rs_code sweep_one(void *context RS_UNUSED, struct rs_str name, enum rs_file_kind kind,
                              struct rs_error *err RS_UNUSED)
{
	struct memory_files files;
	struct rs_str rest = name, part;
	uint64_t process;
	if (kind != RS_FILE_DIRECTORY || !rs_str_starts_with(name, PREFIX) || name.size > 48)
		return RS_OK;
	rest.data += strlen(PREFIX);
	rest.size -= strlen(PREFIX);
	if (rs_str_split(&rest, '-', &part) && rs_parse_u64(part, &process) && process > 1 &&
	    process <= INT32_MAX && kill((pid_t)process, 0) != 0 && errno == ESRCH) {
		(void)snprintf(files.path, sizeof files.path, PLACE "/" RS_STR_FORMAT,
		               RS_STR_ARGUMENTS(name));
		memory_files_remove(&files);
	}
	return RS_OK;
}

void memory_files_sweep(void)
{
	const struct rs_world *world = rs_world_system();
	(void)world->files->list(world->files, PLACE, sweep_one, NULL, NULL);
}
