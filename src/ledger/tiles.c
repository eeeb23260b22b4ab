/* The log as static files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "ledger/ledger_history.h"
#include "ledger/ledger_tiles.h"

#define TILE_BITS 8
#define LEVELS 8
#define BUNDLE_SIZE_MAX ((size_t)RS_TILE_WIDTH * (2 + RS_ENTRY_SIZE_MAX))
#define NOTE_SIZE_MAX ((size_t)64 * 1024)

struct exporting {
	struct rs_ledger *ledger;
	const struct rs_world *world;
	const char *directory;
	uint64_t files;
};

void rs_tile_path(const char *kind, uint64_t number, unsigned width, char out[static RS_TILE_PATH_SIZE])
{
	uint64_t groups[8], rest = number;
	size_t count = 0, used = (size_t)snprintf(out, RS_TILE_PATH_SIZE, "tile/%s", kind);
	do
		groups[count++] = rest % 1000;
	while (rest /= 1000);
	while (count-- > 0)
		used += (size_t)snprintf(out + used, RS_TILE_PATH_SIZE - used,
		                         count ? "/x%03" PRIu64 : "/%03" PRIu64, groups[count]);
	if (width < RS_TILE_WIDTH)
		snprintf(out + used, RS_TILE_PATH_SIZE - used, ".p/%u", width);
}

static enum rs_code write_file(struct exporting *exporting, const char *name, struct rs_bytes content,
                               struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(exporting->directory, name);
	char *folder RS_CLEANUP(rs_free_pointer) = path ? rs_path_directory(path) : NULL;
	if (!folder)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(exporting->world, folder, err));
	exporting->files++;
	return rs_file_replace(exporting->world, path, content, 0644, err);
}

/* How many of `size` things are in tile `number`. */
static unsigned width_of(uint64_t size, uint64_t number)
{
	uint64_t left = size - number * RS_TILE_WIDTH;
	return left < RS_TILE_WIDTH ? (unsigned)left : RS_TILE_WIDTH;
}

static enum rs_code write_tile(struct exporting *exporting, unsigned level, uint64_t number, uint64_t size,
                               struct rs_error *err)
{
	uint8_t hashes[RS_TILE_WIDTH * RS_SHA256_SIZE];
	char path[RS_TILE_PATH_SIZE], kind[8];
	unsigned width = width_of(size, number);
	for (unsigned i = 0; i < width; i++) {
		struct rs_digest hash;
		RS_TRY(ledger_read_cached(exporting->ledger, level * TILE_BITS, number * RS_TILE_WIDTH + i,
		                          &hash, err));
		memcpy(hashes + i * RS_SHA256_SIZE, hash.bytes, RS_SHA256_SIZE);
	}
	snprintf(kind, sizeof kind, "%u", level);
	rs_tile_path(kind, number, width, path);
	return write_file(exporting, path, rs_bytes_of(hashes, width * RS_SHA256_SIZE), err);
}

static enum rs_code write_bundle(struct exporting *exporting, uint64_t number, uint64_t size,
                                 struct rs_error *err)
{
	struct rs_buffer bundle RS_CLEANUP(rs_buffer_finish) = {0};
	char path[RS_TILE_PATH_SIZE];
	unsigned width = width_of(size, number);
	rs_buffer_init(&bundle, BUNDLE_SIZE_MAX);
	for (unsigned i = 0; i < width; i++) {
		struct rs_bytes entry;
		uint8_t length[2];
		RS_TRY(rs_ledger_entry(exporting->ledger, number * RS_TILE_WIDTH + i, &entry, err));
		rs_write_be16(length, (uint16_t)entry.size);
		rs_buffer_append(&bundle, length, sizeof length);
		rs_buffer_append_bytes(&bundle, entry);
	}
	RS_TRY(rs_buffer_check(&bundle, "a bundle of entries", err));
	rs_tile_path("entries", number, width, path);
	return write_file(exporting, path, rs_buffer_bytes(&bundle), err);
}

/* From the tile on that was not full then. */
static enum rs_code write_level(struct exporting *exporting, unsigned level, uint64_t old_size,
                                struct rs_error *err)
{
	uint64_t size = rs_ledger_size(exporting->ledger) >> level * TILE_BITS;
	uint64_t old = old_size >> level * TILE_BITS;
	if (size == old)
		return RS_OK;
	for (uint64_t number = old / RS_TILE_WIDTH; number * RS_TILE_WIDTH < size; number++) {
		if (level == 0)
			RS_TRY(write_bundle(exporting, number, size, err));
		RS_TRY(write_tile(exporting, level, number, size, err));
	}
	return RS_OK;
}

/* Of the checkpoint that lies there; 0 when there is none. */
static enum rs_code exported_size(struct exporting *exporting, uint64_t *out, struct rs_error *err)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_note_key *key = &exporting->ledger->note_key;
	struct rs_checkpoint checkpoint;
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(exporting->directory, "checkpoint");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	*out = 0;
	if (!rs_path_exists(exporting->world, path))
		return RS_OK;
	RS_TRY(rs_file_read_all(exporting->world, path, NOTE_SIZE_MAX, &note, err));
	RS_TRY(rs_ledger_check_promise(exporting->ledger, key, rs_buffer_str(&note), path, err));
	RS_TRY(rs_checkpoint_verify(rs_buffer_str(&note), key, &checkpoint, err));
	*out = checkpoint.size;
	return RS_OK;
}

enum rs_code rs_ledger_write_tiles(struct rs_ledger *ledger, const struct rs_world *world,
                                   const char *directory, uint64_t *out_files, struct rs_error *err)
{
	struct exporting exporting = {ledger, world, directory, 0};
	uint64_t old_size = 0;
	RS_TRY(rs_directory_make(world, directory, err));
	RS_TRY(exported_size(&exporting, &old_size, err));
	for (unsigned level = 0; level < LEVELS && old_size < rs_ledger_size(ledger); level++)
		RS_TRY(write_level(&exporting, level, old_size, err));
	if (old_size < rs_ledger_size(ledger))
		RS_TRY(write_file(&exporting, "checkpoint", rs_bytes_of_str(rs_ledger_checkpoint(ledger)),
		                  err));
	*out_files = exporting.files;
	return RS_OK;
}

static bool is_number(struct rs_str text, uint64_t maximum)
{
	uint64_t number;
	return rs_parse_u64(text, &number) && number <= maximum && (text.size == 1 || text.data[0] != '0');
}

/* "x001", or at the end "067". */
static bool is_group(struct rs_str text, bool last)
{
	if (text.size != (last ? 3u : 4u) || (!last && text.data[0] != 'x'))
		return false;
	for (size_t i = last ? 0 : 1; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

bool rs_tile_path_valid(struct rs_str path)
{
	struct rs_str rest = path, part;
	if (rs_str_equal_text(path, "/checkpoint"))
		return true;
	if (!rs_str_starts_with(path, "/tile/"))
		return false;
	rest = (struct rs_str){path.data + 6, path.size - 6};
	if (!rs_str_split(&rest, '/', &part) ||
	    (!rs_str_equal_text(part, "entries") && !is_number(part, LEVELS - 1)))
		return false;
	for (size_t groups = 0; groups < 8 && rs_str_split(&rest, '/', &part); groups++) {
		if (part.size == 5 && rs_str_ends_with(part, ".p"))
			return is_group((struct rs_str){part.data, 3}, true) &&
			       is_number(rest, RS_TILE_WIDTH - 1);
		if (rest.size == 0)
			return is_group(part, true);
		if (!is_group(part, false))
			return false;
	}
	return false;
}
