/* QIDO-RS (PS3.18 section 10.6): studies, series and instances that the caller may see, out of the catalogue. What an answer
 * tells of was decided by the contract, study by study, and is on the ledger before it leaves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "dicom_json.h"
#include "objects.h"
#include "qido.h"
#include "services.h"

#define LIMIT_DEFAULT 1000
#define RETRIEVE_URL RS_DICOM_TAG(0x0008, 0x1190)
#define PATH_SIZE (4 * UID_SIZE)

static const struct offer offers[] = {{"application/dicom+json", NULL}, {"application/json", NULL}};

/* Given with every match of the level, empty or not (PS3.18 tables 10.6.3-3 to 10.6.3-5). */
static const uint32_t always[RS_LEVEL_COUNT][14] = {
	[RS_LEVEL_STUDY] = {0x00080020, 0x00080030, 0x00080050, 0x00080061, 0x00080090, 0x00100010,
                            0x00100020, 0x00100030, 0x00100040, 0x0020000D, 0x00200010, 0x00201206,
                            0x00201208},
	[RS_LEVEL_SERIES] = {0x00080060, 0x0008103E, 0x0020000E, 0x00200011, 0x00201209},
	[RS_LEVEL_IMAGE] = {0x00080016, 0x00080018, 0x00200013},
};

static bool tag_of(struct rs_str name, uint32_t *out)
{
	uint8_t bytes[4];
	const struct rs_dicom_entry *entry = rs_dicom_lookup_keyword(name);
	if (entry)
		*out = entry->tag;
	else if (name.size == 8 && rs_hex_decode(name, bytes, sizeof bytes))
		*out = rs_read_be32(bytes);
	return entry || (name.size == 8 && rs_hex_decode(name, bytes, sizeof bytes));
}

/* Lists of UIDs are parted by commas here, by backslashes in DICOM. */
static enum rs_code copy_value(struct asked *asked, uint32_t tag, struct rs_str value, struct rs_str *out,
                               struct rs_error *err)
{
	const struct rs_dicom_entry *entry = rs_dicom_lookup(tag);
	bool is_list = entry && strcmp(entry->vr, "UI") == 0;
	if (value.size > sizeof asked->values - asked->values_used)
		return rs_error_set(err, RS_TOO_LARGE, "the query has too many values");
	char *copy = asked->values + asked->values_used;
	for (size_t i = 0; i < value.size; i++)
		copy[i] = is_list && value.data[i] == ',' ? '\\' : value.data[i];
	asked->values_used += value.size;
	*out = (struct rs_str){copy, value.size};
	return RS_OK;
}

static enum rs_code add_key(struct asked *asked, uint32_t tag, struct rs_str value, struct rs_error *err)
{
	size_t *count = &asked->find.query.key_count;
	if (*count == RS_CATALOGUE_KEYS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the query has more than %d attributes",
		                    RS_CATALOGUE_KEYS_MAX);
	RS_TRY(copy_value(asked, tag, value, &asked->keys[*count].value, err));
	asked->keys[(*count)++].tag = tag;
	return RS_OK;
}

static void include(struct asked *asked, struct rs_str list)
{
	struct rs_str name;
	uint32_t tag;
	while (rs_str_split(&list, ',', &name)) {
		if (rs_str_equal_text(name, "all"))
			continue; /* what is kept is given anyway */
		if (tag_of(name, &tag) && rs_catalogue_attribute(tag) &&
		    asked->included_count < ATTRIBUTES_MAX)
			asked->included[asked->included_count++] = tag;
	}
}

static enum rs_code take_number(struct rs_str value, const char *name, uint64_t maximum, uint64_t *out,
                                struct rs_error *err)
{
	if (!rs_parse_u64(value, out))
		return rs_error_set(err, RS_USAGE, "%s is a number", name);
	*out = *out > maximum ? maximum : *out;
	return RS_OK;
}

