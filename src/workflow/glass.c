/* Broken glass and its reviews: entries on the ledger, their reasons in the node. */
#include "workflow/workflow_glass.h"

#include <stdlib.h>
#include <string.h>

#include "contract/contract_people.h"
#include "node.h"

#define BOX_SIZE_MAX ((size_t)RS_REASON_MAX + 1024)
#define PSEUDONYM_SIZE sizeof(((struct rs_pseudonym *)NULL)->bytes)

/* reasons/<id>.<what> */
static enum rs_code reason_path(const struct rs_node *node, const uint8_t *id, const char *what, char **out,
                                struct rs_error *err)
{
	char hex[2 * RS_TRANSACTION_ID_SIZE + 1], name[64];
	rs_hex_encode(rs_bytes_of(id, RS_TRANSACTION_ID_SIZE), hex);
	(void)snprintf(name, sizeof name, "reasons/%s.%s", hex, what);
	return node_path(node, name, out, err);
}

/* The pseudonym, which tells the key, then the box; it says of which glass it is. */
static enum rs_code keep_reason(struct rs_node *node, const struct rs_secret *subject_key,
                                const struct rs_pseudonym *pseudonym, const uint8_t *id, const char *path,
                                const char *reason, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (!directory)
		return rs_error_memory(err, strlen(path), "a path");
	rs_buffer_init(&content, BOX_SIZE_MAX);
	rs_buffer_append(&content, pseudonym->bytes, sizeof pseudonym->bytes);
	rs_subject_index_key(subject_key, &key);
	RS_TRY(rs_box_seal(node->world, &key, rs_bytes_of(id, RS_TRANSACTION_ID_SIZE),
	                   rs_bytes_of_str(rs_str_from(reason)), &content, err));
	RS_TRY(rs_directory_make(node->world, directory, err));
	return rs_file_replace(node->world, path, rs_buffer_bytes(&content), 0600, err);
}

/* The pseudonym stands before the reason. */
static enum rs_code read_pseudonym(struct rs_node *node, const uint8_t *id, struct rs_pseudonym *out,
                                   struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(reason_path(node, id, "reason", &path, err));
	RS_TRY(rs_file_read_all(node->world, path, BOX_SIZE_MAX, &content, err));
	if (content.size < sizeof out->bytes)
		return rs_error_set(err, RS_ALTERED, "%s: it is cut", path);
	memcpy(out->bytes, content.data, sizeof out->bytes);
	return RS_OK;
}

/* The text of a glass (`what`: "reason" or "review"), with its NUL. Empty when nobody can read it any more: the subject's key
 * is gone, or is another one since. RS_NOT_FOUND when there is none. */
static enum rs_code read_reason(struct rs_node *node, const uint8_t *id, const struct rs_digest *subject,
                                const char *what, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0}, key RS_CLEANUP(rs_secret_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_digest token = {{0}};
	RS_TRY(reason_path(node, id, what, &path, err));
	if (!rs_path_exists(node->world, path)) {
		/* Erasing a subject removes it, and the pseudonym with it. */
		const struct rs_state state = rs_ledger_state(node->ledger);
		struct rs_subject_facts facts;
		if (rs_contract_subject(&state, subject, &facts, NULL) != RS_OK || !facts.erased)
			return rs_error_set(err, RS_NOT_FOUND, "%s is missing", path);
		rs_buffer_append_u8(out, 0);
		return rs_buffer_check(out, "a reason", err);
	}
	RS_TRY(rs_file_read_all(node->world, path, BOX_SIZE_MAX, &content, err));
	if (content.size < PSEUDONYM_SIZE)
		return rs_error_set(err, RS_ALTERED, "%s: it is cut", path);
	enum rs_code code = node_subject_key(node, rs_bytes_of(content.data, PSEUDONYM_SIZE), false, &secret,
	                                     err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK)
		rs_subject_token(&secret, &token);
	rs_subject_index_key(&secret, &key);
	if (rs_digest_equal(&token, subject) &&
	    rs_box_open(&key, rs_bytes_of(id, RS_TRANSACTION_ID_SIZE),
	                rs_bytes_of(content.data + PSEUDONYM_SIZE, content.size - PSEUDONYM_SIZE), out,
	                err) != RS_OK)
		return rs_error_context(err, "%s", path);
	rs_buffer_append_u8(out, 0);
	return rs_buffer_check(out, "a reason", err);
}

/* Of a glass, and of its review if `what` says so: the text there is the one that the ledger has a commitment to. Who does
 * not know whether the subject's key is gone cannot tell a text that is missing from one that never was. */
static enum rs_code check_text(struct rs_node *node, const uint8_t *id, const struct rs_digest *subject,
                               const char *what, const struct rs_digest *expected, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_pseudonym pseudonym;
	struct rs_digest commitment;
	rs_buffer_init(&text, BOX_SIZE_MAX);
	RS_TRY(read_reason(node, id, subject, what, &text, err));
	if (text.size == 1)
		return RS_OK;
	RS_TRY(read_pseudonym(node, id, &pseudonym, err));
	RS_TRY(rs_subject_key_get(node->subjects, &pseudonym, false, &key, err));
	node_commitment(&key, RS_COMMITMENT_REASON, rs_str_from((const char *)text.data), &commitment);
	if (!rs_digest_equal(&commitment, expected))
		return rs_error_set(err, RS_ALTERED, "the text is not the one that the ledger commits to");
	return RS_OK;
}

enum rs_code node_check_reason(struct rs_node *node, const struct rs_act *act, struct rs_error *err)
{
	struct rs_subject_facts facts;
	struct rs_act broken = *act;
	struct rs_bytes entry;
	uint64_t index;
	bool is_review = act->type == RS_TRANSACTION_BREAK_GLASS_REVIEW;
	const struct rs_state state = rs_ledger_state(node->ledger);
	struct rs_digest reason = act->reason;
	if (is_review) {
		RS_TRY(rs_ledger_find(node->ledger, act->glass, &index, err));
		RS_TRY(rs_ledger_entry(node->ledger, index, &entry, err));
		RS_TRY(rs_transaction_parse(entry, &broken, err));
	}
	enum rs_code code = check_text(node, broken.id, &broken.subject, is_review ? "review" : "reason",
	                               &reason, err);
	/* A review of somebody who was erased before has none. */
	if (code == RS_NOT_FOUND && is_review &&
	    rs_contract_subject(&state, &broken.subject, &facts, NULL) == RS_OK && facts.erased)
		return RS_OK;
	return code;
}

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
	RS_TRY(keep_reason(node, &key, pseudonym, id, path, reason, err));
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
	                                             : read_pseudonym(node, id, &pseudonym, err);
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
	rs_buffer_init(&reason, BOX_SIZE_MAX);
	rs_buffer_init(&reviewing, BOX_SIZE_MAX);
	if (details.readable) {
		RS_TRY(read_reason(node, glass->id, &glass->subject, "reason", &reason, err));
		details.reason = (const char *)reason.data;
	}
	if (details.readable && glass->outcome) {
		enum rs_code code = read_reason(node, glass->id, &glass->subject, "review", &reviewing, err);
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
