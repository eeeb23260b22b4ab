/* Pictures as a study wants them, and a model of them as its file holds it. */
#ifndef RS_PROGNOSIS_PICTURES_OWN_H
#define RS_PROGNOSIS_PICTURES_OWN_H

#include "neural/neural_train.h"
#include "prognosis/prognosis_pictures.h"

#define PICTURE_FILE_MAX ((size_t)1 << 30)

struct picture_study {
	struct rs_arena arena;
	struct rs_digest digest; /* of the file */
	const char *pictures;    /* an NPZ archive, or a table of files */
	const char *file, *class_column, *positive, *subject,
		*part; /* columns of the table; the cell that counts as positive */
	uint64_t size, epochs, channels, seed;
};
void picture_study_finish(struct picture_study *study);
enum rs_code picture_study_parse(struct rs_bytes file, struct picture_study *out, struct rs_error *err);

enum part { PART_TRAIN, PART_VALIDATION, PART_TEST, PARTS };
struct pictures {
	size_t side, count[PARTS];
	float *values[PARTS]; /* side x side of each picture, 0 … 1 */
	uint32_t *labels[PARTS];
};
void pictures_finish(struct pictures *pictures);
/* Every part has both classes. */
enum rs_code pictures_read(const struct rs_world *world, const char *directory,
                           const struct picture_study *study, struct rs_pool *pool, struct pictures *out,
                           struct rs_error *err);
/* A file as a model sees it: side x side values from 0 to 1. */
enum rs_code picture_load(const struct rs_world *world, const char *path, size_t side, float *out,
                          struct rs_error *err);

struct rs_pictures_model {
	struct rs_digest study;
	size_t side;
	double mean, deviation; /* of the training pictures' values */
	double temperature;     /* logits are divided by it */
	double threshold;       /* positive from this probability on */
	double *residuals;      /* of validation: 1 less the probability of what it was, ascending */
	size_t residual_count;
	struct rs_network network;
};
void pictures_model_finish(struct rs_pictures_model *model);
void pictures_model_write(const struct rs_pictures_model *model, struct rs_buffer *out);
double picture_probability(const struct rs_pictures_model *model, float logit);

#endif
