/* What was read for a case: a world that remembers the files opened through it, and the digest of them. */
#ifndef RS_COHORT_PROVENANCE_H
#define RS_COHORT_PROVENANCE_H

#include "base/base.h"
#include "crypto/crypto.h"

/* Of what was read: the digest of each file, ascending, and that of all. */
struct source_files {
	struct rs_digest *files; /* rs_free */
	size_t count;
	struct rs_digest all;
};

struct witness {
	struct rs_files files; /* first: functions get their witness by it */
	const struct rs_world *inner;
	struct rs_world world; /* to read through */
	char **paths;
	size_t count, capacity;
};
void witness_init(struct witness *witness, const struct rs_world *inner); /* not copyable afterwards */
void witness_finish(struct witness *witness);                             /* accepts zeroed memory */
/* Forgets what was opened so far. */
void witness_clear(struct witness *witness);
/* `all` of one file: its SHA-256. Of several (a series, a detached header): SHA-256 of their digests in ascending order, so
 * that neither names nor places matter. */
enum rs_code witness_digest(const struct witness *witness, struct source_files *out, struct rs_error *err);

/* Appends what tells whether a file or the files of a directory changed: sizes and times, not contents. */
enum rs_code stamp_append(const struct rs_world *world, const char *path, struct rs_buffer *out,
                          struct rs_error *err);

#endif
