/* Every setting: name, kind, place. In the order of canonical CBOR keys, shorter first, then bytewise, because
 * settings.c writes them as they stand here. */
#include <math.h>
#include <string.h>

#include "radiomics/settings_table.h"

static const char *const resegment_words[] = {"absolute", "relative", "sigma", NULL};
static const char *const weighting_words[] = {"none",     "manhattan",    "euclidean",
                                              "infinity", "no_weighting", NULL};
static const char *const lbp_words[] = {"default", "ror", "uniform", "nri_uniform", "var", NULL};
static const char *const interpolator_words[] = {"sitkNearestNeighbor",
                                                 "sitkLinear",
                                                 "sitkBSpline",
                                                 "sitkGaussian",
                                                 "sitkLabelGaussian",
                                                 "sitkHammingWindowedSinc",
                                                 "sitkCosineWindowedSinc",
                                                 "sitkWelchWindowedSinc",
                                                 "sitkLanczosWindowedSinc",
                                                 "sitkBlackmanWindowedSinc",
                                                 NULL};

#define SIZE_OF(type, member) sizeof(((struct type *)NULL)->member)
#define PLACE(type, member) offsetof(struct type, member), SIZE_OF(type, member)
#define CASE(member) OF_CASE, PLACE(rs_radiomics_settings, member)
#define IMAGE(member) OF_IMAGE, PLACE(rs_image_settings, member)
#define VOXEL(member) OF_VOXEL, PLACE(rs_radiomics_settings, member)
const struct setting_row setting_rows[] = {
	{.name = "label", SETTING_WHOLE, CASE(label)},
	{.name = "level", SETTING_WHOLE, IMAGE(wavelet_level)},
	{.name = "sigma",
         SETTING_REALS,
         IMAGE(sigmas_mm),
         offsetof(struct rs_image_settings, sigma_count),
         1,
         RS_RADIOMICS_SIGMAS_MAX},
	{.name = "gldm_a", SETTING_REAL, IMAGE(gldm_alpha)},
	{.name = "force2D", SETTING_FLAG, IMAGE(force_2d)},
	{.name = "preCrop", SETTING_FLAG, CASE(pre_crop)},
	{.name = "wavelet", SETTING_TEXT, IMAGE(wavelet)},
	{.name = "binCount", SETTING_WHOLE, IMAGE(bin_count), .none = "0"},
	{.name = "binWidth", SETTING_REAL, IMAGE(bin_width)},
	{.name = "distances",
         SETTING_WHOLES,
         IMAGE(distances),
         offsetof(struct rs_image_settings, distance_count),
         1,
         RS_RADIOMICS_DISTANCES_MAX},
	{.name = "initValue", SETTING_REAL, VOXEL(initial_value)},
	{.name = "normalize", SETTING_FLAG, CASE(normalize)},
	{.name = "voxelBatch", SETTING_IGNORED, .scope = OF_VOXEL},
	{.name = "correctMask", SETTING_FLAG, CASE(correct_mask)},
	{.name = "lbp2DMethod", SETTING_WORD, IMAGE(lbp_2d_method), .words = lbp_words},
	{.name = "lbp2DRadius", SETTING_REAL, IMAGE(lbp_2d_radius)},
	{.name = "lbp3DLevels", SETTING_WHOLE, IMAGE(lbp_3d_levels)},
	{.name = "padDistance", SETTING_WHOLE, CASE(pad_distance)},
	{.name = "start_level", SETTING_WHOLE, IMAGE(wavelet_start)},
	{.name = "interpolator", SETTING_WORD, CASE(interpolator), .words = interpolator_words},
	{.name = "kernelRadius", SETTING_WHOLE, VOXEL(kernel_radius)},
	{.name = "lbp2DSamples", SETTING_WHOLE, IMAGE(lbp_2d_samples)},
	{.name = "maskedKernel", SETTING_FLAG, VOXEL(masked_kernel)},
	{.name = "label_channel", SETTING_CHANNEL, CASE(label_channel), .none = ""},
	{.name = "resegmentMode", SETTING_WORD, CASE(resegment_mode), .words = resegment_words},
	{.name = "weightingNorm", SETTING_WORD, IMAGE(weighting), .words = weighting_words, .none = "none"},
	{.name = "additionalInfo", SETTING_FLAG, CASE(additional_info)},
	{.name = "minimumROISize", SETTING_WHOLE64, CASE(minimum_roi_size), .none = "0"},
	{.name = "normalizeScale", SETTING_REAL, CASE(normalize_scale)},
	{.name = "removeOutliers", SETTING_REAL, CASE(remove_outliers), .none = "0"},
	{.name = "resegmentRange",
         SETTING_REALS,
         CASE(resegment_range),
         offsetof(struct rs_radiomics_settings, resegment_count),
         1,
         2,
         .none = ""},
	{.name = "resegmentShape", SETTING_FLAG, CASE(resegment_shape)},
	{.name = "symmetricalGLCM", SETTING_FLAG, IMAGE(symmetrical_glcm)},
	{.name = "voxelArrayShift", SETTING_REAL, IMAGE(voxel_array_shift)},
	{.name = "force2Ddimension", SETTING_WHOLE, IMAGE(force_2d_dimension)},
	{.name = "geometryTolerance", SETTING_REAL, CASE(geometry_tolerance)},
	{.name = "gradientUseSpacing", SETTING_FLAG, IMAGE(gradient_use_spacing)},
	{.name = "lbp3DIcosphereRadius", SETTING_REAL, IMAGE(lbp_3d_radius)},
	{.name = "minimumROIDimensions", SETTING_WHOLE, CASE(minimum_roi_dimensions)},
	{.name = "resampledPixelSpacing",
         SETTING_REALS,
         CASE(resampled_spacing_mm),
         offsetof(struct rs_radiomics_settings, resampled_count),
         3,
         3,
         .none = ""},
	{.name = "lbp3DIcosphereSubdivision", SETTING_WHOLE, IMAGE(lbp_3d_subdivision)},
};
const size_t setting_row_count = RS_COUNT(setting_rows);

