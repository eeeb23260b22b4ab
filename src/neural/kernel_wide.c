/* The same products with AVX2 and FMA, where the processor has them (from 2013 on). */
#include "kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define TALL 4
#define ACROSS 2
#define OF(name) wide_##name
#define SPLAT_ROW(x) ((row_lanes)_mm256_set1_ps(x))
#define FUSE_ROW(sum, x, y) ((sum) = (row_lanes)_mm256_fmadd_ps((__m256)(x), (__m256)(y), (__m256)(sum)))
#define FUSE(sum, x, y) ((sum) = (lanes)_mm256_fmadd_ps((__m256)(x), (__m256)(y), (__m256)(sum)))
#include "kernel_body.h"

static const struct product_ways ways = {wide_add, wide_add_transposed};

const struct product_ways *product_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &ways : NULL;
}

#else

const struct product_ways *product_wide(void) { return NULL; }

#endif
