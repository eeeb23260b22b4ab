/* Several classes without an order: softmax regression, a coefficient for each column and class. The classes take turns: each
 * is logistic against all others as they stand (Friedman, Hastie & Tibshirani 2010, section 4), its penalised loss brought to
 * its least, until none moves any more. What all classes have in common of a column changes no probability: it goes where the
 * penalty is least, or else the turns would be many. */
#include <math.h>
#include <string.h>

#include "elastic_net.h"

#define TURNS_MAX 2000u
#define STEPS_MAX 100u

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
static double log_one_and_exp(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

/* The loss of all classes, by what this one adds to the others. */
static double find_loss(const struct target *t, const double *predictor, double intercept)
{
	double sum = 0;
	for (size_t r = 0; r < t->rows; r++) {
		double own = predictor[r] + intercept, others = t->others[r];
		double chosen = t->labels[r] == t->own ? own : t->chosen[r];
		sum += t->weight[r] * (others + log_one_and_exp(own - others) - chosen);
	}
	return isnan(sum) ? INFINITY : sum;
}

/* The intercept to where the loss is least, whence it is returned. */
static double settle(struct target *t, const double *predictor)
{
	double loss = find_loss(t, predictor, t->intercept);
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		double slope = 0, curve = 0, share = 1, found = INFINITY;
		for (size_t r = 0; r < t->rows; r++) {
			double p = logistic(predictor[r] + t->intercept - t->others[r]);
			slope += t->weight[r] * ((t->labels[r] == t->own) - p);
			curve += t->weight[r] * p * (1 - p);
		}
		double jump = curve > 0 ? slope / curve : 0;
		for (; share > 1e-9; share /= 2) {
			found = find_loss(t, predictor, t->intercept + share * jump);
			if (found <= loss + 1e-15 * fabs(loss))
				break;
		}
		if (!(found <= loss + 1e-15 * fabs(loss)))
			break;
		t->intercept += share * jump;
		loss = found;
		if (fabs(jump) <
		    1e-9 * (1 + fabs(t->intercept))) /* squared by the step that was just taken */
			break;
	}
	return loss;
}

static double evaluate(struct target *t, const double *predictor)
{
	double loss = settle(t, predictor), curve = 0;
	for (size_t r = 0; r < t->rows; r++) {
		double p = logistic(predictor[r] + t->intercept - t->others[r]);
		t->residual[r] = t->weight[r] * ((t->labels[r] == t->own) - p);
		t->curvature[r] = t->weight[r] * p * (1 - p);
		curve += t->curvature[r];
	}
	*t->extra_weight = curve > 0 ? 1 / curve : 0;
	return loss;
}

static void extend(const struct target *t, const double *column, double *out)
{
	*out = inner_product(t->curvature, column, padded(t->rows));
}

/* What class k finds: of each row the logarithm of the others' sum, and the predictor of its own class. */
static void look_round(const struct several *s, uint32_t k)
{
	struct target *t = &s->targets[k];
	for (size_t r = 0; r < t->rows; r++) {
		double most = -INFINITY, sum = 0;
		for (uint32_t j = 0; j < s->count; j++) {
			s->logit[j] = s->targets[j].intercept +
			              (s->nets[j].predictor ? s->nets[j].predictor[r] : 0);
			most = j == k ? most : fmax(most, s->logit[j]);
		}
		for (uint32_t j = 0; j < s->count; j++)
			sum += j == k ? 0 : exp(s->logit[j] - most);
		t->others[r] = most + log(sum);
		t->chosen[r] = s->logit[t->labels[r]];
	}
}

void several_finish(struct several *several)
{
	for (uint32_t k = 0; k < several->count; k++) {
		if (several->nets)
			net_finish(&several->nets[k]);
		if (several->targets) { /* what they share is freed once */
			if (k > 0)
				several->targets[k].labels = NULL;
			several->targets[k].others = several->targets[k].chosen = NULL;
			target_finish(&several->targets[k]);
		}
	}
	rs_free(several->nets);
	rs_free(several->targets);
	rs_free(several->class_at);
	rs_free(several->others);
	rs_free(several->chosen);
	rs_free(several->logit);
	rs_free(several->kept);
	*several = (struct several){0};
}

/* Classes that have rows, renumbered. */
static enum rs_code number_classes(struct several *s, const struct rs_elastic_net_data *data,
                                   const struct standard *standard, double *share, uint32_t *labels,
                                   struct rs_error *err)
{
	for (size_t r = 0; r < standard->rows; r++) {
		if (data->labels[r] >= data->classes)
			return rs_error_set(err, RS_USAGE, "row %zu: there is no class %u", r + 1,
			                    data->labels[r]);
		share[data->labels[r]] += standard->weight[r];
	}
	for (uint32_t c = 0; c < data->classes; c++)
		if (share[c] > 0)
			s->class_at[s->count++] = c;
	if (s->count < 2) {
		s->count = 0;
		return rs_error_set(err, RS_NOT_FOUND, "all %zu rows are of one class", standard->rows);
	}
	for (size_t r = 0; r < standard->rows; r++)
		while (s->class_at[labels[r]] != data->labels[r])
			labels[r]++;
	return RS_OK;
}

