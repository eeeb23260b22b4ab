/* Training by libsvm, and what is kept of it. */
#include <math.h>
#include <string.h>

#include "vectors.h"

#define CACHE_MB 100
#define ROWS_OF_PRODUCTS 1000 /* 16 MB of them */

void rs_svm_finish(struct rs_svm *svm)
{
	rs_free(svm->counts);
	rs_free(svm->vectors);
	rs_free(svm->coefficients);
	rs_free(svm->thresholds);
	rs_free(svm->slopes);
	rs_free(svm->offsets);
	*svm = (struct rs_svm){0};
}

enum rs_code svm_allocate(struct rs_svm *svm, struct rs_error *err)
{
	size_t pairs = rs_svm_pairs(svm->classes), values;
	if (!rs_mul_size(svm->vector_count, svm->columns, &values))
		return rs_error_memory(err, SIZE_MAX, "support vectors");
	svm->counts = rs_allocate_array(svm->classes, sizeof *svm->counts);
	svm->vectors = rs_allocate_array(values, sizeof *svm->vectors);
	svm->coefficients = rs_allocate_array(svm->vector_count,
	                                      (svm->classes - 1) * sizeof *svm->coefficients);
	svm->thresholds = rs_allocate_array(pairs, sizeof *svm->thresholds);
	svm->slopes = rs_allocate_array(pairs, sizeof *svm->slopes);
	svm->offsets = rs_allocate_array(pairs, sizeof *svm->offsets);
	if (!svm->counts || !svm->vectors || !svm->coefficients || !svm->thresholds || !svm->slopes ||
	    !svm->offsets)
		return rs_error_memory(err, values * sizeof *svm->vectors, "support vectors");
	return RS_OK;
}

/* ---- data as libsvm wants them ---- */

static void vectors_finish(struct vectors *v)
{
	rs_free(v->first);
	rs_free((void *)v->rows);
	rs_free((void *)v->given);
	rs_free(v->nodes);
}

static enum rs_code check_options(const struct vectors *v, struct rs_error *err)
{
	const struct rs_svm_options *o = v->options;
	if (v->classes < 2 || v->classes > RS_SVM_CLASSES_MAX)
		return rs_error_set(err, RS_USAGE, "support vectors of %u classes; 2 to %d can be told apart",
		                    v->classes, RS_SVM_CLASSES_MAX);
	if (v->x->rows == 0 || v->x->columns == 0 || v->x->rows > INT32_MAX || v->x->columns >= INT32_MAX)
		return rs_error_set(err, RS_USAGE, "support vectors of %zu rows and %zu columns cannot be",
		                    v->x->rows, v->x->columns);
	if (!(v->cost > 0 && isfinite(v->cost)) || !(v->gamma > 0 && isfinite(v->gamma)) ||
	    !(v->tolerance > 0 && v->tolerance < 1))
		return rs_error_set(err, RS_USAGE, "support vectors: cost, gamma and tolerance are above 0");
	if (o->folds == 1 || o->folds > 100)
		return rs_error_set(err, RS_USAGE, "support vectors: %u folds; 2 to 100 can be made",
		                    o->folds);
	for (uint32_t c = 0; o->class_weights && c < v->classes; c++)
		if (!(o->class_weights[c] > 0 && isfinite(o->class_weights[c])))
			return rs_error_set(err, RS_USAGE, "support vectors: class %u weighs nothing", c);
	return RS_OK;
}

static void fill_values(struct vectors *v)
{
	const struct rs_matrix *x = v->x;
	for (size_t r = 0; r < x->rows; r++) {
		for (size_t c = 0; c < x->columns; c++)
			v->nodes[r * v->stride + c] = (struct svm_node){(int)c + 1,
			                                                x->values[c * x->rows + r]};
		v->nodes[(r + 1) * v->stride - 1].index = -1;
	}
}

/* The kernel of all pairs of rows, once for the machine and all its folds. Sums and formula are libsvm's, so that it ends
 * with the same bits as if it had done them itself. */
