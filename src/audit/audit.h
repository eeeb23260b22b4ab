/* What the log answers: who did what with whose data, on which ground, and what became of it.
 *
 * An audit stands on the log alone. It replays the contract over every entry and keeps what it saw in a file of its own: the
 * state's rows as each entry left them, and which entries are about whom. That file is derived: it is caught up with the log
 * when it is asked, made anew on request (rs_audit_replay()), and checked by fsck (rs_audit_check()). Every line of an answer
 * is held against the log again: the entry's signature, the contract's answer to it in the state as it was then, and the
 * rows that this took against the engine's stored state. */
#ifndef RS_AUDIT_H
#define RS_AUDIT_H

#include "contract/contract_consents.h"
#include "contract/contract_people.h"
#include "ledger/ledger_engine.h"

struct rs_audit;
/* Makes the file when missing and `access` is to write. The engine must outlive it. */
enum rs_audit_access { RS_AUDIT_READ, RS_AUDIT_WRITE };
enum rs_code rs_audit_open(const struct rs_world *world, const char *path, const struct rs_engine *engine,
                           enum rs_audit_access access, struct rs_audit **out, struct rs_error *err);
void rs_audit_close(struct rs_audit *audit);          /* accepts NULL */
void rs_audit_close_pointer(struct rs_audit **audit); /* for RS_CLEANUP */
/* So many of so many entries were replayed. */
typedef void rs_audit_progress(void *context, uint64_t done, uint64_t total);
/* Replays what the log has got since; progress may be NULL. RS_ALTERED: an entry that the contract refuses, or a log that is
 * not the one that was replayed before; the sentence says which. */
enum rs_code rs_audit_update(struct rs_audit *audit, rs_audit_progress *progress, void *context,
                             struct rs_error *err);
/* Forgets everything and replays the whole log, every signature verified. */
enum rs_code rs_audit_replay(struct rs_audit *audit, rs_audit_progress *progress, void *context,
                             struct rs_error *err);

typedef void rs_audit_fault(void *context, const char *sentence);
/* Replays every entry against what is kept of it; changes nothing. */
enum rs_code rs_audit_check(struct rs_audit *audit, rs_audit_fault *fault, void *context,
                            struct rs_error *err);

/* Why an entry is in the answer: for a member, what it did or what was done about it; for an object, which part it played. */
enum rs_audit_relation {
	RS_AUDIT_SIGNED = 1, /* by the member */
	RS_AUDIT_CONCERNS = 2,
	RS_AUDIT_REGISTERS = 4, /* the object, or with FOLLOWS its next version */
	RS_AUDIT_FOLLOWS = 8,   /* is the next version of the object */
	RS_AUDIT_MADE_FROM = 16,
	RS_AUDIT_ASKS = 32,   /* for the object's data */
	RS_AUDIT_PARENT = 64, /* the object was made from it */
	RS_AUDIT_ANCESTOR = 128,
	RS_AUDIT_DESCENDANT = 256,
};

enum rs_audit_review {
	RS_AUDIT_NO_GLASS,
	RS_AUDIT_REVIEW_OPEN,    /* and in time */
	RS_AUDIT_REVIEW_OVERDUE, /* nobody reviewed it within RS_REVIEW_WITHIN_MS */
	RS_AUDIT_JUSTIFIED,
	RS_AUDIT_UNJUSTIFIED,
};

/* What is out of the ordinary, as facts: each can be counted in the log. */
#define RS_AUDIT_FINDINGS(X)                                                                                 \
	X(GLASS_OPEN, "break-glass-open", "a broken glass waits for its review")                             \
	X(GLASS_OVERDUE, "break-glass-overdue", "a broken glass was not reviewed within seven days")         \
	X(GLASS_LATE, "break-glass-reviewed-late", "a broken glass was reviewed after more than seven days") \
	X(GLASS_UNJUSTIFIED, "break-glass-unjustified", "the review calls the broken glass unjustified")     \
	X(OUTSIDE_ROLE, "outside-role", "the role of who asked has no such purpose or operation")            \
	X(AFTER_ERASURE, "after-erasure", "the data of an erased subject were asked for")                    \
	X(REFUSED_BURST, "refused-burst", "so many refused requests of one member within an hour")           \
	X(BURST, "burst", "so many requests of one member within an hour")                                   \
	X(BACKDATED, "backdated", "it is dated more than a day before an entry that precedes it")
