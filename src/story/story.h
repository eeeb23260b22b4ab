/* The demonstration: the whole way from scanners to a prognosis that can be proved, told in chapters. Every step is a command
 * of this program, run as anybody would type it, on data that are made for it; nothing is shown that did not happen. */
#ifndef RS_STORY_H
#define RS_STORY_H

#include <stdio.h>

#include "base/base.h"

#define RS_STORY_PATIENTS_MIN 16
#define RS_STORY_PATIENTS_MAX 400

struct rs_story {
	const char
		*directory; /* there, and empty: all of it lies there afterwards; index.html tells it again */
	size_t patients;    /* to learn from; one more is predicted */
	uint64_t seed;
	const char *version;
	FILE *out; /* where it is told */
};
/* errors  RS_IO: a command did not end as it should; the sentence is the command's */
enum rs_code rs_story_tell(const struct rs_story *story, struct rs_error *err);

#endif
