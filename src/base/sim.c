/* The simulated world. The disk is a table of names and a list of name changes that are not durable yet; each file has
 * the content that programs see and the content that would survive.
 *
 * It promises what POSIX does, and of real disks one thing more: a rename within one directory is there as a whole or
 * not at all. Name changes reach the disk in any order, whatever their directories; a rename into another directory is
 * two changes, of which either may be lost; a file's name and its content know nothing of each other; sectors are whole,
 * larger writes are not; what a failed sync did not write is never written by the next one, though that one succeeds. */
#include "base/base_sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)1 << 30)
#define SECTOR 512

/* Of the real heap: faults of memory are for the program under test, not for its disk. */
struct content {
	uint8_t *data;
	size_t size, capacity;
};

struct node { /* a file or directory, whatever its names */
	bool is_directory;
	unsigned mode, locks;
	bool locked_exclusively;
	struct content seen, durable;
	/* A byte for each sector: not 0 when a failed sync dropped it. It is durable only when written again, though reading
	 * shows it: Linux marks pages clean when it cannot write them. */
	struct content dropped;
	size_t cut_to; /* the smallest size the file was cut to since the last sync; SIZE_MAX: none */
};

struct name {
	char *path;
	struct node *node;
};

struct names {
	struct name *rows;
	size_t count, capacity;
};

enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_RENAME };

struct change {
	enum change_kind kind;
	char *path, *to; /* to: of a rename */
	struct node *node;
};

struct rs_sim {
	struct rs_clock clock;
	struct rs_random random;
	struct rs_files files;
	struct rs_world world;
	uint64_t now_ms, random_state, fault_state;
	struct names seen, durable;
	struct change *changes;
	size_t change_count, change_capacity;
	struct node **nodes; /* all there ever were */
	size_t node_count, node_capacity;
	uint64_t steps, fail_at, power_cuts;
	enum rs_code fail_code;
	bool fail_for_ever;
};

struct sim_file {
	struct rs_file file;
	struct rs_sim *sim;
	struct node *node;
	uint64_t power_cuts; /* when it was opened */
	unsigned flags;
	bool locked;
	char *path;
};

static struct rs_sim *sim_of(const struct rs_files *files)
{
	return (struct rs_sim *)((uintptr_t)files - offsetof(struct rs_sim, files));
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_number(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

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

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);
	assert(copy);
	memcpy(copy, text, size);
	return copy;
}

static struct name *find(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->rows[i].path, path) == 0)
			return &names->rows[i];
	return NULL;
}

static void set(struct names *names, const char *path, struct node *node)
{
	struct name *row = find(names, path);
	if (row) {
		row->node = node;
		return;
	}
	names->rows = grown(names->rows, names->count, &names->capacity, sizeof *names->rows);
	names->rows[names->count++] = (struct name){copy_text(path), node};
}

static void unset(struct names *names, const char *path)
{
	struct name *row = find(names, path);
	if (!row)
		return;
	free(row->path);
	*row = names->rows[--names->count];
}

static void apply(struct names *names, const struct change *change)
{
	if (change->kind != CHANGE_ADD)
		unset(names, change->path);
	if (change->kind != CHANGE_REMOVE)
		set(names, change->kind == CHANGE_RENAME ? change->to : change->path, change->node);
}

static void record(struct rs_sim *sim, enum change_kind kind, const char *path, const char *to,
                   struct node *node)
{
	struct change change = {kind, copy_text(path), to ? copy_text(to) : NULL, node};
	apply(&sim->seen, &change);
	sim->changes = grown(sim->changes, sim->change_count, &sim->change_capacity, sizeof *sim->changes);
	sim->changes[sim->change_count++] = change;
}

static void forget_change(struct change *change)
{
	free(change->path);
	free(change->to);
}

static struct node *make_node(struct rs_sim *sim, bool is_directory, unsigned mode)
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

/* Counts a writing step; tells whether it must fail. */
static bool step_fails(struct rs_sim *sim)
{
	sim->steps++;
	return sim->fail_at &&
	       (sim->steps == sim->fail_at || (sim->fail_for_ever && sim->steps > sim->fail_at));
}

static enum rs_code fault(const struct rs_sim *sim, const char *path, struct rs_error *err)
{
	return rs_error_set(err, sim->fail_code, "%s: simulated fault", path);
}

