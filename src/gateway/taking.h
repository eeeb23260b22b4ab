/* One instance out of the vault and over an association: as it is, piece by piece, or as a copy that the peer can take. */
#ifndef RS_GATEWAY_TAKING_H
#define RS_GATEWAY_TAKING_H

#include "access/access_pick.h"
#include "retrieving.h"
#include "storing.h"

/* Small instances are compared as a whole before they are sent, and read while the peer stores the one before. Of larger ones the
 * last piece leaves when all of them was compared: one that was altered ends the association. */
struct taking {
	struct retrieving_service *service;
	const char *originator; /* as of storing_request() */
	uint16_t originator_message;
	struct kept {
		int64_t row; /* 0: nothing */
		enum rs_code code;
		struct rs_error error;
		struct rs_buffer file;
	} kept[2];
	unsigned next; /* of the two, that is read ahead into */
};
void taking_finish(struct taking *taking); /* accepts zeroed memory */

/* *out_status is the peer's, when *out_reason has no code; else the instance was not sent, and others may be. then: the instance
 * that is likely to come after it, or NULL. errors  the association is over, or has to be ended */
enum rs_code taking_send(struct taking *taking, const struct link *link, const struct picked *picked,
                         const struct picked *then, uint16_t *out_status, struct rs_error *out_reason,
                         struct rs_error *err);

#endif
