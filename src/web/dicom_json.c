/* Elements as members of JSON objects. */
#include "dicom_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INLINE_MAX ((size_t)1024)
#define PATH_SIZE 256
#define TEXT_MAX ((size_t)64 << 20) /* of one value */

enum form { FORM_TEXT, FORM_NAME, FORM_INTEGER, FORM_DECIMAL, FORM_REAL, FORM_TAG, FORM_BYTES };

static const struct {
	char vr[3];
	uint8_t form;
	bool is_one; /* a backslash is a character */
} forms[] = {
	{"AT", FORM_TAG, false},  {"DS", FORM_DECIMAL, false}, {"FD", FORM_REAL, false},
	{"FL", FORM_REAL, false}, {"IS", FORM_INTEGER, false}, {"LT", FORM_TEXT, true},
	{"OB", FORM_BYTES, true}, {"OD", FORM_BYTES, true},    {"OF", FORM_BYTES, true},
	{"OL", FORM_BYTES, true}, {"OV", FORM_BYTES, true},    {"OW", FORM_BYTES, true},
	{"PN", FORM_NAME, false}, {"SL", FORM_INTEGER, false}, {"SS", FORM_INTEGER, false},
	{"ST", FORM_TEXT, true},  {"SV", FORM_INTEGER, false}, {"UL", FORM_INTEGER, false},
	{"UN", FORM_BYTES, true}, {"UR", FORM_TEXT, true},     {"US", FORM_INTEGER, false},
	{"UT", FORM_TEXT, true},  {"UV", FORM_INTEGER, false},
};

static size_t form_index(const char *vr)
{
	size_t i = 0;
	while (i < RS_COUNT(forms) && strcmp(forms[i].vr, vr) != 0)
		i++;
	return i;
}

static enum form form_of(const char *vr)
{
	size_t i = form_index(vr);
	return i < RS_COUNT(forms) ? forms[i].form : FORM_TEXT;
}

struct writing_json {
	const struct rs_dicom *dicom;
	const char *bulk_url;
	struct rs_json *json;
	struct rs_buffer text; /* of one value */
	char path[PATH_SIZE];
	size_t path_size;
};

static enum rs_code put_elements(struct writing_json *writing, size_t begin, size_t end,
                                 struct rs_error *err);

static void put_key(struct rs_json *json, uint32_t tag)
{
	char key[9];
	snprintf(key, sizeof key, "%08X", (unsigned)tag);
	rs_json_key(json, key);
}

/* Groups of a name: what it looks like in letters, in ideographs, and how it sounds. */
static void put_name(struct rs_json *json, struct rs_str name)
{
	static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
	struct rs_str group;
	rs_json_object_begin(json);
	for (size_t i = 0; i < RS_COUNT(groups) && rs_str_split(&name, '=', &group); i++) {
		group = rs_str_trim(group);
		if (group.size == 0)
			continue;
		rs_json_key(json, groups[i]);
		rs_json_str(json, group);
	}
	rs_json_object_end(json);
}

static void put_real(struct rs_json *json, double value)
{
	if (isnan(value))
		rs_json_text(json, "NaN");
	else if (isinf(value))
		rs_json_text(json, value > 0 ? "inf" : "-inf");
	else
		rs_json_f64(json, value);
}

/* A value in UTF-8. What should be a number and is none stays a text. */
static void put_text(struct rs_json *json, enum form form, struct rs_str text)
{
	int64_t integer;
	double real;
	if (text.size == 0)
		rs_json_null(json);
	else if (form == FORM_NAME)
		put_name(json, text);
	else if (form == FORM_INTEGER && rs_parse_i64(text, &integer))
		rs_json_i64(json, integer);
	else if ((form == FORM_DECIMAL || form == FORM_REAL) && rs_parse_f64(text, &real))
		put_real(json, real);
	else
		rs_json_str(json, text);
}

static void put_tag(struct rs_json *json, const struct rs_dicom_element *element, size_t index)
{
	const uint8_t *at = element->value.data + 4 * index;
	bool big = element->encoding == RS_DICOM_EXPLICIT_BE;
	char text[9];
	snprintf(text, sizeof text, "%04X%04X", big ? rs_read_be16(at) : rs_read_le16(at),
	         big ? rs_read_be16(at + 2) : rs_read_le16(at + 2));
	rs_json_text(json, text);
}

