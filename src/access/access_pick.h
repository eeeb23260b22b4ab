/* The instances that somebody wants to have and may: picked by the catalogue, decided by the contract study by study,
 * requested on the ledger before they are told. For C-GET, C-MOVE and WADO-RS. */
#ifndef RS_ACCESS_PICK_H
#define RS_ACCESS_PICK_H

#include "access/access_find.h"
#include "workflow/workflow_intake.h"

#define PICKED_MAX ((size_t)65535) /* DIMSE counts no further */

struct picked {
	int64_t row; /* of the index: later ones have higher numbers */
	struct rs_cid cid;
	uint64_t size;
	char study[UID_SIZE], series[UID_SIZE], instance[UID_SIZE], sop_class[UID_SIZE];
	char syntax[UID_SIZE]; /* "" of a file that does not say it */
};
struct picked_list {
	struct picked *items;
	size_t count, capacity;
	uint64_t hidden; /* that match, and that the actor may not have: for logs alone */
};
void picked_finish(struct picked_list *list); /* accepts zeroed memory */
/* What may begin as soon as the list is whole, while requests for it are being written: nothing of it is given out unless
 * pick_instances() returns RS_OK. Called by who has the node, at most once, and not at all for a list of many pages. */
struct picked_ahead {
	void (*begin)(void *context, struct rs_node *node);
	void *context;
};
/* What fits the keys, in the order it was sealed; of several contents under one SOPInstanceUID the last one stands. None is no
 * failure. `place` and `told` of `find` are not looked at; ahead may be NULL.
 * errors  as of rs_finder_find(); RS_TOO_LARGE: more than PICKED_MAX */
enum rs_code pick_instances(struct rs_intake *intake, struct rs_finder *finder, const struct rs_find *find,
                            const struct picked_ahead *ahead, struct picked_list *out, struct rs_error *err);

#endif
