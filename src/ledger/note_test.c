/* Verifier keys, checkpoints and .tlog-proof files: keys that others made are read, and every line that is not as C2SP
 * has it is refused by a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_log.h"

#define HASH "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="

/* The key of Go's checksum database, as its documentation prints it. */
static const char go_key[] = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

static void is_refused(enum rs_code code, enum rs_code expected, const struct rs_error *err,
                       const char *words)
{
	if (code != expected || !strstr(err->message, words))
		fail_msg("%s: '%s' is not in '%s'", rs_code_name(code), words, err->message);
}

static void keys_of_others_are_read(void **state)
{
	struct rs_note_key key;
	struct rs_error err = {0};
	char text[RS_VKEY_SIZE];
	(void)state;
	assert_int_equal(rs_note_key_parse(rs_str_from(go_key), &key, &err), RS_OK);
	assert_string_equal(key.name, "sum.golang.org");
	rs_note_key_format(&key, text);
	assert_string_equal(text, go_key);
}

static void keys_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{"", RS_MALFORMED, "name+hash+key"},
		{"sum.golang.org", RS_MALFORMED, "name+hash+key"},
		{"+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_MALFORMED, "name+hash+key"},
		{"a b+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_MALFORMED, "name+hash+key"},
		{"sum.golang.org+033de0a+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_MALFORMED,
	         "name+hash+key"},
		{"sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn", RS_MALFORMED,
	         "name+hash+key"},
		{"sum.golang.org+033de0ae+Bc4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_UNSUPPORTED,
	         "algorithm 5"},
		{"sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_MALFORMED,
	         "does not fit its name"},
		{"sum.golang.orh+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", RS_MALFORMED,
	         "does not fit its name"},
	};
	struct rs_note_key key = {.name = "untouched"};
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		is_refused(rs_note_key_parse(rs_str_from(cases[i].text), &key, &err), cases[i].code, &err,
		           cases[i].words);
	is_refused(rs_note_key_init(&key, "with space", key.public_key, &err), RS_USAGE, &err,
	           "without spaces");
	is_refused(rs_note_key_init(&key, "with+plus", key.public_key, &err), RS_USAGE, &err,
	           "without spaces");
	is_refused(rs_note_key_init(&key, "\xff", key.public_key, &err), RS_USAGE, &err, "without spaces");
	assert_string_equal(key.name, "untouched");
}

static void make_key(const char *name, struct rs_signing_key *signing, struct rs_note_key *out)
{
	struct rs_secret seed = {{9}};
	rs_signing_key_from_seed(&seed, signing);
	assert_int_equal(rs_note_key_init(out, name, signing->public_key, NULL), RS_OK);
}

/* Signs any text as a note, so that only its form can be what is refused. */
static void sign(const struct rs_signing_key *signing, const struct rs_note_key *key, const char *body,
                 struct rs_buffer *out)
{
	uint8_t signature[4 + RS_SIGNATURE_SIZE];
	char base64[RS_BASE64_SIZE(sizeof signature)];
	memcpy(signature, key->id, 4);
	rs_sign(signing, rs_bytes_of_str(rs_str_from(body)), signature + 4);
	rs_base64_encode(rs_bytes_of(signature, sizeof signature), base64);
	out->size = 0;
	rs_buffer_printf(out, "%s\n\xe2\x80\x94 %s %s\n", body, key->name, base64);
}

static void signed_texts_that_are_no_checkpoints_are_refused(void **state)
{
	static const struct {
		const char *body;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{"log\n7\n", RS_MALFORMED, "three lines"},
		{"log\n7\n" HASH "\nmore\n", RS_MALFORMED, "three lines"},
		{"l g\n7\n" HASH "\n", RS_MALFORMED, "origin"},
		{"log\n07\n" HASH "\n", RS_MALFORMED, "size"},
		{"log\n-7\n" HASH "\n", RS_MALFORMED, "size"},
		{"log\n18446744073709551616\n" HASH "\n", RS_MALFORMED, "size"},
		{"log\n7\nqqqq\n", RS_MALFORMED, "root"},
		{"log\n7\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqp=\n", RS_MALFORMED, "root"},
		{"other\n7\n" HASH "\n", RS_ALTERED, "of the log 'other'"},
	};
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_signing_key signing;
	struct rs_note_key key;
	struct rs_checkpoint checkpoint;
	struct rs_error err = {0};
	(void)state;
	make_key("log", &signing, &key);
	rs_buffer_init(&note, 4096);
	sign(&signing, &key, "log\n7\n" HASH "\n", &note);
	assert_int_equal(
		rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint, &err),
		RS_OK);
	assert_int_equal(checkpoint.size, 7);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		sign(&signing, &key, cases[i].body, &note);
		is_refused(rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint,
		                                &err),
		           cases[i].code, &err, cases[i].words);
	}
}

