/* Stored objects: reading, checking and comparing them, address and content. */
#include "places.h"

#include <inttypes.h>
#include <string.h>

/* Walks over a stored object: the address of its bytes, and its chunks to `take` when there is a key. */
struct reading {
	struct rs_file *file;
	struct object_header header;
	uint64_t base, stored_size; /* of the object's bytes in the file */
	struct rs_gcm *gcm;         /* NULL without a key */
	uint8_t *block;             /* STORED_CHUNK_SIZE */
	uint8_t *spare;             /* another one, in turn with it; NULL: none */
	bool is_unaddressed;        /* the address is not recomputed */
	struct rs_cid_builder builder;
};

static void reading_finish(struct reading *reading)
{
	rs_file_close(reading->file);
	rs_gcm_destroy(reading->gcm);
	rs_free(reading->block);
	rs_free(reading->spare);
	rs_cid_builder_finish(&reading->builder);
}

static enum rs_code read_exactly(struct rs_file *file, uint64_t offset, void *out, size_t size,
                                 struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(file, offset, out, size, &got, err));
	if (got != size)
		return rs_error_set(err, RS_ALTERED, "the object ends at byte %" PRIu64, offset + got);
	return RS_OK;
}

static enum rs_code reading_begin_file(const struct rs_world *world, const char *path, uint64_t base,
                                       const struct rs_secret *key, struct reading *reading,
                                       struct rs_error *err)
{
	uint8_t head[RS_OBJECT_HEADER_SIZE];
	uint64_t size;
	size_t got;
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ, &reading->file, err));
	RS_TRY(rs_file_size(reading->file, &size, err));
	reading->base = base;
	reading->stored_size = size > base ? size - base : 0;
	RS_TRY(rs_file_read_at(reading->file, base, head, sizeof head, &got, err));
	RS_TRY(object_header_parse(rs_bytes_of(head, got), reading->stored_size, &reading->header, err));
	uint64_t largest = reading->stored_size < STORED_CHUNK_SIZE ? reading->stored_size
	                                                            : STORED_CHUNK_SIZE;
	reading->block = rs_reallocate(NULL, (size_t)largest);
	if (!reading->block)
		return rs_error_memory(err, (size_t)largest, "a chunk");
	rs_cid_builder_init(&reading->builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	RS_TRY(rs_cid_builder_add(&reading->builder, rs_bytes_of(head, sizeof head), err));
	return key ? rs_gcm_create(key->bytes, &reading->gcm, err) : RS_OK;
}

static enum rs_code reading_begin(struct rs_vault *vault, const struct rs_cid *cid,
                                  const struct rs_secret *key, struct reading *reading, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(object_path(vault, cid, &path, err));
	return reading_begin_file(vault->world, path, 0, key, reading, err);
}

/* Reads chunk `chunk` into the block; *out_plain (with a key) is its decrypted content, in place. */
static enum rs_code reading_chunk(struct reading *reading, uint64_t chunk, struct rs_bytes *out_plain,
                                  struct rs_error *err)
{
	uint64_t offset = RS_OBJECT_HEADER_SIZE + chunk * STORED_CHUNK_SIZE,
		 left = reading->stored_size - offset;
	size_t size = left < STORED_CHUNK_SIZE ? (size_t)left : STORED_CHUNK_SIZE;
	struct rs_bytes stored = {reading->block, size};
	RS_TRY(read_exactly(reading->file, reading->base + offset, reading->block, size, err));
	if (!reading->is_unaddressed)
		RS_TRY(rs_cid_builder_add(&reading->builder, stored, err));
	*out_plain = rs_bytes_of(reading->block, reading->gcm ? size - RS_GCM_TAG_SIZE : 0);
	if (!reading->gcm)
		return RS_OK;
	return object_decrypt_chunk(reading->gcm, &reading->header, chunk, stored, reading->block, err);
}

static enum rs_code reading_end(struct reading *reading, const struct rs_cid *cid, struct rs_error *err)
{
	struct rs_cid found;
	RS_TRY(rs_cid_builder_final(&reading->builder, &found, err));
	if (memcmp(found.bytes, cid->bytes, sizeof found.bytes) != 0)
		return rs_error_set(err, RS_ALTERED,
		                    "the stored bytes do not have the address they are kept under");
	return RS_OK;
}

/* Puts the address before the sentence; NOT_FOUND and the like name the path already. */
enum rs_code name_object(const struct rs_cid *cid, enum rs_code code, struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	if (code == RS_ALTERED)
		rs_error_context(err, "object %s", text);
	return code;
}

