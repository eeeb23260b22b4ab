/* What matches, what each study or series of it has, and getting that. */
#include <stdio.h>
#include <string.h>

#include "receiving.h"

#define TAG_INSTANCE RS_DICOM_TAG(0x0008, 0x0018)
#define TAG_CLASS RS_DICOM_TAG(0x0008, 0x0016)
#define TAG_STUDY RS_DICOM_TAG(0x0020, 0x000D)
#define TAG_SERIES RS_DICOM_TAG(0x0020, 0x000E)
#define KEYS_MAX 128
#define KEY_SIZE (32 + UID_SIZE)
#define WANTED_MAX ((size_t)1 << 20)

struct wanted {
	char study[UID_SIZE], series[UID_SIZE]; /* series "": the whole study */
};
struct wanted_list {
	struct wanted *items;
	size_t count, capacity;
	bool of_series;
};

static void wanted_finish(struct wanted_list *list) { rs_free(list->items); }

static enum rs_code copy_uid(const struct rs_dicom *match, uint32_t tag, char out[static UID_SIZE],
                             struct rs_error *err)
{
	struct rs_str uid = rs_dicom_text(rs_dicom_find(match, NULL, tag), 0);
	if (!rs_dicom_uid_valid(uid) || uid.size >= UID_SIZE)
		return rs_error_set(err, RS_MALFORMED, "the archive's answer has no (%04X,%04X)", tag >> 16,
		                    tag & 0xFFFF);
	memcpy(out, uid.data, uid.size);
	out[uid.size] = '\0';
	return RS_OK;
}

static enum rs_code add_wanted(void *context, const struct rs_dicom *match, struct rs_error *err)
{
	struct wanted_list *list = context;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct wanted *items = capacity <= WANTED_MAX
		                               ? rs_reallocate(list->items, capacity * sizeof *items)
		                               : NULL;
		if (!items)
			return rs_error_memory(err, capacity * sizeof *items, "a list of studies");
		list->items = items;
		list->capacity = capacity;
	}
	struct wanted *wanted = &list->items[list->count];
	wanted->series[0] = '\0';
	RS_TRY(copy_uid(match, TAG_STUDY, wanted->study, err));
	if (list->of_series)
		RS_TRY(copy_uid(match, TAG_SERIES, wanted->series, err));
	list->count++;
	return RS_OK;
}

static bool has_key(const struct rs_dicom_query *query, const char *keyword)
{
	for (size_t i = 0; i < query->key_count; i++) {
		struct rs_str rest = rs_str_from(query->keys[i]), head = rest;
		rs_str_split(&rest, '=', &head);
		if (rs_str_equal_text(head, keyword))
			return true;
	}
	return false;
}

/* The caller's keys, and the unique ones that every answer has to tell. */
static enum rs_code find_wanted(const struct rs_dicom_fetch *fetch, struct wanted_list *out,
                                struct rs_error *err)
{
	const char *keys[KEYS_MAX];
	struct rs_dicom_query query = fetch->query;
	size_t count = 0;
	if (query.key_count > KEYS_MAX - 2)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d keys", KEYS_MAX - 2);
	out->of_series = strcmp(query.level, "series") == 0;
	if (!out->of_series && strcmp(query.level, "study") != 0)
		return rs_error_set(err, RS_USAGE, "what is fetched is a study or a series, not '%s'",
		                    query.level);
	for (; count < query.key_count; count++)
		keys[count] = query.keys[count];
	if (!has_key(&query, "StudyInstanceUID"))
		keys[count++] = "StudyInstanceUID";
	if (out->of_series && !has_key(&query, "SeriesInstanceUID"))
		keys[count++] = "SeriesInstanceUID";
	query.keys = keys;
	query.key_count = count;
	RS_TRY(rs_dicom_peer_find(fetch->peer, &query, add_wanted, out, err));
	return out->count ? RS_OK : rs_error_set(err, RS_NOT_FOUND, "nothing there matches");
}

static enum rs_code add_listed(void *context, const struct rs_dicom *match, struct rs_error *err)
{
	return listed_add(context, rs_dicom_text(rs_dicom_find(match, NULL, TAG_INSTANCE), 0),
	                  rs_dicom_text(rs_dicom_find(match, NULL, TAG_CLASS), 0), err);
}

