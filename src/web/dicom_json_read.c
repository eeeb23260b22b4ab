/* Members of JSON objects as elements. What is built is parsed again by who seals it: here only what JSON says is judged. */
#include "dicom_json_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicom/dicom_transcode.h"
#include "dicomnet/dicomnet.h"

#define ELEMENTS_MAX ((size_t)65536) /* of one data set */
#define VALUE_MAX ((size_t)64 << 20)
#define CHARACTER_SET UINT32_C(0x00080005)
#define PIXELS UINT32_C(0x7FE00010)
#define UTF8 "ISO_IR 192"

enum kind {
	KIND_TEXT,
	KIND_NAME,
	KIND_NUMBER_TEXT,
	KIND_INTEGER,
	KIND_REAL,
	KIND_TAG,
	KIND_ITEMS,
	KIND_BYTES
};
static const struct vr_row {
	char vr[3];
	uint8_t kind, size; /* bytes of a binary number */
	bool is_signed, is_one;
} rows[] = {
	{"AE", KIND_TEXT, 0, false, false},    {"AS", KIND_TEXT, 0, false, false},
	{"AT", KIND_TAG, 4, false, false},     {"CS", KIND_TEXT, 0, false, false},
	{"DA", KIND_TEXT, 0, false, false},    {"DS", KIND_NUMBER_TEXT, 16, false, false},
	{"DT", KIND_TEXT, 0, false, false},    {"FD", KIND_REAL, 8, false, false},
	{"FL", KIND_REAL, 4, false, false},    {"IS", KIND_NUMBER_TEXT, 12, false, false},
	{"LO", KIND_TEXT, 0, false, false},    {"LT", KIND_TEXT, 0, false, true},
	{"OB", KIND_BYTES, 1, false, true},    {"OD", KIND_BYTES, 8, false, true},
	{"OF", KIND_BYTES, 4, false, true},    {"OL", KIND_BYTES, 4, false, true},
	{"OV", KIND_BYTES, 8, false, true},    {"OW", KIND_BYTES, 2, false, true},
	{"PN", KIND_NAME, 0, false, false},    {"SH", KIND_TEXT, 0, false, false},
	{"SL", KIND_INTEGER, 4, true, false},  {"SQ", KIND_ITEMS, 0, false, false},
	{"SS", KIND_INTEGER, 2, true, false},  {"ST", KIND_TEXT, 0, false, true},
	{"SV", KIND_INTEGER, 8, true, false},  {"TM", KIND_TEXT, 0, false, false},
	{"UC", KIND_TEXT, 0, false, false},    {"UI", KIND_TEXT, 0, false, false},
	{"UL", KIND_INTEGER, 4, false, false}, {"UN", KIND_BYTES, 1, false, true},
	{"UR", KIND_TEXT, 0, false, true},     {"US", KIND_INTEGER, 2, false, false},
	{"UT", KIND_TEXT, 0, false, true},     {"UV", KIND_INTEGER, 8, false, false},
};

struct reading {
	const struct bulk_source *bulk;
	struct rs_dicom_builder builder;
	char syntax[RS_UID_SIZE]; /* of compressed frames; "": none */
};

struct member {
	uint32_t tag;
	const json_t *value;
};

static enum rs_code bad(uint32_t tag, const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "element %08X: %s", (unsigned)tag, what);
}

static const struct vr_row *row_of(const json_t *member)
{
	const char *vr = json_string_value(json_object_get(member, "vr"));
	for (size_t i = 0; vr && i < RS_COUNT(rows); i++)
		if (strcmp(rows[i].vr, vr) == 0)
			return &rows[i];
	return NULL;
}

static int by_tag(const void *a, const void *b)
{
	const uint32_t one = ((const struct member *)a)->tag, other = ((const struct member *)b)->tag;
	return one < other ? -1 : one > other;
}

