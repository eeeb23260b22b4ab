/* Names in one form: without case and without what is empty at their ends. */
#ifndef RS_CATALOGUE_FOLD_H
#define RS_CATALOGUE_FOLD_H

#include "base/base.h"

/* Bytes of the character of UTF-8 at `at`; 1 for what is none. */
size_t character_size(struct rs_str text, size_t at);
/* Lower case of Latin (to U+017F), Greek and Cyrillic; names in a list, their groups and components trimmed, empty ones at the
 * end dropped. `out` holds name.size bytes; gives how many were written. */
size_t name_normalise(struct rs_str name, char *out);

#endif
