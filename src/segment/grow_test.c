/* Made lesions are found from three strokes or a box, and corrected; the walker's probabilities are scikit-image's. */
#include "segment_test.h"

#include "phantom.h"
#include "segment/geodesic.h"
#include "segment/looks.h"
#include "segment/segment_compare.h"
#include "segment/tidy.h"
#include "segment/random_walk.h"

/* scikit-image 0.26.0, random_walker(beta=20, mode='bf', tol=1e-10, return_full_prob=True) of the same image. */
static void probabilities_are_those_of_a_direct_solver(void **state)
{
	enum { X = 13, Y = 11, Z = 6 };
	static const size_t size[3] = {X, Y, Z}, stride[3] = {1, X, X * Y};
	static const struct {
		size_t z, y, x;
		double p;
	} expected[] = {{5, 5, 4, 0.6341182980}, {0, 5, 5, 0.6065542695}, {3, 4, 8, 0.5780459485},
	                {5, 0, 0, 0.3110476353}, {2, 7, 3, 0.5876107236}, {4, 9, 11, 0.1983899144},
	                {3, 5, 9, 0.2418773144}};
	static double image[X * Y * Z];
	struct rs_stream stream = {5};
	struct random_walk walk;
	(void)state;
	for (size_t i = 0; i < X * Y * Z; i++) {
		const double x = (double)(i % X) - 5, y = (double)(i / X % Y) - 5;
		image[i] = (x * x + y * y < 14) + 0.5 * rs_stream_unit(&stream);
	}
	assert_int_equal(random_walk_init(&walk, size, (double[]){1, 1, 1}, NULL), RS_OK);
	struct walk_level *level = &walk.levels[0];
	for (size_t i = 0; i < X * Y * Z; i++)
		for (size_t a = 0; a < 3; a++) {
			if (i / stride[a] % size[a] + 1 == size[a])
				continue;
			const double up = image[i + stride[a]] - image[i];
			level->weight[a][i] = (float)(exp(-20 * up * up / 4.865813325991892) + 1e-10);
		}
	const size_t seeds[4] = {3 * X * Y + 5 * X + 5, 0, 5 * X * Y + 10 * X + 12, 2 * X * Y + 2 * X + 11};
	for (int s = 0; s < 4; s++)
		level->r[seeds[s]] = 1e6F;
	level->b[seeds[0]] = 1e6F;
	assert_true(random_walk_solve(&walk, 1e-7, 100) < 40);
	for (size_t k = 0; k < RS_COUNT(expected); k++) {
		const double found =
			(double)walk.solution[(expected[k].z * Y + expected[k].y) * X + expected[k].x];
		if (fabs(found - expected[k].p) > 1e-4)
			fail_msg("%zu: %.7f instead of %.7f", k, found, expected[k].p);
	}
	random_walk_finish(&walk);
}

/* All paths by relaxing until nothing changes. */
static void nearest_is_nearest(void **state)
{
	enum { X = 9, Y = 8, Z = 7, N = X * Y * Z };
	static const size_t size[3] = {X, Y, Z};
	static const double spacing[3] = {1, 1.5, 3}, rise = 4;
	float guide[N];
	uint8_t labels[N] = {0};
	double distance[3][N];
	struct rs_stream stream = {11};
	(void)state;
	for (int i = 0; i < N; i++)
		guide[i] = (float)rs_stream_unit(&stream);
	labels[10] = 1;
	labels[N - 30] = labels[N / 2 + 20] = 2;
	for (int i = 0; i < N; i++)
		for (int l = 1; l < 3; l++)
			distance[l][i] = labels[i] == l ? 0 : INFINITY;
	for (bool changed = true; changed;) {
		changed = false;
		for (int i = 0; i < N; i++)
			for (int k = 0; k < N; k++) {
				const int d[3] = {i % X - k % X, i / X % Y - k / X % Y,
				                  i / X / Y - k / X / Y};
				if (i == k || abs(d[0]) > 1 || abs(d[1]) > 1 || abs(d[2]) > 1)
					continue;
				double up = rise * (double)(guide[i] - guide[k]), sum = up * up;
				for (int a = 0; a < 3; a++)
					sum += d[a] * spacing[a] * d[a] * spacing[a];
				for (int l = 1; l < 3; l++)
					if (distance[l][k] + sqrt(sum) < distance[l][i] - 1e-9) {
						distance[l][i] = distance[l][k] + sqrt(sum);
						changed = true;
					}
			}
	}
	assert_int_equal(geodesic_nearest(guide, NULL, size, spacing, rise, labels, NULL), RS_OK);
	for (int i = 0; i < N; i++)
		assert_int_equal(labels[i], distance[1][i] < distance[2][i] ? 1 : 2);
}

