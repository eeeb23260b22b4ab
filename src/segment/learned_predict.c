/* The network slides over a study: windows overlap by half, and weigh most in their middle. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"

#define STEP (PATCH / 2)
#define VIEWS 8 /* mirrored along each axis, or not */
#define SAMPLES_AT_ONCE 64
#define SURE 0.01f /* a window that has less everywhere is not looked at again */

/* Windows over a study, each in some of its views. */
struct sliding {
	const struct study *study;
	size_t size[3], count[3]; /* of the grid, of windows; z, y, x */
	size_t *windows, window_count;
	size_t view, views; /* the first of them, how many */
	size_t sample;      /* the first of this turn */
	float *sum, *weights;
};

static enum rs_code sliding_init(struct sliding *sliding, const struct study *study, float *sum,
                                 struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&study->grid);
	*sliding = (struct sliding){.study = study, .window_count = 1, .views = 1, .sum = sum};
	for (int a = 0; a < 3; a++) {
		const size_t size = sliding->size[a] = study->grid.size[2 - a];
		sliding->count[a] = size > PATCH ? (size - PATCH + STEP - 1) / STEP + 1 : 1;
		sliding->window_count *= sliding->count[a];
	}
	sliding->weights = rs_allocate_array(voxels, sizeof *sliding->weights);
	sliding->windows = rs_allocate_array(sliding->window_count, sizeof *sliding->windows);
	if (!sliding->weights || !sliding->windows)
		return rs_error_memory(err, voxels * sizeof *sliding->weights, "a prediction");
	for (size_t i = 0; i < sliding->window_count; i++)
		sliding->windows[i] = i;
	memset(sum, 0, voxels * sizeof *sum);
	return RS_OK;
}

static void sliding_finish(struct sliding *sliding)
{
	rs_free(sliding->weights);
	rs_free(sliding->windows);
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

/* A window in one of its views. */
struct look {
	int64_t begin[3];
	size_t view;
};

static struct look look_of(const struct sliding *sliding, size_t index)
{
	const size_t sample = sliding->sample + index;
	struct look look = {.view = sliding->view + sample % sliding->views};
	window_at(sliding, sliding->windows[sample / sliding->views], look.begin);
	return look;
}

/* The voxel of the grid that is voxel `i` of what is looked at; false where there is none. */
static bool voxel_of(const struct sliding *sliding, const struct look *look, size_t i, size_t *out)
{
	const size_t index[3] = {i / PATCH / PATCH, i / PATCH % PATCH, i % PATCH};
	size_t at = 0;
	for (size_t a = 0; a < 3; a++) {
		const int64_t p = look->begin[a] +
		                  (int64_t)(look->view >> a & 1 ? PATCH - 1 - index[a] : index[a]);
		if (p < 0 || p >= (int64_t)sliding->size[a])
			return false;
		at = at * sliding->size[a] + (size_t)p;
	}
	*out = at;
	return true;
}

static enum rs_code fill_view(void *context, size_t index, struct rs_stream *augment, float *out,
                              struct rs_error *err)
{
	const struct sliding *sliding = context;
	const struct study *study = sliding->study;
	const size_t voxels = rs_geometry_voxels(&study->grid);
	const struct look look = look_of(sliding, index);
	(void)augment;
	(void)err;
	for (size_t i = 0, at = 0; i < PATCH_VALUES; i++) {
		const bool there = voxel_of(sliding, &look, i, &at);
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

/* said: of both classes; becomes the probability of the second. Returns whether it is below SURE everywhere. */
static bool to_probability(float *said)
{
	float most = 0;
	for (size_t i = 0; i < PATCH_VALUES; i++) {
		said[i] = (float)(1 / (1 + exp((double)said[i] - (double)said[PATCH_VALUES + i])));
		most = fmaxf(most, said[i]);
	}
	return most < SURE;
}

static void add_look(const struct sliding *sliding, const struct look *look, const float *probability,
                     float times)
{
	for (size_t i = 0, at = 0; i < PATCH_VALUES; i++) {
		const float weight = times * weight_of(i);
		if (!voxel_of(sliding, look, i, &at))
			continue;
		sliding->sum[at] += weight * probability[i];
		sliding->weights[at] += weight;
	}
}

/* Windows that are sure by their first view count as if they had been looked at in all; the others stay in the list. */
static enum rs_code slide(struct sliding *sliding, const struct rs_network *network, struct rs_pool *pool,
                          struct rs_error *err)
{
	const size_t samples = sliding->window_count * sliding->views;
	float *said RS_CLEANUP(rs_free_pointer) = rs_allocate_array(SAMPLES_AT_ONCE,
	                                                            2 * PATCH_VALUES * sizeof *said);
	size_t unsure = 0;
	if (!said)
		return rs_error_memory(err, SAMPLES_AT_ONCE * 2 * PATCH_VALUES * sizeof *said,
		                       "a prediction");
	for (sliding->sample = 0; sliding->sample < samples; sliding->sample += SAMPLES_AT_ONCE) {
		const size_t left = samples - sliding->sample;
		const struct rs_samples turn = {.count = left < SAMPLES_AT_ONCE ? left : SAMPLES_AT_ONCE,
		                                .fill = fill_view,
		                                .context = sliding};
		RS_TRY(rs_network_judge(network, &turn, pool, said, err));
		for (size_t s = 0; s < turn.count; s++) {
			const struct look look = look_of(sliding, s);
			const bool sure = to_probability(said + s * 2 * PATCH_VALUES) && look.view == 0;
			add_look(sliding, &look, said + s * 2 * PATCH_VALUES, sure ? VIEWS : 1);
			if (look.view == 0 && !sure)
				sliding->windows[unsure++] = sliding->windows[sliding->sample + s];
		}
	}
	sliding->window_count = unsure;
	return RS_OK;
}

enum rs_code study_predict(const struct rs_network *network, const struct study *study, struct rs_pool *pool,
                           float *out, struct rs_error *err)
{
	struct sliding sliding RS_CLEANUP(sliding_finish) = {0};
	RS_TRY(sliding_init(&sliding, study, out, err));
	RS_TRY(slide(&sliding, network, pool, err));
	sliding.view = 1;
	sliding.views = VIEWS - 1;
	RS_TRY(slide(&sliding, network, pool, err));
	for (size_t i = 0; i < rs_geometry_voxels(&study->grid); i++)
		out[i] /= sliding.weights[i];
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
