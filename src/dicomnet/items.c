/* Bodies of A-ASSOCIATE-RQ and A-ASSOCIATE-AC: items with a type and a length of 16 bits, some of which hold items. Numbers are
 * big-endian. Types: PS3.8 sections 9.3.2, 9.3.3 and annex D; PS3.7 annex D.3.3. */
#include <string.h>

#include "dicom/dicom.h"
#include "dicomnet/dicomnet.h"

#define FIXED_SIZE 68 /* protocol version, two titles, reserved bytes */
#define TITLE_LENGTH 16

enum {
	ITEM_APPLICATION = 0x10,
	ITEM_PROPOSED = 0x20,
	ITEM_ANSWERED = 0x21,
	ITEM_ABSTRACT = 0x30,
	ITEM_TRANSFER = 0x40,
	ITEM_USER = 0x50,
	ITEM_MAX_LENGTH = 0x51,
	ITEM_IMPLEMENTATION = 0x52,
	ITEM_WINDOW = 0x53,
	ITEM_ROLE = 0x54,
	ITEM_VERSION = 0x55,
	ITEM_EXTENDED = 0x56,
	ITEM_IDENTITY = 0x58,
	ITEM_IDENTITY_ANSWER = 0x59,
};

struct item {
	uint8_t type;
	struct rs_bytes value;
};

static enum rs_code cut(uint8_t type, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: item %02XH does not fit into what holds it",
	                    type);
}

static enum rs_code next_item(struct rs_bytes *rest, struct item *out, struct rs_error *err)
{
	if (rest->size < 4)
		return cut(rest->data[0], err);
	size_t size = rs_read_be16(rest->data + 2);
	if (size > rest->size - 4)
		return cut(rest->data[0], err);
	*out = (struct item){rest->data[0], {rest->data + 4, size}};
	rest->data += 4 + size;
	rest->size -= 4 + size;
	return RS_OK;
}

/* Some writers pad UIDs with a zero byte or a space, as in data sets. */
static enum rs_code read_uid(struct rs_bytes value, uint8_t type, struct rs_str *out, struct rs_error *err)
{
	while (value.size > 0 && (value.data[value.size - 1] == '\0' || value.data[value.size - 1] == ' '))
		value.size--;
	*out = rs_str_of_bytes(value);
	return rs_dicom_uid_valid(*out)
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: item %02XH holds no UID", type);
}

/* Characters that terminals and logs can show; "\" parts values. */
static enum rs_code read_title(const uint8_t *bytes, char out[static RS_TITLE_SIZE], struct rs_error *err)
{
	struct rs_str title = rs_str_trim((struct rs_str){(const char *)bytes, TITLE_LENGTH});
	while (title.size > 0 && title.data[title.size - 1] == '\0')
		title.size--;
	title = rs_str_trim(title);
	for (size_t i = 0; i < title.size; i++)
		if (title.data[i] < ' ' || title.data[i] > '~' || title.data[i] == '\\')
			return rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: an AE title holds the byte %02X",
			                    (uint8_t)title.data[i]);
	if (title.size)
		memcpy(out, title.data, title.size);
	out[title.size] = '\0';
	return RS_OK;
}

static enum rs_code check_syntax(struct rs_presentation *context, const struct item *item,
                                 struct rs_error *err)
{
	struct rs_str uid;
	if (item->type == ITEM_TRANSFER)
		return read_uid(item->value, ITEM_TRANSFER, &uid, err);
	if (item->type != ITEM_ABSTRACT)
		return RS_OK;
	if (context->abstract_syntax.size)
		return rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: context %u has two abstract syntaxes",
		                    context->id);
	return read_uid(item->value, ITEM_ABSTRACT, &context->abstract_syntax, err);
}

static bool has_context(const struct rs_associate *associate, uint8_t id)
{
	for (size_t i = 0; i < associate->context_count; i++)
		if (associate->contexts[i].id == id)
			return true;
	return false;
}

