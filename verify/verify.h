/* radseal-verify: is this file what its receipt was made for? One program to read in a sitting, that shares no line with
 * radseal: bytes.c (CBOR, numbers), note.c (keys, checkpoints, witnesses), receipt.c (the chain of proof), main.c (the
 * command line). Hashes and signatures are libsodium's. */
#ifndef RADSEAL_VERIFY_H
#define RADSEAL_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32
#define KEY_SIZE 32
#define SIGNATURE_SIZE 64
#define NAME_MAX_SIZE 200
#define WITNESSES_MAX 64
#define SIGNATURES_MAX 128             /* lines of one checkpoint; C2SP signed-note wants 16 at least */
#define RECEIPT_SIZE_MAX (1024 * 1024) /* bytes */

struct span { /* a view of bytes, not ended by anything */
	const uint8_t *data;
	size_t size;
};
struct hash {
	uint8_t bytes[HASH_SIZE];
};

/* Why something is refused; one sentence, no line end. */
struct reason {
	char text[400];
};
/* Sets the sentence and returns false, so that a check may end with `return refuse(…)`. */
bool refuse(struct reason *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- bytes.c --- */
struct span span_of_text(const char *text);
bool span_is(struct span span, const char *text);
bool span_begins(struct span span, const char *text);
/* Cuts off the first line, without its line end; false when no line end is left. */
bool next_line(struct span *rest, struct span *line);
/* Decimal digits without leading zeros, below 2^64. */
bool parse_decimal(struct span text, uint64_t *out);
/* RFC 4648 base64 with padding and zero unused bits; *size is what was written of `capacity`. */
bool parse_base64(struct span text, uint8_t *out, size_t capacity, size_t *size);

/* CBOR (RFC 8949), the deterministic encoding only. After the first thing that does not fit, `ok` is false and all reads
 * return zeros: look once, at the end, with cbor_ended(). */
struct cbor {
	struct span input;
	size_t at;
	bool ok;
};
enum cbor_major { CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG };
struct cbor cbor_of(struct span input);
/* The argument of a head that must be of this major type: a value, a length or a count. */
uint64_t cbor_head(struct cbor *cbor, enum cbor_major major);
void cbor_expect(struct cbor *cbor, enum cbor_major major, uint64_t value);
struct span cbor_string(struct cbor *cbor, enum cbor_major major); /* CBOR_BYTES or CBOR_TEXT */
void cbor_fixed(struct cbor *cbor, uint8_t *out, size_t size);     /* a byte string of this size */
void cbor_skip(struct cbor *cbor, unsigned depth);                 /* one item with all it holds */
bool cbor_ended(const struct cbor *cbor);                          /* ok, and nothing is left */

/* --- note.c --- */
enum key_kind { KEY_LOG = 0x01, KEY_WITNESS = 0x04 }; /* signature types of C2SP signed-note */
struct key {
	char name[NAME_MAX_SIZE + 1];
	uint8_t id[4], public_key[KEY_SIZE];
};
/* "name+hash+base64(type ‖ Ed25519 key)"; the type must be `kind`. */
bool parse_key(struct span text, enum key_kind kind, struct key *out, struct reason *why);

struct trust {
	struct key log;
	struct key witnesses[WITNESSES_MAX];
	size_t witness_count, quorum; /* so many of the witnesses must have cosigned */
};
struct checkpoint {
	char origin[NAME_MAX_SIZE + 1];
	uint64_t size;
	struct hash root;
	size_t cosigned; /* by so many of the given witnesses */
};
/* Signed by the log, which must be the origin, and by the quorum. Lines of keys that were not given are ignored. */
bool check_checkpoint(struct span note, const struct trust *trust, struct checkpoint *out,
                      struct reason *why);

/* --- receipt.c --- */
struct facts {
	struct checkpoint checkpoint;
	uint64_t index;               /* of the entry in the log */
	uint64_t instance, instances; /* place of the file among those of its entry */
	uint64_t time_ms;             /* that the signer of the entry stated */
	uint8_t signer[KEY_SIZE];
	struct hash content; /* SHA-256 of the file that the receipt was made for */
	uint64_t size;       /* bytes of it */
};
/* Everything but the file itself. */
bool check_receipt(struct span text, const struct trust *trust, struct facts *out, struct reason *why);
/* RFC 9162 §2.1.3.2. `path` holds `count` hashes one after another. */
bool is_included(struct hash leaf, uint64_t index, uint64_t size, const uint8_t *path, size_t count,
                 const struct hash *root);

#endif