static enum rs_code make_targets(struct several *s, const struct standard *standard, const double *share,
                                 uint32_t *labels, struct rs_error *err)
{
	for (uint32_t k = 0; k < s->count; k++) {
		struct target *t = &s->targets[k];
		RS_TRY(target_prepare(t, standard, err));
		t->extra_weight = rs_allocate_array(1, sizeof *t->extra_weight);
		if (!t->extra_weight)
			return rs_error_memory(err, sizeof *t->extra_weight, "a linear model");
		t->extras = 1;
		t->own = k;
		t->labels = labels;
		t->others = s->others;
		t->chosen = s->chosen;
		t->intercept = log(share[s->class_at[k]]);
		t->evaluate = evaluate;
		t->extend = extend;
	}
	return RS_OK;
}

enum rs_code several_init(struct several *s, const struct rs_elastic_net_data *data,
                          const struct standard *standard, const struct rs_elastic_net_options *options,
                          struct rs_error *err)
{
	size_t cells = 0, classes = data->classes;
	double *share RS_CLEANUP(rs_free_pointer) = rs_allocate_array(classes, sizeof *share);
	uint32_t *labels = rs_allocate_array(standard->rows, sizeof *labels);
	*s = (struct several){.standard = standard};
	s->nets = rs_allocate_array(classes, sizeof *s->nets);
	s->targets = rs_allocate_array(classes, sizeof *s->targets);
	s->class_at = rs_allocate_array(classes, sizeof *s->class_at);
	s->others = rs_allocate_array(standard->rows, sizeof *s->others);
	s->chosen = rs_allocate_array(standard->rows, sizeof *s->chosen);
	s->logit = rs_allocate_array(classes, sizeof *s->logit);
	if (rs_mul_size(classes, standard->columns, &cells))
		s->kept = rs_allocate_array(cells, sizeof *s->kept);
	bool made = share && labels && s->nets && s->targets && s->class_at && s->others && s->chosen &&
	            s->logit && s->kept;
	enum rs_code code = made ? number_classes(s, data, standard, share, labels, err)
	                         : rs_error_memory(err, cells * sizeof(double), "a linear model");
	if (code != RS_OK) {
		rs_free(labels);
		return code;
	}
	s->targets[0].labels = labels;
	RS_TRY(make_targets(s, standard, share, labels, err));
	for (uint32_t k = 0; k < s->count; k++) {
		look_round(s, k);
		RS_TRY(net_init(&s->nets[k], standard, &s->targets[k], options, err));
	}
	return RS_OK;
}

/* The c for which Σ mixing |b - c| + (1 - mixing) (b - c)² / 2 is least; of equally good ones that nearest to 0. b ascends. */
static double centre_of(const double *b, size_t count, double mixing)
{
	double n = (double)count, sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += b[i];
	if (mixing == 1)
		return fmax(fmin(0, b[count / 2]), b[(count - 1) / 2]);
	for (size_t i = 0; i < count; i++) { /* up to b[i] there are i below */
		double at = sum / n - mixing * (2 * (double)i - n) / ((1 - mixing) * n);
		if (at <= b[i])
			return i > 0 ? fmax(at, b[i - 1]) : at;
	}
	return b[count - 1];
}

static double *sorted_coefficients(const struct several *s, size_t column)
{
	for (uint32_t k = 0; k < s->count; k++) {
		double own = s->nets[k].beta[column];
		uint32_t place = k;
		for (; place > 0 && s->logit[place - 1] > own; place--)
			s->logit[place] = s->logit[place - 1];
		s->logit[place] = own;
	}
	return s->logit;
}

/* Takes from each column what all classes have in common. */
static void recentre(struct several *s)
{
	const struct standard *standard = s->standard;
	for (size_t c = 0; c < standard->columns; c++) {
		double mixing = standard->factor[c] > 0 ? s->nets[0].mixing : 0;
		double common = centre_of(sorted_coefficients(s, c), s->count, mixing);
		if (common == 0)
			continue;
		for (uint32_t k = 0; k < s->count; k++) {
			struct net *net = &s->nets[k];
			net->beta[c] = net->beta[c] == common ? 0 : net->beta[c] - common;
			for (size_t r = 0; r < standard->rows; r++)
				net->predictor[r] -= common * standard->x[c * standard->stride + r];
		}
	}
}

/* How far the furthest coefficient came from those kept, squared. */
static double way_gone(const struct several *s)
{
	size_t columns = s->standard->columns;
	double most = 0;
	for (uint32_t k = 0; k < s->count; k++)
		for (size_t c = 0; c < columns; c++) {
			double gone = s->nets[k].beta[c] - s->kept[k * columns + c];
			most = fmax(most, gone * gone);
		}
	return most;
}

enum rs_code several_move(struct several *s, double lambda_before, double lambda, struct rs_error *err)
{
	size_t columns = s->standard->columns;
	for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
		for (uint32_t k = 0; k < s->count; k++)
			memcpy(&s->kept[k * columns], s->nets[k].beta, columns * sizeof *s->kept);
		for (uint32_t k = 0; k < s->count; k++) {
			struct net *net = &s->nets[k];
			look_round(s, k);
			net->loss = s->targets[k].evaluate(&s->targets[k], net->predictor);
			RS_TRY(net_move(net, turn ? lambda : lambda_before, lambda, err));
		}
		recentre(s);
		if (way_gone(s) < s->nets[0].tolerance)
			return RS_OK;
	}
	s->nets[0].settled = false;
	return RS_OK;
}
