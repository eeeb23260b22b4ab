/* Command sets by a table: elements of group 0000, implicit little endian, in ascending order. */
#include "dicomnet/dicomnet_command.h"

#include <stdio.h>
#include <string.h>

#include "dicom/dicom.h"

enum kind { US, UI, AE, LO };

static const struct row {
	uint16_t number;
	enum kind kind;
	size_t offset;
} rows[] = {
#define ROW(name, number, vr, member) {number, vr, offsetof(struct rs_command, member)},
	RS_COMMAND_ELEMENTS(ROW)
#undef ROW
};

/* What a kind of message must have (PS3.7 sections 9.3, 10.3). */
#define IN_REQUEST (RS_HAS(MESSAGE) | RS_HAS(SOP_CLASS))
#define IN_RESPONSE (RS_HAS(RESPONDED) | RS_HAS(STATUS))
static const struct {
	uint16_t field;
	const char *name;
	uint32_t needed;
} messages[] = {
	{RS_C_STORE_RQ, "C-STORE", IN_REQUEST | RS_HAS(INSTANCE)},
	{RS_C_GET_RQ, "C-GET", IN_REQUEST},
	{RS_C_FIND_RQ, "C-FIND", IN_REQUEST},
	{RS_C_MOVE_RQ, "C-MOVE", IN_REQUEST | RS_HAS(DESTINATION)},
	{RS_C_ECHO_RQ, "C-ECHO", IN_REQUEST},
	{RS_N_EVENT_REPORT_RQ, "N-EVENT-REPORT", IN_REQUEST | RS_HAS(INSTANCE) | RS_HAS(EVENT)},
	{RS_N_ACTION_RQ, "N-ACTION",
         RS_HAS(MESSAGE) | RS_HAS(REQUESTED_CLASS) | RS_HAS(REQUESTED_INSTANCE) | RS_HAS(ACTION)},
	{RS_C_CANCEL_RQ, "C-CANCEL", RS_HAS(RESPONDED)},
};

const char *rs_command_name(uint16_t field, char text[static RS_COMMAND_NAME_SIZE])
{
	bool is_response = field & RS_COMMAND_RESPONSE;
	for (size_t i = 0; i < RS_COUNT(messages); i++)
		if (messages[i].field == (field & ~RS_COMMAND_RESPONSE)) {
			snprintf(text, RS_COMMAND_NAME_SIZE, "%s-%s", messages[i].name,
			         is_response ? "RSP" : "RQ");
			return text;
		}
	snprintf(text, RS_COMMAND_NAME_SIZE, "command %04XH", field);
	return text;
}

static enum rs_code bad(uint16_t number, const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "command element (0000,%04X): %s", number, what);
}

static size_t capacity_of(enum kind kind)
{
	return kind == UI ? RS_UID_SIZE : kind == AE ? RS_TITLE_SIZE : RS_COMMENT_SIZE;
}

static enum rs_code read_text(const struct row *row, struct rs_bytes value, char *out, struct rs_error *err)
{
	while (value.size > 0 && value.data[value.size - 1] == '\0')
		value.size--;
	struct rs_str text = rs_str_trim(rs_str_of_bytes(value));
	if (row->kind == LO && text.size >= RS_COMMENT_SIZE)
		text.size = RS_COMMENT_SIZE - 1; /* for people; nothing depends on it */
	if (text.size >= capacity_of(row->kind) || (text.size && memchr(text.data, '\0', text.size)))
		return bad(row->number, "is longer than its VR allows", err);
	if (row->kind == UI && !rs_dicom_uid_valid(text))
		return bad(row->number, "is no UID", err);
	if (text.size)
		memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	return RS_OK;
}

static enum rs_code read_value(const struct row *row, struct rs_bytes value, struct rs_command *out,
                               struct rs_error *err)
{
	char *member = (char *)out + row->offset;
	uint16_t number;
	if (row->kind != US)
		return read_text(row, value, member, err);
	if (value.size != 2)
		return bad(row->number, "is not a number of two bytes", err);
	number = rs_read_le16(value.data);
	memcpy(member, &number, sizeof number);
	return RS_OK;
}

