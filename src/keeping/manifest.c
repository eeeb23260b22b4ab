/* The manifest of a data backup: a CBOR array {version, time, entries, (name, size, pieces) …}, encrypted. */
#include "manifest.h"

#include <stdio.h>
#include <string.h>

#define MANIFEST_MAX ((size_t)256 << 20)
#define FILES_MAX ((size_t)4096)
#define VERSION 1
#define SUFFIX ".manifest"
#define ASSOCIATED RS_STR("radseal backup manifest v1")

void backup_keys_init(struct backup_keys *keys, const struct rs_keyring *keyring)
{
	rs_keyring_backup_key(keyring, "manifest", &keys->manifest);
	rs_keyring_backup_key(keyring, "tag", &keys->tag);
	rs_keyring_backup_key(keyring, "piece", &keys->piece);
}

void backup_keys_finish(struct backup_keys *keys) { rs_wipe(keys, sizeof *keys); }

void backup_piece_tag(const struct backup_keys *keys, struct rs_bytes content, struct rs_digest *out)
{
	rs_hmac_sha256(rs_bytes_of(keys->tag.bytes, RS_KEY_SIZE), content, out);
}

void backup_piece_key(const struct backup_keys *keys, const struct rs_digest *tag, struct rs_secret *out,
                      uint8_t nonce[static RS_OBJECT_NONCE_SIZE])
{
	rs_hkdf_sha256(rs_bytes_of(keys->piece.bytes, RS_KEY_SIZE), rs_bytes_of("", 0),
	               rs_bytes_of(tag->bytes, RS_SHA256_SIZE), out->bytes, RS_KEY_SIZE);
	rs_hkdf_sha256(rs_bytes_of(out->bytes, RS_KEY_SIZE), rs_bytes_of("", 0),
	               rs_bytes_of_str(RS_STR("nonce")), nonce, RS_OBJECT_NONCE_SIZE);
}

void manifest_finish(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++)
		rs_buffer_finish(&manifest->files[i].pieces);
	rs_free(manifest->files);
	*manifest = (struct manifest){.time_ms = 0};
}

enum rs_code manifest_add(struct manifest *manifest, struct rs_str name, struct saved_file **out,
                          struct rs_error *err)
{
	if (name.size == 0 || name.size > SAVED_NAME_MAX || manifest->count == FILES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a backup takes %zu files, with names up to %d bytes",
		                    FILES_MAX, SAVED_NAME_MAX);
	struct saved_file *files = rs_reallocate(manifest->files, (manifest->count + 1) * sizeof *files);
	if (!files)
		return rs_error_memory(err, sizeof *files, "a backup");
	manifest->files = files;
	*out = &files[manifest->count++];
	**out = (struct saved_file){.size = 0};
	memcpy((*out)->name, name.data, name.size);
	rs_buffer_init(&(*out)->pieces, MANIFEST_MAX);
	return RS_OK;
}

const struct saved_file *manifest_find(const struct manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (strcmp(manifest->files[i].name, name) == 0)
			return &manifest->files[i];
	return NULL;
}

size_t saved_piece_count(const struct saved_file *file) { return file->pieces.size / PIECE_ENTRY_SIZE; }

void saved_piece(const struct saved_file *file, size_t index, struct rs_digest *out_tag,
                 struct rs_cid *out_cid)
{
	const uint8_t *entry = file->pieces.data + index * PIECE_ENTRY_SIZE;
	memcpy(out_tag->bytes, entry, RS_SHA256_SIZE);
	memcpy(out_cid->bytes, entry + RS_SHA256_SIZE, sizeof out_cid->bytes);
}

static enum rs_code encode(const struct manifest *manifest, struct rs_buffer *out, struct rs_error *err)
{
	rs_cbor_write_array(out, 3 + 3 * manifest->count);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, manifest->time_ms);
	rs_cbor_write_u64(out, manifest->entries);
	for (size_t i = 0; i < manifest->count; i++) {
		const struct saved_file *file = &manifest->files[i];
		rs_cbor_write_str(out, rs_str_from(file->name));
		rs_cbor_write_u64(out, file->size);
		rs_cbor_write_bytes(out, rs_buffer_bytes(&file->pieces));
	}
	return rs_buffer_check(out, "the manifest of a backup", err);
}

