/* Shared by the tests of filters: volumes whose voxels other programs can make too, and what every filter keeps. */
#ifndef RS_FILTER_TEST_H
#define RS_FILTER_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter.h"

/* Voxel i is i * 7919 mod 1013 - 500; a seventh of it for float32 and float64, mod 256 for uint8. */
static inline struct rs_volume volume_of(size_t x, size_t y, size_t z, enum rs_voxel_type stored)
{
	struct rs_geometry geometry = {
		{x, y, z}, {0.75, 1.25, 3}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_volume volume;
	struct rs_error err;
	assert_int_equal(rs_volume_init(&volume, &geometry, &err), RS_OK);
	volume.stored = stored;
	for (size_t i = 0; i < x * y * z; i++) {
		double value = (double)(i * 7919 % 1013) - 500;
		volume.voxels[i] = stored == RS_VOXEL_U8    ? (double)(i * 7919 % 1013 % 256)
		                   : stored == RS_VOXEL_F32 ? (double)(float)(value / 7)
		                   : stored == RS_VOXEL_F64 ? value / 7
		                                            : value;
	}
	return volume;
}

static inline struct rs_box whole_of(const struct rs_volume *volume)
{
	struct rs_box box = {.size = {0}};
	memcpy(box.size, volume->geometry.size, sizeof box.size);
	return box;
}

/* A filter with its parameters; it writes `blocks` blocks of the box one behind the other. */
struct filter_call {
	enum rs_code (*run)(const struct filter_call *call, const struct rs_volume *volume,
	                    const struct rs_box *box, struct rs_pool *pool, double *out,
	                    struct rs_error *err);
	double number;
	unsigned choice[3];
	size_t blocks;
};

static inline double *filtered(const struct filter_call *call, const struct rs_volume *volume,
                               const struct rs_box *box, struct rs_pool *pool)
{
	struct rs_error err;
	double *out = rs_allocate_array(call->blocks * rs_box_voxels(box), sizeof *out);
	assert_non_null(out);
	if (call->run(call, volume, box, pool, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	return out;
}

/* The reference's values at voxels 0, n/5, 2n/5 … n - 1; NaN stands for NaN. */
#define EXPECTED 6
static inline void expect_values(const char *name, const double *got, size_t count,
                                 const double expected[EXPECTED], double tolerance)
{
	for (size_t k = 0; k < EXPECTED; k++) {
		double value = got[k + 1 < EXPECTED ? k * count / 5 : count - 1];
		bool same = isnan(expected[k])
		                    ? isnan(value)
		                    : fabs(value - expected[k]) <= tolerance * fmax(1, fabs(expected[k]));
		if (!same)
			fail_msg("%s, place %zu: %.17g, expected %.17g", name, k, value, expected[k]);
	}
}

/* A box, and a pool, give the bits of the whole volume. */
static inline void expect_same_parts(const struct filter_call *call, const struct rs_volume *volume)
{
	struct rs_box all = whole_of(volume);
	const size_t *n = all.size;
	const struct rs_box parts[] = {all,
	                               {{n[0] / 3, n[1] / 4, 1}, {n[0] / 2, n[1] / 3, n[2] - 2}},
	                               {{0, n[1] - 1, n[2] - 2}, {n[0], 1, 2}},
	                               {{n[0] - 1, 0, 0}, {1, n[1], n[2] - 1}}};
	double *want = filtered(call, volume, &all, NULL);
	for (size_t p = 0; p < RS_COUNT(parts); p++)
		for (unsigned threads = 1; threads <= 3; threads += 2) {
			struct rs_pool *pool = NULL;
			struct rs_error err;
			assert_int_equal(rs_pool_create(threads, &pool, &err), RS_OK);
			double *got = filtered(call, volume, &parts[p], pool);
			const size_t *s = parts[p].size, *f = parts[p].first;
			size_t count = rs_box_voxels(&parts[p]);
			for (size_t i = 0; i < call->blocks * count; i++) {
				size_t v = i % count, z = f[2] + v / (s[0] * s[1]),
				       y = f[1] + v / s[0] % s[1];
				size_t at = (i / count * n[2] + z) * n[1] * n[0] + y * n[0] + f[0] + v % s[0];
				assert_memory_equal(got + i, want + at, sizeof *got);
			}
			rs_free(got);
			rs_pool_destroy(pool);
		}
	rs_free(want);
}

/* The first call that gets all the memory it asks for is RS_OK; those before touched nothing. */
static inline void expect_told_memory(const struct filter_call *call, const struct rs_volume *volume,
                                      unsigned least)
{
	struct rs_box box = whole_of(volume);
	struct rs_error err;
	size_t count = call->blocks * rs_box_voxels(&box);
	double *out = rs_allocate_array(count, sizeof *out);
	assert_non_null(out);
	enum rs_code code = RS_NO_MEMORY;
	unsigned k = 0;
	while (code == RS_NO_MEMORY) {
		for (size_t i = 0; i < count; i++)
			assert_true(!(out[i] < 0) && !(out[i] > 0));
		rs_memory_fail_at(++k);
		code = call->run(call, volume, &box, NULL, out, &err);
	}
	rs_memory_fail_at(0);
	assert_int_equal(code, RS_OK);
	assert_true(k > least);
	rs_free(out);
}

static inline void expect_refused(const struct filter_call *call, const struct rs_volume *volume,
                                  const struct rs_box *box, enum rs_code code, const char *words)
{
	struct rs_error err = {0};
	double out[8] = {0};
	assert_int_equal(call->run(call, volume, box, NULL, out, &err), code);
	if (!strstr(err.message, words))
		fail_msg("'%s' is not in '%s'", words, err.message);
	for (size_t i = 0; i < RS_COUNT(out); i++)
		assert_true(!(out[i] < 0) && !(out[i] > 0));
}

#endif