static enum rs_code fill_products(struct vectors *v, struct rs_error *err)
{
	const struct rs_matrix *x = v->x;
	size_t n = x->rows;
	double *dot RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, n * sizeof *dot);
	if (!dot)
		return rs_error_memory(err, n * n * sizeof *dot, "support vectors");
	for (size_t c = 0; c < x->columns; c++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				dot[i * n + j] += x->values[c * n + i] * x->values[c * n + j];
	for (size_t i = 0; i < n; i++) {
		struct svm_node *row = v->nodes + i * v->stride;
		row[0] = (struct svm_node){0, (double)i + 1};
		row[n + 1].index = -1;
		for (size_t j = 0; j < n; j++) {
			double both = i > j ? dot[i * n + j] : dot[j * n + i];
			double apart = dot[i * n + i] + dot[j * n + j] - 2 * both;
			row[j + 1] = (struct svm_node){(int)j + 1,
			                               v->options->linear ? both : exp(-v->gamma * apart)};
		}
	}
	return RS_OK;
}

static enum rs_code fill(struct vectors *v, const uint32_t *labels, struct rs_error *err)
{
	size_t at = 0;
	if (v->products)
		RS_TRY(fill_products(v, err));
	else
		fill_values(v);
	for (uint32_t c = 0; c < v->classes; c++) {
		v->first[c] = at;
		for (size_t r = 0; r < v->x->rows; r++)
			if (labels[r] == c)
				v->given[r] = v->rows[at++] = &v->nodes[r * v->stride];
		if (at == v->first[c])
			return rs_error_set(err, RS_NOT_FOUND, "no row is of class %u", c);
	}
	v->first[v->classes] = at;
	return RS_OK;
}

static enum rs_code vectors_init(struct vectors *v, const uint32_t *labels, struct rs_error *err)
{
	const struct rs_matrix *x = v->x;
	size_t cells;
	RS_TRY(check_options(v, err));
	for (size_t r = 0; r < x->rows; r++) {
		if (labels[r] >= v->classes)
			return rs_error_set(err, RS_USAGE, "row %zu: there is no class %u", r + 1, labels[r]);
		for (size_t c = 0; c < x->columns; c++)
			if (!isfinite(x->values[c * x->rows + r]))
				return rs_error_set(err, RS_MALFORMED, "row %zu, column %zu: not a number",
				                    r + 1, c + 1);
	}
	v->products = x->rows <= ROWS_OF_PRODUCTS;
	v->stride = v->products ? x->rows + 2 : x->columns + 1;
	if (!rs_mul_size(x->rows, v->stride, &cells))
		return rs_error_memory(err, SIZE_MAX, "support vectors");
	v->first = rs_allocate_array(v->classes + (size_t)1, sizeof *v->first);
	v->rows = rs_allocate_array(x->rows, sizeof(struct svm_node *));
	v->given = rs_allocate_array(x->rows, sizeof(struct svm_node *));
	v->nodes = rs_allocate_array(cells, sizeof *v->nodes);
	if (!v->first || !v->rows || !v->given || !v->nodes)
		return rs_error_memory(err, cells * sizeof *v->nodes, "support vectors");
	return fill(v, labels, err);
}

/* ---- training ---- */

enum rs_code vectors_train(const struct vectors *v, const uint32_t *classes, uint32_t count,
                           const struct svm_problem *problem, struct svm_model **out, struct rs_error *err)
{
	int labels[RS_SVM_CLASSES_MAX];
	double weights[RS_SVM_CLASSES_MAX];
	struct svm_parameter parameter = {.svm_type = C_SVC,
	                                  .kernel_type = v->products          ? PRECOMPUTED
	                                                 : v->options->linear ? LINEAR
	                                                                      : RBF,
	                                  .gamma = v->gamma,
	                                  .cache_size = CACHE_MB,
	                                  .eps = v->tolerance,
	                                  .C = v->cost,
	                                  .nr_weight = v->options->class_weights ? (int)count : 0,
	                                  .weight_label = labels,
	                                  .weight = weights,
	                                  .shrinking = 1};
	for (int c = 0; c < parameter.nr_weight; c++) {
		labels[c] = (int)classes[c];
		weights[c] = v->options->class_weights[classes[c]];
	}
	const char *refusal = v->libsvm->svm_check_parameter(problem, &parameter);
	if (refusal)
		return rs_error_set(err, RS_USAGE, "libsvm: %s", refusal);
	*out = v->libsvm->svm_train(problem, &parameter);
	return *out ? RS_OK : rs_error_memory(err, 0, "support vectors");
}

