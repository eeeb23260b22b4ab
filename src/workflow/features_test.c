/* Vectors of features as files: one form for one content, every other form refused by its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "workflow/workflow_features.h"

static const struct rs_digest files[] = {{{3}}, {{1}}, {{2}}, {{1}}};

static void encode(struct rs_buffer *out)
{
	static const struct rs_named_value values[] = {{"a_b", 0.1}, {"c", NAN}, {"d", -0.0}, {"e", 1e300}};
	const struct rs_features features = {.version = "0.1.0",
	                                     .settings = {{9}},
	                                     .images = files,
	                                     .masks = files,
	                                     .image_count = 4,
	                                     .mask_count = 1,
	                                     .sequence = "t1",
	                                     .label = "liver + more",
	                                     .values = values,
	                                     .value_count = RS_COUNT(values)};
	struct rs_error err = {0};
	rs_buffer_init(out, 65536);
	assert_int_equal(rs_features_encode(&features, out, &err), RS_OK);
}

static enum rs_code note_source(void *context, const struct rs_digest *file, struct rs_error *err)
{
	struct rs_buffer *seen = context;
	(void)err;
	return rs_buffer_append_u8(seen, file->bytes[0]);
}

static void one_form(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, seen RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	encode(&file);
	rs_buffer_init(&seen, 64);
	assert_true(rs_str_starts_with(rs_buffer_str(&file),
	                               RS_FEATURES_FIRST_LINE "version 0.1.0\nsettings 09000"));
	assert_true(
		rs_str_ends_with(rs_buffer_str(&file),
	                         "\nsequence t1\nlabel liver + more\n\na_b 0.1\nc nan\nd -0\ne 1e+300\n"));
	if (rs_features_parse(rs_buffer_bytes(&file), note_source, &seen, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(seen.size, 4);
	assert_memory_equal(seen.data, "\1\2\3\3", 4);
}

/* A byte that is changed makes another file or none; a line that is cut off is missed, unless it is a value's. */
static void other_forms_are_refused(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	encode(&file);
	size_t values = 0;
	for (size_t i = 0; i + 1 < file.size; i++)
		if (file.data[i] == '\n' && file.data[i + 1] == '\n')
			values = i + 2;
	for (size_t size = 0; size < file.size; size++) {
		enum rs_code code = rs_features_parse(rs_bytes_of(file.data, size), NULL, NULL, &err);
		bool whole = size >= values && file.data[size - 1] == '\n';
		assert_int_equal(code, whole ? RS_OK : RS_MALFORMED);
	}
	static const char *const wrong[] = {
		"radseal-features/v2\n",
		"radseal-features/v1\n\n",
		RS_FEATURES_FIRST_LINE "version \n",
		RS_FEATURES_FIRST_LINE "version 1\nsettings 00\n",
	};
	for (size_t i = 0; i < RS_COUNT(wrong); i++)
		assert_int_equal(rs_features_parse(rs_bytes_of(wrong[i], strlen(wrong[i])), NULL, NULL, &err),
		                 RS_MALFORMED);
	static const char *const lines[] = {"f 0.10\n", "f 1.0\n", "f  1\n", "f\n",
	                                    " 1\n",     "f 1 \n",  "f x\n"};
	for (size_t i = 0; i < RS_COUNT(lines); i++) {
		size_t size = file.size;
		rs_buffer_append_text(&file, lines[i]);
		assert_int_equal(rs_features_parse(rs_buffer_bytes(&file), NULL, NULL, &err), RS_MALFORMED);
		file.size = size;
	}
}

static void bad_vectors_are_not_written(void **state)
{
	static const struct rs_named_value spaced = {"a b", 1};
	struct rs_features features = {.version = "1",
	                               .images = files,
	                               .masks = files,
	                               .image_count = 1,
	                               .mask_count = 1,
	                               .sequence = "",
	                               .label = ""};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	rs_buffer_init(&out, 65536);
	assert_int_equal(rs_features_encode(&features, &out, &err), RS_OK);
	features.label = "a\nb";
	assert_int_equal(rs_features_encode(&features, &out, &err), RS_USAGE);
	features.label = "";
	features.values = &spaced;
	features.value_count = 1;
	assert_int_equal(rs_features_encode(&features, &out, &err), RS_USAGE);
	features.value_count = 0;
	features.mask_count = 0;
	assert_int_equal(rs_features_encode(&features, &out, &err), RS_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_form),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(bad_vectors_are_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
