/* radseal segment: one row a verb. A verb of a file of its own is declared here and stands in the table of
 * command_segment.c; its options are rows of the options there. */
#ifndef RS_CLI_COMMAND_SEGMENT_H
#define RS_CLI_COMMAND_SEGMENT_H

#include "image/image.h"
#include "session.h"

#define SEGMENT_TAKES_MAX 32

struct segment_verb {
	const char *name, *arguments;
	/* options beside the common ones; ends with NULL */
	const char *takes[SEGMENT_TAKES_MAX];
	size_t least, most; /* operands behind the verb */
	enum rs_code (*run)(const struct command_line *line, struct rs_error *err);
};
extern const struct segment_verb segment_agreement, segment_compare, segment_grow, segment_refine,
	segment_staple, segment_train, segment_apply;

/* operands[0] is the verb. */
static inline const char *segment_operand(const struct command_line *line, size_t index)
{
	return line->operands[index + 1];
}

/* A mask with the labels of --label (all without it). With a grid, it lies on that: header noise is repaired, and told. */
enum rs_code segment_read_mask(const struct command_line *line, const char *path,
                               const struct rs_geometry *grid, struct rs_mask *out, struct rs_error *err);
/* The grid of --image, without its voxels; NULL without it. */
struct segment_grid {
	struct rs_geometry geometry;
	bool known;
};
enum rs_code segment_read_grid(const struct command_line *line, struct segment_grid *out,
                               struct rs_error *err);

#endif
