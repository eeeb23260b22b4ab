/* Broken glass and its reviews: entries on the ledger, their reasons in the node. */
#include "access/access_glass.h"

#include <stdlib.h>
#include <string.h>

#include "contract/contract_people.h"
#include "node/node_parts.h"
#include "node/node_reason.h"

static enum rs_code check_reason(const char *reason, struct rs_error *err)
{
	struct rs_str text = rs_str_from(reason);
	if (text.size == 0 || text.size > RS_REASON_MAX || !rs_utf8_valid(text))
		return rs_error_set(err, RS_USAGE, "a reason is a text of 1 to %d bytes", RS_REASON_MAX);
	return RS_OK;
}

/* The text first: a reason that is on the ledger can be read. What was refused leaves none. */
static enum rs_code act_with_reason(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_pseudonym *pseudonym, struct rs_act *act,
                                    const uint8_t *id, const char *what, const char *reason,
                                    struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	uint64_t index;
	RS_TRY(reason_path(node, id, what, &path, err));
	RS_TRY(rs_subject_key_get(node->subjects, pseudonym, false, &key, err));
	node_commitment(&key, RS_COMMITMENT_REASON, rs_str_from(reason), &act->reason);
	RS_TRY(reason_keep(node, &key, pseudonym, id, path, reason, err));
	enum rs_code code = rs_node_transact(node, actor, act, &index, err);
	if (code == RS_REFUSED)
		(void)node->world->files->remove(node->world->files, path, NULL);
	return code;
}

enum rs_code rs_node_break_glass(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_node_subject *subject, const char *reason,
                                 uint8_t out_id[static RS_TRANSACTION_ID_SIZE], struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_BREAK_GLASS, .subject = subject->token};
	RS_TRY(check_reason(reason, err));
	RS_TRY(rs_world_random(node->world, act.id, sizeof act.id, err));
	RS_TRY(act_with_reason(node, actor, &subject->pseudonym, &act, act.id, "reason", reason, err));
	memcpy(out_id, act.id, sizeof act.id);
	return RS_OK;
}

struct glasses {
	struct rs_glass *list;
	size_t count, capacity;
};

static void glasses_finish(struct glasses *glasses) { rs_free(glasses->list); }

static enum rs_code collect(void *visitor, const struct rs_glass *glass, struct rs_error *err)
{
	struct glasses *glasses = visitor;
	if (glasses->count == glasses->capacity) {
		size_t capacity = glasses->capacity ? 2 * glasses->capacity : 16, size;
		struct rs_glass *list = rs_mul_size(capacity, sizeof *list, &size)
		                                ? rs_reallocate(glasses->list, size)
		                                : NULL;
		if (!list)
			return rs_error_memory(err, capacity, "broken glass");
		glasses->list = list;
		glasses->capacity = capacity;
	}
	glasses->list[glasses->count++] = *glass;
	return RS_OK;
}

static enum rs_code collect_all(struct rs_node *node, struct glasses *out, struct rs_error *err)
{
	const struct rs_state state = rs_ledger_state(node->ledger);
	return rs_contract_each_glass(&state, collect, out, err);
}

/* Of a subject that was erased meanwhile nobody can read a reason: the commitment's salt is thrown away, too. */
static enum rs_code review_of_erased(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                                     const char *reason, struct rs_error *err)
{
	struct rs_secret salt RS_CLEANUP(rs_secret_finish) = {0};
	uint64_t index;
	RS_TRY(rs_secret_random(node->world, &salt, err));
	node_commitment(&salt, RS_COMMITMENT_REASON, rs_str_from(reason), &act->reason);
	return rs_node_transact(node, actor, act, &index, err);
}

enum rs_code rs_node_review_glass(struct rs_node *node, const struct rs_actor *actor,
                                  const uint8_t id[static RS_TRANSACTION_ID_SIZE],
                                  enum rs_review_outcome outcome, const char *reason, struct rs_error *err)
{
	struct glasses glasses RS_CLEANUP(glasses_finish) = {.list = NULL};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_pseudonym pseudonym;
	size_t at = 0;
	RS_TRY(check_reason(reason, err));
	RS_TRY(collect_all(node, &glasses, err));
	while (at < glasses.count && memcmp(glasses.list[at].id, id, RS_TRANSACTION_ID_SIZE) != 0)
		at++;
	if (at == glasses.count)
		return rs_error_set(err, RS_NOT_FOUND, "no glass was broken under this id");
	struct rs_act act = {.type = RS_TRANSACTION_BREAK_GLASS_REVIEW,
	                     .member = glasses.list[at].member,
	                     .outcome = outcome};
	memcpy(act.glass, id, sizeof act.glass);
	/* A second review is refused by the contract; it must not replace the first one's text. */
	enum rs_code code = glasses.list[at].outcome ? RS_NOT_FOUND
	                                             : reason_pseudonym(node, id, &pseudonym, err);
	if (code == RS_OK)
		code = rs_subject_key_get(node->subjects, &pseudonym, false, &key, err);
	if (code == RS_NOT_FOUND)
		return review_of_erased(node, actor, &act, reason, err);
	RS_TRY(code);
	return act_with_reason(node, actor, &pseudonym, &act, id, "review", reason, err);
}

