/* AES-256-GCM over OpenSSL's EVP. One context keeps the key schedule for many messages; a
 * message sets only its nonce, so small chunks cost no key set-up. */
#include "crypto/crypto.h"

#include <openssl/evp.h>

/* EVP counts bytes in int; longer messages go in pieces of this size. */
#define PIECE ((size_t)1 << 30)

struct rs_gcm {
	EVP_CIPHER_CTX *context;
};

static enum rs_code openssl_failed(struct rs_error *err, const char *what)
{
	return rs_error_set(err, RS_INTERNAL, "OpenSSL cannot %s (AES-256-GCM)", what);
}

enum rs_code rs_gcm_create(const uint8_t key[static RS_KEY_SIZE], struct rs_gcm **out, struct rs_error *err)
{
	struct rs_gcm *gcm = rs_allocate(sizeof(*gcm));
	if (gcm == NULL)
		return rs_error_memory(err, sizeof(*gcm), "a cipher");
	gcm->context = EVP_CIPHER_CTX_new();
	if (gcm->context == NULL) {
		rs_gcm_destroy(gcm);
		return rs_error_set(err, RS_NO_MEMORY, "out of memory for a cipher");
	}
	if (EVP_EncryptInit_ex(gcm->context, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
		rs_gcm_destroy(gcm);
		return openssl_failed(err, "set the key");
	}
	*out = gcm;
	return RS_OK;
}

void rs_gcm_destroy(struct rs_gcm *gcm)
{
	if (gcm == NULL)
		return;
	EVP_CIPHER_CTX_free(gcm->context); /* wipes the key schedule */
	rs_free(gcm);
}

void rs_gcm_destroy_pointer(struct rs_gcm **gcm) { rs_gcm_destroy(*gcm); }

/* out == NULL: associated data. EVP takes a NULL output for just that, so an empty message
 * must never be passed on. */
static bool feed(EVP_CIPHER_CTX *context, struct rs_bytes data, uint8_t *out)
{
	for (size_t done = 0; done < data.size;) {
		size_t size = data.size - done < PIECE ? data.size - done : PIECE;
		int written = 0;
		if (EVP_CipherUpdate(context, out == NULL ? NULL : out + done, &written, data.data + done,
		                     (int)size) != 1)
			return false;
		done += size;
	}
	return true;
}

enum rs_code rs_gcm_encrypt(struct rs_gcm *gcm, const uint8_t nonce[static RS_GCM_NONCE_SIZE],
                            struct rs_bytes associated, struct rs_bytes plain, uint8_t *out,
                            uint8_t tag[static RS_GCM_TAG_SIZE], struct rs_error *err)
{
	uint8_t rest[RS_GCM_TAG_SIZE];
	int written = 0;

	if (EVP_CipherInit_ex(gcm->context, NULL, NULL, NULL, nonce, 1) != 1 ||
	    !feed(gcm->context, associated, NULL) || !feed(gcm->context, plain, out) ||
	    EVP_CipherFinal_ex(gcm->context, rest, &written) != 1 ||
	    EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_GET_TAG, RS_GCM_TAG_SIZE, tag) != 1)
		return openssl_failed(err, "encrypt");
	return RS_OK;
}

enum rs_code rs_gcm_decrypt(struct rs_gcm *gcm, const uint8_t nonce[static RS_GCM_NONCE_SIZE],
                            struct rs_bytes associated, struct rs_bytes cipher, uint8_t *out,
                            const uint8_t tag[static RS_GCM_TAG_SIZE], struct rs_error *err)
{
	uint8_t expected[RS_GCM_TAG_SIZE], rest[RS_GCM_TAG_SIZE];
	int written = 0;

	/* OpenSSL wants the tag through a pointer to non-const. */
	for (size_t i = 0; i < RS_GCM_TAG_SIZE; i++)
		expected[i] = tag[i];
	if (EVP_CipherInit_ex(gcm->context, NULL, NULL, NULL, nonce, 0) != 1 ||
	    EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_SET_TAG, RS_GCM_TAG_SIZE, expected) != 1 ||
	    !feed(gcm->context, associated, NULL) || !feed(gcm->context, cipher, out)) {
		rs_wipe(out, cipher.size);
		return openssl_failed(err, "decrypt");
	}
	if (EVP_CipherFinal_ex(gcm->context, rest, &written) != 1) {
		rs_wipe(out, cipher.size);
		return rs_error_set(err, RS_ALTERED,
		                    "decryption failed: the %zu bytes are not what was encrypted, "
		                    "or the key is another one",
		                    cipher.size);
	}
	return RS_OK;
}

enum rs_code rs_box_seal(const struct rs_world *world, const struct rs_secret *key,
                         struct rs_bytes associated, struct rs_bytes plain, struct rs_buffer *out,
                         struct rs_error *err)
{
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	uint8_t nonce[RS_GCM_NONCE_SIZE];
	uint8_t *place;
	size_t total;

	if (!rs_add_size(plain.size, RS_BOX_OVERHEAD, &total))
		return rs_error_set(err, RS_TOO_LARGE, "a box of %zu bytes is too large", plain.size);
	RS_TRY(rs_world_random(world, nonce, sizeof(nonce), err));
	RS_TRY(rs_gcm_create(key->bytes, &gcm, err));
	if (rs_buffer_reserve(out, total) != RS_OK)
		return rs_buffer_check(out, "an encrypted box", err);
	place = out->data + out->size;
	RS_TRY(rs_gcm_encrypt(gcm, nonce, associated, plain, place + RS_GCM_NONCE_SIZE,
	                      place + RS_GCM_NONCE_SIZE + plain.size, err));
	for (size_t i = 0; i < sizeof(nonce); i++)
		place[i] = nonce[i];
	out->size += total;
	return RS_OK;
}

enum rs_code rs_box_open(const struct rs_secret *key, struct rs_bytes associated, struct rs_bytes box,
                         struct rs_buffer *out, struct rs_error *err)
{
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	struct rs_bytes cipher;
	uint8_t *place;

	if (box.size < RS_BOX_OVERHEAD)
		return rs_error_set(err, RS_ALTERED, "an encrypted box has %zu bytes, at least %d are needed",
		                    box.size, RS_BOX_OVERHEAD);
	cipher = rs_bytes_of(box.data + RS_GCM_NONCE_SIZE, box.size - RS_BOX_OVERHEAD);
	RS_TRY(rs_gcm_create(key->bytes, &gcm, err));
	if (rs_buffer_reserve(out, cipher.size) != RS_OK)
		return rs_buffer_check(out, "a decrypted box", err);
	place = cipher.size > 0 ? out->data + out->size : NULL;
	RS_TRY(rs_gcm_decrypt(gcm, box.data, associated, cipher, place, cipher.data + cipher.size, err));
	out->size += cipher.size;
	return RS_OK;
}
