/* The way of every transaction: is the ledger founded, may the signer act at all, is there a row in the table for role and
 * type, is what it is about there and within the row's scope, and then its own rules. Each step refuses or passes on. */
#include <string.h>

#include "scene.h"

static const uint8_t founded_letter = 'F';

struct way {
	step *find, *perform;
};
static const struct way ways[RS_TRANSACTION_TYPE_COUNT] = {
	[RS_TRANSACTION_ORGANISATION_ADD] = {nothing_to_find, add_another_organisation},
	[RS_TRANSACTION_MEMBER_GRANT] = {own_organisation, grant_member},
	[RS_TRANSACTION_MEMBER_REVOKE] = {find_member, revoke_person},
	[RS_TRANSACTION_DEVICE_ENROL] = {own_organisation, enrol_device},
	[RS_TRANSACTION_DEVICE_REVOKE] = {find_device, revoke_person},
	[RS_TRANSACTION_DEVICE_ROTATE] = {find_device, rotate_device},
	[RS_TRANSACTION_OBJECT_REGISTER] = {find_subject_for_object, register_object},
	[RS_TRANSACTION_SUBJECT_REGISTER] = {own_organisation, register_subject},
	[RS_TRANSACTION_PROFILE_SET] = {find_living_subject, set_profile},
	[RS_TRANSACTION_CONSENT_GRANT] = {find_living_subject, grant_consent},
	[RS_TRANSACTION_CONSENT_NARROW] = {find_consent, narrow_consent},
	[RS_TRANSACTION_CONSENT_REVOKE] = {find_consent, revoke_consent},
	[RS_TRANSACTION_ACCESS_REQUEST] = {find_object, request_access},
	[RS_TRANSACTION_BREAK_GLASS] = {find_living_subject, break_glass},
	[RS_TRANSACTION_BREAK_GLASS_REVIEW] = {find_glass, review_glass},
	[RS_TRANSACTION_ERASURE] = {find_living_subject, erase_subject},
	[RS_TRANSACTION_CHECKPOINT_ANCHOR] = {find_anchor, anchor_checkpoint},
};

