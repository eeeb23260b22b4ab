/* Consents: given, narrowed, revoked. */
#include <string.h>

#include "scene.h"

enum rs_code find_consent(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	RS_TRY(find_living_subject(scene, out, err));
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	enum rs_code code = consent_get(scene->state, &act->subject, &act->consent, &scene->consent, err);
	if (code == RS_NOT_FOUND)
		*out = RS_REFUSAL_NOT_THERE;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static void set_terms(struct consent *consent, const struct rs_act *act)
{
	consent->roles = act->roles;
	consent->purposes = act->purposes;
	consent->operations = act->operations;
	consent->from_ms = act->from_ms;
	consent->until_ms = act->until_ms;
	if (act->studies.size)
		memcpy(consent->studies, act->studies.data, act->studies.size);
	consent->studies_size = act->studies.size;
}

enum rs_code grant_consent(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key key = key_of_two('C', digest_bytes(&act->subject), digest_bytes(&act->consent));
	struct consent consent = {.effect = act->effect};
	bool there, known = true;
	RS_TRY(row_has(scene->state, &key, &there, err));
	if (act->organisation.size)
		RS_TRY(organisation_known(scene->state, act->organisation, &known, err));
	*out = there ? RS_REFUSAL_ALREADY_THERE : known ? RS_REFUSAL_NONE : RS_REFUSAL_UNKNOWN_ORGANISATION;
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	name_set(&consent.organisation, act->organisation);
	set_terms(&consent, act);
	return consent_put(scene->state, &act->subject, &act->consent, &consent, err);
}

static bool has_studies(const struct consent *consent, struct rs_bytes studies)
{
	for (size_t i = 0; i < studies.size; i += RS_SHA256_SIZE) {
		bool has = false;
		for (size_t k = 0; k < consent->studies_size && !has; k += RS_SHA256_SIZE)
			has = memcmp(consent->studies + k, studies.data + i, RS_SHA256_SIZE) == 0;
		if (!has)
			return false;
	}
	return true;
}

/* Every term is stated anew and lies within the old one. */
static bool is_within(const struct rs_act *act, const struct consent *consent)
{
	if (act->roles & ~consent->roles || act->purposes & ~consent->purposes ||
	    act->operations & ~consent->operations || act->from_ms < consent->from_ms)
		return false;
	if (consent->until_ms && (act->until_ms == 0 || act->until_ms > consent->until_ms))
		return false;
	return consent->studies_size == 0 || (act->studies.size && has_studies(consent, act->studies));
}

/* A denial that shrinks gives leave: it is revoked and given anew instead, by who may. */
enum rs_code narrow_consent(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	*out = RS_REFUSAL_CONSENT_REVOKED;
	if (scene->consent.revoked)
		return RS_OK;
	*out = RS_REFUSAL_WIDENS;
	if (scene->consent.effect == RS_CONSENT_DENY || !is_within(act, &scene->consent))
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	set_terms(&scene->consent, act);
	return consent_put(scene->state, &act->subject, &act->consent, &scene->consent, err);
}

enum rs_code revoke_consent(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	*out = scene->consent.revoked ? RS_REFUSAL_CONSENT_REVOKED : RS_REFUSAL_NONE;
	if (scene->consent.revoked)
		return RS_OK;
	scene->consent.revoked = true;
	return consent_put(scene->state, &act->subject, &act->consent, &scene->consent, err);
}
