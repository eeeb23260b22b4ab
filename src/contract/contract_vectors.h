/* Reads the files in contracts/vectors: transactions, what must come of each, and the state's digest after it. For tests of
 * engines; radseal itself reads no vectors. */
#ifndef RS_CONTRACT_VECTORS_H
#define RS_CONTRACT_VECTORS_H

#include "contract/contract.h"

struct rs_vectors; /* one file */
/* Reads $RADSEAL_SOURCE/contracts/vectors/<name>.json. */
enum rs_code rs_vectors_open(const char *name, struct rs_vectors **out, struct rs_error *err);
void rs_vectors_close(struct rs_vectors *vectors); /* accepts NULL */
size_t rs_vectors_count(const struct rs_vectors *vectors);

struct rs_vector {
	struct rs_transaction transaction; /* signed here from what the vector says; finish it */
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	struct rs_digest entry_sha256; /* that the entry must have */
	enum rs_refusal refusal;
	bool has_decision;
	struct rs_decision decision;
	struct rs_digest state;
};
enum rs_code rs_vectors_read(const struct rs_vectors *vectors, size_t index, struct rs_vector *out,
                             struct rs_error *err);

/* All files. */
extern const char *const rs_vector_names[];
extern const size_t rs_vector_names_count;

#endif
