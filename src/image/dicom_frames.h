/* Functional groups of multi-frame objects (PS3.3 C.7.6.16): what holds for one frame, or else for all. */
#ifndef RS_IMAGE_DICOM_FRAMES_H
#define RS_IMAGE_DICOM_FRAMES_H

#include "dicom_stack.h"

#define SHARED_GROUPS RS_DICOM_TAG(0x5200, 0x9229)
#define PER_FRAME_GROUPS RS_DICOM_TAG(0x5200, 0x9230)
#define PLANE_POSITION RS_DICOM_TAG(0x0020, 0x9113)
#define PLANE_ORIENTATION RS_DICOM_TAG(0x0020, 0x9116)
#define PIXEL_MEASURES RS_DICOM_TAG(0x0028, 0x9110)
#define IMAGE_POSITION RS_DICOM_TAG(0x0020, 0x0032)
#define IMAGE_ORIENTATION RS_DICOM_TAG(0x0020, 0x0037)
#define PIXEL_SPACING RS_DICOM_TAG(0x0028, 0x0030)
#define SLICE_THICKNESS RS_DICOM_TAG(0x0018, 0x0050)
#define SPACING_BETWEEN_SLICES RS_DICOM_TAG(0x0018, 0x0088)

struct functional_groups {
	const struct rs_dicom *dicom;
	const struct rs_dicom_element *own, *shared; /* items; NULL when there are none */
};
/* The element `tag` in the first item of `sequence`, of the frame's own groups, else of the shared ones; or NULL. */
const struct rs_dicom_element *functional(const struct functional_groups *groups, uint32_t sequence,
                                          uint32_t tag);
/* Of two images at one place: "; their EchoTime is 2.3 and 4.6"; empty when nothing is known. */
void what_differs(const struct functional_groups *first, const struct functional_groups *second, char *out,
                  size_t size);

#endif
