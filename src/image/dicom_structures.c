/* DICOM structure sets (RTSTRUCT) as masks: each region's closed contours, filled on the slices of an image
 * (PS3.3 C.8.8.5 and C.8.8.6). Contours are points of the patient; slices may lie along any axis of the image. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "dicom_mask.h"
#include "format.h"
#include "polygon.h"
#include "structure_contours.h"

#define STRUCTURE_SET_ROI_SEQUENCE RS_DICOM_TAG(0x3006, 0x0020)
#define ROI_NUMBER RS_DICOM_TAG(0x3006, 0x0022)
#define ROI_NAME RS_DICOM_TAG(0x3006, 0x0026)
#define ROI_CONTOUR_SEQUENCE RS_DICOM_TAG(0x3006, 0x0039)
#define CONTOUR_SEQUENCE RS_DICOM_TAG(0x3006, 0x0040)
#define REFERENCED_ROI_NUMBER RS_DICOM_TAG(0x3006, 0x0084)

struct region {
	int64_t number;
	struct rs_label label;
	const struct rs_dicom_element *contours; /* ContourSequence, or NULL */
};

struct structures {
	const struct rs_dicom *dicom;
	const struct rs_geometry *image;
	struct region *regions; /* sorted by number */
	size_t region_count;
	struct contours contours; /* of the region at work */
	size_t empty;             /* regions without a voxel */
	uint64_t work;
};

static void structures_finish(struct structures *s)
{
	rs_free(s->regions);
	contours_finish(&s->contours);
}

static int by_number(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static enum rs_code read_regions(struct structures *s, struct rs_error *err)
{
	const struct rs_dicom *dicom = s->dicom;
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, STRUCTURE_SET_ROI_SEQUENCE),
				      *item;
	size_t count = rs_dicom_item_count(dicom, sequence);
	if (count == 0 || count > LABELS_MAX)
		return rs_error_set(err, count ? RS_TOO_LARGE : RS_MALFORMED,
		                    "the structure set describes %zu regions; 1 to %d are read", count,
		                    LABELS_MAX);
	s->regions = rs_allocate_array(count, sizeof *s->regions);
	if (!s->regions)
		return rs_error_memory(err, count * sizeof *s->regions, "regions");
	for (item = first_child(dicom, sequence); item; item = next_child(dicom, sequence, item)) {
		struct region *region = &s->regions[s->region_count++];
		if (!rs_dicom_int(rs_dicom_find(dicom, item, ROI_NUMBER), 0, &region->number))
			return rs_error_set(err, RS_MALFORMED,
			                    "region %zu of the structure set has no ROINumber",
			                    s->region_count);
		RS_TRY(take_label_name(dicom, rs_dicom_find(dicom, item, ROI_NAME), &region->label, err));
	}
	qsort(s->regions, count, sizeof *s->regions, by_number);
	for (size_t i = 0; i < count; i++) {
		s->regions[i].label.value = (uint32_t)(i + 1);
		if (i > 0 && s->regions[i].number == s->regions[i - 1].number)
			return rs_error_set(err, RS_MALFORMED,
			                    "two regions of the structure set have the ROINumber %" PRIi64,
			                    s->regions[i].number);
	}
	return RS_OK;
}

static enum rs_code find_contours(struct structures *s, struct rs_error *err)
{
	const struct rs_dicom *dicom = s->dicom;
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, ROI_CONTOUR_SEQUENCE), *item;
	for (item = first_child(dicom, sequence); item; item = next_child(dicom, sequence, item)) {
		struct region key = {0};
		const struct rs_dicom_element *contours = rs_dicom_find(dicom, item, CONTOUR_SEQUENCE);
		if (!contours)
			continue;
		if (!rs_dicom_int(rs_dicom_find(dicom, item, REFERENCED_ROI_NUMBER), 0, &key.number))
			return rs_error_set(err, RS_MALFORMED,
			                    "contours of the structure set have no ReferencedROINumber");
		struct region *region = bsearch(&key, s->regions, s->region_count, sizeof *s->regions,
		                                by_number);
		if (!region || region->contours)
			return rs_error_set(err, RS_MALFORMED, "the contours of ROINumber %" PRIi64 " %s",
			                    key.number, region ? "are there twice" : "belong to no region");
		region->contours = contours;
	}
	return RS_OK;
}

