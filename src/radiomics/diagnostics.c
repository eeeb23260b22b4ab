/* What was measured, beside the numbers: version, sizes, hashes of the pixels, place of the region. The
 * hashes are SHA-1 of the raw pixel buffer because PyRadiomics publishes those; nothing is secured by them. */
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/diagnostics.h"

#define RADSEAL_VERSION "0.1.0"
#define DIAGNOSTICS_MAX 48 /* 43 with resampling and resegmentation */

static struct rs_radiomics_diagnostic *add(struct rs_radiomics_result *result, const char *name, bool quoted)
{
	struct rs_radiomics_diagnostic *entry = &result->diagnostics[result->diagnostic_count++];
	snprintf(entry->name, sizeof entry->name, "diagnostics_%s", name);
	entry->quoted = quoted;
	return entry;
}

static void add_text(struct rs_radiomics_result *result, const char *name, const char *text)
{
	struct rs_radiomics_diagnostic *entry = add(result, name, true);
	entry->text = rs_str_duplicate(rs_str_from(text));
}

/* One number, or "[a, b, c]". */
static void add_numbers(struct rs_radiomics_result *result, const char *prefix, const char *name,
                        const double *values, size_t count)
{
	char whole[64], number[RS_F64_TEXT_SIZE], text[8 * RS_F64_TEXT_SIZE] = ""; /* six numbers at most */
	snprintf(whole, sizeof whole, "%s%s", prefix, name);
	struct rs_radiomics_diagnostic *entry = add(result, whole, false);
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		rs_format_f64(values[i], number);
		int n = snprintf(text + used, sizeof text - used, "%s%s%s",
		                 count > 1 && i == 0 ? "["
		                 : i > 0             ? ", "
		                                     : "",
		                 number, count > 1 && i + 1 == count ? "]" : "");
		used += n > 0 ? (size_t)n : 0;
	}
	entry->text = rs_str_duplicate(rs_str_from(text));
}

/* Where PyRadiomics has them: after the versions. */
static enum rs_code configuration_entries(const struct rs_radiomics_settings *settings,
                                          struct rs_radiomics_result *result, struct rs_error *err)
{
	RS_TRY(configuration_settings(settings, &add(result, "Configuration_Settings", false)->text, err));
	return configuration_images(settings, &add(result, "Configuration_EnabledImageTypes", false)->text,
	                            err);
}

enum rs_code diagnostics_check(const struct rs_radiomics_result *result, struct rs_error *err)
{
	for (size_t i = 0; i < result->diagnostic_count; i++)
		if (result->diagnostics[i].text == NULL)
			return rs_error_memory(err, sizeof *result->diagnostics, "diagnostics");
	return RS_OK;
}

static enum rs_code sha1_hex(const struct rs_volume *volume, const uint32_t *labels, size_t count,
                             char out[41], struct rs_error *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE], block[4096 * 8];
	unsigned size = 0;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha1(), NULL) == 1;
	for (size_t i = 0; ok && i < count;) {
		size_t used = 0;
		for (size_t k = 0; k < 4096 && i < count; k++, i++)
			used += volume != NULL
			                ? rs_voxel_store(volume->voxels[i], volume->stored, block + used)
			                : rs_voxel_store(labels[i], RS_VOXEL_U32, block + used);
		ok = EVP_DigestUpdate(hash, block, used) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(hash, digest, &size) == 1;
	EVP_MD_CTX_free(hash);
	if (!ok)
		return rs_error_set(err, RS_INTERNAL, "SHA-1 is not available");
	rs_hex_encode(rs_bytes_of(digest, 20), out);
	return RS_OK;
}

static void flood(const struct region *region, uint8_t *open, size_t *stack, size_t start)
{
	size_t nx = region->size[0], ny = region->size[1], nz = region->size[2], depth = 0;
	stack[depth++] = start;
	open[start] = 0;
	while (depth > 0) {
		size_t at = stack[--depth], x = at % nx, y = at / nx % ny, z = at / nx / ny;
		for (size_t w = z > 0 ? z - 1 : 0; w <= z + 1 && w < nz; w++)
			for (size_t v = y > 0 ? y - 1 : 0; v <= y + 1 && v < ny; v++)
				for (size_t u = x > 0 ? x - 1 : 0; u <= x + 1 && u < nx; u++) {
					size_t next = (w * ny + v) * nx + u;
					if (!open[next])
						continue;
					open[next] = 0;
					stack[depth++] = next;
				}
	}
}

