/* Steps downhill. */
#ifndef RS_NEURAL_OPTIMISE_H
#define RS_NEURAL_OPTIMISE_H

#include "neural/neural_train.h"

struct optimiser {
	const struct rs_network *network;
	const struct rs_network_training *training;
	uint64_t step, steps;  /* taken; in all */
	float *first, *second; /* moments of the gradient */
	float *average;        /* of the weights; NULL: not wanted */
	uint8_t *decays;       /* whether a weight is one proper, not an offset or scale */
};
enum rs_code optimiser_init(struct optimiser *optimiser, const struct rs_network *network,
                            const struct rs_network_training *training, uint64_t steps, struct rs_error *err);
void optimiser_finish(struct optimiser *optimiser); /* accepts zeroed memory */
/* Changes the network's weights. */
void optimiser_step(struct optimiser *optimiser, float *gradient);

#endif
