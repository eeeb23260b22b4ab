/* DICOM made of pictures and volumes. */
#ifndef RS_EDGE_MADE_H
#define RS_EDGE_MADE_H

#include "wrap.h"

struct making {
	const struct rs_world *world;
	const struct rs_edge_options *options;
	const char *path;
	uint64_t modified_ms;
	struct rs_bytes original;
};
enum rs_code make_dicom(const struct making *making, struct draft *draft, struct wrapped *out,
                        struct rs_error *err);
/* The preamble and meta group; wrapped has its UIDs. */
enum rs_code wrapped_begin(struct draft *draft, struct wrapped *wrapped, struct rs_error *err);

#endif
