/* radseal segment compare: masks held against the first one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command_segment.h"
#include "export/export.h"
#include "option_lists.h"
#include "report.h"
#include "segment/segment_compare.h"

#define MASKS_MAX 64

static void number(char text[32], double value, bool as_json)
{
	if (isnan(value))
		text[0] = '\0';
	else
		snprintf(text, 32, as_json ? "%.15g" : "%.4f", value);
}

static void tell(struct report *report, const char *path, uint32_t label, const struct rs_comparison *found)
{
	const struct {
		const char *key;
		double value;
		int width;
	} numbers[] = {
		{"#dice", found->dice, 8},
		{"#jaccard", found->jaccard, 0},
		{"#surface_dice", found->surface_dice, 8},
		{"#hausdorff_95_mm", found->hausdorff_95_mm, 10},
		{"#hausdorff_mm", found->hausdorff_mm, 10},
		{"#average_surface_distance_mm", found->average_surface_distance_mm, 10},
		{"#distance_first_to_this_mm", found->distance_a_to_b_mm, 0},
		{"#distance_this_to_first_mm", found->distance_b_to_a_mm, 0},
		{"#volume_first_ml", found->volume_a_mm3 / 1000, 12},
		{"#volume_this_ml", found->volume_b_mm3 / 1000, 12},
		{"#voxels_first", (double)found->voxels_a, 0},
		{"#voxels_this", (double)found->voxels_b, 0},
		{"#voxels_both", (double)found->voxels_both, 0},
	};
	struct field fields[2 + RS_COUNT(numbers)];
	char texts[RS_COUNT(numbers)][32], label_text[16];
	snprintf(label_text, sizeof label_text, "%u", label);
	fields[0] = (struct field){"mask", path, 30};
	fields[1] = (struct field){"#label", label_text, 6};
	for (size_t i = 0; i < RS_COUNT(numbers); i++) {
		number(texts[i], numbers[i].value, report->as_json);
		fields[2 + i] = (struct field){numbers[i].key, texts[i], numbers[i].width};
	}
	report_row(report, fields, RS_COUNT(fields));
}

static void head(struct report *report)
{
	static const struct field fields[] = {
		{NULL, "mask", 30},    {NULL, "label", 6},     {NULL, "dice", 8},
		{NULL, "surface", 8},  {NULL, "hd95 mm", 10},  {NULL, "hd mm", 10},
		{NULL, "mean mm", 10}, {NULL, "first ml", 12}, {NULL, "this ml", 12}};
	if (!report->as_json)
		report_row(report, fields, RS_COUNT(fields));
}

static bool has_label(const struct rs_label *labels, size_t count, uint32_t value)
{
	for (size_t i = 0; i < count; i++)
		if (labels[i].value == value)
			return true;
	return false;
}

/* Every label that one of the two has. */
static enum rs_code compare_two(struct report *report, const char *path, const struct rs_mask *first,
                                const struct rs_mask *other, double tolerance_mm, struct rs_error *err)
{
	const struct rs_mask *masks[2] = {first, other};
	struct rs_label *labels RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count = 0;
	struct rs_comparison found;
	for (int m = 0; m < 2; m++) {
		struct rs_label *own RS_CLEANUP(rs_free_pointer) = NULL;
		size_t own_count = 0;
		enum rs_code code = rs_export_labels(masks[m], &own, &own_count, err);
		if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
		for (size_t i = 0; i < own_count; i++) {
			if (m == 1 && has_label(labels, count, own[i].value))
				continue;
			RS_TRY(rs_masks_compare(first, other, own[i].value, tolerance_mm, &found, err));
			tell(report, path, own[i].value, &found);
		}
		if (m == 0) {
			labels = own;
			count = own_count;
			own = NULL;
		} else if (count + own_count == 0)
			return rs_error_set(err, RS_NOT_FOUND,
			                    "no voxel is set in it, nor in the first mask");
	}
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct segment_grid grid = {.known = false};
	struct rs_mask first RS_CLEANUP(rs_mask_finish) = {0};
	struct report report RS_CLEANUP(report_finish) = {0};
	double tolerance_mm;
	RS_TRY(option_number(line, "tolerance", 1, &tolerance_mm, err));
	if (tolerance_mm < 0)
		return rs_error_set(err, RS_USAGE, "--tolerance: not below 0 mm");
	RS_TRY(segment_read_grid(line, &grid, err));
	RS_TRY(segment_read_mask(line, segment_operand(line, 0), grid.known ? &grid.geometry : NULL, &first,
	                         err));
	report_begin(&report, line, true);
	head(&report);
	for (size_t i = 1; i + 1 < line->operand_count; i++) {
		const char *path = segment_operand(line, i);
		struct rs_mask other RS_CLEANUP(rs_mask_finish) = {0};
		RS_TRY(segment_read_mask(line, path, &first.geometry, &other, err));
		if (compare_two(&report, path, &first, &other, tolerance_mm, err) != RS_OK)
			return rs_error_context(err, "%s", path);
	}
	return report_end(&report, err);
}

const struct segment_verb segment_compare = {
	.name = "compare",
	.arguments = "two masks or more",
	.takes = {"image", "label", "tolerance"},
	.least = 2,
	.most = MASKS_MAX,
	.run = run,
};
