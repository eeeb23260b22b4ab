/* Reading twice has a price: the bytes that are encrypted must be those that were hashed, though others may write to the
 * file. So the first reading computes a tag of each piece (GMAC under a random key, several times as fast as hashing)
 * and the second compares. */
#include "workflow/workflow_source.h"

#include <string.h>

#include "workflow/workflow.h"

#define PIECE_SIZE ((size_t)256 * 1024) /* fits a processor's cache */
#define START_SIZE ((size_t)64 * 1024)  /* bytes: enough to recognise what needs no parsing */

struct piece_tag {
	uint8_t bytes[RS_GCM_TAG_SIZE];
};

static enum rs_code changed(struct rs_error *err)
{
	return rs_error_set(err, RS_IO, "the file changed while it was read; seal it when it is complete");
}

static enum rs_code read_exactly(const struct source *source, uint64_t offset, uint8_t *out, size_t size,
                                 struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(source->file, offset, out, size, &got, err));
	return got == size ? RS_OK : changed(err);
}

static enum rs_code name_file(const struct source *source, enum rs_code code, struct rs_error *err)
{
	rs_error_context(err, "%s", source->path);
	return code; /* rs_error_context() has none to give when err is NULL */
}

static enum rs_code load(struct source *source, size_t maximum, struct rs_error *err)
{
	rs_file_close(source->file);
	source->file = NULL;
	RS_TRY(rs_file_read_all(source->world, source->path, maximum, &source->memory, err));
	source->size = source->memory.size;
	return RS_OK;
}

enum rs_code source_open(const struct rs_world *world, const char *path, size_t memory_max,
                         struct source *out, struct rs_error *err)
{
	*out = (struct source){.world = world, .path = path};
	RS_TRY(rs_file_open_to_read(world, path, RS_ADMIT_SIZE_MAX, &out->file, &out->size, err));
	return out->size <= memory_max || out->size < START_SIZE ? load(out, RS_ADMIT_SIZE_MAX, err) : RS_OK;
}

static enum rs_code read_for_dicom(void *context, uint64_t offset, void *out, size_t size,
                                   struct rs_error *err)
{
	return read_exactly(context, offset, out, size, err);
}

static enum rs_code recognise_large(struct source *source, struct classified *out, bool *out_known,
                                    struct rs_error *err)
{
	struct rs_dicom_source file = {source->size, read_for_dicom, source};
	uint8_t tail[4], *start RS_CLEANUP(rs_free_pointer) = rs_allocate(START_SIZE);
	if (!start)
		return rs_error_memory(err, START_SIZE, "a file's start");
	RS_TRY(read_exactly(source, 0, start, START_SIZE, err));
	RS_TRY(read_exactly(source, source->size - sizeof tail, tail, sizeof tail, err));
	return classify_large(rs_bytes_of(start, START_SIZE), rs_read_le32(tail), &file, out, out_known, err);
}

enum rs_code source_recognise(struct source *source, struct classified *out, struct rs_error *err)
{
	bool known = false;
	enum rs_code code = source->file ? recognise_large(source, out, &known, err) : RS_OK;
	if (code != RS_OK)
		return name_file(source, code, err);
	if (known)
		return RS_OK;
	if (source->file && source->size > SOURCE_PARSED_MAX)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "%s: has %llu bytes and is of no form that is recognised without reading "
		                    "all of it into memory, which is done up to %zu bytes",
		                    source->path, (unsigned long long)source->size, SOURCE_PARSED_MAX);
	if (source->file)
		RS_TRY(load(source, SOURCE_PARSED_MAX, err));
	code = classify(rs_buffer_bytes(&source->memory), out, err);
	return code == RS_OK ? RS_OK : name_file(source, code, err);
}

void source_finish(struct source *source)
{
	rs_file_close(source->file);
	rs_buffer_finish(&source->memory);
	rs_gcm_destroy(source->gcm);
	rs_free(source->tags);
	*source = (struct source){.file = NULL};
}

static enum rs_code tag_piece(const struct source *source, uint64_t number, struct rs_bytes piece,
                              struct piece_tag *out, struct rs_error *err)
{
	uint8_t nonce[RS_GCM_NONCE_SIZE] = {0}, none[1];
	rs_write_be64(nonce, number);
	return rs_gcm_encrypt(source->gcm, nonce, piece, rs_bytes_of(none, 0), none, out->bytes, err);
}

static enum rs_code prepare_tags(struct source *source, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	size_t count = (size_t)((source->size + PIECE_SIZE - 1) / PIECE_SIZE);
	source->tags = rs_allocate_array(count, sizeof *source->tags);
	if (!source->tags)
		return rs_error_memory(err, count * sizeof *source->tags, "a file's tags");
	RS_TRY(rs_secret_random(source->world, &key, err));
	return rs_gcm_create(key.bytes, &source->gcm, err);
}

static enum rs_code hash_pieces(struct source *source, uint8_t *piece, struct rs_sha256 *hash,
                                struct rs_error *err)
{
	for (uint64_t offset = 0; offset < source->size; offset += PIECE_SIZE) {
		uint64_t left = source->size - offset, number = offset / PIECE_SIZE;
		struct rs_bytes bytes = {piece, left < PIECE_SIZE ? (size_t)left : PIECE_SIZE};
		RS_TRY(read_exactly(source, offset, piece, bytes.size, err));
		rs_sha256_update(hash, bytes.data, bytes.size);
		RS_TRY(tag_piece(source, number, bytes, &source->tags[number], err));
	}
	size_t more;
	RS_TRY(rs_file_read_at(source->file, source->size, piece, 1, &more, err));
	return more ? changed(err) : RS_OK;
}

enum rs_code source_hash(struct source *source, struct rs_error *err)
{
	if (!source->file) {
		rs_sha256(rs_buffer_bytes(&source->memory), &source->sha256);
		return RS_OK;
	}
	uint8_t *piece RS_CLEANUP(rs_free_pointer) = rs_reallocate(NULL, PIECE_SIZE);
	struct rs_sha256 hash;
	if (!piece)
		return rs_error_memory(err, PIECE_SIZE, "a piece of a file");
	RS_TRY(prepare_tags(source, err));
	rs_sha256_init(&hash);
	RS_TRY(hash_pieces(source, piece, &hash, err));
	rs_sha256_final(&hash, &source->sha256);
	return RS_OK;
}

static enum rs_code read_memory(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                                struct rs_bytes *out, struct rs_error *err RS_UNUSED)
{
	const struct source *source = context;
	*out = rs_bytes_of(source->memory.data + offset, size);
	return RS_OK;
}

/* The vault's chunks are whole pieces. */
static enum rs_code read_again(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                               struct rs_bytes *out, struct rs_error *err)
{
	const struct source *source = context;
	for (size_t done = 0; done < size; done += PIECE_SIZE) {
		uint64_t number = (offset + done) / PIECE_SIZE;
		struct rs_bytes bytes = {scratch + done, size - done < PIECE_SIZE ? size - done : PIECE_SIZE};
		struct piece_tag tag;
		RS_TRY(read_exactly(source, offset + done, scratch + done, bytes.size, err));
		RS_TRY(tag_piece(source, number, bytes, &tag, err));
		if (!rs_equal_constant_time(tag.bytes, source->tags[number].bytes, sizeof tag.bytes))
			return changed(err);
	}
	*out = rs_bytes_of(scratch, size);
	return RS_OK;
}

struct rs_content source_content(struct source *source)
{
	return (struct rs_content){source->size, source->file ? read_again : read_memory, source};
}
