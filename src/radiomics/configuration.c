/* Settings and image types in force as JSON, under PyRadiomics' names: first the settings that PyRadiomics always
 * prints, in its order, then the others, so that a reader finds what it knows and nothing is left unsaid. */
#include <string.h>

#include "radiomics/diagnostics.h"
#include "radiomics/settings_table.h"

#define CONFIGURATION_MAX ((size_t)64 << 10)

/* Whether a value stands for None. */
static bool is_none(const struct setting_row *row, const void *base)
{
	double none, number = setting_number(row, base, 0);
	if (row->kind == SETTING_CHANNEL)
		return number >= RS_LABEL_CHANNEL_NONE;
	if (row->none == NULL)
		return row->kind == SETTING_IGNORED;
	if (row->kind == SETTING_WORD)
		return strcmp(row->words[(size_t)number], row->none) == 0;
	return setting_count(row, base) == 0 ||
	       (rs_parse_f64(rs_str_from(row->none), &none) && number >= none && number <= none);
}

static void write_value(struct rs_json *json, const struct setting_row *row, const void *base)
{
	double number = setting_number(row, base, 0);
	if (is_none(row, base)) {
		rs_json_null(json);
		return;
	}
	switch (row->kind) {
	case SETTING_FLAG: rs_json_bool(json, number > 0); return;
	case SETTING_WORD: rs_json_text(json, row->words[(size_t)number]); return;
	case SETTING_REALS:
	case SETTING_WHOLES:
		rs_json_array_begin(json);
		for (size_t i = 0; i < setting_count(row, base); i++)
			rs_json_f64(json, setting_number(row, base, i));
		rs_json_array_end(json);
		return;
	case SETTING_TEXT: rs_json_text(json, (const char *)base + row->offset); return;
	default: rs_json_f64(json, number); return;
	}
}

static enum rs_code finish(struct rs_buffer *buffer, char **out, struct rs_error *err)
{
	RS_TRY(rs_buffer_check(buffer, "the configuration", err));
	*out = rs_str_duplicate(rs_buffer_str(buffer));
	return *out != NULL ? RS_OK : rs_error_memory(err, rs_buffer_str(buffer).size, "the configuration");
}

enum rs_code configuration_settings(const struct rs_radiomics_settings *settings, char **out,
                                    struct rs_error *err)
{
	/* source: PyRadiomics 3.0.1, defaults of its extractor */
	static const char *const first[] = {"minimumROIDimensions",
	                                    "minimumROISize",
	                                    "normalize",
	                                    "normalizeScale",
	                                    "removeOutliers",
	                                    "resampledPixelSpacing",
	                                    "interpolator",
	                                    "preCrop",
	                                    "padDistance",
	                                    "distances",
	                                    "force2D",
	                                    "force2Ddimension",
	                                    "resegmentRange",
	                                    "label",
	                                    "additionalInfo"};
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	bool written[64] = {false};
	rs_buffer_init(&buffer, CONFIGURATION_MAX);
	rs_json_init(&json, &buffer, false);
	rs_json_object_begin(&json);
	for (size_t i = 0; i < RS_COUNT(first) + setting_row_count; i++) {
		const struct setting_row *row = i < RS_COUNT(first) ? setting_find(rs_str_from(first[i]))
		                                                    : &setting_rows[i - RS_COUNT(first)];
		size_t at = (size_t)(row - setting_rows);
		if (written[at] || row->kind == SETTING_IGNORED)
			continue;
		written[at] = true;
		rs_json_key(&json, row->name);
		write_value(&json, row, row->scope == OF_IMAGE ? (const void *)&settings->common : settings);
	}
	rs_json_object_end(&json);
	return finish(&buffer, out, err);
}

enum rs_code configuration_images(const struct rs_radiomics_settings *settings, char **out,
                                  struct rs_error *err)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&buffer, CONFIGURATION_MAX);
	rs_json_init(&json, &buffer, false);
	rs_json_object_begin(&json);
	for (size_t i = 0; i < settings->image_count; i++) {
		const struct rs_image_choice *choice = &settings->images[i];
		rs_json_key(&json, image_type_name(choice->type));
		rs_json_object_begin(&json);
		for (size_t k = 0; k < setting_row_count; k++)
			if (choice->own >> k & 1) {
				rs_json_key(&json, setting_rows[k].name);
				write_value(&json, &setting_rows[k], &choice->settings);
			}
		rs_json_object_end(&json);
	}
	rs_json_object_end(&json);
	return finish(&buffer, out, err);
}
