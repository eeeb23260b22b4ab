/* Support vector machines: trained by libsvm, kept and evaluated as arrays of our own. Classes one against another, with
 * probabilities after Platt, fitted to decisions on rows that were not trained on; whatever is drawn comes from the seed. */
#ifndef RS_LEARN_SVM_H
#define RS_LEARN_SVM_H

#include "learn/learn_forest.h"

#define RS_SVM_CLASSES_MAX 32

struct rs_svm_options {
	bool linear;                 /* kernel: the product of rows, else exp(-gamma |a - b|²) */
	double cost;                 /* above 0; 0: 1 */
	double gamma;                /* above 0; 0: 1 / columns */
	double tolerance;            /* where the search ends; 0: 0.001, libsvm's own */
	const double *class_weights; /* by class, above 0: times cost; NULL: all 1 */
	uint32_t folds;              /* for probabilities; 0: 5 */
	uint64_t seed;               /* of these folds */
	struct rs_pool *pool;        /* may be NULL */
};
struct rs_svm {
	bool linear;
	uint32_t columns, classes;
	double gamma;
	size_t vector_count;
	uint32_t *counts;     /* by class: its support vectors */
	double *vectors;      /* by vector, then column; those of class 0 first */
	double *coefficients; /* classes - 1 rows of vector_count, as libsvm lays them out */
	double *thresholds;   /* by pair: 0 with 1, 0 with 2 …, 1 with 2 … */
	double *slopes,
		*offsets; /* by pair: probability of the first = 1 / (1 + exp(slope decision + offset)) */
};
void rs_svm_finish(struct rs_svm *svm); /* accepts zeroed memory */
/* Room for the decisions of all pairs. */
static inline size_t rs_svm_pairs(uint32_t classes) { return (size_t)classes * (classes - 1) / 2; }
/* Where a pair stands; a < b. */
static inline size_t rs_svm_pair(uint32_t classes, uint32_t a, uint32_t b)
{
	return (size_t)a * classes - (size_t)a * (a + 1) / 2 + (b - a - 1);
}

/* x: finite; scale the columns first. labels: 0 … classes - 1, each of them there.
 * errors  RS_USAGE, RS_MALFORMED naming row and column, RS_NOT_FOUND (a class without rows), RS_NO_MEMORY */
enum rs_code rs_svm_fit(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                        const struct rs_svm_options *options, struct rs_svm *out, struct rs_error *err);

/* x: one row of svm->columns values. By pair: above 0 for the first of its classes. */
void rs_svm_decisions(const struct rs_svm *svm, const double *x, double *out_decisions);
/* By class. Pairs are coupled after Wu, Lin and Weng 2004, their second method. */
void rs_svm_probabilities(const struct rs_svm *svm, const double *x, double *out_probabilities);

/* One array; reading checks every number. */
void rs_svm_write(const struct rs_svm *svm, struct rs_buffer *out);
enum rs_code rs_svm_read(struct rs_cbor_reader *reader, uint32_t columns, struct rs_svm *out,
                         struct rs_error *err);

#endif
