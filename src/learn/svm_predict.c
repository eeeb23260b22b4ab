/* What support vectors say of a row: sums in libsvm's order. */
#include <math.h>
#include <string.h>

#include "learn/learn_svm.h"

static double kernel(const struct rs_svm *svm, const double *a, const double *b)
{
	double sum = 0;
	for (uint32_t c = 0; c < svm->columns; c++)
		sum += svm->linear ? a[c] * b[c] : (a[c] - b[c]) * (a[c] - b[c]);
	return svm->linear ? sum : exp(-svm->gamma * sum);
}

void rs_svm_decisions(const struct rs_svm *svm, const double *x, double *out_decisions)
{
	size_t at = 0, count = svm->vector_count;
	memset(out_decisions, 0, rs_svm_pairs(svm->classes) * sizeof *out_decisions);
	for (uint32_t class = 0; class < svm->classes; class ++)
		for (uint32_t i = 0; i < svm->counts[class]; i++, at++) {
			double k = kernel(svm, svm->vectors + at * svm->columns, x);
			for (uint32_t other = 0; other < class; other++)
				out_decisions[rs_svm_pair(svm->classes, other, class)] +=
					svm->coefficients[other * count + at] * k;
			for (uint32_t other = class + 1; other < svm->classes; other++)
				out_decisions[rs_svm_pair(svm->classes, class, other)] +=
					svm->coefficients[(other - 1) * count + at] * k;
		}
	for (size_t p = 0; p < rs_svm_pairs(svm->classes); p++)
		out_decisions[p] -= svm->thresholds[p];
}

static double share_of_first(const struct rs_svm *svm, size_t pair, double decision)
{
	double f = svm->slopes[pair] * decision + svm->offsets[pair];
	double p = f >= 0 ? exp(-f) / (1 + exp(-f)) : 1 / (1 + exp(f));
	return fmin(fmax(p, 1e-7), 1 - 1e-7);
}

#define MAX RS_SVM_CLASSES_MAX

/* r[a][b]: of a against b. Minimises Σ (r[b][a] p[a] - r[a][b] p[b])² over shares p, to libsvm's precision. */
static void couple(uint32_t k, double r[MAX][MAX], double *p)
{
	double q[MAX][MAX], qp[MAX], pqp;
	for (uint32_t a = 0; a < k; a++) {
		p[a] = 1.0 / k;
		q[a][a] = 0;
		for (uint32_t b = 0; b < k; b++)
			if (b != a) {
				q[a][a] += r[b][a] * r[b][a];
				q[a][b] = -r[b][a] * r[a][b];
			}
	}
	for (uint32_t round = 0; round < (k > 100 ? k : 100); round++) {
		double error = 0;
		pqp = 0;
		for (uint32_t a = 0; a < k; a++) {
			qp[a] = 0;
			for (uint32_t b = 0; b < k; b++)
				qp[a] += q[a][b] * p[b];
			pqp += p[a] * qp[a];
		}
		for (uint32_t a = 0; a < k; a++)
			error = fmax(error, fabs(qp[a] - pqp));
		if (error < 0.005 / k)
			return;
		for (uint32_t a = 0; a < k; a++) {
			double step = (pqp - qp[a]) / q[a][a];
			p[a] += step;
			pqp = (pqp + step * (step * q[a][a] + 2 * qp[a])) / (1 + step) / (1 + step);
			for (uint32_t b = 0; b < k; b++) {
				qp[b] = (qp[b] + step * q[a][b]) / (1 + step);
				p[b] /= 1 + step;
			}
		}
	}
}

void rs_svm_probabilities(const struct rs_svm *svm, const double *x, double *out_probabilities)
{
	double decisions[MAX * (MAX - 1) / 2], r[MAX][MAX];
	size_t pair = 0;
	rs_svm_decisions(svm, x, decisions);
	for (uint32_t a = 0; a < svm->classes; a++)
		for (uint32_t b = a + 1; b < svm->classes; b++, pair++) {
			r[a][b] = share_of_first(svm, pair, decisions[pair]);
			r[b][a] = 1 - r[a][b];
		}
	if (svm->classes > 2) {
		couple(svm->classes, r, out_probabilities);
		return;
	}
	out_probabilities[0] = r[0][1];
	out_probabilities[1] = r[1][0];
}
