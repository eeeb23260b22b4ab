/* What a token says about a question: the contract's answer (src/contract/decide.c), from tokens alone. */
#include <stdio.h>
#include <string.h>

#include "token.h"

const struct rs_digest *rs_consent_token_name(const struct rs_consent_token *token)
{
	return &token->blocks[0].id;
}

static bool has_study(const struct rs_consent_terms *terms, const uint8_t *study)
{
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE)
		if (memcmp(terms->studies + i, study, RS_SHA256_SIZE) == 0)
			return true;
	return false;
}

static bool narrow_studies(struct rs_consent_terms *terms, const struct rs_consent_terms *block)
{
	size_t kept = 0;
	if (block->studies_size == 0)
		return true;
	if (terms->studies_size == 0) {
		memcpy(terms->studies, block->studies, block->studies_size);
		terms->studies_size = block->studies_size;
		return true;
	}
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE)
		if (has_study(block, terms->studies + i)) {
			memmove(terms->studies + kept, terms->studies + i, RS_SHA256_SIZE);
			kept += RS_SHA256_SIZE;
		}
	memset(terms->studies + kept, 0, sizeof terms->studies - kept);
	terms->studies_size = kept;
	return kept > 0;
}

static bool narrow_set(uint32_t *set, uint32_t block)
{
	*set &= block ? block : *set;
	return *set != 0;
}

static bool narrow_organisation(struct rs_consent_terms *terms, const struct rs_consent_terms *block)
{
	if (block->organisation_size == 0)
		return true;
	if (terms->organisation_size)
		return rs_str_equal(rs_consent_terms_organisation(terms),
		                    rs_consent_terms_organisation(block));
	memcpy(terms->organisation, block->organisation, block->organisation_size);
	terms->organisation_size = block->organisation_size;
	return true;
}

bool terms_narrow(struct rs_consent_terms *terms, const struct rs_consent_terms *block)
{
	bool any = narrow_organisation(terms, block);
	any &= narrow_set(&terms->roles, block->roles);
	any &= narrow_set(&terms->purposes, block->purposes);
	any &= narrow_set(&terms->operations, block->operations);
	any &= narrow_studies(terms, block);
	if (block->from_ms > terms->from_ms)
		terms->from_ms = block->from_ms;
	if (block->until_ms && (terms->until_ms == 0 || block->until_ms < terms->until_ms))
		terms->until_ms = block->until_ms;
	return any && (terms->until_ms == 0 || terms->from_ms < terms->until_ms);
}

bool rs_consent_token_terms(const struct rs_consent_token *token, struct rs_consent_terms *out)
{
	bool any = true;
	*out = token->blocks[0].terms;
	for (size_t i = 1; i < token->count && any; i++)
		any = terms_narrow(out, &token->blocks[i].terms);
	return any;
}

/* A permission must hold at every time that it may be, a denial counts when it holds at one of them. */
static bool in_period(const struct rs_consent_terms *terms, const struct rs_consent_question *question)
{
	uint64_t earliest = question->time_ms > question->skew_ms ? question->time_ms - question->skew_ms : 0;
	uint64_t latest = question->time_ms + question->skew_ms;
	if (latest < question->time_ms)
		latest = UINT64_MAX;
	if (terms->effect == RS_CONSENT_DENY)
		return latest >= terms->from_ms && (terms->until_ms == 0 || earliest < terms->until_ms);
	return earliest >= terms->from_ms && (terms->until_ms == 0 || latest < terms->until_ms);
}

static bool is_none(const struct rs_digest *digest)
{
	static const struct rs_digest none;
	return rs_digest_equal(digest, &none);
}

static bool covers_study(const struct rs_consent_terms *terms, const struct rs_digest *study)
{
	if (terms->studies_size == 0)
		return true;
	return is_none(study) ? terms->effect == RS_CONSENT_DENY : has_study(terms, study->bytes);
}

static bool covers_organisation(const struct rs_consent_terms *terms, struct rs_str organisation)
{
	if (terms->organisation_size == 0)
		return terms->effect == RS_CONSENT_DENY;
	return rs_str_equal(rs_consent_terms_organisation(terms), organisation);
}

static const struct rs_digest *revoked_block(const struct rs_consent_token *token,
                                             const struct rs_consent_trust *trust)
{
	for (size_t i = 0; i < token->count; i++)
		for (size_t k = 0; k < trust->revoked_count; k++)
			if (rs_digest_equal(&token->blocks[i].id, &trust->revoked[k]))
				return &trust->revoked[k];
	return NULL;
}

static bool is_trusted(const struct rs_member_key *key, const struct rs_consent_trust *trust)
{
	for (size_t i = 0; i < trust->issuer_count; i++)
		if (rs_member_key_equal(key, &trust->issuers[i]))
			return true;
	return false;
}

struct objection {
	enum rs_refusal refusal;
	const char *text; /* NULL: the consent speaks */
};

