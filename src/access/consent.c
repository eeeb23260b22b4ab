/* Consents through a node. */
#include <stdio.h>
#include <string.h>

#include "node/node_actor.h"
#include "node/node_parts.h"
#include "access/access_consent.h"

struct search {
	char prefix[2 * RS_SHA256_SIZE + 1];
	size_t size, count;
	struct rs_consent_facts *found;
};

static enum rs_code compare_name(void *visitor, const struct rs_consent_facts *consent, struct rs_error *err)
{
	struct search *search = visitor;
	char name[2 * RS_SHA256_SIZE + 1];
	(void)err;
	rs_hex_encode(rs_bytes_of(consent->name.bytes, RS_SHA256_SIZE), name);
	if (memcmp(name, search->prefix, search->size) == 0 && search->count++ == 0)
		*search->found = *consent;
	return RS_OK;
}

enum rs_code rs_node_consent_find(struct rs_node *node, struct rs_str name, struct rs_consent_facts *out,
                                  struct rs_error *err)
{
	struct rs_consent_facts found;
	struct search search = {.size = name.size, .found = &found};
	const struct rs_state state = rs_node_state(node);
	if (name.size < 8 || name.size > 2 * RS_SHA256_SIZE)
		return rs_error_set(err, RS_USAGE,
		                    "'" RS_STR_FORMAT "' is no name of a consent: 8 to 64 hexadecimal digits",
		                    RS_STR_ARGUMENTS(name));
	for (size_t i = 0; i < name.size; i++)
		search.prefix[i] = (char)(name.data[i] |
		                          ('A' <= name.data[i] && name.data[i] <= 'F' ? 32 : 0));
	RS_TRY(rs_contract_consents(&state, NULL, compare_name, &search, err));
	if (search.count != 1)
		return rs_error_set(err, search.count ? RS_USAGE : RS_NOT_FOUND,
		                    search.count ? "several consents begin so: " RS_STR_FORMAT
		                                 : "the ledger has no consent " RS_STR_FORMAT,
		                    RS_STR_ARGUMENTS(name));
	*out = found;
	return RS_OK;
}

static enum rs_code transact(struct rs_node *node, const struct rs_actor *actor,
                             enum rs_transaction_type type, const struct rs_digest *subject,
                             const struct rs_digest *name, const struct rs_consent_terms *terms,
                             uint64_t *out_index, struct rs_error *err)
{
	struct rs_act act = {.type = type, .subject = *subject, .consent = *name};
	if (terms)
		rs_consent_terms_to_act(terms, &act);
	return rs_node_transact(node, actor, &act, out_index, err);
}

enum rs_code rs_node_consent_issue(const struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                   struct rs_buffer *out_token, struct rs_digest *out_name,
                                   struct rs_error *err)
{
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_consent_token opened;
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_consent_token_grant(node->world, actor_key(actor), subject, terms, &token, err));
	RS_TRY(rs_consent_token_open(rs_buffer_bytes(&token), &opened, err));
	rs_buffer_append_bytes(out_token, rs_buffer_bytes(&token));
	RS_TRY(rs_buffer_check(out_token, "a consent token", err));
	*out_name = *rs_consent_token_name(&opened);
	return RS_OK;
}

enum rs_code rs_node_consent_grant(struct rs_node *node, const struct rs_actor *actor,
                                   const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                   struct rs_buffer *out_token, struct rs_digest *out_name,
                                   uint64_t *out_index, struct rs_error *err)
{
	struct rs_digest name;
	size_t before = out_token->size;
	RS_TRY(rs_node_consent_issue(node, actor, subject, terms, out_token, &name, err));
	enum rs_code code = transact(node, actor, RS_TRANSACTION_CONSENT_GRANT, subject, &name, terms,
	                             out_index, err);
	if (code != RS_OK) {
		rs_wipe(out_token->data + before, out_token->size - before);
		out_token->size = before;
		return code;
	}
	*out_name = name;
	return RS_OK;
}

static enum rs_code forget_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	(void)context, (void)key, (void)value, (void)err;
	return RS_OK;
}

/* Whether the contract would let the issuer give such a consent at this time: asked, and nothing is written. */
static enum rs_code issuer_may(struct rs_node *node, const struct rs_consent_token *token, uint64_t time_ms,
                               bool *out, struct rs_error *err)
{
	struct rs_state dry = rs_node_state(node);
	struct rs_act act = {.type = RS_TRANSACTION_CONSENT_GRANT,
	                     .time_ms = time_ms,
	                     .signer = token->blocks[0].signer,
	                     .subject = token->subject,
	                     .consent = *rs_consent_token_name(token)};
	enum rs_refusal refusal;
	dry.put = forget_put;
	rs_consent_terms_to_act(&token->blocks[0].terms, &act);
	RS_TRY(rs_contract_apply(&dry, &act, &refusal, err));
	*out = refusal == RS_REFUSAL_NONE || refusal == RS_REFUSAL_ALREADY_THERE;
	return RS_OK;
}

static enum rs_code find_row(struct rs_node *node, const struct rs_consent_token *token,
                             struct rs_consent_facts *out, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	uint8_t key[RS_CONSENT_KEY_SIZE];
	struct rs_bytes row;
	rs_consent_key(&token->subject, rs_consent_token_name(token), key);
	RS_TRY(state.get(state.context, rs_bytes_of(key, sizeof key), &row, err));
	out->subject = token->subject;
	out->name = *rs_consent_token_name(token);
	return rs_consent_row_decode(row, &out->terms, &out->revoked, err);
}

