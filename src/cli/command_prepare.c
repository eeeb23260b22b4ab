/* radseal prepare: from the raw MR series of a study to volumes that can be measured. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prepare/prepare_pipeline.h"
#include "sealing.h"
#include "session.h"

#define TEXT_MAX ((size_t)64 << 20)
#define PIPELINE_MAX ((size_t)1 << 20)

/* "12=T2", "1.2.840.113619.2=other". The names are cut in `texts`. */
static enum rs_code read_overrides(const struct command_line *line, struct rs_scan_override *out,
                                   struct rs_buffer *texts, struct rs_error *err)
{
	rs_buffer_init(texts, 1 << 16);
	if (rs_buffer_reserve(texts, 1 << 16) != RS_OK)
		return rs_buffer_check(texts, "names of series", err);
	for (size_t i = 0; i < line->repeat_count; i++) {
		struct rs_str rest = rs_str_from(line->repeats[i]), series;
		char name[8] = "";
		(void)rs_str_split(&rest, '=', &series);
		if (rest.size > 0 && rest.size < sizeof name)
			memcpy(name, rest.data, rest.size);
		if (!rs_scan_kind_of(name, &out[i].kind))
			return rs_error_set(
				err, RS_USAGE,
				"--sequence is SERIES=NAME; the names are T1, T1C, T2, DWI, ADC, DCE, VFA and other");
		out[i].series = (const char *)texts->data + texts->size;
		rs_buffer_append(texts, series.data, series.size);
		rs_buffer_append(texts, "", 1);
	}
	return rs_buffer_check(texts, "--sequence", err);
}

static void list_values(struct rs_buffer *out, const struct rs_scan *scan)
{
	for (size_t i = 0; i < scan->volume_count; i++) {
		const struct rs_scan_volume *v = &scan->volumes[i];
		double value = scan->kind == RS_SCAN_DWI   ? v->b
		               : scan->kind == RS_SCAN_VFA ? v->flip
		                                           : v->time_s;
		rs_buffer_printf(out, i ? ", %g" : "%g", value);
	}
}

static void list_scan(struct rs_buffer *out, const struct rs_scan *scan)
{
	static const char *const valued[RS_SCAN_OTHER + 1] = {
		[RS_SCAN_DWI] = "b", [RS_SCAN_DCE] = "seconds", [RS_SCAN_VFA] = "degrees"};
	rs_buffer_printf(out, "%6lld  %-5s %s %s\n", (long long)scan->number, rs_scan_kind_name(scan->kind),
	                 scan->chosen ? "*" : " ", scan->why);
	rs_buffer_printf(out, "%15s %zu x %zu x %zu", "", scan->columns, scan->rows, scan->places);
	if (scan->series_count > 1)
		rs_buffer_printf(out, ", %zu series", scan->series_count);
	if (scan->volume_count > 1)
		rs_buffer_printf(out, ", %zu volumes", scan->volume_count);
	if (valued[scan->kind] && scan->volume_count > 0) {
		rs_buffer_printf(out, ", %s ", valued[scan->kind]);
		list_values(out, scan);
	}
	if (scan->fat_suppressed)
		rs_buffer_append_text(out, ", fat suppressed");
	if (scan->contrast)
		rs_buffer_append_text(out, ", contrast agent");
	rs_buffer_printf(out, ", \"%s\"\n", scan->description);
	if (*scan->note)
		rs_buffer_printf(out, "%15s %s\n", "", scan->note);
}

