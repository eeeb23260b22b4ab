/* What may be done to a picture before it is sent: less noise, a range of values that uses all of it. Of one slice after
 * another. */
#ifndef RS_EDGE_FILTER_H
#define RS_EDGE_FILTER_H

#include "edge/edge.h"

/* In place. errors  RS_NO_MEMORY */
enum rs_code filter_slices(double *values, size_t width, size_t height, size_t slices,
                           enum rs_edge_filter filter, struct rs_error *err);
/* Linear, so that the 1st percentile becomes 0 and the 99th 1; what is beyond is cut off. A constant becomes 0. */
enum rs_code filter_normalise(double *values, size_t count, struct rs_error *err);

#endif