static bool parse_tag(const char *key, uint32_t *out)
{
	uint32_t tag = 0;
	size_t size = 0;
	for (; key[size]; size++) {
		const char c = key[size];
		const int digit = c >= '0' && c <= '9'   ? c - '0'
		                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
		                                         : -1;
		if (digit < 0 || size == 8)
			return false;
		tag = tag << 4 | (uint32_t)digit;
	}
	*out = tag;
	return size == 8;
}

/* A text as one of several values: a backslash would be two of them, a control character is none of most. */
static enum rs_code put_text(uint32_t tag, bool is_one, struct rs_str text, struct rs_buffer *out,
                             struct rs_error *err)
{
	for (size_t i = 0; i < text.size; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		const bool is_layout = c == '\t' || c == '\n' || c == '\f' || c == '\r';
		if ((c < 0x20 && !(is_one && is_layout)) || (!is_one && c == '\\'))
			return bad(tag, "a value has a backslash or a control character", err);
	}
	rs_buffer_append_str(out, text);
	return RS_OK;
}

static struct rs_str string_of(const json_t *value)
{
	struct rs_str text = {"", 0};
	if (json_is_string(value))
		text = (struct rs_str){json_string_value(value), json_string_length(value)};
	return text;
}

static enum rs_code put_name(uint32_t tag, const json_t *value, struct rs_buffer *out, struct rs_error *err)
{
	static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
	size_t pending = 0;
	if (!json_is_object(value) && !json_is_null(value))
		return bad(tag, "a name is an object of its groups", err);
	for (size_t i = 0; i < RS_COUNT(groups); i++) {
		const struct rs_str group = string_of(json_object_get(value, groups[i]));
		if (group.size && memchr(group.data, '=', group.size))
			return bad(tag, "a group of a name has no '='", err);
		for (; group.size && pending > 0; pending--)
			rs_buffer_append_u8(out, '=');
		RS_TRY(put_text(tag, false, group, out, err));
		pending++;
	}
	return RS_OK;
}

/* DS has 16 characters at most, so 17 digits cannot always be kept. */
static enum rs_code put_number_text(uint32_t tag, const struct vr_row *row, const json_t *value,
                                    struct rs_buffer *out, struct rs_error *err)
{
	char text[40] = "";
	if (json_is_string(value))
		return put_text(tag, false, string_of(value), out, err);
	if (json_is_integer(value))
		(void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value) && strcmp(row->vr, "DS") == 0)
		for (int digits = 17; digits > 0 && (!text[0] || strlen(text) > row->size); digits--)
			(void)snprintf(text, sizeof text, "%.*g", digits, json_real_value(value));
	else if (!json_is_null(value))
		return bad(tag, "a value is no number", err);
	if (strlen(text) > row->size)
		return bad(tag, "a number is too long", err);
	rs_buffer_append_text(out, text);
	return RS_OK;
}

static void put_binary(uint64_t bits, size_t size, struct rs_buffer *out)
{
	for (size_t i = 0; i < size; i++)
		rs_buffer_append_u8(out, (uint8_t)(bits >> 8 * i));
}

static enum rs_code put_integer(uint32_t tag, const struct vr_row *row, const json_t *value,
                                struct rs_buffer *out, struct rs_error *err)
{
	int64_t number;
	uint64_t large = 0;
	const struct rs_str text = string_of(value);
	if (json_is_integer(value))
		number = json_integer_value(value);
	else if (text.size && !row->is_signed && rs_parse_u64(text, &large))
		number = 0;
	else if (!text.size || !rs_parse_i64(text, &number))
		return bad(tag, "a value is no whole number", err);
	if (large == 0)
		large = (uint64_t)number;
	const unsigned bits = 8u * row->size;
	const bool fits = row->size == 8 ? row->is_signed || !json_is_integer(value) || number >= 0
	                  : row->is_signed
	                          ? number >= -((int64_t)1 << (bits - 1)) && number < (int64_t)1 << (bits - 1)
	                          : number >= 0 && large >> bits == 0;
	if (!fits)
		return bad(tag, "a number does not fit", err);
	put_binary(large, row->size, out);
	return RS_OK;
}

