/* By modality: the rows of a frame that have it, for late fusion. */
#ifndef RS_VALIDATE_PARTS_H
#define RS_VALIDATE_PARTS_H

#include "model/model_stack.h"
#include "study/study_frame.h"

struct rs_fused_parts {
	size_t count;
	struct rs_frame frames[RS_PARTS_MAX];
	size_t *source[RS_PARTS_MAX];
	uint32_t modality[RS_PARTS_MAX];
};
void rs_parts_finish(struct rs_fused_parts *parts);
/* Finish it even after a failure. */
enum rs_code rs_parts_find(const struct rs_frame *whole, struct rs_fused_parts *out, struct rs_error *err);

#endif
