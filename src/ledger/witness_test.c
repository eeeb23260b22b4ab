/* Cosignatures of a public witness, and a witness of our own against logs that behave, that roll back and that fork. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_witness.h"

#define ORIGIN "log.example/a"
#define SIZE_MAX_TESTED 24
#define TIME 1700000000

/* A checkpoint of a log of Google's, cosigned by the public witness of Geomys (witness-network.org). */
static const char public_vkey[] =
	"witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G";
static const char public_body[] = "coachandhorses2026h1.staging.certificate.transparency.goog\n185550722\n"
				  "YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=\n";
static const char public_lines[] =
	"\xe2\x80\x94 coachandhorses2026h1.staging.certificate.transparency.goog "
	"MpXgsHy8ZwxXnO+WjtVrPxAzL49Rs1gWTkNVNeEa//5peAzaocRCB3qt3EaibjzY5GILLtGgBP7dBhgcSHy+JQh0OAc=\n"
	"\xe2\x80\x94 witness.navigli.sunlight.geomys.org "
	"o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==\n";

struct fixture {
	struct rs_signing_key log_key, other_key, witness_key;
	struct rs_note_key log, witness_name;
	struct rs_digest leaves[SIZE_MAX_TESTED], fork[SIZE_MAX_TESTED];
	struct rs_buffer remembered, accused;
	enum rs_code fail; /* of remembering */
	struct rs_witness witness;
};

static enum rs_code recall(void *context, const char *origin, struct rs_buffer *out, struct rs_error *err)
{
	struct fixture *fixture = context;
	(void)err;
	assert_string_equal(origin, ORIGIN);
	if (fixture->remembered.size == 0)
		return RS_NOT_FOUND;
	return rs_buffer_append_bytes(out, rs_buffer_bytes(&fixture->remembered));
}

static enum rs_code remember(void *context, const char *origin, struct rs_str note, struct rs_error *err)
{
	struct fixture *fixture = context;
	assert_string_equal(origin, ORIGIN);
	if (fixture->fail != RS_OK)
		return rs_error_set(err, fixture->fail, "the disk is full");
	rs_buffer_clear(&fixture->remembered);
	return rs_buffer_append_str(&fixture->remembered, note);
}

static enum rs_code accuse(void *context, const char *origin, struct rs_str first, struct rs_str second,
                           struct rs_error *err)
{
	struct fixture *fixture = context;
	(void)err;
	assert_string_equal(origin, ORIGIN);
	rs_buffer_clear(&fixture->accused);
	rs_buffer_append_str(&fixture->accused, first);
	return rs_buffer_append_str(&fixture->accused, second);
}

static void make_key(uint8_t first, struct rs_signing_key *out)
{
	struct rs_secret seed = {{first}};
	rs_signing_key_from_seed(&seed, out);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	memset(&fixture, 0, sizeof fixture);
	make_key(1, &fixture.log_key);
	make_key(2, &fixture.other_key);
	make_key(3, &fixture.witness_key);
	assert_int_equal(rs_note_key_init(&fixture.log, ORIGIN, fixture.log_key.public_key, NULL), RS_OK);
	assert_int_equal(rs_witness_key_init(&fixture.witness_name, "witness.example/w",
	                                     fixture.witness_key.public_key, NULL),
	                 RS_OK);
	for (unsigned i = 0; i < SIZE_MAX_TESTED; i++) {
		uint8_t entry[2] = {(uint8_t)i, 0}, forked[2] = {(uint8_t)i, i >= 5};
		rs_leaf_hash(rs_bytes_of(entry, 2), &fixture.leaves[i]);
		rs_leaf_hash(rs_bytes_of(forked, 2), &fixture.fork[i]);
	}
	rs_buffer_init(&fixture.remembered, RS_WITNESS_REQUEST_MAX);
	rs_buffer_init(&fixture.accused, 2 * RS_WITNESS_REQUEST_MAX);
	fixture.witness = (struct rs_witness){&fixture.log,
	                                      1,
	                                      fixture.witness_name,
	                                      &fixture.witness_key,
	                                      {recall, remember, accuse, &fixture}};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	rs_buffer_finish(&fixture->remembered);
	rs_buffer_finish(&fixture->accused);
	return 0;
}

