/* From coarse to fine, and from the stiffest motion to the softest that is asked for. */
#include "register/register.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_minimise.h"
#include "numeric/numeric_spline.h"
#include "register/match.h"

#define OVERLAP_LEAST 0.05 /* of the fixed volume's points, to begin with */
#define OVERLAP_KEPT 0.5   /* of what there was at the start: less is another place, not a better one */
#define AS_GOOD 0.01       /* information that is lost with other points, too */
#define POINTS_LEAST 1000  /* of a level */
#define POINTS_MOST 10000000
#define ELEMENTS_MAX 128 /* of a lattice along an axis */
#define FIRST_STEP 0.5   /* in distances of the level's voxels */
#define LONGEST_STEP 4.0
#define LEAST_STEP 0.005
#define LEAST_GAIN 1e-6      /* nats */
#define LEAST_GAIN_BENT 3e-5 /* of thousands of parameters: less is chance, and takes many steps */
#define FINEST_BENT 4        /* times the samples: as many parameters fit what chance there is in too few */

struct registering {
	const struct rs_volume *fixed, *moving;
	const struct rs_register *how;
	struct rs_pool *pool;
	double sharp_mm; /* of the finest level */
	struct view fixed_views[RS_REGISTER_LEVELS_MAX],
		moving_views[RS_REGISTER_LEVELS_MAX]; /* 0: the finest */
	struct points judges;                         /* not those that steer: they tell what came of it */
	struct rs_transform now;
	struct rs_register_report report;
};

static void registering_finish(struct registering *r)
{
	for (size_t level = 0; level < RS_REGISTER_LEVELS_MAX; level++) {
		view_finish(&r->fixed_views[level]);
		view_finish(&r->moving_views[level]);
	}
	points_finish(&r->judges);
	rs_transform_finish(&r->now);
}

static enum rs_code check(const struct rs_register *how, struct rs_error *err)
{
	if (how->levels < 1 || how->levels > RS_REGISTER_LEVELS_MAX || how->samples < 1000 ||
	    how->samples > 10000000 || how->bins < 8 || how->bins > 256 || how->steps < 1 ||
	    how->steps > 1000)
		return rs_error_set(
			err, RS_USAGE,
			"registration takes 1 to %d levels, 1000 to 10 million samples, 8 to 256 bins and "
			"1 to 1000 steps",
			RS_REGISTER_LEVELS_MAX);
	if (!(how->lattice_mm > 0) || !isfinite(how->lattice_mm) || !(how->stiffness >= 0) ||
	    isinf(how->stiffness))
		return rs_error_set(
			err, RS_USAGE,
			"registration needs a lattice of more than 0 mm and a stiffness of 0 or more");
	if (how->start && how->start->control_mm)
		return rs_error_set(err, RS_USAGE, "registration starts from a rigid or affine transform");
	return RS_OK;
}

static enum rs_code check_finite(const struct rs_volume *volume, const char *which, struct rs_error *err)
{
	const size_t *n = volume->geometry.size;
	for (size_t i = 0; i < rs_geometry_voxels(&volume->geometry); i++)
		if (!isfinite(volume->voxels[i]))
			return rs_error_set(err, RS_REFUSED,
			                    "voxel (%zu, %zu, %zu) of the %s volume is not a finite number",
			                    i % n[0], i / n[0] % n[1], i / n[0] / n[1], which);
	return RS_OK;
}

static double finest_mm(const struct rs_geometry *g)
{
	return fmin(g->spacing_mm[0], fmin(g->spacing_mm[1], g->spacing_mm[2]));
}

