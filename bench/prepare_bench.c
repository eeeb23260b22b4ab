/* Preparation of MR for bench/prepare, beside SimpleITK on the same files: reading is not timed.
 *   prepare_bench data DIR                  makes DIR/{fixed,moving,shaded,noisy,coil,clean}.nrrd and truth.txt
 *   prepare_bench WORK DIR THREADS TURNS    "SECONDS CPU_SECONDS ERROR", medians; WORK: rigid, bspline, resample, n4,
 *                                           median, diffusion, nlm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base_random.h"
#include "intensity/intensity.h"
#include "register/register.h"

#define TURNS_MAX 15
#define PI 3.14159265358979323846

static const struct rs_geometry study = {.size = {256, 256, 60},
                                         .spacing_mm = {1, 1, 1},
                                         .origin_mm = {-127.5, -127.5, -29.5},
                                         .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
/* Turned by 4, -3 and 5 degrees about x, y and z, and shifted by 6, -5 and 3 mm. */
static struct rs_transform truth;

static void fail(const struct rs_error *err)
{
	fprintf(stderr, "prepare_bench: %s\n", err->message);
	exit(1);
}

static void make_truth(void)
{
	const double a = 4 * PI / 180, b = -3 * PI / 180, c = 5 * PI / 180;
	const double matrix[3][3] = {{cos(c) * cos(b), cos(c) * sin(b) * sin(a) - sin(c) * cos(a),
	                              cos(c) * sin(b) * cos(a) + sin(c) * sin(a)},
	                             {sin(c) * cos(b), sin(c) * sin(b) * sin(a) + cos(c) * cos(a),
	                              sin(c) * sin(b) * cos(a) - cos(c) * sin(a)},
	                             {-sin(b), cos(b) * sin(a), cos(b) * cos(a)}};
	const double offset[3] = {6, -5, 3};
	rs_transform_identity(&truth);
	memcpy(truth.matrix, matrix, sizeof matrix);
	memcpy(truth.offset_mm, offset, sizeof offset);
}

/* Tissue at a point, as two sequences see it. */
static double body_at(const double p[3], int sequence)
{
	static const double organs[][8] = {
		{0, 0, 0, 110, 90, 300, 100, 200},   {-45, -10, 0, 42, 48, 40, 170, 120},
		{50, 5, 5, 28, 36, 30, 60, 190},     {2, 55, 0, 16, 15, 300, 220, 40},
		{18, -30, -4, 34, 12, 14, 200, 120}, {-12, 20, -12, 18, 16, 12, 110, 230},
		{-60, -20, 10, 12, 10, 9, 90, 240},  {44, 34, -16, 18, 14, 12, 180, 60},
		{20, -60, 8, 26, 12, 18, 40, 150}};
	double value = 0;
	for (size_t i = 0; i < RS_COUNT(organs); i++) {
		const double *o = organs[i];
		const double x = (p[0] - o[0]) / o[3], y = (p[1] - o[1]) / o[4], z = (p[2] - o[2]) / o[5];
		const double depth = (1 - sqrt(x * x + y * y + z * z)) * fmin(o[3], fmin(o[4], o[5]));
		value += (o[6 + sequence] - value) / (1 + exp(-2.5 * depth));
	}
	const double grain = sin(0.31 * p[0] + 0.13 * p[1]) * sin(0.27 * p[1] - 0.11 * p[2] + 1) *
	                     sin(0.23 * p[2] + 0.09 * p[0] + 2);
	return value * (1 + (sequence ? -0.4 : 0.3) * grain);
}

static double coil_at(const double p[3])
{
	const double u = p[0] / 256, v = p[1] / 256, w = p[2] / 60;
	return exp(0.5 * u - 0.6 * v * v + 0.3 * u * v + 0.2 * w);
}

