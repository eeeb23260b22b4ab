/* Moran's I and Geary's C: sums over all pairs of voxels, weighted by 1 / distance.
 *
 * With m = 1 in the region, y = intensity - mean there, and 0 elsewhere, all sums over ordered pairs are of the
 * form  S(f, g) = sum over a, b of f(a) w(a - b) g(b):  weights S(m, m), products S(y, y), and squared
 * differences 2 S(y^2, m) - 2 S(y, y). Such a sum is a sum over frequencies of W conj(F) G, where W, F and G
 * are the Fourier transforms on a grid large enough that nothing wraps around. m, y and y^2 are real: the
 * transform along x packs two rows in one line and keeps the lower half of the frequencies; for each of these the
 * plane across is transformed and summed in turn, so that the whole grid is never held. */
#include <math.h>
#include <string.h>

#include "numeric/numeric_fft.h"
#include "radiomics/autocorrelation.h"

#define LANES RS_FFT_LANES
#define PAIRS_PER_POINT 24 /* so many pairs cost as much as one point of the grid does (measured) */
#define BLOCK_BYTES ((size_t)256 << 20) /* of spectra held at once */
#define PLANES_AT_A_TIME 2
#define FIELDS 3 /* m, y, y^2 */

struct pair_sums {
	double weights, products, square_products; /* S(m, m), S(y, y), S(y^2, m) */
};

/* The region's rows that are not empty, one after the other. */
struct line_of_voxels {
	size_t y, z;
};

struct fourier {
	const struct region *region;
	const double *spacing_mm;
	const double *box; /* y, 0 outside the region */
	size_t grid[3];    /* of the transforms: at least twice the region's, less one */
	size_t half[3];    /* frequencies 0 … grid / 2 */
	struct rs_fft fft[3];
	struct line_of_voxels *rows;
	size_t row_count;
	size_t planes_max;      /* the most to hold at once */
	size_t first, planes;   /* the block of x frequencies at hand */
	double (*spectra)[2];   /* [planes][row_count][FIELDS] */
	double *weights;        /* [planes][half z][half y]: w transformed along x */
	struct pair_sums *sums; /* one per x frequency */
};

static void fourier_finish(struct fourier *f)
{
	for (int a = 0; a < 3; a++)
		rs_fft_finish(&f->fft[a]);
	rs_free(f->rows);
	rs_free(f->spectra);
	rs_free(f->weights);
	rs_free(f->sums);
}

static bool row_is_empty(const struct region *region, size_t y, size_t z)
{
	size_t n = region->size[0];
	return memchr(region->inside + (z * region->size[1] + y) * n, 1, n) == NULL;
}

static enum rs_code fourier_init(struct fourier *f, struct rs_error *err)
{
	const size_t *size = f->region->size;
	for (int a = 0; a < 3; a++) {
		f->grid[a] = rs_fft_size(2 * size[a] - 1);
		f->half[a] = f->grid[a] / 2 + 1;
		RS_TRY(rs_fft_init(&f->fft[a], f->grid[a], err));
	}
	f->rows = rs_allocate_array(size[1] * size[2], sizeof *f->rows);
	f->sums = rs_allocate_array(f->half[0], sizeof *f->sums);
	if (f->rows == NULL || f->sums == NULL)
		return rs_error_memory(err, size[1] * size[2] * sizeof *f->rows, "autocorrelation");
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++)
			if (!row_is_empty(f->region, y, z))
				f->rows[f->row_count++] = (struct line_of_voxels){y, z};
	size_t spectra = f->row_count * FIELDS * sizeof *f->spectra,
	       weights = f->half[1] * f->half[2] * sizeof *f->weights;
	f->planes = BLOCK_BYTES / (spectra + weights);
	f->planes = f->planes < 1 ? 1 : f->planes > f->planes_max ? f->planes_max : f->planes;
	f->planes = f->planes > f->half[0] ? f->half[0] : f->planes;
	f->spectra = rs_allocate_array(f->planes, spectra);
	f->weights = rs_allocate_array(f->planes, weights);
	if (f->spectra == NULL || f->weights == NULL)
		return rs_error_memory(err, f->planes * (spectra + weights), "autocorrelation");
	return RS_OK;
}

/* Two blocks of `size` elements; free the first. */
static struct rs_fft_element *lines_allocate(size_t size, struct rs_fft_element **spare, struct rs_error *err)
{
	struct rs_fft_element *lines = rs_allocate_aligned(2 * size * sizeof *lines);
	if (lines == NULL)
		(void)rs_error_memory(err, 2 * size * sizeof *lines, "autocorrelation");
	else
		*spare = lines + size;
	return lines;
}

