/* The table of settings: one row each, by which they are read from parameter files, printed and encoded. */
#ifndef RS_RADIOMICS_SETTINGS_TABLE_H
#define RS_RADIOMICS_SETTINGS_TABLE_H

#include "radiomics/radiomics.h"

enum setting_kind {
	SETTING_FLAG,
	SETTING_REAL,
	SETTING_WHOLE,
	SETTING_WHOLE64,
	SETTING_REALS,
	SETTING_WHOLES,
	SETTING_WORD,
	SETTING_TEXT,
	SETTING_CHANNEL, /* a whole number, or none */
	SETTING_IGNORED
};
enum setting_scope { OF_CASE, OF_IMAGE, OF_VOXEL };

struct setting_row {
	const char *name; /* PyRadiomics' */
	enum setting_kind kind;
	enum setting_scope scope;
	size_t offset, size;      /* in rs_radiomics_settings, or rs_image_settings when OF_IMAGE */
	size_t count_offset;      /* lists: where their length is */
	size_t least, most;       /* lists: numbers allowed; TEXT: bytes */
	const char *const *words; /* WORD: by value of the enumeration; ends with NULL */
	const char *none;         /* the value that None stands for; NULL: None is refused */
};

extern const struct setting_row setting_rows[];
extern const size_t setting_row_count;

const struct setting_row *setting_find(struct rs_str name);
const char *image_type_name(enum rs_image_type type); /* PyRadiomics', "LBP2D" */
/* How many values a list has; 1 of what is no list. */
size_t setting_count(const struct setting_row *row, const void *base);
/* A value of any kind but TEXT as a number: flags are 0 or 1, words their place among the words. All are exact. */
double setting_number(const struct setting_row *row, const void *base, size_t index);
/* false when text is no value of that setting; base: the struct the offset counts from */
bool setting_assign(const struct setting_row *row, void *base, const char *text);
/* The chosen rows of a family's table in the order of output; returns how many. */
size_t settings_features(const struct rs_radiomics_settings *settings, enum rs_family family,
                         uint8_t out_rows[RS_RADIOMICS_FEATURES_MAX]);
/* What holds for one image: the common settings, but those the type has of its own. */
struct rs_image_settings image_settings(const struct rs_radiomics_settings *settings, size_t image);

#endif
