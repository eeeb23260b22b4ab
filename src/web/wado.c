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
	struct request *request; /* while it is being answered */
	size_t offer;
	struct picked_list list;
	struct rs_opened first; /* of the list */
	bool has_first, is_formed;
	enum rs_code formed; /* what came of it */
	struct rs_error failure;
	char syntax[UID_SIZE]; /* that the client asked for; "": as they are */
	char boundary[BOUNDARY_SIZE], text[PART_HEAD_SIZE];
	uint64_t begin, end; /* of the one instance that is sent alone */
	uint64_t at;
	struct flow *flow;
};

static void retrieving_free(void *context)
{
	struct retrieving *retrieving = context;
	picked_finish(&retrieving->list);
	rs_opened_finish(&retrieving->first);
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

static enum rs_code lend(void *context, struct rs_bytes piece, struct rs_error *err)
{
	return piece.size ? flow_lend(context, piece, err) : RS_OK;
}

static void settle(void *context) { flow_settle(context); }

static const struct rs_opened *opened_of(const struct retrieving *retrieving, size_t index)
{
	return index == 0 && retrieving->has_first ? &retrieving->first : NULL;
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

/* The disk may begin with it. */
static void expect(const struct retrieving *retrieving, size_t index)
{
	if (index < retrieving->list.count)
		rs_vault_expect(web_node(retrieving->web)->vault, &retrieving->list.items[index].cid);
}

static enum rs_code produce_parts(void *context, struct flow *flow, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	char *text = retrieving->text;
	expect(retrieving, 0);
	for (size_t i = 0; i < retrieving->list.count; i++) {
		const struct picked *picked = &retrieving->list.items[i];
		size_t size = boundary_begin(retrieving->boundary, DICOM, syntax_of(retrieving, picked),
		                             text);
		RS_TRY(flow_lend(flow, rs_bytes_of(text, size), err));
		expect(retrieving, i + 1);
		RS_TRY(is_converted(retrieving, picked)
		               ? put_converted(retrieving, picked, flow, err)
		               : object_read(retrieving->web, picked, opened_of(retrieving, i), lend, settle,
		                             flow, err));
	}
	return flow_put(flow, rs_bytes_of(text, boundary_end(retrieving->boundary, text)), err);
}

static enum rs_code lend_range(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	uint64_t start = retrieving->at, end = retrieving->at + piece.size;
	retrieving->at = end;
	start = start < retrieving->begin ? retrieving->begin : start;
	end = end > retrieving->end ? retrieving->end : end;
	if (start >= end) {
		flow_settle(retrieving->flow); /* what was lent before is about to be written over */
		return RS_OK;
	}
	const uint8_t *from = piece.data + (start - (retrieving->at - piece.size));
	return flow_lend(retrieving->flow, rs_bytes_of(from, (size_t)(end - start)), err);
}

static void settle_range(void *context)
{
	struct retrieving *retrieving = context;
	flow_settle(retrieving->flow);
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
	const struct rs_opened *opened = opened_of(retrieving, 0);
	retrieving->flow = flow;
	if (retrieving->end - retrieving->begin < picked->size)
		RS_TRY(object_read(retrieving->web, picked, opened, pass, NULL, NULL, err));
	return object_read(retrieving->web, picked, opened, lend_range, settle_range, retrieving, err);
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

static enum rs_code make_body(struct request *request, struct retrieving *retrieving, struct rs_error *err)
{
	const struct picked *first = &retrieving->list.items[0];
	if (retrieving->offer == PARTS) {
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
	return convert(retrieving, first, &request->body, err);
}

/* Of the whole list. */
static enum rs_code form_answer(struct request *request, struct retrieving *retrieving, struct rs_error *err)
{
	char tag[80];
	make_tag(&retrieving->list, tag);
	request_put_header(request, "ETag", tag);
	request_put_header(request, "Cache-Control", "private, no-cache");
	if (tag_listed(request_header(request, "If-None-Match"), tag)) {
		request->status = 304;
		return RS_OK;
	}
	RS_TRY(check_syntaxes(request, retrieving, err));
	if (retrieving->offer == ALONE && retrieving->list.count > 1) {
		request->status = 406;
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"several instances need several parts: accept multipart/related; type=\"" DICOM "\"");
	}
	if (retrieving->offer == ALONE && !is_converted(retrieving, &retrieving->list.items[0]))
		RS_TRY(answer_range(request, retrieving, err));
	return make_body(request, retrieving, err);
}

/* The body's first pieces are made while the request for it is being written: nobody takes them before that is durable, and
 * nobody at all when it fails. What is converted is made later: it needs the node for itself. */
static void form_ahead(void *context, struct rs_node *node)
{
	struct retrieving *retrieving = context;
	struct request *request = retrieving->request;
	if (retrieving->list.count == 0 || is_converted(retrieving, &retrieving->list.items[0]))
		return;
	retrieving->is_formed = true;
	retrieving->formed = form_answer(request, retrieving, &retrieving->failure);
	if (!request->stream)
		return;
	retrieving->has_first = rs_opened_init(node, &retrieving->list.items[0].cid, &retrieving->first,
	                                       NULL) == RS_OK;
	flow_begin(request->stream);
}

static enum rs_code prepare(struct request *request, struct retrieving *retrieving, struct rs_error *err)
{
	const struct picked_ahead ahead = {form_ahead, retrieving};
	struct accepted accepted;
	retrieving->web = request->web;
	retrieving->request = request;
	RS_TRY(accept_choose(request, offers, RS_COUNT(offers), &accepted, err));
	retrieving->offer = accepted.offer;
	snprintf(retrieving->syntax, sizeof retrieving->syntax, "%.64s", accepted.syntax);
	RS_TRY(boundary_make(retrieving->boundary, err));
	enum rs_code code = picked_of_request(request, &ahead, &retrieving->list, err);
	if (code != RS_OK) { /* what was formed tells of what is not given */
		request->header_count = 0;
		request->status = 0;
		return code;
	}
	if (!retrieving->is_formed)
		return form_answer(request, retrieving, err);
	if (retrieving->formed != RS_OK && err)
		*err = retrieving->failure;
	return retrieving->formed;
}

static enum rs_code retrieve(struct request *request, struct rs_error *err)
{
	struct retrieving *retrieving = rs_allocate(sizeof *retrieving);
	if (!retrieving)
		return rs_error_memory(err, sizeof *retrieving, "a request");
	enum rs_code code = prepare(request, retrieving, err);
	if (!request->stream) /* which has it else */
		retrieving_free(retrieving);
	return code;
}

const struct route routes_wado[] = {
	{"GET", "/studies/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve, NULL},
	{"GET", "/studies/{uid}/series/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve, NULL},
	{"GET", "/studies/{uid}/series/{uid}/instances/{uid}", RS_WEB_MAY_RETRIEVE, 0, NULL, NULL, retrieve,
         NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
