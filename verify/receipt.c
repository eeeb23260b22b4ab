/* The chain of proof, from the checkpoint down to the file's hash:
 *   1. the checkpoint is signed by the log (and witnesses): a tree of `size` entries with this `root`;
 *   2. the entry is leaf `index` of that tree;
 *   3. the entry is a COSE_Sign1 by a member; its body holds the root of a tree over commitments of instances;
 *   4. the commitment of this file's record is leaf `instance` of that tree: HMAC-SHA-256(key, record), key and record
 *      are in the receipt and nowhere on the log;
 *   5. the record states SHA-256 and size of the file. */
#include <sodium.h>
#include <string.h>

#include "verify.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define PATH_MAX_COUNT 64
#define EXTRA_SIZE_MAX (64 * 1024)
#define ENTRY_SIZE_MAX 65535 /* C2SP tlog-tiles */
#define BODY_DEPTH_MAX 8
#define EXTERNAL_AAD "radseal transaction v1"

struct path {
	uint8_t hashes[PATH_MAX_COUNT * HASH_SIZE];
	size_t count;
};

/* RFC 6962 §2.1: a leaf is hashed behind 0, a node behind 1. */
static struct hash hash_of(uint8_t prefix, struct span first, struct span second)
{
	crypto_hash_sha256_state state;
	struct hash out;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	crypto_hash_sha256_update(&state, first.data, first.size);
	crypto_hash_sha256_update(&state, second.data, second.size);
	crypto_hash_sha256_final(&state, out.bytes);
	return out;
}

static struct hash leaf_hash(struct span data)
{
	return hash_of(0, data, (struct span){(const uint8_t *)"", 0});
}

bool is_included(struct hash leaf, uint64_t index, uint64_t size, const uint8_t *path, size_t count,
                 const struct hash *root)
{
	if (index >= size)
		return false;
	uint64_t place = index, last = size - 1;
	struct hash hash = leaf;
	for (size_t i = 0; i < count; i++) {
		struct span own = {hash.bytes, HASH_SIZE}, other = {path + i * HASH_SIZE, HASH_SIZE};
		if (last == 0)
			return false;
		if ((place & 1) || place == last) {
			hash = hash_of(1, other, own);
			while (!(place & 1) && place) {
				place >>= 1;
				last >>= 1;
			}
		} else {
			hash = hash_of(1, own, other);
		}
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash.bytes, root->bytes, HASH_SIZE) == 0;
}

/* The text form, C2SP tlog-proof. */
struct proof {
	uint8_t extra[EXTRA_SIZE_MAX];
	size_t extra_size;
	uint64_t index;
	struct path path;
	struct span checkpoint;
};

static bool parse_path_line(struct span line, struct path *path)
{
	size_t size = 0;
	return path->count < PATH_MAX_COUNT &&
	       parse_base64(line, path->hashes + path->count++ * HASH_SIZE, HASH_SIZE, &size) &&
	       size == HASH_SIZE;
}

static bool parse_proof(struct span text, struct proof *out, struct reason *why)
{
	struct span rest = text, line;
	if (!next_line(&rest, &line) || !span_is(line, FIRST_LINE))
		return refuse(why, "the receipt's first line is not " FIRST_LINE);
	if (!next_line(&rest, &line) || !span_begins(line, "extra ") ||
	    !parse_base64((struct span){line.data + 6, line.size - 6}, out->extra, sizeof out->extra,
	                  &out->extra_size))
		return refuse(why, "line 2 of the receipt is not 'extra' and base64");
	if (!next_line(&rest, &line) || !span_begins(line, "index ") ||
	    !parse_decimal((struct span){line.data + 6, line.size - 6}, &out->index))
		return refuse(why, "line 3 of the receipt is not 'index' and a number");
	for (;;) {
		if (!next_line(&rest, &line))
			return refuse(why, "the receipt has no checkpoint");
		if (line.size == 0)
			break;
		if (!parse_path_line(line, &out->path))
			return refuse(why, "line %zu of the receipt is no hash, or one too many",
			              out->path.count + 3);
	}
	out->checkpoint = rest;
	return true;
}

/* What radseal adds to it: {1: version, 2: entry, 3: instance, 4: instances, 5: [path], 6: key, 7: record}. */
struct opening {
	struct span entry, record;
	uint64_t instance, instances;
	struct path path;
	uint8_t key[HASH_SIZE];
};

