/* What sealing asks of an image: sound ones pass whether or not they can be measured, broken ones do not. */
#include "image_test.h"

#define CUBE "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\n"
#define META "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\n"

static enum rs_code inspect(struct rs_bytes file, const char **media, struct rs_error *err)
{
	*err = (struct rs_error){0};
	enum rs_code code = rs_image_inspect(file, media, err);
	assert_true(code == RS_OK || (err->code == code && strlen(err->message) > 20));
	return code;
}

static void is_sound(struct rs_bytes file, const char *expected)
{
	struct rs_error err;
	const char *media;
	if (inspect(file, &media, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_string_equal(media ? media : "none", expected);
}

static void is_broken(struct rs_bytes file, enum rs_code code, const char *words)
{
	struct rs_error err;
	const char *media;
	assert_int_equal(inspect(file, &media, &err), code);
	if (!strstr(err.message, words))
		fail_msg("'%s' is not in '%s'", words, err.message);
}

static struct rs_bytes text(const char *file) { return rs_bytes_of(file, strlen(file)); }

/* A volume of 6 x 5 x 4 as this program writes it. */
static void written(const char *path, struct rs_buffer *out)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	const struct rs_geometry geometry = {
		.size = {6, 5, 4}, .spacing_mm = {1, 1, 2}, .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	assert_int_equal(rs_volume_init(&v, &geometry, &err), RS_OK);
	v.stored = RS_VOXEL_I16;
	for (int i = 0; i < 120; i++)
		v.voxels[i] = i * i % 97;
	assert_int_equal(rs_volume_write(test_world, path, &v, &err), RS_OK);
	assert_int_equal(rs_file_read_all(test_world, path, 1 << 20, out, &err), RS_OK);
}

/* Every beginning of a sound file is broken, or too short to be told from other files. */
static void no_cut_is_sound(const char *path, const char *media)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	written(path, &file);
	is_sound(rs_buffer_bytes(&file), media);
	for (size_t cut = 0; cut < file.size; cut++) {
		struct rs_error err;
		const char *found;
		if (inspect(rs_bytes_of(file.data, cut), &found, &err) == RS_OK && found)
			fail_msg("%s passes when cut to %zu bytes", path, cut);
	}
}

static void cuts_are_broken(void **state)
{
	(void)state;
	no_cut_is_sound("/d/a.nii", "application/x-nifti");
	no_cut_is_sound("/d/a.nii.gz", "application/x-nifti");
	no_cut_is_sound("/d/a.nrrd", "application/x-nrrd");
}

/* The start of a file and its end say what the whole does, or nothing. */
static void the_start_suffices(void **state)
{
	static const struct {
		const char *path, *media;
		size_t start;
	} rows[] = {{"/d/a.nii", "application/x-nifti", 400},
	            {"/d/a.nii.gz", "application/x-nifti", 120},
	            {"/d/a.nrrd", "application/x-nrrd", 300}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		const char *media = NULL;
		struct rs_error err = {0};
		written(rows[i].path, &file);
		struct rs_bytes start = {file.data, rows[i].start};
		uint32_t tail = rs_read_le32(file.data + file.size - 4);
		assert_true(start.size < file.size);
		assert_int_equal(rs_image_inspect_start(start, file.size, tail, &media, &err), RS_OK);
		assert_string_equal(media, rows[i].media);
		/* One byte is missing, or the stream says another size: refused, or the whole is asked for. */
		bool packed = i > 0; /* .nrrd is written packed, too */
		enum rs_code code = rs_image_inspect_start(start, file.size - !packed, tail + packed, &media,
		                                           &err);
		assert_true(code == RS_MALFORMED || (code == RS_OK && !media));
	}
}

/* RFC 1952: padding may follow a stream; then its own count is not at the end of the file. */
static void padding_behind_a_stream_is_sound(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	written("/d/a.nii.gz", &file);
	rs_buffer_append(&file, "\0\0\0\0\0\0\0", 7);
	is_sound(rs_buffer_bytes(&file), "application/x-nifti");
	file.data[file.size / 2] ^= 0xff;
	is_broken(rs_buffer_bytes(&file), RS_MALFORMED, "damaged");
}

/* A stream that holds more than the header announces, as a bomb does. */
static void more_than_announced_is_broken(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	written("/d/a.nii.gz", &file);
	file.data[file.size - 4]++; /* the count at the end: the header announces what it was */
	is_broken(rs_buffer_bytes(&file), RS_MALFORMED, "damaged");
}

static void impossible_numbers_are_broken(void **state)
{
	(void)state;
	is_broken(text(CUBE "encoding: raw\nspacings: 1 0 1\n\nabcdefgh"), RS_MALFORMED, "NRRD: axis 1");
	is_broken(
		text("NRRD0004\ntype: uint8\ndimension: 3\nsizes: 9999999 9999999 9999999\nencoding: raw\n\n"),
		RS_TOO_LARGE, "too large");
	is_broken(text(CUBE "encoding: ascii\n\n1 2"), RS_MALFORMED, "there are 3");
	is_broken(
		text(META
	             "ElementType = MET_UCHAR\nElementSpacing = 1 nan 1\nElementDataFile = LOCAL\nabcdefgh"),
		RS_MALFORMED, "MetaImage: axis 1");
	is_broken(text(META "ElementType = MET_UCHAR\nElementDataFile = LOCAL\nabcdefg"), RS_MALFORMED,
	          "there are 7");
	is_broken(text("NDims = 3\nDimSize = -2 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"),
	          RS_MALFORMED, "-2");
}

/* "abcdefgh" as zlib packs it (Python: zlib.compress). */
static void packed_voxels_are_counted(void **state)
{
	static const uint8_t packed[] = {0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x4e, 0x49, 0x4d,
	                                 0x4b, 0xcf, 0x00, 0x00, 0x0e, 0x00, 0x03, 0x25};
	static const char head[] = META
		"CompressedData = True\nElementType = MET_%s\nElementDataFile = LOCAL\n";
	char file[512];
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		int size = snprintf(file, sizeof file, head, wide ? "SHORT" : "UCHAR");
		memcpy(file + size, packed, sizeof packed);
		struct rs_bytes all = rs_bytes_of(file, (size_t)size + sizeof packed);
		if (wide)
			is_broken(all, RS_MALFORMED, "16 bytes that are announced");
		else
			is_sound(all, "application/x-metaimage");
		all.size--;
		is_broken(all, RS_MALFORMED, "damaged");
	}
}

