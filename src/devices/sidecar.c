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
		return devices_add_manifest(devices, envelope, message, digest, err);
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
	else if (envelope.kind == RS_ENVELOPE_MANIFEST)
		matching_wake(reception);
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
