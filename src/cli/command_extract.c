/* radseal extract: the features of regions, of one case or of a table of cases. */
#include <stdio.h>
#include <string.h>

#include "access_words.h"
#include "extract_dictionary.h"
#include "extract_gate.h"
#include "extract_options.h"
#include "extract_seal.h"
#include "session.h"

#define JOBS_MAX 256

/* A run over the cases: what the sink's functions need. */
struct run {
	struct output output;
	const struct rs_cohort *cohort;
	struct rs_progress progress;
	struct rs_file *log_file; /* NULL: no log */
	uint64_t log_size;
	enum rs_log_level log_level;
	struct rs_error failure; /* of the first case that failed */
	struct sealer sealer;
	struct gate gate;
	char *vectors;             /* the folder of sealed vectors */
	const char *dictionary;    /* a file that tells of the columns; NULL: none */
	const char *progress_file; /* NULL: nobody looks */
	size_t done;
	bool quiet;
};

static enum rs_code take_columns(void *context, const struct rs_cohort_column *columns, size_t count,
                                 struct rs_error *err)
{
	struct run *run = context;
	if (run->dictionary != NULL)
		RS_TRY(dictionary_write(rs_world_system(), run->dictionary, columns, count, err));
	return output_columns(&run->output, columns, count, err);
}

/* A case named on the command line that fails alone leaves nothing but its sentence. */
static enum rs_code take_row(void *context, size_t index, const char *const *cells, struct rs_error *err)
{
	struct run *run = context;
	return output_row(&run->output, index, cells, err);
}

static void tell(const struct run *run, size_t index, const char *kind, const char *text)
{
	char where[64] = "";
	size_t line = run->cohort->cases[index].line;
	if (line > 0)
		snprintf(where, sizeof where, "case %zu (line %zu): ", index + 1, line);
	fprintf(stderr, "%s: %s%s\n", kind, where, text);
}

/* Appends a line; a log that cannot be written does not end the run. */
static void log_case(struct run *run, size_t index, const struct rs_error *failure)
{
	char number[24], text[8193]; /* the longest line of a log, and a NUL */
	FILE *line = run->log_file != NULL ? fmemopen(text, sizeof text, "w") : NULL;
	const struct rs_log log = {line, run->log_level, rs_world_system()->clock};
	if (line == NULL)
		return;
	snprintf(number, sizeof number, "%zu", index + 1);
	if (failure != NULL)
		RS_LOG(&log, RS_LOG_ERROR, "case_failed", {"case", number},
		       {"reason", rs_code_name(failure->code)});
	else
		RS_LOG(&log, RS_LOG_INFO, "case_measured", {"case", number});
	long size = ftell(line);
	if (fclose(line) == 0 && size > 0 &&
	    rs_file_write_at(run->log_file, run->log_size, text, (size_t)size, NULL) == RS_OK)
		run->log_size += (uint64_t)size;
}

static void take_done(void *context, size_t index, const struct rs_error *failure, const char *notes)
{
	struct run *run = context;
	struct rs_str rest = rs_str_from(notes), note;
	rs_progress_end(&run->progress);
	while (!run->quiet && rs_str_split(&rest, '\n', &note)) {
		char *text = note.size > 0 ? rs_str_duplicate(note) : NULL;
		if (text != NULL)
			tell(run, index, "note", text);
		rs_free(text);
	}
	log_case(run, index, failure);
	if (failure != NULL && run->failure.code == RS_OK)
		run->failure = *failure;
	if (failure != NULL && run->cohort->count > 1)
		tell(run, index, "failed", failure->message);
	session_progress(run->progress_file, ++run->done, run->cohort->count);
	if (!run->quiet)
		rs_progress_update(&run->progress, run->done);
}

/* Status 3 belongs to the contract; a region that cannot be measured is a failed check. What is not found in files
 * that are there is such a region too. */
static enum rs_code failed_check(const struct rs_cohort_case *item, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	bool there = true;
	for (size_t i = 0; i < RS_COHORT_IMAGES_MAX && item->images[i].image != NULL; i++)
		there = there && rs_path_exists(world, item->images[i].image) &&
		        item->images[i].mask != NULL && rs_path_exists(world, item->images[i].mask);
	if (err->code == RS_REFUSED || (err->code == RS_NOT_FOUND && there))
		return err->code = RS_MALFORMED;
	return err->code;
}

