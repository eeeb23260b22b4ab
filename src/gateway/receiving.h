/* What an archive has of a study or series, and a C-GET for it whose instances are sealed as they come. */
#ifndef RS_GATEWAY_RECEIVING_H
#define RS_GATEWAY_RECEIVING_H

#include "gateway/gateway_fetch.h"
#include "workflow/workflow_classify.h"

struct listed {
	char instance[UID_SIZE], sop_class[UID_SIZE]; /* class "": the archive does not tell */
	bool is_here;
};
struct listed_list {
	struct listed *items;
	size_t count, capacity;
};
void listed_finish(struct listed_list *list); /* accepts zeroed memory */
enum rs_code listed_add(struct listed_list *list, struct rs_str instance, struct rs_str sop_class,
                        struct rs_error *err);
void listed_sort(struct listed_list *list); /* by instance; each stands once then */

/* The list is sorted; what comes is marked in it, and counted. errors  of the association; a status of the archive that is none
 * of success is RS_REFUSED */
enum rs_code receiving_run(struct rs_intake *intake, const struct rs_dicom_peer *peer,
                           const struct rs_dicom_query *query, struct listed_list *list,
                           struct rs_dicom_fetched *counts, struct rs_error *err);

#endif
