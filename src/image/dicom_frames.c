/* Functional groups of multi-frame objects. */
#include "dicom_frames.h"

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
