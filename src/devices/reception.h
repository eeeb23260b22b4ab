/* What receptions are made of: the database of devices for several threads, and the thread that makes durable what was admitted
 * before anybody is told. */
#ifndef RS_DEVICES_RECEPTION_H
#define RS_DEVICES_RECEPTION_H

#include <pthread.h>

#include "judge.h"

#define KNOWN_PERSONS 64
#define PERSON_TRUSTED_NS ((uint64_t)1000000000) /* a revocation is heeded after a second at most */

struct known_person {
	struct rs_member_key key;
	enum rs_code code;
	struct rs_person person;
	uint64_t until_ns;
};

/* Something that was admitted and is not confirmed yet. */
struct ticket {
	struct ticket *next;
	struct rs_reception *reception;
	struct seen seen;                   /* outcome 0: nothing is to be remembered */
	const struct rs_envelope *manifest; /* whose list is; borrowed until done. NULL: none */
	struct rs_bytes message;            /* of the manifest; borrowed, too */
	struct rs_digest sop;               /* a manifest came while it did: it is looked into again */
	bool is_listed_since;
	struct matched matched; /* a manifest lists it; content is filled in when it is admitted */
	bool is_awaited;        /* its envelope waited for it */
	enum rs_code code;
	struct rs_admit_result result;
	struct rs_error error;
	rs_arrival_done *done;
	void *context;
};

struct rs_reception {
	struct rs_node *node;
	struct rs_intake *intake;
	const struct rs_log *log;
	pthread_mutex_t mutex; /* guards the database and known */
	struct devices devices;
	struct known_person known[KNOWN_PERSONS];
	size_t known_next;
	pthread_t thread;
	pthread_mutex_t queue; /* guards what follows */
	pthread_cond_t changed;
	struct ticket *first, **last;
	bool ends, has_thread;
	/* Looks for what came before its manifest did, and seals manifests that instances rest on. */
	pthread_t matcher;
	pthread_cond_t unmatched;
	bool is_unmatched, has_matcher;
};

/* There is a manifest to look into. Any thread. */
void matching_wake(struct rs_reception *reception);
void *matching_work(void *reception);

/* An arrival of what an envelope is about, which stands in its record. */
enum rs_code arrival_of(struct rs_intake *intake, const struct rs_envelope *envelope, const char *source,
                        struct rs_bytes message, struct rs_arrival **out, struct rs_error *err);
/* Under the reception's mutex. */
enum rs_code reception_judge(struct rs_reception *reception, const struct rs_envelope *envelope,
                             const struct rs_digest *digest, struct rs_str sender, struct verdict *out,
                             struct rs_error *err);
/* Admits; `done` is called once the envelope is remembered, durably. Takes the ticket, whose first
 * fields are set. */
void reception_admit(struct rs_reception *reception, struct rs_arrival *arrival, struct ticket *ticket);
/* The same of a ticket that nothing has to be admitted for. */
void reception_remember(struct rs_reception *reception, struct ticket *ticket);
enum rs_code reception_judge_key(struct rs_reception *reception, const struct rs_member_key *key,
                                 enum rs_distrust *out, struct rs_error *err);
/* What came is told to the log. */
void reception_say(const struct rs_reception *reception, enum rs_log_level level, const char *event,
                   const struct rs_envelope *envelope, const char *reason);

#endif
