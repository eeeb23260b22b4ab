/* Sealing what `radseal extract` measured: each vector becomes a file, and the node admits it. */
#ifndef RS_CLI_EXTRACT_SEAL_H
#define RS_CLI_EXTRACT_SEAL_H

#include <pthread.h>

#include "cohort/cohort.h"
#include "workflow/workflow.h"

struct sealer {
	struct rs_node *node;
	const char *directory; /* where the vectors' files go */
	pthread_mutex_t mutex; /* of the node */
};
/* An rs_cohort_seal; context is the sealer. */
enum rs_code sealer_seal(void *context, const struct rs_cohort_vector *vector, char **out_receipt,
                         struct rs_error *err);

#endif
