/* A node: made, opened, closed.
 *
 * A node is a directory:
 *   radseal.yaml       configuration
 *   keys/node.key      the node's secrets, encrypted; keys/unlock.key opens it where no passphrase was chosen
 *   keys/log.vkey      the public key that proofs are checked with
 *   keys/last-checkpoint, keys/cosigned-checkpoint
 *                      what the log signed last, and what witnesses signed: a ledger behind them was rolled back
 *   vault/             encrypted objects by content address
 *   ledger.sqlite      the log, its tree, its checkpoints, the contract's state
 *   index.sqlite       what was admitted, by keyed locators; records encrypted under their subject's key
 *   subjects.sqlite    keys of the subjects, wrapped
 *   accounts.sqlite    accounts of people: members' keys wrapped under passwords, sessions
 *   audit.sqlite       what audits found in the log, to be found again: derived, may be deleted
 *   collector.sqlite   how much a collector of audit messages has, and events that wait for it
 *   vault.sqlite       when objects were checked last, and which have copies in IPFS: may be deleted, to find out again
 *   receipts/          one .tlog-proof for each admitted file
 *   reasons/           why a glass was broken, and what its review found; encrypted under the subject's key
 *   devices.sqlite     which envelopes of devices were used, what they announce; UIDs and hashes as keyed locators
 *   quarantine/        what devices sent and was not believed, encrypted
 *   erasing/           erasures on their way; certificates/ those that were carried out
 *   lock, next.lock    held by who writes, and by who waits for that, see lock.c */
#ifndef RS_NODE_H
#define RS_NODE_H

#include "base/base.h"
#include "contract/contract.h"

struct rs_node;

enum rs_node_access { RS_NODE_READ, RS_NODE_WRITE };

/* Makes a node in `directory`, which must be missing or empty. passphrase: empty for an unlock file.
 * errors  RS_EXISTS when the directory holds something, RS_BUSY when another process makes one there,
 *         RS_USAGE for a bad organisation name */
enum rs_code rs_node_create(const struct rs_world *world, const char *directory, const char *organisation,
                            struct rs_bytes passphrase, struct rs_error *err);
/* The same, founded by an organisation of this kind. */
enum rs_code rs_node_create_of_kind(const struct rs_world *world, const char *directory,
                                    const char *organisation, enum rs_organisation_kind kind,
                                    struct rs_bytes passphrase, struct rs_error *err);

/* Opens a node. Writing takes its lock (RS_BUSY when another process has it) and first ends what a
 * crash interrupted: a group that reached the ledger is completed, any other is taken back.
 * pool may be NULL; it must outlive the node. */
enum rs_code rs_node_open(const struct rs_world *world, const char *directory, enum rs_node_access access,
                          struct rs_bytes passphrase, struct rs_pool *pool, struct rs_node **out,
                          struct rs_error *err);
/* The same, waiting for the lock when others have it: RS_BUSY after so many seconds. */
enum rs_code rs_node_open_in_turn(const struct rs_world *world, const char *directory,
                                  enum rs_node_access access, struct rs_bytes passphrase,
                                  struct rs_pool *pool, unsigned wait_s, struct rs_node **out,
                                  struct rs_error *err);
/* Gives the lock back before the node is closed: other processes may write. The next act, or the next sealing, takes it again
 * and sees what they wrote; until then nothing else may write here. */
void rs_node_rest(struct rs_node *node);
/* The same, and for this process the ledger stays what it is, until the node is closed: for answers that rest on log and state
 * together. Nothing may be written here any more. */
enum rs_code rs_node_freeze(struct rs_node *node, struct rs_error *err);
void rs_node_close(struct rs_node *node); /* accepts NULL */
/* C2SP verifier key of the log ("origin+hash+key"); lives as long as the node. */
const char *rs_node_vkey(const struct rs_node *node);
struct rs_ledger *rs_node_ledger(struct rs_node *node);

#endif
