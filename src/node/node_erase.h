/* Erasing a subject: an entry says so, the subject's key goes, everything under it goes, what is left is searched for traces, and
 * a certificate tells all that to whoever asks.
 *
 * What was sealed stays in the log as commitments that nobody can open or tell whose they are; every other proof still holds. The
 * same patient sealed again is a new subject, with a new key and a new name on the ledger; nothing links the two. */
#ifndef RS_NODE_ERASE_H
#define RS_NODE_ERASE_H

#include "node/node_act.h"

/* Grounds of GDPR Art. 17(1): letter, name. Free text could name somebody, and a certificate is kept. */
#define RS_ERASURE_GROUNDS(X)        \
	X(A, "no-longer-necessary")  \
	X(B, "consent-withdrawn")    \
	X(C, "objection")            \
	X(D, "unlawfully-processed") \
	X(E, "legal-obligation")     \
	X(F, "child")
bool rs_erasure_ground_is(const char *name);

struct rs_erasure_facts {
	uint64_t entry;       /* of the erasure */
	uint64_t commitments; /* instances that the log holds of the subject: none opens any more */
	uint64_t objects, receipts, records; /* removed */
	uint64_t keys_tried;                 /* of other subjects and of the node: none is the erased one */
	uint64_t bytes_searched;             /* of databases and their logs: no trace */
	uint64_t accesses;                   /* after which copies may lie elsewhere */
	char erased_at[RS_TIME_TEXT_SIZE];
	char ground[32];
};

/* ground: a name above, or NULL. Appends the certificate: a C2SP signed note by the log's key. Interrupted, the next opening of
 * the node or the next call finishes it; the certificate is kept in certificates/ of the node.
 * errors  RS_NOT_FOUND: nobody by this name here; RS_REFUSED by the contract, and then nothing was erased;
 *         RS_BUSY: another process reads, so traces are left: call again; RS_ALTERED: something still opens */
enum rs_code rs_node_erase(struct rs_node *node, const struct rs_actor *actor, const char *issuer,
                           const char *patient_id, const char *ground, struct rs_buffer *certificate,
                           struct rs_erasure_facts *out, struct rs_error *err);

/* With the certificate and the log's verifier key alone: the log's signature over all of it, the entry's own, its place.
 * errors  RS_ALTERED, RS_MALFORMED */
enum rs_code rs_erasure_verify(struct rs_str certificate, const char *vkey, struct rs_erasure_facts *out,
                               struct rs_error *err);

#endif
