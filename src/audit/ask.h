/* A question on its way through the log. */
#ifndef AUDIT_ASK_H
#define AUDIT_ASK_H

#include "past.h"

struct asking {
	struct rs_audit *audit;
	const struct rs_audit_question *question;
	rs_audit_visit *visit;
	void *context;
	/* RS_AUDIT_OBJECT: the version that lines are told of, the one that follows it, and the relation when it is known. */
	struct rs_digest object, next;
	unsigned relation;
	/* Anomalies: the times of the last requests of one member, all and the refused ones, as rings. */
	struct past_key member;
	struct ring {
		uint64_t *times;
		size_t size, count;
	} requests, refused;
};

/* Loads an entry into a line and holds it against the log; *out_told is false when the question leaves it out. */
enum rs_code make_line(struct asking *asking, uint64_t index, struct rs_audit_line *out, bool *out_told,
                       struct rs_error *err);
enum rs_code tell(struct asking *asking, uint64_t index, struct rs_error *err);

typedef enum rs_code take_entry(struct asking *asking, struct rs_bytes topic, uint64_t index,
                                struct rs_error *err);
/* The entries of every topic that begins so, topic by topic, in the order of the log. Not within itself. */
enum rs_code each_entry(struct asking *asking, const struct past_key *prefix, take_entry *take,
                        struct rs_error *err);

enum rs_code about_anomalies(struct asking *asking, struct rs_error *err);
enum rs_code about_versions(struct asking *asking, struct rs_error *err);
enum rs_code about_provenance(struct asking *asking, struct rs_error *err);

#endif
