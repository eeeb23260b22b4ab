/* Memory ends at the k-th request, for k by rs_memory_next(), while a node is made, opened, sealed into, verified, checked,
 * backed up and restored, and a subject erased: it says so, what was acknowledged stays, nothing is half there, and with memory
 * again the same work succeeds. SQLite's requests count too. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "keeping/keeping_backup.h"
#include "node/node_erase.h"

#include "store/store_memory.h"
#include "access/access_retrieve.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

#define LONG_STEP 97 /* of requests in operations that take long each: a prime, so that all kinds are met */
#define REQUESTS_MAX 100000

struct fixture {
	struct rs_sim *sim;
	struct rs_node *node;
	unsigned reported, genuine;
	char *keys;    /* path of the last key-store backup */
	char home[64]; /* to restore to */
};

static struct rs_bytes no_passphrase(void) { return rs_bytes_of("", 0); }

static void make_sources(struct fixture *f)
{
	*f = (struct fixture){.sim = NULL};
	assert_int_equal(rs_sim_create(11, &f->sim, NULL), RS_OK);
	assert_int_equal(rs_directory_make(rs_sim_world(f->sim), "/data", NULL), RS_OK);
	for (int i = 0; i < FILES; i++)
		write_source(rs_sim_world(f->sim), i);
}

static void make_node(struct fixture *f) { *f = (struct fixture){.sim = make_world()}; }

static void finish_world(struct fixture *f)
{
	rs_node_close(f->node);
	rs_sim_destroy(f->sim);
}

static enum rs_code create(struct fixture *f, struct rs_error *err)
{
	return rs_node_create(rs_sim_world(f->sim), "/node", "Radiology", no_passphrase(), err);
}

static enum rs_code open_fixture(struct fixture *f, struct rs_error *err)
{
	return rs_node_open(rs_sim_world(f->sim), "/node", RS_NODE_WRITE, no_passphrase(), NULL, &f->node,
	                    err);
}

static void take(void *context, const struct rs_admit_result *result)
{
	struct fixture *f = context;
	f->reported += result->outcome <= RS_ADMIT_KNOWN;
}

static enum rs_code seal(struct fixture *f, struct rs_error *err)
{
	struct rs_admit_options options = {.subject = "P1", .report = take, .context = f};
	f->reported = 0;
	f->node->memory_max = RS_OBJECT_CHUNK_SIZE; /* one of the files is read twice */
	return rs_node_admit(f->node, path_list, FILES, &options, err);
}

static void take_verdict(void *context, const char *path, enum rs_code code,
                         const struct rs_proof_details *details, const struct rs_error *err)
{
	struct fixture *f = context;
	(void)path, (void)details;
	if (code != RS_OK && code != RS_NO_MEMORY)
		fail_msg("verified as %s: %s", rs_code_name(code), err->message);
	f->genuine += code == RS_OK;
}

/* Out of memory is no verdict on a file: it must not be called altered. */
static enum rs_code verify(struct fixture *f, struct rs_error *err)
{
	f->genuine = 0;
	RS_TRY(rs_node_verify_each(f->node, path_list, FILES, take_verdict, f, err));
	return f->genuine == FILES ? RS_OK : rs_error_memory(err, 1, "some of the files");
}

static void no_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	fail_msg("a fault in %s where there is none: %s", part, sentence);
}

static enum rs_code check(struct fixture *f, struct rs_error *err)
{
	struct rs_check_counts counts;
	return rs_node_check(f->node, no_fault, NULL, &counts, err);
}

static void ignore(void *context, const struct rs_retrieved *result) { (void)context, (void)result; }

static enum rs_code retrieve(struct fixture *f, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_node_subject subject;
	struct rs_retrieval retrieval = {.purpose = RS_PURPOSE_OPERATIONS,
	                                 .operation = RS_OPERATION_READ,
	                                 .directory = "/out",
	                                 .report = ignore};
	RS_TRY(rs_node_actor_open(f->node, NULL, no_passphrase(), &actor, err));
	RS_TRY(rs_node_subject(f->node, "", "P1", &subject, err));
	retrieval.subject = &subject;
	return rs_node_retrieve(f->node, actor, &retrieval, err);
}