const struct setting_row *setting_find(struct rs_str name)
{
	for (size_t i = 0; i < setting_row_count; i++)
		if (rs_str_equal(rs_str_from(setting_rows[i].name), name))
			return &setting_rows[i];
	return NULL;
}

const char *image_type_name(enum rs_image_type type)
{
	static const char *const names[RS_IMAGE_TYPE_COUNT] = {
		"Original",  "LoG",         "Wavelet",  "Square", "SquareRoot",
		"Logarithm", "Exponential", "Gradient", "LBP2D",  "LBP3D"};
	return names[type];
}

static bool parse_flag(struct rs_str text, bool *out)
{
	/* 1 is true on PyRadiomics' command line. */
	bool yes = rs_str_equal_ignoring_case(text, RS_STR("true")) || rs_str_equal_text(text, "1");
	if (!yes && !rs_str_equal_ignoring_case(text, RS_STR("false")) && !rs_str_equal_text(text, "0"))
		return false;
	*out = yes;
	return true;
}

/* A whole number, also in the form 1.0. */
static bool parse_whole(struct rs_str text, uint64_t most, uint64_t *out)
{
	double real;
	if (!rs_parse_f64(text, &real) || !(real >= 0) || real > (double)most || floor(real) < real)
		return false;
	*out = (uint64_t)real;
	return true;
}

/* Numbers between commas, with or without brackets. */
static bool parse_list(struct rs_str text, double *out, size_t most, size_t *out_count)
{
	struct rs_str part;
	size_t count = 0;
	text = rs_str_trim(text);
	if (text.size > 1 && text.data[0] == '[' && text.data[text.size - 1] == ']') {
		text.data++;
		text.size -= 2;
	}
	while (text.size > 0 && rs_str_split(&text, ',', &part))
		if (count == most || !rs_parse_f64(rs_str_trim(part), &out[count++]))
			return false;
	*out_count = count;
	return true;
}

static bool assign_list(const struct setting_row *row, unsigned char *base, struct rs_str text)
{
	double values[RS_RADIOMICS_SIGMAS_MAX];
	size_t count;
	if (!parse_list(text, values, row->most, &count) ||
	    (count < row->least && !(count == 0 && row->none != NULL)))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]) ||
		    (row->kind == SETTING_WHOLES &&
		     !(values[i] >= 1 && values[i] <= 16 && floor(values[i]) >= values[i])))
			return false;
	memcpy(base + row->count_offset, &count, sizeof count);
	for (size_t i = 0; i < count; i++) {
		unsigned whole = (unsigned)(row->kind == SETTING_WHOLES ? values[i] : 0);
		if (row->kind == SETTING_WHOLES)
			memcpy(base + row->offset + i * sizeof whole, &whole, sizeof whole);
		else
			memcpy(base + row->offset + i * sizeof values[i], &values[i], sizeof values[i]);
	}
	return true;
}

