/* The embedded ledger under load: appends one by one, in groups, and by eight writers at once; reads with proof, alone and
 * beside a writer; against bare SQLite commits of the same entries on the same disk in the same run. With --entries N a log
 * of so many is made first (10 million take minutes and some 5 GB), and its opening and its proofs are timed. Its filling is one
 * signed entry with other ids in it, in their order: a log is read the same way whoever signed it, and made sooner.
 * Usage: ledger_bench [--entries N] [DIRECTORY] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger_queue.h"
#include "store/store.h"

#define SINGLE 2000
#define GROUPS 20
#define GROUP 1024
#define WRITERS 8
#define READERS_MAX 64
#define READS 20000 /* of each reader */
#define PROOFS 2000 /* timed one by one */

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

struct writer {
	pthread_t thread;
	struct rs_ledger_queue *queue;
	const struct rs_signing_key *key;
};

static void *write_durably(void *context)
{
	const struct writer *writer = context;
	struct rs_transaction transaction;
	struct signing signing = {writer->key, &transaction};
	struct rs_error error = {0};
	for (int i = 0; i < SINGLE; i++) {
		struct rs_append_result result;
		if (sign_one(&signing, 0, &error) != RS_OK ||
		    rs_ledger_queue_append(writer->queue, &transaction, &result, &error) != RS_OK) {
			fprintf(stderr, "ledger_bench: %s\n", error.message);
			exit(1);
		}
		rs_transaction_finish(&transaction);
	}
	return NULL;
}

/* Eight writers, each of which waits for its own durable answer before it goes on. */
static double appends_concurrent(struct rs_ledger *ledger, const struct rs_signing_key *key)
{
	struct writer writers[WRITERS];
	struct rs_ledger_queue *queue;
	must(rs_ledger_queue_create(ledger, &queue, &err));
	double start = seconds();
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.queue = queue, .key = key};
		pthread_create(&writers[i].thread, NULL, write_durably, &writers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	double rate = (double)WRITERS * SINGLE / (seconds() - start);
	rs_ledger_queue_destroy(queue);
	return rate;
}

struct reader {
	pthread_t thread;
	const char *path;
	const struct rs_signing_key *key;
	uint64_t seed;
};

