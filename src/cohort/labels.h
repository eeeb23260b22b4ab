/* Which regions of a mask are measured: a selector's words looked up in the mask at hand. */
#ifndef RS_COHORT_LABELS_H
#define RS_COHORT_LABELS_H

#include "image/image.h"

#define LABELS_MAX 4096

/* One row of the output: the voxels of one label, or of several. */
struct label_choice {
	struct rs_str text;     /* as it was asked for; empty for `all` */
	const uint32_t *values; /* ascending */
	size_t count;           /* 0: the words name no label of this mask */
	char name[64];          /* of a single label, where the mask names it */
};
struct label_list {
	struct label_choice *choices;
	size_t count;
	uint32_t *values; /* that the choices point into */
};
void label_list_finish(struct label_list *list); /* accepts zeroed memory */

/* mask: without voxels (labels NULL) it has the labels that it names.
 * selector: "all", or choices between commas, each of numbers and names joined by '+'. It must outlive the list.
 * errors  RS_USAGE for an empty choice; RS_NOT_FOUND when `all` finds none; RS_TOO_LARGE; RS_NO_MEMORY */
enum rs_code labels_choose(const char *selector, const struct rs_mask *mask, struct label_list *out,
                           struct rs_error *err);
/* "3", or "1+2" */
void label_text(const struct label_choice *choice, char *out, size_t size);
/* Every voxel of the choice gets its first label, every other voxel 0. */
void labels_unite(const struct label_choice *choice, struct rs_mask *mask);
/* "label 'x' is not in the mask, which has 1 (liver), 2" */
enum rs_code labels_missing(const struct label_choice *choice, const struct rs_mask *mask,
                            struct rs_error *err);

#endif
