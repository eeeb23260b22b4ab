/* What the files of Shapley values share: trees of any origin in one form. */
#ifndef RS_LEARN_SHAP_PRIVATE_H
#define RS_LEARN_SHAP_PRIVATE_H

#include "learn/learn_shap.h"

#define NONE UINT32_MAX
/* Points go four at a time: the compiler makes of it what the processor has, with the same bits. */
#define LANES 4u
typedef double four __attribute__((vector_size(LANES * sizeof(double))));

/* A node with the edge above it. */
struct cause {
	uint32_t column; /* that it splits by; NONE for a leaf */
	uint32_t next;   /* value <= threshold: here, else the node after; places are within the tree */
	uint32_t parent; /* NONE for a root */
	uint32_t twin;   /* the nearest node above whose edge is of the same column; NONE */
	bool missing_right;
	double threshold;
	double share; /* of the parent's rows; times that of the twin */
	double value; /* of a leaf */
};
struct cause_tree {
	size_t first, count;
	uint32_t fours; /* of points */
	size_t points;  /* the first of these */
};
struct rs_shap {
	bool single; /* values are taken as float */
	uint32_t columns, trees;
	double base;
	struct cause *causes;
	struct cause_tree *of;
	size_t largest; /* nodes times fours of a tree, at most */
	four *points, *weights;
};
/* From causes with column, next, threshold, value, and cover in share: everything else. */
enum rs_code shap_prepare(struct rs_shap *shap, struct rs_error *err);

#endif
