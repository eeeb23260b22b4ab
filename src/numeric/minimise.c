/* L-BFGS: the last few steps and what they changed in the slopes stand for the curvature. */
#include "numeric/numeric_minimise.h"

#include <math.h>
#include <string.h>

#define KEPT 8
#define LOOKS_MAX 20 /* along one direction; fewer where places differ by less than the caller cares for */
#define ENOUGH 1e-4  /* Wolfe's conditions, with the constants that Nocedal and Wright advise */
#define FLAT 0.9
#define QUIET 3 /* small steps in a row that end it */

struct past {
	double *step, *change, inverse; /* 1 / (step · change) */
};

struct state {
	const struct rs_minimise *what;
	double *x, *slopes, *direction, *trial, *trial_slopes, *best_slopes, *block;
	double value;
	struct past past[KEPT]; /* the oldest first */
	size_t kept;
	unsigned looks;
};

static void state_finish(struct state *s) { rs_free(s->block); }

static double dot(const double *a, const double *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static double greatest(const double *a, size_t count)
{
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = fmax(most, fabs(a[i]));
	return most;
}

static enum rs_code state_init(struct state *s, const struct rs_minimise *what, double *x,
                               struct rs_error *err)
{
	const size_t n = what->count, blocks = 5 + 2 * KEPT;
	size_t size;
	s->what = what;
	s->x = x;
	s->block = rs_mul_size(n, blocks, &size) ? rs_allocate_array(size, sizeof *s->block) : NULL;
	if (!s->block)
		return rs_error_memory(err, blocks * n * sizeof *s->block, "minimising");
	double **const parts[] = {&s->slopes, &s->direction, &s->trial, &s->trial_slopes, &s->best_slopes};
	for (size_t i = 0; i < 5; i++)
		*parts[i] = s->block + i * n;
	for (size_t i = 0; i < KEPT; i++) {
		s->past[i].step = s->block + (5 + 2 * i) * n;
		s->past[i].change = s->past[i].step + n;
	}
	return RS_OK;
}

/* The inverse curvature times the slopes, downhill (the two loops of Liu and Nocedal). */
static void choose_direction(struct state *s)
{
	const size_t n = s->what->count;
	double shares[KEPT];
	for (size_t i = 0; i < n; i++)
		s->direction[i] = -s->slopes[i];
	for (size_t k = s->kept; k-- > 0;) {
		const struct past *p = &s->past[k];
		shares[k] = p->inverse * dot(p->step, s->direction, n);
		for (size_t i = 0; i < n; i++)
			s->direction[i] -= shares[k] * p->change[i];
	}
	if (s->kept == 0)
		return;
	const struct past *last = &s->past[s->kept - 1];
	const double scale = 1 / (last->inverse * dot(last->change, last->change, n));
	for (size_t i = 0; i < n; i++)
		s->direction[i] *= scale;
	for (size_t k = 0; k < s->kept; k++) {
		const struct past *p = &s->past[k];
		const double share = shares[k] - p->inverse * dot(p->change, s->direction, n);
		for (size_t i = 0; i < n; i++)
			s->direction[i] += share * p->step[i];
	}
}

/* A place along the direction. */
struct place {
	double at, value, slope;
};

static enum rs_code look(struct state *s, double at, struct place *out, struct rs_error *err)
{
	const size_t n = s->what->count;
	for (size_t i = 0; i < n; i++)
		s->trial[i] = s->x[i] + at * s->direction[i];
	s->looks++;
	RS_TRY(s->what->function(s->what->context, s->trial, &out->value, s->trial_slopes, err));
	out->at = at;
	out->slope = dot(s->trial_slopes, s->direction, n);
	if (!isfinite(out->value) || !isfinite(out->slope))
		out->value = INFINITY;
	return RS_OK;
}

/* The least place of the cubic through two places, well within them. */
static double between(const struct place *a, const struct place *b)
{
	const double width = b->at - a->at, middle = a->at + width / 2;
	if (isinf(b->value))
		return middle;
	const double d = a->slope + b->slope - 3 * (b->value - a->value) / width;
	const double square = d * d - a->slope * b->slope;
	if (!(square >= 0))
		return middle;
	const double root = copysign(sqrt(square), width);
	const double t = (b->slope + root - d) / (b->slope - a->slope + 2 * root);
	const double share = 1 - t;
	return isfinite(share) ? a->at + width * fmin(fmax(share, 0.1), 0.9) : middle;
}

/* A step along the direction that holds Wolfe's conditions, or the best there was; 0 when there was none. Its slopes are
 * best_slopes. */
static enum rs_code search(struct state *s, double first, double least, double longest, struct place *out,
                           struct rs_error *err)
{
	const struct place start = {0, s->value, dot(s->slopes, s->direction, s->what->count)};
	struct place low = start, high = {.at = NAN}, here;
	double at = first;
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		RS_TRY(look(s, at, &here, err));
		if (!(here.value <= start.value + ENOUGH * at * start.slope) || here.value >= low.value) {
			high = here;
		} else {
			const bool turned = here.slope * (isnan(high.at) ? 1 : high.at - low.at) >= 0;
			const struct place before = low;
			low = here;
			memcpy(s->best_slopes, s->trial_slopes, s->what->count * sizeof *s->trial_slopes);
			if (fabs(here.slope) <= -FLAT * start.slope ||
			    (isnan(high.at) && !turned && at >= longest))
				break;
			high = turned ? before : high;
		}
		at = isnan(high.at) ? fmin(4 * at, longest) : between(&low, &high);
		if (!isnan(high.at) && fabs(high.at - low.at) <= least)
			break;
	}
	*out = low;
	return RS_OK;
}

