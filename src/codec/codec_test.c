/* Frames through every codec: bytes of a published example, what another's decoder says of our streams (tests/system has
 * DCMTK and pydicom), and what damaged frames and killed workers come to. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "codec/codec.h"

#define JPEG_LS "1.2.840.10008.1.2.4.80"
#define J2K "1.2.840.10008.1.2.4.90"

/* Apple's technical note 1023 ("Understanding PackBits"), and TIFF 6.0 section 9 after it. */
static void the_published_example_of_packbits(void **state)
{
	static const uint8_t packed[] = {0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA,
	                                 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA};
	static const uint8_t wanted[] = {0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA,
	                                 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22, 0xAA, 0xAA,
	                                 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA};
	const struct rs_codec_shape shape = {
		.rows = 1, .columns = 24, .samples = 1, .bits_allocated = 8, .bits_stored = 8};
	uint8_t frame[64 + sizeof packed] = {1, 0, 0, 0, 64}, out[24];
	struct rs_codec_decoded what;
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	memcpy(frame + 64, packed, sizeof packed);
	assert_int_equal(
		rs_codec_decode(RS_CODEC_RLE, &shape, rs_bytes_of(frame, sizeof frame), out, &what, &err),
		RS_OK);
	assert_memory_equal(out, wanted, sizeof wanted);
	rs_buffer_init(&again, 4096);
	assert_int_equal(
		rs_codec_encode(RS_CODEC_RLE, &shape, rs_bytes_of(wanted, sizeof wanted), 0, &again, &err),
		RS_OK);
	assert_int_equal(again.size, sizeof frame + 1); /* padded to even */
	assert_memory_equal(again.data + 64, packed, sizeof packed);
}

/* Waves and noise of as many bits as are stored, signed ones extended. */
static void fill(const struct rs_codec_shape *shape, uint8_t *out, size_t size)
{
	const size_t bytes = shape->bits_allocated / 8;
	uint32_t random = 7;
	for (size_t i = 0; i < size / bytes; i++) {
		random = random * 1664525 + 1013904223;
		uint32_t value = (uint32_t)(i * i / 97 + (random >> 29)) & ((1u << shape->bits_stored) - 1);
		if (shape->is_signed && value >> (shape->bits_stored - 1) != 0)
			value |= ~((1u << shape->bits_stored) - 1);
		for (size_t k = 0; k < bytes; k++)
			out[i * bytes + k] = (uint8_t)(value >> (8 * k));
	}
}

static void what_is_compressed_without_loss_comes_back(void **state)
{
	static const char *const syntaxes[] = {RS_CODEC_RLE, JPEG_LS, J2K};
	static const struct rs_codec_shape shapes[] = {
		{33, 47, 1, 8, 8, false, false},   {64, 31, 1, 16, 12, false, false},
		{5, 200, 1, 16, 16, false, false}, {64, 64, 1, 16, 12, true, false},
		{40, 30, 3, 8, 8, false, false},   {1, 1, 1, 16, 10, false, false},
		{30, 300, 1, 16, 16, true, false},
	};
	static uint8_t pixels[32768], out[32768];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(syntaxes) * RS_COUNT(shapes); i++) {
		const char *syntax = syntaxes[i / RS_COUNT(shapes)];
		const struct rs_codec_shape *shape = &shapes[i % RS_COUNT(shapes)];
		struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_codec_decoded what = {0};
		struct rs_error err = {0};
		size_t size = 0;
		assert_true(rs_codec_size(shape, &size) && size <= sizeof pixels);
		fill(shape, pixels, size);
		rs_buffer_init(&stream, 1 << 20);
		if (rs_codec_encode(syntax, shape, rs_bytes_of(pixels, size), 0, &stream, &err) != RS_OK ||
		    rs_codec_decode(syntax, shape, rs_buffer_bytes(&stream), out, &what, &err) != RS_OK)
			fail_msg("%s, shape %zu: %s", syntax, i % RS_COUNT(shapes), err.message);
		assert_memory_equal(out, pixels, size);
		assert_int_equal(what.bits, strcmp(syntax, RS_CODEC_RLE) == 0 ? 0 : shape->bits_stored);
	}
}