/* Line number `line` of all: of its row, the field m, y or y^2. */
static void put_field(const struct fourier *f, size_t line, double *to)
{
	const struct line_of_voxels *row = &f->rows[line / FIELDS];
	size_t n = f->region->size[0], at = (row->z * f->region->size[1] + row->y) * n, field = line % FIELDS;
	for (size_t x = 0; x < n; x++) {
		double y = f->box[at + x];
		to[x * 2 * LANES] = field == 0 ? f->region->inside[at + x] : field == 1 ? y : y * y;
	}
}

/* Eight real lines, two to a complex one: of Z = A + i B, with Y = conj(Z) at the opposite frequency,
 * A = (Z + Y) / 2 and B = (Z - Y) / 2i. */
static enum rs_code fields_along_x(void *context, size_t index, struct rs_error *err)
{
	struct fourier *f = context;
	size_t n = f->grid[0], first = index * 2 * LANES, total = f->row_count * FIELDS;
	struct rs_fft_element *spare = NULL;
	struct rs_fft_element *lines RS_CLEANUP(rs_free_pointer) = lines_allocate(n, &spare, err);
	if (lines == NULL)
		return RS_NO_MEMORY;
	for (size_t l = 0; l < 2 * LANES && first + l < total; l++)
		put_field(f, first + l, (l % 2 == 0 ? lines[0].re : lines[0].im) + l / 2);
	const struct rs_fft_element *out = rs_fft_forward(&f->fft[0], lines, spare);
	for (size_t k = 0; k < f->planes && f->first + k < f->half[0]; k++) {
		const struct rs_fft_element *z = &out[f->first + k], *y = &out[(n - f->first - k) % n];
		double(*to)[2] = f->spectra + k * total + first;
		for (size_t l = 0; l < 2 * LANES && first + l < total; l++) {
			size_t lane = l / 2;
			to[l][0] = (l % 2 == 0 ? z->re[lane] + y->re[lane] : z->im[lane] + y->im[lane]) / 2;
			to[l][1] = (l % 2 == 0 ? z->im[lane] - y->im[lane] : y->re[lane] - z->re[lane]) / 2;
		}
	}
	return RS_OK;
}

/* A weight depends on the size of the shift only, so its transform is real and even, and again two lines fit in
 * one: a line is the weights of shifts 0 … half - 1, and their mirror image. */
static void mirror(struct rs_fft_element *lines, size_t n, size_t lane, bool imaginary)
{
	for (size_t k = n / 2 + 1; k < n; k++)
		(imaginary ? lines[k].im : lines[k].re)[lane] = (imaginary ? lines[n - k].im
		                                                           : lines[n - k].re)[lane];
}

static enum rs_code weights_along_x(void *context, size_t index, struct rs_error *err)
{
	struct fourier *f = context;
	size_t n = f->grid[0], first = index * 2 * LANES, total = f->half[1] * f->half[2];
	struct rs_fft_element *spare = NULL;
	struct rs_fft_element *lines RS_CLEANUP(rs_free_pointer) = lines_allocate(n, &spare, err);
	if (lines == NULL)
		return RS_NO_MEMORY;
	for (size_t l = 0; l < 2 * LANES && first + l < total; l++) {
		double y = (double)((first + l) % f->half[1]) * f->spacing_mm[1];
		double z = (double)((first + l) / f->half[1]) * f->spacing_mm[2];
		for (size_t k = 0; k < f->half[0]; k++) {
			double x = (double)k * f->spacing_mm[0], squared = x * x + y * y + z * z;
			(l % 2 == 0 ? lines[k].re : lines[k].im)[l / 2] = squared > 0 ? 1 / sqrt(squared) : 0;
		}
		mirror(lines, n, l / 2, l % 2 != 0);
	}
	const struct rs_fft_element *out = rs_fft_forward(&f->fft[0], lines, spare);
	for (size_t k = 0; k < f->planes && f->first + k < f->half[0]; k++)
		for (size_t l = 0; l < 2 * LANES && first + l < total; l++) {
			const struct rs_fft_element *e = &out[f->first + k];
			f->weights[k * total + first + l] = l % 2 == 0 ? e->re[l / 2] : e->im[l / 2];
		}
	return RS_OK;
}

/* What one plane needs. A bundle is LANES lines along z, of neighbouring y frequencies. */
struct plane {
	size_t bundles;
	struct rs_fft_element *lines, *spare; /* the longer one of grid y, z; of all fields */
	struct rs_fft_element *fields;        /* [FIELDS][bundles][size z]: transformed along x and y */
	double *weights_y;                    /* [half y][half z] */
	double (*weights)[LANES];             /* [bundles][half z]; 0 above the grid */
};