static enum rs_code give_content(struct reading *reading, rs_vault_take *take, void *context,
                                 struct rs_error *err)
{
	uint64_t chunks = object_chunk_count(reading->header.size);
	for (uint64_t chunk = 0; chunk < chunks; chunk++) {
		struct rs_bytes plain;
		RS_TRY(reading_chunk(reading, chunk, &plain, err));
		RS_TRY(take(context, plain, err));
		if (reading->spare) {
			uint8_t *taken = reading->block;
			reading->block = reading->spare;
			reading->spare = taken;
		}
	}
	return RS_OK;
}

static enum rs_code append_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	(void)rs_buffer_append_bytes(context, piece);
	return rs_buffer_check(context, "the content of an object", err);
}

static enum rs_code read_content(struct rs_vault *vault, const struct rs_cid *cid,
                                 const struct rs_secret *key, struct rs_buffer *out, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	RS_TRY(reading_begin(vault, cid, key, &reading, err));
	if (reading.header.size > SIZE_MAX || rs_buffer_reserve(out, (size_t)reading.header.size) != RS_OK)
		return rs_buffer_check(out, "the content of an object", err);
	RS_TRY(give_content(&reading, append_piece, out, err));
	return reading_end(&reading, cid, err);
}

enum rs_code rs_vault_read(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                           struct rs_buffer *out, struct rs_error *err)
{
	size_t before = out->size;
	enum rs_code code = read_content(vault, cid, key, out, err);
	if (code != RS_OK)
		out->size = before;
	return name_object(cid, code, err);
}

static enum rs_code read_to(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                            rs_vault_take *take, void *context, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	RS_TRY(reading_begin(vault, cid, key, &reading, err));
	RS_TRY(give_content(&reading, take, context, err));
	return reading_end(&reading, cid, err);
}

enum rs_code rs_vault_read_to(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                              rs_vault_take *take, void *context, struct rs_error *err)
{
	return name_object(cid, read_to(vault, cid, key, take, context, err), err);
}

static enum rs_code give_in_turn(struct reading *reading, rs_vault_take *take, void *context,
                                 struct rs_error *err)
{
	if (reading->stored_size > STORED_CHUNK_SIZE) {
		reading->spare = rs_reallocate(NULL, STORED_CHUNK_SIZE);
		if (!reading->spare)
			return rs_error_memory(err, STORED_CHUNK_SIZE, "a chunk");
	}
	return give_content(reading, take, context, err);
}

enum rs_code rs_vault_read_unaddressed(struct rs_vault *vault, const struct rs_cid *cid,
                                       const struct rs_secret *key, rs_vault_take *take,
                                       void (*leave)(void *context), void *context, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {.is_unaddressed = true};
	enum rs_code code = reading_begin(vault, cid, key, &reading, err);
	if (code == RS_OK)
		code = give_in_turn(&reading, take, context, err);
	if (leave)
		leave(context);
	return name_object(cid, code, err);
}

void rs_vault_expect(struct rs_vault *vault, const struct rs_cid *cid)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	if (object_path(vault, cid, &path, NULL) == RS_OK &&
	    rs_file_open(vault->world, path, RS_OPEN_READ, &file, NULL) == RS_OK)
		rs_file_start_reading(file, 0, 4 * STORED_CHUNK_SIZE);
}

enum rs_code rs_object_read_to(const struct rs_world *world, const char *path, uint64_t offset,
                               const struct rs_cid *cid, const struct rs_secret *key, rs_vault_take *take,
                               void *context, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	enum rs_code code = reading_begin_file(world, path, offset, key, &reading, err);
	if (code == RS_OK)
		code = give_content(&reading, take, context, err);
	if (code == RS_OK)
		code = reading_end(&reading, cid, err);
	return name_object(cid, code, err);
}

static enum rs_code read_stored(struct rs_vault *vault, const struct rs_cid *cid, rs_vault_take *take,
                                void *context, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	RS_TRY(reading_begin(vault, cid, NULL, &reading, err));
	RS_TRY(take(context, rs_bytes_of(reading.header.bytes, sizeof reading.header.bytes), err));
	uint64_t left = reading.stored_size - RS_OBJECT_HEADER_SIZE;
	for (uint64_t chunk = 0; left > 0; chunk++) {
		struct rs_bytes none;
		size_t size = left < STORED_CHUNK_SIZE ? (size_t)left : STORED_CHUNK_SIZE;
		RS_TRY(reading_chunk(&reading, chunk, &none, err));
		RS_TRY(take(context, rs_bytes_of(reading.block, size), err));
		left -= size;
	}
	return reading_end(&reading, cid, err);
}

