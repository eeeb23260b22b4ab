/* Key-store backups: one file each, a CBOR array {version, made, until, vkey, keys/node.key, box}; in the box {subject keys,
 * last checkpoint, cosigned checkpoint, (name, content) of members' key files …}. What is outside of the box is its
 * associated data. */
#include <stdio.h>
#include <string.h>

#include "backup.h"

#define VERSION 1
#define FILE_MAX ((size_t)1 << 30)
#define DAY_MS ((uint64_t)24 * 3600 * 1000)
#define PREFIX "radseal-keys-"
#define SUFFIX ".backup"
#define MEMBERS_MAX ((size_t)30000)
#define MEMBER_FILE_MAX ((size_t)64 << 20) /* names.box */

void key_backup_finish(struct key_backup *backup)
{
	rs_buffer_finish(&backup->file);
	rs_secret_buffer_finish(&backup->secret);
}

/* Up to the box. */
static void write_outer(struct rs_buffer *out, uint64_t made_ms, uint64_t until_ms, struct rs_str vkey,
                        struct rs_bytes node_key)
{
	rs_cbor_write_array(out, 6);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, made_ms);
	rs_cbor_write_u64(out, until_ms);
	rs_cbor_write_str(out, vkey);
	rs_cbor_write_bytes(out, node_key);
}

enum rs_code key_backup_parse(struct rs_bytes file, struct key_backup *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t version;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, file, err));
	RS_TRY(rs_cbor_read_array(&reader, "key-store backup", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (count != 6 || version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "no key-store backup of version %d", VERSION);
	RS_TRY(rs_cbor_read_u64(&reader, "time", &out->made_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "day", &out->until_ms, err));
	RS_TRY(rs_cbor_read_str(&reader, "verifier key", &out->vkey, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "node.key", &out->node_key, err));
	out->outer = rs_bytes_of(file.data, reader.position);
	return rs_cbor_read_bytes(&reader, "box", &out->box, err);
}

enum rs_code key_backup_read(const struct rs_world *world, const char *path, struct key_backup *out,
                             struct rs_error *err)
{
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &out->file, err));
	if (key_backup_parse(rs_buffer_bytes(&out->file), out, err) == RS_OK)
		return RS_OK;
	return rs_error_context(err, "%s: is no key-store backup, or an altered one", path);
}

enum rs_code key_backup_parse_secret(struct rs_bytes secret, struct key_backup *backup, struct rs_error *err)
{
	struct rs_cbor_reader *reader = &backup->members;
	size_t count;
	RS_TRY(rs_cbor_reader_init(reader, secret, err));
	RS_TRY(rs_cbor_read_array(reader, "key store", &count, err));
	if (count < 3 || count % 2 == 0)
		return rs_error_set(err, RS_MALFORMED, "the key store has %zu values", count);
	RS_TRY(rs_cbor_read_bytes(reader, "subject keys", &backup->subjects, err));
	RS_TRY(rs_cbor_read_str(reader, "checkpoint", &backup->last, err));
	RS_TRY(rs_cbor_read_str(reader, "cosigned checkpoint", &backup->cosigned, err));
	backup->member_count = (count - 3) / 2;
	return RS_OK;
}

enum rs_code key_backup_open(struct key_backup *backup, const struct rs_keyring *keyring,
                             struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	rs_keyring_backup_key(keyring, "keys", &key);
	rs_buffer_init(&backup->secret, backup->box.size);
	RS_TRY(rs_box_open(&key, backup->outer, backup->box, &backup->secret, err));
	return key_backup_parse_secret(rs_buffer_bytes(&backup->secret), backup, err);
}

bool key_backup_is_members(struct rs_str name)
{
	static const char *const endings[] = {".key", ".pub"};
	if (rs_str_equal_text(name, "node.key") || rs_str_equal_text(name, "unlock.key") || name.size == 0 ||
	    name.data[0] == '.' || memchr(name.data, '/', name.size))
		return false;
	for (size_t i = 0; i < RS_COUNT(endings); i++)
		if (rs_str_ends_with(name, endings[i]))
			return true;
	return rs_str_equal_text(name, "names.box");
}

struct members {
	const struct rs_node *node;
	struct rs_buffer encoded;
	size_t count;
};

static enum rs_code add_member(void *context, struct rs_str name, enum rs_file_kind kind,
                               struct rs_error *err)
{
	struct members *members = context;
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	if (kind != RS_FILE_REGULAR || !key_backup_is_members(name))
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s/keys/" RS_STR_FORMAT, members->node->directory, RS_STR_ARGUMENTS(name));
	if (!path || members->count == MEMBERS_MAX)
		return rs_error_memory(err, MEMBERS_MAX, "members' key files");
	RS_TRY(rs_file_read_all(members->node->world, path, MEMBER_FILE_MAX, &content, err));
	rs_cbor_write_str(&members->encoded, name);
	rs_cbor_write_bytes(&members->encoded, rs_buffer_bytes(&content));
	members->count++;
	return rs_buffer_check(&members->encoded, "members' key files", err);
}

static enum rs_code collect_members(struct members *members, struct rs_error *err)
{
	const struct rs_files *files = members->node->world->files;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(members->node, "keys", &path, err));
	rs_buffer_init(&members->encoded, FILE_MAX);
	return files->list(files, path, add_member, members, err);
}

