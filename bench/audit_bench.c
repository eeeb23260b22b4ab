/* Audits of a long log: replaying it for the first time, answering about one subject, catching up afterwards. Half of the
 * entries are objects, half are requests for them; the ratio to look at is replaying against appending the same entries in
 * the same run. Usage: audit_bench [--entries N] [DIRECTORY] (a million takes minutes and some 1.3 GB) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"

#define GROUP 1024
#define SUBJECTS 1000
#define QUESTIONS 21

static const struct rs_world *world;
static struct rs_error err;
static struct rs_signing_key admin, reader;

static void must(enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "audit_bench: %s\n", err.message);
	exit(1);
}

static double seconds(void) { return (double)world->clock->monotonic_ns(world->clock) / 1e9; }

static struct rs_digest named(uint8_t letter, uint64_t number)
{
	struct rs_digest digest;
	uint8_t name[9] = {letter};
	rs_write_be64(name + 1, number);
	rs_sha256(rs_bytes_of(name, sizeof name), &digest);
	return digest;
}

/* Entry 0 founds, 1 names a radiologist, then the subjects, an object of each, and objects and requests in turn. */
static const struct rs_signing_key *describe(uint64_t number, struct rs_act *act)
{
	*act = (struct rs_act){.time_ms = 1000000 + number * 100, .organisation = RS_STR("Bench")};
	rs_write_be64(act->id, number + 1);
	if (number < 2) {
		act->type = number ? RS_TRANSACTION_MEMBER_GRANT : RS_TRANSACTION_ORGANISATION_ADD;
		act->role = number ? RS_ROLE_RADIOLOGIST : RS_ROLE_NONE;
		memcpy(act->member.bytes, (number ? &reader : &admin)->public_key, RS_KEY_SIZE);
	} else if (number < 2 + SUBJECTS) {
		act->type = RS_TRANSACTION_SUBJECT_REGISTER;
		act->subject = named('s', number % SUBJECTS);
	} else if (number % 2 || number < 2 + 3 * SUBJECTS) {
		act->type = RS_TRANSACTION_OBJECT_REGISTER;
		act->kind = RS_OBJECT_IMAGE;
		act->instances = 1;
		act->commitment = named('o', number);
		act->subject = named('s', number * 7919 % SUBJECTS);
	} else {
		act->type = RS_TRANSACTION_ACCESS_REQUEST;
		act->purpose = RS_PURPOSE_TREATMENT;
		act->operation = RS_OPERATION_READ;
		act->commitment = named('o', 2 + SUBJECTS + number * 7919 % (2 * SUBJECTS));
		return &reader;
	}
	return &admin;
}

static void append_until(struct rs_ledger *ledger, uint64_t entries)
{
	static struct rs_transaction transactions[GROUP];
	static struct rs_append_result results[GROUP];
	for (uint64_t done = rs_ledger_size(ledger); done < entries;) {
		size_t count = entries - done < GROUP ? (size_t)(entries - done) : GROUP;
		for (size_t i = 0; i < count; i++) {
			struct rs_act act;
			const struct rs_signing_key *key = describe(done + i, &act);
			must(rs_transaction_sign(&act, key, &transactions[i], &err));
		}
		must(rs_ledger_append(ledger, transactions, count, results, &err));
		for (size_t i = 0; i < count; i++) {
			if (results[i].refusal != RS_REFUSAL_NONE)
				must(rs_error_set(&err, RS_REFUSED, "%s",
				                  rs_refusal_name(results[i].refusal)));
			rs_transaction_finish(&transactions[i]);
		}
		done += count;
	}
}

static enum rs_code count_line(void *context, const struct rs_audit_line *line RS_UNUSED,
                               struct rs_error *error RS_UNUSED)
{
	++*(uint64_t *)context;
	return RS_OK;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void ask(struct rs_audit *audit)
{
	double times[QUESTIONS];
	uint64_t lines = 0;
	for (uint64_t i = 0; i < QUESTIONS; i++) {
		const struct rs_audit_question question = {
			.about = RS_AUDIT_SUBJECT, .id = named('s', i * 37 % SUBJECTS), .now_ms = 1};
		double start = seconds();
		must(rs_audit_ask(audit, &question, count_line, &lines, &err));
		times[i] = seconds() - start;
	}
	qsort(times, QUESTIONS, sizeof *times, ascending);
	printf("one subject: %.1f ms (median of %d), %.0f lines on average, %.0f µs a line\n",
	       times[QUESTIONS / 2] * 1e3, QUESTIONS, (double)lines / QUESTIONS,
	       times[QUESTIONS / 2] * 1e6 * QUESTIONS / (double)lines);
}

static struct rs_ledger *open_ledger(const char *directory, const struct rs_signing_key *key)
{
	const struct rs_ledger_options options = {.origin = "radseal.local/bench", .key = key};
	struct rs_ledger *ledger = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "ledger.sqlite");
	must(rs_ledger_open(world, path, &options, &ledger, &err));
	return ledger;
}

static void run(const char *directory, uint64_t entries)
{
	static const struct rs_secret seeds[] = {{{1}}, {{2}}, {{3}}};
	struct rs_signing_key log;
	struct rs_audit *audit = NULL;
	rs_signing_key_from_seed(&seeds[0], &log);
	rs_signing_key_from_seed(&seeds[1], &admin);
	rs_signing_key_from_seed(&seeds[2], &reader);
	struct rs_ledger *ledger = open_ledger(directory, &log);
	double start = seconds();
	append_until(ledger, entries);
	double appended = seconds() - start;
	const struct rs_engine engine = rs_ledger_engine(ledger);
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "audit.sqlite");
	struct rs_file_stat stat = {0};
	must(rs_audit_open(world, path, &engine, RS_AUDIT_WRITE, &audit, &err));
	start = seconds();
	must(rs_audit_update(audit, NULL, NULL, &err));
	double replayed = seconds() - start;
	must(world->files->stat(world->files, path, &stat, &err));
	printf("%llu entries: appended in %.1f s, replayed in %.1f s (%.2f of it, %.0f µs an entry), %.0f bytes an entry\n",
	       (unsigned long long)entries, appended, replayed, replayed / appended,
	       replayed * 1e6 / (double)entries, (double)stat.size / (double)entries);
	ask(audit);
	append_until(ledger, entries + GROUP);
	start = seconds();
	must(rs_audit_update(audit, NULL, NULL, &err));
	printf("%d more entries: caught up in %.0f ms\n", GROUP, (seconds() - start) * 1e3);
	ask(audit);
	rs_audit_close(audit);
	rs_ledger_close(ledger);
}

int main(int count, char **arguments)
{
	uint64_t entries = 100000;
	int at = 1;
	world = rs_world_system();
	must(rs_crypto_init(&err));
	if (at + 1 < count && strcmp(arguments[at], "--entries") == 0) {
		if (!rs_parse_u64(rs_str_from(arguments[at + 1]), &entries) || entries < 3 * SUBJECTS + 2)
			must(rs_error_set(&err, RS_USAGE, "--entries: at least %d", 3 * SUBJECTS + 2));
		at += 2;
	}
	const char *directory = at < count ? arguments[at] : "audit-bench";
	must(rs_directory_make(world, directory, &err));
	run(directory, entries);
	return 0;
}
