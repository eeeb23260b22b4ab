/* Finding what is sealed by its DICOM attributes, for somebody: every study that an answer tells of was decided by the contract,
 * and an access-request for it is durable on the ledger before the answer is given. What somebody may not see is not counted in
 * it, and nothing tells that it is there.
 *
 * For QIDO-RS: keys are matching parameters (rs_dicom_lookup_keyword() or eight digits), rs_catalogue_attributes() what can be
 * included; `limit` and `offset` are those of the request, the order is the same every time, and `has_more` calls for a Warning
 * 299; fuzzymatching is not done, which a Warning 299 tells, too. For C-MOVE, C-GET and WADO-RS: ask at RS_LEVEL_IMAGE, with
 * lists of UIDs; rs_found_object() gives the object; SOP class, instance and transfer syntax are values. In a server that takes
 * instances, rs_intake_run() is the way to the node. */
#ifndef RS_ACCESS_FIND_H
#define RS_ACCESS_FIND_H

#include "catalogue/catalogue.h"
#include "node/node_act.h"
#include "vault/vault.h"

/* Remembers what was asked for lately: a study that the same member sees again for the same purpose within RS_FIND_AGAIN_MS is
 * decided again, and not written again. One thread at a time; the node must outlive it. */
#define RS_FIND_AGAIN_MS ((uint64_t)3600 * 1000)
struct rs_finder;
enum rs_code rs_finder_create(struct rs_node *node, struct rs_finder **out, struct rs_error *err);
void rs_finder_destroy(struct rs_finder *finder);          /* accepts NULL */
void rs_finder_destroy_pointer(struct rs_finder **finder); /* for RS_CLEANUP */

struct rs_find {
	const struct rs_actor *actor;
	enum rs_purpose purpose; /* 0: the first one that the actor's role may read for */
	struct rs_catalogue_query query;
	uint64_t offset; /* matches that are passed over */
	uint64_t limit;  /* 0: a page of a few hundred; ask again with the same place until it has ended */
	/* NULL: visits come when the requests are durable. Else they come before that, and told() after them: work may begin then,
	 * by who has the node, of which nothing is given out unless rs_finder_find() returns RS_OK. */
	void (*told)(void *context, struct rs_node *node, bool has_ended);
	void *told_context;
	struct rs_catalogue_place *place; /* NULL: from the beginning */
};
struct rs_found {
	struct rs_catalogue_match match;
	struct rs_finder *finder;
	const struct rs_find *find;
};
/* As rs_catalogue_value(). Counts of a patient's studies, series and instances are of those that the actor may see. */
enum rs_code rs_found_value(const struct rs_found *found, uint32_t tag,
                            char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                            struct rs_error *err);
/* Of an image: its object's address, and the entry that registered it. */
enum rs_code rs_found_object(const struct rs_found *found, struct rs_cid *out_cid, uint64_t *out_entry,
                             struct rs_digest *out_content, struct rs_error *err);
/* Called once the requests are durable, unless `told` says otherwise. Views are good until it returns. */
typedef enum rs_code rs_find_visit(void *context, const struct rs_found *found, struct rs_error *err);

struct rs_find_counts {
	uint64_t given, requests; /* requests: entries that were written for it */
	uint64_t hidden;          /* that match, and that the actor may not see: for logs, not for answers */
	bool has_ended, has_more; /* has_more: of what matches, the limit left some out */
};
/* errors  RS_USAGE: a key's value is none; RS_REFUSED "NAME: sentence": the actor may read nothing for this purpose;
 *         RS_TOO_LARGE; RS_NOT_FOUND: the node has no catalogue yet */
enum rs_code rs_finder_find(struct rs_finder *finder, const struct rs_find *find, rs_find_visit *visit,
                            void *context, struct rs_find_counts *out, struct rs_error *err);

#endif
