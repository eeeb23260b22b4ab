/* Directories of files in memory: what is given out, or worked on, never lies on a disk in clear. */
#ifndef WEB_MEMORY_FILES_H
#define WEB_MEMORY_FILES_H

#include "base/base.h"

struct memory_files {
	char path[64]; /* "": none */
};
enum rs_code memory_files_make(struct memory_files *out, struct rs_error *err);
void memory_files_remove(
	struct memory_files *files); /* with all that is in it; accepts zeroed memory; for RS_CLEANUP */
/* Those of servers that died. */
void memory_files_sweep(void);

#endif
