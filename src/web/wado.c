/* WADO-RS: studies, series and instances as they were sealed (PS3.18 section 10.4). What is decrypted is compared with the ledger
 * while it leaves; of what was altered the end is never sent, and the connection breaks. */
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "dicom/dicom_transcode.h"
#include "dicomnet/dicomnet.h"
#include "objects.h"
#include "parts.h"
#include "services.h"
#include "crypto/crypto.h"

#define DICOM "application/dicom"

static const struct offer offers[] = {{"multipart/related", DICOM}, {DICOM, NULL}};
enum { PARTS, ALONE };

struct retrieving {
	struct rs_web *web;
	struct picked_list list;
	char syntax[UID_SIZE]; /* that the client asked for; "": as they are */
	char boundary[BOUNDARY_SIZE];
	uint64_t begin, end; /* of the one instance that is sent alone */
	uint64_t at;
	struct flow *flow;
};

static void retrieving_free(void *context)
{
	struct retrieving *retrieving = context;
	picked_finish(&retrieving->list);
	rs_free(retrieving);
}

static bool is_converted(const struct retrieving *retrieving, const struct picked *picked)
{
	return retrieving->syntax[0] && strcmp(retrieving->syntax, picked->syntax) != 0;
}

static const char *syntax_of(const struct retrieving *retrieving, const struct picked *picked)
{
	return retrieving->syntax[0] ? retrieving->syntax : picked->syntax;
}

static uint64_t size_of_parts(const struct retrieving *retrieving)
{
	char text[PART_HEAD_SIZE];
	for (size_t i = 0; i < retrieving->list.count; i++)
		if (is_converted(retrieving, &retrieving->list.items[i]))
			return NO_SIZE;
	uint64_t size = boundary_end(retrieving->boundary, text);
	for (size_t i = 0; i < retrieving->list.count; i++)
		size += boundary_begin(retrieving->boundary, DICOM,
		                       syntax_of(retrieving, &retrieving->list.items[i]), text) +
		        retrieving->list.items[i].size;
	return size;
}

static enum rs_code put(void *context, struct rs_bytes piece, struct rs_error *err)
{
	return piece.size ? flow_put(context, piece, err) : RS_OK;
}

/* The same object in another transfer syntax, made of what was compared. */
static enum rs_code convert(const struct retrieving *retrieving, const struct picked *picked,
                            struct rs_buffer *out, struct rs_error *err)
{
	struct loaded loaded RS_CLEANUP(loaded_finish) = {.charged = 0};
	RS_TRY(loaded_init(retrieving->web, picked, &loaded, err));
	return rs_dicom_transcode(&loaded.dicom, retrieving->syntax, RS_DICOM_IMPLEMENTATION_UID, out, err);
}

static enum rs_code put_converted(const struct retrieving *retrieving, const struct picked *picked,
                                  struct flow *flow, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&file, LOADED_MAX);
	RS_TRY(convert(retrieving, picked, &file, err));
	return flow_put(flow, rs_buffer_bytes(&file), err);
}

static enum rs_code produce_parts(void *context, struct flow *flow, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	char text[PART_HEAD_SIZE];
	for (size_t i = 0; i < retrieving->list.count; i++) {
		const struct picked *picked = &retrieving->list.items[i];
		size_t size = boundary_begin(retrieving->boundary, DICOM, syntax_of(retrieving, picked),
		                             text);
		RS_TRY(flow_put(flow, rs_bytes_of(text, size), err));
		if (i + 1 < retrieving->list.count)
			rs_vault_expect(web_node(retrieving->web)->vault, &retrieving->list.items[i + 1].cid);
		RS_TRY(is_converted(retrieving, picked)
		               ? put_converted(retrieving, picked, flow, err)
		               : object_read(retrieving->web, picked, put, flow, err));
	}
	return flow_put(flow, rs_bytes_of(text, boundary_end(retrieving->boundary, text)), err);
}

static enum rs_code put_range(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	uint64_t start = retrieving->at, end = retrieving->at + piece.size;
	retrieving->at = end;
	start = start < retrieving->begin ? retrieving->begin : start;
	end = end > retrieving->end ? retrieving->end : end;
	if (start >= end)
		return RS_OK;
	const uint8_t *from = piece.data + (start - (retrieving->at - piece.size));
	return flow_put(retrieving->flow, rs_bytes_of(from, (size_t)(end - start)), err);
}

static enum rs_code pass(void *context RS_UNUSED, struct rs_bytes piece RS_UNUSED,
                         struct rs_error *err RS_UNUSED)
{
	return RS_OK;
}

/* A part of an instance leaves when all of it was compared. */
static enum rs_code produce_alone(void *context, struct flow *flow, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	const struct picked *picked = &retrieving->list.items[0];
	retrieving->flow = flow;
	if (retrieving->end - retrieving->begin < picked->size)
		RS_TRY(object_read(retrieving->web, picked, pass, NULL, err));
	return object_read(retrieving->web, picked, put_range, retrieving, err);
}

