/* Times radiomics on a made-up case, family by family, in one thread: medians of 7, compute only.
 * With "dump" it prints every value as a hexadecimal float instead, for tests/system/same_bits.sh;
 * a second argument is the number of threads. With "raw FILE" it times a case written by
 * radiomics_against_pyradiomics.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radiomics_case.h"

static int dump(unsigned threads)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	struct rs_pool *pool = NULL;
	rs_radiomics_settings_default(&settings);
	for (int f = 0; f < RS_FAMILY_COUNT; f++) /* deprecated rows too */
		settings.chosen[f] = ((uint64_t)1 << rs_feature_family((enum rs_family)f)->count) - 1;
	if (case_make(40, &volume, &mask) != RS_OK || rs_pool_create(threads, &pool, &err) != RS_OK ||
	    rs_radiomics_extract(&volume, &mask, &settings, pool, &result, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (size_t i = 0; i < result.diagnostic_count; i++)
		printf("%s %s\n", result.diagnostics[i].name, result.diagnostics[i].text);
	for (size_t i = 0; i < result.count; i++)
		printf("%s %a\n", result.values[i].name, result.values[i].value);
	rs_radiomics_result_finish(&result);
	rs_pool_destroy(pool);
	case_finish(&volume, &mask);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static uint64_t median_ns(const struct rs_volume *volume, const struct rs_mask *mask, int family)
{
	uint64_t times[7];
	const struct rs_clock *clock = rs_world_system()->clock;
	struct rs_radiomics_settings settings;
	struct rs_error err;
	rs_radiomics_settings_default(&settings);
	settings.additional_info = false;
	settings.geometry_tolerance = 1e-3;
	for (int f = 0; family >= 0 && f < RS_FAMILY_COUNT; f++)
		settings.chosen[f] *= f == family;
	for (size_t i = 0; i < RS_COUNT(times); i++) {
		struct rs_radiomics_result result = {0};
		uint64_t start = clock->monotonic_ns(clock);
		if (rs_radiomics_extract(volume, mask, &settings, NULL, &result, &err) != RS_OK) {
			fprintf(stderr, "%s\n", err.message);
			exit(1);
		}
		times[i] = clock->monotonic_ns(clock) - start;
		rs_radiomics_result_finish(&result);
	}
	qsort(times, RS_COUNT(times), sizeof *times, ascending);
	return times[RS_COUNT(times) / 2];
}

/* size[3] as u64, spacing, origin, direction as f64, type as u64, voxels f64, labels u32: trusted input. */
static int case_load(const char *path, struct rs_volume *volume, struct rs_mask *mask)
{
	struct rs_buffer buffer;
	struct rs_error err;
	if (rs_file_read_all(rs_world_system(), path, (size_t)1 << 32, &buffer, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	const uint8_t *p = buffer.data;
	struct rs_geometry g;
	for (int a = 0; a < 3; a++)
		g.size[a] = (size_t)rs_read_le64(p + 8 * a);
	memcpy(g.spacing_mm, p + 24, 24);
	memcpy(g.origin_mm, p + 48, 24);
	memcpy(g.direction, p + 72, 72);
	size_t count = rs_geometry_voxels(&g);
	*volume = (struct rs_volume){g, RS_VOXEL_F64, rs_allocate_array(count, 8)};
	*mask = (struct rs_mask){.geometry = g, .labels = rs_allocate_array(count, 4)};
	if (volume->voxels == NULL || mask->labels == NULL || buffer.size != 152 + count * 12)
		return 1;
	memcpy(volume->voxels, p + 152, count * 8);
	memcpy(mask->labels, p + 152 + count * 8, count * 4);
	rs_buffer_finish(&buffer);
	return 0;
}

int main(int argc, char **argv)
{
	struct rs_volume volume;
	struct rs_mask mask;
	if (argc > 1 && strcmp(argv[1], "dump") == 0)
		return dump(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
	if (argc > 2 && strcmp(argv[1], "raw") == 0 ? case_load(argv[2], &volume, &mask)
	                                            : case_make(96, &volume, &mask) != RS_OK)
		return 1;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		printf("%s %.3f ms\n", rs_family_name((enum rs_family)f),
		       (double)median_ns(&volume, &mask, f) / 1e6);
	printf("total %.3f ms\n", (double)median_ns(&volume, &mask, -1) / 1e6);
	case_finish(&volume, &mask);
	return 0;
}
