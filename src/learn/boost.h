/* What the files of boosted trees share. */
#ifndef RS_LEARN_BOOST_PRIVATE_H
#define RS_LEARN_BOOST_PRIVATE_H

#include "learn/learn_boost.h"

/* The first `rounds` rounds of a model as XGBoost writes it in JSON, without columns, kind and outputs. */
enum rs_code boost_trees_read(struct rs_bytes json, uint32_t rounds, struct rs_booster *out,
                              struct rs_error *err);
/* Children stand after their parents, within the nodes; numbers are finite. */
enum rs_code boost_trees_check(const struct rs_booster *booster, struct rs_error *err);

#endif
