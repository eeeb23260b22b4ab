/* Slices in order: gaps, twins and tilts. */
#include "places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicom_stack.h"

#define NAME_SIZE 80

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The end of a long name: files of a series differ there. */
static const char *name_of(const struct placed *placed, char out[NAME_SIZE])
{
	size_t length = placed->name ? strlen(placed->name) : 0;
	if (placed->name && length < NAME_SIZE)
		snprintf(out, NAME_SIZE, "%s", placed->name);
	else if (placed->name)
		snprintf(out, NAME_SIZE, "...%s", placed->name + length - (NAME_SIZE - 4));
	else
		snprintf(out, NAME_SIZE, "frame %zu", placed->index + 1);
	return out;
}

enum rs_code places_sort(struct placed *places, size_t count, const double orientation[6],
                         struct rs_error *err)
{
	double normal[3];
	char name[NAME_SIZE];
	normal_of(orientation, normal);
	for (size_t i = 0; i < count; i++) {
		places[i].place = place_of(places[i].position, normal);
		if (!isfinite(places[i].place))
			return rs_error_set(err, RS_MALFORMED,
			                    "%s lies nowhere: its position or orientation is no number",
			                    name_of(&places[i], name));
	}
	qsort(places, count, sizeof *places, by_place);
	return RS_OK;
}

/* Within a thousandth of the average spacing: positions are decimals. */
static bool same_place(const struct placed *places, size_t count, size_t second)
{
	double spacing = (places[count - 1].place - places[0].place) / (double)(count - 1);
	double step = places[second].place - places[second - 1].place;
	return step < 1e-3 * spacing || step < 1e-6;
}

bool places_twins(const struct placed *places, size_t count, size_t *out_second)
{
	for (size_t i = 1; i < count; i++)
		if (same_place(places, count, i)) {
			*out_second = i;
			return true;
		}
	return false;
}

/* How many slices lie at every place, or 0 when it is not the same number everywhere. */
static size_t slices_at_each_place(const struct placed *places, size_t count)
{
	size_t each = 0, here = 1;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && same_place(places, count, i)) {
			here++;
			continue;
		}
		if (each != 0 && each != here)
			return 0;
		each = here;
		here = 1;
	}
	return each;
}

enum rs_code places_refuse_twins(const struct placed *places, size_t count, size_t second,
                                 const char *difference, const char *advice, struct rs_error *err)
{
	char first_name[NAME_SIZE], second_name[NAME_SIZE], how_many[80] = "";
	size_t each = slices_at_each_place(places, count);
	if (each > 1)
		snprintf(how_many, sizeof how_many, "; at each of %zu places lie %zu", count / each, each);
	return rs_error_set(
		err, RS_UNSUPPORTED,
		"%s and %s lie at the same place (%.4f mm)%s%s: several times, echoes or b-values "
		"%s",
		name_of(&places[second - 1], first_name), name_of(&places[second], second_name),
		places[second].place, difference, how_many, advice);
}

enum rs_code places_even(const struct placed *places, size_t count, const double orientation[6],
                         double *out_spacing, struct rs_error *err)
{
	char first_name[NAME_SIZE], second_name[NAME_SIZE];
	double spacing = (places[count - 1].place - places[0].place) / (double)(count - 1), normal[3];
	normal_of(orientation, normal);
	for (size_t i = 1; i < count; i++) {
		double step = places[i].place - places[i - 1].place;
		if (fabs(step - spacing) > 0.01 * spacing)
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"between %s and %s lie %.4f mm, on average it is %.4f: a slice is missing or they are "
				"unevenly spaced",
				name_of(&places[i - 1], first_name), name_of(&places[i], second_name), step,
				spacing);
	}
	for (size_t i = 1; i < count; i++)
		if (check_straight(places[0].position, places[i].position, normal, err) != RS_OK)
			return rs_error_context(err, "%s", name_of(&places[i], first_name));
	*out_spacing = spacing;
	return RS_OK;
}