static struct rs_grow *opened(const struct phantom *p, const struct rs_box *box)
{
	static const struct rs_grow_options how = RS_GROW_DEFAULT;
	struct rs_grow *grow = NULL;
	assert_int_equal(rs_grow_open(&p->image, box, &how, &grow, NULL), RS_OK);
	return grow;
}

static double dice_of(const struct phantom *p, const struct rs_grow *grow)
{
	struct rs_mask mask;
	struct rs_comparison found;
	assert_int_equal(rs_grow_mask(grow, &mask, NULL), RS_OK);
	assert_int_equal(rs_masks_compare(&p->truth, &mask, 1, 1, &found, NULL), RS_OK);
	assert_int_equal(found.voxels_b, rs_grow_voxels(grow));
	rs_mask_finish(&mask);
	return found.dice;
}

static void make_case(struct phantom *p, uint64_t k)
{
	phantom_make(p, k % 2 ? (size_t[]){64, 60, 18} : (size_t[]){48, 52, 40},
	             k % 2 ? (double[]){1, 1, 3} : (double[]){1.2, 1.2, 1.2}, 40, 15, 500 + k);
}

static void three_strokes_or_a_box_are_enough(void **state)
{
	(void)state;
	for (uint64_t k = 0; k < 4; k++) {
		struct phantom p;
		struct phantom_strokes strokes;
		struct rs_box changed, box;
		make_case(&p, k);
		phantom_strokes(&p, &strokes);
		struct rs_grow *grow = opened(&p, NULL);
		for (int s = 0; s < 3; s++)
			assert_int_equal(rs_grow_paint(grow, &strokes.strokes[s], NULL), RS_OK);
		assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
		const double by_strokes = dice_of(&p, grow);
		rs_grow_close(grow);
		for (int a = 0; a < 3; a++) {
			const double low = (p.centre_mm[a] - 1.25 * p.radius_mm) /
			                   p.image.geometry.spacing_mm[a];
			const double high = (p.centre_mm[a] + 1.25 * p.radius_mm) /
			                    p.image.geometry.spacing_mm[a];
			box.first[a] = (size_t)fmax(low, 0);
			box.size[a] = (size_t)fmin(high, (double)p.image.geometry.size[a] - 1) - box.first[a];
		}
		grow = opened(&p, &box);
		assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
		const double by_box = dice_of(&p, grow);
		rs_grow_close(grow);
		phantom_finish(&p);
		if (by_strokes < 0.85 || by_box < 0.75)
			fail_msg("case %d: Dice %.3f from strokes, %.3f from a box", (int)k, by_strokes,
			         by_box);
	}
}

/* The same region in a second image, with noise of its own: as dark as what is around, but brighter than the organ beside. */
static struct rs_volume second_image(const struct phantom *p, double noise)
{
	struct rs_stream stream = rs_stream_of(91, 3);
	struct rs_volume out;
	assert_int_equal(rs_volume_init(&out, &p->image.geometry, NULL), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&out.geometry); i++)
		out.voxels[i] = 500 + 30 * (double)p->truth.labels[i] - 60 * (p->image.voxels[i] > 230) +
		                noise * phantom_normal(&stream);
	return out;
}

static void paint_three(const struct phantom *p, struct rs_grow *grow)
{
	struct phantom_strokes strokes;
	struct rs_box changed;
	phantom_strokes(p, &strokes);
	for (int s = 0; s < 3; s++)
		assert_int_equal(rs_grow_paint(grow, &strokes.strokes[s], NULL), RS_OK);
	assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
}

static void several_images_tell_more_than_one(void **state)
{
	struct rs_grow_options how = RS_GROW_DEFAULT;
	(void)state;
	how.method = RS_GROW_LEARN;
	for (uint64_t k = 0; k < 4; k++) {
		struct phantom p;
		struct rs_grow *grow = NULL;
		double dice[2];
		phantom_make(&p, (size_t[]){48, 52, 40}, (double[]){1.2, 1.2, 1.2}, 25, 20, 700 + k);
		struct rs_volume other = second_image(&p, 20);
		const struct rs_volume *both[2] = {&p.image, &other};
		for (size_t images = 1; images <= 2; images++) {
			assert_int_equal(rs_grow_open_several(both, images, NULL, &how, &grow, NULL), RS_OK);
			paint_three(&p, grow);
			dice[images - 1] = dice_of(&p, grow);
			rs_grow_close(grow);
		}
		if (dice[1] < 0.85 || dice[1] < dice[0])
			fail_msg("case %d: Dice %.3f of one image, %.3f of two", (int)k, dice[0], dice[1]);
		rs_volume_finish(&other);
		phantom_finish(&p);
	}
}

