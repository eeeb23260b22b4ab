/* One envelope with what belongs to it: fed piece by piece, then admitted, kept in quarantine, or known already. */
#include <stdio.h>
#include <string.h>

#include "dicomnet/dicomnet.h"
#include "reception.h"

struct rs_delivery {
	struct rs_reception *reception;
	struct rs_buffer message;
	struct rs_envelope envelope; /* borrows from message */
	struct rs_digest digest;     /* of the message */
	struct verdict verdict;
	struct rs_arrival *arrival; /* believed */
	struct rs_spool *spool;     /* not believed */
	struct rs_sha256 hash;
	uint64_t size;
	rs_delivery_done *done;
	void *context;
};

void rs_delivery_abandon(struct rs_delivery *delivery)
{
	if (!delivery)
		return;
	rs_arrival_abandon(delivery->arrival);
	rs_spool_destroy(delivery->spool);
	rs_buffer_finish(&delivery->message);
	rs_free(delivery);
}

static bool has_data(const struct rs_delivery *delivery)
{
	return delivery->envelope.kind == RS_ENVELOPE_INSTANCE && delivery->verdict.earlier == 0;
}

enum rs_code arrival_of(struct rs_intake *intake, const struct rs_envelope *envelope, const char *source,
                        struct rs_bytes message, struct rs_arrival **out, struct rs_error *err)
{
	const struct rs_str texts[3] = {envelope->sop_class, envelope->sop_instance,
	                                envelope->transfer_syntax};
	char uids[3][RS_UID_SIZE], said[RS_SOURCE_MAX];
	const struct rs_arrival_claims claims = {.sop_class_uid = uids[0],
	                                         .sop_instance_uid = uids[1],
	                                         .transfer_syntax_uid = uids[2],
	                                         .implementation_uid = RS_DICOM_IMPLEMENTATION_UID};
	struct rs_arrival *arrival;
	for (size_t i = 0; i < RS_COUNT(texts); i++)
		(void)snprintf(uids[i], sizeof uids[i], "%.*s", (int)texts[i].size, texts[i].data);
	(void)snprintf(said, sizeof said, "%s %.*s", source, (int)envelope->device.size,
	               envelope->device.data);
	RS_TRY(rs_arrival_begin(intake, &claims, &arrival, err));
	enum rs_code code = rs_arrival_vouch(arrival, said, message, err);
	if (code != RS_OK) {
		rs_arrival_abandon(arrival);
		return code;
	}
	*out = arrival;
	return RS_OK;
}

static enum rs_code begin(struct rs_delivery *delivery, const char *transport, struct rs_str device,
                          struct rs_bytes message, struct rs_error *err)
{
	struct rs_reception *reception = delivery->reception;
	rs_buffer_init(&delivery->message, RS_MANIFEST_SIZE_MAX);
	rs_buffer_append_bytes(&delivery->message, message);
	RS_TRY(rs_buffer_check(&delivery->message, "an envelope", err));
	enum rs_code code = rs_envelope_verify(rs_buffer_bytes(&delivery->message), &delivery->envelope, err);
	if (code != RS_OK) {
		reception_say(reception, RS_LOG_WARNING, "envelope_refused", NULL, err->message);
		return code;
	}
	if (delivery->envelope.length > RS_ADMIT_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "an instance has more than %zu bytes",
		                    RS_ADMIT_SIZE_MAX);
	rs_sha256(rs_buffer_bytes(&delivery->message), &delivery->digest);
	pthread_mutex_lock(&reception->mutex);
	code = reception_judge(reception, &delivery->envelope, &delivery->digest, device, &delivery->verdict,
	                       err);
	if (code == RS_OK && delivery->verdict.distrust != RS_DISTRUST_NONE && delivery->verdict.earlier == 0)
		code = devices_check_room(&reception->devices, delivery->envelope.length, err);
	pthread_mutex_unlock(&reception->mutex);
	RS_TRY(code);
	if (!has_data(delivery))
		return RS_OK;
	rs_sha256_init(&delivery->hash);
	return delivery->verdict.distrust == RS_DISTRUST_NONE
	               ? arrival_of(reception->intake, &delivery->envelope, transport,
	                            rs_buffer_bytes(&delivery->message), &delivery->arrival, err)
	               : rs_spool_create(reception->node->vault, &delivery->spool, err);
}

enum rs_code rs_delivery_begin(struct rs_reception *reception, const char *transport, struct rs_str device,
                               struct rs_bytes envelope, struct rs_delivery **out, struct rs_error *err)
{
	struct rs_delivery *delivery = rs_allocate(sizeof *delivery);
	struct rs_error reason = {0};
	if (!delivery)
		return rs_error_memory(err, sizeof *delivery, "a delivery");
	delivery->reception = reception;
	enum rs_code code = begin(delivery, transport, device, envelope, &reason);
	if (code != RS_OK) {
		if (err)
			*err = reason;
		rs_delivery_abandon(delivery);
		return code;
	}
	*out = delivery;
	return RS_OK;
}

uint64_t rs_delivery_wants(const struct rs_delivery *delivery)
{
	return has_data(delivery) ? delivery->envelope.length - delivery->size : 0;
}