/* What this program does not measure, others do: it is no reason not to seal. */
static void foreign_ones_are_sound(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	is_sound(text(CUBE "encoding: bzip2\n\nBZh9"), "application/x-nrrd");
	is_sound(text(CUBE "encoding: raw\ndata file: ../far/away.raw\n"), "application/x-nrrd");
	is_sound(text(CUBE "encoding: raw\ndata file: beside.raw\n"), "application/x-nrrd");
	is_sound(text("NRRD0004\ntype: uint8\ndimension: 5\n"), "application/x-nrrd");
	is_sound(text(META "ElementType = MET_UCHAR_ARRAY\n"), "application/x-metaimage");
	is_sound(text(META "ElementNumberOfChannels = 3\nElementType = MET_UCHAR\nElementDataFile = a.raw\n"),
	         "application/x-metaimage");
	is_sound(text(META "ElementType = MET_UCHAR\nElementDataFile = LIST\n"), "application/x-metaimage");
	is_sound(text(META "ElementType = MET_UCHAR\nElementDataFile = a.zraw\n"), "application/x-metaimage");
	written("/d/a.nii", &file);
	rs_write_le16(file.data + 70, 128); /* colours */
	is_sound(rs_buffer_bytes(&file), "application/x-nifti");
	is_sound(text("no image at all"), "none");
	is_sound(rs_bytes_of("", 0), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_are_broken),
		cmocka_unit_test(the_start_suffices),
		cmocka_unit_test(padding_behind_a_stream_is_sound),
		cmocka_unit_test(more_than_announced_is_broken),
		cmocka_unit_test(impossible_numbers_are_broken),
		cmocka_unit_test(packed_voxels_are_counted),
		cmocka_unit_test(foreign_ones_are_sound),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
