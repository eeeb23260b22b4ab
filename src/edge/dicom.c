/* Over DICOM (C-STORE): first an instance with the envelopes (devices/devices.h), then what they are about. Success is the node's
 * word that it is durable. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "devices/devices.h"
#include "dicom/dicom.h"
#include "dicomnet/dicomnet.h"
#include "gateway/gateway_client.h"

#define BATCH 64
#define TIMEOUT_MS 30000
#define SIDECAR_NAME "sidecar.dcm"
#define ADDRESS_SIZE 320

struct dicom {
	struct transport transport;
	struct rs_dicom_peer peer;
	char title[RS_TITLE_SIZE], own[RS_TITLE_SIZE], address[ADDRESS_SIZE];
	unsigned failures;
	uint64_t retry_ns;
	char patient[256], issuer[256]; /* of the instances sent last: manifests come after them */
	/* Of a batch. */
	struct item *items[BATCH];
	size_t count;
	char *paths[BATCH];    /* of the items; NULL: a manifest */
	char *sent[BATCH + 1]; /* views: the sidecar, then the paths */
	size_t sent_count;
	char *sidecar;
	bool done[BATCH], is_announced;
};

static void batch_clear(struct dicom *dicom)
{
	for (size_t i = 0; i < dicom->count; i++)
		rs_free(dicom->paths[i]);
	memset(dicom->paths, 0, sizeof dicom->paths);
	memset(dicom->done, 0, sizeof dicom->done);
	dicom->count = dicom->sent_count = 0;
	dicom->is_announced = false;
}

/* The patient and study whose the envelopes are: of the first item's file. */
static enum rs_code read_source(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_ALTERED, "a file of the queue is cut off");
}

static void put_text(struct rs_dicom_builder *builder, uint32_t tag, const char *vr, struct rs_str text)
{
	rs_dicom_builder_bytes(builder, tag, vr, rs_bytes_of_str(text));
}

static enum rs_code build_sidecar(const struct dicom *dicom, const struct rs_envelope *about,
                                  struct rs_bytes envelopes, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_digest digest;
	char uid[UID_TEXT];
	rs_sha256(envelopes, &digest);
	uid_of_digest(&digest, uid);
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, RS_SIDECAR_MAX);
	rs_dicom_builder_text(&builder, 0x00080016, "UI", RS_SIDECAR_SOP_CLASS);
	rs_dicom_builder_text(&builder, 0x00080018, "UI", uid);
	rs_dicom_builder_text(&builder, 0x00080060, "CS", "OT");
	rs_dicom_builder_text(&builder, 0x00100020, "LO", dicom->patient);
	rs_dicom_builder_text(&builder, 0x00100021, "LO", dicom->issuer);
	put_text(&builder, 0x0020000D, "UI", about->study);
	put_text(&builder, 0x0020000E, "UI", about->series);
	rs_dicom_builder_text(&builder, RS_SIDECAR_CREATOR_TAG, "LO", RS_SIDECAR_CREATOR);
	rs_dicom_builder_bytes(&builder, RS_SIDECAR_TAG, "OB", envelopes);
	rs_buffer_init(out, RS_SIDECAR_MAX + 4096);
	return rs_dicom_builder_file(&builder, RS_SIDECAR_SOP_CLASS, uid, out, err);
}

static void take_text(char *out, size_t size, struct rs_str text)
{
	(void)snprintf(out, size, "%.*s", (int)text.size, text.data);
}

static enum rs_code look_at(struct dicom *dicom, const struct item *item, struct rs_error *err)
{
	const struct agent *agent = dicom->transport.agent;
	struct rs_dicom parsed RS_CLEANUP(rs_dicom_finish) = {.count = 0};
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_dicom_metadata metadata;
	RS_TRY(queue_data_path(&agent->queue, item, &path, err));
	RS_TRY(rs_file_open(agent->world, path, RS_OPEN_READ, &file, err));
	const struct rs_dicom_source source = {item->size, read_source, file};
	RS_TRY(rs_dicom_scan(&source, &parsed, err));
	RS_TRY(rs_dicom_metadata(&parsed, &metadata, err));
	take_text(dicom->patient, sizeof dicom->patient, metadata.patient_id);
	take_text(dicom->issuer, sizeof dicom->issuer, metadata.issuer_of_patient_id);
	return RS_OK;
}

