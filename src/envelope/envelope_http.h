/* What devices and node say to each other over HTTP: requests signed after RFC 9421 over their content's digest (RFC 9530).
 *
 *   POST /api/v1/envelopes                      an envelope; again, when the device wants to know where it was
 *   PUT  /api/v1/envelopes/HEX?offset=OFFSET    bytes of the data set from OFFSET on; HEX: SHA-256 of the envelope
 *
 * Each is answered with an acknowledgement or a notice, as over MQTT (envelope_mqtt.h). The signature covers what
 * RS_HTTP_COVERED lists, has the tag below, the time it was made, and as keyid the device's public key in hexadecimal: of Ed25519
 * 32 bytes, of P-256 x ‖ y. What it proves is who sends; what is sent is proved by the envelope itself. */
#ifndef RS_ENVELOPE_HTTP_H
#define RS_ENVELOPE_HTTP_H

#include "envelope/envelope.h"

#define RS_HTTP_ENVELOPES "/api/v1/envelopes"
#define RS_HTTP_TAG "radseal-envelope"
#define RS_HTTP_CHUNK_MAX ((size_t)2 << 20)
#define RS_HTTP_COVERED                                                                      \
	{                                                                                    \
		"@method", "@authority", "@path", "@query", "content-type", "content-digest" \
	}
#define RS_HTTP_COVERED_MAX 16
#define RS_HTTP_SIGNATURE_MAX 512
#define RS_HTTP_KEYID_SIZE (2 * RS_P256_SIZE + 1)

/* What can be signed of a message. Views borrow. */
struct rs_http_message {
	struct rs_str method, authority; /* authority: of the header Host */
	struct rs_str target;            /* path and query as sent */
	unsigned status;                 /* of an answer; 0: it is a request */
	/* A field by its name in lower case; without data: there is none. */
	struct rs_str (*field)(const void *context, const char *name);
	const void *context;
};

struct rs_http_signature {
	char parameters[1024]; /* as in the signature base: list and parameters */
	char covered[RS_HTTP_COVERED_MAX][64];
	size_t covered_count;
	bool has_created, has_expires;
	uint64_t created_s, expires_s;
	char keyid[RS_HTTP_KEYID_SIZE]; /* "" : none, or longer than a key */
	char algorithm[32];             /* "" : none */
	uint8_t bytes[RS_HTTP_SIGNATURE_MAX];
	size_t size;
};
/* Of the fields Signature-Input and Signature, the signature with this tag (NULL: the first one).
 * errors  RS_NOT_FOUND: there is none; RS_MALFORMED, RS_TOO_LARGE, RS_UNSUPPORTED */
enum rs_code rs_http_signature_parse(struct rs_str input, struct rs_str signature, const char *tag,
                                     struct rs_http_signature *out, struct rs_error *err);
bool rs_http_signature_covers(const struct rs_http_signature *signature, const char *component);
/* What is signed (RFC 9421 section 2.5), appended. errors  RS_MALFORMED: the message has no such component */
enum rs_code rs_http_signature_base(const struct rs_http_signature *signature,
                                    const struct rs_http_message *message, struct rs_buffer *out,
                                    struct rs_error *err);
/* errors  RS_ALTERED: not of this key, or of another algorithm */
enum rs_code rs_http_signature_verify(const struct rs_http_signature *signature,
                                      const struct rs_http_message *message, const struct rs_cose_key *key,
                                      struct rs_error *err);
/* A keyid as above. errors  RS_MALFORMED */
enum rs_code rs_http_key_parse(const char *keyid, struct rs_cose_key *out, struct rs_error *err);

/* What the fields Signature-Input and Signature are to say, appended. */
enum rs_code rs_http_sign(const struct rs_http_message *message, const char *const *covered, size_t count,
                          uint64_t created_s, const struct rs_cose_signer *signer,
                          struct rs_buffer *out_input, struct rs_buffer *out_signature, struct rs_error *err);

/* "sha-256=:…:" (RFC 9530 section 2). */
#define RS_CONTENT_DIGEST_SIZE (sizeof "sha-256=::" + RS_BASE64_SIZE(RS_SHA256_SIZE))
void rs_content_digest_format(const struct rs_digest *digest, char out[static RS_CONTENT_DIGEST_SIZE]);
/* Others beside SHA-256 are passed over. errors  RS_MALFORMED, RS_UNSUPPORTED: it has no SHA-256 */
enum rs_code rs_content_digest_parse(struct rs_str field, struct rs_digest *out, struct rs_error *err);

#endif