static enum rs_code write_inner(struct rs_node *node, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer subjects RS_CLEANUP(rs_buffer_finish) = {0};
	struct members members = {.node = node};
	struct node_promises promises RS_CLEANUP(node_promises_finish) = {0};
	rs_buffer_init(&subjects, FILE_MAX);
	RS_TRY(rs_subject_keys_export(node->subjects, &subjects, err));
	RS_TRY(node_promises_read(node, &promises, err));
	enum rs_code code = collect_members(&members, err);
	rs_cbor_write_array(out, 3 + 2 * members.count);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&subjects));
	rs_cbor_write_str(out, rs_buffer_str(&promises.last));
	rs_cbor_write_str(out, rs_buffer_str(&promises.cosigned));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&members.encoded));
	rs_buffer_finish(&members.encoded);
	RS_TRY(code);
	return rs_buffer_check(out, "the key store", err);
}

static enum rs_code make_file(struct rs_node *node, uint64_t made_ms, uint64_t until_ms,
                              struct rs_buffer *out, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer node_key RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer inner RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, "keys/node.key", &path, err));
	RS_TRY(rs_file_read_all(node->world, path, MEMBER_FILE_MAX, &node_key, err));
	rs_buffer_init(&inner, FILE_MAX);
	rs_buffer_init(&box, FILE_MAX);
	rs_buffer_init(out, FILE_MAX);
	RS_TRY(write_inner(node, &inner, err));
	write_outer(out, made_ms, until_ms, rs_str_from(node->vkey), rs_buffer_bytes(&node_key));
	rs_keyring_backup_key(node->keyring, "keys", &key);
	RS_TRY(rs_buffer_check(out, "a key-store backup", err));
	RS_TRY(rs_box_seal(node->world, &key, rs_buffer_bytes(out), rs_buffer_bytes(&inner), &box, err));
	rs_cbor_write_bytes(out, rs_buffer_bytes(&box));
	return rs_buffer_check(out, "a key-store backup", err);
}

static char *name_file(const char *directory, uint64_t made_ms, uint64_t until_ms)
{
	char made[RS_TIME_TEXT_SIZE], until[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(made_ms, made);
	rs_format_time_ms(until_ms, until);
	for (char *at = made; *at; at++)
		if (*at == ':' || *at == '.')
			*at = '-';
	until[10] = '\0'; /* the day */
	return rs_text_printf("%s/" PREFIX "%s-until-%s" SUFFIX, directory, made, until);
}

struct expiring {
	const struct rs_node *node;
	const char *directory;
	uint64_t now_ms, count;
};

static enum rs_code expire_one(void *context, struct rs_str name, enum rs_file_kind kind,
                               struct rs_error *err)
{
	struct expiring *expiring = context;
	const struct rs_world *world = expiring->node->world;
	struct key_backup backup RS_CLEANUP(key_backup_finish) = {.made_ms = 0};
	if (kind != RS_FILE_REGULAR || !rs_str_starts_with(name, PREFIX) || !rs_str_ends_with(name, SUFFIX))
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, expiring->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	if (key_backup_read(world, path, &backup, NULL) != RS_OK || backup.until_ms >= expiring->now_ms ||
	    !rs_str_equal_text(backup.vkey, expiring->node->vkey))
		return RS_OK;
	RS_TRY(world->files->remove(world->files, path, err));
	expiring->count++;
	return RS_OK;
}

static enum rs_code expire(struct rs_node *node, const char *directory, uint64_t now_ms, uint64_t *out_count,
                           struct rs_error *err)
{
	struct expiring expiring = {node, directory, now_ms, 0};
	RS_TRY(node->world->files->list(node->world->files, directory, expire_one, &expiring, err));
	*out_count = expiring.count;
	return expiring.count ? node->world->files->sync_directory(node->world->files, directory, err)
	                      : RS_OK;
}

/* Read again as a restore would. */
static enum rs_code verify(struct rs_node *node, const char *path, struct rs_error *err)
{
	struct key_backup backup RS_CLEANUP(key_backup_finish) = {.made_ms = 0};
	RS_TRY(key_backup_read(node->world, path, &backup, err));
	return key_backup_open(&backup, node->keyring, err);
}

enum rs_code rs_node_backup_keys(struct rs_node *node, const char *directory, uint64_t days, char **out_path,
                                 struct rs_key_backup_counts *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	uint64_t now_ms = rs_world_now_ms(node->world), until_ms = now_ms + days * DAY_MS;
	struct rs_key_backup_counts counts = {.subjects = 0};
	RS_TRY(make_file(node, now_ms, until_ms, &file, err));
	RS_TRY(rs_directory_make(node->world, directory, err));
	char *path RS_CLEANUP(rs_free_pointer) = name_file(directory, now_ms, until_ms);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_replace(node->world, path, rs_buffer_bytes(&file), 0600, err));
	RS_TRY(verify(node, path, err));
	RS_TRY(expire(node, directory, now_ms, &counts.expired, err));
	RS_TRY(rs_subject_keys_count(node->subjects, &counts.subjects, err));
	rs_format_time_ms(now_ms, counts.made_at);
	rs_format_time_ms(until_ms, counts.expires_at);
	*out = counts;
	*out_path = path;
	path = NULL;
	return RS_OK;
}
