/* The same products with AVX2, where the processor has it. Without it being asked for, no fused multiply-add is used: it
 * would round once where others round twice. */
#include "kernel.h"

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx2")))
#define WIDTH 8
#define TALL 4
#define ACROSS 2
#define OF(name) wide_##name
#include "kernel_body.h"

static const struct product_ways ways = {wide_add, wide_add_transposed};

const struct product_ways *product_wide(void) { return __builtin_cpu_supports("avx2") ? &ways : NULL; }

#else

const struct product_ways *product_wide(void) { return NULL; }

#endif
