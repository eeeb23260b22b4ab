/* Envelopes that come over DICOM, ahead of what they are about. */
#include <stdio.h>
#include <string.h>

#include "dicom/dicom.h"
#include "reception.h"

/* What is believed waits for its instance; a manifest is listed. */
static enum rs_code await(struct rs_reception *reception, struct rs_bytes message,
                          const struct rs_envelope *envelope, const struct rs_digest *digest,
                          struct rs_error *err)
{
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct devices *devices = &reception->devices;
	struct rs_digest instance, sop;
	if (envelope->kind == RS_ENVELOPE_MANIFEST)
		return devices_add_manifest(devices, envelope, digest, err);
	RS_TRY(devices_seal_box(devices, message, &box, err));
	devices_instance(devices, envelope->sop_instance, &envelope->sha256, &instance);
	devices_sop(devices, envelope->sop_instance, &sop);
	struct rs_statement *add = devices_sql(devices, ADD_AWAITED);
	rs_statement_bind_bytes(add, 1, rs_bytes_of(instance.bytes, RS_SHA256_SIZE));
	rs_statement_bind_bytes(add, 2, rs_bytes_of(sop.bytes, RS_SHA256_SIZE));
	rs_statement_bind_bytes(add, 3, rs_buffer_bytes(&box));
	return rs_statement_run(add, err);
}

static enum rs_code take_envelope(struct rs_reception *reception, struct rs_bytes message,
                                  struct rs_error *err)
{
	struct rs_envelope envelope;
	struct rs_error reason = {0};
	struct rs_digest digest;
	struct verdict verdict = {RS_DISTRUST_NONE, 0};
	if (rs_envelope_verify(message, &envelope, &reason) != RS_OK) {
		reception_say(reception, RS_LOG_WARNING, "envelope_refused", NULL, reason.message);
		return RS_OK;
	}
	rs_sha256(message, &digest);
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = reception_judge(reception, &envelope, &digest, RS_STR(""), &verdict, err);
	if (code == RS_OK && verdict.distrust == RS_DISTRUST_NONE && verdict.earlier == 0)
		code = await(reception, message, &envelope, &digest, err);
	pthread_mutex_unlock(&reception->mutex);
	if (verdict.distrust != RS_DISTRUST_NONE)
		reception_say(reception, RS_LOG_WARNING, "envelope_not_believed", &envelope,
		              rs_distrust_text(verdict.distrust));
	return code;
}

enum rs_code rs_reception_sidecar(struct rs_reception *reception, struct rs_bytes file, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {.count = 0};
	struct rs_cbor_reader reader;
	struct rs_bytes message;
	size_t count;
	RS_TRY(rs_dicom_parse(file, &dicom, err));
	const struct rs_dicom_element *creator = rs_dicom_find(&dicom, NULL, RS_SIDECAR_CREATOR_TAG),
				      *element = rs_dicom_find(&dicom, NULL, RS_SIDECAR_TAG);
	if (!creator || !element || !rs_str_equal_text(rs_dicom_text(creator, 0), RS_SIDECAR_CREATOR))
		return rs_error_set(err, RS_NOT_FOUND, "it has no envelopes");
	/* The element's length is even, the array's need not be. */
	struct rs_bytes value = element->value;
	if (value.size > 1 && value.data[value.size - 1] == 0 &&
	    rs_cbor_check(rs_bytes_of(value.data, value.size - 1), NULL) == RS_OK)
		value.size--;
	RS_TRY(rs_cbor_reader_init(&reader, value, err));
	RS_TRY(rs_cbor_read_array(&reader, "envelopes", &count, err));
	for (size_t i = 0; i < count; i++) {
		RS_TRY(rs_cbor_read_bytes(&reader, "envelope", &message, err));
		RS_TRY(take_envelope(reception, message, err));
	}
	return RS_OK;
}