/* One entry of the log with its proof, checked against nothing: what a server does to answer. */
static void read_one(struct rs_ledger *ledger, uint64_t index)
{
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	struct rs_bytes entry;
	size_t count;
	struct rs_error error = {0};
	if (rs_ledger_prove(ledger, index, path, &count, &error) == RS_OK &&
	    rs_ledger_entry(ledger, index, &entry, &error) == RS_OK)
		return;
	fprintf(stderr, "ledger_bench: %s\n", error.message);
	exit(1);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

static struct rs_ledger *open_to_read(const char *path, const struct rs_signing_key *key)
{
	struct rs_ledger_options options = {.origin = "radseal.local/bench", .public_key = key->public_key};
	struct rs_ledger *ledger;
	struct rs_error error = {0};
	if (rs_ledger_open(world, path, &options, &ledger, &error) == RS_OK)
		return ledger;
	fprintf(stderr, "ledger_bench: %s\n", error.message);
	exit(1);
}

static void *read_with_proof(void *context)
{
	struct reader *reader = context;
	struct rs_ledger *ledger = open_to_read(reader->path, reader->key);
	uint64_t size = rs_ledger_size(ledger);
	for (int i = 0; i < READS; i++)
		read_one(ledger, next_random(&reader->seed) % size);
	rs_ledger_close(ledger);
	return NULL;
}

/* A reader for each thread of the pool, each with a view of its own; `writer` (may be NULL) writes groups meanwhile. */
static double reads_with_proof(const char *path, const struct rs_signing_key *key, unsigned readers,
                               struct rs_ledger *writer, struct rs_pool *pool)
{
	struct reader list[READERS_MAX];
	readers = readers < READERS_MAX ? readers : READERS_MAX;
	double start = seconds();
	for (unsigned i = 0; i < readers; i++) {
		list[i] = (struct reader){.path = path, .key = key, .seed = i + 1};
		pthread_create(&list[i].thread, NULL, read_with_proof, &list[i]);
	}
	if (writer)
		(void)appends_grouped(writer, key, pool, true);
	for (unsigned i = 0; i < readers; i++)
		pthread_join(list[i].thread, NULL);
	return readers * (double)READS / (seconds() - start);
}

static int by_time(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

/* A group of entries that differ from the first one in id and commitment; ids never come again. */
static void fill(struct rs_transaction *group, const uint8_t *template, size_t size, size_t id,
                 size_t commitment, uint64_t first)
{
	for (uint64_t i = 0; i < GROUP; i++) {
		struct rs_buffer *entry = &group[i].entry;
		rs_buffer_clear(entry);
		must(rs_buffer_append(entry, template, size));
		rs_write_be64(entry->data + id, first + i);
		rs_write_be64(entry->data + commitment, first + i);
		group[i].checked = true;
	}
}

static size_t find_bytes(const struct rs_buffer *entry, const void *bytes, size_t size)
{
	size_t at = 0;
	while (memcmp(entry->data + at, bytes, size) != 0)
		at++;
	return at;
}

static void grow(struct rs_ledger *ledger, const struct rs_signing_key *key, uint64_t entries)
{
	static struct rs_transaction group[GROUP];
	static struct rs_append_result results[GROUP];
	struct rs_act act = {.type = RS_TRANSACTION_OBJECT_REGISTER,
	                     .time_ms = rs_world_now_ms(world),
	                     .organisation = RS_STR("Bench"),
	                     .kind = RS_OBJECT_IMAGE,
	                     .instances = 1};
	struct rs_transaction template;
	must(rs_world_random(world, act.id, sizeof act.id, &err));
	must(rs_world_random(world, act.commitment.bytes, RS_SHA256_SIZE, &err));
	must(rs_transaction_sign(&act, key, &template, &err));
	size_t id = find_bytes(&template.entry, act.id, sizeof act.id);
	size_t commitment = find_bytes(&template.entry, act.commitment.bytes, RS_SHA256_SIZE);
	for (size_t i = 0; i < GROUP; i++)
		rs_buffer_init(&group[i].entry, RS_ENTRY_SIZE_MAX);
	while (rs_ledger_size(ledger) < entries) {
		fill(group, template.entry.data, template.entry.size, id, commitment, rs_ledger_size(ledger));
		must(rs_ledger_append(ledger, group, GROUP, results, &err));
	}
	free_all(group, GROUP);
	rs_transaction_finish(&template);
}

/* A log of so many entries: how long it takes to open, to prove, and what it takes on disk. */
static void large(const char *path, const struct rs_ledger_options *options, const struct rs_signing_key *key,
                  uint64_t entries)
{
	static double taken[PROOFS];
	struct rs_ledger *ledger;
	struct rs_file_stat stat;
	uint64_t seed = 7;
	double start = seconds();
	must(rs_ledger_open(world, path, options, &ledger, &err));
	grow(ledger, key, entries);
	double made = seconds() - start;
	uint64_t size = rs_ledger_size(ledger);
	rs_ledger_close(ledger);
	must(world->files->stat(world->files, path, &stat, &err));
	start = seconds();
	ledger = open_to_read(path, key);
	double opened = seconds() - start;
	for (int i = 0; i < PROOFS; i++) {
		start = seconds();
		read_one(ledger, next_random(&seed) % size);
		taken[i] = seconds() - start;
	}
	rs_ledger_close(ledger);
	qsort(taken, PROOFS, sizeof *taken, by_time);
	printf("a log of %llu entries, made in %.0f s (%.0f /s)\n", (unsigned long long)size, made,
	       (double)size / made);
	printf("  open                                 %8.4f s    (target 1)\n", opened);
	printf("  entry with proof, median and 99 %%    %8.3f ms   %.3f ms (target 1)\n",
	       1e3 * taken[PROOFS / 2], 1e3 * taken[PROOFS * 99 / 100]);
	printf("  disk for each entry                  %8.0f bytes\n", (double)stat.size / (double)size);
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

static void load(const char *directory, const char *path, const struct rs_ledger_options *options,
                 const struct rs_signing_key *key)
{
	struct rs_pool *pool = options->pool;
	struct rs_ledger *ledger;
	unsigned readers = rs_pool_threads(pool);
	must(rs_ledger_open(world, path, options, &ledger, &err));
	double bare = bare_commits(directory);
	double single = appends_single(ledger, key);
	double own = appends_grouped(ledger, key, pool, true);
	double others = appends_grouped(ledger, key, pool, false);
	double concurrent = appends_concurrent(ledger, key);
	double reads = reads_with_proof(path, key, readers, NULL, pool);
	double beside = reads_with_proof(path, key, readers, ledger, pool);
	printf("embedded ledger of %llu entries, %u threads, entries of about 300 bytes, each group durable\n",
	       (unsigned long long)rs_ledger_size(ledger), readers);
	printf("  bare SQLite commits, one row each    %8.0f /s\n", bare);
	printf("  signed appends one by one            %8.0f /s   %.2f of bare commits (target 2,500)\n",
	       single, single / bare);
	printf("  signed appends in groups of %d     %8.0f /s   (target 20,000)\n", GROUP, own);
	printf("  others' transactions, verified       %8.0f /s\n", others);
	printf("  %d writers, each answered durably     %8.0f /s   %.2f of bare commits\n", WRITERS,
	       concurrent, concurrent / bare);
	printf("  entries read with proof              %8.0f /s   (target 50,000)\n", reads);
	printf("  the same while groups are written    %8.0f /s\n", beside);
	rs_ledger_close(ledger);
}

int main(int count, char **arguments)
{
	char template[] = "/tmp/ledger-bench-XXXXXX";
	uint64_t entries = 0;
	int next = 1;
	if (count > 2 && strcmp(arguments[1], "--entries") == 0) {
		if (!rs_parse_u64(rs_str_from(arguments[2]), &entries)) {
			fprintf(stderr, "ledger_bench: --entries: '%s' is not a number\n", arguments[2]);
			return 2;
		}
		next = 3;
	}
	const char *directory = count > next ? arguments[next] : mkdtemp(template);
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
	const struct rs_ledger_options options = {.origin = "radseal.local/bench", .key = &key, .pool = pool};
	must(rs_ledger_open(world, path, &options, &ledger, &err));
	if (rs_ledger_size(ledger) == 0)
		found(ledger, &key);
	rs_ledger_close(ledger);
	if (entries)
		large(path, &options, &key, entries);
	load(directory, path, &options, &key);
	rs_pool_destroy(pool);
	if (count <= next) {
		unlink(path);
		rmdir(directory);
	}
	return 0;
}
