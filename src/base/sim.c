/* The simulated world: time, chance, faults on order, power cuts; its disk is in sim_names.c and sim_file.c. */
#include "base/sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool disk_step_fails(struct rs_sim *sim)
{
	sim->steps++;
	return sim->fail_at &&
	       (sim->steps == sim->fail_at || (sim->fail_for_ever && sim->steps > sim->fail_at));
}

enum rs_code disk_fault(const struct rs_sim *sim, const char *path, struct rs_error *err)
{
	return rs_error_set(err, sim->fail_code, "%s: simulated fault", path);
}

static uint64_t sim_now_ms(const struct rs_clock *clock) { return ((const struct rs_sim *)clock)->now_ms; }

static uint64_t sim_monotonic_ns(const struct rs_clock *clock) { return sim_now_ms(clock) * 1000000; }

static enum rs_code sim_fill(const struct rs_random *random, void *out, size_t size,
                             struct rs_error *err RS_UNUSED)
{
	struct rs_sim *sim = (struct rs_sim *)((uintptr_t)random - offsetof(struct rs_sim, random));
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)rs_stream_next(&sim->drawn);
	return RS_OK;
}

enum rs_code rs_sim_create(uint64_t seed, struct rs_sim **out, struct rs_error *err)
{
	struct rs_sim *sim = calloc(1, sizeof *sim);
	if (!sim)
		return rs_error_memory(err, sizeof *sim, "a simulated world");
	sim->now_ms = UINT64_C(1700000000000);
	sim->drawn.state = seed;
	sim->faults.state = ~seed;
	sim->clock = (struct rs_clock){sim_now_ms, sim_monotonic_ns};
	sim->random = (struct rs_random){sim_fill};
	disk_serve_files(&sim->files);
	disk_serve_names(&sim->files);
	sim->world = (struct rs_world){&sim->clock, &sim->random, &sim->files};
	*out = sim;
	return RS_OK;
}

void rs_sim_destroy(struct rs_sim *sim)
{
	if (!sim)
		return;
	sim_names_finish(&sim->seen);
	sim_names_finish(&sim->durable);
	for (size_t i = 0; i < sim->change_count; i++)
		change_finish(&sim->changes[i]);
	for (size_t i = 0; i < sim->node_count; i++) {
		free(sim->nodes[i]->seen.data);
		free(sim->nodes[i]->durable.data);
		free(sim->nodes[i]->dropped.data);
		free(sim->nodes[i]);
	}
	free(sim->changes);
	free(sim->nodes);
	free(sim);
}

const struct rs_world *rs_sim_world(struct rs_sim *sim) { return &sim->world; }

void rs_sim_advance_ms(struct rs_sim *sim, uint64_t ms) { sim->now_ms += ms; }

uint64_t rs_sim_steps(const struct rs_sim *sim) { return sim->steps; }

void rs_sim_fail_at(struct rs_sim *sim, uint64_t k, enum rs_code code, bool for_ever)
{
	sim->steps = 0;
	sim->fail_at = k;
	sim->fail_code = code;
	sim->fail_for_ever = for_ever;
}

void rs_sim_set_space(struct rs_sim *sim, uint64_t bytes) { sim->space = bytes; }

void rs_sim_cut(struct rs_sim *sim, enum rs_sim_cut how)
{
	for (size_t i = 0; i < sim->change_count; i++) {
		if (how == RS_SIM_KEEP_ALL || (how == RS_SIM_TEAR && rs_stream_next(&sim->faults) & 1))
			change_apply(&sim->durable, &sim->changes[i]);
		change_finish(&sim->changes[i]);
	}
	sim->change_count = 0;
	for (size_t i = 0; i < sim->node_count; i++) {
		struct node *node = sim->nodes[i];
		if (how == RS_SIM_KEEP_ALL)
			node_write_back(sim, node, true);
		else if (how == RS_SIM_TEAR)
			node_write_back(sim, node, false);
		content_copy(&node->seen, &node->durable);
		node->dropped.size = 0;
		node->cut_to = SIZE_MAX;
		node->locks = 0;
		node->locked_exclusively = false;
	}
	names_drop_orphans(&sim->durable);
	sim_names_finish(&sim->seen);
	sim->seen = (struct names){NULL, 0, 0};
	for (size_t i = 0; i < sim->durable.count; i++)
		names_set(&sim->seen, sim->durable.rows[i].path, sim->durable.rows[i].node);
	sim->power_cuts++;
	sim->steps = 0;
	sim->fail_at = 0;
}

enum rs_code rs_sim_flip(struct rs_sim *sim, const char *path, uint64_t offset, unsigned bit,
                         struct rs_error *err)
{
	const struct name *row = sim_names_find(&sim->seen, path);
	if (!row || offset >= row->node->seen.size)
		return disk_missing(path, err);
	row->node->seen.data[offset] ^= (uint8_t)(1u << bit);
	content_copy(&row->node->durable, &row->node->seen);
	return RS_OK;
}
