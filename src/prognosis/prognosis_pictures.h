/* Pictures of two classes: a convolutional network, trained from a study file and asked of new pictures. */
#ifndef RS_PROGNOSIS_PICTURES_H
#define RS_PROGNOSIS_PICTURES_H

#include "prognosis/prognosis.h"

/* Whether a study file is one of pictures: it has a key "pictures". */
bool rs_pictures_is_study(struct rs_bytes file);
/* Trained on one part of the pictures, calibrated on another, judged on a third; of one subject all lie in one part.
 * errors  as rs_train() */
enum rs_code rs_pictures_train(const struct rs_world *world, const char *study, struct rs_pool *pool,
                               const struct rs_training_report *report, struct rs_buffer *out_model,
                               char out_verdict[RS_VERDICT_SIZE], struct rs_error *err);

struct rs_pictures_model;
bool rs_pictures_model_begins(struct rs_bytes file);
/* Strict, as rs_model_read(). */
enum rs_code rs_pictures_model_read(struct rs_bytes file, struct rs_pictures_model **out,
                                    struct rs_error *err);
void rs_pictures_model_destroy(struct rs_pictures_model *model);          /* accepts NULL */
void rs_pictures_model_destroy_pointer(struct rs_pictures_model **model); /* for RS_CLEANUP */
/* Files that rs_picture_read() takes, in their order; ids are the paths. */
enum rs_code rs_pictures_predict(const struct rs_pictures_model *model, const struct rs_world *world,
                                 const char *const *paths, size_t count, double coverage,
                                 struct rs_pool *pool, rs_prediction_visit *visit, void *context,
                                 struct rs_error *err);

/* Where the model looks: a PNG of the picture, red where hiding a patch lowers the positive class, blue where that raises
 * it (occlusion, Zeiler & Fergus 2014); the strongest colour is the largest change in this picture. */
enum rs_code rs_pictures_map(const struct rs_pictures_model *model, const struct rs_world *world,
                             const char *path, struct rs_pool *pool, struct rs_buffer *out_png,
                             struct rs_error *err);

#endif