/* A denial needs no ledger: it takes nothing from anybody who does not want it. */
static struct objection ledger_objects(const struct rs_consent_hearing *ledger,
                                       const struct rs_consent_token *token)
{
	size_t at = ledger ? (size_t)(token - ledger->tokens) : 0;
	if (!ledger || token->effect == RS_CONSENT_DENY || ledger->permits[at])
		return (struct objection){RS_REFUSAL_NONE, NULL};
	if (ledger->revoked[at])
		return (struct objection){RS_REFUSAL_CONSENT_REVOKED, "it was revoked on the ledger"};
	return (struct objection){RS_REFUSAL_NO_CONSENT, "the ledger has it not, or narrower"};
}

/* Why a consent does not speak about the question. */
static struct objection objection_of(const struct rs_consent_token *token,
                                     const struct rs_consent_trust *trust,
                                     const struct rs_consent_question *question)
{
	struct rs_consent_terms terms;
	bool any = rs_consent_token_terms(token, &terms);
	const struct {
		bool holds;
		enum rs_refusal refusal;
		const char *text;
	} checks[] = {
		{is_trusted(&token->blocks[0].signer, trust), RS_REFUSAL_NO_CONSENT,
	         "its issuer's key is not one of those given"},
		{rs_digest_equal(&token->subject, &question->subject), RS_REFUSAL_NO_CONSENT,
	         "it is about another subject"},
		{any, RS_REFUSAL_NO_CONSENT, "its blocks leave nothing"},
		{covers_organisation(&terms, question->organisation), RS_REFUSAL_NO_CONSENT,
	         "it is given to another organisation"},
		{terms.roles >> question->role & 1, RS_REFUSAL_NO_CONSENT, "it does not name this role"},
		{terms.purposes >> question->purpose & 1, RS_REFUSAL_NO_CONSENT,
	         "it does not name this purpose"},
		{terms.operations >> question->operation & 1, RS_REFUSAL_NO_CONSENT,
	         "it does not name this operation"},
		{covers_study(&terms, &question->study), RS_REFUSAL_NO_CONSENT,
	         is_none(&question->study) ? "it names studies, and which one is asked for is not said"
	                                   : "it does not name this study"},
		{in_period(&terms, question), RS_REFUSAL_NO_CONSENT,
	         "it is not in force at this time, as far as the clock can be trusted"},
		{revoked_block(token, trust) == NULL, RS_REFUSAL_CONSENT_REVOKED, "it was revoked"},
	};
	for (size_t i = 0; i < RS_COUNT(checks); i++)
		if (!checks[i].holds)
			return (struct objection){checks[i].refusal, checks[i].text};
	return ledger_objects(trust->ledger, token);
}

static void answer_with(struct rs_consent_answer *out, enum rs_refusal refusal,
                        const struct rs_consent_token *token, const char *why)
{
	char name[2 * RS_SHA256_SIZE + 1] = "";
	*out = (struct rs_consent_answer){.refusal = refusal};
	if (token && !why)
		out->consent = *rs_consent_token_name(token);
	if (token)
		rs_hex_encode(rs_bytes_of(rs_consent_token_name(token)->bytes, RS_SHA256_SIZE), name);
	if (refusal == RS_REFUSAL_NONE)
		snprintf(out->sentence, sizeof out->sentence, "permitted by consent %s", name);
	else if (token)
		snprintf(out->sentence, sizeof out->sentence, "%s (consent %s%s%s)", rs_refusal_text(refusal),
		         name, why ? ": " : "", why ? why : "");
	else
		snprintf(out->sentence, sizeof out->sentence, "%s", rs_refusal_text(refusal));
}

void rs_consent_judge(const struct rs_consent_token *tokens, size_t count,
                      const struct rs_consent_trust *trust, const struct rs_consent_question *question,
                      struct rs_consent_answer *out)
{
	unsigned bases = rs_contract_bases(question->role, question->purpose, question->operation);
	const struct rs_consent_token *permit = NULL;
	answer_with(out, bases ? RS_REFUSAL_NO_CONSENT : RS_REFUSAL_PURPOSE, NULL, NULL);
	if (!bases)
		return;
	for (size_t i = 0; i < count; i++) {
		struct objection objection = objection_of(&tokens[i], trust, question);
		bool denies = tokens[i].effect == RS_CONSENT_DENY;
		if (!objection.text && denies) {
			answer_with(out, RS_REFUSAL_CONSENT_DENIES, &tokens[i], NULL);
			return;
		}
		if (!objection.text && !permit)
			permit = &tokens[i];
		if (objection.text && !denies)
			answer_with(out, objection.refusal, &tokens[i], objection.text);
	}
	if (permit && bases >> RS_BASIS_CONSENT & 1)
		answer_with(out, RS_REFUSAL_NONE, permit, NULL);
	if (trust->ledger && trust->ledger->denial.refusal != RS_REFUSAL_NONE)
		*out = trust->ledger->denial;
}
