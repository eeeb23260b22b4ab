/* The power goes, or the disk is full, at every single step of making a ledger and appending to it, heads of the map
 * included. What was answered is there and proved, nothing is there by halves or twice, and the map is what the entries
 * lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_sim.h"
#include "ledger/ledger_head.h"
#include "ledger/ledger_history.h"
#include "store/store.h"

#define PATH "/ledger.sqlite"
#define ENTRIES 17
#define TEARS 3

struct run {
	struct rs_signing_key log, admin;
	struct rs_ledger *ledger;
	struct rs_sim *sim;
	uint8_t answered; /* entries that were */
};

static enum rs_code open_ledger(struct run *run, struct rs_error *err)
{
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &run->log};
	RS_TRY(rs_ledger_open(rs_sim_world(run->sim), PATH, &options, &run->ledger, err));
	/* A small limit brings the copying of SQLite's log into the database into reach of the test. */
	return rs_store_run(rs_ledger_store(run->ledger), "PRAGMA wal_autocheckpoint=8", err);
}

static enum rs_code append(struct run *run, struct rs_transaction *transactions, size_t count,
                           struct rs_error *err)
{
	struct rs_append_result results[3];
	RS_TRY(rs_ledger_append(run->ledger, transactions, count, results, err));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(results[i].refusal, RS_REFUSAL_NONE);
	run->answered = (uint8_t)(run->answered + count);
	return RS_OK;
}

/* Entry `number` of the same story in every run; its id is its number, counted from 1. */
static void make_act(const struct run *run, uint8_t number, struct rs_act *act)
{
	*act = (struct rs_act){.type = RS_TRANSACTION_OBJECT_REGISTER,
	                       .id = {(uint8_t)(number + 1)},
	                       .time_ms = 1000,
	                       .organisation = RS_STR("Radiology"),
	                       .kind = RS_OBJECT_IMAGE,
	                       .instances = 1,
	                       .commitment = {{(uint8_t)(number + 1)}}};
	if (number == 0)
		act->type = RS_TRANSACTION_ORGANISATION_ADD;
	if (number == 1 || number == 6)
		act->type = RS_TRANSACTION_SUBJECT_REGISTER;
	if (number == 2 || number == 7 || number == 8)
		act->type = RS_TRANSACTION_CONSENT_GRANT;
	if (number == 10)
		act->type = RS_TRANSACTION_CONSENT_REVOKE;
	memcpy(act->member.bytes, run->admin.public_key, RS_KEY_SIZE);
	if (act->type == RS_TRANSACTION_SUBJECT_REGISTER)
		act->member = (struct rs_member_key){{0}};
	act->subject.bytes[0] = number >= 6 && number != 10 ? 2 : 1;
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER && number % 2)
		act->subject.bytes[0] = 0;
	act->consent.bytes[0] = number == 10 ? 3 : (uint8_t)(number + 1);
	act->effect = RS_CONSENT_PERMIT;
	act->roles = RS_SET(RS_ROLE_RESEARCHER);
	act->purposes = RS_SET(RS_PURPOSE_RESEARCH);
	act->operations = RS_SET(RS_OPERATION_READ);
}

static enum rs_code append_head(struct run *run, uint8_t number, struct rs_error *err)
{
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_act act = {
		.id = {(uint8_t)(number + 1)}, .time_ms = 1000, .organisation = RS_STR("Radiology")};
	struct rs_buffer origin RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_map_head head;
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	RS_TRY(rs_ledger_map_next(run->ledger, &head, err));
	RS_TRY(rs_map_head_act(&head, &origin, &act, err));
	RS_TRY(rs_transaction_sign(&act, &run->admin, &transaction, err));
	return append(run, &transaction, 1, err);
}

static bool is_head(uint8_t number) { return number == 5 || number == 9 || number == 13 || number == 16; }

/* Groups of three where no head comes between. Goes on from where the ledger is. */
static void work(struct run *run)
{
	struct rs_error err = {0};
	uint8_t number = (uint8_t)rs_ledger_size(run->ledger);
	enum rs_code code = RS_OK;
	while (number < ENTRIES && code == RS_OK) {
		struct rs_transaction group[3];
		size_t count = 0;
		if (is_head(number)) {
			code = append_head(run, number++, &err);
			continue;
		}
		for (; count < 3 && number < ENTRIES && !is_head(number); number++) {
			struct rs_act act;
			make_act(run, number, &act);
			if (rs_transaction_sign(&act, &run->admin, &group[count++], &err) != RS_OK)
				fail_msg("%s", err.message);
		}
		code = append(run, group, count, &err);
		for (size_t i = 0; i < count; i++)
			rs_transaction_finish(&group[i]);
	}
}

static void fault(void *context, const char *sentence) { fail_msg("%s: %s", (char *)context, sentence); }

