/* Morphology of IBSI's phantoms against its reference tables. The chains of the configurations are redone here in the
 * plainest way (linear interpolation), so that the tables judge morphology alone. Values of configuration B, which
 * is not among the tables, are from the reference manual. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/image.h"
#include "radiomics/morphology.h"

static const char *data;

struct phantom {
	size_t size[3];
	double spacing_mm[3];
	double *image, *mask; /* the mask as coverage 0 … 1 */
};

static void phantom_finish(struct phantom *p)
{
	rs_free(p->image);
	rs_free(p->mask);
}

static struct phantom phantom_read(const char *name)
{
	struct rs_error err = {0};
	struct rs_volume volume = {0};
	struct rs_mask mask = {0};
	char *image_path = rs_text_printf("%s/radiomics/ibsi1/%s/nifti/image/phantom.nii.gz", data, name);
	char *mask_path = rs_text_printf("%s/radiomics/ibsi1/%s/nifti/mask/mask.nii.gz", data, name);
	assert_true(image_path != NULL && mask_path != NULL);
	assert_int_equal(rs_volume_read(rs_world_system(), image_path, &volume, &err), RS_OK);
	assert_int_equal(rs_mask_read(rs_world_system(), mask_path, &mask, &err), RS_OK);
	rs_free(image_path);
	rs_free(mask_path);
	size_t count = rs_geometry_voxels(&volume.geometry);
	struct phantom out = {.image = rs_allocate_array(count, sizeof(double)),
	                      .mask = rs_allocate_array(count, sizeof(double))};
	memcpy(out.size, volume.geometry.size, sizeof out.size);
	memcpy(out.spacing_mm, volume.geometry.spacing_mm, sizeof out.spacing_mm);
	for (size_t i = 0; i < count; i++) {
		out.image[i] = round(volume.voxels[i]);
		out.mask[i] = mask.labels[i] != 0;
	}
	rs_volume_finish(&volume);
	rs_mask_finish(&mask);
	return out;
}

static double at(const struct phantom *p, const double *voxels, const double place[3])
{
	size_t low[3], stride[3] = {1, p->size[0], p->size[0] * p->size[1]}, index = 0;
	double share[3], sum = 0;
	for (int a = 0; a < 3; a++) {
		double x = fmin(fmax(place[a], 0), (double)(p->size[a] - 1));
		low[a] = (size_t)x;
		share[a] = x - (double)low[a];
		index += low[a] * stride[a];
	}
	for (unsigned c = 0; c < 8; c++) {
		double weight = 1;
		size_t i = index;
		for (int a = 0; a < 3; a++) {
			weight *= c >> a & 1 ? share[a] : 1 - share[a];
			i += (c >> a & 1) && share[a] > 0 ? stride[a] : 0;
		}
		sum += weight * voxels[i];
	}
	return sum;
}

/* Grid of ceil(n s / s') voxels, its middle at the middle of the old one. */
static struct phantom resampled(const struct phantom *from, double x_mm, double y_mm, double z_mm)
{
	struct phantom to = {.spacing_mm = {x_mm, y_mm, z_mm}};
	for (int a = 0; a < 3; a++)
		to.size[a] = (size_t)ceil((double)from->size[a] * from->spacing_mm[a] / to.spacing_mm[a] -
		                          1e-6);
	size_t count = to.size[0] * to.size[1] * to.size[2], v[3], i = 0;
	to.image = rs_allocate_array(count, sizeof(double));
	to.mask = rs_allocate_array(count, sizeof(double));
	for (v[2] = 0; v[2] < to.size[2]; v[2]++)
		for (v[1] = 0; v[1] < to.size[1]; v[1]++)
			for (v[0] = 0; v[0] < to.size[0]; v[0]++, i++) {
				double place[3];
				for (int a = 0; a < 3; a++)
					place[a] = ((double)v[a] - ((double)to.size[a] - 1) / 2) *
					                   to.spacing_mm[a] / from->spacing_mm[a] +
					           ((double)from->size[a] - 1) / 2;
				to.image[i] = round(at(from, from->image, place));
				to.mask[i] = at(from, from->mask, place) >= 0.5 - 1e-9;
			}
	return to;
}

