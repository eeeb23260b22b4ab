/* PyRadiomics' own baselines: what its authors hold every version of it to, settings and values in their tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/radiomics.h"

static struct rs_volume volume;
static struct rs_mask mask;

static char *path_of(const char *name)
{
	return rs_text_printf("%s/radiomics/pyradiomics/%s", getenv("RADSEAL_DATA"), name);
}

static const char *cell_of(const struct rs_csv *csv, const char *row, size_t column)
{
	for (size_t r = 0; r < csv->rows; r++)
		if (strcmp(rs_csv_cell(csv, r, 0), row) == 0)
			return rs_csv_cell(csv, r, column);
	fail_msg("the baseline has no %s", row);
	return NULL;
}

/* Python's dictionary as a parameter file in YAML; an interpolator of None is none that is used. */
static void settings_read(const char *python, struct rs_radiomics_settings *out)
{
	struct rs_error err;
	char *file = rs_text_printf("setting: %s\n", python);
	char *unused = strstr(file, "'interpolator': None, ");
	if (unused != NULL)
		memset(unused, ' ', strlen("'interpolator': None, "));
	if (rs_radiomics_settings_parse(rs_bytes_of_str(rs_str_from(file)), out, &err) != RS_OK)
		fail_msg("%s: %s", python, err.message);
	out->additional_info = false;
	rs_free(file);
}

/* The column brain1 is of version 1.3, whose surface was made of other triangles; brain1_resampling is later. */
static bool is_of_old_mesh(const char *name, const char *column)
{
	static const char *const of_mesh[] = {"original_shape_Sphericity",
	                                      "original_shape_SurfaceVolumeRatio",
	                                      "original_shape_MeshVolume", "original_shape_SurfaceArea"};
	for (size_t i = 0; i < RS_COUNT(of_mesh) && strcmp(column, "brain1") == 0; i++)
		if (strcmp(of_mesh[i], name) == 0)
			return true;
	return false;
}

static size_t compare_column(const struct rs_csv *csv, size_t column)
{
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	struct rs_error err = {0};
	size_t compared = 0;
	settings_read(cell_of(csv, "diagnostics_Configuration_Settings", column), &settings);
	if (rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err) != RS_OK)
		fail_msg("%s: %s", rs_csv_name(csv, column), err.message);
	for (size_t r = 0; r < csv->rows; r++) {
		const char *name = rs_csv_cell(csv, r, 0);
		double want;
		if (strncmp(name, "original_", 9) != 0 || is_of_old_mesh(name, rs_csv_name(csv, column)) ||
		    !rs_parse_f64(rs_str_from(rs_csv_cell(csv, r, column)), &want))
			continue;
		const struct rs_radiomics_value *got = rs_radiomics_result_find(&result, name);
		assert_non_null(got);
		if (!(fabs(got->value - want) <= 1e-9 * fabs(want) + 1e-12))
			fail_msg("%s: %s is %.17g, the baseline has %.17g", rs_csv_name(csv, column), name,
			         got->value, want);
		compared++;
	}
	rs_radiomics_result_finish(&result);
	return compared;
}

static void values_are_those_of_the_baselines(void **state)
{
	(void)state;
	static const char *const classes[] = {"shape", "firstorder", "glcm", "gldm",
	                                      "glrlm", "glszm",      "ngtdm"};
	size_t compared = 0;
	for (size_t c = 0; c < RS_COUNT(classes); c++) {
		struct rs_buffer buffer;
		struct rs_csv csv = {0};
		struct rs_error err;
		char *name = rs_text_printf("baseline/baseline_%s.csv", classes[c]), *path = path_of(name);
		assert_int_equal(rs_file_read_all(rs_world_system(), path, 1 << 20, &buffer, &err), RS_OK);
		assert_int_equal(rs_csv_parse(rs_buffer_bytes(&buffer), &csv, &err), RS_OK);
		for (size_t column = 1; column < csv.columns; column++)
			compared += compare_column(&csv, column);
		rs_csv_finish(&csv);
		rs_buffer_finish(&buffer);
		rs_free(name);
		rs_free(path);
	}
	assert_int_equal(compared, 661);
}

int main(void)
{
	const char *where = getenv("RADSEAL_DATA");
	struct rs_error err;
	if (!where || !*where) {
		puts("1..0 # SKIP the baselines of ../shared/data are not here");
		return 0;
	}
	char *image = path_of("brain1_image.nrrd"), *label = path_of("brain1_label.nrrd");
	if (rs_volume_read(rs_world_system(), image, &volume, &err) != RS_OK ||
	    rs_mask_read(rs_world_system(), label, &mask, &err) != RS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_those_of_the_baselines)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rs_volume_finish(&volume);
	rs_mask_finish(&mask);
	rs_free(image);
	rs_free(label);
	return failed;
}
