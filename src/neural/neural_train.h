/* Training of networks: AdamW (Loshchilov & Hutter 2019), cosine schedule with warm-up, clipped gradients, averaged
 * weights, early stopping; losses of classes and of survival. */
#ifndef RS_NEURAL_TRAIN_H
#define RS_NEURAL_TRAIN_H

#include "base/base_random.h"
#include "base/base_threads.h"
#include "neural/neural.h"

enum rs_loss {
	RS_LOSS_CLASSES, /* cross-entropy: sigmoid of one channel, softmax of several; at each position */
	RS_LOSS_OVERLAP, /* that, and 1 - soft Dice of the classes but the first that a batch has */
	RS_LOSS_EFRON,   /* minus Cox's partial log-likelihood of a batch by its events; one output */
	RS_LOSS_BRESLOW,
};

/* Writes a sample as the network's input. augment: a stream of its own while training, NULL when judging. Called by several
 * threads. */
typedef enum rs_code rs_sample_fill(void *context, size_t index, struct rs_stream *augment, float *out,
                                    struct rs_error *err);
/* The same for samples whose labels change with what is done to them: one for each position of the output. */
typedef enum rs_code rs_sample_fill_labelled(void *context, size_t index, struct rs_stream *augment,
                                             float *out, uint32_t *out_labels, struct rs_error *err);
struct rs_samples {
	size_t count;
	rs_sample_fill *fill;
	void *context;
	/* Classes: one label for each position of the output, below max(2, channels). */
	const uint32_t *labels;
	const double *time; /* survival */
	const uint8_t *event;
	rs_sample_fill_labelled *fill_labelled; /* to train: in place of fill and labels; NULL: those */
};
struct rs_network_training {
	enum rs_loss loss;
	uint32_t epochs, batch; /* batch 0: all samples */
	double rate;            /* of learning, at its highest */
	double warm_up;   /* share of the steps in which it rises from 0; then it falls to 0 by a cosine */
	double decay;     /* of weights, not of offsets and scales */
	double clip;      /* norm of the gradient; 0: as it is */
	double smoothing; /* of labels: this much is spread over all classes */
	double average;   /* of weights: an exponential mean with this memory, such as 0.99; 0: the last */
	const double *class_weights; /* NULL: all 1 */
	uint32_t
		patience; /* epochs without a lower validation loss; 0: never stops early, the last weights stay */
	uint64_t seed;
	/* May be NULL: called after each epoch; a code other than RS_OK ends training with it. */
	enum rs_code (*progress)(void *context, uint32_t epoch, double loss, double validation_loss);
	void *progress_context;
};
/* validation may be NULL. On failure the weights are lost.
 * errors  what fill tells; RS_NOT_FOUND: survival without events; RS_UNSUPPORTED: the loss is no number; RS_USAGE */
enum rs_code rs_network_train(struct rs_network *network, const struct rs_samples *samples,
                              const struct rs_samples *validation, const struct rs_network_training *training,
                              struct rs_pool *pool, struct rs_error *err);

/* What the network says of samples: values of its output, samples->count times. */
enum rs_code rs_network_judge(const struct rs_network *network, const struct rs_samples *samples,
                              struct rs_pool *pool, float *out, struct rs_error *err);

/* Images as training sees them: moved, turned, grown, mirrored, brighter, with more contrast; each within ± the given. */
struct rs_augmentation {
	double shift;                /* voxels in each direction of a slice */
	double turn;                 /* degrees in a slice */
	double grow;                 /* 0.1: by a factor of 0.9 … 1.1 */
	double brightness, contrast; /* added; times 1 ± */
	bool mirror;                 /* left and right, half of the time */
};
/* All slices and channels alike; values beyond the border are those of the border. */
void rs_augment(const struct rs_augmentation *augmentation, const struct rs_shape *shape, const float *image,
                struct rs_stream *stream, float *out);

#endif
