/* Subjects, what is known about them, and objects: images, masks, features, models, predictions, reports. */
#include <string.h>

#include "scene.h"

#define KIND(kind) RS_SET(RS_OBJECT_##kind)

/* From what an object of each kind may be made, and what its making is, where somebody else's data are used for it. */
static const struct {
	unsigned parents;
	enum rs_operation operation;
} kinds[] = {
	[RS_OBJECT_IMAGE] = {KIND(IMAGE) | KIND(MASK), RS_OPERATION_EXTRACT},
	[RS_OBJECT_MASK] = {KIND(IMAGE) | KIND(MASK) | KIND(MODEL), RS_OPERATION_EXTRACT},
	[RS_OBJECT_FEATURES] = {KIND(IMAGE) | KIND(MASK) | KIND(FEATURES), RS_OPERATION_EXTRACT},
	[RS_OBJECT_MODEL] = {KIND(IMAGE) | KIND(MASK) | KIND(FEATURES) | KIND(MODEL), RS_OPERATION_TRAIN},
	[RS_OBJECT_PREDICTION] = {KIND(IMAGE) | KIND(MASK) | KIND(FEATURES) | KIND(MODEL),
                                  RS_OPERATION_PREDICT},
	[RS_OBJECT_REPORT] = {KIND(IMAGE) | KIND(MASK) | KIND(FEATURES) | KIND(MODEL) | KIND(PREDICTION) |
                                      KIND(REPORT),
                              RS_OPERATION_READ},
};

