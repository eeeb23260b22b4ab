/* radseal extract: the features of one region of one image. */
#include <stdio.h>
#include <string.h>

#include "image/image.h"
#include "radiomics/radiomics.h"
#include "session.h"

#define SETTINGS_SIZE_MAX ((size_t)1 << 20)
#define OUTPUT_SIZE_MAX ((size_t)64 << 20)

static enum rs_code read_settings(const struct command_line *line, struct rs_radiomics_settings *out,
                                  struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "params"), *mode = option_value(line, "mode");
	rs_radiomics_settings_default(out);
	if (path) {
		RS_TRY(rs_file_read_all(rs_world_system(), path, SETTINGS_SIZE_MAX, &file, err));
		if (rs_radiomics_settings_parse(rs_buffer_bytes(&file), out, err) != RS_OK)
			return rs_error_context(err, "%s", path);
	}
	if (mode && strcmp(mode, "ibsi") == 0)
		out->mode = RS_RADIOMICS_IBSI;
	else if (mode && strcmp(mode, "pyradiomics") != 0)
		return rs_error_set(err, RS_USAGE, "--mode is pyradiomics or ibsi, not '%s'", mode);
	if (option_given(line, "label") &&
	    rs_radiomics_settings_set(out, "label", option_value(line, "label"), err) != RS_OK)
		return err->code = RS_USAGE;
	return rs_radiomics_settings_check(out, err);
}

static enum rs_code read_case(const char *image_path, const char *mask_path,
                              const struct rs_radiomics_settings *settings, struct rs_volume *image,
                              struct rs_mask *mask, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	char note[256] = "";
	if (rs_volume_read(world, image_path, image, err) != RS_OK)
		return rs_error_context(err, "image");
	if (rs_mask_read(world, mask_path, mask, err) != RS_OK)
		return rs_error_context(err, "mask");
	double tolerance_mm = settings->geometry_tolerance * image->geometry.spacing_mm[0];
	RS_TRY(rs_mask_match(&image->geometry, mask, tolerance_mm, note, sizeof note, err));
	if (note[0])
		fprintf(stderr, "note: %s\n", note);
	return RS_OK;
}

static void write_json(const struct rs_radiomics_result *result, struct rs_buffer *out)
{
	struct rs_json json;
	rs_json_init(&json, out, true);
	rs_json_object_begin(&json);
	for (size_t i = 0; i < result->diagnostic_count; i++) {
		const struct rs_radiomics_diagnostic *row = &result->diagnostics[i];
		rs_json_key(&json, row->name);
		if (row->quoted) {
			rs_json_text(&json, row->text);
		} else {
			json.after_key = false;
			rs_buffer_append_text(out, row->text); /* valid JSON by its contract */
		}
	}
	for (size_t i = 0; i < result->count; i++) {
		rs_json_key(&json, result->values[i].name);
		rs_json_f64(&json, result->values[i].value);
	}
	rs_json_object_end(&json);
	rs_buffer_append_text(out, "\n");
}

/* RFC 4180: quotes around what holds a comma, a quote or a line end. */
static void csv_field(struct rs_buffer *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		rs_buffer_append_text(out, text);
		return;
	}
	rs_buffer_append_u8(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			rs_buffer_append_u8(out, '"');
		rs_buffer_append_u8(out, (uint8_t)*p);
	}
	rs_buffer_append_u8(out, '"');
}

static void write_csv(const struct command_line *line, const struct rs_radiomics_result *result,
                      struct rs_buffer *out)
{
	rs_buffer_append_text(out, "Image,Mask");
	for (size_t i = 0; i < result->diagnostic_count; i++)
		rs_buffer_printf(out, ",%s", result->diagnostics[i].name);
	for (size_t i = 0; i < result->count; i++)
		rs_buffer_printf(out, ",%s", result->values[i].name);
	rs_buffer_append_text(out, "\n");
	csv_field(out, line->operands[0]);
	rs_buffer_append_u8(out, ',');
	csv_field(out, line->operands[1]);
	for (size_t i = 0; i < result->diagnostic_count; i++) {
		rs_buffer_append_u8(out, ',');
		csv_field(out, result->diagnostics[i].text);
	}
	for (size_t i = 0; i < result->count; i++) {
		rs_buffer_append_u8(out, ',');
		rs_buffer_append_f64_text(out, result->values[i].value);
	}
	rs_buffer_append_text(out, "\n");
}

static enum rs_code write_result(const struct command_line *line, const struct rs_radiomics_result *result,
                                 struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "output");
	bool json = option_given(line, "json") || (path && rs_str_ends_with(rs_str_from(path), ".json"));
	if (path && !json && !rs_str_ends_with(rs_str_from(path), ".csv"))
		return rs_error_set(err, RS_USAGE, "-o %s: the name must end in .csv or .json", path);
	rs_buffer_init(&out, OUTPUT_SIZE_MAX);
	if (json)
		write_json(result, &out);
	else
		write_csv(line, result, &out);
	RS_TRY(rs_buffer_check(&out, "the result", err));
	return session_write(path, rs_buffer_bytes(&out), err);
}

/* Status 3 belongs to the contract; a region that cannot be measured is a failed check. What is not found in files
 * that are there is such a region too. */
static enum rs_code failed_check(const struct command_line *line, enum rs_code code, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	if (code == RS_REFUSED || (code == RS_NOT_FOUND && rs_path_exists(world, line->operands[0]) &&
	                           rs_path_exists(world, line->operands[1])))
		return err->code = RS_MALFORMED;
	return code;
}

static enum rs_code measure(const struct command_line *line, const struct rs_radiomics_settings *settings,
                            struct rs_radiomics_result *out, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_volume image RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(read_case(line->operands[0], line->operands[1], settings, &image, &mask, err));
	return rs_radiomics_extract(&image, &mask, settings, pool, out, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "extract: name an image and its mask: radseal extract IMAGE MASK");
	RS_TRY(read_settings(line, &settings, err));
	enum rs_code code = measure(line, &settings, &result, err);
	return code == RS_OK ? write_result(line, &result, err) : failed_check(line, code, err);
}

static const struct option options[] = {
	{"mode", "MODE", "pyradiomics (default) or ibsi"},
	{"params", "FILE", "a parameter file of PyRadiomics (YAML or JSON)"},
	{"label", "N", "the label of the region in the mask (default: 1)"},
	{"output", "FILE", "write to FILE.csv or FILE.json instead of standard output; short: -o"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal extract t2.nii.gz tumour.nii.gz -o features.csv", "one row of features"},
	{"radseal extract series/ tumour.dcm --params Params.yaml --json", "a DICOM series and a DICOM SEG"},
	{NULL, NULL},
};

const struct command command_extract = {
	.name = "extract",
	.arguments = "IMAGE MASK [--mode M] [--params FILE] [--label N] [-o FILE]",
	.summary = "measure a region: radiomic features",
	.description =
		"Measures the region that MASK outlines in IMAGE, and prints the features as CSV, or with --json as\n"
		"one flat object. Reads DICOM series, NIfTI, NRRD and MetaImage; DICOM SEG as mask. Image and mask\n"
		"must lie in the same physical space; header noise is repaired and reported.",
	.options = options,
	.examples = examples,
	.run = run,
};
