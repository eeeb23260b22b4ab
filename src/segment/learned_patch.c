/* Patches for training. */
#include <math.h>
#include <string.h>

#include "learned.h"

#define DEGREE (3.14159265358979323846 / 180)
#define TURN 15.0    /* degrees about each axis, at most */
#define GROW 0.15    /* 0.85 … 1.15 times as large */
#define ASTRAY 8.0   /* voxels between the patch's middle and the voxel of the region that it is about */
#define CONTRAST 0.2 /* times 0.8 … 1.2 */
#define BRIGHTNESS 0.2
#define NOISE 0.2   /* deviations, at most */
#define WITHOUT 0.1 /* how often one of several channels is left out */

/* -1 … 1 */
static double swing(struct rs_stream *stream) { return 2 * rs_stream_unit(stream) - 1; }

/* Where a patch's voxels lie: map · (voxel - middle of the patch) + middle. Axes go z, y, x. */
struct place {
	double middle[3], map[3][3];
};

static void turn(double map[3][3], int a, int b, double angle)
{
	const double c = cos(angle), s = sin(angle);
	for (int r = 0; r < 3; r++) {
		const double u = map[r][a], v = map[r][b];
		map[r][a] = c * u - s * v;
		map[r][b] = s * u + c * v;
	}
}

static struct place place_draw(const struct study *study, size_t index, struct rs_stream *stream)
{
	const size_t size[3] = {study->grid.size[2], study->grid.size[1], study->grid.size[0]};
	struct place place = {{0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	const bool about = index % 2 == 0 && study->inside_count > 0;
	const size_t voxel = about ? study->inside[rs_stream_below(stream, study->inside_count)] : 0;
	const double within[3] = {(double)(voxel / size[2] / size[1]), (double)(voxel / size[2] % size[1]),
	                          (double)(voxel % size[2])};
	for (int a = 0; a < 3; a++) {
		const double room = (double)size[a] - PATCH, at = rs_stream_unit(stream);
		place.middle[a] = about      ? within[a] + ASTRAY * (2 * at - 1)
		                  : room > 0 ? (PATCH - 1) / 2.0 + room * at
		                             : ((double)size[a] - 1) / 2;
	}
	for (int a = 0; a < 3; a++)
		turn(place.map, a, (a + 1) % 3, TURN * DEGREE * swing(stream));
	const double scale = 1 + GROW * swing(stream);
	for (int a = 0; a < 3; a++)
		for (int r = 0; r < 3; r++)
			place.map[r][a] *= scale;
	return place;
}

/* The eight voxels about a point, and their weights: of those outside of the grid the weight is 0. */
struct eight {
	size_t at[8];
	float weight[8];
};

static struct eight eight_about(const size_t size[3], const double point[3])
{
	struct eight eight = {{0}, {0}};
	double share[3];
	int64_t low[3];
	for (int a = 0; a < 3; a++) {
		low[a] = (int64_t)point[a] -
		         (point[a] < 0); /* towards less; no matter that -1.0 is -2, by a whole */
		share[a] = point[a] - (double)low[a];
	}
	for (int k = 0; k < 8; k++) {
		double weight = 1;
		int64_t at = 0;
		for (int a = 0; a < 3; a++) {
			const int64_t index = low[a] + (k >> a & 1), most = (int64_t)size[a];
			const bool there = index >= 0 && index < most;
			weight *= !there ? 0 : k >> a & 1 ? share[a] : 1 - share[a];
			at = at * most + (there ? index : 0);
		}
		eight.at[k] = (size_t)at;
		eight.weight[k] = (float)weight;
	}
	return eight;
}

static float value_of(const struct eight *eight, const float *values)
{
	float sum = 0;
	for (int k = 0; k < 8; k++)
		sum += eight->weight[k] * values[eight->at[k]];
	return sum;
}

/* Four uniform numbers in place of a normal one: mean 0, deviation 1. */
static float noise(struct rs_stream *stream)
{
	uint64_t bits = rs_stream_next(stream), sum = 0;
	for (int k = 0; k < 4; k++, bits >>= 16)
		sum += bits & 0xffff;
	return ((float)sum / 65535 - 2) * 1.7320508f;
}

static void change(struct rs_stream *stream, float *values)
{
	const float times = (float)(1 + CONTRAST * swing(stream)), plus = (float)(BRIGHTNESS * swing(stream)),
		    spread = (float)(NOISE * rs_stream_unit(stream));
	for (size_t i = 0; i < PATCH_VALUES; i++)
		values[i] = values[i] * times + plus + spread * noise(stream);
}

/* Of two or more images one is left out at times, so that the network does without. */
static void change_all(const struct study *study, struct rs_stream *stream, float *out)
{
	const bool lacks = rs_stream_unit(stream) < WITHOUT;
	const size_t without = (size_t)rs_stream_below(stream, study->channels);
	size_t there = 0;
	for (size_t c = 0; c < study->channels; c++)
		there += study->has[c];
	for (size_t c = 0; c < study->channels; c++)
		if (!study->has[c] || (lacks && there > 1 && c == without))
			memset(out + c * PATCH_VALUES, 0, PATCH_VALUES * sizeof *out);
		else
			change(stream, out + c * PATCH_VALUES);
}

void patch_draw(const struct study *study, size_t index, struct rs_stream *stream, float *out,
                uint32_t *out_labels)
{
	const size_t size[3] = {study->grid.size[2], study->grid.size[1], study->grid.size[0]},
		     voxels = size[0] * size[1] * size[2];
	const struct place place = place_draw(study, index, stream);
	for (size_t i = 0; i < PATCH_VALUES; i++) {
		const double from[3] = {(double)(i / PATCH / PATCH) - (PATCH - 1) / 2.0,
		                        (double)(i / PATCH % PATCH) - (PATCH - 1) / 2.0,
		                        (double)(i % PATCH) - (PATCH - 1) / 2.0};
		double point[3];
		for (int r = 0; r < 3; r++)
			point[r] = place.middle[r] + place.map[r][0] * from[0] + place.map[r][1] * from[1] +
			           place.map[r][2] * from[2];
		const struct eight eight = eight_about(size, point);
		for (size_t c = 0; c < study->channels; c++)
			out[c * PATCH_VALUES + i] = value_of(&eight, study->values + c * voxels);
		out_labels[i] = value_of(&eight, study->region) >= 0.5f;
	}
	change_all(study, stream, out);
}
