/* The catalogue at size: find_bench INSTANCES [FILE]. Builds one through its door (an instance in five of a study,
 * five studies of a patient, two series of ten), in transactions of 200 as the intake commits them, then asks what
 * lists and viewers ask. Prints microseconds of an insertion, bytes of an instance, and medians of questions at
 * growing sizes. The table `record` has what the catalogue looks at, not more: sizes are the catalogue's own.
 * find_bench INSTANCES --node HOME puts them into a node's index instead, as older than what will be sealed there, for
 * web_bench.py --filled: rows without objects, of studies that the ledger does not know, so that nobody may see them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "node/node_parts.h"

#define IMAGES 10
#define SERIES 2
#define STUDIES 5
#define GROUP 200
#define ASKED 101
#define LIMIT 25

static const char schema[] = "CREATE TABLE record(id INTEGER PRIMARY KEY, transaction_id BLOB, subject BLOB,"
			     " identity_locator BLOB);"
			     "CREATE INDEX record_identity ON record(identity_locator);";

static const char insertion[] = "INSERT INTO record VALUES(?1,?2,?3,?4)";
static const char node_insertion[] =
	"INSERT INTO record(id,transaction_id,instance,instances,path,subject,record_nonce,object_nonce,content_locator,"
	"identity_locator,size,cid,box,entry) VALUES(?1,?2,0,1,x'',?3,zeroblob(16),zeroblob(16),randomblob(16),?4,2097152,"
	"randomblob(36),randomblob(320),?1)";

struct bench {
	struct rs_store *store;
	struct rs_catalogue *catalogue;
	struct rs_statement *insert;
	int64_t records;
	struct rs_error err;
};

static void must(struct bench *bench, enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "find_bench: %s\n", bench->err.message);
	exit(1);
}

static uint64_t now_ns(void)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	return clock->monotonic_ns(clock);
}

/* As the node makes it of a key that is at hand. */
static enum rs_code subject_key(void *context, struct rs_bytes subject, struct rs_secret *out,
                                struct rs_error *err)
{
	(void)context;
	(void)err;
	rs_hkdf_sha256(subject, rs_bytes_of("", 0), rs_bytes_of("bench", 5), out->bytes, RS_KEY_SIZE);
	return RS_OK;
}

static void identity(void *context, struct rs_str uid, struct rs_digest *out)
{
	(void)context;
	rs_hmac_sha256(rs_bytes_of("bench", 5), rs_bytes_of_str(uid), out);
}

static void put(struct rs_catalogue_entry *entry, size_t *at, uint8_t number, const char *value)
{
	size_t size = strlen(value);
	entry->bytes[*at] = number;
	rs_write_be16(entry->bytes + *at + 1, (uint16_t)size);
	memcpy(entry->bytes + *at + 3, value, size);
	*at += 3 + size;
}

/* Numbers of catalogue/attributes.c. */
static void describe(uint64_t series, int image, struct rs_catalogue_entry *out)
{
	static const char *const names[] = {"Doe", "Roe", "Smith", "Miller", "Brown", "Schmidt", "Garcia"};
	uint64_t study = series / SERIES, patient = study / STUDIES, day = study % 3650;
	char text[64];
	size_t at = 0;
	out->begin[0] = 0;
	snprintf(text, sizeof text, "%s%llu^Given%llu", names[patient % 7],
	         (unsigned long long)(patient % 997), (unsigned long long)(patient % 89));
	put(out, &at, 1, text);
	snprintf(text, sizeof text, "P%07llu", (unsigned long long)patient);
	put(out, &at, 2, text);
	snprintf(text, sizeof text, "19%02llu0%llu1%llu", (unsigned long long)(patient % 90),
	         (unsigned long long)(1 + patient % 9), (unsigned long long)(patient % 10));
	put(out, &at, 4, text);
	put(out, &at, 6, patient % 2 ? "F" : "M");
	out->begin[1] = (uint16_t)at;
	snprintf(text, sizeof text, "1.2.826.0.1.3680043.8.498.%020llu", (unsigned long long)study);
	put(out, &at, 20, text);
	snprintf(text, sizeof text, "20%02llu%02llu%02llu", (unsigned long long)(16 + day / 365),
	         (unsigned long long)(1 + day % 12), (unsigned long long)(1 + day % 28));
	put(out, &at, 21, text);
	put(out, &at, 22, "101530");
	snprintf(text, sizeof text, "A%08llu", (unsigned long long)study);
	put(out, &at, 23, text);
	put(out, &at, 25, study % 3 ? "MR abdomen with contrast" : "CT thorax");
	put(out, &at, 26, "Referring^Physician");
	out->begin[2] = (uint16_t)at;
	snprintf(text, sizeof text, "1.2.826.0.1.3680043.8.498.1.%020llu", (unsigned long long)series);
	put(out, &at, 40, text);
	put(out, &at, 41, study % 3 ? "MR" : "CT");
	put(out, &at, 43, "t2_tse_tra_p2_320");
	put(out, &at, 46, "ABDOMEN");
	out->begin[3] = (uint16_t)at;
	snprintf(text, sizeof text, "1.2.826.0.1.3680043.8.498.2.%020llu.%d", (unsigned long long)series,
	         image);
	put(out, &at, 60, text);
	put(out, &at, 61, "1.2.840.10008.5.1.4.1.1.4");
	put(out, &at, 62, "1.2.840.10008.1.2.1");
	snprintf(text, sizeof text, "%d", image + 1);
	put(out, &at, 63, text);
	put(out, &at, 64, "320");
	put(out, &at, 65, "320");
	put(out, &at, 66, "16");
	snprintf(text, sizeof text, "1015%02d.%06d", 30 + image % 30, 1000 * image);
	put(out, &at, 69, text);
	out->begin[4] = (uint16_t)at;
}

