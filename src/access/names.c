/* Local names: an encrypted file of (key, salt, name). */
#include "names.h"

#include <string.h>

#define NAMES_MAX 100000
#define FILE_SIZE_MAX ((size_t)64 << 20)
#define PURPOSE "radseal names v1"
#define LABEL_PURPOSE "radseal member name v1" /* hashed with its zero byte */

void names_finish(struct names *names)
{
	if (names->list)
		rs_wipe(names->list, names->count * sizeof *names->list);
	rs_free(names->list);
}

static void box_key(const struct rs_node *node, struct rs_secret *out)
{
	const struct rs_secret *kek = rs_keyring_kek(node->keyring);
	rs_hkdf_sha256(rs_bytes_of(kek->bytes, sizeof kek->bytes), rs_bytes_of("", 0),
	               rs_bytes_of_str(RS_STR(PURPOSE)), out->bytes, sizeof out->bytes);
}

static enum rs_code read_one(struct rs_cbor_reader *reader, struct kept_name *out, struct rs_error *err)
{
	struct rs_str text;
	size_t count;
	RS_TRY(rs_cbor_read_array(reader, "name", &count, err));
	if (count != 3)
		return rs_error_set(err, RS_MALFORMED, "a name has 3 parts, not %zu", count);
	RS_TRY(rs_cbor_read_fixed(reader, "key", out->key.bytes, sizeof out->key.bytes, err));
	RS_TRY(rs_cbor_read_fixed(reader, "salt", out->salt, sizeof out->salt, err));
	RS_TRY(rs_cbor_read_str(reader, "name", &text, err));
	if (text.size > RS_LOCAL_NAME_MAX)
		return rs_error_set(err, RS_MALFORMED, "a name has %zu bytes", text.size);
	memcpy(out->text, text.data, text.size);
	return RS_OK;
}

static enum rs_code parse(struct rs_bytes plain, struct names *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, plain, err));
	RS_TRY(rs_cbor_read_array(&reader, "names", &count, err));
	if (count > NAMES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%zu names, at most %d", count, NAMES_MAX);
	out->list = rs_allocate_array(count, sizeof *out->list);
	if (!out->list)
		return rs_error_memory(err, count * sizeof *out->list, "names");
	out->count = count;
	for (size_t i = 0; i < count; i++)
		RS_TRY(read_one(&reader, &out->list[i], err));
	return RS_OK;
}

