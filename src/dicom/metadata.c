/* Gathers what sealing and series building need from a data set. Patient names are not read. */
#include <string.h>

#include "dicom/dicom_private.h"

struct text_row {
	uint32_t tag;
	size_t offset;
	bool uid;
};
struct count_row {
	uint32_t tag;
	size_t offset;
};
struct number_row {
	uint32_t tag;
	size_t offset;
	size_t count;
	unsigned bits;
};
#define AT(field) offsetof(struct rs_dicom_metadata, field)

static const struct text_row texts[] = {
	{0x00100020, AT(patient_id), false},
	{0x00100021, AT(issuer_of_patient_id), false},
	{0x0020000D, AT(study_instance_uid), true},
	{0x0020000E, AT(series_instance_uid), true},
	{0x00080018, AT(sop_instance_uid), true},
	{0x00080016, AT(sop_class_uid), true},
	{0x00200052, AT(frame_of_reference_uid), true},
	{0x00080060, AT(modality), false},
	{0x00280004, AT(photometric_interpretation), false},
	{0x00080070, AT(manufacturer), false},
	{0x0008103E, AT(series_description), false},
	{0x00080020, AT(study_date), false},
	{0x00541001, AT(units), false},
	{0x00020010, AT(transfer_syntax_uid), true},
};
static const struct count_row counts[] = {
	{0x00280010, AT(rows)},
	{0x00280011, AT(columns)},
	{0x00280008, AT(number_of_frames)},
	{0x00280002, AT(samples_per_pixel)},
	{0x00280006, AT(planar_configuration)},
	{0x00280100, AT(bits_allocated)},
	{0x00280101, AT(bits_stored)},
	{0x00280102, AT(high_bit)},
	{0x00280103, AT(pixel_representation)},
};
static const struct number_row numbers[] = {
	{0x00200032, AT(image_position_mm), 3, RS_DICOM_HAS_POSITION},
	{0x00200037, AT(image_orientation), 6, RS_DICOM_HAS_ORIENTATION},
	{0x00280030, AT(pixel_spacing_mm), 2, RS_DICOM_HAS_SPACING},
	{0x00180050, AT(slice_thickness_mm), 1, RS_DICOM_HAS_THICKNESS},
	{0x00180088, AT(spacing_between_slices_mm), 1, RS_DICOM_HAS_BETWEEN},
	{0x00281053, AT(rescale_slope), 1, RS_DICOM_HAS_RESCALE},
	{0x00281052, AT(rescale_intercept), 1, RS_DICOM_HAS_RESCALE},
};

static enum rs_code unreadable(const struct rs_dicom_element *e, const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "element (%04X,%04X) at byte %llu is not %s", e->tag >> 16,
	                    e->tag & 0xFFFF, (unsigned long long)e->offset, what);
}

/* One value, as all of these have; several would be one here and another where they are taken whole. */
static bool is_uid(const struct rs_dicom_element *e, struct rs_str text)
{
	return text.size == 0 ? rs_dicom_text(e, 1).size == 0
	                      : rs_dicom_uid_valid(text) && !memchr(e->value.data, '\\', e->value.size);
}

static enum rs_code take_text(const struct rs_dicom_element *e, struct rs_dicom_metadata *m,
                              struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(texts); i++) {
		if (texts[i].tag != e->tag)
			continue;
		struct rs_str text = rs_dicom_text(e, 0);
		if (texts[i].uid && !is_uid(e, text))
			return unreadable(e, "a UID", err);
		memcpy((char *)m + texts[i].offset, &text, sizeof(text));
	}
	return RS_OK;
}

/* A sequence is no value, also where a scan did not keep what is in it. */
static bool is_empty(const struct rs_dicom_element *e) { return e->value.size == 0 && !e->has_children; }

static enum rs_code take_count(const struct rs_dicom_element *e, struct rs_dicom_metadata *m,
                               struct rs_error *err)
{
	int64_t whole;
	for (size_t i = 0; i < RS_COUNT(counts); i++) {
		if (counts[i].tag != e->tag || is_empty(e))
			continue;
		if (!rs_dicom_int(e, 0, &whole) || whole < 0 || whole > INT32_MAX)
			return unreadable(e, "a whole number from 0 to 2147483647", err);
		uint32_t count = (uint32_t)whole;
		memcpy((char *)m + counts[i].offset, &count, sizeof(count));
	}
	if (e->tag >> 16 == 0x7FE0)
		m->present |= RS_DICOM_HAS_PIXELS;
	return RS_OK;
}

static enum rs_code take_number(const struct rs_dicom_element *e, struct rs_dicom_metadata *m,
                                struct rs_error *err)
{
	if (is_empty(e))
		return RS_OK;
	for (size_t i = 0; i < RS_COUNT(numbers); i++) {
		double values[6];
		if (numbers[i].tag != e->tag)
			continue;
		if (!rs_dicom_doubles(e, numbers[i].count, values))
			return unreadable(e, "the numbers that belong there", err);
		memcpy((char *)m + numbers[i].offset, values, numbers[i].count * sizeof(double));
		m->present |= numbers[i].bits;
	}
	if (e->tag != RS_DICOM_TAG(0x20, 0x13))
		return RS_OK;
	if (!rs_dicom_int(e, 0, &m->instance_number))
		return unreadable(e, "a whole number", err);
	m->present |= RS_DICOM_HAS_INSTANCE;
	return RS_OK;
}

static const struct rs_dicom_metadata nothing = {
	.number_of_frames = 1, .samples_per_pixel = 1, .rescale_slope = 1};

enum rs_code rs_dicom_pixel_description(const struct rs_dicom *dicom, struct rs_dicom_metadata *out,
                                        struct rs_error *err)
{
	struct rs_dicom_metadata m = nothing;
	for (size_t i = 0; i < dicom->count; i = dicom->elements[i].next) {
		const struct rs_dicom_element *e = &dicom->elements[i];
		RS_TRY(take_count(e, &m, err));
		if (e->tag == RS_DICOM_TAG(0x28, 4))
			m.photometric_interpretation = rs_dicom_text(e, 0);
	}
	*out = m;
	return RS_OK;
}

enum rs_code rs_dicom_metadata(const struct rs_dicom *dicom, struct rs_dicom_metadata *out,
                               struct rs_error *err)
{
	struct rs_dicom_metadata m = nothing;
	for (size_t i = 0; i < dicom->count; i = dicom->elements[i].next) {
		RS_TRY(take_text(&dicom->elements[i], &m, err));
		RS_TRY(take_count(&dicom->elements[i], &m, err));
		RS_TRY(take_number(&dicom->elements[i], &m, err));
	}
	*out = m;
	return RS_OK;
}