static enum rs_code decode_file(struct rs_cbor_reader *reader, struct manifest *out, struct rs_error *err)
{
	struct saved_file *file;
	struct rs_bytes pieces;
	struct rs_str name;
	struct rs_cid cid;
	RS_TRY(rs_cbor_read_str(reader, "name", &name, err));
	RS_TRY(manifest_add(out, name, &file, err));
	RS_TRY(rs_cbor_read_u64(reader, "size", &file->size, err));
	RS_TRY(rs_cbor_read_bytes(reader, "pieces", &pieces, err));
	if (pieces.size % PIECE_ENTRY_SIZE ||
	    pieces.size / PIECE_ENTRY_SIZE != file->size / PIECE_SIZE + (file->size % PIECE_SIZE != 0))
		return rs_error_set(err, RS_MALFORMED, "%s: its pieces do not make up its size", file->name);
	for (size_t at = RS_SHA256_SIZE; at < pieces.size; at += PIECE_ENTRY_SIZE)
		if (!rs_cid_from_bytes(rs_bytes_of(pieces.data + at, sizeof cid.bytes), &cid))
			return rs_error_set(err, RS_MALFORMED, "%s: an address is none", file->name);
	rs_buffer_append_bytes(&file->pieces, pieces);
	return rs_buffer_check(&file->pieces, "pieces", err);
}

enum rs_code manifest_decode(struct rs_bytes encoded, struct manifest *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t version;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, encoded, err));
	RS_TRY(rs_cbor_read_array(&reader, "manifest", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "version %llu of a backup; this radseal reads %d",
		                    (unsigned long long)version, VERSION);
	if (count < 3 || count % 3)
		return rs_error_set(err, RS_MALFORMED, "a manifest has three values for each file");
	RS_TRY(rs_cbor_read_u64(&reader, "time", &out->time_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "entries", &out->entries, err));
	for (size_t i = 1; i < count / 3; i++)
		RS_TRY(decode_file(&reader, out, err));
	return RS_OK;
}

/* Sorted by name they are sorted by time. */
static void name_of(uint64_t time_ms, char *out)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, text); /* 2026-11-21T03:04:05.678Z */
	size_t size = 0;
	for (const char *at = text; *at && size + 1 < RS_BACKUP_NAME_SIZE; at++)
		if (*at != '-' && *at != ':' && *at != '.')
			out[size++] = *at;
	out[size] = '\0';
}

static enum rs_code path_of(const char *directory, const char *name, char **out, struct rs_error *err)
{
	*out = rs_text_printf("%s/backups/%s" SUFFIX, directory, name);
	return *out ? RS_OK : rs_error_memory(err, 1, "a path");
}

enum rs_code manifest_write(const struct rs_world *world, const char *directory,
                            const struct backup_keys *keys, const struct manifest *manifest, char *out_name,
                            struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char name[RS_BACKUP_NAME_SIZE];
	name_of(manifest->time_ms, name);
	rs_buffer_init(&plain, MANIFEST_MAX);
	rs_buffer_init(&box, MANIFEST_MAX + RS_BOX_OVERHEAD);
	RS_TRY(encode(manifest, &plain, err));
	RS_TRY(rs_box_seal(world, &keys->manifest, rs_bytes_of_str(ASSOCIATED), rs_buffer_bytes(&plain), &box,
	                   err));
	RS_TRY(path_of(directory, name, &path, err));
	RS_TRY(rs_file_replace(world, path, rs_buffer_bytes(&box), 0600, err));
	memcpy(out_name, name, sizeof name);
	return RS_OK;
}

static enum rs_code collect_name(void *context, struct rs_str name, enum rs_file_kind kind,
                                 struct rs_error *err)
{
	struct rs_buffer *names = context;
	char text[RS_BACKUP_NAME_SIZE] = {0};
	if (kind != RS_FILE_REGULAR || !rs_str_ends_with(name, SUFFIX) ||
	    name.size - strlen(SUFFIX) >= sizeof text)
		return RS_OK;
	memcpy(text, name.data, name.size - strlen(SUFFIX));
	rs_buffer_append(names, text, sizeof text);
	return rs_buffer_check(names, "backups", err);
}

enum rs_code manifest_list(const struct rs_world *world, const char *directory, struct rs_buffer *out,
                           struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "backups");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	rs_buffer_init(out, (size_t)1 << 24);
	if (!rs_path_exists(world, path))
		return RS_OK;
	return world->files->list(world->files, path, collect_name, out, err);
}

