/* radseal prepare: from the raw MR series of a study to volumes that can be measured. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prepare/prepare.h"
#include "session.h"

#define TEXT_MAX ((size_t)64 << 20)

/* "12=T2", "1.2.840.113619.2=other". The names are cut in `texts`. */
static enum rs_code read_overrides(const struct command_line *line, struct rs_scan_override *out,
                                   struct rs_buffer *texts, struct rs_error *err)
{
	rs_buffer_init(texts, 1 << 16);
	RS_TRY(rs_buffer_reserve(texts, 1 << 16));
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

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_scan_override overrides[REPEATS_MAX];
	struct rs_buffer texts RS_CLEANUP(rs_buffer_finish) = {0},
			       complaints RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_scans scans RS_CLEANUP(rs_scans_finish) = {.count = 0};
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "prepare: name the directory with a study's files");
	RS_TRY(read_overrides(line, overrides, &texts, err));
	rs_buffer_init(&complaints, TEXT_MAX);
	RS_TRY(rs_scans_find(rs_world_system(), line->operands[0], overrides, line->repeat_count, &complaints,
	                     &scans, err));
	if (complaints.size > 0)
		fprintf(stderr, "%.*s", (int)complaints.size, (const char *)complaints.data);
	return list(line, &scans, err);
}

static const struct option options[] = {
	{"sequence", "SERIES=NAME",
         "what a series is, by its number or UID: T1, T1C, T2, DWI, ADC, DCE, VFA or other; may be repeated"},
	{NULL, NULL, NULL},
};
static const struct example examples[] = {
	{"radseal prepare study/", "which series are what, and why"},
	{"radseal prepare study/ --sequence 7=T2 --sequence 9=other", "a series is T2, another is left out"},
	{NULL, NULL},
};

const struct command command_prepare = {
	.name = "prepare",
	.arguments = "STUDY_DIR [--sequence SERIES=NAME]",
	.summary = "recognise the MR sequences of a study",
	.description =
		"Looks at every DICOM file below STUDY_DIR, whatever its name and layout, and says which series are\n"
		"T1, T2, DWI (with b-values), ADC, DCE (with times) or VFA (flip angles), by what recognised and of what\n"
		"consisting; manufacturers' private attributes are read, too. SeriesDescription is asked last.",
	.options = options,
	.examples = examples,
	.repeatable = "sequence",
	.run = run,
};
