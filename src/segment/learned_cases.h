/* Cases of a table: which are trained on, which are held out, and their images. */
#ifndef RS_SEGMENT_LEARNED_CASES_H
#define RS_SEGMENT_LEARNED_CASES_H

#include "learned.h"

struct cases {
	const struct rs_world *world;
	const char *label;
	char *directory; /* that paths are in */
	struct rs_csv table;
	size_t subject, mask; /* columns */
	size_t channels, columns[RS_LEARNED_CHANNELS_MAX];
	size_t count;
	bool *held_out; /* by row */
};
enum rs_code cases_read(const struct rs_world *world, const char *table,
                        const struct rs_learned_options *options, struct cases *out, struct rs_error *err);
/* What the table names, in its order. */
enum rs_code cases_permit(const struct cases *cases, const struct rs_learned_report *report,
                          struct rs_error *err);
void cases_finish(struct cases *cases); /* accepts zeroed memory */

struct case_images {
	struct rs_volume volumes[RS_LEARNED_CHANNELS_MAX];
	const struct rs_volume *there[RS_LEARNED_CHANNELS_MAX]; /* NULL: missing */
	struct rs_mask mask;
	struct rs_digest digest; /* of all images and the mask: grids and voxels */
};
/* errors  with the line of the table */
enum rs_code case_read(const struct cases *cases, size_t row, struct case_images *out, struct rs_error *err);
void case_images_finish(struct case_images *images); /* accepts zeroed memory */

#endif
