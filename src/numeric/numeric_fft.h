/* Discrete Fourier transforms of several lines at once, one in each lane of the processor's vectors; sizes are
 * products of 2, 3 and 5. The same bits on every machine: no order of sums depends on vectors or threads. */
#ifndef RS_NUMERIC_FFT_H
#define RS_NUMERIC_FFT_H

#include "base/base.h"

#define RS_FFT_LANES 4
#define RS_FFT_SIZE_MAX 4194304
#define RS_FFT_PASSES_MAX 16

/* One element of RS_FFT_LANES lines. */
struct rs_fft_element {
	double re[RS_FFT_LANES], im[RS_FFT_LANES];
};

struct rs_fft {
	size_t size;
	unsigned pass_count;
	unsigned char radix[RS_FFT_PASSES_MAX];
	double (*roots)[2]; /* of all passes, in the order they are used: cosine, minus sine */
};

/* The least size of a transform that is not below `at_least`; 0 above RS_FFT_SIZE_MAX. */
size_t rs_fft_size(size_t at_least);
/* errors  RS_USAGE for a size that is no product of 2, 3 and 5, or above the limit; RS_NO_MEMORY */
enum rs_code rs_fft_init(struct rs_fft *out, size_t size, struct rs_error *err);
void rs_fft_finish(struct rs_fft *fft); /* accepts NULL and zeroed memory */
/* Forward, unscaled: out[k] = sum over j of in[j] exp(-2 pi i j k / size).
 * lines  64-byte aligned; the result is in `lines` or in `spare`, whichever is returned; the other is destroyed
 * source  Stockham's autosort transform, in Van Loan, "Computational Frameworks for the FFT" (1992), 1.7 */
struct rs_fft_element *rs_fft_forward(const struct rs_fft *fft, struct rs_fft_element *lines,
                                      struct rs_fft_element *spare);

#endif