/* Range, or three deviations from the mean when low > high. */
static void measure(const struct phantom *p, double low, double high, double out[MORPHOLOGY_COUNT])
{
	size_t count = p->size[0] * p->size[1] * p->size[2];
	double n = 0, sum = 0, squares = 0;
	uint8_t *mask = rs_allocate(count), *intensity = rs_allocate(count);
	struct morphology_input in = {.morphological = mask, .intensity = intensity, .values = p->image};
	struct rs_error err = {0};
	memcpy(in.size, p->size, sizeof in.size);
	memcpy(in.spacing_mm, p->spacing_mm, sizeof in.spacing_mm);
	for (size_t i = 0; i < count; i++) {
		n += p->mask[i];
		sum += p->mask[i] * p->image[i];
		squares += p->mask[i] * p->image[i] * p->image[i];
	}
	if (low > high) {
		double deviation = sqrt(squares / n - sum / n * (sum / n));
		low = sum / n - 3 * deviation;
		high = sum / n + 3 * deviation;
	}
	for (size_t i = 0; i < count; i++) {
		mask[i] = p->mask[i] > 0;
		intensity[i] = mask[i] && p->image[i] >= low && p->image[i] <= high;
	}
	if (morphology_measure(&in, NULL, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_free(mask);
	rs_free(intensity);
}

static void compare(const char *tag, double want, double tolerance, const double out[MORPHOLOGY_COUNT])
{
	size_t f = 0;
	while (f < MORPHOLOGY_COUNT && strcmp(tag, morphology_rows[f].tag) != 0)
		f++;
	if (f == MORPHOLOGY_COUNT)
		fail_msg("no feature is called %s", tag);
	if (!(fabs(out[f] - want) <= tolerance))
		fail_msg("%s is %.6g, not %g within %g", tag, out[f], want, tolerance);
}

/* Lines "value;tolerance;tag"; those of features without a reference have neither number. */
static void compare_table(const char *name, size_t count, const double out[MORPHOLOGY_COUNT])
{
	char *path = rs_text_printf("%s/radiomics/ibsi1/reference_values/%s", data, name);
	char line[256];
	size_t compared = 0;
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		char *end, *tag = strstr(line, ";morph_");
		double want = strtod(line, &end);
		if (end == line || tag == NULL || strstr(tag, "morph_mask_") != NULL)
			continue;
		double tolerance = strtod(end + 1, NULL);
		tag[1 + strcspn(tag + 1, "\r\n")] = '\0';
		compare(tag + 1, want, tolerance, out);
		compared++;
	}
	fclose(file);
	rs_free(path);
	assert_int_equal(compared, count);
}

static void the_digital_phantom(void **state)
{
	(void)state;
	double out[MORPHOLOGY_COUNT];
	struct phantom p = phantom_read("ibsi_1_digital_phantom");
	measure(&p, -1e9, 1e9, out);
	compare_table("ibsi_1_dig_phantom.csv", 25, out);
	phantom_finish(&p);
}

static void the_lung_phantom(void **state)
{
	(void)state;
	double out[MORPHOLOGY_COUNT];
	struct phantom a = phantom_read("ibsi_1_ct_radiomics_phantom");
	measure(&a, -500, 400, out);
	compare_table("ibsi_1_chest_config_a.csv", 25, out);
	struct phantom b = resampled(&a, 2, 2, a.spacing_mm[2]);
	measure(&b, -500, 400, out);
	static const struct {
		const char *tag;
		double value, tolerance;
	} manual[] = {
		{"morph_volume", 3.58e5, 5e3},
		{"morph_vol_approx", 3.58e5, 5e3},
		{"morph_com", 63.1, 29.6},
		{"morph_diam", 125, 1},
		{"morph_pca_maj_axis", 92.6, 0.4},
		{"morph_pca_min_axis", 81.3, 0.4},
		{"morph_pca_least_axis", 70.2, 0.3},
		{"morph_pca_elongation", 0.878, 0.001},
		{"morph_pca_flatness", 0.758, 0.001},
		{"morph_vol_dens_aabb", 0.477, 0.003},
		{"morph_area_dens_aabb", 0.678, 0.003},
		{"morph_vol_dens_aee", 1.29, 0.01},
		{"morph_area_dens_aee", 1.62, 0.01},
		{"morph_vol_dens_conv_hull", 0.829, 0.001},
		{"morph_area_dens_conv_hull", 1.12, 0.01},
		{"morph_integ_int", 4.12e6, 3.2e5},
		{"morph_moran_i", 0.0329, 0.0001},
		{"morph_geary_c", 0.862, 0.001},
	};
	for (size_t i = 0; i < RS_COUNT(manual); i++)
		compare(manual[i].tag, manual[i].value, manual[i].tolerance, out);
	struct phantom c = resampled(&a, 2, 2, 2);
	measure(&c, -1000, 400, out);
	compare_table("ibsi_1_chest_config_c.csv", 25, out);
	measure(&c, 1, 0, out);
	compare_table("ibsi_1_chest_config_d.csv", 25, out);
	phantom_finish(&a);
	phantom_finish(&b);
	phantom_finish(&c);
}

int main(void)
{
	data = getenv("RADSEAL_DATA");
	if (data == NULL || data[0] == '\0') {
		puts("1..0 # SKIP IBSI's phantoms of ../shared/data are not here");
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digital_phantom),
		cmocka_unit_test(the_lung_phantom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