static bool assign_word(const struct setting_row *row, unsigned char *field, const char *text)
{
	for (unsigned i = 0; row->words[i] != NULL; i++)
		if (strcmp(row->words[i], text) == 0) {
			memcpy(field, &i, sizeof i);
			return true;
		}
	return false;
}

size_t setting_count(const struct setting_row *row, const void *base)
{
	size_t count = 1;
	if (row->most > 0)
		memcpy(&count, (const unsigned char *)base + row->count_offset, sizeof count);
	return count;
}

double setting_number(const struct setting_row *row, const void *base, size_t index)
{
	const unsigned char *field = (const unsigned char *)base + row->offset;
	bool flag;
	double real;
	uint32_t narrow;
	uint64_t whole;
	switch (row->kind) {
	case SETTING_FLAG: memcpy(&flag, field, sizeof flag); return flag;
	case SETTING_REAL:
	case SETTING_REALS: memcpy(&real, field + index * sizeof real, sizeof real); return real;
	case SETTING_WHOLE64: memcpy(&whole, field, sizeof whole); return (double)whole;
	case SETTING_WHOLE:
	case SETTING_WHOLES:
	case SETTING_CHANNEL:
	case SETTING_WORD: memcpy(&narrow, field + index * sizeof narrow, sizeof narrow); return narrow;
	case SETTING_TEXT:
	case SETTING_IGNORED: break;
	}
	return NAN;
}

bool setting_assign(const struct setting_row *row, void *base, const char *text)
{
	unsigned char *field = (unsigned char *)base + row->offset;
	struct rs_str value = rs_str_from(text);
	bool flag;
	double real;
	uint64_t whole;
	uint32_t narrow;
	switch (row->kind) {
	case SETTING_FLAG:
		if (!parse_flag(value, &flag))
			return false;
		memcpy(field, &flag, sizeof flag);
		return true;
	case SETTING_REAL: /* initValue may be no number; every other one is checked by settings_check */
		if (!rs_parse_f64(value, &real) || (row->scope != OF_VOXEL && !isfinite(real)))
			return false;
		memcpy(field, &real, sizeof real);
		return true;
	case SETTING_WHOLE:
		if (!parse_whole(value, UINT32_MAX, &whole))
			return false;
		narrow = (uint32_t)whole;
		memcpy(field, &narrow, sizeof narrow);
		return true;
	case SETTING_CHANNEL:
		whole = RS_LABEL_CHANNEL_NONE;
		if (value.size > 0 && !parse_whole(value, RS_LABEL_CHANNEL_NONE - 1, &whole))
			return false;
		narrow = (uint32_t)whole;
		memcpy(field, &narrow, sizeof narrow);
		return true;
	case SETTING_WHOLE64:
		if (!parse_whole(value, (uint64_t)1 << 53, &whole))
			return false;
		memcpy(field, &whole, sizeof whole);
		return true;
	case SETTING_REALS:
	case SETTING_WHOLES: return assign_list(row, base, value);
	case SETTING_WORD: return assign_word(row, field, text);
	case SETTING_TEXT:
		if (value.size == 0 || value.size >= row->size)
			return false;
		memset(field, 0, row->size);
		memcpy(field, value.data, value.size);
		return true;
	case SETTING_IGNORED: break;
	}
	return true;
}

size_t settings_features(const struct rs_radiomics_settings *settings, enum rs_family family,
                         uint8_t out_rows[RS_RADIOMICS_FEATURES_MAX])
{
	uint64_t left = settings->chosen[family];
	size_t count = 0;
	for (size_t i = 0; i < settings->named_count[family]; i++) {
		uint8_t row = settings->named[family][i];
		if (!(left >> row & 1))
			continue;
		left &= ~((uint64_t)1 << row);
		out_rows[count++] = row;
	}
	for (uint8_t row = 0; row < RS_RADIOMICS_FEATURES_MAX; row++)
		if (left >> row & 1)
			out_rows[count++] = row;
	return count;
}

struct rs_image_settings image_settings(const struct rs_radiomics_settings *settings, size_t image)
{
	struct rs_image_settings out = settings->common;
	const struct rs_image_choice *choice = &settings->images[image];
	for (size_t i = 0; i < setting_row_count; i++) {
		const struct setting_row *row = &setting_rows[i];
		if (!(choice->own >> i & 1))
			continue;
		memcpy((unsigned char *)&out + row->offset,
		       (const unsigned char *)&choice->settings + row->offset, row->size);
		if (row->most > 0)
			memcpy((unsigned char *)&out + row->count_offset,
			       (const unsigned char *)&choice->settings + row->count_offset, sizeof(size_t));
	}
	return out;
}
