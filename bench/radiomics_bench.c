/* Times radiomics: all features of three cases, family by family with shares, in one thread and in two, and voxel-based
 * maps; medians (and the least), compute only (no reading of files). Cases: brain1 (4,137 voxels) and the IBSI CT
 * phantom (125,256) where RADSEAL_DATA names the data, and a solid ball of 128 voxels across.
 * "dump [THREADS]" prints every value of a made-up case as a hexadecimal float, for tests/system/same_bits.sh.
 * "raw FILE" times a case written by radiomics_against_pyradiomics.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "radiomics_case.h"

/* Every voxel of every map, in one number each: a sum with weights by place. */
static int dump_maps(struct rs_pool *pool)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	struct rs_radiomics_maps maps = {0};
	rs_radiomics_settings_default(&settings);
	if (case_make(12, &volume, &mask) != RS_OK ||
	    rs_radiomics_maps(&volume, &mask, &settings, pool, &maps, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (size_t i = 0; i < maps.count; i++) {
		double sum = 0;
		for (size_t v = 0; v < rs_geometry_voxels(&maps.geometry); v++)
			if (maps.list[i].voxels[v] >= 0 || maps.list[i].voxels[v] < 0) /* a number */
				sum += maps.list[i].voxels[v] * (double)(v % 97 + 1);
		printf("map %s %a\n", maps.list[i].name, sum);
	}
	rs_radiomics_maps_finish(&maps);
	case_finish(&volume, &mask);
	return 0;
}

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
	case_finish(&volume, &mask);
	int status = dump_maps(pool);
	rs_pool_destroy(pool);
	return status;
}

static void fail(const struct rs_error *err)
{
	fprintf(stderr, "%s\n", err->message);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

#define TURNS 9
struct timing {
	double median, least; /* ms; the least is what a busy machine says of itself */
};
/* Of all families, or of one. */
static struct timing timing_of(const struct rs_volume *volume, const struct rs_mask *mask, int family,
                               struct rs_pool *pool)
{
	uint64_t times[TURNS];
	const struct rs_clock *clock = rs_world_system()->clock;
	struct rs_radiomics_settings settings;
	struct rs_error err;
	rs_radiomics_settings_default(&settings);
	settings.additional_info = false;
	settings.geometry_tolerance = 1e-3;
	for (int f = 0; family >= 0 && f < RS_FAMILY_COUNT; f++)
		settings.chosen[f] *= f == family;
	for (size_t i = 0; i < TURNS; i++) {
		struct rs_radiomics_result result = {0};
		uint64_t start = clock->monotonic_ns(clock);
		if (rs_radiomics_extract(volume, mask, &settings, pool, &result, &err) != RS_OK)
			fail(&err);
		times[i] = clock->monotonic_ns(clock) - start;
		rs_radiomics_result_finish(&result);
	}
	qsort(times, TURNS, sizeof *times, ascending);
	return (struct timing){(double)times[TURNS / 2] / 1e6, (double)times[0] / 1e6};
}

/* What families share (region, grey levels) is paid once in the whole and by each of them alone: the difference
 * tells how much it is. */
static void time_case(const char *name, const struct rs_volume *volume, const struct rs_mask *mask)
{
	struct rs_radiomics_settings settings;
	struct rs_pool *pool = NULL;
	struct rs_error err;
	struct timing whole = timing_of(volume, mask, -1, NULL);
	double alone[RS_FAMILY_COUNT], sum = 0, families = 0;
	rs_radiomics_settings_default(&settings);
	for (int f = 0; f < RS_FAMILY_COUNT; f++) {
		alone[f] = settings.chosen[f] != 0 ? timing_of(volume, mask, f, NULL).least : 0;
		sum += alone[f];
		families += settings.chosen[f] != 0;
	}
	double shared = (sum - whole.least) / (families - 1);
	if (rs_pool_create(2, &pool, &err) != RS_OK)
		fail(&err);
	struct timing two = timing_of(volume, mask, -1, pool);
	rs_pool_destroy(pool);
	printf("%-10s %.2f ms (least %.2f); on 2 threads %.2f (%.2f), x %.2f; of the least: shared %.2f (%.0f %%)",
	       name, whole.median, whole.least, two.median, two.least, whole.least / two.least, shared,
	       100 * shared / whole.least);
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		if (settings.chosen[f] != 0)
			printf(", %s %.2f (%.0f %%)", rs_family_name((enum rs_family)f), alone[f] - shared,
			       100 * (alone[f] - shared) / whole.least);
	printf("\n");
}

static void time_maps(const char *name, const struct rs_volume *volume, const struct rs_mask *mask)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	struct rs_radiomics_settings settings;
	struct rs_pool *pool = NULL;
	struct rs_error err;
	double least[2] = {1e300, 1e300};
	rs_radiomics_settings_default(&settings);
	settings.geometry_tolerance = 1e-3;
	if (rs_pool_create(2, &pool, &err) != RS_OK)
		fail(&err);
	for (int turn = 0; turn < 6; turn++) {
		struct rs_radiomics_maps maps;
		uint64_t start = clock->monotonic_ns(clock);
		if (rs_radiomics_maps(volume, mask, &settings, turn % 2 != 0 ? pool : NULL, &maps, &err) !=
		    RS_OK)
			fail(&err);
		double ms = (double)(clock->monotonic_ns(clock) - start) / 1e6;
		least[turn % 2] = ms < least[turn % 2] ? ms : least[turn % 2];
		rs_radiomics_maps_finish(&maps);
	}
	rs_pool_destroy(pool);
	printf("%-10s maps: least %.1f ms, on 2 threads %.1f ms, x %.2f\n", name, least[0], least[1],
	       least[0] / least[1]);
}

