/* What the files of store share: the handle, its VFS over a world, and one translation of
 * SQLite's errors. */
#ifndef RS_STORE_PRIVATE_H
#define RS_STORE_PRIVATE_H

#include <sqlite3.h>

#include "store/store.h"

/* SQLite's door to the files of a world that is not the operating system's. Registered under
 * a name of its own while its store is open. */
struct rs_store_vfs {
	sqlite3_vfs base;
	const struct rs_world *world;
	char name[48];
	bool registered;
};

struct rs_store {
	sqlite3 *db;
	char *path;
	struct rs_store_vfs vfs;
	struct rs_statement *begin, *commit, *rollback;
	bool left_open; /* a rollback failed, as memory ended: the next transaction makes up for it */
};

enum rs_code rs_store_vfs_register(struct rs_store_vfs *vfs, const struct rs_world *world,
                                   struct rs_error *err);
void rs_store_vfs_unregister(struct rs_store_vfs *vfs); /* accepts zeroed memory */

/* Before a transaction begins. */
void rs_store_end_former(struct rs_store *store);

/* The sentence names the path, what was being done and SQLite's own words. */
enum rs_code rs_store_error(const struct rs_store *store, int result, const char *doing,
                            struct rs_error *err);

#endif