static bool parent_exists(const struct names *names, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return true;
	char *parent = copy_text(path);
	parent[slash - path] = '\0';
	const struct name *row = find(names, parent);
	bool exists = row && row->node->is_directory;
	free(parent);
	return exists;
}

static enum rs_code missing(const char *path, struct rs_error *err)
{
	return rs_error_set(err, RS_NOT_FOUND, "%s: there is no such file", path);
}

static enum rs_code is_directory(const char *path, struct rs_error *err)
{
	return rs_error_set(err, RS_IO, "%s: is a directory", path);
}

static void resize(struct content *content, size_t size)
{
	if (size > content->capacity) {
		content->capacity = 2 * size;
		content->data = realloc(content->data, content->capacity);
		assert(content->data);
	}
	if (size > content->size)
		memset(content->data + content->size, 0, size - content->size);
	content->size = size;
}

static void cut(struct node *node, size_t size)
{
	if (size < node->cut_to && size < node->seen.size)
		node->cut_to = size;
	resize(&node->seen, size);
}

static enum rs_code sim_open(const struct rs_files *files, const char *path, unsigned flags, unsigned mode,
                             struct rs_file **out, struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	const struct name *row = find(&sim->seen, path);
	struct node *node = row ? row->node : NULL;
	if (node && (flags & RS_OPEN_CREATE) && (flags & RS_OPEN_EXCLUSIVE))
		return rs_error_set(err, RS_EXISTS, "%s: is there already", path);
	if (!node && (!(flags & RS_OPEN_CREATE) || !parent_exists(&sim->seen, path)))
		return missing(path, err);
	if (node && node->is_directory)
		return is_directory(path, err);
	if (!node || ((flags & RS_OPEN_TRUNCATE) && node->seen.size)) {
		if (step_fails(sim))
			return fault(sim, path, err);
		if (!node) {
			node = make_node(sim, false, mode);
			record(sim, CHANGE_ADD, path, NULL, node);
		}
		cut(node, 0);
	}
	struct sim_file *file = calloc(1, sizeof *file);
	assert(file);
	*file = (struct sim_file){{&sim->files}, sim, node, sim->power_cuts, flags, false, copy_text(path)};
	*out = &file->file;
	return RS_OK;
}

static struct sim_file *self(struct rs_file *file) { return (struct sim_file *)file; }

static enum rs_code alive(const struct sim_file *file, struct rs_error *err)
{
	if (file->power_cuts == file->sim->power_cuts)
		return RS_OK;
	return rs_error_set(err, RS_IO, "%s: the power went", file->path);
}

static enum rs_code may(const struct sim_file *file, enum rs_open_flags flag, struct rs_error *err)
{
	RS_TRY(alive(file, err));
	if (file->flags & flag)
		return RS_OK;
	return rs_error_set(err, RS_IO, "%s: was not opened for this", file->path);
}

static enum rs_code sim_read_at(struct rs_file *handle, uint64_t offset, void *out, size_t size,
                                size_t *out_read, struct rs_error *err)
{
	const struct sim_file *file = self(handle);
	const struct content *content = &file->node->seen;
	RS_TRY(may(file, RS_OPEN_READ, err));
	size_t left = offset < content->size ? content->size - (size_t)offset : 0;
	*out_read = size < left ? size : left;
	if (*out_read)
		memcpy(out, content->data + offset, *out_read);
	return RS_OK;
}

static void put(struct node *node, uint64_t offset, const void *data, size_t size)
{
	if (size == 0)
		return;
	if (offset + size > node->seen.size)
		resize(&node->seen, (size_t)offset + size);
	memcpy(node->seen.data + offset, data, size);
	for (size_t sector = (size_t)offset / SECTOR; sector <= (offset + size - 1) / SECTOR; sector++)
		if (sector < node->dropped.size)
			node->dropped.data[sector] = 0;
}

static enum rs_code sim_write_at(struct rs_file *handle, uint64_t offset, const void *data, size_t size,
                                 struct rs_error *err)
{
	struct sim_file *file = self(handle);
	RS_TRY(may(file, RS_OPEN_WRITE, err));
	if (size == 0) /* does not even lengthen the file */
		return RS_OK;
	if (offset + size > FILE_SIZE_MAX)
		return rs_error_set(err, RS_NO_SPACE, "%s: too large for the simulated disk", file->path);
	if (step_fails(file->sim)) {
		put(file->node, offset, data, (size_t)(next_number(&file->sim->fault_state) % size));
		return fault(file->sim, file->path, err);
	}
	put(file->node, offset, data, size);
	return RS_OK;
}