static void plane_finish(struct plane *p)
{
	rs_free(p->lines);
	rs_free(p->fields);
	rs_free(p->weights_y);
	rs_free(p->weights);
}

static enum rs_code plane_init(struct plane *p, const struct fourier *f, struct rs_error *err)
{
	size_t longest = f->grid[1] > f->grid[2] ? f->grid[1] : f->grid[2], total;
	p->bundles = (f->grid[1] + LANES - 1) / LANES;
	total = FIELDS * p->bundles * f->region->size[2];
	p->lines = rs_allocate_aligned((FIELDS + 1) * longest * sizeof *p->lines);
	p->fields = rs_allocate_aligned(total * sizeof *p->fields);
	p->weights_y = rs_allocate_array(f->half[1] * f->half[2], sizeof *p->weights_y);
	p->weights = rs_allocate_aligned(p->bundles * f->half[2] * sizeof *p->weights);
	if (p->lines == NULL || p->fields == NULL || p->weights_y == NULL || p->weights == NULL)
		return rs_error_memory(err, (total + 4 * longest) * sizeof *p->lines, "autocorrelation");
	p->spare = p->lines + FIELDS * longest;
	return RS_OK;
}

/* w transformed along y: LANES pairs of columns at a time, from [z][y] to [y][z]. */
static void weights_along_y(const struct fourier *f, struct plane *p, const double *from)
{
	size_t n = f->grid[1];
	for (size_t first = 0; first < f->half[2]; first += 2 * LANES) {
		memset(p->lines, 0, n * sizeof *p->lines);
		for (size_t l = 0; l < 2 * LANES && first + l < f->half[2]; l++) {
			for (size_t k = 0; k < f->half[1]; k++)
				(l % 2 == 0 ? p->lines[k].re
				            : p->lines[k].im)[l / 2] = from[(first + l) * f->half[1] + k];
			mirror(p->lines, n, l / 2, l % 2 != 0);
		}
		const struct rs_fft_element *out = rs_fft_forward(&f->fft[1], p->lines, p->spare);
		for (size_t k = 0; k < f->half[1]; k++)
			for (size_t l = 0; l < 2 * LANES && first + l < f->half[2]; l++)
				p->weights_y[k * f->half[2] + first + l] = l % 2 == 0 ? out[k].re[l / 2]
				                                                      : out[k].im[l / 2];
	}
}

/* … and along z; frequency y and its mirror image get the same. */
static void weights_along_z(const struct fourier *f, struct plane *p)
{
	size_t n = f->grid[2];
	for (size_t first = 0; first < f->half[1]; first += 2 * LANES) {
		memset(p->lines, 0, n * sizeof *p->lines);
		for (size_t l = 0; l < 2 * LANES && first + l < f->half[1]; l++) {
			for (size_t k = 0; k < f->half[2]; k++)
				(l % 2 == 0 ? p->lines[k].re : p->lines[k].im)[l / 2] =
					p->weights_y[(first + l) * f->half[2] + k];
			mirror(p->lines, n, l / 2, l % 2 != 0);
		}
		const struct rs_fft_element *out = rs_fft_forward(&f->fft[2], p->lines, p->spare);
		for (size_t l = 0; l < 2 * LANES && first + l < f->half[1]; l++) {
			size_t y = first + l, twin = (f->grid[1] - y) % f->grid[1];
			for (size_t k = 0; k < f->half[2]; k++) {
				double w = l % 2 == 0 ? out[k].re[l / 2] : out[k].im[l / 2];
				p->weights[y / LANES * f->half[2] + k][y % LANES] = w;
				p->weights[twin / LANES * f->half[2] + k][twin % LANES] = w;
			}
		}
	}
}

/* One field of LANES slices from z on, along y. */
static void slices_along_y(const struct fourier *f, struct plane *p, const double (*spectra)[2], size_t field,
                           size_t first_row, size_t end_row, size_t z)
{
	size_t n = f->grid[1], depth = f->region->size[2];
	memset(p->lines, 0, n * sizeof *p->lines);
	for (size_t r = first_row; r < end_row; r++) {
		p->lines[f->rows[r].y].re[f->rows[r].z - z] = spectra[r * FIELDS + field][0];
		p->lines[f->rows[r].y].im[f->rows[r].z - z] = spectra[r * FIELDS + field][1];
	}
	const struct rs_fft_element *out = rs_fft_forward(&f->fft[1], p->lines, p->spare);
	for (size_t k = 0; k < n; k++) {
		struct rs_fft_element *to = p->fields + (field * p->bundles + k / LANES) * depth + z;
		for (size_t l = 0; l < LANES && z + l < depth; l++) {
			to[l].re[k % LANES] = out[k].re[l];
			to[l].im[k % LANES] = out[k].im[l];
		}
	}
}

