/* Derived images: which the settings ask for, under which names, and the filters that make them. */
#include <stdio.h>
#include <string.h>

#include "radiomics/images.h"
#include "radiomics/settings_table.h"

void images_finish(struct derived_images *images)
{
	for (size_t i = 0; images->list != NULL && i < images->count; i++)
		rs_free(images->list[i].box);
	rs_free(images->list);
	memset(images, 0, sizeof *images);
}

/* Bits of the axes that are filtered: all but the one force2D leaves out (0 = z, 2 = x). */
static unsigned wavelet_axes(const struct rs_image_settings *s)
{
	return s->force_2d ? 7U & ~(1U << (2 - s->force_2d_dimension)) : 7U;
}

static size_t count_of_type(enum rs_image_type type, const struct rs_image_settings *s)
{
	size_t bands = (size_t)1 << __builtin_popcount(wavelet_axes(s));
	switch (type) {
	case RS_IMAGE_LOG: return s->sigma_count;
	case RS_IMAGE_WAVELET: return s->wavelet_level * (bands - 1) + 1;
	case RS_IMAGE_LBP_3D: return s->lbp_3d_levels + 1;
	default: return 1;
	}
}

/* A new planned image; the caller writes its name. */
static struct derived_image *plan(struct derived_images *out, enum rs_image_type type,
                                  const struct rs_image_settings *settings, unsigned part)
{
	struct derived_image *image = &out->list[out->count++];
	image->settings = *settings;
	image->type = type;
	image->part = part;
	return image;
}

/* "log-sigma-1-5-mm-3D"; a whole sigma reads 1-0. */
static void plan_log(struct derived_images *out, const struct rs_image_settings *s)
{
	char number[RS_F64_TEXT_SIZE];
	for (unsigned i = 0; i < s->sigma_count; i++) {
		struct derived_image *image = plan(out, RS_IMAGE_LOG, s, i);
		rs_format_f64(s->sigmas_mm[i], number);
		char *point = strchr(number, '.');
		if (point != NULL)
			*point = '-';
		snprintf(image->name, sizeof image->name, "log-sigma-%.24s%s-mm-3D", number,
		         point != NULL ? "" : "-0");
	}
}

/* Bands in PyRadiomics' order: LLH, LHL, … HHH of each level, LLL of the last one at the end. */
static void plan_wavelet(struct derived_images *out, const struct rs_image_settings *s)
{
	unsigned n = (unsigned)__builtin_popcount(wavelet_axes(s)), bands = 1U << n;
	for (unsigned level = 1; level <= s->wavelet_level; level++)
		for (unsigned k = 1; k < bands + (level == s->wavelet_level ? 1 : 0); k++) {
			char letters[4] = "", number[4] = "";
			struct derived_image *image = plan(out, RS_IMAGE_WAVELET, s, 0);
			for (unsigned i = 0; i < n;
			     i++) { /* the first letter is x, and the highest bit of k */
				unsigned high = k % bands >> (n - 1 - i) & 1U;
				letters[i] = high ? 'H' : 'L';
				image->part |= high << i;
			}
			image->level = level;
			if (level > 1)
				snprintf(number, sizeof number, "%u", level % 100);
			snprintf(image->name, sizeof image->name, "wavelet%s-%s", number, letters);
		}
}

static void plan_lbp_3d(struct derived_images *out, const struct rs_image_settings *s)
{
	for (unsigned i = 0; i <= s->lbp_3d_levels; i++) {
		struct derived_image *image = plan(out, RS_IMAGE_LBP_3D, s, i);
		if (i < s->lbp_3d_levels)
			snprintf(image->name, sizeof image->name, "lbp-3D-m%u", i + 1);
		else
			snprintf(image->name, sizeof image->name, "lbp-3D-k");
	}
}

static void plan_type(struct derived_images *out, enum rs_image_type type, const struct rs_image_settings *s)
{
	static const char *const names[RS_IMAGE_TYPE_COUNT] = {
		[RS_IMAGE_ORIGINAL] = "original",       [RS_IMAGE_SQUARE] = "square",
		[RS_IMAGE_SQUARE_ROOT] = "squareroot",  [RS_IMAGE_LOGARITHM] = "logarithm",
		[RS_IMAGE_EXPONENTIAL] = "exponential", [RS_IMAGE_GRADIENT] = "gradient",
		[RS_IMAGE_LBP_2D] = "lbp-2D",
	};
	if (type == RS_IMAGE_LOG)
		plan_log(out, s);
	else if (type == RS_IMAGE_WAVELET)
		plan_wavelet(out, s);
	else if (type == RS_IMAGE_LBP_3D)
		plan_lbp_3d(out, s);
	else
		snprintf(plan(out, type, s, 0)->name, IMAGE_NAME_SIZE, "%s", names[type]);
}

enum rs_code images_plan(const struct rs_radiomics_settings *settings, struct derived_images *out,
                         struct rs_error *err)
{
	struct derived_images images = {0};
	size_t count = 0;
	for (size_t i = 0; i < settings->image_count; i++) {
		struct rs_image_settings own = image_settings(settings, i);
		count += count_of_type(settings->images[i].type, &own);
	}
	images.list = rs_allocate_array(count, sizeof *images.list);
	if (images.list == NULL)
		return rs_error_memory(err, count * sizeof *images.list, "derived images");
	for (size_t i = 0; i < settings->image_count; i++) {
		struct rs_image_settings own = image_settings(settings, i);
		plan_type(&images, settings->images[i].type, &own);
	}
	*out = images;
	return RS_OK;
}

