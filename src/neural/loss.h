/* What training lowers. */
#ifndef RS_NEURAL_LOSS_H
#define RS_NEURAL_LOSS_H

#include "neural/neural_train.h"

/* A batch's truth; which of it is looked at depends on the loss. */
struct truth {
	const uint32_t *labels; /* samples x positions */
	const double *time;
	const uint8_t *event;
};
struct moment {
	double time, risk;
	size_t at;
};
/* The loss of a batch, and its slope by each value (NULL: not wanted). order: room for the batch. */
double loss_of(const struct rs_network_training *training, const struct rs_shape *shape, const float *values,
               size_t batch, const struct truth *truth, struct moment *order, float *slopes);
#define LOSS_CHANNELS_MAX 64 /* of RS_LOSS_OVERLAP */

#endif
