/* Instances that come without an envelope of their own: one may wait for it, or a manifest lists it. And who asks later. */
#include <string.h>

#include "reception.h"
#include "workflow/workflow_made.h"

static void copy_bytes(struct rs_bytes from, uint8_t to[static RS_SHA256_SIZE])
{
	memset(to, 0, RS_SHA256_SIZE);
	if (from.size == RS_SHA256_SIZE)
		memcpy(to, from.data, RS_SHA256_SIZE);
}

bool rs_reception_awaits(struct rs_reception *reception, const char *sop_instance_uid)
{
	struct rs_digest sop;
	bool found = false;
	devices_sop(&reception->devices, rs_str_from(sop_instance_uid), &sop);
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *find = devices_sql(&reception->devices, IS_AWAITED);
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

/* The manifest that lists just this content, of a device that is in force still. Under the reception's mutex.
 * matched->manifest 0: there is none, which the log is told. */
static enum rs_code find_manifest(struct rs_reception *reception, const char *sop_instance_uid,
                                  const struct rs_digest *sha256, struct rs_digest *out_digest,
                                  struct matched *matched, struct rs_error *err)
{
	struct devices *devices = &reception->devices;
	struct rs_member_key key;
	struct rs_digest sop;
	enum rs_distrust distrust = RS_DISTRUST_NONE;
	bool found, has_come = false;
	devices_sop(devices, rs_str_from(sop_instance_uid), &sop);
	devices_instance(devices, rs_str_from(sop_instance_uid), sha256, &matched->instance);
	struct rs_statement *find = devices_sql(devices, FIND_LISTED);
	rs_statement_bind_bytes(find, 1, rs_bytes_of(sop.bytes, RS_SHA256_SIZE));
	rs_statement_bind_bytes(find, 2, rs_bytes_of(matched->instance.bytes, RS_SHA256_SIZE));
	RS_TRY(rs_statement_step(find, &found, err));
	if (found) {
		matched->manifest = rs_statement_i64(find, 0);
		copy_bytes(rs_statement_bytes(find, 1), out_digest->bytes);
		copy_bytes(rs_statement_bytes(find, 2), key.bytes);
		has_come = rs_statement_i64(find, 3) != 0;
	}
	rs_statement_reset(find);
	if (found && !has_come)
		RS_TRY(reception_judge_key(reception, &key, &distrust, err));
	if (found && !has_come && distrust == RS_DISTRUST_NONE)
		return RS_OK;
	matched->manifest = 0;
	if (!has_come)
		reception_say(reception, RS_LOG_WARNING, "manifest_mismatch", NULL,
		              found ? rs_distrust_text(distrust) : "its device announced other content");
	return RS_OK;
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
	if (code == RS_NOT_FOUND) {
		code = find_manifest(reception, sop_instance_uid, sha256, &digest, &ticket->matched, err);
		pthread_mutex_unlock(&reception->mutex);
		return code == RS_OK && ticket->matched.manifest
		               ? rs_arrival_vouch(arrival, source, rs_bytes_of(digest.bytes, RS_SHA256_SIZE),
		                                  err)
		               : code;
	}
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
	const bool is_listed_since = !sha256 && rs_reception_awaits(reception, sop_instance_uid);
	if (!sha256 && !is_listed_since) {
		rs_arrival_admit(arrival, done, context);
		return;
	}
	ticket = rs_allocate(sizeof *ticket);
	enum rs_code code = ticket ? RS_OK : rs_error_memory(&err, sizeof *ticket, "an instance");
	if (ticket && sha256)
		code = match(reception, arrival, sop_instance_uid, sha256, source, ticket, &err);
	if (ticket) {
		ticket->is_listed_since = is_listed_since;
		devices_sop(&reception->devices, rs_str_from(sop_instance_uid), &ticket->sop);
	}
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

void rs_reception_arrived(struct rs_reception *reception, const char *sop_instance_uid)
{
	struct rs_digest sop;
	if (!rs_reception_awaits(reception, sop_instance_uid))
		return;
	devices_sop(&reception->devices, rs_str_from(sop_instance_uid), &sop);
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = devices_look_again(&reception->devices, &sop, NULL);
	pthread_mutex_unlock(&reception->mutex);
	if (code == RS_OK)
		matching_wake(reception);
}

struct rs_listings {
	bool has_any; /* devices.sqlite is there */
	struct devices devices;
};

enum rs_code rs_listings_open(struct rs_node *node, struct rs_listings **out, struct rs_error *err)
{
	struct rs_listings *listings = rs_allocate(sizeof *listings);
	if (!listings)
		return rs_error_memory(err, sizeof *listings, "what manifests list");
	enum rs_code code = devices_open(node, RS_STORE_READ, &listings->devices, err);
	listings->devices.node = node;
	listings->has_any = code == RS_OK;
	if (code != RS_OK && code != RS_NOT_FOUND) {
		rs_free(listings);
		return code;
	}
	*out = listings;
	return RS_OK;
}

void rs_listings_close(struct rs_listings *listings)
{
	if (listings && listings->has_any)
		devices_close(&listings->devices);
	rs_free(listings);
}

static enum rs_code find(struct rs_listings *listings, enum sql sql, const struct rs_digest *name,
                         struct rs_listing *out, struct rs_error *err)
{
	struct rs_listing listing = {.is_sealed = false};
	struct rs_sealed sealed = {.entry = 0};
	bool found;
	if (!listings->has_any)
		return RS_NOT_FOUND;
	struct rs_statement *get = devices_sql(&listings->devices, sql);
	rs_statement_bind_bytes(get, 1, rs_bytes_of(name->bytes, RS_SHA256_SIZE));
	enum rs_code code = rs_statement_step(get, &found, err);
	RS_TRY(code);
	if (!found)
		return RS_NOT_FOUND;
	struct rs_str text = rs_statement_str(get, 1);
	copy_bytes(rs_statement_bytes(get, 0), listing.device.bytes);
	memcpy(listing.name, text.data, text.size < RS_DEVICE_NAME_MAX ? text.size : RS_DEVICE_NAME_MAX);
	copy_bytes(rs_statement_bytes(get, 2), listing.manifest.bytes);
	rs_statement_reset(get);
	code = rs_node_sealed(listings->devices.node, &listing.manifest, &sealed, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	listing.is_sealed = code == RS_OK;
	listing.entry = sealed.entry;
	*out = listing;
	return RS_OK;
}

enum rs_code rs_listings_find(struct rs_listings *listings, const struct rs_digest *file,
                              struct rs_listing *out, struct rs_error *err)
{
	struct rs_digest content;
	node_locator(listings->devices.node, LOCATOR_CONTENT, rs_bytes_of(file->bytes, RS_SHA256_SIZE),
	             &content);
	return find(listings, FIND_MATCH, &content, out, err);
}

enum rs_code rs_listings_content(struct rs_listings *listings, const struct rs_digest *content,
                                 struct rs_listing *out, struct rs_error *err)
{
	return find(listings, FIND_MATCH, content, out, err);
}

enum rs_code rs_listings_manifest(struct rs_listings *listings, const struct rs_digest *manifest,
                                  struct rs_listing *out, struct rs_error *err)
{
	return find(listings, FIND_MANIFEST, manifest, out, err);
}