struct deriving {
	const struct rs_volume *volume;
	const struct rs_box *box;
	const uint8_t *inside;
	struct rs_pool *pool;
	struct derived_images *images;
};

static void copy_box(const struct deriving *d, double *out)
{
	const size_t *size = d->box->size, *whole = d->volume->geometry.size;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++) {
			size_t row = ((z + d->box->first[2]) * whole[1] + y + d->box->first[1]) * whole[0];
			memcpy(out + (z * size[1] + y) * size[0], d->volume->voxels + row + d->box->first[0],
			       size[0] * sizeof(double));
		}
}

/* A sigma the volume is too small for leaves its image out, with a warning, as PyRadiomics does. */
static enum rs_code derive_log(struct deriving *d, struct derived_image *image, struct rs_error *err)
{
	enum rs_code code = rs_filter_log(d->volume, d->box, image->settings.sigmas_mm[image->part], d->pool,
	                                  image->box, err);
	if (code != RS_REFUSED)
		return code;
	snprintf(d->images->warning, sizeof d->images->warning, "%s is left out (NaN): %.180s", image->name,
	         err->message);
	rs_free(image->box);
	image->box = NULL;
	return RS_OK;
}

/* Neighbours in the list that one call of a filter makes together: the bands of a level, the levels of LBP3D. */
static size_t group_size(const struct derived_images *images, size_t first)
{
	const struct derived_image *head = &images->list[first];
	size_t n = 1;
	if (head->type != RS_IMAGE_WAVELET && head->type != RS_IMAGE_LBP_3D)
		return 1;
	while (first + n < images->count && images->list[first + n].type == head->type &&
	       images->list[first + n].level == head->level)
		n++;
	return n;
}

static enum rs_code derive_wavelet(struct deriving *d, struct derived_image *first, size_t count,
                                   struct rs_error *err)
{
	const struct rs_image_settings *s = &first->settings;
	struct rs_wavelet wavelet;
	double *outs[8] = {NULL};
	RS_TRY(rs_wavelet_find(s->wavelet, &wavelet, err));
	for (size_t i = 0; i < count; i++)
		outs[first[i].part] = first[i].box;
	return rs_filter_wavelet(d->volume, d->box, &wavelet, s->wavelet_start + first->level,
	                         wavelet_axes(s), d->pool, outs, err);
}

static enum rs_code derive_lbp_3d(struct deriving *d, struct derived_image *first, size_t count,
                                  struct rs_error *err)
{
	const struct rs_image_settings *s = &first->settings;
	double *outs[RS_LBP_LEVELS_MAX + 1] = {NULL};
	for (size_t i = 0; i < count; i++)
		outs[first[i].part] = first[i].box;
	return rs_filter_lbp_3d(d->volume, d->box, d->inside, s->lbp_3d_levels, s->lbp_3d_radius,
	                        s->lbp_3d_subdivision, d->pool, outs, err);
}

static enum rs_code derive(struct deriving *d, struct derived_image *image, size_t count,
                           struct rs_error *err)
{
	const struct rs_image_settings *s = &image->settings;
	switch (image->type) {
	case RS_IMAGE_ORIGINAL: copy_box(d, image->box); return RS_OK;
	case RS_IMAGE_LOG: return derive_log(d, image, err);
	case RS_IMAGE_WAVELET: return derive_wavelet(d, image, count, err);
	case RS_IMAGE_SQUARE:
		return rs_filter_pointwise(d->volume, d->box, RS_SQUARE, d->pool, image->box, err);
	case RS_IMAGE_SQUARE_ROOT:
		return rs_filter_pointwise(d->volume, d->box, RS_SQUARE_ROOT, d->pool, image->box, err);
	case RS_IMAGE_LOGARITHM:
		return rs_filter_pointwise(d->volume, d->box, RS_LOGARITHM, d->pool, image->box, err);
	case RS_IMAGE_EXPONENTIAL:
		return rs_filter_pointwise(d->volume, d->box, RS_EXPONENTIAL, d->pool, image->box, err);
	case RS_IMAGE_GRADIENT:
		return rs_filter_gradient(d->volume, d->box, s->gradient_use_spacing, d->pool, image->box,
		                          err);
	case RS_IMAGE_LBP_2D:
		return rs_filter_lbp_2d(d->volume, d->box, s->lbp_2d_radius, s->lbp_2d_samples,
		                        s->lbp_2d_method, 2 - s->force_2d_dimension, d->pool, image->box,
		                        err);
	case RS_IMAGE_LBP_3D: return derive_lbp_3d(d, image, count, err);
	case RS_IMAGE_TYPE_COUNT: break;
	}
	return rs_error_set(err, RS_INTERNAL, "image type %d has no filter", (int)image->type);
}

enum rs_code images_derive(const struct rs_volume *volume, const struct rs_box *box, const uint8_t *inside,
                           struct rs_pool *pool, struct derived_images *images, struct rs_error *err)
{
	struct deriving d = {volume, box, inside, pool, images};
	for (size_t i = 0; i < images->count; i++) {
		if (images->list[i].in_place)
			continue;
		images->list[i].box = rs_allocate_array(rs_box_voxels(box), sizeof(double));
		if (images->list[i].box == NULL)
			return rs_error_memory(err, rs_box_voxels(box) * sizeof(double), "a derived image");
	}
	for (size_t i = 0, n; i < images->count; i += n) {
		n = group_size(images, i);
		if (!images->list[i].in_place && derive(&d, &images->list[i], n, err) != RS_OK)
			return rs_error_context(err, "image type %s", image_type_name(images->list[i].type));
	}
	return RS_OK;
}
