/* What is out of the ordinary: kind by kind, each a fact that can be counted in the log. */
#include "ask.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define REFUSED_BURST 5 /* refused requests of one member within an hour */

static enum rs_code tell_glass(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                               struct rs_error *err)
{
	struct rs_audit_line line;
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	return told && line.findings ? asking->visit(asking->context, &line, err) : RS_OK;
}

/* Requests, glasses and reviews were told already, with this finding among theirs. */
static enum rs_code tell_backdated(struct asking *asking, struct rs_bytes topic RS_UNUSED, uint64_t index,
                                   struct rs_error *err)
{
	struct rs_audit_line line = {.entry = index};
	bool told;
	RS_TRY(make_line(asking, index, &line, &told, err));
	bool told_already = line.has_decision || line.review ||
	                    line.act.type == RS_TRANSACTION_BREAK_GLASS_REVIEW;
	return told && !told_already ? asking->visit(asking->context, &line, err) : RS_OK;
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

enum rs_code about_anomalies(struct asking *asking, struct rs_error *err)
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
