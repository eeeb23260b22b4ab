/* What waits for the collector, and what it has. */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include "audit/audit_atna.h"
#include "store/store.h"

enum spool_statement {
	SPOOL_GET,
	SPOOL_SET,
	SPOOL_PUT,
	SPOOL_COUNT,
	SPOOL_EACH,
	SPOOL_DROP,
	SPOOL_STATEMENT_COUNT
};
struct spool {
	struct rs_store *store;
	struct rs_statement *statements[SPOOL_STATEMENT_COUNT];
	uint64_t entries, events; /* delivered, durably: so many of the log; up to this event */
	uint64_t waiting;         /* events in the queue */
	uint64_t lost;            /* that were not kept, and not told yet */
};
enum rs_code spool_open(const struct rs_world *world, const char *path, struct spool *out,
                        struct rs_error *err);
void spool_close(struct spool *spool); /* accepts zeroed memory */
/* Durable. Beyond `maximum` it is counted instead. */
enum rs_code spool_put(struct spool *spool, const struct rs_atna_event *event, uint64_t maximum,
                       struct rs_error *err);
typedef enum rs_code spool_visit(void *context, uint64_t number, const struct rs_atna_event *event,
                                 struct rs_error *err);
/* After `number`, at most `count`. */
enum rs_code spool_each(struct spool *spool, uint64_t number, uint64_t count, spool_visit *visit,
                        void *context, struct rs_error *err);
/* Up to these, all is delivered. */
enum rs_code spool_delivered(struct spool *spool, uint64_t entries, uint64_t events, struct rs_error *err);

#endif
