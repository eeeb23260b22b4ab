/* Every value of IBSI's reference tables: the digital phantom, and the CT phantom in configurations A to E.
 * A value passes as in IBSI's compliance check: rounded to the digits of the table it lies within the tolerance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/ibsi_manual.h"
#include "radiomics/radiomics.h"

#define PHANTOM_DIGITAL "ibsi_1_digital_phantom"
#define PHANTOM_CT "ibsi_1_ct_radiomics_phantom"

static void read_phantom(const char *phantom, struct rs_volume *volume, struct rs_mask *mask)
{
	struct rs_error err = {0};
	const struct rs_world *world = rs_world_system();
	char note[256];
	const char *data = getenv("RADSEAL_DATA");
	char path[512];
	snprintf(path, sizeof path, "%s/radiomics/ibsi1/%s/nifti/image/phantom.nii.gz", data, phantom);
	if (rs_volume_read(world, path, volume, &err) != RS_OK)
		fail_msg("%s", err.message);
	snprintf(path, sizeof path, "%s/radiomics/ibsi1/%s/nifti/mask/mask.nii.gz", data, phantom);
	if (rs_mask_read(world, path, mask, &err) != RS_OK)
		fail_msg("%s", err.message);
	if (rs_mask_match(&volume->geometry, mask, 1e-3, note, sizeof note, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void extract(const char *phantom, const char *params, struct rs_radiomics_result *out)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	read_phantom(phantom, &volume, &mask);
	assert_int_equal(rs_radiomics_settings_named(params, &settings, &err), RS_OK);
	if (rs_radiomics_extract(&volume, &mask, &settings, NULL, out, &err) != RS_OK)
		fail_msg("%s: %s", params, err.message);
}

static bool lookup(const struct rs_radiomics_result *result, const char *tag, double *out)
{
	const struct rs_radiomics_value *value = rs_radiomics_result_find(result, tag);
	if (value != NULL) {
		*out = value->value;
		return true;
	}
	for (size_t i = 0; i < result->diagnostic_count; i++)
		if (strcmp(result->diagnostics[i].name, tag) == 0)
			return rs_parse_f64(rs_str_from(result->diagnostics[i].text), out);
	return false;
}

/* Digits that carry meaning in the table; at least three, because zeros at the end may. */
static int digits_of(const char *text)
{
	int digits = 0, zeros = 0;
	for (; *text != '\0' && *text != 'E'; text++) {
		if (*text < '0' || *text > '9' || (digits == 0 && *text == '0'))
			continue;
		digits++;
		zeros = *text == '0' ? zeros + 1 : 0;
	}
	return digits - zeros < 3 ? 3 : digits - zeros;
}

static double rounded(double value, int digits)
{
	char text[64];
	snprintf(text, sizeof text, "%.*e", digits - 1, value);
	return strtod(text, NULL);
}

struct tally {
	size_t values, without_reference, wrong;
};

static void check_value(const struct rs_radiomics_result *result, const char *params, struct manual_row row,
                        struct tally *tally)
{
	double got = NAN;
	if (!lookup(result, row.tag, &got))
		fail_msg("%s: there is no %s", params, row.tag);
	if (row.value[0] == '\0') {
		tally->without_reference++;
		return;
	}
	double want = strtod(row.value, NULL), tolerance = strtod(row.tolerance, NULL);
	double slack = 1e-12 * (fabs(want) + tolerance);
	tally->values++;
	if (fabs(rounded(got, digits_of(row.value)) - want) <= tolerance + slack)
		return;
	tally->wrong++;
	print_message("# %s: %s is %.6g, the table has %s +- %s\n", params, row.tag, got, row.value,
	              row.tolerance);
}

/* "value;tolerance;tag" */
static void check_line(const struct rs_radiomics_result *result, const char *params, char *line,
                       struct tally *tally)
{
	char *tolerance = strchr(line, ';'), *tag = tolerance == NULL ? NULL : strchr(tolerance + 1, ';');
	assert_non_null(tag);
	*tolerance = *tag = '\0';
	check_value(result, params, (struct manual_row){tag + 1, line, tolerance + 1}, tally);
}

static void check(const char *phantom, const char *params, const char *table, size_t values,
                  size_t without_reference)
{
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct tally tally = {0};
	char path[512], line[256];
	snprintf(path, sizeof path, "%s/radiomics/ibsi1/reference_values/%s", getenv("RADSEAL_DATA"), table);
	extract(phantom, params, &result);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file)); /* the head */
	while (fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0')
			check_line(&result, params, line, &tally);
	}
	fclose(file);
	assert_int_equal(tally.wrong, 0);
	assert_int_equal(tally.values, values);
	assert_int_equal(tally.without_reference, without_reference);
}

static void digital_phantom(void **state)
{
	(void)state;
	check(PHANTOM_DIGITAL, "ibsi-digital", "ibsi_1_dig_phantom.csv", 482, 5);
}

static void configuration_a(void **state)
{
	(void)state;
	check(PHANTOM_CT, "ibsi-1-a", "ibsi_1_chest_config_a.csv", 406, 5);
}

static void configuration_c(void **state)
{
	(void)state;
	check(PHANTOM_CT, "ibsi-1-c", "ibsi_1_chest_config_c.csv", 270, 5);
}

static void configuration_d(void **state)
{
	(void)state;
	check(PHANTOM_CT, "ibsi-1-d", "ibsi_1_chest_config_d.csv", 270, 5);
}

static void check_manual(const char *params, const struct manual_row *rows, size_t count)
{
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct tally tally = {0};
	extract(PHANTOM_CT, params, &result);
	for (size_t i = 0; i < count; i++)
		check_value(&result, params, rows[i], &tally);
	assert_int_equal(tally.wrong, 0);
}

static void configuration_b(void **state)
{
	(void)state;
	assert_int_equal(RS_COUNT(manual_b), 346);
	check_manual("ibsi-1-b", manual_b, RS_COUNT(manual_b));
}

static void configuration_e(void **state)
{
	(void)state;
	assert_int_equal(RS_COUNT(manual_e), 210);
	check_manual("ibsi-1-e", manual_e, RS_COUNT(manual_e));
}

/* The table of the digital phantom names all values, and the mode gives no other. */
static void digital_phantom_has_all_487(void **state)
{
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_radiomics_settings_named("ibsi-digital", &settings, &err), RS_OK);
	assert_int_equal(rs_radiomics_plan(&settings, &result, &err), RS_OK);
	assert_int_equal(result.count, 487);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digital_phantom_has_all_487),
		cmocka_unit_test(digital_phantom),
		cmocka_unit_test(configuration_a),
		cmocka_unit_test(configuration_c),
		cmocka_unit_test(configuration_d),
		cmocka_unit_test(configuration_b),
		cmocka_unit_test(configuration_e),
	};
	const char *data = getenv("RADSEAL_DATA");
	if (data == NULL || data[0] == '\0') {
		printf("1..0 # SKIP the reference data are not here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