/* libsvm numbers classes as it meets them; ours are in order, so that a pair may be turned round. */
static void keep_class(const struct vectors *v, const struct svm_model *model, const uint32_t *place,
                       uint32_t class, size_t at, struct rs_svm *out)
{
	size_t first = 0;
	for (uint32_t k = 0; k < place[class]; k++)
		first += (size_t)model->nSV[k];
	for (size_t i = 0; i < out->counts[class]; i++) {
		size_t row = (size_t)(model->SV[first + i] - v->nodes) / v->stride;
		for (size_t c = 0; c < out->columns; c++)
			out->vectors[(at + i) * out->columns + c] = v->x->values[c * v->x->rows + row];
	}
	for (uint32_t other = 0; other < out->classes; other++) {
		if (other == class)
			continue;
		double sign = (place[class] < place[other]) == (class < other) ? 1 : -1;
		const double *from = model->sv_coef[place[other] - (place[other] > place[class])] + first;
		double *to = out->coefficients + (other - (other > class)) * out->vector_count + at;
		for (size_t i = 0; i < out->counts[class]; i++)
			to[i] = sign * from[i];
	}
}

static enum rs_code keep(const struct vectors *v, const struct svm_model *model, struct rs_svm *out,
                         struct rs_error *err)
{
	uint32_t place[RS_SVM_CLASSES_MAX], k = out->classes;
	size_t at = 0, pair = 0;
	out->vector_count = (size_t)model->l;
	RS_TRY(svm_allocate(out, err));
	for (uint32_t i = 0; i < k; i++) {
		place[model->label[i]] = i;
		out->counts[model->label[i]] = (uint32_t)model->nSV[i];
	}
	for (uint32_t a = 0; a < k; a++) {
		keep_class(v, model, place, a, at, out);
		at += out->counts[a];
		for (uint32_t b = a + 1; b < k; b++, pair++) {
			bool turned = place[a] > place[b];
			uint32_t low = place[turned ? b : a], high = place[turned ? a : b];
			double rho = model->rho[rs_svm_pair(k, low, high)];
			out->thresholds[pair] = turned ? -rho : rho;
		}
	}
	return RS_OK;
}

static enum rs_code fit(const struct vectors *v, const uint32_t *labels, struct rs_svm *out,
                        struct rs_error *err)
{
	size_t rows = v->x->rows;
	struct svm_model *model = NULL;
	uint32_t classes[RS_SVM_CLASSES_MAX];
	double *y RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *y);
	if (!y)
		return rs_error_memory(err, rows * sizeof *y, "support vectors");
	for (uint32_t c = 0; c < v->classes; c++)
		classes[c] = c;
	for (size_t i = 0; i < rows; i++)
		y[i] = labels[i];
	RS_TRY(vectors_train(v, classes, v->classes, &(struct svm_problem){(int)rows, y, v->given}, &model,
	                     err));
	enum rs_code code = keep(v, model, out, err);
	v->libsvm->svm_free_and_destroy_model(&model);
	RS_TRY(code);
	return platt_fit(v, out->slopes, out->offsets, err);
}

enum rs_code rs_svm_fit(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                        const struct rs_svm_options *options, struct rs_svm *out, struct rs_error *err)
{
	struct vectors v RS_CLEANUP(vectors_finish) = {
		.x = x,
		.classes = classes,
		.options = options,
		.cost = options->cost != 0 ? options->cost : 1,
		.gamma = options->gamma != 0 ? options->gamma : 1 / (double)x->columns,
		.tolerance = options->tolerance != 0 ? options->tolerance : 1e-3};
	RS_TRY(vectors_init(&v, labels, err));
	RS_TRY(libsvm_load(&v.libsvm, err));
	struct rs_svm made RS_CLEANUP(rs_svm_finish) = {.linear = options->linear,
	                                                .columns = (uint32_t)x->columns,
	                                                .classes = classes,
	                                                .gamma = v.gamma};
	RS_TRY(fit(&v, labels, &made, err));
	*out = made;
	made = (struct rs_svm){0};
	return RS_OK;
}