static enum rs_code sim_size(struct rs_file *handle, uint64_t *out_size, struct rs_error *err)
{
	RS_TRY(alive(self(handle), err));
	*out_size = self(handle)->node->seen.size;
	return RS_OK;
}

static enum rs_code sim_truncate(struct rs_file *handle, uint64_t size, struct rs_error *err)
{
	struct sim_file *file = self(handle);
	RS_TRY(may(file, RS_OPEN_WRITE, err));
	if (step_fails(file->sim) || size > FILE_SIZE_MAX)
		return fault(file->sim, file->path, err);
	cut(file->node, (size_t)size);
	return RS_OK;
}

static void copy_content(struct content *to, const struct content *from)
{
	resize(to, from->size);
	if (from->size)
		memcpy(to->data, from->data, from->size);
}

static void copy_sectors(struct rs_sim *sim, struct node *node, size_t end, bool all)
{
	for (size_t at = 0; at < end; at += SECTOR) {
		size_t part = end - at < SECTOR ? end - at : SECTOR;
		bool dropped = at / SECTOR < node->dropped.size && node->dropped.data[at / SECTOR];
		if (!dropped && (all || next_number(&sim->fault_state) & 1))
			memcpy(node->durable.data + at, node->seen.data + at, part);
	}
}

/* Brings all to the disk, or what chance brings there: whether the file was cut, each sector, its size. Dropped sectors
 * stay as they are on the disk. What a cut freed is never seen again, and before the cut nothing behind it is. */
static void write_back(struct rs_sim *sim, struct node *node, bool all)
{
	const struct content *seen = &node->seen;
	struct content *durable = &node->durable;
	if (node->cut_to < durable->size) {
		if (!all && next_number(&sim->fault_state) & 1) {
			copy_sectors(sim, node, node->cut_to, false);
			return;
		}
		resize(durable, node->cut_to);
	}
	node->cut_to = SIZE_MAX;
	size_t size = durable->size;
	if (all || next_number(&sim->fault_state) & 1)
		size = seen->size;
	resize(durable, size);
	copy_sectors(sim, node, size < seen->size ? size : seen->size, all);
}

/* Some sectors are written, the others are dropped. */
static void fail_to_sync(struct rs_sim *sim, struct node *node)
{
	write_back(sim, node, false);
	const struct content *seen = &node->seen, *durable = &node->durable;
	resize(&node->dropped, (seen->size + SECTOR - 1) / SECTOR);
	for (size_t at = 0; at < seen->size; at += SECTOR) {
		size_t part = seen->size - at < SECTOR ? seen->size - at : SECTOR;
		if (at + part > durable->size || memcmp(durable->data + at, seen->data + at, part) != 0)
			node->dropped.data[at / SECTOR] = 1;
	}
}

static enum rs_code sim_sync(struct rs_file *handle, struct rs_error *err)
{
	struct sim_file *file = self(handle);
	RS_TRY(alive(file, err));
	if (step_fails(file->sim)) {
		fail_to_sync(file->sim, file->node);
		return fault(file->sim, file->path, err);
	}
	write_back(file->sim, file->node, true);
	return RS_OK;
}

static void sim_start_writeback(struct rs_file *handle)
{
	struct sim_file *file = self(handle);
	if (alive(file, NULL) == RS_OK && !step_fails(file->sim))
		write_back(file->sim, file->node, false);
}

static enum rs_code sim_lock(struct rs_file *handle, bool exclusive, struct rs_error *err)
{
	struct sim_file *file = self(handle);
	struct node *node = file->node;
	RS_TRY(alive(file, err));
	unsigned others = node->locks - (file->locked ? 1 : 0);
	if (others && (exclusive || node->locked_exclusively))
		return rs_error_set(err, RS_BUSY, "%s: another process holds it", file->path);
	node->locks = others + 1;
	node->locked_exclusively = exclusive;
	file->locked = true;
	return RS_OK;
}

