/* Reading requests for storage commitment, looking up what they name, writing the report. */
#include "commitment.h"

#include <string.h>

#include "dicom/dicom.h"

#define TRANSACTION RS_DICOM_TAG(0x0008, 0x1195)
#define FAILURE_REASON RS_DICOM_TAG(0x0008, 0x1197)
#define FAILED RS_DICOM_TAG(0x0008, 0x1198)
#define REFERENCED RS_DICOM_TAG(0x0008, 0x1199)
#define REFERENCED_CLASS RS_DICOM_TAG(0x0008, 0x1150)
#define REFERENCED_INSTANCE RS_DICOM_TAG(0x0008, 0x1155)

/* PS3.3 section C.14: failure reasons. */
enum { REASON_PROCESSING = 0x0110, REASON_NO_SUCH_INSTANCE = 0x0112, REASON_CLASS_CONFLICT = 0x0119 };

struct reference {
	char sop_class[RS_UID_SIZE], instance[RS_UID_SIZE];
	uint16_t reason; /* 0: committed */
};

struct request {
	char transaction[RS_UID_SIZE];
	struct reference *references;
	size_t count;
};

static enum rs_code copy_uid(const struct rs_dicom *dicom, const struct rs_dicom_element *parent,
                             uint32_t tag, char out[static RS_UID_SIZE], struct rs_error *err)
{
	struct rs_str uid = rs_dicom_text(rs_dicom_find(dicom, parent, tag), 0);
	if (!rs_dicom_uid_valid(uid) || uid.size >= RS_UID_SIZE)
		return rs_error_set(err, RS_MALFORMED, "element (%04X,%04X) is missing, or no UID", tag >> 16,
		                    tag & 0xFFFF);
	memcpy(out, uid.data, uid.size);
	out[uid.size] = '\0';
	return RS_OK;
}

static enum rs_code read_references(const struct rs_dicom *dicom, struct request *out, struct rs_error *err)
{
	const struct rs_dicom_element *sequence = rs_dicom_find(dicom, NULL, REFERENCED);
	size_t count = sequence ? rs_dicom_item_count(dicom, sequence) : 0;
	RS_TRY(copy_uid(dicom, NULL, TRANSACTION, out->transaction, err));
	if (count == 0)
		return rs_error_set(err, RS_MALFORMED, "the request names no instance");
	out->references = rs_allocate_array(count, sizeof *out->references);
	if (!out->references)
		return rs_error_memory(err, count * sizeof *out->references, "references");
	/* Items are walked as they lie: looking each up by its number would take time by the square of their count. */
	uint32_t at = (uint32_t)(sequence - dicom->elements) + 1;
	for (; out->count < count; out->count++) {
		struct reference *reference = &out->references[out->count];
		const struct rs_dicom_element *item = &dicom->elements[at];
		RS_TRY(copy_uid(dicom, item, REFERENCED_CLASS, reference->sop_class, err));
		RS_TRY(copy_uid(dicom, item, REFERENCED_INSTANCE, reference->instance, err));
		at = item->next;
	}
	return RS_OK;
}

/* The reader takes files: the data set becomes one. */
static enum rs_code read_request(struct rs_bytes data, const char *transfer_syntax, struct request *out,
                                 struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	rs_buffer_init(&file, COMMITMENT_SIZE_MAX + 4096);
	RS_TRY(rs_dicom_put_meta(RS_SOP_COMMITMENT, COMMITMENT_INSTANCE, transfer_syntax, NULL, &file, err));
	rs_buffer_append_bytes(&file, data);
	RS_TRY(rs_buffer_check(&file, "a request for storage commitment", err));
	RS_TRY(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err));
	return read_references(&dicom, out, err);
}

static uint16_t reason_of(enum rs_code code)
{
	return code == RS_OK          ? 0
	       : code == RS_NOT_FOUND ? REASON_NO_SUCH_INSTANCE
	       : code == RS_USAGE     ? REASON_CLASS_CONFLICT
	                              : REASON_PROCESSING;
}

static void put_references(struct rs_dicom_builder *builder, uint32_t tag, const struct request *request,
                           bool failed)
{
	bool any = false;
	for (size_t i = 0; i < request->count; i++) {
		const struct reference *reference = &request->references[i];
		if ((reference->reason != 0) != failed)
			continue;
		if (!any)
			rs_dicom_builder_begin(builder, tag);
		any = true;
		rs_dicom_builder_begin(builder, RS_DICOM_ITEM);
		rs_dicom_builder_text(builder, REFERENCED_CLASS, "UI", reference->sop_class);
		rs_dicom_builder_text(builder, REFERENCED_INSTANCE, "UI", reference->instance);
		if (failed)
			rs_dicom_builder_u16(builder, FAILURE_REASON, reference->reason);
		rs_dicom_builder_end(builder);
	}
	if (any)
		rs_dicom_builder_end(builder);
}

static enum rs_code write_report(const struct request *request, const char *transfer_syntax,
                                 struct rs_buffer *out, struct rs_error *err)
{
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	bool is_implicit = strcmp(transfer_syntax, RS_SYNTAX_IMPLICIT_LE) == 0;
	rs_dicom_builder_init(&builder, is_implicit ? RS_DICOM_IMPLICIT_LE : RS_DICOM_EXPLICIT_LE,
	                      2 * COMMITMENT_SIZE_MAX);
	rs_dicom_builder_text(&builder, TRANSACTION, "UI", request->transaction);
	put_references(&builder, FAILED, request, true);
	put_references(&builder, REFERENCED, request, false);
	if (builder.failure.code != RS_OK)
		return rs_error_set(err, builder.failure.code, "%s", builder.failure.message);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&builder.body));
	RS_TRY(rs_buffer_check(&builder.body, "a report", err));
	return rs_buffer_check(out, "a report", err);
}

enum rs_code commitment_answer(struct rs_intake *intake, struct rs_bytes data, const char *transfer_syntax,
                               struct rs_buffer *out, uint16_t *out_event, struct rs_error *err)
{
	struct request request = {.count = 0};
	enum rs_code code = read_request(data, transfer_syntax, &request, err);
	uint16_t event = COMMITMENT_ALL;
	for (size_t i = 0; code == RS_OK && i < request.count; i++) {
		struct reference *reference = &request.references[i];
		reference->reason = reason_of(
			rs_intake_holds(intake, reference->sop_class, reference->instance, NULL));
		if (reference->reason)
			event = COMMITMENT_SOME;
	}
	rs_buffer_init(out, 2 * COMMITMENT_SIZE_MAX);
	if (code == RS_OK)
		code = write_report(&request, transfer_syntax, out, err);
	rs_free(request.references);
	*out_event = event;
	return code;
}