static enum rs_code open_structures(struct structures *s, struct rs_error *err)
{
	RS_TRY(read_regions(s, err));
	return find_contours(s, err);
}

static enum rs_code label_list(const struct structures *s, struct rs_label **out, struct rs_error *err)
{
	struct rs_label *names = rs_allocate_array(s->region_count, sizeof *names);
	if (!names)
		return rs_error_memory(err, s->region_count * sizeof *names, "names");
	for (size_t i = 0; i < s->region_count; i++)
		names[i] = s->regions[i].label;
	*out = names;
	return RS_OK;
}

enum rs_code structures_names(const struct rs_dicom *dicom, struct rs_label **out_names, size_t *out_count,
                              struct rs_error *err)
{
	struct structures s RS_CLEANUP(structures_finish) = {.dicom = dicom};
	RS_TRY(open_structures(&s, err));
	RS_TRY(label_list(&s, out_names, err));
	*out_count = s.region_count;
	return RS_OK;
}

/* Where the voxels of a slice lie in the block: steps along its columns, rows, and to the next slice. */
struct plane {
	int u, v; /* axes of columns and rows */
	size_t step_u, step_v, step_w;
};

static struct plane plane_across(const struct rs_geometry *image, int axis)
{
	const size_t steps[3] = {1, image->size[0], image->size[0] * image->size[1]};
	struct plane plane = {.u = axis == 0 ? 1 : 0, .v = axis == 2 ? 1 : 2};
	plane.step_u = steps[plane.u];
	plane.step_v = steps[plane.v];
	plane.step_w = steps[axis];
	return plane;
}

static enum rs_code overlap(const struct structures *s, uint32_t one, uint32_t other, struct rs_error *err)
{
	const struct rs_label *a = &s->regions[one - 1].label, *b = &s->regions[other - 1].label;
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "the regions %" PRIu32 " '%s' and %" PRIu32 " '%s' overlap, and a voxel has one "
	                    "label; choose one of them as label",
	                    a->value, a->name, b->value, b->name);
}

static enum rs_code paint(const struct structures *s, struct raster *raster, const struct plane *plane,
                          uint32_t *labels, uint32_t label, size_t *painted, struct rs_error *err)
{
	raster_resolve(raster);
	for (size_t v = raster->first_row; v < raster->end_row; v++) {
		const uint8_t *row = raster->cells + v * raster->width;
		uint32_t *out = labels + v * plane->step_v;
		for (size_t u = 0; u < raster->width; u++) {
			uint32_t *voxel = out + u * plane->step_u;
			if (!row[u])
				continue;
			if (*voxel && *voxel != label)
				return overlap(s, *voxel, label, err);
			*voxel = label;
			(*painted)++;
		}
	}
	raster_clear(raster);
	return RS_OK;
}

static enum rs_code fill_slices(struct structures *s, const struct plane *plane, struct raster *raster,
                                struct rs_mask *mask, uint32_t label, struct rs_error *err)
{
	const struct contours *all = &s->contours;
	size_t painted = 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct contour *contour = &all->list[i];
		RS_TRY(raster_add(raster, contour->points, plane->u, plane->v, contour->count, err));
		if (i + 1 < all->count && all->list[i + 1].slice == contour->slice)
			continue;
		uint32_t *labels = mask->labels + contour->slice * plane->step_w;
		RS_TRY(paint(s, raster, plane, labels, label, &painted, err));
	}
	if (painted == 0)
		s->empty++;
	return RS_OK;
}

