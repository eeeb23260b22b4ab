/* Growing from strokes: Dice and time on made cases, by geodesic paths, by the random walker, learned, and within a box;
 * at 256^3; corrections. `segment_bench cases N | large | corrections | case IMAGE TRUTH SEEDS` (for segment_peer.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "segment/phantom.h"
#include "segment/segment_compare.h"

static double seconds(void)
{
	return (double)rs_world_system()->clock->monotonic_ns(rs_world_system()->clock) / 1e9;
}

/* Of this process alone: corrections are short, and machines are shared. */
static double processor_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double grown(const struct phantom *p, const struct rs_grow_options *how, const struct rs_box *box,
                    double *out_s)
{
	struct phantom_strokes strokes;
	struct rs_grow *grow = NULL;
	struct rs_box changed;
	struct rs_mask mask;
	struct rs_comparison c;
	struct rs_error err;
	double begin = seconds();
	phantom_strokes(p, &strokes);
	if (rs_grow_open(&p->image, box, how, &grow, &err) != RS_OK)
		exit(1);
	for (int s = 0; !box && s < 3; s++)
		if (rs_grow_paint(grow, &strokes.strokes[s], &err) != RS_OK)
			exit(1);
	if (rs_grow_update(grow, &changed, &err) != RS_OK) {
		rs_grow_close(grow);
		return 0;
	}
	*out_s += seconds() - begin;
	if (rs_grow_mask(grow, &mask, &err) != RS_OK ||
	    rs_masks_compare(&p->truth, &mask, 1, 1, &c, &err) != RS_OK)
		exit(1);
	rs_mask_finish(&mask);
	rs_grow_close(grow);
	return c.dice;
}

static struct rs_box box_of(const struct phantom *p)
{
	struct rs_box box;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0};
	const size_t *size = p->image.geometry.size;
	for (size_t i = 0; i < rs_geometry_voxels(&p->image.geometry); i++) {
		const size_t at[3] = {i % size[0], i / size[0] % size[1], i / size[0] / size[1]};
		for (int a = 0; p->truth.labels[i] && a < 3; a++) {
			low[a] = at[a] < low[a] ? at[a] : low[a];
			high[a] = at[a] > high[a] ? at[a] : high[a];
		}
	}
	for (int a = 0; a < 3; a++) {
		box.first[a] = low[a] > 1 ? low[a] - 1 : 0;
		box.size[a] = (high[a] + 2 < size[a] ? high[a] + 2 : size[a]) - box.first[a];
	}
	return box;
}

static void cases(int argc, char **argv)
{
	static const double contrasts[] = {60, 40, 30};
	struct rs_grow_options how = RS_GROW_DEFAULT;
	int count = argc > 2 ? atoi(argv[2]) : 5;
	for (size_t c = 0; c < RS_COUNT(contrasts); c++) {
		double sum[4] = {0}, worst[4] = {1, 1, 1, 1}, took[4] = {0};
		for (int k = 0; k < count; k++) {
			struct phantom p;
			phantom_make(&p, k % 2 ? (size_t[]){96, 96, 24} : (size_t[]){72, 72, 64},
			             k % 2 ? (double[]){1, 1, 3} : (double[]){1.2, 1.2, 1.2}, contrasts[c],
			             15, (uint64_t)(1000 + k));
			struct rs_box box = box_of(&p);
			for (int m = 0; m < 4; m++) {
				how.method = m < 3 ? (enum rs_grow_method)m : RS_GROW_GEODESIC;
				double dice = grown(&p, &how, m == 3 ? &box : NULL, &took[m]);
				sum[m] += dice;
				worst[m] = fmin(worst[m], dice);
			}
			phantom_finish(&p);
		}
		printf("contrast/noise %.1f:", contrasts[c] / 15);
		for (int m = 0; m < 4; m++)
			printf("  %s %.3f (worst %.3f, %.2f s)",
			       (const char *[]){"geodesic", "walk", "learn", "box"}[m], sum[m] / count,
			       worst[m], took[m] / count);
		printf("\n");
	}
}

