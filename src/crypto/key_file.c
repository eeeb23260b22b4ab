/* Key files: a payload encrypted under a key made from a passphrase or an unlock file.
 *
 *   radseal key file v1\n
 *   {"kdf": text, "mem": bytes, "ops": count, "salt": 16 bytes, "nonce": 12 bytes, "sealed": bytes}
 *
 * The map is deterministic CBOR, so "sealed" comes last, and everything before its content —
 * the head — is the associated data of the encryption: no byte of the file can be changed
 * unnoticed. */
#include "crypto/crypto.h"

#include <sodium.h>

#define MAGIC "radseal key file v1\n"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define HEAD_MAX 256
#define FILE_MAX (HEAD_MAX + RS_KEY_FILE_PAYLOAD_MAX + RS_GCM_TAG_SIZE)
#define SALT_SIZE 16
#define UNLOCK_FILE_MIN 32
#define PASSPHRASE_MAX 4096

#define KDF_PASSPHRASE "argon2id-v1.3"
#define KDF_UNLOCK_FILE "hkdf-sha256"
#define HKDF_INFO "radseal key file v1"

/* RFC 9106 §4, second recommended option: 3 passes over 64 MiB. */
#define ARGON2_OPS 3
#define ARGON2_MEM ((uint64_t)64 << 20)
/* What a file may ask for: more would let a planted file exhaust the machine. */
#define ARGON2_OPS_MAX 16
#define ARGON2_MEM_MIN 8192
#define ARGON2_MEM_MAX ((uint64_t)1 << 30)

_Static_assert(SALT_SIZE == crypto_pwhash_SALTBYTES, "Argon2id salt");

struct head {
	bool passphrase;
	uint64_t mem, ops;
	uint8_t salt[SALT_SIZE];
	uint8_t nonce[RS_GCM_NONCE_SIZE];
};

static enum rs_code check_unlock(const struct rs_unlock *unlock, struct rs_error *err)
{
	bool passphrase = unlock->passphrase.size > 0, file = unlock->unlock_file.size > 0;
	if (passphrase == file)
		return rs_error_set(err, RS_USAGE, "give %s: a passphrase or an unlock file",
		                    passphrase ? "only one of the two" : "one of the two, not empty");
	if (file && unlock->unlock_file.size < UNLOCK_FILE_MIN)
		return rs_error_set(err, RS_USAGE,
		                    "the unlock file has %zu bytes; it needs at least %d "
		                    "random bytes",
		                    unlock->unlock_file.size, UNLOCK_FILE_MIN);
	if (unlock->passphrase.size > PASSPHRASE_MAX)
		return rs_error_set(err, RS_USAGE, "the passphrase has %zu bytes; %d are allowed",
		                    unlock->passphrase.size, PASSPHRASE_MAX);
	return RS_OK;
}