static void fields_along_y(const struct fourier *f, struct plane *p, const double (*spectra)[2])
{
	for (size_t r = 0, end = 0; r < f->row_count; r = end) {
		size_t z = f->rows[r].z / LANES * LANES;
		while (end < f->row_count && f->rows[end].z < z + LANES)
			end++;
		for (size_t field = 0; field < FIELDS; field++)
			slices_along_y(f, p, spectra, field, r, end, z);
	}
}

static void sum_bundle(const struct fourier *f, const struct plane *p, size_t bundle,
                       const struct rs_fft_element *const spectrum[FIELDS], double sums[FIELDS][LANES])
{
	size_t n = f->grid[2];
	for (size_t k = 0; k < n; k++) {
		const struct rs_fft_element *m = &spectrum[0][k], *y = &spectrum[1][k], *q = &spectrum[2][k];
		const double *w = p->weights[bundle * f->half[2] + (k < n - k ? k : n - k)];
		for (size_t l = 0; l < LANES; l++) {
			sums[0][l] += w[l] * (m->re[l] * m->re[l] + m->im[l] * m->im[l]);
			sums[1][l] += w[l] * (y->re[l] * y->re[l] + y->im[l] * y->im[l]);
			sums[2][l] += w[l] * (q->re[l] * m->re[l] + q->im[l] * m->im[l]);
		}
	}
}

/* Transforms along z and sums, bundle by bundle. */
static struct pair_sums sums_along_z(const struct fourier *f, struct plane *p)
{
	size_t n = f->grid[2], depth = f->region->size[2];
	double sums[FIELDS][LANES] = {{0}}, total[FIELDS] = {0};
	for (size_t bundle = 0; bundle < p->bundles; bundle++) {
		const struct rs_fft_element *spectrum[FIELDS];
		struct rs_fft_element *free_block = p->spare;
		for (size_t field = 0; field < FIELDS; field++) {
			struct rs_fft_element *lines = p->lines + field * n;
			memcpy(lines, p->fields + (field * p->bundles + bundle) * depth,
			       depth * sizeof *lines);
			memset(lines + depth, 0, (n - depth) * sizeof *lines);
			struct rs_fft_element *out = rs_fft_forward(&f->fft[2], lines, free_block);
			free_block = out == lines ? free_block : lines;
			spectrum[field] = out;
		}
		sum_bundle(f, p, bundle, spectrum, sums);
	}
	for (size_t field = 0; field < FIELDS; field++)
		for (size_t l = 0; l < LANES; l++)
			total[field] += sums[field][l];
	return (struct pair_sums){total[0], total[1], total[2]};
}

static enum rs_code planes_sum(void *context, size_t index, struct rs_error *err)
{
	struct fourier *f = context;
	struct plane p RS_CLEANUP(plane_finish) = {0};
	RS_TRY(plane_init(&p, f, err));
	for (size_t k = index * PLANES_AT_A_TIME; k < (index + 1) * PLANES_AT_A_TIME; k++) {
		if (k >= f->planes || f->first + k >= f->half[0])
			break;
		weights_along_y(f, &p, f->weights + k * f->half[1] * f->half[2]);
		weights_along_z(f, &p);
		fields_along_y(f, &p, (const double(*)[2])f->spectra + k * f->row_count * FIELDS);
		f->sums[f->first + k] = sums_along_z(f, &p);
	}
	return RS_OK;
}

static size_t groups(size_t count, size_t size) { return (count + size - 1) / size; }

/* Frequencies above the half are mirror images of those below it and give the same sums. */
static enum rs_code sum_by_fourier(struct fourier *f, struct rs_pool *pool, struct pair_sums *out,
                                   struct rs_error *err)
{
	RS_TRY(fourier_init(f, err));
	for (f->first = 0; f->first < f->half[0]; f->first += f->planes) {
		RS_TRY(rs_pool_for(pool, groups(f->row_count * FIELDS, 2 * LANES), fields_along_x, f, err));
		RS_TRY(rs_pool_for(pool, groups(f->half[1] * f->half[2], 2 * LANES), weights_along_x, f,
		                   err));
		RS_TRY(rs_pool_for(pool, groups(f->planes, PLANES_AT_A_TIME), planes_sum, f, err));
	}
	*out = (struct pair_sums){0};
	for (size_t k = 0; k < f->half[0]; k++) {
		double twice = k > 0 && k != f->grid[0] - k ? 2 : 1;
		out->weights += twice * f->sums[k].weights;
		out->products += twice * f->sums[k].products;
		out->square_products += twice * f->sums[k].square_products;
	}
	double points = (double)f->grid[0] * (double)f->grid[1] * (double)f->grid[2];
	out->weights /= points;
	out->products /= points;
	out->square_products /= points;
	return RS_OK;
}