bool rs_reception_awaits(struct rs_reception *reception, const char *sop_instance_uid)
{
	struct rs_digest sop;
	bool found = false;
	devices_sop(&reception->devices, rs_str_from(sop_instance_uid), &sop);
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *find = devices_sql(&reception->devices, FIND_AWAITED);
	rs_statement_bind_bytes(find, 1, rs_bytes_of(sop.bytes, RS_SHA256_SIZE));
	if (rs_statement_step(find, &found, NULL) != RS_OK)
		found = false;
	rs_statement_reset(find);
	pthread_mutex_unlock(&reception->mutex);
	return found;
}

/* The envelope that waits for just this content; RS_NOT_FOUND. Under the reception's mutex. */
static enum rs_code find_envelope(struct rs_reception *reception, const char *sop_instance_uid,
                                  const struct rs_digest *sha256, struct rs_buffer *out, struct rs_error *err)
{
	struct devices *devices = &reception->devices;
	struct rs_digest sop, instance;
	bool found;
	devices_sop(devices, rs_str_from(sop_instance_uid), &sop);
	devices_instance(devices, rs_str_from(sop_instance_uid), sha256, &instance);
	struct rs_statement *find = devices_sql(devices, FIND_AWAITED);
	rs_statement_bind_bytes(find, 1, rs_bytes_of(sop.bytes, RS_SHA256_SIZE));
	enum rs_code code = RS_NOT_FOUND;
	while (rs_statement_step(find, &found, err) == RS_OK && found) {
		struct rs_bytes name = rs_statement_bytes(find, 0);
		if (name.size == RS_SHA256_SIZE && memcmp(name.data, instance.bytes, name.size) == 0) {
			code = devices_open_box(devices, rs_statement_bytes(find, 1), out, err);
			break;
		}
	}
	rs_statement_reset(find);
	return code;
}

static enum rs_code match(struct rs_reception *reception, struct rs_arrival *arrival,
                          const char *sop_instance_uid, const struct rs_digest *sha256, const char *source,
                          struct ticket *ticket, struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_envelope envelope;
	struct rs_digest digest;
	struct verdict verdict;
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = find_envelope(reception, sop_instance_uid, sha256, &message, err);
	if (code == RS_OK)
		code = rs_envelope_verify(rs_buffer_bytes(&message), &envelope, err);
	rs_sha256(rs_buffer_bytes(&message), &digest);
	/* It may have been revoked since. */
	if (code == RS_OK)
		code = reception_judge(reception, &envelope, &digest, RS_STR(""), &verdict, err);
	pthread_mutex_unlock(&reception->mutex);
	if (code != RS_OK || verdict.distrust != RS_DISTRUST_NONE) {
		reception_say(reception, RS_LOG_WARNING, "manifest_mismatch",
		              code == RS_OK ? &envelope : NULL,
		              code == RS_OK ? rs_distrust_text(verdict.distrust)
		                            : "its device announced other content");
		return RS_OK;
	}
	seen_of(&reception->devices, &envelope, &digest, RS_ACKNOWLEDGED_SEALED, &ticket->seen);
	ticket->is_awaited = true;
	return rs_arrival_vouch(arrival, source, rs_buffer_bytes(&message), err);
}

void rs_reception_admit(struct rs_reception *reception, struct rs_arrival *arrival,
                        const char *sop_instance_uid, const struct rs_digest *sha256, const char *source,
                        rs_arrival_done *done, void *context)
{
	struct rs_admit_result failed = {.outcome = RS_ADMIT_FAILED, .receipt_path = ""};
	struct rs_error err = {0};
	struct ticket *ticket;
	if (!sha256) {
		rs_arrival_admit(arrival, done, context);
		return;
	}
	ticket = rs_allocate(sizeof *ticket);
	enum rs_code code = ticket ? match(reception, arrival, sop_instance_uid, sha256, source, ticket, &err)
	                           : rs_error_memory(&err, sizeof *ticket, "an instance");
	if (code != RS_OK) {
		rs_free(ticket);
		rs_arrival_abandon(arrival);
		done(context, code, &failed, &err);
		return;
	}
	ticket->done = done;
	ticket->context = context;
	reception_admit(reception, arrival, ticket);
}
