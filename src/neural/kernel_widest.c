/* The same products with AVX-512, where the processor has it: registers of sixteen lanes, each of which does what it does
 * elsewhere. */
#include "kernel.h"

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx512f,avx512vl,avx2")))
#define WIDTH 16
#define TALL 8
#define ACROSS 4
#define OF(name) widest_##name
#include "kernel_body.h"

static const struct product_ways ways = {widest_add, widest_add_transposed};

const struct product_ways *product_widest(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? &ways : NULL;
}

#else

const struct product_ways *product_widest(void) { return NULL; }

#endif