struct readership {
	struct rs_member_key own;
	struct rs_person person;
	enum rs_scope scope;
	bool regulator; /* the actor's organisation is one */
};

static enum rs_code note_kind(void *context, const struct rs_organisation *organisation, struct rs_error *err)
{
	struct readership *readership = context;
	(void)err;
	if (strcmp(organisation->name, readership->person.organisation) == 0)
		readership->regulator = organisation->kind == RS_ORGANISATION_REGULATOR;
	return RS_OK;
}

static enum rs_code find_readership(struct rs_node *node, const struct rs_actor *actor,
                                    struct readership *out, struct rs_error *err)
{
	const struct rs_state state = rs_ledger_state(node->ledger);
	uint64_t now_ms = rs_world_now_ms(node->world);
	*out = (struct readership){.own = rs_actor_id(actor), .scope = RS_SCOPE_NEVER};
	enum rs_code code = rs_contract_person(&state, &out->own, &out->person, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	bool serves = !out->person.revoked && now_ms >= out->person.from_ms &&
	              (out->person.until_ms == 0 || now_ms < out->person.until_ms);
	if (serves)
		out->scope = rs_contract_scope(RS_TRANSACTION_BREAK_GLASS_REVIEW, out->person.role);
	return rs_contract_each_organisation(&state, note_kind, out, err);
}

/* Who broke it, and who may review it. */
static bool may_read(const struct readership *readership, const struct rs_glass *glass)
{
	bool same = strcmp(readership->person.organisation, glass->organisation) == 0;
	switch (readership->scope) {
	case RS_SCOPE_OWN_ORGANISATION: return same;
	case RS_SCOPE_OVERSIGHT: return same || readership->regulator;
	default: return rs_member_key_equal(&readership->own, &glass->member) && !readership->person.revoked;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct rs_glass *first = a, *second = b;
	int order = (first->time_ms > second->time_ms) - (first->time_ms < second->time_ms);
	return order ? order : memcmp(first->id, second->id, sizeof first->id);
}

static enum rs_code show(struct rs_node *node, const struct readership *readership,
                         const struct rs_glass *glass, rs_node_glass_visit *visit, void *context,
                         struct rs_error *err)
{
	struct rs_buffer reason RS_CLEANUP(rs_secret_buffer_finish) = {0},
				reviewing RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_glass_details details = {.glass = *glass,
	                                   .due_ms = glass->time_ms + RS_REVIEW_WITHIN_MS,
	                                   .readable = may_read(readership, glass),
	                                   .reason = "",
	                                   .reviewing = ""};
	details.overdue = !glass->outcome && rs_world_now_ms(node->world) > details.due_ms;
	rs_buffer_init(&reason, REASON_BOX_MAX);
	rs_buffer_init(&reviewing, REASON_BOX_MAX);
	if (details.readable) {
		RS_TRY(reason_read(node, glass->id, &glass->subject, "reason", &reason, err));
		details.reason = (const char *)reason.data;
	}
	if (details.readable && glass->outcome) {
		enum rs_code code = reason_read(node, glass->id, &glass->subject, "review", &reviewing, err);
		if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
		details.reviewing = code == RS_OK ? (const char *)reviewing.data : "";
	}
	return visit(context, &details, err);
}

enum rs_code rs_node_each_glass(struct rs_node *node, const struct rs_actor *actor, bool all,
                                rs_node_glass_visit *visit, void *context, struct rs_error *err)
{
	struct glasses glasses RS_CLEANUP(glasses_finish) = {.list = NULL};
	struct readership readership;
	RS_TRY(find_readership(node, actor, &readership, err));
	RS_TRY(collect_all(node, &glasses, err));
	if (glasses.count)
		qsort(glasses.list, glasses.count, sizeof *glasses.list, by_time);
	for (size_t i = 0; i < glasses.count; i++)
		if (all || !glasses.list[i].outcome)
			RS_TRY(show(node, &readership, &glasses.list[i], visit, context, err));
	return RS_OK;
}
