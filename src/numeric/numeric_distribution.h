/* Distributions that tests and intervals need. Relative error about 1e-13 in the bodies and in the tails that are asked
 * for by name ("upper"). Arguments out of range, and NaN, give NaN. */
#ifndef RS_NUMERIC_DISTRIBUTION_H
#define RS_NUMERIC_DISTRIBUTION_H

double rs_normal_lower(double z);
double rs_normal_upper(double z);
double rs_normal_two_sided(double z); /* P(|Z| >= |z|) */
double rs_normal_quantile(double p);  /* -inf at 0, inf at 1 */

/* Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1; and the x that has it. */
double rs_beta_lower(double x, double a, double b);
double rs_beta_quantile(double p, double a, double b);

double rs_chi_square_upper(double x, double df);
double rs_f_upper(double f, double df1, double df2);
double rs_f_quantile(double p, double df1, double df2);

#endif
