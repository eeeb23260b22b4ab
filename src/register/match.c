/* Mutual information as Mattes has it: the fixed volume's points fall into bins, the moving volume's grey levels are
 * spread over four bins by a cubic B-spline, so that the information has slopes. */
#include "register/match.h"

#include <math.h>
#include <string.h>

#define FIELDS 7

enum rs_code match_init(struct match *out, const struct points *points, const struct view *moving,
                        struct motion *motion, size_t bins, struct rs_pool *pool, struct rs_error *err)
{
	const size_t cells = bins * bins, count = points->count,
		     total = FIELDS * count + (points->chunk_count + 2) * cells;
	struct match m = {.points = points, .moving = moving, .motion = motion, .pool = pool, .bins = bins};
	m.block = rs_allocate_array(total, sizeof *m.block);
	if (!m.block)
		return rs_error_memory(err, total * sizeof *m.block, "joint histograms");
	for (size_t a = 0; a < 3; a++) {
		m.at[a] = m.block + a * count;
		m.slope[a] = m.block + (3 + a) * count;
	}
	m.grey = m.block + 6 * count;
	m.joint = m.block + FIELDS * count;
	m.table = m.joint + cells;
	m.histograms = m.table + cells;
	*out = m;
	return RS_OK;
}

void match_finish(struct match *match) { rs_free(match->block); }

/* The first of the four bins that a moving grey level is spread over, and how far above the second it lies. */
static size_t spread(const struct match *m, double grey, double *out_fraction)
{
	const struct view *v = m->moving;
	const double scale = (double)(m->bins - 4) / (v->high - v->low);
	const double at = 1 + fmin(fmax((grey - v->low) * scale, 0), (double)(m->bins - 4));
	const double low = floor(at);
	*out_fraction = at - low;
	return (size_t)low - 1;
}

static enum rs_code look_chunk(void *context, size_t index, struct rs_error *err)
{
	struct match *m = context;
	const struct chunk *chunk = &m->points->chunks[index];
	double *histogram = m->histograms + index * m->bins * m->bins;
	(void)err;
	memset(histogram, 0, m->bins * m->bins * sizeof *histogram);
	motion_place(m->motion, m->points, chunk, m->at);
	for (size_t i = chunk->begin; i < chunk->end; i++) {
		const double at[3] = {m->at[0][i], m->at[1][i], m->at[2][i]};
		double slopes[3] = {0}, weights[REACH], fraction;
		m->grey[i] = NAN;
		if (view_holds(m->moving, at)) {
			m->grey[i] = view_look(m->moving, at, slopes);
			double *to = histogram + m->points->bin[i] * m->bins +
			             spread(m, m->grey[i], &fraction);
			weigh(fraction, weights);
			*(lanes *)(void *)to += LANES_AT(weights);
		}
		for (size_t a = 0; a < 3; a++)
			m->slope[a][i] = slopes[a];
	}
	return RS_OK;
}

static size_t count_held(const struct match *m)
{
	size_t held = 0;
	for (size_t i = 0; i < m->points->count; i++)
		held += isnan(m->grey[i]) ? 0 : 1;
	return held;
}

/* Information of the joint histogram; the table is what a point's share in a cell adds to it. */
static double inform(struct match *m)
{
	const size_t bins = m->bins, cells = bins * bins;
	const double n = (double)m->held;
	double by_fixed[256] = {0}, by_moving[256] = {0}, information = 0;
	memset(m->joint, 0, cells * sizeof *m->joint);
	for (size_t c = 0; c < m->points->chunk_count; c++)
		for (size_t i = 0; i < cells; i++)
			m->joint[i] += m->histograms[c * cells + i];
	for (size_t i = 0; i < cells; i++) {
		m->joint[i] /= n;
		by_fixed[i / bins] += m->joint[i];
		by_moving[i % bins] += m->joint[i];
	}
	for (size_t i = 0; i < cells; i++) {
		const double p = m->joint[i];
		m->table[i] = p > 0 ? log(p / by_moving[i % bins]) : 0;
		information += p > 0 ? p * (m->table[i] - log(by_fixed[i / bins])) : 0;
	}
	return information;
}

/* Slopes of the moving volume become slopes of the cost. */
static enum rs_code push_chunk(void *context, size_t index, struct rs_error *err)
{
	struct match *m = context;
	const struct chunk *chunk = &m->points->chunks[index];
	const struct view *v = m->moving;
	const double scale = (double)(m->bins - 4) / (v->high - v->low) / (double)m->held;
	(void)err;
	for (size_t i = chunk->begin; i < chunk->end; i++) {
		double weights[REACH], fraction, force = 0;
		if (m->grey[i] > v->low && m->grey[i] < v->high) {
			const double *row = m->table + (size_t)m->points->bin[i] * m->bins +
			                    spread(m, m->grey[i], &fraction);
			weigh_slopes(fraction, weights);
			const lanes products = LANES_AT(row) * LANES_AT(weights);
			force = -scale * ((products[0] + products[1]) + (products[2] + products[3]));
		}
		for (size_t a = 0; a < 3; a++)
			m->slope[a][i] *= force;
	}
	motion_gather(m->motion, m->points, index, m->slope);
	return RS_OK;
}

enum rs_code match_cost(void *match, const double *parameters, double *out_cost, double *slopes,
                        struct rs_error *err)
{
	struct match *m = match;
	motion_set(m->motion, parameters);
	RS_TRY(rs_pool_for(m->pool, m->points->chunk_count, look_chunk, m, err));
	m->held = count_held(m);
	*out_cost = INFINITY;
	if (m->held == 0 || m->held < m->held_least)
		return RS_OK;
	const double information = inform(m);
	RS_TRY(rs_pool_for(m->pool, m->points->chunk_count, push_chunk, m, err));
	motion_slopes(m->motion, m->points, parameters, slopes);
	*out_cost = motion_bending(m->motion, slopes) - information;
	return RS_OK;
}

static double correlation(const struct match *m)
{
	const double *x = m->points->grey, *y = m->grey, n = (double)m->held;
	double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
	for (size_t i = 0; i < m->points->count; i++) {
		mean_x += isnan(y[i]) ? 0 : x[i] / n;
		mean_y += isnan(y[i]) ? 0 : y[i] / n;
	}
	for (size_t i = 0; i < m->points->count; i++) {
		const double dx = isnan(y[i]) ? 0 : x[i] - mean_x, dy = isnan(y[i]) ? 0 : y[i] - mean_y;
		xx += dx * dx;
		yy += dy * dy;
		xy += dx * dy;
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

enum rs_code match_measure(struct match *m, const double *parameters, double *out_information,
                           double *out_correlation, struct rs_error *err)
{
	motion_set(m->motion, parameters);
	RS_TRY(rs_pool_for(m->pool, m->points->chunk_count, look_chunk, m, err));
	m->held = count_held(m);
	*out_information = m->held ? inform(m) : 0;
	if (out_correlation)
		*out_correlation = m->held ? correlation(m) : 0;
	return RS_OK;
}
