/* Grey level co-occurrence (PyRadiomics 3.1 documentation, "GLCM"; IBSI reference manual, 3.6): how often level i
 * lies beside level j, for each direction; features of directions are averaged, or the matrices are weighted and
 * added. */
#include <math.h>
#include <string.h>

#include "radiomics/texture.h"

enum rs_code glcm_tally_init(struct tally *tally, const struct grid *grid, size_t times, struct rs_error *err)
{
	return tally_init(tally, grid->level_count + 1, grid->level_count + 1, (uint64_t)grid->count * times,
	                  err);
}

static void count_row(const uint32_t *level, ptrdiff_t shift, const struct row *row, struct tally *tally)
{
	for (size_t x = row->first; x < row->end; x++) {
		uint32_t i = level[x], j = level[(ptrdiff_t)x + shift];
		if (tally->columns > 0) /* row 0 and column 0 take what lies outside */
			tally->table[(size_t)i * tally->columns + j]++;
		else if (i != 0 && j != 0)
			tally_add_key(tally, i, j);
	}
}

void glcm_count(const struct grid *grid, struct slab slab, struct offset offset, struct tally *tally)
{
	size_t ny = grid->size[1];
	for (size_t r = slab.first * ny; r < slab.end * ny; r++)
		count_row(grid_row(grid, r % ny, r / ny), offset_shift(grid, offset), &grid->rows[r], tally);
}

void glcm_room_finish(struct glcm_room *room)
{
	if (room == NULL)
		return;
	rs_free(room->reals);
	rs_free(room->lists);
	rs_free(room->entries);
	memset(room, 0, sizeof *room);
}

enum rs_code glcm_room_init(struct glcm_room *room, uint32_t level_count, size_t cells, size_t rows,
                            struct rs_error *err)
{
	size_t levels = (size_t)level_count + 1, mcc = mcc_room(rows, rows);
	size_t reals = 5 * levels + cells + rows + mcc;
	struct glcm_room made RS_CLEANUP(glcm_room_finish) = {
		.reals = rs_allocate_array(reals, sizeof *made.reals),
		.lists = rs_allocate_array(4 * levels, sizeof *made.lists),
		.entries = rs_allocate_array(cells, sizeof *made.entries)};
	if (made.reals == NULL || made.lists == NULL || made.entries == NULL)
		return rs_error_memory(err, (reals + 2 * levels + 2 * cells) * sizeof *made.reals,
		                       "features of a GLCM");
	made.x = made.reals;
	made.y = made.x + levels;
	made.difference = made.y + levels;
	made.sum = made.difference + levels;
	made.p = made.sum + 2 * levels;
	made.top = made.p + cells;
	made.mcc = made.top + rows;
	made.rows = made.lists;
	made.columns = made.rows + levels;
	made.row_of = made.columns + levels;
	made.column_of = made.row_of + levels;
	*room = made;
	memset(&made, 0, sizeof made);
	return RS_OK;
}

/* A normalised matrix, its margins, and the levels that have any. */
struct normal {
	const struct matrix *matrix;
	struct glcm_room *room;
	uint32_t level_count;
	size_t row_count, column_count;
	uint32_t difference_end, sum_first, sum_end;
};

static void margins(struct normal *m)
{
	struct glcm_room *room = m->room;
	m->sum_first = UINT32_MAX;
	for (size_t c = 0; c < m->matrix->count; c++) {
		uint32_t a = m->matrix->cells[c].i, b = m->matrix->cells[c].j, d = a > b ? a - b : b - a;
		double p = m->matrix->cells[c].n / m->matrix->total;
		room->p[c] = p;
		room->x[a] += p;
		room->y[b] += p;
		room->difference[d] += p;
		room->sum[a + b] += p;
		m->difference_end = d >= m->difference_end ? d + 1 : m->difference_end;
		m->sum_first = a + b < m->sum_first ? a + b : m->sum_first;
		m->sum_end = a + b >= m->sum_end ? a + b + 1 : m->sum_end;
	}
}