static void must(enum rs_code code, const struct rs_error *err, uint64_t k, const char *what)
{
	if (code != RS_OK)
		fail_msg("request %llu, then %s: %s", (unsigned long long)k, what, err->message);
}

typedef enum rs_code operation(struct fixture *f, struct rs_error *err);

/* Runs it with memory for k - 1 requests; true when that was enough. */
static bool run(struct fixture *f, operation *work, uint64_t k)
{
	struct rs_error err = {0};
	rs_memory_fail_at(k);
	enum rs_code code = work(f, &err);
	uint64_t asked = rs_memory_fail_at(0);
	if (code == RS_OK) {
		print_message("# %llu requests\n", (unsigned long long)asked);
		return true;
	}
	if (code != RS_NO_MEMORY || err.code != RS_NO_MEMORY || !strstr(err.message, "memory"))
		fail_msg("request %llu: code %s: %s", (unsigned long long)k, rs_code_name(code), err.message);
	return false;
}

/* A node that was not finished is none, and its directory has to be emptied: the program says so. */
static void making(void **state)
{
	(void)state;
	for (uint64_t k = 1; k < REQUESTS_MAX; k = rs_memory_next(k)) {
		struct fixture f;
		make_sources(&f);
		bool done = run(&f, create, k);
		assert_int_equal(rs_path_exists(rs_sim_world(f.sim), "/node/radseal.yaml"), done);
		finish_world(&f);
		if (done)
			return;
	}
	fail_msg("it never succeeds");
}

static void opening(void **state)
{
	struct fixture f;
	struct rs_error err = {0};
	(void)state;
	make_node(&f);
	for (uint64_t k = 1; k < REQUESTS_MAX; k = rs_memory_next(k)) {
		bool done = run(&f, open_fixture, k);
		if (!done)
			must(open_fixture(&f, &err), &err, k, "open");
		must(check(&f, &err), &err, k, "check");
		rs_node_close(f.node);
		f.node = NULL;
		if (done) {
			finish_world(&f);
			return;
		}
	}
	fail_msg("it never succeeds");
}

static void sealing(void **state)
{
	unsigned tried = 0;
	(void)state;
	for (uint64_t k = 1; k < REQUESTS_MAX; k = rs_memory_next(k)) {
		struct fixture f;
		struct rs_error err = {0};
		make_node(&f);
		must(open_fixture(&f, &err), &err, k, "open");
		bool done = run(&f, seal, k);
		assert_int_equal(f.reported, done ? FILES : 0); /* one group */
		if (tried++ % 2) { /* the same process goes on; or it ends, and the power with it */
			rs_node_close(f.node);
			f.node = NULL;
			rs_sim_cut(f.sim, RS_SIM_LOSE_ALL);
			must(open_fixture(&f, &err), &err, k, "open");
		}
		if (done)
			must(verify(&f, &err), &err, k, "verify what was acknowledged");
		must(seal(&f, &err), &err, k, "seal");
		assert_int_equal(f.reported, FILES);
		must(verify(&f, &err), &err, k, "verify");
		must(check(&f, &err), &err, k, "check");
		finish_world(&f);
		if (done)
			return;
	}
	fail_msg("it never succeeds");
}

/* Reading changes nothing but the log, so one node serves all runs. */
static void reading(void **state)
{
	static operation *const operations[] = {verify, check, retrieve};
	struct fixture f;
	struct rs_error err = {0};
	(void)state;
	make_node(&f);
	must(open_fixture(&f, &err), &err, 0, "open");
	must(seal(&f, &err), &err, 0, "seal");
	for (size_t i = 0; i < RS_COUNT(operations); i++) {
		uint64_t k = 1;
		while (!run(&f, operations[i], k))
			k = rs_memory_next(k);
		must(check(&f, &err), &err, k, "check");
	}
	finish_world(&f);
}

