/* A region as rows of bits, see bits.c. */
#ifndef RS_RADIOMICS_BITS_H
#define RS_RADIOMICS_BITS_H

#include "radiomics/evidence.h"

/* Padded by one voxel on every side: voxel (x, y, z) of the bounding box is bit x + 1 of row (y + 1, z + 1). Bits
 * after the padding are 0, and behind the last row is one word more: so the bit after bit 63 of any word is bit 0 of
 * the next one, also at a row's end, where both are 0. */
struct bit_rows {
	size_t size[3]; /* of the bounding box */
	size_t per_row; /* words */
	uint64_t *words;
};
enum rs_code bit_rows_init(struct bit_rows *out, const struct region *region, struct rs_error *err);
void bit_rows_finish(struct bit_rows *bits); /* accepts zeroed memory */

/* y and z count the padding: 0 … size + 1. */
static inline const uint64_t *bit_row(const struct bit_rows *bits, size_t y, size_t z)
{
	return bits->words + (z * (bits->size[1] + 2) + y) * bits->per_row;
}

/* Bit b of the result is bit b + 1 of the row, of whose words this is one. */
static inline uint64_t next_bits(const uint64_t *word) { return word[0] >> 1 | word[1] << 63; }

/* The lowest set bit; the word is not 0. */
static inline unsigned lowest_bit(uint64_t word) { return (unsigned)__builtin_ctzll(word); }
static inline unsigned highest_bit(uint64_t word) { return 63 - (unsigned)__builtin_clzll(word); }

#endif