/* The finest level is as sharp as the coarser of the two. */
static enum rs_code prepare(struct registering *r, struct rs_error *err)
{
	const struct rs_register *how = r->how;
	RS_TRY(check_finite(r->fixed, "fixed", err));
	RS_TRY(check_finite(r->moving, "moving", err));
	r->sharp_mm = fmax(finest_mm(&r->fixed->geometry), finest_mm(&r->moving->geometry));
	for (unsigned level = 0; level < how->levels; level++) {
		const double sharp_mm = ldexp(r->sharp_mm, (int)level);
		if (view_init(&r->fixed_views[level], r->fixed, how->fixed_region, sharp_mm, r->pool, err) !=
		    RS_OK)
			return rs_error_context(err, "the fixed volume");
		if (view_init(&r->moving_views[level], r->moving, how->moving_region, sharp_mm, r->pool,
		              err) != RS_OK)
			return rs_error_context(err, "the moving volume");
	}
	return points_draw(&r->judges, r->fixed, how->fixed_region, how->samples, ~how->seed, err);
}

/* What other points than those that steered say of the transform. */
static enum rs_code judge(struct registering *r, double *out_information, double *out_correlation,
                          double *out_overlap, struct rs_error *err)
{
	struct motion motion RS_CLEANUP(motion_finish) = {0};
	struct match match RS_CLEANUP(match_finish) = {0};
	const double zeros[LINEAR_MAX] = {0};
	struct rs_transform base = r->now;
	base.control_mm = NULL;
	base.kind = r->now.control_mm ? RS_TRANSFORM_AFFINE : r->now.kind;
	RS_TRY(motion_init(&motion, r->now.kind, &base, &r->now.lattice, 0, &r->judges, &r->moving_views[0],
	                   err));
	points_look(&r->judges, &r->fixed_views[0], r->how->bins);
	RS_TRY(match_init(&match, &r->judges, &r->moving_views[0], &motion, r->how->bins, r->pool, err));
	RS_TRY(match_measure(&match, r->now.control_mm ? r->now.control_mm : zeros, out_information,
	                     out_correlation, err));
	*out_overlap = (double)match.held / (double)r->judges.count;
	return RS_OK;
}

/* A lattice over all of the fixed volume, whose elements are no shorter than the distance asked for, where they can. */
static enum rs_code begin_lattice(struct registering *r, double distance_mm, struct rs_error *err)
{
	const struct rs_geometry *fixed = &r->fixed->geometry;
	struct rs_geometry *lattice = &r->now.lattice;
	struct space space;
	double first[3];
	RS_TRY(space_of(fixed, &space, err));
	*lattice = *fixed;
	for (int a = 0; a < 3; a++) {
		const double side_mm = (double)fixed->size[a] * fixed->spacing_mm[a];
		const double elements = fmin(fmax(floor(side_mm / distance_mm), 1), ELEMENTS_MAX);
		lattice->size[a] = (size_t)elements + 3;
		lattice->spacing_mm[a] = side_mm / elements;
		first[a] = -0.5 - lattice->spacing_mm[a] / fixed->spacing_mm[a];
	}
	space_point(&space, first, lattice->origin_mm);
	const size_t count = 3 * rs_geometry_voxels(lattice);
	r->now.control_mm = rs_allocate_array(count, sizeof *r->now.control_mm);
	r->now.kind = RS_TRANSFORM_BSPLINE;
	return r->now.control_mm ? RS_OK
	                         : rs_error_memory(err, count * sizeof *r->now.control_mm, "a lattice");
}

/* The same deformation, with elements halved that stay as long as is asked for. */
static enum rs_code refine_lattice(struct registering *r, struct rs_error *err)
{
	struct rs_geometry *lattice = &r->now.lattice;
	const size_t old = rs_geometry_voxels(lattice);
	size_t elements[3], fine = 0;
	unsigned axes = 0;
	double *control RS_CLEANUP(rs_free_pointer) = NULL;
	for (int a = 0; a < 3; a++) {
		elements[a] = lattice->size[a] - 3;
		if (lattice->spacing_mm[a] / 2 >= 0.7 * r->how->lattice_mm && 2 * elements[a] <= ELEMENTS_MAX)
			axes |= 1u << a;
	}
	for (size_t a = 0; a < 3; a++) {
		struct rs_lattice one RS_CLEANUP(rs_lattice_finish) = {0};
		RS_TRY(rs_lattice_init(&one, elements, err));
		memcpy(one.control, r->now.control_mm + a * old, old * sizeof *one.control);
		RS_TRY(rs_lattice_refine(&one, axes, err));
		fine = one.size[0] * one.size[1] * one.size[2];
		if (!control)
			control = rs_allocate_array(fine, 3 * sizeof *control);
		if (!control)
			return rs_error_memory(err, fine * 3 * sizeof *control, "a lattice");
		memcpy(control + a * fine, one.control, fine * sizeof *control);
	}
	for (int a = 0; a < 3; a++)
		if (axes & (1u << a)) {
			lattice->size[a] = 2 * elements[a] + 3;
			lattice->spacing_mm[a] /= 2;
			/* The first control point lies one element before the volume. */
			for (int row = 0; row < 3; row++)
				lattice->origin_mm[row] += lattice->direction[row][a] *
				                           lattice->spacing_mm[a];
		}
	rs_free(r->now.control_mm);
	r->now.control_mm = control;
	control = NULL;
	return RS_OK;
}

