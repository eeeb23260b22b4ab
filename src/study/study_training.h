/* Training rows, taken out of a frame. */
#ifndef RS_STUDY_TRAINING_H
#define RS_STUDY_TRAINING_H

#include "study/study_frame.h"
#include "recipe/recipe_rows.h"

/* RS_VIEW_MODALITY and what is above it: one modality, counted as in struct rs_frame. */
enum rs_view { RS_VIEW_ALL, RS_VIEW_CLINICAL, RS_VIEW_VOLUME, RS_VIEW_MODALITY };
bool rs_view_holds(enum rs_view view, const struct rs_column *column);

void rs_training_finish(struct rs_training *training);
/* rows: ascending. */
enum rs_code rs_training_take(const struct rs_frame *frame, enum rs_view view, const size_t *rows,
                              size_t count, struct rs_training *out, struct rs_error *err);

#endif
