/* Finds elements and reads their values as text and numbers (PS3.5 section 6.2). */
#include <string.h>

#include "dicom/dicom_private.h"

const struct rs_dicom_element *rs_dicom_find(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *parent, uint32_t tag)
{
	uint32_t i = parent == NULL ? 0 : (uint32_t)(parent - dicom->elements) + 1;
	uint32_t end = parent == NULL ? (uint32_t)dicom->count : parent->next;
	for (; i < end; i = dicom->elements[i].next)
		if (dicom->elements[i].tag == tag)
			return &dicom->elements[i];
	return NULL;
}

const struct rs_dicom_element *rs_dicom_item(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *sequence, size_t index)
{
	if (sequence == NULL || !sequence->has_children)
		return NULL;
	for (uint32_t i = (uint32_t)(sequence - dicom->elements) + 1; i < sequence->next;
	     i = dicom->elements[i].next)
		if (index-- == 0)
			return &dicom->elements[i];
	return NULL;
}

size_t rs_dicom_item_count(const struct rs_dicom *dicom, const struct rs_dicom_element *sequence)
{
	size_t count = 0;
	if (sequence == NULL || !sequence->has_children)
		return 0;
	for (uint32_t i = (uint32_t)(sequence - dicom->elements) + 1; i < sequence->next;
	     i = dicom->elements[i].next)
		count++;
	return count;
}

static bool vr_is(const struct rs_dicom_element *element, const char *vr)
{
	return memcmp(element->vr, vr, 2) == 0;
}

/* Bytes of one binary component; 0 for text. */
static size_t component_size(const struct rs_dicom_element *e)
{
	if (vr_is(e, "US") || vr_is(e, "SS") || vr_is(e, "OW"))
		return 2;
	if (vr_is(e, "UL") || vr_is(e, "SL") || vr_is(e, "FL") || vr_is(e, "OL") || vr_is(e, "OF") ||
	    vr_is(e, "AT"))
		return 4;
	if (vr_is(e, "UV") || vr_is(e, "SV") || vr_is(e, "FD") || vr_is(e, "OD") || vr_is(e, "OV"))
		return 8;
	return 0;
}

static bool has_one_value(const struct rs_dicom_element *e)
{
	return vr_is(e, "UT") || vr_is(e, "ST") || vr_is(e, "LT") || vr_is(e, "UR");
}

size_t rs_dicom_multiplicity(const struct rs_dicom_element *element)
{
	if (element == NULL || element->has_children || element->value.size == 0)
		return 0;
	size_t size = component_size(element);
	size_t count = 1;
	if (size != 0)
		return element->value.size / size;
	if (has_one_value(element))
		return 1;
	for (size_t i = 0; i < element->value.size; i++)
		count += element->value.data[i] == '\\';
	return count;
}

static bool is_padding(char c) { return c == ' ' || c == '\0'; }

struct rs_str rs_dicom_text(const struct rs_dicom_element *element, size_t index)
{
	struct rs_str part = {"", 0};
	if (element == NULL || element->has_children || element->value.size == 0)
		return part;
	struct rs_str rest = rs_str_of_bytes(element->value);
	if (has_one_value(element)) {
		part = index == 0 ? rest : part;
	} else {
		do {
			if (!rs_str_split(&rest, '\\', &part))
				return (struct rs_str){"", 0};
		} while (index-- != 0);
	}
	while (part.size != 0 && is_padding(part.data[part.size - 1]))
		part.size--;
	while (part.size != 0 && is_padding(part.data[0]) && !has_one_value(element)) {
		part.data++;
		part.size--;
	}
	return part;
}

/* The component's bits, most significant first, whatever the byte order of the file. */
static bool component_bits(const struct rs_dicom_element *e, size_t index, uint64_t *out)
{
	size_t size = component_size(e);
	if (e->has_children || size == 0 || index >= e->value.size / size)
		return false;
	const uint8_t *p = e->value.data + index * size;
	bool big = e->encoding == RS_DICOM_EXPLICIT_BE;
	*out = size == 2   ? (big ? rs_read_be16(p) : rs_read_le16(p))
	       : size == 4 ? (big ? rs_read_be32(p) : rs_read_le32(p))
	                   : (big ? rs_read_be64(p) : rs_read_le64(p));
	return true;
}

static struct rs_str without_plus(struct rs_str text)
{
	if (text.size > 1 && text.data[0] == '+' && text.data[1] != '-') {
		text.data++;
		text.size--;
	}
	return text;
}

bool rs_dicom_int(const struct rs_dicom_element *element, size_t index, int64_t *out)
{
	uint64_t bits;
	if (element == NULL)
		return false;
	if (vr_is(element, "IS") || vr_is(element, "DS"))
		return rs_parse_i64(without_plus(rs_dicom_text(element, index)), out);
	if (vr_is(element, "FL") || vr_is(element, "FD") || vr_is(element, "OF") || vr_is(element, "OD") ||
	    vr_is(element, "AT") || !component_bits(element, index, &bits))
		return false;
	if (vr_is(element, "SS"))
		*out = (int16_t)bits;
	else if (vr_is(element, "SL"))
		*out = (int32_t)bits;
	else if (bits > INT64_MAX && !vr_is(element, "SV"))
		return false;
	else
		*out = (int64_t)bits;
	return true;
}

bool rs_dicom_double(const struct rs_dicom_element *element, size_t index, double *out)
{
	uint64_t bits;
	int64_t whole;
	if (element == NULL)
		return false;
	if (vr_is(element, "DS") || vr_is(element, "IS"))
		return rs_parse_f64(without_plus(rs_dicom_text(element, index)), out);
	if (vr_is(element, "FD") || vr_is(element, "OD")) {
		if (!component_bits(element, index, &bits))
			return false;
		memcpy(out, &bits, sizeof(*out));
		return true;
	}
	if (vr_is(element, "FL") || vr_is(element, "OF")) {
		if (!component_bits(element, index, &bits))
			return false;
		uint32_t low = (uint32_t)bits;
		float number;
		memcpy(&number, &low, sizeof(number));
		*out = (double)number;
		return true;
	}
	if (!rs_dicom_int(element, index, &whole))
		return false;
	*out = (double)whole;
	return true;
}

bool rs_dicom_uid_valid(struct rs_str uid)
{
	if (uid.size == 0 || uid.size > 64)
		return false;
	bool at_start = true;
	for (size_t i = 0; i < uid.size; i++) {
		char c = uid.data[i];
		if (c == '.') {
			if (at_start)
				return false;
			at_start = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		/* A component of more than one digit has no leading zero. */
		if (at_start && c == '0' && i + 1 < uid.size && uid.data[i + 1] != '.')
			return false;
		at_start = false;
	}
	return !at_start;
}
