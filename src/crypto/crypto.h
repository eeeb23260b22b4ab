/* Cryptography over OpenSSL 3 and libsodium: hashes, keyed hashes, key derivation,
 * authenticated encryption, signatures, key files. No algorithm is written here.
 *
 * Secrets live in struct rs_secret or on the stack under RS_CLEANUP and are wiped. Functions
 * without an err parameter cannot fail for valid arguments. */
#ifndef RS_CRYPTO_H
#define RS_CRYPTO_H

#include "base/base.h"

#define RS_SHA256_SIZE 32
#define RS_KEY_SIZE 32
#define RS_SIGNATURE_SIZE 64
#define RS_SEAL_OVERHEAD 48 /* X25519 sealed box: ephemeral key and tag */

struct rs_digest {
	uint8_t bytes[RS_SHA256_SIZE];
};
bool rs_digest_equal(const struct rs_digest *a, const struct rs_digest *b);

/* SHA-256 (FIPS 180-4), streaming; uses SHA instructions where the processor has them. */
struct rs_sha256 {
	_Alignas(16) unsigned char state[128];
};
void rs_sha256_init(struct rs_sha256 *hash);
void rs_sha256_update(struct rs_sha256 *hash, const void *data, size_t size);
/* Two of them at once, in little more than the time of the longer one. */
void rs_sha256_update_pair(struct rs_sha256 *first, struct rs_bytes a, struct rs_sha256 *second,
                           struct rs_bytes b);
void rs_sha256_final(struct rs_sha256 *hash, struct rs_digest *out);
void rs_sha256(struct rs_bytes data, struct rs_digest *out);

/* HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869, salt may be empty; out_size <= 8160). */
void rs_hmac_sha256(struct rs_bytes key, struct rs_bytes data, struct rs_digest *out);
/* The same over the parts one after another, without joining them in memory. */
void rs_hmac_sha256_parts(struct rs_bytes key, const struct rs_bytes *parts, size_t count,
                          struct rs_digest *out);
void rs_hkdf_sha256(struct rs_bytes key, struct rs_bytes salt, struct rs_bytes info, uint8_t *out,
                    size_t out_size);

void rs_wipe(void *data, size_t size);
bool rs_equal_constant_time(const void *a, const void *b, size_t size);

/* A 32-byte secret that wipes itself: `struct rs_secret k RS_CLEANUP(rs_secret_finish) = {0};` */
struct rs_secret {
	uint8_t bytes[RS_KEY_SIZE];
};
void rs_secret_finish(struct rs_secret *secret);
/* For buffers that hold secrets: wipes, then rs_buffer_finish(). Reserve their size beforehand: a
 * buffer that grows leaves its old bytes in the heap. */
void rs_secret_buffer_finish(struct rs_buffer *buffer);
/* Memory for secrets that live long: zero-filled, locked (not swapped; as far as the system's limit allows), left out of
 * core dumps, between guard pages. NULL without memory. */
void *rs_secret_allocate(size_t size) RS_MUST_CHECK;
void rs_secret_free(void *secrets); /* wipes; accepts NULL */
enum rs_code rs_secret_random(const struct rs_world *world, struct rs_secret *out, struct rs_error *err);

/* AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag. One key and nonce, one message. */
#define RS_GCM_NONCE_SIZE 12
#define RS_GCM_TAG_SIZE 16
struct rs_gcm; /* a key schedule; not shared between threads */
enum rs_code rs_gcm_create(const uint8_t key[static RS_KEY_SIZE], struct rs_gcm **out, struct rs_error *err);
void rs_gcm_destroy(struct rs_gcm *gcm);          /* accepts NULL */
void rs_gcm_destroy_pointer(struct rs_gcm **gcm); /* for RS_CLEANUP */
/* out holds plain.size bytes, may be plain.data; tag apart. */
enum rs_code rs_gcm_encrypt(struct rs_gcm *gcm, const uint8_t nonce[static RS_GCM_NONCE_SIZE],
                            struct rs_bytes associated, struct rs_bytes plain, uint8_t *out,
                            uint8_t tag[static RS_GCM_TAG_SIZE], struct rs_error *err);
/* RS_ALTERED when the tag does not fit; out is then wiped. */
enum rs_code rs_gcm_decrypt(struct rs_gcm *gcm, const uint8_t nonce[static RS_GCM_NONCE_SIZE],
                            struct rs_bytes associated, struct rs_bytes cipher, uint8_t *out,
                            const uint8_t tag[static RS_GCM_TAG_SIZE], struct rs_error *err);
