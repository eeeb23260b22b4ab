/* Options of learners and steps: each brings a table of them, which the study file is read by. */
#ifndef RS_PROGNOSIS_SETTING_H
#define RS_PROGNOSIS_SETTING_H

#include <stddef.h>
#include <stdint.h>

enum setting_kind {
	SETTING_COUNT,  /* uint64_t */
	SETTING_NUMBER, /* double */
	SETTING_WORD,   /* uint32_t: which of the words */
	SETTING_TEXT    /* const char *, of the study; NULL: not given */
};
/* The first of a table may be given without its name: "keep: 20". A list of values stands for candidates, of which inner
 * folds choose one. */
struct setting {
	const char *name; /* NULL ends a table */
	enum setting_kind kind;
	size_t offset; /* in the options */
	double minimum, maximum, initial;
	const char *const *words; /* of SETTING_WORD, ends with NULL; initial counts from 0 */
};

#endif
