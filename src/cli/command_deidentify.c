/* radseal deidentify: copies of DICOM files that name nobody, by PS3.15 Annex E. */
#include <stdio.h>
#include <string.h>

#include "deidentify/deidentify.h"
#include "node/node_subject.h"
#include "report.h"
#include "session.h"
#include "workflow/workflow_walk.h"

#define INPUT_SIZE_MAX ((size_t)4 << 30)
#define LOG_SIZE_MAX ((size_t)1 << 30)
#define KEY_TEXT_MAX 4096

struct work {
	struct rs_deidentification how;
	struct rs_secret key;
	const char *output;
	struct report report;
	struct rs_buffer log; /* a line of JSON for each file */
	struct rs_json json;
	bool wants_log;
	size_t done, refused;
};

static void work_finish(struct work *work)
{
	rs_secret_finish(&work->key);
	rs_buffer_finish(&work->log);
	report_finish(&work->report);
}

/* ---- options ---- */

static const struct {
	const char *option, *word;
	unsigned bit;
} words[] = {
	{"retain", "private", RS_DEIDENTIFY_PRIVATE},
	{"retain", "uids", RS_DEIDENTIFY_UIDS},
	{"retain", "device", RS_DEIDENTIFY_DEVICE},
	{"retain", "institution", RS_DEIDENTIFY_INSTITUTION},
	{"retain", "patient", RS_DEIDENTIFY_PATIENT},
	{"clean", "descriptors", RS_DEIDENTIFY_DESCRIPTORS},
	{"clean", "structured", RS_DEIDENTIFY_STRUCTURED},
	{"clean", "graphics", RS_DEIDENTIFY_GRAPHICS},
	{"dates", "remove", 0},
	{"dates", "shift", RS_DEIDENTIFY_SHIFTED_DATES},
	{"dates", "keep", RS_DEIDENTIFY_FULL_DATES},
};

static enum rs_code read_words(const struct command_line *line, const char *option, unsigned *options,
                               struct rs_error *err)
{
	struct rs_str rest = rs_str_from(option_value(line, option)), word;
	while (rs_str_split(&rest, ',', &word)) {
		size_t i = 0;
		while (i < RS_COUNT(words) && (strcmp(words[i].option, option) != 0 ||
		                               !rs_str_equal_text(rs_str_trim(word), words[i].word)))
			i++;
		if (i == RS_COUNT(words))
			return rs_error_set(err, RS_USAGE, "--%s: '%.*s' is none of its words; see --help",
			                    option, word.size > 40 ? 40 : (int)word.size, word.data);
		*options |= words[i].bit;
	}
	return RS_OK;
}

/* 64 hexadecimal digits in a file of the user alone; made when it is missing. */
static enum rs_code read_key(const char *path, struct rs_secret *out, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct rs_buffer text RS_CLEANUP(rs_secret_buffer_finish) = {0};
	char hex[2 * RS_KEY_SIZE + 1];
	if (!rs_path_exists(world, path)) {
		RS_TRY(rs_secret_random(world, out, err));
		rs_hex_encode(rs_bytes_of(out->bytes, RS_KEY_SIZE), hex);
		enum rs_code code = rs_file_replace(world, path, rs_bytes_of(hex, 2 * RS_KEY_SIZE), 0600,
		                                    err);
		rs_wipe(hex, sizeof hex);
		return code;
	}
	RS_TRY(rs_file_read_all(world, path, KEY_TEXT_MAX, &text, err));
	if (!rs_hex_decode(rs_str_trim(rs_buffer_str(&text)), out->bytes, RS_KEY_SIZE))
		return rs_error_set(err, RS_MALFORMED, "%s: a key is 64 hexadecimal digits", path);
	return RS_OK;
}

static enum rs_code find_key(const struct command_line *line, struct rs_secret *out, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	const char *path = option_value(line, "key"), *project = option_value(line, "project");
	if (!path == !project)
		return rs_error_set(err, RS_USAGE,
		                    "deidentify: whose pseudonyms? --key FILE, or --project NAME of a node");
	if (path)
		return read_key(path, out, err);
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
	rs_node_project_key(node, rs_str_from(project), out);
	return RS_OK;
}

