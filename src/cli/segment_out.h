/* Where a mask that was made goes: into a file by its ending, and, with --home, onto the ledger as made from its image. */
#ifndef RS_CLI_SEGMENT_OUT_H
#define RS_CLI_SEGMENT_OUT_H

#include "command_segment.h"
#include "sealing.h"

#define SEGMENT_OUT_TAKES "output", "label-name", "replaces", "as", "as-passphrase-file", "purpose", "issuer"

struct segment_out {
	const struct command_line *line;
	const char *image;     /* its path; NULL: none is known */
	const char *algorithm; /* that helped, for a DICOM SEG; NULL: people did */
	char *const *others;   /* files that it is made from, too; set before opening */
	size_t other_count;
	struct rs_pool *pool;
	struct sealing sealing;
	struct receipts receipts;
};
/* Asks the contract for the image, and looks that the output can be written, before anything is computed. */
enum rs_code segment_out_open(const struct command_line *line, const char *image, const char *algorithm,
                              struct segment_out *out, struct rs_error *err);
void segment_out_finish(struct segment_out *out); /* accepts zeroed memory */
enum rs_code segment_out_write(const struct segment_out *out, const struct rs_mask *mask,
                               struct rs_error *err);
/* What was written last, made from the image's files, and a version of --replaces (or of `corrected`, NULL for none). */
enum rs_code segment_out_seal(struct segment_out *out, const char *corrected, struct rs_error *err);
/* Voxels, millilitres, receipt: as a line, or as members of an object that is open. */
void segment_out_tell(const struct segment_out *out, const struct rs_mask *mask, struct rs_buffer *text,
                      struct rs_json *json);

#endif
