/* An image of a case with its mask, as they were read, and the regions of it. */
#ifndef RS_COHORT_SEQUENCE_H
#define RS_COHORT_SEQUENCE_H

#include "cohort/labels.h"
#include "cohort/plan.h"
#include "cohort/provenance.h"

struct sequence {
	const struct rs_world *world;
	const struct rs_cohort_image *paths;
	uint32_t channel; /* see label_channel of the settings */
	bool carry,
		resample; /* a mask on another grid is carried onto the image's; goes with the image onto a new one */
	double tolerance_mm; /* of the grids' corners */
	struct rs_volume image;
	struct rs_mask
		mask; /* labels NULL: its regions overlap, each is read by itself; names tell which there are */
	struct source_files image_files, mask_files; /* what was read */
};
void sequence_finish(struct sequence *sequence); /* accepts zeroed memory */

/* notes: lines for the user are appended. */
enum rs_code sequence_read(const struct rs_world *world, const struct rs_cohort_image *paths,
                           const struct rs_radiomics_settings *settings, struct rs_buffer *notes,
                           struct sequence *out, struct rs_error *err);

/* The mask that holds a choice, and the label it has there. choice: NULL for the label *label.
 * own: initialised here when *out points to it; the caller finishes it in any case (pass it zeroed) */
enum rs_code sequence_region(const struct sequence *sequence, const struct label_choice *choice,
                             struct rs_buffer *notes, struct rs_mask *own, const struct rs_mask **out,
                             uint32_t *label, struct rs_error *err);

#endif
