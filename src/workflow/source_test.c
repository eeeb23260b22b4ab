/* Content that is read twice is the same both times, or refused. */
#include "node/node_test.h"

#include "workflow/workflow_source.h"

#define PATH "/scan.nii"
#define SIZE ((size_t)2 * 1024 * 1024 + 700 * 1024 + 33)

static uint8_t bytes[SIZE + 1];

struct fixture {
	struct rs_sim *sim;
	struct source source;
	struct classified what;
};

static int make(void **state)
{
	struct fixture *f = rs_allocate(sizeof *f);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	write_header(bytes, 100, 1); /* others may follow the voxels */
	*state = f;
	return f ? rs_sim_create(3, &f->sim, NULL) != RS_OK : -1;
}

static int finish(void **state)
{
	struct fixture *f = *state;
	source_finish(&f->source);
	rs_sim_destroy(f->sim);
	rs_free(f);
	return 0;
}

static enum rs_code open_of_size(struct fixture *f, size_t size, struct rs_error *err)
{
	source_finish(&f->source);
	assert_int_equal(rs_file_replace(rs_sim_world(f->sim), PATH, rs_bytes_of(bytes, size), 0600, NULL),
	                 RS_OK);
	RS_TRY(source_open(rs_sim_world(f->sim), PATH, RS_OBJECT_CHUNK_SIZE, &f->source, err));
	return source_recognise(&f->source, &f->what, err);
}

/* Reads as the vault does. */
static enum rs_code read_all(struct fixture *f, uint8_t *out, struct rs_error *err)
{
	struct rs_content content = source_content(&f->source);
	for (uint64_t at = 0; at < content.size; at += RS_OBJECT_CHUNK_SIZE) {
		uint64_t left = content.size - at;
		size_t size = left < RS_OBJECT_CHUNK_SIZE ? (size_t)left : RS_OBJECT_CHUNK_SIZE;
		struct rs_bytes chunk;
		RS_TRY(content.read(content.context, at, size, out + at, &chunk, err));
		if (chunk.data != out + at)
			memcpy(out + at, chunk.data, chunk.size);
	}
	return RS_OK;
}

static void gives_what_it_hashed(void **state)
{
	static const size_t sizes[] = {600, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_CHUNK_SIZE + 1,
	                               2 * RS_OBJECT_CHUNK_SIZE, SIZE};
	struct fixture *f = *state;
	uint8_t *out = rs_allocate(SIZE);
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_digest expected;
		assert_int_equal(open_of_size(f, sizes[i], NULL), RS_OK);
		assert_string_equal(f->what.media, "application/x-nifti");
		assert_int_equal(f->source.file != NULL, sizes[i] > RS_OBJECT_CHUNK_SIZE);
		assert_int_equal(source_hash(&f->source, NULL), RS_OK);
		rs_sha256(rs_bytes_of(bytes, sizes[i]), &expected);
		assert_true(rs_digest_equal(&f->source.sha256, &expected));
		assert_int_equal(read_all(f, out, NULL), RS_OK);
		assert_int_equal(f->source.size, sizes[i]);
		assert_memory_equal(out, bytes, sizes[i]);
	}
	rs_free(out);
}

static void write_at(struct fixture *f, uint64_t offset, const void *data, size_t size, uint64_t cut_to)
{
	struct rs_file *file = NULL;
	assert_int_equal(rs_file_open(rs_sim_world(f->sim), PATH, RS_OPEN_READ | RS_OPEN_WRITE, &file, NULL),
	                 RS_OK);
	if (size)
		assert_int_equal(rs_file_write_at(file, offset, data, size, NULL), RS_OK);
	else
		assert_int_equal(file->files->truncate(file, cut_to, NULL), RS_OK);
	rs_file_close(file);
}

static void refuses_what_changed(void **state)
{
	static const uint64_t places[] = {0, 300000, RS_OBJECT_CHUNK_SIZE - 1, RS_OBJECT_CHUNK_SIZE,
	                                  SIZE - 1};
	struct fixture *f = *state;
	uint8_t *out = rs_allocate(SIZE);
	for (size_t i = 0; i < RS_COUNT(places); i++) {
		struct rs_error err = {0};
		uint8_t other = bytes[places[i]] ^ 0x10;
		assert_int_equal(open_of_size(f, SIZE, NULL), RS_OK);
		assert_int_equal(source_hash(&f->source, NULL), RS_OK);
		write_at(f, places[i], &other, 1, 0);
		assert_int_equal(read_all(f, out, &err), RS_IO);
		assert_non_null(strstr(err.message, "the file changed while it was read"));
	}
	rs_free(out);
}

static void refuses_what_grew_or_shrank(void **state)
{
	struct fixture *f = *state;
	struct rs_error err = {0};
	uint8_t *out = rs_allocate(SIZE);
	assert_int_equal(open_of_size(f, SIZE, NULL), RS_OK);
	write_at(f, SIZE, "x", 1, 0);
	assert_int_equal(source_hash(&f->source, &err), RS_IO);
	assert_non_null(strstr(err.message, "changed"));
	assert_int_equal(open_of_size(f, SIZE, NULL), RS_OK);
	write_at(f, 0, NULL, 0, SIZE - 1);
	assert_int_equal(source_hash(&f->source, &err), RS_IO);
	assert_int_equal(open_of_size(f, SIZE, NULL), RS_OK);
	assert_int_equal(source_hash(&f->source, NULL), RS_OK);
	write_at(f, 0, NULL, 0, SIZE - 1);
	assert_int_equal(read_all(f, out, &err), RS_IO);
	rs_free(out);
}

/* The voxels that a header announces must be there, whether the file is kept in memory or not. */
static void refuses_what_is_cut(void **state)
{
	static const size_t sizes[] = {1000, RS_OBJECT_CHUNK_SIZE + 1, 352 + 1999 * 1000};
	struct fixture *f = *state;
	write_header(bytes, 1999, 1000);
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_error err = {0};
		char expected[128];
		snprintf(expected, sizeof expected, PATH ": NIfTI: the file has %zu bytes", sizes[i] - 1);
		assert_int_equal(open_of_size(f, sizes[i] - 1, &err), RS_MALFORMED);
		assert_memory_equal(err.message, expected, strlen(expected));
	}
	assert_int_equal(open_of_size(f, 352 + 1999 * 1000, NULL), RS_OK);
}

/* What only a whole parse recognises lies in memory; what is no image is refused by name. */
static void refuses_what_is_no_image(void **state)
{
	struct fixture *f = *state;
	struct rs_error err = {0};
	memset(bytes + 344, 'x', 4);
	assert_int_equal(open_of_size(f, SIZE, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, PATH));
	assert_null(f->source.file);
	source_finish(&f->source);
	assert_int_equal(source_open(rs_sim_world(f->sim), "/none", RS_OBJECT_CHUNK_SIZE, &f->source, &err),
	                 RS_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_what_it_hashed, make, finish),
		cmocka_unit_test_setup_teardown(refuses_what_changed, make, finish),
		cmocka_unit_test_setup_teardown(refuses_what_grew_or_shrank, make, finish),
		cmocka_unit_test_setup_teardown(refuses_what_is_cut, make, finish),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_image, make, finish),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
