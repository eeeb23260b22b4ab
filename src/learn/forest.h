/* What the files of the forest share: the data made ready once, and one tree while it grows. */
#ifndef RS_LEARN_FOREST_PRIVATE_H
#define RS_LEARN_FOREST_PRIVATE_H

#include "base/base_random.h"
#include "learn/learn_forest.h"

/* Made once, read by all threads. */
struct ground {
	const struct rs_matrix *x;
	uint32_t *order; /* by column: rows in ascending order of value */
	uint32_t *rank;  /* by column and row: which of the column's distinct values it is */
	uint32_t trees, tries, minimum_leaf;
	uint64_t seed;
	double *heap; /* by row: weights of the rows up to it; NULL: all alike */
	/* classes */
	uint32_t classes;
	const uint32_t *labels;
	/* survival */
	const uint8_t *event;
	uint32_t *time_order; /* rows in ascending order of time */
	uint32_t *time_rank;  /* by row: of its time among all distinct times */
	uint32_t *
		event_time; /* by time rank: its place in `times`, or, without events, that of the next one */
	size_t time_count;
	double *times;
};
void ground_finish(struct ground *ground);
/* Rows in ascending order of value, and by row which of the distinct values it has. RS_MALFORMED without a sentence: row
 * out_bad is not a number. */
enum rs_code ground_sort(const double *values, size_t rows, uint32_t *order, uint32_t *rank, size_t *out_bad,
                         struct rs_error *err);
enum rs_code ground_init(struct ground *ground, const struct rs_matrix *x,
                         const struct rs_forest_options *options, struct rs_error *err);

struct tree {
	struct rs_forest_node *nodes;
	struct rs_forest_value *values;
	size_t node_count, node_room, value_count, value_room;
};
void tree_finish(struct tree *tree);
enum rs_code tree_grow(const struct ground *ground, uint64_t index, struct tree *out, struct rs_error *err);
/* How often each row is in the bootstrap of a tree, from its stream; the stream goes on with the splits. */
struct rs_stream tree_bootstrap(const struct ground *ground, uint64_t index, uint32_t *weight);

/* A tree that grows, in one thread. */
struct growing {
	const struct ground *ground;
	struct rs_stream stream;
	uint32_t *weight;  /* by row */
	uint32_t *members; /* rows of the bootstrap, those of a node side by side */
	uint32_t *slot;    /* by row: the node it is in, counted in the order of splits */
	double *score;     /* by row, `scores` each */
	size_t scores;
	uint32_t *columns;      /* a permutation in progress */
	uint64_t *keys, *spare; /* room to sort in */
	double *left, *total;   /* sums of scores */
	uint32_t *sorted;       /* rows of a node in the order of a column or of time */
	struct tree tree;
};
/* A node's rows: members[first … last - 1], all with slot `slot`. */
struct members {
	size_t first, last;
	uint32_t slot;
	uint64_t weight;
};
/* The rows of a node in the order of a column's (or the time's) ranks, to growing->sorted. */
void sort_members(struct growing *g, const struct members *in, const uint32_t *order, const uint32_t *rank);

/* Scores for the criterion; false when the node is to be a leaf. Sums go to growing->total. */
bool target_score(struct growing *g, const struct members *in);
enum rs_code target_leaf(struct growing *g, const struct members *in, struct rs_forest_node *leaf,
                         struct rs_error *err);

struct split {
	uint32_t column;
	double threshold, gain;
};
/* False when no column splits the node. */
bool split_find(struct growing *g, const struct members *in, struct split *out);

/* The leaf of a tree that a row comes to; step: how far apart a row's values lie. */
const struct rs_forest_node *tree_walk(const struct rs_forest *forest, uint32_t tree, const double *x,
                                       size_t step);

enum rs_code out_of_bag_fill(const struct ground *ground, const struct rs_forest *forest, const double *time,
                             struct rs_pool *pool, const struct rs_forest_out_of_bag *out,
                             struct rs_error *err);

#endif
