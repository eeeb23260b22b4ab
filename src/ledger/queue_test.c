/* Writers in several threads: each gets its own answer, refusals and forgeries are nobody else's, and a disk that fails is
 * told to all of the group and to nobody after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/base_sim.h"
#include "ledger/ledger_queue.h"

#define WRITERS 8
#define EACH 60

struct fixture {
	struct rs_sim *sim;
	struct rs_signing_key log, admin;
	struct rs_ledger *ledger;
	struct rs_ledger_queue *queue;
};

struct writer {
	struct fixture *f;
	pthread_t thread;
	uint8_t number;
	enum rs_code codes[EACH];
	struct rs_append_result results[EACH];
	struct rs_error err;
};

static void sign(const struct fixture *f, uint8_t writer, uint8_t number, struct rs_transaction *out)
{
	struct rs_act act = {.type = RS_TRANSACTION_OBJECT_REGISTER,
	                     .id = {writer, number, 1},
	                     .time_ms = 1000,
	                     .organisation = RS_STR("Radiology"),
	                     .instances = 1,
	                     .kind = RS_OBJECT_IMAGE};
	act.commitment.bytes[0] = (uint8_t)(writer + 1);
	act.commitment.bytes[1] = number;
	if (number % 10 == 7) /* refused: nobody knows what it was before */
		act.has_previous = true;
	act.previous.bytes[0] = act.has_previous ? 0xee : 0;
	assert_int_equal(rs_transaction_sign(&act, &f->admin, out, NULL), RS_OK);
	out->checked = false;
	if (number % 10 == 3) /* forged */
		out->entry.data[out->entry.size - 1] ^= 1;
}

static void *write_all(void *context)
{
	struct writer *writer = context;
	for (uint8_t i = 0; i < EACH; i++) {
		struct rs_transaction transaction;
		sign(writer->f, writer->number, i, &transaction);
		writer->codes[i] = rs_ledger_queue_append(writer->f->queue, &transaction, &writer->results[i],
		                                          &writer->err);
		rs_transaction_finish(&transaction);
	}
	return NULL;
}

static void start(struct fixture *f)
{
	struct rs_secret seeds[2] = {{{1}}, {{2}}};
	struct rs_transaction transaction;
	struct rs_append_result result;
	assert_int_equal(rs_crypto_init(NULL), RS_OK);
	assert_int_equal(rs_sim_create(3, &f->sim, NULL), RS_OK);
	rs_signing_key_from_seed(&seeds[0], &f->log);
	rs_signing_key_from_seed(&seeds[1], &f->admin);
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	struct rs_act act = {
		.type = RS_TRANSACTION_ORGANISATION_ADD, .time_ms = 1, .organisation = RS_STR("Radiology")};
	memcpy(act.member.bytes, f->admin.public_key, RS_KEY_SIZE);
	assert_int_equal(rs_ledger_open(rs_sim_world(f->sim), "/ledger.sqlite", &options, &f->ledger, NULL),
	                 RS_OK);
	assert_int_equal(rs_transaction_sign(&act, &f->admin, &transaction, NULL), RS_OK);
	assert_int_equal(rs_ledger_append(f->ledger, &transaction, 1, &result, NULL), RS_OK);
	rs_transaction_finish(&transaction);
	assert_int_equal(rs_ledger_queue_create(f->ledger, &f->queue, NULL), RS_OK);
}

static void stop(struct fixture *f)
{
	rs_ledger_queue_destroy(f->queue);
	rs_ledger_close(f->ledger);
	rs_sim_destroy(f->sim);
}

static void run(struct fixture *f, struct writer writers[WRITERS])
{
	for (uint8_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.f = f, .number = i};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
}

static void everybody_gets_their_own_answer(void **state)
{
	static struct writer writers[WRITERS];
	static bool taken[WRITERS * EACH + 1];
	struct fixture f;
	uint64_t admitted = 0;
	(void)state;
	start(&f);
	run(&f, writers);
	for (size_t w = 0; w < WRITERS; w++)
		for (uint8_t i = 0; i < EACH; i++) {
			const struct rs_append_result *result = &writers[w].results[i];
			uint8_t id[RS_TRANSACTION_ID_SIZE] = {(uint8_t)w, i, 1};
			uint64_t index;
			if (i % 10 == 3) {
				assert_int_equal(writers[w].codes[i], RS_ALTERED);
				continue;
			}
			assert_int_equal(writers[w].codes[i], RS_OK);
			assert_int_equal(result->refusal,
			                 i % 10 == 7 ? RS_REFUSAL_NOT_THERE : RS_REFUSAL_NONE);
			if (i % 10 == 7)
				continue;
			assert_int_equal(rs_ledger_find(f.ledger, id, &index, NULL), RS_OK);
			assert_int_equal(index, result->index);
			assert_true(index <= WRITERS * EACH && !taken[index]);
			taken[index] = true;
			admitted++;
		}
	assert_int_equal(rs_ledger_size(f.ledger), admitted + 1);
	stop(&f);
}

static void a_failing_disk_is_told_to_those_who_wait(void **state)
{
	static struct writer writers[WRITERS];
	struct fixture f;
	uint64_t answered = 0, failed = 0, size;
	(void)state;
	start(&f);
	size = rs_ledger_size(f.ledger);
	rs_sim_fail_at(f.sim, 20, RS_NO_SPACE, true);
	run(&f, writers);
	rs_sim_fail_at(f.sim, 0, RS_OK, false);
	for (size_t w = 0; w < WRITERS; w++)
		for (uint8_t i = 0; i < EACH; i++) {
			failed += writers[w].codes[i] == RS_NO_SPACE;
			answered += writers[w].codes[i] == RS_OK && i % 10 != 7;
		}
	assert_true(failed > 0 && answered > 0);
	assert_int_equal(rs_ledger_size(f.ledger), size + answered);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_their_own_answer),
		cmocka_unit_test(a_failing_disk_is_told_to_those_who_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
