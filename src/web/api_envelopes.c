/* What devices send over HTTP (envelope/envelope_http.h): envelopes, then their data sets in pieces that go on where they were.
 * Who sends proves it by the request's signature, before the body is read: a device that the ledger knows, or whom TLS proved
 * by a certificate. What is believed of it is judged as over MQTT. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "devices/devices.h"
#include "envelope/envelope_http.h"
#include "envelope/envelope_mqtt.h"
#include "server.h"

#define OPEN_MAX 256 /* deliveries whose data set is not whole */
#define IDLE_NS ((uint64_t)120 * 1000000000)
#define MEDIA "application/cbor"
#define KEY_DIGITS 16 /* of the caller's key in the log */

struct inflow {
	struct inflow *next;
	struct rs_delivery *delivery;
	struct rs_member_key sender;
	struct rs_digest envelope;
	uint64_t offset, touched_ns;
	bool is_busy; /* with a request */
};

struct sender {
	struct rs_http_signature signature;
	struct rs_cose_key key;
	struct rs_member_key id;
};

static struct rs_str field(const void *context, const char *name)
{
	struct rs_str value = request_header(context, name);
	return value.size ? value : (struct rs_str){NULL, 0};
}

/* Without the port that everybody assumes (RFC 9421 section 2.2.3). */
static struct rs_str authority_of(const struct request *request)
{
	struct rs_str host = request_header(request, "Host");
	const char *usual = request_is_tls(request) ? ":443" : ":80";
	if (rs_str_ends_with(host, usual))
		host.size -= strlen(usual);
	return host;
}

static enum rs_code check_times(const struct rs_http_signature *signature, struct rs_error *err)
{
	uint64_t now_s = rs_world_now_ms(rs_world_system()) / 1000, skew_s = RS_DEVICE_SKEW_MS / 1000;
	if (!signature->has_created)
		return rs_error_set(err, RS_DENIED, "the signature does not say when it was made");
	if (signature->created_s > now_s + skew_s || now_s > signature->created_s + skew_s ||
	    (signature->has_expires && signature->expires_s < now_s))
		return rs_error_set(err, RS_DENIED,
		                    "the signature was not made within %llu s of the time of the field Date",
		                    (unsigned long long)skew_s);
	return RS_OK;
}

/* The signature with the key that it names. */
static enum rs_code read_sender(const struct request *request, struct sender *out, struct rs_error *err)
{
	RS_TRY(rs_http_signature_parse(request_header(request, "Signature-Input"),
	                               request_header(request, "Signature"), RS_HTTP_TAG, &out->signature,
	                               err));
	RS_TRY(rs_http_key_parse(out->signature.keyid, &out->key, err));
	rs_cose_key_id(&out->key, &out->id);
	return RS_OK;
}

static enum rs_code prove(struct request *request, struct rs_error *err)
{
	static const char *const covered[] = RS_HTTP_COVERED;
	const struct rs_http_message message = {.method = rs_str_from(request->route->method),
	                                        .authority = authority_of(request),
	                                        .target = request_raw(request),
	                                        .field = field,
	                                        .context = request};
	struct sender sender;
	RS_TRY(read_sender(request, &sender, err));
	for (size_t i = 0; i < RS_COUNT(covered); i++)
		if (!rs_http_signature_covers(&sender.signature, covered[i]))
			return rs_error_set(err, RS_DENIED, "the signature does not cover %s", covered[i]);
	RS_TRY(check_times(&sender.signature, err));
	RS_TRY(rs_http_signature_verify(&sender.signature, &message, &sender.key, err));
	char digits[RS_MEMBER_KEY_TEXT_SIZE];
	rs_member_key_format(&sender.id, digits);
	(void)snprintf(request->caller.name, sizeof request->caller.name, "device %.*s", KEY_DIGITS, digits);
	if (request_is_revoked(request))
		return rs_error_set(err, RS_DENIED, REVOKED);
	if (request_certificate(request).size > 0)
		return RS_OK;
	enum rs_code code = rs_reception_knows(rs_gateway_reception(web_gateway(request->web)), &sender.id,
	                                       err);
	return code != RS_NOT_FOUND
	               ? code
	               : rs_error_set(
				 err, RS_DENIED,
				 "no device has this key, and no certificate of the authorities was shown");
}

