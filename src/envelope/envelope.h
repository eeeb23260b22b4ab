/* What a device signs about what it sends, the same on every transport: COSE_Sign1 (RFC 9052, tag 18; EdDSA or ES256;
 * external_aad "radseal envelope v1") over one map of deterministic CBOR:
 *
 *   1 version (1)           2 kind: 1 an instance, 2 a manifest     3 device: its name
 *   4 boot: 16 bytes, new at every start of the device              5 sequence: 1, 2, 3 … within a boot
 *   6 captured, ms          7 quality of the clock                  8 the clock's greatest error, ms
 *   9 previous: SHA-256 of the last receipt, or of the envelope before; absent in the first
 *  10 StudyInstanceUID     11 SeriesInstanceUID
 * of an instance:
 *  12 SOPClassUID          13 SOPInstanceUID      14 SHA-256 of the data set (no preamble, no meta group)
 *  15 its length           16 TransferSyntaxUID
 * of a manifest, which says what a series has:
 *  17 [[SOPInstanceUID, SHA-256 of the data set], …]
 *
 * The protected header is {1: algorithm, 4: kid}. A device's kid is what the contract knows it by: its Ed25519 key, or, of a
 * P-256 key, the COSE Key Thumbprint (RFC 9679, SHA-256); then "key": x ‖ y stands in the header, too. */
#ifndef RS_ENVELOPE_H
#define RS_ENVELOPE_H

#include "identity/identity.h"

#define RS_DEVICE_NAME_MAX 64 /* letters, digits, - _ . */
#define RS_BOOT_SIZE 16
#define RS_ENVELOPE_SIZE_MAX ((size_t)4096) /* of an instance's */
#define RS_MANIFEST_SIZE_MAX ((size_t)2 << 20)
#define RS_MANIFEST_INSTANCES_MAX ((size_t)16384)

enum rs_cose_algorithm { RS_COSE_EDDSA = -8, RS_COSE_ES256 = -7 };

struct rs_cose_key {
	enum rs_cose_algorithm algorithm;
	uint8_t bytes[RS_P256_SIZE]; /* of Ed25519 the first 32 */
};
/* What the contract knows the device by. */
void rs_cose_key_id(const struct rs_cose_key *key, struct rs_member_key *out);

/* A COSE_Sign1 with its payload within, tagged, deterministic; views borrow from the message. */
struct rs_cose_sign1 {
	struct rs_bytes header, unprotected, payload, signature;
	enum rs_cose_algorithm algorithm; /* of the protected header */
};
/* errors  RS_MALFORMED, RS_UNSUPPORTED for another algorithm */
enum rs_code rs_cose_sign1_parse(struct rs_bytes message, struct rs_cose_sign1 *out, struct rs_error *err);
/* RS_ALTERED when the signature does not fit, or the key is of another algorithm. */
enum rs_code rs_cose_sign1_verify(const struct rs_cose_sign1 *sign1, const struct rs_cose_key *key,
                                  struct rs_str external_aad, struct rs_error *err);

/* Who signs: a key in memory, or in a secure element. */
struct rs_cose_signer {
	struct rs_cose_key key;
	enum rs_code (*sign)(const void *context, struct rs_bytes message,
	                     uint8_t out[static RS_SIGNATURE_SIZE], struct rs_error *err);
	const void *context;
};
struct rs_cose_signer rs_cose_signer_of(const struct rs_signing_key *key); /* borrows */
enum rs_code rs_cose_signer_of_p256(const struct rs_p256 *key, struct rs_cose_signer *out,
                                    struct rs_error *err); /* borrows */
/* Appends the message whose protected header is as above. */
enum rs_code rs_cose_sign1(const struct rs_cose_signer *signer, struct rs_str external_aad,
                           struct rs_bytes payload, struct rs_buffer *out, struct rs_error *err);

