/* Broken glass from the first refusal to the review: what it opens, for how long, who reads why, and what happens when nobody
 * reviews it. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "access/access_glass.h"
#include "access/access_retrieve.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

struct stage {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin, *doctor, *colleague;
	struct rs_node_subject subject;
};

static struct rs_actor *make_member(struct stage *stage, const char *name, enum rs_role role)
{
	static const uint8_t unlock[32] = {7};
	const struct rs_unlock with = {.unlock_file = {unlock, sizeof unlock}};
	const struct rs_world *world = rs_sim_world(stage->sim);
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT, .role = role};
	struct rs_actor *actor = NULL;
	struct rs_signing_key key;
	char path[64];
	uint64_t index;
	(void)snprintf(path, sizeof path, "/node/keys/%s.unlock", name);
	assert_int_equal(rs_file_replace(world, path, with.unlock_file, 0600, NULL), RS_OK);
	(void)snprintf(path, sizeof path, "/node/keys/%s.key", name);
	assert_int_equal(rs_member_key_file_create(world, path, &with, &key, NULL), RS_OK);
	memcpy(act.member.bytes, key.public_key, sizeof act.member.bytes);
	rs_signing_key_finish(&key);
	assert_int_equal(rs_node_transact(stage->node, stage->admin, &act, &index, NULL), RS_OK);
	assert_int_equal(rs_node_actor_open(stage->node, name, rs_bytes_of("", 0), &actor, NULL), RS_OK);
	return actor;
}

static void ignore(void *context, const struct rs_admit_result *result) { (void)context, (void)result; }

static void stage_open(struct stage *stage)
{
	struct rs_admit_options options = {.subject = "P1", .report = ignore};
	*stage = (struct stage){.sim = make_world()};
	stage->node = open_node(stage->sim, "/node", RS_NODE_WRITE);
	assert_int_equal(rs_node_admit(stage->node, path_list, 1, &options, NULL), RS_OK);
	assert_int_equal(rs_node_subject(stage->node, "", "P1", &stage->subject, NULL), RS_OK);
	stage->admin = open_administrator(stage->node);
	stage->doctor = make_member(stage, "doctor", RS_ROLE_ONCOLOGIST);
	stage->colleague = make_member(stage, "colleague", RS_ROLE_RADIOLOGIST);
}

static void stage_close(struct stage *stage)
{
	rs_actor_close(stage->admin);
	rs_actor_close(stage->doctor);
	rs_actor_close(stage->colleague);
	rs_node_close(stage->node);
	rs_sim_destroy(stage->sim);
}

static void note(void *context, const struct rs_retrieved *result)
{
	*(struct rs_decision *)context = result->decision;
}

/* Expects the decision; RS_REFUSAL_NONE: on account of the broken glass. */
static void ask(struct stage *stage, enum rs_refusal expected)
{
	struct rs_decision decision = {.refusal = RS_REFUSAL_COUNT};
	const struct rs_retrieval retrieval = {.subject = &stage->subject,
	                                       .purpose = RS_PURPOSE_EMERGENCY,
	                                       .operation = RS_OPERATION_READ,
	                                       .directory = "/out",
	                                       .report = note,
	                                       .context = &decision};
	enum rs_code code = rs_node_retrieve(stage->node, stage->doctor, &retrieval, NULL);
	assert_int_equal(code, expected == RS_REFUSAL_NONE ? RS_OK : RS_REFUSED);
	assert_int_equal(decision.refusal, expected);
	assert_int_equal(decision.basis, expected == RS_REFUSAL_NONE ? RS_BASIS_BREAK_GLASS : RS_BASIS_NONE);
}

struct seen {
	unsigned count;
	bool overdue, readable;
	unsigned outcome;
	uint64_t due_ms, time_ms;
	char reason[64], reviewing[64];
};

