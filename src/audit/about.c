/* Which entries are about whom. */
#include <string.h>

#include "past.h"

static void add_topic(struct topics *topics, char letter, const void *about, size_t size)
{
	const struct past_key key = past_key_of(letter, about, size);
	for (size_t i = 0; i < topics->count; i++)
		if (rs_bytes_equal(past_key_bytes(&topics->keys[i]), past_key_bytes(&key)))
			return;
	if (topics->count < TOPICS_MAX)
		topics->keys[topics->count++] = key;
}

static void add_digest(struct topics *topics, char letter, const struct rs_digest *digest)
{
	if (!past_is_none(digest))
		add_topic(topics, letter, digest->bytes, RS_SHA256_SIZE);
}

static void add_member(struct topics *topics, const struct rs_member_key *key)
{
	static const struct rs_member_key nobody;
	if (!rs_member_key_equal(key, &nobody))
		add_topic(topics, 'P', key->bytes, RS_KEY_SIZE);
}

enum rs_code load_object(struct rs_audit *audit, const struct rs_digest *commitment, uint64_t before,
                         uint64_t *out_index, struct rs_error *err)
{
	const struct past_key key = past_key_of('B', commitment->bytes, RS_SHA256_SIZE);
	uint64_t index;
	RS_TRY(past_writer(audit, past_key_bytes(&key), before, &index, err));
	RS_TRY(past_load(audit, index, false, &audit->other, err));
	*out_index = index;
	return RS_OK;
}

static enum rs_code load_glass(struct rs_audit *audit, uint64_t index, const struct rs_act *review,
                               struct rs_error *err)
{
	const struct past_key key = past_key_of_two('G', review->member.bytes, RS_KEY_SIZE, review->glass,
	                                            RS_TRANSACTION_ID_SIZE);
	uint64_t broken;
	RS_TRY(past_writer(audit, past_key_bytes(&key), index, &broken, err));
	return past_load(audit, broken, false, &audit->other, err);
}

enum rs_code subject_of(struct rs_audit *audit, uint64_t index, const struct rs_act *act,
                        struct rs_digest *out, struct rs_error *err)
{
	uint64_t object;
	enum rs_code code = RS_OK;
	*out = act->subject;
	if (act->type == RS_TRANSACTION_ACCESS_REQUEST)
		code = load_object(audit, &act->commitment, index, &object, err);
	else if (act->type == RS_TRANSACTION_BREAK_GLASS_REVIEW)
		code = load_glass(audit, index, act, err);
	else
		return RS_OK;
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_ALTERED, "what it is about is not in the log before it");
	RS_TRY(code);
	*out = audit->other.act.subject;
	return RS_OK;
}

/* Data that something is made from are used for it: their subject is told of it, too. */
static enum rs_code add_parents(struct rs_audit *audit, uint64_t index, const struct rs_act *act,
                                struct topics *topics, struct rs_error *err)
{
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE) {
		struct rs_digest parent;
		uint64_t registered;
		memcpy(parent.bytes, act->parents.data + i, RS_SHA256_SIZE);
		add_digest(topics, 'B', &parent);
		enum rs_code code = load_object(audit, &parent, index, &registered, err);
		if (code == RS_NOT_FOUND)
			return rs_error_set(err, RS_ALTERED, "a parent of it is not in the log before it");
		RS_TRY(code);
		add_digest(topics, 'S', &audit->other.act.subject);
	}
	return RS_OK;
}

static enum rs_code add_request(struct rs_audit *audit, uint64_t index, const struct rs_act *act,
                                struct topics *topics, struct rs_error *err)
{
	struct past_view view = {.audit = audit, .before = index + 1};
	const struct rs_state state = past_state(&view);
	struct rs_decision decision;
	enum rs_code code = rs_contract_decision(&state, act->id, &decision, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_ALTERED, "nothing was decided about it");
	RS_TRY(code);
	add_topic(topics, 'A', act->signer.bytes, RS_KEY_SIZE);
	add_digest(topics, 'B', &act->commitment);
	if (decision.refusal != RS_REFUSAL_NONE)
		add_topic(topics, 'N', "", 0);
	return RS_OK;
}

enum rs_code topics_of(struct rs_audit *audit, uint64_t index, uint64_t newest_before_ms, struct topics *out,
                       struct rs_error *err)
{
	const struct rs_act *act = &audit->current.act;
	struct rs_digest subject;
	out->count = 0;
	RS_TRY(subject_of(audit, index, act, &subject, err));
	add_digest(out, 'S', &subject);
	add_member(out, &act->signer);
	add_member(out, &act->member);
	add_member(out, &act->successor);
	if (act->type == RS_TRANSACTION_BREAK_GLASS || act->type == RS_TRANSACTION_BREAK_GLASS_REVIEW)
		add_topic(out, 'W', "", 0);
	if (newest_before_ms > act->time_ms && newest_before_ms - act->time_ms > RS_CLOCK_SLACK_MS)
		add_topic(out, 'Z', "", 0);
	if (act->type == RS_TRANSACTION_ACCESS_REQUEST)
		return add_request(audit, index, act, out, err);
	if (act->type != RS_TRANSACTION_OBJECT_REGISTER)
		return RS_OK;
	add_digest(out, 'B', &act->commitment);
	if (act->has_previous)
		add_digest(out, 'B', &act->previous);
	return add_parents(audit, index, act, out, err);
}
