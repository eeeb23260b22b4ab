/* One association that this side asked for, over a socket that waits. */
#ifndef RS_GATEWAY_CLIENT_PRIVATE_H
#define RS_GATEWAY_CLIENT_PRIVATE_H

#include "dicomnet/dicomnet_association.h"
#include "gateway/gateway_client.h"
#include "transport.h"

struct client {
	SSL_CTX *tls;
	struct transport transport;
	bool is_connected;
	struct rs_associate *request;
	struct rs_buffer syntaxes; /* items of the request */
	struct rs_association *association;
	uint8_t *chunk;
	size_t chunk_size, chunk_at; /* received and not taken yet */
	uint16_t message;
};

struct client_proposal {
	const char *sop_class, *transfer_syntax;
	bool we_are_scp; /* the peer uses the service, we provide it: role selection (PS3.7 annex D.3.3.4) */
};

/* Associates; end it with client_close(). errors  as of rs_dicom_peer_echo() */
enum rs_code client_open(const struct rs_dicom_peer *peer, const struct client_proposal *proposals,
                         size_t count, struct client *out, struct rs_error *err);
/* Releases when that is still possible. */
void client_close(struct client *client);
/* Waits for the next event, whatever it is: none of a rejection or an abort, which are failures. */
enum rs_code client_event(struct client *client, struct rs_event *out, struct rs_error *err);
/* Waits for the response to what was sent last. */
enum rs_code client_response(struct client *client, struct rs_command *out, struct rs_error *err);
/* The same with the data set that comes with it, cleared before; at most what the buffer may hold. */
enum rs_code client_message(struct client *client, struct rs_command *out, struct rs_buffer *data,
                            struct rs_error *err);
/* Everything in the association's `out`. */
enum rs_code client_flush(struct client *client, struct rs_error *err);
/* The agreed context, or NULL. */
const struct rs_context *client_context(const struct client *client, const char *sop_class,
                                        const char *transfer_syntax);

#endif
