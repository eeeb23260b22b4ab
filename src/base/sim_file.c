/* The simulated disk's contents: open files, and what of them survives a loss of power. */
#include "base/sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)1 << 30)
#define SECTOR 512

struct sim_file {
	struct rs_file file;
	struct rs_sim *sim;
	struct node *node;
	uint64_t power_cuts; /* when it was opened */
	unsigned flags;
	bool locked;
	char *path;
};

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
	const struct name *row = sim_names_find(&sim->seen, path);
	struct node *node = row ? row->node : NULL;
	if (node && (flags & RS_OPEN_CREATE) && (flags & RS_OPEN_EXCLUSIVE))
		return rs_error_set(err, RS_EXISTS, "%s: is there already", path);
	if (!node && (!(flags & RS_OPEN_CREATE) || !names_parent_exists(&sim->seen, path)))
		return disk_missing(path, err);
	if (node && node->is_directory)
		return disk_is_directory(path, err);
	if (!node || ((flags & RS_OPEN_TRUNCATE) && node->seen.size)) {
		if (disk_step_fails(sim))
			return disk_fault(sim, path, err);
		if (!node) {
			node = disk_node(sim, false, mode);
			disk_record(sim, CHANGE_ADD, path, NULL, node);
		}
		cut(node, 0);
	}
	struct sim_file *file = calloc(1, sizeof *file);
	assert(file);
	*file = (struct sim_file){{&sim->files}, sim, node, sim->power_cuts, flags, false, disk_text(path)};
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

static uint64_t space_used(const struct rs_sim *sim)
{
	uint64_t used = 0;
	for (size_t i = 0; i < sim->seen.count; i++)
		used += sim->seen.rows[i].node->seen.size;
	return used;
}

static bool fits(const struct sim_file *file, uint64_t size)
{
	uint64_t had = file->node->seen.size;
	return !file->sim->space || size <= had || space_used(file->sim) + (size - had) <= file->sim->space;
}

static enum rs_code sim_free_space(const struct rs_files *files, const char *path RS_UNUSED, uint64_t *out,
                                   struct rs_error *err RS_UNUSED)
{
	const struct rs_sim *sim = sim_of(files);
	uint64_t used = space_used(sim);
	*out = !sim->space ? UINT64_MAX : used < sim->space ? sim->space - used : 0;
	return RS_OK;
}

static enum rs_code sim_write_at(struct rs_file *handle, uint64_t offset, const void *data, size_t size,
                                 struct rs_error *err)
{
	struct sim_file *file = self(handle);
	RS_TRY(may(file, RS_OPEN_WRITE, err));
	if (size == 0) /* does not even lengthen the file */
		return RS_OK;
	if (offset + size > FILE_SIZE_MAX || !fits(file, offset + size))
		return rs_error_set(err, RS_NO_SPACE, "%s: too large for the simulated disk", file->path);
	if (disk_step_fails(file->sim)) {
		put(file->node, offset, data, (size_t)(rs_stream_next(&file->sim->faults) % size));
		return disk_fault(file->sim, file->path, err);
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
	if (disk_step_fails(file->sim) || size > FILE_SIZE_MAX)
		return disk_fault(file->sim, file->path, err);
	cut(file->node, (size_t)size);
	return RS_OK;
}

void content_copy(struct content *to, const struct content *from)
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
		if (!dropped && (all || rs_stream_next(&sim->faults) & 1))
			memcpy(node->durable.data + at, node->seen.data + at, part);
	}
}

/* Brings all to the disk, or what chance brings there: whether the file was cut, each sector, its size. Dropped sectors
 * stay as they are on the disk. What a cut freed is never seen again, and before the cut nothing behind it is. */
void node_write_back(struct rs_sim *sim, struct node *node, bool all)
{
	const struct content *seen = &node->seen;
	struct content *durable = &node->durable;
	if (node->cut_to < durable->size) {
		if (!all && rs_stream_next(&sim->faults) & 1) {
			copy_sectors(sim, node, node->cut_to, false);
			return;
		}
		resize(durable, node->cut_to);
	}
	node->cut_to = SIZE_MAX;
	size_t size = durable->size;
	if (all || rs_stream_next(&sim->faults) & 1)
		size = seen->size;
	resize(durable, size);
	copy_sectors(sim, node, size < seen->size ? size : seen->size, all);
}

/* Some sectors are written, the others are dropped. */
static void fail_to_sync(struct rs_sim *sim, struct node *node)
{
	node_write_back(sim, node, false);
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
	if (disk_step_fails(file->sim)) {
		fail_to_sync(file->sim, file->node);
		return disk_fault(file->sim, file->path, err);
	}
	node_write_back(file->sim, file->node, true);
	return RS_OK;
}

static void sim_start_writeback(struct rs_file *handle)
{
	struct sim_file *file = self(handle);
	if (alive(file, NULL) == RS_OK && !disk_step_fails(file->sim))
		node_write_back(file->sim, file->node, false);
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

void disk_serve_files(struct rs_files *files)
{
	files->open = sim_open;
	files->read_at = sim_read_at;
	files->write_at = sim_write_at;
	files->size = sim_size;
	files->truncate = sim_truncate;
	files->sync = sim_sync;
	files->start_writeback = sim_start_writeback;
	files->lock = sim_lock;
	files->close = sim_close;
	files->free_space = sim_free_space;
}