enum rs_code rs_delivery_add(struct rs_delivery *delivery, struct rs_bytes bytes, struct rs_error *err)
{
	if (bytes.size > rs_delivery_wants(delivery))
		return rs_error_set(err, RS_MALFORMED, "there are more bytes than the envelope says");
	delivery->size += bytes.size;
	if (delivery->arrival)
		return rs_arrival_add_beside(delivery->arrival, bytes, &delivery->hash, err);
	rs_sha256_update(&delivery->hash, bytes.data, bytes.size);
	return rs_spool_add(delivery->spool, bytes, err);
}

/* Tells whoever waits, and ends the delivery. */
static void answer(struct rs_delivery *delivery, enum rs_code code, enum rs_acknowledged outcome,
                   const struct rs_error *reason)
{
	struct rs_reception *reception = delivery->reception;
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_acknowledgement acknowledgement = {delivery->digest, outcome,
	                                             rs_world_now_ms(reception->node->world)};
	struct rs_error err = {0};
	rs_buffer_init(&message, RS_ACKNOWLEDGEMENT_SIZE_MAX);
	if (code == RS_OK)
		code = rs_acknowledgement_sign(&acknowledgement, rs_keyring_log_key(reception->node->keyring),
		                               &message, &err);
	else
		err = *reason;
	if (code != RS_OK)
		reception_say(reception, RS_LOG_WARNING, "delivery_refused", &delivery->envelope,
		              err.message);
	else if (outcome == RS_ACKNOWLEDGED_QUARANTINED)
		reception_say(reception, RS_LOG_WARNING, "delivery_quarantined", &delivery->envelope,
		              rs_distrust_text(delivery->verdict.distrust));
	delivery->done(delivery->context, code, rs_buffer_bytes(&message), &err);
	rs_delivery_abandon(delivery);
}

static void confirmed(void *context, enum rs_code code, const struct rs_admit_result *result,
                      const struct rs_error *err)
{
	const struct rs_delivery *delivery = context;
	enum rs_acknowledged outcome = delivery->envelope.kind == RS_ENVELOPE_MANIFEST
	                                       ? RS_ACKNOWLEDGED_LISTED
	                               : result->outcome == RS_ADMIT_KNOWN ? RS_ACKNOWLEDGED_KNOWN
	                                                                   : RS_ACKNOWLEDGED_SEALED;
	answer(context, code, outcome, err);
}

static enum rs_code check_data(struct rs_delivery *delivery, struct rs_error *err)
{
	struct rs_digest sha256;
	if (rs_delivery_wants(delivery) > 0)
		return rs_error_set(err, RS_MALFORMED, "there are fewer bytes than the envelope says");
	rs_sha256_final(&delivery->hash, &sha256);
	return rs_digest_equal(&sha256, &delivery->envelope.sha256)
	               ? RS_OK
	               : rs_error_set(err, RS_ALTERED, "the data set is not the one that the device signed");
}

static enum rs_code hand_over(struct rs_delivery *delivery, struct rs_error *err)
{
	const bool is_manifest = delivery->envelope.kind == RS_ENVELOPE_MANIFEST;
	struct ticket *ticket = rs_allocate(sizeof *ticket);
	struct rs_arrival *arrival = delivery->arrival;
	if (!ticket)
		return rs_error_memory(err, sizeof *ticket, "a delivery");
	seen_of(&delivery->reception->devices, &delivery->envelope, &delivery->digest,
	        is_manifest ? RS_ACKNOWLEDGED_LISTED : RS_ACKNOWLEDGED_SEALED, &ticket->seen);
	ticket->manifest = is_manifest ? &delivery->envelope : NULL;
	ticket->message = rs_buffer_bytes(&delivery->message);
	ticket->done = confirmed;
	ticket->context = delivery;
	delivery->arrival = NULL;
	if (arrival)
		reception_admit(delivery->reception, arrival, ticket);
	else
		reception_remember(delivery->reception, ticket);
	return RS_OK;
}

static enum rs_code give_spool(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                               struct rs_bytes *out, struct rs_error *err)
{
	*out = rs_bytes_of(scratch, size);
	return rs_spool_read(context, offset, scratch, size, err);
}

static enum rs_code set_aside(struct rs_delivery *delivery, struct rs_error *err)
{
	struct rs_reception *reception = delivery->reception;
	const struct rs_content content = {delivery->size, give_spool, delivery->spool};
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = devices_quarantine(&reception->devices, delivery->verdict.distrust,
	                                       rs_buffer_bytes(&delivery->message), &delivery->digest,
	                                       delivery->spool ? &content : NULL, err);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

void rs_delivery_end(struct rs_delivery *delivery, rs_delivery_done *done, void *context)
{
	enum rs_acknowledged outcome = delivery->verdict.earlier;
	struct rs_error err = {0};
	enum rs_code code = RS_OK;
	delivery->done = done;
	delivery->context = context;
	if (has_data(delivery))
		code = check_data(delivery, &err);
	if (code == RS_OK && outcome == 0 && delivery->verdict.distrust == RS_DISTRUST_NONE) {
		code = hand_over(delivery, &err);
		if (code == RS_OK)
			return; /* the delivery is the ticket's */
	} else if (code == RS_OK && outcome == 0) {
		code = set_aside(delivery, &err);
		outcome = RS_ACKNOWLEDGED_QUARANTINED;
	}
	answer(delivery, code, outcome, &err);
}
