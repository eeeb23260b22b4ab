/* A file as it is sent: DICOM's data set as it is, behind a meta group made here; pictures (PNG, PGM, JPEG) and volumes (NIfTI,
 * NRRD, MetaImage) as Secondary Capture, with the untouched original in a private element (0099,1020) of the creator
 * "RADSEAL ORIGINAL 1". The same file always makes the same DICOM, UIDs included. */
#ifndef RS_EDGE_WRAP_H
#define RS_EDGE_WRAP_H

#include "edge/edge.h"
#include "queue.h"

#define UID_TEXT 65
#define ORIGINAL_MAX ((size_t)1 << 30) /* bytes of a file that is no DICOM */

struct wrapped {
	char study[UID_TEXT], series[UID_TEXT], sop_class[UID_TEXT], sop_instance[UID_TEXT],
		transfer_syntax[UID_TEXT];
	struct rs_digest sha256; /* of the data set */
	uint64_t data_offset, length;
};
/* 2.25 and the first 128 bits of a hash, as a decimal number (PS3.5 annex B.2). */
void uid_of_digest(const struct rs_digest *digest, char out[static UID_TEXT]);
/* Into the draft. modified_ms: when the file was. errors  RS_UNSUPPORTED, RS_MALFORMED, RS_TOO_LARGE: it is none of these */
enum rs_code wrap_file(const struct rs_world *world, const struct rs_edge_options *options, const char *path,
                       uint64_t modified_ms, struct draft *draft, struct wrapped *out, struct rs_error *err);

#endif
