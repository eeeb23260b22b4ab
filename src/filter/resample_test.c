/* Resampling with aligned corners, against PyRadiomics 3.0.1 with SimpleITK 2.5.7. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter_resample.h"

#define IDENTITY                                  \
	{                                         \
		{1, 0, 0}, {0, 1, 0}, { 0, 0, 1 } \
	}

static const double plain[3][3] = IDENTITY;
static const double turned[3][3] = {{0, 0, -1}, {1, 0, 0}, {0, -1, 0}};
static const double oblique[3][3] = {{0.955336489125606, -0.29552020666133955, 0},
                                     {0.23641616532907164, 0.7642691913004849, -0.6},
                                     {0.1773121239968037, 0.5732018934753635, 0.8}};

struct scene {
	struct rs_volume image, out;
	struct rs_mask mask, resampled;
};

/* 7 x 6 x 4 voxels; label 3 in the middle, with a 2 in its corner and a 1 in the volume's. */
static void scene_prepare(struct scene *scene, enum rs_voxel_type stored, const double direction[3][3])
{
	struct rs_geometry geometry = {{7, 6, 4}, {1, 1.5, 2.5}, {10, -20, 30.5}, IDENTITY};
	struct rs_error err;
	memset(scene, 0, sizeof *scene);
	memcpy(geometry.direction, direction, sizeof geometry.direction);
	assert_int_equal(rs_volume_init(&scene->image, &geometry, &err), RS_OK);
	assert_int_equal(rs_mask_init(&scene->mask, &geometry, &err), RS_OK);
	scene->image.stored = stored;
	for (size_t i = 0; i < 7 * 6 * 4; i++)
		scene->image.voxels[i] = (double)(i * 7919 % 1013) - 500;
	for (size_t z = 1; z < 3; z++)
		for (size_t y = 2; y < 5; y++)
			for (size_t x = 1; x < 6; x++)
				scene->mask.labels[(z * 6 + y) * 7 + x] = 3;
	scene->mask.labels[(1 * 6 + 2) * 7 + 1] = 2;
	scene->mask.labels[0] = 1;
}

static void scene_finish(struct scene *scene)
{
	rs_volume_finish(&scene->image);
	rs_volume_finish(&scene->out);
	rs_mask_finish(&scene->mask);
	rs_mask_finish(&scene->resampled);
}

static enum rs_code resample(struct scene *scene, const double spacing_mm[3], enum rs_interpolator kind,
                             unsigned pad, struct rs_pool *pool, struct rs_error *err)
{
	return rs_resample_corners(&scene->image, &scene->mask, 3, spacing_mm, kind, pad, pool, &scene->out,
	                           &scene->resampled, err);
}

static size_t count_label(const struct rs_mask *mask, uint32_t label)
{
	size_t count = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&mask->geometry); i++)
		count += mask->labels[i] == label;
	return count;
}

/* imageoperations.resampleImage of the scene to 0.83 x 1.07 x 2.1 mm, padDistance 1: first, middle and last voxel, and
 * the sum of all. */
