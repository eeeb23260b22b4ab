/* Questions: which entries answer them, each held against the log before it is told. */
#include <inttypes.h>
#include <string.h>

#include "ask.h"

static unsigned relations_to_member(const struct rs_act *act, const struct rs_member_key *member)
{
	unsigned relations = rs_member_key_equal(&act->signer, member) ? RS_AUDIT_SIGNED : 0;
	if (rs_member_key_equal(&act->member, member) || rs_member_key_equal(&act->successor, member))
		relations |= RS_AUDIT_CONCERNS;
	return relations;
}

static unsigned relations_to_object(const struct rs_act *act, const struct rs_digest *object)
{
	unsigned relations = 0;
	if (act->type == RS_TRANSACTION_ACCESS_REQUEST)
		return RS_AUDIT_ASKS;
	if (rs_digest_equal(&act->commitment, object))
		relations |= RS_AUDIT_REGISTERS;
	if (act->has_previous && rs_digest_equal(&act->previous, object))
		relations |= RS_AUDIT_FOLLOWS | RS_AUDIT_REGISTERS; /* the next version */
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE)
		if (memcmp(act->parents.data + i, object->bytes, RS_SHA256_SIZE) == 0)
			relations |= RS_AUDIT_MADE_FROM;
	return relations;
}

/* Loads and checks an entry into a line; *out_told is false when the question leaves it out. */
enum rs_code make_line(struct asking *asking, uint64_t index, struct rs_audit_line *out, bool *out_told,
                       struct rs_error *err)
{
	struct rs_audit *audit = asking->audit;
	const struct rs_audit_question *question = asking->question;
	const struct rs_act *act = &audit->current.act;
	uint64_t rows = 0;
	*out_told = false;
	RS_TRY(past_load(audit, index, false, &audit->current, err));
	if (act->time_ms < question->from_ms || (question->until_ms && act->time_ms >= question->until_ms))
		return RS_OK;
	RS_TRY(past_load(audit, index, true, &audit->current, err));
	RS_TRY(past_repeat(audit, index, act, &rows, err));
	RS_TRY(fill_line(audit, index, question->now_ms, out, err));
	if (question->about == RS_AUDIT_MEMBER)
		out->relations = relations_to_member(act, &question->member);
	if (question->about == RS_AUDIT_OBJECT)
		out->relations = asking->relation ? asking->relation
		                                  : relations_to_object(act, &asking->object);
	bool refused = out->has_decision && out->decision.refusal != RS_REFUSAL_NONE;
	bool open = out->review == RS_AUDIT_REVIEW_OPEN || out->review == RS_AUDIT_REVIEW_OVERDUE;
	*out_told = (!question->refused || refused) && (!question->open_reviews || open);
	return RS_OK;
}

enum rs_code tell(struct asking *asking, uint64_t index, struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	return told ? asking->visit(asking->context, &line, err) : RS_OK;
}

static enum rs_code tell_entry(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                               struct rs_error *err)
{
	return tell(asking, index, err);
}

/* The entries of every topic that begins so, topic by topic, in the order of the log. */
enum rs_code each_entry(struct asking *asking, const struct past_key *prefix, take_entry *take,
                        struct rs_error *err)
{
	struct rs_statement *statement = asking->audit->statements[EACH_TOPIC];
	enum rs_code code = RS_OK;
	bool more;
	rs_statement_reset(statement);
	rs_statement_bind_bytes(statement, 1, past_key_bytes(prefix));
	while (code == RS_OK) {
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		struct rs_bytes topic = rs_statement_bytes(statement, 0);
		if (topic.size < prefix->size || memcmp(topic.data, prefix->bytes, prefix->size) != 0)
			break;
		code = take(asking, topic, (uint64_t)rs_statement_i64(statement, 1), err);
	}
	rs_statement_reset(statement);
	return code;
}

static enum rs_code about_topic(struct asking *asking, char letter, const void *about, size_t size,
                                struct rs_error *err)
{
	const struct past_key prefix = past_key_of(letter, about, size);
	return each_entry(asking, &prefix, tell_entry, err);
}

static enum rs_code about_all(struct asking *asking, struct rs_error *err)
{
	if (asking->question->refused)
		return about_topic(asking, 'N', "", 0, err);
	if (asking->question->open_reviews)
		return about_topic(asking, 'W', "", 0, err);
	for (uint64_t index = 0; index < asking->audit->size; index++)
		RS_TRY(tell(asking, index, err));
	return RS_OK;
}

enum rs_code rs_audit_ask(struct rs_audit *audit, const struct rs_audit_question *question,
                          rs_audit_visit *visit, void *context, struct rs_error *err)
{
	struct asking asking = {.audit = audit, .question = question, .visit = visit, .context = context};
	switch (question->about) {
	case RS_AUDIT_SUBJECT: return about_topic(&asking, 'S', question->id.bytes, RS_SHA256_SIZE, err);
	case RS_AUDIT_OBJECT:
		return question->provenance ? about_provenance(&asking, err) : about_versions(&asking, err);
	case RS_AUDIT_MEMBER: return about_topic(&asking, 'P', question->member.bytes, RS_KEY_SIZE, err);
	case RS_AUDIT_ALL: return about_all(&asking, err);
	case RS_AUDIT_ANOMALIES: return about_anomalies(&asking, err);
	}
	return RS_OK;
}

enum rs_code rs_audit_entries(struct rs_audit *audit, uint64_t from, uint64_t count, uint64_t now_ms,
                              rs_audit_visit *visit, void *context, struct rs_error *err)
{
	const struct rs_audit_question question = {.about = RS_AUDIT_ALL, .now_ms = now_ms};
	struct asking asking = {.audit = audit, .question = &question, .visit = visit, .context = context};
	for (uint64_t index = from; index < audit->size && index - from < count; index++)
		RS_TRY(tell(&asking, index, err));
	return RS_OK;
}
