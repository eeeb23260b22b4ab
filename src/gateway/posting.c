/* AuditEvents to a FHIR server, one POST each: what was answered with success is delivered, and does not come again. Servers end
 * connections that are idle: one is made when there is something to say. */
#include "collector.h"

#define MEDIA "application/fhir+json; charset=utf-8"

static enum rs_code post(struct rs_collector *collector, struct rs_bytes event, struct rs_error *err)
{
	const struct rs_tls_options options = {.authorities = collector->authorities,
	                                       .certificate = collector->certificate,
	                                       .key = collector->key,
	                                       .timeout_ms = TIMEOUT_MS};
	unsigned status = 0;
	bool goes_on = false;
	if (!collector->tls)
		RS_TRY(rs_https_connect(collector->address, &options, &collector->tls, err));
	RS_TRY(rs_https_post(collector->tls, collector->address, MEDIA, event, &status, &goes_on, err));
	if (!goes_on) {
		rs_tls_close(collector->tls);
		collector->tls = NULL;
	}
	return status / 100 == 2 ? RS_OK : rs_error_set(err, RS_IO, "the answer's status is %u", status);
}

static enum rs_code post_all(struct batch *batch, struct rs_error *err)
{
	struct rs_collector *collector = batch->collector;
	for (size_t i = 0, start = 0; i < batch->count; i++) {
		const struct batch_item *item = &batch->items[i];
		RS_TRY(post(collector, rs_bytes_of(batch->bytes.data + start, item->end - start), err));
		collector->sent = item->place;
		start = item->end;
	}
	return RS_OK;
}

static void batch_finish(struct batch *batch) { rs_buffer_finish(&batch->bytes); }

enum rs_code posting_deliver(struct rs_collector *collector, bool *out_any, struct rs_error *err)
{
	struct batch batch RS_CLEANUP(batch_finish) = {.collector = collector};
	rs_buffer_init(&batch.bytes, 2 * BATCH * RS_ATNA_MESSAGE_MAX);
	if (collector->tls && !rs_tls_is_open(collector->tls)) {
		rs_tls_close(collector->tls);
		collector->tls = NULL;
	}
	RS_TRY(batch_fill(&batch, err));
	*out_any = batch.count > 0;
	if (batch.count == 0)
		return RS_OK;
	enum rs_code code = post_all(&batch, err);
	/* What was answered stays delivered. */
	enum rs_code kept = collector_delivered(collector, &collector->sent, code == RS_OK ? err : NULL);
	if (code == RS_OK)
		collector->backoff_ms = 0;
	return code == RS_OK ? kept : code;
}