static bool parse_opening(struct span extra, struct opening *out, struct reason *why)
{
	struct cbor cbor = cbor_of(extra);
	cbor_expect(&cbor, CBOR_MAP, 7);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1); /* version */
	cbor_expect(&cbor, CBOR_UNSIGNED, 2);
	out->entry = cbor_string(&cbor, CBOR_BYTES);
	cbor_expect(&cbor, CBOR_UNSIGNED, 3);
	out->instance = cbor_head(&cbor, CBOR_UNSIGNED);
	cbor_expect(&cbor, CBOR_UNSIGNED, 4);
	out->instances = cbor_head(&cbor, CBOR_UNSIGNED);
	cbor_expect(&cbor, CBOR_UNSIGNED, 5);
	uint64_t count = cbor_head(&cbor, CBOR_ARRAY);
	if (count > PATH_MAX_COUNT)
		return refuse(why, "the receipt's instance path is longer than any tree needs");
	for (uint64_t i = 0; i < count; i++)
		cbor_fixed(&cbor, out->path.hashes + out->path.count++ * HASH_SIZE, HASH_SIZE);
	cbor_expect(&cbor, CBOR_UNSIGNED, 6);
	cbor_fixed(&cbor, out->key, sizeof out->key);
	cbor_expect(&cbor, CBOR_UNSIGNED, 7);
	out->record = cbor_string(&cbor, CBOR_BYTES);
	if (!cbor_ended(&cbor) || out->entry.size > ENTRY_SIZE_MAX)
		return refuse(why, "the receipt's extra data are not an opening, version 1");
	return true;
}

/* An entry: COSE_Sign1 (RFC 9052) with EdDSA, the signer's key as kid. */
struct entry {
	struct span protected_header, payload;
	uint8_t signature[SIGNATURE_SIZE], signer[KEY_SIZE];
	uint64_t time_ms, instances;
	struct hash commitment; /* root over the instances */
};

static bool parse_envelope(struct span bytes, struct entry *out)
{
	struct cbor cbor = cbor_of(bytes);
	cbor_expect(&cbor, CBOR_TAG, 18);
	cbor_expect(&cbor, CBOR_ARRAY, 4);
	out->protected_header = cbor_string(&cbor, CBOR_BYTES);
	cbor_expect(&cbor, CBOR_MAP, 0);
	out->payload = cbor_string(&cbor, CBOR_BYTES);
	cbor_fixed(&cbor, out->signature, sizeof out->signature);
	if (!cbor_ended(&cbor))
		return false;
	cbor = cbor_of(out->protected_header);
	cbor_expect(&cbor, CBOR_MAP, 2);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1); /* alg */
	cbor_expect(&cbor, CBOR_NEGATIVE, 7); /* -8: EdDSA */
	cbor_expect(&cbor, CBOR_UNSIGNED, 4); /* kid */
	cbor_fixed(&cbor, out->signer, sizeof out->signer);
	return cbor_ended(&cbor);
}

/* Of the body {…, 7: commitment, 8: instances, …} those two matter here, once each. */
static bool parse_body(struct cbor *cbor, struct entry *out)
{
	uint64_t count = cbor_head(cbor, CBOR_MAP), previous = 0;
	for (uint64_t i = 0; i < count && cbor->ok; i++) {
		uint64_t field = cbor_head(cbor, CBOR_UNSIGNED);
		if (field <= previous)
			cbor->ok = false;
		previous = field;
		if (field == 7)
			cbor_fixed(cbor, out->commitment.bytes, HASH_SIZE);
		else if (field == 8)
			out->instances = cbor_head(cbor, CBOR_UNSIGNED);
		else
			cbor_skip(cbor, BODY_DEPTH_MAX);
	}
	return cbor_ended(cbor) && out->instances > 0;
}

/* {1: version, 2: type, 3: id, 4: time, 5: body}; type 6 registers an object. */
static bool parse_payload(struct entry *entry)
{
	struct cbor cbor = cbor_of(entry->payload);
	cbor_expect(&cbor, CBOR_MAP, 5);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1);
	cbor_expect(&cbor, CBOR_UNSIGNED, 2);
	cbor_expect(&cbor, CBOR_UNSIGNED, 6);
	cbor_expect(&cbor, CBOR_UNSIGNED, 3);
	(void)cbor_string(&cbor, CBOR_BYTES);
	cbor_expect(&cbor, CBOR_UNSIGNED, 4);
	entry->time_ms = cbor_head(&cbor, CBOR_UNSIGNED);
	cbor_expect(&cbor, CBOR_UNSIGNED, 5);
	return parse_body(&cbor, entry);
}

static void put_bytes_head(uint8_t *out, size_t *at, size_t size)
{
	if (size < 24) {
		out[(*at)++] = (uint8_t)(0x40 | size);
	} else if (size < 256) {
		out[(*at)++] = 0x58;
		out[(*at)++] = (uint8_t)size;
	} else {
		out[(*at)++] = 0x59;
		out[(*at)++] = (uint8_t)(size >> 8);
		out[(*at)++] = (uint8_t)size;
	}
}

