/* Walking directories. */
#include "workflow/workflow_walk.h"

#define DEPTH_MAX 64

void walk_finish(struct walk *walk)
{
	if (!walk)
		return;
	for (size_t i = 0; i < walk->count; i++)
		rs_free(walk->files[i].path);
	rs_free(walk->files);
	*walk = (struct walk){0};
}

static enum rs_code append(struct walk *walk, char *path, bool named, struct rs_error *err)
{
	if (walk->count == WALK_FILES_MAX) {
		rs_free(path);
		return rs_error_set(err, RS_TOO_LARGE, "more than %zu files; seal them in parts",
		                    WALK_FILES_MAX);
	}
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 64;
		struct walked_file *files = rs_reallocate(walk->files, capacity * sizeof *files);
		if (!files) {
			rs_free(path);
			return rs_error_memory(err, capacity * sizeof *files, "the list of files");
		}
		walk->files = files;
		walk->capacity = capacity;
	}
	walk->files[walk->count++] = (struct walked_file){path, named};
	return RS_OK;
}

struct visiting {
	const struct rs_world *world;
	struct walk *walk;
	const char *directory;
	unsigned depth;
};

static enum rs_code add_directory(const struct rs_world *world, const char *path, unsigned depth,
                                  struct walk *walk, struct rs_error *err);

static enum rs_code visit(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct visiting *visiting = context;
	char *path = rs_text_printf("%s/" RS_STR_FORMAT, visiting->directory, RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	if (kind == RS_FILE_REGULAR)
		return append(visiting->walk, path, false, err);
	enum rs_code code = RS_OK;
	if (kind == RS_FILE_DIRECTORY)
		code = add_directory(visiting->world, path, visiting->depth + 1, visiting->walk, err);
	rs_free(path);
	return code;
}

static enum rs_code add_directory(const struct rs_world *world, const char *path, unsigned depth,
                                  struct walk *walk, struct rs_error *err)
{
	struct visiting visiting = {world, walk, path, depth};
	if (depth > DEPTH_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%s: directories are nested deeper than %d", path,
		                    DEPTH_MAX);
	return world->files->list(world->files, path, visit, &visiting, err);
}

enum rs_code walk_add(const struct rs_world *world, const char *path, struct walk *walk, struct rs_error *err)
{
	struct rs_file_stat status;
	char *copy = rs_str_duplicate(rs_str_from(path));
	if (!copy)
		return rs_error_memory(err, 1, "a path");
	/* What cannot be looked at is reported when it is read, so that it does not stop the others. */
	if (world->files->stat(world->files, path, &status, NULL) != RS_OK ||
	    status.kind != RS_FILE_DIRECTORY)
		return append(walk, copy, true, err);
	size_t size = rs_str_from(copy).size;
	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = '\0';
	enum rs_code code = add_directory(world, copy, 0, walk, err);
	rs_free(copy);
	return code;
}
