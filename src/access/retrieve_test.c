/* Giving out: nothing leaves before its request is durable, whatever is cut when; refused requests stand in the log; what
 * comes out is what was sealed. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "access/access_open.h"
#include "access/access_retrieve.h"
#include "workflow/workflow.h"

struct told {
	unsigned written, refused, failed;
	enum rs_refusal refusal;
	enum rs_basis basis;
	char paths[FILES][128];
};

static void take(void *context, const struct rs_retrieved *result)
{
	struct told *told = context;
	if (*result->path)
		(void)snprintf(told->paths[told->written++], sizeof told->paths[0], "%s", result->path);
	told->refused += result->error.code == RS_REFUSED;
	told->failed += result->error.code != RS_OK && result->error.code != RS_REFUSED;
	told->refusal = result->decision.refusal;
	told->basis = result->decision.basis;
}

static void ignore(void *context, const struct rs_admit_result *result) { (void)context, (void)result; }

/* A node with all files of the subject "P1". */
static struct rs_sim *make_sealed(void)
{
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_admit_options options = {.subject = "P1", .report = ignore};
	struct rs_error err = {0};
	assert_int_equal(rs_node_admit(node, path_list, FILES, &options, &err), RS_OK);
	rs_node_close(node);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	return sim;
}

static enum rs_code retrieve(struct rs_node *node, const char *name, enum rs_purpose purpose,
                             struct told *told, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_node_subject subject;
	struct rs_retrieval retrieval = {.purpose = purpose,
	                                 .operation = RS_OPERATION_READ,
	                                 .directory = "/out",
	                                 .report = take,
	                                 .context = told};
	*told = (struct told){0};
	RS_TRY(rs_node_actor_open(node, name, rs_bytes_of("", 0), &actor, err));
	RS_TRY(rs_node_subject(node, "", "P1", &subject, err));
	retrieval.subject = &subject;
	return rs_node_retrieve(node, actor, &retrieval, err);
}

static unsigned count_requests(struct rs_node *node)
{
	unsigned count = 0;
	for (uint64_t i = 0; i < rs_ledger_size(node->ledger); i++) {
		struct rs_bytes entry;
		struct rs_act act;
		assert_int_equal(rs_ledger_entry(node->ledger, i, &entry, NULL), RS_OK);
		assert_int_equal(rs_transaction_parse(entry, &act, NULL), RS_OK);
		count += act.type == RS_TRANSACTION_ACCESS_REQUEST;
	}
	return count;
}

static enum rs_code see(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	(void)name, (void)kind, (void)err;
	++*(unsigned *)context;
	return RS_OK;
}

/* Files in the place where they are given out, half-written ones included. */
static unsigned count_files(struct rs_sim *sim)
{
	const struct rs_files *files = rs_sim_world(sim)->files;
	unsigned count = 0;
	if (rs_path_exists(rs_sim_world(sim), "/out"))
		assert_int_equal(files->list(files, "/out", see, &count, NULL), RS_OK);
	return count;
}

static bool is_same_file(struct rs_sim *sim, const char *a, const char *b)
{
	struct rs_buffer first RS_CLEANUP(rs_buffer_finish) = {0}, second RS_CLEANUP(rs_buffer_finish) = {0};
	assert_int_equal(rs_file_read_all(rs_sim_world(sim), a, 1 << 24, &first, NULL), RS_OK);
	assert_int_equal(rs_file_read_all(rs_sim_world(sim), b, 1 << 24, &second, NULL), RS_OK);
	return rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&second));
}