static void put(uint8_t *out, size_t *at, struct span bytes)
{
	memcpy(out + *at, bytes.data, bytes.size);
	*at += bytes.size;
}

/* RFC 9052 §4.4: what was signed is ["Signature1", protected, external_aad, payload]. */
static bool entry_is_signed(const struct entry *entry)
{
	uint8_t message[ENTRY_SIZE_MAX + 128];
	struct span parts[] = {entry->protected_header, span_of_text(EXTERNAL_AAD), entry->payload};
	size_t size = 0;
	put(message, &size, span_of_text("\x84\x6aSignature1"));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		put_bytes_head(message, &size, parts[i].size);
		put(message, &size, parts[i]);
	}
	return crypto_sign_verify_detached(entry->signature, message, size, entry->signer) == 0;
}

static bool check_entry(struct span bytes, struct entry *out, struct reason *why)
{
	if (!parse_envelope(bytes, out) || !parse_payload(out))
		return refuse(why, "the receipt's entry does not register an object");
	if (!entry_is_signed(out))
		return refuse(why, "the entry's signature does not fit its content");
	return true;
}

/* The file's record and key give its commitment, which is one leaf of the entry's tree. */
static bool check_instance(const struct opening *opening, const struct entry *entry, struct reason *why)
{
	crypto_auth_hmacsha256_state state;
	struct hash commitment;
	crypto_auth_hmacsha256_init(&state, opening->key, sizeof opening->key);
	crypto_auth_hmacsha256_update(&state, opening->record.data, opening->record.size);
	crypto_auth_hmacsha256_final(&state, commitment.bytes);
	struct hash leaf = leaf_hash((struct span){commitment.bytes, HASH_SIZE});
	if (opening->instances != entry->instances ||
	    !is_included(leaf, opening->instance, opening->instances, opening->path.hashes,
	                 opening->path.count, &entry->commitment))
		return refuse(why, "the receipt's record is not one that its log entry commits to");
	return true;
}

/* {1: version, 2: kind, 3: SHA-256, 4: size, 5: media, 6: CID, 7: {identifiers}}, and 8: {source} of what came over a network */
static bool parse_record(struct span record, struct facts *out, struct reason *why)
{
	struct cbor cbor = cbor_of(record);
	uint64_t fields = cbor_head(&cbor, CBOR_MAP);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1);
	cbor_expect(&cbor, CBOR_UNSIGNED, 1);
	cbor_expect(&cbor, CBOR_UNSIGNED, 2);
	(void)cbor_head(&cbor, CBOR_UNSIGNED);
	cbor_expect(&cbor, CBOR_UNSIGNED, 3);
	cbor_fixed(&cbor, out->content.bytes, HASH_SIZE);
	cbor_expect(&cbor, CBOR_UNSIGNED, 4);
	out->size = cbor_head(&cbor, CBOR_UNSIGNED);
	for (uint64_t field = 5; field <= fields; field++) {
		cbor_expect(&cbor, CBOR_UNSIGNED, field);
		cbor_skip(&cbor, BODY_DEPTH_MAX);
	}
	return ((fields == 7 || fields == 8) && cbor_ended(&cbor)) ||
	       refuse(why, "the receipt's record is not one of version 1");
}

bool check_receipt(struct span text, const struct trust *trust, struct facts *out, struct reason *why)
{
	struct proof proof = {.index = 0};
	struct opening opening = {.instance = 0};
	struct entry entry = {.time_ms = 0};
	struct facts facts = {.index = 0};
	if (!parse_proof(text, &proof, why) ||
	    !check_checkpoint(proof.checkpoint, trust, &facts.checkpoint, why) ||
	    !parse_opening((struct span){proof.extra, proof.extra_size}, &opening, why))
		return false;
	if (!is_included(leaf_hash(opening.entry), proof.index, facts.checkpoint.size, proof.path.hashes,
	                 proof.path.count, &facts.checkpoint.root))
		return refuse(why, "the receipt's entry is not in the log that its checkpoint signs");
	if (!check_entry(opening.entry, &entry, why) || !check_instance(&opening, &entry, why) ||
	    !parse_record(opening.record, &facts, why))
		return false;
	facts.index = proof.index;
	facts.instance = opening.instance;
	facts.instances = opening.instances;
	facts.time_ms = entry.time_ms;
	memcpy(facts.signer, entry.signer, KEY_SIZE);
	*out = facts;
	return true;
}
