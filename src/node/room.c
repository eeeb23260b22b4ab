/* Room for objects. What the quota counts is what the index knows and what this process has staged since. */
#include "node/node_room.h"

#include <inttypes.h>

/* For a person: what is less than the next unit of thousands. */
static const char *amount(uint64_t bytes, char out[static 32])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 999.95 && unit + 1 < RS_COUNT(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

enum rs_code room_count(struct rs_node *node, struct rs_error *err)
{
	if (!node->room_counted && node->config.vault_quota)
		RS_TRY(index_stored_size(node->index, &node->room_used, err));
	node->room_counted = true;
	return RS_OK;
}

static enum rs_code check_quota(struct rs_node *node, uint64_t size, struct rs_error *err)
{
	uint64_t quota = node->config.vault_quota;
	char texts[3][32];
	if (quota == 0)
		return RS_OK;
	if (!node->has_intake)
		RS_TRY(room_count(node, err));
	if (node->room_used + size <= quota)
		return RS_OK;
	return rs_error_set(
		err, RS_NO_SPACE,
		"the vault's quota is %s, of which %s are used; this object needs %s: raise vault: "
		"quota in radseal.yaml",
		amount(quota, texts[0]), amount(node->room_used, texts[1]), amount(size, texts[2]));
}

static enum rs_code check_disk(struct rs_node *node, uint64_t size, struct rs_error *err)
{
	const struct rs_files *files = node->world->files;
	uint64_t left, reserve = node->config.vault_reserve;
	char texts[3][32];
	if (!files->free_space)
		return RS_OK;
	RS_TRY(files->free_space(files, node->directory, &left, err));
	if (left >= reserve && left - reserve >= node->room_pending + size)
		return RS_OK;
	return rs_error_set(
		err, RS_NO_SPACE,
		"the disk has %s left, of which %s are kept for the ledger (vault: reserve in "
		"radseal.yaml); this object needs %s: make room, or move the node to a larger disk",
		amount(left, texts[0]), amount(reserve, texts[1]), amount(size, texts[2]));
}

enum rs_code room_left(struct rs_node *node, uint64_t *out, struct rs_error *err)
{
	const struct rs_files *files = node->world->files;
	uint64_t quota = node->config.vault_quota, reserve = node->config.vault_reserve + node->room_pending;
	uint64_t on_disk = UINT64_MAX, of_quota = UINT64_MAX;
	if (files->free_space) {
		RS_TRY(files->free_space(files, node->directory, &on_disk, err));
		on_disk -= on_disk < reserve ? on_disk : reserve;
	}
	if (quota)
		of_quota = quota > node->room_used ? quota - node->room_used : 0;
	*out = on_disk < of_quota ? on_disk : of_quota;
	return RS_OK;
}

enum rs_code room_take(struct rs_node *node, uint64_t content_size, struct rs_error *err)
{
	uint64_t size = rs_vault_stored_size(content_size);
	RS_TRY(check_quota(node, size, err));
	RS_TRY(check_disk(node, size, err));
	node->room_used += size;
	node->room_pending += size;
	return RS_OK;
}

void room_written(struct rs_node *node, uint64_t content_size)
{
	node->room_pending -= rs_vault_stored_size(content_size);
}

void room_recount(struct rs_node *node) { node->room_counted = false; }
