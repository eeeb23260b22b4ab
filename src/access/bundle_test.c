/* Bundles: given out to whom something was consented and to nobody else, opened by that member's key and by no other, and
 * refused when any byte of them is another. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "access/access_bundle.h"
#include "access/access_retrieve.h"
#include "workflow/workflow.h"

struct stage {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin;
	struct rs_node_subject subject;
	struct rs_signing_key reader; /* of another organisation */
	struct rs_error err;
	char path[128];
};

static void ignore(void *context, const struct rs_admit_result *result) { (void)context, (void)result; }

static void transact(struct stage *stage, struct rs_act act)
{
	uint64_t index;
	if (rs_node_transact(stage->node, stage->admin, &act, &index, &stage->err) != RS_OK)
		fail_msg("%s", stage->err.message);
}

static struct rs_member_key public_of(const struct rs_signing_key *key)
{
	struct rs_member_key id;
	memcpy(id.bytes, key->public_key, sizeof id.bytes);
	return id;
}

static void stage_open(struct stage *stage)
{
	struct rs_admit_options options = {.subject = "P1", .report = ignore};
	const struct rs_secret seed = {{9}};
	*stage = (struct stage){.sim = make_world()};
	rs_signing_key_from_seed(&seed, &stage->reader);
	stage->node = open_node(stage->sim, "/node", RS_NODE_WRITE);
	assert_int_equal(rs_node_admit(stage->node, path_list, 1, &options, NULL), RS_OK);
	assert_int_equal(rs_node_subject(stage->node, "", "P1", &stage->subject, NULL), RS_OK);
	stage->admin = open_administrator(stage->node);
}

static void stage_close(struct stage *stage)
{
	rs_actor_close(stage->admin);
	rs_node_close(stage->node);
	rs_sim_destroy(stage->sim);
}

static void take(void *context, const struct rs_retrieved *result)
{
	struct stage *stage = context;
	if (*result->path && (!stage->path[0] || strlen(result->path) < sizeof stage->path))
		(void)snprintf(stage->path, sizeof stage->path, "%s", result->path);
}

static enum rs_code export(struct stage *stage, enum rs_operation operation) {
	const struct rs_member_key recipient = public_of(&stage->reader);
	const struct rs_retrieval retrieval = {.subject = &stage->subject,
	                                       .purpose = RS_PURPOSE_OPERATIONS,
	                                       .operation = operation,
	                                       .recipient = &recipient,
	                                       .directory = "/out",
	                                       .report = take,
	                                       .context = stage};
	stage->err = (struct rs_error){0};
	return rs_node_retrieve(stage->node, stage->admin, &retrieval, &stage->err);
}

/* The reader becomes a researcher of another organisation, to which the subject consents. */
static void consent(struct stage *stage)
{
	transact(stage, (struct rs_act){.type = RS_TRANSACTION_ORGANISATION_ADD,
	                                .organisation = RS_STR("Institute"),
	                                .member = public_of(&stage->reader)});
	transact(stage, (struct rs_act){.type = RS_TRANSACTION_CONSENT_GRANT,
	                                .organisation = RS_STR("Institute"),
	                                .subject = stage->subject.token,
	                                .consent = {{1}},
	                                .effect = RS_CONSENT_PERMIT,
	                                .roles = RS_SET(RS_ROLE_HOSPITAL_ADMINISTRATOR),
	                                .purposes = RS_SET(RS_PURPOSE_OPERATIONS),
	                                .operations = RS_SET(RS_OPERATION_READ)});
}

static enum rs_code open_bundle(struct stage *stage, const char *path, const struct rs_signing_key *key)
{
	struct rs_trust trust = {.quorum = 0};
	struct rs_proof_details details;
	char *opened RS_CLEANUP(rs_free_pointer) = NULL;
	stage->err = (struct rs_error){0};
	RS_TRY(rs_note_key_parse(rs_str_from(rs_node_vkey(stage->node)), &trust.log, &stage->err));
	return rs_bundle_open(rs_sim_world(stage->sim), path, key, &trust, "/in", &details, &opened,
	                      &stage->err);
}

static void only_whom_somebody_consented_to_gets_one(void **state)
{
	struct stage stage;
	(void)state;
	stage_open(&stage);
	assert_int_equal(export(&stage, RS_OPERATION_EXPORT), RS_REFUSED);
	assert_string_equal(stage.err.message,
	                    "the recipient: UNKNOWN_SIGNER: the signer is no member and no device");
	consent(&stage);
	assert_int_equal(export(&stage, RS_OPERATION_READ), RS_USAGE);
	assert_string_equal(stage.path, "");
	assert_int_equal(export(&stage, RS_OPERATION_EXPORT), RS_OK);
	assert_int_equal(open_bundle(&stage, stage.path, &stage.reader), RS_OK);
	transact(&stage, (struct rs_act){.type = RS_TRANSACTION_CONSENT_REVOKE,
	                                 .subject = stage.subject.token,
	                                 .consent = {{1}}});
	assert_int_equal(export(&stage, RS_OPERATION_EXPORT), RS_REFUSED);
	assert_non_null(strstr(stage.err.message, "the recipient: NO_CONSENT"));
	stage_close(&stage);
}

static void only_its_key_opens_it_and_no_other_byte_does(void **state)
{
	struct stage stage;
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_secret seed = {{8}};
	struct rs_signing_key other;
	(void)state;
	stage_open(&stage);
	consent(&stage);
	const struct rs_world *world = rs_sim_world(stage.sim);
	assert_int_equal(export(&stage, RS_OPERATION_EXPORT), RS_OK);
	rs_signing_key_from_seed(&seed, &other);
	assert_int_equal(open_bundle(&stage, stage.path, &other), RS_DENIED);
	assert_int_equal(rs_file_read_all(world, stage.path, 1 << 24, &content, NULL), RS_OK);
	/* Every byte: of the head, of the object. */
	for (size_t at = 0; at < content.size; at++) {
		content.data[at] ^= (uint8_t)(1u << at % 8);
		assert_int_equal(rs_file_replace(world, "/altered", rs_buffer_bytes(&content), 0600, NULL),
		                 RS_OK);
		if (open_bundle(&stage, "/altered", &stage.reader) == RS_OK)
			fail_msg("byte %zu is another, and it opens", at);
		assert_true(stage.err.message[0] != '\0');
		content.data[at] ^= (uint8_t)(1u << at % 8);
	}
	content.size -= 1;
	assert_int_equal(rs_file_replace(world, "/altered", rs_buffer_bytes(&content), 0600, NULL), RS_OK);
	assert_int_not_equal(open_bundle(&stage, "/altered", &stage.reader), RS_OK);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whom_somebody_consented_to_gets_one),
		cmocka_unit_test(only_its_key_opens_it_and_no_other_byte_does),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