/* Before its organisation's last anchor nothing can be slipped in: who was dismissed cannot date back. */
static enum rs_code judge_time(const struct rs_state *state, const struct rs_act *act,
                               const struct person *signer, enum rs_refusal *out, struct rs_error *err)
{
	struct key key = key_of('K', rs_bytes_of_str(name_str(&signer->organisation)));
	struct rs_bytes value;
	if (act->time_ms < signer->from_ms || (signer->until_ms && act->time_ms >= signer->until_ms)) {
		*out = RS_REFUSAL_OUT_OF_PERIOD;
		return RS_OK;
	}
	enum rs_code code = row_find(state, &key, &value, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	if (value.size != 8)
		return rs_error_set(err, RS_ALTERED, "the state's time of an anchor is not one");
	uint64_t anchored = rs_read_be64(value.data);
	if (anchored > act->time_ms && anchored - act->time_ms > RS_CLOCK_SLACK_MS)
		*out = RS_REFUSAL_BACKDATED;
	return RS_OK;
}

/* May the signer act at all, at this time? */
static enum rs_code judge_signer(const struct rs_state *state, const struct rs_act *act, struct person *out,
                                 enum rs_refusal *refusal, struct rs_error *err)
{
	bool rotated;
	struct key successor = key_of('R', member_bytes(&act->signer));
	enum rs_code code = person_get(state, 'M', &act->signer, out, err);
	if (code == RS_NOT_FOUND)
		code = person_get(state, 'D', &act->signer, out, err);
	*refusal = RS_REFUSAL_UNKNOWN_SIGNER;
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	*refusal = RS_REFUSAL_NONE;
	if (!out->revoked)
		return judge_time(state, act, out, refusal, err);
	RS_TRY(row_has(state, &successor, &rotated, err));
	*refusal = rotated ? RS_REFUSAL_ROTATED : RS_REFUSAL_REVOKED;
	return RS_OK;
}

static bool in_scope(const struct scene *scene, enum rs_scope scope)
{
	const struct rs_act *act = scene->act;
	struct rs_str own = name_str(&scene->signer.organisation);
	bool keeps = rs_str_equal(own, name_str(&scene->subject.organisation));
	switch (scope) {
	case RS_SCOPE_NEVER: return false;
	case RS_SCOPE_ANYWHERE: return true;
	case RS_SCOPE_OWN_ORGANISATION: return rs_str_equal(own, scene->organisation);
	case RS_SCOPE_OWN_SUBJECT:
		return scene->has_subject && ACT_HAS(scene->subject.patient) &&
		       rs_member_key_equal(&scene->subject.patient, &act->signer);
	case RS_SCOPE_CUSTODIAN: return scene->has_subject && keeps;
	case RS_SCOPE_PARTY:
		return scene->has_subject &&
		       (keeps || rs_str_equal(own, name_str(&scene->consent.organisation)));
	case RS_SCOPE_OVERSIGHT: return scene->oversees || rs_str_equal(own, scene->organisation);
	case RS_SCOPE_SELF: return rs_member_key_equal(&act->signer, &act->member);
	}
	return false;
}

/* The first transaction of all: an organisation whose administrator signs it. */
static enum rs_code found(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key key = {.bytes = {founded_letter}, .size = 1};
	*out = RS_REFUSAL_NOT_FOUNDED;
	if (act->type != RS_TRANSACTION_ORGANISATION_ADD || !rs_member_key_equal(&act->signer, &act->member))
		return RS_OK;
	RS_TRY(add_organisation(scene, out, err));
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	return row_put(scene->state, &key, rs_bytes_of(act->id, sizeof act->id), err);
}

enum rs_code rs_contract_apply(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                               struct rs_error *err)
{
	struct scene scene = {.state = state, .act = act};
	struct key key = {.bytes = {founded_letter}, .size = 1};
	bool founded;
	RS_TRY(row_has(state, &key, &founded, err));
	if (!founded)
		return found(&scene, out, err);
	RS_TRY(judge_signer(state, act, &scene.signer, out, err));
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	enum rs_scope scope = rs_contract_scope(act->type, scene.signer.role);
	*out = RS_REFUSAL_ROLE;
	if (scope == RS_SCOPE_NEVER)
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	RS_TRY(ways[act->type].find(&scene, out, err));
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	if (scope == RS_SCOPE_OVERSIGHT) {
		enum rs_organisation_kind kind;
		RS_TRY(kind_of(state, name_str(&scene.signer.organisation), &kind, err));
		scene.oversees = kind == RS_ORGANISATION_REGULATOR;
	}
	*out = RS_REFUSAL_SCOPE;
	if (!in_scope(&scene, scope))
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	return ways[act->type].perform(&scene, out, err);
}

enum rs_code rs_contract_decide(const struct rs_state *state, const struct rs_act *act,
                                struct rs_decision *out, struct rs_error *err)
{
	struct scene scene = {.state = state, .act = act};
	struct rs_decision decision = {.refusal = RS_REFUSAL_ROLE};
	RS_TRY(judge_signer(state, act, &scene.signer, &decision.refusal, err));
	if (decision.refusal == RS_REFUSAL_NONE &&
	    rs_contract_scope(RS_TRANSACTION_ACCESS_REQUEST, scene.signer.role) == RS_SCOPE_NEVER)
		decision.refusal = RS_REFUSAL_ROLE;
	if (decision.refusal == RS_REFUSAL_NONE)
		RS_TRY(find_object(&scene, &decision.refusal, err));
	if (decision.refusal == RS_REFUSAL_NONE) {
		struct question question = question_of(act, &scene.signer, &scene.object);
		RS_TRY(decide(state, &question, &decision, err));
	}
	*out = decision;
	return RS_OK;
}
