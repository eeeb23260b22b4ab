/* Many threads, one ledger: whoever comes while others are being written waits for the next group, which is one durable commit
 * for all of them. So each writer has its own durable answer, and all together the throughput of groups. */
#ifndef RS_LEDGER_QUEUE_H
#define RS_LEDGER_QUEUE_H

#include "ledger/ledger.h"

struct rs_ledger_queue;
/* While there is a queue, its ledger belongs to it: nobody else calls the ledger. */
enum rs_code rs_ledger_queue_create(struct rs_ledger *ledger, struct rs_ledger_queue **out,
                                    struct rs_error *err);
void rs_ledger_queue_destroy(struct rs_ledger_queue *queue); /* accepts NULL; nobody may be waiting in it */
/* As rs_ledger_append() of this one transaction, from any thread; its signature is verified in the thread that calls. */
enum rs_code rs_ledger_queue_append(struct rs_ledger_queue *queue, const struct rs_transaction *transaction,
                                    struct rs_append_result *result, struct rs_error *err);

#endif
