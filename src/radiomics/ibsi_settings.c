/* Settings of the mode ibsi: by name from a parameter file's section `ibsi` or as "ibsi.name", checked, encoded. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "radiomics/ibsi.h"
#include "radiomics/settings_table.h"

#define DISTANCE_MAX 16
#define DIMENSIONS_ALL (RS_IBSI_2D | RS_IBSI_2_5D | RS_IBSI_3D)
#define FAMILIES_ALL ((1U << RS_IBSI_FAMILY_COUNT) - 1)
#define DEFAULT_BIN_COUNT 32 /* of IBSI's configurations B, D and E */

void ibsi_settings_default(struct rs_ibsi_settings *out)
{
	*out = (struct rs_ibsi_settings){
		.families = FAMILIES_ALL,
		.dimensions = DIMENSIONS_ALL,
		.image_order = 1,
		.mask_order = 1,
		.mask_threshold = 0.5,
		.texture = {.kind = RS_DISCRETISE_COUNT, .count = DEFAULT_BIN_COUNT},
		.distance = 1,
	};
}

#define REFUSE_UNLESS(condition, ...)                                    \
	do {                                                             \
		if (!(condition))                                        \
			return rs_error_set(err, RS_USAGE, __VA_ARGS__); \
	} while (0)

static enum rs_code check_binning(const struct rs_binning *b, const char *prefix, struct rs_error *err)
{
	REFUSE_UNLESS(b->kind != RS_DISCRETISE_WIDTH || (b->width > 0 && isfinite(b->width)),
	              "%sinWidth %g must be greater than 0", prefix, b->width);
	REFUSE_UNLESS(b->kind != RS_DISCRETISE_COUNT ||
	                      (b->count >= 1 && b->count <= RS_RADIOMICS_LEVELS_MAX),
	              "%sinCount %u is not 1 to %d", prefix, b->count, RS_RADIOMICS_LEVELS_MAX);
	return RS_OK;
}

static bool is_order(unsigned order) { return order == 0 || order == 1 || order == 3; }

enum rs_code ibsi_settings_check(const struct rs_ibsi_settings *s, struct rs_error *err)
{
	REFUSE_UNLESS(s->families > 0 && s->families <= FAMILIES_ALL, "families names none");
	REFUSE_UNLESS(s->dimensions > 0 && s->dimensions <= DIMENSIONS_ALL,
	              "dimensions must name 2D, 2.5D or 3D");
	for (int a = 0; a < 3; a++)
		REFUSE_UNLESS(s->spacing_mm[a] >= 0 && isfinite(s->spacing_mm[a]),
		              "spacing must be three numbers of 0 (as it is) or more");
	REFUSE_UNLESS(!s->by_slice || !(s->spacing_mm[2] > 0),
	              "bySlice leaves the third axis as it is: its spacing must be 0");
	REFUSE_UNLESS(is_order(s->image_order) && is_order(s->mask_order),
	              "imageSpline and maskSpline are 0 (nearest), 1 (linear) or 3 (cubic)");
	REFUSE_UNLESS(s->mask_threshold > 0 && s->mask_threshold <= 1,
	              "maskThreshold %g is not above 0 and at most 1", s->mask_threshold);
	REFUSE_UNLESS(!s->use_range || (isfinite(s->range[0]) && s->range[0] < s->range[1]),
	              "range must be two ascending numbers; the second may be inf");
	REFUSE_UNLESS(s->outlier_sigma >= 0 && isfinite(s->outlier_sigma), "outlierSigma %g must be above 0",
	              s->outlier_sigma);
	REFUSE_UNLESS(s->texture.kind != RS_DISCRETISE_NOT, "texture needs binWidth or binCount");
	RS_TRY(check_binning(&s->texture, "b", err));
	RS_TRY(check_binning(&s->ivh, "ivhB", err));
	REFUSE_UNLESS(s->distance >= 1 && s->distance <= DISTANCE_MAX, "distance %u is not 1 to %d",
	              s->distance, DISTANCE_MAX);
	REFUSE_UNLESS(s->ngldm_alpha >= 0 && isfinite(s->ngldm_alpha), "ngldmAlpha %g must be 0 or more",
	              s->ngldm_alpha);
	return RS_OK;
}

/* ---- by name ---- */

static bool parse_real(struct rs_str text, double *out)
{
	struct rs_str bare = rs_str_starts_with(text, ".") ? (struct rs_str){text.data + 1, text.size - 1}
	                                                   : text;
	if (rs_str_equal_ignoring_case(bare, RS_STR("inf"))) { /* YAML writes .inf */
		*out = INFINITY;
		return true;
	}
	return rs_parse_f64(text, out) && !isnan(*out);
}

