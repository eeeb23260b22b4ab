/* How much the grey levels of the fixed volume's points tell about those of the moving volume. Private to register. */
#ifndef RS_REGISTER_MATCH_H
#define RS_REGISTER_MATCH_H

#include "register/motion.h"

struct match {
	const struct points *points;
	const struct view *moving;
	struct motion *motion;
	struct rs_pool *pool;
	size_t bins, held,
		held_least; /* held: points that lie in the moving volume; with less there is no cost */
	double *at[3], *slope[3],
		*grey; /* of each point; slope: of the moving volume, then of the cost; grey: NAN outside */
	double *histograms, *joint, *table;
	double *block;
};
enum rs_code match_init(struct match *out, const struct points *points, const struct view *moving,
                        struct motion *motion, size_t bins, struct rs_pool *pool, struct rs_error *err);
void match_finish(struct match *match); /* accepts zeroed memory */

/* An rs_minimise_function of a match: bending less mutual information, INFINITY with fewer points held than held_least. */
enum rs_code match_cost(void *match, const double *parameters, double *out_cost, double *slopes,
                        struct rs_error *err);
/* Mutual information alone, in nats, and the correlation of the points' grey levels (NULL: not asked for). */
enum rs_code match_measure(struct match *match, const double *parameters, double *out_information,
                           double *out_correlation, struct rs_error *err);

#endif
