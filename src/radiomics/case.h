/* A case made ready to be measured, see case.c. */
#ifndef RS_RADIOMICS_CASE_H
#define RS_RADIOMICS_CASE_H

#include "radiomics/evidence.h"

struct radiomics_case {
	const struct rs_volume *volume; /* the one to filter and measure: the caller's, or `owned` */
	const struct rs_mask *mask;
	struct rs_volume owned;
	struct rs_mask owned_mask;
	bool resampled, carried;    /* carried: the mask was on another grid than the image */
	struct region shape_region; /* what shape is measured on */
	struct region region;       /* after resegmentation */
};
/* The mask on the image's grid, and its label is there: the mask itself, or as settings allow a carried one in *own (zeroed
 * before; the caller's to finish). errors  RS_REFUSED, RS_NOT_FOUND, RS_NO_MEMORY */
enum rs_code case_match(const struct rs_volume *volume, const struct rs_mask *mask,
                        const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                        struct rs_mask *own, const struct rs_mask **out, struct rs_error *err);
/* errors  as rs_radiomics_extract */
enum rs_code case_prepare(const struct rs_volume *volume, const struct rs_mask *mask,
                          const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                          struct radiomics_case *out, struct rs_error *err);
void case_finish(struct radiomics_case *work);

#endif
