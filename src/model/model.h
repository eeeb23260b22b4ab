/* A model file: read, and asked what it can do. */
#ifndef RS_MODEL_H
#define RS_MODEL_H

#include "base/base.h"

#define RS_MODEL_SIZE_MAX ((size_t)1 << 30)

struct rs_model;
/* Strict: every size and reference within the file is checked. RS_MALFORMED, RS_TOO_LARGE */
enum rs_code rs_model_read(struct rs_bytes file, struct rs_model **out, struct rs_error *err);
void rs_model_destroy(struct rs_model *model);          /* accepts NULL */
void rs_model_destroy_pointer(struct rs_model **model); /* for RS_CLEANUP */
bool rs_model_is_survival(const struct rs_model *model);
/* Names of the classes when there are more than two, else 0 of them. */
size_t rs_model_levels(const struct rs_model *model, const char *const **out);

/* False: models of this kind cannot tell reasons. */
bool rs_model_gives_reasons(const struct rs_model *model);

#endif