static enum rs_code take_parameter(struct asked *asked, const struct query_pair *pair, struct rs_error *err)
{
	uint32_t tag;
	if (rs_str_equal_text(pair->name, "limit"))
		return take_number(pair->value, "limit", LIMIT_MAX, &asked->find.limit, err);
	if (rs_str_equal_text(pair->name, "offset"))
		return take_number(pair->value, "offset", OFFSET_MAX, &asked->find.offset, err);
	if (rs_str_equal_text(pair->name, "fuzzymatching")) {
		asked->is_fuzzy = rs_str_equal_text(pair->value, "true");
		return RS_OK;
	}
	if (rs_str_equal_text(pair->name, "accept"))
		return RS_OK;
	if (rs_str_equal_text(pair->name, "includefield")) {
		include(asked, pair->value);
		return RS_OK;
	}
	/* A path into a sequence, which the catalogue has none of. */
	bool is_path = memchr(pair->name.data, '.', pair->name.size) != NULL;
	if (!is_path && !tag_of(pair->name, &tag))
		return rs_error_set(err, RS_USAGE,
		                    "'" RS_STR_FORMAT "' is neither an attribute nor a parameter",
		                    RS_STR_ARGUMENTS(pair->name));
	if (is_path || !rs_catalogue_attribute(tag)) {
		asked->is_ignored = true;
		return RS_OK;
	}
	return add_key(asked, tag, pair->value, err);
}

static bool is_always(enum rs_level level, uint32_t tag)
{
	for (size_t i = 0; i < RS_COUNT(always[level]); i++)
		if (always[level][i] == tag)
			return true;
	return false;
}

static bool is_asked_for(const struct asked *asked, uint32_t tag)
{
	for (size_t i = 0; i < asked->included_count; i++)
		if (asked->included[i] == tag)
			return true;
	for (size_t i = 0; i < asked->find.query.key_count; i++)
		if (asked->keys[i].tag == tag)
			return true;
	return is_always(asked->find.query.level, tag);
}

static int by_tag(const void *a, const void *b)
{
	const struct rs_catalogue_attribute *first = a, *second = b;
	return (first->tag > second->tag) - (first->tag < second->tag);
}

/* Attributes of a level and those above, in the order of their tags, and the place of the URL among them. */
static size_t attributes_of(enum rs_level level, struct rs_catalogue_attribute out[static ATTRIBUTES_MAX])
{
	size_t all, count = 0;
	const struct rs_catalogue_attribute *from = rs_catalogue_attributes(&all);
	for (size_t i = 0; i < all && count < ATTRIBUTES_MAX - 1; i++)
		if (from[i].level <= level)
			out[count++] = from[i];
	out[count++] = (struct rs_catalogue_attribute){.tag = RETRIEVE_URL, .vr = "UR"};
	qsort(out, count, sizeof *out, by_tag);
	return count;
}

static enum rs_code put_url(struct asked *asked, const struct rs_found *found, struct rs_error *err)
{
	static const struct {
		enum rs_level level;
		uint32_t tag;
		const char *name;
	} parts[] = {{RS_LEVEL_STUDY, 0x0020000D, "studies"},
	             {RS_LEVEL_SERIES, 0x0020000E, "series"},
	             {RS_LEVEL_IMAGE, 0x00080018, "instances"}};
	char path[PATH_SIZE] = "", url[URL_SIZE], text[RS_CATALOGUE_COUNT_SIZE];
	size_t used = 0;
	for (size_t i = 0; i < RS_COUNT(parts) && parts[i].level <= asked->find.query.level; i++) {
		struct rs_str value;
		RS_TRY(rs_found_value(found, parts[i].tag, text, &value, err));
		int size = snprintf(path + used, sizeof path - used, "/%s/" RS_STR_FORMAT, parts[i].name,
		                    RS_STR_ARGUMENTS(value));
		used += (size_t)size < sizeof path - used ? (size_t)size : 0;
	}
	request_url(asked->request, path, url);
	dicom_json_put(&asked->json, RETRIEVE_URL, "UR", rs_str_from(url));
	return RS_OK;
}

