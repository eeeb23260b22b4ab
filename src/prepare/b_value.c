/* Diffusion weighting, as manufacturers write it. Sources: PS3.3 C.8.13.5.9; the conformance statements of GE (0043,1039),
 * Siemens (0019,100C; the CSA header's B_value; b in SequenceName), Philips (2001,1003); Canon and Toshiba write the
 * standard's attribute, and "b=500" into ImageComments. */
#include <math.h>
#include <string.h>

#include "facts.h"

#define B_MAX 50000.0
/* GE adds 1e9 to the weighting of directions that it combined. */
#define GE_COMBINED 1e9
#define GE_KEPT 100000.0

/* The private element (group, xxlow) of the data set, where `creator` owns the block xx. */
static const struct rs_dicom_element *private_find(const struct rs_dicom *dicom, uint16_t group,
                                                   const char *creator, uint8_t low)
{
	for (size_t i = 0; i < dicom->count; i = dicom->elements[i].next) {
		const struct rs_dicom_element *owner = &dicom->elements[i];
		uint32_t block = owner->tag & 0xFFFF;
		if (owner->tag >> 16 == group && block >= 0x10 && block <= 0xFF &&
		    rs_str_equal_text(rs_dicom_text(owner, 0), creator))
			return rs_dicom_find(dicom, NULL, RS_DICOM_TAG(group, block << 8 | low));
	}
	return NULL;
}

/* Of any VR: files that were written with an implicit one have "UN" here, and decimals, or a binary number of 4 or 8 bytes. */
static double number_of(const struct rs_dicom_element *element)
{
	double value;
	struct rs_str rest, part;
	if (!element)
		return NAN;
	if (rs_dicom_double(element, 0, &value))
		return value;
	rest = rs_str_of_bytes(element->value);
	while (rest.size > 0 && rest.data[rest.size - 1] == '\0')
		rest.size--;
	if (rs_str_split(&rest, '\\', &part) && rs_parse_f64(rs_str_trim(part), &value))
		return value;
	if (element->value.size == 4) {
		uint32_t bits = rs_read_le32(element->value.data);
		float narrow;
		memcpy(&narrow, &bits, sizeof narrow);
		return (double)narrow;
	}
	if (element->value.size == 8) {
		uint64_t bits = rs_read_le64(element->value.data);
		memcpy(&value, &bits, sizeof value);
		return value;
	}
	return NAN;
}

static double of_standard(const struct facts_source *source)
{
	return number_of(facts_find(source, RS_DICOM_TAG(0x0018, 0x9117), RS_DICOM_TAG(0x0018, 0x9087)));
}

/* An image that was not weighted has this attribute, too, with 0: it tells something only of diffusion. */
static double of_ge(const struct facts_source *source)
{
	double b = number_of(private_find(source->dicom, 0x0043, "GEMS_PARM_01", 0x39));
	return b >= GE_COMBINED ? fmod(b, GE_KEPT) : b;
}

static double of_siemens(const struct facts_source *source)
{
	return number_of(private_find(source->dicom, 0x0019, "SIEMENS MR HEADER", 0x0C));
}

static double of_philips(const struct facts_source *source)
{
	return number_of(private_find(source->dicom, 0x2001, "Philips Imaging DD 001", 0x03));
}

/* Siemens' CSA header, "SV10": a count, then tags of 84 bytes (name 64, vm 4, vr 4, syngo type 4, items 4, 4), each followed
 * by its items: 16 bytes, of which the second four are the size, then the text, padded to 4 bytes. */
#define CSA_TAG_SIZE 84
#define CSA_TAGS_MAX 1024
static double csa_value(struct rs_bytes bytes, const char *name)
{
	size_t at = 16, tags;
	if (bytes.size < at || memcmp(bytes.data, "SV10", 4) != 0)
		return NAN;
	tags = rs_read_le32(bytes.data + 8);
	for (size_t t = 0; t < tags && t < CSA_TAGS_MAX && bytes.size - at >= CSA_TAG_SIZE; t++) {
		const uint8_t *tag = bytes.data + at;
		bool wanted = memcmp(tag, name, strlen(name) + 1) == 0;
		uint32_t items = rs_read_le32(tag + 76);
		at += CSA_TAG_SIZE;
		for (uint32_t i = 0; i < items && bytes.size - at >= 16; i++) {
			size_t size = rs_read_le32(bytes.data + at + 4), padded = (size + 3) & ~(size_t)3;
			at += 16;
			if (padded < size || padded > bytes.size - at)
				return NAN;
			struct rs_str text = rs_str_of_bytes(rs_bytes_of(bytes.data + at, size));
			while (text.size > 0 && text.data[text.size - 1] == '\0')
				text.size--;
			double value;
			if (wanted && rs_parse_f64(rs_str_trim(text), &value))
				return value;
			at += padded;
		}
	}
	return NAN;
}

static double of_csa(const struct facts_source *source)
{
	const struct rs_dicom_element *header = private_find(source->dicom, 0x0029, "SIEMENS CSA HEADER",
	                                                     0x10);
	return header ? csa_value(header->value, "B_value") : NAN;
}

/* The digits after `mark`. */
static double digits_after(struct rs_str text, const char *mark)
{
	size_t length = strlen(mark);
	for (size_t i = 0; i + length < text.size; i++) {
		size_t end = i + length;
		double value;
		if (memcmp(text.data + i, mark, length) != 0)
			continue;
		while (end < text.size && text.data[end] >= '0' && text.data[end] <= '9')
			end++;
		if (rs_parse_f64((struct rs_str){text.data + i + length, end - i - length}, &value))
			return value;
	}
	return NAN;
}

static double of_sequence_name(const struct facts_source *source)
{
	return digits_after(
		rs_dicom_text(rs_dicom_find(source->dicom, NULL, RS_DICOM_TAG(0x0018, 0x0024)), 0), "ep_b");
}

static double of_comments(const struct facts_source *source)
{
	struct rs_str text = rs_dicom_text(rs_dicom_find(source->dicom, NULL, RS_DICOM_TAG(0x0020, 0x4000)),
	                                   0);
	double b = digits_after(text, "b=");
	return isnan(b) ? digits_after(text, "B=") : b;
}

static const struct {
	double (*read)(const struct facts_source *source);
	const char *name;
} sources[] = {
	{of_standard, "DiffusionBValue"}, {of_siemens, "Siemens' (0019,100C)"},
	{of_csa, "Siemens' CSA header"},  {of_philips, "Philips' (2001,1003)"},
	{of_ge, "GE's (0043,1039)"},      {of_sequence_name, "SequenceName"},
	{of_comments, "ImageComments"},
};

double b_value_of(const struct facts_source *source, const char **out_source)
{
	*out_source = NULL;
	for (size_t i = 0; i < RS_COUNT(sources); i++) {
		double b = sources[i].read(source);
		if (!(b >= 0 && b <= B_MAX))
			continue;
		*out_source = sources[i].name;
		return b;
	}
	return NAN;
}