static void what_is_given_out_is_what_was_sealed(void **state)
{
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct told told;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(retrieve(node, NULL, RS_PURPOSE_OPERATIONS, &told, &err), RS_OK);
	assert_true(told.written == FILES && told.basis == RS_BASIS_CARE && count_requests(node) == FILES);
	for (int i = 0; i < FILES; i++) {
		unsigned same = 0;
		for (unsigned k = 0; k < told.written; k++)
			same += is_same_file(sim, paths[i], told.paths[k]);
		assert_int_equal(same, 1);
	}
	assert_int_equal(count_files(sim), 2 * FILES); /* with their receipts */
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void a_refused_request_stands_in_the_log(void **state)
{
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct told told;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(retrieve(node, NULL, RS_PURPOSE_RESEARCH, &told, &err), RS_REFUSED);
	assert_string_equal(err.message,
	                    "PURPOSE: the signer's role does not allow this operation for this purpose");
	assert_true(told.refused == FILES && told.refusal == RS_REFUSAL_PURPOSE);
	assert_int_equal(count_requests(node), FILES);
	assert_int_equal(count_files(sim), 0);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

/* One flipped bit in one stored object: that one stays in, the others go out. */
static void what_is_not_as_sealed_is_not_given_out(void **state)
{
	struct rs_sim *sim = make_sealed();
	const struct rs_world *world = rs_sim_world(sim);
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct told told;
	struct rs_error err = {0};
	struct rs_file *file;
	uint8_t byte;
	size_t got;
	(void)state;
	struct index_row row;
	struct rs_node_subject subject;
	assert_int_equal(retrieve(node, NULL, RS_PURPOSE_OPERATIONS, &told, &err), RS_OK);
	char *name = strrchr(told.paths[0], '/') + 1;
	char cid_text[RS_CID_TEXT_SIZE] = "";
	memcpy(cid_text, name, strcspn(name, "."));
	struct rs_cid cid;
	assert_true(rs_cid_parse(rs_str_from(cid_text), &cid));
	char *path RS_CLEANUP(rs_free_pointer) = rs_shard_path("/node/vault/objects", &cid, "");
	assert_int_equal(rs_file_open(world, path, RS_OPEN_READ | RS_OPEN_WRITE, &file, &err), RS_OK);
	assert_int_equal(rs_file_read_at(file, 70, &byte, 1, &got, &err), RS_OK);
	byte ^= 1;
	assert_int_equal(rs_file_write_at(file, 70, &byte, 1, &err), RS_OK);
	rs_file_close(file);
	assert_int_equal(world->files->remove(world->files, told.paths[0], &err), RS_OK);
	assert_int_equal(retrieve(node, NULL, RS_PURPOSE_OPERATIONS, &told, &err), RS_ALTERED);
	assert_true(told.failed == 1 && told.written == FILES - 1 && count_files(sim) == 2 * FILES - 1);
	/* And nothing of who was erased. */
	assert_int_equal(rs_node_subject(node, "", "P1", &subject, &err), RS_OK);
	assert_int_equal(rs_subject_key_erase(node->subjects, &subject.pseudonym, &err), RS_OK);
	assert_int_equal(retrieve(node, NULL, RS_PURPOSE_OPERATIONS, &told, &err), RS_NOT_FOUND);
	assert_int_equal(index_find_object(node->index, rs_bytes_of(cid.bytes, sizeof cid.bytes), &row, &err),
	                 RS_OK);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static bool cut_at(uint64_t step, enum rs_sim_cut how, bool reboot)
{
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct told told;
	struct rs_error err = {0};
	rs_sim_fail_at(sim, step, RS_IO, true);
	bool done = retrieve(node, NULL, RS_PURPOSE_OPERATIONS, &told, &err) == RS_OK;
	if (reboot)
		rs_sim_cut(sim, how);
	rs_sim_fail_at(sim, 0, RS_OK, false);
	rs_node_close(node);
	node = open_node(sim, "/node", RS_NODE_WRITE);
	/* Of each file that is there, whole or in part, the request is in the log. */
	if (count_files(sim) > 0 || told.written > 0)
		assert_int_equal(count_requests(node), FILES);
	rs_node_close(node);
	rs_sim_destroy(sim);
	return done;
}

static void nothing_leaves_before_its_request_is_durable(void **state)
{
	(void)state;
	for (int how = RS_SIM_LOSE_ALL; how <= RS_SIM_TEAR; how++)
		for (uint64_t step = 1; !cut_at(step, (enum rs_sim_cut)how, true); step++)
			;
	for (uint64_t step = 1; !cut_at(step, RS_SIM_LOSE_ALL, false); step++)
		;
}

static enum rs_code note_cid(void *context, const struct index_row *row, struct rs_error *err)
{
	struct rs_cid **next = context;
	(void)err;
	assert_true(rs_cid_from_bytes(row->cid, (*next)++));
	return RS_OK;
}

static enum rs_code count_bytes(void *context, struct rs_bytes piece, struct rs_error *err)
{
	(void)err;
	*(uint64_t *)context += piece.size;
	return RS_OK;
}

static enum rs_code give(struct rs_node *node, const struct rs_cid *cid, int altered, uint64_t *out_size,
                         uint64_t *out_given)
{
	struct rs_opened opened RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
	struct rs_error err = {0};
	assert_int_equal(rs_opened_init(node, cid, &opened, &err), RS_OK);
	*out_given = 0;
	switch (altered) {
	case 1: opened.record.sha256.bytes[31] ^= 1; break;
	case 2: opened.receipt.data[opened.receipt.size / 2] ^= 1; break;
	case 3: opened.record.cid = rs_bytes_of(paths, sizeof cid->bytes); break;
	case 4: opened.record.size++; break;
	case 5: opened.record.size--; break;
	default: break;
	}
	*out_size = opened.record.size;
	enum rs_code code = rs_opened_read(node, &opened, count_bytes, NULL, out_given, &err);
	assert_true(code == RS_OK || err.message[0]);
	return code;
}

static void the_end_leaves_only_when_the_ledger_has_it(void **state)
{
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_READ);
	struct rs_cid cids[FILES], *next = cids;
	(void)state;
	assert_int_equal(index_each_row(node->index, note_cid, &next, NULL), RS_OK);
	assert_int_equal(next - cids, FILES);
	for (int altered = 0; altered < 6; altered++)
		for (int i = 0; i < FILES; i++) {
			uint64_t size, given;
			enum rs_code code = give(node, &cids[i], altered, &size, &given);
			assert_true(altered ? code != RS_OK && given < size : code == RS_OK && given == size);
		}
	rs_node_close(node);
	rs_sim_destroy(sim);
}

/* Whoever has the keys and the disk can make another object under the same key and address. */
static void other_content_under_the_same_key_does_not_leave_whole(void **state)
{
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_READ);
	struct rs_cid cids[FILES], *next = cids, forged;
	(void)state;
	assert_int_equal(index_each_row(node->index, note_cid, &next, NULL), RS_OK);
	for (int i = 0; i < FILES; i++) {
		struct rs_opened opened RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
		struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_vault_staged *staged;
		const uint8_t nonce[RS_OBJECT_NONCE_SIZE] = {0};
		uint64_t given = 0;
		assert_int_equal(rs_opened_init(node, &cids[i], &opened, NULL), RS_OK);
		rs_buffer_init(&content, opened.record.size);
		assert_int_equal(rs_vault_read(node->vault, &cids[i], &opened.object_key, &content, NULL),
		                 RS_OK);
		content.data[content.size / 2] ^= 1;
		assert_int_equal(rs_vault_stage(node->vault, &opened.object_key, nonce,
		                                rs_buffer_bytes(&content), &staged, &forged, NULL),
		                 RS_OK);
		assert_int_equal(rs_vault_publish(node->vault, NULL, &staged, 1, NULL), RS_OK);
		char *from = rs_shard_path("/node/vault/objects", &forged, "");
		char *to = rs_shard_path("/node/vault/objects", &cids[i], "");
		assert_int_equal(node->world->files->rename(node->world->files, from, to, NULL), RS_OK);
		rs_free(from);
		rs_free(to);
		assert_int_equal(rs_opened_read(node, &opened, count_bytes, NULL, &given, NULL), RS_ALTERED);
		assert_true(given < content.size);
	}
	rs_node_close(node);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_out_is_what_was_sealed),
		cmocka_unit_test(a_refused_request_stands_in_the_log),
		cmocka_unit_test(what_is_not_as_sealed_is_not_given_out),
		cmocka_unit_test(nothing_leaves_before_its_request_is_durable),
		cmocka_unit_test(the_end_leaves_only_when_the_ledger_has_it),
		cmocka_unit_test(other_content_under_the_same_key_does_not_leave_whole),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
