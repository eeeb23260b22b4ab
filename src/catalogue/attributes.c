/* Which attributes are kept, and reading them from a data set. */
#include <stdlib.h>
#include <string.h>

#include "values.h"

/* PS3.4 tables C.6-1 to C.6-5 and PS3.18 section 10.6.3, without sequences; what viewers ask for beyond. Number (of boxes),
 * level, tag, VR. In the order of levels; numbers below 100. */
static const struct rs_catalogue_attribute attributes[] = {
	{1, RS_LEVEL_PATIENT, 0x00100010, "PN"},
	{2, RS_LEVEL_PATIENT, 0x00100020, "LO"},
	{3, RS_LEVEL_PATIENT, 0x00100021, "LO"},
	{4, RS_LEVEL_PATIENT, 0x00100030, "DA"},
	{5, RS_LEVEL_PATIENT, 0x00100032, "TM"},
	{6, RS_LEVEL_PATIENT, 0x00100040, "CS"},
	{7, RS_LEVEL_PATIENT, 0x00101000, "LO"}, /* OtherPatientIDs */
	{8, RS_LEVEL_PATIENT, 0x00102160, "SH"}, /* EthnicGroup */
	{0, RS_LEVEL_PATIENT, COUNT_PATIENT_STUDIES, "IS"},
	{0, RS_LEVEL_PATIENT, COUNT_PATIENT_SERIES, "IS"},
	{0, RS_LEVEL_PATIENT, COUNT_PATIENT_INSTANCES, "IS"},
	{20, RS_LEVEL_STUDY, 0x0020000D, "UI"},
	{21, RS_LEVEL_STUDY, 0x00080020, "DA"},
	{22, RS_LEVEL_STUDY, 0x00080030, "TM"},
	{23, RS_LEVEL_STUDY, 0x00080050, "SH"}, /* AccessionNumber */
	{24, RS_LEVEL_STUDY, 0x00200010, "SH"}, /* StudyID */
	{25, RS_LEVEL_STUDY, 0x00081030, "LO"},
	{26, RS_LEVEL_STUDY, 0x00080090, "PN"}, /* ReferringPhysicianName */
	{27, RS_LEVEL_STUDY, 0x00081060, "PN"}, /* NameOfPhysiciansReadingStudy */
	{28, RS_LEVEL_STUDY, 0x00101010, "AS"}, /* PatientAge, Size, Weight */
	{29, RS_LEVEL_STUDY, 0x00101020, "DS"},
	{30, RS_LEVEL_STUDY, 0x00101030, "DS"},
	{ATTRIBUTE_MODALITIES, RS_LEVEL_STUDY, 0x00080061, "CS"},
	{ATTRIBUTE_CLASSES, RS_LEVEL_STUDY, 0x00080062, "UI"},
	{33, RS_LEVEL_STUDY, 0x00080201, "SH"}, /* TimezoneOffsetFromUTC */
	{0, RS_LEVEL_STUDY, COUNT_STUDY_SERIES, "IS"},
	{0, RS_LEVEL_STUDY, COUNT_STUDY_INSTANCES, "IS"},
	{40, RS_LEVEL_SERIES, 0x0020000E, "UI"},
	{ATTRIBUTE_MODALITY, RS_LEVEL_SERIES, 0x00080060, "CS"},
	{42, RS_LEVEL_SERIES, 0x00200011, "IS"},
	{43, RS_LEVEL_SERIES, 0x0008103E, "LO"},
	{44, RS_LEVEL_SERIES, 0x00080021, "DA"},
	{45, RS_LEVEL_SERIES, 0x00080031, "TM"},
	{46, RS_LEVEL_SERIES, 0x00180015, "CS"}, /* BodyPartExamined */
	{47, RS_LEVEL_SERIES, 0x00200060, "CS"}, /* Laterality */
	{48, RS_LEVEL_SERIES, 0x00181030, "LO"}, /* ProtocolName */
	{49, RS_LEVEL_SERIES, 0x00400244, "DA"}, /* PerformedProcedureStepStartDate, -Time, -Description */
	{50, RS_LEVEL_SERIES, 0x00400245, "TM"},
	{51, RS_LEVEL_SERIES, 0x00400254, "LO"},
	{52, RS_LEVEL_SERIES, 0x00081070, "PN"}, /* OperatorsName */
	{53, RS_LEVEL_SERIES, 0x00081050, "PN"}, /* PerformingPhysicianName */
	{54, RS_LEVEL_SERIES, 0x00080070, "LO"}, /* Manufacturer, its model's name */
	{55, RS_LEVEL_SERIES, 0x00081090, "LO"},
	{56, RS_LEVEL_SERIES, 0x00081010, "SH"}, /* StationName */
	{57, RS_LEVEL_SERIES, 0x00080080, "LO"}, /* InstitutionName */
	{0, RS_LEVEL_SERIES, COUNT_SERIES_INSTANCES, "IS"},
	{ATTRIBUTE_INSTANCE, RS_LEVEL_IMAGE, 0x00080018, "UI"},
	{ATTRIBUTE_CLASS, RS_LEVEL_IMAGE, 0x00080016, "UI"},
	{ATTRIBUTE_SYNTAX, RS_LEVEL_IMAGE, 0x00083002, "UI"}, /* AvailableTransferSyntaxUID */
	{63, RS_LEVEL_IMAGE, 0x00200013, "IS"},
	{64, RS_LEVEL_IMAGE, 0x00280010, "US"}, /* Rows, Columns, BitsAllocated */
	{65, RS_LEVEL_IMAGE, 0x00280011, "US"},
	{66, RS_LEVEL_IMAGE, 0x00280100, "US"},
	{67, RS_LEVEL_IMAGE, 0x00280008, "IS"}, /* NumberOfFrames */
	{68, RS_LEVEL_IMAGE, 0x00080023, "DA"}, /* ContentDate, ContentTime */
	{69, RS_LEVEL_IMAGE, 0x00080033, "TM"},
	{70, RS_LEVEL_IMAGE, 0x00200012, "IS"}, /* AcquisitionNumber */
	{71, RS_LEVEL_IMAGE, 0x00080008, "CS"}, /* ImageType */
};

