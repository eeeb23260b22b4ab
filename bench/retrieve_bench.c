/* What it costs to ask before giving out: retrieving sealed X-rays, with requests on the ledger, decisions, comparison with the
 * ledger and receipts, against decrypting and writing the same objects to the same disk and nothing else. In turn, on fresh
 * targets. BENCH_DIR names a folder on the disk to measure. Usage: retrieve_bench [RUNS] [FILES] [KIB] */
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/node_parts.h"
#include "access/outgoing.h"
#include "access/access_retrieve.h"
#include "workflow/workflow.h"

#define RUNS_MAX 99
#define FILES_MAX 1000

static struct rs_error err;
static const struct rs_world *world;

static void must(enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "retrieve_bench: %s\n", err.message);
	exit(1);
}

static double now_ms(void) { return (double)world->clock->monotonic_ns(world->clock) / 1e6; }

/* A NIfTI-1 file: one slice of 16-bit voxels. */
static void write_image(const char *path, size_t kib, unsigned seed)
{
	size_t size = 352 + kib * 1024;
	uint8_t *file = rs_allocate(size);
	if (file == NULL)
		exit(1);
	const uint16_t grid[4] = {3, 512, (uint16_t)kib, 1};
	rs_write_le32(file, 348);
	for (size_t i = 0; i < RS_COUNT(grid); i++) {
		rs_write_le16(file + 40 + 2 * i, grid[i]);
		rs_write_le32(file + 76 + 4 * i, 0x3f800000);
	}
	rs_write_le16(file + 70, 4);
	rs_write_le16(file + 72, 16);
	rs_write_le32(file + 108, 0x43b00000);
	memcpy(file + 344, "n+1", 4);
	must(rs_world_random(world, file + 352, kib * 1024, &err));
	file[352] = (uint8_t)seed;
	must(rs_file_replace(world, path, rs_bytes_of(file, size), 0600, &err));
	rs_free(file);
}

struct plain {
	struct rs_node *node;
	const char *directory;
	size_t count;
	struct rs_cid cids[FILES_MAX];
	struct rs_secret keys[FILES_MAX];
};

static enum rs_code note_row(void *context, const struct index_row *row, struct rs_error *error)
{
	struct plain *plain = context;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	must(node_subject_key(plain->node, row->subject, false, &key, error));
	rs_subject_object_key(&key, row->object_nonce.data, &plain->keys[plain->count]);
	return rs_cid_from_bytes(row->cid, &plain->cids[plain->count++]) ? RS_OK : RS_INTERNAL;
}

static enum rs_code decrypt_one(void *context, size_t index, struct rs_error *error)
{
	const struct plain *plain = context;
	struct writing writing RS_CLEANUP(writing_finish) = {.file = NULL};
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%zu", plain->directory, index);
	RS_TRY(writing_begin(world, path, &writing, error));
	RS_TRY(rs_vault_read_to(plain->node->vault, &plain->cids[index], &plain->keys[index], writing_take,
	                        &writing, error));
	return writing_name(&writing, path, error);
}

static double run_plain(struct plain *plain)
{
	double start = now_ms();
	must(rs_directory_make(world, plain->directory, &err));
	must(rs_pool_for(plain->node->pool, plain->count, decrypt_one, plain, &err));
	must(world->files->sync_directory(world->files, plain->directory, &err));
	return now_ms() - start;
}

static void ignore(void *context, const struct rs_retrieved *result) { (void)context, (void)result; }

static double run_retrieve(struct rs_node *node, const struct rs_actor *actor,
                           const struct rs_node_subject *subject, const char *directory)
{
	const struct rs_retrieval retrieval = {.subject = subject,
	                                       .purpose = RS_PURPOSE_OPERATIONS,
	                                       .operation = RS_OPERATION_READ,
	                                       .directory = directory,
	                                       .report = ignore};
	double start = now_ms();
	must(rs_node_retrieve(node, actor, &retrieval, &err));
	return now_ms() - start;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

static int by_size(const void *a, const void *b)
{
	const double *first = a, *second = b;
	return (*first > *second) - (*first < *second);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_size);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 9,
	       files = argc > 2 ? strtoul(argv[2], NULL, 10) : 100,
	       kib = argc > 3 ? strtoul(argv[3], NULL, 10) : 2048;
	char home[256], path[512], directory[512];
	const char *disk = getenv("BENCH_DIR");
	static char *paths[FILES_MAX];
	static struct plain plain;
	double full[RUNS_MAX], bare[RUNS_MAX], share[RUNS_MAX];
	struct rs_pool *pool;
	struct rs_node *node;
	struct rs_actor *actor;
	struct rs_node_subject subject;
	world = rs_world_system();
	(void)snprintf(home, sizeof home, "%s/retrieve_bench.XXXXXX", disk ? disk : "/tmp");
	if (runs == 0 || runs > RUNS_MAX || files == 0 || files > FILES_MAX || kib == 0 || kib > 32767 ||
	    !mkdtemp(home))
		return 2;
	must(rs_crypto_init(&err));
	(void)snprintf(directory, sizeof directory, "%s/node", home);
	must(rs_node_create(world, directory, "Radiology", rs_bytes_of("", 0), &err));
	must(rs_pool_create(0, &pool, &err));
	must(rs_node_open(world, directory, RS_NODE_WRITE, rs_bytes_of("", 0), pool, &node, &err));
	for (size_t i = 0; i < files; i++) {
		(void)snprintf(path, sizeof path, "%s/%zu.nii", home, i);
		paths[i] = rs_str_duplicate(rs_str_from(path));
		write_image(path, kib, (unsigned)i);
	}
	const struct rs_admit_options options = {.subject = "P1"};
	must(rs_node_admit(node, paths, files, &options, &err));
	must(rs_node_subject(node, "", "P1", &subject, &err));
	must(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &actor, &err));
	plain.node = node;
	must(index_each_row_of_subject(node->index, rs_bytes_of(subject.pseudonym.bytes, 32), note_row,
	                               &plain, &err));
	for (size_t run = 0; run < runs; run++) {
		char plain_directory[512];
		(void)snprintf(directory, sizeof directory, "%s/out%zu", home, run);
		(void)snprintf(plain_directory, sizeof plain_directory, "%s/plain%zu", home, run);
		plain.directory = plain_directory;
		if (run % 2)
			bare[run] = run_plain(&plain);
		full[run] = run_retrieve(node, actor, &subject, directory);
		if (run % 2 == 0)
			bare[run] = run_plain(&plain);
		share[run] = 100 * (full[run] - bare[run]) / full[run];
	}
	double of_all = median(share, runs), with = median(full, runs), without = median(bare, runs);
	printf("%zu objects of %zu KiB, %zu runs: retrieve %.0f ms, decrypting and writing alone %.0f ms: asking, "
	       "deciding, comparing and receipts take %.1f %% of it (paper B: 5 %%)\n",
	       files, kib, runs, with, without, of_all);
	rs_actor_close(actor);
	rs_node_close(node);
	rs_pool_destroy(pool);
	return nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
