/* Doubles as Python libraries write them into arrays of other types. */
#include "filter/as_stored.h"

#include <math.h>

static const struct range {
	unsigned bits;
	bool with_sign;
} ranges[] = {
	[RS_VOXEL_I8] = {8, true},    [RS_VOXEL_U8] = {8, false},   [RS_VOXEL_I16] = {16, true},
	[RS_VOXEL_U16] = {16, false}, [RS_VOXEL_I32] = {32, true},  [RS_VOXEL_U32] = {32, false},
	[RS_VOXEL_I64] = {64, true},  [RS_VOXEL_U64] = {64, false},
};

static bool is_integer(enum rs_voxel_type type) { return (unsigned)type < RS_COUNT(ranges); }

static double float_as_stored(double value, enum rs_voxel_type type)
{
	return type == RS_VOXEL_F32 ? (double)(float)value : value;
}

double as_stored(double value, enum rs_voxel_type type)
{
	if (!is_integer(type))
		return float_as_stored(value, type);
	struct range r = ranges[type];
	/* the conversion instruction gives this for all it cannot hold */
	double missing = r.bits < 32 || (r.bits == 32 && r.with_sign) ? -0x1p31 : -0x1p63;
	double whole = trunc(value);
	if (!(whole >= missing && whole < -missing))
		whole = missing;
	double modulus = ldexp(1, (int)r.bits), rest = fmod(whole, modulus); /* exact */
	if (rest < 0)
		rest += modulus;
	return (r.with_sign && rest >= modulus / 2 ? rest - modulus : rest) + 0.0; /* no -0 */
}

/* What the type holds at most and at least, as doubles; its largest 64-bit integers are not. */
static void find_limits(struct range r, double *out_lowest, double *out_highest)
{
	double limit = ldexp(1, (int)r.bits - r.with_sign);
	*out_highest = r.bits == 64 ? nextafter(limit, 0) : limit - 1;
	*out_lowest = r.with_sign ? -limit : 0;
}

static inline double rounded_within(double value, double lowest, double highest)
{
	double away = value > 0 ? value + 0.5 : value - 0.5;
	away = away > lowest ? away : lowest; /* NaN too */
	return away < highest ? away : highest;
}

void as_stored_rounded(double *values, size_t count, enum rs_voxel_type type)
{
	double lowest, highest;
	if (!is_integer(type)) {
		for (size_t i = 0; i < count && type == RS_VOXEL_F32; i++)
			values[i] = (double)(float)values[i];
		return;
	}
	struct range r = ranges[type];
	find_limits(r, &lowest, &highest);
	for (size_t i = 0; i < count && r.bits < 64; i++)
		values[i] = (double)(int64_t)rounded_within(values[i], lowest, highest);
	for (size_t i = 0; i < count && r.bits == 64; i++)
		values[i] = trunc(rounded_within(values[i], lowest, highest)) + 0.0;
}
