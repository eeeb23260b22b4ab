/* WADO-RS: metadata as DICOM JSON, and what it names by URLs (PS3.18 sections 10.4.1.1.2 and .5). */
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "dicom_json.h"
#include "objects.h"
#include "parts.h"
#include "services.h"

#define BULK_MAX ((size_t)512 << 20)

static const struct offer json_offers[] = {{"application/dicom+json", NULL}, {"application/json", NULL}};
static const struct offer bulk_offers[] = {{"multipart/related", "application/octet-stream"},
                                           {"application/octet-stream", NULL}};

static bool has_pixels(const struct rs_dicom *dicom)
{
	return rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x0028, 0x0100)) != NULL;
}

static enum rs_code put_instance(struct request *request, const struct picked *picked, struct rs_json *json,
                                 struct rs_error *err)
{
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	char path[4 * UID_SIZE], url[URL_SIZE];
	RS_TRY(loaded_header(request->web, picked, &loaded, err));
	snprintf(path, sizeof path, "/studies/%s/series/%s/instances/%s/bulkdata", picked->study,
	         picked->series, picked->instance);
	request_url(request, path, url);
	return dicom_json_write(&loaded.dicom, url, has_pixels(&loaded.dicom), json, err);
}

static enum rs_code metadata(struct request *request, struct rs_error *err)
{
	struct picked_list list RS_CLEANUP(picked_finish) = {.count = 0};
	struct accepted accepted;
	struct rs_json json;
	RS_TRY(accept_choose(request, json_offers, RS_COUNT(json_offers), &accepted, err));
	RS_TRY(picked_of_request(request, NULL, &list, err));
	rs_json_init(&json, &request->body, false);
	rs_json_array_begin(&json);
	for (size_t i = 0; i < list.count; i++)
		RS_TRY(put_instance(request, &list.items[i], &json, err));
	rs_json_array_end(&json);
	snprintf(request->media, sizeof request->media, "%s", json_offers[accepted.offer].name);
	request_put_header(request, "Cache-Control", "private, no-cache");
	return rs_buffer_check(&request->body, "the metadata", err);
}

/* Fragments of encapsulated pixel data one after another, without their headers. */
static enum rs_code put_value(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                              struct rs_buffer *out, struct rs_error *err)
{
	if (!element->has_children)
		return rs_buffer_append_bytes(out, element->value) == RS_OK
		               ? RS_OK
		               : rs_buffer_check(out, "a value", err);
	for (size_t i = 1; i < rs_dicom_item_count(dicom, element); i++)
		rs_buffer_append_bytes(out, rs_dicom_item(dicom, element, i)->value);
	return rs_buffer_check(out, "a value", err);
}

static enum rs_code bulk(struct request *request, struct rs_error *err)
{
	struct picked_list list RS_CLEANUP(picked_finish) = {.count = 0};
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	struct accepted accepted;
	char boundary[BOUNDARY_SIZE], text[PART_HEAD_SIZE];
	RS_TRY(accept_choose(request, bulk_offers, RS_COUNT(bulk_offers), &accepted, err));
	RS_TRY(picked_of_request(request, NULL, &list, err));
	RS_TRY(loaded_init(request->web, &list.items[0], &loaded, err));
	const struct rs_dicom_element *element = bulk_find(&loaded.dicom, request->values[3]);
	if (!element)
		return rs_error_set(err, RS_NOT_FOUND, "the instance has no such element");
	request->body.maximum = BULK_MAX;
	if (accepted.offer == 1) {
		snprintf(request->media, sizeof request->media, "application/octet-stream");
		return put_value(&loaded.dicom, element, &request->body, err);
	}
	RS_TRY(boundary_make(boundary, err));
	boundary_media(request, boundary, "application/octet-stream");
	rs_buffer_append(&request->body, text,
	                 boundary_begin(boundary, "application/octet-stream", "", text));
	RS_TRY(put_value(&loaded.dicom, element, &request->body, err));
	rs_buffer_append(&request->body, text, boundary_end(boundary, text));
	return rs_buffer_check(&request->body, "a value", err);
}

#define GET_OF(path, answer)                                                  \
	{                                                                     \
		"GET", path, RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, answer, NULL \
	}
const struct route routes_metadata[] = {
	GET_OF("/studies/{uid}/metadata", metadata),
	GET_OF("/studies/{uid}/series/{uid}/metadata", metadata),
	GET_OF("/studies/{uid}/series/{uid}/instances/{uid}/metadata", metadata),
	GET_OF("/studies/{uid}/series/{uid}/instances/{uid}/bulkdata/{name}", bulk),
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
