/* radseal segment: the verbs' table, their options, and how masks are read. */
#include "command_segment.h"

#include <stdio.h>
#include <string.h>

static const struct segment_verb *const verbs[] = {
	&segment_compare,
};

static const struct option options[] = {
	{"image", "IMAGE", "the image whose grid an RTSTRUCT is drawn on"},
	{"label", "LABEL", "only this region of the masks: a label's number or name"},
	{"tolerance", "MM", "compare: how far surfaces may be apart and count as one (default 1)"},
	{NULL, NULL, NULL},
};

/* ---- masks ---- */

static void tell_note(const struct command_line *line, const char *path, const char *note)
{
	if (note[0] && !option_given(line, "quiet"))
		fprintf(stderr, "%s: %s\n", path, note);
}

enum rs_code segment_read_mask(const struct command_line *line, const char *path,
                               const struct rs_geometry *grid, struct rs_mask *out, struct rs_error *err)
{
	const char *label = option_value(line, "label");
	const struct rs_label_choice choice = {.texts = &label, .count = label ? 1 : 0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	char note[256] = "";
	if (grid)
		RS_TRY(rs_mask_read_chosen(rs_world_system(), path, grid, &choice, &mask, err));
	else
		RS_TRY(rs_mask_read_chosen(rs_world_system(), path, NULL, &choice, &mask, err));
	if (grid && rs_mask_match(grid, &mask, 1e-3 * grid->spacing_mm[0], note, sizeof note, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	tell_note(line, path, mask.note);
	tell_note(line, path, note);
	*out = mask;
	mask = (struct rs_mask){0};
	return RS_OK;
}

enum rs_code segment_read_grid(const struct command_line *line, struct segment_grid *out,
                               struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {0};
	const char *path = option_value(line, "image");
	if (!path)
		return RS_OK;
	RS_TRY(rs_volume_read(rs_world_system(), path, &volume, err));
	*out = (struct segment_grid){volume.geometry, true};
	return RS_OK;
}

/* ---- the verb ---- */

static const struct segment_verb *verb_named(const char *name)
{
	for (size_t i = 0; i < RS_COUNT(verbs); i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static bool takes(const struct segment_verb *verb, const char *option)
{
	for (size_t i = 0; i < SEGMENT_TAKES_MAX && verb->takes[i]; i++)
		if (strcmp(verb->takes[i], option) == 0)
			return true;
	return false;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	char known[256] = "";
	const struct segment_verb *verb = line->operand_count ? verb_named(line->operands[0]) : NULL;
	for (size_t i = 0, used = 0; i < RS_COUNT(verbs) && used < sizeof known; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
		                         verbs[i]->name);
	if (!verb)
		return rs_error_set(err, RS_USAGE, "segment: say one of %s", known);
	for (const struct option *option = options; option->name; option++)
		if (option_given(line, option->name) && !takes(verb, option->name))
			return rs_error_set(err, RS_USAGE, "segment %s takes no --%s", verb->name,
			                    option->name);
	if (line->operand_count - 1 < verb->least || line->operand_count - 1 > verb->most)
		return rs_error_set(err, RS_USAGE, "segment %s takes %s", verb->name, verb->arguments);
	return verb->run(line, err);
}

static const struct example examples[] = {
	{"radseal segment compare reader1.nii.gz reader2.nii.gz --tolerance 2",
         "Dice, surface Dice within 2 mm, Hausdorff 95, volumes"},
	{NULL, NULL},
};

const struct command command_segment = {
	.name = "segment",
	.arguments = "compare A B… [options]",
	.summary = "compare masks of the same region",
	.description =
		"compare holds masks against the first one, label by label: Dice, Jaccard, volumes, and distances between\n"
		"surfaces in mm: the share of both surfaces within a tolerance (surface Dice), Hausdorff's distance, its\n"
		"95th percentile, the mean. Distances are between surface elements, weighted by their area, as DeepMind's\n"
		"surface-distance defines them.",
	.options = options,
	.examples = examples,
	.run = run,
};
