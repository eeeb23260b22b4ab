/* Whether an envelope is believed: key, name, sequence, clock, in this order. */
#include "judge.h"

#include <string.h>

#define ROTATIONS_MAX 64

const char *rs_distrust_name(enum rs_distrust distrust)
{
	switch (distrust) {
#define NAME_CASE(member, number, name, text) \
	case RS_DISTRUST_##member: return name;
		RS_DISTRUSTS(NAME_CASE)
#undef NAME_CASE
	default: return "none";
	}
}

const char *rs_distrust_text(enum rs_distrust distrust)
{
	switch (distrust) {
#define TEXT_CASE(member, number, name, text) \
	case RS_DISTRUST_##member: return text;
		RS_DISTRUSTS(TEXT_CASE)
#undef TEXT_CASE
	default: return "it is believed";
	}
}

static bool is_none(const struct rs_member_key *key)
{
	static const struct rs_member_key none;
	return rs_member_key_equal(key, &none);
}

enum rs_code judge_key(const struct rs_member_key *key, uint64_t now_ms, find_person *find, void *context,
                       enum rs_distrust *out, struct rs_error *err)
{
	struct rs_person person;
	enum rs_code code = find(context, key, &person, NULL);
	*out = RS_DISTRUST_UNKNOWN;
	if (code == RS_NOT_FOUND || (code == RS_OK && person.role != RS_ROLE_DEVICE))
		return RS_OK;
	if (code != RS_OK)
		return rs_error_set(err, code, "the ledger cannot be asked for a device");
	*out = RS_DISTRUST_NONE;
	if (person.revoked)
		*out = is_none(&person.successor) ? RS_DISTRUST_REVOKED : RS_DISTRUST_ROTATED;
	else if (now_ms < person.from_ms || (person.until_ms && now_ms >= person.until_ms))
		*out = RS_DISTRUST_PERIOD;
	return RS_OK;
}

/* Whether rotations lead from one key to the other. */
static bool leads_to(struct rs_member_key from, const struct rs_member_key *to, find_person *find,
                     void *context)
{
	struct rs_person person;
	for (int i = 0; i < ROTATIONS_MAX && !rs_member_key_equal(&from, to); i++) {
		if (find(context, &from, &person, NULL) != RS_OK || is_none(&person.successor))
			return false;
		from = person.successor;
	}
	return rs_member_key_equal(&from, to);
}

static enum rs_code judge_name(struct devices *devices, const struct rs_envelope *envelope,
                               struct rs_str sender, find_person *find, void *context, enum rs_distrust *out,
                               struct rs_error *err)
{
	struct rs_statement *statement = devices_sql(devices, FIND_NAME);
	struct rs_member_key owner = envelope->signer;
	bool found;
	rs_statement_bind_str(statement, 1, envelope->device);
	RS_TRY(rs_statement_step(statement, &found, err));
	if (found && rs_statement_bytes(statement, 0).size == RS_KEY_SIZE)
		memcpy(owner.bytes, rs_statement_bytes(statement, 0).data, RS_KEY_SIZE);
	rs_statement_reset(statement);
	*out = RS_DISTRUST_NONE;
	if (found && rs_member_key_equal(&owner, &envelope->signer))
		found = true; /* as last time */
	else if (found && !leads_to(owner, &envelope->signer, find, context))
		*out = RS_DISTRUST_NAME;
	else
		found = false;
	if (sender.size && !rs_str_equal(sender, envelope->device))
		*out = RS_DISTRUST_NAME;
	if (found || *out != RS_DISTRUST_NONE)
		return RS_OK;
	statement = devices_sql(devices, SET_NAME);
	rs_statement_bind_str(statement, 1, envelope->device);
	rs_statement_bind_bytes(statement, 2, rs_bytes_of(envelope->signer.bytes, RS_KEY_SIZE));
	return rs_statement_run(statement, err);
}

/* The same envelope again is no attack: a broker or a device that was interrupted repeats it. */
static enum rs_code look_for_earlier(struct devices *devices, const struct rs_envelope *envelope,
                                     const struct rs_digest *digest, struct verdict *out,
                                     struct rs_error *err)
{
	struct rs_statement *statement = devices_sql(devices, FIND_SEEN);
	bool found;
	rs_statement_bind_bytes(statement, 1, rs_bytes_of(envelope->signer.bytes, RS_KEY_SIZE));
	rs_statement_bind_bytes(statement, 2, rs_bytes_of(envelope->boot, RS_BOOT_SIZE));
	rs_statement_bind_i64(statement, 3, (int64_t)envelope->sequence);
	RS_TRY(rs_statement_step(statement, &found, err));
	if (found) {
		struct rs_bytes earlier = rs_statement_bytes(statement, 0);
		if (earlier.size == RS_SHA256_SIZE &&
		    memcmp(earlier.data, digest->bytes, RS_SHA256_SIZE) == 0)
			out->earlier = (enum rs_acknowledged)rs_statement_i64(statement, 1);
		else
			out->distrust = RS_DISTRUST_REPLAYED;
	}
	rs_statement_reset(statement);
	statement = devices_sql(devices, FIND_QUARANTINED);
	rs_statement_bind_bytes(statement, 1, rs_bytes_of(digest->bytes, RS_SHA256_SIZE));
	RS_TRY(rs_statement_step(statement, &found, err));
	rs_statement_reset(statement);
	if (found && out->earlier == 0)
		out->earlier = RS_ACKNOWLEDGED_QUARANTINED;
	if (out->earlier == RS_ACKNOWLEDGED_SEALED)
		out->earlier = RS_ACKNOWLEDGED_KNOWN;
	return RS_OK;
}

static bool clock_is_wrong(const struct rs_envelope *envelope, uint64_t now_ms)
{
	uint64_t ahead, behind;
	if (envelope->clock == RS_CLOCK_NONE)
		return false; /* it claims nothing; the ledger's time is what counts */
	if (__builtin_add_overflow(RS_DEVICE_SKEW_MS, envelope->clock_error_ms, &ahead) ||
	    __builtin_add_overflow(RS_DEVICE_AGE_MS, envelope->clock_error_ms, &behind))
		return true;
	return envelope->captured_ms > now_ms ? envelope->captured_ms - now_ms > ahead
	                                      : now_ms - envelope->captured_ms > behind;
}

enum rs_code judge(struct devices *devices, const struct rs_envelope *envelope,
                   const struct rs_digest *digest, struct rs_str sender, find_person *find, void *context,
                   struct verdict *out, struct rs_error *err)
{
	uint64_t now_ms = rs_world_now_ms(devices->node->world);
	struct verdict verdict = {RS_DISTRUST_NONE, 0};
	enum rs_distrust distrust;
	RS_TRY(look_for_earlier(devices, envelope, digest, &verdict, err));
	*out = verdict;
	if (verdict.earlier)
		return RS_OK;
	RS_TRY(judge_key(&envelope->signer, now_ms, find, context, &distrust, err));
	if (distrust == RS_DISTRUST_NONE)
		RS_TRY(judge_name(devices, envelope, sender, find, context, &distrust, err));
	if (distrust == RS_DISTRUST_NONE)
		distrust = verdict.distrust;
	if (distrust == RS_DISTRUST_NONE && clock_is_wrong(envelope, now_ms))
		distrust = RS_DISTRUST_CLOCK;
	out->distrust = distrust;
	return RS_OK;
}
