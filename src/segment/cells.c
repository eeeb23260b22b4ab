/* Which stroke is nearest, on cells of several voxels where the image is large: their mean has less noise, and the border is
 * found anew on voxels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment/geodesic.h"
#include "segment/growing.h"

#define SAMPLES 200000
#define MAD_OF_NORMAL 0.6744897501960817 /* its third quartile */

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

enum rs_code growing_difference(const float *guide, const size_t size[3], double *out, struct rs_error *err)
{
	const size_t count = size[0] * size[1] * size[2], step = count / SAMPLES + 1;
	float *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count / step + 1, sizeof *sorted);
	size_t found = 0;
	if (!sorted)
		return rs_error_memory(err, (count / step + 1) * sizeof *sorted, "differences");
	for (size_t i = 1; i < count; i += step) {
		const float by = fabsf(guide[i] - guide[i - 1]);
		if (by > 0 && i % size[0] != 0)
			sorted[found++] = by;
	}
	qsort(sorted, found, sizeof *sorted, by_value);
	*out = found ? (double)sorted[found / 2] / MAD_OF_NORMAL : 0;
	return RS_OK;
}

/* ---- cells ---- */

/* Halves what is finest until the cells are few enough. */
static void choose_factors(struct rs_grow *grow)
{
	struct cells *c = &grow->cells;
	for (;;) {
		int finest = 0;
		for (int a = 0; a < 3; a++) {
			c->spacing_mm[a] = grow->geometry.spacing_mm[a] * (double)c->factor[a];
			c->size[a] = (grow->domain.size[a] + c->factor[a] - 1) / c->factor[a];
		}
		if (c->size[0] * c->size[1] * c->size[2] <= RS_GROW_CELLS)
			return;
		for (int a = 1; a < 3; a++)
			if (c->size[finest] == 1 ||
			    (c->size[a] > 1 && c->spacing_mm[a] < c->spacing_mm[finest]))
				finest = a;
		c->factor[finest] *= 2;
	}
}

/* Means of the voxels there are. */
static void average(struct rs_grow *grow)
{
	const struct cells *c = &grow->cells;
	const size_t *size = grow->domain.size;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++) {
			float *to = c->guide +
			            (z / c->factor[2] * c->size[1] + y / c->factor[1]) * c->size[0];
			const float *from = grow->guide + growing_at(grow, 0, y, z);
			const size_t left[2] = {size[1] - y / c->factor[1] * c->factor[1],
			                        size[2] - z / c->factor[2] * c->factor[2]};
			const size_t rows = (left[0] < c->factor[1] ? left[0] : c->factor[1]) *
			                    (left[1] < c->factor[2] ? left[1] : c->factor[2]);
			for (size_t x = 0; x < size[0]; x++) {
				const size_t first = x / c->factor[0] * c->factor[0];
				const size_t wide = size[0] - first < c->factor[0] ? size[0] - first
				                                                   : c->factor[0];
				to[x / c->factor[0]] += from[x] / (float)(rows * wide);
			}
		}
}

enum rs_code growing_make_cells(struct rs_grow *grow, struct rs_error *err)
{
	struct cells *c = &grow->cells;
	*c = (struct cells){.factor = {1, 1, 1}};
	choose_factors(grow);
	const size_t count = c->size[0] * c->size[1] * c->size[2];
	c->guide = rs_allocate_array(count, sizeof *c->guide);
	c->nearest = rs_allocate(count);
	if (!c->guide || !c->nearest)
		return rs_error_memory(err, count * sizeof *c->guide, "cells");
	memset(c->nearest, SEED_OUTSIDE, count);
	average(grow);
	RS_TRY(growing_difference(c->guide, c->size, &c->difference, err));
	/* Of an image without noise, a grey value of 256. */
	c->difference = fmax(c->difference, (grow->likeness.high - grow->likeness.low) / 256);
	return RS_OK;
}

void growing_free_cells(struct rs_grow *grow)
{
	rs_free(grow->cells.guide);
	rs_free(grow->cells.nearest);
}

/* ---- nearest ---- */

struct window { /* of cells */
	size_t first[3], size[3];
};

