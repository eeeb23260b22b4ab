/* radseal demo: the whole way from scanners to a prognosis, on data it makes itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "demo.h"
#include "story/story.h"

static const struct option options[] = {
	{"patients", "N", "how many (default 40)"},
	{"seed", "N", "what everything is drawn from (default 20261121); same seed, same bytes"},
	{"output", "DIR", "cohort: a new directory"},
	{"size", "SIZE",
         "cohort: small (voxels of 3.2 x 3.2 x 4.5 mm, default) or full (1.4 x 1.4 x 2.25 mm)"},
	{"enhanced", NULL, "cohort: Enhanced MR, one file of many frames for each series"},
	{"truth", NULL, "cohort: also the true maps of tumour, ADC, Ktrans, ve and T1, as NIfTI"},
	{NULL, NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static enum rs_code tell_story(const struct command_line *line, struct rs_error *err)
{
	char template[] = "/tmp/radseal-demo-XXXXXX";
	const struct rs_world *world = rs_world_system();
	struct rs_story story = {.version = RADSEAL_VERSION, .out = stdout};
	uint64_t patients;
	if (line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "demo: name one new directory, or none for one in /tmp");
	RS_TRY(option_u64(line, "patients", DEMO_PATIENTS, RS_STORY_PATIENTS_MAX, &patients, err));
	RS_TRY(option_u64(line, "seed", DEMO_SEED, UINT64_MAX, &story.seed, err));
	if (patients < RS_STORY_PATIENTS_MIN)
		return rs_error_set(err, RS_USAGE, "demo: of fewer than %d patients no model can be learnt",
		                    RS_STORY_PATIENTS_MIN);
	story.patients = (size_t)patients;
	story.directory = line->operand_count ? line->operands[0] : mkdtemp(template);
	if (!story.directory)
		return rs_error_set(err, RS_IO, "no temporary directory can be made in /tmp");
	if (line->operand_count && rs_path_exists(world, story.directory))
		return rs_error_set(err, RS_EXISTS, "%s: is there already; name a new directory",
		                    story.directory);
	RS_TRY(rs_directory_make(world, story.directory, err));
	char *whole RS_CLEANUP(rs_free_pointer) = realpath(story.directory,
	                                                   NULL); /* tables name files from anywhere */
	if (!whole)
		return rs_error_errno(err, errno, "%s", story.directory);
	story.directory = whole;
	return rs_story_tell(&story, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_str verb = rs_str_from(line->operand_count ? line->operands[0] : "");
	if (rs_str_equal_text(verb, "cohort"))
		return demo_cohort(line, err);
	if (option_given(line, "output") || option_given(line, "size") || option_given(line, "enhanced") ||
	    option_given(line, "truth"))
		return rs_error_set(err, RS_USAGE,
		                    "demo: --output, --size, --enhanced and --truth go with `demo cohort`");
	return rs_str_equal_text(verb, "scan") ? demo_scan(line, err) : tell_story(line, err);
}

static const struct example examples[] = {
	{"radseal demo", "from scanners to a prognosis, in a directory below /tmp"},
	{"radseal demo /srv/demo", "the same in a directory of your choice"},
	{"radseal demo scan", "one scan sealed, proved and measured, within a second"},
	{"radseal demo cohort --patients 40 --seed 7 -o cohort-7",
         "40 synthetic patients: MRI, masks, clinical data"},
	{NULL, NULL},
};

const struct command command_demo = {
	.name = "demo",
	.arguments = "[DIR] | scan [DIR] | cohort -o DIR",
	.summary = "show the main job, end to end, on generated data",
	.description =
		"Tells the whole story in minutes: a node of five organisations; synthetic patients whose scans arrive by\n"
		"DICOM and are sealed; sequences recognised, registered and outlined; features measured, models trained and\n"
		"validated; a new patient predicted; a consent withdrawn and the next access refused; an altered byte found;\n"
		"the audit. Every step is a command, shown as it may be typed again. index.html, and index.pdf where\n"
		"weasyprint or chromium is installed, tell it with pictures.\n\n"
		"`demo scan` seals one synthetic MR series with a tumour, proves one file genuine and an altered one not,\n"
		"measures the tumour and checks the whole node. The files stay for you to try more.\n\n"
		"`demo cohort` makes patients that never lived: abdominal MRI with pancreatic ductal adenocarcinoma (T2, T1,\n"
		"diffusion, ADC, flip angles, dynamic contrast) of five simulated centres by signal equations and published\n"
		"tissue values, as DICOM series with segmentations of two readers; clinical.csv with stage, survival and\n"
		"response; truth.json with what is behind it. Every file says that it is synthetic.",
	.options = options,
	.aliases = aliases,
	.examples = examples,
	.text_only = true,
	.run = run,
};
