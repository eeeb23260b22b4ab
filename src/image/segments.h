/* Segments of 3D Slicer: names and labels, in layers where they overlap (in a layer a label stands for one segment). */
#ifndef RS_IMAGE_SEGMENTS_H
#define RS_IMAGE_SEGMENTS_H

#include "format.h"

#define SEGMENTS_MAX 4096

struct segment {
	struct rs_label label; /* value 0: there is no such segment */
	uint64_t layer;
};
struct segments {
	struct segment *rows; /* owned; by the number in their keys */
	size_t count;
};
/* Takes what concerns a segment from a key of the header ("Segment3_Name"). */
enum rs_code segments_take(struct segments *segments, struct rs_str key, struct rs_str value,
                           struct rs_error *err);
/* Gives the image its names, and where they come from when its channels are layers: labels are then 1, 2, … in the order
 * of the segments, as those of different layers may be the same. */
enum rs_code segments_keep(const struct segments *segments, struct raw_image *out, struct rs_error *err);
/* The mask of an image whose channels are layers: of the chosen labels, which must not overlap. */
enum rs_code segments_to_mask(const struct raw_image *raw, const struct rs_label_choice *choice,
                              struct rs_mask *out, struct rs_error *err);

#endif