/* Levels with a row are those of the cells in order; levels with a column are seldom others. */
static void levels_list(struct normal *m)
{
	const struct cell *cells = m->matrix->cells;
	struct glcm_room *room = m->room;
	uint32_t low = UINT32_MAX, high = 0;
	for (size_t c = 0; c < m->matrix->count; c++) {
		if (c == 0 || cells[c].i != cells[c - 1].i) {
			room->row_of[cells[c].i] = (uint32_t)m->row_count;
			room->rows[m->row_count++] = cells[c].i;
		}
		low = cells[c].j < low ? cells[c].j : low;
		high = cells[c].j > high ? cells[c].j : high;
	}
	for (uint32_t j = low; j <= high; j++)
		if (room->y[j] > 0) {
			room->column_of[j] = (uint32_t)m->column_count;
			room->columns[m->column_count++] = j;
		}
}

static void about_mean(const struct normal *m, struct glcm_sums *out)
{
	const struct glcm_room *room = m->room;
	double ux = 0, uy = 0, xx = 0, yy = 0, xy = 0;
	for (size_t c = 0; c < m->matrix->count;
	     c++) { /* not from the margins: one level must have no deviation */
		ux += room->p[c] * m->matrix->cells[c].i;
		uy += room->p[c] * m->matrix->cells[c].j;
	}
	for (size_t c = 0; c < m->matrix->count; c++) {
		double p = room->p[c], a = m->matrix->cells[c].i, b = m->matrix->cells[c].j;
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
	bool spread = m->row_count > 1 && m->column_count > 1; /* else deviations are rounding */
	out->correlation = spread && deviations > 0 ? xy / (deviations + EPSILON) : 1;
}

static void of_margins(const struct normal *m, struct glcm_sums *out)
{
	double ng = m->level_count;
	for (uint32_t k = 0; k < m->difference_end; k++) {
		double p = m->room->difference[k], d = k;
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
	for (uint32_t k = 0; k < m->difference_end; k++) {
		double d = k - out->difference_average;
		out->difference_variance += m->room->difference[k] * (d * d);
	}
	for (uint32_t k = m->sum_first; k < m->sum_end; k++) {
		double p = m->room->sum[k];
		if (!(p > 0))
			continue;
		out->sum_average += k * p;
		out->sum_entropy -= p * log2_guarded(p);
	}
}

/* Entropies of x(i) y(j), cell by cell in PyRadiomics' order: where the two levels are independent, the difference
 * to the joint entropy is rounding, whose sign decides between 0 and NaN. */
static void products_each(const struct normal *m, double *out_hxy1, double *out_hxy2)
{
	const struct cell *cells = m->matrix->cells;
	double hxy1 = 0, hxy2 = 0;
	for (size_t r = 0, c = 0; r < m->row_count; r++)
		for (size_t k = 0; k < m->column_count; k++) {
			uint32_t i = m->room->rows[r], j = m->room->columns[k];
			double product = m->room->x[i] * m->room->y[j], bits = log2_guarded(product);
			hxy2 -= product * bits;
			if (c < m->matrix->count && cells[c].i == i && cells[c].j == j)
				hxy1 -= m->room->p[c++] * bits;
		}
	*out_hxy1 = hxy1;
	*out_hxy2 = hxy2;
}

/* The same where the products are too many: log2(q + eps) = log2 q + eps / (q ln 2) but for terms below eps^2 / q,
 * so that their sum is the sum of the two margins' entropies and eps a product. */
static void products_many(const struct normal *m, double *out_hxy1, double *out_hxy2)
{
	double count = (double)m->row_count * (double)m->column_count, hxy1 = 0, hxy2 = 0;
	for (size_t c = 0; c < m->matrix->count; c++)
		hxy1 -= m->room->p[c] *
		        log2_guarded(m->room->x[m->matrix->cells[c].i] * m->room->y[m->matrix->cells[c].j]);
	for (size_t r = 0; r < m->row_count; r++)
		hxy2 -= m->room->x[m->room->rows[r]] * log2(m->room->x[m->room->rows[r]]);
	for (size_t k = 0; k < m->column_count; k++)
		hxy2 -= m->room->y[m->room->columns[k]] * log2(m->room->y[m->room->columns[k]]);
	*out_hxy1 = hxy1;
	*out_hxy2 = hxy2 - count * EPSILON / log(2);
}

#define PRODUCTS_MAX ((size_t)1 << 18)

static void information(const struct normal *m, struct glcm_sums *out)
{
	double hx = 0, hy = 0, hxy1, hxy2;
	for (size_t r = 0; r < m->row_count; r++)
		hx -= m->room->x[m->room->rows[r]] * log2_guarded(m->room->x[m->room->rows[r]]);
	for (size_t k = 0; k < m->column_count; k++)
		hy -= m->room->y[m->room->columns[k]] * log2_guarded(m->room->y[m->room->columns[k]]);
	if (m->row_count * m->column_count <= PRODUCTS_MAX)
		products_each(m, &hxy1, &hxy2);
	else
		products_many(m, &hxy1, &hxy2);
	double larger = hx > hy ? hx : hy, gain = hxy2 - out->joint_entropy;
	out->imc1 = larger > 0 || larger < 0 ? (out->joint_entropy - hxy1) / larger : 0;
	out->imc2 = gain > 0 || gain < 0 ? sqrt(1 - exp(-2 * gain))
	                                 : 0; /* NaN when rounding made it negative */
}

static double maximal_correlation(const struct normal *m)
{
	const struct glcm_room *room = m->room;
	for (size_t c = 0; c < m->matrix->count; c++) {
		const struct cell *cell = &m->matrix->cells[c];
		room->entries[c] = (struct mcc_entry){
			room->row_of[cell->i], room->column_of[cell->j],
			room->p[c] / sqrt(room->x[cell->i] * room->y[cell->j] + EPSILON)};
	}
	for (size_t r = 0; r < m->row_count; r++)
		room->top[r] = sqrt(room->x[room->rows[r]]);
	return mcc_of(room->entries, m->matrix->count, m->row_count, m->column_count, room->top, room->mcc);
}

static void clear(const struct normal *m)
{
	struct glcm_room *room = m->room;
	for (size_t r = 0; r < m->row_count; r++)
		room->x[room->rows[r]] = 0;
	for (size_t k = 0; k < m->column_count; k++)
		room->y[room->columns[k]] = 0;
	memset(room->difference, 0, m->difference_end * sizeof *room->difference);
	memset(room->sum + m->sum_first, 0, (m->sum_end - m->sum_first) * sizeof *room->sum);
}

void glcm_measure_in(const struct matrix *matrix, uint32_t level_count, bool with_mcc, struct glcm_room *room,
                     struct glcm_sums *out)
{
	struct normal m = {.matrix = matrix, .room = room, .level_count = level_count};
	*out = (struct glcm_sums){.empty = !(matrix->total > 0)};
	if (out->empty)
		return;
	margins(&m);
	levels_list(&m);
	about_mean(&m, out);
	of_margins(&m, out);
	information(&m, out);
	if (with_mcc)
		out->mcc = maximal_correlation(&m);
	clear(&m);
}

enum rs_code glcm_measure(const struct matrix *matrix, uint32_t level_count, bool with_mcc,
                          struct glcm_sums *out, struct rs_error *err)
{
	struct glcm_room room RS_CLEANUP(glcm_room_finish) = {0};
	size_t rows = matrix->count < level_count ? matrix->count : level_count; /* or columns */
	RS_TRY(glcm_room_init(&room, level_count, matrix->count, with_mcc ? rows : 0, err));
	glcm_measure_in(matrix, level_count, with_mcc, &room, out);
	return RS_OK;
}

double glcm_weight(struct offset offset, enum rs_weighting norm, const double spacing_mm[3])
{
	double length = offset_length(offset, norm, spacing_mm);
	return norm == RS_WEIGHTING_EQUAL ? 1 : exp(-(length * length));
}

bool glcm_wants_mcc(const struct rs_radiomics_settings *settings)
{
	for (size_t i = 0; i < glcm_features.count; i++)
		if (strcmp(glcm_features.rows[i].display, "MCC") == 0)
			return settings->chosen[RS_FAMILY_GLCM] >> i & 1;
	return false;
}

/* One level in all has an MCC of 1 by definition. */
static enum rs_code matrix_measure(const struct rs_evidence *e, const struct matrix *matrix,
                                   struct glcm_sums *out, struct rs_error *err)
{
	bool flat = e->levels.histogram[e->levels.level_count] == e->region.count;
	RS_TRY(glcm_measure(matrix, e->grid.level_count, glcm_wants_mcc(e->settings) && !flat, out, err));
	out->mcc = flat ? 1 : out->mcc;
	return RS_OK;
}

enum rs_code glcm_prepare(struct rs_evidence *e, size_t *out_parts, struct rs_error *err)
{
	RS_TRY(directions_list(e, true, &e->glcm_directions, err));
	*out_parts = e->glcm_count = e->glcm_directions.count;
	e->glcm = rs_allocate_array(e->glcm_count + 1, sizeof *e->glcm);
	if (e->glcm == NULL)
		return rs_error_memory(err, e->glcm_count * sizeof *e->glcm, "GLCM");
	return RS_OK;
}

enum rs_code glcm_part(struct rs_evidence *e, size_t part, struct rs_error *err)
{
	struct offset offset = e->glcm_directions.offsets[part];
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	struct matrix matrix RS_CLEANUP(matrix_finish) = {0};
	bool weighted = e->image->weighting != RS_WEIGHTING_NONE;
	RS_TRY(glcm_tally_init(&tally, &e->grid, 1, err));
	glcm_count(&e->grid, grid_whole(&e->grid), offset, &tally);
	if (e->image->symmetrical_glcm)
		RS_TRY(tally_mirror(&tally, err));
	RS_TRY(tally_take(&tally, weighted ? &e->glcm_directions.matrices[part] : &matrix, err));
	return weighted ? RS_OK : matrix_measure(e, &matrix, &e->glcm[part], err);
}

enum rs_code glcm_finish(struct rs_evidence *e, struct rs_error *err)
{
	struct matrix sum RS_CLEANUP(matrix_finish) = {0};
	const struct directions *d = &e->glcm_directions;
	size_t kept = 0;
	if (e->image->weighting == RS_WEIGHTING_NONE) {
		for (size_t a = 0; a < e->glcm_count; a++)
			if (!e->glcm[a].empty)
				e->glcm[kept++] = e->glcm[a];
		e->glcm_count = kept > 0 ? kept : e->glcm_count;
		return RS_OK;
	}
	for (size_t a = 0; a < d->count; a++) /* in order: sums of weights are not exact */
		RS_TRY(matrix_add(&sum, &d->matrices[a],
		                  glcm_weight(d->offsets[a], e->image->weighting, e->spacing_mm), err));
	e->glcm_count = 1;
	return matrix_measure(e, &sum, e->glcm, err);
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

/* PyRadiomics lets an empty direction in here, which makes NaN; it has removed those that are empty everywhere. */
static double joint_average(const struct rs_evidence *e)
{
	double sum = 0;
	for (size_t a = 0; a < e->glcm_count; a++)
		sum += e->glcm[a].empty ? NAN : e->glcm[a].joint_average;
	return sum / (double)e->glcm_count;
}
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
#define DEPRECATED(name, ibsi, display, function)                                \
	{                                                                        \
		"glcm_" name, ibsi, "1", display, RS_FAMILY_GLCM, true, function \
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
	/* PyRadiomics only says of which feature each of these is another name. */
	DEPRECATED("dissimilarity", "8S9J", "Dissimilarity", difference_average),
	DEPRECATED("homogeneity_1", "", "Homogeneity1", inverse_difference),
	DEPRECATED("homogeneity_2", "", "Homogeneity2", inverse_difference_moment),
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
	DEPRECATED("sum_variance", "OEEB", "SumVariance", cluster_tendency),
};
const struct rs_feature_table glcm_features = {RS_COUNT(rows), rows};