static enum rs_code report(struct run *run, const struct rs_cohort_counts *counts, struct rs_error *err)
{
	if (counts->resumed > 0 && !run->quiet)
		fprintf(stderr, "%zu of %zu cases were finished before\n", counts->resumed,
		        run->cohort->count);
	if (counts->failed == 0)
		return RS_OK;
	if (run->cohort->count > 1)
		return rs_error_set(err, run->gate.refused > 0 ? RS_REFUSED : RS_MALFORMED,
		                    "%zu of %zu cases failed; the column 'error' tells why", counts->failed,
		                    run->cohort->count);
	*err = run->failure;
	return run->gate.refused > 0 ? err->code : failed_check(&run->cohort->cases[0], err);
}

/* Finished cases are kept beside the result, and not at all where there is nothing beside it. */
static enum rs_code journal_path(const struct run *run, char **out, struct rs_error *err)
{
	*out = NULL;
	if (run->cohort->cases[0].line == 0 || (run->output.path == NULL && run->output.directory == NULL))
		return RS_OK;
	*out = run->output.path != NULL ? rs_text_printf("%s.part", run->output.path)
	                                : rs_path_join(run->output.directory, "cases.part");
	return *out != NULL ? RS_OK : rs_error_memory(err, 64, "a path");
}

static enum rs_code measure(struct run *run, struct rs_cohort_job *job, struct rs_error *err)
{
	struct rs_cohort_counts counts = {0};
	const struct rs_cohort_sink sink = {run, take_columns, take_row, take_done};
	bool table = run->cohort->cases[0].line > 0;
	rs_progress_begin(&run->progress, rs_world_system()->clock, table && !run->quiet ? stderr : NULL,
	                  "measuring", run->cohort->count);
	session_progress(run->progress_file, 0, run->cohort->count);
	enum rs_code code = rs_cohort_measure(run->cohort, job, &sink, &counts, err);
	rs_progress_end(&run->progress);
	RS_TRY(code);
	/* One region that cannot be measured is an answer of one sentence, not a row of nothing. */
	if (!table && run->output.row_count <= 1 && counts.failed > 0)
		return report(run, &counts, err);
	RS_TRY(output_end(&run->output, err));
	if (counts.failed == 0)
		RS_TRY(rs_cohort_forget(job, err));
	return report(run, &counts, err);
}

/* What a run would stumble over at once, without measuring. */
static enum rs_code validate(const struct rs_cohort *cohort, struct rs_error *err)
{
	size_t faults = 0;
	for (size_t i = 0; i < cohort->count; i++)
		for (size_t k = 0; k < cohort->image_count; k++) {
			const struct rs_cohort_image *image = &cohort->cases[i].images[k];
			const char *const paths[] = {image->image, image->mask};
			for (size_t p = 0; p < 2; p++) {
				if (paths[p] == NULL &&
				    (p == 0 ? cohort->image_count > 1 : image->image == NULL))
					continue;
				if (paths[p] != NULL && rs_path_exists(rs_world_system(), paths[p]))
					continue;
				printf("case %zu: %s %s\n", i + 1, paths[p] != NULL ? paths[p] : "",
				       paths[p] != NULL ? "is missing"
				       : p == 0         ? "no image is named"
				                        : "no mask is named");
				faults++;
			}
		}
	if (faults > 0)
		return rs_error_set(err, RS_MALFORMED, "%zu files are missing", faults);
	printf("%zu case%s can be read; the settings are good\n", cohort->count,
	       cohort->count == 1 ? "" : "s");
	return RS_OK;
}

static enum rs_code read_cohort(const struct command_line *line, struct rs_cohort *out, struct rs_error *err)
{
	const char *table = option_value(line, "batch");
	if (table && line->operand_count > 0)
		return rs_error_set(err, RS_USAGE, "extract: with --batch no image is named");
	if (!table && line->operand_count == 1 && rs_str_ends_with(rs_str_from(line->operands[0]), ".csv"))
		table = line->operands[0];
	if (table)
		return rs_cohort_read(rs_world_system(), table, out, err);
	return rs_cohort_from_operands(line->operands, line->operand_count, out, err);
}