static enum rs_code find_subject(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	enum rs_code code = subject_get(scene->state, &scene->act->subject, &scene->subject, err);
	if (code == RS_NOT_FOUND)
		*out = RS_REFUSAL_UNKNOWN_SUBJECT;
	scene->has_subject = code == RS_OK;
	scene->organisation = name_str(&scene->subject.organisation);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code find_living_subject(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	RS_TRY(find_subject(scene, out, err));
	if (scene->has_subject && scene->subject.erased)
		*out = RS_REFUSAL_ERASED;
	return RS_OK;
}

enum rs_code find_subject_for_object(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	if (ACT_HAS(scene->act->subject))
		RS_TRY(find_living_subject(scene, out, err));
	else if (ACT_HAS(scene->act->study))
		*out = RS_REFUSAL_UNKNOWN_SUBJECT;
	scene->organisation = scene->act->organisation;
	return RS_OK;
}

enum rs_code find_object(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	enum rs_code code = object_get(scene->state, &scene->act->commitment, &scene->object, err);
	if (code == RS_NOT_FOUND)
		*out = RS_REFUSAL_NOT_THERE;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

/* Once by anyone who may; again by an administrator, to name who acts for the subject now: the patient come of age, a
 * new guardian. */
enum rs_code register_subject(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct person patient;
	bool names_patient = ACT_HAS(act->member);
	enum rs_code code = subject_get(scene->state, &act->subject, &scene->subject, err);
	bool known = code == RS_OK;
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	*out = RS_REFUSAL_ROLE;
	if (names_patient && scene->signer.role != RS_ROLE_HOSPITAL_ADMINISTRATOR)
		return RS_OK;
	*out = RS_REFUSAL_ALREADY_THERE;
	if (known &&
	    (!names_patient || !rs_str_equal(name_str(&scene->subject.organisation), act->organisation)))
		return RS_OK;
	*out = RS_REFUSAL_ERASED;
	if (known && scene->subject.erased)
		return RS_OK;
	if (names_patient) {
		code = person_get(scene->state, 'M', &act->member, &patient, err);
		*out = RS_REFUSAL_NOT_A_PATIENT;
		if (code != RS_OK || patient.role != RS_ROLE_PATIENT || patient.revoked)
			return code == RS_NOT_FOUND ? RS_OK : code;
	}
	*out = RS_REFUSAL_NONE;
	name_set(&scene->subject.organisation, act->organisation);
	scene->subject.patient = act->member;
	return subject_put(scene->state, &act->subject, &scene->subject, err);
}

enum rs_code set_profile(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct profile profile = {.commitment = act->commitment};
	(void)out;
	memcpy(profile.locator, act->locator, sizeof profile.locator);
	return profile_put(scene->state, &act->subject, act->attribute, &profile, err);
}

/* Data of a subject that somebody else keeps, or that are used for a stated purpose, are used by leave only. */
static enum rs_code judge_use(const struct scene *scene, const struct rs_digest *subject,
                              const struct rs_digest *study, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	const struct question question = {
		.who = &act->signer,
		.signer = &scene->signer,
		.subject = subject,
		.study = study,
		.purpose = act->purpose,
		.operation = kinds[act->kind].operation,
		.time_ms = act->time_ms,
	};
	struct rs_decision decision;
	struct subject row;
	enum rs_code code = subject_get(scene->state, subject, &row, err);
	*out = RS_REFUSAL_UNKNOWN_SUBJECT;
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	*out = row.erased ? RS_REFUSAL_ERASED : RS_REFUSAL_NONE;
	bool own = rs_str_equal(name_str(&row.organisation), name_str(&scene->signer.organisation));
	if (row.erased || (own && act->purpose == 0))
		return RS_OK;
	*out = RS_REFUSAL_NO_CONSENT;
	if (act->purpose == 0)
		return RS_OK;
	RS_TRY(decide(scene->state, &question, &decision, err));
	*out = decision.refusal;
	return RS_OK;
}

static enum rs_code judge_parents(const struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE) {
		struct rs_digest id;
		struct object parent;
		memcpy(id.bytes, act->parents.data + i, RS_SHA256_SIZE);
		enum rs_code code = object_get(scene->state, &id, &parent, err);
		*out = RS_REFUSAL_NOT_THERE;
		if (code != RS_OK)
			return code == RS_NOT_FOUND ? RS_OK : code;
		*out = RS_REFUSAL_PARENT;
		if (!(kinds[act->kind].parents >> parent.kind & 1))
			return RS_OK;
		*out = RS_REFUSAL_NONE;
		if (ACT_HAS(parent.subject))
			RS_TRY(judge_use(scene, &parent.subject, &parent.study, out, err));
		if (*out != RS_REFUSAL_NONE)
			return RS_OK;
	}
	return RS_OK;
}

/* Versions are a line, not a tree: which one is the newest is never a question. */
static enum rs_code judge_version(const struct scene *scene, uint64_t *out_version, enum rs_refusal *out,
                                  struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key next = key_of('V', digest_bytes(&act->previous));
	struct object previous;
	bool superseded;
	*out_version = 1;
	if (!act->has_previous)
		return RS_OK;
	enum rs_code code = object_get(scene->state, &act->previous, &previous, err);
	*out = RS_REFUSAL_NOT_THERE;
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	*out = RS_REFUSAL_VERSION;
	if (previous.kind != act->kind || !rs_digest_equal(&previous.subject, &act->subject) ||
	    !rs_str_equal(name_str(&previous.organisation), act->organisation))
		return RS_OK;
	RS_TRY(row_has(scene->state, &next, &superseded, err));
	*out = superseded ? RS_REFUSAL_SUPERSEDED : RS_REFUSAL_NONE;
	*out_version = previous.version + 1;
	return RS_OK;
}

static enum rs_code write_object(struct scene *scene, uint64_t version, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct object object = {.kind = act->kind,
	                        .instances = act->instances,
	                        .version = version,
	                        .time_ms = act->time_ms,
	                        .signer = act->signer,
	                        .subject = act->subject,
	                        .study = act->study,
	                        .label = act->label};
	name_set(&object.organisation, act->organisation);
	RS_TRY(object_put(scene->state, &act->commitment, &object, err));
	if (act->has_previous) {
		struct key next = key_of('V', digest_bytes(&act->previous));
		RS_TRY(row_put(scene->state, &next, digest_bytes(&act->commitment), err));
	}
	if (!scene->has_subject)
		return RS_OK;
	uint8_t number[8];
	rs_write_be64(number, scene->subject.objects++);
	struct key place = key_of_two('X', digest_bytes(&act->subject), rs_bytes_of(number, sizeof number));
	RS_TRY(row_put(scene->state, &place, digest_bytes(&act->commitment), err));
	return subject_put(scene->state, &act->subject, &scene->subject, err);
}

enum rs_code register_object(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key key = key_of('B', digest_bytes(&act->commitment));
	uint64_t version;
	bool there;
	RS_TRY(row_has(scene->state, &key, &there, err));
	*out = there ? RS_REFUSAL_ALREADY_THERE : RS_REFUSAL_NONE;
	if (there)
		return RS_OK;
	RS_TRY(judge_version(scene, &version, out, err));
	if (*out == RS_REFUSAL_NONE)
		RS_TRY(judge_parents(scene, out, err));
	if (*out == RS_REFUSAL_NONE && scene->has_subject)
		RS_TRY(judge_use(scene, &act->subject, &act->study, out, err));
	return *out == RS_REFUSAL_NONE ? write_object(scene, version, err) : RS_OK;
}
