/* The scans of a study: gathered, recognised, overridden, joined. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"

#define ARENA_MAX ((size_t)1 << 30)

static const char *const kind_names[] = {"T1", "T1C", "T2", "DWI", "ADC", "DCE", "VFA", "other"};

const char *rs_scan_kind_name(enum rs_scan_kind kind) { return kind_names[kind]; }

bool rs_scan_kind_of(const char *name, enum rs_scan_kind *out)
{
	for (size_t i = 0; i < RS_COUNT(kind_names); i++)
		if (strcmp(kind_names[i], name) == 0) {
			*out = (enum rs_scan_kind)i;
			return true;
		}
	return false;
}

void rs_scans_finish(struct rs_scans *scans)
{
	if (!scans)
		return;
	rs_arena_finish(&scans->arena);
	rs_free(scans->items);
	*scans = (struct rs_scans){.count = 0};
}

const struct rs_scan *rs_scans_chosen(const struct rs_scans *scans, enum rs_scan_kind kind)
{
	for (size_t i = 0; i < scans->count; i++)
		if (scans->items[i].chosen && scans->items[i].kind == kind)
			return &scans->items[i];
	return NULL;
}

struct adding {
	struct rs_scans *scans;
	size_t room;
};

static enum rs_code add_scan(void *context, const struct gathered_series *series, unsigned flags,
                             const char *b_source, const struct rs_scan *scan, struct rs_error *err)
{
	struct adding *adding = context;
	struct rs_scans *scans = adding->scans;
	if (scans->count == adding->room) {
		size_t room = adding->room ? 2 * adding->room : 32;
		struct rs_scan *more = rs_reallocate(scans->items, room * sizeof *more);
		if (!more)
			return rs_error_memory(err, room * sizeof *more, "scans");
		scans->items = more;
		adding->room = room;
	}
	struct rs_scan *item = &scans->items[scans->count];
	*item = *scan;
	RS_TRY(recognise(&scans->arena, series, flags, b_source, item, err));
	scans->count++;
	return RS_OK;
}

static bool is_meant(const struct rs_scan *scan, const char *series)
{
	int64_t number;
	return strcmp(scan->uid, series) == 0 ||
	       (rs_parse_i64(rs_str_from(series), &number) && number == scan->number && number != 0);
}

static enum rs_code override(struct rs_scans *scans, const struct rs_scan_override *wanted,
                             struct rs_error *err)
{
	const struct rs_scan *found = NULL;
	for (size_t i = 0; i < scans->count; i++) {
		struct rs_scan *scan = &scans->items[i];
		if (!is_meant(scan, wanted->series))
			continue;
		if (found && strcmp(found->uid, scan->uid) != 0)
			return rs_error_set(err, RS_USAGE, "several series have the number %s; name its UID",
			                    wanted->series);
		if (scan->volume_count == 0 && wanted->kind != RS_SCAN_OTHER)
			return rs_error_set(err, RS_USAGE, "series %s cannot be %s: %s", wanted->series,
			                    rs_scan_kind_name(wanted->kind), scan->why);
		found = scan;
		scan->kind = wanted->kind;
		scan->forced = true;
		scan->why = "you said so";
	}
	if (!found)
		return rs_error_set(err, RS_USAGE, "there is no series %s; --list tells which there are",
		                    wanted->series);
	return RS_OK;
}

static int by_number(const void *a, const void *b)
{
	const struct rs_scan *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	int order = strcmp(x->uid, y->uid);
	return order ? order : (int)x->kind - (int)y->kind;
}

static enum rs_code find(const struct rs_world *world, const char *directory, struct gathered *gathered,
                         const struct rs_scan_override *overrides, size_t override_count,
                         struct rs_scans *scans, struct rs_error *err)
{
	struct adding adding = {.scans = scans};
	gathered->arena = &scans->arena;
	RS_TRY(gather(world, directory, gathered, err));
	for (size_t s = 0; s < gathered->series_count; s++)
		RS_TRY(scans_of_series(gathered, s, add_scan, &adding, err));
	for (size_t i = 0; i < override_count; i++)
		RS_TRY(override(scans, &overrides[i], err));
	qsort(scans->items, scans->count, sizeof *scans->items, by_number);
	scans->files = gathered->files;
	scans->passed_over = gathered->passed_over;
	return join_scans(scans, err);
}

enum rs_code rs_scans_find(const struct rs_world *world, const char *directory,
                           const struct rs_scan_override *overrides, size_t override_count,
                           struct rs_buffer *complaints, struct rs_scans *out, struct rs_error *err)
{
	struct rs_scans scans = {.count = 0};
	struct gathered gathered RS_CLEANUP(gathered_finish) = {.complaints = complaints};
	rs_arena_init(&scans.arena, ARENA_MAX);
	enum rs_code code = find(world, directory, &gathered, overrides, override_count, &scans, err);
	if (code != RS_OK) {
		rs_scans_finish(&scans);
		return rs_error_context(err, "%s", directory);
	}
	*out = scans;
	return RS_OK;
}