static enum rs_code put_real(uint32_t tag, const struct vr_row *row, const json_t *value,
                             struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_str text = string_of(value);
	double number = json_number_value(value);
	uint64_t bits = 0;
	if (rs_str_equal_text(text, "NaN"))
		number = (double)NAN;
	else if (rs_str_equal_text(text, "Infinity") || rs_str_equal_text(text, "-Infinity"))
		number = text.data[0] == '-' ? -(double)INFINITY : (double)INFINITY;
	else if (!json_is_number(value))
		return bad(tag, "a value is no number", err);
	if (row->size == 4) {
		const float single = (float)number;
		uint32_t half;
		memcpy(&half, &single, sizeof half);
		bits = half;
	} else {
		memcpy(&bits, &number, sizeof bits);
	}
	put_binary(bits, row->size, out);
	return RS_OK;
}

static enum rs_code put_value(uint32_t tag, const struct vr_row *row, const json_t *value,
                              struct rs_buffer *out, struct rs_error *err)
{
	uint32_t named;
	switch (row->kind) {
	case KIND_NAME: return put_name(tag, value, out, err);
	case KIND_NUMBER_TEXT: return put_number_text(tag, row, value, out, err);
	case KIND_INTEGER: return put_integer(tag, row, value, out, err);
	case KIND_REAL: return put_real(tag, row, value, out, err);
	case KIND_TAG:
		if (!json_is_string(value) || !parse_tag(json_string_value(value), &named))
			return bad(tag, "a value is no tag of eight hexadecimal digits", err);
		put_binary((uint64_t)(named & 0xFFFF) << 16 | named >> 16, 4, out);
		return RS_OK;
	default:
		if (!json_is_string(value) && !json_is_null(value))
			return bad(tag, "a value is no text", err);
		return put_text(tag, row->is_one, string_of(value), out, err);
	}
}

static enum rs_code put_values(struct reading *reading, uint32_t tag, const struct vr_row *row,
                               const json_t *values, struct rs_error *err)
{
	struct rs_buffer bytes RS_CLEANUP(rs_buffer_finish) = {0};
	const size_t count = json_array_size(values);
	const bool is_text = row->kind == KIND_TEXT || row->kind == KIND_NAME ||
	                     row->kind == KIND_NUMBER_TEXT;
	if (row->is_one && count > 1)
		return bad(tag, "there are several values where one belongs", err);
	rs_buffer_init(&bytes, VALUE_MAX);
	for (size_t i = 0; i < count; i++) {
		if (is_text && i > 0)
			rs_buffer_append_u8(&bytes, '\\');
		RS_TRY(put_value(tag, row, json_array_get(values, i), &bytes, err));
	}
	RS_TRY(rs_buffer_check(&bytes, "an element", err));
	rs_dicom_builder_bytes(&reading->builder, tag, row->vr, rs_buffer_bytes(&bytes));
	return RS_OK;
}

static enum rs_code put_inline(struct reading *reading, uint32_t tag, const struct vr_row *row,
                               struct rs_str text, struct rs_error *err)
{
	size_t size = text.size / 4 * 3 + 3;
	uint8_t *bytes RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
	if (!bytes)
		return rs_error_memory(err, size, "an element");
	if (!rs_base64_decode(text, bytes, &size) || size % row->size != 0)
		return bad(tag, "InlineBinary is not base64, or not of whole values", err);
	rs_dicom_builder_bytes(&reading->builder, tag, row->vr, rs_bytes_of(bytes, size));
	return RS_OK;
}