static enum rs_code list(const struct command_line *line, const struct rs_scans *scans, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&text, TEXT_MAX);
	rs_json_init(&json, &text, true);
	if (option_given(line, "json")) {
		rs_scans_write(scans, &json);
		rs_buffer_append_text(&text, "\n");
	} else {
		rs_buffer_append_text(&text, "series  sequence, * is chosen\n");
		for (size_t i = 0; i < scans->count; i++)
			list_scan(&text, &scans->items[i]);
	}
	RS_TRY(rs_buffer_check(&text, "the list", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

/* ---- pipelines ---- */

/* Of a file, of one step, or the usual one; `text` holds what it is read from. */
static enum rs_code read_pipeline(const struct command_line *line, struct rs_pipeline *out,
                                  struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	const char *file = option_value(line, "pipeline"), *step = option_value(line, "step");
	if (file && step)
		return rs_error_set(err, RS_USAGE, "prepare: --pipeline or --step, not both");
	if (file)
		RS_TRY(rs_file_read_all(rs_world_system(), file, PIPELINE_MAX, &text, err));
	else
		rs_buffer_init(&text, PIPELINE_MAX);
	if (step)
		rs_pipeline_of_step(step, &text);
	RS_TRY(rs_buffer_check(&text, "a pipeline", err));
	enum rs_code code = rs_pipeline_parse(rs_buffer_bytes(&text), out, err);
	return code == RS_OK ? RS_OK
	                     : rs_error_context(err, "%s",
	                                        file   ? file
	                                        : step ? "--step"
	                                               : "pipeline");
}

/* Those of the file, then those of the line, which count more. */
static enum rs_code find_scans(const struct command_line *line, const struct rs_pipeline *pipeline,
                               struct rs_buffer *complaints, struct rs_scans *out, struct rs_error *err)
{
	struct rs_scan_override all[RS_PIPELINE_SEQUENCES_MAX + REPEATS_MAX];
	struct rs_buffer texts RS_CLEANUP(rs_buffer_finish) = {0};
	size_t count = pipeline->sequence_count;
	memcpy(all, pipeline->sequences, count * sizeof *all);
	RS_TRY(read_overrides(line, all + count, &texts, err));
	return rs_scans_find(rs_world_system(), line->operands[0], all, count + line->repeat_count,
	                     complaints, out, err);
}

static void show(void *context, const char *what)
{
	(void)context;
	fprintf(stderr, "\r\033[K%s", what);
}

/* "FILE", or "T1=FILE" when it was drawn on another sequence than the reference. */
static const char *mask_of(const char *text, enum rs_scan_kind *out_on)
{
	char name[8] = "";
	const char *equals = text ? strchr(text, '=') : NULL;
	*out_on = RS_SCAN_OTHER;
	if (!equals || (size_t)(equals - text) >= sizeof name)
		return text;
	memcpy(name, text, (size_t)(equals - text));
	return rs_scan_kind_of(name, out_on) ? equals + 1 : text;
}

static enum rs_code seal_all(struct sealing *sealing, const struct rs_prepared *prepared,
                             struct rs_error *err)
{
	struct receipts receipts RS_CLEANUP(receipts_finish) = {0};
	if (!sealing->node)
		return RS_OK;
	return sealing_prepared(sealing, rs_buffer_bytes(&prepared->report), prepared->files,
	                        prepared->file_count, &receipts, err);
}

static enum rs_code tell(const struct command_line *line, const char *directory,
                         const struct rs_prepared *prepared, struct rs_error *err)
{
	if (option_given(line, "json"))
		RS_TRY(session_write(NULL, rs_buffer_bytes(&prepared->report), err));
	else if (!option_given(line, "quiet"))
		printf("%zu volumes in %s\n", prepared->written, directory);
	fprintf(stderr, "%.*s", (int)prepared->said.size, (const char *)prepared->said.data);
	if (prepared->left_out == 0)
		return RS_OK;
	return rs_error_set(err, RS_MALFORMED, "%zu thing%s left out; prepared.json tells what",
	                    prepared->left_out, prepared->left_out == 1 ? " was" : "s were");
}

static enum rs_code permit(struct sealing *sealing, const struct rs_scans *scans, struct rs_error *err)
{
	size_t count = 0;
	const char **paths RS_CLEANUP(rs_free_pointer) = NULL;
	for (size_t s = 0; s < scans->count; s++)
		for (size_t v = 0; scans->items[s].chosen && v < scans->items[s].volume_count; v++)
			count += scans->items[s].volumes[v].image_count;
	paths = rs_allocate_array(count + 1, sizeof *paths);
	if (!paths)
		return rs_error_memory(err, count * sizeof *paths, "paths");
	count = 0;
	for (size_t s = 0; s < scans->count; s++)
		for (size_t v = 0; scans->items[s].chosen && v < scans->items[s].volume_count; v++)
			for (size_t i = 0; i < scans->items[s].volumes[v].image_count; i++) {
				const char *path = scans->items[s].volumes[v].images[i].path;
				if (count == 0 || strcmp(paths[count - 1], path) != 0)
					paths[count++] = path;
			}
	return sealing_permit_files(sealing, paths, count, err);
}

static enum rs_code prepare(const struct command_line *line, const struct rs_pipeline *pipeline,
                            const struct rs_scans *scans, const char *complaints, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct sealing sealing RS_CLEANUP(sealing_finish) = {.node = NULL};
	struct rs_prepared prepared RS_CLEANUP(rs_prepared_finish) = {.files = NULL};
	struct rs_prepare how = {.world = rs_world_system(),
	                         .pipeline = pipeline,
	                         .scans = scans,
	                         .version = RADSEAL_VERSION,
	                         .directory = option_value(line, "output"),
	                         .artery = option_value(line, "artery"),
	                         .complaints = complaints};
	how.mask = mask_of(option_value(line, "mask"), &how.mask_on);
	RS_TRY(session_pool(line, 1, &pool, err));
	how.pool = pool;
	if (!option_given(line, "quiet") && isatty(STDERR_FILENO))
		how.progress = show;
	RS_TRY(sealing_open(line, pool, RS_OPERATION_EXTRACT, false, &sealing, err));
	RS_TRY(permit(&sealing, scans, err));
	enum rs_code code = rs_prepare_study(&how, &prepared, err);
	if (how.progress)
		fputs("\r\033[K", stderr);
	RS_TRY(code);
	RS_TRY(seal_all(&sealing, &prepared, err));
	return tell(line, how.directory, &prepared, err);
}

static enum rs_code fit(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	if (line->operand_count < 2)
		return rs_error_set(err, RS_USAGE,
		                    "prepare fit: name the directories of prepared training cases");
	rs_buffer_init(&text, PIPELINE_MAX);
	RS_TRY(rs_landmarks_fit(rs_world_system(), line->operands + 1, line->operand_count - 1, &text, err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&text), err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer complaints RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_pipeline pipeline RS_CLEANUP(rs_pipeline_finish) = {.step_count = 0};
	struct rs_scans scans RS_CLEANUP(rs_scans_finish) = {.count = 0};
	const char *reference = option_value(line, "reference");
	if (line->operand_count > 0 && strcmp(line->operands[0], "fit") == 0)
		return fit(line, err);
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "prepare: name the directory with a study's files");
	RS_TRY(read_pipeline(line, &pipeline, err));
	if (reference && !rs_scan_kind_of(reference, &pipeline.reference))
		return rs_error_set(err, RS_USAGE, "--reference is T1, T1C, T2, DWI, ADC, DCE or VFA");
	rs_buffer_init(&complaints, TEXT_MAX);
	RS_TRY(find_scans(line, &pipeline, &complaints, &scans, err));
	rs_buffer_append(&complaints, "", 1);
	RS_TRY(rs_buffer_check(&complaints, "complaints", err));
	if (option_given(line, "output") && !option_given(line, "list"))
		return prepare(line, &pipeline, &scans, (const char *)complaints.data, err);
	fputs((const char *)complaints.data, stderr);
	return list(line, &scans, err);
}

static const struct option options[] = {
	{"output", "DIR", "where volumes and prepared.json go; of fit: the file of landmarks"},
	{"list", NULL, "only tell which series are what (as without --output)"},
	{"pipeline", "FILE", "steps in YAML, instead of the usual ones"},
	{"step", "STEP",
         "one step alone: denoise, bias, adc, dce, register, resample, normalise, with or without keys"},
	{"reference", "NAME", "the sequence whose grid the others are laid on (T2, where there is one)"},
	{"sequence", "SERIES=NAME",
         "what a series is, by its number or UID: T1, T1C, T2, DWI, ADC, DCE, VFA or other; may be repeated"},
	{"mask", "FILE",
         "a mask drawn on the reference, or NAME=FILE for one on that sequence: comes along as mask.nii.gz"},
	{"artery", "FILE",
         "a mask of arterial blood on the DCE series: its curve is the input of Tofts' model"},
	SEALING_OPTIONS,
	{NULL, NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};
static const struct example examples[] = {
	{"radseal prepare study/", "which series are what, and why"},
	{"radseal prepare study/ -o case/ --mask tumour.nii.gz", "all usual steps, on a grid of 1 mm of T2"},
	{"radseal prepare study/ -o case/ --sequence 7=T2 --sequence 9=other",
         "a series is T2, another is left out"},
	{"radseal prepare study/ -o maps/ --step 'adc: {model: ivim}'", "one step alone"},
	{"radseal prepare fit train/*/ -o landmarks.txt",
         "Ny\xc3\xbal's landmarks of training cases, for \"normalise: {method: landmarks, file: landmarks.txt}\""},
	{NULL, NULL},
};

const struct command command_prepare = {
	.name = "prepare",
	.arguments = "STUDY_DIR [-o DIR] [--pipeline FILE | --step STEP] | fit DIR… -o FILE",
	.summary = "from raw MR series to volumes that can be measured",
	.description =
		"Looks at every DICOM file below STUDY_DIR, whatever its name and layout, and says which series are\n"
		"T1, T2, DWI (with b-values), ADC, DCE (with times) or VFA (flip angles), by what recognised and of what\n"
		"consisting; manufacturers' private attributes are read, too. SeriesDescription is asked last.\n"
		"With -o it does the steps of a pipeline and writes NIfTI volumes on one grid, and prepared.json: what was\n"
		"recognised, what each step did, digests of sources, pipeline and volumes, and what was left out, which\n"
		"makes the exit status 1. With --home report and volumes are sealed as made from what is sealed of the study.",
	.details =
		"A pipeline is YAML: reference: T2, sequences: {SERIES: NAME}, and steps, a list of names, each alone or with\n"
		"keys; \"on: [T1, T2]\" says to which sequences it is done. Those that work on several volumes come first.\n"
		"  denoise    method: nlm, diffusion or median; strength, sigma (0: measured), search, search_z, patch,\n"
		"             rician: yes; radius (median); steps, edge (diffusion)\n"
		"  bias       N4: levels, iterations, shrink, convergence\n"
		"  adc        model: mono or ivim; b_least, b_greatest, noise_floor (times the noise)\n"
		"  dce        model: auto (Tofts where T1 is known, extended from 8 times on), none, tofts or extended;\n"
		"             before, t1_ms, relaxivity (0: that of the agent the files name), hematocrit, t1_blood_ms\n"
		"  register   transform: rigid, affine or bspline; levels, samples, bins, steps, lattice_mm, stiffness;\n"
		"             within: yes lays b-values and times onto the first of their own series\n"
		"  resample   spacing_mm: 1 or [x, y, z]; order: 0, 1 or 3; margin_mm: around the mask (-1: all of the\n"
		"             reference). Maps are laid in straight lines (order 1); a mask has what it covers by half.\n"
		"  normalise  method: zscore, percentile, landmarks or tissue; region: foreground, mask or all; low, high,\n"
		"             width; file (of landmarks)",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "sequence",
	.run = run,
};
