/* Growing from strokes: Dice and time on made cases, by the random walker and by geodesic paths; at 256^3; corrections.
 * `segment_bench cases N`, `segment_bench large`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "segment/phantom.h"
#include "segment/segment_compare.h"

static double seconds(void)
{
	return (double)rs_world_system()->clock->monotonic_ns(rs_world_system()->clock) / 1e9;
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
		double sum[3] = {0}, worst[3] = {1, 1, 1}, took[3] = {0};
		for (int k = 0; k < count; k++) {
			struct phantom p;
			phantom_make(&p, k % 2 ? (size_t[]){96, 96, 24} : (size_t[]){72, 72, 64},
			             k % 2 ? (double[]){1, 1, 3} : (double[]){1.2, 1.2, 1.2}, contrasts[c],
			             15, (uint64_t)(1000 + k));
			struct rs_box box = box_of(&p);
			for (int m = 0; m < 3; m++) {
				how.method = m == 1 ? RS_GROW_WALK : RS_GROW_GEODESIC;
				double dice = grown(&p, &how, m == 2 ? &box : NULL, &took[m]);
				sum[m] += dice;
				worst[m] = fmin(worst[m], dice);
			}
			phantom_finish(&p);
		}
		printf("contrast/noise %.1f:", contrasts[c] / 15);
		for (int m = 0; m < 3; m++)
			printf("  %s %.3f (worst %.3f, %.2f s)",
			       (const char *[]){"geodesic", "walk", "box"}[m], sum[m] / count, worst[m],
			       took[m] / count);
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
		printf("256^3 %s: Dice %.3f, %.2f s\n", m ? "walk" : "geodesic", dice, took);
	}
	phantom_finish(&p);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "large") == 0)
		large();
	else
		cases(argc, argv);
	return 0;
}
