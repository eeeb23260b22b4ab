/* Parts of metadata and bulk data, kept until they are files. */
#include "stow_metadata.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "dicom/dicom_transcode.h"
#include "dicomnet/dicomnet.h"

#define BODIES_MAX 2
#define METADATA_MAX ((size_t)8 << 20)
#define BULK_MAX ((size_t)128 << 20) /* of one body */
#define PARTS_MAX ((size_t)4096)
#define LOCATION_MAX ((size_t)1024)

static atomic_uint bodies; /* that are being taken */

struct bulk {
	char *location;
	char syntax[RS_UID_SIZE];
	struct rs_buffer bytes;
};

struct metadata_body {
	struct rs_buffer json;
	json_t *parsed;
	struct bulk *bulks;
	size_t count, capacity, size; /* size: of all bulk data */
	bool has_metadata, is_metadata;
};

enum rs_code metadata_body_create(struct metadata_body **out, struct rs_error *err)
{
	const bool has_place = atomic_fetch_add(&bodies, 1) < BODIES_MAX;
	struct metadata_body *body = has_place ? rs_allocate(sizeof *body) : NULL;
	if (!body)
		atomic_fetch_sub(&bodies, 1);
	if (!has_place)
		return rs_error_set(err, RS_BUSY, "%d bodies of metadata are taken at once: try again later",
		                    BODIES_MAX);
	if (!body)
		return rs_error_memory(err, sizeof *body, "a request");
	rs_buffer_init(&body->json, METADATA_MAX);
	*out = body;
	return RS_OK;
}

void metadata_body_destroy(struct metadata_body *body)
{
	if (!body)
		return;
	for (size_t i = 0; i < body->count; i++) {
		rs_free(body->bulks[i].location);
		rs_buffer_finish(&body->bulks[i].bytes);
	}
	rs_free(body->bulks);
	rs_buffer_finish(&body->json);
	json_decref(body->parsed);
	rs_free(body);
	(void)atomic_fetch_sub(&bodies, 1);
}

/* What bulk data of a type are encoded in, when they do not say so (PS3.18 table 8.7.3-5). */
static const char *const types[][2] = {
	{"application/octet-stream", RS_DICOM_SYNTAX_EXPLICIT},
	{"image/jpeg", "1.2.840.10008.1.2.4.70"},
	{"image/jls", "1.2.840.10008.1.2.4.80"},
	{"image/jp2", "1.2.840.10008.1.2.4.90"},
	{"image/dicom-rle", "1.2.840.10008.1.2.5"},
};

static enum rs_code syntax_of(const struct media *type, char out[static RS_UID_SIZE], struct rs_error *err)
{
	char said[PARAMETER_SIZE];
	size_t i = 0;
	while (i < RS_COUNT(types) && !media_is(type, types[i][0]))
		i++;
	if (i == RS_COUNT(types))
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"bulk data are application/octet-stream, image/jpeg, image/jls, image/jp2 or "
			"image/dicom-rle");
	const bool has_said = media_parameter(type, "transfer-syntax", said);
	if (has_said && (!rs_dicom_uid_valid(rs_str_from(said)) ||
	                 (i == 0) != (strcmp(said, RS_DICOM_SYNTAX_EXPLICIT) == 0)))
		return rs_error_set(err, RS_UNSUPPORTED, "%s is not sent in transfer syntax %.64s",
		                    types[i][0], said);
	(void)snprintf(out, RS_UID_SIZE, "%.64s", has_said ? said : types[i][1]);
	return RS_OK;
}

static enum rs_code add_bulk(struct metadata_body *body, const struct media *type, struct rs_str location,
                             struct rs_error *err)
{
	struct bulk bulk = {.location = NULL};
	if (location.size == 0 || location.size > LOCATION_MAX)
		return rs_error_set(err, RS_MALFORMED, "a part of bulk data has no Content-Location");
	if (body->count == PARTS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a body has at most %zu parts of bulk data",
		                    PARTS_MAX);
	RS_TRY(syntax_of(type, bulk.syntax, err));
	if (body->count == body->capacity) {
		size_t capacity = body->capacity ? 2 * body->capacity : 16;
		struct bulk *more = rs_reallocate(body->bulks,
		                                  capacity * sizeof *more); /* PARTS_MAX bounds it */
		if (!more)
			return rs_error_memory(err, capacity * sizeof *more, "parts of a body");
		body->bulks = more;
		body->capacity = capacity;
	}
	bulk.location = rs_str_duplicate(location);
	if (!bulk.location)
		return rs_error_memory(err, location.size, "a part of a body");
	rs_buffer_init(&bulk.bytes, BULK_MAX);
	body->bulks[body->count++] = bulk;
	return RS_OK;
}

enum rs_code metadata_body_begin(struct metadata_body *body, const struct media *type, struct rs_str location,
                                 struct rs_error *err)
{
	body->is_metadata = !body->has_metadata;
	if (!body->is_metadata)
		return add_bulk(body, type, location, err);
	body->has_metadata = true;
	return media_is(type, "application/dicom+json")
	               ? RS_OK
	               : rs_error_set(err, RS_UNSUPPORTED, "the first part is application/dicom+json");
}

enum rs_code metadata_body_data(struct metadata_body *body, struct rs_bytes bytes, struct rs_error *err)
{
	struct rs_buffer *to = body->is_metadata ? &body->json : &body->bulks[body->count - 1].bytes;
	if (!body->is_metadata && bytes.size > BULK_MAX - body->size)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "a body has at most %zu bytes of bulk data: send application/dicom",
		                    BULK_MAX);
	body->size += body->is_metadata ? 0 : bytes.size;
	rs_buffer_append_bytes(to, bytes);
	return rs_buffer_check(to, "a part of a body", err);
}

enum rs_code metadata_body_parse(struct metadata_body *body, size_t *out_count, struct rs_error *err)
{
	json_error_t why;
	body->parsed = json_loadb((const char *)body->json.data, body->json.size, JSON_REJECT_DUPLICATES,
	                          &why);
	if (!json_is_array(body->parsed))
		return rs_error_set(err, RS_MALFORMED, "the metadata are no array of data sets: %s",
		                    body->parsed ? "another value" : why.text);
	*out_count = json_array_size(body->parsed);
	return RS_OK;
}

const json_t *metadata_body_dataset(const struct metadata_body *body, size_t index)
{
	return json_array_get(body->parsed, index);
}

static enum rs_code find_bulk(void *context, struct rs_str uri, size_t index, struct rs_bytes *out,
                              const char **out_syntax, struct rs_error *err RS_UNUSED)
{
	const struct metadata_body *body = context;
	for (size_t i = 0; i < body->count; i++) {
		const struct bulk *bulk = &body->bulks[i];
		if (!rs_str_equal_text(uri, bulk->location) || index-- > 0)
			continue;
		*out = rs_buffer_bytes(&bulk->bytes);
		*out_syntax = bulk->syntax;
		return RS_OK;
	}
	return RS_NOT_FOUND;
}

enum rs_code metadata_body_file(struct metadata_body *body, size_t index, struct rs_buffer *out,
                                struct rs_error *err)
{
	const struct bulk_source bulk = {find_bulk, body};
	return dicom_json_read(metadata_body_dataset(body, index), &bulk, out, err);
}