static void large(void)
{
	struct phantom p;
	struct rs_grow_options how = RS_GROW_DEFAULT;
	phantom_make(&p, (size_t[]){256, 256, 256}, (double[]){1, 1, 1}, 50, 15, 3);
	for (int m = 0; m < 3; m++) {
		double took = 0;
		how.method = (enum rs_grow_method)m;
		double dice = grown(&p, &how, NULL, &took);
		printf("256^3 %s: Dice %.3f, %.2f s\n", (const char *[]){"geodesic", "walk", "learn"}[m],
		       dice, took);
	}
	phantom_finish(&p);
}

/* A case of 128^3 with its truth and strokes, for other programs. */
static void write_case(const char *image, const char *truth, const char *seeds)
{
	struct phantom p;
	struct phantom_strokes strokes;
	struct rs_mask painted;
	struct rs_error err;
	phantom_make(&p, (size_t[]){128, 128, 128}, (double[]){1, 1, 1}, 50, 15, 3);
	phantom_strokes(&p, &strokes);
	if (rs_mask_init(&painted, &p.truth.geometry, &err) != RS_OK)
		exit(1);
	for (int s = 0; s < 3; s++)
		for (size_t k = 0; k < strokes.strokes[s].point_count; k++) {
			const double *from = strokes.strokes[s].points[k ? k - 1 : 0],
				     *to = strokes.strokes[s].points[k];
			for (int t = 0; t <= 64; t++) {
				size_t v[3];
				for (int a = 0; a < 3; a++)
					v[a] = (size_t)(from[a] + (to[a] - from[a]) * t / 64 + 0.5);
				painted.labels[(v[2] * 128 + v[1]) * 128 + v[0]] = strokes.strokes[s].inside
				                                                           ? 1
				                                                           : 2;
			}
		}
	p.image.stored = RS_VOXEL_F32;
	if (rs_volume_write(rs_world_system(), image, &p.image, &err) != RS_OK ||
	    rs_mask_write(rs_world_system(), truth, &p.truth, &err) != RS_OK ||
	    rs_mask_write(rs_world_system(), seeds, &painted, &err) != RS_OK)
		exit(1);
	rs_mask_finish(&painted);
	phantom_finish(&p);
}

/* At 256^3: what one correction takes, of twenty at the border. */
static void corrections(enum rs_grow_method method)
{
	struct rs_grow_options how = RS_GROW_DEFAULT;
	struct phantom p;
	struct phantom_strokes strokes;
	struct rs_grow *grow = NULL;
	struct rs_box changed;
	struct rs_error err;
	double longest = 0, sum = 0;
	how.method = method;
	phantom_make(&p, (size_t[]){256, 256, 256}, (double[]){1, 1, 1}, 50, 15, 3);
	phantom_strokes(&p, &strokes);
	if (rs_grow_open(&p.image, NULL, &how, &grow, &err) != RS_OK)
		exit(1);
	for (int s = 0; s < 3; s++)
		if (rs_grow_paint(grow, &strokes.strokes[s], &err) != RS_OK)
			exit(1);
	if (rs_grow_update(grow, &changed, &err) != RS_OK)
		exit(1);
	for (int k = 0; k < 20; k++) {
		double at[2][3];
		for (int a = 0; a < 3; a++)
			at[0][a] = at[1][a] = p.centre_mm[a] +
			                      (a == k % 3 ? (k % 2 ? -0.9 : 0.9) * p.radius_mm : 0);
		at[1][(k + 1) % 3] += 12;
		const struct rs_stroke stroke = {k % 4 < 2, 2, 2, (const double(*)[3])at};
		const double begin = processor_seconds();
		if (rs_grow_paint(grow, &stroke, &err) != RS_OK ||
		    rs_grow_update(grow, &changed, &err) != RS_OK)
			exit(1);
		const double took = processor_seconds() - begin;
		longest = fmax(longest, took);
		sum += took;
	}
	printf("256^3 %s, 20 corrections, processor time: mean %.0f ms, longest %.0f ms\n",
	       method == RS_GROW_LEARN ? "learn" : "geodesic", sum / 20 * 1000, longest * 1000);
	rs_grow_close(grow);
	phantom_finish(&p);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "large") == 0)
		large();
	else if (argc > 1 && strcmp(argv[1], "corrections") == 0) {
		for (int m = 0; m < 2; m++)
			corrections(m ? RS_GROW_LEARN : RS_GROW_GEODESIC);
	} else if (argc > 4 && strcmp(argv[1], "case") == 0)
		write_case(argv[2], argv[3], argv[4]);
	else
		cases(argc, argv);
	return 0;
}
