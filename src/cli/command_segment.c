/* radseal segment: the verbs' table, their options, and how masks are read. */
#include "command_segment.h"
#include "sealing.h"

#include <stdio.h>
#include <string.h>

#include "sealing.h"

static const struct segment_verb *const verbs[] = {
	&segment_grow,      &segment_refine, &segment_compare, &segment_staple,
	&segment_agreement, &segment_train,  &segment_apply,
};

static const struct option options[] = {
	{"output", "FILE",
         "the mask (.nii, .nii.gz, .nrrd; but for apply .dcm: a DICOM SEG), train: the model"},
	{"stroke", "STROKE", "grow: in:X,Y,Z/X,Y,Z… or out:…, voxels from 0 (or --mm); may be repeated"},
	{"radius", "MM", "grow: of the brush (default 1)"},
	{"seeds", "FILE", "grow: a mask of strokes"},
	{"inside", "LABEL", "grow: of --seeds, what is inside (default 1)"},
	{"outside", "LABEL", "grow: of --seeds, what is outside (default 2)"},
	{"box", "X,Y,Z,X,Y,Z", "grow: two corners of a box that holds the region"},
	{"mm", NULL, "grow: strokes and boxes are in mm (LPS), not in voxels"},
	{"interactive", NULL, "grow: strokes come as lines of JSON, each is answered by one"},
	{"smooth", "MM", "Gaussian over the image first (default: a voxel's shortest side)"},
	{"edge", "N", "what a difference as of noise is worth, in voxels of way (default 3)"},
	{"band", "MM", "around the border, what is decided anew (grow: four voxels; refine: 5)"},
	{"round", "MM", "Gaussian over the probability (default: 0.6 voxels)"},
	{"threshold", "P", "grow, staple: of the probability (default 0.5)"},
	{"vote", NULL, "staple: what more than half of the readers have"},
	{"probability", "FILE", "staple: how likely each voxel is inside, as a volume"},
	{"walk", NULL, "let a random walker decide around the border: better in strong noise"},
	{"learn", NULL, "grow: learn from the strokes what inside looks like (so it is with several images)"},
	{"label-name", "NAME", "what the region is called in the file"},
	{"replaces", "MASK", "with --home: sealed mask that this is the new version of"},
	{"image", "IMAGE", "the image whose grid an RTSTRUCT is drawn on"},
	{"label", "LABEL", "only this region of the masks: a label's number or name"},
	{"tolerance", "MM", "compare: how far surfaces may be apart and count as one (default 1)"},
	{"uncertainty", "FILE", "apply: how unsure each voxel is, in bits: 0 sure, 1 as good as a toss"},
	{"whole", NULL, "apply: keep every part of the region, not the largest alone"},
	{"validate", "SHARE", "train: of the subjects, held out and judged (default 0.2)"},
	{"spacing", "MM", "train: the side of the cubes that the network sees (default 3)"},
	{"epochs", "N", "train: rounds of all cases (default 100)"},
	{"patches", "N", "train: cut from each case in each epoch (default 4)"},
	{"width", "N", "train: channels of the network's first level (default 8)"},
	{"seed", "N", "train: another one draws another split and another start (default 1)"},
	{"subject", "COLUMN", "agreement: whose rows (default patient)"},
	{"reader", "COLUMN", "agreement: who drew (default Measurement)"},
	{"level", "SHARE", "agreement: of intervals (default 0.95)"},
	SEALING_OPTIONS,
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
	{"radseal segment grow t2.nii.gz --stroke in:60,52,20/70,52,20 --stroke out:60,30,20/90,50,20 -o tumour.nii",
         "from a line inside and one outside"},
	{"radseal segment grow T2.nii.gz T1.nii.gz ADC.nii.gz --stroke in:60,52,20/70,52,20 --seeds around.nii -o tumour.nii",
         "by how three prepared sequences look inside and outside"},
	{"radseal segment grow ct/ --box 80,90,10,130,140,24 -o seg.dcm --home node --as reader --purpose treatment",
         "what stands out in a box, as DICOM SEG, signed and sealed"},
	{"radseal segment grow t2.nii.gz --interactive -o tumour.nrrd",
         "then lines as {\"stroke\": \"in\", \"points\": [[60, 52, 20]], \"radius\": 2}"},
	{"radseal segment refine t2.nii.gz rough.nii.gz --band 6 -o tumour.nii.gz",
         "where the image has its border"},
	{"radseal segment compare reader1.nii.gz reader2.nii.gz --tolerance 2",
         "Dice, surface Dice within 2 mm, Hausdorff 95, volumes"},
	{"radseal segment staple reader1.nii reader2.nii reader3.nii -o consensus.nii",
         "and how good each is"},
	{"radseal segment agreement repeats.csv --reader reader -o icc.csv",
         "features whose value depends on who drew"},
	{"radseal segment train cases.csv -o tumour.model --validate 0.25",
         "a network of the table's images, judged on a quarter of the subjects"},
	{"radseal segment apply tumour.model t1.nii.gz - adc.nii.gz -o tumour.nii.gz --uncertainty unsure.nrrd",
         "of three images the second is missing"},
	{NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_segment = {
	.name = "segment",
	.arguments = "grow|refine|compare|staple|agreement|train|apply …",
	.summary = "outline a region from strokes or by a network; compare masks",
	.description =
		"grow IMAGE… -o MASK outlines a region from strokes: whose stroke is nearer on a path that avoids changes of\n"
		"grey. Of several images on one grid (all sequences of a prepared study) it learns from the strokes how they\n"
		"look inside and outside, which is much better where no single one shows the whole border. The region is taken\n"
		"to be about as deep as the strokes are wide; draw across several slices. The piece that holds the strokes\n"
		"inside stays, its holes are filled. A box alone will do where the region stands out in its middle.\n"
		"--interactive keeps the state, and a correction changes what is near. With --home the mask is sealed: made\n"
		"from the images, by whom, as which version.\n"
		"\n"
		"refine IMAGE MASK -o MASK draws a rough outline to where grey values change, within a band of it. With\n"
		"--home it is the next version of the mask, if that is sealed.\n"
		"\n"
		"compare A B… holds masks against the first one, label by label: Dice, Jaccard, volumes, and distances\n"
		"between surfaces in mm: the share of both surfaces within a tolerance (surface Dice), Hausdorff's distance,\n"
		"its 95th percentile, the mean. Distances are between surface elements, weighted by their area, as DeepMind's\n"
		"surface-distance defines them.\n"
		"\n"
		"staple MASK… -o MASK makes one mask of several readers', by estimating along with it how sensitive and\n"
		"specific each of them is (Warfield et al. 2004, over all voxels, as ITK does); or by a vote. With --home and\n"
		"--image it is sealed.",
	.details =
		"agreement TABLE tells of every feature how well readers agree on it (ICC(2,1) and ICC(3,1) with intervals),\n"
		"from the table that radseal extract makes of a table of cases with a row for each subject and reader: the\n"
		"same that a study names as repeated, for its step stable.\n"
		"\n"
		"train TABLE -o MODEL makes a network (a 3-D U-Net) from a table: columns subject and mask, and one of paths\n"
		"for each image, such as T1 and ADC, by whose name the model knows it. The images of a row lie on one grid;\n"
		"an empty cell is one that is missing. Subjects that are held out (--validate) shape nothing of the model:\n"
		"their Dice is what it is worth. The file is data, not a program; it tells the spacing, the images and hashes\n"
		"of what it was trained on, and its SHA-256 is printed. The same table, options and seed give the same bytes.\n"
		"apply MODEL IMAGE… -o MASK takes the images in the order of the table's columns, '-' for a missing one. A\n"
		"voxel is inside where its probability, the mean of overlapping windows, is at least 0.5; the largest\n"
		"connected part is kept. --uncertainty is the probability's entropy. With --home train asks for the images\n"
		"and seals the model; apply asks for images and model, and seals the mask as made from them.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "stroke",
	.run = run,
};
