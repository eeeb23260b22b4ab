/* The same products with AVX-512, where the processor has it: registers of sixteen lanes, each of which does what it does
 * elsewhere. */
#include "kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define WIDTH 16
#define TALL 8
#define ACROSS 4
#define OF(name) widest_##name
#define SPLAT_ROW(x) ((row_lanes)_mm512_set1_ps(x))
#define FUSE_ROW(sum, x, y) ((sum) = (row_lanes)_mm512_fmadd_ps((__m512)(x), (__m512)(y), (__m512)(sum)))
#define FUSE(sum, x, y) ((sum) = (lanes)_mm256_fmadd_ps((__m256)(x), (__m256)(y), (__m256)(sum)))
#include "kernel_body.h"

static const struct product_ways ways = {widest_add, widest_add_transposed};

const struct product_ways *product_widest(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	                       __builtin_cpu_supports("fma")
	               ? &ways
	               : NULL;
}

#else

const struct product_ways *product_widest(void) { return NULL; }

#endif
