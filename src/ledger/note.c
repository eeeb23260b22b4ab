/* Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), read as strictly as they are written. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "note.h"

bool note_name_is_fit(struct rs_str name)
{
	if (name.size == 0 || name.size > RS_NOTE_NAME_MAX || !rs_utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((uint8_t)name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] == 0x7f)
			return false;
	return true;
}

enum rs_code note_key_init(struct rs_note_key *out, enum rs_note_algorithm algorithm, const char *name,
                           const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err)
{
	struct rs_note_key key = {.name = "", .algorithm = algorithm};
	const uint8_t separator[2] = {'\n', (uint8_t)algorithm};
	struct rs_str text = rs_str_from(name);
	struct rs_sha256 hash;
	struct rs_digest digest;
	if (!note_name_is_fit(text))
		return rs_error_set(err, RS_USAGE,
		                    "a key's name has 1 to %d characters without spaces and plus",
		                    RS_NOTE_NAME_MAX);
	memcpy(key.name, name, text.size);
	memcpy(key.public_key, public_key, RS_KEY_SIZE);
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, name, text.size);
	rs_sha256_update(&hash, separator, sizeof separator);
	rs_sha256_update(&hash, public_key, RS_KEY_SIZE);
	rs_sha256_final(&hash, &digest);
	memcpy(key.id, digest.bytes, sizeof key.id);
	*out = key;
	return RS_OK;
}

enum rs_code rs_note_key_init(struct rs_note_key *out, const char *name,
                              const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err)
{
	return note_key_init(out, RS_NOTE_ED25519, name, public_key, err);
}

enum rs_code rs_note_key_parse(struct rs_str vkey, struct rs_note_key *out, struct rs_error *err)
{
	return note_key_parse(vkey, RS_NOTE_ED25519, out, err);
}

void rs_note_key_format(const struct rs_note_key *key, char out[static RS_VKEY_SIZE])
{
	uint8_t encoded[1 + RS_KEY_SIZE] = {(uint8_t)key->algorithm};
	char id[2 * sizeof key->id + 1], text[RS_BASE64_SIZE(sizeof encoded)];
	memcpy(encoded + 1, key->public_key, RS_KEY_SIZE);
	rs_hex_encode(rs_bytes_of(key->id, sizeof key->id), id);
	rs_base64_encode(rs_bytes_of(encoded, sizeof encoded), text);
	snprintf(out, RS_VKEY_SIZE, "%s+%s+%s", key->name, id, text);
}

enum rs_code note_key_parse(struct rs_str vkey, enum rs_note_algorithm algorithm, struct rs_note_key *out,
                            struct rs_error *err)
{
	struct rs_str name, id;
	uint8_t id_bytes[4], encoded[1 + RS_KEY_SIZE + 2];
	char copy[RS_NOTE_NAME_MAX + 1] = "";
	size_t size = 0;
	struct rs_note_key key;
	struct rs_str rest = vkey;
	if (!rs_str_split(&rest, '+', &name) || !rs_str_split(&rest, '+', &id) || !rest.data ||
	    !note_name_is_fit(name) || !rs_hex_decode(id, id_bytes, sizeof id_bytes) ||
	    rest.size != RS_BASE64_SIZE(1 + RS_KEY_SIZE) - 1 || !rs_base64_decode(rest, encoded, &size) ||
	    size != 1 + RS_KEY_SIZE)
		return rs_error_set(err, RS_MALFORMED,
		                    "the verifier key does not have the form name+hash+key");
	if (encoded[0] != algorithm)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the verifier key is of algorithm %u; %s has Ed25519 (%d)", encoded[0],
		                    algorithm == RS_NOTE_ED25519 ? "a log" : "a witness", (int)algorithm);
	memcpy(copy, name.data, name.size);
	RS_TRY(note_key_init(&key, algorithm, copy, encoded + 1, err));
	if (memcmp(key.id, id_bytes, sizeof id_bytes) != 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "the verifier key's hash does not fit its name and key");
	*out = key;
	return RS_OK;
}

/* The text stands in `out` from `start` on. */
static enum rs_code sign_text(struct rs_buffer *out, size_t start, const char *name,
                              const struct rs_signing_key *key, struct rs_error *err)
{
	struct rs_note_key note_key;
	uint8_t signature[4 + RS_SIGNATURE_SIZE];
	char signed_text[RS_BASE64_SIZE(sizeof signature)];
	RS_TRY(rs_buffer_check(out, "a signed note", err));
	RS_TRY(rs_note_key_init(&note_key, name, key->public_key, err));
	memcpy(signature, note_key.id, sizeof note_key.id);
	rs_sign(key, rs_bytes_of(out->data + start, out->size - start), signature + 4);
	rs_base64_encode(rs_bytes_of(signature, sizeof signature), signed_text);
	rs_buffer_printf(out, "\n" EM_DASH " %s %s\n", name, signed_text);
	return rs_buffer_check(out, "a signed note", err);
}

enum rs_code rs_note_sign(struct rs_str text, const char *name, const struct rs_signing_key *key,
                          struct rs_buffer *out, struct rs_error *err)
{
	size_t start = out->size;
	rs_buffer_append_str(out, text);
	return sign_text(out, start, name, key, err);
}

