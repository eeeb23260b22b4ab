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

struct deriving {
	const struct rs_volume *volume;
	const struct rs_box *box;
	const uint8_t *inside;
	struct rs_pool *pool;
	struct derived_images *out;
	const struct rs_image_settings *settings;
};

/* Bits of the axes that are filtered: all but the one force2D leaves out (0 = z, 2 = x). */
static unsigned wavelet_axes(const struct rs_image_settings *s)
{
	return s->force_2d ? 7U & ~(1U << (2 - s->force_2d_dimension)) : 7U;
}

static size_t derived_count(enum rs_image_type type, const struct rs_image_settings *s)
{
	size_t bands = (size_t)1 << __builtin_popcount(wavelet_axes(s));
	switch (type) {
	case RS_IMAGE_LOG: return s->sigma_count;
	case RS_IMAGE_WAVELET: return s->wavelet_level * (bands - 1) + 1;
	case RS_IMAGE_LBP_3D: return s->lbp_3d_levels + 1;
	default: return 1;
	}
}

static struct derived_image *add(struct deriving *d, const char *name, struct rs_error *err)
{
	double *box = rs_allocate_array(rs_box_voxels(d->box), sizeof *box);
	if (box == NULL) {
		(void)rs_error_memory(err, rs_box_voxels(d->box) * sizeof *box, "a derived image");
		return NULL;
	}
	struct derived_image *image = &d->out->list[d->out->count++];
	image->box = box;
	image->settings = *d->settings;
	snprintf(image->name, sizeof image->name, "%s", name);
	return image;
}

static enum rs_code derive_original(struct deriving *d, struct rs_error *err)
{
	struct derived_image *image = add(d, "original", err);
	if (image == NULL)
		return RS_NO_MEMORY;
	const size_t *size = d->box->size, *whole = d->volume->geometry.size;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++) {
			size_t row = ((z + d->box->first[2]) * whole[1] + y + d->box->first[1]) * whole[0];
			memcpy(image->box + (z * size[1] + y) * size[0],
			       d->volume->voxels + row + d->box->first[0], size[0] * sizeof(double));
		}
	return RS_OK;
}

/* A sigma the volume is too small for leaves its image out, with a warning, as PyRadiomics does. */
static enum rs_code derive_log(struct deriving *d, struct rs_error *err)
{
	char name[IMAGE_NAME_SIZE], number[RS_F64_TEXT_SIZE];
	for (size_t i = 0; i < d->settings->sigma_count; i++) {
		rs_format_f64(d->settings->sigmas_mm[i], number);
		char *point = strchr(number, '.');
		if (point != NULL)
			*point = '-';
		snprintf(name, sizeof name, "log-sigma-%.24s%s-mm-3D", number, point != NULL ? "" : "-0");
		struct derived_image *image = add(d, name, err);
		if (image == NULL)
			return RS_NO_MEMORY;
		enum rs_code code = rs_filter_log(d->volume, d->box, d->settings->sigmas_mm[i], d->pool,
		                                  image->box, err);
		if (code == RS_REFUSED) {
			snprintf(d->out->warning, sizeof d->out->warning, "%s is left out (NaN): %.180s",
			         name, err->message);
			rs_free(image->box);
			image->box = NULL;
			continue;
		}
		RS_TRY(code);
	}
	return RS_OK;
}

/* Bands in PyRadiomics' order: LLH, LHL, … HHH of each level, LLL of the last one at the end. */
static enum rs_code derive_wavelet(struct deriving *d, struct rs_error *err)
{
	struct rs_wavelet wavelet;
	unsigned axes = wavelet_axes(d->settings), n = (unsigned)__builtin_popcount(axes), bands = 1U << n;
	RS_TRY(rs_wavelet_find(d->settings->wavelet, &wavelet, err));
	for (unsigned level = 1; level <= d->settings->wavelet_level; level++) {
		double *outs[8] = {NULL};
		bool last = level == d->settings->wavelet_level;
		for (unsigned k = 1; k < bands + (last ? 1 : 0); k++) {
			char name[IMAGE_NAME_SIZE], letters[4] = "";
			unsigned band = 0;
			for (unsigned i = 0; i < n;
			     i++) { /* the first letter is x, and the highest bit of k */
				unsigned high = (k % bands) >> (n - 1 - i) & 1U;
				letters[i] = high ? 'H' : 'L';
				band |= high << i;
			}
			if (level == 1)
				snprintf(name, sizeof name, "wavelet-%s", letters);
			else
				snprintf(name, sizeof name, "wavelet%u-%s", level, letters);
			struct derived_image *image = add(d, name, err);
			if (image == NULL)
				return RS_NO_MEMORY;
			outs[band] = image->box;
		}
		RS_TRY(rs_filter_wavelet(d->volume, d->box, &wavelet, d->settings->wavelet_start + level,
		                         axes, d->pool, outs, err));
	}
	return RS_OK;
}

