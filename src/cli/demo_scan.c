/* radseal demo scan: one scan sealed, proved and measured, within a second. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radiomics/radiomics.h"
#include "demo.h"
#include "session.h"
#include "workflow/workflow_phantom.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

#define PHANTOM_SEED 20261121

struct demo {
	const struct rs_world *world;
	struct rs_pool *pool;
	char *directory, *home, *series, *mask_path;
	struct rs_volume image;
	struct rs_mask mask;
	struct rs_node *node;
	char first_receipt[512];
	uint64_t sealed;
};

static void demo_finish(struct demo *demo)
{
	rs_node_close(demo->node);
	rs_volume_finish(&demo->image);
	rs_mask_finish(&demo->mask);
	rs_free(demo->directory);
	rs_free(demo->home);
	rs_free(demo->series);
	rs_free(demo->mask_path);
	rs_pool_destroy(demo->pool);
}

static enum rs_code choose_places(const struct command_line *line, struct demo *demo, struct rs_error *err)
{
	char template[] = "/tmp/radseal-demo-XXXXXX";
	const char *chosen = line->operand_count > 1 ? line->operands[1] : mkdtemp(template);
	if (!chosen)
		return rs_error_set(err, RS_IO, "no temporary directory can be made in /tmp");
	if (line->operand_count > 1 && rs_path_exists(demo->world, chosen))
		return rs_error_set(err, RS_EXISTS, "%s: is there already; name a new directory", chosen);
	demo->directory = rs_str_duplicate(rs_str_from(chosen));
	demo->home = rs_path_join(chosen, "node");
	demo->series = rs_path_join(chosen, "t2");
	demo->mask_path = rs_path_join(chosen, "tumour.nii.gz");
	if (!demo->directory || !demo->home || !demo->series || !demo->mask_path)
		return rs_error_memory(err, 1, "a path");
	return rs_directory_make(demo->world, chosen, err);
}

static enum rs_code make_data(struct demo *demo, struct rs_error *err)
{
	RS_TRY(rs_phantom_make(PHANTOM_SEED, &demo->image, &demo->mask, err));
	RS_TRY(rs_phantom_write_dicom(demo->world, &demo->image, demo->series, err));
	RS_TRY(rs_mask_write(demo->world, demo->mask_path, &demo->mask, err));
	printf("1. A synthetic MR series (%zu DICOM files) and the outline of its tumour: %s, %s\n",
	       demo->image.geometry.size[2], demo->series, demo->mask_path);
	return RS_OK;
}

static void take_result(void *context, const struct rs_admit_result *result)
{
	struct demo *demo = context;
	if (result->outcome != RS_ADMIT_SEALED)
		return;
	demo->sealed++;
	if (!demo->first_receipt[0])
		snprintf(demo->first_receipt, sizeof demo->first_receipt, "%s", result->receipt_path);
}

static enum rs_code seal(struct demo *demo, struct rs_error *err)
{
	const struct rs_clock *clock = demo->world->clock;
	char *const paths[] = {demo->series, demo->mask_path};
	struct rs_admit_options options = {.subject = "PHANTOM-1", .report = take_result, .context = demo};
	RS_TRY(rs_node_create(demo->world, demo->home, "Radiology", rs_bytes_of("", 0), err));
	RS_TRY(rs_node_open(demo->world, demo->home, RS_NODE_WRITE, rs_bytes_of("", 0), demo->pool,
	                    &demo->node, err));
	uint64_t started = clock->monotonic_ns(clock);
	RS_TRY(rs_node_admit(demo->node, paths, RS_COUNT(paths), &options, err));
	double ms = (double)(clock->monotonic_ns(clock) - started) / 1e6;
	printf("2. A node in %s; %" PRIu64
	       " files encrypted, stored and committed to its ledger in %.0f ms.\n"
	       "   First receipt: %s\n",
	       demo->home, demo->sealed, ms, demo->first_receipt);
	return RS_OK;
}

/* The first slice is genuine; with one bit flipped it is not. */
static enum rs_code verify(struct demo *demo, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_proof_details details;
	struct rs_error reason = {0};
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(demo->series, "slice001.dcm");
	char *altered RS_CLEANUP(rs_free_pointer) = rs_path_join(demo->directory, "altered.dcm");
	if (!path || !altered)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_node_verify(demo->node, path, &details, err));
	printf("3. slice001.dcm is genuine: sealed %s, entry %" PRIu64 " of %s.\n", details.sealed_at,
	       details.entry, details.origin);
	RS_TRY(rs_file_read_all(demo->world, path, RS_ADMIT_SIZE_MAX, &content, err));
	content.data[content.size - 1] ^= 1;
	RS_TRY(rs_file_replace(demo->world, altered, rs_buffer_bytes(&content), 0644, err));
	if (rs_node_verify(demo->node, altered, &details, &reason) != RS_ALTERED)
		return rs_error_set(err, RS_INTERNAL, "a flipped bit was not noticed");
	printf("   The same slice with one bit flipped (altered.dcm) is not: %s.\n", reason.message);
	return RS_OK;
}

