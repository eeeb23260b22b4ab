/* Standard distributions of errors, and what one row adds to a log likelihood. */
#ifndef RS_SURVIVAL_DENSITY_H
#define RS_SURVIVAL_DENSITY_H

#include <stdbool.h>

enum error_kind { ERROR_EXTREME, ERROR_NORMAL, ERROR_LOGISTIC }; /* extreme: of the smallest value */

/* log likelihood of an error known to be z, or to lie between two; derivatives by the linear predictor (eta) and the
 * logarithm of the scale (tau), of y = eta + exp(tau) × error. */
struct contribution {
	double value, eta, tau, eta_eta, eta_tau, tau_tau;
};
struct contribution error_seen(enum error_kind kind, double z, double scale);
/* lower below upper; either may be infinite */
struct contribution error_between(enum error_kind kind, double lower, double upper, double scale);
double error_quantile(enum error_kind kind, double p);
double error_upper(enum error_kind kind, double z); /* P(error > z) */

#endif
