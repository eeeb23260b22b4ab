/* The generated table of wavelets, as wavelet.c reads it. */
#ifndef RS_FILTER_WAVELET_TABLE_H
#define RS_FILTER_WAVELET_TABLE_H

#include <stddef.h>

struct wavelet_entry {
	const char *name;
	size_t taps;
	const double *low;  /* decomposition low-pass */
	const double *dual; /* reconstruction low-pass; NULL where it is `low` reversed */
};
extern const struct wavelet_entry wavelet_entries[];
extern const size_t wavelet_entry_count;

#endif