static void sim_close(struct rs_file *handle)
{
	struct sim_file *file = self(handle);
	if (!handle)
		return;
	if (file->locked && file->power_cuts == file->sim->power_cuts) {
		file->node->locks--;
		file->node->locked_exclusively = false;
	}
	free(file->path);
	free(file);
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
	const struct name *row = find(&sim->seen, from);
	const struct name *replaced = find(&sim->seen, to);
	if (!row || !parent_exists(&sim->seen, to))
		return missing(from, err);
	/* Kernels can, with all that lies below; radseal never does. */
	if (row->node->is_directory)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: the simulated disk renames files only", from);
	if (replaced && replaced->node->is_directory)
		return is_directory(to, err);
	if (replaced && replaced->node == row->node) /* two names of one file: POSIX leaves both */
		return RS_OK;
	if (step_fails(sim))
		return fault(sim, from, err);
	struct node *node = row->node;
	if (same_directory(from, to)) {
		record(sim, CHANGE_RENAME, from, to, node);
	} else {
		record(sim, CHANGE_ADD, to, NULL, node);
		record(sim, CHANGE_REMOVE, from, NULL, node);
	}
	return RS_OK;
}

static enum rs_code remove_name(struct rs_sim *sim, const char *path, bool directory, struct rs_error *err)
{
	const struct name *row = find(&sim->seen, path);
	if (row && row->node->is_directory && !directory)
		return is_directory(path, err);
	if (!row || row->node->is_directory != directory)
		return missing(path, err);
	if (step_fails(sim))
		return fault(sim, path, err);
	record(sim, CHANGE_REMOVE, path, NULL, row->node);
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
	if (find(&sim->seen, path))
		return rs_error_set(err, RS_EXISTS, "%s: is there already", path);
	if (!parent_exists(&sim->seen, path))
		return missing(path, err);
	if (step_fails(sim))
		return fault(sim, path, err);
	record(sim, CHANGE_ADD, path, NULL, make_node(sim, true, mode));
	return RS_OK;
}

/* The root and the working directory are there always. */
static bool directory_exists(const struct rs_sim *sim, const char *path)
{
	const struct name *row = find(&sim->seen, path);
	return row ? row->node->is_directory : strcmp(path, "/") == 0 || strcmp(path, ".") == 0;
}

static enum rs_code sim_sync_directory(const struct rs_files *files, const char *path, struct rs_error *err)
{
	struct rs_sim *sim = sim_of(files);
	if (!directory_exists(sim, path))
		return missing(path, err);
	if (step_fails(sim))
		return fault(sim, path, err);
	size_t kept = 0;
	for (size_t i = 0; i < sim->change_count; i++) {
		struct change *change = &sim->changes[i];
		if (name_in(path, change->path)) { /* a rename's other name lies there too */
			apply(&sim->durable, change);
			forget_change(change);
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
	const struct name *row = find(&sim->seen, path);
	bool directory = directory_exists(sim, path);
	if (!row && !directory)
		return missing(path, err);
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
		return missing(path, err);
	char **names = calloc(sim->seen.count + 1, sizeof *names);
	assert(names);
	size_t count = 0;
	for (size_t i = 0; i < sim->seen.count; i++)
		if (name_in(path, sim->seen.rows[i].path))
			names[count++] = copy_text(sim->seen.rows[i].path);
	qsort(names, count, sizeof *names, by_bytes);
	enum rs_code code = RS_OK;
	for (size_t i = 0; i < count; i++) {
		const struct name *row = find(&sim->seen, names[i]);
		enum rs_file_kind kind = row && row->node->is_directory ? RS_FILE_DIRECTORY : RS_FILE_REGULAR;
		if (code == RS_OK)
			code = visit(context, rs_str_from(name_in(path, names[i])), kind, err);
		free(names[i]);
	}
	free(names);
	return code;
}

static uint64_t sim_now_ms(const struct rs_clock *clock) { return ((const struct rs_sim *)clock)->now_ms; }

static uint64_t sim_monotonic_ns(const struct rs_clock *clock) { return sim_now_ms(clock) * 1000000; }

static enum rs_code sim_fill(const struct rs_random *random, void *out, size_t size,
                             struct rs_error *err RS_UNUSED)
{
	struct rs_sim *sim = (struct rs_sim *)((uintptr_t)random - offsetof(struct rs_sim, random));
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)next_number(&sim->random_state);
	return RS_OK;
}

enum rs_code rs_sim_create(uint64_t seed, struct rs_sim **out, struct rs_error *err)
{
	struct rs_sim *sim = calloc(1, sizeof *sim);
	if (!sim)
		return rs_error_memory(err, sizeof *sim, "a simulated world");
	sim->now_ms = UINT64_C(1700000000000);
	sim->random_state = seed;
	sim->fault_state = ~seed;
	sim->clock = (struct rs_clock){sim_now_ms, sim_monotonic_ns};
	sim->random = (struct rs_random){sim_fill};
	sim->files = (struct rs_files){sim_open,
	                               sim_read_at,
	                               sim_write_at,
	                               sim_size,
	                               sim_truncate,
	                               sim_sync,
	                               sim_start_writeback,
	                               sim_lock,
	                               sim_close,
	                               sim_rename,
	                               sim_remove,
	                               sim_make_directory,
	                               sim_remove_directory,
	                               sim_sync_directory,
	                               sim_stat,
	                               sim_list};
	sim->world = (struct rs_world){&sim->clock, &sim->random, &sim->files};
	*out = sim;
	return RS_OK;
}

static void names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->rows[i].path);
	free(names->rows);
}

