/* The node's keyring: one key file whose payload is a deterministic CBOR map of six random
 * secrets and the organisation's name. What can be derived (public keys) is not stored. */
#include "identity/identity.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PAYLOAD_MAX 1024
#define VERSION 1

struct rs_keyring {
	struct rs_secret kek, project, locator, seal;
	struct rs_signing_key log, member;
	char organisation[RS_ORGANISATION_NAME_MAX + 1];
};

void rs_keyring_close(struct rs_keyring *keyring) { rs_secret_free(keyring); }

void rs_keyring_close_pointer(struct rs_keyring **keyring) { rs_keyring_close(*keyring); }

static enum rs_code check_organisation(struct rs_str name, struct rs_error *err)
{
	if (name.size == 0 || name.size > RS_ORGANISATION_NAME_MAX)
		return rs_error_set(err, RS_USAGE,
		                    "the organisation's name has %zu bytes; 1 to %d are allowed", name.size,
		                    RS_ORGANISATION_NAME_MAX);
	if (!rs_utf8_valid(name))
		return rs_error_set(err, RS_USAGE, "the organisation's name is not UTF-8");
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7f)
			return rs_error_set(err, RS_USAGE,
			                    "the organisation's name holds a control character "
			                    "(byte %zu)",
			                    i);
	return RS_OK;
}

/* What follows from the secrets. */
static void complete(struct rs_keyring *keyring)
{
	rs_signing_key_from_seed(&keyring->log.seed, &keyring->log);
	rs_signing_key_from_seed(&keyring->member.seed, &keyring->member);
}

static void write_secret(struct rs_buffer *out, const char *name, const struct rs_secret *secret)
{
	rs_cbor_write_str(out, rs_str_from(name));
	rs_cbor_write_bytes(out, rs_bytes_of(secret->bytes, sizeof(secret->bytes)));
}

/* Keys in the order of deterministic CBOR: by length, then bytewise. */
static enum rs_code save(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                         const struct rs_keyring *keyring, struct rs_error *err)
{
	struct rs_buffer payload RS_CLEANUP(rs_secret_buffer_finish) = {0};

	rs_buffer_init(&payload, PAYLOAD_MAX);
	rs_buffer_reserve(&payload, PAYLOAD_MAX); /* growing would leave secrets in the heap */
	rs_cbor_write_map(&payload, 8);
	write_secret(&payload, "kek", &keyring->kek);
	write_secret(&payload, "log", &keyring->log.seed);
	write_secret(&payload, "seal", &keyring->seal);
	write_secret(&payload, "member", &keyring->member.seed);
	write_secret(&payload, "locator", &keyring->locator);
	write_secret(&payload, "project", &keyring->project);
	rs_cbor_write_str(&payload, RS_STR("version"));
	rs_cbor_write_u64(&payload, VERSION);
	rs_cbor_write_str(&payload, RS_STR("organisation"));
	rs_cbor_write_str(&payload, rs_str_from(keyring->organisation));
	RS_TRY(rs_buffer_check(&payload, "the keyring", err));
	return rs_key_file_write(world, path, unlock, rs_buffer_bytes(&payload), err);
}

static enum rs_code read_name(struct rs_cbor_reader *reader, const char *name, struct rs_error *err)
{
	struct rs_str key;
	RS_TRY(rs_cbor_read_str(reader, name, &key, err));
	if (!rs_str_equal_text(key, name))
		return rs_error_set(err, RS_MALFORMED, "field '%s' expected", name);
	return RS_OK;
}

static enum rs_code read_secret(struct rs_cbor_reader *reader, const char *name, struct rs_secret *out,
                                struct rs_error *err)
{
	RS_TRY(read_name(reader, name, err));
	return rs_cbor_read_fixed(reader, name, out->bytes, sizeof(out->bytes), err);
}

