/* The parts of an opened node, shared by the use cases. */
#ifndef RS_NODE_PARTS_H
#define RS_NODE_PARTS_H

#include <pthread.h>

#include "catalogue/catalogue.h"
#include "node/node_config.h"
#include "identity/identity.h"
#include "node/node_index.h"
#include "ledger/ledger.h"
#include "vault/vault.h"
#include "node/node_act.h"
#include "node/node_subject.h"

/* Kinds of locators: values of different meaning never meet. */
enum locator_kind {
	LOCATOR_CONTENT = 1,
	LOCATOR_INSTANCE = 2,
	LOCATOR_SERIES = 3,
	LOCATOR_PROFILE = 4,
	LOCATOR_PROJECT = 5,
	LOCATOR_CATALOGUE = 6 /* the key of its tokens */
};

/* Bytes of a file that is kept in memory if need not be: reading once is cheaper as long as the heap uses the same memory
 * again and again, and does not ask the system for fresh pages. */
#define NODE_MEMORY_MAX ((size_t)16 << 20)

struct rs_node {
	const struct rs_world *world;
	enum rs_node_access access;
	struct rs_pool *pool; /* borrowed; may be NULL */
	size_t memory_max;    /* NODE_MEMORY_MAX; less in tests */
	struct config config;
	struct rs_file *lock; /* NULL while others may write */
	struct rs_file *part_lock;
	unsigned wait_s;          /* for a lock */
	uint64_t resume_after_ms; /* erasures */
	bool unfinished; /* a group failed, and so did taking it back: node_recover() comes before the next one */
	struct rs_keyring *keyring;
	struct rs_subject_keys *subjects;
	struct rs_vault *vault;
	struct rs_ledger *ledger;
	struct index *index;
	struct rs_catalogue *catalogue; /* node_catalogue() */
	char *directory, *receipts;
	char *vkey;
	uint64_t promised_size, promised_ms; /* of keys/last-checkpoint, by this process */
	/* node_room.h: stored bytes of all objects, when they were counted; and those that are being written */
	uint64_t room_used, room_pending;
	bool room_counted;
	bool has_intake; /* others stage while one thread commits: it alone counts */
	pthread_mutex_t
		mutex; /* guards subjects, index and ledger while files are staged or verified in parallel */
};

/* directory/name as a new heap string, or RS_NO_MEMORY. */
enum rs_code node_path(const struct rs_node *node, const char *name, char **out, struct rs_error *err);

/* receipts/ab/<cid>.tlog-proof of an object; new heap string. */
enum rs_code node_receipt_path(const struct rs_node *node, struct rs_bytes cid, char **out,
                               struct rs_error *err);
struct node_placed {
	struct rs_bytes transaction_id;
	uint64_t entry;
};
/* Makes the receipts of transactions' files at the ledger's present checkpoint, durable when it returns. */
enum rs_code node_write_receipts(struct rs_node *node, const struct node_placed *placed, size_t count,
                                 struct rs_error *err);
enum rs_code node_format_receipt(struct rs_node *node, const struct index_row *row, struct rs_buffer *out,
                                 struct rs_error *err);
/* The catalogue, opened when it is first asked for, by who has the index. RS_NOT_FOUND: none is there yet, and the node is open
 * for reading */
enum rs_code node_catalogue(struct rs_node *node, struct rs_catalogue **out, struct rs_error *err);
/* Decrypts a row's record (deterministic CBOR, appended to out); RS_ALTERED when it does not open. */
enum rs_code node_open_record(struct rs_node *node, const struct index_row *row, struct rs_buffer *out,
                              struct rs_error *err);
enum rs_code node_subject_key(struct rs_node *node, struct rs_bytes pseudonym, bool create,
                              struct rs_secret *out, struct rs_error *err);
/* rs_node_commitment() with the subject's key at hand. */
void node_commitment(const struct rs_secret *subject_key, enum rs_commitment_kind kind, struct rs_str value,
                     struct rs_digest *out);
/* The transaction that registers a subject; not needed when the ledger has it. */
enum rs_code node_subject_entry(struct rs_node *node, const struct rs_actor *actor,
                                const struct rs_digest *token, struct rs_transaction *out, bool *out_needed,
                                struct rs_error *err);
/* As rs_node_transact() fills in and signs, without appending. */
enum rs_code node_sign(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                       struct rs_transaction *out, struct rs_error *err);
void node_locator(const struct rs_node *node, enum locator_kind kind, struct rs_bytes value,
                  struct rs_digest *out);
/* What the log signed lately lies outside of the database, too (keys/last-checkpoint, keys/cosigned-checkpoint): a ledger
 * that was put back is found out when the node is opened. Read them before the ledger is opened, as it may grow meanwhile. */
struct node_promises {
	struct rs_buffer last, cosigned; /* empty: none */
};
void node_promises_finish(struct node_promises *promises);
enum rs_code node_promises_read(const struct rs_node *node, struct node_promises *out, struct rs_error *err);
enum rs_code node_promises_check(struct rs_node *node, const struct rs_note_key *key,
                                 const struct node_promises *promises, struct rs_error *err);
/* Writes keys/last-checkpoint when there is a newer checkpoint: at most once a second unless it is `final`. A failure is
 * passed over: a promise that lags behind accuses nobody. */
void node_promises_keep(struct rs_node *node, bool final);
/* The steps of opening, for who restores a node. The lock is taken once; recovery is the caller's. */
enum rs_code node_new(const struct rs_world *world, const char *directory, enum rs_node_access access,
                      struct rs_pool *pool, struct rs_node **out, struct rs_error *err);
enum rs_code node_take_lock(struct rs_node *node, struct rs_error *err);
/* own_keys.c: keys/node.key, and the subjects' keys that it opens. */
enum rs_code node_create_keys(const struct rs_node *node, struct rs_bytes passphrase, struct rs_error *err);
enum rs_code node_open_keys(struct rs_node *node, struct rs_bytes passphrase, struct rs_error *err);
bool node_is_lock(struct rs_str name); /* whether a file in the node's directory is no more than that */
/* Before anything is written: takes the lock if it was given back, with what others wrote meanwhile, and ends what a crash
 * interrupted, theirs or ours. */
enum rs_code node_hold(struct rs_node *node, struct rs_error *err);
/* For what is derived and has writers of its own: held until the node is closed. */
enum rs_code node_lock_part(struct rs_node *node, const char *name, struct rs_error *err);
/* Ledger and index as they are while nothing is on its way, for who reads: writers wait until node_let_write(); what is
 * read is of that moment until node_unpin(), which is due after a failure, too. */
enum rs_code node_pin(struct rs_node *node, struct rs_error *err);
void node_let_write(struct rs_node *node);
void node_unpin(struct rs_node *node);
/* Whether another process waits for the lock. */
bool node_is_wanted(const struct rs_node *node);
enum rs_code node_open_parts(struct rs_node *node, const char *config, struct rs_bytes passphrase,
                             struct rs_error *err);
/* Ends what a crash interrupted. */
enum rs_code node_recover(struct rs_node *node, struct rs_error *err);

#endif