static void check(struct run *run, char *where)
{
	struct rs_error err = {0};
	if (open_ledger(run, &err) != RS_OK)
		fail_msg("%s: %s", where, err.message);
	uint64_t size = rs_ledger_size(run->ledger);
	/* A group that was under way may have reached the disk, but then as a whole: the check replays it. */
	if (size < run->answered || size > run->answered + 3u)
		fail_msg("%s: %u answered, %u there", where, run->answered, (unsigned)size);
	for (uint8_t number = 0; number < size; number++) {
		uint8_t id[RS_TRANSACTION_ID_SIZE] = {(uint8_t)(number + 1)};
		uint64_t index;
		assert_int_equal(rs_ledger_find(run->ledger, id, &index, &err), RS_OK);
		assert_int_equal(index, number);
	}
	assert_int_equal(rs_ledger_check(run->ledger, fault, where, &err), RS_OK);
	/* And it goes on to the same end. */
	run->answered = (uint8_t)size;
	work(run);
	assert_int_equal(rs_ledger_size(run->ledger), ENTRIES);
	assert_int_equal(rs_ledger_check(run->ledger, fault, where, &err), RS_OK);
}

static void start(struct run *run, uint64_t seed)
{
	struct rs_secret seeds[2] = {{{1}}, {{2}}};
	*run = (struct run){.ledger = NULL};
	assert_int_equal(rs_crypto_init(NULL), RS_OK);
	rs_signing_key_from_seed(&seeds[0], &run->log);
	rs_signing_key_from_seed(&seeds[1], &run->admin);
	assert_int_equal(rs_sim_create(seed, &run->sim, NULL), RS_OK);
}

static void stop(struct run *run)
{
	rs_ledger_close(run->ledger);
	rs_sim_destroy(run->sim);
}

static uint64_t steps_in_all(struct rs_digest *root, struct rs_map_head *head)
{
	struct run run;
	start(&run, 1);
	assert_int_equal(open_ledger(&run, NULL), RS_OK);
	work(&run);
	assert_int_equal(run.answered, ENTRIES);
	assert_int_equal(rs_ledger_root_at(run.ledger, ENTRIES, root, NULL), RS_OK);
	assert_int_equal(rs_ledger_map_next(run.ledger, head, NULL), RS_OK);
	rs_ledger_close(run.ledger);
	run.ledger = NULL;
	uint64_t steps = rs_sim_steps(run.sim);
	stop(&run);
	assert_true(steps > 60);
	return steps;
}

/* cut: none of the unsynced writes reached the disk, all did, or one choice of them and another. */
static void run_one(uint64_t step, uint64_t cut, enum rs_code failure, const struct rs_digest *root,
                    const struct rs_map_head *head)
{
	struct run run;
	struct rs_digest found;
	struct rs_map_head found_head;
	char where[64];
	snprintf(where, sizeof where, "step %llu, cut %llu", (unsigned long long)step,
	         (unsigned long long)cut);
	start(&run, step * 7 + cut);
	rs_sim_fail_at(run.sim, step, failure, true);
	if (open_ledger(&run, NULL) == RS_OK)
		work(&run);
	if (failure == RS_IO)
		rs_sim_cut(run.sim, cut < RS_SIM_TEAR ? (enum rs_sim_cut)cut : RS_SIM_TEAR);
	rs_ledger_close(run.ledger);
	run.ledger = NULL;
	rs_sim_fail_at(run.sim, 0, RS_OK, false);
	check(&run, where);
	/* The same entries: the same tree and the same map, whatever happened on the way. */
	assert_int_equal(rs_ledger_root_at(run.ledger, ENTRIES, &found, NULL), RS_OK);
	assert_int_equal(rs_ledger_map_next(run.ledger, &found_head, NULL), RS_OK);
	assert_true(rs_digest_equal(&found, root) && rs_digest_equal(&found_head.root, &head->root));
	stop(&run);
}

static void survives_a_power_cut_at_every_step(void **state)
{
	struct rs_digest root;
	struct rs_map_head head;
	uint64_t steps = steps_in_all(&root, &head);
	(void)state;
	for (uint64_t step = 1; step <= steps + 1; step++)
		for (uint64_t cut = 0; cut < 2 + TEARS; cut++)
			run_one(step, cut, RS_IO, &root, &head);
	print_message("# %llu steps, each under %d power cuts\n", (unsigned long long)steps, 2 + TEARS);
}

static void survives_a_full_disk_at_every_step(void **state)
{
	struct rs_digest root;
	struct rs_map_head head;
	uint64_t steps = steps_in_all(&root, &head);
	(void)state;
	for (uint64_t step = 1; step <= steps; step++)
		run_one(step, RS_SIM_LOSE_ALL, RS_NO_SPACE, &root, &head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_power_cut_at_every_step),
		cmocka_unit_test(survives_a_full_disk_at_every_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