/* Whether nothing but one region of one case can come out. */
static bool is_one_row(const struct command_line *line, const struct rs_cohort *cohort)
{
	const char *label = option_value(line, "label");
	return cohort->cases[0].line == 0 &&
	       (label == NULL || (strcmp(label, "all") != 0 && strchr(label, ',') == NULL));
}

static enum rs_code open_log(const struct command_line *line, struct run *run, struct rs_error *err)
{
	/* NOTSET and CRITICAL are Python's: all there is, and the gravest there is. */
	static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR", "NOTSET", "CRITICAL"};
	static const enum rs_log_level meant[] = {RS_LOG_DEBUG, RS_LOG_INFO,  RS_LOG_WARNING,
	                                          RS_LOG_ERROR, RS_LOG_DEBUG, RS_LOG_ERROR};
	const char *path = option_value(line, "log-file"), *level = option_value(line, "logging-level");
	run->log_level = RS_LOG_WARNING;
	for (int i = 0; level != NULL && i < 6; i++)
		if (strcmp(level, levels[i]) == 0) {
			run->log_level = meant[i];
			level = NULL;
		}
	if (level != NULL)
		return rs_error_set(err, RS_USAGE,
		                    "--logging-level is DEBUG, INFO, WARNING or ERROR, not '%s'", level);
	if (path == NULL)
		return RS_OK;
	RS_TRY(rs_file_open(rs_world_system(), path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE,
	                    &run->log_file, err));
	return rs_file_size(run->log_file, &run->log_size, err);
}

/* Maps go where the tables of cases would. */
static enum rs_code maps_wanted(const struct command_line *line, struct run *run, struct rs_cohort_job *job,
                                struct rs_error *err)
{
	const char *mode = option_value(line, "mode"), *format = option_value(line, "map-format");
	bool voxel = mode != NULL && strcmp(mode, "voxel") == 0;
	if (!voxel && format != NULL)
		return rs_error_set(err, RS_USAGE, "--map-format is for --mode voxel");
	if (!voxel)
		return RS_OK;
	if (format != NULL && strcmp(format, "nrrd") != 0 && strcmp(format, "nii.gz") != 0)
		return rs_error_set(err, RS_USAGE, "--map-format is nrrd or nii.gz, not '%s'", format);
	job->maps_directory = run->output.directory != NULL ? run->output.directory : ".";
	job->maps_suffix = format != NULL ? format : "nrrd";
	run->output.directory = NULL;
	return rs_directory_make(job->world, job->maps_directory, err);
}

/* With --home, and only then: extracting alone needs no node. */
static enum rs_code sealing_wanted(const struct command_line *line, struct run *run, struct rs_pool *pool,
                                   struct rs_node **out_node, struct rs_cohort_job *job, struct rs_error *err)
{
	if (!option_given(line, "home"))
		return RS_OK;
	if (job->maps_directory != NULL)
		return rs_error_set(err, RS_USAGE,
		                    "maps are not sealed by extract; seal their files, without --home here");
	run->vectors = run->output.directory != NULL ? rs_str_duplicate(rs_str_from(run->output.directory))
	               : run->output.path != NULL    ? rs_path_directory(run->output.path)
	                                             : rs_str_duplicate(RS_STR("."));
	if (run->vectors == NULL)
		return rs_error_memory(err, 64, "a path");
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, out_node, err));
	run->sealer.node = *out_node;
	run->sealer.directory = run->vectors;
	job->seal = sealer_seal;
	job->seal_context = &run->sealer;
	return RS_OK;
}