static bool is_binary_number(const char *vr)
{
	static const char *const known[] = {"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"};
	for (size_t i = 0; i < RS_COUNT(known); i++)
		if (strcmp(known[i], vr) == 0)
			return true;
	return false;
}

static void put_number(struct rs_json *json, const struct rs_dicom_element *element, size_t index)
{
	int64_t integer;
	double real = 0;
	if (strcmp(element->vr, "UV") == 0)
		rs_json_u64(json, element->encoding == RS_DICOM_EXPLICIT_BE
		                          ? rs_read_be64(element->value.data + 8 * index)
		                          : rs_read_le64(element->value.data + 8 * index));
	else if (form_of(element->vr) == FORM_INTEGER && rs_dicom_int(element, index, &integer))
		rs_json_i64(json, integer);
	else if (rs_dicom_double(element, index, &real))
		put_real(json, real);
	else
		rs_json_null(json);
}

static enum rs_code put_texts(struct writing_json *writing, const struct rs_dicom_element *element,
                              size_t count, struct rs_error *err)
{
	struct rs_dicom_charset charset;
	RS_TRY(rs_dicom_charset_of(writing->dicom, element, &charset, err));
	for (size_t i = 0; i < count; i++) {
		rs_buffer_clear(&writing->text);
		RS_TRY(rs_dicom_text_utf8(&charset, element, i, &writing->text, NULL, err));
		put_text(writing->json, form_of(element->vr), rs_buffer_str(&writing->text));
	}
	return RS_OK;
}

static enum rs_code put_values(struct writing_json *writing, const struct rs_dicom_element *element,
                               struct rs_error *err)
{
	struct rs_json *json = writing->json;
	enum form form = form_of(element->vr);
	size_t count = form == FORM_TAG ? element->value.size / 4 : rs_dicom_multiplicity(element);
	enum rs_code code = RS_OK;
	rs_json_key(json, "Value");
	rs_json_array_begin(json);
	if (form == FORM_TAG || is_binary_number(element->vr))
		for (size_t i = 0; i < count; i++)
			if (form == FORM_TAG)
				put_tag(json, element, i);
			else
				put_number(json, element, i);
	else
		code = put_texts(writing, element, count, err);
	rs_json_array_end(json);
	return code;
}

static enum rs_code put_bytes(struct writing_json *writing, const struct rs_dicom_element *element,
                              struct rs_error *err)
{
	struct rs_json *json = writing->json;
	const struct rs_bytes bytes = element->value;
	if (writing->bulk_url && bytes.size > INLINE_MAX && writing->path_size < PATH_SIZE - 16) {
		rs_buffer_clear(&writing->text);
		rs_buffer_printf(&writing->text, "%s/%.*s%08X", writing->bulk_url, (int)writing->path_size,
		                 writing->path, (unsigned)element->tag);
		rs_json_key(json, "BulkDataURI");
		rs_json_str(json, rs_buffer_str(&writing->text));
		return rs_buffer_check(&writing->text, "a URL", err);
	}
	rs_buffer_clear(&writing->text);
	if (rs_buffer_reserve(&writing->text, RS_BASE64_SIZE(bytes.size)) != RS_OK)
		return rs_buffer_check(&writing->text, "a value in text", err);
	rs_base64_encode(bytes, (char *)writing->text.data);
	rs_json_key(json, "InlineBinary");
	rs_json_text(json, (const char *)writing->text.data);
	return RS_OK;
}

static enum rs_code put_items(struct writing_json *writing, size_t sequence, struct rs_error *err)
{
	const struct rs_dicom_element *elements = writing->dicom->elements;
	const size_t before = writing->path_size;
	enum rs_code code = RS_OK;
	unsigned number = 1;
	rs_json_key(writing->json, "Value");
	rs_json_array_begin(writing->json);
	for (size_t item = sequence + 1; code == RS_OK && item < elements[sequence].next;
	     item = elements[item].next) {
		int size = before + 32 < PATH_SIZE
		                   ? snprintf(writing->path + before, PATH_SIZE - before, "%08X.%u.",
		                              (unsigned)elements[sequence].tag, number++)
		                   : (int)(PATH_SIZE - before);
		writing->path_size = before + (size_t)size;
		rs_json_object_begin(writing->json);
		code = put_elements(writing, item + 1, elements[item].next, err);
		rs_json_object_end(writing->json);
	}
	writing->path_size = before;
	rs_json_array_end(writing->json);
	return code;
}