/* Of a lattice a coarser level has less to tell, and fewer points tell it; few parameters are told cheaply on any. */
static size_t points_of(const struct rs_register *how, enum rs_transform_kind kind, unsigned level)
{
	if (kind != RS_TRANSFORM_BSPLINE)
		return how->samples;
	const size_t wanted = FINEST_BENT * (size_t)how->samples >> 2 * level;
	return wanted < POINTS_LEAST ? POINTS_LEAST : wanted > POINTS_MOST ? POINTS_MOST : wanted;
}

/* One motion on one level. Grey levels smoothed away leave less to hold a deformation: it is stiffer there. */
static enum rs_code improve(struct registering *r, enum rs_transform_kind kind, unsigned level,
                            struct rs_error *err)
{
	struct points points RS_CLEANUP(points_finish) = {0};
	struct motion motion RS_CLEANUP(motion_finish) = {0};
	struct match match RS_CLEANUP(match_finish) = {0};
	const struct view *moving = &r->moving_views[level];
	const double sharp_mm = ldexp(r->sharp_mm, (int)level);
	double linear[LINEAR_MAX] = {0};
	struct rs_transform base = r->now;
	struct rs_minimised done;
	base.control_mm = NULL;
	const bool bent = kind == RS_TRANSFORM_BSPLINE;
	RS_TRY(points_draw(&points, r->fixed, r->how->fixed_region, points_of(r->how, kind, level),
	                   r->how->seed, err));
	RS_TRY(motion_init(&motion, kind, &base, &r->now.lattice, ldexp(r->how->stiffness, 2 * (int)level),
	                   &points, moving, err));
	points_look(&points, &r->fixed_views[level], r->how->bins);
	RS_TRY(match_init(&match, &points, moving, &motion, r->how->bins, r->pool, err));
	match.held_least = (size_t)(OVERLAP_KEPT * r->report.overlap_before * (double)points.count);
	const struct rs_minimise what = {.function = match_cost,
	                                 .context = &match,
	                                 .count = motion.count,
	                                 .first = FIRST_STEP * sharp_mm,
	                                 .longest = LONGEST_STEP * sharp_mm,
	                                 .least_x = LEAST_STEP * sharp_mm,
	                                 .least_value = bent ? LEAST_GAIN_BENT : LEAST_GAIN,
	                                 .steps = r->how->steps};
	double *parameters = bent ? r->now.control_mm : linear;
	RS_TRY(rs_minimise_run(&what, parameters, &done, err));
	r->report.samples = points.count;
	r->report.steps += done.steps;
	r->report.looks += done.looks;
	if (!bent)
		motion_linear(&motion, linear, &r->now);
	return RS_OK;
}

