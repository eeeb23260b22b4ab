/* Probabilities from decisions: a line for each pair of classes, fitted to rows left out in turn. libsvm does the same with
 * folds drawn by rand(). */
#include <math.h>

#include "base/base_random.h"
#include "vectors.h"

#define FOLDS 5
#define STEPS_MAX 100

static double loss_of(const double *decisions, const bool *first, size_t count, const double targets[2],
                      double slope, double offset)
{
	double loss = 0;
	for (size_t i = 0; i < count; i++) {
		double f = slope * decisions[i] + offset, t = targets[first[i]];
		loss += f >= 0 ? t * f + log1p(exp(-f)) : (t - 1) * f + log1p(exp(f));
	}
	return loss;
}

struct slope {
	double a, b, aa, ab, bb; /* derivatives; the second ones with a ridge, so that a step exists */
};

static struct slope derive(const double *decisions, const bool *first, size_t count, const double targets[2],
                           double slope, double offset)
{
	struct slope s = {.aa = 1e-12, .bb = 1e-12};
	for (size_t i = 0; i < count; i++) {
		double f = slope * decisions[i] + offset;
		double p = f >= 0 ? exp(-f) / (1 + exp(-f)) : 1 / (1 + exp(f));
		double residual = targets[first[i]] - p, curve = p * (1 - p);
		s.a += decisions[i] * residual;
		s.b += residual;
		s.aa += decisions[i] * decisions[i] * curve;
		s.ab += decisions[i] * curve;
		s.bb += curve;
	}
	return s;
}

/* Newton's steps, halved until the loss falls. Targets are kept off 0 and 1, so that separable classes have an end. */
void platt_line(const double *decisions, const bool *first, size_t count, double *out_slope,
                double *out_offset)
{
	double positives = 0;
	for (size_t i = 0; i < count; i++)
		positives += first[i];
	double negatives = (double)count - positives;
	const double targets[2] = {1 / (negatives + 2), (positives + 1) / (positives + 2)};
	double slope = 0, offset = log((negatives + 1) / (positives + 1));
	double loss = loss_of(decisions, first, count, targets, slope, offset);
	for (int step = 0; step < STEPS_MAX; step++) {
		struct slope s = derive(decisions, first, count, targets, slope, offset);
		double determinant = s.aa * s.bb - s.ab * s.ab;
		double da = -(s.bb * s.a - s.ab * s.b) / determinant;
		double db = -(s.aa * s.b - s.ab * s.a) / determinant;
		double fall = s.a * da + s.b * db, width = 1, next;
		if ((fabs(s.a) < 1e-9 && fabs(s.b) < 1e-9) || !isfinite(fall))
			break;
		do {
			next = loss_of(decisions, first, count, targets, slope + width * da,
			               offset + width * db);
			width /= 2;
		} while (!(next < loss + 1e-4 * 2 * width * fall) && width > 1e-10);
		if (!(next < loss))
			break;
		slope += 2 * width * da;
		offset += 2 * width * db;
		loss = next;
	}
	*out_slope = slope;
	*out_offset = offset;
}

/* Where there is next to nothing to learn, rows left out may be ordered worse than by chance, and the line rises. Turning a
 * machine's own order round would be an artefact of the folds: its order stays, and its probabilities say nearly nothing. */
#define SLOPE_LEAST (-1e-3)
static void keep_order(size_t firsts, size_t seconds, double *slope, double *offset)
{
	if (*slope < SLOPE_LEAST)
		return;
	*slope = SLOPE_LEAST;
	*offset = log(((double)seconds + 1) / ((double)firsts + 1));
}

/* One fold of one pair. */
struct folding {
	const struct vectors *v;
	uint32_t folds;
	uint32_t *fold; /* by row */
	size_t *start;  /* by pair: where its decisions begin, rows of its first class, then of its second */
	double *decisions; /* of each row by the machine that did not see it */
	uint32_t (*pair)[2];
};

static enum rs_code assign_folds(const struct folding *f, struct rs_error *err)
{
	const struct vectors *v = f->v;
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(v->x->rows, sizeof *order);
	if (!order)
		return rs_error_memory(err, v->x->rows * sizeof *order, "folds");
	for (uint32_t c = 0; c < v->classes; c++) {
		size_t first = v->first[c], count = v->first[c + 1] - first;
		struct rs_stream stream = rs_stream_of(v->options->seed, c);
		for (size_t i = 0; i < count; i++) {
			size_t other = (size_t)rs_stream_below(&stream, i + 1);
			order[i] = order[other];
			order[other] = first + i;
		}
		for (size_t i = 0; i < count; i++)
			f->fold[order[i]] = (uint32_t)(i % f->folds);
	}
	return RS_OK;
}