static const char *const level_names[RS_LEVEL_COUNT] = {"PATIENT", "STUDY", "SERIES", "IMAGE"};

const char *rs_level_name(enum rs_level level) { return level_names[level]; }

bool rs_level_from_name(struct rs_str name, enum rs_level *out)
{
	for (size_t i = 0; i < RS_LEVEL_COUNT; i++)
		if (rs_str_equal_ignoring_case(name, rs_str_from(level_names[i]))) {
			*out = (enum rs_level)i;
			return true;
		}
	return false;
}

const struct rs_catalogue_attribute *rs_catalogue_attributes(size_t *out_count)
{
	*out_count = RS_COUNT(attributes);
	return attributes;
}

const struct rs_catalogue_attribute *rs_catalogue_attribute(uint32_t tag)
{
	for (size_t i = 0; i < RS_COUNT(attributes); i++)
		if (attributes[i].tag == tag)
			return &attributes[i];
	return NULL;
}

bool values_next(struct rs_bytes *rest, uint8_t *out_number, struct rs_str *out)
{
	if (rest->size < VALUE_HEAD || rest->data[0] == 0) /* 0: padding */
		return false;
	size_t size = rs_read_be16(rest->data + 1);
	if (size > rest->size - VALUE_HEAD)
		return false;
	*out_number = rest->data[0];
	*out = (struct rs_str){(const char *)rest->data + VALUE_HEAD, size};
	*rest = rs_bytes_of(rest->data + VALUE_HEAD + size, rest->size - VALUE_HEAD - size);
	return true;
}

bool values_get(struct rs_bytes values, uint8_t number, struct rs_str *out)
{
	uint8_t at;
	while (values_next(&values, &at, out))
		if (at == number)
			return true;
	*out = (struct rs_str){"", 0};
	return false;
}