/* Parts that touch by face, edge or corner. */
static enum rs_code parts_count(const struct region *region, double *out, struct rs_error *err)
{
	size_t size = region->size[0] * region->size[1] * region->size[2], parts = 0;
	uint8_t *open RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
	size_t *stack RS_CLEANUP(rs_free_pointer) = rs_allocate_array(region->count, sizeof *stack);
	if (open == NULL || stack == NULL)
		return rs_error_memory(err, size + region->count * sizeof *stack, "counting parts");
	memcpy(open, region->inside, size);
	for (size_t i = 0; i < size; i++)
		if (open[i]) {
			flood(region, open, stack, i);
			parts++;
		}
	*out = (double)parts;
	return RS_OK;
}

static void centre(const struct region *region, double out[3])
{
	uint64_t sum[3] = {0};
	size_t i = 0;
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t y = 0; y < region->size[1]; y++)
			for (size_t x = 0; x < region->size[0]; x++, i++)
				if (region->inside[i]) {
					sum[0] += x;
					sum[1] += y;
					sum[2] += z;
				}
	for (int a = 0; a < 3; a++)
		out[a] = (double)region->first[a] + (double)sum[a] / (double)region->count;
}

static void to_three(const size_t from[3], double out[3])
{
	for (int a = 0; a < 3; a++)
		out[a] = (double)from[a];
}

static enum rs_code region_entries(struct rs_radiomics_result *result, const char *prefix,
                                   const struct rs_geometry *geometry, const struct region *region,
                                   struct rs_error *err)
{
	double size[3], box[6], count = (double)region->count, parts = 0, index[3], place[3];
	to_three(geometry->size, size);
	to_three(region->first, box);
	to_three(region->size, box + 3);
	RS_TRY(parts_count(region, &parts, err));
	centre(region, index);
	for (int a = 0; a < 3; a++) {
		place[a] = geometry->origin_mm[a];
		for (int k = 0; k < 3; k++)
			place[a] += geometry->direction[a][k] * geometry->spacing_mm[k] * index[k];
	}
	add_numbers(result, prefix, "Spacing", geometry->spacing_mm, 3);
	add_numbers(result, prefix, "Size", size, 3);
	add_numbers(result, prefix, "BoundingBox", box, 6);
	add_numbers(result, prefix, "VoxelNum", &count, 1);
	add_numbers(result, prefix, "VolumeNum", &parts, 1);
	add_numbers(result, prefix, "CenterOfMassIndex", index, 3);
	add_numbers(result, prefix, "CenterOfMass", place, 3);
	return RS_OK;
}

static void intensity_entries(struct rs_radiomics_result *result, const char *prefix, const double *x,
                              size_t count)
{
	double sum = 0, low = x[0], high = x[0];
	for (size_t i = 0; i < count; i++) {
		sum += x[i];
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
	}
	double mean = sum / (double)count;
	add_numbers(result, prefix, "Mean", &mean, 1);
	add_numbers(result, prefix, "Minimum", &low, 1);
	add_numbers(result, prefix, "Maximum", &high, 1);
}

static void image_entries(struct rs_radiomics_result *result, const char *prefix,
                          const struct rs_volume *volume)
{
	double size[3];
	to_three(volume->geometry.size, size);
	add_numbers(result, prefix, "Spacing", volume->geometry.spacing_mm, 3);
	add_numbers(result, prefix, "Size", size, 3);
	intensity_entries(result, prefix, volume->voxels, rs_geometry_voxels(&volume->geometry));
}

/* The mask on the way to what is measured. */
static enum rs_code mask_entries(struct rs_radiomics_result *result, const char *prefix,
                                 const struct radiomics_case *work, const struct region *region,
                                 struct rs_error *err)
{
	RS_TRY(region_entries(result, prefix, &work->mask->geometry, region, err));
	intensity_entries(result, prefix, region->values, region->count);
	return RS_OK;
}

static enum rs_code original_entries(struct rs_radiomics_result *result, const struct rs_volume *volume,
                                     const struct rs_mask *mask, uint32_t label, struct rs_error *err)
{
	char hash[41];
	struct region whole RS_CLEANUP(region_finish) = {0};
	RS_TRY(sha1_hex(volume, NULL, rs_geometry_voxels(&volume->geometry), hash, err));
	add_text(result, "Image-original_Hash", hash);
	add_text(result, "Image-original_Dimensionality", "3D");
	image_entries(result, "Image-original_", volume);
	RS_TRY(sha1_hex(NULL, mask->labels, rs_geometry_voxels(&mask->geometry), hash, err));
	add_text(result, "Mask-original_Hash", hash);
	RS_TRY(region_cut(NULL, mask->labels, mask->geometry.size, label, NULL, &whole, err));
	return region_entries(result, "Mask-original_", &mask->geometry, &whole, err);
}

enum rs_code diagnostics_allocate(size_t count, struct rs_radiomics_result *result, struct rs_error *err)
{
	result->diagnostics = rs_allocate_array(count, sizeof *result->diagnostics);
	if (result->diagnostics == NULL)
		return rs_error_memory(err, count * sizeof *result->diagnostics, "diagnostics");
	return RS_OK;
}