static void checkpoint_of(const struct rs_digest *leaves, uint64_t size, const struct rs_signing_key *key,
                          struct rs_buffer *out)
{
	struct rs_leaves tree = {leaves, (size_t)size};
	struct rs_checkpoint checkpoint = {.origin = ORIGIN, .size = size};
	assert_int_equal(rs_tree_root(rs_leaves_read, &tree, size, &checkpoint.root, NULL), RS_OK);
	assert_int_equal(rs_checkpoint_sign(&checkpoint, key, out, NULL), RS_OK);
}

/* One add-checkpoint; the status. */
static unsigned ask(struct fixture *fixture, struct rs_str request, struct rs_witness_answer *out)
{
	struct rs_error err = {0};
	enum rs_code code = rs_witness_add_checkpoint(&fixture->witness, request, TIME, out, &err);
	if (code != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(out->status == 200, out->refusal.code == RS_OK);
	assert_true(out->status == 200 || out->refusal.message[0]);
	return out->status;
}

static void write_request(const struct rs_digest *leaves, uint64_t old_size, uint64_t size,
                          const struct rs_signing_key *key, struct rs_buffer *out)
{
	struct rs_leaves tree = {leaves, (size_t)size};
	struct rs_digest proof[RS_PROOF_HASHES_MAX];
	size_t count = 0;
	struct rs_buffer note;
	rs_buffer_init(&note, 4096);
	rs_buffer_init(out, RS_WITNESS_REQUEST_MAX * 2);
	checkpoint_of(leaves, size, key, &note);
	if (old_size <= size)
		assert_int_equal(
			rs_tree_consistency(rs_leaves_read, &tree, old_size, size, proof, &count, NULL),
			RS_OK);
	assert_int_equal(rs_witness_request(old_size, proof, count, rs_buffer_str(&note), out, NULL), RS_OK);
	rs_buffer_finish(&note);
}

static unsigned ask_for(struct fixture *fixture, const struct rs_digest *leaves, uint64_t old_size,
                        uint64_t size, const struct rs_signing_key *key, struct rs_witness_answer *out)
{
	struct rs_buffer request;
	write_request(leaves, old_size, size, key, &request);
	unsigned status = ask(fixture, rs_buffer_str(&request), out);
	rs_buffer_finish(&request);
	return status;
}

static void expect(struct fixture *fixture, const struct rs_digest *leaves, uint64_t old_size, uint64_t size,
                   unsigned status, const char *words)
{
	struct rs_witness_answer answer;
	unsigned got = ask_for(fixture, leaves, old_size, size, &fixture->log_key, &answer);
	if (got != status || !strstr(answer.refusal.message, words))
		fail_msg("%" PRIu64 " to %" PRIu64 ": %u and '%s', not %u and '%s'", old_size, size, got,
		         answer.refusal.message, status, words);
	rs_witness_answer_finish(&answer);
}

static void cosignatures_of_a_public_witness_hold(void **state)
{
	struct rs_note_key witness;
	struct rs_error err = {0};
	struct rs_buffer note, lines, out;
	char text[RS_VKEY_SIZE];
	(void)state;
	assert_int_equal(rs_witness_key_parse(rs_str_from(public_vkey), &witness, &err), RS_OK);
	rs_note_key_format(&witness, text);
	assert_string_equal(text, public_vkey);
	assert_int_equal(rs_note_key_parse(rs_str_from(public_vkey), &witness, &err), RS_UNSUPPORTED);
	rs_buffer_init(&note, 4096);
	rs_buffer_init(&lines, 4096);
	rs_buffer_init(&out, 65536);
	rs_buffer_append_text(&note, public_body);
	rs_buffer_append_text(&note, "\n");
	rs_buffer_append_text(&note, public_lines);
	rs_buffer_append_text(&lines, public_lines);
	assert_int_equal(
		rs_cosignatures_pick(rs_buffer_str(&lines), rs_buffer_str(&note), &witness, &out, &err),
		RS_OK);
	assert_non_null(strstr(public_lines, "geomys.org o+AP"));
	assert_int_equal(out.size, strlen(strstr(public_lines, "\n") + 1));
	/* Any bit of the text or of the witness's line. */
	size_t line_start = (size_t)(strchr(public_lines, '\n') + 1 - public_lines);
	for (size_t i = 0; i < strlen(public_body); i++) {
		note.data[i] ^= 1;
		assert_int_not_equal(rs_cosignatures_pick(rs_buffer_str(&lines), rs_buffer_str(&note),
		                                          &witness, &out, &err),
		                     RS_OK);
		note.data[i] ^= 1;
	}
	for (size_t bit = 8 * line_start; bit < 8 * lines.size; bit++) {
		lines.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rs_cosignatures_pick(rs_buffer_str(&lines), rs_buffer_str(&note),
		                                          &witness, &out, &err),
		                     RS_OK);
		lines.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	rs_buffer_finish(&note);
	rs_buffer_finish(&lines);
	rs_buffer_finish(&out);
}

/* From every size to every size, and the cosigned checkpoint opens with both keys. */
static void a_log_that_grows_is_cosigned(void **state)
{
	struct fixture *fixture = *state;
	struct rs_trust trust = {fixture->log, &fixture->witness_name, 1, 1};
	struct rs_checkpoint checkpoint;
	size_t cosigned;
	for (uint64_t old_size = 0; old_size <= SIZE_MAX_TESTED; old_size++)
		for (uint64_t size = old_size; size <= SIZE_MAX_TESTED; size++) {
			struct rs_witness_answer answer;
			struct rs_error err = {0};
			rs_buffer_clear(&fixture->remembered);
			if (old_size > 0)
				expect(fixture, fixture->leaves, 0, old_size, 200, "");
			assert_int_equal(
				ask_for(fixture, fixture->leaves, old_size, size, &fixture->log_key, &answer),
				200);
			if (rs_checkpoint_open(rs_buffer_str(&fixture->remembered), &trust, &checkpoint,
			                       &cosigned, &err) != RS_OK)
				fail_msg("%s", err.message);
			assert_int_equal(checkpoint.size, size);
			assert_int_equal(cosigned, 1);
			assert_int_equal(answer.body.data[answer.body.size - 1], '\n');
			rs_witness_answer_finish(&answer);
			/* The same again is signed anew; the same from the start is not. */
			expect(fixture, fixture->leaves, size, size, 200, "");
			if (size > 0)
				expect(fixture, fixture->leaves, 0, size, 409, "must start at");
		}
}

static void rollbacks_and_split_views_are_named(void **state)
{
	struct fixture *fixture = *state;
	struct rs_buffer before;
	expect(fixture, fixture->leaves, 0, 12, 200, "");
	rs_buffer_init(&before, RS_WITNESS_REQUEST_MAX);
	rs_buffer_append_bytes(&before, rs_buffer_bytes(&fixture->remembered));
	expect(fixture, fixture->leaves, 5, 8, 409, "rollback: the log log.example/a shows 8 entries, 12");
	expect(fixture, fixture->leaves, 0, 0, 409, "rollback");
	expect(fixture, fixture->leaves, 12, 8, 400, "is larger than");
	assert_int_equal(fixture->accused.size, 0);
	expect(fixture, fixture->fork, 12, 12, 422,
	       "split view: the log log.example/a signed two different trees");
	assert_true(fixture->accused.size > before.size);
	expect(fixture, fixture->fork, 12, 20, 422, "split view");
	rs_buffer_clear(&fixture->accused);
	expect(fixture, fixture->fork, 4, 12, 409, "must start at");
	assert_true(fixture->accused.size > 0);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&before), rs_buffer_bytes(&fixture->remembered)));
	expect(fixture, fixture->leaves, 12, 20, 200, "");
	rs_buffer_finish(&before);
}

