/* Storage Commitment, push model (PS3.4 annex J): a peer asks whether instances may be deleted on its side. */
#ifndef RS_GATEWAY_COMMITMENT_H
#define RS_GATEWAY_COMMITMENT_H

#include "dicomnet/dicomnet.h"
#include "gateway/gateway.h"
#include "peers.h"
#include "workflow/workflow_intake.h"

#define COMMITMENT_SIZE_MAX ((size_t)4 << 20) /* of a request: some 30,000 instances */
#define COMMITMENT_INSTANCE "1.2.840.10008.1.20.1.1"
#define COMMITMENT_ACTION 1
enum { COMMITMENT_ALL = 1, COMMITMENT_SOME = 2 }; /* event types */

/* The data set of the report on a request, in the same transfer syntax, into `out`, which this function initialises; *out_event
 * is the report's type. errors  RS_MALFORMED, RS_TOO_LARGE */
enum rs_code commitment_answer(struct rs_intake *intake, struct rs_bytes request, const char *transfer_syntax,
                               struct rs_buffer *out, uint16_t *out_event, struct rs_error *err);

/* Reports in an association of its own, from a thread of its own, some times over some minutes. The options are the
 * caller's as long as it lives. */
struct reporter;
enum rs_code reporter_create(const struct rs_gateway_options *options, struct reporter **out,
                             struct rs_error *err);
void reporter_destroy(
	struct reporter *reporter); /* accepts NULL; what is not reported is given up, and logged */
/* Takes the data set. errors  RS_TOO_LARGE: too many wait */
enum rs_code reporter_add(struct reporter *reporter, const struct peer *peer, const char *called,
                          const char *transfer_syntax, uint16_t event, struct rs_buffer *report,
                          struct rs_error *err);

#endif
