/* A query on its way (C-FIND, PS3.4 section C.4.1): answered page by page, while the peer may cancel it. */
#ifndef RS_GATEWAY_FINDING_H
#define RS_GATEWAY_FINDING_H

#include "access/access_find.h"
#include "dicomnet/dicomnet_association.h"
#include "identifier.h"
#include "workflow/workflow_intake.h"

/* What queries share. */
struct finding_service {
	struct rs_intake *intake;
	struct rs_finder *finder;
	const struct rs_actor *actor; /* whose leave counts */
	const char *title;            /* ours: where to retrieve from */
};

struct finding;
/* errors  as of identifier_read() */
enum rs_code finding_create(const struct finding_service *service, const struct rs_command *request,
                            const struct rs_context *context, enum rs_purpose purpose,
                            struct rs_bytes identifier, struct finding **out, struct rs_error *err);
void finding_destroy(struct finding *finding); /* accepts NULL */
void finding_cancel(struct finding *finding);  /* the next page is the last answer */
bool finding_is(const struct finding *finding, uint16_t message);
/* The next responses into the association's `out`; *out_ended after the last one, which tells what failed, too. */
enum rs_code finding_go_on(struct finding *finding, struct rs_association *association, bool *out_ended,
                           struct rs_error *err);
struct finding_summary {
	const char *level;
	uint64_t matches, hidden; /* hidden: that match, and that the serving member may not read */
	uint16_t status;
};
struct finding_summary finding_summary(const struct finding *finding);

#endif
