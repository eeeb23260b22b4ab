/* What is watched over: accesses and what was decided about them, broken glass and its review, erasure, anchors. */
#include <string.h>

#include "scene.h"

static struct key request_key(const uint8_t id[static RS_TRANSACTION_ID_SIZE])
{
	return key_of('Q', rs_bytes_of(id, RS_TRANSACTION_ID_SIZE));
}

struct question question_of(const struct rs_act *act, const struct person *signer,
                            const struct object *object)
{
	return (struct question){
		.who = &act->signer,
		.signer = signer,
		.subject = &object->subject,
		.study = &object->study,
		.organisation = name_str(&object->organisation),
		.purpose = act->purpose,
		.operation = act->operation,
		.time_ms = act->time_ms,
	};
}

static enum rs_code put_decision(const struct rs_state *state, const struct rs_act *act,
                                 const struct rs_decision *decision, struct rs_error *err)
{
	uint8_t value[256];
	struct rs_buffer out = {.data = value, .capacity = sizeof value, .maximum = sizeof value};
	struct key key = request_key(act->id);
	rs_cbor_write_array(&out, 8);
	rs_cbor_write_u64(&out, decision->refusal);
	rs_cbor_write_u64(&out, decision->basis);
	rs_cbor_write_bytes(&out, ACT_HAS(decision->consent) ? digest_bytes(&decision->consent)
	                                                     : rs_bytes_of("", 0));
	rs_cbor_write_bytes(&out, member_bytes(&act->signer));
	rs_cbor_write_bytes(&out, digest_bytes(&act->commitment));
	rs_cbor_write_u64(&out, act->purpose);
	rs_cbor_write_u64(&out, act->operation);
	rs_cbor_write_u64(&out, act->time_ms);
	RS_TRY(rs_buffer_check(&out, "a decision", err));
	return row_put(state, &key, rs_buffer_bytes(&out), err);
}

/* Recorded whatever is decided: who asked and got nothing is told, too. */
enum rs_code request_access(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	struct question question = question_of(scene->act, &scene->signer, &scene->object);
	struct rs_decision decision;
	(void)out;
	RS_TRY(decide(scene->state, &question, &decision, err));
	return put_decision(scene->state, scene->act, &decision, err);
}

static enum rs_code decode_decision(struct rs_bytes value, struct rs_decision *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_bytes consent;
	uint64_t refusal, basis;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, value, err));
	RS_TRY(rs_cbor_read_array(&reader, "decision", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "refusal", &refusal, err));
	RS_TRY(rs_cbor_read_u64(&reader, "basis", &basis, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "consent", &consent, err));
	if (count != 8 || refusal >= RS_REFUSAL_COUNT || basis > RS_BASIS_BREAK_GLASS ||
	    (consent.size && consent.size != RS_SHA256_SIZE))
		return RS_MALFORMED;
	*out = (struct rs_decision){.refusal = (enum rs_refusal)refusal, .basis = (enum rs_basis)basis};
	if (consent.size)
		memcpy(out->consent.bytes, consent.data, RS_SHA256_SIZE);
	return RS_OK;
}

enum rs_code rs_contract_decision(const struct rs_state *state,
                                  const uint8_t id[static RS_TRANSACTION_ID_SIZE], struct rs_decision *out,
                                  struct rs_error *err)
{
	struct key key = request_key(id);
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	if (decode_decision(value, out, err) != RS_OK)
		return rs_error_set(err, RS_ALTERED, "the state's row of a decision is not one");
	return RS_OK;
}

static struct question question_of_glass(const struct scene *scene, const struct rs_digest *no_study)
{
	return (struct question){
		.who = &scene->act->signer,
		.signer = &scene->signer,
		.subject = &scene->act->subject,
		.study = no_study,
		.purpose = RS_PURPOSE_EMERGENCY,
		.operation = RS_OPERATION_READ,
		.time_ms = scene->act->time_ms,
	};
}

/* Overrides that nobody consented, but not a denial that names emergencies. */
enum rs_code break_glass(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	static const struct rs_digest no_study;
	const struct rs_act *act = scene->act;
	struct question question = question_of_glass(scene, &no_study);
	struct glass glass = {
		.subject = act->subject, .organisation = scene->signer.organisation, .time_ms = act->time_ms};
	struct voices voices;
	struct glasses glasses;
	RS_TRY(look_at_glasses(scene->state, &question, &glasses, err));
	RS_TRY(hear_consents(scene->state, &question, &voices, err));
	*out = glasses.overdue ? RS_REFUSAL_REVIEW_OVERDUE
	       : voices.denies ? RS_REFUSAL_CONSENT_DENIES
	                       : RS_REFUSAL_NONE;
	return *out == RS_REFUSAL_NONE ? glass_put(scene->state, &act->signer, act->id, &glass, err) : RS_OK;
}

enum rs_code find_glass(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	enum rs_code code = glass_get(scene->state, &act->member, act->glass, &scene->glass, err);
	if (code == RS_NOT_FOUND)
		*out = RS_REFUSAL_NOT_THERE;
	scene->organisation = name_str(&scene->glass.organisation);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code review_glass(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	*out = rs_member_key_equal(&act->signer, &act->member) ? RS_REFUSAL_OWN_REVIEW
	       : scene->glass.outcome                          ? RS_REFUSAL_ALREADY_REVIEWED
	                                                       : RS_REFUSAL_NONE;
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	scene->glass.outcome = act->outcome;
	return glass_put(scene->state, &act->member, act->glass, &scene->glass, err);
}

enum rs_code erase_subject(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	(void)out;
	scene->subject.erased = true;
	return subject_put(scene->state, &scene->act->subject, &scene->subject, err);
}

/* A log belongs to whom anchored it first. */
enum rs_code find_anchor(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	enum rs_code code = anchor_get(scene->state, act->origin, &scene->anchor, err);
	(void)out;
	scene->has_anchor = code == RS_OK;
	scene->organisation = act->organisation;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code anchor_checkpoint(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	const struct anchor *last = &scene->anchor;
	struct anchor anchor = {.size = act->size, .time_ms = act->time_ms, .root = act->root};
	struct key clock = key_of('K', rs_bytes_of_str(act->organisation));
	struct rs_bytes value;
	uint8_t time[8];
	if (scene->has_anchor) {
		*out = !rs_str_equal(name_str(&last->organisation), act->organisation) ? RS_REFUSAL_SCOPE
		       : act->size < last->size ? RS_REFUSAL_ROLLED_BACK
		       : act->size == last->size && !rs_digest_equal(&act->root, &last->root)
		               ? RS_REFUSAL_FORKED
		               : RS_REFUSAL_NONE;
		if (*out != RS_REFUSAL_NONE)
			return RS_OK;
	}
	name_set(&anchor.organisation, act->organisation);
	RS_TRY(anchor_put(scene->state, act->origin, &anchor, err));
	/* The organisation's clock never goes back. */
	enum rs_code code = row_find(scene->state, &clock, &value, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK && value.size == sizeof time && rs_read_be64(value.data) >= act->time_ms)
		return RS_OK;
	rs_write_be64(time, act->time_ms);
	return row_put(scene->state, &clock, rs_bytes_of(time, sizeof time), err);
}
