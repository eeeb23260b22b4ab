/* One patient, whole: body, images, masks, truth. */
#ifndef RS_SIMULATE_STUDY_H
#define RS_SIMULATE_STUDY_H

#include "render.h"
#include "scan.h"

#define READERS 2

/* What is known of a study besides the patient: for truth.json. */
struct study_facts {
	size_t images;
	struct image plan[IMAGES_MAX];
	struct movement movements[IMAGES_MAX];
	double arrival_s;
	double volume_mm3; /* of the tumour on the T2 image's grid */
	double reader_mm3[READERS];
};
enum rs_code study_make(const struct rs_world *world, const struct rs_simulate_options *options,
                        const struct patient *patient, const char *directory, struct study_facts *out,
                        struct rs_error *err);

#endif
