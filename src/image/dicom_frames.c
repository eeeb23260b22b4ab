/* Functional groups of multi-frame objects. */
#include "dicom_frames.h"

#include <stdio.h>

static const struct rs_dicom_element *within(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *group, uint32_t sequence,
                                             uint32_t tag)
{
	const struct rs_dicom_element *found = group ? rs_dicom_find(dicom, group, sequence) : NULL;
	const struct rs_dicom_element *item = first_child(dicom, found);
	return item ? rs_dicom_find(dicom, item, tag) : NULL;
}

const struct rs_dicom_element *functional(const struct functional_groups *groups, uint32_t sequence,
                                          uint32_t tag)
{
	const struct rs_dicom_element *found = within(groups->dicom, groups->own, sequence, tag);
	return found ? found : within(groups->dicom, groups->shared, sequence, tag);
}

/* What images at one place differ in, most telling first. */
static const struct {
	uint32_t sequence; /* 0: of the data set itself */
	uint32_t tag;
	const char *name;
} reasons[] = {
	{0, RS_DICOM_TAG(0x0020, 0x0100), "TemporalPositionIdentifier"},
	{RS_DICOM_TAG(0x0020, 0x9111), RS_DICOM_TAG(0x0020, 0x9128), "TemporalPositionIndex"},
	{0, RS_DICOM_TAG(0x0018, 0x0081), "EchoTime"},
	{RS_DICOM_TAG(0x0018, 0x9114), RS_DICOM_TAG(0x0018, 0x9082), "EffectiveEchoTime"},
	{0, RS_DICOM_TAG(0x0018, 0x9087), "DiffusionBValue"},
	{RS_DICOM_TAG(0x0018, 0x9117), RS_DICOM_TAG(0x0018, 0x9087), "DiffusionBValue"},
	{0, RS_DICOM_TAG(0x0018, 0x0082), "InversionTime"},
	{0, RS_DICOM_TAG(0x0018, 0x1060), "TriggerTime"},
	{0, RS_DICOM_TAG(0x0008, 0x0008), "ImageType"},
	{RS_DICOM_TAG(0x0018, 0x9226), RS_DICOM_TAG(0x0008, 0x9208), "ComplexImageComponent"},
	{0, RS_DICOM_TAG(0x0020, 0x0012), "AcquisitionNumber"},
	{0, RS_DICOM_TAG(0x0008, 0x0032), "AcquisitionTime"},
	{RS_DICOM_TAG(0x0020, 0x9111), RS_DICOM_TAG(0x0020, 0x9156), "FrameAcquisitionNumber"},
	{0, RS_DICOM_TAG(0x0020, 0x0013), "InstanceNumber"},
};

static const struct rs_dicom_element *reason_of(const struct functional_groups *groups, size_t row)
{
	if (reasons[row].sequence != 0)
		return functional(groups, reasons[row].sequence, reasons[row].tag);
	return rs_dicom_find(groups->dicom, NULL, reasons[row].tag);
}

static void value_text(const struct rs_dicom_element *element, char *out, size_t size)
{
	double number;
	struct rs_str text = rs_str_of_bytes(element->value);
	if (rs_dicom_double(element, 0, &number))
		snprintf(out, size, "%g", number);
	else
		snprintf(out, size, "'%.*s'", (int)(text.size < 40 ? text.size : 40), text.data);
}

void what_differs(const struct functional_groups *first, const struct functional_groups *second, char *out,
                  size_t size)
{
	out[0] = '\0';
	for (size_t row = 0; row < RS_COUNT(reasons); row++) {
		const struct rs_dicom_element *a = reason_of(first, row), *b = reason_of(second, row);
		char text[2][48];
		if (!a || !b || rs_bytes_equal(a->value, b->value))
			continue;
		value_text(a, text[0], sizeof text[0]);
		value_text(b, text[1], sizeof text[1]);
		snprintf(out, size, "; their %s is %s and %s", reasons[row].name, text[0], text[1]);
		return;
	}
}
