/* A transaction on its way through the contract: what it says, who says it, what it is about. */
#ifndef CONTRACT_SCENE_H
#define CONTRACT_SCENE_H

#include "rows.h"

struct scene {
	const struct rs_state *state;
	const struct rs_act *act;
	struct person signer;
	struct rs_str
		organisation; /* to which what it is about belongs; a view of `act` or of what follows */
	struct person other;  /* the member or device it is about */
	struct subject subject;
	struct consent consent;
	struct object object;
	struct glass glass;
	struct anchor anchor;
	bool has_subject, has_anchor;
	bool oversees; /* the signer's organisation is a regulator */
};

/* Loads what the transaction is about, before its scope is judged. Refuses when that is not there. */
typedef enum rs_code step(struct scene *scene, enum rs_refusal *out, struct rs_error *err);
step find_member, find_device, find_subject_for_object, find_living_subject, find_consent, find_object,
	find_glass, find_anchor, own_organisation, nothing_to_find;
/* Judges the rest, then writes: a refusal comes before the first write. */
step add_organisation, add_another_organisation, grant_member, enrol_device, revoke_person, rotate_device,
	register_subject, register_object, set_profile, grant_consent, narrow_consent, revoke_consent,
	request_access, break_glass, review_glass, erase_subject, anchor_checkpoint;

enum rs_code kind_of(const struct rs_state *state, struct rs_str name, enum rs_organisation_kind *out,
                     struct rs_error *err);
enum rs_code organisation_known(const struct rs_state *state, struct rs_str name, bool *out,
                                struct rs_error *err);

/* A question about data. */
struct question {
	const struct rs_member_key *who;
	const struct person *signer;
	const struct rs_digest *subject; /* zeros: nobody's, then `organisation` keeps the object */
	const struct rs_digest *study;   /* zeros: not known */
	struct rs_str organisation;
	enum rs_purpose purpose;
	enum rs_operation operation;
	uint64_t time_ms;
};
struct question question_of(const struct rs_act *act, const struct person *signer,
                            const struct object *object);
enum rs_code decide(const struct rs_state *state, const struct question *question, struct rs_decision *out,
                    struct rs_error *err);
/* Whether the signer broke the glass, for the subject of the question or any, and what became of it. */
struct glasses {
	bool covers;  /* a glass for the subject is open now */
	bool overdue; /* one is not reviewed and should be */
};
enum rs_code look_at_glasses(const struct rs_state *state, const struct question *question,
                             struct glasses *out, struct rs_error *err);
/* Consents that speak about the question: RS_NOT_FOUND never. */
struct voices {
	bool permits, denies;
	struct rs_digest permit, deny; /* the first of each, in the order of their names */
};
enum rs_code hear_consents(const struct rs_state *state, const struct question *question, struct voices *out,
                           struct rs_error *err);

#endif