/* Items of one study, at most so many, and their envelopes. */
static enum rs_code gather(struct dicom *dicom, struct rs_buffer *envelopes, struct rs_buffer *first,
                           struct rs_error *err)
{
	const struct agent *agent = dicom->transport.agent;
	struct rs_buffer list RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_envelope about, own;
	rs_buffer_init(&list, RS_SIDECAR_MAX / 2);
	for (struct item *item = agent->queue.items; item && dicom->count < BATCH; item = item->next) {
		struct rs_buffer envelope RS_CLEANUP(rs_buffer_finish) = {0};
		RS_TRY(queue_envelope(&agent->queue, item, &envelope, err));
		if (dicom->count == 0) {
			rs_buffer_init(first, RS_MANIFEST_SIZE_MAX);
			rs_buffer_append_bytes(first, rs_buffer_bytes(&envelope));
			RS_TRY(rs_envelope_parse(rs_buffer_bytes(first), &about, err));
		}
		RS_TRY(rs_envelope_parse(rs_buffer_bytes(&envelope), &own, err));
		if (!rs_str_equal(own.study, about.study) || list.size + envelope.size + 16 > list.maximum)
			continue;
		if (item->size)
			RS_TRY(queue_data_path(&agent->queue, item, &dicom->paths[dicom->count], err));
		rs_cbor_write_bytes(&list, rs_buffer_bytes(&envelope));
		dicom->items[dicom->count++] = item;
	}
	rs_buffer_init(envelopes, RS_SIDECAR_MAX);
	rs_cbor_write_array(envelopes, dicom->count);
	rs_buffer_append_bytes(envelopes, rs_buffer_bytes(&list));
	return rs_buffer_check(envelopes, "envelopes", err);
}

static enum rs_code write_sidecar(struct dicom *dicom, struct rs_bytes envelopes, struct rs_bytes first,
                                  struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_envelope about;
	for (size_t i = 0; i < dicom->count; i++)
		if (dicom->items[i]->size) {
			RS_TRY(look_at(dicom, dicom->items[i], err));
			break;
		}
	RS_TRY(rs_envelope_parse(first, &about, err));
	RS_TRY(build_sidecar(dicom, &about, envelopes, &content, err));
	return rs_file_replace(dicom->transport.agent->world, dicom->sidecar, rs_buffer_bytes(&content), 0600,
	                       err);
}

static void reported(void *context, const struct rs_dicom_sent *sent)
{
	struct dicom *dicom = context;
	if (sent->code != RS_OK)
		return;
	if (strcmp(sent->path, dicom->sidecar) == 0)
		dicom->is_announced = true;
	for (size_t i = 0; i < dicom->count; i++)
		if (dicom->paths[i] && strcmp(dicom->paths[i], sent->path) == 0)
			dicom->done[i] = true;
}

/* What was answered with success is settled, whatever became of the rest. */
static enum rs_code settle(struct dicom *dicom, struct rs_error *err)
{
	struct agent *agent = dicom->transport.agent;
	for (size_t i = 0; i < dicom->count && dicom->is_announced; i++) {
		const struct item *item = dicom->items[i];
		if (dicom->paths[i] && !dicom->done[i])
			continue;
		RS_TRY(agent_settle(agent, dicom->items[i],
		                    item->size ? RS_ACKNOWLEDGED_SEALED : RS_ACKNOWLEDGED_LISTED,
		                    item->size - item->data_offset, rs_bytes_of("", 0), err));
	}
	return RS_OK;
}