enum rs_code names_read(const struct rs_node *node, struct names *out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(node_path(node, "keys/names.box", &path, err));
	if (!rs_path_exists(node->world, path))
		return RS_OK;
	box_key(node, &key);
	RS_TRY(rs_file_read_all(node->world, path, FILE_SIZE_MAX, &box, err));
	rs_buffer_init(&plain, FILE_SIZE_MAX);
	rs_buffer_reserve(&plain, box.size);
	enum rs_code code = rs_box_open(&key, rs_bytes_of_str(RS_STR(PURPOSE)), rs_buffer_bytes(&box), &plain,
	                                err);
	if (code == RS_OK)
		code = parse(rs_buffer_bytes(&plain), out, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

static enum rs_code names_write(const struct rs_node *node, const struct names *names, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(node_path(node, "keys/names.box", &path, err));
	rs_buffer_init(&plain, FILE_SIZE_MAX);
	rs_buffer_init(&box, FILE_SIZE_MAX + RS_BOX_OVERHEAD);
	rs_cbor_write_array(&plain, names->count);
	for (size_t i = 0; i < names->count; i++) {
		const struct kept_name *name = &names->list[i];
		rs_cbor_write_array(&plain, 3);
		rs_cbor_write_bytes(&plain, rs_bytes_of(name->key.bytes, sizeof name->key.bytes));
		rs_cbor_write_bytes(&plain, rs_bytes_of(name->salt, sizeof name->salt));
		rs_cbor_write_str(&plain, rs_str_from(name->text));
	}
	RS_TRY(rs_buffer_check(&plain, "names", err));
	box_key(node, &key);
	RS_TRY(rs_box_seal(node->world, &key, rs_bytes_of_str(RS_STR(PURPOSE)), rs_buffer_bytes(&plain), &box,
	                   err));
	return rs_file_replace(node->world, path, rs_buffer_bytes(&box), 0600, err);
}

const struct kept_name *names_find(const struct names *names, const struct rs_member_key *key)
{
	for (size_t i = 0; i < names->count; i++)
		if (rs_member_key_equal(&names->list[i].key, key))
			return &names->list[i];
	return NULL;
}

void name_label(const struct kept_name *name, struct rs_digest *out)
{
	const struct rs_bytes parts[] = {rs_bytes_of(LABEL_PURPOSE, sizeof LABEL_PURPOSE),
	                                 rs_bytes_of(name->key.bytes, sizeof name->key.bytes),
	                                 rs_bytes_of_str(rs_str_from(name->text))};
	rs_hmac_sha256_parts(rs_bytes_of(name->salt, sizeof name->salt), parts, RS_COUNT(parts), out);
}

/* Without what is known of the key, with room for one more. */
static enum rs_code without(const struct names *names, const struct rs_member_key *key, struct names *out,
                            struct rs_error *err)
{
	out->list = rs_allocate_array(names->count + 1, sizeof *out->list);
	if (!out->list)
		return rs_error_memory(err, sizeof *out->list, "names");
	for (size_t i = 0; i < names->count; i++)
		if (!rs_member_key_equal(&names->list[i].key, key))
			out->list[out->count++] = names->list[i];
	return RS_OK;
}

static enum rs_code check_writing(const struct rs_node *node, struct rs_error *err)
{
	return node->access == RS_NODE_WRITE
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE, "the node is open for reading only");
}

enum rs_code rs_node_name_keep(struct rs_node *node, const struct rs_member_key *key, struct rs_str name,
                               struct rs_digest *out_label, struct rs_error *err)
{
	struct names names RS_CLEANUP(names_finish) = {.count = 0},
			   changed RS_CLEANUP(names_finish) = {.count = 0};
	if (name.size == 0 || name.size > RS_LOCAL_NAME_MAX || !rs_utf8_valid(name) ||
	    memchr(name.data, '\0', name.size))
		return rs_error_set(err, RS_USAGE, "a name has 1 to %d bytes of UTF-8", RS_LOCAL_NAME_MAX);
	RS_TRY(check_writing(node, err));
	RS_TRY(names_read(node, &names, err));
	const struct kept_name *known = names_find(&names, key);
	if (known && rs_str_equal_text(name, known->text)) {
		name_label(known, out_label);
		return RS_OK;
	}
	if (names.count == NAMES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the node keeps %d names already", NAMES_MAX);
	RS_TRY(without(&names, key, &changed, err));
	struct kept_name *fresh = &changed.list[changed.count];
	fresh->key = *key;
	memcpy(fresh->text, name.data, name.size);
	RS_TRY(rs_world_random(node->world, fresh->salt, sizeof fresh->salt, err));
	changed.count++;
	RS_TRY(names_write(node, &changed, err));
	name_label(fresh, out_label);
	return RS_OK;
}

enum rs_code rs_node_name_forget(struct rs_node *node, const struct rs_member_key *key, struct rs_error *err)
{
	struct names names RS_CLEANUP(names_finish) = {.count = 0},
			   changed RS_CLEANUP(names_finish) = {.count = 0};
	RS_TRY(check_writing(node, err));
	RS_TRY(names_read(node, &names, err));
	if (!names_find(&names, key))
		return rs_error_set(err, RS_NOT_FOUND, "the node keeps no name for this key");
	RS_TRY(without(&names, key, &changed, err));
	return names_write(node, &changed, err);
}