/* ---- files ---- */

static void note_act(void *context, enum rs_deidentify_act act, const char *path)
{
	struct work *work = context;
	rs_json_key(&work->json, path);
	rs_json_text(&work->json, rs_deidentify_act_name(act));
}

static const char *or_none(const char *uid) { return *uid ? uid : "none"; }

/* The same object may come again; another one under its name is not written over it. */
static enum rs_code check_free(const char *path, struct rs_bytes content, struct rs_error *err)
{
	struct rs_buffer there RS_CLEANUP(rs_buffer_finish) = {0};
	if (!rs_path_exists(rs_world_system(), path))
		return RS_OK;
	RS_TRY(rs_file_read_all(rs_world_system(), path, INPUT_SIZE_MAX, &there, err));
	return rs_bytes_equal(rs_buffer_bytes(&there), content)
	               ? RS_OK
	               : rs_error_set(err, RS_EXISTS, "another object of the same SOPInstanceUID is %s",
	                              path);
}

/* OUTPUT/PSEUDONYM/STUDY/SERIES/INSTANCE.dcm */
static enum rs_code write_file(const struct work *work, const struct rs_deidentified *names,
                               struct rs_bytes content, char **out_path, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	char *directory RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s/%s/%s/%s", work->output, names->pseudonym, or_none(names->study_instance_uid),
		or_none(names->series_instance_uid));
	char *path RS_CLEANUP(rs_free_pointer) = directory ? rs_text_printf("%s/%s.dcm", directory,
	                                                                    or_none(names->sop_instance_uid))
	                                                   : NULL;
	if (!path)
		return rs_error_memory(err, strlen(work->output), "a path");
	RS_TRY(rs_directory_make(world, directory, err));
	RS_TRY(check_free(path, content, err));
	RS_TRY(rs_file_replace(world, path, content, 0600, err));
	*out_path = path;
	path = NULL;
	return RS_OK;
}

static enum rs_code treat(struct work *work, const char *path, char **out_path, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_deidentified names;
	RS_TRY(rs_file_read_all(rs_world_system(), path, INPUT_SIZE_MAX, &file, err));
	RS_TRY(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err));
	rs_buffer_init(&out, INPUT_SIZE_MAX);
	RS_TRY(rs_deidentify(&dicom, &work->how, &out, &names, err));
	return write_file(work, &names, rs_buffer_bytes(&out), out_path, err);
}

static bool is_dicom(const char *path)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint8_t start[132];
	size_t got;
	uint64_t size;
	if (rs_file_open_to_read(rs_world_system(), path, SIZE_MAX, &file, &size, NULL) != RS_OK ||
	    size < sizeof start || rs_file_read_at(file, 0, start, sizeof start, &got, NULL) != RS_OK)
		return false;
	return rs_dicom_begins(rs_bytes_of(start, sizeof start));
}

/* What was refused is told, and nothing of it written; the others go on. */
static enum rs_code treat_one(struct work *work, const struct walked_file *file, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_error reason = {0};
	size_t log_before = work->log.size;
	if (!file->named && !is_dicom(file->path))
		return RS_OK;
	rs_json_init(&work->json, &work->log, false);
	rs_json_object_begin(&work->json);
	enum rs_code code = treat(work, file->path, &path, &reason);
	if (code == RS_NO_SPACE || code == RS_NO_MEMORY || code == RS_IO)
		return rs_error_set(err, code, "%s", reason.message);
	const char *what = code == RS_OK ? "done" : code == RS_REFUSED ? "quarantined" : "failed";
	const struct field fields[] = {{"outcome", what, 11},
	                               {"output", path, 1},
	                               {"input", file->path, 0},
	                               {"reason", reason.message, 0}};
	report_row(&work->report, fields, RS_COUNT(fields));
	if (code != RS_OK) {
		fprintf(stderr, "radseal: %s: %s: %s\n", what, file->path, reason.message);
		work->log.size = log_before;
		work->refused++;
		return RS_OK;
	}
	rs_json_key(&work->json, "output");
	rs_json_text(&work->json, path + strlen(work->output) + 1);
	rs_json_object_end(&work->json);
	rs_buffer_append_text(&work->log, "\n");
	if (!work->wants_log)
		work->log.size = log_before;
	work->done++;
	return rs_buffer_check(&work->log, "the log of actions", err);
}

