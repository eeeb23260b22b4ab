/* Grey level co-occurrence (PyRadiomics 3.1 documentation, "GLCM"): how often level i lies beside level j,
 * for each direction; features of each direction are averaged, or the matrices are weighted and added. */
#include <math.h>
#include <string.h>

#include "numeric/numeric.h"
#include "radiomics/evidence.h"

struct angle {
	int at[3]; /* z, y, x */
};

/* What one direction's work needs: the region's levels in a box with a margin of zeros. */
struct glcm_work {
	struct rs_evidence *evidence;
	uint32_t *box;
	size_t *place;    /* of each voxel of the region in the box */
	size_t stride[3]; /* z, y, x */
	struct angle *angles;
	size_t angle_count;
	uint32_t *present; /* the levels that occur, ascending */
	size_t n;
	double *weighted; /* [n][n], or NULL */
};

/* A normalised matrix and its margins. */
struct matrix {
	size_t n;
	uint32_t level_count;
	const uint32_t *level;
	double *p;          /* [n][n] */
	double *x, *y;      /* [n] row and column sums */
	double *difference; /* [level_count] of |i - j| */
	double *sum;        /* [2 * level_count + 1] of i + j */
};

static void margins(struct matrix *m)
{
	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->n; j++) {
			double p = m->p[i * m->n + j];
			uint32_t a = m->level[i], b = m->level[j];
			m->x[i] += p;
			m->y[j] += p;
			m->difference[a > b ? a - b : b - a] += p;
			m->sum[a + b] += p;
		}
}

static void about_mean(const struct matrix *m, struct glcm_sums *out)
{
	double ux = 0, uy = 0, xx = 0, yy = 0, xy = 0;
	for (size_t i = 0; i < m->n; i++) {
		ux += m->x[i] * m->level[i];
		uy += m->y[i] * m->level[i];
	}
	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->n; j++) {
			double p = m->p[i * m->n + j], a = m->level[i], b = m->level[j];
			if (!(p > 0))
				continue;
			double s = a + b - ux - uy;
			out->autocorrelation += p * (a * b);
			out->cluster_tendency += p * (s * s);
			out->cluster_shade += p * (s * s * s);
			out->cluster_prominence += p * (s * s) * (s * s);
			out->contrast += p * ((a - b) * (a - b));
			out->joint_energy += p * p;
			out->joint_entropy -= p * log2_guarded(p);
			out->joint_maximum = p > out->joint_maximum ? p : out->joint_maximum;
			xx += p * ((a - ux) * (a - ux));
			yy += p * ((b - uy) * (b - uy));
			xy += p * ((a - ux) * (b - uy));
		}
	double deviations = sqrt(xx) * sqrt(yy);
	out->joint_average = ux;
	out->sum_squares = xx;
	out->correlation = deviations > 0 ? xy / (deviations + EPSILON) : 1;
}

static void of_margins(const struct matrix *m, struct glcm_sums *out)
{
	double ng = m->level_count;
	for (uint32_t k = 0; k < m->level_count; k++) {
		double p = m->difference[k], d = k;
		if (!(p > 0))
			continue;
		out->difference_average += d * p;
		out->difference_entropy -= p * log2_guarded(p);
		out->inverse_difference += p / (1 + d);
		out->inverse_difference_moment += p / (1 + d * d);
		out->idn += p / (1 + d / ng);
		out->idmn += p / (1 + d * d / (ng * ng));
		out->inverse_variance += k > 0 ? p / (d * d) : 0;
	}
	for (uint32_t k = 0; k < m->level_count; k++) {
		double d = k - out->difference_average;
		out->difference_variance += m->difference[k] * (d * d);
	}
	for (uint32_t k = 2; k <= 2 * m->level_count; k++) {
		out->sum_average += k * m->sum[k];
		out->sum_entropy -= m->sum[k] > 0 ? m->sum[k] * log2_guarded(m->sum[k]) : 0;
	}
}

static void information(const struct matrix *m, struct glcm_sums *out)
{
	double hx = 0, hy = 0, hxy1 = 0, hxy2 = 0;
	for (size_t i = 0; i < m->n; i++) {
		hx -= m->x[i] > 0 ? m->x[i] * log2_guarded(m->x[i]) : 0;
		hy -= m->y[i] > 0 ? m->y[i] * log2_guarded(m->y[i]) : 0;
		for (size_t j = 0; j < m->n; j++) {
			double product = m->x[i] * m->y[j];
			if (!(product > 0))
				continue;
			double bits = log2_guarded(product);
			hxy1 -= m->p[i * m->n + j] * bits;
			hxy2 -= product * bits;
		}
	}
	double larger = hx > hy ? hx : hy, gain = hxy2 - out->joint_entropy;
	out->imc1 = larger > 0 || larger < 0 ? (out->joint_entropy - hxy1) / larger : 0;
	out->imc2 = gain > 0 || gain < 0 ? sqrt(1 - exp(-2 * gain))
	                                 : 0; /* NaN when rounding made it negative */
}