/* By the definition, each pair once. */
static enum rs_code sum_by_pairs(const struct region *region, const double spacing[3], const double *box,
                                 struct pair_sums *out, struct rs_error *err)
{
	double(*at)[4] = rs_allocate_array(region->count, sizeof *at);
	size_t v[3], i = 0, n = 0;
	if (at == NULL)
		return rs_error_memory(err, region->count * sizeof *at, "autocorrelation");
	for (v[2] = 0; v[2] < region->size[2]; v[2]++)
		for (v[1] = 0; v[1] < region->size[1]; v[1]++)
			for (v[0] = 0; v[0] < region->size[0]; v[0]++, i++) {
				if (!region->inside[i])
					continue;
				for (int a = 0; a < 3; a++)
					at[n][a] = (double)v[a] * spacing[a];
				at[n++][3] = box[i];
			}
	struct pair_sums sums = {0};
	for (size_t j = 1; j < n; j++)
		for (size_t k = 0; k < j; k++) {
			double x = at[j][0] - at[k][0], y = at[j][1] - at[k][1], z = at[j][2] - at[k][2];
			double w = 1 / sqrt(x * x + y * y + z * z);
			sums.weights += 2 * w;
			sums.products += 2 * w * (at[j][3] * at[k][3]);
			sums.square_products += w * (at[j][3] * at[j][3] + at[k][3] * at[k][3]);
		}
	rs_free(at);
	*out = sums;
	return RS_OK;
}

/* y, scaled to at most 1: neither measure depends on the scale, and squares then never overflow. NULL without
 * memory. */
static double *deviations(const struct region *region, double low, double high)
{
	size_t size = region->size[0] * region->size[1] * region->size[2], n = 0;
	double sum = 0, scale = high / 2 - low / 2;
	double *box = rs_allocate_array(size, sizeof *box);
	for (size_t i = 0; i < region->count; i++)
		sum += (region->values[i] / 2 - low / 2) / scale;
	for (size_t i = 0; box != NULL && i < size; i++)
		if (region->inside[i])
			box[i] = (region->values[n++] / 2 - low / 2) / scale - sum / (double)region->count;
	return box;
}

static bool by_fourier(const struct region *region, enum autocorrelation_method method)
{
	double points = 1, n = (double)region->count;
	for (int a = 0; a < 3; a++)
		points *= 2 * (double)region->size[a];
	return method == AUTOCORRELATION_FOURIER || method == AUTOCORRELATION_FOURIER_FRUGAL ||
	       (method == AUTOCORRELATION_CHOOSE && n * (n - 1) / 2 > points * PAIRS_PER_POINT);
}

enum rs_code autocorrelation_measure(const struct region *region, const double spacing_mm[3],
                                     enum autocorrelation_method method, struct rs_pool *pool,
                                     double *out_moran, double *out_geary, struct rs_error *err)
{
	double low = INFINITY, high = -INFINITY, squares = 0, n = (double)region->count;
	struct pair_sums sums = {0};
	for (size_t i = 0; i < region->count; i++) {
		low = region->values[i] < low ? region->values[i] : low;
		high = region->values[i] > high ? region->values[i] : high;
	}
	if (!(low < high)) {
		*out_moran = *out_geary = NAN;
		return RS_OK;
	}
	double *box RS_CLEANUP(rs_free_pointer) = deviations(region, low, high);
	if (box == NULL)
		return rs_error_memory(err, region->count * sizeof *box, "autocorrelation");
	for (size_t i = 0; i < region->size[0] * region->size[1] * region->size[2]; i++)
		squares += box[i] * box[i];
	if (by_fourier(region, method)) {
		struct fourier f RS_CLEANUP(fourier_finish) = {
			.region = region,
			.spacing_mm = spacing_mm,
			.box = box,
			.planes_max = method == AUTOCORRELATION_FOURIER_FRUGAL ? 1 : SIZE_MAX};
		RS_TRY(sum_by_fourier(&f, pool, &sums, err));
	} else {
		RS_TRY(sum_by_pairs(region, spacing_mm, box, &sums, err));
	}
	*out_moran = n / sums.weights * (sums.products / squares);
	*out_geary = (n - 1) / sums.weights * ((sums.square_products - sums.products) / squares);
	return RS_OK;
}