/* 409 must carry the size, and nothing else. */
static void a_conflict_tells_the_size(void **state)
{
	struct fixture *fixture = *state;
	struct rs_witness_answer answer;
	expect(fixture, fixture->leaves, 0, 7, 200, "");
	assert_int_equal(ask_for(fixture, fixture->leaves, 3, 9, &fixture->log_key, &answer), 409);
	assert_string_equal(answer.media, "text/x.tlog.size");
	assert_true(rs_str_equal_text(rs_buffer_str(&answer.body), "7\n"));
	rs_witness_answer_finish(&answer);
}

static void strangers_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct rs_witness_answer answer;
	struct rs_buffer request;
	assert_int_equal(ask_for(fixture, fixture->leaves, 0, 3, &fixture->other_key, &answer), 403);
	rs_witness_answer_finish(&answer);
	write_request(fixture->leaves, 0, 3, &fixture->log_key, &request);
	uint8_t *origin = (uint8_t *)strstr((char *)request.data, ORIGIN);
	assert_non_null(origin);
	origin[4] = 'E'; /* another log */
	assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 404);
	rs_witness_answer_finish(&answer);
	origin[4] = 'e';
	origin[strlen(ORIGIN) + 1] = '4'; /* another size under the same signature */
	assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 403);
	rs_witness_answer_finish(&answer);
	assert_int_equal(fixture->remembered.size, 0);
	rs_buffer_finish(&request);
}

