/* Choosing instances, page by page, while nobody commits. */
#include "access/access_pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/node_parts.h"

#define PAGES_MAX 4096
#define TAG_CLASS RS_DICOM_TAG(0x0008, 0x0016)
#define TAG_INSTANCE RS_DICOM_TAG(0x0008, 0x0018)
#define TAG_STUDY RS_DICOM_TAG(0x0020, 0x000D)
#define TAG_SERIES RS_DICOM_TAG(0x0020, 0x000E)
#define TAG_SYNTAX RS_DICOM_TAG(0x0008, 0x3002) /* AvailableTransferSyntaxUID */

void picked_finish(struct picked_list *list) { rs_free(list->items); }

struct picking {
	struct rs_finder *finder;
	struct picked_list *list;
	struct rs_find find;
	struct rs_find_counts counts;
	struct rs_node *node;
	const struct picked_ahead *ahead;
};

static enum rs_code copy_value(const struct rs_found *found, uint32_t tag, char out[static UID_SIZE],
                               struct rs_error *err)
{
	char text[RS_CATALOGUE_COUNT_SIZE];
	struct rs_str value;
	RS_TRY(rs_found_value(found, tag, text, &value, err));
	snprintf(out, UID_SIZE, RS_STR_FORMAT, RS_STR_ARGUMENTS(value));
	return RS_OK;
}

static enum rs_code new_picked(struct picked_list *list, struct picked **out, struct rs_error *err)
{
	if (list->count == PICKED_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %zu instances: ask for less at once",
		                    PICKED_MAX);
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct picked *items = rs_reallocate(list->items, capacity * sizeof *items);
		if (!items)
			return rs_error_memory(err, capacity * sizeof *items, "instances");
		list->items = items;
		list->capacity = capacity;
	}
	*out = &list->items[list->count];
	memset(*out, 0, sizeof **out);
	return RS_OK;
}

static enum rs_code visit(void *context, const struct rs_found *found, struct rs_error *err)
{
	struct picking *picking = context;
	struct picked *picked = NULL;
	struct index_row row;
	RS_TRY(new_picked(picking->list, &picked, err));
	const struct {
		uint32_t tag;
		char *to;
	} values[] = {{TAG_STUDY, picked->study},
	              {TAG_SERIES, picked->series},
	              {TAG_INSTANCE, picked->instance},
	              {TAG_CLASS, picked->sop_class},
	              {TAG_SYNTAX, picked->syntax}};
	for (size_t i = 0; i < RS_COUNT(values); i++)
		RS_TRY(copy_value(found, values[i].tag, values[i].to, err));
	RS_TRY(index_find_row(picking->node->index, found->match.row[RS_LEVEL_IMAGE], &row, err));
	if (!rs_cid_from_bytes(row.cid, &picked->cid))
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	picked->size = row.size;
	picked->row = row.row;
	picking->list->count++;
	return RS_OK;
}

static enum rs_code find(void *context, struct rs_node *node, struct rs_error *err)
{
	struct picking *picking = context;
	picking->node = node;
	return rs_finder_find(picking->finder, &picking->find, visit, picking, &picking->counts, err);
}

static int by_name(const void *a, const void *b)
{
	const struct picked *first = a, *second = b;
	int order = strcmp(first->instance, second->instance);
	return order ? order : (first->row < second->row) - (first->row > second->row);
}

static int by_row(const void *a, const void *b)
{
	const struct picked *first = a, *second = b;
	return (first->row > second->row) - (first->row < second->row);
}

static void keep_last_of_each(struct picked_list *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof *list->items, by_name);
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 || strcmp(list->items[kept - 1].instance, list->items[i].instance) != 0)
			list->items[kept++] = list->items[i];
	list->count = kept;
	qsort(list->items, list->count, sizeof *list->items, by_row);
}

static void told(void *context, struct rs_node *node, bool has_ended)
{
	struct picking *picking = context;
	if (!has_ended)
		return;
	keep_last_of_each(picking->list);
	picking->ahead->begin(picking->ahead->context, node);
}

enum rs_code pick_instances(struct rs_intake *intake, struct rs_finder *finder, const struct rs_find *wanted,
                            const struct picked_ahead *ahead, struct picked_list *out, struct rs_error *err)
{
	struct rs_catalogue_place place = {.part = 0};
	struct picking picking = {.finder = finder, .list = out, .find = *wanted, .ahead = ahead};
	picking.find.query.level = RS_LEVEL_IMAGE;
	picking.find.place = &place;
	picking.find.told = ahead ? told : NULL;
	picking.find.told_context = &picking;
	for (size_t page = 0; page < PAGES_MAX && !picking.counts.has_ended; page++) {
		RS_TRY(rs_intake_run(intake, find, &picking, err));
		picking.find.told = NULL;
		out->hidden += picking.counts.hidden;
	}
	keep_last_of_each(out);
	return RS_OK;
}
