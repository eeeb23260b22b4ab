/* From the options of `radseal extract` to settings, and to where its rows go. */
#include "extract_options.h"

#include <string.h>

#define SETTINGS_SIZE_MAX ((size_t)1 << 20)

/* "name:value", as PyRadiomics has it, or "name=value". */
static enum rs_code apply_setting(const char *text, struct rs_radiomics_settings *settings,
                                  struct rs_error *err)
{
	const char *sign = strpbrk(text, ":=");
	if (sign == NULL || sign == text)
		return rs_error_set(err, RS_USAGE, "--setting %s: write name:value, as binWidth:25", text);
	char *name RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(
		(struct rs_str){text, (size_t)(sign - text)});
	if (name == NULL)
		return rs_error_memory(err, strlen(text), "a setting");
	if (rs_radiomics_settings_set(settings, name, sign + 1, err) != RS_OK) {
		rs_error_context(err, "--setting %s", text);
		return err->code = RS_USAGE;
	}
	return RS_OK;
}

/* PyRadiomics' own modes are segment and voxel; maps are asked for by the latter. */
static enum rs_code apply_mode(const char *mode, struct rs_radiomics_settings *settings, struct rs_error *err)
{
	if (strcmp(mode, "ibsi") == 0)
		settings->mode = RS_RADIOMICS_IBSI;
	else if (strcmp(mode, "pyradiomics") == 0 || strcmp(mode, "segment") == 0 ||
	         strcmp(mode, "voxel") == 0)
		settings->mode = RS_RADIOMICS_PYRADIOMICS;
	else
		return rs_error_set(err, RS_USAGE, "--mode is pyradiomics, ibsi or voxel, not '%s'", mode);
	return RS_OK;
}

/* Settings that ship with radseal, by name, else a file. */
static enum rs_code read_params(const char *path, struct rs_radiomics_settings *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	if (rs_str_starts_with(rs_str_from(path), "ibsi-") && !rs_path_exists(rs_world_system(), path)) {
		if (rs_radiomics_settings_named(path, out, err) != RS_OK)
			return err->code = RS_USAGE;
		return RS_OK;
	}
	RS_TRY(rs_file_read_all(rs_world_system(), path, SETTINGS_SIZE_MAX, &file, err));
	if (rs_radiomics_settings_parse(rs_buffer_bytes(&file), out, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return RS_OK;
}

enum rs_code extract_settings(const struct command_line *line, struct rs_radiomics_settings *out,
                              struct rs_error *err)
{
	const char *params = option_value(line, "params"), *mode = option_value(line, "mode");
	const char *roi = option_value(line, "minimum-roi"), *label = option_value(line, "label");
	uint64_t number;
	rs_radiomics_settings_default(out);
	if (params)
		RS_TRY(read_params(params, out, err));
	if (mode)
		RS_TRY(apply_mode(mode, out, err));
	for (size_t i = 0; i < line->repeat_count; i++)
		RS_TRY(apply_setting(line->repeats[i], out, err));
	if (roi && rs_radiomics_settings_set(out, "minimumROISize", roi, err) != RS_OK)
		return err->code = RS_USAGE;
	if (label && rs_parse_u64(rs_str_from(label), &number) &&
	    rs_radiomics_settings_set(out, "label", label, err) != RS_OK)
		return err->code = RS_USAGE;
	return rs_radiomics_settings_check(out, err);
}

static enum rs_code choose_word(const struct command_line *line, const char *name, const char *const *words,
                                int fallback, int *out, struct rs_error *err)
{
	const char *text = option_value(line, name);
	*out = fallback;
	if (text == NULL)
		return RS_OK;
	for (*out = 0; words[*out] != NULL; ++*out)
		if (strcmp(words[*out], text) == 0)
			return RS_OK;
	return rs_error_set(err, RS_USAGE, "--%s is %s, %s or %s, not '%s'", name, words[0], words[1],
	                    words[2], text);
}

/* By --format, else by the name's ending, else lines of text, as PyRadiomics prints them. */
enum rs_code extract_output(const struct command_line *line, bool one_row, struct output *out,
                            struct rs_error *err)
{
	static const char *const formats[] = {"txt", "csv", "json", NULL};
	static const char *const paths[] = {"absolute", "relative", "basename", NULL};
	struct rs_str path;
	int format = OUTPUT_TEXT, form = -1;
	out->world = rs_world_system();
	out->path = option_value(line, "output");
	out->directory = option_value(line, "out-dir");
	out->skip_nans = option_given(line, "skip-nans");
	path = rs_str_from(out->path);
	if (option_given(line, "json") || rs_str_ends_with(path, ".json"))
		format = OUTPUT_JSON;
	else if (rs_str_ends_with(path, ".csv"))
		format = OUTPUT_CSV;
	RS_TRY(choose_word(line, "format", formats, format, &format, err));
	RS_TRY(choose_word(line, "format-path", paths, -1, &form, err));
	out->format = (enum output_format)format;
	/* A table, several regions, or PyRadiomics' own option: an array, as it prints. */
	out->array = option_given(line, "format") || !one_row;
	out->paths = (enum output_paths)(form + 1);
	return RS_OK;
}
