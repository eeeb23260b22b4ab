/* The index: one row for each admitted file, found by keyed locators; and the intents of groups that
 * are on their way to the ledger. What is personal lies in `box`, encrypted under the subject's key. */
#ifndef RS_NODE_INDEX_H
#define RS_NODE_INDEX_H

#include "store/store.h"

#define TRANSACTION_ID_SIZE 16
#define NONCE_SIZE 16
#define LOCATOR_SIZE 32
#define INSTANCES_MAX 4096

/* Views borrow from the statement or from the caller. */
struct index_row {
	int64_t row;
	struct rs_bytes transaction_id; /* the ledger entry that commits to it */
	uint64_t instance,
		instances; /* place in that entry's instance tree; 0 instances: a profile's value (access/profile.c) */
	struct rs_bytes path;             /* hashes of the instance's inclusion proof, 32 bytes each */
	struct rs_bytes subject;          /* pseudonym */
	struct rs_bytes record_nonce;     /* for the record's key */
	struct rs_bytes object_nonce;     /* for the object's key */
	struct rs_bytes content_locator;  /* of the SHA-256 of the content */
	struct rs_bytes identity_locator; /* of the SOPInstanceUID; empty without one */
	uint64_t size;                    /* bytes of content */
	struct rs_bytes cid;              /* the object */
	struct rs_bytes box;              /* the instance record, encrypted */
	int64_t entry;                    /* index in the log; -1 while on its way */
};

struct index;

enum rs_code index_open(const struct rs_world *world, const char *path, enum rs_store_access access,
                        struct index **out, struct rs_error *err);
void index_close(struct index *index); /* accepts NULL */

struct rs_store *index_store(struct index *index); /* for backups */

enum rs_code index_begin(struct index *index, struct rs_error *err);
enum rs_code index_commit(struct index *index, struct rs_error *err);
void index_rollback(struct index *index);

enum rs_code index_add_intent(struct index *index, struct rs_bytes transaction_id,
                              struct rs_bytes transaction, struct rs_error *err);
/* *out_row (may be NULL) is where it stands: index_row.row. */
enum rs_code index_add_row(struct index *index, const struct index_row *row, int64_t *out_row,
                           struct rs_error *err);
/* The group of a transaction has reached the log at `entry`; its intent goes. */
enum rs_code index_complete(struct index *index, struct rs_bytes transaction_id, uint64_t entry,
                            struct rs_error *err);
/* The group is taken back: its intent and its rows go. */
enum rs_code index_take_back(struct index *index, struct rs_bytes transaction_id, struct rs_error *err);

/* RS_NOT_FOUND (no sentence) when there is none. The row is valid until the next call on the index. The same content may be
 * there for several subjects, once for each: then the first one that is complete is found. */
enum rs_code index_find_content(struct index *index, struct rs_bytes locator, struct index_row *out,
                                struct rs_error *err);
enum rs_code index_find_content_of(struct index *index, struct rs_bytes locator, struct rs_bytes subject,
                                   struct index_row *out, struct rs_error *err);
enum rs_code index_find_identity(struct index *index, struct rs_bytes locator, struct index_row *out,
                                 struct rs_error *err);
/* By the address of the object. */
enum rs_code index_find_row(struct index *index, int64_t row, struct index_row *out, struct rs_error *err);
enum rs_code index_find_object(struct index *index, struct rs_bytes cid, struct index_row *out,
                               struct rs_error *err);
/* What the vault stores for all rows: headers and tags included. */
enum rs_code index_stored_size(struct index *index, uint64_t *out, struct rs_error *err);
enum rs_code index_has_object(struct index *index, struct rs_bytes cid, bool *out, struct rs_error *err);

typedef enum rs_code index_visit_row(void *context, const struct index_row *row, struct rs_error *err);
typedef enum rs_code index_visit_intent(void *context, struct rs_bytes transaction_id,
                                        struct rs_bytes transaction, struct rs_error *err);
enum rs_code index_each_row(struct index *index, index_visit_row *visit, void *context, struct rs_error *err);
enum rs_code index_each_row_of(struct index *index, struct rs_bytes transaction_id, index_visit_row *visit,
                               void *context, struct rs_error *err);
enum rs_code index_each_row_of_subject(struct index *index, struct rs_bytes subject, index_visit_row *visit,
                                       void *context, struct rs_error *err);
enum rs_code index_drop_subject(struct index *index, struct rs_bytes subject, struct rs_error *err);
/* As rs_store_scrub(). */
enum rs_code index_scrub(struct index *index, struct rs_error *err);
enum rs_code index_each_intent(struct index *index, index_visit_intent *visit, void *context,
                               struct rs_error *err);
enum rs_code index_check_file(struct index *index, struct rs_error *err); /* SQLite's own check */

#endif