static enum rs_code begin(struct request *request, struct rs_error *err)
{
	struct rs_error why = {0};
	enum rs_code code = prove(request, &why);
	if (code == RS_OK)
		return json_body_begin(request, err);
	if (code != RS_NO_MEMORY && code != RS_IO && code != RS_BUSY) {
		request_put_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Signature");
		rs_collector_tell(web_options(request->web)->collector, RS_ATNA_REFUSED, true, NULL,
		                  request->host);
		code = RS_DENIED;
	}
	return rs_error_set(err, code, "%s", why.message);
}

/* The name in the certificate, which TLS has verified. */
static void name_of(struct rs_bytes certificate, char out[static RS_DEVICE_NAME_MAX + 1])
{
	const gnutls_datum_t der = {(unsigned char *)(uintptr_t)certificate.data, (unsigned)certificate.size};
	gnutls_x509_crt_t parsed = NULL;
	size_t size = RS_DEVICE_NAME_MAX + 1;
	/* What is no name is nobody's, so that it fits no envelope. */
	(void)snprintf(out, RS_DEVICE_NAME_MAX + 1, "?");
	if (gnutls_x509_crt_init(&parsed) != 0)
		return;
	if (gnutls_x509_crt_import(parsed, &der, GNUTLS_X509_FMT_DER) != 0 ||
	    gnutls_x509_crt_get_dn_by_oid(parsed, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &size) != 0)
		(void)snprintf(out, RS_DEVICE_NAME_MAX + 1, "?");
	gnutls_x509_crt_deinit(parsed);
}

static enum rs_code check_content(const struct call *call, struct rs_error *err)
{
	struct rs_digest said, is;
	RS_TRY(rs_content_digest_parse(request_header(call->request, "Content-Digest"), &said, err));
	rs_sha256(call_bytes(call), &is);
	return rs_digest_equal(&said, &is)
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "the body is not what Content-Digest says");
}

static struct inflow **find(struct rs_web *web, const struct rs_member_key *sender,
                            const struct rs_digest *envelope)
{
	struct inflow **at = &web->inflows;
	while (*at &&
	       !(rs_digest_equal(&(*at)->envelope, envelope) && rs_member_key_equal(&(*at)->sender, sender)))
		at = &(*at)->next;
	return at;
}

static void take_out(struct rs_web *web, struct inflow **at)
{
	struct inflow *inflow = *at;
	*at = inflow->next;
	web->inflow_count--;
	rs_delivery_abandon(inflow->delivery);
	rs_free(inflow);
}

/* Devices that went away send again from the beginning. */
static void forget_idle(struct rs_web *web)
{
	uint64_t now = web->clock->monotonic_ns(web->clock);
	for (struct inflow **at = &web->inflows; *at;)
		if (!(*at)->is_busy && now - (*at)->touched_ns > IDLE_NS)
			take_out(web, at);
		else
			at = &(*at)->next;
}

void inflows_finish(struct rs_web *web)
{
	while (web->inflows)
		take_out(web, &web->inflows);
}

/* For this request alone until let_go(). RS_NOT_FOUND */
static enum rs_code hold(struct rs_web *web, const struct rs_member_key *sender,
                         const struct rs_digest *envelope, struct inflow **out, struct rs_error *err)
{
	pthread_mutex_lock(&web->inflow_mutex);
	forget_idle(web);
	struct inflow *inflow = *find(web, sender, envelope);
	bool is_busy = inflow && inflow->is_busy;
	if (inflow)
		inflow->is_busy = true;
	pthread_mutex_unlock(&web->inflow_mutex);
	if (!inflow)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "no data set is awaited for this envelope: send it again");
	if (is_busy)
		return rs_error_set(err, RS_BUSY, "another request brings bytes of the same data set");
	*out = inflow;
	return RS_OK;
}

static void let_go(struct rs_web *web, struct inflow *inflow, bool is_over)
{
	pthread_mutex_lock(&web->inflow_mutex);
	inflow->is_busy = false;
	inflow->touched_ns = web->clock->monotonic_ns(web->clock);
	if (is_over)
		take_out(web, find(web, &inflow->sender, &inflow->envelope));
	pthread_mutex_unlock(&web->inflow_mutex);
}