/* Takes the step, and keeps what it taught. */
static void advance(struct state *s, const struct place *to)
{
	const size_t n = s->what->count;
	if (s->kept == KEPT) {
		const struct past oldest = s->past[0];
		memmove(s->past, s->past + 1, (KEPT - 1) * sizeof *s->past);
		s->past[--s->kept] = oldest;
	}
	struct past *p = &s->past[s->kept];
	for (size_t i = 0; i < n; i++) {
		p->step[i] = to->at * s->direction[i];
		p->change[i] = s->best_slopes[i] - s->slopes[i];
		s->x[i] += p->step[i];
	}
	const double product = dot(p->step, p->change, n);
	p->inverse = 1 / product;
	if (product > 1e-12 * dot(p->change, p->change, n)) /* curved upwards */
		s->kept++;
	s->value = to->value;
	memcpy(s->slopes, s->best_slopes, n * sizeof *s->slopes);
}

enum rs_code rs_minimise_run(const struct rs_minimise *what, double *x, struct rs_minimised *out,
                             struct rs_error *err)
{
	struct state s RS_CLEANUP(state_finish) = {0};
	struct rs_minimised done = {0};
	unsigned quiet = 0;
	RS_TRY(state_init(&s, what, x, err));
	s.looks = 1;
	RS_TRY(what->function(what->context, x, &s.value, s.slopes, err));
	if (!isfinite(s.value))
		return rs_error_set(err, RS_USAGE,
		                    "the function has no value where its minimum is looked for");
	done.before = s.value;
	while (done.steps < what->steps && quiet < QUIET) {
		struct place step;
		const double before = s.value;
		choose_direction(&s);
		if (!(dot(s.direction, s.slopes, what->count) < 0)) {
			s.kept = 0;
			choose_direction(&s);
		}
		const double size = greatest(s.direction, what->count);
		if (!(size > 0))
			break;
		const double longest = what->longest / size,
			     least = fmax(what->least_x / size, 1e-12 * longest);
		const double first = s.kept ? 1 : what->first / size;
		RS_TRY(search(&s, fmin(first, longest), least, longest, &step, err));
		if (step.at == 0 && s.kept == 0)
			break;
		if (step.at == 0) { /* what was learnt misleads here: once more straight downhill */
			s.kept = 0;
			continue;
		}
		advance(&s, &step);
		done.steps++;
		const bool small = step.at * size <= what->least_x || before - s.value <= what->least_value;
		quiet = small ? quiet + 1 : 0;
	}
	done.after = s.value;
	done.looks = s.looks;
	*out = done;
	return RS_OK;
}