static void add_series(struct bench *bench, uint64_t series)
{
	static struct rs_catalogue_entry entries[IMAGES];
	struct rs_catalogue_instance instances[IMAGES];
	uint8_t subject[32] = {0};
	struct rs_secret key;
	rs_write_be64(subject + 8, series / SERIES / STUDIES);
	for (int image = 0; image < IMAGES; image++) {
		struct rs_digest locator;
		char uid[80];
		describe(series, image, &entries[image]);
		snprintf(uid, sizeof uid, "1.2.826.0.1.3680043.8.498.2.%020llu.%d",
		         (unsigned long long)series, image);
		identity(NULL, rs_str_from(uid), &locator);
		instances[image] = (struct rs_catalogue_instance){++bench->records, &entries[image]};
		rs_statement_bind_i64(bench->insert, 1, bench->records);
		rs_statement_bind_bytes(bench->insert, 2, rs_bytes_of(subject, 16));
		rs_statement_bind_bytes(bench->insert, 3, rs_bytes_of(subject, 32));
		rs_statement_bind_bytes(bench->insert, 4, rs_bytes_of(locator.bytes, RS_SHA256_SIZE));
		must(bench, rs_statement_run(bench->insert, &bench->err));
	}
	(void)subject_key(NULL, rs_bytes_of(subject, 32), &key, NULL);
	must(bench, rs_catalogue_add(bench->catalogue, rs_bytes_of(subject, 32), &key, instances, IMAGES,
	                             &bench->err));
}

struct seen {
	uint64_t count;
	size_t bytes;
};

/* What an answer of QIDO-RS has of a study. */
static enum rs_code see(void *context, const struct rs_catalogue_match *match, bool *out_stop,
                        struct rs_error *err)
{
	static const uint32_t tags[] = {0x00080020, 0x00080030, 0x00080050, 0x00080061, 0x00080090,
	                                0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x0020000D,
	                                0x00200010, 0x00201206, 0x00201208, 0x00081030};
	struct seen *seen = context;
	for (size_t i = 0; i < RS_COUNT(tags); i++) {
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		RS_TRY(rs_catalogue_value(match, tags[i], text, &value, err));
		seen->bytes += value.size;
	}
	*out_stop = ++seen->count == LIMIT;
	return RS_OK;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;
	return (*first > *second) - (*first < *second);
}

static void ask(struct bench *bench, const char *what, enum rs_level level, uint32_t tag, const char *value)
{
	const struct rs_catalogue_key key = {tag, rs_str_from(value)};
	const struct rs_catalogue_query query = {level, &key, tag != 0};
	uint64_t times[ASKED];
	struct seen seen;
	for (size_t i = 0; i < ASKED; i++) {
		struct rs_catalogue_place place = {.part = 0};
		bool ended;
		seen = (struct seen){.count = 0};
		uint64_t start = now_ns();
		must(bench,
		     rs_catalogue_find(bench->catalogue, &query, &place, see, &seen, &ended, &bench->err));
		times[i] = now_ns() - start;
	}
	qsort(times, ASKED, sizeof *times, by_size);
	printf("  %-34s %3llu matches %8.3f ms\n", what, (unsigned long long)seen.count,
	       (double)times[ASKED / 2] / 1e6);
}