/* kind 0: sequence 0; 1: sequence 1 where the patient moved; 2: sequence 0 under a coil; 3: the coil alone */
static void make(const char *directory, const char *name, int kind, double sigma)
{
	struct rs_volume volume;
	struct rs_error err;
	struct rs_stream random = {17 + (uint64_t)kind};
	char path[4096];
	if (rs_volume_init(&volume, &study, &err) != RS_OK)
		fail(&err);
	for (size_t i = 0; i < rs_geometry_voxels(&study); i++) {
		const double p[3] = {(double)(i % 256) - 127.5, (double)(i / 256 % 256) - 127.5,
		                     (double)(i / 65536) - 29.5};
		double at[3] = {p[0], p[1], p[2]};
		for (int r = 0; kind == 1 && r < 3; r++) { /* the inverse of a turn is its transpose */
			at[r] = 0;
			for (int c = 0; c < 3; c++)
				at[r] += truth.matrix[c][r] * (p[c] - truth.offset_mm[c]);
		}
		const double signal = kind == 3 ? coil_at(p)
		                                : body_at(at, kind == 1) * (kind == 2 ? coil_at(p) : 1);
		const double u = 1 - rs_stream_unit(&random), v = 2 * PI * rs_stream_unit(&random);
		const double radius = sigma * sqrt(-2 * log(u));
		volume.voxels[i] = hypot(signal + radius * cos(v), radius * sin(v));
	}
	volume.stored = RS_VOXEL_F32;
	snprintf(path, sizeof path, "%s/%s.nrrd", directory, name);
	if (rs_volume_write(rs_world_system(), path, &volume, &err) != RS_OK)
		fail(&err);
	rs_volume_finish(&volume);
}

static void make_all(const char *directory)
{
	char path[4096];
	make(directory, "fixed", 0, 6);
	make(directory, "moving", 1, 6);
	make(directory, "shaded", 2, 3);
	make(directory, "noisy", 0, 12);
	make(directory, "coil", 3, 0);
	make(directory, "clean", 0, 0);
	snprintf(path, sizeof path, "%s/truth.txt", directory);
	FILE *file = fopen(path, "w");
	for (int r = 0; file && r < 3; r++)
		fprintf(file, "%.17g %.17g %.17g %.17g\n", truth.matrix[r][0], truth.matrix[r][1],
		        truth.matrix[r][2], truth.offset_mm[r]);
	if (!file || fclose(file) != 0)
		exit(1);
}

struct job {
	const char *directory;
	struct rs_volume image, other; /* other: the moving volume, or the truth */
	struct rs_pool *pool;
	double *out;
};
typedef double work_function(struct job *job); /* the error */

static void read_volume(const char *directory, const char *name, struct rs_volume *out)
{
	struct rs_error err;
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.nrrd", directory, name);
	if (rs_volume_read(rs_world_system(), path, out, &err) != RS_OK)
		fail(&err);
}

/* Root mean square, in mm, over points in the body; the peer takes the same. */
static double error_of(const struct rs_transform *found)
{
	double squares = 0, n = 0;
	for (int z = -24; z <= 24; z += 12)
		for (int y = -80; y <= 80; y += 20)
			for (int x = -100; x <= 100; x += 20) {
				const double p[3] = {x, y, z};
				double a[3], b[3];
				if (x * x / 12100.0 + y * y / 8100.0 > 1)
					continue;
				rs_transform_point(found, p, a);
				rs_transform_point(&truth, p, b);
				for (int r = 0; r < 3; r++)
					squares += (a[r] - b[r]) * (a[r] - b[r]);
				n++;
			}
	return sqrt(squares / n);
}

static double registered(struct job *job, enum rs_transform_kind kind)
{
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_register_report report;
	struct rs_transform found;
	struct rs_error err;
	how.kind = kind;
	if (rs_register(&job->image, &job->other, &how, job->pool, &found, &report, &err) != RS_OK)
		fail(&err);
	const double error = error_of(&found);
	rs_transform_finish(&found);
	return error;
}
static double rigid(struct job *job) { return registered(job, RS_TRANSFORM_RIGID); }
static double bspline(struct job *job) { return registered(job, RS_TRANSFORM_BSPLINE); }

static double resample(struct job *job)
{
	struct rs_volume laid;
	struct rs_error err;
	if (rs_transform_apply_volume(&truth, &job->other, &job->image.geometry, 3, 0, job->pool, &laid,
	                              &err) != RS_OK)
		fail(&err);
	double sum = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&laid.geometry); i++)
		sum += laid.voxels[i];
	rs_volume_finish(&laid);
	return sum / (double)rs_geometry_voxels(&study);
}