/* With --purpose: as whom and what for. */
static enum rs_code leave_wanted(const struct command_line *line, struct run *run,
                                 struct rs_actor **out_actor, struct rs_cohort_job *job, struct rs_error *err)
{
	if (!option_given(line, "purpose") && !option_given(line, "as"))
		return RS_OK;
	if (!run->sealer.node)
		return rs_error_set(err, RS_USAGE, "extract: --as and --purpose go with --home");
	RS_TRY(option_purpose(line, &run->gate.purpose, err));
	RS_TRY(session_actor(line, run->sealer.node, out_actor, err));
	run->gate.node = run->sealer.node;
	run->gate.actor = *out_actor;
	run->gate.mutex = &run->sealer.mutex;
	job->permit = gate_permit;
	job->permit_context = &run->gate;
	return RS_OK;
}

static enum rs_code run_with(const struct command_line *line, struct run *run,
                             const struct rs_radiomics_settings *settings, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL; /* closed before its pool */
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	char *journal RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_cohort_job job = {.world = rs_world_system(),
	                            .settings = settings,
	                            .label = option_value(line, "label"),
	                            .version = RADSEAL_VERSION};
	uint64_t jobs;
	bool table = run->cohort->cases[0].line > 0;
	RS_TRY(maps_wanted(line, run, &job, err));
	RS_TRY(option_u64(line, "jobs", table ? rs_processors() : 1, JOBS_MAX, &jobs, err));
	job.jobs = jobs > 0 ? (unsigned)jobs : rs_processors();
	RS_TRY(session_pool(line, 1, &pool, err));
	job.pool = pool;
	RS_TRY(sealing_wanted(line, run, pool, &node, &job, err));
	RS_TRY(leave_wanted(line, run, &actor, &job, err));
	RS_TRY(journal_path(run, &journal, err));
	job.journal_path = journal;
	if (run->output.directory)
		RS_TRY(rs_directory_make(job.world, run->output.directory, err));
	RS_TRY(open_log(line, run, err));
	if (node)
		rs_node_rest(node);
	return measure(run, &job, err);
}

