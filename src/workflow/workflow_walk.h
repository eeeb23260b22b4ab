/* The files below the paths a user names. */
#ifndef RS_WORKFLOW_WALK_H
#define RS_WORKFLOW_WALK_H

#include "base/base.h"

#define WALK_FILES_MAX ((size_t)10 * 1000 * 1000)

struct walked_file {
	char *path;
	bool named; /* by the user, not found in a directory */
};

struct walk {
	struct walked_file *files;
	size_t count, capacity;
};

void walk_finish(struct walk *walk); /* accepts NULL and zeroed memory */
/* Appends `path`, or every regular file below it in the order of names. Symbolic links to directories inside a
 * walked directory are followed to a depth of 64. */
enum rs_code walk_add(const struct rs_world *world, const char *path, struct walk *walk,
                      struct rs_error *err);

#endif