enum rs_audit_finding {
#define RS_AUDIT_FINDING_MEMBER(name, text, sentence) RS_AUDIT_##name,
	RS_AUDIT_FINDINGS(RS_AUDIT_FINDING_MEMBER)
#undef RS_AUDIT_FINDING_MEMBER
		RS_AUDIT_FINDING_COUNT
};
const char *rs_audit_finding_name(enum rs_audit_finding finding);
const char *rs_audit_finding_text(enum rs_audit_finding finding);

#define RS_AUDIT_NO_ENTRY UINT64_MAX
/* One entry with what the state said when it came. Entries that a fact rests on are named, so that they can be proved, too. */
struct rs_audit_line {
	uint64_t entry;
	struct rs_act act;        /* views borrow from the audit until the next line */
	struct rs_person signer;  /* as the entry found it, or made it (the founder) */
	uint64_t signer_entry;    /* the last grant, enrolment or revocation before */
	struct rs_digest subject; /* whose data; zeros: nobody's */
	enum rs_object_kind kind; /* of the object that is registered or asked for; 0: none */
	struct rs_digest study;   /* of that object; zeros: none */
	uint64_t object_entry;    /* ACCESS_REQUEST: where the object was registered */
	bool has_decision;        /* ACCESS_REQUEST */
	struct rs_decision decision;
	bool has_terms; /* of the consent that the entry is about or the decision rests on, after the entry */
	struct rs_consent_terms terms;
	bool terms_revoked;
	uint64_t terms_entry;        /* that stated them */
	enum rs_audit_review review; /* BREAK_GLASS */
	uint64_t review_entry, review_ms;
	unsigned relations; /* set of enum rs_audit_relation */
	unsigned findings;  /* set: 1 << enum rs_audit_finding */
};
/* Anything but RS_OK ends the answer with that code. */
typedef enum rs_code rs_audit_visit(void *context, const struct rs_audit_line *line, struct rs_error *err);

enum rs_audit_about { RS_AUDIT_SUBJECT, RS_AUDIT_MEMBER, RS_AUDIT_OBJECT, RS_AUDIT_ALL, RS_AUDIT_ANOMALIES };
struct rs_audit_question {
	enum rs_audit_about about;
	struct rs_digest id; /* the subject's token, or the object's commitment */
	struct rs_member_key member;
	uint64_t from_ms, until_ms; /* of entries' own times; until 0: open */
	bool provenance; /* RS_AUDIT_OBJECT: registrations of all it was made from and all that came of it */
	bool refused, open_reviews; /* only access requests that were refused; only glasses nobody reviewed */
	uint64_t now_ms;            /* by which a review is overdue */
	uint64_t burst; /* RS_AUDIT_ANOMALIES: requests of one member within an hour that make one */
};
#define RS_AUDIT_BURST_DEFAULT 100
#define RS_AUDIT_BURST_MAX 100000
/* Lines in the order of the log (RS_AUDIT_OBJECT: version by version, what it was made from first, or with `provenance` nearest
 * first; RS_AUDIT_ANOMALIES: kind by kind, bursts member by member). Memory does not grow with the
 * log. RS_ALTERED names the entry where the log, the contract and what is stored do not agree. */
enum rs_code rs_audit_ask(struct rs_audit *audit, const struct rs_audit_question *question,
                          rs_audit_visit *visit, void *context, struct rs_error *err);

/* The entries from this one on, at most `count`, in the order of the log. */
enum rs_code rs_audit_entries(struct rs_audit *audit, uint64_t from, uint64_t count, uint64_t now_ms,
                              rs_audit_visit *visit, void *context, struct rs_error *err);

#endif
