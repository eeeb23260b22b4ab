/* Convolutions that leave the size as it is, without their input being gathered for each tap: a block of it is copied once, with
 * its margin, and every tap is a row of the product that begins elsewhere in it. The sums are those of the gathered way. */
#ifndef RS_NEURAL_DIRECT_H
#define RS_NEURAL_DIRECT_H

#include "pass.h"

/* Whether a layer is such a one; else the others are not to be called. */
bool direct_suits(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out);
size_t direct_scratch(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out);
/* Values; back: slopes of the input are added to. The notes begin with room for the weights. */
enum rs_code direct_apply(const struct stage *stage, bool back, struct rs_error *err);
/* Sums of the weights' slopes, GROUPS_OF_SUMS of them, each over its share of the positions, into the notes behind that. */
#define GROUPS_OF_SUMS 8
enum rs_code direct_gradient(const struct stage *stage, struct rs_error *err);

#endif
