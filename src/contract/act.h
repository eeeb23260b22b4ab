/* What the codec of acts and the rules share. */
#ifndef CONTRACT_ACT_H
#define CONTRACT_ACT_H

#include "contract/contract.h"

/* A fixed field of zeros stands for none. */
bool act_is_none(const void *bytes, size_t size);
#define ACT_HAS(field) (!act_is_none(&(field), sizeof(field)))
enum rs_code act_expect(struct rs_cbor_reader *reader, const char *field, uint64_t value,
                        struct rs_error *err);

#endif