/* One for what is named, whatever form it has: content addresses change with content. */
static void make_tag(const struct picked_list *list, char out[static 80])
{
	struct rs_sha256 hash;
	struct rs_digest digest;
	char text[2 * RS_SHA256_SIZE + 1];
	rs_sha256_init(&hash);
	for (size_t i = 0; i < list->count; i++)
		rs_sha256_update(&hash, list->items[i].cid.bytes, sizeof list->items[i].cid.bytes);
	rs_sha256_final(&hash, &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), text);
	snprintf(out, 80, "\"%s\"", text);
}

static enum rs_code check_syntaxes(struct request *request, const struct retrieving *retrieving,
                                   struct rs_error *err)
{
	for (size_t i = 0; i < retrieving->list.count; i++) {
		const struct picked *picked = &retrieving->list.items[i];
		if (!is_converted(retrieving, picked) ||
		    (rs_dicom_reads(picked->syntax) && rs_dicom_writes(retrieving->syntax)))
			continue;
		request->status = 406;
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"an instance is kept in transfer syntax %s, which is not converted to %s here: ask for "
			"transfer-syntax=*",
			picked->syntax, retrieving->syntax);
	}
	return RS_OK;
}

static enum rs_code answer_range(struct request *request, struct retrieving *retrieving, struct rs_error *err)
{
	struct rs_str range = request_header(request, "Range");
	const uint64_t size = retrieving->list.items[0].size;
	char text[80];
	bool satisfiable = true;
	retrieving->begin = 0;
	retrieving->end = size;
	request_put_header(request, "Accept-Ranges", "bytes");
	if (!range_parse(range, size, &retrieving->begin, &retrieving->end, &satisfiable))
		return RS_OK;
	if (!satisfiable) {
		snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
		request_put_header(request, "Content-Range", text);
		request->status = 416;
		return rs_error_set(err, RS_USAGE, "there is nothing in that range");
	}
	snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)retrieving->begin,
	         (unsigned long long)retrieving->end - 1, (unsigned long long)size);
	request_put_header(request, "Content-Range", text);
	request->status = 206;
	return RS_OK;
}

static enum rs_code form_answer(struct request *request, struct retrieving *retrieving, size_t offer,
                                struct rs_error *err)
{
	const struct picked *first = &retrieving->list.items[0];
	if (offer == PARTS) {
		boundary_media(request, retrieving->boundary, DICOM);
		return flow_create(size_of_parts(retrieving), produce_parts, retrieving, retrieving_free,
		                   &request->stream, err);
	}
	const char *syntax = syntax_of(retrieving, first);
	snprintf(request->media, sizeof request->media, DICOM "%s%s", syntax[0] ? "; transfer-syntax=" : "",
	         syntax);
	if (!is_converted(retrieving, first))
		return flow_create(retrieving->end - retrieving->begin, produce_alone, retrieving,
		                   retrieving_free, &request->stream, err);
	request->body.maximum = LOADED_MAX;
	enum rs_code code = convert(retrieving, first, &request->body, err);
	retrieving_free(retrieving);
	return code;
}

static enum rs_code prepare(struct request *request, struct retrieving *retrieving, size_t *out_offer,
                            bool *out_unchanged, struct rs_error *err)
{
	struct accepted accepted;
	char tag[80];
	RS_TRY(accept_choose(request, offers, RS_COUNT(offers), &accepted, err));
	RS_TRY(boundary_make(retrieving->boundary, err));
	RS_TRY(picked_of_request(request, &retrieving->list, err));
	make_tag(&retrieving->list, tag);
	request_put_header(request, "ETag", tag);
	request_put_header(request, "Cache-Control", "private, no-cache");
	*out_unchanged = tag_listed(request_header(request, "If-None-Match"), tag);
	*out_offer = accepted.offer;
	if (*out_unchanged)
		return RS_OK;
	snprintf(retrieving->syntax, sizeof retrieving->syntax, "%.64s", accepted.syntax);
	RS_TRY(check_syntaxes(request, retrieving, err));
	if (accepted.offer == PARTS)
		return RS_OK;
	if (retrieving->list.count > 1) {
		request->status = 406;
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"several instances need several parts: accept multipart/related; type=\"" DICOM "\"");
	}
	if (is_converted(retrieving, &retrieving->list.items[0]))
		return RS_OK;
	return answer_range(request, retrieving, err);
}

static enum rs_code retrieve(struct request *request, struct rs_error *err)
{
	struct retrieving *retrieving = rs_allocate(sizeof *retrieving);
	size_t offer = PARTS;
	bool unchanged = false;
	if (!retrieving)
		return rs_error_memory(err, sizeof *retrieving, "a request");
	retrieving->web = request->web;
	enum rs_code code = prepare(request, retrieving, &offer, &unchanged, err);
	if (code == RS_OK && !unchanged)
		return form_answer(request, retrieving, offer, err);
	retrieving_free(retrieving);
	request->status = unchanged ? 304 : request->status;
	return code;
}

const struct route routes_wado[] = {
	{"GET", "/studies/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve, NULL},
	{"GET", "/studies/{uid}/series/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve, NULL},
	{"GET", "/studies/{uid}/series/{uid}/instances/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve,
         NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