static const struct {
	enum rs_voxel_type stored;
	const double (*direction)[3];
	enum rs_interpolator kind;
	double expected[4];
} cases[] = {
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_NEAREST, {231, 335, 0, -76}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_LINEAR, {-83, 82, 0, 4472}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_BSPLINE, {-127, 127, 0, 4042}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_GAUSSIAN, {-67, 12, 0, 3862}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_LABEL_GAUSSIAN, {231, 335, 0, -76}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_HAMMING, {-59, 152, 0, 5119}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_COSINE, {-66, 145, 0, 5089}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_WELCH, {-69, 143, 0, 5075}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_LANCZOS, {-62, 148, 0, 5077}},
	{RS_VOXEL_I16, plain, RS_INTERPOLATE_BLACKMAN, {-49, 158, 0, 5035}},
	{RS_VOXEL_F64, plain, RS_INTERPOLATE_NEAREST, {231, 335, 0, -76}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_LINEAR,
         {-83.329999999999814, 82.019999999999783, 0, 4476.9412613333361}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_BSPLINE,
         {-127.03298849695634, 127.07075829836168, 0, 4038.3776472776526}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_GAUSSIAN,
         {-67.042686768737369, 12.255431001169843, 0, 3909.536806162404}},
	{RS_VOXEL_F64, plain, RS_INTERPOLATE_LABEL_GAUSSIAN, {231, 335, 0, -76}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_HAMMING,
         {-59.112861802755731, 152.63273028117658, 0, 5116.8648336525966}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_COSINE,
         {-66.740107368773963, 145.21644899752675, 0, 5082.2290267065346}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_WELCH,
         {-69.148728079301861, 143.15443500093383, 0, 5085.6609318011842}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_LANCZOS,
         {-62.900317842559581, 148.43683429134543, 0, 5077.1735764501855}},
	{RS_VOXEL_F64,
         plain,
         RS_INTERPOLATE_BLACKMAN,
         {-49.030817375790605, 158.47044623972121, 0, 5031.1843726262687}},
	{RS_VOXEL_F32, turned, RS_INTERPOLATE_NEAREST, {231, 335, 0, -76}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_LINEAR,
         {-83.330001831054688, 82.019996643066406, 0, 4476.9412449598312}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_BSPLINE,
         {-127.03298950195312, 127.07075500488281, 0, 4038.3776857852936}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_GAUSSIAN,
         {-67.042686462402344, 12.255431175231934, 0, 3909.5368150770664}},
	{RS_VOXEL_F32, turned, RS_INTERPOLATE_LABEL_GAUSSIAN, {231, 335, 0, -76}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_HAMMING,
         {-59.112861633300781, 152.63273620605469, 0, 5116.8647518157959}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_COSINE,
         {-66.740104675292969, 145.21644592285156, 0, 5082.2290425300598}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_WELCH,
         {-69.148727416992188, 143.15443420410156, 0, 5085.66097843647}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_LANCZOS,
         {-62.900318145751953, 148.43682861328125, 0, 5077.1735785007477}},
	{RS_VOXEL_F32,
         turned,
         RS_INTERPOLATE_BLACKMAN,
         {-49.030818939208984, 158.47044372558594, 0, 5031.1846213340759}},
	{RS_VOXEL_F64, oblique, RS_INTERPOLATE_NEAREST, {231, 335, 0, -76}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_LINEAR,
         {-83.330000000000439, 82.020000000000294, 0, 4476.9412613333334}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_BSPLINE,
         {-127.03298849695686, 127.07075829836343, 0, 4038.3776472776362}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_GAUSSIAN,
         {-67.04268676873734, 12.255431001169839, 0, 3909.5368061623976}},
	{RS_VOXEL_F64, oblique, RS_INTERPOLATE_LABEL_GAUSSIAN, {231, 335, 0, -76}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_HAMMING,
         {-59.11286180275647, 152.63273028117766, 0, 5116.864833652583}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_COSINE,
         {-66.740107368774957, 145.21644899752772, 0, 5082.2290267065227}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_WELCH,
         {-69.148728079302671, 143.15443500093474, 0, 5085.6609318011724}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_LANCZOS,
         {-62.900317842560469, 148.43683429134614, 0, 5077.1735764501664}},
	{RS_VOXEL_F64,
         oblique,
         RS_INTERPOLATE_BLACKMAN,
         {-49.030817375791223, 158.47044623972204, 0, 5031.1843726262541}},
};

static void voxels_are_those_of_itk(void **state)
{
	(void)state;
	const double spacing_mm[3] = {0.83, 1.07, 2.1};
	struct rs_pool *pool = NULL;
	struct rs_error err;
	assert_int_equal(rs_pool_create(2, &pool, &err), RS_OK);
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct scene scene;
		scene_prepare(&scene, cases[c].stored, cases[c].direction);
		assert_int_equal(resample(&scene, spacing_mm, cases[c].kind, 1, c % 2 ? pool : NULL, &err),
		                 RS_OK);
		assert_int_equal(scene.out.stored, cases[c].stored);
		const size_t count = rs_geometry_voxels(&scene.out.geometry);
		assert_int_equal(count, 9 * 8 * 5);
		double sum = 0;
		for (size_t i = 0; i < count; i++)
			sum += scene.out.voxels[i];
		const double got[] = {scene.out.voxels[0], scene.out.voxels[count / 2],
		                      scene.out.voxels[count - 1], sum};
		for (int k = 0; k < 4; k++) {
			double want = cases[c].expected[k];
			bool sum_of_all = k == 3; /* numpy adds in another order */
			if (!(fabs(got[k] - want) <= (sum_of_all ? 1e-10 * (1 + fabs(want)) : 0)))
				fail_msg("case %zu, number %d: %.17g, expected %.17g", c, k, got[k], want);
		}
		assert_int_equal(count_label(&scene.resampled, 3), 71);
		assert_int_equal(count_label(&scene.resampled, 2), 1);
		assert_int_equal(count_label(&scene.resampled, 1), 0);
		scene_finish(&scene);
	}
	rs_pool_destroy(pool);
}

