/* Getting studies from an archive into the node: what there is is asked first (C-FIND), then retrieved within our own association
 * (C-GET) and sealed while it comes, each instance answered for when it is durable. */
#ifndef RS_GATEWAY_FETCH_H
#define RS_GATEWAY_FETCH_H

#include "gateway/gateway_client.h"
#include "workflow/workflow_intake.h"

/* One study, or series, that was asked for. */
struct rs_dicom_fetched {
	const char *study, *series; /* series: "" for the whole study */
	size_t there;               /* instances that the archive lists */
	size_t sealed, known;       /* of what came: new, and sealed before */
	size_t refused;             /* by this node */
	size_t missing;             /* listed, and not here */
	enum rs_code code;          /* RS_OK: all that is listed is here */
	const struct rs_error *error;
};
typedef void rs_dicom_fetch_report(void *context, const struct rs_dicom_fetched *fetched);

struct rs_dicom_fetch {
	const struct rs_dicom_peer *peer;
	struct rs_dicom_query query; /* level: "study" or "series" */
	rs_dicom_fetch_report *report;
	void *context;
};
/* One study's failure does not stop the others; the code is that of the first. errors  RS_NOT_FOUND: nothing matches; RS_IO: some
 * of it did not come; RS_REFUSED, RS_MALFORMED: by, or of, the archive; those of admitting */
enum rs_code rs_dicom_peer_fetch(struct rs_intake *intake, const struct rs_dicom_fetch *fetch,
                                 struct rs_error *err);

#endif
