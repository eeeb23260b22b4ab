/* Two SHA-256 at once. The processor's SHA instructions wait for each other's results most of the time: those of a second
 * hash fit in between, so that two take the time of one. FIPS 180-4 section 6.2.2 in the form that the instructions have: two
 * registers of state, four rounds at a time. Without them one hash is made after the other. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/crypto.h"

#include <openssl/sha.h>
#include <stdatomic.h>

#define BLOCK_SIZE ((size_t)64)

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define STEPS 16 /* of four rounds */
#define INSTRUCTIONS __attribute__((target("sha,sse4.1")))

/* FIPS 180-4 section 4.2.2. */
static const _Alignas(16) uint32_t constants[4 * STEPS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* A hash while blocks go by: its working variables as the instructions want them, and the last 16 words of the schedule. */
struct lane {
	__m128i abef, cdgh, words[4];
};

INSTRUCTIONS static __m128i load(const void *from) { return _mm_loadu_si128(from); }

INSTRUCTIONS static inline void lane_begin(struct lane *lane, const SHA256_CTX *hash)
{
	__m128i badc = _mm_shuffle_epi32(load(hash->h), 0xB1),
		hgfe = _mm_shuffle_epi32(load(hash->h + 4), 0x1B);
	lane->abef = _mm_alignr_epi8(badc, hgfe, 8);
	lane->cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
}

INSTRUCTIONS static inline void lane_end(const struct lane *lane, SHA256_CTX *hash)
{
	__m128i feba = _mm_shuffle_epi32(lane->abef, 0x1B), dchg = _mm_shuffle_epi32(lane->cdgh, 0xB1);
	_mm_storeu_si128((void *)hash->h, _mm_blend_epi16(feba, dchg, 0xF0));
	_mm_storeu_si128((void *)(hash->h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four rounds of the block that is being hashed. */
INSTRUCTIONS static inline __attribute__((always_inline)) void lane_step(struct lane *lane, unsigned step,
                                                                         const uint8_t *block)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i *words = lane->words, *now = &words[step % 4];
	const __m128i next = words[(step + 1) % 4], other = words[(step + 2) % 4],
		      last = words[(step + 3) % 4];
	if (step < 4)
		*now = _mm_shuffle_epi8(load(block + (size_t)16 * step), big_endian);
	else
		*now = _mm_sha256msg2_epu32(
			_mm_add_epi32(_mm_sha256msg1_epu32(*now, next), _mm_alignr_epi8(last, other, 4)),
			last);
	__m128i sum = _mm_add_epi32(*now, load(constants + (size_t)4 * step));
	lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
	lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

INSTRUCTIONS static void hash_blocks(SHA256_CTX *first, const uint8_t *a, SHA256_CTX *second,
                                     const uint8_t *b, size_t count)
{
	struct lane one = {.abef = _mm_setzero_si128()}, two = {.abef = _mm_setzero_si128()};
	lane_begin(&one, first);
	lane_begin(&two, second);
	for (; count > 0; count--, a += BLOCK_SIZE, b += BLOCK_SIZE) {
		const struct lane before[2] = {one, two};
#pragma GCC unroll 16
		for (unsigned step = 0; step < STEPS; step++) {
			lane_step(&one, step, a);
			lane_step(&two, step, b);
		}
		one.abef = _mm_add_epi32(one.abef, before[0].abef);
		one.cdgh = _mm_add_epi32(one.cdgh, before[0].cdgh);
		two.abef = _mm_add_epi32(two.abef, before[1].abef);
		two.cdgh = _mm_add_epi32(two.cdgh, before[1].cdgh);
	}
	lane_end(&one, first);
	lane_end(&two, second);
}

static bool ask_processor(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* Within a virtual machine asking takes longer than hashing a page. */
static bool has_instructions(void)
{
	static atomic_int known; /* 0: not yet, 1: no, 2: yes */
	int answer = atomic_load_explicit(&known, memory_order_relaxed);
	if (answer == 0) {
		answer = ask_processor() ? 2 : 1;
		atomic_store_explicit(&known, answer, memory_order_relaxed);
	}
	return answer == 2;
}
#else
static void hash_blocks(SHA256_CTX *first, const uint8_t *a, SHA256_CTX *second, const uint8_t *b,
                        size_t count)
{
	SHA256_Update(first, a, count * BLOCK_SIZE);
	SHA256_Update(second, b, count * BLOCK_SIZE);
}

static bool has_instructions(void) { return false; }
#endif

/* The length in bits, which stands in two words. */
static void count_blocks(SHA256_CTX *hash, size_t count)
{
	uint64_t bits = ((uint64_t)hash->Nh << 32 | hash->Nl) + (uint64_t)count * BLOCK_SIZE * 8;
	hash->Nl = (SHA_LONG)(bits & 0xffffffffU);
	hash->Nh = (SHA_LONG)(bits >> 32);
}

/* As many bytes as end the block that is begun. */
static struct rs_bytes end_block(SHA256_CTX *hash, struct rs_bytes bytes)
{
	size_t size = hash->num > 0 ? BLOCK_SIZE - hash->num : 0;
	size = size < bytes.size ? size : bytes.size;
	if (size > 0)
		SHA256_Update(hash, bytes.data, size);
	return rs_bytes_of(bytes.data + size, bytes.size - size);
}

void rs_sha256_update_pair(struct rs_sha256 *first, struct rs_bytes a, struct rs_sha256 *second,
                           struct rs_bytes b)
{
	SHA256_CTX *one = (SHA256_CTX *)(void *)first->state, *two = (SHA256_CTX *)(void *)second->state;
	if (has_instructions()) {
		a = end_block(one, a);
		b = end_block(two, b);
		size_t count = (a.size < b.size ? a.size : b.size) / BLOCK_SIZE, size = count * BLOCK_SIZE;
		if (count > 0) {
			hash_blocks(one, a.data, two, b.data, count);
			count_blocks(one, count);
			count_blocks(two, count);
			a = rs_bytes_of(a.data + size, a.size - size);
			b = rs_bytes_of(b.data + size, b.size - size);
		}
	}
	rs_sha256_update(first, a.data, a.size);
	rs_sha256_update(second, b.data, b.size);
}
