/* Rows of tables beside what is sealed: which vector of features a row was measured as, whose it is, and leave to use it. */
#ifndef RS_ACCESS_ROWS_H
#define RS_ACCESS_ROWS_H

#include "node/node_act.h"
#include "node/node_subject.h"

struct rs_row_source {
	bool known;      /* the subject is one of this node */
	bool has_object; /* the vector is sealed here */
	struct rs_pseudonym subject;
	uint64_t entry; /* of the vector */
	struct rs_digest commitment;
};
/* id       what files of the subject were sealed with (rs_node_subject())
 * receipt  path of the receipt of the row's vector, as radseal extract writes it; "" when there is none. It goes before
 *          the id. What is not found is not known; only failures of the node are errors. */
enum rs_code rs_node_find_row(struct rs_node *node, const char *issuer, const char *id, const char *receipt,
                              struct rs_row_source *out, struct rs_error *err);
/* Asks for the vectors; of known subjects whose rows name none, for the vectors that are sealed of them, or else for all
 * their images and masks. Each object once; what is not known needs no leave.
 * errors  RS_REFUSED "NAME: sentence" of the first that is refused; all requests are durable on the ledger */
enum rs_code rs_node_permit_rows(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_row_source *rows, size_t count, enum rs_purpose purpose,
                                 enum rs_operation operation, struct rs_error *err);

#endif
