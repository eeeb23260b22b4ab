/* Orders of subjects by time. */
#ifndef RS_SURVIVAL_ORDER_H
#define RS_SURVIVAL_ORDER_H

#include "base/base.h"

/* Indices of rows by stratum (NULL: one), then ascending value, then index. rows NULL: 0 … count - 1. New heap array. */
enum rs_code order_by(const uint32_t *stratum, const double *value, const size_t *rows, size_t count,
                      size_t **out, struct rs_error *err);

#endif