static void check_geometry(const struct rs_geometry *got, const size_t size[3], const double spacing_mm[3],
                           const double origin_mm[3])
{
	for (int a = 0; a < 3; a++) {
		assert_int_equal(got->size[a], size[a]);
		assert_true(fabs(got->spacing_mm[a] - spacing_mm[a]) < 1e-12);
		assert_true(fabs(got->origin_mm[a] - origin_mm[a]) < 1e-12);
	}
}

static void grids_are_those_of_pyradiomics(void **state)
{
	(void)state;
	static const struct {
		const double (*direction)[3];
		double spacing_mm[3];
		unsigned pad;
		size_t size[3];
		double got_mm[3], origin_mm[3];
	} grids[] = {
		{plain, {0.83, 1.07, 2.1}, 1, {9, 8, 5}, {0.83, 1.07, 2.1}, {9.915, -19.145, 30.3}},
		{turned, {0.83, 1.07, 2.1}, 1, {9, 8, 5}, {0.83, 1.07, 2.1}, {10.2, -20.085, 29.645}},
		{oblique,
	         {0.83, 1.07, 2.1},
	         1,
	         {9, 8, 5},
	         {0.83, 1.07, 2.1},
	         {9.666126621728878, -19.246645215491057, 30.815016088381707}},
		{plain, {0, 1, 0}, 0, {7, 6, 4}, {1, 1, 2.5}, {10, -18.25, 30.5}},
		{plain, {1.000001, 1.5, 0}, 1, {7, 5, 4}, {1, 1.5, 2.5}, {10, -18.5, 30.5}},
	};
	for (size_t i = 0; i < RS_COUNT(grids); i++) {
		struct scene scene;
		struct rs_error err;
		scene_prepare(&scene, RS_VOXEL_I16, grids[i].direction);
		assert_int_equal(resample(&scene, grids[i].spacing_mm, RS_INTERPOLATE_BSPLINE, grids[i].pad,
		                          NULL, &err),
		                 RS_OK);
		check_geometry(&scene.out.geometry, grids[i].size, grids[i].got_mm, grids[i].origin_mm);
		check_geometry(&scene.resampled.geometry, grids[i].size, grids[i].got_mm, grids[i].origin_mm);
		assert_memory_equal(scene.out.geometry.direction, grids[i].direction, 9 * sizeof(double));
		scene_finish(&scene);
	}
}

/* Spacing 0 keeps an axis; a spacing the image has already only crops. */
static void in_plane_and_unchanged(void **state)
{
	(void)state;
	static const double in_plane[] = {283, -43, -228, -251}, unchanged[] = {231, 46, -139};
	struct scene scene;
	struct rs_error err;
	scene_prepare(&scene, RS_VOXEL_I16, plain);
	assert_int_equal(resample(&scene, (const double[3]){0, 1, 0}, RS_INTERPOLATE_BSPLINE, 0, NULL, &err),
	                 RS_OK);
	for (size_t i = 0; i < 4; i++)
		assert_true(scene.out.voxels[i] == in_plane[i]);
	assert_int_equal(count_label(&scene.resampled, 3), 39);
	scene_finish(&scene);
	scene_prepare(&scene, RS_VOXEL_I16, plain);
	assert_int_equal(
		resample(&scene, (const double[3]){1.000001, 1.5, 0}, RS_INTERPOLATE_LINEAR, 1, NULL, &err),
		RS_OK);
	for (size_t i = 0; i < 3; i++)
		assert_true(scene.out.voxels[i] == unchanged[i]);
	assert_int_equal(count_label(&scene.resampled, 3), 29);
	scene_finish(&scene);
}

