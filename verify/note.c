/* Verifier keys and checkpoints: C2SP signed-note, tlog-checkpoint and tlog-cosignature, with Ed25519. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

#define EM_DASH "\xe2\x80\x94"
#define TIME_SIZE 8 /* bytes before a cosignature: when the witness signed */

static bool name_is_fit(struct span name)
{
	if (name.size == 0 || name.size > NAME_MAX_SIZE)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] == 0x7f)
			return false;
	return true;
}

/* Cuts at the first `separator`; false when there is none. */
static bool cut(struct span *rest, uint8_t separator, struct span *head)
{
	const uint8_t *at = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
	if (!at)
		return false;
	*head = (struct span){rest->data, (size_t)(at - rest->data)};
	*rest = (struct span){at + 1, rest->size - head->size - 1};
	return true;
}

/* SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4] */
static void key_id(struct span name, const uint8_t typed_key[1 + KEY_SIZE], uint8_t out[4])
{
	crypto_hash_sha256_state state;
	struct hash digest;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, name.data, name.size);
	crypto_hash_sha256_update(&state, (const uint8_t *)"\n", 1);
	crypto_hash_sha256_update(&state, typed_key, 1 + KEY_SIZE);
	crypto_hash_sha256_final(&state, digest.bytes);
	memcpy(out, digest.bytes, 4);
}

bool parse_key(struct span text, enum key_kind kind, struct key *out, struct reason *why)
{
	struct span rest = text, name, id;
	uint8_t typed_key[1 + KEY_SIZE], stated[4];
	size_t size = 0, id_size = 0;
	struct key key = {.name = ""};
	if (!cut(&rest, '+', &name) || !cut(&rest, '+', &id) || !name_is_fit(name) ||
	    sodium_hex2bin(stated, sizeof stated, (const char *)id.data, id.size, NULL, &id_size, NULL) !=
	            0 ||
	    id_size != sizeof stated || !parse_base64(rest, typed_key, sizeof typed_key, &size) ||
	    size != sizeof typed_key)
		return refuse(why, "it does not have the form name+hash+key of an Ed25519 key");
	if (typed_key[0] != kind)
		return refuse(why, "it is a key of type %u; a %s has type %d", typed_key[0],
		              kind == KEY_LOG ? "log" : "witness", (int)kind);
	key_id(name, typed_key, key.id);
	if (memcmp(key.id, stated, sizeof stated) != 0)
		return refuse(why, "its hash does not fit its name and key");
	memcpy(key.name, name.data, name.size);
	memcpy(key.public_key, typed_key + 1, KEY_SIZE);
	*out = key;
	return true;
}

/* Origin, size, root; lines behind them are signed too and mean nothing here. */
static bool parse_body(struct span body, struct checkpoint *out, struct reason *why)
{
	struct span rest = body, origin, size, root, line;
	size_t root_size = 0;
	if (!next_line(&rest, &origin) || !next_line(&rest, &size) || !next_line(&rest, &root))
		return refuse(why, "the checkpoint does not have the lines origin, size and root");
	if (origin.size == 0 || origin.size > NAME_MAX_SIZE || memchr(origin.data, 0, origin.size))
		return refuse(why, "the checkpoint's origin is not a name");
	if (!parse_decimal(size, &out->size))
		return refuse(why, "the checkpoint's size is not a number");
	if (!parse_base64(root, out->root.bytes, HASH_SIZE, &root_size) || root_size != HASH_SIZE)
		return refuse(why, "the checkpoint's root is not 32 bytes in base64");
	while (next_line(&rest, &line))
		if (line.size == 0)
			return refuse(why, "the checkpoint has an empty line");
	memcpy(out->origin, origin.data, origin.size);
	return true;
}

struct signature {
	struct span name;
	uint8_t bytes[4 + TIME_SIZE + SIGNATURE_SIZE]; /* id, time of a cosignature, Ed25519 */
	size_t size; /* 0: of a form and so of a key that is not known here */
};

/* "— name base64". What is too long for Ed25519 belongs to a key of another kind. */
static bool parse_line(struct span line, struct signature *out, struct reason *why)
{
	struct span rest = line;
	uint8_t whole[4096];
	if (!span_begins(line, EM_DASH " "))
		return refuse(why, "a signature line of the checkpoint does not begin with a dash");
	rest = (struct span){line.data + strlen(EM_DASH " "), line.size - strlen(EM_DASH " ")};
	if (!cut(&rest, ' ', &out->name) || !name_is_fit(out->name) ||
	    !parse_base64(rest, whole, sizeof whole, &out->size) || out->size < 5)
		return refuse(why, "a signature line of the checkpoint is not a name and base64");
	if (out->size > sizeof out->bytes)
		out->size = 0;
	memcpy(out->bytes, whole, out->size);
	return true;
}