/* What the penalised likelihood's maximum is, by R 4.2's optim (BFGS, reltol 1e-15) of the same data. */
static void looks_are_those_of_another_solver(void **state)
{
	static const float values[] = {-1.0F, 0.2F,  -0.4F, 0.9F, 0.1F,  -0.3F, 0.3F, 0.4F,
	                               1.1F,  -0.8F, 1.6F,  0.5F, -2.0F, -1.2F, 0.6F, 0.0F};
	static const float inside[] = {0, 1, 1, 1, 0, 0.25F, 0, 1}, counts[] = {3, 10, 8, 5, 4, 10, 20, 6};
	static const double weights[] = {2.561586729,  0.564968341, 1.039835510,
	                                 -2.242813495, 0.834102682, -0.038765916};
	struct looks looks = {.images = 2};
	const struct looks_samples samples = {values, inside, counts, 8};
	(void)state;
	assert_int_equal(looks_learn(&looks, &samples, NULL), RS_OK);
	assert_int_equal(looks.terms, 6);
	for (size_t i = 0; i < 6; i++)
		if (fabs(looks.weight[i] - weights[i]) > 1e-4)
			fail_msg("weight %d is %.6f, not %.6f", (int)i, looks.weight[i], weights[i]);
	for (int i = 0; i < 2; i++) { /* by odds, too */
		const double x = (double)values[2 * i], y = (double)values[2 * i + 1];
		const double odds = weights[0] + weights[1] * x + weights[2] * y + weights[3] * x * x +
		                    weights[4] * x * y + weights[5] * y * y;
		assert_true(fabs(looks_odds(&looks, values + 2 * i) - odds) < 1e-3);
	}
}

/* A correction changes what it is about and nothing else, and what was painted stays. */
static void correct_near(enum rs_grow_method method)
{
	struct rs_grow_options how = RS_GROW_DEFAULT;
	struct rs_grow *grow = NULL;
	struct phantom p;
	struct rs_box changed;
	struct rs_mask before, after;
	phantom_make(&p, (size_t[]){80, 80, 60}, (double[]){1, 1, 1}, 45, 12, 77);
	how.method = method;
	assert_int_equal(rs_grow_open(&p.image, NULL, &how, &grow, NULL), RS_OK);
	paint_three(&p, grow);
	const double dice = dice_of(&p, grow);
	assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK); /* nothing was painted */
	assert_int_equal(changed.size[0], 0);
	assert_int_equal(rs_grow_mask(grow, &before, NULL), RS_OK);
	const double at[1][3] = {{p.centre_mm[0], p.centre_mm[1] - 0.9 * p.radius_mm, p.centre_mm[2]}};
	const struct rs_stroke bite = {false, 2, 1, at};
	assert_int_equal(rs_grow_paint(grow, &bite, NULL), RS_OK);
	assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
	assert_int_equal(rs_grow_mask(grow, &after, NULL), RS_OK);
	size_t differing = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&p.image.geometry); i++) {
		const size_t v[3] = {i % 80, i / 80 % 80, i / 6400};
		double sum = 0;
		bool within = true;
		for (int a = 0; a < 3; a++) {
			sum += ((double)v[a] - at[0][a]) * ((double)v[a] - at[0][a]);
			within = within && v[a] >= changed.first[a] &&
			         v[a] - changed.first[a] < changed.size[a];
		}
		assert_true(before.labels[i] == after.labels[i] || within);
		assert_true(sum > 4 || after.labels[i] == 0);
		differing += before.labels[i] != after.labels[i];
	}
	assert_true(differing > 20 && dice_of(&p, grow) < dice);
	/* And back. */
	const struct rs_stroke mend = {true, 2, 1, at};
	assert_int_equal(rs_grow_paint(grow, &mend, NULL), RS_OK);
	assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
	assert_true(dice_of(&p, grow) > dice - 0.01);
	rs_mask_finish(&before);
	rs_mask_finish(&after);
	rs_grow_close(grow);
	phantom_finish(&p);
}

static void corrections_stay_near(void **state)
{
	(void)state;
	correct_near(RS_GROW_GEODESIC);
}

static void learned_corrections_stay_near(void **state)
{
	(void)state;
	correct_near(RS_GROW_LEARN);
}