/* No flipped bit, no cut and nothing behind makes a request that was not made; what is cosigned is what the log signed. */
static void altered_requests_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct rs_buffer request, before;
	struct rs_witness_answer answer;
	expect(fixture, fixture->leaves, 0, 6, 200, "");
	rs_buffer_init(&before, RS_WITNESS_REQUEST_MAX);
	rs_buffer_append_bytes(&before, rs_buffer_bytes(&fixture->remembered));
	write_request(fixture->leaves, 6, 11, &fixture->log_key, &request);
	for (size_t bit = 0; bit < 8 * request.size; bit++) {
		request.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(ask(fixture, rs_buffer_str(&request), &answer), 200);
		request.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rs_witness_answer_finish(&answer);
	}
	for (size_t size = 0; size < request.size; size++) {
		assert_int_not_equal(ask(fixture, (struct rs_str){(char *)request.data, size}, &answer), 200);
		rs_witness_answer_finish(&answer);
	}
	rs_buffer_append_text(&request, "x");
	assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 400);
	rs_witness_answer_finish(&answer);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&before), rs_buffer_bytes(&fixture->remembered)));
	rs_buffer_finish(&before);
	rs_buffer_finish(&request);
}

static void requests_that_are_none_are_refused(void **state)
{
	static const char hash[] = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n";
	struct fixture *fixture = *state;
	struct rs_buffer request, note;
	struct rs_witness_answer answer;
	static const char *const heads[] = {"old 00\n\n",   "old \n\n", "old -1\n\n",
	                                    "Old 0\n\n",    "old 0\n",  "old 18446744073709551616\n\n",
	                                    "old 0\nxx\n\n"};
	rs_buffer_init(&note, 4096);
	rs_buffer_init(&request, 1 << 20);
	checkpoint_of(fixture->leaves, 3, &fixture->log_key, &note);
	for (size_t i = 0; i < RS_COUNT(heads); i++) {
		rs_buffer_clear(&request);
		rs_buffer_append_text(&request, heads[i]);
		rs_buffer_append_bytes(&request, rs_buffer_bytes(&note));
		assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 400);
		rs_witness_answer_finish(&answer);
	}
	for (int lines = 63; lines <= 64; lines++) {
		rs_buffer_clear(&request);
		rs_buffer_append_text(&request, "old 0\n");
		for (int i = 0; i < lines; i++)
			rs_buffer_append_text(&request, hash);
		rs_buffer_append_text(&request, "\n");
		rs_buffer_append_bytes(&request, rs_buffer_bytes(&note));
		assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), lines == 63 ? 422 : 400);
		rs_witness_answer_finish(&answer);
	}
	for (size_t i = 0; i < RS_WITNESS_REQUEST_MAX; i++)
		rs_buffer_append_u8(&request, 'A');
	assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 400);
	rs_witness_answer_finish(&answer);
	rs_buffer_finish(&request);
	rs_buffer_finish(&note);
}