static bool is_by(const struct signature *signature, const struct key *key)
{
	return signature->size > 0 && span_is(signature->name, key->name) &&
	       memcmp(signature->bytes, key->id, sizeof key->id) == 0;
}

static bool log_signed(const struct signature *signature, const struct key *key, struct span body)
{
	return signature->size == 4 + SIGNATURE_SIZE &&
	       crypto_sign_verify_detached(signature->bytes + 4, body.data, body.size, key->public_key) == 0;
}

/* "cosignature/v1\ntime T\n" and the checkpoint's text, hashed as Ed25519 does it, in one message. */
static bool witness_signed(const struct signature *signature, const struct key *key, struct span body)
{
	uint8_t message[2048];
	uint64_t time = 0;
	if (signature->size != sizeof signature->bytes)
		return false;
	for (size_t i = 0; i < TIME_SIZE; i++)
		time = time << 8 | signature->bytes[4 + i];
	int head = snprintf((char *)message, sizeof message, "cosignature/v1\ntime %" PRIu64 "\n", time);
	if (head < 0 || time > INT64_MAX || body.size > sizeof message - (size_t)head)
		return false;
	memcpy(message + head, body.data, body.size);
	return crypto_sign_verify_detached(signature->bytes + 4 + TIME_SIZE, message,
	                                   (size_t)head + body.size, key->public_key) == 0;
}

struct tally {
	bool log;
	bool witness[WITNESSES_MAX];
};

/* A signature of a key that was given must hold; any other is not ours to judge. */
static bool count_line(const struct signature *signature, const struct trust *trust, struct span body,
                       struct tally *tally, struct reason *why)
{
	if (is_by(signature, &trust->log)) {
		if (tally->log || !log_signed(signature, &trust->log, body))
			return refuse(why, "the log's signature does not fit the checkpoint");
		tally->log = true;
	}
	for (size_t i = 0; i < trust->witness_count; i++) {
		const struct key *witness = &trust->witnesses[i];
		if (!is_by(signature, witness))
			continue;
		if (tally->witness[i] || !witness_signed(signature, witness, body))
			return refuse(why, "the cosignature of %s does not fit the checkpoint",
			              witness->name);
		tally->witness[i] = true;
	}
	return true;
}

static bool count_lines(struct span lines, const struct trust *trust, struct span body, struct tally *tally,
                        struct reason *why)
{
	struct span rest = lines, line;
	for (size_t count = 0; rest.size; count++) {
		struct signature signature;
		if (count == SIGNATURES_MAX || !next_line(&rest, &line))
			return refuse(why,
			              "the checkpoint has too many signatures, or its last line has no end");
		if (!parse_line(line, &signature, why) || !count_line(&signature, trust, body, tally, why))
			return false;
	}
	return true;
}

bool check_checkpoint(struct span note, const struct trust *trust, struct checkpoint *out, struct reason *why)
{
	struct checkpoint checkpoint = {.size = 0};
	struct tally tally = {.log = false};
	size_t split = 0;
	while (split + 1 < note.size && !(note.data[split] == '\n' && note.data[split + 1] == '\n'))
		split++;
	if (split + 1 >= note.size)
		return refuse(why, "the checkpoint has no signatures");
	struct span body = {note.data, split + 1};
	struct span lines = {note.data + split + 2, note.size - split - 2};
	if (!parse_body(body, &checkpoint, why))
		return false;
	if (strcmp(checkpoint.origin, trust->log.name) != 0)
		/* Not by its name: what nobody signed does not go to a terminal. */
		return refuse(why, "the checkpoint is of another log than %s", trust->log.name);
	if (!count_lines(lines, trust, body, &tally, why))
		return false;
	if (!tally.log)
		return refuse(why, "the checkpoint is not signed by the given log key");
	for (size_t i = 0; i < trust->witness_count; i++)
		checkpoint.cosigned += tally.witness[i];
	if (checkpoint.cosigned < trust->quorum)
		return refuse(why, "%zu of the given witnesses cosigned the checkpoint, %zu are asked for",
		              checkpoint.cosigned, trust->quorum);
	*out = checkpoint;
	return true;
}
