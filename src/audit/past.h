/* The audit's file: the state's rows as each entry left them, which entries are about whom, how far it was replayed. */
#ifndef AUDIT_PAST_H
#define AUDIT_PAST_H

#include "audit/audit.h"
#include "store/store.h"

enum past_statement {
	PUT_ROW,
	GET_ROW,  /* the last one before an entry */
	LAST_ROW, /* the same with the entry that wrote it */
	ROW_AT,   /* what one entry wrote */
	EACH_ROW,
	PUT_TOPIC,
	HAS_TOPIC,
	EACH_TOPIC,
	SAVE_DONE,
	LOAD_DONE,
	COUNT_ROWS,
	COUNT_TOPICS,
	PUT_TOLD, /* entries of an answer, so that each is told once */
	HAS_TOLD,
	PUT_SEEN, /* objects of a provenance, in the order they were found */
	GET_SEEN,
	PAST_STATEMENT_COUNT,
};

/* An entry of the log with its own copy of the bytes: those of the engine end with the next call. */
struct past_entry {
	uint8_t bytes[RS_ENTRY_SIZE_MAX];
	size_t size;
	struct rs_act act;
};

struct rs_audit {
	struct rs_engine engine;
	struct rs_store *store;
	struct rs_statement *statements[PAST_STATEMENT_COUNT];
	uint64_t size;             /* entries replayed */
	uint64_t newest_ms;        /* of them */
	struct rs_digest tree[64]; /* [level]: the complete subtree of that bit of size */
	struct past_entry current, other;
	uint8_t value[RS_STATE_VALUE_MAX], stored[RS_STATE_VALUE_MAX];
};

/* The state as the entries before `before` left it; put() writes rows of entry `writes`. */
struct past_view {
	struct rs_audit *audit;
	uint64_t before, writes;
};
struct rs_state past_state(struct past_view *view);
/* The entry that wrote the row last, before `before`. RS_NOT_FOUND without a sentence. */
enum rs_code past_writer(struct rs_audit *audit, struct rs_bytes key, uint64_t before, uint64_t *out,
                         struct rs_error *err);
enum rs_code past_has_topic(struct rs_audit *audit, struct rs_bytes topic, uint64_t entry, bool *out,
                            struct rs_error *err);
enum rs_code past_load(struct rs_audit *audit, uint64_t index, bool verify, struct past_entry *out,
                       struct rs_error *err);

/* A row's key in the contract's state, or a topic: a letter, then one or two parts. */
struct past_key {
	uint8_t bytes[1 + 2 * RS_SHA256_SIZE];
	size_t size;
};
struct past_key past_key_of(char letter, const void *about, size_t size);
struct past_key past_key_of_two(char letter, const void *first, size_t first_size, const void *second,
                                size_t second_size);
struct rs_bytes past_key_bytes(const struct past_key *key);
bool past_is_none(const struct rs_digest *digest);

/* Topics: a letter and whom the entry is about.
 *   S subject   P member or device   B object   A who asks for access   N refused requests   W broken glass, reviews
 *   Z dated more than a day before an entry that precedes it */
#define TOPICS_MAX (RS_PARENTS_MAX * 2 + 16)
struct topics {
	struct past_key keys[TOPICS_MAX];
	size_t count;
};
/* Of an entry that was replayed: audit->current. The state after it is there. */
enum rs_code topics_of(struct rs_audit *audit, uint64_t index, uint64_t newest_before_ms, struct topics *out,
                       struct rs_error *err);
/* Whose data an entry is about: the subject it names, or that of the object or glass that it names. Zeros: nobody's. */
enum rs_code subject_of(struct rs_audit *audit, uint64_t index, const struct rs_act *act,
                        struct rs_digest *out, struct rs_error *err);
/* The registration of an object before entry `before`, into audit->other. RS_NOT_FOUND without a sentence. */
enum rs_code load_object(struct rs_audit *audit, const struct rs_digest *commitment, uint64_t before,
                         uint64_t *out_index, struct rs_error *err);
/* Applies the contract to the entry again, in the state as it was: what it writes must be what is kept of it, and what it
 * reads must end as the engine has it. Adds the number of its rows. */
enum rs_code past_repeat(struct rs_audit *audit, uint64_t index, const struct rs_act *act, uint64_t *rows,
                         struct rs_error *err);
/* The facts of audit->current. */
enum rs_code fill_line(struct rs_audit *audit, uint64_t index, uint64_t now_ms, struct rs_audit_line *out,
                       struct rs_error *err);

#endif
