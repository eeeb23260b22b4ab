/* Settings and image types in force as JSON, under PyRadiomics' names: first the settings that PyRadiomics always
 * prints, in its order, then the others, so that a reader finds what it knows and nothing is left unsaid. */
#include <string.h>

#include "radiomics/diagnostics.h"
#include "radiomics/settings_table.h"

#define CONFIGURATION_MAX ((size_t)64 << 10)

static void write_list(struct rs_json *json, const struct setting_row *row, const unsigned char *base)
{
	size_t count;
	memcpy(&count, base + row->count_offset, sizeof count);
	if (count == 0 && row->none != NULL) {
		rs_json_null(json);
		return;
	}
	rs_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		unsigned whole;
		double real;
		if (row->kind == SETTING_WHOLES) {
			memcpy(&whole, base + row->offset + i * sizeof whole, sizeof whole);
			rs_json_u64(json, whole);
		} else {
			memcpy(&real, base + row->offset + i * sizeof real, sizeof real);
			rs_json_f64(json, real);
		}
	}
	rs_json_array_end(json);
}

/* A value that stands for None is null. */
static void write_number(struct rs_json *json, const struct setting_row *row, double value)
{
	double none;
	if (row->none != NULL && rs_parse_f64(rs_str_from(row->none), &none) && !(value < none) &&
	    !(value > none))
		rs_json_null(json);
	else
		rs_json_f64(json, value);
}

static void write_word(struct rs_json *json, const struct setting_row *row, uint32_t value)
{
	if (row->none != NULL && strcmp(row->words[value], row->none) == 0)
		rs_json_null(json);
	else
		rs_json_text(json, row->words[value]);
}

static void write_value(struct rs_json *json, const struct setting_row *row, const void *base)
{
	const unsigned char *field = (const unsigned char *)base + row->offset;
	bool flag;
	double real;
	uint32_t narrow;
	uint64_t whole;
	switch (row->kind) {
	case SETTING_FLAG:
		memcpy(&flag, field, sizeof flag);
		rs_json_bool(json, flag);
		return;
	case SETTING_REAL:
		memcpy(&real, field, sizeof real);
		write_number(json, row, real);
		return;
	case SETTING_WHOLE:
		memcpy(&narrow, field, sizeof narrow);
		write_number(json, row, (double)narrow);
		return;
	case SETTING_WORD:
		memcpy(&narrow, field, sizeof narrow);
		write_word(json, row, narrow);
		return;
	case SETTING_CHANNEL:
		memcpy(&narrow, field, sizeof narrow);
		if (narrow == RS_LABEL_CHANNEL_NONE)
			rs_json_null(json);
		else
			rs_json_u64(json, narrow);
		return;
	case SETTING_WHOLE64:
		memcpy(&whole, field, sizeof whole);
		write_number(json, row, (double)whole);
		return;
	case SETTING_REALS:
	case SETTING_WHOLES: write_list(json, row, base); return;
	case SETTING_TEXT: rs_json_text(json, (const char *)field); return;
	case SETTING_IGNORED: rs_json_null(json); return;
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
