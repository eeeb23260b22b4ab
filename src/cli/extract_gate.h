/* Measuring under a role: the contract is asked before a case's sealed files are read. */
#ifndef RS_CLI_EXTRACT_GATE_H
#define RS_CLI_EXTRACT_GATE_H

#include <pthread.h>

#include "cohort/cohort.h"
#include "access/access_retrieve.h"

struct gate {
	struct rs_node *node;
	struct rs_actor *actor;
	enum rs_purpose purpose;
	pthread_mutex_t *mutex; /* of the node */
	size_t refused;         /* cases */
};
/* An rs_cohort_permit; context is the gate. */
enum rs_code gate_permit(void *context, const struct rs_cohort_case *item, size_t image_count,
                         struct rs_error *err);

#endif
