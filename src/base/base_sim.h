/* A simulated world for tests: a disk in memory that forgets what was not synced, a clock
 * that moves when told, seeded random numbers, and faults at the k-th operation.
 * Lives in its own library (base_sim); the program does not link it.
 *
 * The disk keeps two states of each file: what programs see, and what a power cut leaves. Content becomes durable by
 * sync; creation, rename and removal of names by sync_directory. start_writeback makes a seeded choice of sectors
 * durable, as the system may at any time. What it promises beyond that, and what not, stands in sim_disk.h. Paths are plain:
 * no "//", no slash at the end. */
#ifndef RS_BASE_SIM_H
#define RS_BASE_SIM_H

#include "base/base_world.h"

struct rs_sim;

/* What happens to the writes that were not synced when the power goes. */
enum rs_sim_cut {
	RS_SIM_LOSE_ALL, /* none of them reached the disk */
	RS_SIM_KEEP_ALL, /* all of them did */
	RS_SIM_TEAR,     /* a seeded choice of 512-byte sectors and of name changes did */
};

enum rs_code rs_sim_create(uint64_t seed, struct rs_sim **out, struct rs_error *err);
void rs_sim_destroy(struct rs_sim *sim); /* accepts NULL; open files must be closed */
const struct rs_world *rs_sim_world(struct rs_sim *sim);
void rs_sim_advance_ms(struct rs_sim *sim, uint64_t ms);
/* Number of writing operations (write, sync, start_writeback, truncate, create, rename, remove, make_directory,
 * sync_directory) since the last call of rs_sim_fail_at or rs_sim_cut. */
uint64_t rs_sim_steps(const struct rs_sim *sim);
/* The k-th writing operation from now (1-based) fails with `code`, having done nothing (a write: a
 * seeded prefix); `for_ever` makes all later ones fail too. k = 0 switches faults off. */
void rs_sim_fail_at(struct rs_sim *sim, uint64_t k, enum rs_code code, bool for_ever);
/* The disk holds so many bytes of files' content, those that are there included; 0: any number. What would go beyond is
 * refused with RS_NO_SPACE and not written. */
void rs_sim_set_space(struct rs_sim *sim, uint64_t bytes);
/* The power goes: open files become invalid (close them), unsynced writes meet their fate. */
void rs_sim_cut(struct rs_sim *sim, enum rs_sim_cut how);
/* The k that a test of long work gives to rs_memory_fail_at() after this one: each of the first hundred, then a hundredth
 * further each time. Steps that grow meet requests of all kinds, in time that grows with the logarithm. */
static inline uint64_t rs_memory_next(uint64_t k) { return k + 1 + k / 100; }
/* How far tests go from one pair of step and cut to the next: all of them, or a quarter by turns where sanitizers slow each. */
#define RS_SIM_STRIDE 1
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#undef RS_SIM_STRIDE
#define RS_SIM_STRIDE 4
#endif
#endif
/* Flips bit `bit` of byte `offset` of a file, durably. */
enum rs_code rs_sim_flip(struct rs_sim *sim, const char *path, uint64_t offset, unsigned bit,
                         struct rs_error *err);

#endif
