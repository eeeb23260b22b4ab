/* Times radiomics for bench/radiomics: compute only, no reading of files.
 *   radiomics_bench time KIND IMAGE MASK TURNS   lines "one MEDIAN LEAST CPU", "two …" (threads; ms) and
 *                                                "phase NAME MS"; KIND: original, classic, maps or moran
 *   radiomics_bench make ball|box|lumps SIDE IMAGE MASK   writes a made-up case as NRRD
 *   radiomics_bench peak COMMAND…                runs it; "peak KIB" of its memory and its exit status
 *   radiomics_bench dump [THREADS]               every value of a made-up case as a hexadecimal float, for
 *                                                tests/system/same_bits.sh */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "image/image.h"
#include "radiomics/autocorrelation.h"
#include "radiomics/images.h"
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
	if (made_case(12, &volume, &mask) != RS_OK ||
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
	made_finish(&volume, &mask);
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
	if (made_case(40, &volume, &mask) != RS_OK || rs_pool_create(threads, &pool, &err) != RS_OK ||
	    rs_radiomics_extract(&volume, &mask, &settings, pool, &result, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (size_t i = 0; i < result.diagnostic_count; i++)
		printf("%s %s\n", result.diagnostics[i].name, result.diagnostics[i].text);
	for (size_t i = 0; i < result.count; i++)
		printf("%s %a\n", result.values[i].name, result.values[i].value);
	rs_radiomics_result_finish(&result);
	made_finish(&volume, &mask);
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

#define TURNS_MAX 99
struct timing {
	double median, least, cpu; /* ms; median of processor time, which other programs disturb less */
};

/* A case, and what to do with it. */
struct job {
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct region region; /* of moran only */
	size_t turns;
};

typedef void work_function(struct job *job, struct rs_pool *pool);

static uint64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static struct timing time_work(work_function *work, struct job *job, struct rs_pool *pool)
{
	uint64_t times[TURNS_MAX], spent[TURNS_MAX];
	const struct rs_clock *clock = rs_world_system()->clock;
	for (size_t i = 0; i < job->turns; i++) {
		uint64_t start = clock->monotonic_ns(clock), cpu = cpu_ns();
		work(job, pool);
		times[i] = clock->monotonic_ns(clock) - start;
		spent[i] = cpu_ns() - cpu;
	}
	qsort(times, job->turns, sizeof *times, ascending);
	qsort(spent, job->turns, sizeof *spent, ascending);
	size_t middle = job->turns / 2;
	return (struct timing){(double)times[middle] / 1e6, (double)times[0] / 1e6,
	                       (double)spent[middle] / 1e6};
}

static void extract(struct job *job, struct rs_pool *pool)
{
	struct rs_error err;
	struct rs_radiomics_result result = {0};
	if (rs_radiomics_extract(&job->volume, &job->mask, &job->settings, pool, &result, &err) != RS_OK)
		fail(&err);
	rs_radiomics_result_finish(&result);
}

static void make_maps(struct job *job, struct rs_pool *pool)
{
	struct rs_error err;
	struct rs_radiomics_maps maps;
	if (rs_radiomics_maps(&job->volume, &job->mask, &job->settings, pool, &maps, &err) != RS_OK)
		fail(&err);
	rs_radiomics_maps_finish(&maps);
}

static void correlate(struct job *job, struct rs_pool *pool)
{
	struct rs_error err;
	double moran, geary;
	if (autocorrelation_measure(&job->region, job->volume.geometry.spacing_mm, AUTOCORRELATION_CHOOSE,
	                            pool, &moran, &geary, &err) != RS_OK)
		fail(&err);
}

static void prepare(struct job *job, struct rs_pool *pool)
{
	struct rs_error err;
	struct radiomics_case work RS_CLEANUP(case_finish) = {0};
	if (case_prepare(&job->volume, &job->mask, &job->settings, pool, &work, &err) != RS_OK)
		fail(&err);
}

/* Preparation, and the filters of the settings' images. */
static void prepare_and_filter(struct job *job, struct rs_pool *pool)
{
	struct rs_error err;
	struct rs_box box;
	struct radiomics_case work RS_CLEANUP(case_finish) = {0};
	struct derived_images images RS_CLEANUP(images_finish) = {0};
	if (case_prepare(&job->volume, &job->mask, &job->settings, pool, &work, &err) != RS_OK ||
	    images_plan(&job->settings, &images, &err) != RS_OK)
		fail(&err);
	memcpy(box.first, work.region.first, sizeof box.first);
	memcpy(box.size, work.region.size, sizeof box.size);
	for (size_t i = 0; i < images.count; i++)
		images.list[i].in_place = images.list[i].type == RS_IMAGE_ORIGINAL;
	if (images_derive(work.volume, &box, work.region.inside, pool, &images, &err) != RS_OK)
		fail(&err);
}

static double cpu_of_family(const struct job *job, int family)
{
	struct job alone = *job;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		alone.settings.chosen[f] *= f == family;
	return time_work(extract, &alone, NULL).cpu;
}

static double cpu_of_filter(const struct job *job, enum rs_image_type type)
{
	struct job alone = *job;
	alone.settings.image_count = 0;
	for (size_t i = 0; i < job->settings.image_count; i++)
		if (job->settings.images[i].type == type)
			alone.settings.images[alone.settings.image_count++] = job->settings.images[i];
	return time_work(prepare_and_filter, &alone, NULL).cpu;
}

/* What families share is paid once in the whole and by each of them alone: the difference tells how much it is.
 * Shape alone needs no image. */
static void print_phases(const struct job *job, double whole)
{
	double alone[RS_FAMILY_COUNT], sum = 0, families = 0;
	struct job copy = *job;
	double prepared = time_work(prepare, &copy, NULL).cpu;
	double shape = cpu_of_family(job, RS_FAMILY_SHAPE) - prepared;
	for (int f = RS_FAMILY_FIRSTORDER; f < RS_FAMILY_COUNT; f++) {
		alone[f] = job->settings.chosen[f] != 0 ? cpu_of_family(job, f) : 0;
		sum += alone[f];
		families += job->settings.chosen[f] != 0;
	}
	double common = (sum - (whole - shape)) / (families - 1);
	double levels = common - prepared;
	printf("phase preparation %.3f\n", prepared);
	if (job->settings.image_count > 1) {
		double wavelet = cpu_of_filter(job, RS_IMAGE_WAVELET) - prepared;
		double laplacian = cpu_of_filter(job, RS_IMAGE_LOG) - prepared;
		printf("phase wavelet %.3f\nphase LoG %.3f\n", wavelet, laplacian);
		levels -= wavelet + laplacian;
	}
	printf("phase levels %.3f\nphase shape %.3f\n", levels > 0 ? levels : 0, shape);
	for (int f = RS_FAMILY_FIRSTORDER; f < RS_FAMILY_COUNT; f++)
		if (job->settings.chosen[f] != 0)
			printf("phase %s %.3f\n", rs_family_name((enum rs_family)f), alone[f] - common);
}

static void time_job(const char *kind, struct job *job)
{
	bool maps = strcmp(kind, "maps") == 0, moran = strcmp(kind, "moran") == 0;
	work_function *work = maps ? make_maps : moran ? correlate : extract;
	struct rs_pool *pool = NULL;
	struct rs_error err;
	if (rs_pool_create(2, &pool, &err) != RS_OK)
		fail(&err);
	struct timing one = time_work(work, job, NULL), two = time_work(work, job, pool);
	rs_pool_destroy(pool);
	printf("one %.3f %.3f %.3f\ntwo %.3f %.3f %.3f\n", one.median, one.least, one.cpu, two.median,
	       two.least, two.cpu);
	if (work == extract)
		print_phases(job, one.cpu);
}

/* The images of "classic" studies: the original, eight wavelet bands, five Laplacians of Gaussians. */
static void settings_make(const char *kind, struct rs_radiomics_settings *out)
{
	static const char classic[] = "imageType:\n  Original: {}\n  Wavelet: {}\n"
				      "  LoG: {sigma: [1.0, 2.0, 3.0, 4.0, 5.0]}\nsetting: {binWidth: 25}\n";
	struct rs_error err;
	rs_radiomics_settings_default(out);
	if (strcmp(kind, "classic") == 0 &&
	    rs_radiomics_settings_parse(rs_bytes_of(classic, sizeof classic - 1), out, &err) != RS_OK)
		fail(&err);
	out->additional_info = false;
	out->geometry_tolerance = 1e-3;
}

static int time_files(const char *kind, const char *image, const char *mask, unsigned long turns)
{
	struct job job = {.turns = turns > 0 && turns <= TURNS_MAX ? turns : 1};
	struct radiomics_case work RS_CLEANUP(case_finish) = {0};
	struct rs_error err;
	char note[256];
	settings_make(kind, &job.settings);
	if (rs_volume_read(rs_world_system(), image, &job.volume, &err) != RS_OK ||
	    rs_mask_read(rs_world_system(), mask, &job.mask, &err) != RS_OK ||
	    rs_mask_match(&job.volume.geometry, &job.mask, 1e-3, note, sizeof note, &err) != RS_OK ||
	    case_prepare(&job.volume, &job.mask, &job.settings, NULL, &work, &err) != RS_OK)
		fail(&err);
	job.region = work.region;
	time_job(kind, &job);
	rs_volume_finish(&job.volume);
	rs_mask_finish(&job.mask);
	return 0;
}

/* An attached NRRD of raw voxels of `size` bytes each, on this little-endian machine. */
static bool nrrd_write(const char *path, const struct rs_geometry *g, const char *type, size_t size,
                       const void *voxels)
{
	FILE *file = fopen(path, "wb");
	if (file == NULL)
		return false;
	fprintf(file,
	        "NRRD0004\ntype: %s\ndimension: 3\nspace: left-posterior-superior\nsizes: %zu %zu %zu\n"
	        "space directions: (%g,0,0) (0,%g,0) (0,0,%g)\nkinds: domain domain domain\nendian: little\n"
	        "encoding: raw\nspace origin: (%g,%g,%g)\n\n",
	        type, g->size[0], g->size[1], g->size[2], g->spacing_mm[0], g->spacing_mm[1],
	        g->spacing_mm[2], g->origin_mm[0], g->origin_mm[1], g->origin_mm[2]);
	bool written = fwrite(voxels, size, rs_geometry_voxels(g), file) == rs_geometry_voxels(g);
	return fclose(file) == 0 && written;
}

static int make_files(const char *what, size_t side, const char *image, const char *mask)
{
	struct rs_volume volume;
	struct rs_mask regions;
	if (side == 0 || side > 1024 ||
	    (strcmp(what, "lumps") == 0 ? made_case : made_ball)(side, &volume, &regions) != RS_OK)
		return 1;
	size_t count = rs_geometry_voxels(&volume.geometry);
	int16_t *short_voxels = rs_allocate_array(count, sizeof *short_voxels);
	for (size_t i = 0; strcmp(what, "box") == 0 && i < count; i++)
		regions.labels[i] = 1;
	for (size_t i = 0; short_voxels != NULL && i < count; i++)
		short_voxels[i] = (int16_t)volume.voxels[i];
	bool ok = short_voxels != NULL && nrrd_write(image, &volume.geometry, "short", 2, short_voxels) &&
	          nrrd_write(mask, &volume.geometry, "unsigned int", 4, regions.labels);
	rs_free(short_voxels);
	made_finish(&volume, &regions);
	if (!ok)
		fprintf(stderr, "cannot write %s and %s\n", image, mask);
	return ok ? 0 : 1;
}

/* From a process this small: Linux counts the memory of the one that starts a program among the program's own. */
static int peak(char **command)
{
	int status = 0;
	struct rusage usage;
	pid_t child = fork();
	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || getrusage(RUSAGE_CHILDREN, &usage) != 0)
		return 1;
	printf("peak %ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (strcmp(verb, "dump") == 0)
		return dump(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
	if (strcmp(verb, "time") == 0 && argc == 6)
		return time_files(argv[2], argv[3], argv[4], strtoul(argv[5], NULL, 10));
	if (strcmp(verb, "make") == 0 && argc == 6)
		return make_files(argv[2], strtoul(argv[3], NULL, 10), argv[4], argv[5]);
	if (strcmp(verb, "peak") == 0 && argc > 2)
		return peak(argv + 2);
	fprintf(stderr, "radiomics_bench time|make|peak|dump: see bench/radiomics\n");
	return 2;
}