static const struct rs_codec_shape square = {32, 32, 1, 8, 8, false, false};

static void encoded(const char *syntax, struct rs_buffer *out)
{
	static uint8_t pixels[1024];
	struct rs_error err = {0};
	fill(&square, pixels, sizeof pixels);
	rs_buffer_init(out, 1 << 16);
	if (rs_codec_encode(syntax, &square, rs_bytes_of(pixels, sizeof pixels), 90, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* Every cut and many flips: refused by a sentence, or decoded; the worker lives on. */
static void damaged_frames_are_refused_by_a_sentence(void **state)
{
	static const char *const syntaxes[] = {RS_CODEC_RLE, RS_CODEC_JPEG, JPEG_LS, J2K,
	                                       "1.2.840.10008.1.2.4.70"};
	uint8_t out[1024];
	(void)state;
	for (size_t s = 0; s < RS_COUNT(syntaxes); s++) {
		struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_codec_decoded what;
		encoded(rs_codec_encodes(syntaxes[s]) ? syntaxes[s] : RS_CODEC_JPEG, &stream);
		for (size_t i = 0; i < 400; i++) {
			struct rs_error err = {0};
			const size_t at = i * 7919 % stream.size;
			const size_t size = i % 2 == 0 ? stream.size : at;
			stream.data[at] ^= (uint8_t)(1u << i % 8);
			const enum rs_code code = rs_codec_decode(
				syntaxes[s], &square, rs_bytes_of(stream.data, size), out, &what, &err);
			stream.data[at] ^= (uint8_t)(1u << i % 8);
			assert_true(code == RS_OK || (err.message[0] != '\0' &&
			                              (code == RS_MALFORMED || code == RS_UNSUPPORTED)));
		}
	}
}

static void what_the_header_does_not_say_is_refused(void **state)
{
	static const struct rs_codec_shape wrong[] = {{32, 31, 1, 8, 8, false, false},
	                                              {33, 32, 1, 8, 8, false, false},
	                                              {32, 32, 3, 8, 8, false, false}};
	static const char *const syntaxes[] = {RS_CODEC_JPEG, JPEG_LS, J2K};
	static uint8_t out[4096];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(syntaxes) * RS_COUNT(wrong); i++) {
		struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_codec_decoded what;
		struct rs_error err = {0};
		encoded(syntaxes[i / 3], &stream);
		assert_int_equal(rs_codec_decode(syntaxes[i / 3], &wrong[i % 3], rs_buffer_bytes(&stream),
		                                 out, &what, &err),
		                 RS_MALFORMED);
		assert_non_null(strstr(err.message, "the header says"));
	}
	struct rs_codec_shape huge = {65535, 65535, 1, 16, 16, false, false};
	struct rs_error err = {0};
	struct rs_codec_decoded what;
	assert_int_equal(rs_codec_decode(J2K, &huge, rs_bytes_of("", 0), out, &what, &err), RS_TOO_LARGE);
}

static void kill_children(void)
{
	char path[64];
	long child;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *children = fopen(path, "r");
	assert_non_null(children);
	while (fscanf(children, "%ld", &child) == 1)
		kill((pid_t)child, SIGKILL);
	fclose(children);
}

static void a_killed_worker_is_replaced(void **state)
{
	uint8_t out[1024];
	struct rs_codec_decoded what;
	struct rs_error err = {0};
	struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	encoded(J2K, &stream);
	for (int i = 0; i < 3; i++) {
		kill_children();
		if (rs_codec_decode(J2K, &square, rs_buffer_bytes(&stream), out, &what, &err) != RS_OK)
			fail_msg("%s", err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_example_of_packbits),
		cmocka_unit_test(what_is_compressed_without_loss_comes_back),
		cmocka_unit_test(damaged_frames_are_refused_by_a_sentence),
		cmocka_unit_test(what_the_header_does_not_say_is_refused),
		cmocka_unit_test(a_killed_worker_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
