/* One file on its way in: read, recognised, encrypted into the vault's staging place. */
#ifndef RS_WORKFLOW_STAGE_H
#define RS_WORKFLOW_STAGE_H

#include "workflow/workflow_classify.h"
#include "node/node_parts.h"
#include "workflow/workflow_walk.h"
#include "workflow/workflow.h"
#include "workflow/workflow_made.h"

struct staged {
	const struct walked_file *file;
	const struct rs_made *made; /* NULL: the file itself is read */
	const struct rs_admit_options *options;
	struct rs_admit_result result;
	bool staged; /* the object lies in the vault's staging place */
	struct rs_vault_staged *object;
	struct classified what;
	struct rs_pseudonym subject;
	struct rs_digest token;  /* of the subject's key that it was encrypted under */
	struct rs_digest series; /* files of one group with the same one share a leaf */
	struct rs_digest content, content_locator, identity_locator;
	struct rs_buffer parents; /* commitments of what it was made from */
	uint8_t object_nonce[NONCE_SIZE];
	struct rs_cid cid;
	uint64_t size;
	char *receipt_path;
	char source[RS_SOURCE_MAX + 1]; /* of what came over a network; empty: none */
	struct rs_buffer envelope;      /* what the device signed; empty: nothing */
};

/* Fills `staged` from the file; failures go to staged->result. Safe to call in parallel. Only a failure that must
 * stop everything (no space, no memory, a broken store) is returned. */
enum rs_code stage_file(struct rs_node *node, struct staged *staged, struct rs_error *err);
/* What is in memory already, or can be read: staged->what (DICOM), size and file are set. hash: of the content, which goes
 * into it on the way as of rs_vault_stage_hashing(); NULL: staged->content is set. Failures are returned, and leave `hash` as
 * it was. */
enum rs_code stage_arrived(struct rs_node *node, struct staged *staged, const struct rs_content *content,
                           struct rs_sha256 *hash, struct rs_error *err);
/* The receipt of an earlier sealing of the same bytes, for the same subject: the outcome is RS_ADMIT_KNOWN then. */
enum rs_code stage_find_earlier(struct rs_node *node, struct staged *staged, bool *out_found,
                                struct rs_error *err);
/* By who commits: whether the key it was encrypted under is still the subject's. errors  RS_BUSY when it is not: erased, or never
 * durable */
enum rs_code stage_check_key(struct rs_node *node, const struct staged *staged, struct rs_error *err);
void staged_finish(struct rs_node *node, struct staged *staged); /* what is still staged is thrown away */

#endif
