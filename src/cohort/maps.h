/* Voxel-based maps of a region, each a file of its own. */
#ifndef RS_COHORT_MAPS_H
#define RS_COHORT_MAPS_H

#include "cohort/labels.h"
#include "cohort/plan.h"

/* What the files are called after: Case-3_t1_label-2_original_glcm_Contrast.nrrd */
struct map_naming {
	size_t index;                      /* of the case */
	const char *prefix;                /* of the sequence; "" */
	const struct label_choice *choice; /* NULL: the label of the settings, which is not in the name */
	const struct rs_radiomics_result *names; /* of the maps that are planned */
};
/* *out_paths: as many as planned names, in their order; freed with map_paths_free. *out_about: diagnostics, no values */
enum rs_code maps_write(const struct rs_cohort_job *job, const struct rs_volume *image,
                        const struct rs_mask *mask, const struct rs_radiomics_settings *settings,
                        const struct map_naming *naming, struct rs_pool *pool, char ***out_paths,
                        struct rs_radiomics_result *out_about, struct rs_error *err);
void map_paths_free(char **paths, size_t count); /* accepts NULL */

#endif