static enum rs_code derive(const struct head *head, const struct rs_unlock *unlock, struct rs_secret *out,
                           struct rs_error *err)
{
	if (!head->passphrase) {
		rs_hkdf_sha256(unlock->unlock_file, rs_bytes_of(head->salt, SALT_SIZE),
		               rs_bytes_of_str(RS_STR(HKDF_INFO)), out->bytes, sizeof(out->bytes));
		return RS_OK;
	}
	if (crypto_pwhash(out->bytes, sizeof(out->bytes), (const char *)unlock->passphrase.data,
	                  unlock->passphrase.size, head->salt, head->ops, (size_t)head->mem,
	                  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return rs_error_memory(err, (size_t)head->mem, "Argon2id");
	return RS_OK;
}

/* Everything up to the content of "sealed". */
static void write_head(struct rs_buffer *out, const struct head *head, size_t sealed_size)
{
	rs_buffer_append_text(out, MAGIC);
	rs_cbor_write_map(out, 6);
	rs_cbor_write_str(out, RS_STR("kdf"));
	rs_cbor_write_str(out, head->passphrase ? RS_STR(KDF_PASSPHRASE) : RS_STR(KDF_UNLOCK_FILE));
	rs_cbor_write_str(out, RS_STR("mem"));
	rs_cbor_write_u64(out, head->mem);
	rs_cbor_write_str(out, RS_STR("ops"));
	rs_cbor_write_u64(out, head->ops);
	rs_cbor_write_str(out, RS_STR("salt"));
	rs_cbor_write_bytes(out, rs_bytes_of(head->salt, SALT_SIZE));
	rs_cbor_write_str(out, RS_STR("nonce"));
	rs_cbor_write_bytes(out, rs_bytes_of(head->nonce, RS_GCM_NONCE_SIZE));
	rs_cbor_write_str(out, RS_STR("sealed"));
	/* A byte string's head (RFC 8949 §3, major type 2), its content follows. */
	if (sealed_size < 24) {
		rs_buffer_append_u8(out, (uint8_t)(0x40 + sealed_size));
	} else if (sealed_size <= UINT8_MAX) {
		rs_buffer_append_u8(out, 0x58);
		rs_buffer_append_u8(out, (uint8_t)sealed_size);
	} else {
		bool wide = sealed_size > UINT16_MAX;
		uint8_t size[4];
		rs_write_be32(size, (uint32_t)sealed_size);
		rs_buffer_append_u8(out, wide ? 0x5a : 0x59);
		rs_buffer_append(out, wide ? size : size + 2, wide ? 4 : 2);
	}
}

static enum rs_code build(const struct head *head, const struct rs_unlock *unlock, struct rs_bytes payload,
                          struct rs_buffer *file, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	size_t sealed_size = payload.size + RS_GCM_TAG_SIZE, head_size;

	write_head(file, head, sealed_size);
	head_size = file->size;
	rs_buffer_reserve(file, sealed_size);
	RS_TRY(rs_buffer_check(file, "a key file", err));
	RS_TRY(derive(head, unlock, &key, err));
	RS_TRY(rs_gcm_create(key.bytes, &gcm, err));
	RS_TRY(rs_gcm_encrypt(gcm, head->nonce, rs_bytes_of(file->data, head_size), payload,
	                      file->data + head_size, file->data + head_size + payload.size, err));
	file->size += sealed_size;
	return RS_OK;
}

enum rs_code rs_key_file_write(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                               struct rs_bytes payload, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct head head = {.passphrase = unlock->passphrase.size > 0};

	rs_buffer_init(&file, FILE_MAX);
	if (check_unlock(unlock, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	if (payload.size > RS_KEY_FILE_PAYLOAD_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%s: a key file holds at most %d bytes, not %zu", path,
		                    RS_KEY_FILE_PAYLOAD_MAX, payload.size);
	if (head.passphrase) {
		head.mem = ARGON2_MEM;
		head.ops = ARGON2_OPS;
	}
	RS_TRY(rs_world_random(world, head.salt, sizeof(head.salt), err));
	RS_TRY(rs_world_random(world, head.nonce, sizeof(head.nonce), err));
	if (build(&head, unlock, payload, &file, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return rs_file_replace(world, path, rs_buffer_bytes(&file), 0600, err);
}

static enum rs_code read_key(struct rs_cbor_reader *reader, const char *name, struct rs_error *err)
{
	struct rs_str key;
	RS_TRY(rs_cbor_read_str(reader, name, &key, err));
	if (!rs_str_equal_text(key, name))
		return rs_error_set(err, RS_MALFORMED, "offset %zu: field '%s' expected",
		                    MAGIC_SIZE + reader->position, name);
	return RS_OK;
}

static enum rs_code check_head(const struct head *head, struct rs_error *err)
{
	uint64_t mem_min = head->passphrase ? ARGON2_MEM_MIN : 0;
	uint64_t mem_max = head->passphrase ? ARGON2_MEM_MAX : 0;
	uint64_t ops_min = head->passphrase ? 1 : 0;
	uint64_t ops_max = head->passphrase ? ARGON2_OPS_MAX : 0;

	if (head->mem < mem_min || head->mem > mem_max || head->ops < ops_min || head->ops > ops_max)
		return rs_error_set(err, RS_REFUSED,
		                    "its key derivation asks for %llu passes over %llu bytes, which no key "
		                    "file of radseal does; restore it from a backup",
		                    (unsigned long long)head->ops, (unsigned long long)head->mem);
	return RS_OK;
}

static enum rs_code read_head(struct rs_cbor_reader *reader, struct head *out, struct rs_error *err)
{
	struct rs_str kdf;
	size_t count;

	RS_TRY(rs_cbor_read_map(reader, "key file", &count, err));
	if (count != 6)
		return rs_error_set(err, RS_MALFORMED, "its map has %zu fields, 6 expected", count);
	RS_TRY(read_key(reader, "kdf", err));
	RS_TRY(rs_cbor_read_str(reader, "kdf", &kdf, err));
	out->passphrase = rs_str_equal_text(kdf, KDF_PASSPHRASE);
	if (!out->passphrase && !rs_str_equal_text(kdf, KDF_UNLOCK_FILE))
		return rs_error_set(err, RS_UNSUPPORTED, "key derivation '" RS_STR_FORMAT "' is not known",
		                    RS_STR_ARGUMENTS(kdf));
	RS_TRY(read_key(reader, "mem", err));
	RS_TRY(rs_cbor_read_u64(reader, "mem", &out->mem, err));
	RS_TRY(read_key(reader, "ops", err));
	RS_TRY(rs_cbor_read_u64(reader, "ops", &out->ops, err));
	RS_TRY(check_head(out, err));
	RS_TRY(read_key(reader, "salt", err));
	RS_TRY(rs_cbor_read_fixed(reader, "salt", out->salt, sizeof(out->salt), err));
	RS_TRY(read_key(reader, "nonce", err));
	RS_TRY(rs_cbor_read_fixed(reader, "nonce", out->nonce, sizeof(out->nonce), err));
	return read_key(reader, "sealed", err);
}

static enum rs_code open_sealed(const struct head *head, const struct rs_unlock *unlock,
                                struct rs_bytes associated, struct rs_bytes sealed, struct rs_buffer *out,
                                struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_bytes cipher = rs_bytes_of(sealed.data, sealed.size - RS_GCM_TAG_SIZE);

	if (head->passphrase != (unlock->passphrase.size > 0))
		return rs_error_set(err, RS_USAGE, "this key file opens with %s",
		                    head->passphrase ? "a passphrase" : "an unlock file");
	rs_buffer_init(&plain, RS_KEY_FILE_PAYLOAD_MAX);
	rs_buffer_reserve(&plain, cipher.size);
	RS_TRY(rs_buffer_check(&plain, "its content", err));
	RS_TRY(derive(head, unlock, &key, err));
	RS_TRY(rs_gcm_create(key.bytes, &gcm, err));
	if (rs_gcm_decrypt(gcm, head->nonce, associated, cipher, plain.data, cipher.data + cipher.size,
	                   err) != RS_OK)
		return rs_error_set(err, RS_REFUSED, "wrong %s, or the file was altered",
		                    head->passphrase ? "passphrase" : "unlock file");
	plain.size = cipher.size;
	rs_buffer_append_bytes(out, rs_buffer_bytes(&plain));
	return rs_buffer_check(out, "the content of the key file", err);
}

enum rs_code rs_key_file_parse(struct rs_bytes file, const struct rs_unlock *unlock,
                               struct rs_buffer *out_payload, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_bytes sealed;
	struct head head = {0};

	RS_TRY(check_unlock(unlock, err));
	if (file.size < MAGIC_SIZE ||
	    !rs_bytes_equal(rs_bytes_of(file.data, MAGIC_SIZE), rs_bytes_of(MAGIC, MAGIC_SIZE)))
		return rs_error_set(err, RS_MALFORMED, "not a key file (the first line is not \"%.*s\")",
		                    (int)MAGIC_SIZE - 1, MAGIC);
	RS_TRY(rs_cbor_reader_init(&reader, rs_bytes_of(file.data + MAGIC_SIZE, file.size - MAGIC_SIZE),
	                           err));
	RS_TRY(read_head(&reader, &head, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "sealed", &sealed, err));
	if (sealed.size < RS_GCM_TAG_SIZE)
		return rs_error_set(err, RS_MALFORMED, "field 'sealed' has %zu bytes, at least %d expected",
		                    sealed.size, RS_GCM_TAG_SIZE);
	return open_sealed(&head, unlock, rs_bytes_of(file.data, file.size - sealed.size), sealed,
	                   out_payload, err);
}

static enum rs_code check_mode(const struct rs_world *world, const char *path, struct rs_error *err)
{
	struct rs_file_stat stat;
	RS_TRY(world->files->stat(world->files, path, &stat, err));
	if ((stat.mode & 077) != 0)
		return rs_error_set(err, RS_DENIED,
		                    "%s: mode %04o lets others read or change this key "
		                    "file; run: chmod 600 %s",
		                    path, stat.mode & 07777, path);
	return RS_OK;
}

enum rs_code rs_key_file_read(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                              struct rs_buffer *out_payload, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};

	RS_TRY(check_mode(world, path, err));
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &file, err));
	if (rs_key_file_parse(rs_buffer_bytes(&file), unlock, out_payload, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return RS_OK;
}