/* Square root of the second largest eigenvalue of Q, Q(i,j) = sum over k of p(i,k) p(j,k) / (x(i) y(k) + eps). */
static enum rs_code maximal_correlation(const struct matrix *m, struct glcm_sums *out, struct rs_error *err)
{
	size_t n = m->n;
	if (n < 2) {
		out->mcc = 1;
		return RS_OK;
	}
	double *q RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n * n + 2 * n, sizeof *q);
	double *transposed RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n * n, sizeof *transposed);
	if (q == NULL || transposed == NULL)
		return rs_error_memory(err, 2 * n * n * sizeof *q, "MCC");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			transposed[k * n + i] = m->p[i * n + k];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			double factor = m->p[i * n + k] / (m->x[i] * m->y[k] + EPSILON);
			for (size_t j = 0; factor > 0 && j < n; j++)
				q[i * n + j] += factor * transposed[k * n + j];
		}
	RS_TRY(rs_eigenvalues_real(q, n, q + n * n, err));
	double *value = q + n * n;
	rs_select(value, 0, n, n - 2);
	out->mcc = sqrt(value[n - 2]);
	return RS_OK;
}

static enum rs_code matrix_measure(const struct glcm_work *work, double *p, struct glcm_sums *out,
                                   struct rs_error *err)
{
	size_t n = work->n, cells = n * n;
	uint32_t levels = work->evidence->levels.level_count;
	double *margin RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * n + 3 * (size_t)levels + 2,
	                                                               sizeof *margin);
	if (margin == NULL)
		return rs_error_memory(err, (2 * n + 3 * (size_t)levels + 2) * sizeof *margin,
		                       "GLCM margins");
	double total = 0;
	for (size_t i = 0; i < cells; i++)
		total += p[i];
	out->empty = !(total > 0);
	if (out->empty)
		return RS_OK;
	for (size_t i = 0; i < cells; i++)
		p[i] /= total;
	struct matrix m = {n,      levels,     work->present,  p,
	                   margin, margin + n, margin + 2 * n, margin + 2 * n + levels};
	margins(&m);
	about_mean(&m, out);
	of_margins(&m, out);
	information(&m, out);
	uint64_t mcc = 0;
	for (size_t i = 0; i < glcm_features.count; i++)
		if (strcmp(glcm_features.rows[i].display, "MCC") == 0)
			mcc = (uint64_t)1 << i;
	if (work->evidence->settings->chosen[RS_FAMILY_GLCM] & mcc)
		return maximal_correlation(&m, out, err);
	return RS_OK;
}

/* Counts neighbours at one offset; level 0 (outside) collects in row and column 0, which nobody reads. */
static void count(const struct glcm_work *work, const struct angle *angle, uint32_t *counts)
{
	size_t side = work->evidence->levels.level_count + (size_t)1;
	ptrdiff_t offset = 0;
	for (int a = 0; a < 3; a++)
		offset += angle->at[a] * (ptrdiff_t)work->stride[a];
	const uint32_t *level = work->evidence->levels.of_voxel;
	const uint32_t *neighbour = work->box + offset;
	for (size_t v = 0; v < work->evidence->region.count; v++)
		counts[level[v] * side + neighbour[work->place[v]]]++;
}

static void compact(const struct glcm_work *work, const uint32_t *counts, double *p)
{
	size_t side = work->evidence->levels.level_count + (size_t)1, n = work->n;
	bool symmetrical = work->evidence->image->symmetrical_glcm;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			uint64_t c = counts[work->present[i] * side + work->present[j]];
			if (symmetrical)
				c += counts[work->present[j] * side + work->present[i]];
			p[i * n + j] = (double)c;
		}
}

static double weight(const struct rs_evidence *evidence, const struct angle *angle)
{
	double sum = 0, squares = 0, largest = 0;
	for (int a = 0; a < 3; a++) {
		double d = (angle->at[a] < 0 ? -angle->at[a] : angle->at[a]) * evidence->spacing_mm[2 - a];
		sum += d;
		squares += d * d;
		largest = d > largest ? d : largest;
	}
	switch (evidence->image->weighting) {
	case RS_WEIGHTING_MANHATTAN: return exp(-(sum * sum));
	case RS_WEIGHTING_EUCLIDEAN: return exp(-squares);
	case RS_WEIGHTING_INFINITY: return exp(-(largest * largest));
	case RS_WEIGHTING_NONE:
	case RS_WEIGHTING_EQUAL: break;
	}
	return 1;
}

