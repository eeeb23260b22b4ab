/* A retrieval on its way (C-GET and C-MOVE, PS3.4 sections C.4.2 and C.4.3): what fits the identifier is picked and decided by
 * the contract, and leaves the vault instance by instance, compared with the ledger. Of one thread at a time, which may wait. */
#ifndef RS_GATEWAY_RETRIEVING_H
#define RS_GATEWAY_RETRIEVING_H

#include "access/access_find.h"
#include "dicomnet/dicomnet_command.h"
#include "hands.h"
#include "identifier.h"
#include "peers.h"
#include "workflow/workflow_intake.h"

#define RETRIEVALS_MAX 64 /* at once */

struct rs_gateway_options;
/* What retrievals share. */
struct retrieving_service {
	struct rs_node *node;
	struct rs_intake *intake;
	struct rs_finder *finder;
	const struct rs_actor *actor; /* whose leave counts */
	const struct peers *peers;    /* destinations */
	const struct rs_gateway_options *options;
	struct hands hands;
	/* Instances that are decoded for peers, each as a whole in memory: few at once. */
	pthread_mutex_t decoding_mutex;
	pthread_cond_t decoding_done;
	unsigned decoding;
};
void retrieving_service_init(struct retrieving_service *service);
void retrieving_service_finish(struct retrieving_service *service); /* its finder, too */

struct retrieving;
/* errors  RS_NOT_FOUND: the move's destination is unknown; RS_USAGE: the identifier does not fit its SOP class; RS_MALFORMED,
 *         RS_TOO_LARGE */
enum rs_code retrieving_create(struct retrieving_service *service, const struct rs_command *request,
                               const struct rs_context *context, const struct peer *peer,
                               struct rs_bytes identifier, struct retrieving **out, struct rs_error *err);
void retrieving_destroy(struct retrieving *retrieving); /* accepts NULL */

/* Picks, sends, and answers over the connection of who asked. errors  RS_IO, RS_REFUSED, RS_MALFORMED: that is over */
struct held;
enum rs_code retrieving_run(struct retrieving *retrieving, struct held *asker, struct rs_error *err);

struct retrieving_summary {
	const char *level;
	size_t found;
	uint64_t hidden; /* that the serving member may not read */
	unsigned completed, failed, warned;
	uint16_t status;
	const char *destination; /* "" of C-GET */
	const char *reason;      /* of the first failure, or "" */
};
struct retrieving_summary retrieving_summary(const struct retrieving *retrieving);

#endif