static enum rs_code measure(struct demo *demo, struct rs_error *err)
{
	static const char *const shown[] = {"original_shape_MeshVolume", "original_shape_Sphericity",
	                                    "original_firstorder_Mean",  "original_firstorder_Entropy",
	                                    "original_glcm_Contrast",    "original_glcm_Correlation"};
	struct rs_volume series RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	const struct rs_clock *clock = demo->world->clock;
	RS_TRY(rs_volume_read(demo->world, demo->series, &series, err));
	rs_radiomics_settings_default(&settings);
	uint64_t started = clock->monotonic_ns(clock);
	RS_TRY(rs_radiomics_extract(&series, &demo->mask, &settings, demo->pool, &result, err));
	double ms = (double)(clock->monotonic_ns(clock) - started) / 1e6;
	printf("4. %zu features of the tumour in %.1f ms, among them:\n", result.count, ms);
	for (size_t i = 0; i < RS_COUNT(shown); i++) {
		const struct rs_radiomics_value *value = rs_radiomics_result_find(&result, shown[i]);
		if (value)
			printf("     %-30s %.6g\n", shown[i], value->value);
	}
	return RS_OK;
}

static void print_fault(void *context RS_UNUSED, const char *part, const char *sentence)
{
	printf("   fault in %s: %s\n", part, sentence);
}

static enum rs_code check(struct demo *demo, struct rs_error *err)
{
	struct rs_check_counts counts;
	RS_TRY(rs_node_check(demo->node, print_fault, NULL, &counts, err));
	printf("5. Everything against everything: %" PRIu64 " entries, %" PRIu64 " records, %" PRIu64
	       " objects, %" PRIu64 " receipts, no fault.\n",
	       counts.entries, counts.records, counts.objects, counts.receipts);
	return RS_OK;
}

static void what_next(const char *program, const struct demo *demo)
{
	const char *base = demo->directory;
	printf("\nTry next:\n"
	       "  %s verify --home %s %s/slice001.dcm %s/altered.dcm\n",
	       program, demo->home, demo->series, base);
	printf("  %s verify %s/slice001.dcm --offline --receipt %s --key %s/keys/log.vkey\n", program,
	       demo->series, demo->first_receipt, demo->home);
	printf("  %s extract %s %s --json\n", program, demo->series, demo->mask_path);
	printf("  %s log --home %s\n", program, demo->home);
	printf("  %s init YOUR-NODE && %s seal --home YOUR-NODE YOUR-IMAGES\n", program, program);
	printf("  %s help\n", program);
	printf("\nAll of it lies in %s, which may be deleted.\n", base);
}

enum rs_code demo_scan(const struct command_line *line, struct rs_error *err)
{
	struct demo demo RS_CLEANUP(demo_finish) = {.world = rs_world_system()};
	if (line->operand_count > 2)
		return rs_error_set(err, RS_USAGE,
		                    "demo scan: name one new directory, or none for one in /tmp");
	RS_TRY(session_pool(line, 2, &demo.pool, err));
	RS_TRY(choose_places(line, &demo, err));
	RS_TRY(make_data(&demo, err));
	RS_TRY(seal(&demo, err));
	RS_TRY(verify(&demo, err));
	RS_TRY(measure(&demo, err));
	RS_TRY(check(&demo, err));
	what_next(line->program, &demo);
	return RS_OK;
}
