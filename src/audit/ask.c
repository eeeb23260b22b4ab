/* Questions: which entries answer them, each held against the log before it is told. */
#include <inttypes.h>
#include <string.h>

#include "past.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define REFUSED_BURST 5 /* refused requests of one member within an hour */

struct asking {
	struct rs_audit *audit;
	const struct rs_audit_question *question;
	rs_audit_visit *visit;
	void *context;
	/* Anomalies: the times of the last requests of one member, all and the refused ones, as rings. */
	struct past_key member;
	struct ring {
		uint64_t *times;
		size_t size, count;
	} requests, refused;
};

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
		relations |= RS_AUDIT_FOLLOWS;
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE)
		if (memcmp(act->parents.data + i, object->bytes, RS_SHA256_SIZE) == 0)
			relations |= RS_AUDIT_MADE_FROM;
	return relations;
}

/* Loads and checks an entry into a line; *out_told is false when the question leaves it out. */
static enum rs_code make_line(struct asking *asking, uint64_t index, struct rs_audit_line *out,
                              bool *out_told, struct rs_error *err)
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
		out->relations = relations_to_object(act, &question->id);
	bool refused = out->has_decision && out->decision.refusal != RS_REFUSAL_NONE;
	bool open = out->review == RS_AUDIT_REVIEW_OPEN || out->review == RS_AUDIT_REVIEW_OVERDUE;
	*out_told = (!question->refused || refused) && (!question->open_reviews || open);
	return RS_OK;
}

static enum rs_code tell(struct asking *asking, uint64_t index, struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	return told ? asking->visit(asking->context, &line, err) : RS_OK;
}

typedef enum rs_code take_entry(struct asking *asking, struct rs_bytes topic, uint64_t index,
                                struct rs_error *err);

static enum rs_code tell_entry(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                               struct rs_error *err)
{
	return tell(asking, index, err);
}

/* The entries of every topic that begins so, topic by topic, in the order of the log. */
static enum rs_code each_entry(struct asking *asking, const struct past_key *prefix, take_entry *take,
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

/* --- Anomalies --- */

static enum rs_code tell_glass(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                               struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	return told && line.findings ? asking->visit(asking->context, &line, err) : RS_OK;
}

static enum rs_code tell_backdated(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                                   struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	if (!told)
		return RS_OK;
	line.findings |= 1u << RS_AUDIT_BACKDATED;
	return asking->visit(asking->context, &line, err);
}

/* Whether with this one the ring's number of times is reached within an hour. Then counting begins anew: one burst, one
 * finding for each full ring. */
static bool completes_burst(struct ring *ring, uint64_t time_ms)
{
	uint64_t *slot = &ring->times[ring->count % ring->size];
	bool reached = false;
	*slot = time_ms;
	ring->count++;
	if (ring->count >= ring->size) {
		uint64_t oldest = ring->times[ring->count % ring->size];
		reached = (time_ms > oldest ? time_ms - oldest : oldest - time_ms) <= HOUR_MS;
	}
	if (reached)
		ring->count = 0;
	return reached;
}

static enum rs_code tell_request(struct asking *asking, struct rs_bytes topic, uint64_t index,
                                 struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	if (!rs_bytes_equal(topic, past_key_bytes(&asking->member))) {
		asking->member = past_key_of((char)topic.data[0], topic.data + 1, topic.size - 1);
		asking->requests.count = asking->refused.count = 0;
	}
	RS_TRY(make_line(asking, index, &line, &told, err));
	if (!told)
		return RS_OK;
	if (completes_burst(&asking->requests, line.act.time_ms))
		line.findings |= 1u << RS_AUDIT_BURST;
	if (line.decision.refusal != RS_REFUSAL_NONE && completes_burst(&asking->refused, line.act.time_ms))
		line.findings |= 1u << RS_AUDIT_REFUSED_BURST;
	return line.findings ? asking->visit(asking->context, &line, err) : RS_OK;
}

static enum rs_code about_anomalies(struct asking *asking, struct rs_error *err)
{
	const struct past_key glasses = past_key_of('W', "", 0), requests = past_key_of('A', "", 0),
			      backdated = past_key_of('Z', "", 0);
	uint64_t refused[REFUSED_BURST];
	uint64_t burst = asking->question->burst;
	if (burst < 2 || burst > RS_AUDIT_BURST_MAX)
		return rs_error_set(err, RS_USAGE, "audit: a burst has 2 to %d requests", RS_AUDIT_BURST_MAX);
	uint64_t *times RS_CLEANUP(rs_free_pointer) = rs_allocate_array((size_t)burst, sizeof *times);
	if (!times)
		return rs_error_memory(err, (size_t)burst * sizeof *times, "times of requests");
	asking->requests = (struct ring){.times = times, .size = (size_t)burst};
	asking->refused = (struct ring){.times = refused, .size = REFUSED_BURST};
	RS_TRY(each_entry(asking, &glasses, tell_glass, err));
	RS_TRY(each_entry(asking, &requests, tell_request, err));
	return each_entry(asking, &backdated, tell_backdated, err);
}

enum rs_code rs_audit_ask(struct rs_audit *audit, const struct rs_audit_question *question,
                          rs_audit_visit *visit, void *context, struct rs_error *err)
{
	struct asking asking = {.audit = audit, .question = question, .visit = visit, .context = context};
	switch (question->about) {
	case RS_AUDIT_SUBJECT: return about_topic(&asking, 'S', question->id.bytes, RS_SHA256_SIZE, err);
	case RS_AUDIT_OBJECT: return about_topic(&asking, 'B', question->id.bytes, RS_SHA256_SIZE, err);
	case RS_AUDIT_MEMBER: return about_topic(&asking, 'P', question->member.bytes, RS_KEY_SIZE, err);
	case RS_AUDIT_ALL: return about_all(&asking, err);
	case RS_AUDIT_ANOMALIES: return about_anomalies(&asking, err);
	}
	return RS_OK;
}
