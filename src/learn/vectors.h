/* What the files of support vector machines share. */
#ifndef RS_LEARN_VECTORS_H
#define RS_LEARN_VECTORS_H

#include "learn/learn_svm.h"
#include "libraries.h"

/* Rows of the classes, those of class 0 first, as libsvm wants them. */
struct vectors {
	const struct libsvm *libsvm;
	const struct rs_matrix *x;
	uint32_t classes;
	const struct rs_svm_options *options;
	double cost, gamma, tolerance;
	size_t *first; /* classes + 1: where each begins */
	struct svm_node **rows;
	struct svm_node **given; /* the same in the order they were given */
	struct svm_node *nodes;  /* by row as it was given: its values, or products with all rows */
	size_t stride;           /* nodes of a row */
	bool products;
};
/* Rows of `count` classes, which are the labels. Free with libsvm->svm_free_and_destroy_model(). */
enum rs_code vectors_train(const struct vectors *v, const uint32_t *classes, uint32_t count,
                           const struct svm_problem *problem, struct svm_model **out, struct rs_error *err);
/* Slopes and offsets of all pairs, from decisions on rows left out in turn. */
enum rs_code platt_fit(const struct vectors *v, double *out_slopes, double *out_offsets,
                       struct rs_error *err);
/* Lin, Lin and Weng 2007. first: the row is of the pair's first class. */
void platt_line(const double *decisions, const bool *first, size_t count, double *out_slope,
                double *out_offset);
/* Allocates all arrays of a machine whose sizes are set. */
enum rs_code svm_allocate(struct rs_svm *svm, struct rs_error *err);

#endif
