/* The content of a file that is sealed or verified: in memory when it is small, otherwise read again and again: to recognise
 * it, to learn its hash (by which it is known, and from which its key may come), to encrypt it. */
#ifndef RS_WORKFLOW_SOURCE_H
#define RS_WORKFLOW_SOURCE_H

#include "workflow/workflow_classify.h"
#include "vault/vault.h"

struct source {
	const struct rs_world *world;
	const char *path;
	struct rs_file *file; /* NULL: in memory */
	struct rs_buffer memory;
	uint64_t size;
	struct rs_digest sha256;
	/* Of each piece, as it was when it was hashed, under a key nobody else has. */
	struct rs_gcm *gcm;
	struct piece_tag *tags;
};

/* Bytes of a file that may be read into memory though it is large: of forms that only the whole can tell, as a header that
 * is longer than any should be, or compressed voxels that do not say how many they are. */
#define SOURCE_PARSED_MAX ((size_t)1 << 30)

/* Opens the file; `path` must outlive the source. Finish it either way.
 * memory_max  NODE_MEMORY_MAX, less in tests
 * errors      as of rs_file_read_all() */
enum rs_code source_open(const struct rs_world *world, const char *path, size_t memory_max,
                         struct source *out, struct rs_error *err);
/* What it is. Errors as of classify(); RS_TOO_LARGE when it is larger than SOURCE_PARSED_MAX and would have to lie in memory. */
enum rs_code source_recognise(struct source *source, struct classified *out, struct rs_error *err);
void source_finish(struct source *source); /* accepts zeroed memory */
/* Reads all of it; source->sha256 then holds its hash. */
enum rs_code source_hash(struct source *source, struct rs_error *err);
/* After hashing: the content, for the vault. Reading it ends with RS_IO when the file changed meanwhile. */
struct rs_content source_content(struct source *source);

#endif