/* The dictionary of what would be measured; in mode voxel of the table of maps. */
static enum rs_code describe(const struct command_line *line, const struct rs_radiomics_settings *settings,
                             const char *path, struct rs_error *err)
{
	const char *mode = option_value(line, "mode");
	const struct rs_cohort_job job = {
		.world = rs_world_system(),
		.settings = settings,
		.label = option_value(line, "label"),
		.version = RADSEAL_VERSION,
		.jobs = 1,
		.maps_directory = mode != NULL && strcmp(mode, "voxel") == 0 ? "." : NULL,
		.maps_suffix = "nrrd",
	};
	return dictionary_of(&job, path, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_radiomics_settings settings;
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	struct run run = {.cohort = &cohort,
	                  .output = {.cohort = &cohort, .label = option_value(line, "label")}};
	uint64_t verbosity;
	if (option_given(line, "version")) {
		puts("radseal " RADSEAL_VERSION);
		return RS_OK;
	}
	RS_TRY(extract_settings(line, &settings, err));
	run.dictionary = option_value(line, "dictionary");
	run.progress_file = option_value(line, "progress");
	if (run.dictionary != NULL && line->operand_count == 0 && !option_given(line, "batch"))
		return describe(line, &settings, run.dictionary, err);
	RS_TRY(read_cohort(line, &cohort, err));
	RS_TRY(extract_output(line, is_one_row(line, &cohort), &run.output, err));
	RS_TRY(option_u64(line, "verbosity", 3, 5, &verbosity, err));
	run.quiet = option_given(line, "quiet") || verbosity < 3;
	if (option_given(line, "validate"))
		return validate(&cohort, err);
	pthread_mutex_init(&run.sealer.mutex, NULL);
	enum rs_code code = run_with(line, &run, &settings, err);
	pthread_mutex_destroy(&run.sealer.mutex);
	rs_free(run.vectors);
	output_finish(&run.output);
	rs_file_close(run.log_file);
	return code;
}

static const struct option options[] = {
	{"batch", "FILE", "a table of cases, CSV with the columns Image and Mask; others are copied"},
	{"mode", "MODE", "pyradiomics (default; segment is the same), ibsi, or voxel for maps"},
	{"params", "FILE",
         "a parameter file of PyRadiomics (YAML or JSON), ibsi-digital, ibsi-1-a … ibsi-1-e"},
	{"setting", "SETTING", "one setting over those of the file, name:value; may be repeated"},
	{"label", "LABEL",
         "region of the mask: a label's number or name; 1,2 two rows; 1+2 both as one; all"},
	{"minimum-roi", "VOXELS", "refuse regions of so many voxels or fewer"},
	{"jobs", "N", "cases at once (default: as many as processors); 0 is the default"},
	{"output", "FILE", "write to FILE instead of standard output; .csv and .json choose the format"},
	{"out-dir", "DIR", "write each case's table into DIR, too; in mode voxel its maps"},
	{"map-format", "FORMAT", "of maps: nrrd (default) or nii.gz"},
	{"dictionary", "FILE",
         "write a CSV that tells of each column: kind, IBSI codes, unit; needs no image"},
	{"format", "FORMAT", "txt, csv or json, whatever the name's ending"},
	{"format-path", "FORM", "Image and Mask absolute, relative or basename; default: as given"},
	{"unix-path", NULL, "paths with slashes, which they always are"},
	{"skip-nans", NULL, "leave undefined values out of txt and json"},
	{"validate", NULL, "only check settings, table and that the files are there"},
	{"version", NULL, "print the version, as radseal version does"},
	{"log-file", "FILE", "append a line for each case to FILE"},
	{"logging-level", "LEVEL", "of the log file: DEBUG, INFO, WARNING (default) or ERROR"},
	{"purpose", "WORD",
         "with --home: ask for leave to measure what is sealed, for treatment, research, …"},
	SESSION_AS_OPTIONS,
	SESSION_PROGRESS_OPTION,
	{"verbosity", "N", "1 to 5; below 3 without notes (default: 3; 4 without N)"},
	{NULL, NULL, NULL},
};

/* PyRadiomics' own spellings, so that a script needs one word changed. */
static const struct alias aliases[] = {
	{"-p", "params"},    {"--param", "params"}, {"-s", "setting"},  {"-l", "label"},  {"-j", "jobs"},
	{"-o", "output"},    {"--out", "output"},   {"-od", "out-dir"}, {"-f", "format"}, {"-m", "mode"},
	{"-v", "verbosity"}, {"-up", "unix-path"},  {NULL, NULL},
};

static const struct example examples[] = {
	{"radseal extract t2.nii.gz tumour.nii.gz", "the features of one region"},
	{"radseal extract series/ tumour.dcm --params Params.yaml --json", "a DICOM series and a DICOM SEG"},
	{"radseal extract t1=t1.nii t2=t2.nii adc=adc.nii mask=tumour.nii -o case.csv",
         "several sequences, one mask"},
	{"radseal extract --batch cases.csv -o features.csv -j 4",
         "a table of cases, four at a time; resumable"},
	{"radseal extract ct.nii.gz tumour.nii.gz --params ibsi-1-c --json",
         "as IBSI defines it, configuration C"},
	{"radseal extract t2.nii tumour.nii --mode voxel --out-dir maps",
         "a map of each feature, not one value"},
	{NULL, NULL},
};

const struct command command_extract = {
	.name = "extract",
	.arguments =
		"IMAGE MASK | NAME=IMAGE… mask=MASK | --batch FILE [--params FILE] [--label LABEL] [--output FILE]",
	.summary = "measure a region: radiomic features",
	.description =
		"Measures the region that MASK outlines in IMAGE, and prints the features. Reads DICOM series,\n"
		"NIfTI, NRRD and MetaImage; DICOM SEG and RTSTRUCT as mask. Image and mask must lie in the same physical space;\n"
		"header noise is repaired and reported. Several sequences of one patient get columns side by side,\n"
		"each with its name before it. A table of cases may be interrupted: what was finished is kept in\n"
		"FILE.part and not done again. With --home each vector of features is written beside the output and\n"
		"sealed; with --purpose the contract is asked for each case's sealed files before they are measured, and\n"
		"a case that it refuses fails alone. Takes the options and files of PyRadiomics' command line.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "setting",
	.implied_option = "verbosity",
	.implied_value = "4",
	.run = run,
};
