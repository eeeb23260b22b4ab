/* The closed contours of one region: read, carried into voxels of the image, and put on its slices. */
#include "structure_contours.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dicom_stack.h"

#define CONTOUR_GEOMETRIC_TYPE RS_DICOM_TAG(0x3006, 0x0042)
#define NUMBER_OF_CONTOUR_POINTS RS_DICOM_TAG(0x3006, 0x0046)
#define CONTOUR_DATA RS_DICOM_TAG(0x3006, 0x0050)

#define POINTS_MAX ((size_t)1 << 24) /* of one region: 400 MB of points */
#define COORDINATE_MAX_MM 1e6        /* a kilometre is no patient */
#define PLACE_TOLERANCE 1e-3         /* voxels: the noise of headers, as in rs_mask_match */
#define FLAT_WITHIN 0.5              /* voxels along the normal within one contour */

void contours_finish(struct contours *contours)
{
	if (!contours)
		return;
	rs_free(contours->points);
	rs_free(contours->list);
	contours->points = NULL;
	contours->list = NULL;
}

/* `address` is that of the pointer to the block. */
static enum rs_code grow(void *address, size_t *capacity, size_t wanted, size_t item_size,
                         struct rs_error *err)
{
	size_t count = *capacity ? *capacity : 256, size;
	void *block;
	if (wanted <= *capacity)
		return RS_OK;
	while (count < wanted)
		count *= 2;
	memcpy(&block, address, sizeof block);
	block = rs_mul_size(count, item_size, &size) ? rs_reallocate(block, size) : NULL;
	if (!block)
		return rs_error_memory(err, wanted, "contours");
	memcpy(address, &block, sizeof block);
	*capacity = count;
	return RS_OK;
}

/* The inverse of origin + direction * (spacing * index): the direction is orthonormal. */
static bool to_voxels(const struct rs_geometry *image, double point[3])
{
	double offset[3];
	for (int axis = 0; axis < 3; axis++) {
		if (!(fabs(point[axis]) <= COORDINATE_MAX_MM))
			return false;
		offset[axis] = point[axis] - image->origin_mm[axis];
	}
	for (int axis = 0; axis < 3; axis++) {
		double along = 0;
		for (int row = 0; row < 3; row++)
			along += image->direction[row][axis] * offset[row];
		point[axis] = along / image->spacing_mm[axis];
	}
	return true;
}

static enum rs_code add_contour(struct contours *c, const struct rs_dicom *dicom,
                                const struct rs_dicom_element *item, const struct rs_geometry *image,
                                size_t order, struct rs_error *err)
{
	const struct rs_dicom_element *data = rs_dicom_find(dicom, item, CONTOUR_DATA);
	size_t values = rs_dicom_multiplicity(data), count = values / 3;
	int64_t announced = (int64_t)count;
	(void)rs_dicom_int(rs_dicom_find(dicom, item, NUMBER_OF_CONTOUR_POINTS), 0, &announced);
	if (values % 3 != 0 || announced != (int64_t)count)
		return rs_error_set(err, RS_MALFORMED,
		                    "contour %zu announces %" PRIi64 " points and has %zu coordinates", order,
		                    announced, values);
	if (count < 3) {
		c->tiny++;
		return RS_OK;
	}
	if (count > POINTS_MAX - c->point_count)
		return rs_error_set(err, RS_TOO_LARGE, "contour %zu: the region has more than %zu points",
		                    order, POINTS_MAX);
	RS_TRY(grow((void *)&c->points, &c->point_capacity, c->point_count + count, sizeof *c->points, err));
	RS_TRY(grow((void *)&c->list, &c->capacity, c->count + 1, sizeof *c->list, err));
	double(*points)[3] = c->points + c->point_count;
	bool read = rs_dicom_doubles(data, 3 * count, points[0]);
	for (size_t i = 0; i < count && read; i++)
		read = to_voxels(image, points[i]);
	if (!read)
		return rs_error_set(err, RS_MALFORMED,
		                    "contour %zu has a point that is no place in a patient", order);
	c->list[c->count++] = (struct contour){.first = c->point_count, .count = count, .order = order};
	c->point_count += count;
	return RS_OK;
}

enum rs_code contours_collect(struct contours *contours, const struct rs_dicom *dicom,
                              const struct rs_dicom_element *sequence, const struct rs_geometry *image,
                              struct rs_error *err)
{
	const struct rs_dicom_element *item;
	size_t order = 0;
	contours->point_count = contours->count = 0;
	for (item = first_child(dicom, sequence); item; item = next_child(dicom, sequence, item)) {
		struct rs_str type = rs_dicom_text(rs_dicom_find(dicom, item, CONTOUR_GEOMETRIC_TYPE), 0);
		order++;
		if (rs_str_equal_text(type, "CLOSED_PLANAR") || rs_str_equal_text(type, "CLOSEDPLANAR_XOR"))
			RS_TRY(add_contour(contours, dicom, item, image, order, err));
		else
			contours->open++;
	}
	return RS_OK;
}

