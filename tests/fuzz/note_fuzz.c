/* Hostile verifier keys and checkpoints. */
#include <assert.h>
#include <string.h>

#include "ledger/ledger_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_str text = {(const char *)data, size};
	struct rs_note_key key;
	struct rs_checkpoint checkpoint;
	struct rs_error err = {0};
	const uint8_t public_key[RS_KEY_SIZE] = {1};
	if (rs_note_key_parse(text, &key, &err) == RS_OK) {
		char again[RS_VKEY_SIZE];
		rs_note_key_format(&key, again);
		/* Hexadecimal may come in either case; all else is one text. */
		assert(strlen(again) == size);
	}
	assert(rs_note_key_init(&key, "radseal.local/fuzz", public_key, &err) == RS_OK);
	assert(rs_checkpoint_verify(text, &key, &checkpoint, &err) != RS_OK);
	return 0;
}
