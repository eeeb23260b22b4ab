/* Learned segmentation: a small 3-D U-Net (Çiçek et al. 2016) that is trained on studies with masks, and outlines the region in
 * other studies. The images of a study are channels and lie on one grid; one that is missing is zeros after normalisation.
 * The same bits for any number of threads, compiler and machine. */
#ifndef RS_SEGMENT_LEARNED_H
#define RS_SEGMENT_LEARNED_H

#include "crypto/crypto.h"
#include "image/image.h"

#define RS_LEARNED_CHANNELS_MAX 16
#define RS_LEARNED_FILE_MAX ((size_t)256 << 20)

struct rs_learned; /* a model */

struct rs_learned_options {
	double held_out;   /* share of the subjects that is judged, and not trained on; 0: none */
	double spacing_mm; /* of the grid that the network works on */
	uint32_t epochs;
	uint32_t patches; /* for each case in each epoch */
	uint32_t width;   /* channels of the network's first level */
	uint64_t seed;
	const char *label; /* of the masks, a name or number; NULL: all of them */
};
/* What became of a case that was held out. */
struct rs_learned_case {
	const char *subject;
	double dice;          /* on the image's own grid */
	double volume_mm3[2]; /* by the mask; by the network */
	double entropy[2];    /* mean uncertainty where the network was right; where it was wrong */
	size_t line;          /* of the table */
};
struct rs_learned_report {
	/* Before any image is read: the files that will be; a code other than RS_OK ends the training. May be NULL. */
	enum rs_code (*permit)(void *context, const char *const *paths, size_t count, struct rs_error *err);
	/* After each epoch; the same. May be NULL, as the next. */
	enum rs_code (*epoch)(void *context, uint32_t epoch, uint32_t epochs, double loss);
	void (*judged)(void *context, const struct rs_learned_case *learned_case);
	void *context;
};
/* A table (CSV) of cases: columns `subject` and `mask`, every other one an image of that name; paths are beside the table; an
 * empty cell is an image that is missing. All rows of a subject are trained on, or none. Nothing of those that are held out
 * shapes the model.
 * errors  RS_MALFORMED, RS_NOT_FOUND, RS_REFUSED (grids that differ), RS_USAGE, … naming the line */
enum rs_code rs_learned_train(const struct rs_world *world, const char *table,
                              const struct rs_learned_options *options,
                              const struct rs_learned_report *report, struct rs_pool *pool,
                              struct rs_learned **out, struct rs_error *err);
void rs_learned_destroy(struct rs_learned *model); /* accepts NULL */
void rs_learned_destroy_pointer(struct rs_learned **model);

/* One canonical CBOR array; nothing in it is run. Strict. */
void rs_learned_write(const struct rs_learned *model, struct rs_buffer *out);
enum rs_code rs_learned_read(struct rs_bytes file, struct rs_learned **out, struct rs_error *err);

/* What the model says of itself. */
struct rs_learned_facts {
	size_t channels, weights, cases; /* cases: trained on */
	const char *names[RS_LEARNED_CHANNELS_MAX];
	double spacing_mm;
	const double *dice; /* of the cases that were held out, in the table's order */
	size_t dice_count;
};
void rs_learned_tell(const struct rs_learned *model, struct rs_learned_facts *out);

/* images: as many as the model has channels, in its order; NULL: missing. The mask is 1 where the probability, the mean of
 * overlapping windows, is at least half, and of that the connected part with the largest sum of it (whole: all parts).
 * out_uncertainty (NULL: not wanted): the probability's entropy in bits: 0 sure, 1 as good as a toss. Both on the grid of the
 * images.
 * errors  RS_REFUSED: grids that differ; RS_USAGE: no image, or too many; RS_TOO_LARGE; RS_NO_MEMORY */
enum rs_code rs_learned_apply(const struct rs_learned *model, const struct rs_volume *const *images,
                              size_t count, bool whole, struct rs_pool *pool, struct rs_mask *out_mask,
                              struct rs_volume *out_uncertainty, struct rs_error *err);

#endif
