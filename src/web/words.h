/* Words for rights and purposes, as files and requests write them. */
#ifndef WEB_WORDS_H
#define WEB_WORDS_H

#include "web/web_caller.h"

/* Rights with commas between, or all; false for an unknown one, and for none. */
bool rights_parse(struct rs_str text, unsigned *out);
bool purpose_parse(struct rs_str text, enum rs_purpose *out);

#endif
