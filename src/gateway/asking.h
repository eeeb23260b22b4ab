/* A question to an archive on its way: identifier, association, request. */
#ifndef RS_GATEWAY_ASKING_H
#define RS_GATEWAY_ASKING_H

#include "client.h"

struct asking {
	struct client client;
	uint8_t context;
	struct rs_buffer identifier, answer;
	const char *sop_class;
};
void asking_finish(struct asking *asking); /* accepts zeroed memory */
/* The SOP class of a request of the query's information model. Static. */
const char *asking_class(const struct rs_dicom_query *query, uint16_t field);
/* Associates and asks; the first proposal is that of asking_class(), implicit little endian. Finish it either way. */
enum rs_code asking_open(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query, uint16_t field,
                         const char *destination, const struct client_proposal *proposals, size_t count,
                         struct asking *out, struct rs_error *err);
bool asking_is_pending(uint16_t status);
/* RS_REFUSED with the peer's status and comment. */
enum rs_code asking_refused(const struct rs_command *response, struct rs_error *err);

#endif
