/* The region as bits: 64 voxels at a time are compared with their neighbours, and where nothing changes nothing is
 * done. What is found is then counted in integers, so it does not matter in which order. */
#include "radiomics/bits.h"

#include <string.h>

void bit_rows_finish(struct bit_rows *bits)
{
	rs_free(bits->words);
	*bits = (struct bit_rows){0};
}

/* Eight bytes of 0 or 1 to eight bits: the product moves byte k to bit 56 + k, and nothing else above bit 55. */
static uint64_t pack(const uint8_t *bytes) { return rs_read_le64(bytes) * 0x0102040810204080U >> 56; }

/* Bit 0 is left free. */
static void pack_row(const uint8_t *inside, size_t count, uint64_t *row)
{
	size_t x = 0;
	for (; x + 8 <= count; x += 8) {
		uint64_t byte = pack(inside + x);
		size_t bit = x + 1, word = bit / 64, shift = bit % 64;
		row[word] |= byte << shift;
		if (shift > 56)
			row[word + 1] |= byte >> (64 - shift);
	}
	for (; x < count; x++)
		row[(x + 1) / 64] |= (uint64_t)inside[x] << (x + 1) % 64;
}

enum rs_code bit_rows_init(struct bit_rows *out, const struct region *region, struct rs_error *err)
{
	const size_t *size = region->size;
	struct bit_rows bits = {.size = {size[0], size[1], size[2]}, .per_row = (size[0] + 2) / 64 + 1};
	size_t rows, bytes;
	bits.words = rs_mul_size(size[1] + 2, size[2] + 2, &rows) &&
	                             rs_mul_size(rows, bits.per_row * sizeof *bits.words, &bytes)
	                     ? rs_allocate(bytes + sizeof *bits.words)
	                     : NULL;
	if (bits.words == NULL)
		return rs_error_memory(err, (size[1] + 2) * (size[2] + 2) * bits.per_row * 8,
		                       "a region's bits");
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++)
			pack_row(region->inside + (z * size[1] + y) * size[0], size[0],
			         bits.words + ((z + 1) * (size[1] + 2) + y + 1) * bits.per_row);
	*out = bits;
	return RS_OK;
}