/* The instances of one series; at the lowest level all keys above are needed (PS3.4 section C.4.1.2.1). */
static enum rs_code list_series(const struct rs_dicom_fetch *fetch, const struct wanted *series,
                                struct listed_list *out, struct rs_error *err)
{
	char study_key[KEY_SIZE], series_key[KEY_SIZE];
	const char *const keys[] = {study_key, series_key, "SOPInstanceUID", "SOPClassUID"};
	const struct rs_dicom_query query = {false, "image", keys, RS_COUNT(keys), UINT64_MAX};
	snprintf(study_key, sizeof study_key, "StudyInstanceUID=%s", series->study);
	snprintf(series_key, sizeof series_key, "SeriesInstanceUID=%s", series->series);
	return rs_dicom_peer_find(fetch->peer, &query, add_listed, out, err);
}

static enum rs_code list(const struct rs_dicom_fetch *fetch, const struct wanted *wanted,
                         struct listed_list *out, struct rs_error *err)
{
	struct wanted_list series RS_CLEANUP(wanted_finish) = {.of_series = true};
	char study_key[KEY_SIZE];
	const char *const keys[] = {study_key, "SeriesInstanceUID"};
	const struct rs_dicom_query query = {false, "series", keys, RS_COUNT(keys), UINT64_MAX};
	snprintf(study_key, sizeof study_key, "StudyInstanceUID=%s", wanted->study);
	if (wanted->series[0])
		return list_series(fetch, wanted, out, err);
	RS_TRY(rs_dicom_peer_find(fetch->peer, &query, add_wanted, &series, err));
	for (size_t i = 0; i < series.count; i++)
		RS_TRY(list_series(fetch, &series.items[i], out, err));
	return RS_OK;
}

static enum rs_code get(struct rs_intake *intake, const struct rs_dicom_fetch *fetch,
                        const struct wanted *wanted, struct listed_list *listed,
                        struct rs_dicom_fetched *counts, struct rs_error *err)
{
	char study_key[KEY_SIZE], series_key[KEY_SIZE];
	const char *const keys[] = {study_key, series_key};
	const bool is_series = wanted->series[0] != '\0';
	const struct rs_dicom_query query = {false, is_series ? "series" : "study", keys, is_series ? 2 : 1,
	                                     0};
	snprintf(study_key, sizeof study_key, "StudyInstanceUID=%s", wanted->study);
	snprintf(series_key, sizeof series_key, "SeriesInstanceUID=%s", wanted->series);
	enum rs_code code = receiving_run(intake, fetch->peer, &query, listed, counts, err);
	for (size_t i = 0; i < listed->count; i++)
		counts->missing += !listed->items[i].is_here;
	if (code == RS_OK && counts->missing > 0)
		return rs_error_set(err, RS_IO, "%zu of %zu instances that the archive lists did not come",
		                    counts->missing, listed->count);
	return code;
}

static enum rs_code fetch_one(struct rs_intake *intake, const struct rs_dicom_fetch *fetch,
                              const struct wanted *wanted, struct rs_error *out_reason)
{
	struct listed_list listed RS_CLEANUP(listed_finish) = {.count = 0};
	struct rs_dicom_fetched fetched = {
		.study = wanted->study, .series = wanted->series, .error = out_reason};
	fetched.code = list(fetch, wanted, &listed, out_reason);
	listed_sort(&listed);
	fetched.there = listed.count;
	if (fetched.code == RS_OK)
		fetched.code = get(intake, fetch, wanted, &listed, &fetched, out_reason);
	if (fetched.code != RS_OK)
		rs_error_context(out_reason, "study %s", wanted->study);
	fetch->report(fetch->context, &fetched);
	return fetched.code;
}

enum rs_code rs_dicom_peer_fetch(struct rs_intake *intake, const struct rs_dicom_fetch *fetch,
                                 struct rs_error *err)
{
	struct wanted_list wanted RS_CLEANUP(wanted_finish) = {.count = 0};
	struct rs_error first = {0};
	RS_TRY(find_wanted(fetch, &wanted, err));
	for (size_t i = 0; i < wanted.count; i++) {
		struct rs_error reason = {0};
		if (fetch_one(intake, fetch, &wanted.items[i], &reason) != RS_OK && first.code == RS_OK)
			first = reason;
		RS_TRY(rs_intake_settle(intake, err));
	}
	return first.code == RS_OK ? RS_OK : rs_error_set(err, first.code, "%s", first.message);
}