static void rough_outlines_are_drawn_to_the_border(void **state)
{
	static const struct rs_grow_options how = RS_GROW_DEFAULT;
	struct phantom p;
	struct rs_mask rough, strokes;
	struct rs_box box, changed;
	struct rs_comparison before;
	struct rs_grow *grow = NULL;
	double centre[3], radius[3];
	(void)state;
	make_case(&p, 2);
	for (int a = 0; a < 3; a++) {
		centre[a] = p.centre_mm[a] + 1.5;
		radius[a] = 1.2 * p.radius_mm;
	}
	rough = test_ellipsoid(p.image.geometry, centre, radius);
	assert_int_equal(rs_masks_compare(&p.truth, &rough, 1, 1, &before, NULL), RS_OK);
	assert_int_equal(rs_outline_strokes(&rough, 5, &strokes, &box, NULL), RS_OK);
	assert_int_equal(rs_grow_open(&p.image, &box, &how, &grow, NULL), RS_OK);
	assert_int_equal(rs_grow_paint_mask(grow, &strokes, 1, 2, NULL), RS_OK);
	assert_int_equal(rs_grow_update(grow, &changed, NULL), RS_OK);
	const double after = dice_of(&p, grow);
	if (before.dice > 0.8 || after < 0.87)
		fail_msg("Dice %.3f, then %.3f", before.dice, after);
	rs_grow_close(grow);
	rs_mask_finish(&rough);
	rs_mask_finish(&strokes);
	phantom_finish(&p);
}

static void pieces_go_and_holes_are_filled(void **state)
{
	enum { SIDE = 8, N = SIDE * SIDE * SIDE };
	static const size_t size[3] = {SIDE, SIDE, SIDE};
	uint8_t mask[N] = {0}, anchors[N] = {0};
	uint64_t count;
	(void)state;
	for (size_t z = 1; z < 5; z++)
		for (size_t y = 1; y < 5; y++)
			for (size_t x = 1; x < 5; x++)
				mask[(z * SIDE + y) * SIDE + x] = 1;
	mask[(2 * SIDE + 2) * SIDE + 2] = 0; /* a hole */
	mask[N - 1] = anchors[N - 1] = 1;    /* a piece apart, touching no face of the first */
	uint8_t same[N];
	memcpy(same, mask, N);
	assert_int_equal(tidy(mask, size, NULL, 0, &count, NULL), RS_OK);
	assert_true(count == 64 && mask[(2 * SIDE + 2) * SIDE + 2] == 1 && mask[N - 1] == 0);
	assert_int_equal(tidy(same, size, anchors, 1, &count, NULL), RS_OK);
	assert_true(count == 1 && same[N - 1] == 1 && same[(2 * SIDE + 2) * SIDE + 3] == 0);
	memset(mask, 0, N);
	assert_int_equal(tidy(mask, size, NULL, 0, &count, NULL), RS_OK);
	assert_int_equal(count, 0);
}

static void refusals_say_why(void **state)
{
	static const double beyond[1][3] = {{500, 2, 2}};
	const struct rs_stroke stroke = {true, 1, 1, beyond};
	struct rs_grow_options how = RS_GROW_DEFAULT;
	struct rs_grow *grow = NULL;
	struct rs_box changed;
	struct phantom p;
	struct rs_error err;
	(void)state;
	make_case(&p, 0);
	grow = opened(&p, NULL);
	assert_int_equal(rs_grow_update(grow, &changed, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "paint a stroke inside"));
	assert_int_equal(rs_grow_paint(grow, &stroke, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "500"));
	rs_grow_close(grow);
	struct rs_volume other = {.geometry = {.size = {2, 2, 2}}};
	const struct rs_volume *both[2] = {&p.image, &other};
	assert_int_equal(rs_grow_open_several(both, 2, NULL, &how, &grow, &err), RS_USAGE);
	how.method = RS_GROW_LEARN;
	assert_int_equal(rs_grow_open_several(both, 2, NULL, &how, &grow, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "image 2 lies on another grid"));
	how.method = RS_GROW_GEODESIC;
	how.threshold = 1;
	assert_int_equal(rs_grow_open(&p.image, NULL, &how, &grow, &err), RS_USAGE);
	how.threshold = 0.5;
	p.image.voxels[5] = NAN;
	assert_int_equal(rs_grow_open(&p.image, NULL, &how, &grow, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "5, 0, 0"));
	for (size_t i = 0; i < rs_geometry_voxels(&p.image.geometry); i++)
		p.image.voxels[i] = 7;
	assert_int_equal(rs_grow_open(&p.image, NULL, &how, &grow, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "the value"));
	phantom_finish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probabilities_are_those_of_a_direct_solver),
		cmocka_unit_test(nearest_is_nearest),
		cmocka_unit_test(three_strokes_or_a_box_are_enough),
		cmocka_unit_test(corrections_stay_near),
		cmocka_unit_test(learned_corrections_stay_near),
		cmocka_unit_test(several_images_tell_more_than_one),
		cmocka_unit_test(looks_are_those_of_another_solver),
		cmocka_unit_test(rough_outlines_are_drawn_to_the_border),
		cmocka_unit_test(pieces_go_and_holes_are_filled),
		cmocka_unit_test(refusals_say_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