static bool parse_reals(struct rs_str text, double *out, size_t count)
{
	struct rs_str part;
	size_t n = 0;
	text = rs_str_trim(text);
	if (text.size > 1 && text.data[0] == '[' && text.data[text.size - 1] == ']')
		text = (struct rs_str){text.data + 1, text.size - 2};
	while (text.size > 0 && rs_str_split(&text, ',', &part))
		if (n == count || !parse_real(rs_str_trim(part), &out[n++]))
			return false;
	return n == count;
}

/* Names with commas between, as bits; names[i] is bit i. */
static bool parse_names(struct rs_str text, const char *const *names, size_t count, uint32_t *out)
{
	struct rs_str part;
	*out = 0;
	text = rs_str_trim(text);
	if (text.size > 1 && text.data[0] == '[' && text.data[text.size - 1] == ']')
		text = (struct rs_str){text.data + 1, text.size - 2};
	while (text.size > 0 && rs_str_split(&text, ',', &part)) {
		size_t i = 0;
		while (i < count && !rs_str_equal_ignoring_case(rs_str_trim(part), rs_str_from(names[i])))
			i++;
		if (i == count)
			return false;
		*out |= 1U << i;
	}
	return *out != 0;
}

static bool is_none(struct rs_str text)
{
	return rs_str_equal_ignoring_case(text, RS_STR("none")) ||
	       rs_str_equal_ignoring_case(text, RS_STR("null")) || rs_str_equal_text(text, "~") ||
	       text.size == 0;
}

static bool set_families(struct rs_ibsi_settings *s, struct rs_str v)
{
	const char *names[RS_IBSI_FAMILY_COUNT];
	for (int f = 0; f < RS_IBSI_FAMILY_COUNT; f++)
		names[f] = ibsi_family_name((enum rs_ibsi_family)f);
	return parse_names(v, names, RS_IBSI_FAMILY_COUNT, &s->families);
}

static bool set_dimensions(struct rs_ibsi_settings *s, struct rs_str v)
{
	static const char *const names[] = {"2D", "2.5D", "3D"};
	return parse_names(v, names, RS_COUNT(names), &s->dimensions);
}

static bool set_spacing(struct rs_ibsi_settings *s, struct rs_str v)
{
	memset(s->spacing_mm, 0, sizeof s->spacing_mm);
	return is_none(v) || parse_reals(v, s->spacing_mm, 3);
}

static bool set_range(struct rs_ibsi_settings *s, struct rs_str v)
{
	s->use_range = !is_none(v);
	return !s->use_range || parse_reals(v, s->range, 2);
}

static bool set_outliers(struct rs_ibsi_settings *s, struct rs_str v)
{
	s->outlier_sigma = 0;
	return is_none(v) || parse_real(v, &s->outlier_sigma);
}

static bool set_width(struct rs_binning *b, struct rs_str v)
{
	*b = (struct rs_binning){.kind = is_none(v) ? RS_DISCRETISE_NOT : RS_DISCRETISE_WIDTH};
	return is_none(v) || parse_real(v, &b->width);
}

static bool set_count(struct rs_binning *b, struct rs_str v)
{
	uint64_t count = 0;
	*b = (struct rs_binning){.kind = is_none(v) ? RS_DISCRETISE_NOT : RS_DISCRETISE_COUNT};
	if (!is_none(v) && (!rs_parse_u64(v, &count) || count > UINT32_MAX))
		return false;
	b->count = (uint32_t)count;
	return true;
}

static bool set_bin_width(struct rs_ibsi_settings *s, struct rs_str v) { return set_width(&s->texture, v); }
static bool set_bin_count(struct rs_ibsi_settings *s, struct rs_str v) { return set_count(&s->texture, v); }
static bool set_ivh_width(struct rs_ibsi_settings *s, struct rs_str v) { return set_width(&s->ivh, v); }
static bool set_ivh_count(struct rs_ibsi_settings *s, struct rs_str v) { return set_count(&s->ivh, v); }

#define PLAIN(of_kind, member)                                                          \
	NULL,                                                                           \
	{                                                                               \
		.kind = (of_kind), .offset = offsetof(struct rs_ibsi_settings, member), \
		.size = sizeof(((struct rs_ibsi_settings *)NULL)->member)               \
	}
