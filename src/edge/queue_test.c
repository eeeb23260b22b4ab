/* The queue through power cuts at every step, in a simulated world: what was committed and not settled is there, whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/base_sim.h"
#include "queue.h"

#define ADDED 4
#define DATA_SIZE 3000

static void fill(uint8_t *out, unsigned number) { memset(out, (int)(number + 1), DATA_SIZE); }

/* No envelope that could be verified: the queue does not look into it. */
static struct rs_bytes envelope_of(unsigned number, char *out, size_t size)
{
	int written = snprintf(out, size, "envelope %u", number);
	return rs_bytes_of(out, (size_t)written);
}

static enum rs_code add(struct queue *queue, unsigned number, struct rs_error *err)
{
	uint8_t data[DATA_SIZE];
	char text[32];
	struct draft draft;
	fill(data, number);
	RS_TRY(draft_begin(queue, &draft, err));
	enum rs_code code = draft_write(&draft, rs_bytes_of(data, sizeof data), err);
	if (code == RS_OK)
		code = draft_commit(&draft, number == 2, 100, envelope_of(number, text, sizeof text), err);
	draft_abandon(&draft);
	return code;
}

struct outcome {
	bool added[ADDED], settled;
};

/* Adds three, settles the first, adds one more; what came of it up to where it failed. */
static void work(const struct rs_world *world, struct outcome *out)
{
	struct queue queue = {.lock = NULL};
	struct rs_error err = {0};
	*out = (struct outcome){.settled = false};
	if (queue_open(world, "/agent", 1 << 20, &queue, &err) != RS_OK)
		return;
	for (unsigned i = 0; i < 3; i++)
		out->added[i] = add(&queue, i, &err) == RS_OK;
	struct item *item = queue.items;
	while (item && item->number != 1)
		item = item->next;
	if (item && queue_settle(&queue, item, rs_bytes_of("receipt", 7), &err) == RS_OK)
		out->settled = queue_flush(&queue, true, &err) == RS_OK;
	out->added[3] = add(&queue, 3, &err) == RS_OK;
	queue_close(&queue);
}

static void check_item(const struct queue *queue, const struct item *item, bool *found)
{
	struct rs_buffer envelope RS_CLEANUP(rs_buffer_finish) = {0}, data RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	uint8_t expected[DATA_SIZE];
	char text[32];
	struct rs_error err = {0};
	assert_int_equal(queue_envelope(queue, item, &envelope, &err), RS_OK);
	assert_int_equal(queue_data_path(queue, item, &path, &err), RS_OK);
	assert_int_equal(rs_file_read_all(queue->world, path, DATA_SIZE, &data, &err), RS_OK);
	for (unsigned i = 0; i < ADDED; i++) {
		struct rs_bytes own = envelope_of(i, text, sizeof text);
		if (own.size != envelope.size || memcmp(own.data, envelope.data, own.size) != 0)
			continue;
		fill(expected, i);
		assert_int_equal(data.size, DATA_SIZE);
		assert_memory_equal(data.data, expected, DATA_SIZE);
		assert_int_equal(item->size, DATA_SIZE);
		assert_int_equal(item->data_offset, 100);
		assert_int_equal(item->priority, i == 2);
		assert_false(found[i]);
		found[i] = true;
	}
}

static void check(const struct rs_world *world, const struct outcome *outcome)
{
	struct queue queue;
	struct rs_error err = {0};
	bool found[ADDED] = {false};
	if (queue_open(world, "/agent", 1 << 20, &queue, &err) != RS_OK)
		fail_msg("%s", err.message);
	for (const struct item *item = queue.items; item; item = item->next)
		check_item(&queue, item, found);
	for (unsigned i = 0; i < ADDED; i++)
		if (outcome->added[i] && !(i == 0 && outcome->settled))
			assert_true(found[i] || i == 0); /* the first may be gone while it is being settled */
	if (outcome->settled) {
		struct rs_buffer receipts RS_CLEANUP(rs_buffer_finish) = {0};
		assert_int_equal(rs_file_read_all(world, "/agent/receipts", 100, &receipts, &err), RS_OK);
		assert_int_equal(receipts.size, 11);
		assert_memory_equal(receipts.data, "\0\0\0\7receipt", 11);
	}
	queue_close(&queue);
}

static void survives_power_cuts(void **state RS_UNUSED)
{
	const enum rs_sim_cut ways[] = {RS_SIM_LOSE_ALL, RS_SIM_KEEP_ALL, RS_SIM_TEAR};
	for (size_t way = 0; way < RS_COUNT(ways); way++) {
		bool whole = false;
		for (uint64_t step = 1; !whole; step++) {
			struct rs_sim *sim;
			struct outcome outcome;
			assert_int_equal(rs_sim_create(step, &sim, NULL), RS_OK);
			rs_sim_fail_at(sim, step, RS_IO, true);
			work(rs_sim_world(sim), &outcome);
			whole = outcome.added[3] && outcome.settled;
			rs_sim_fail_at(sim, 0, RS_IO, false);
			rs_sim_cut(sim, ways[way]);
			check(rs_sim_world(sim), &outcome);
			rs_sim_destroy(sim);
		}
	}
}

static void is_ordered_and_bounded(void **state RS_UNUSED)
{
	static const unsigned order[] = {3, 1, 2};
	struct rs_error err = {0};
	struct rs_sim *sim;
	struct queue queue, second;
	assert_int_equal(rs_sim_create(1, &sim, NULL), RS_OK);
	assert_int_equal(queue_open(rs_sim_world(sim), "/agent", 3 * DATA_SIZE, &queue, &err), RS_OK);
	assert_int_equal(queue_open(rs_sim_world(sim), "/agent", 1, &second, &err), RS_BUSY);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(queue_has_room(&queue, DATA_SIZE));
		assert_int_equal(add(&queue, i, &err), RS_OK);
	}
	assert_false(queue_has_room(&queue, 1));
	const struct item *item = queue.items;
	for (size_t i = 0; i < RS_COUNT(order); i++, item = item->next)
		assert_int_equal(item->number, order[i]);
	queue_close(&queue);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(survives_power_cuts),
	                                   cmocka_unit_test(is_ordered_and_bounded)};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
