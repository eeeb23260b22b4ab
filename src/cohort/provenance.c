/* Files read for a case, and their digest. */
#include <stdlib.h>
#include <string.h>

#include "cohort/provenance.h"

#define BLOCK ((size_t)1 << 18)

static enum rs_code remember(struct witness *witness, const char *path, struct rs_error *err)
{
	for (size_t i = 0; i < witness->count; i++)
		if (strcmp(witness->paths[i], path) == 0)
			return RS_OK;
	if (witness->count == witness->capacity) {
		size_t capacity = witness->capacity * 2 + 8;
		char **paths = rs_reallocate(witness->paths, capacity * sizeof *paths);
		if (paths == NULL)
			return rs_error_memory(err, capacity * sizeof *paths, "names of files");
		witness->paths = paths;
		witness->capacity = capacity;
	}
	char *copy = rs_str_duplicate(rs_str_from(path));
	if (copy == NULL)
		return rs_error_memory(err, strlen(path), "names of files");
	witness->paths[witness->count++] = copy;
	return RS_OK;
}

static struct witness *witness_of(const struct rs_files *files)
{
	union { /* files is the first member of a witness, which is not const */
		const struct rs_files *files;
		struct witness *witness;
	} u = {.files = files};
	return u.witness;
}

static enum rs_code open_file(const struct rs_files *files, const char *path, unsigned flags, unsigned mode,
                              struct rs_file **out, struct rs_error *err)
{
	struct witness *witness = witness_of(files);
	struct rs_file *file = NULL;
	RS_TRY(witness->inner->files->open(witness->inner->files, path, flags, mode, &file, err));
	enum rs_code code = remember(witness, path, err);
	if (code == RS_OK)
		*out = file;
	else
		rs_file_close(file);
	return code;
}

static enum rs_code stat_file(const struct rs_files *files, const char *path, struct rs_file_stat *out,
                              struct rs_error *err)
{
	const struct rs_files *inner = witness_of(files)->inner->files;
	return inner->stat(inner, path, out, err);
}

static enum rs_code list_directory(const struct rs_files *files, const char *path, rs_list_visit *visit,
                                   void *context, struct rs_error *err)
{
	const struct rs_files *inner = witness_of(files)->inner->files;
	return inner->list(inner, path, visit, context, err);
}

/* Readers of images open, list and look; a witness has nothing else. Open files are the inner world's own. */
void witness_init(struct witness *witness, const struct rs_world *inner)
{
	memset(witness, 0, sizeof *witness);
	witness->inner = inner;
	witness->files.open = open_file;
	witness->files.stat = stat_file;
	witness->files.list = list_directory;
	witness->world = (struct rs_world){inner->clock, inner->random, &witness->files};
}

void witness_clear(struct witness *witness)
{
	while (witness->count > 0)
		rs_free(witness->paths[--witness->count]);
}

void witness_finish(struct witness *witness)
{
	witness_clear(witness);
	rs_free(witness->paths);
	witness->paths = NULL;
	witness->capacity = 0;
}

static enum rs_code digest_file(const struct rs_world *world, const char *path, uint8_t *block,
                                struct rs_digest *out, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	struct rs_sha256 hash;
	size_t size = BLOCK;
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ, &file, err));
	rs_sha256_init(&hash);
	for (uint64_t at = 0; size == BLOCK; at += size) {
		RS_TRY(rs_file_read_at(file, at, block, BLOCK, &size, err));
		rs_sha256_update(&hash, block, size);
	}
	rs_sha256_final(&hash, out);
	return RS_OK;
}

static int ascending(const void *a, const void *b) { return memcmp(a, b, sizeof(struct rs_digest)); }

enum rs_code witness_digest(const struct witness *witness, struct source_files *out, struct rs_error *err)
{
	uint8_t *block RS_CLEANUP(rs_free_pointer) = rs_allocate(BLOCK);
	struct rs_digest *digests RS_CLEANUP(rs_free_pointer) = rs_allocate_array(witness->count,
	                                                                          sizeof *digests);
	if (block == NULL || digests == NULL)
		return rs_error_memory(err, BLOCK, "a digest");
	for (size_t i = 0; i < witness->count; i++)
		RS_TRY(digest_file(witness->inner, witness->paths[i], block, &digests[i], err));
	qsort(digests, witness->count, sizeof *digests, ascending);
	out->all = digests[0];
	if (witness->count != 1)
		rs_sha256(rs_bytes_of(digests, witness->count * sizeof *digests), &out->all);
	out->files = digests;
	out->count = witness->count;
	digests = NULL;
	return RS_OK;
}

struct listing {
	const struct rs_world *world;
	const char *directory;
	struct rs_buffer *out;
};

static enum rs_code stamp_one(const struct rs_world *world, const char *path, struct rs_file_stat *out_stat,
                              struct rs_buffer *out, struct rs_error *err)
{
	RS_TRY(world->files->stat(world->files, path, out_stat, err));
	rs_buffer_printf(out, "%d %llu %llu\n", (int)out_stat->kind, (unsigned long long)out_stat->size,
	                 (unsigned long long)out_stat->modified_ns);
	return RS_OK;
}

static enum rs_code stamp_entry(void *context, struct rs_str name, enum rs_file_kind kind,
                                struct rs_error *err)
{
	struct listing *listing = context;
	struct rs_file_stat stat;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *text RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(name);
	char *path RS_CLEANUP(rs_free_pointer) = text != NULL ? rs_path_join(listing->directory, text) : NULL;
	if (path == NULL)
		return rs_error_memory(err, name.size, "a path");
	rs_buffer_append_str(listing->out, name);
	rs_buffer_append_u8(listing->out, 0);
	return stamp_one(listing->world, path, &stat, listing->out, err);
}

enum rs_code stamp_append(const struct rs_world *world, const char *path, struct rs_buffer *out,
                          struct rs_error *err)
{
	struct rs_file_stat stat;
	struct listing listing = {world, path, out};
	RS_TRY(stamp_one(world, path, &stat, out, err));
	if (stat.kind != RS_FILE_DIRECTORY)
		return RS_OK;
	return world->files->list(world->files, path, stamp_entry, &listing, err);
}