static enum rs_code parse(struct rs_bytes payload, struct rs_keyring *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_str organisation;
	uint64_t version;
	size_t count;

	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(rs_cbor_read_map(&reader, "keyring", &count, err));
	if (count != 8)
		return rs_error_set(err, RS_MALFORMED, "a keyring has 8 fields, this has %zu", count);
	RS_TRY(read_secret(&reader, "kek", &out->kek, err));
	RS_TRY(read_secret(&reader, "log", &out->log.seed, err));
	RS_TRY(read_secret(&reader, "seal", &out->seal, err));
	RS_TRY(read_secret(&reader, "member", &out->member.seed, err));
	RS_TRY(read_secret(&reader, "locator", &out->locator, err));
	RS_TRY(read_secret(&reader, "project", &out->project, err));
	RS_TRY(read_name(&reader, "version", err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "keyring version %llu; this radseal reads %d",
		                    (unsigned long long)version, VERSION);
	RS_TRY(read_name(&reader, "organisation", err));
	RS_TRY(rs_cbor_read_str(&reader, "organisation", &organisation, err));
	RS_TRY(check_organisation(organisation, err));
	memcpy(out->organisation, organisation.data, organisation.size);
	return RS_OK;
}

static enum rs_code make_secrets(const struct rs_world *world, struct rs_keyring *keyring,
                                 struct rs_error *err)
{
	struct rs_secret *const secrets[] = {&keyring->kek,  &keyring->project,  &keyring->locator,
	                                     &keyring->seal, &keyring->log.seed, &keyring->member.seed};
	for (size_t i = 0; i < RS_COUNT(secrets); i++)
		RS_TRY(rs_secret_random(world, secrets[i], err));
	return RS_OK;
}

/* Overwriting a key file would lose keys that nobody can make again. */
static enum rs_code check_free(const struct rs_world *world, const char *path, struct rs_error *err)
{
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (directory == NULL)
		return rs_error_memory(err, strlen(path), "a path");
	if (rs_path_exists(world, path))
		return rs_error_set(err, RS_EXISTS, "%s: there is a key file already; it is not overwritten",
		                    path);
	return rs_directory_make(world, directory, err);
}

enum rs_code rs_keyring_create(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                               struct rs_str organisation, struct rs_keyring **out, struct rs_error *err)
{
	struct rs_keyring *keyring RS_CLEANUP(rs_keyring_close_pointer) = NULL;

	RS_TRY(check_organisation(organisation, err));
	RS_TRY(check_free(world, path, err));
	keyring = rs_secret_allocate(sizeof(*keyring));
	if (keyring == NULL)
		return rs_error_memory(err, sizeof(*keyring), "a keyring");
	memcpy(keyring->organisation, organisation.data, organisation.size);
	RS_TRY(make_secrets(world, keyring, err));
	RS_TRY(save(world, path, unlock, keyring, err));
	if (out == NULL)
		return RS_OK;
	complete(keyring);
	*out = keyring;
	keyring = NULL;
	return RS_OK;
}

enum rs_code rs_keyring_open(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                             struct rs_keyring **out, struct rs_error *err)
{
	struct rs_keyring *keyring RS_CLEANUP(rs_keyring_close_pointer) = NULL;
	struct rs_buffer payload RS_CLEANUP(rs_secret_buffer_finish) = {0};

	rs_buffer_init(&payload, PAYLOAD_MAX);
	rs_buffer_reserve(&payload, PAYLOAD_MAX);
	RS_TRY(rs_key_file_read(world, path, unlock, &payload, err));
	keyring = rs_secret_allocate(sizeof(*keyring));
	if (keyring == NULL)
		return rs_error_memory(err, sizeof(*keyring), "a keyring");
	if (parse(rs_buffer_bytes(&payload), keyring, err) != RS_OK)
		return rs_error_context(err, "%s: not the keyring of a node", path);
	complete(keyring);
	*out = keyring;
	keyring = NULL;
	return RS_OK;
}

enum rs_code rs_keyring_change_unlock(const struct rs_world *world, const char *path,
                                      const struct rs_unlock *old, const struct rs_unlock *new_unlock,
                                      struct rs_error *err)
{
	struct rs_keyring *keyring RS_CLEANUP(rs_keyring_close_pointer) = NULL;
	RS_TRY(rs_keyring_open(world, path, old, &keyring, err));
	return save(world, path, new_unlock, keyring, err);
}

struct rs_str rs_keyring_organisation(const struct rs_keyring *keyring)
{
	return rs_str_from(keyring->organisation);
}

const struct rs_signing_key *rs_keyring_log_key(const struct rs_keyring *keyring) { return &keyring->log; }

const struct rs_signing_key *rs_keyring_member_key(const struct rs_keyring *keyring)
{
	return &keyring->member;
}

struct rs_member_key rs_keyring_member_id(const struct rs_keyring *keyring)
{
	struct rs_member_key id;
	memcpy(id.bytes, keyring->member.public_key, sizeof(id.bytes));
	return id;
}

const struct rs_secret *rs_keyring_seal_secret(const struct rs_keyring *keyring) { return &keyring->seal; }

const struct rs_secret *rs_keyring_kek(const struct rs_keyring *keyring) { return &keyring->kek; }

static struct rs_bytes secret_bytes(const struct rs_secret *secret)
{
	return rs_bytes_of(secret->bytes, sizeof(secret->bytes));
}

static void derive(const struct rs_keyring *keyring, const char *label, const char *purpose,
                   struct rs_secret *out)
{
	char info[64];
	int size = snprintf(info, sizeof(info), "%s%c%s", label, 0, purpose);
	assert(size > 0 && (size_t)size < sizeof(info));
	rs_hkdf_sha256(secret_bytes(&keyring->kek), rs_bytes_of("", 0), rs_bytes_of(info, (size_t)size),
	               out->bytes, sizeof(out->bytes));
}

void rs_keyring_accounts_key(const struct rs_keyring *keyring, struct rs_secret *out)
{
	rs_hkdf_sha256(secret_bytes(&keyring->kek), rs_bytes_of("", 0),
	               rs_bytes_of_str(RS_STR("radseal accounts v1")), out->bytes, sizeof(out->bytes));
}

void rs_keyring_backup_key(const struct rs_keyring *keyring, const char *purpose, struct rs_secret *out)
{
	derive(keyring, "radseal backup v1", purpose, out);
}

void rs_keyring_key(const struct rs_keyring *keyring, const char *purpose, struct rs_secret *out)
{
	derive(keyring, "radseal key v1", purpose, out);
}

enum rs_code rs_keyring_pseudonym(const struct rs_keyring *keyring, struct rs_str issuer,
                                  struct rs_str patient_id, struct rs_pseudonym *out, struct rs_error *err)
{
	static const char subject[] = "subject"; /* hashed with its zero byte */
	const struct rs_bytes parts[] = {rs_bytes_of(subject, sizeof(subject)), rs_bytes_of_str(issuer),
	                                 rs_bytes_of("", 1), rs_bytes_of_str(patient_id)};
	struct rs_digest digest;

	/* The sentences keep silent about the values: they are identifiers of a person. */
	if (patient_id.size == 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "the patient's identifier (0010,0020) is empty; "
		                    "correct it at the source");
	if (memchr(patient_id.data, 0, patient_id.size) != NULL ||
	    (issuer.size > 0 && memchr(issuer.data, 0, issuer.size) != NULL))
		return rs_error_set(err, RS_MALFORMED,
		                    "the patient's identifier (0010,0020) or its issuer "
		                    "(0010,0021) holds a zero byte");
	rs_hmac_sha256_parts(secret_bytes(&keyring->project), parts, RS_COUNT(parts), &digest);
	memcpy(out->bytes, digest.bytes, sizeof(out->bytes));
	return RS_OK;
}

void rs_keyring_locator(const struct rs_keyring *keyring, uint8_t kind, struct rs_bytes value,
                        struct rs_digest *out)
{
	const struct rs_bytes parts[] = {rs_bytes_of(&kind, 1), value};
	rs_hmac_sha256_parts(secret_bytes(&keyring->locator), parts, RS_COUNT(parts), out);
}

/* The payload says what it is, so that a node's keyring is not taken for a member's key. */
#define MEMBER_MAGIC "radseal member v1\n"
#define MEMBER_MAGIC_SIZE (sizeof(MEMBER_MAGIC) - 1)

enum rs_code rs_member_key_file_create(const struct rs_world *world, const char *path,
                                       const struct rs_unlock *unlock, struct rs_signing_key *out,
                                       struct rs_error *err)
{
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer payload RS_CLEANUP(rs_secret_buffer_finish) = {0};

	RS_TRY(check_free(world, path, err));
	RS_TRY(rs_secret_random(world, &seed, err));
	rs_buffer_init(&payload, PAYLOAD_MAX);
	rs_buffer_reserve(&payload, MEMBER_MAGIC_SIZE + RS_KEY_SIZE);
	rs_buffer_append_text(&payload, MEMBER_MAGIC);
	rs_buffer_append(&payload, seed.bytes, sizeof(seed.bytes));
	RS_TRY(rs_buffer_check(&payload, "a member's key", err));
	RS_TRY(rs_key_file_write(world, path, unlock, rs_buffer_bytes(&payload), err));
	rs_signing_key_from_seed(&seed, out);
	return RS_OK;
}

static enum rs_code read_member(const struct rs_world *world, const char *path,
                                const struct rs_unlock *unlock, struct rs_buffer *payload,
                                struct rs_error *err)
{
	rs_buffer_init(payload, RS_KEY_FILE_PAYLOAD_MAX);
	rs_buffer_reserve(payload, PAYLOAD_MAX);
	RS_TRY(rs_key_file_read(world, path, unlock, payload, err));
	if (payload->size != MEMBER_MAGIC_SIZE + RS_KEY_SIZE ||
	    !rs_equal_constant_time(payload->data, MEMBER_MAGIC, MEMBER_MAGIC_SIZE))
		return rs_error_set(err, RS_MALFORMED, "%s: a key file, but not of a member", path);
	return RS_OK;
}

enum rs_code rs_member_key_file_open(const struct rs_world *world, const char *path,
                                     const struct rs_unlock *unlock, struct rs_signing_key *out,
                                     struct rs_error *err)
{
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer payload RS_CLEANUP(rs_secret_buffer_finish) = {0};

	RS_TRY(read_member(world, path, unlock, &payload, err));
	memcpy(seed.bytes, payload.data + MEMBER_MAGIC_SIZE, sizeof(seed.bytes));
	rs_signing_key_from_seed(&seed, out);
	return RS_OK;
}

enum rs_code rs_member_key_file_change(const struct rs_world *world, const char *path,
                                       const struct rs_unlock *old, const struct rs_unlock *new_unlock,
                                       struct rs_error *err)
{
	struct rs_buffer payload RS_CLEANUP(rs_secret_buffer_finish) = {0};

	RS_TRY(read_member(world, path, old, &payload, err));
	return rs_key_file_write(world, path, new_unlock, rs_buffer_bytes(&payload), err);
}