static enum rs_code enlist(struct rs_web *web, const struct inflow *inflow, struct rs_error *err)
{
	struct inflow *added = rs_allocate(sizeof *added);
	enum rs_code code = added ? RS_OK : rs_error_memory(err, sizeof *added, "a delivery");
	pthread_mutex_lock(&web->inflow_mutex);
	if (code == RS_OK &&
	    (web->inflow_count >= OPEN_MAX || *find(web, &inflow->sender, &inflow->envelope)))
		code = rs_error_set(err, RS_BUSY, "the node receives as many data sets as it can");
	if (code == RS_OK) {
		*added = *inflow;
		added->next = web->inflows;
		added->touched_ns = web->clock->monotonic_ns(web->clock);
		web->inflows = added;
		web->inflow_count++;
	}
	pthread_mutex_unlock(&web->inflow_mutex);
	if (code != RS_OK)
		rs_free(added);
	return code;
}

/* The data set is awaited from there on. */
static enum rs_code want(struct call *call, const struct rs_digest *envelope, uint64_t offset,
                         struct rs_error *err)
{
	const struct rs_notice notice = {RS_NOTICE_WANTS, *envelope, offset, RS_STR("")};
	rs_notice_write(&notice, &call->request->body);
	return rs_buffer_check(&call->request->body, "a notice", err);
}

struct waiting {
	pthread_mutex_t mutex;
	pthread_cond_t told;
	bool is_done;
	enum rs_code code;
	struct rs_buffer *answer;
	struct rs_error err;
};

static void done(void *context, enum rs_code code, struct rs_bytes acknowledgement,
                 const struct rs_error *err)
{
	struct waiting *waiting = context;
	pthread_mutex_lock(&waiting->mutex);
	waiting->code = code;
	if (code == RS_OK)
		rs_buffer_append_bytes(waiting->answer, acknowledgement);
	else
		waiting->err = *err;
	waiting->is_done = true;
	pthread_cond_signal(&waiting->told);
	pthread_mutex_unlock(&waiting->mutex);
}

/* Until it is durable. */
static enum rs_code end(struct call *call, struct rs_delivery *delivery, struct rs_error *err)
{
	struct waiting waiting = {.answer = &call->request->body};
	pthread_mutex_init(&waiting.mutex, NULL);
	pthread_cond_init(&waiting.told, NULL);
	rs_delivery_end(delivery, done, &waiting);
	pthread_mutex_lock(&waiting.mutex);
	while (!waiting.is_done)
		pthread_cond_wait(&waiting.told, &waiting.mutex);
	pthread_mutex_unlock(&waiting.mutex);
	pthread_cond_destroy(&waiting.told);
	pthread_mutex_destroy(&waiting.mutex);
	if (waiting.code != RS_OK)
		return rs_error_set(err, waiting.code, "%s", waiting.err.message);
	return rs_buffer_check(&call->request->body, "an acknowledgement", err);
}

/* Who brings it, as far as that is known: an envelope of another key than the request's is another's. */
static enum rs_code begin_delivery(struct call *call, const struct sender *sender, struct rs_delivery **out,
                                   struct rs_error *err)
{
	struct rs_bytes certificate = request_certificate(call->request);
	char name[RS_DEVICE_NAME_MAX + 1] = "";
	struct rs_envelope envelope;
	RS_TRY(rs_envelope_parse(call_bytes(call), &envelope, err));
	if (certificate.size > 0)
		name_of(certificate, name);
	else if (!rs_member_key_equal(&envelope.signer, &sender->id))
		(void)snprintf(name, sizeof name, "?");
	return rs_delivery_begin(rs_gateway_reception(web_gateway(call->request->web)), "http",
	                         rs_str_from(name), call_bytes(call), out, err);
}

static enum rs_code receive_envelope(struct call *call, struct rs_error *err)
{
	struct rs_web *web = call->request->web;
	struct sender sender;
	struct inflow *open, inflow = {.offset = 0};
	RS_TRY(check_content(call, err));
	RS_TRY(read_sender(call->request, &sender, err));
	inflow.sender = sender.id;
	rs_sha256(call_bytes(call), &inflow.envelope);
	enum rs_code code = hold(web, &sender.id, &inflow.envelope, &open, err);
	if (code == RS_OK) {
		code = want(call, &open->envelope, open->offset, err);
		let_go(web, open, false);
	}
	if (code != RS_NOT_FOUND)
		return code;
	RS_TRY(begin_delivery(call, &sender, &inflow.delivery, err));
	if (rs_delivery_wants(inflow.delivery) == 0)
		return end(call, inflow.delivery, err);
	code = enlist(web, &inflow, err);
	if (code != RS_OK) {
		rs_delivery_abandon(inflow.delivery);
		return code;
	}
	return want(call, &inflow.envelope, 0, err);
}