/* Blurred volumes may be most alike where they do not lie on each other: what the judges call worse is taken back. */
static enum rs_code try_level(struct registering *r, enum rs_transform_kind kind, unsigned level,
                              struct rs_error *err)
{
	const size_t count = r->now.control_mm ? 3 * rs_geometry_voxels(&r->now.lattice) : 0;
	double *control RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *control);
	const struct rs_transform before = r->now;
	double was, is, overlap;
	if (!control)
		return rs_error_memory(err, count * sizeof *control, "a lattice");
	if (count > 0)
		memcpy(control, r->now.control_mm, count * sizeof *control);
	RS_TRY(judge(r, &was, NULL, &overlap, err));
	RS_TRY(improve(r, kind, level, err));
	RS_TRY(judge(r, &is, NULL, &overlap, err));
	if (is >= was)
		return RS_OK;
	r->now = before;
	if (count > 0)
		memcpy(r->now.control_mm, control, count * sizeof *control);
	return RS_OK;
}

/* Stiffer motions than the one asked for leave the finest level to it. */
static enum rs_code run(struct registering *r, struct rs_error *err)
{
	const struct rs_register *how = r->how;
	for (int kind = RS_TRANSFORM_RIGID; kind <= (int)how->kind; kind++) {
		const unsigned last = kind < (int)how->kind && how->levels > 1;
		for (unsigned level = how->levels; level-- > last;) {
			if (kind == RS_TRANSFORM_BSPLINE)
				RS_TRY(level == how->levels - 1
				               ? begin_lattice(r, ldexp(how->lattice_mm, (int)level), err)
				               : refine_lattice(r, err));
			RS_TRY(try_level(r, (enum rs_transform_kind)kind, level, err));
		}
	}
	return RS_OK;
}

static void begin(struct registering *r)
{
	rs_transform_identity(&r->now);
	if (r->how->start)
		r->now = *r->how->start;
}

static enum rs_code check_start(struct registering *r, struct rs_error *err)
{
	struct rs_register_report *report = &r->report;
	RS_TRY(judge(r, &report->mi_before, &report->ncc_before, &report->overlap_before, err));
	if (report->overlap_before < OVERLAP_LEAST)
		return rs_error_set(
			err, RS_REFUSED,
			"the fields of view do not overlap: %.1f %% of the fixed volume lie in the moving "
			"one, at least %.0f %% are needed; are both of the same patient and frame of "
			"reference?",
			100 * report->overlap_before, 100 * OVERLAP_LEAST);
	return RS_OK;
}

static enum rs_code check_end(struct registering *r, struct rs_error *err)
{
	struct rs_register_report *report = &r->report;
	RS_TRY(judge(r, &report->mi_after, &report->ncc_after, &report->overlap_after, err));
	if (report->mi_after < (1 - AS_GOOD) * report->mi_before)
		return rs_error_set(
			err, RS_REFUSED,
			"registration made it worse: mutual information was %.4f before and %.4f after; "
			"the volumes are better left where they are",
			report->mi_before, report->mi_after);
	if (report->mi_after < report->mi_before) { /* by no more than other points would make of it */
		rs_transform_finish(&r->now);
		begin(r);
		report->stayed = true;
		RS_TRY(judge(r, &report->mi_after, &report->ncc_after, &report->overlap_after, err));
	}
	report->greatest_mm = rs_transform_greatest_mm(&r->now, &r->fixed->geometry);
	report->least_jacobian = rs_transform_least_jacobian(&r->now, &r->fixed->geometry);
	if (!(report->least_jacobian > 0))
		return rs_error_set(
			err, RS_REFUSED,
			"the deformation folds space over itself (its least Jacobian is %.3f): a greater "
			"stiffness, or control points farther apart, hold it",
			report->least_jacobian);
	return RS_OK;
}

enum rs_code rs_register(const struct rs_volume *fixed, const struct rs_volume *moving,
                         const struct rs_register *how, struct rs_pool *pool, struct rs_transform *out,
                         struct rs_register_report *out_report, struct rs_error *err)
{
	struct registering r RS_CLEANUP(registering_finish) = {
		.fixed = fixed, .moving = moving, .how = how, .pool = pool};
	RS_TRY(check(how, err));
	begin(&r);
	RS_TRY(prepare(&r, err));
	RS_TRY(check_start(&r, err));
	RS_TRY(run(&r, err));
	RS_TRY(check_end(&r, err));
	*out = r.now;
	r.now.control_mm = NULL;
	*out_report = r.report;
	return RS_OK;
}