static enum rs_code read_presentation(struct rs_bytes value, bool is_answer, struct rs_associate *out,
                                      struct rs_error *err)
{
	struct item item;
	if (value.size < 4 || value.data[0] % 2 == 0 || has_context(out, value.data[0]))
		return rs_error_set(err, RS_MALFORMED,
		                    "A-ASSOCIATE: a presentation context has an even identifier, one that "
		                    "another has, or none");
	struct rs_presentation *context = &out->contexts[out->context_count++];
	struct rs_bytes rest = {value.data + 4, value.size - 4};
	*context = (struct rs_presentation){
		.id = value.data[0], .result = is_answer ? value.data[2] : 0, .transfer_syntaxes = rest};
	/* What an answer says of a context that it refuses means nothing. */
	if (context->result != RS_PRESENTATION_ACCEPTED)
		context->transfer_syntaxes.size = 0;
	rest = context->transfer_syntaxes;
	while (rest.size > 0) {
		RS_TRY(next_item(&rest, &item, err));
		RS_TRY(check_syntax(context, &item, err));
		if (item.type == ITEM_ABSTRACT && item.value.data == value.data + 8)
			context->transfer_syntaxes = rest;
	}
	if (!is_answer && context->abstract_syntax.size == 0)
		return rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: context %u has no abstract syntax",
		                    context->id);
	return RS_OK;
}

/* A UID behind its length, then the rest. */
static enum rs_code read_prefixed(const struct item *item, struct rs_str *out_uid, struct rs_bytes *out_rest,
                                  struct rs_error *err)
{
	size_t size = item->value.size < 2 ? SIZE_MAX : rs_read_be16(item->value.data);
	if (item->value.size < 2 || size > item->value.size - 2)
		return cut(item->type, err);
	*out_rest = rs_bytes_of(item->value.data + 2 + size, item->value.size - 2 - size);
	return read_uid(rs_bytes_of(item->value.data + 2, size), item->type, out_uid, err);
}

static enum rs_code full(const struct item *item, struct rs_error *err)
{
	return rs_error_set(err, RS_TOO_LARGE, "A-ASSOCIATE: more than %d items of type %02XH",
	                    RS_CONTEXTS_MAX, item->type);
}

static enum rs_code read_role(const struct item *item, struct rs_associate *out, struct rs_error *err)
{
	struct rs_role_selection *role = &out->roles[out->role_count];
	struct rs_bytes rest;
	if (out->role_count == RS_CONTEXTS_MAX)
		return full(item, err);
	RS_TRY(read_prefixed(item, &role->sop_class, &rest, err));
	if (rest.size != 2)
		return cut(item->type, err);
	role->scu = rest.data[0] != 0;
	role->scp = rest.data[1] != 0;
	out->role_count++;
	return RS_OK;
}

static enum rs_code read_extended(const struct item *item, struct rs_associate *out, struct rs_error *err)
{
	struct rs_extended *extended = &out->extended[out->extended_count];
	if (out->extended_count == RS_CONTEXTS_MAX)
		return full(item, err);
	RS_TRY(read_prefixed(item, &extended->sop_class, &extended->information, err));
	out->extended_count++;
	return RS_OK;
}

/* Type, whether an answer is wanted, then two values behind their lengths; of an answer one value. */
static enum rs_code read_identity(const struct item *item, struct rs_associate *out, struct rs_error *err)
{
	const uint8_t *p = item->value.data;
	size_t left = item->value.size, head = item->type == ITEM_IDENTITY ? 2 : 0;
	if (left < head + 2 || rs_read_be16(p + head) > left - head - 2)
		return cut(item->type, err);
	out->identity_primary = rs_bytes_of(p + head + 2, rs_read_be16(p + head));
	left -= head + 2 + out->identity_primary.size;
	if (item->type == ITEM_IDENTITY_ANSWER)
		return left ? cut(item->type, err) : RS_OK;
	out->identity = p[0];
	out->identity_wants_answer = p[1] != 0;
	p += head + 2 + out->identity_primary.size;
	if (left < 2 || rs_read_be16(p) != left - 2)
		return cut(item->type, err);
	out->identity_secondary = rs_bytes_of(p + 2, left - 2);
	return RS_OK;
}

