/* The network slides over a study: windows overlap by half, and weigh most in their middle. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"

#define STEP (PATCH / 2)
#define WINDOWS_AT_ONCE 32

struct sliding {
	const struct study *study;
	size_t size[3], count[3]; /* of the grid, of windows; z, y, x */
	size_t first;             /* window of this turn */
};

static void sliding_init(struct sliding *sliding, const struct study *study)
{
	*sliding = (struct sliding){.study = study};
	for (int a = 0; a < 3; a++) {
		const size_t size = sliding->size[a] = study->grid.size[2 - a];
		sliding->count[a] = size > PATCH ? (size - PATCH + STEP - 1) / STEP + 1 : 1;
	}
}

/* Where a window begins; outside of a grid that is smaller than it. */
static void window_at(const struct sliding *sliding, size_t window, int64_t out[3])
{
	const size_t index[3] = {window / sliding->count[2] / sliding->count[1],
	                         window / sliding->count[2] % sliding->count[1], window % sliding->count[2]};
	for (int a = 0; a < 3; a++) {
		const int64_t room = (int64_t)sliding->size[a] - PATCH;
		out[a] = room > 0 ? room * (int64_t)index[a] / (int64_t)(sliding->count[a] - 1) : room / 2;
	}
}

/* The voxel of the grid that is voxel `i` of a window; false where there is none. */
static bool voxel_of(const struct sliding *sliding, const int64_t begin[3], size_t i, size_t *out)
{
	const size_t index[3] = {i / PATCH / PATCH, i / PATCH % PATCH, i % PATCH};
	size_t at = 0;
	for (size_t a = 0; a < 3; a++) {
		const int64_t p = begin[a] + (int64_t)index[a];
		if (p < 0 || p >= (int64_t)sliding->size[a])
			return false;
		at = at * sliding->size[a] + (size_t)p;
	}
	*out = at;
	return true;
}

static enum rs_code fill_window(void *context, size_t index, struct rs_stream *augment, float *out,
                                struct rs_error *err)
{
	const struct sliding *sliding = context;
	const struct study *study = sliding->study;
	const size_t voxels = rs_geometry_voxels(&study->grid);
	int64_t begin[3];
	(void)augment;
	(void)err;
	window_at(sliding, sliding->first + index, begin);
	for (size_t i = 0, at = 0; i < PATCH_VALUES; i++) {
		const bool there = voxel_of(sliding, begin, i, &at);
		for (size_t c = 0; c < study->channels; c++)
			out[c * PATCH_VALUES + i] = there ? study->values[c * voxels + at] : 0;
	}
	return RS_OK;
}

static float weight_of(size_t i)
{
	const size_t index[3] = {i / PATCH / PATCH, i / PATCH % PATCH, i % PATCH};
	float weight = 1;
	for (int a = 0; a < 3; a++)
		weight *= (float)(index[a] < PATCH / 2 ? index[a] + 1 : PATCH - index[a]) / (PATCH / 2);
	return weight;
}

static void add_window(const struct sliding *sliding, size_t sample, const float *said, float *sum,
                       float *weights)
{
	int64_t begin[3];
	window_at(sliding, sliding->first + sample, begin);
	for (size_t i = 0, at = 0; i < PATCH_VALUES; i++) {
		const float weight = weight_of(i);
		if (!voxel_of(sliding, begin, i, &at))
			continue;
		sum[at] += weight * (float)(1 / (1 + exp((double)said[i] - (double)said[PATCH_VALUES + i])));
		weights[at] += weight;
	}
}

enum rs_code study_predict(const struct rs_network *network, const struct study *study, struct rs_pool *pool,
                           float *out, struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&study->grid), values = 2 * PATCH_VALUES;
	struct sliding sliding;
	float *said RS_CLEANUP(rs_free_pointer) = rs_allocate_array(WINDOWS_AT_ONCE, values * sizeof *said);
	float *weights RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *weights);
	if (!said || !weights)
		return rs_error_memory(err, voxels * sizeof *weights, "a prediction");
	sliding_init(&sliding, study);
	memset(out, 0, voxels * sizeof *out);
	const size_t windows = sliding.count[0] * sliding.count[1] * sliding.count[2];
	for (; sliding.first < windows; sliding.first += WINDOWS_AT_ONCE) {
		const size_t left = windows - sliding.first;
		const struct rs_samples samples = {.count = left < WINDOWS_AT_ONCE ? left : WINDOWS_AT_ONCE,
		                                   .fill = fill_window,
		                                   .context = &sliding};
		RS_TRY(rs_network_judge(network, &samples, pool, said, err));
		for (size_t s = 0; s < samples.count; s++)
			add_window(&sliding, s, said + s * values, out, weights);
	}
	for (size_t i = 0; i < voxels; i++)
		out[i] /= weights[i];
	return RS_OK;
}

/* ---- parts ---- */

/* Marks the part about `seed` with `mark` and returns its sum. stack: room for all voxels, each is put there once. */
static double mark_part(const size_t size[3], const float *p, size_t seed, uint32_t mark, uint32_t *marks,
                        size_t *stack)
{
	const size_t step[3] = {1, size[0], size[0] * size[1]};
	size_t count = 0;
	double sum = 0;
	marks[seed] = mark;
	for (stack[count++] = seed; count > 0;) {
		const size_t at = stack[--count];
		sum += (double)p[at];
		for (int a = 0; a < 3; a++) {
			const size_t index = at / step[a] % size[a];
			for (int up = 0; up < 2; up++) {
				if (up ? index + 1 == size[a] : index == 0)
					continue;
				const size_t next = up ? at + step[a] : at - step[a];
				if (marks[next] || p[next] < 0.5f)
					continue;
				marks[next] = mark;
				stack[count++] = next;
			}
		}
	}
	return sum;
}

enum rs_code largest_part(const size_t size[3], float *probability, struct rs_error *err)
{
	const size_t voxels = size[0] * size[1] * size[2];
	uint32_t *marks RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *marks), count = 0,
			best = 0;
	size_t *stack RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *stack);
	double largest = 0;
	if (!marks || !stack)
		return rs_error_memory(err, voxels * sizeof *stack, "parts of a mask");
	for (size_t i = 0; i < voxels; i++) {
		if (marks[i] || probability[i] < 0.5f)
			continue;
		const double sum = mark_part(size, probability, i, ++count, marks, stack);
		if (sum > largest) {
			largest = sum;
			best = count;
		}
	}
	for (size_t i = 0; i < voxels; i++)
		if (marks[i] != best && marks[i])
			probability[i] = 0;
	return RS_OK;
}