static void an_empty_tree_has_one_root(void **state)
{
	struct fixture *fixture = *state;
	struct rs_checkpoint checkpoint = {.origin = ORIGIN, .root = {{1}}};
	struct rs_buffer note, request;
	struct rs_witness_answer answer;
	rs_buffer_init(&note, 4096);
	rs_buffer_init(&request, 4096);
	assert_int_equal(rs_checkpoint_sign(&checkpoint, &fixture->log_key, &note, NULL), RS_OK);
	assert_int_equal(rs_witness_request(0, NULL, 0, rs_buffer_str(&note), &request, NULL), RS_OK);
	assert_int_equal(ask(fixture, rs_buffer_str(&request), &answer), 422);
	rs_witness_answer_finish(&answer);
	expect(fixture, fixture->leaves, 0, 0, 200, "");
	rs_buffer_finish(&note);
	rs_buffer_finish(&request);
}

/* Nothing is signed when it cannot be remembered, or when what is remembered was changed. */
static void memory_that_fails_signs_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct rs_witness_answer answer = {.status = 77};
	struct rs_buffer request;
	struct rs_error err = {0};
	write_request(fixture->leaves, 0, 3, &fixture->log_key, &request);
	fixture->fail = RS_NO_SPACE;
	assert_int_equal(
		rs_witness_add_checkpoint(&fixture->witness, rs_buffer_str(&request), TIME, &answer, &err),
		RS_NO_SPACE);
	assert_int_equal(answer.status, 77);
	rs_buffer_finish(&request);
	fixture->fail = RS_OK;
	expect(fixture, fixture->leaves, 0, 3, 200, "");
	write_request(fixture->leaves, 3, 5, &fixture->log_key, &request);
	/* The log's own line is kept, not relied on. */
	char *own = strstr((char *)fixture->remembered.data, "\n\n") + 2;
	size_t own_start = (size_t)(own - (char *)fixture->remembered.data);
	size_t own_end = own_start + (size_t)(strchr(own, '\n') - own) + 1;
	for (size_t i = 0; i < fixture->remembered.size; i++) {
		if (i >= own_start && i < own_end)
			continue;
		fixture->remembered.data[i] ^= 2;
		enum rs_code code = rs_witness_add_checkpoint(&fixture->witness, rs_buffer_str(&request),
		                                              TIME, &answer, &err);
		if (code != RS_ALTERED)
			fail_msg("byte %zu of what is remembered: %s", i, rs_code_name(code));
		fixture->remembered.data[i] ^= 2;
	}
	rs_buffer_finish(&request);
}

static void quorums_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct rs_note_key witnesses[2] = {fixture->witness_name};
	struct rs_trust trust = {fixture->log, witnesses, 2, 2};
	struct rs_checkpoint checkpoint;
	struct rs_buffer note;
	struct rs_error err = {0};
	size_t cosigned = 9;
	assert_int_equal(rs_witness_key_init(&witnesses[1], "witness.example/other",
	                                     fixture->other_key.public_key, NULL),
	                 RS_OK);
	rs_buffer_init(&note, 8192);
	checkpoint_of(fixture->leaves, 9, &fixture->log_key, &note);
	trust.quorum = 0;
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_OK);
	assert_int_equal(cosigned, 0);
	trust.quorum = 1;
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_ALTERED);
	assert_int_equal(
		rs_cosign(rs_buffer_str(&note), &witnesses[0], &fixture->witness_key, TIME, &note, &err),
		RS_OK);
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_OK);
	assert_int_equal(cosigned, 1);
	trust.quorum = 2;
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_ALTERED);
	assert_int_equal(
		rs_cosign(rs_buffer_str(&note), &witnesses[1], &fixture->other_key, TIME, &note, &err),
		RS_OK);
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_OK);
	assert_int_equal(cosigned, 2);
	/* A second line of one witness, or one that does not hold, spoils it. */
	assert_int_equal(
		rs_cosign(rs_buffer_str(&note), &witnesses[1], &fixture->other_key, TIME + 1, &note, &err),
		RS_OK);
	assert_int_equal(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, &err),
	                 RS_ALTERED);
	rs_buffer_finish(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cosignatures_of_a_public_witness_hold),
		cmocka_unit_test_setup_teardown(a_log_that_grows_is_cosigned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rollbacks_and_split_views_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_conflict_tells_the_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(altered_requests_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(requests_that_are_none_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_tree_has_one_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_that_fails_signs_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quorums_are_counted, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
