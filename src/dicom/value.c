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

/* PS3.5 section 6.2.2: what was stored as unknown may be read as what the dictionary knows it to be. */
const char *rs_dicom_meant_vr(const struct rs_dicom_element *element)
{
	if (strcmp(element->vr, "UN") != 0 && element->vr[0] != ' ')
		return element->vr;
	const struct rs_dicom_entry *entry = rs_dicom_lookup(element->tag);
	return entry != NULL ? entry->vr : element->vr;
}

static bool vr_is(const char *a, const char *b) { return memcmp(a, b, 2) == 0; }

/* Bytes of one binary component; 0 for text. */
static size_t component_size(const char *vr)
{
	static const struct {
		char vr[3];
		uint8_t size;
	} binary[] = {{"US", 2}, {"SS", 2}, {"OW", 2}, {"UL", 4}, {"SL", 4}, {"FL", 4}, {"OL", 4},
	              {"OF", 4}, {"AT", 4}, {"UV", 8}, {"SV", 8}, {"FD", 8}, {"OD", 8}, {"OV", 8}};
	for (size_t i = 0; i < RS_COUNT(binary); i++)
		if (vr_is(vr, binary[i].vr))
			return binary[i].size;
	return 0;
}

bool rs_dicom_vr_has_one_value(const char *vr)
{
	return strcmp(vr, "UT") == 0 || strcmp(vr, "ST") == 0 || strcmp(vr, "LT") == 0 ||
	       strcmp(vr, "UR") == 0;
}

size_t rs_dicom_multiplicity(const struct rs_dicom_element *element)
{
	if (element == NULL || element->has_children || element->value.size == 0)
		return 0;
	const char *vr = rs_dicom_meant_vr(element);
	size_t size = component_size(vr);
	size_t count = 1;
	if (size != 0)
		return element->value.size / size;
	if (rs_dicom_vr_has_one_value(vr))
		return 1;
	for (size_t i = 0; i < element->value.size; i++)
		count += element->value.data[i] == '\\';
	return count;
}

static bool is_padding(char c) { return c == ' ' || c == '\0'; }

static struct rs_str without_padding(struct rs_str text)
{
	while (text.size != 0 && is_padding(text.data[text.size - 1]))
		text.size--;
	while (text.size != 0 && is_padding(text.data[0])) {
		text.data++;
		text.size--;
	}
	return text;
}

struct rs_str rs_dicom_text(const struct rs_dicom_element *element, size_t index)
{
	struct rs_str part = {"", 0};
	if (element == NULL || element->has_children || element->value.size == 0)
		return part;
	struct rs_str rest = rs_str_of_bytes(element->value);
	bool one_value = rs_dicom_vr_has_one_value(rs_dicom_meant_vr(element));
	if (one_value) {
		part = index == 0 ? rest : part;
	} else {
		do {
			if (!rs_str_split(&rest, '\\', &part))
				return (struct rs_str){"", 0};
		} while (index-- != 0);
	}
	if (!one_value)
		return without_padding(part);
	while (part.size != 0 && is_padding(part.data[part.size - 1]))
		part.size--;
	return part;
}

/* The component's bits, most significant first, whatever the byte order of the file; UN is little endian. */
static bool component_bits(const struct rs_dicom_element *e, const char *vr, size_t index, uint64_t *out)
{
	size_t size = component_size(vr);
	if (e->has_children || size == 0 || index >= e->value.size / size)
		return false;
	const uint8_t *p = e->value.data + index * size;
	bool big = e->encoding == RS_DICOM_EXPLICIT_BE && vr == e->vr;
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
	const char *vr = rs_dicom_meant_vr(element);
	if (vr_is(vr, "IS") || vr_is(vr, "DS"))
		return rs_parse_i64(without_plus(rs_dicom_text(element, index)), out);
	if (vr_is(vr, "FL") || vr_is(vr, "FD") || vr_is(vr, "OF") || vr_is(vr, "OD") || vr_is(vr, "AT") ||
	    !component_bits(element, vr, index, &bits))
		return false;
	if (vr_is(vr, "SS"))
		*out = (int16_t)bits;
	else if (vr_is(vr, "SL"))
		*out = (int32_t)bits;
	else if (bits > INT64_MAX && !vr_is(vr, "SV"))
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
	const char *vr = rs_dicom_meant_vr(element);
	if (vr_is(vr, "DS") || vr_is(vr, "IS"))
		return rs_parse_f64(without_plus(rs_dicom_text(element, index)), out);
	if (vr_is(vr, "FD") || vr_is(vr, "OD")) {
		if (!component_bits(element, vr, index, &bits))
			return false;
		memcpy(out, &bits, sizeof(*out));
		return true;
	}
	if (vr_is(vr, "FL") || vr_is(vr, "OF")) {
		if (!component_bits(element, vr, index, &bits))
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

/* rs_dicom_double walks from the first component each time: a contour of thousands would take its square. */
bool rs_dicom_doubles(const struct rs_dicom_element *element, size_t count, double *out)
{
	if (element == NULL || element->has_children)
		return false;
	if (!vr_is(rs_dicom_meant_vr(element), "DS") && !vr_is(rs_dicom_meant_vr(element), "IS")) {
		for (size_t i = 0; i < count; i++)
			if (!rs_dicom_double(element, i, &out[i]))
				return false;
		return true;
	}
	struct rs_str rest = rs_str_of_bytes(element->value), part;
	for (size_t i = 0; i < count; i++)
		if (!rs_str_split(&rest, '\\', &part) ||
		    !rs_parse_f64(without_plus(without_padding(part)), &out[i]))
			return false;
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
