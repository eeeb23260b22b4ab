/* A batch on its way through a network and back. */
#ifndef RS_NEURAL_PASS_H
#define RS_NEURAL_PASS_H

#include "base/base_threads.h"
#include "neural/neural.h"

struct pass {
	const struct rs_network *network;
	struct rs_pool *pool;
	size_t batch;    /* samples now */
	size_t capacity; /* samples that there is room for */
	bool training;   /* statistics of the batch, dropout */
	uint64_t seed;   /* of this step's dropout */
	float **values;  /* by layer: capacity samples */
	float **slopes;  /* of the loss by each value; in training */
	float **notes;   /* by layer: what its way back needs */
	float *gradient; /* of the loss by each weight */
	float *state;    /* running statistics as training changes them */
	float *scratch;  /* for each thread */
	size_t scratch_size;
};
enum rs_code pass_init(struct pass *pass, const struct rs_network *network, size_t capacity, bool training,
                       struct rs_pool *pool, struct rs_error *err);
/* Samples that are judged at once, each by itself: few where a network has many values. */
size_t pass_share(const struct rs_network *network, size_t count);
void pass_finish(struct pass *pass); /* accepts zeroed memory */
/* values[0] holds the batch: fills the other layers. */
enum rs_code pass_forward(struct pass *pass, struct rs_error *err);
/* slopes of the last layer are set: fills `gradient`. */
enum rs_code pass_backward(struct pass *pass, struct rs_error *err);

/* Layers checked and measured; then their weights and state, all zero. What was made so far is to be finished on failure. */
enum rs_code network_lay(struct rs_network *network, const struct rs_shape *input,
                         const struct rs_layer *layers, size_t count, struct rs_error *err);
enum rs_code network_allocate(struct rs_network *network, struct rs_error *err);

/* A layer in a pass, as its kind sees it. */
struct stage {
	struct pass *pass;
	const struct rs_layer *layer;
	const struct rs_shape *in, *out;
	const float *weights;
	float *gradient, *state;
	const float *x;    /* values of layer->from */
	float *y;          /* own values */
	float *dx;         /* slopes of layer->from, to be added to; NULL: not wanted */
	const float *dy;   /* own slopes */
	const float *also; /* values and slopes of layer->also */
	float *dalso;
	float *notes;
	size_t index;
};
typedef void stage_work(const struct stage *stage, size_t item, float *scratch);
/* Work on each item in any order; what it does must depend on the item alone. */
enum rs_code stage_for(const struct stage *stage, size_t items, stage_work *work, struct rs_error *err);

/* What a layer needs, in floats. Its weights lie as weights proper, scales (which start as 1), offsets (which start as 0);
 * its state as running means and variances. */
struct layer_sizes {
	size_t weights, scales, offsets, state;
	size_t fan; /* values that feed one output: weights start normal with variance 2 / fan */
	size_t notes, notes_of_sample;
	size_t scratch; /* of a thread */
};
struct layer_kind {
	const char *name;
	/* The output's shape. errors  RS_USAGE */
	enum rs_code (*shape)(const struct rs_layer *layer, const struct rs_shape *in,
	                      const struct rs_shape *also, struct rs_shape *out, struct rs_error *err);
	void (*sizes)(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
	              bool training, struct layer_sizes *sizes); /* sizes is zeroed; NULL: needs nothing */
	enum rs_code (*forward)(const struct stage *stage, struct rs_error *err);
	enum rs_code (*backward)(const struct stage *stage, struct rs_error *err);
};
const struct layer_kind *layer_kind(
	enum rs_layer_kind kind); /* NULL: there is no such kind, or it is the input */
void layer_sizes_of(const struct rs_network *network, size_t layer, bool training, struct layer_sizes *out);

extern const struct layer_kind layer_dense, layer_convolution, layer_transposed, layer_normalise,
	layer_activation, layer_maximum, layer_average, layer_dropout, layer_add, layer_join;

#endif
