/* What is made of a region before it is shown: pieces that nobody meant go, holes are filled. */
#ifndef RS_SEGMENT_TIDY_H
#define RS_SEGMENT_TIDY_H

#include "base/base.h"

/* Of the voxels that are not 0, keeps (as 1) those that hang together by faces with a voxel where `anchors` has `anchor`; NULL
 * anchors: the largest piece. Then fills what is enclosed. *out_count: voxels that stay. */
enum rs_code tidy(uint8_t *mask, const size_t size[3], const uint8_t *anchors, uint8_t anchor,
                  uint64_t *out_count, struct rs_error *err);

#endif
