/* Appends to the embedded ledger: one by one and in groups, signed here or by others, against bare SQLite commits of
 * the same entries on the same disk in the same run. Usage: ledger_bench [DIRECTORY] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger.h"
#include "store/store.h"

#define SINGLE 2000
#define GROUPS 20
#define GROUP 1024

static const struct rs_world *world;
static struct rs_error err;

static void must(enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "ledger_bench: %s\n", err.message);
	exit(1);
}

static double seconds(void) { return (double)world->clock->monotonic_ns(world->clock) / 1e9; }

struct signing {
	const struct rs_signing_key *key;
	struct rs_transaction *transactions;
};

static enum rs_code sign_one(void *context, size_t index, struct rs_error *error)
{
	const struct signing *signing = context;
	struct rs_act act = {
		.type = RS_TRANSACTION_OBJECT_REGISTER,
		.time_ms = rs_world_now_ms(world),
		.organisation = RS_STR("Bench"),
		.kind = RS_OBJECT_IMAGE,
		.instances = 1,
	};
	RS_TRY(rs_world_random(world, act.id, sizeof act.id, error));
	RS_TRY(rs_world_random(world, act.commitment.bytes, RS_SHA256_SIZE, error));
	return rs_transaction_sign(&act, signing->key, &signing->transactions[index], error);
}

static void free_all(struct rs_transaction *transactions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rs_transaction_finish(&transactions[i]);
}

static void found(struct rs_ledger *ledger, const struct rs_signing_key *key)
{
	struct rs_act act = {
		.type = RS_TRANSACTION_ORGANISATION_ADD, .time_ms = 1, .organisation = RS_STR("Bench")};
	struct rs_transaction transaction;
	struct rs_append_result result;
	memcpy(act.member.bytes, key->public_key, RS_KEY_SIZE);
	must(rs_transaction_sign(&act, key, &transaction, &err));
	must(rs_ledger_append(ledger, &transaction, 1, &result, &err));
	rs_transaction_finish(&transaction);
}

static double appends_single(struct rs_ledger *ledger, const struct rs_signing_key *key)
{
	struct rs_transaction transaction;
	struct signing signing = {key, &transaction};
	struct rs_append_result result;
	double start = seconds();
	for (int i = 0; i < SINGLE; i++) {
		must(sign_one(&signing, 0, &err));
		must(rs_ledger_append(ledger, &transaction, 1, &result, &err));
		rs_transaction_finish(&transaction);
	}
	return SINGLE / (seconds() - start);
}

/* checked: signed in this process, in parallel, within the time; else signed before, verified within the time. */
static double appends_grouped(struct rs_ledger *ledger, const struct rs_signing_key *key,
                              struct rs_pool *pool, bool checked)
{
	struct rs_transaction *transactions = rs_allocate_array(GROUP, sizeof *transactions);
	struct rs_append_result *results = rs_allocate_array(GROUP, sizeof *results);
	struct signing signing = {key, transactions};
	double taken = 0;
	for (int group = 0; group < GROUPS; group++) {
		double start = seconds();
		must(rs_pool_for(pool, GROUP, sign_one, &signing, &err));
		if (!checked) {
			for (int i = 0; i < GROUP; i++)
				transactions[i].checked = false;
			start = seconds();
		}
		must(rs_ledger_append(ledger, transactions, GROUP, results, &err));
		taken += seconds() - start;
		free_all(transactions, GROUP);
	}
	rs_free(transactions);
	rs_free(results);
	return GROUPS * GROUP / taken;
}

static double bare_commits(const char *directory)
{
	char path[512];
	struct rs_store *store;
	struct rs_statement *insert;
	uint8_t entry[300] = {1};
	snprintf(path, sizeof path, "%s/bare.sqlite", directory);
	must(rs_store_open(world, path, RS_STORE_WRITE,
	                   "CREATE TABLE entry(id INTEGER PRIMARY KEY, bytes BLOB)", 1, &store, &err));
	must(rs_statement_prepare(store, "INSERT INTO entry VALUES(NULL,?1)", &insert, &err));
	double start = seconds();
	for (int i = 0; i < SINGLE; i++) {
		must(rs_store_begin(store, &err));
		rs_statement_bind_bytes(insert, 1, rs_bytes_of(entry, sizeof entry));
		must(rs_statement_run(insert, &err));
		must(rs_store_commit(store, &err));
	}
	double rate = SINGLE / (seconds() - start);
	rs_statement_finish(insert);
	rs_store_close(store);
	unlink(path);
	return rate;
}

int main(int count, char **arguments)
{
	char template[] = "/tmp/ledger-bench-XXXXXX";
	const char *directory = count > 1 ? arguments[1] : mkdtemp(template);
	char path[512];
	struct rs_pool *pool;
	struct rs_secret seed = {{7}};
	struct rs_signing_key key;
	struct rs_ledger *ledger;
	world = rs_world_system();
	must(rs_crypto_init(&err));
	must(rs_pool_create(0, &pool, &err));
	rs_signing_key_from_seed(&seed, &key);
	snprintf(path, sizeof path, "%s/ledger.sqlite", directory);
	struct rs_ledger_options options = {.origin = "radseal.local/bench", .key = &key, .pool = pool};
	must(rs_ledger_open(world, path, &options, &ledger, &err));
	found(ledger, &key);
	double bare = bare_commits(directory);
	double single = appends_single(ledger, &key);
	double own = appends_grouped(ledger, &key, pool, true);
	double others = appends_grouped(ledger, &key, pool, false);
	printf("embedded ledger, %u threads, entries of about 300 bytes, each group durable\n",
	       rs_pool_threads(pool));
	printf("  bare SQLite commits, one row each    %8.0f /s\n", bare);
	printf("  signed appends one by one            %8.0f /s   %.2f of bare commits (target 2,500)\n",
	       single, single / bare);
	printf("  signed appends in groups of %d     %8.0f /s   (target 20,000)\n", GROUP, own);
	printf("  others' transactions, verified       %8.0f /s\n", others);
	rs_ledger_close(ledger);
	rs_pool_destroy(pool);
	unlink(path);
	return 0;
}
