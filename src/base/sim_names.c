/* The simulated disk's names: directories, and changes that are not durable yet. */
#include "base/sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A simulator that runs out of real memory proves nothing: it ends the test. */
static void *grown(void *rows, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return rows;
	*capacity = *capacity ? 2 * *capacity : 16;
	rows = realloc(rows, *capacity * size);
	assert(rows);
	return rows;
}

char *disk_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);
	assert(copy);
	memcpy(copy, text, size);
	return copy;
}

struct name *sim_names_find(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->rows[i].path, path) == 0)
			return &names->rows[i];
	return NULL;
}

void names_set(struct names *names, const char *path, struct node *node)
{
	struct name *row = sim_names_find(names, path);
	if (row) {
		row->node = node;
		return;
	}
	names->rows = grown(names->rows, names->count, &names->capacity, sizeof *names->rows);
	names->rows[names->count++] = (struct name){disk_text(path), node};
}

static void names_unset(struct names *names, const char *path)
{
	struct name *row = sim_names_find(names, path);
	if (!row)
		return;
	free(row->path);
	*row = names->rows[--names->count];
}

void change_apply(struct names *names, const struct change *change)
{
	if (change->kind != CHANGE_ADD)
		names_unset(names, change->path);
	if (change->kind != CHANGE_REMOVE)
		names_set(names, change->kind == CHANGE_RENAME ? change->to : change->path, change->node);
}

void disk_record(struct rs_sim *sim, enum change_kind kind, const char *path, const char *to,
                 struct node *node)
{
	struct change change = {kind, disk_text(path), to ? disk_text(to) : NULL, node};
	change_apply(&sim->seen, &change);
	sim->changes = grown(sim->changes, sim->change_count, &sim->change_capacity, sizeof *sim->changes);
	sim->changes[sim->change_count++] = change;
}

void change_finish(struct change *change)
{
	free(change->path);
	free(change->to);
}

struct node *disk_node(struct rs_sim *sim, bool is_directory, unsigned mode)
{
	struct node *node = calloc(1, sizeof *node);
	assert(node);
	node->is_directory = is_directory;
	node->mode = mode;
	node->cut_to = SIZE_MAX;
	sim->nodes = grown(sim->nodes, sim->node_count, &sim->node_capacity, sizeof(struct node *));
	sim->nodes[sim->node_count++] = node;
	return node;
}

bool names_parent_exists(const struct names *names, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return true;
	char *parent = disk_text(path);
	parent[slash - path] = '\0';
	const struct name *row = sim_names_find(names, parent);
	bool exists = row && row->node->is_directory;
	free(parent);
	return exists;
}

enum rs_code disk_missing(const char *path, struct rs_error *err)
{
	return rs_error_set(err, RS_NOT_FOUND, "%s: there is no such file", path);
}

enum rs_code disk_is_directory(const char *path, struct rs_error *err)
{
	return rs_error_set(err, RS_IO, "%s: is a directory", path);
}

static bool same_directory(const char *a, const char *b)
{
	const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
	ptrdiff_t size_a = end_a ? end_a - a : -1, size_b = end_b ? end_b - b : -1;
	return size_a == size_b && (size_a <= 0 || memcmp(a, b, (size_t)size_a) == 0);
}

static enum rs_code sim_rename(const struct rs_files *files, const char *from, const char *to,
                               struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	const struct name *row = sim_names_find(&sim->seen, from);
	const struct name *replaced = sim_names_find(&sim->seen, to);
	if (!row || !names_parent_exists(&sim->seen, to))
		return disk_missing(from, err);
	/* Kernels can, with all that lies below; radseal never does. */
	if (row->node->is_directory)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: the simulated disk renames files only", from);
	if (replaced && replaced->node->is_directory)
		return disk_is_directory(to, err);
	if (replaced && replaced->node == row->node) /* two names of one file: POSIX leaves both */
		return RS_OK;
	if (disk_step_fails(sim))
		return disk_fault(sim, from, err);
	struct node *node = row->node;
	if (same_directory(from, to)) {
		disk_record(sim, CHANGE_RENAME, from, to, node);
	} else {
		disk_record(sim, CHANGE_ADD, to, NULL, node);
		disk_record(sim, CHANGE_REMOVE, from, NULL, node);
	}
	return RS_OK;
}

static enum rs_code remove_name(struct rs_sim *sim, const char *path, bool directory, struct rs_error *err)
{
	const struct name *row = sim_names_find(&sim->seen, path);
	if (row && row->node->is_directory && !directory)
		return disk_is_directory(path, err);
	if (!row || row->node->is_directory != directory)
		return disk_missing(path, err);
	if (disk_step_fails(sim))
		return disk_fault(sim, path, err);
	disk_record(sim, CHANGE_REMOVE, path, NULL, row->node);
	return RS_OK;
}