enum rs_code manifest_remove(const struct rs_world *world, const char *directory, const char *name,
                             struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(path_of(directory, name, &path, err));
	return world->files->remove(world->files, path, err);
}

static enum rs_code newest(const struct rs_world *world, const char *directory, char *out_name,
                           struct rs_error *err)
{
	struct rs_buffer names RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(manifest_list(world, directory, &names, err));
	if (names.size == 0)
		return rs_error_set(err, RS_NOT_FOUND, "%s: there is no backup here", directory);
	memcpy(out_name, names.data + names.size - RS_BACKUP_NAME_SIZE, RS_BACKUP_NAME_SIZE);
	return RS_OK;
}

static enum rs_code read_path(const struct rs_world *world, const char *path, const struct backup_keys *keys,
                              struct manifest *out, struct rs_error *err)
{
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer plain RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, MANIFEST_MAX + RS_BOX_OVERHEAD, &box, err));
	rs_buffer_init(&plain, MANIFEST_MAX);
	enum rs_code code = rs_box_open(&keys->manifest, rs_bytes_of_str(ASSOCIATED), rs_buffer_bytes(&box),
	                                &plain, err);
	if (code == RS_ALTERED)
		return rs_error_set(err, RS_ALTERED,
		                    "%s: is altered, or belongs to another node's keys; name an older backup "
		                    "with --backup",
		                    path);
	RS_TRY(code);
	return manifest_decode(rs_buffer_bytes(&plain), out, err);
}

enum rs_code manifest_read(const struct rs_world *world, const char *directory,
                           const struct backup_keys *keys, const char *name, struct manifest *out,
                           char *out_name, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct manifest manifest = {.time_ms = 0};
	char found[RS_BACKUP_NAME_SIZE] = {0};
	if (name)
		snprintf(found, sizeof found, "%s", name);
	else
		RS_TRY(newest(world, directory, found, err));
	RS_TRY(path_of(directory, found, &path, err));
	enum rs_code code = read_path(world, path, keys, &manifest, err);
	if (code != RS_OK) {
		manifest_finish(&manifest);
		return code;
	}
	*out = manifest;
	memcpy(out_name, found, sizeof found);
	return RS_OK;
}

enum rs_code saved_each_piece(struct rs_vault *vault, const struct backup_keys *keys,
                              const struct saved_file *file, saved_take *take, void *context,
                              struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&plain, PIECE_SIZE);
	for (size_t i = 0; i < saved_piece_count(file); i++) {
		struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
		uint8_t nonce[RS_OBJECT_NONCE_SIZE];
		struct rs_digest tag, found;
		struct rs_cid cid;
		saved_piece(file, i, &tag, &cid);
		backup_piece_key(keys, &tag, &key, nonce);
		rs_buffer_clear(&plain);
		enum rs_code code = rs_vault_read(vault, &cid, &key, &plain, err);
		if (code == RS_ALTERED || code == RS_NOT_FOUND) {
			rs_error_context(err, "%s in the backup", file->name);
			return err ? (err->code = RS_ALTERED) : RS_ALTERED;
		}
		RS_TRY(code);
		backup_piece_tag(keys, rs_buffer_bytes(&plain), &found);
		uint64_t left = file->size - (uint64_t)i * PIECE_SIZE;
		if (!rs_digest_equal(&found, &tag) || plain.size != (left < PIECE_SIZE ? left : PIECE_SIZE))
			return rs_error_set(err, RS_ALTERED, "%s in the backup: a piece is another one",
			                    file->name);
		RS_TRY(take(context, (uint64_t)i * PIECE_SIZE, rs_buffer_bytes(&plain), err));
	}
	return RS_OK;
}

static enum rs_code append_piece(void *context, uint64_t offset RS_UNUSED, struct rs_bytes piece,
                                 struct rs_error *err)
{
	struct rs_buffer *out = context;
	rs_buffer_append_bytes(out, piece);
	return rs_buffer_check(out, "a saved file", err);
}

enum rs_code saved_read(struct rs_vault *vault, const struct backup_keys *keys, const struct saved_file *file,
                        size_t maximum, struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_init(out, maximum);
	return saved_each_piece(vault, keys, file, append_piece, out, err);
}