enum rs_envelope_kind { RS_ENVELOPE_INSTANCE = 1, RS_ENVELOPE_MANIFEST };
/* How good the device's clock is: number, name. */
#define RS_CLOCK_QUALITIES(X)    \
	X(NONE, 0, "none")       \
	X(FREE, 1, "free")       \
	X(NETWORK, 2, "network") \
	X(REFERENCE, 3, "reference")
enum rs_clock_quality {
#define RS_CLOCK_MEMBER(member, number, name) RS_CLOCK_##member = number,
	RS_CLOCK_QUALITIES(RS_CLOCK_MEMBER)
#undef RS_CLOCK_MEMBER
		RS_CLOCK_QUALITY_COUNT
};
const char *rs_clock_quality_name(enum rs_clock_quality quality);

struct rs_listed {
	struct rs_str sop_instance;
	struct rs_digest sha256;
};
/* Views borrow. Fields of the other kind are zero. */
struct rs_envelope {
	enum rs_envelope_kind kind;
	struct rs_member_key signer; /* the kid; not used by rs_envelope_sign() */
	struct rs_str device;
	uint8_t boot[RS_BOOT_SIZE];
	uint64_t sequence, captured_ms, clock_error_ms;
	enum rs_clock_quality clock;
	struct rs_digest previous; /* zeros: none */
	struct rs_str study, series;
	struct rs_str sop_class, sop_instance, transfer_syntax;
	struct rs_digest sha256;
	uint64_t length;
	size_t listed_count;
	struct rs_bytes listed; /* encoded, see rs_envelope_each() */
};
bool rs_device_name_valid(struct rs_str name);
/* Appends. listed: of a manifest, listed_count of them; else NULL. errors  RS_USAGE naming a field that cannot be */
enum rs_code rs_envelope_sign(const struct rs_envelope *envelope, const struct rs_listed *listed,
                              const struct rs_cose_signer *signer, struct rs_buffer *out,
                              struct rs_error *err);
/* Strict, bounded. errors  RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE */
enum rs_code rs_envelope_parse(struct rs_bytes message, struct rs_envelope *out, struct rs_error *err);
/* The signature, too, against the key that it names: whether that one is a device's is the contract's to say.
 * errors  RS_ALTERED */
enum rs_code rs_envelope_verify(struct rs_bytes message, struct rs_envelope *out, struct rs_error *err);
typedef enum rs_code rs_listed_visit(void *context, const struct rs_listed *listed, struct rs_error *err);
/* What a manifest lists, in its order. */
enum rs_code rs_envelope_each(const struct rs_envelope *manifest, rs_listed_visit *visit, void *context,
                              struct rs_error *err);

/* What a node answers a device: COSE_Sign1 by the log's key, external_aad "radseal acknowledgement v1", over {1: version (1),
 * 2: SHA-256 of the envelope, 3: outcome, 4: time in ms}. */
enum rs_acknowledged {
	RS_ACKNOWLEDGED_SEALED = 1,  /* durable, its ledger entry too */
	RS_ACKNOWLEDGED_KNOWN,       /* was before */
	RS_ACKNOWLEDGED_QUARANTINED, /* durable, until a member decides */
	RS_ACKNOWLEDGED_LISTED,      /* a manifest, durable */
	RS_ACKNOWLEDGED_REFUSED,     /* not kept: the device keeps it */
};
const char *rs_acknowledged_name(enum rs_acknowledged outcome);
struct rs_acknowledgement {
	struct rs_digest envelope; /* of its bytes */
	enum rs_acknowledged outcome;
	uint64_t time_ms;
};
#define RS_ACKNOWLEDGEMENT_SIZE_MAX ((size_t)512)
enum rs_code rs_acknowledgement_sign(const struct rs_acknowledgement *acknowledgement,
                                     const struct rs_signing_key *node, struct rs_buffer *out,
                                     struct rs_error *err);
/* errors  RS_MALFORMED, RS_ALTERED: not of this node */
enum rs_code rs_acknowledgement_verify(struct rs_bytes message, const uint8_t node[static RS_KEY_SIZE],
                                       struct rs_acknowledgement *out, struct rs_error *err);

#endif