static enum rs_code measure_angle(void *context, size_t index, struct rs_error *err)
{
	struct glcm_work *work = context;
	size_t side = work->evidence->levels.level_count + (size_t)1;
	uint32_t *counts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(side * side, sizeof *counts);
	double *p RS_CLEANUP(rs_free_pointer) = rs_allocate_array(work->n * work->n, sizeof *p);
	if (counts == NULL || p == NULL)
		return rs_error_memory(err, side * side * 12, "a GLCM");
	count(work, &work->angles[index], counts);
	compact(work, counts, p);
	if (work->weighted == NULL)
		return matrix_measure(work, p, &work->evidence->glcm[index], err);
	double w = weight(work->evidence, &work->angles[index]);
	for (size_t i = 0; i < work->n * work->n; i++)
		work->weighted[i] += p[i] * w;
	return RS_OK;
}

/* Offsets whose greatest coordinate is one of the distances, from (+d,+d,+d) down, one of each pair ±. */
static enum rs_code angles_list(struct glcm_work *work, struct rs_error *err)
{
	const struct rs_image_settings *s = work->evidence->image;
	int far = (int)s->distances[s->distance_count - 1], width = 2 * far + 1;
	size_t half = (size_t)width * (size_t)width * (size_t)width / 2;
	work->angles = rs_allocate_array(half, sizeof *work->angles);
	if (work->angles == NULL)
		return rs_error_memory(err, half * sizeof *work->angles, "GLCM angles");
	for (size_t i = 0; i < half; i++) {
		struct angle angle = {
			{far - (int)i / (width * width), far - (int)i / width % width, far - (int)i % width}};
		unsigned distance = 0;
		for (int a = 0; a < 3; a++) {
			unsigned d = (unsigned)(angle.at[a] < 0 ? -angle.at[a] : angle.at[a]);
			distance = d > distance ? d : distance;
		}
		bool wanted = !(s->force_2d && angle.at[s->force_2d_dimension] != 0), listed = false;
		for (size_t k = 0; k < s->distance_count; k++)
			listed |= s->distances[k] == distance;
		for (int a = 0; a < 3; a++) /* an offset as long as the box has no pair */
			wanted &= (size_t)(angle.at[a] < 0 ? -angle.at[a] : angle.at[a]) <
			          work->evidence->region.size[2 - a];
		if (wanted && listed)
			work->angles[work->angle_count++] = angle;
	}
	return RS_OK;
}

static enum rs_code box_fill(struct glcm_work *work, struct rs_error *err)
{
	const struct rs_image_settings *s = work->evidence->image;
	const struct region *region = &work->evidence->region;
	size_t margin = s->distances[s->distance_count - 1];
	size_t nx = region->size[0] + 2 * margin, ny = region->size[1] + 2 * margin, cells;
	if (!rs_mul_size(nx * ny, region->size[2] + 2 * margin, &cells))
		return rs_error_set(err, RS_TOO_LARGE, "the region's bounding box is too large");
	work->box = rs_allocate_array(cells, sizeof *work->box);
	work->place = rs_allocate_array(region->count, sizeof *work->place);
	if (work->box == NULL || work->place == NULL)
		return rs_error_memory(err, cells * 2 + region->count * 8, "grey levels in place");
	work->stride[0] = nx * ny;
	work->stride[1] = nx;
	work->stride[2] = 1;
	size_t i = 0, v = 0;
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t y = 0; y < region->size[1]; y++)
			for (size_t x = 0; x < region->size[0]; x++, i++) {
				if (!region->inside[i])
					continue;
				size_t at = ((z + margin) * ny + y + margin) * nx + x + margin;
				work->place[v] = at;
				work->box[at] = work->evidence->levels.of_voxel[v++];
			}
	return RS_OK;
}

static enum rs_code present_list(struct glcm_work *work, struct rs_error *err)
{
	const struct levels *levels = &work->evidence->levels;
	work->present = rs_allocate_array(levels->level_count, sizeof *work->present);
	if (work->present == NULL)
		return rs_error_memory(err, levels->level_count * sizeof *work->present, "levels");
	for (uint32_t i = 1; i <= levels->level_count; i++)
		if (levels->histogram[i] > 0)
			work->present[work->n++] = i;
	return RS_OK;
}

