/* What a row of the state means, for people. */
#ifndef RS_CONTRACT_SAY_H
#define RS_CONTRACT_SAY_H

#include "contract/contract.h"

/* Appends one sentence, without its full stop, about a member, device, subject or consent (rows
 * 'M', 'D', 'S', 'C' of rows.h). RS_UNSUPPORTED for other rows, RS_ALTERED for what is no such row. */
enum rs_code rs_row_say(struct rs_bytes key, struct rs_bytes value, struct rs_buffer *out,
                        struct rs_error *err);

#endif