static void measure(const struct contours *c, struct contour *contour, int axis)
{
	contour->low = contour->high = c->points[contour->first][axis];
	for (size_t i = 1; i < contour->count; i++) {
		double place = c->points[contour->first + i][axis];
		contour->low = fmin(contour->low, place);
		contour->high = fmax(contour->high, place);
	}
}

/* The axis along which the contours are flattest, the slices' own when it is as good: an image may be stored in
 * sagittal order while its regions were drawn on axial slices. */
static int flattest_axis(struct contours *c, double *out_extent)
{
	int best = 2;
	double least = INFINITY;
	for (int axis = 2; axis >= 0; axis--) {
		double extent = 0;
		for (size_t i = 0; i < c->count; i++) {
			measure(c, &c->list[i], axis);
			extent = fmax(extent, c->list[i].high - c->list[i].low);
		}
		if (extent < least - PLACE_TOLERANCE) {
			least = extent;
			best = axis;
		}
	}
	*out_extent = least;
	return best;
}

static enum rs_code place_contour(struct contours *c, struct contour *contour, int axis, size_t slices,
                                  struct rs_error *err)
{
	measure(c, contour, axis);
	double place = 0.5 * (contour->low + contour->high), last = (double)(slices - 1);
	if (place < -0.5 - PLACE_TOLERANCE || place > last + 0.5 + PLACE_TOLERANCE)
		return rs_error_set(
			err, RS_REFUSED,
			"contour %zu lies on slice %.2f, the image has slices 0 to %zu: it was drawn on "
			"another image, or on more of it",
			contour->order, place, slices - 1);
	double nearest = fmin(fmax(floor(place + 0.5), 0), last);
	double shift = fmax(contour->high - nearest, nearest - contour->low);
	if (shift > 0.5 + PLACE_TOLERANCE)
		return rs_error_set(
			err, RS_REFUSED,
			"contour %zu reaches from slice %.2f to %.2f: it belongs to no one slice; read "
			"it onto the image it was drawn on",
			contour->order, contour->low, contour->high);
	c->largest_shift = fmax(c->largest_shift, shift);
	contour->slice = (size_t)nearest;
	return RS_OK;
}

/* Whether a point lies outside of all pixels: the contour will be cut there. */
static bool reaches_beyond(const struct contour *contour, const struct rs_geometry *image, int across)
{
	for (int axis = 0; axis < 3; axis++) {
		double end = (double)image->size[axis] - 0.5;
		for (size_t i = 0; axis != across && i < contour->count; i++) {
			double place = contour->points[i][axis];
			if (place < -0.5 - PLACE_TOLERANCE || place > end + PLACE_TOLERANCE)
				return true;
		}
	}
	return false;
}

/* Contours that are the same stand side by side. */
static int by_slice(const void *a, const void *b)
{
	const struct contour *x = a, *y = b;
	if (x->slice != y->slice)
		return x->slice < y->slice ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	int order = memcmp(x->points, y->points, x->count * sizeof *x->points);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* A contour that is there twice would cut itself out. */
static void drop_twins(struct contours *c)
{
	size_t kept = 1;
	for (size_t i = 1; i < c->count; i++) {
		const struct contour *last = &c->list[kept - 1], *next = &c->list[i];
		bool twin = last->slice == next->slice && last->count == next->count &&
		            memcmp(last->points, next->points, last->count * sizeof *last->points) == 0;
		if (twin)
			c->twins++;
		else
			c->list[kept++] = *next;
	}
	c->count = kept;
}

/* Contours of neighbouring planes that fall on one slice would cut each other out. */
static enum rs_code check_planes(struct contours *contours, struct rs_error *err)
{
	const struct contour *first = contours->list;
	for (size_t i = 0; i < contours->count; i++) {
		const struct contour *c = &contours->list[i];
		if (c->slice != first->slice) {
			contours->gaps += c->slice - first->slice - 1;
			first = c;
		}
		double apart = fabs(c->low + c->high - first->low - first->high) / 2;
		if (apart > SAME_PLANE)
			return rs_error_set(
				err, RS_REFUSED,
				"the contours %zu and %zu lie %.3g slices apart and both are nearest to slice %zu: the "
				"region was drawn on thinner slices; read it onto the image it was drawn on",
				first->order, c->order, apart, c->slice);
	}
	return RS_OK;
}

enum rs_code contours_place(struct contours *contours, const struct rs_geometry *image, int *out_axis,
                            struct rs_error *err)
{
	double extent;
	*out_axis = 2;
	if (contours->count == 0)
		return RS_OK;
	int axis = flattest_axis(contours, &extent);
	if (extent > FLAT_WITHIN)
		return rs_error_set(
			err, RS_REFUSED,
			"the contours are not parallel to the image's slices (one reaches over %.2f of "
			"them); read it onto the image they were drawn on",
			extent);
	for (size_t i = 0; i < contours->count; i++) {
		struct contour *contour = &contours->list[i];
		contour->points = (const double(*)[3])(contours->points + contour->first);
		RS_TRY(place_contour(contours, contour, axis, image->size[axis], err));
		contours->beyond += reaches_beyond(contour, image, axis);
	}
	qsort(contours->list, contours->count, sizeof *contours->list, by_slice);
	drop_twins(contours);
	*out_axis = axis;
	return check_planes(contours, err);
}