static void signatures_must_be_one_line_of_the_key(void **state)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_signing_key signing;
	struct rs_note_key key, other;
	struct rs_checkpoint checkpoint;
	struct rs_error err = {0};
	(void)state;
	make_key("log", &signing, &key);
	make_key("log2", &signing, &other);
	rs_buffer_init(&note, 4096);
	sign(&signing, &key, "log\n7\n" HASH "\n", &note);
	size_t size = note.size;
	for (size_t cut = 0; cut < size; cut++)
		assert_int_not_equal(rs_checkpoint_verify(rs_str_of_bytes(rs_bytes_of(note.data, cut)), &key,
		                                          &checkpoint, &err),
		                     RS_OK);
	rs_buffer_append(&note, note.data + size - 20, 20);
	is_refused(rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint, &err),
	           RS_MALFORMED, &err, "one signature line");
	/* The right bytes under another name: the name is hashed into the key's id. */
	sign(&signing, &other, "log\n7\n" HASH "\n", &note);
	is_refused(rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint, &err),
	           RS_ALTERED, &err, "another key");
	other = key;
	other.id[3] ^= 1;
	sign(&signing, &other, "log\n7\n" HASH "\n", &note);
	is_refused(rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint, &err),
	           RS_ALTERED, &err, "another key");
	sign(&signing, &key, "log\n7\n" HASH "\n", &note);
	note.data[4] = '8';
	is_refused(rs_checkpoint_verify(rs_str_of_bytes(rs_buffer_bytes(&note)), &key, &checkpoint, &err),
	           RS_ALTERED, &err, "does not fit its text");
}

#define FIRST "c2sp.org/tlog-proof@v1\n"

static void proofs_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "line 1"},
		{"c2sp.org/tlog-proof@v2\nindex 1\n\nnote", "line 1 of the receipt: must be"},
		{FIRST, "line 2"},
		{FIRST "extra \nindex 1\n\nnote", "line 2 of the receipt: the extra data are empty"},
		{FIRST "extra A\nindex 1\n\nnote", "line 2 of the receipt: the extra data are not base64"},
		{FIRST "extra AAAA\n\nnote", "line 3 of the receipt: 'index'"},
		{FIRST "index 01\n\nnote", "'index' and a number"},
		{FIRST "index -1\n\nnote", "'index' and a number"},
		{FIRST "index \n\nnote", "'index' and a number"},
		{FIRST "index 1\n" HASH "\nAAAA\n\nnote", "line 4 of the receipt: a hash of 32 bytes"},
		{FIRST "index 1\n" HASH "\n", "the checkpoint is missing"},
		{FIRST "index 1\n" HASH, "the checkpoint is missing"},
	};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_tlog_proof proof;
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		is_refused(rs_tlog_proof_parse(rs_str_from(cases[i].text), &proof, &err), RS_MALFORMED, &err,
		           cases[i].words);
	/* 64 hashes are those of the largest tree there can be, 65 are of none. */
	rs_buffer_init(&text, 8192);
	rs_buffer_append_text(&text, FIRST "index 1\n");
	for (int i = 0; i < 64; i++)
		rs_buffer_append_text(&text, HASH "\n");
	size_t hashes = text.size;
	rs_buffer_append_text(&text, "\nnote");
	assert_int_equal(rs_tlog_proof_parse(rs_str_of_bytes(rs_buffer_bytes(&text)), &proof, &err), RS_OK);
	assert_true(proof.path_count == 64 && rs_str_equal_text(proof.checkpoint, "note"));
	rs_tlog_proof_finish(&proof);
	text.size = hashes;
	rs_buffer_append_text(&text, HASH "\n\nnote");
	is_refused(rs_tlog_proof_parse(rs_str_of_bytes(rs_buffer_bytes(&text)), &proof, &err), RS_MALFORMED,
	           &err, "line 67 of the receipt: more hashes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_others_are_read),
		cmocka_unit_test(keys_that_are_none_are_refused),
		cmocka_unit_test(signed_texts_that_are_no_checkpoints_are_refused),
		cmocka_unit_test(signatures_must_be_one_line_of_the_key),
		cmocka_unit_test(proofs_that_are_none_are_refused),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
