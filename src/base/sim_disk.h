/* The simulated disk, private to the simulated world: a table of names and a list of name changes that are not durable
 * yet; each file has the content that programs see and the content that would survive.
 *
 * It promises what POSIX does, and of real disks one thing more: a rename within one directory is there as a whole or
 * not at all. Name changes reach the disk in any order, whatever their directories; a rename into another directory is
 * two changes, of which either may be lost; a file's name and its content know nothing of each other; sectors are whole,
 * larger writes are not; what a failed sync did not write is never written by the next one, though that one succeeds. */
#ifndef RS_BASE_SIM_DISK_H
#define RS_BASE_SIM_DISK_H

#include "base/base_random.h"
#include "base/base_sim.h"

/* Of the real heap: faults of memory are for the program under test, not for its disk. */
struct content {
	uint8_t *data;
	size_t size, capacity;
};

struct node { /* a file or directory, whatever its names */
	bool is_directory;
	unsigned mode, locks;
	bool locked_exclusively;
	struct content seen, durable;
	/* A byte for each sector: not 0 when a failed sync dropped it. It is durable only when written again, though reading
	 * shows it: Linux marks pages clean when it cannot write them. */
	struct content dropped;
	size_t cut_to; /* the smallest size the file was cut to since the last sync; SIZE_MAX: none */
};

struct name {
	char *path;
	struct node *node;
};

struct names {
	struct name *rows;
	size_t count, capacity;
};

enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_RENAME };

struct change {
	enum change_kind kind;
	char *path, *to; /* to: of a rename */
	struct node *node;
};

struct rs_sim {
	struct rs_clock clock;
	struct rs_random random;
	struct rs_files files;
	struct rs_world world;
	uint64_t now_ms;
	struct rs_stream drawn, faults;
	struct names seen, durable;
	struct change *changes;
	size_t change_count, change_capacity;
	struct node **nodes; /* all there ever were */
	size_t node_count, node_capacity;
	uint64_t steps, fail_at, power_cuts;
	uint64_t space; /* 0: endless */
	enum rs_code fail_code;
	bool fail_for_ever;
};

static inline struct rs_sim *sim_of(const struct rs_files *files)
{
	return (struct rs_sim *)((uintptr_t)files - offsetof(struct rs_sim, files));
}

/* ---- chance and faults: sim.c ---- */

/* Counts a writing step; tells whether it must fail. */
bool disk_step_fails(struct rs_sim *sim);
enum rs_code disk_fault(const struct rs_sim *sim, const char *path, struct rs_error *err);

/* ---- names and their changes: sim_names.c ---- */

char *disk_text(const char *text); /* a copy */
struct name *sim_names_find(const struct names *names, const char *path);
void names_set(struct names *names, const char *path, struct node *node);
bool names_parent_exists(const struct names *names, const char *path);
/* A durable name in a directory whose own name was lost cannot be reached any more. */
void names_drop_orphans(struct names *names);
void sim_names_finish(struct names *names);
void change_apply(struct names *names, const struct change *change);
void change_finish(struct change *change);
/* Changes what programs see, and remembers that for the disk. */
void disk_record(struct rs_sim *sim, enum change_kind kind, const char *path, const char *to,
                 struct node *node);
struct node *disk_node(struct rs_sim *sim, bool is_directory, unsigned mode);
enum rs_code disk_missing(const char *path, struct rs_error *err);
enum rs_code disk_is_directory(const char *path, struct rs_error *err);
void disk_serve_names(struct rs_files *files);

/* ---- contents and open files: sim_file.c ---- */

void content_copy(struct content *to, const struct content *from);
/* Brings all to the disk, or what chance brings there. */
void node_write_back(struct rs_sim *sim, struct node *node, bool all);
void disk_serve_files(struct rs_files *files);

#endif
