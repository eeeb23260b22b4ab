/* Shared by the tests of image: files on a simulated disk, and what a refusal must say. */
#ifndef RS_IMAGE_TEST_H
#define RS_IMAGE_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base_sim.h"
#include "image/image.h"

static struct rs_sim *test_sim;
static const struct rs_world *test_world;

static inline int test_setup(void **state)
{
	struct rs_error err = {0};
	(void)state;
	if (rs_sim_create(1, &test_sim, &err) != RS_OK)
		return -1;
	test_world = rs_sim_world(test_sim);
	return rs_directory_make(test_world, "/d", &err) == RS_OK ? 0 : -1;
}

static inline int test_teardown(void **state)
{
	(void)state;
	rs_sim_destroy(test_sim);
	return 0;
}

static inline void put_file(const char *path, const void *data, size_t size)
{
	struct rs_error err = {0};
	if (rs_file_replace(test_world, path, rs_bytes_of(data, size), 0600, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* A text header and, behind it, `size` bytes of voxels. */
static inline void put_text(const char *path, const char *header, const char *data, size_t size)
{
	char file[2048];
	size_t length = strlen(header);
	assert_true(length + size <= sizeof file);
	memcpy(file, header, length);
	if (size)
		memcpy(file + length, data, size);
	put_file(path, file, length + size);
}

static inline enum rs_code read_volume(const char *path, struct rs_volume *out, struct rs_error *err)
{
	*err = (struct rs_error){0};
	enum rs_code code = rs_volume_read(test_world, path, out, err);
	assert_true(code == RS_OK || err->message[0] != '\0');
	return code;
}

/* Refused with this code, by a sentence that holds these words; the output is untouched. */
static inline void refused(const char *path, enum rs_code code, const char *words)
{
	struct rs_volume volume = {.voxels = NULL};
	struct rs_error err;
	assert_int_equal(read_volume(path, &volume, &err), code);
	assert_null(volume.voxels);
	if (!strstr(err.message, words))
		fail_msg("'%s' is not in '%s'", words, err.message);
}

/* No beginning of the file passes for a whole one. */
static inline void every_cut_is_refused_of(const char *path, const void *data, size_t size)
{
	for (size_t cut = 0; cut < size; cut++) {
		struct rs_volume volume = {.voxels = NULL};
		struct rs_error err;
		put_file(path, data, cut);
		assert_int_not_equal(read_volume(path, &volume, &err), RS_OK);
	}
}

static inline void near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-6))
		fail_msg("%.9g is not %.9g", a, b);
}

#endif