/* Root mean square of log(out / truth) about its mean where there is tissue. */
static double n4(struct job *job)
{
	const struct rs_bias how = RS_BIAS_DEFAULT;
	struct rs_error err;
	double mean = 0, squares = 0, n = 0;
	if (rs_bias_field(&job->image, NULL, &how, job->pool, job->out, &err) != RS_OK)
		fail(&err);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < rs_geometry_voxels(&study); i++) {
			const double d = log(job->out[i] / job->other.voxels[i]);
			if (!(job->image.voxels[i] > 30))
				continue;
			if (pass == 0)
				mean += d, n++;
			else
				squares += (d - mean / n) * (d - mean / n);
		}
	return sqrt(squares / n);
}

/* Root mean square of what is left of the noise, in tissue. */
static double noise_left(const struct job *job)
{
	double squares = 0, n = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&study); i++)
		if (job->other.voxels[i] > 30) {
			const double d = job->out[i] - job->other.voxels[i];
			squares += d * d;
			n++;
		}
	return sqrt(squares / n);
}

static double median(struct job *job)
{
	struct rs_error err;
	if (rs_denoise_median(&job->image, (const unsigned[]){1, 1, 1}, job->pool, job->out, &err) != RS_OK)
		fail(&err);
	return noise_left(job);
}

static double diffusion(struct job *job)
{
	const struct rs_diffusion how = {.steps = 5, .edge = 2, .sigma = 12};
	struct rs_error err;
	if (rs_denoise_diffusion(&job->image, &how, job->pool, job->out, &err) != RS_OK)
		fail(&err);
	return noise_left(job);
}

static double nlm(struct job *job)
{
	struct rs_nlm how = RS_NLM_DEFAULT;
	struct rs_error err;
	how.sigma = 12;
	how.search[2] = 4; /* as the peer has it */
	if (rs_denoise_nlm(&job->image, &how, job->pool, job->out, &err) != RS_OK)
		fail(&err);
	return noise_left(job);
}

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(work_function *work, struct job *job, size_t turns)
{
	double wall[TURNS_MAX], cpu[TURNS_MAX], error = 0;
	turns = turns < 1 ? 1 : turns > TURNS_MAX ? TURNS_MAX : turns;
	for (size_t i = 0; i < turns; i++) {
		wall[i] = seconds(CLOCK_MONOTONIC);
		cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID);
		error = work(job);
		wall[i] = seconds(CLOCK_MONOTONIC) - wall[i];
		cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu[i];
	}
	qsort(wall, turns, sizeof *wall, ascending);
	qsort(cpu, turns, sizeof *cpu, ascending);
	printf("%.4f %.4f %.6g\n", wall[turns / 2], cpu[turns / 2], error);
}

int main(int count, char **arguments)
{
	static const struct {
		const char *name, *image, *other;
		work_function *work;
	} works[] = {{"rigid", "fixed", "moving", rigid},
	             {"bspline", "fixed", "moving", bspline},
	             {"resample", "fixed", "moving", resample},
	             {"n4", "shaded", "coil", n4},
	             {"median", "noisy", "clean", median},
	             {"diffusion", "noisy", "clean", diffusion},
	             {"nlm", "noisy", "clean", nlm}};
	uint64_t threads, turns;
	make_truth();
	if (count == 3 && strcmp(arguments[1], "data") == 0) {
		make_all(arguments[2]);
		return 0;
	}
	for (size_t w = 0; count == 5 && w < RS_COUNT(works); w++) {
		struct job job = {.directory = arguments[2]};
		struct rs_error err;
		if (strcmp(arguments[1], works[w].name) != 0 ||
		    !rs_parse_u64(rs_str_from(arguments[3]), &threads) ||
		    !rs_parse_u64(rs_str_from(arguments[4]), &turns))
			continue;
		read_volume(job.directory, works[w].image, &job.image);
		read_volume(job.directory, works[w].other, &job.other);
		job.out = rs_allocate_array(rs_geometry_voxels(&study), sizeof *job.out);
		if (!job.out || rs_pool_create((unsigned)threads, &job.pool, &err) != RS_OK)
			return 1;
		measure(works[w].work, &job, (size_t)turns);
		rs_pool_destroy(job.pool);
		rs_free(job.out);
		rs_volume_finish(&job.image);
		rs_volume_finish(&job.other);
		return 0;
	}
	fprintf(stderr, "usage: prepare_bench data DIR | prepare_bench WORK DIR THREADS TURNS\n");
	return 2;
}