enum rs_code values_put(struct rs_buffer *out, uint8_t number, struct rs_str value)
{
	uint8_t head[VALUE_HEAD] = {number};
	rs_write_be16(head + 1, (uint16_t)value.size);
	rs_buffer_append(out, head, sizeof head);
	return rs_buffer_append_str(out, value);
}

/* All components, parted by backslashes. */
static bool read_text(const struct rs_dicom_charset *charset, const struct rs_dicom_element *element,
                      struct rs_buffer *out)
{
	size_t count = rs_dicom_multiplicity(element);
	for (size_t i = 0; i < count && i < COMPONENTS_MAX; i++) {
		if (i > 0)
			rs_buffer_append_u8(out, '\\');
		if (rs_dicom_text_utf8(charset, element, i, out, NULL, NULL) != RS_OK)
			return false;
	}
	return rs_buffer_check(out, "a value", NULL) == RS_OK;
}

static bool read_value(const struct rs_catalogue_attribute *attribute, const struct rs_dicom_charset *charset,
                       const struct rs_dicom_element *element, struct rs_buffer *out)
{
	int64_t number;
	if (strcmp(attribute->vr, "US") != 0)
		return read_text(charset, element, out);
	return rs_dicom_int(element, 0, &number) && rs_buffer_printf(out, "%lld", (long long)number) == RS_OK;
}

#define TRANSFER_SYNTAX RS_DICOM_TAG(0x0002, 0x0010)

/* Elements of the top level by their place in the table: one walk, since files may have thousands. */
static void collect(const struct rs_dicom *dicom,
                    const struct rs_dicom_element *out[static RS_COUNT(attributes)])
{
	for (size_t i = 0; i < dicom->count; i = dicom->elements[i].next) {
		const struct rs_dicom_element *element = &dicom->elements[i];
		uint32_t group = element->tag >> 16;
		if (group > 0x0028 && group != 0x0040)
			continue;
		uint32_t tag = element->tag == TRANSFER_SYNTAX ? 0x00083002 : element->tag;
		const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(tag);
		if (attribute && attribute->number && !element->has_children)
			out[attribute - attributes] = element;
	}
}

/* What a study gathers of its series begins with the first one. */
static bool is_gathered(uint8_t number)
{
	return number == ATTRIBUTE_MODALITIES || number == ATTRIBUTE_CLASSES;
}

void rs_catalogue_describe(const struct rs_dicom *dicom, struct rs_catalogue_entry *out)
{
	const struct rs_dicom_element *elements[RS_COUNT(attributes)] = {NULL};
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer value RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom_charset charset;
	size_t level = 0;
	*out = (struct rs_catalogue_entry){.begin = {0}};
	/* An unknown set is read as ASCII: what is no character of it becomes U+FFFD. */
	if (rs_dicom_charset_of(dicom, NULL, &charset, NULL) != RS_OK)
		charset.row = UINT8_MAX;
	collect(dicom, elements);
	rs_buffer_init(&encoded, sizeof out->bytes);
	rs_buffer_init(&value, VALUE_MAX);
	for (size_t i = 0; i < RS_COUNT(attributes); i++) {
		while (level < attributes[i].level)
			out->begin[++level] = (uint16_t)encoded.size;
		rs_buffer_clear(&value);
		if (!elements[i] || is_gathered(attributes[i].number) ||
		    !read_value(&attributes[i], &charset, elements[i], &value) || value.size == 0)
			continue;
		if (encoded.size + VALUE_HEAD + value.size <= sizeof out->bytes)
			values_put(&encoded, attributes[i].number, rs_buffer_str(&value));
	}
	while (level < RS_LEVEL_COUNT)
		out->begin[++level] = (uint16_t)encoded.size;
	if (rs_buffer_check(&encoded, "an entry", NULL) != RS_OK) /* no memory: nothing is said */
		*out = (struct rs_catalogue_entry){.begin = {0}};
	else if (encoded.size)
		memcpy(out->bytes, encoded.data, encoded.size);
}
