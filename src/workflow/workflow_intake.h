/* Admitting what arrives piece by piece, from several peers at once: a network's way into the node.
 *
 * An arrival is fed while it is received: kept in memory while it is small and there is room, else hashed, and in the vault's
 * staging place, encrypted. When it is whole, the thread that fed it recognises it and encrypts it under its subject's key,
 * hashing content and object at once where it lay in memory; then it waits with others for a group. The first thread that
 * waits writes for all who came meanwhile, with one durable commit of the ledger, and only then are they answered. Receipts,
 * and the index' mark that a group is complete, come after that, for many groups at once: recovery makes up for what a crash
 * leaves out, as it does for admitted files. */
#ifndef RS_WORKFLOW_INTAKE_H
#define RS_WORKFLOW_INTAKE_H

#include "workflow/workflow.h"
#include "workflow/workflow_classify.h"
#include "workflow/workflow_made.h"

struct rs_intake;
struct rs_arrival;

/* While there is an intake, node and actor (NULL: the node's administrator) belong to it. It gives the node's lock back to other
 * processes when they wait for it, between two groups, and when there is nothing to do; and takes it again. After it, too, the
 * lock is given back.
 * memory_max  bytes that all arrivals together keep in memory */
enum rs_code rs_intake_open(struct rs_node *node, const struct rs_actor *actor, size_t memory_max,
                            struct rs_intake **out, struct rs_error *err);
/* No arrival may be left. What is not settled is; a failure of that is told, and left to the next opening of the node. */
enum rs_code rs_intake_close(struct rs_intake *intake, struct rs_error *err); /* accepts NULL */
/* Writes receipts that are due and gives the node's lock back, unless something was admitted since the last call: call it now and
 * then. Any thread. */
enum rs_code rs_intake_settle(struct rs_intake *intake, struct rs_error *err);
/* The same when another process waits for the node: call it often. Any thread. */
enum rs_code rs_intake_make_way(struct rs_intake *intake, struct rs_error *err);

/* What came of all arrivals so far. Any thread. */
#define RS_INTAKE_SIZES 9
struct rs_intake_counts {
	uint64_t sealed, known, refused; /* instances */
	uint64_t bytes;                  /* of the sealed ones */
	uint64_t groups, grouped;        /* commits of the ledger, and the instances in them */
	uint64_t sizes[RS_INTAKE_SIZES]; /* of these, by instances: 1, 2, up to 4, 8 … 256 */
	size_t waiting, memory;          /* now: instances, and bytes of what is being received */
};
void rs_intake_count(struct rs_intake *intake, struct rs_intake_counts *out);

/* Whether an instance was admitted as one of this class and lies here still. Any thread; waits for the group on its way.
 * errors  RS_NOT_FOUND, RS_USAGE: it is of another class, others when the node cannot tell */
enum rs_code rs_intake_holds(struct rs_intake *intake, const char *sop_class_uid,
                             const char *sop_instance_uid, struct rs_error *err);

/* Runs `work` on the node while nobody commits: the way to the index and the ledger for whoever answers questions in a process
 * that takes instances. Any thread; waits for the group on its way, and has its turn before the next one. Everybody
 * waits for it: keep it to milliseconds. The node's mutex is not held. */
typedef enum rs_code rs_intake_work(void *context, struct rs_node *node, struct rs_error *err);
enum rs_code rs_intake_run(struct rs_intake *intake, rs_intake_work *work, void *context,
                           struct rs_error *err);

/* What an arrival was found to be; texts are empty as long as that is not known. */
struct rs_arrival_identity {
	char sop_class_uid[UID_SIZE], sop_instance_uid[UID_SIZE], series_instance_uid[UID_SIZE],
		study_instance_uid[UID_SIZE];
};
/* A DICOM instance: its meta group is made from these. Without a transfer syntax it is a whole file, which is kept as it is. Any
 * thread; one at a time for each arrival. */
struct rs_arrival_claims {
	const char *sop_class_uid, *sop_instance_uid, *transfer_syntax_uid, *implementation_uid;
	const char *study_instance_uid; /* the study that it must be of; NULL: any */
	const struct rs_made
		*made; /* no instance: of this kind, media type and subject; borrowed until done() */
	struct rs_arrival_identity *identity; /* told before done() is called; NULL: nobody asks */
};
enum rs_code rs_arrival_begin(struct rs_intake *intake, const struct rs_arrival_claims *claims,
                              struct rs_arrival **out, struct rs_error *err);
/* errors  RS_TOO_LARGE, RS_NO_SPACE, RS_NO_MEMORY, RS_IO */
enum rs_code rs_arrival_add(struct rs_arrival *arrival, struct rs_bytes bytes, struct rs_error *err);
/* Into the record, before it is admitted. source: over which network and from whom, at most RS_SOURCE_MAX bytes; envelope: what
 * the device signed about it, or SHA-256 of its manifest that lists it; empty when nothing. */
enum rs_code rs_arrival_vouch(struct rs_arrival *arrival, const char *source, struct rs_bytes envelope,
                              struct rs_error *err);
/* The same of bytes that go into `beside`, too: both are hashed at once. */
enum rs_code rs_arrival_add_beside(struct rs_arrival *arrival, struct rs_bytes bytes,
                                   struct rs_sha256 *beside, struct rs_error *err);
void rs_arrival_abandon(struct rs_arrival *arrival); /* accepts NULL */

/* result->outcome is RS_ADMIT_SEALED or _KNOWN when code is RS_OK. Called once, from any thread; the arrival is gone then.
 * errors  RS_MALFORMED: no sound DICOM, RS_USAGE: another instance or class than was announced, RS_REFUSED, RS_NO_SPACE, … */
typedef void rs_arrival_done(void *context, enum rs_code code, const struct rs_admit_result *result,
                             const struct rs_error *err);
void rs_arrival_admit(struct rs_arrival *arrival, rs_arrival_done *done, void *context);

#endif
