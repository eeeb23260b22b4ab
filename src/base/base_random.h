/* Numbers that look random and are the same everywhere: for bootstraps, permutations, generated data. Never for secrets. */
#ifndef RS_BASE_RANDOM_H
#define RS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
struct rs_stream {
	uint64_t state;
};
static inline uint64_t rs_stream_next(struct rs_stream *stream)
{
	uint64_t z = stream->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
/* Streams of one seed, one for each index (a tree, a fold), that share nothing. */
static inline struct rs_stream rs_stream_of(uint64_t seed, uint64_t index)
{
	struct rs_stream mixed = {seed}, own = {rs_stream_next(&mixed) ^ (index * 0xd1342543de82ef95u)};
	own.state = rs_stream_next(&own);
	return own;
}
__extension__ typedef unsigned __int128 rs_wide;
/* 0 … bound - 1, each as likely (Lemire 2019); bound > 0. */
static inline uint64_t rs_stream_below(struct rs_stream *stream, uint64_t bound)
{
	for (;;) {
		uint64_t x = rs_stream_next(stream);
		rs_wide product = (rs_wide)x * bound;
		if ((uint64_t)product >= (-bound) % bound)
			return (uint64_t)(product >> 64);
	}
}
/* [0, 1), 53 bits. */
static inline double rs_stream_unit(struct rs_stream *stream)
{
	return (double)(rs_stream_next(stream) >> 11) * 0x1p-53;
}

/* 0 … count - 1 in any order. */
static inline void rs_shuffle(size_t *order, size_t count, uint64_t seed, uint64_t index)
{
	struct rs_stream stream = rs_stream_of(seed, index);
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count; i > 1; i--) {
		size_t j = (size_t)rs_stream_below(&stream, i), kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}

#endif
