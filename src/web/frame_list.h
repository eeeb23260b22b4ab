/* Lists of frames in paths. */
#ifndef WEB_FRAME_LIST_H
#define WEB_FRAME_LIST_H

#include "base/base.h"

/* The next one; false at the end, or when *code says why it is none. */
bool next_frame(struct rs_str *list, uint64_t *out, struct rs_error *err, enum rs_code *code);

#endif