enum rs_code diagnostics_identify(const struct rs_volume *volume, const struct rs_mask *mask,
                                  struct rs_radiomics_result *result, struct rs_error *err)
{
	char image_hash[41], mask_hash[41];
	size_t count = rs_geometry_voxels(&volume->geometry);
	RS_TRY(sha1_hex(volume, NULL, count, image_hash, err));
	RS_TRY(sha1_hex(NULL, mask->labels, rs_geometry_voxels(&mask->geometry), mask_hash, err));
	add_text(result, "Versions_radseal", RADSEAL_VERSION);
	add_text(result, "Image-original_Hash", image_hash);
	add_text(result, "Mask-original_Hash", mask_hash);
	return RS_OK;
}

void diagnostics_plan_identity(struct rs_radiomics_result *result)
{
	add(result, "Versions_radseal", true);
	add(result, "Image-original_Hash", true);
	add(result, "Mask-original_Hash", true);
}

/* Empty entries, as the functions above will fill them. */
static void plan_entries(struct rs_radiomics_result *result, const char *prefix, const char *const *names)
{
	char whole[64];
	for (; *names != NULL; names++) {
		snprintf(whole, sizeof whole, "%s%s", prefix, *names);
		add(result, whole, strcmp(*names, "Hash") == 0 || strcmp(*names, "Dimensionality") == 0);
	}
}

/* Carried onto the image's grid, and told of: cropping and resampling do the same and do not tell. */
static bool may_be_carried(const struct rs_radiomics_settings *settings)
{
	return settings->correct_mask && settings->resampled_count == 0 && !settings->pre_crop;
}

enum rs_code diagnostics_plan(const struct rs_radiomics_settings *settings,
                              struct rs_radiomics_result *result, struct rs_error *err)
{
	static const char *const original[] = {"Hash", "Dimensionality", "Spacing", "Size",
	                                       "Mean", "Minimum",        "Maximum", NULL};
	static const char *const image[] = {"Spacing", "Size", "Mean", "Minimum", "Maximum", NULL};
	static const char *const hash[] = {"Hash", NULL};
	static const char *const region[] = {"Spacing",      "Size",      "BoundingBox",
	                                     "VoxelNum",     "VolumeNum", "CenterOfMassIndex",
	                                     "CenterOfMass", NULL};
	static const char *const intensities[] = {"Mean", "Minimum", "Maximum", NULL};
	RS_TRY(diagnostics_allocate(DIAGNOSTICS_MAX, result, err));
	add(result, "Versions_radseal", true);
	add(result, "Configuration_Settings", false);
	add(result, "Configuration_EnabledImageTypes", false);
	plan_entries(result, "Image-original_", original);
	plan_entries(result, "Mask-original_", hash);
	plan_entries(result, "Mask-original_", region);
	if (settings->resampled_count > 0) {
		plan_entries(result, "Image-interpolated_", image);
		plan_entries(result, "Mask-interpolated_", region);
		plan_entries(result, "Mask-interpolated_", intensities);
	}
	if (may_be_carried(settings)) {
		plan_entries(result, "Mask-corrected_", region);
		plan_entries(result, "Mask-corrected_", intensities);
	}
	if (settings->resegment_count == 0)
		return RS_OK;
	plan_entries(result, "Mask-resegmented_", region);
	plan_entries(result, "Mask-resegmented_", intensities);
	return RS_OK;
}

enum rs_code diagnostics_build(const struct rs_volume *volume, const struct rs_mask *mask,
                               const struct radiomics_case *work,
                               const struct rs_radiomics_settings *settings,
                               struct rs_radiomics_result *result, struct rs_error *err)
{
	struct region whole RS_CLEANUP(region_finish) = {0};
	RS_TRY(diagnostics_allocate(DIAGNOSTICS_MAX, result, err));
	add_text(result, "Versions_radseal", RADSEAL_VERSION);
	RS_TRY(configuration_entries(settings, result, err));
	RS_TRY(original_entries(result, volume, mask, settings->label, err));
	const char *prefix = work->resampled                             ? "Mask-interpolated_"
	                     : work->carried && may_be_carried(settings) ? "Mask-corrected_"
	                                                                 : NULL;
	if (work->resampled)
		image_entries(result, "Image-interpolated_", work->volume);
	if (prefix != NULL) {
		RS_TRY(region_cut(work->volume->voxels, work->mask->labels, work->mask->geometry.size,
		                  settings->label, NULL, &whole, err));
		RS_TRY(mask_entries(result, prefix, work, &whole, err));
	}
	if (settings->resegment_count > 0)
		RS_TRY(mask_entries(result, "Mask-resegmented_", work, &work->region, err));
	return diagnostics_check(result, err);
}
