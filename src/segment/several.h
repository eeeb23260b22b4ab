/* A region grown by how several images look together: learned from the strokes, then from the region and what is around it. */
#ifndef RS_SEGMENT_SEVERAL_H
#define RS_SEGMENT_SEVERAL_H

#include "segment/growing.h"

enum rs_code several_open(struct rs_grow *grow, const struct rs_volume *const *volumes, size_t count,
                          struct rs_error *err);
/* The first time: learns within the box of the domain. Then: what is new in it, by what was learned. Candidates either way. */
enum rs_code several_decide(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err);

#endif
