/* What lies in quarantine, and what becomes of it; what manifests said and what came. */
#include <string.h>

#include "held.h"
#include "reception.h"

#define MEMORY_MAX ((size_t)16 << 20)

enum state { KEPT, RELEASED, DISCARDED };

static enum rs_code report_series(struct rs_statement *each, rs_series_visit *visit, void *context,
                                  struct rs_error *err)
{
	for (bool found = true;;) {
		struct rs_series_report report = {.listed = 0};
		RS_TRY(rs_statement_step(each, &found, err));
		if (!found)
			return RS_OK;
		struct rs_bytes key = rs_statement_bytes(each, 0);
		struct rs_str name = rs_statement_str(each, 1);
		if (key.size != RS_KEY_SIZE || name.size > RS_DEVICE_NAME_MAX)
			return rs_error_set(err, RS_ALTERED, "devices.sqlite: a row is malformed");
		memcpy(report.device.bytes, key.data, RS_KEY_SIZE);
		memcpy(report.name, name.data, name.size);
		report.since_ms = (uint64_t)rs_statement_i64(each, 2);
		report.listed = (uint64_t)rs_statement_i64(each, 3);
		report.arrived = (uint64_t)rs_statement_i64(each, 4);
		report.quarantined = (uint64_t)rs_statement_i64(each, 5);
		report.matched = (uint64_t)rs_statement_i64(each, 6);
		RS_TRY(visit(context, &report, err));
	}
}