static enum rs_code fill_region(struct structures *s, const struct region *region, struct rs_mask *mask,
                                struct rs_error *err)
{
	struct raster raster RS_CLEANUP(raster_finish) = {0};
	int axis;
	RS_TRY(contours_collect(&s->contours, s->dicom, region->contours, s->image, err));
	RS_TRY(contours_place(&s->contours, s->image, &axis, err));
	struct plane plane = plane_across(s->image, axis);
	RS_TRY(raster_init(&raster, s->image->size[plane.u], s->image->size[plane.v], err));
	raster.work = s->work;
	RS_TRY(fill_slices(s, &plane, &raster, mask, region->label.value, err));
	s->work = raster.work;
	return RS_OK;
}

static void add_note(struct rs_mask *mask, const char *format, ...) RS_PRINTF(2, 3);

/* A part that does not fit is cut. */
static void add_note(struct rs_mask *mask, const char *format, ...)
{
	size_t used = strlen(mask->note);
	va_list arguments;
	used += (size_t)snprintf(mask->note + used, sizeof mask->note - used, "%s", used ? "; " : "");
	if (used >= sizeof mask->note)
		return;
	va_start(arguments, format);
	vsnprintf(mask->note + used, sizeof mask->note - used, format, arguments);
	va_end(arguments);
}

static void write_note(const struct structures *s, struct rs_mask *mask)
{
	const struct contours *c = &s->contours;
	if (c->largest_shift > SAME_PLANE)
		add_note(mask,
		         "contours up to %.2f slices beside the image's slices were moved to the nearest",
		         c->largest_shift);
	if (c->gaps)
		add_note(mask, "slices without a contour between others of the region: %zu", c->gaps);
	if (c->beyond)
		add_note(mask, "contours cut where they reach beyond the image: %zu", c->beyond);
	if (c->twins)
		add_note(mask, "contours taken once that are there twice: %zu", c->twins);
	if (c->open)
		add_note(mask, "contours left out that are points or open lines: %zu", c->open);
	if (c->tiny)
		add_note(mask, "contours left out that have one or two points: %zu", c->tiny);
	if (s->empty)
		add_note(mask, "regions without a voxel: %zu", s->empty);
}

static enum rs_code fill_mask(struct structures *s, const struct rs_label_choice *choice,
                              struct rs_mask *mask, struct rs_error *err)
{
	struct chosen chosen RS_CLEANUP(chosen_finish) = {0};
	RS_TRY(label_list(s, &mask->names, err));
	mask->name_count = s->region_count;
	RS_TRY(chosen_init(&chosen, choice, mask->names, mask->name_count, true, err));
	size_t kept = 0;
	for (size_t i = 0; i < s->region_count; i++) {
		const struct region *region = &s->regions[i];
		if (!chosen_has(&chosen, region->label.value))
			continue;
		mask->names[kept++] = region->label;
		if (fill_region(s, region, mask, err) != RS_OK)
			return rs_error_context(err, "region %" PRIu32 " '%s'", region->label.value,
			                        region->label.name);
	}
	mask->name_count = kept;
	write_note(s, mask);
	return RS_OK;
}

enum rs_code structures_read(const struct rs_dicom *dicom, const struct mask_request *request,
                             struct rs_mask *out, struct rs_error *err)
{
	struct structures s RS_CLEANUP(structures_finish) = {.dicom = dicom, .image = request->image};
	struct rs_mask mask;
	struct rs_geometry image;
	size_t size;
	if (!request->image)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"a structure set (RTSTRUCT) has contours and no grid: read it together with "
			"its image");
	image = *request->image;
	RS_TRY(check_geometry(&image, RS_VOXEL_U32, &size, err));
	RS_TRY(open_structures(&s, err));
	RS_TRY(rs_mask_init(&mask, request->image, err));
	enum rs_code code = fill_mask(&s, request->choice, &mask, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		return code;
	}
	*out = mask;
	return RS_OK;
}