static void ask_all(struct bench *bench, uint64_t series)
{
	char uid[64], id[32];
	snprintf(uid, sizeof uid, "1.2.826.0.1.3680043.8.498.%020llu",
	         (unsigned long long)(series / SERIES / 2));
	snprintf(id, sizeof id, "P%07llu", (unsigned long long)(series / SERIES / STUDIES / 2));
	ask(bench, "the newest 25 studies", RS_LEVEL_STUDY, 0, "");
	ask(bench, "PatientID", RS_LEVEL_STUDY, 0x00100020, id);
	ask(bench, "PatientName=sch*", RS_LEVEL_STUDY, 0x00100010, "sch*");
	ask(bench, "StudyDate=20200101-20201231", RS_LEVEL_STUDY, 0x00080020, "20200101-20201231");
	ask(bench, "ModalitiesInStudy=CT", RS_LEVEL_STUDY, 0x00080061, "CT");
	ask(bench, "StudyInstanceUID", RS_LEVEL_STUDY, 0x0020000D, uid);
	ask(bench, "series of a study", RS_LEVEL_SERIES, 0x0020000D, uid);
	ask(bench, "images of a study", RS_LEVEL_IMAGE, 0x0020000D, uid);
}

static uint64_t file_size(struct bench *bench, const char *path)
{
	struct rs_file_stat stat = {0};
	const struct rs_world *world = rs_world_system();
	must(bench, rs_store_run(bench->store, "PRAGMA wal_checkpoint(TRUNCATE)", &bench->err));
	must(bench, world->files->stat(world->files, path, &stat, &bench->err));
	return stat.size;
}

static uint64_t size_of_records(struct bench *bench)
{
	struct rs_statement *statement = NULL;
	bool row;
	must(bench,
	     rs_statement_prepare(bench->store, "SELECT count(*)*(16+32+32+12)+count(*)*(32+8) FROM record",
	                          &statement, &bench->err));
	must(bench, rs_statement_step(statement, &row, &bench->err));
	uint64_t size = (uint64_t)rs_statement_i64(statement, 0);
	rs_statement_finish(statement);
	return size;
}

static void fill(struct bench *bench, uint64_t instances)
{
	for (uint64_t series = 0; series * IMAGES < instances;) {
		must(bench, rs_store_begin(bench->store, &bench->err));
		for (int i = 0; i < GROUP / IMAGES; i++)
			add_series(bench, series++);
		must(bench, rs_store_commit(bench->store, &bench->err));
	}
}

static int fill_node(struct bench *bench, const char *home, uint64_t instances)
{
	struct rs_node *node;
	must(bench, rs_node_open(rs_world_system(), home, RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node,
	                         &bench->err));
	must(bench, node_catalogue(node, &bench->catalogue, &bench->err));
	bench->store = index_store(node->index);
	must(bench, rs_statement_prepare(bench->store, node_insertion, &bench->insert, &bench->err));
	fill(bench, instances);
	rs_statement_finish(bench->insert);
	rs_node_close(node);
	return 0;
}

int main(int count, char **arguments)
{
	struct bench bench = {.records = 0};
	const char *path = count > 2 ? arguments[2] : "find_bench.sqlite";
	uint64_t instances = 100000, next = 1000, spent = 0;
	struct rs_catalogue_keys keys = {.tokens = {{1}}, .subject_key = subject_key, .identity = identity};
	if (count > 1 && !rs_parse_u64(rs_str_from(arguments[1]), &instances))
		return 2;
	must(&bench, rs_crypto_init(&bench.err));
	if (count == 4 && strcmp(arguments[2], "--node") == 0)
		return fill_node(&bench, arguments[3], instances);
	(void)remove(path);
	must(&bench,
	     rs_store_open(rs_world_system(), path, RS_STORE_WRITE, schema, 1, &bench.store, &bench.err));
	must(&bench, rs_catalogue_make(bench.store, &bench.err));
	must(&bench, rs_catalogue_open(rs_world_system(), bench.store, &keys, &bench.catalogue, &bench.err));
	must(&bench, rs_statement_prepare(bench.store, insertion, &bench.insert, &bench.err));
	for (uint64_t series = 0; series * IMAGES < instances;) {
		uint64_t start = now_ns();
		must(&bench, rs_store_begin(bench.store, &bench.err));
		for (int i = 0; i < GROUP / IMAGES; i++)
			add_series(&bench, series++);
		must(&bench, rs_store_commit(bench.store, &bench.err));
		spent += now_ns() - start;
		if (series * IMAGES < next && series * IMAGES < instances)
			continue;
		next *= 10;
		uint64_t size = file_size(&bench, path) - size_of_records(&bench);
		printf("%llu instances: %.1f us each to add, %.0f bytes each\n",
		       (unsigned long long)(series * IMAGES), (double)spent / 1e3 / (double)(series * IMAGES),
		       (double)size / (double)(series * IMAGES));
		ask_all(&bench, series);
	}
	rs_statement_finish(bench.insert);
	rs_catalogue_close(bench.catalogue);
	rs_store_close(bench.store);
	return 0;
}
