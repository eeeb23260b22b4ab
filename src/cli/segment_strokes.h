/* Strokes and boxes as they are typed, and as lines of JSON. */
#ifndef RS_CLI_SEGMENT_STROKES_H
#define RS_CLI_SEGMENT_STROKES_H

#include "command_segment.h"
#include "segment/segment_grow.h"

/* --stroke in:X,Y,Z/X,Y,Z… of the --radius; voxels from 0, or mm in LPS with --mm. */
enum rs_code segment_paint_typed(const struct command_line *line, const struct rs_geometry *grid,
                                 struct rs_grow *grow, struct rs_error *err);
/* --box X,Y,Z,X,Y,Z, both corners within. *out_given is false without it. */
enum rs_code segment_read_box(const struct command_line *line, const struct rs_geometry *grid,
                              bool *out_given, struct rs_box *out, struct rs_error *err);
/* {"stroke": "in", "points": [[X, Y, Z], …], "radius": MM, "mm": true}, or an array of such. */
enum rs_code segment_paint_json(const char *text, const struct rs_geometry *grid, struct rs_grow *grow,
                                struct rs_error *err);

#endif
