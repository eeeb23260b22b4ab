/* Which labels of a mask are read: the caller's names and numbers against those of the file. */
#ifndef RS_IMAGE_CHOICE_H
#define RS_IMAGE_CHOICE_H

#include "image/image.h"

#define LABELS_MAX 65535

struct chosen {
	uint32_t *values; /* owned; sorted */
	size_t count;
	bool all;
};
/* `complete`: the file has no labels but those it names, so that another number is refused too. */
enum rs_code chosen_init(struct chosen *out, const struct rs_label_choice *choice,
                         const struct rs_label *names, size_t name_count, bool complete,
                         struct rs_error *err);
void chosen_finish(struct chosen *chosen); /* accepts NULL and zeroed memory */
bool chosen_has(const struct chosen *chosen, uint32_t label);
/* Labels that were not chosen become 0, and their names go. */
void chosen_apply(const struct chosen *chosen, struct rs_mask *mask);

#endif
