/* A vector of features as a file that can be sealed: what was measured, of which files, with which settings. */
#ifndef RS_WORKFLOW_FEATURES_H
#define RS_WORKFLOW_FEATURES_H

#include "base/base.h"
#include "crypto/crypto.h"

#define RS_FEATURES_MEDIA "text/vnd.radseal.features"
#define RS_FEATURES_FIRST_LINE "radseal-features/v1\n"

struct rs_named_value {
	const char *name; /* without spaces */
	double value;
};
struct rs_features {
	const char *version;            /* of the program that measured */
	struct rs_digest settings;      /* digest of the settings */
	const struct rs_digest *images; /* SHA-256 of every file of the image, at least one */
	const struct rs_digest *masks;  /* likewise */
	size_t image_count, mask_count;
	const char *sequence, *label; /* "t1", "1+2"; "" when there is none to tell */
	const struct rs_named_value *values;
	size_t value_count;
};

/* Lines of text that say the same on every machine, appended to out:
 *   radseal-features/v1
 *   version 0.1.0
 *   settings <hex>
 *   image <hex>          one for each file, in ascending order
 *   mask <hex>           likewise
 *   sequence t1          where there is one
 *   label 1              where there is one
 *   <empty line>
 *   original_shape_Elongation 0.56
 * A value is the shortest decimal that reads back to the same double, or nan. errors  RS_USAGE for names with spaces or
 * line ends; the buffer's own */
enum rs_code rs_features_encode(const struct rs_features *features, struct rs_buffer *out,
                                struct rs_error *err);

typedef enum rs_code rs_features_source(void *context, const struct rs_digest *file, struct rs_error *err);
/* Checks every line of such a file and calls source() for each file it was measured from, images first; source may be
 * NULL. errors  RS_MALFORMED naming the line; what source() returns */
enum rs_code rs_features_parse(struct rs_bytes file, rs_features_source *source, void *context,
                               struct rs_error *err);

#endif