enum rs_code rs_checkpoint_sign(const struct rs_checkpoint *checkpoint, const struct rs_signing_key *key,
                                struct rs_buffer *out, struct rs_error *err)
{
	char root[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	size_t start = out->size;
	rs_base64_encode(rs_bytes_of(checkpoint->root.bytes, RS_SHA256_SIZE), root);
	rs_buffer_printf(out, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin, checkpoint->size, root);
	return sign_text(out, start, checkpoint->origin, key, err);
}

enum rs_code note_malformed(struct rs_error *err, const char *what)
{
	return rs_error_set(err, RS_MALFORMED, "the signed note is malformed: %s", what);
}

bool note_parse_decimal(struct rs_str text, uint64_t *out)
{
	return !(text.size > 1 && text.data[0] == '0') && rs_parse_u64(text, out);
}

enum rs_code note_parse_body(struct rs_str body, bool extended, struct rs_checkpoint *out,
                             struct rs_error *err)
{
	struct rs_str origin, size, root, rest = body;
	uint8_t decoded[RS_SHA256_SIZE + 4];
	size_t decoded_size = 0;
	*out = (struct rs_checkpoint){.size = 0};
	if (!rs_str_split(&rest, '\n', &origin) || !rs_str_split(&rest, '\n', &size) ||
	    !rs_str_split(&rest, '\n', &root) || !rest.data || (rest.size && !extended))
		return note_malformed(err, "it must have the three lines origin, size and root");
	if (!note_name_is_fit(origin))
		return note_malformed(err, "its origin is not a name");
	if (!note_parse_decimal(size, &out->size))
		return note_malformed(err, "its size is not a number");
	if (root.size != RS_BASE64_SIZE(RS_SHA256_SIZE) - 1 ||
	    !rs_base64_decode(root, decoded, &decoded_size) || decoded_size != RS_SHA256_SIZE)
		return note_malformed(err, "its root is not 32 bytes in base64");
	memcpy(out->origin, origin.data, origin.size);
	memcpy(out->root.bytes, decoded, RS_SHA256_SIZE);
	return RS_OK;
}

enum rs_code note_split(struct rs_str note, struct rs_str *out_body, struct rs_str *out_lines,
                        struct rs_error *err)
{
	size_t split = 0;
	while (split + 1 < note.size && !(note.data[split] == '\n' && note.data[split + 1] == '\n'))
		split++;
	/* At least one byte of signature line and its end behind the empty line. */
	if (note.size < 4 || split > note.size - 4 || note.data[note.size - 1] != '\n')
		return note_malformed(
			err, "there is no empty line before its signature, or its last line has no end");
	*out_body = (struct rs_str){note.data, split + 1};
	*out_lines = (struct rs_str){note.data + split + 2, note.size - split - 2};
	return RS_OK;
}

static enum rs_code verify_line(struct rs_str line, struct rs_str body, const struct rs_note_key *key,
                                struct rs_error *err)
{
	struct rs_str dash, name, rest = line;
	uint8_t signature[4 + RS_SIGNATURE_SIZE + 4];
	size_t size = 0;
	if (!rs_str_split(&rest, ' ', &dash) || !rs_str_equal_text(dash, EM_DASH) ||
	    !rs_str_split(&rest, ' ', &name) || !rest.data ||
	    rest.size != RS_BASE64_SIZE(4 + RS_SIGNATURE_SIZE) - 1 ||
	    !rs_base64_decode(rest, signature, &size) || size != 4 + RS_SIGNATURE_SIZE)
		return note_malformed(err, "its signature line is not '— name signature'");
	if (!rs_str_equal_text(name, key->name) || memcmp(signature, key->id, sizeof key->id) != 0)
		return rs_error_set(err, RS_ALTERED, "it is signed by another key than the given one");
	if (!rs_signature_valid(key->public_key, rs_bytes_of_str(body), signature + 4))
		return rs_error_set(err, RS_ALTERED, "its signature does not fit its text");
	return RS_OK;
}

enum rs_code rs_note_open(struct rs_str note, const struct rs_note_key *key, struct rs_str *out_text,
                          struct rs_error *err)
{
	struct rs_str body, line;
	RS_TRY(note_split(note, &body, &line, err));
	line.size--; /* without its end */
	if (memchr(line.data, '\n', line.size))
		return note_malformed(err, "it must have one signature line");
	RS_TRY(verify_line(line, body, key, err));
	*out_text = body;
	return RS_OK;
}

enum rs_code rs_checkpoint_verify(struct rs_str note, const struct rs_note_key *key,
                                  struct rs_checkpoint *out, struct rs_error *err)
{
	struct rs_checkpoint checkpoint;
	struct rs_str body, line;
	RS_TRY(note_split(note, &body, &line, err));
	line.size--; /* without its end */
	if (memchr(line.data, '\n', line.size))
		return note_malformed(err, "it must have one signature line");
	RS_TRY(note_parse_body(body, false, &checkpoint, err));
	if (strcmp(checkpoint.origin, key->name) != 0)
		return rs_error_set(err, RS_ALTERED, "the checkpoint is of the log '%s', the key of '%s'",
		                    checkpoint.origin, key->name);
	RS_TRY(verify_line(line, body, key, err));
	*out = checkpoint;
	return RS_OK;
}