static const struct {
	const char *name, *wants;
	bool (*set)(struct rs_ibsi_settings *settings, struct rs_str value); /* NULL: as `row` says */
	struct setting_row row;
} entries[] = {
	{"families",
         "names of families: morph, loc, stat, ih, ivh, cm, rlm, szm, dzm, ngt, ngl",
         set_families,
         {0}},
	{"dimensions", "one or more of 2D, 2.5D, 3D", set_dimensions, {0}},
	{"bySlice", "true or false", PLAIN(SETTING_FLAG, by_slice)},
	{"spacing", "three numbers in mm; 0 leaves an axis as it is", set_spacing, {0}},
	{"imageSpline", "0, 1 or 3", PLAIN(SETTING_WHOLE, image_order)},
	{"maskSpline", "0, 1 or 3", PLAIN(SETTING_WHOLE, mask_order)},
	{"maskThreshold", "a number above 0 and at most 1", PLAIN(SETTING_REAL, mask_threshold)},
	{"round", "true or false", PLAIN(SETTING_FLAG, round_intensities)},
	{"range", "two numbers, or none", set_range, {0}},
	{"outlierSigma", "a number of standard deviations, or none", set_outliers, {0}},
	{"binWidth", "a number above 0", set_bin_width, {0}},
	{"binCount", "a whole number of 1 or more", set_bin_count, {0}},
	{"ivhBinWidth", "a number above 0, or none", set_ivh_width, {0}},
	{"ivhBinCount", "a whole number of 1 or more, or none", set_ivh_count, {0}},
	{"distance", "1 to 16", PLAIN(SETTING_WHOLE, distance)},
	{"ngldmAlpha", "a number of 0 or more", PLAIN(SETTING_REAL, ngldm_alpha)},
};

enum rs_code ibsi_settings_set(struct rs_ibsi_settings *settings, const char *name, const char *value,
                               struct rs_error *err)
{
	struct rs_ibsi_settings changed = *settings;
	for (size_t i = 0; i < RS_COUNT(entries); i++) {
		if (strcmp(entries[i].name, name) != 0)
			continue;
		if (entries[i].set != NULL ? !entries[i].set(&changed, rs_str_trim(rs_str_from(value)))
		                           : !setting_assign(&entries[i].row, &changed, value))
			return rs_error_set(err, RS_MALFORMED,
			                    "ibsi setting '%s' cannot be '%s'; it wants %s", name, value,
			                    entries[i].wants);
		*settings = changed;
		return RS_OK;
	}
	return rs_error_set(err, RS_MALFORMED,
	                    "ibsi setting '%s' is unknown; there are families, dimensions, bySlice, spacing, "
	                    "imageSpline, maskSpline, maskThreshold, round, range, outlierSigma, binWidth, "
	                    "binCount, ivhBinWidth, ivhBinCount, distance and ngldmAlpha",
	                    name);
}

/* ---- encoding ---- */

static void key(struct rs_buffer *out, const char *name) { rs_cbor_write_str(out, rs_str_from(name)); }

static void write_binning(const struct rs_binning *b, struct rs_buffer *out)
{
	if (b->kind == RS_DISCRETISE_WIDTH)
		rs_cbor_write_f64(out, b->width);
	else if (b->kind == RS_DISCRETISE_COUNT)
		rs_cbor_write_u64(out, b->count);
	else
		rs_cbor_write_null(out);
}

/* Keys in canonical order: shorter first, then bytewise. A bin width is a real number, a bin count a whole one. */
void ibsi_settings_write(const struct rs_ibsi_settings *s, struct rs_buffer *out)
{
	rs_cbor_write_map(out, 14);
	key(out, "bins");
	write_binning(&s->texture, out);
	key(out, "range");
	if (s->use_range) {
		rs_cbor_write_array(out, 2);
		rs_cbor_write_f64(out, s->range[0]);
		rs_cbor_write_f64(out, s->range[1]);
	} else {
		rs_cbor_write_null(out);
	}
	key(out, "round");
	rs_cbor_write_bool(out, s->round_intensities);
	key(out, "bySlice");
	rs_cbor_write_bool(out, s->by_slice);
	key(out, "ivhBins");
	write_binning(&s->ivh, out);
	key(out, "spacing");
	rs_cbor_write_array(out, 3);
	for (int a = 0; a < 3; a++)
		rs_cbor_write_f64(out, s->spacing_mm[a]);
	key(out, "distance");
	rs_cbor_write_u64(out, s->distance);
	key(out, "families");
	rs_cbor_write_u64(out, s->families);
	key(out, "dimensions");
	rs_cbor_write_u64(out, s->dimensions);
	key(out, "maskSpline");
	rs_cbor_write_u64(out, s->mask_order);
	key(out, "ngldmAlpha");
	rs_cbor_write_f64(out, s->ngldm_alpha);
	key(out, "imageSpline");
	rs_cbor_write_u64(out, s->image_order);
	key(out, "outlierSigma");
	rs_cbor_write_f64(out, s->outlier_sigma);
	key(out, "maskThreshold");
	rs_cbor_write_f64(out, s->mask_threshold);
}
