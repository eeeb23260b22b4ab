/* Studies as networks see them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "learned.h"

#define CLIP 5.0f
#define OUTLIERS 0.01             /* share of the values at either end */
#define SAMPLED ((size_t)1 << 16) /* values that tell where these ends are, at most, evenly spread */

void study_finish(struct study *study)
{
	rs_free(study->values);
	rs_free(study->region);
	rs_free(study->inside);
	*study = (struct study){0};
}

static int ascending(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* Mean and deviation of the body: of what is larger than half of the mean size; maps of differences are negative in parts. */
static void measure(const float *values, size_t count, double *out_mean, double *out_deviation)
{
	double sizes = 0, sum = 0, squares = 0, body = 0;
	for (size_t i = 0; i < count; i++)
		sizes += fabs((double)values[i]);
	const double least = sizes / (double)count / 2;
	for (size_t i = 0; i < count; i++)
		if (fabs((double)values[i]) > least) {
			sum += (double)values[i];
			body++;
		}
	const double mean = body > 0 ? sum / body : 0;
	for (size_t i = 0; i < count; i++)
		if (fabs((double)values[i]) > least)
			squares += ((double)values[i] - mean) * ((double)values[i] - mean);
	*out_mean = mean;
	*out_deviation = squares > 0 ? sqrt(squares / body) : 1;
}

/* Extremes are measured as if they were not so far out: such as a diffusion coefficient of air, which is noise. */
static enum rs_code normalise(float *values, size_t count, struct rs_error *err)
{
	const size_t step = count / SAMPLED + 1, sampled = (count - 1) / step + 1,
		     beyond = (size_t)(OUTLIERS * (double)sampled);
	float *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(sampled, sizeof *sorted);
	double mean, deviation;
	if (!sorted)
		return rs_error_memory(err, sampled * sizeof *sorted, "an image");
	for (size_t i = 0; i < sampled; i++)
		sorted[i] = values[i * step];
	qsort(sorted, sampled, sizeof *sorted, ascending);
	for (size_t i = 0; i < beyond; i++) {
		sorted[i] = sorted[beyond];
		sorted[sampled - 1 - i] = sorted[sampled - 1 - beyond];
	}
	measure(sorted, sampled, &mean, &deviation);
	for (size_t i = 0; i < count; i++)
		values[i] = fminf(fmaxf((float)(((double)values[i] - mean) / deviation), -CLIP), CLIP);
	return RS_OK;
}

static enum rs_code add_image(struct study *study, const struct rs_volume *image, size_t channel,
                              struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&image->geometry), own = rs_geometry_voxels(&study->grid);
	float *copy RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *copy);
	if (!copy)
		return rs_error_memory(err, voxels * sizeof *copy, "an image");
	for (size_t i = 0; i < voxels; i++)
		copy[i] = (float)image->voxels[turned_at(&study->turned, i)];
	RS_TRY(grid_onto(&study->turned.grid, copy, &study->grid, study->values + channel * own, err));
	for (size_t i = 0; i < own; i++)
		if (!isfinite(study->values[channel * own + i]))
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "image %zu has voxels that are no numbers, or too large",
			                    channel + 1);
	return normalise(study->values + channel * own, own, err);
}

static enum rs_code add_mask(struct study *study, const struct rs_mask *mask, struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&mask->geometry), own = rs_geometry_voxels(&study->grid);
	float *copy RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *copy);
	study->region = rs_allocate_array(own, sizeof *study->region);
	if (!copy || !study->region)
		return rs_error_memory(err, voxels * sizeof *copy, "a mask");
	for (size_t i = 0; i < voxels; i++)
		copy[i] = mask->labels[turned_at(&study->turned, i)] != 0;
	RS_TRY(grid_onto(&study->turned.grid, copy, &study->grid, study->region, err));
	for (size_t i = 0; i < own; i++)
		study->inside_count += study->region[i] >= 0.5f;
	study->inside = rs_allocate_array(study->inside_count, sizeof *study->inside);
	if (!study->inside)
		return rs_error_memory(err, study->inside_count * sizeof *study->inside, "a mask");
	for (size_t i = 0, at = 0; i < own; i++)
		if (study->region[i] >= 0.5f)
			study->inside[at++] = i;
	return RS_OK;
}

static enum rs_code fill(struct study *study, const struct rs_volume *const *images,
                         const struct rs_mask *mask, const struct rs_geometry *image, double spacing_mm,
                         struct rs_error *err)
{
	study->turned = turned_of(image);
	RS_TRY(working_grid(&study->turned.grid, spacing_mm, &study->grid, err));
	const size_t voxels = rs_geometry_voxels(&study->grid);
	study->values = rs_allocate_array(voxels, study->channels * sizeof *study->values);
	if (!study->values)
		return rs_error_memory(err, voxels * study->channels * sizeof *study->values, "a study");
	for (size_t c = 0; c < study->channels; c++) {
		char name[32];
		if (!images[c])
			continue;
		(void)snprintf(name, sizeof name, "image %zu", c + 1);
		RS_TRY(grid_same(image, &images[c]->geometry, name, err));
		RS_TRY(add_image(study, images[c], c, err));
		study->has[c] = true;
	}
	if (!mask)
		return RS_OK;
	RS_TRY(grid_same(image, &mask->geometry, "the mask", err));
	return add_mask(study, mask, err);
}

enum rs_code study_of(const struct rs_volume *const *images, size_t channels, const struct rs_mask *mask,
                      double spacing_mm, struct study *out, struct rs_error *err)
{
	struct study study = {.channels = channels};
	const struct rs_volume *first = NULL;
	for (size_t c = channels; c-- > 0;)
		first = images[c] ? images[c] : first;
	if (!first)
		return rs_error_set(err, RS_USAGE, "a study has at least one image");
	enum rs_code code = fill(&study, images, mask, &first->geometry, spacing_mm, err);
	if (code != RS_OK)
		study_finish(&study);
	else
		*out = study;
	return code;
}