/* Fragments behind an empty offset table (PS3.5 section A.4). */
static enum rs_code put_frames(struct reading *reading, struct rs_str uri, struct rs_error *err)
{
	static const uint8_t begin[] = {0xE0, 0x7F, 0x10, 0x00, 'O',  'B',  0,    0,    0xFF, 0xFF,
	                                0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0x00, 0x00, 0x00, 0x00};
	static const uint8_t item[] = {0xFE, 0xFF, 0x00, 0xE0}, end[] = {0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0};
	struct rs_buffer *out = &reading->builder.body;
	struct rs_bytes frame;
	const char *syntax;
	rs_buffer_append(out, begin, sizeof begin);
	for (size_t i = 0;; i++) {
		enum rs_code code = reading->bulk->find(reading->bulk->context, uri, i, &frame, &syntax, err);
		if (code == RS_NOT_FOUND)
			break;
		RS_TRY(code);
		if (strcmp(syntax, reading->syntax) != 0)
			return bad(PIXELS, "its frames have different transfer syntaxes", err);
		rs_buffer_append(out, item, sizeof item);
		put_binary(frame.size + (frame.size & 1), 4, out);
		rs_buffer_append_bytes(out, frame);
		if (frame.size & 1)
			rs_buffer_append_u8(out, 0);
	}
	rs_buffer_append(out, end, sizeof end);
	reading->builder.last_tag[0] = PIXELS;
	return rs_buffer_check(out, "an instance", err);
}

static enum rs_code put_bulk(struct reading *reading, uint32_t tag, const struct vr_row *row,
                             struct rs_str uri, struct rs_error *err)
{
	struct rs_bytes bytes;
	const char *syntax;
	enum rs_code code = reading->bulk->find(reading->bulk->context, uri, 0, &bytes, &syntax, err);
	if (code == RS_NOT_FOUND)
		return bad(tag, "no part of the body has its BulkDataURI as Content-Location", err);
	RS_TRY(code);
	if (strcmp(syntax, RS_DICOM_SYNTAX_EXPLICIT) == 0) {
		if (bytes.size % row->size != 0)
			return bad(tag, "its bulk data are not of whole values", err);
		rs_dicom_builder_bytes(&reading->builder, tag, row->vr, bytes);
		return RS_OK;
	}
	if (tag != PIXELS || reading->builder.depth > 0)
		return bad(tag, "only pixel data are compressed", err);
	(void)snprintf(reading->syntax, sizeof reading->syntax, "%s", syntax);
	return put_frames(reading, uri, err);
}

static enum rs_code put_dataset(struct reading *reading, const json_t *dataset, struct rs_error *err);

static enum rs_code put_items(struct reading *reading, uint32_t tag, const json_t *values,
                              struct rs_error *err)
{
	rs_dicom_builder_begin(&reading->builder, tag);
	for (size_t i = 0; i < json_array_size(values); i++) {
		rs_dicom_builder_begin(&reading->builder, RS_DICOM_ITEM);
		RS_TRY(put_dataset(reading, json_array_get(values, i), err));
		rs_dicom_builder_end(&reading->builder);
	}
	rs_dicom_builder_end(&reading->builder);
	return reading->builder.failure.code == RS_OK
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "%s", reading->builder.failure.message);
}

static enum rs_code put_element(struct reading *reading, const struct member *member, struct rs_error *err)
{
	const uint32_t tag = member->tag;
	const struct vr_row *row = row_of(member->value);
	const json_t *values = json_object_get(member->value, "Value"),
		     *uri = json_object_get(member->value, "BulkDataURI"),
		     *binary = json_object_get(member->value, "InlineBinary");
	if (!row)
		return bad(tag, "its vr is missing or none", err);
	if ((values && !json_is_array(values)) || (uri && !json_is_string(uri)) ||
	    (binary && !json_is_string(binary)) || (values != NULL) + (uri != NULL) + (binary != NULL) > 1)
		return bad(tag, "it has one of Value, InlineBinary and BulkDataURI", err);
	if (tag == CHARACTER_SET) {
		rs_dicom_builder_text(&reading->builder, tag, "CS", UTF8);
		return RS_OK;
	}
	if (row->kind == KIND_ITEMS && !uri && !binary)
		return put_items(reading, tag, values, err);
	if (row->kind == KIND_ITEMS || (row->kind == KIND_BYTES && values))
		return bad(tag, "its vr has no such value", err);
	if (uri)
		return put_bulk(reading, tag, row, string_of(uri), err);
	if (binary && row->kind != KIND_BYTES)
		return bad(tag, "its vr has no such value", err);
	return binary ? put_inline(reading, tag, row, string_of(binary), err)
	              : put_values(reading, tag, row, values, err);
}

