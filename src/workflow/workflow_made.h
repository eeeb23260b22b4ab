/* What the program itself made is sealed from memory: models, predictions, reports. */
#ifndef RS_WORKFLOW_MADE_H
#define RS_WORKFLOW_MADE_H

#include "identity/identity.h"
#include "workflow/workflow.h"

#define RS_MEDIA_MODEL "application/vnd.radseal.model+cbor"
#define RS_MEDIA_MANIFEST "application/vnd.radseal.manifest+cose"
#define RS_MEDIA_PREDICTION "text/vnd.radseal.prediction"

struct rs_made {
	char *name; /* as results and errors call it */
	enum rs_object_kind kind;
	const char *media;
	struct rs_bytes content;
	const struct rs_pseudonym *subject; /* whose it is; NULL: its own, erased alone */
	struct rs_bytes parents;            /* commitments it was made from; at most RS_PARENTS_MAX */
	const struct rs_digest *previous;   /* commitment that it is a new version of; NULL: none */
};
/* As rs_node_admit() does with files; options->subject is not heeded. What the contract refuses is RS_REFUSED. */
enum rs_code rs_node_admit_made(struct rs_node *node, const struct rs_made *made, size_t count,
                                const struct rs_admit_options *options, struct rs_error *err);

/* What is known here of sealed content. */
struct rs_sealed {
	uint64_t entry;
	struct rs_digest commitment;
	struct rs_pseudonym subject;
};
/* RS_NOT_FOUND without a sentence when such content is not sealed here. */
enum rs_code rs_node_sealed(struct rs_node *node, const struct rs_digest *sha256, struct rs_sealed *out,
                            struct rs_error *err);

#endif
