/* One series, several volumes: images at one place are parted by what they differ in. */
#include "gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_TOLERANCE_MM 0.01
/* Images that are tried for the plane of most others: a quarter of the series lies in one, or it is no stack. */
#define CANDIDATES 64

/* For qsort: an image with its place and what it is parted by. */
struct keyed {
	double place, key;
	size_t image;
};

static double place_along(const struct image_facts *image)
{
	const double *r = image->orientation, *c = image->orientation + 3, *p = image->position;
	return p[0] * (r[1] * c[2] - r[2] * c[1]) + p[1] * (r[2] * c[0] - r[0] * c[2]) +
	       p[2] * (r[0] * c[1] - r[1] * c[0]);
}

/* What is not told comes last; images are in the order of their paths, which breaks ties. */
static int compare(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = compare(x->key, y->key);
	if (order == 0)
		order = compare(x->place, y->place);
	return order ? order : (x->image > y->image) - (x->image < y->image);
}

static int by_place(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = compare(x->place, y->place);
	if (order == 0)
		order = compare(x->key, y->key);
	return order ? order : (x->image > y->image) - (x->image < y->image);
}

static struct keyed *keyed_of(const struct gathered *g, const size_t *picked, size_t count, enum fact fact)
{
	struct keyed *keyed = rs_allocate_array(count, sizeof *keyed);
	for (size_t i = 0; keyed && i < count; i++) {
		const struct image_facts *image = &g->images[picked[i]];
		keyed[i] = (struct keyed){place_along(image), image->facts[fact], picked[i]};
	}
	return keyed;
}

/* Sorted by place. */
static size_t count_places(const struct keyed *keyed, size_t count)
{
	size_t places = count > 0;
	for (size_t i = 1; i < count; i++)
		places += keyed[i].place - keyed[i - 1].place > PLACE_TOLERANCE_MM;
	return places;
}

/* How many different places images have along their normal. */
static size_t places_of(const struct gathered *g, const size_t *picked, size_t count)
{
	struct keyed *keyed RS_CLEANUP(rs_free_pointer) = keyed_of(g, picked, count, FACT_ECHO);
	if (!keyed)
		return 0;
	qsort(keyed, count, sizeof *keyed, by_place);
	return count_places(keyed, count);
}

static size_t run_length(const struct keyed *keyed, size_t from, size_t count)
{
	size_t end = from + 1;
	while (end < count && compare(keyed[end].key, keyed[from].key) == 0)
		end++;
	return end - from;
}

/* A fact parts images when there are several of its values, and each of them is found at half of the places at least:
 * a time that is told slice by slice parts nothing. keyed is sorted by key, then place. */
static bool parts_them(const struct keyed *keyed, size_t count, size_t places)
{
	size_t parts = 0;
	for (size_t i = 0, length; i < count; i += length, parts++) {
		length = run_length(keyed, i, count);
		if (2 * count_places(keyed + i, length) < places)
			return false;
	}
	return parts > 1;
}

/* The images in `picked` (indices of gathered->images), as volumes in which no two lie at one place: at each call the
 * images of one volume. */
typedef enum rs_code split_volume(void *context, const size_t *picked, size_t count, struct rs_error *err);

static enum rs_code split(const struct gathered *g, size_t *picked, size_t count, split_volume *take,
                          void *context, struct rs_error *err);

/* The first image at every place, the second, …: in the order of their InstanceNumber. */
static enum rs_code split_by_rank(const struct gathered *g, size_t *picked, size_t count, split_volume *take,
                                  void *context, struct rs_error *err)
{
	struct keyed *keyed RS_CLEANUP(rs_free_pointer) = keyed_of(g, picked, count, FACT_INSTANCE);
	if (!keyed)
		return rs_error_memory(err, count * sizeof *keyed, "images");
	qsort(keyed, count, sizeof *keyed, by_place);
	/* Places that are alike may differ in their last digits: within one, order by instance. */
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1;
		     end < count && keyed[end].place - keyed[end - 1].place <= PLACE_TOLERANCE_MM; end++)
			keyed[end].place = keyed[i].place;
		qsort(keyed + i, end - i, sizeof *keyed, by_key);
		for (size_t k = i; k < end; k++)
			keyed[k].key = (double)(k - i);
	}
	qsort(keyed, count, sizeof *keyed, by_key);
	for (size_t i = 0, length; i < count; i += length) {
		length = run_length(keyed, i, count);
		for (size_t k = 0; k < length; k++)
			picked[k] = keyed[i + k].image;
		RS_TRY(take(context, picked, length, err));
	}
	return RS_OK;
}

