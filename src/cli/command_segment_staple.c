/* radseal segment staple: one mask of several readers', and what each of them is worth. */
#include <math.h>
#include <stdio.h>

#include "option_lists.h"
#include "report.h"
#include "segment/segment_staple.h"
#include "segment_out.h"

struct joining {
	struct rs_mask masks[RS_READERS_MAX], joined;
	const struct rs_mask *readers[RS_READERS_MAX];
	size_t count;
	struct rs_volume probability;
	struct rs_consensus found;
	struct segment_out out;
	struct report report;
};

static void joining_finish(struct joining *j)
{
	for (size_t i = 0; i < RS_READERS_MAX; i++)
		rs_mask_finish(&j->masks[i]);
	rs_mask_finish(&j->joined);
	rs_volume_finish(&j->probability);
	segment_out_finish(&j->out);
	report_finish(&j->report);
}

static enum rs_code read_masks(const struct command_line *line, struct joining *j, struct rs_error *err)
{
	struct segment_grid grid = {.known = false};
	RS_TRY(segment_read_grid(line, &grid, err));
	for (; j->count + 1 < line->operand_count; j->count++) {
		const struct rs_geometry *on = j->count     ? &j->masks[0].geometry
		                               : grid.known ? &grid.geometry
		                                            : NULL;
		RS_TRY(segment_read_mask(line, segment_operand(line, j->count), on, &j->masks[j->count],
		                         err));
		j->readers[j->count] = &j->masks[j->count];
	}
	return RS_OK;
}

static enum rs_code join(const struct command_line *line, struct joining *j, struct rs_error *err)
{
	const bool votes = option_given(line, "vote");
	double threshold;
	RS_TRY(option_number(line, "threshold", 0.5, &threshold, err));
	RS_TRY(rs_volume_init(&j->probability, &j->masks[0].geometry, err));
	RS_TRY(rs_mask_init(&j->joined, &j->masks[0].geometry, err));
	j->probability.stored = RS_VOXEL_F32;
	RS_TRY((votes ? rs_masks_vote : rs_masks_staple)(j->readers, j->count, j->probability.voxels,
	                                                 &j->found, err));
	/* Half of the readers are no majority. */
	for (size_t i = 0, n = rs_geometry_voxels(&j->joined.geometry); i < n; i++) {
		const double p = j->probability.voxels[i];
		j->joined.labels[i] = votes && threshold == 0.5 ? p > 0.5 : p >= threshold;
	}
	return RS_OK;
}

static void number(char out[32], double value)
{
	out[0] = '\0';
	if (!isnan(value))
		snprintf(out, 32, "%.15g", value);
}

static void tell(const struct command_line *line, struct joining *j)
{
	for (size_t r = 0; r < j->count; r++) {
		char sensitivity[32], specificity[32];
		number(sensitivity, j->found.sensitivity[r]);
		number(specificity, j->found.specificity[r]);
		report_row(&j->report,
		           (struct field[]){{"mask", segment_operand(line, r), 40},
		                            {"#sensitivity", sensitivity, 20},
		                            {"#specificity", specificity, 20}},
		           3);
	}
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct joining j RS_CLEANUP(joining_finish) = {.count = 0};
	const char *map = option_value(line, "probability");
	j.out.others = line->operands + 1;
	j.out.other_count = line->operand_count - 1;
	RS_TRY(segment_out_open(line, option_value(line, "image"),
	                        option_given(line, "vote") ? "radseal majority" : "radseal STAPLE", &j.out,
	                        err));
	RS_TRY(read_masks(line, &j, err));
	RS_TRY(join(line, &j, err));
	if (map)
		RS_TRY(rs_volume_write(rs_world_system(), map, &j.probability, err));
	RS_TRY(segment_out_write(&j.out, &j.joined, err));
	RS_TRY(segment_out_seal(&j.out, NULL, err));
	report_begin(&j.report, line, true);
	tell(line, &j);
	RS_TRY(report_end(&j.report, err));
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	if (option_given(line, "json") || option_given(line, "quiet"))
		return RS_OK;
	rs_buffer_init(&text, 8192);
	segment_out_tell(&j.out, &j.joined, &text, NULL);
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

const struct segment_verb segment_staple = {
	.name = "staple",
	.arguments = "2 to 16 masks",
	.takes = {"image", "label", "vote", "probability", "threshold", SEGMENT_OUT_TAKES},
	.least = 2,
	.most = RS_READERS_MAX,
	.run = run,
};
