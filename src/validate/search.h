/* One way to predict, fitted to some rows of a frame: inner folds of these rows choose between the candidates of a plan,
 * and the threshold. Nothing outside of the rows is seen. */
#ifndef RS_VALIDATE_SEARCH_H
#define RS_VALIDATE_SEARCH_H

#include "validate/validate.h"

struct search {
	const struct rs_frame *frame;
	const struct rs_plan *plan;
	enum rs_view view;
	bool weigh_classes;
	bool keep_scores; /* those of inner folds are wanted even where nothing is to be chosen */
	uint64_t seed;
	size_t *rows, count; /* ascending */
	size_t candidates;
	size_t folds;   /* 0: nothing is to be chosen */
	uint32_t *fold; /* by row of rows */
	double *score;  /* [candidate][row of rows][width]: out of the inner fold */
	double *merit;  /* by candidate; NaN without inner folds */
	size_t chosen;
	double threshold; /* NaN: of the learner's own scores */
	double *apparent; /* see struct rs_recipe; borrowed */
};
/* What is set before: frame, plan, view, weigh_classes, seed, rows and count; rows belong to it from now on. */
enum rs_code search_begin(struct search *search, size_t inner_folds, struct rs_error *err);
void search_finish(struct search *search);
/* All candidates on one inner fold; folds may run in any order and at once. */
enum rs_code search_fold(struct search *search, size_t fold, struct rs_error *err);
/* After all folds. */
enum rs_code search_choose(struct search *search, struct rs_error *err);
/* begin, all folds and choose; the rows are set. */
enum rs_code search_run(struct search *search, size_t inner_folds, struct rs_pool *pool,
                        struct rs_error *err);
/* Out of inner folds, of the chosen candidate: [row of rows][width]; NULL when there were none. */
const double *search_scores(const struct search *search);
/* Youden's point of scores that are not NaN; 0.5 when there is none. */
enum rs_code choose_threshold(const double *score, const uint8_t *outcome, size_t rows, double *out,
                              struct rs_error *err);
/* The chosen candidate on all rows. */
enum rs_code search_fit(const struct search *search, struct rs_pool *pool, bool thorough,
                        struct rs_fitted *out, struct rs_error *err);

/* A search on rows of the contender's frame, still without rows. */
struct search contender_search(const struct rs_contender *contender, const struct rs_study *study);

#endif