static enum rs_code visit(void *context, const struct rs_found *found, struct rs_error *err)
{
	struct asked *asked = context;
	struct rs_catalogue_attribute attributes[ATTRIBUTES_MAX];
	const size_t count = attributes_of(asked->find.query.level, attributes);
	rs_json_object_begin(&asked->json);
	for (size_t i = 0; i < count; i++) {
		const struct rs_catalogue_attribute *one = &attributes[i];
		const bool wanted = is_asked_for(asked, one->tag);
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		if (one->tag == RETRIEVE_URL) {
			RS_TRY(put_url(asked, found, err));
			continue;
		}
		/* What has to be counted is, when somebody asks. */
		if (one->number == 0 && !wanted)
			continue;
		RS_TRY(rs_found_value(found, one->tag, text, &value, err));
		if (value.size > 0 || wanted)
			dicom_json_put(&asked->json, one->tag, one->vr, value);
	}
	rs_json_object_end(&asked->json);
	return rs_buffer_check(&asked->request->body, "the answer", err);
}

static enum rs_code find(void *context, struct rs_node *node RS_UNUSED, struct rs_error *err)
{
	struct asked *asked = context;
	return rs_finder_find(web_finder(asked->request->web, FINDER_OF_QUERIES), &asked->find, visit, asked,
	                      &asked->counts, err);
}

enum rs_code asked_init(struct asked *asked, struct request *request, enum rs_level level,
                        struct rs_error *err)
{
	static const uint32_t tags[] = {0x0020000D, 0x0020000E};
	asked->request = request;
	asked->find = (struct rs_find){.actor = request->caller.actor,
	                               .purpose = request->purpose,
	                               .limit = LIMIT_DEFAULT,
	                               .query = {.level = level, .keys = asked->keys}};
	for (size_t i = 0; i < RS_COUNT(tags) && request->values[i].size > 0; i++)
		RS_TRY(add_key(asked, tags[i], request->values[i], err));
	for (size_t i = 0; i < request->target.query_count; i++)
		RS_TRY(take_parameter(asked, &request->target.query[i], err));
	return RS_OK;
}

static void warn(const struct asked *asked)
{
	struct request *request = asked->request;
	if (asked->counts.hidden)
		(void)snprintf(request->note, sizeof request->note,
		               "%llu matches that the caller may not see",
		               (unsigned long long)asked->counts.hidden);
	if (asked->counts.has_more)
		request_put_header(request, "Warning",
		                   "299 radseal \"There are additional results that can be requested\"");
	if (asked->is_fuzzy)
		request_put_header(
			request, "Warning",
			"299 radseal \"The fuzzymatching parameter is not supported. Only literal matching has been "
			"performed.\"");
	if (asked->is_ignored)
		request_put_header(request, "Warning",
		                   "299 radseal \"An attribute that cannot be asked for was ignored\"");
}

static enum rs_code answer(struct request *request, enum rs_level level, struct rs_error *err)
{
	struct asked *asked RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *asked);
	struct accepted accepted;
	if (!asked)
		return rs_error_memory(err, sizeof *asked, "a query");
	RS_TRY(accept_choose(request, offers, RS_COUNT(offers), &accepted, err));
	RS_TRY(asked_init(asked, request, level, err));
	rs_json_init(&asked->json, &request->body, false);
	rs_json_array_begin(&asked->json);
	if (asked->find.limit > 0)
		RS_TRY(rs_intake_run(web_intake(request->web), find, asked, err));
	rs_json_array_end(&asked->json);
	warn(asked);
	snprintf(request->media, sizeof request->media, "%s", offers[accepted.offer].name);
	return rs_buffer_check(&request->body, "the answer", err);
}

static enum rs_code studies(struct request *request, struct rs_error *err)
{
	return answer(request, RS_LEVEL_STUDY, err);
}
static enum rs_code series(struct request *request, struct rs_error *err)
{
	return answer(request, RS_LEVEL_SERIES, err);
}
static enum rs_code instances(struct request *request, struct rs_error *err)
{
	return answer(request, RS_LEVEL_IMAGE, err);
}

#define QIDO(path, answer)                                                 \
	{                                                                  \
		"GET", path, RS_WEB_MAY_QUERY, 0, NULL, NULL, answer, NULL \
	}
const struct route routes_qido[] = {
	QIDO("/studies", studies),
	QIDO("/series", series),
	QIDO("/instances", instances),
	QIDO("/studies/{uid}/series", series),
	QIDO("/studies/{uid}/instances", instances),
	QIDO("/studies/{uid}/series/{uid}/instances", instances),
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