/* size[3] as u64, spacing, origin, direction as f64, type as u64, voxels f64, labels u32: trusted input. */
static int case_load(const char *path, struct rs_volume *volume, struct rs_mask *mask)
{
	struct rs_buffer buffer;
	struct rs_error err;
	if (rs_file_read_all(rs_world_system(), path, (size_t)1 << 32, &buffer, &err) != RS_OK)
		fail(&err);
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

/* Times a pair of files under RADSEAL_DATA, if it is set. */
static void time_files(const char *name, const char *image, const char *label, bool with_maps)
{
	const char *data = getenv("RADSEAL_DATA");
	struct rs_volume volume = {0};
	struct rs_mask mask = {0};
	struct rs_error err;
	char note[256];
	if (data == NULL || data[0] == '\0') {
		printf("%-10s left out: RADSEAL_DATA is not set\n", name);
		return;
	}
	char *image_path = rs_text_printf("%s/radiomics/%s", data, image);
	char *label_path = rs_text_printf("%s/radiomics/%s", data, label);
	if (rs_volume_read(rs_world_system(), image_path, &volume, &err) != RS_OK ||
	    rs_mask_read(rs_world_system(), label_path, &mask, &err) != RS_OK ||
	    rs_mask_match(&volume.geometry, &mask, 1e-3, note, sizeof note, &err) != RS_OK)
		fail(&err);
	time_case(name, &volume, &mask);
	if (with_maps)
		time_maps(name, &volume, &mask);
	rs_volume_finish(&volume);
	rs_mask_finish(&mask);
	rs_free(image_path);
	rs_free(label_path);
}

int main(int argc, char **argv)
{
	struct rs_volume volume;
	struct rs_mask mask;
	if (argc > 1 && strcmp(argv[1], "dump") == 0)
		return dump(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
	if (argc > 2 && strcmp(argv[1], "raw") == 0) {
		if (case_load(argv[2], &volume, &mask) != 0)
			return 1;
		for (int f = 0; f < RS_FAMILY_COUNT; f++)
			printf("%s %.3f ms\n", rs_family_name((enum rs_family)f),
			       timing_of(&volume, &mask, f, NULL).median);
		printf("total %.3f ms\n", timing_of(&volume, &mask, -1, NULL).median);
		case_finish(&volume, &mask);
		return 0;
	}
	time_files("brain1", "pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd", true);
	time_files("ibsi-ct", "ibsi1/ibsi_1_ct_radiomics_phantom/nifti/image/phantom.nii.gz",
	           "ibsi1/ibsi_1_ct_radiomics_phantom/nifti/mask/mask.nii.gz", false);
	if (ball_make(128, &volume, &mask) != RS_OK)
		return 1;
	time_case("ball 128", &volume, &mask);
	case_finish(&volume, &mask);
	return 0;
}