static enum rs_code back_up(struct fixture *f, struct rs_error *err)
{
	struct rs_backup_counts counts;
	struct rs_key_backup_counts key_counts;
	char *path = NULL;
	RS_TRY(rs_node_backup(f->node, "/data-backup", 1, &counts, err));
	RS_TRY(rs_node_backup_keys(f->node, "/key-backup", 30, &path, &key_counts, err));
	rs_free(f->keys);
	f->keys = path;
	return rs_node_backup_verify(f->node, "/data-backup", NULL, &counts, err);
}

static enum rs_code restore(struct fixture *f, struct rs_error *err)
{
	struct rs_buffer unlock RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_restore_counts counts;
	RS_TRY(rs_file_read_all(rs_sim_world(f->sim), "/node/keys/unlock.key", 4096, &unlock, err));
	struct rs_restore_options options = {
		.data = "/data-backup", .keys = f->keys, .unlock = {.unlock_file = rs_buffer_bytes(&unlock)}};
	return rs_node_restore(rs_sim_world(f->sim), f->home, &options, NULL, &counts, err);
}

/* Backups are taken of one node again and again; restored is to a new place each time. */
static void backing_up_and_restoring(void **state)
{
	struct fixture f;
	struct rs_error err = {0};
	uint64_t k = 1;
	(void)state;
	make_node(&f);
	must(open_fixture(&f, &err), &err, 0, "open");
	must(seal(&f, &err), &err, 0, "seal");
	for (; !run(&f, back_up, k); k += LONG_STEP)
		rs_sim_advance_ms(f.sim, 5);
	must(back_up(&f, &err), &err, k, "back up");
	for (k = 1;; k += LONG_STEP) {
		(void)snprintf(f.home, sizeof f.home, "/restored%llu", (unsigned long long)k);
		if (run(&f, restore, k))
			break;
		must(restore(&f, &err), &err, k, "restore");
	}
	rs_free(f.keys);
	finish_world(&f);
}

static enum rs_code erase(struct fixture *f, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_erasure_facts facts;
	rs_buffer_init(&certificate, (size_t)1 << 20);
	RS_TRY(rs_node_actor_open(f->node, NULL, no_passphrase(), &actor, err));
	return rs_node_erase(f->node, actor, "", "P0", NULL, &certificate, &facts, err);
}

/* The next opening ends what was begun; what was not is begun again. */
static void erasing(void **state)
{
	(void)state;
	for (uint64_t k = 1; k < REQUESTS_MAX; k += LONG_STEP) {
		struct fixture f;
		struct rs_error err = {0};
		struct rs_proof_details details;
		struct rs_admit_options options = {.subject = "P0"};
		make_node(&f);
		must(open_fixture(&f, &err), &err, k, "open");
		must(rs_node_admit(f.node, path_list, 1, &options, &err), &err, k, "seal");
		bool done = run(&f, erase, k);
		rs_node_close(f.node);
		f.node = NULL;
		must(open_fixture(&f, &err), &err, k, "open");
		must(check(&f, &err), &err, k, "check");
		enum rs_code code = rs_node_verify(f.node, paths[0], &details, &err);
		assert_true(code == RS_NOT_FOUND || (code == RS_OK && !done));
		if (code == RS_OK)
			must(erase(&f, &err), &err, k, "erase");
		assert_int_equal(rs_node_verify(f.node, paths[0], &details, &err), RS_NOT_FOUND);
		finish_world(&f);
		if (done)
			return;
	}
	fail_msg("it never succeeds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making),
		cmocka_unit_test(opening),
		cmocka_unit_test(sealing),
		cmocka_unit_test(reading),
		cmocka_unit_test(backing_up_and_restoring),
		cmocka_unit_test(erasing),
	};
	if (!store_memory_from_base() || rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