static enum rs_code put_element(struct writing_json *writing, size_t index, struct rs_error *err)
{
	const struct rs_dicom_element *element = &writing->dicom->elements[index];
	struct rs_json *json = writing->json;
	bool sequence = element->has_children || strcmp(element->vr, "SQ") == 0;
	enum rs_code code = RS_OK;
	put_key(json, element->tag);
	rs_json_object_begin(json);
	rs_json_key(json, "vr");
	rs_json_text(json, sequence ? "SQ" : element->vr[0] ? element->vr : "UN");
	if (element->has_children && element->next > index + 1)
		code = put_items(writing, index, err);
	else if (!sequence && element->value.size > 0)
		code = form_of(element->vr[0] ? element->vr : "UN") == FORM_BYTES
		               ? put_bytes(writing, element, err)
		               : put_values(writing, element, err);
	rs_json_object_end(json);
	return code;
}

static bool is_left_out(uint32_t tag)
{
	return (tag & 0xFFFF) == 0 || (tag & 0xFFFF0000) == RS_DICOM_TAG(0x7FE0, 0) ||
	       tag == RS_DICOM_TAG(0xFFFC, 0xFFFC);
}

static enum rs_code put_elements(struct writing_json *writing, size_t begin, size_t end, struct rs_error *err)
{
	const struct rs_dicom_element *elements = writing->dicom->elements;
	for (size_t i = begin; i < end; i = elements[i].next)
		if (!is_left_out(elements[i].tag))
			RS_TRY(put_element(writing, i, err));
	return RS_OK;
}

enum rs_code dicom_json_write(const struct rs_dicom *dicom, const char *bulk_url, bool pixels,
                              struct rs_json *json, struct rs_error *err)
{
	struct writing_json writing = {.dicom = dicom, .bulk_url = bulk_url, .json = json};
	rs_buffer_init(&writing.text, TEXT_MAX);
	rs_json_object_begin(json);
	enum rs_code code = put_elements(&writing, dicom->meta_count, dicom->count, err);
	if (code == RS_OK && pixels && bulk_url) {
		put_key(json, RS_DICOM_PIXEL_DATA);
		rs_json_object_begin(json);
		rs_json_key(json, "vr");
		rs_json_text(json, "OW");
		rs_buffer_clear(&writing.text);
		rs_buffer_printf(&writing.text, "%s/7FE00010", bulk_url);
		rs_json_key(json, "BulkDataURI");
		rs_json_str(json, rs_buffer_str(&writing.text));
		rs_json_object_end(json);
	}
	rs_json_object_end(json);
	rs_buffer_finish(&writing.text);
	return code == RS_OK ? rs_buffer_check(json->out, "the answer", err) : code;
}

static bool tag_of(struct rs_str text, uint32_t *out)
{
	uint8_t bytes[4];
	if (!rs_hex_decode(text, bytes, sizeof bytes))
		return false;
	*out = rs_read_be32(bytes);
	return true;
}

const struct rs_dicom_element *bulk_find(const struct rs_dicom *dicom, struct rs_str path)
{
	const struct rs_dicom_element *parent = NULL, *element = NULL;
	struct rs_str part;
	uint64_t number;
	uint32_t tag;
	for (bool at_tag = true; rs_str_split(&path, '.', &part); at_tag = !at_tag) {
		if (at_tag) {
			element = tag_of(part, &tag) ? rs_dicom_find(dicom, parent, tag) : NULL;
			if (!element)
				return NULL;
		} else {
			parent = rs_parse_u64(part, &number) && number > 0 && element->has_children
			                 ? rs_dicom_item(dicom, element, (size_t)number - 1)
			                 : NULL;
			element = NULL;
			if (!parent)
				return NULL;
		}
	}
	return element;
}

void dicom_json_put(struct rs_json *json, uint32_t tag, const char *vr, struct rs_str value)
{
	const size_t index = form_index(vr);
	const bool is_one = index < RS_COUNT(forms) && forms[index].is_one;
	struct rs_str part;
	put_key(json, tag);
	rs_json_object_begin(json);
	rs_json_key(json, "vr");
	rs_json_text(json, vr);
	if (value.size > 0) {
		rs_json_key(json, "Value");
		rs_json_array_begin(json);
		while (rs_str_split(&value, is_one ? '\0' : '\\', &part))
			put_text(json, form_of(vr), part);
		rs_json_array_end(json);
	}
	rs_json_object_end(json);
}