static enum rs_code sim_remove(const struct rs_files *files, const char *path, struct rs_error *err)
{
	return remove_name(sim_of(files), path, false, err);
}

/* The name behind "directory/", when path lies directly in it; NULL otherwise. */
static const char *name_in(const char *directory, const char *path)
{
	size_t size = strlen(directory);
	if (strcmp(directory, ".") == 0)
		return strchr(path, '/') ? NULL : path;
	if (size && directory[size - 1] == '/')
		size--;
	if (strncmp(path, directory, size) != 0 || path[size] != '/' || strchr(path + size + 1, '/'))
		return NULL;
	return path + size + 1;
}

static enum rs_code sim_remove_directory(const struct rs_files *files, const char *path, struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	for (size_t i = 0; i < sim->seen.count; i++)
		if (name_in(path, sim->seen.rows[i].path))
			return rs_error_set(err, RS_EXISTS, "%s: is not empty", path);
	return remove_name(sim, path, true, err);
}

static enum rs_code sim_make_directory(const struct rs_files *files, const char *path, unsigned mode,
                                       struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	if (sim_names_find(&sim->seen, path))
		return rs_error_set(err, RS_EXISTS, "%s: is there already", path);
	if (!names_parent_exists(&sim->seen, path))
		return disk_missing(path, err);
	if (disk_step_fails(sim))
		return disk_fault(sim, path, err);
	disk_record(sim, CHANGE_ADD, path, NULL, disk_node(sim, true, mode));
	return RS_OK;
}

/* The root and the working directory are there always. */
static bool directory_exists(const struct rs_sim *sim, const char *path)
{
	const struct name *row = sim_names_find(&sim->seen, path);
	return row ? row->node->is_directory : strcmp(path, "/") == 0 || strcmp(path, ".") == 0;
}

static enum rs_code sim_sync_directory(const struct rs_files *files, const char *path, struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	if (!directory_exists(sim, path))
		return disk_missing(path, err);
	if (disk_step_fails(sim))
		return disk_fault(sim, path, err);
	size_t kept = 0;
	for (size_t i = 0; i < sim->change_count; i++) {
		struct change *change = &sim->changes[i];
		if (name_in(path, change->path)) { /* a rename's other name lies there too */
			change_apply(&sim->durable, change);
			change_finish(change);
		} else {
			sim->changes[kept++] = *change;
		}
	}
	sim->change_count = kept;
	return RS_OK;
}

static enum rs_code sim_stat(const struct rs_files *files, const char *path, struct rs_file_stat *out,
                             struct rs_error *err)
{
	const struct rs_sim *sim = sim_of(files);
	const struct name *row = sim_names_find(&sim->seen, path);
	bool directory = directory_exists(sim, path);
	if (!row && !directory)
		return disk_missing(path, err);
	out->kind = directory ? RS_FILE_DIRECTORY : RS_FILE_REGULAR;
	out->size = row ? row->node->seen.size : 0;
	out->mode = row ? row->node->mode : 0700;
	out->modified_ns = 0;
	return RS_OK;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Over a copy: the visitor may change the directory. */
static enum rs_code sim_list(const struct rs_files *files, const char *path, rs_list_visit *visit,
                             void *context, struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	if (!directory_exists(sim, path))
		return disk_missing(path, err);
	char **names = calloc(sim->seen.count + 1, sizeof *names);
	assert(names);
	size_t count = 0;
	for (size_t i = 0; i < sim->seen.count; i++)
		if (name_in(path, sim->seen.rows[i].path))
			names[count++] = disk_text(sim->seen.rows[i].path);
	qsort(names, count, sizeof *names, by_bytes);
	enum rs_code code = RS_OK;
	for (size_t i = 0; i < count; i++) {
		const struct name *row = sim_names_find(&sim->seen, names[i]);
		enum rs_file_kind kind = row && row->node->is_directory ? RS_FILE_DIRECTORY : RS_FILE_REGULAR;
		if (code == RS_OK)
			code = visit(context, rs_str_from(name_in(path, names[i])), kind, err);
		free(names[i]);
	}
	free(names);
	return code;
}

void sim_names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->rows[i].path);
	free(names->rows);
}

void names_drop_orphans(struct names *names)
{
	for (size_t i = 0; i < names->count;) {
		if (names_parent_exists(names, names->rows[i].path)) {
			i++;
			continue;
		}
		names_unset(names, names->rows[i].path);
		i = 0; /* what lay below it goes too */
	}
}

void disk_serve_names(struct rs_files *files)
{
	files->rename = sim_rename;
	files->remove = sim_remove;
	files->make_directory = sim_make_directory;
	files->remove_directory = sim_remove_directory;
	files->sync_directory = sim_sync_directory;
	files->stat = sim_stat;
	files->list = sim_list;
}