/* Small values: random nonce ‖ ciphertext ‖ tag appended to out; and back, appended too. RS_ALTERED
 * when the box, its key or the associated data are not those of sealing; out->size is then untouched. */
#define RS_BOX_OVERHEAD (RS_GCM_NONCE_SIZE + RS_GCM_TAG_SIZE)
enum rs_code rs_box_seal(const struct rs_world *world, const struct rs_secret *key,
                         struct rs_bytes associated, struct rs_bytes plain, struct rs_buffer *out,
                         struct rs_error *err);
enum rs_code rs_box_open(const struct rs_secret *key, struct rs_bytes associated, struct rs_bytes box,
                         struct rs_buffer *out, struct rs_error *err);

/* Ed25519 (RFC 8032). The public key is derived from the 32-byte seed. */
struct rs_signing_key {
	struct rs_secret seed;
	uint8_t public_key[RS_KEY_SIZE];
	uint8_t expanded[64];
};
void rs_signing_key_from_seed(const struct rs_secret *seed, struct rs_signing_key *out);
void rs_signing_key_finish(struct rs_signing_key *key);
void rs_sign(const struct rs_signing_key *key, struct rs_bytes message,
             uint8_t out[static RS_SIGNATURE_SIZE]);
bool rs_signature_valid(const uint8_t public_key[static RS_KEY_SIZE], struct rs_bytes message,
                        const uint8_t signature[static RS_SIGNATURE_SIZE]);

/* ECDSA over P-256 with SHA-256: keys are x ‖ y, signatures r ‖ s (RFC 9053 section 2.1). False also for a key that is no
 * point of the curve. */
#define RS_P256_SIZE 64
bool rs_p256_valid(const uint8_t public_key[static RS_P256_SIZE], struct rs_bytes message,
                   const uint8_t signature[static RS_P256_SIZE]);
struct rs_p256; /* a private key */
enum rs_code rs_p256_open(struct rs_bytes pem, struct rs_p256 **out, struct rs_error *err); /* RS_MALFORMED */
void rs_p256_close(struct rs_p256 *key);                                                    /* accepts NULL */
enum rs_code rs_p256_public(const struct rs_p256 *key, uint8_t out[static RS_P256_SIZE],
                            struct rs_error *err);
enum rs_code rs_p256_sign(const struct rs_p256 *key, struct rs_bytes message,
                          uint8_t out[static RS_P256_SIZE], struct rs_error *err);

/* X25519 sealed boxes (libsodium crypto_box_seal): anyone seals to a public key, its owner opens. */
void rs_seal_public_key(const struct rs_secret *secret, uint8_t out[static RS_KEY_SIZE]);
enum rs_code rs_seal_to(const uint8_t public_key[static RS_KEY_SIZE], struct rs_bytes plain,
                        struct rs_buffer *out, struct rs_error *err);
enum rs_code rs_seal_open(const struct rs_secret *secret, struct rs_bytes sealed, struct rs_buffer *out,
                          struct rs_error *err); /* RS_ALTERED */

/* The X25519 keys that belong to an Ed25519 key, so that to whom signs something can be sealed, too. False for a public key
 * that is none, or weak. */
bool rs_seal_public_key_of_signer(const uint8_t public_key[static RS_KEY_SIZE],
                                  uint8_t out[static RS_KEY_SIZE]);
void rs_seal_secret_of_signer(const struct rs_signing_key *key, struct rs_secret *out);

/* Key files: a payload under a key made from a passphrase (Argon2id, parameters in the file) or
 * from an unlock file of >= 32 random bytes (HKDF). Written atomically with mode 0600; a file that
 * group or others may read is refused with RS_DENIED and the chmod to run. The payload is authenticated. */
#define RS_KEY_FILE_PAYLOAD_MAX 65536
struct rs_unlock {
	struct rs_bytes passphrase;
	struct rs_bytes unlock_file; /* one of the two; content */
};
enum rs_code rs_key_file_write(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                               struct rs_bytes payload, struct rs_error *err);
/* Appends the payload to out_payload (finish it with rs_secret_buffer_finish).
 * RS_REFUSED for a wrong passphrase or unlock file or altered content (they cannot be told apart). */
enum rs_code rs_key_file_read(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                              struct rs_buffer *out_payload, struct rs_error *err);

/* The same for a key file's content in memory; for tests and fuzzing. */
enum rs_code rs_key_file_parse(struct rs_bytes file, const struct rs_unlock *unlock,
                               struct rs_buffer *out_payload, struct rs_error *err);

/* Call once before threads start; RS_INTERNAL when a library cannot be initialised. */
enum rs_code rs_crypto_init(struct rs_error *err);

#endif
