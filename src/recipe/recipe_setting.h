/* Options of learners and steps: each brings a table of them, which the study file is read by. */
#ifndef RS_RECIPE_SETTING_H
#define RS_RECIPE_SETTING_H

#include <stddef.h>
#include <stdint.h>

enum rs_setting_kind {
	RS_SETTING_COUNT,  /* uint64_t */
	RS_SETTING_NUMBER, /* double */
	RS_SETTING_WORD,   /* uint32_t: which of the words */
	RS_SETTING_TEXT    /* const char *, of the study; NULL: not given */
};
/* The first of a table may be given without its name: "keep: 20". A list of values stands for candidates, of which inner
 * folds choose one. */
struct rs_setting {
	const char *name; /* NULL ends a table */
	enum rs_setting_kind kind;
	size_t offset; /* in the options */
	double minimum, maximum, initial;
	const char *const *words; /* of RS_SETTING_WORD, ends with NULL; initial counts from 0 */
};
/* To options of this table. A text stays as it is. */
void rs_setting_put(const struct rs_setting *setting, double value, void *options);
/* options: zeros, become those of a study that names none. */
void rs_settings_usual(const struct rs_setting *settings, void *options);

/* Room for the options of any learner or step, for those that the program chooses itself. */
struct rs_options {
	union {
		uint64_t count;
		double number;
		const char *text;
	} room[16];
};
/* size: options_size of the learner or step. */
void rs_options_init(const struct rs_setting *settings, size_t size, struct rs_options *out);
void rs_options_set(const struct rs_setting *settings, const char *name, double value,
                    struct rs_options *options);

#endif