static enum rs_code see(void *context, const struct rs_glass_details *details, struct rs_error *err)
{
	struct seen *seen = context;
	(void)err;
	seen->count++;
	seen->overdue = details->overdue;
	seen->readable = details->readable;
	seen->outcome = details->glass.outcome;
	seen->due_ms = details->due_ms;
	seen->time_ms = details->glass.time_ms;
	(void)snprintf(seen->reason, sizeof seen->reason, "%s", details->reason);
	(void)snprintf(seen->reviewing, sizeof seen->reviewing, "%s", details->reviewing);
	return RS_OK;
}

static struct seen list(struct stage *stage, const struct rs_actor *actor, bool all)
{
	struct seen seen = {.count = 0};
	assert_int_equal(rs_node_each_glass(stage->node, actor, all, see, &seen, NULL), RS_OK);
	return seen;
}

static enum rs_code count_name(void *context, struct rs_str name, enum rs_file_kind kind,
                               struct rs_error *err)
{
	(void)name, (void)kind, (void)err;
	++*(unsigned *)context;
	return RS_OK;
}

static unsigned count_texts(struct stage *stage)
{
	const struct rs_files *files = rs_sim_world(stage->sim)->files;
	unsigned count = 0;
	assert_int_equal(files->list(files, "/node/reasons", count_name, &count, NULL), RS_OK);
	return count;
}

static void glass_opens_for_a_day_and_wants_a_review(void **state)
{
	struct stage stage;
	struct rs_error err = {0};
	uint8_t id[RS_TRANSACTION_ID_SIZE], other[RS_TRANSACTION_ID_SIZE];
	(void)state;
	stage_open(&stage);
	ask(&stage, RS_REFUSAL_NO_CONSENT);
	assert_int_equal(rs_node_break_glass(stage.node, stage.doctor, &stage.subject, "", id, &err),
	                 RS_USAGE);
	assert_int_equal(rs_node_break_glass(stage.node, stage.doctor, &stage.subject, "stroke", id, &err),
	                 RS_OK);
	ask(&stage, RS_REFUSAL_NONE);
	struct seen seen = list(&stage, stage.admin, false);
	assert_true(seen.count == 1 && seen.due_ms == seen.time_ms + 7 * DAY_MS && !seen.overdue);
	assert_string_equal(seen.reason, "stroke");
	assert_string_equal(list(&stage, stage.doctor, false).reason, "stroke");
	seen = list(&stage, stage.colleague, false);
	assert_true(seen.count == 1 && !seen.readable && seen.reason[0] == '\0');
	rs_sim_advance_ms(stage.sim, DAY_MS + 1);
	ask(&stage, RS_REFUSAL_NO_CONSENT);
	rs_sim_advance_ms(stage.sim, 6 * DAY_MS);
	assert_true(list(&stage, stage.admin, false).overdue);
	ask(&stage, RS_REFUSAL_REVIEW_OVERDUE);
	assert_int_equal(rs_node_break_glass(stage.node, stage.doctor, &stage.subject, "again", other, &err),
	                 RS_REFUSED);
	assert_non_null(strstr(err.message, "REVIEW_OVERDUE: "));
	assert_int_equal(count_texts(&stage), 1);
	assert_int_equal(rs_node_review_glass(stage.node, stage.admin, id, RS_REVIEW_JUSTIFIED, "seen", &err),
	                 RS_OK);
	ask(&stage, RS_REFUSAL_NO_CONSENT);
	assert_int_equal(list(&stage, stage.admin, false).count, 0);
	stage_close(&stage);
}