static enum rs_code treat_all(struct work *work, const struct command_line *line, struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	for (size_t i = 0; i < line->operand_count; i++)
		RS_TRY(walk_add(rs_world_system(), line->operands[i], &walk, err));
	for (size_t i = 0; i < walk.count; i++)
		RS_TRY(treat_one(work, &walk.files[i], err));
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct work work RS_CLEANUP(work_finish) = {.output = option_value(line, "output"),
	                                            .wants_log = option_given(line, "log")};
	static const char *const lists[] = {"retain", "clean", "dates"};
	if (line->operand_count == 0 || !work.output)
		return rs_error_set(err, RS_USAGE,
		                    "deidentify: name files or folders, and -o DIR for what comes of them");
	for (size_t i = 0; i < RS_COUNT(lists); i++)
		if (option_given(line, lists[i]))
			RS_TRY(read_words(line, lists[i], &work.how.options, err));
	RS_TRY(find_key(line, &work.key, err));
	work.how.key = &work.key;
	work.how.pixels_are_clean = option_given(line, "pixels-are-clean");
	work.how.visit = note_act;
	work.how.context = &work;
	rs_buffer_init(&work.log, LOG_SIZE_MAX);
	report_begin(&work.report, line, true);
	enum rs_code code = treat_all(&work, line, err);
	RS_TRY(report_end(&work.report, code == RS_OK ? err : &(struct rs_error){0}));
	RS_TRY(code);
	if (work.wants_log)
		RS_TRY(rs_file_replace(rs_world_system(), option_value(line, "log"),
		                       rs_buffer_bytes(&work.log), 0600, err));
	return work.refused ? rs_error_set(err, RS_ALTERED, "%zu of %zu files were put aside", work.refused,
	                                   work.refused + work.done)
	                    : RS_OK;
}

static const struct option options[] = {
	{"output", "DIR", "where the copies go: DIR/PSEUDONYM/STUDY/SERIES/INSTANCE.dcm"},
	{"key", "FILE",
         "the project's key, made when it is missing: pseudonyms, UIDs and shifts come from it; keep it apart"},
	{"project", "NAME", "a key of the node for this project, in place of --key"},
	{"retain", "LIST",
         "private (of the safe ones), uids, device, institution, patient (sex, size, age up to 89)"},
	{"clean", "LIST", "descriptors, structured, graphics: known words of imaging stay, all else goes"},
	{"dates", "WORD",
         "remove, shift (each patient's by a number of days of its own), keep; otherwise remove"},
	{"pixels-are-clean", NULL, "somebody looked: no text is burned into the pixels"},
	{"log", "FILE", "what was done to which attribute, as lines of JSON without values"},
	{NULL, NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static const struct example examples[] = {
	{"radseal deidentify study/ -o shared/ --key trial.key --dates shift --clean descriptors",
         "a study for a trial: intervals and protocol names stay"},
	{"radseal deidentify study/ -o shared/ --project lungs --home /srv/radseal --retain device --log acts.jsonl",
         "pseudonyms that the node can make again"},
	{NULL, NULL},
};

const struct command command_deidentify = {
	.name = "deidentify",
	.arguments = "FILE|DIR… -o DIR --key FILE|--project NAME [--home DIR]",
	.summary = "copies of DICOM files that name nobody (PS3.15 Annex E)",
	.description =
		"Writes copies by the Basic Application Level Confidentiality Profile of DICOM PS3.15 (Table E.1-1), into\n"
		"sequences at every depth: identifying attributes are removed, emptied or replaced, private ones and those\n"
		"that no dictionary knows removed, UIDs mapped alike everywhere, and what was done is stated in the file. The\n"
		"same key gives a patient the same pseudonym. Objects whose pixels may hold text (BurnedInAnnotation, secondary\n"
		"captures, ultrasound), and documents, are put aside: told of, not written, exit status 1. Pixel data stays bit\n"
		"for bit; faces in head scans do, too.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.run = run,
};