/* What came before is passed over; of what is missing the answer tells where it begins. *out_whole: it is not the inflow's any
 * more. */
static enum rs_code take_piece(struct call *call, struct inflow *inflow, struct rs_delivery **out_whole,
                               struct rs_error *err)
{
	uint64_t offset = call_number(call, "offset", 0);
	struct rs_bytes bytes = call_bytes(call);
	uint64_t known = inflow->offset - offset;
	if (offset > inflow->offset || known >= bytes.size)
		return want(call, &inflow->envelope, inflow->offset, err);
	bytes = rs_bytes_of(bytes.data + known, bytes.size - (size_t)known);
	RS_TRY(rs_delivery_add(inflow->delivery, bytes, err));
	inflow->offset += bytes.size;
	if (rs_delivery_wants(inflow->delivery) > 0)
		return want(call, &inflow->envelope, inflow->offset, err);
	*out_whole = inflow->delivery;
	inflow->delivery = NULL;
	return RS_OK;
}

static enum rs_code receive_chunk(struct call *call, struct rs_error *err)
{
	struct rs_web *web = call->request->web;
	struct rs_digest envelope;
	struct rs_delivery *whole = NULL;
	struct sender sender;
	struct inflow *inflow;
	if (!rs_hex_decode(call->request->values[0], envelope.bytes, sizeof envelope.bytes))
		return rs_error_set(err, RS_USAGE, "the path names no envelope: 64 hexadecimal digits do");
	RS_TRY(check_content(call, err));
	RS_TRY(read_sender(call->request, &sender, err));
	RS_TRY(hold(web, &sender.id, &envelope, &inflow, err));
	enum rs_code code = take_piece(call, inflow, &whole, err);
	let_go(web, inflow, whole || code != RS_OK);
	return whole ? end(call, whole, err) : code;
}

/* A signature or a hash that does not fit is the sender's fault. */
static enum rs_code blame(struct call *call, enum rs_code code)
{
	if (code == RS_ALTERED)
		call->request->status = MHD_HTTP_UNPROCESSABLE_CONTENT;
	return code;
}

static enum rs_code take_envelope(struct call *call, struct rs_error *err)
{
	return blame(call, receive_envelope(call, err));
}

static enum rs_code take_chunk(struct call *call, struct rs_error *err)
{
	return blame(call, receive_chunk(call, err));
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field signed_fields[] = {
	{"Content-Digest", FIELD_TEXT, true, "of the body: sha-256=:…: (RFC 9530)", NULL},
	{"Signature-Input", FIELD_TEXT, true,
         "what is signed, at least @method, @authority, @path, @query, content-type and content-digest, when (created), by "
         "whom (keyid: the device's public key in hexadecimal) and for what (tag: " RS_HTTP_TAG "); RFC 9421",
         NULL},
	{"Signature", FIELD_TEXT, true, "the device's, Ed25519 or ECDSA over P-256", NULL},
	END};
static const struct field chunk_fields[] = {
	{"offset", FIELD_NUMBER, true, "where in the data set the body begins", NULL}, END};

const struct operation operations_envelopes[] = {
	{.route = {.method = "POST",
                   .path = RS_HTTP_ENVELOPES,
                   .body_max = RS_MANIFEST_SIZE_MAX,
                   .begin = begin},
         .group = "devices",
         .summary = "Takes an envelope (COSE_Sign1) that a device signed, and answers with the node's signed "
                    "acknowledgement, or from where on it wants the data set",
         .headers = signed_fields,
         .media = MEDIA,
         .is_outside = true,
         .run = take_envelope},
	{.route = {.method = "PUT",
                   .path = RS_HTTP_ENVELOPES "/{name}",
                   .body_max = RS_HTTP_CHUNK_MAX,
                   .begin = begin},
         .group = "devices",
         .summary =
                 "Takes bytes of the data set that belongs to the envelope of this SHA-256; answers as for the "
                 "envelope, once all of it is durable with the acknowledgement",
         .headers = signed_fields,
         .query = chunk_fields,
         .media = MEDIA,
         .is_outside = true,
         .run = take_chunk},
	{.run = NULL},
};