static const struct row *row_of(uint16_t number)
{
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

static enum rs_code check_needed(const struct rs_command *command, struct rs_error *err)
{
	char name[RS_COMMAND_NAME_SIZE];
	uint32_t needed = RS_HAS(FIELD) | RS_HAS(DATA);
	for (size_t i = 0; i < RS_COUNT(messages); i++)
		if (messages[i].field == command->field)
			needed |= messages[i].needed;
	if (command->field & RS_COMMAND_RESPONSE)
		needed |= IN_RESPONSE;
	uint32_t missing = needed & ~command->present;
	for (size_t i = 0; missing && i < RS_COUNT(rows); i++)
		if (missing & (UINT32_C(1) << i))
			return rs_error_set(err, RS_MALFORMED, "%s has no element (0000,%04X)",
			                    rs_command_name(command->field, name), rows[i].number);
	return RS_OK;
}

static enum rs_code read_element(const struct rs_bytes encoded, size_t *at, int32_t *last,
                                 struct rs_command *out, struct rs_error *err)
{
	const uint8_t *p = encoded.data + *at;
	size_t left = encoded.size - *at;
	if (left < 8 || rs_read_le32(p + 4) > left - 8 || rs_read_le16(p) != 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "byte %zu of a command set begins no element of group 0000 that fits",
		                    *at);
	uint16_t number = rs_read_le16(p + 2);
	struct rs_bytes value = {p + 8, rs_read_le32(p + 4)};
	const struct row *row = row_of(number);
	if (number <= *last)
		return bad(number, "is not in ascending order", err);
	if (number == 0 && (value.size != 4 || rs_read_le32(value.data) != encoded.size - 12))
		return bad(number, "is not the length of the command set", err);
	if (row)
		RS_TRY(read_value(row, value, out, err));
	if (row)
		out->present |= UINT32_C(1) << (row - rows);
	*last = number;
	*at += 8 + value.size;
	return RS_OK;
}

enum rs_code rs_command_decode(struct rs_bytes encoded, struct rs_command *out, struct rs_error *err)
{
	struct rs_command command = {.data = RS_NO_DATA};
	int32_t last = -1;
	for (size_t at = 0; at < encoded.size;)
		RS_TRY(read_element(encoded, &at, &last, &command, err));
	RS_TRY(check_needed(&command, err));
	*out = command;
	return RS_OK;
}

static void put_element(struct rs_buffer *out, uint16_t number, struct rs_bytes value, uint8_t padding)
{
	uint8_t head[8] = {0};
	rs_write_le16(head + 2, number);
	rs_write_le32(head + 4, (uint32_t)(value.size + value.size % 2));
	rs_buffer_append(out, head, sizeof head);
	rs_buffer_append_bytes(out, value);
	if (value.size % 2)
		rs_buffer_append_u8(out, padding);
}

enum rs_code rs_command_encode(const struct rs_command *command, struct rs_buffer *out, struct rs_error *err)
{
	size_t start = out->size;
	uint8_t number[4] = {0};
	put_element(out, 0, rs_bytes_of(number, sizeof number), 0);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		const char *member = (const char *)command + rows[i].offset;
		uint16_t value;
		if (!(command->present & (UINT32_C(1) << i)))
			continue;
		if (rows[i].kind == US) {
			memcpy(&value, member, sizeof value);
			rs_write_le16(number, value);
			put_element(out, rows[i].number, rs_bytes_of(number, 2), 0);
		} else {
			put_element(out, rows[i].number, rs_bytes_of(member, strlen(member)),
			            rows[i].kind == UI ? 0 : ' ');
		}
	}
	RS_TRY(rs_buffer_check(out, "a command set", err));
	rs_write_le32(out->data + start + 8, (uint32_t)(out->size - start - 12));
	return RS_OK;
}

void rs_command_answer(const struct rs_command *request, uint16_t status, const char *comment,
                       struct rs_command *out)
{
	const uint32_t echoed = request->present & (RS_HAS(SOP_CLASS) | RS_HAS(INSTANCE));
	*out = (struct rs_command){
		.present = echoed | RS_HAS(FIELD) | RS_HAS(RESPONDED) | RS_HAS(DATA) | RS_HAS(STATUS),
		.field = request->field | RS_COMMAND_RESPONSE,
		.message = request->message,
		.data = RS_NO_DATA,
		.status = status,
	};
	memcpy(out->sop_class, request->sop_class, sizeof out->sop_class);
	memcpy(out->instance, request->instance, sizeof out->instance);
	if (request->present & RS_HAS(REQUESTED_CLASS)) /* an N-ACTION's answer names what was affected */
		out->present |= RS_HAS(SOP_CLASS) | RS_HAS(INSTANCE);
	if (!comment)
		return;
	out->present |= RS_HAS(COMMENT);
	snprintf(out->comment, sizeof out->comment, "%s", comment);
	for (char *c = out->comment; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '\\') /* LO of the default repertoire */
			*c = '?';
}