static enum rs_code glcm_run(struct glcm_work *work, struct rs_pool *pool, struct rs_error *err)
{
	struct rs_evidence *evidence = work->evidence;
	bool weighted = evidence->image->weighting != RS_WEIGHTING_NONE;
	RS_TRY(angles_list(work, err));
	RS_TRY(box_fill(work, err));
	RS_TRY(present_list(work, err));
	evidence->glcm_count = weighted ? 1 : work->angle_count;
	evidence->glcm = rs_allocate_array(evidence->glcm_count, sizeof *evidence->glcm);
	if (weighted)
		work->weighted = rs_allocate_array(work->n * work->n, sizeof *work->weighted);
	if (evidence->glcm == NULL || (weighted && work->weighted == NULL))
		return rs_error_memory(err, work->n * work->n * 8, "GLCM");
	/* Weighted matrices are added in the order of angles, hence in one thread. */
	RS_TRY(rs_pool_for(weighted ? NULL : pool, work->angle_count, measure_angle, work, err));
	return weighted ? matrix_measure(work, work->weighted, evidence->glcm, err) : RS_OK;
}

enum rs_code glcm_build(struct rs_evidence *evidence, struct rs_pool *pool, struct rs_error *err)
{
	struct glcm_work work = {.evidence = evidence};
	enum rs_code code = glcm_run(&work, pool, err);
	rs_free(work.box);
	rs_free(work.place);
	rs_free(work.angles);
	rs_free(work.present);
	rs_free(work.weighted);
	return code;
}

/* Mean over directions that have pairs; a direction whose value is NaN drops out, as in PyRadiomics. */
#define MEAN(member)                                                          \
	static double member(const struct rs_evidence *e)                     \
	{                                                                     \
		double sum = 0;                                               \
		size_t n = 0;                                                 \
		for (size_t a = 0; a < e->glcm_count; a++)                    \
			if (!e->glcm[a].empty && !isnan(e->glcm[a].member)) { \
				sum += e->glcm[a].member;                     \
				n++;                                          \
			}                                                     \
		return sum / (double)n;                                       \
	}
MEAN(autocorrelation)
MEAN(joint_average)
MEAN(cluster_prominence)
MEAN(cluster_shade)
MEAN(cluster_tendency)
MEAN(contrast)
MEAN(correlation)
MEAN(difference_average)
MEAN(difference_entropy)
MEAN(difference_variance)
MEAN(inverse_difference)
MEAN(inverse_difference_moment)
MEAN(idmn)
MEAN(idn)
MEAN(imc1)
MEAN(imc2)
MEAN(inverse_variance)
MEAN(joint_energy)
MEAN(joint_entropy)
MEAN(mcc)
MEAN(joint_maximum)
MEAN(sum_average)
MEAN(sum_entropy)
MEAN(sum_squares)

#define ROW(name, ibsi, unit, display, function)                                   \
	{                                                                          \
		"glcm_" name, ibsi, unit, display, RS_FAMILY_GLCM, false, function \
	}
static const struct rs_feature rows[] = {
	ROW("autocorrelation", "QWB0", "1", "Autocorrelation", autocorrelation),
	ROW("cluster_prominence", "AE86", "1", "ClusterProminence", cluster_prominence),
	ROW("cluster_shade", "7NFM", "1", "ClusterShade", cluster_shade),
	ROW("cluster_tendency", "DG8W", "1", "ClusterTendency", cluster_tendency),
	ROW("contrast", "ACUI", "1", "Contrast", contrast),
	ROW("correlation", "NI2N", "1", "Correlation", correlation),
	ROW("difference_average", "TF7R", "1", "DifferenceAverage", difference_average),
	ROW("difference_entropy", "NTRS", "bit", "DifferenceEntropy", difference_entropy),
	ROW("difference_variance", "D3YU", "1", "DifferenceVariance", difference_variance),
	ROW("inverse_difference", "IB1Z", "1", "Id", inverse_difference),
	ROW("inverse_difference_moment", "WF0Z", "1", "Idm", inverse_difference_moment),
	ROW("inverse_difference_moment_normalised", "1QCO", "1", "Idmn", idmn),
	ROW("inverse_difference_normalised", "NDRX", "1", "Idn", idn),
	ROW("information_correlation_1", "R8DG", "1", "Imc1", imc1),
	ROW("information_correlation_2", "JN9H", "1", "Imc2", imc2),
	ROW("inverse_variance", "E8JP", "1", "InverseVariance", inverse_variance),
	ROW("joint_average", "60VM", "1", "JointAverage", joint_average),
	ROW("joint_energy", "8ZQL", "1", "JointEnergy", joint_energy),
	ROW("joint_entropy", "TU9B", "bit", "JointEntropy", joint_entropy),
	ROW("maximal_correlation_coefficient", "", "1", "MCC", mcc),
	ROW("joint_maximum", "GYBY", "1", "MaximumProbability", joint_maximum),
	ROW("sum_average", "ZGXS", "1", "SumAverage", sum_average),
	ROW("sum_entropy", "P6QZ", "bit", "SumEntropy", sum_entropy),
	ROW("sum_squares", "UR99", "1", "SumSquares", sum_squares),
};
const struct rs_feature_table glcm_features = {RS_COUNT(rows), rows};