static enum rs_code send_batch(struct dicom *dicom, struct rs_error *err)
{
	struct rs_buffer envelopes RS_CLEANUP(rs_buffer_finish) = {0},
				   first RS_CLEANUP(rs_buffer_finish) = {0};
	struct agent *agent = dicom->transport.agent;
	struct rs_error failure = {0};
	RS_TRY(gather(dicom, &envelopes, &first, err));
	RS_TRY(write_sidecar(dicom, rs_buffer_bytes(&envelopes), rs_buffer_bytes(&first), err));
	dicom->sent[dicom->sent_count++] = dicom->sidecar;
	for (size_t i = 0; i < dicom->count; i++)
		if (dicom->paths[i])
			dicom->sent[dicom->sent_count++] = dicom->paths[i];
	enum rs_code code = rs_dicom_peer_send(&dicom->peer, dicom->sent, dicom->sent_count, reported, dicom,
	                                       &failure);
	RS_TRY(settle(dicom, err));
	if (code == RS_OK) {
		dicom->failures = 0;
		return RS_OK;
	}
	agent_say(agent, RS_LOG_WARNING, "not_sent", dicom->peer.called, failure.message);
	dicom->retry_ns = agent_now_ns(agent) + agent_back_off_ns(agent, dicom->failures++);
	return RS_OK;
}

static enum rs_code step(struct transport *transport, int wake, int wait_ms, struct rs_error *err)
{
	struct dicom *dicom = (struct dicom *)transport;
	const struct agent *agent = transport->agent;
	struct pollfd polled = {.fd = wake, .events = POLLIN};
	if (!agent->queue.items || agent_now_ns(agent) < dicom->retry_ns) {
		(void)poll(&polled, 1, wait_ms);
		return RS_OK;
	}
	enum rs_code code = send_batch(dicom, err);
	batch_clear(dicom);
	return code;
}

static void close_dicom(struct transport *transport)
{
	struct dicom *dicom = (struct dicom *)transport;
	batch_clear(dicom);
	rs_free(dicom->sidecar);
	rs_free(dicom);
}

/* "TITLE@HOST:PORT"; we call ourselves by the device's name, as far as AE titles go. */
static enum rs_code open_dicom(struct agent *agent, const char *address, bool is_tls, struct transport **out,
                               struct rs_error *err)
{
	const struct rs_edge_options *options = agent->options;
	const char *at = strchr(address, '@');
	size_t size = at ? (size_t)(at - address) : 0;
	if (size == 0 || size >= RS_TITLE_SIZE || strlen(at + 1) >= ADDRESS_SIZE)
		return rs_error_set(err, RS_USAGE, "'%s' is no TITLE@HOST:PORT", address);
	struct dicom *dicom = rs_allocate(sizeof *dicom);
	char *sidecar = rs_path_join(options->state, SIDECAR_NAME);
	if (!dicom || !sidecar) {
		rs_free(dicom);
		rs_free(sidecar);
		return rs_error_memory(err, sizeof *dicom, "DICOM");
	}
	dicom->transport = (struct transport){&transport_dicom, agent};
	dicom->sidecar = sidecar;
	(void)snprintf(dicom->title, sizeof dicom->title, "%.*s", (int)size, address);
	(void)snprintf(dicom->own, sizeof dicom->own, "%.16s", options->device);
	(void)snprintf(dicom->address, sizeof dicom->address, "%s", at + 1);
	dicom->peer = (struct rs_dicom_peer){.address = dicom->address,
	                                     .called = dicom->title,
	                                     .calling = dicom->own,
	                                     .is_tls = is_tls,
	                                     .certificate = options->certificate,
	                                     .key = options->key,
	                                     .authorities = options->authorities,
	                                     .timeout_ms = TIMEOUT_MS};
	*out = &dicom->transport;
	return RS_OK;
}

const struct transport_type transport_dicom = {open_dicom, step, close_dicom};