enum rs_code rs_node_consent_record(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_token *token, uint64_t *out_index,
                                    struct rs_error *err)
{
	struct rs_consent_terms terms;
	bool may;
	RS_TRY(issuer_may(node, token, rs_world_now_ms(node->world), &may, err));
	if (!may)
		return rs_error_set(
			err, RS_REFUSED,
			"%s: the key that issued the consent token may not give consent for this subject",
			rs_refusal_name(RS_REFUSAL_SCOPE));
	if (!rs_consent_token_terms(token, &terms))
		return rs_error_set(err, RS_REFUSED, "%s: the blocks of the consent token leave nothing",
		                    rs_refusal_name(RS_REFUSAL_NO_CONSENT));
	return transact(node, actor, RS_TRANSACTION_CONSENT_GRANT, &token->subject,
	                rs_consent_token_name(token), &terms, out_index, err);
}

enum rs_code rs_node_consent_narrow(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_facts *consent,
                                    const struct rs_consent_terms *less, uint64_t *out_index,
                                    struct rs_error *err)
{
	struct rs_consent_terms terms = consent->terms;
	terms.roles = less->roles ? less->roles : terms.roles;
	terms.purposes = less->purposes ? less->purposes : terms.purposes;
	terms.operations = less->operations ? less->operations : terms.operations;
	terms.from_ms = less->from_ms ? less->from_ms : terms.from_ms;
	terms.until_ms = less->until_ms ? less->until_ms : terms.until_ms;
	if (less->organisation_size &&
	    !rs_str_equal(rs_consent_terms_organisation(less), rs_consent_terms_organisation(&terms)))
		return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(RS_REFUSAL_WIDENS),
		                    rs_refusal_text(RS_REFUSAL_WIDENS));
	if (less->studies_size) {
		memcpy(terms.studies, less->studies, sizeof terms.studies);
		terms.studies_size = less->studies_size;
	}
	if (terms.until_ms && terms.until_ms <= terms.from_ms)
		return rs_error_set(err, RS_USAGE,
		                    "the consent would end before it begins: revoke it instead");
	return transact(node, actor, RS_TRANSACTION_CONSENT_NARROW, &consent->subject, &consent->name, &terms,
	                out_index, err);
}

enum rs_code rs_node_consent_revoke(struct rs_node *node, const struct rs_actor *actor,
                                    const struct rs_consent_facts *consent, uint64_t *out_index,
                                    struct rs_error *err)
{
	return transact(node, actor, RS_TRANSACTION_CONSENT_REVOKE, &consent->subject, &consent->name, NULL,
	                out_index, err);
}

static enum rs_code hear_row(void *visitor, const struct rs_consent_facts *consent, struct rs_error *err)
{
	(void)err;
	rs_consent_hear(visitor, consent);
	return RS_OK;
}

/* What the ledger admitted under a token's name was signed by who might then; else the issuer must be one who may now. Who
 * may speak for one subject may not for another. */
static enum rs_code is_believed(struct rs_node *node, const struct rs_consent_token *token,
                                const struct rs_consent_question *question, bool *out, struct rs_error *err)
{
	struct rs_consent_facts row;
	*out = false;
	if (!rs_digest_equal(&token->subject, &question->subject))
		return RS_OK;
	enum rs_code code = find_row(node, token, &row, err);
	*out = code == RS_OK;
	return code == RS_NOT_FOUND ? issuer_may(node, token, question->time_ms, out, err) : code;
}

/* Erasure ends every consent. */
static enum rs_code judge_subject(const struct rs_state *state, const struct rs_digest *subject,
                                  struct rs_consent_answer *out, struct rs_error *err)
{
	struct rs_subject_facts facts = {.erased = false};
	enum rs_code code = rs_contract_subject(state, subject, &facts, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	*out = (struct rs_consent_answer){.refusal = code == RS_NOT_FOUND ? RS_REFUSAL_UNKNOWN_SUBJECT
	                                             : facts.erased       ? RS_REFUSAL_ERASED
	                                                                  : RS_REFUSAL_NONE};
	snprintf(out->sentence, sizeof out->sentence, "%s", rs_refusal_text(out->refusal));
	return RS_OK;
}

enum rs_code rs_node_consent_judge(struct rs_node *node, const struct rs_consent_token *tokens, size_t count,
                                   const struct rs_consent_question *question, struct rs_consent_answer *out,
                                   struct rs_error *err)
{
	struct rs_consent_hearing hearing = {.question = question, .tokens = tokens, .count = count};
	struct rs_consent_trust trust = {.ledger = &hearing};
	struct rs_member_key issuers[RS_CONSENT_TOKENS_MAX];
	const struct rs_state state = rs_node_state(node);
	if (count > RS_CONSENT_TOKENS_MAX)
		return rs_error_set(err, RS_USAGE, "more than %d consent tokens", RS_CONSENT_TOKENS_MAX);
	RS_TRY(judge_subject(&state, &question->subject, out, err));
	if (out->refusal != RS_REFUSAL_NONE)
		return RS_OK;
	for (size_t i = 0; i < count; i++) {
		bool believed;
		RS_TRY(is_believed(node, &tokens[i], question, &believed, err));
		if (believed)
			issuers[trust.issuer_count++] = tokens[i].blocks[0].signer;
	}
	trust.issuers = issuers;
	RS_TRY(rs_contract_consents(&state, &question->subject, hear_row, &hearing, err));
	rs_consent_judge(tokens, count, &trust, question, out);
	return RS_OK;
}