static enum rs_code derive_pointwise(struct deriving *d, const char *name, enum rs_pointwise kind,
                                     struct rs_error *err)
{
	struct derived_image *image = add(d, name, err);
	return image == NULL ? RS_NO_MEMORY
	                     : rs_filter_pointwise(d->volume, d->box, kind, d->pool, image->box, err);
}

static enum rs_code derive_gradient(struct deriving *d, struct rs_error *err)
{
	struct derived_image *image = add(d, "gradient", err);
	return image == NULL ? RS_NO_MEMORY
	                     : rs_filter_gradient(d->volume, d->box, d->settings->gradient_use_spacing,
	                                          d->pool, image->box, err);
}

static enum rs_code derive_lbp_2d(struct deriving *d, struct rs_error *err)
{
	const struct rs_image_settings *s = d->settings;
	struct derived_image *image = add(d, "lbp-2D", err);
	return image == NULL ? RS_NO_MEMORY
	                     : rs_filter_lbp_2d(d->volume, d->box, s->lbp_2d_radius, s->lbp_2d_samples,
	                                        s->lbp_2d_method, 2 - s->force_2d_dimension, d->pool,
	                                        image->box, err);
}

static enum rs_code derive_lbp_3d(struct deriving *d, struct rs_error *err)
{
	const struct rs_image_settings *s = d->settings;
	double *outs[RS_LBP_LEVELS_MAX + 1];
	for (unsigned i = 0; i <= s->lbp_3d_levels; i++) {
		char name[IMAGE_NAME_SIZE];
		if (i < s->lbp_3d_levels)
			snprintf(name, sizeof name, "lbp-3D-m%u", i + 1);
		else
			snprintf(name, sizeof name, "lbp-3D-k");
		struct derived_image *image = add(d, name, err);
		if (image == NULL)
			return RS_NO_MEMORY;
		outs[i] = image->box;
	}
	return rs_filter_lbp_3d(d->volume, d->box, d->inside, s->lbp_3d_levels, s->lbp_3d_radius,
	                        s->lbp_3d_subdivision, d->pool, outs, err);
}

static enum rs_code derive(struct deriving *d, enum rs_image_type type, struct rs_error *err)
{
	switch (type) {
	case RS_IMAGE_ORIGINAL: return derive_original(d, err);
	case RS_IMAGE_LOG: return derive_log(d, err);
	case RS_IMAGE_WAVELET: return derive_wavelet(d, err);
	case RS_IMAGE_SQUARE: return derive_pointwise(d, "square", RS_SQUARE, err);
	case RS_IMAGE_SQUARE_ROOT: return derive_pointwise(d, "squareroot", RS_SQUARE_ROOT, err);
	case RS_IMAGE_LOGARITHM: return derive_pointwise(d, "logarithm", RS_LOGARITHM, err);
	case RS_IMAGE_EXPONENTIAL: return derive_pointwise(d, "exponential", RS_EXPONENTIAL, err);
	case RS_IMAGE_GRADIENT: return derive_gradient(d, err);
	case RS_IMAGE_LBP_2D: return derive_lbp_2d(d, err);
	case RS_IMAGE_LBP_3D: return derive_lbp_3d(d, err);
	case RS_IMAGE_TYPE_COUNT: break;
	}
	return rs_error_set(err, RS_INTERNAL, "image type %d has no filter", (int)type);
}

enum rs_code images_derive(const struct rs_volume *volume, const struct rs_box *box, const uint8_t *inside,
                           const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                           struct derived_images *out, struct rs_error *err)
{
	struct derived_images images RS_CLEANUP(images_finish) = {0};
	size_t count = 0;
	for (size_t i = 0; i < settings->image_count; i++) {
		struct rs_image_settings own = image_settings(settings, i);
		count += derived_count(settings->images[i].type, &own);
	}
	images.list = rs_allocate_array(count, sizeof *images.list);
	if (images.list == NULL)
		return rs_error_memory(err, count * sizeof *images.list, "derived images");
	for (size_t i = 0; i < settings->image_count; i++) {
		struct rs_image_settings own = image_settings(settings, i);
		struct deriving d = {volume, box, inside, pool, &images, &own};
		if (derive(&d, settings->images[i].type, err) != RS_OK)
			return rs_error_context(err, "image type %s",
			                        image_type_name(settings->images[i].type));
	}
	*out = images;
	memset(&images, 0, sizeof images);
	return RS_OK;
}