static enum rs_code split(const struct gathered *g, size_t *picked, size_t count, split_volume *take,
                          void *context, struct rs_error *err)
{
	size_t places = places_of(g, picked, count);
	if (places == count)
		return take(context, picked, count, err);
	for (enum fact fact = FACT_ECHO; fact <= FACT_TIME; fact++) {
		struct keyed *keyed RS_CLEANUP(rs_free_pointer) = keyed_of(g, picked, count, fact);
		if (!keyed)
			return rs_error_memory(err, count * sizeof *keyed, "images");
		qsort(keyed, count, sizeof *keyed, by_key);
		if (!parts_them(keyed, count, places))
			continue;
		for (size_t i = 0; i < count; i++)
			picked[i] = keyed[i].image;
		for (size_t i = 0, length; i < count; i += length) {
			length = run_length(keyed, i, count);
			RS_TRY(split(g, picked + i, length, take, context, err));
		}
		return RS_OK;
	}
	return split_by_rank(g, picked, count, take, context, err);
}

/* ---- a scan from the images of one series ---- */

struct making {
	const struct gathered *gathered;
	struct rs_scan *scan;
	size_t room;
};

static enum rs_code take_volume(void *context, const size_t *picked, size_t count, struct rs_error *err)
{
	struct making *making = context;
	struct rs_arena *arena = making->gathered->arena;
	struct rs_scan *scan = making->scan;
	if (scan->volume_count == making->room) {
		size_t room = making->room ? 2 * making->room : 8;
		struct rs_scan_volume *more = rs_arena_allocate_array(arena, room, sizeof *more);
		if (!more)
			return rs_error_memory(err, room * sizeof *more, "volumes");
		if (scan->volume_count > 0)
			memcpy(more, scan->volumes, scan->volume_count * sizeof *more);
		scan->volumes = more;
		making->room = room;
	}
	const struct image_facts *first = &making->gathered->images[picked[0]];
	struct rs_scan_volume *volume = &scan->volumes[scan->volume_count];
	*volume = (struct rs_scan_volume){.image_count = count,
	                                  .b = first->facts[FACT_B],
	                                  .flip = first->facts[FACT_FLIP],
	                                  .echo_ms = first->facts[FACT_ECHO],
	                                  .time_s = NAN,
	                                  .acquired_s = first->facts[FACT_TIME],
	                                  .number = first->facts[FACT_INSTANCE],
	                                  .order = first->facts[FACT_TEMPORAL],
	                                  .contrast = (first->flags & IMAGE_CONTRAST) != 0,
	                                  .trace = (first->flags & IMAGE_TRACE) != 0};
	volume->images = rs_arena_allocate_array(arena, count, sizeof *volume->images);
	if (!volume->images)
		return rs_error_memory(err, count * sizeof *volume->images, "images");
	for (size_t i = 0; i < count; i++) {
		const struct image_facts *image = &making->gathered->images[picked[i]];
		volume->images[i] = (struct rs_series_image){image->path, image->frame};
		volume->acquired_s = fmin(volume->acquired_s, image->facts[FACT_TIME]);
		volume->number = fmin(volume->number, image->facts[FACT_INSTANCE]);
	}
	/* Where a scanner tells no time of its own for each volume, it tells how long after the first it was. */
	double offset = isnan(first->facts[FACT_OFFSET]) ? first->facts[FACT_TRIGGER] / 1000
	                                                 : first->facts[FACT_OFFSET];
	volume->time_s = offset;
	scan->volume_count++;
	return RS_OK;
}

static bool same_plane(const struct image_facts *a, const struct image_facts *b)
{
	for (int k = 0; k < 6; k++)
		if (!(fabs(a->orientation[k] - b->orientation[k]) <= 1e-3))
			return false;
	return a->rows == b->rows && a->columns == b->columns &&
	       fabs(a->spacing[0] - b->spacing[0]) <= 1e-4 * b->spacing[0] &&
	       fabs(a->spacing[1] - b->spacing[1]) <= 1e-4 * b->spacing[1];
}