enum rs_code rs_node_each_series(struct rs_node *node, rs_series_visit *visit, void *context,
                                 struct rs_error *err)
{
	struct devices devices RS_CLEANUP(devices_close) = {.node = NULL};
	enum rs_code code = devices_open(node, RS_STORE_READ, &devices, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	return report_series(devices_sql(&devices, EACH_SERIES), visit, context, err);
}

static enum rs_code report_one(struct devices *devices, struct rs_statement *each, rs_quarantine_visit *visit,
                               void *context, struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_quarantined row = {.id = (uint64_t)rs_statement_i64(each, 0),
	                             .distrust = (enum rs_distrust)rs_statement_i64(each, 1),
	                             .time_ms = (uint64_t)rs_statement_i64(each, 2),
	                             .size = (uint64_t)rs_statement_i64(each, 4)};
	struct rs_envelope envelope;
	RS_TRY(devices_open_box(devices, rs_statement_bytes(each, 3), &message, err));
	RS_TRY(rs_envelope_parse(rs_buffer_bytes(&message), &envelope, err));
	memcpy(row.device, envelope.device.data, envelope.device.size);
	row.key = envelope.signer;
	row.kind = envelope.kind;
	row.clock = envelope.clock;
	row.captured_ms = envelope.captured_ms;
	return visit(context, &row, err);
}

enum rs_code rs_quarantine_each(struct rs_node *node, rs_quarantine_visit *visit, void *context,
                                struct rs_error *err)
{
	struct devices devices RS_CLEANUP(devices_close) = {.node = NULL};
	enum rs_code code = devices_open(node, RS_STORE_READ, &devices, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	struct rs_statement *each = devices_sql(&devices, EACH_QUARANTINED);
	for (bool found = true;;) {
		RS_TRY(rs_statement_step(each, &found, err));
		if (!found)
			return RS_OK;
		RS_TRY(report_one(&devices, each, visit, context, err));
	}
}

/* Who governs a node's devices governs what they sent. */
enum rs_code held_check_permitted(struct rs_node *node, const struct rs_actor *actor, struct rs_error *err)
{
	const struct rs_member_key id = rs_actor_id(actor);
	const struct rs_state state = rs_node_state(node);
	const uint64_t now_ms = rs_world_now_ms(node->world);
	struct rs_person person;
	enum rs_code code = rs_contract_person(&state, &id, &person, NULL);
	if (code == RS_OK && !person.revoked && person.from_ms <= now_ms &&
	    (person.until_ms == 0 || now_ms < person.until_ms) &&
	    (person.role == RS_ROLE_DATA_ENGINEER || person.role == RS_ROLE_HOSPITAL_ADMINISTRATOR))
		return RS_OK;
	return rs_error_set(
		err, RS_REFUSED,
		"ROLE: only data engineers and administrators decide what becomes of the quarantine");
}

void held_finish(struct held *held) { rs_buffer_finish(&held->message); }

enum rs_code held_find(struct devices *devices, uint64_t id, struct held *out, struct rs_error *err)
{
	struct rs_statement *get = devices_sql(devices, GET_QUARANTINED);
	bool found;
	rs_statement_bind_i64(get, 1, (int64_t)id);
	RS_TRY(rs_statement_step(get, &found, err));
	if (!found)
		return rs_error_set(err, RS_NOT_FOUND, "nothing has the number %llu in quarantine",
		                    (unsigned long long)id);
	struct rs_bytes cid = rs_statement_bytes(get, 1), nonce = rs_statement_bytes(get, 2);
	out->has_object = rs_cid_from_bytes(cid, &out->cid);
	if (nonce.size == sizeof out->nonce)
		memcpy(out->nonce, nonce.data, nonce.size);
	enum rs_code code = devices_open_box(devices, rs_statement_bytes(get, 0), &out->message, err);
	rs_statement_reset(get);
	RS_TRY(code);
	rs_sha256(rs_buffer_bytes(&out->message), &out->digest);
	return rs_envelope_verify(rs_buffer_bytes(&out->message), &out->envelope, err);
}

static enum rs_code end(struct devices *devices, const struct rs_actor *actor, uint64_t id, enum state state,
                        const struct held *held, struct rs_error *err)
{
	struct rs_statement *update = devices_sql(devices, END_QUARANTINED);
	const struct rs_member_key member = rs_actor_id(actor);
	rs_statement_bind_i64(update, 1, (int64_t)id);
	rs_statement_bind_i64(update, 2, state);
	rs_statement_bind_bytes(update, 3, rs_bytes_of(member.bytes, RS_KEY_SIZE));
	rs_statement_bind_i64(update, 4, (int64_t)rs_world_now_ms(devices->node->world));
	RS_TRY(rs_statement_run(update, err));
	if (!held->has_object)
		return RS_OK;
	enum rs_code code = rs_vault_remove(devices->vault, &held->cid, err);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code rs_quarantine_discard(struct rs_node *node, const struct rs_actor *actor, uint64_t id,
                                   struct rs_error *err)
{
	struct devices devices RS_CLEANUP(devices_close) = {.node = NULL};
	struct held held RS_CLEANUP(held_finish) = {.has_object = false};
	RS_TRY(held_check_permitted(node, actor, err));
	RS_TRY(devices_open(node, RS_STORE_WRITE, &devices, err));
	RS_TRY(held_find(&devices, id, &held, err));
	return end(&devices, actor, id, DISCARDED, &held, err);
}

struct admission {
	enum rs_code code;
	struct rs_error *err;
};

static void admitted(void *context, enum rs_code code, const struct rs_admit_result *result RS_UNUSED,
                     const struct rs_error *err)
{
	struct admission *admission = context;
	admission->code = code;
	if (code != RS_OK && admission->err)
		*admission->err = *err;
}

static enum rs_code take_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	return rs_arrival_add(context, piece, err);
}

enum rs_code held_read(struct devices *devices, const struct held *held, rs_vault_take *take, void *context,
                       struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	rs_subject_object_key(&devices->secret, held->nonce, &key);
	return rs_vault_read_to(devices->vault, &held->cid, &key, take, context, err);
}

static enum rs_code admit(struct devices *devices, struct rs_intake *intake, const struct held *held,
                          struct rs_error *err)
{
	struct admission admission = {RS_INTERNAL, err};
	struct rs_arrival *arrival;
	RS_TRY(arrival_of(intake, &held->envelope, "quarantine", rs_buffer_bytes(&held->message), &arrival,
	                  err));
	enum rs_code code = held_read(devices, held, take_piece, arrival, err);
	if (code != RS_OK) {
		rs_arrival_abandon(arrival);
		return code;
	}
	rs_arrival_admit(arrival, admitted,
	                 &admission); /* nobody else commits: it is done when this returns */
	return admission.code;
}

static enum rs_code release(struct devices *devices, const struct rs_actor *actor, const struct held *held,
                            struct rs_error *err)
{
	struct rs_intake *intake;
	struct seen seen;
	if (held->envelope.kind == RS_ENVELOPE_MANIFEST)
		return devices_add_manifest(devices, &held->envelope, rs_buffer_bytes(&held->message),
		                            &held->digest, err);
	RS_TRY(rs_intake_open(devices->node, actor, MEMORY_MAX, &intake, err));
	enum rs_code code = admit(devices, intake, held, err);
	enum rs_code closed = rs_intake_close(intake, code == RS_OK ? err : NULL);
	RS_TRY(code);
	RS_TRY(closed);
	seen_of(devices, &held->envelope, &held->digest, RS_ACKNOWLEDGED_SEALED, &seen);
	return devices_add_seen(devices, &seen, err);
}

enum rs_code rs_quarantine_release(struct rs_node *node, const struct rs_actor *actor, uint64_t id,
                                   struct rs_error *err)
{
	struct devices devices RS_CLEANUP(devices_close) = {.node = NULL};
	struct held held RS_CLEANUP(held_finish) = {.has_object = false};
	RS_TRY(held_check_permitted(node, actor, err));
	RS_TRY(devices_open(node, RS_STORE_WRITE, &devices, err));
	RS_TRY(held_find(&devices, id, &held, err));
	RS_TRY(release(&devices, actor, &held, err));
	return end(&devices, actor, id, RELEASED, &held, err);
}