void rs_sim_destroy(struct rs_sim *sim)
{
	if (!sim)
		return;
	names_finish(&sim->seen);
	names_finish(&sim->durable);
	for (size_t i = 0; i < sim->change_count; i++)
		forget_change(&sim->changes[i]);
	for (size_t i = 0; i < sim->node_count; i++) {
		free(sim->nodes[i]->seen.data);
		free(sim->nodes[i]->durable.data);
		free(sim->nodes[i]->dropped.data);
		free(sim->nodes[i]);
	}
	free(sim->changes);
	free(sim->nodes);
	free(sim);
}

const struct rs_world *rs_sim_world(struct rs_sim *sim) { return &sim->world; }

void rs_sim_advance_ms(struct rs_sim *sim, uint64_t ms) { sim->now_ms += ms; }

uint64_t rs_sim_steps(const struct rs_sim *sim) { return sim->steps; }

void rs_sim_fail_at(struct rs_sim *sim, uint64_t k, enum rs_code code, bool for_ever)
{
	sim->steps = 0;
	sim->fail_at = k;
	sim->fail_code = code;
	sim->fail_for_ever = for_ever;
}

/* A durable name in a directory whose own name was lost cannot be reached any more. */
static void drop_orphans(struct names *names)
{
	for (size_t i = 0; i < names->count;) {
		if (parent_exists(names, names->rows[i].path)) {
			i++;
			continue;
		}
		unset(names, names->rows[i].path);
		i = 0; /* what lay below it goes too */
	}
}

void rs_sim_cut(struct rs_sim *sim, enum rs_sim_cut how)
{
	for (size_t i = 0; i < sim->change_count; i++) {
		if (how == RS_SIM_KEEP_ALL || (how == RS_SIM_TEAR && next_number(&sim->fault_state) & 1))
			apply(&sim->durable, &sim->changes[i]);
		forget_change(&sim->changes[i]);
	}
	sim->change_count = 0;
	for (size_t i = 0; i < sim->node_count; i++) {
		struct node *node = sim->nodes[i];
		if (how == RS_SIM_KEEP_ALL)
			write_back(sim, node, true);
		else if (how == RS_SIM_TEAR)
			write_back(sim, node, false);
		copy_content(&node->seen, &node->durable);
		node->dropped.size = 0;
		node->cut_to = SIZE_MAX;
		node->locks = 0;
		node->locked_exclusively = false;
	}
	drop_orphans(&sim->durable);
	names_finish(&sim->seen);
	sim->seen = (struct names){NULL, 0, 0};
	for (size_t i = 0; i < sim->durable.count; i++)
		set(&sim->seen, sim->durable.rows[i].path, sim->durable.rows[i].node);
	sim->power_cuts++;
	sim->steps = 0;
	sim->fail_at = 0;
}

enum rs_code rs_sim_flip(struct rs_sim *sim, const char *path, uint64_t offset, unsigned bit,
                         struct rs_error *err)
{
	const struct name *row = find(&sim->seen, path);
	if (!row || offset >= row->node->seen.size)
		return missing(path, err);
	row->node->seen.data[offset] ^= (uint8_t)(1u << bit);
	copy_content(&row->node->durable, &row->node->seen);
	return RS_OK;
}
