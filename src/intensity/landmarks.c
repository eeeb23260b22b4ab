/* Landmarks of histograms, and maps between them. */
#include "numeric/numeric_smooth.h"
#include "region.h"

enum rs_code rs_landmarks_of(const struct rs_volume *volume, const uint8_t *region, struct rs_landmarks *out,
                             struct rs_error *err)
{
	static const double percents[] = {1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99};
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_landmarks landmarks = {.count = RS_COUNT(percents)};
	size_t count;
	RS_TRY(region_sorted(volume, region, &values, &count, err));
	for (size_t i = 0; i < landmarks.count; i++) {
		landmarks.percent[i] = percents[i];
		landmarks.value[i] = rs_quantile_of(values, count, percents[i] / 100);
	}
	if (!(landmarks.value[landmarks.count - 1] > landmarks.value[0]))
		return rs_error_set(err, RS_REFUSED, "the region's values are nearly all equal: %g",
		                    landmarks.value[0]);
	*out = landmarks;
	return RS_OK;
}

static bool alike(const struct rs_landmarks *a, const struct rs_landmarks *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++)
		if (a->percent[i] != b->percent[i])
			return false;
	return a->count == b->count && a->count >= 2 && a->count <= RS_LANDMARKS_MAX;
}

enum rs_code rs_landmarks_standard(const struct rs_landmarks *volumes, size_t count, struct rs_landmarks *out,
                                   struct rs_error *err)
{
	if (count == 0)
		return rs_error_set(err, RS_USAGE, "a standard scale is learned from one volume at least");
	struct rs_landmarks standard = volumes[0];
	for (size_t i = 0; i < count; i++)
		if (!alike(&volumes[0], &volumes[i]))
			return rs_error_set(err, RS_USAGE,
			                    "the volumes' landmarks are at different percentages");
	for (size_t j = 0; j < standard.count; j++) {
		standard.value[j] = 0;
		for (size_t i = 0; i < count; i++) {
			const double *value = volumes[i].value;
			double span = value[standard.count - 1] - value[0];
			if (!(span > 0))
				return rs_error_set(err, RS_REFUSED, "volume %zu is flat", i + 1);
			standard.value[j] += 100 * (value[j] - value[0]) / span / (double)count;
		}
	}
	*out = standard;
	return RS_OK;
}

double rs_landmarks_map(const struct rs_landmarks *from, const struct rs_landmarks *standard, double value)
{
	size_t low = 0, high = from->count - 1;
	/* The piece that holds it: landmarks on one another end no piece. */
	for (size_t i = 1; i + 1 < from->count; i++) {
		if (from->value[i] <= value && from->value[i] > from->value[low])
			low = i;
		if (from->value[i] > value && high == from->count - 1)
			high = i;
	}
	if (!(from->value[high] > from->value[low]))
		low = 0;
	double along = (value - from->value[low]) / (from->value[high] - from->value[low]);
	return standard->value[low] + along * (standard->value[high] - standard->value[low]);
}
