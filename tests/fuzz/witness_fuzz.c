/* Hostile requests to a witness, answers of a witness and messages of HTTP: answered or refused by a sentence, and what
 * nobody signed is never cosigned. */
#include <assert.h>
#include <stdlib.h>

#include "ledger/ledger_witness.h"
#include "net/net_http.h"

static enum rs_code recall(void *context, const char *origin, struct rs_buffer *out, struct rs_error *err)
{
	(void)context;
	(void)origin;
	(void)out;
	(void)err;
	return RS_NOT_FOUND;
}

static enum rs_code remember(void *context, const char *origin, struct rs_str note, struct rs_error *err)
{
	(void)context;
	(void)origin;
	(void)note;
	(void)err;
	abort(); /* nobody signed this */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t public_key[RS_KEY_SIZE] = {1};
	struct rs_str text = {(const char *)data, size};
	struct rs_signing_key key;
	struct rs_secret seed = {{7}};
	struct rs_note_key log, name;
	struct rs_witness_answer answer;
	struct rs_http_request request;
	struct rs_bytes body;
	struct rs_buffer lines;
	struct rs_error err = {0};
	unsigned status;
	size_t used, cosigned;
	rs_signing_key_from_seed(&seed, &key);
	assert(rs_note_key_init(&log, "log.example/a", public_key, &err) == RS_OK);
	assert(rs_witness_key_init(&name, "witness.example/w", key.public_key, &err) == RS_OK);
	const struct rs_witness witness = {&log, 1, name, &key, {recall, remember, NULL, NULL}};
	assert(rs_witness_add_checkpoint(&witness, text, 1, &answer, &err) == RS_OK);
	assert(answer.status != 200 && answer.refusal.message[0]);
	rs_witness_answer_finish(&answer);
	rs_buffer_init(&lines, size);
	(void)rs_cosignatures_pick(text, RS_STR("log.example/a\n1\nx\n\n- x\n"), &name, &lines, &err);
	rs_buffer_finish(&lines);
	const struct rs_trust trust = {log, &name, 1, 0};
	struct rs_checkpoint checkpoint;
	assert(rs_checkpoint_open(text, &trust, &checkpoint, &cosigned, &err) != RS_OK);
	if (rs_http_parse_request(rs_bytes_of(data, size), &request, &used, &err) == RS_OK)
		assert(used <= size);
	(void)rs_http_parse_answer(rs_bytes_of(data, size), &status, &body, &err);
	return 0;
}