/* The images that lie as most of the series' do: localizers have three planes. */
static size_t largest_stack(const struct gathered *g, const struct gathered_series *series, size_t *out)
{
	const struct image_facts *best = NULL, *images = g->images + series->first;
	size_t most = 0, count = 0;
	for (size_t i = 0; i < series->count && i < CANDIDATES && 2 * most < series->count; i++) {
		size_t alike = 0;
		for (size_t k = 0; !isnan(images[i].orientation[0]) && k < series->count; k++)
			alike += same_plane(&images[k], &images[i]);
		if (alike > most) {
			most = alike;
			best = &images[i];
		}
	}
	for (size_t k = 0; best && k < series->count; k++)
		if (same_plane(&images[k], best))
			out[count++] = series->first + k;
	return count;
}

static unsigned describe(const struct gathered *g, const size_t *picked, size_t count, struct rs_scan *scan,
                         const char **out_b_source)
{
	const struct image_facts *first = &g->images[picked[0]];
	const double *r = first->orientation, *c = first->orientation + 3;
	unsigned flags = 0;
	scan->relaxivity = NAN; /* images before the agent may name none */
	for (size_t i = 0; i < count; i++) {
		flags |= g->images[picked[i]].flags;
		scan->relaxivity = fmax(scan->relaxivity, g->images[picked[i]].facts[FACT_RELAXIVITY]);
		if (g->images[picked[i]].b_source)
			*out_b_source = g->images[picked[i]].b_source;
	}
	scan->rows = first->rows;
	scan->columns = first->columns;
	scan->places = places_of(g, picked, count);
	scan->repetition_ms = first->facts[FACT_REPETITION];
	scan->echo_ms = first->facts[FACT_ECHO];
	scan->inversion_ms = first->facts[FACT_INVERSION];
	scan->flip = first->facts[FACT_FLIP];
	scan->contrast = (flags & IMAGE_CONTRAST) != 0;
	scan->fat_suppressed = (flags & (IMAGE_FAT_SUPPRESSED | IMAGE_WATER)) != 0;
	for (int k = 0; k < 3; k++)
		scan->normal[k] = r[(k + 1) % 3] * c[(k + 2) % 3] - r[(k + 2) % 3] * c[(k + 1) % 3];
	return flags;
}

static unsigned part_of(const struct gathered *g, size_t image)
{
	return g->images[image].flags & (unsigned)IMAGE_PARTS;
}

/* Moves the images of the first one's part to the front, the order kept; returns how many there are. */
static size_t first_part(const struct gathered *g, size_t *picked, size_t *others, size_t count)
{
	size_t here = 0, rest = 0;
	unsigned part = part_of(g, picked[0]);
	for (size_t i = 0; i < count; i++)
		if (part_of(g, picked[i]) == part)
			picked[here++] = picked[i];
		else
			others[rest++] = picked[i];
	memcpy(picked + here, others, rest * sizeof *others);
	return here;
}

enum rs_code scans_of_series(const struct gathered *g, size_t series, take_scan *take, void *context,
                             struct rs_error *err)
{
	const struct gathered_series *s = &g->series[series];
	const struct rs_scan empty = {.kind = RS_SCAN_OTHER,
	                              .uid = s->uid,
	                              .description = s->description,
	                              .frame_of_reference = s->frame_of_reference,
	                              .why = "",
	                              .note = "",
	                              .number = s->number,
	                              .series_count = 1};
	size_t *picked RS_CLEANUP(rs_free_pointer) = rs_allocate_array(s->count, 2 * sizeof *picked);
	if (!picked)
		return rs_error_memory(err, 2 * s->count * sizeof *picked, "images");
	size_t count = largest_stack(g, s, picked);
	if (count == 0)
		return take(context, s, g->images[s->first].flags, NULL, &empty, err);
	for (size_t at = 0, part; at < count; at += part) {
		struct rs_scan scan = empty;
		struct making making = {.gathered = g, .scan = &scan};
		const char *b_source = NULL;
		part = first_part(g, picked + at, picked + s->count, count - at);
		unsigned flags = describe(g, picked + at, part, &scan, &b_source);
		RS_TRY(split(g, picked + at, part, take_volume, &making, err));
		RS_TRY(take(context, s, flags, b_source, &scan, err));
	}
	return RS_OK;
}