static enum rs_code read_user_item(const struct item *item, struct rs_associate *out, struct rs_error *err)
{
	const struct rs_bytes value = item->value;
	switch (item->type) {
	case ITEM_MAX_LENGTH:
		if (value.size != 4)
			return cut(item->type, err);
		out->max_length = rs_read_be32(value.data);
		return RS_OK;
	case ITEM_IMPLEMENTATION: return read_uid(value, item->type, &out->implementation_uid, err);
	case ITEM_WINDOW:
		if (value.size != 4)
			return cut(item->type, err);
		out->has_window = true;
		out->invoked = rs_read_be16(value.data);
		out->performed = rs_read_be16(value.data + 2);
		return RS_OK;
	case ITEM_ROLE: return read_role(item, out, err);
	case ITEM_VERSION: out->implementation_version = rs_str_of_bytes(value); return RS_OK;
	case ITEM_EXTENDED: return read_extended(item, out, err);
	case ITEM_IDENTITY:
	case ITEM_IDENTITY_ANSWER: return read_identity(item, out, err);
	default: return RS_OK; /* PS3.8 section 9.3.1: what is not known is passed over */
	}
}

static enum rs_code read_user(struct rs_bytes rest, struct rs_associate *out, struct rs_error *err)
{
	struct item item;
	while (rest.size > 0) {
		RS_TRY(next_item(&rest, &item, err));
		RS_TRY(read_user_item(&item, out, err));
	}
	return RS_OK;
}

static enum rs_code read_item(const struct item *item, bool is_answer, struct rs_associate *out,
                              struct rs_error *err)
{
	if (item->type == ITEM_APPLICATION)
		return read_uid(item->value, item->type, &out->application_context, err);
	if (item->type == ITEM_USER)
		return read_user(item->value, out, err);
	if (item->type != (is_answer ? ITEM_ANSWERED : ITEM_PROPOSED))
		return RS_OK;
	return out->context_count == RS_CONTEXTS_MAX ? full(item, err)
	                                             : read_presentation(item->value, is_answer, out, err);
}

enum rs_code rs_associate_decode(struct rs_bytes body, bool is_answer, struct rs_associate *out,
                                 struct rs_error *err)
{
	struct item item;
	if (body.size < FIXED_SIZE)
		return rs_error_set(err, RS_MALFORMED, "A-ASSOCIATE: has %zu bytes; %d are its least",
		                    body.size, FIXED_SIZE);
	memset(out, 0, sizeof *out);
	out->protocol = rs_read_be16(body.data);
	out->invoked = out->performed = 1;
	/* The titles of an answer are those of the request, and not looked at (PS3.8 table 9-17). */
	if (!is_answer) {
		RS_TRY(read_title(body.data + 4, out->called, err));
		RS_TRY(read_title(body.data + 20, out->calling, err));
	}
	struct rs_bytes rest = {body.data + FIXED_SIZE, body.size - FIXED_SIZE};
	while (rest.size > 0) {
		RS_TRY(next_item(&rest, &item, err));
		RS_TRY(read_item(&item, is_answer, out, err));
	}
	return RS_OK;
}

bool rs_presentation_next(const struct rs_presentation *presentation, size_t *position, struct rs_str *out)
{
	struct rs_bytes all = presentation->transfer_syntaxes;
	while (*position < all.size) {
		struct rs_bytes rest = {all.data + *position, all.size - *position};
		struct item item;
		if (next_item(&rest, &item, NULL) != RS_OK)
			return false;
		*position = all.size - rest.size;
		if (item.type == ITEM_TRANSFER && read_uid(item.value, item.type, out, NULL) == RS_OK)
			return true;
	}
	return false;
}

static void put_item(struct rs_buffer *out, uint8_t type, struct rs_bytes value)
{
	uint8_t head[4] = {type};
	rs_write_be16(head + 2, (uint16_t)value.size);
	rs_buffer_append(out, head, sizeof head);
	rs_buffer_append_bytes(out, value);
}

void rs_presentation_add(struct rs_buffer *items, struct rs_str transfer_syntax)
{
	put_item(items, ITEM_TRANSFER, rs_bytes_of_str(transfer_syntax));
}

/* Begins an item (or a PDU) whose size is known at its end; gives where its value begins. */
static size_t begin_item(struct rs_buffer *out, uint8_t type)
{
	put_item(out, type, rs_bytes_of("", 0));
	return out->size;
}

static void end_item(struct rs_buffer *out, size_t start)
{
	if (out->size - start > UINT16_MAX)
		out->failed = RS_TOO_LARGE;
	if (out->failed == RS_OK)
		rs_write_be16(out->data + start - 2, (uint16_t)(out->size - start));
}