enum rs_code rs_vault_read_stored(struct rs_vault *vault, const struct rs_cid *cid, rs_vault_take *take,
                                  void *context, struct rs_error *err)
{
	return name_object(cid, read_stored(vault, cid, take, context, err), err);
}

/* What is done with the content: it is compared with what is expected, or else hashed. */
struct checking {
	const struct rs_bytes *expected; /* may be NULL */
	uint64_t seen;
	bool differs;
	struct rs_sha256 hash;
	rs_vault_pace *pace; /* may be NULL */
	void *context;
};

static void take_plain(struct checking *checking, struct rs_bytes plain)
{
	const struct rs_bytes *expected = checking->expected;
	if (!expected)
		rs_sha256_update(&checking->hash, plain.data, plain.size);
	else if (checking->seen + plain.size > expected->size)
		checking->differs = true;
	else if (plain.size && memcmp(expected->data + checking->seen, plain.data, plain.size) != 0)
		checking->differs = true;
	checking->seen += plain.size;
}

/* Reads content and address. The first chunk that cannot be decrypted goes to `reason`; the rest is then
 * read without the key, because the address tells whether the bytes or the key are wrong. */
static enum rs_code check_chunks(struct reading *reading, struct checking *checking, struct rs_error *reason,
                                 struct rs_error *err)
{
	uint64_t chunks = object_chunk_count(reading->header.size);
	for (uint64_t chunk = 0; chunk < chunks; chunk++) {
		struct rs_bytes plain;
		enum rs_code code = reading_chunk(reading, chunk, &plain, reading->gcm ? reason : err);
		if (code == RS_OK) {
			take_plain(checking, plain);
		} else if (code == RS_ALTERED && reading->gcm) {
			rs_gcm_destroy(reading->gcm);
			reading->gcm = NULL;
		} else {
			return reading->gcm ? rs_error_set(err, code, "%s", reason->message) : code;
		}
		if (checking->pace)
			RS_TRY(checking->pace(checking->context, STORED_CHUNK_SIZE, err));
	}
	return RS_OK;
}

static enum rs_code check_object(struct rs_vault *vault, const struct rs_cid *cid,
                                 const struct rs_secret *key, struct checking *checking,
                                 struct rs_object_facts *out, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	struct rs_object_facts facts = {0};
	struct rs_error reason = {0};
	RS_TRY(reading_begin(vault, cid, key, &reading, err));
	rs_sha256_init(&checking->hash);
	RS_TRY(check_chunks(&reading, checking, &reason, err));
	enum rs_code code = reading_end(&reading, cid, err);
	if (code == RS_ALTERED && reason.code != RS_OK)
		return rs_error_set(err, RS_ALTERED, "%s", reason.message);
	RS_TRY(code);
	if (reason.code != RS_OK)
		return rs_error_set(err, RS_ALTERED,
		                    "the stored bytes are the ones of this address, but the key "
		                    "is not the one they were encrypted under");
	memcpy(facts.nonce, reading.header.nonce, sizeof facts.nonce);
	facts.size = reading.header.size;
	if (key)
		rs_sha256_final(&checking->hash, &facts.sha256);
	*out = facts;
	return RS_OK;
}

enum rs_code rs_vault_check(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                            struct rs_object_facts *out, struct rs_error *err)
{
	return rs_vault_check_paced(vault, cid, key, NULL, NULL, out, err);
}

enum rs_code rs_vault_check_paced(struct rs_vault *vault, const struct rs_cid *cid,
                                  const struct rs_secret *key, rs_vault_pace *pace, void *context,
                                  struct rs_object_facts *out, struct rs_error *err)
{
	struct checking checking = {.pace = pace, .context = context};
	return name_object(cid, check_object(vault, cid, key, &checking, out, err), err);
}

enum rs_code rs_vault_compare(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                              struct rs_bytes content, struct rs_error *err)
{
	struct checking checking = {.expected = &content};
	struct rs_object_facts facts;
	enum rs_code code = check_object(vault, cid, key, &checking, &facts, err);
	if (code == RS_OK && (checking.differs || checking.seen != content.size))
		code = rs_error_set(err, RS_ALTERED, "the stored copy has other content");
	return name_object(cid, code, err);
}