static size_t gather(const struct folding *f, size_t pair, uint32_t fold, struct svm_node **rows, double *y,
                     size_t seen[2])
{
	size_t count = 0;
	seen[0] = seen[1] = 0;
	for (size_t side = 0; side < 2; side++) {
		uint32_t class = f->pair[pair][side];
		for (size_t i = f->v->first[class]; i < f->v->first[class + 1]; i++) {
			if (f->fold[i] == fold)
				continue;
			rows[count] = f->v->rows[i];
			y[count++] = class;
			seen[side]++;
		}
	}
	return count;
}

static void decide(const struct folding *f, size_t pair, uint32_t fold, const struct svm_model *model,
                   double otherwise)
{
	double *out = f->decisions + f->start[pair];
	for (size_t side = 0; side < 2; side++) {
		uint32_t class = f->pair[pair][side];
		for (size_t i = f->v->first[class]; i < f->v->first[class + 1]; i++, out++) {
			if (f->fold[i] != fold)
				continue;
			*out = otherwise;
			if (model)
				f->v->libsvm->svm_predict_values(model, f->v->rows[i], out);
		}
	}
}

static enum rs_code fold_one(void *context, size_t index, struct rs_error *err)
{
	const struct folding *f = context;
	size_t pair = index / f->folds, seen[2], rows_max = f->v->x->rows;
	uint32_t fold = (uint32_t)(index % f->folds);
	struct svm_model *model = NULL;
	struct svm_node **rows = rs_allocate_array(rows_max, sizeof(struct svm_node *));
	double *y = rs_allocate_array(rows_max, sizeof *y);
	enum rs_code code = rows && y ? RS_OK : rs_error_memory(err, rows_max * sizeof *y, "folds");
	if (code == RS_OK) {
		size_t count = gather(f, pair, fold, rows, y, seen);
		if (seen[0] > 0 && seen[1] > 0)
			code = vectors_train(f->v, f->pair[pair], 2,
			                     &(struct svm_problem){(int)count, y, rows}, &model, err);
	}
	if (code == RS_OK)
		decide(f, pair, fold, model, (seen[0] > 0) - (double)(seen[1] > 0));
	if (model)
		f->v->libsvm->svm_free_and_destroy_model(&model);
	rs_free((void *)rows);
	rs_free(y);
	return code;
}

static void draw_lines(const struct folding *f, bool *first, double *out_slopes, double *out_offsets)
{
	const size_t *from = f->v->first;
	for (size_t p = 0; p < rs_svm_pairs(f->v->classes); p++) {
		size_t firsts = from[f->pair[p][0] + 1] - from[f->pair[p][0]];
		size_t seconds = from[f->pair[p][1] + 1] - from[f->pair[p][1]];
		for (size_t i = 0; i < firsts + seconds; i++)
			first[i] = i < firsts;
		platt_line(f->decisions + f->start[p], first, firsts + seconds, &out_slopes[p],
		           &out_offsets[p]);
		keep_order(firsts, seconds, &out_slopes[p], &out_offsets[p]);
	}
}

enum rs_code platt_fit(const struct vectors *v, double *out_slopes, double *out_offsets, struct rs_error *err)
{
	size_t pairs = rs_svm_pairs(v->classes), p = 0, room = 0;
	uint32_t pair[RS_SVM_CLASSES_MAX * (RS_SVM_CLASSES_MAX - 1) / 2][2];
	size_t start[RS_SVM_CLASSES_MAX * (RS_SVM_CLASSES_MAX - 1) / 2];
	for (uint32_t a = 0; a < v->classes; a++)
		for (uint32_t b = a + 1; b < v->classes; b++, p++) {
			pair[p][0] = a;
			pair[p][1] = b;
			start[p] = room;
			room += v->first[a + 1] - v->first[a] + v->first[b + 1] - v->first[b];
		}
	uint32_t *fold RS_CLEANUP(rs_free_pointer) = rs_allocate_array(v->x->rows, sizeof *fold);
	double *decisions RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *decisions);
	bool *first RS_CLEANUP(rs_free_pointer) = rs_allocate_array(v->x->rows, sizeof *first);
	if (!fold || !decisions || !first)
		return rs_error_memory(err, room * sizeof *decisions, "probabilities");
	struct folding f = {v, v->options->folds ? v->options->folds : FOLDS, fold, start, decisions, pair};
	RS_TRY(assign_folds(&f, err));
	RS_TRY(rs_pool_for(v->options->pool, pairs * f.folds, fold_one, &f, err));
	draw_lines(&f, first, out_slopes, out_offsets);
	return RS_OK;
}