/* JSON is UTF-8, which the data set has to say; the meta group and lengths of groups are made anew. */
static enum rs_code put_dataset(struct reading *reading, const json_t *dataset, struct rs_error *err)
{
	const bool is_top = reading->builder.depth == 0;
	size_t count = 0;
	struct member *members RS_CLEANUP(rs_free_pointer) = NULL;
	const char *key;
	json_t *value;
	if (!json_is_object(dataset) || json_object_size(dataset) > ELEMENTS_MAX)
		return rs_error_set(err, RS_MALFORMED, "a data set is an object of at most %zu elements",
		                    ELEMENTS_MAX);
	members = rs_allocate_array(json_object_size(dataset) + 1, sizeof *members);
	if (!members)
		return rs_error_memory(err, sizeof *members, "a data set");
	json_object_foreach((json_t *)(uintptr_t)dataset, key, value)
	{
		uint32_t tag;
		if (!parse_tag(key, &tag) || !json_is_object(value))
			return rs_error_set(err, RS_MALFORMED, "'%.20s' is no element", key);
		if (tag >> 16 != 2 && (tag & 0xFFFF) != 0 && !(tag == CHARACTER_SET && is_top))
			members[count++] = (struct member){tag, value};
	}
	if (is_top)
		members[count++] = (struct member){CHARACTER_SET, NULL};
	qsort(members, count, sizeof *members, by_tag);
	for (size_t i = 0; i < count; i++) {
		if (members[i].value)
			RS_TRY(put_element(reading, &members[i], err));
		else
			rs_dicom_builder_text(&reading->builder, CHARACTER_SET, "CS", UTF8);
		if (reading->builder.failure.code != RS_OK)
			return rs_error_set(err, RS_MALFORMED, "%s", reading->builder.failure.message);
	}
	return RS_OK;
}

struct rs_str dicom_json_uid(const json_t *dataset, const char *tag)
{
	const struct rs_str uid = string_of(
		json_array_get(json_object_get(json_object_get(dataset, tag), "Value"), 0));
	return rs_dicom_uid_valid(uid) ? uid : (struct rs_str){"", 0};
}

static enum rs_code read_dataset(struct reading *reading, const json_t *dataset, struct rs_buffer *out,
                                 struct rs_error *err)
{
	char uids[2][RS_UID_SIZE];
	static const char *const tags[] = {"00080016", "00080018"};
	for (size_t i = 0; i < RS_COUNT(tags); i++) {
		const struct rs_str uid = dicom_json_uid(dataset, tags[i]);
		if (uid.size == 0)
			return rs_error_set(err, RS_MALFORMED, "element %s is missing, or no UID", tags[i]);
		(void)snprintf(uids[i], sizeof uids[i], RS_STR_FORMAT, RS_STR_ARGUMENTS(uid));
	}
	RS_TRY(put_dataset(reading, dataset, err));
	RS_TRY(rs_dicom_put_meta(uids[0], uids[1],
	                         reading->syntax[0] ? reading->syntax : RS_DICOM_SYNTAX_EXPLICIT,
	                         RS_DICOM_IMPLEMENTATION_UID, out, err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&reading->builder.body));
	return rs_buffer_check(out, "an instance", err);
}

enum rs_code dicom_json_read(const json_t *dataset, const struct bulk_source *bulk, struct rs_buffer *out,
                             struct rs_error *err)
{
	struct reading reading = {.bulk = bulk};
	rs_dicom_builder_init(&reading.builder, RS_DICOM_EXPLICIT_LE, out->maximum);
	enum rs_code code = read_dataset(&reading, dataset, out, err);
	rs_dicom_builder_finish(&reading.builder);
	return code;
}
