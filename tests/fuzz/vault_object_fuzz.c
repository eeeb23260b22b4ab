/* Hostile bytes where a stored object should be: a world with a vault of one file, which is the input.
 * Read and checked under its own address (so that the address does not refuse it) and under another.
 * Seeds: objects of 0, 5 and 300 bytes under the key of zeros. */
#include <stdlib.h>
#include <string.h>

#include "vault/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct one_file {
	struct rs_files files;
	struct rs_bytes content;
};

static struct one_file world_file;
static struct rs_file opened = {&world_file.files};

static enum rs_code file_open(const struct rs_files *files RS_UNUSED, const char *path RS_UNUSED,
                              unsigned flags RS_UNUSED, unsigned mode RS_UNUSED, struct rs_file **out,
                              struct rs_error *err RS_UNUSED)
{
	*out = &opened;
	return RS_OK;
}

static enum rs_code file_read_at(struct rs_file *file RS_UNUSED, uint64_t offset, void *out, size_t size,
                                 size_t *out_read, struct rs_error *err RS_UNUSED)
{
	size_t left = offset < world_file.content.size ? world_file.content.size - (size_t)offset : 0;
	*out_read = size < left ? size : left;
	if (*out_read > 0)
		memcpy(out, world_file.content.data + offset, *out_read);
	return RS_OK;
}

static enum rs_code file_size(struct rs_file *file RS_UNUSED, uint64_t *out_size,
                              struct rs_error *err RS_UNUSED)
{
	*out_size = world_file.content.size;
	return RS_OK;
}

static void file_close(struct rs_file *file RS_UNUSED) {}

static enum rs_code path_stat(const struct rs_files *files RS_UNUSED, const char *path RS_UNUSED,
                              struct rs_file_stat *out, struct rs_error *err RS_UNUSED)
{
	*out = (struct rs_file_stat){.kind = RS_FILE_DIRECTORY};
	return RS_OK;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Whatever is accepted is accepted by every way in, with the same facts. */
static void read_object(struct rs_vault *vault, const struct rs_cid *cid, bool own_address)
{
	struct rs_secret key = {{0}};
	struct rs_object_facts bare, keyed;
	struct rs_digest digest;
	struct rs_error err = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};

	rs_buffer_init(&out, (size_t)1 << 24);
	enum rs_code code = rs_vault_check(vault, cid, NULL, &bare, &err);
	require(code == RS_OK || err.message[0] != '\0');
	require(code != RS_OK || own_address);
	enum rs_code with_key = rs_vault_check(vault, cid, &key, &keyed, &err);
	require(with_key != RS_OK || code == RS_OK);
	enum rs_code reading = rs_vault_read(vault, cid, &key, &out, &err);
	require((reading == RS_OK) == (with_key == RS_OK) || reading == RS_TOO_LARGE);
	if (reading != RS_OK) {
		require(out.size == 0);
		return;
	}
	rs_sha256(rs_buffer_bytes(&out), &digest);
	require(out.size == keyed.size && keyed.size == bare.size && rs_digest_equal(&digest, &keyed.sha256));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_world world = {.files = &world_file.files};
	struct rs_vault *vault = NULL;
	struct rs_cid cid;
	char text[RS_CID_TEXT_SIZE];

	world_file.files = (struct rs_files){.open = file_open,
	                                     .read_at = file_read_at,
	                                     .size = file_size,
	                                     .close = file_close,
	                                     .stat = path_stat};
	world_file.content = rs_bytes_of(data, size);
	require(rs_vault_open(&world, "/vault", &vault, NULL) == RS_OK);
	require(rs_cid_of(world_file.content, &cid, NULL) == RS_OK);
	read_object(vault, &cid, true);
	rs_cid_format(&cid, text);
	require(rs_cid_parse(rs_str_from(text), &cid));
	cid.bytes[35] ^= 1;
	read_object(vault, &cid, false);
	/* The input as text, in case it is an address. */
	if (rs_cid_parse((struct rs_str){(const char *)data, size}, &cid)) {
		rs_cid_format(&cid, text);
		require(size == strlen(text) && memcmp(text, data, size) == 0);
	}
	rs_vault_close(vault);
	return 0;
}