static void reviews_are_by_others_and_once(void **state)
{
	struct stage stage;
	struct rs_error err = {0};
	uint8_t id[RS_TRANSACTION_ID_SIZE], unknown[RS_TRANSACTION_ID_SIZE] = {1};
	(void)state;
	stage_open(&stage);
	assert_int_equal(rs_node_break_glass(stage.node, stage.doctor, &stage.subject, "stroke", id, &err),
	                 RS_OK);
	const struct {
		struct rs_actor *actor;
		const uint8_t *id;
		const char *reason;
		enum rs_code code;
		const char *sentence;
	} cases[] = {
		{stage.doctor, id, "mine", RS_REFUSED, "ROLE: "},
		{stage.colleague, id, "friend", RS_REFUSED, "ROLE: "},
		{stage.admin, unknown, "which", RS_NOT_FOUND, "no glass"},
		{stage.admin, id, "no stroke", RS_OK, ""},
		{stage.admin, id, "changed my mind", RS_REFUSED, "ALREADY_REVIEWED: "},
	};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		err = (struct rs_error){0};
		assert_int_equal(rs_node_review_glass(stage.node, cases[i].actor, cases[i].id,
		                                      RS_REVIEW_UNJUSTIFIED, cases[i].reason, &err),
		                 cases[i].code);
		assert_non_null(strstr(err.message, cases[i].sentence));
	}
	struct seen seen = list(&stage, stage.admin, true);
	assert_true(seen.count == 1 && seen.outcome == RS_REVIEW_UNJUSTIFIED);
	assert_string_equal(seen.reviewing, "no stroke");
	ask(&stage, RS_REFUSAL_NO_CONSENT); /* unjustified: closed at once */
	/* The texts go with the subject. */
	assert_int_equal(rs_subject_key_erase(stage.node->subjects, &stage.subject.pseudonym, &err), RS_OK);
	seen = list(&stage, stage.admin, true);
	assert_true(seen.count == 1 && seen.reason[0] == '\0' && seen.reviewing[0] == '\0');
	stage_close(&stage);
}

static void note_fault(void *context, const char *part, const char *sentence)
{
	(void)sentence;
	*(unsigned *)context += strcmp(part, "reasons") == 0;
}

static unsigned faults(struct stage *stage)
{
	struct rs_check_counts counts;
	unsigned count = 0;
	(void)rs_node_check(stage->node, note_fault, &count, &counts, NULL);
	return count;
}

/* A text that was changed, exchanged or taken away is named. */
static void a_check_knows_the_texts(void **state)
{
	struct stage stage;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	char hex[2 * RS_TRANSACTION_ID_SIZE + 1], path[96];
	(void)state;
	stage_open(&stage);
	const struct rs_world *world = rs_sim_world(stage.sim);
	assert_int_equal(rs_node_break_glass(stage.node, stage.doctor, &stage.subject, "stroke", id, NULL),
	                 RS_OK);
	assert_int_equal(rs_node_review_glass(stage.node, stage.admin, id, RS_REVIEW_JUSTIFIED, "seen", NULL),
	                 RS_OK);
	assert_int_equal(faults(&stage), 0);
	rs_hex_encode(rs_bytes_of(id, sizeof id), hex);
	(void)snprintf(path, sizeof path, "/node/reasons/%s.reason", hex);
	assert_int_equal(rs_file_read_all(world, path, 4096, &text, NULL), RS_OK);
	text.data[text.size - 1] ^= 1;
	assert_int_equal(rs_file_replace(world, path, rs_buffer_bytes(&text), 0600, NULL), RS_OK);
	assert_int_equal(faults(&stage), 1);
	rs_buffer_finish(&text);
	char other[96];
	(void)snprintf(other, sizeof other, "/node/reasons/%s.review", hex);
	assert_int_equal(rs_file_read_all(world, other, 4096, &text, NULL), RS_OK);
	assert_int_equal(rs_file_replace(world, path, rs_buffer_bytes(&text), 0600, NULL), RS_OK);
	assert_int_equal(faults(&stage), 1);
	assert_int_equal(world->files->remove(world->files, other, NULL), RS_OK);
	assert_int_equal(faults(&stage), 2);
	assert_int_equal(rs_subject_key_erase(stage.node->subjects, &stage.subject.pseudonym, NULL), RS_OK);
	assert_int_equal(faults(&stage), 1); /* the missing one: the ledger knows of no erasure */
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glass_opens_for_a_day_and_wants_a_review),
		cmocka_unit_test(reviews_are_by_others_and_once),
		cmocka_unit_test(a_check_knows_the_texts),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