/* A cut image's spline is the whole image's, to the last bit: only the neighbourhood of the region is filtered. */
static void far_voxels_do_not_matter(void **state)
{
	(void)state;
	struct rs_geometry geometry = {{400, 4, 3}, {1, 1, 1}, {0, 0, 0}, IDENTITY};
	struct rs_volume image, near, far;
	struct rs_mask mask, near_mask, far_mask;
	struct rs_error err;
	const double spacing_mm[3] = {0.7, 0.9, 1.3};
	assert_int_equal(rs_volume_init(&image, &geometry, &err), RS_OK);
	assert_int_equal(rs_mask_init(&mask, &geometry, &err), RS_OK);
	for (size_t i = 0; i < 4800; i++)
		image.voxels[i] = (double)(i * 7919 % 1013) - 500;
	mask.labels[200] = mask.labels[4799 - 200] = 3;
	assert_int_equal(rs_resample_corners(&image, &mask, 3, spacing_mm, RS_INTERPOLATE_BSPLINE, 1, NULL,
	                                     &near, &near_mask, &err),
	                 RS_OK);
	assert_int_equal(rs_resample_corners(&image, &mask, 3, spacing_mm, RS_INTERPOLATE_BSPLINE, 600, NULL,
	                                     &far, &far_mask, &err),
	                 RS_OK);
	size_t shift = (size_t)lround((near.geometry.origin_mm[0] - far.geometry.origin_mm[0]) / 0.7);
	assert_int_equal(far.geometry.size[0], 572);
	assert_true(near.geometry.size[0] < 10);
	for (size_t row = 0; row < near.geometry.size[1] * near.geometry.size[2]; row++)
		for (size_t x = 0; x < near.geometry.size[0]; x++) {
			double got = near.voxels[row * near.geometry.size[0] + x];
			double want = far.voxels[row * far.geometry.size[0] + x + shift];
			assert_true(fabs(got - want) <
			            1e-10); /* positions along a scan line round otherwise */
		}
	rs_volume_finish(&image);
	rs_volume_finish(&near);
	rs_volume_finish(&far);
	rs_mask_finish(&mask);
	rs_mask_finish(&near_mask);
	rs_mask_finish(&far_mask);
}

static void integers_keep_their_range(void **state)
{
	(void)state;
	struct scene scene;
	struct rs_error err;
	double low = 1000, high = -1000;
	scene_prepare(&scene, RS_VOXEL_U8, plain);
	for (size_t i = 0; i < 168; i++)
		scene.image.voxels[i] = i * 7919 % 3 ? 255 : 0;
	assert_int_equal(
		resample(&scene, (const double[3]){0.4, 0.4, 0.4}, RS_INTERPOLATE_BSPLINE, 2, NULL, &err),
		RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&scene.out.geometry); i++) {
		double value = scene.out.voxels[i];
		assert_true(value == trunc(value));
		low = fmin(low, value);
		high = fmax(high, value);
	}
	assert_true(low == 0 && high == 255); /* the spline swings beyond both */
	scene_finish(&scene);
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	struct scene scene;
	struct rs_error err;
	const double fine[3] = {1e-4, 1e-4, 1e-4}, negative[3] = {1, -1, 1}, one[3] = {1, 1, 1},
		     nan_mm[3] = {1, 1, NAN};
	scene_prepare(&scene, RS_VOXEL_I16, plain);
	assert_int_equal(rs_resample_corners(&scene.image, &scene.mask, 9, one, RS_INTERPOLATE_LINEAR, 5,
	                                     NULL, &scene.out, &scene.resampled, &err),
	                 RS_REFUSED);
	assert_non_null(strstr(err.message, "label 9"));
	assert_int_equal(resample(&scene, fine, RS_INTERPOLATE_LINEAR, 5, NULL, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "coarser"));
	assert_int_equal(resample(&scene, negative, RS_INTERPOLATE_LINEAR, 5, NULL, &err), RS_USAGE);
	assert_int_equal(resample(&scene, nan_mm, RS_INTERPOLATE_LINEAR, 5, NULL, &err), RS_USAGE);
	scene.mask.geometry.origin_mm[1] += 4;
	assert_int_equal(resample(&scene, one, RS_INTERPOLATE_LINEAR, 5, NULL, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "along y"));
	scene.mask.geometry.origin_mm[1] -= 4;
	memset(scene.image.geometry.direction, 0, sizeof scene.image.geometry.direction);
	assert_int_equal(resample(&scene, one, RS_INTERPOLATE_LINEAR, 5, NULL, &err), RS_REFUSED);
	assert_null(scene.out.voxels);
	assert_null(scene.resampled.labels);
	scene_finish(&scene);
}

static void lack_of_memory_is_told(void **state)
{
	(void)state;
	struct scene scene;
	struct rs_error err;
	enum rs_code code = RS_NO_MEMORY;
	unsigned k = 0;
	scene_prepare(&scene, RS_VOXEL_I16, plain);
	while (code == RS_NO_MEMORY) {
		rs_memory_fail_at(++k);
		code = resample(&scene, (const double[3]){2, 2, 2}, RS_INTERPOLATE_BSPLINE, 5, NULL, &err);
	}
	rs_memory_fail_at(0);
	assert_int_equal(code, RS_OK);
	assert_true(k > 4);
	scene_finish(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(voxels_are_those_of_itk),   cmocka_unit_test(grids_are_those_of_pyradiomics),
		cmocka_unit_test(in_plane_and_unchanged),    cmocka_unit_test(far_voxels_do_not_matter),
		cmocka_unit_test(integers_keep_their_range), cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