static struct window window_of(const struct cells *c, const struct rs_box *box)
{
	struct window w;
	for (int a = 0; a < 3; a++) {
		w.first[a] = box->first[a] / c->factor[a];
		w.size[a] = (box->first[a] + box->size[a] - 1) / c->factor[a] + 1 - w.first[a];
	}
	return w;
}

/* A stroke inside outdoes one outside in the same cell: it is what the region must have. */
static void gather_seeds(const struct rs_grow *grow, const struct window *w, uint8_t *labels)
{
	const struct cells *c = &grow->cells;
	const size_t *size = grow->domain.size;
	size_t end[3];
	for (int a = 0; a < 3; a++) {
		end[a] = (w->first[a] + w->size[a]) * c->factor[a];
		end[a] = end[a] < size[a] ? end[a] : size[a];
	}
	for (size_t z = w->first[2] * c->factor[2]; z < end[2]; z++)
		for (size_t y = w->first[1] * c->factor[1]; y < end[1]; y++) {
			uint8_t *to = labels + ((z / c->factor[2] - w->first[2]) * w->size[1] +
			                        y / c->factor[1] - w->first[1]) *
			                               w->size[0];
			const uint8_t *from = grow->seeds + growing_at(grow, 0, y, z);
			for (size_t x = w->first[0] * c->factor[0]; x < end[0]; x++) {
				uint8_t *cell = &to[x / c->factor[0] - w->first[0]];
				if (from[x] == SEED_INSIDE || (from[x] == SEED_OUTSIDE && *cell == SEED_NONE))
					*cell = from[x];
			}
		}
}

/* Cells at a face of the window that lies inside of the grid keep what they are. */
static void hold_faces(const struct cells *c, const struct window *w, const uint8_t *before, uint8_t *labels)
{
	size_t i = 0;
	for (size_t z = 0; z < w->size[2]; z++)
		for (size_t y = 0; y < w->size[1]; y++)
			for (size_t x = 0; x < w->size[0]; x++, i++) {
				const size_t at[3] = {x, y, z};
				for (int a = 0; labels[i] == SEED_NONE && a < 3; a++)
					if ((at[a] == 0 && w->first[a] > 0) ||
					    (at[a] + 1 == w->size[a] &&
					     w->first[a] + w->size[a] < c->size[a]))
						labels[i] = before[i];
			}
}

static void copy_window(const struct cells *c, const struct window *w, float *guide, uint8_t *labels)
{
	for (size_t z = 0, i = 0; z < w->size[2]; z++)
		for (size_t y = 0; y < w->size[1]; y++, i += w->size[0]) {
			const size_t from = ((w->first[2] + z) * c->size[1] + w->first[1] + y) * c->size[0] +
			                    w->first[0];
			memcpy(guide + i, c->guide + from, w->size[0] * sizeof *guide);
			memcpy(labels + i, c->nearest + from, w->size[0]);
		}
}

enum rs_code growing_find_nearest(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err)
{
	const struct cells *c = &grow->cells;
	const struct window w = window_of(c, box);
	const size_t count = w.size[0] * w.size[1] * w.size[2];
	const double shortest = fmin(c->spacing_mm[0], fmin(c->spacing_mm[1], c->spacing_mm[2]));
	float *guide RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *guide);
	uint8_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate(count),
			*before RS_CLEANUP(rs_free_pointer) = rs_allocate(count);
	if (!guide || !labels || !before)
		return rs_error_memory(err, count * 6, "paths");
	copy_window(c, &w, guide, before);
	gather_seeds(grow, &w, labels);
	hold_faces(c, &w, before, labels);
	RS_TRY(geodesic_nearest(guide, NULL, w.size, c->spacing_mm,
	                        grow->options.edge * shortest / c->difference, labels, err));
	for (size_t z = 0, i = 0; z < w.size[2]; z++)
		for (size_t y = 0; y < w.size[1]; y++, i += w.size[0])
			memcpy(c->nearest + ((w.first[2] + z) * c->size[1] + w.first[1] + y) * c->size[0] +
			               w.first[0],
			       labels + i, w.size[0]);
	return RS_OK;
}
