/* The door out: what a node keeps is given out, or used, when the contract has decided and that is durable on the ledger. */
#ifndef RS_ACCESS_RETRIEVE_H
#define RS_ACCESS_RETRIEVE_H

#include "vault/vault.h"
#include "node/node_act.h"
#include "node/node_subject.h"

/* What came of one object. */
struct rs_retrieved {
	char cid[RS_CID_TEXT_SIZE];
	const char *path; /* of the file that was written, its receipt is PATH.tlog-proof; "" when none was */
	bool asked;       /* an access-request stands in the log */
	uint64_t entry;   /* that request's place */
	struct rs_decision decision;
	struct rs_error error; /* RS_REFUSED "NAME: sentence" when the contract does not allow it */
};
typedef void rs_retrieve_report(void *context, const struct rs_retrieved *result);

struct rs_retrieval {
	const struct rs_node_subject *subject; /* whose objects; NULL: `cids` names them */
	struct rs_str study, series, instance; /* UIDs that they must have; empty: any */
	char *const *cids;                     /* addresses */
	size_t cid_count;
	enum rs_purpose purpose;
	enum rs_operation operation;
	/* A member, of whatever organisation, to whom bundles are sealed; NULL: files. For RS_OPERATION_EXPORT only, and only for
	 * whom the contract would let use the object in some way. */
	const struct rs_member_key *recipient;
	const char *directory; /* made when missing */
	rs_retrieve_report *report;
	void *context;
};
/* Asks for every object, decrypts what the contract allows, compares it with the ledger, and writes it, named by its
 * address, and a receipt at the present checkpoint. The requests of a group are durable, refused ones too, before the
 * first byte of the group leaves the vault. One object's failure does not stop the others; the returned code is that of
 * the first, with its sentence.
 * errors  RS_NOT_FOUND: nothing fits; RS_REFUSED; RS_ALTERED: it is not what was sealed, and was not given out */
enum rs_code rs_node_retrieve(struct rs_node *node, const struct rs_actor *actor,
                              const struct rs_retrieval *retrieval, struct rs_error *err);

/* The address of the object that `radseal deidentify --project` made this copy of, by the copy's SOPInstanceUID. Looks at every
 * record of the node. RS_NOT_FOUND */
enum rs_code rs_node_find_original(struct rs_node *node, struct rs_str project, struct rs_str copy_uid,
                                   char out_cid[static RS_CID_TEXT_SIZE], struct rs_error *err);

/* Of what is sealed here: asks for the objects whose content these files are, or the files below these directories, which
 * lie outside already and are used where they lie. Files that were not sealed here need no leave.
 * errors  RS_REFUSED "NAME: sentence" of the first that is refused; all requests are durable on the ledger */
enum rs_code rs_node_permit(struct rs_node *node, const struct rs_actor *actor, const char *const *paths,
                            size_t count, enum rs_purpose purpose, enum rs_operation operation,
                            struct rs_error *err);

#endif