static void put_title(struct rs_buffer *out, const char *title)
{
	char padded[TITLE_LENGTH];
	memset(padded, ' ', sizeof padded);
	memcpy(padded, title, strnlen(title, sizeof padded));
	rs_buffer_append(out, padded, sizeof padded);
}

static void put_presentation(struct rs_buffer *out, const struct rs_presentation *context, bool is_answer)
{
	const uint8_t head[4] = {context->id, 0, context->result, 0};
	size_t start = begin_item(out, is_answer ? ITEM_ANSWERED : ITEM_PROPOSED);
	rs_buffer_append(out, head, sizeof head);
	if (!is_answer)
		put_item(out, ITEM_ABSTRACT, rs_bytes_of_str(context->abstract_syntax));
	rs_buffer_append_bytes(out, context->transfer_syntaxes);
	end_item(out, start);
}

static void put_prefixed(struct rs_buffer *out, struct rs_bytes value)
{
	uint8_t size[2];
	rs_write_be16(size, (uint16_t)value.size);
	rs_buffer_append(out, size, sizeof size);
	rs_buffer_append_bytes(out, value);
}

static void put_identity(struct rs_buffer *out, const struct rs_associate *associate, bool is_answer)
{
	const uint8_t head[2] = {associate->identity, associate->identity_wants_answer};
	if (associate->identity == 0)
		return;
	size_t start = begin_item(out, is_answer ? ITEM_IDENTITY_ANSWER : ITEM_IDENTITY);
	if (!is_answer)
		rs_buffer_append(out, head, sizeof head);
	put_prefixed(out, associate->identity_primary);
	if (!is_answer)
		put_prefixed(out, associate->identity_secondary);
	end_item(out, start);
}

static void put_user(struct rs_buffer *out, const struct rs_associate *associate, bool is_answer)
{
	uint8_t number[4];
	size_t start = begin_item(out, ITEM_USER);
	rs_write_be32(number, associate->max_length);
	put_item(out, ITEM_MAX_LENGTH, rs_bytes_of(number, sizeof number));
	put_item(out, ITEM_IMPLEMENTATION, rs_bytes_of_str(associate->implementation_uid));
	if (associate->has_window) {
		rs_write_be16(number, associate->invoked);
		rs_write_be16(number + 2, associate->performed);
		put_item(out, ITEM_WINDOW, rs_bytes_of(number, sizeof number));
	}
	for (size_t i = 0; i < associate->role_count; i++) {
		const struct rs_role_selection *role = &associate->roles[i];
		size_t item = begin_item(out, ITEM_ROLE);
		put_prefixed(out, rs_bytes_of_str(role->sop_class));
		rs_buffer_append_u8(out, role->scu);
		rs_buffer_append_u8(out, role->scp);
		end_item(out, item);
	}
	put_item(out, ITEM_VERSION, rs_bytes_of_str(associate->implementation_version));
	for (size_t i = 0; i < associate->extended_count; i++) {
		size_t item = begin_item(out, ITEM_EXTENDED);
		put_prefixed(out, rs_bytes_of_str(associate->extended[i].sop_class));
		rs_buffer_append_bytes(out, associate->extended[i].information);
		end_item(out, item);
	}
	put_identity(out, associate, is_answer);
	end_item(out, start);
}

enum rs_code rs_associate_encode(const struct rs_associate *associate, bool is_answer, struct rs_buffer *out,
                                 struct rs_error *err)
{
	static const uint8_t zeros[32];
	const uint8_t head[6] = {is_answer ? 2 : 1};
	uint8_t version[4] = {0};
	size_t start = out->size + sizeof head;
	rs_write_be16(version, associate->protocol);
	rs_buffer_append(out, head, sizeof head);
	rs_buffer_append(out, version, sizeof version);
	put_title(out, associate->called);
	put_title(out, associate->calling);
	rs_buffer_append(out, zeros, sizeof zeros);
	put_item(out, ITEM_APPLICATION, rs_bytes_of_str(associate->application_context));
	for (size_t i = 0; i < associate->context_count; i++)
		put_presentation(out, &associate->contexts[i], is_answer);
	put_user(out, associate, is_answer);
	RS_TRY(rs_buffer_check(out, "an A-ASSOCIATE PDU", err));
	rs_write_be32(out->data + start - 4, (uint32_t)(out->size - start));
	return RS_OK;
}
