/* A cohort that nobody lived: multi-parametric abdominal MRI with pancreatic ductal adenocarcinoma, made from a seed by
 * signal equations, as DICOM with masks of two readers, clinical data and the truth behind them. Synthetic, and says so in
 * every file. Same seed, same bytes, whatever the number of threads. */
#ifndef RS_SIMULATE_H
#define RS_SIMULATE_H

#include "base/base.h"

enum rs_simulate_size { RS_SIMULATE_SMALL, RS_SIMULATE_FULL };
struct rs_simulate_options {
	size_t patients; /* 1 … RS_SIMULATE_PATIENTS_MAX */
	uint64_t seed;
	enum rs_simulate_size size;   /* voxels of about 3 x 3 x 4.5 mm, or 1.4 x 1.4 x 2.3 mm */
	bool enhanced;                /* Enhanced MR: one file of many frames for each series */
	bool truth;                   /* also the true maps, as NIfTI on the T2 image's grid */
	const char *version;          /* of this program: SoftwareVersions */
	struct rs_progress *progress; /* begun by the caller; NULL: none */
};
#define RS_SIMULATE_PATIENTS_MAX 9999

/* Writes into `directory`, which must not exist:
 *   clinical.csv, truth.json, README.txt
 *   SIM-0001/study/{T1,T2,DWI,ADC,FLIPS01…,DCE or DCE01…}/IM0001.dcm …
 *   SIM-0001/masks/{reader1,reader2}.dcm     DICOM segmentations on the T2 image's grid
 *   SIM-0001/truth/{tumour,adc,ktrans,ve,t1}.nii.gz on the same grid
 * errors  RS_USAGE, RS_EXISTS, RS_IO, RS_NO_SPACE, RS_NO_MEMORY */
enum rs_code rs_simulate_cohort(const struct rs_world *world, const struct rs_simulate_options *options,
                                const char *directory, struct rs_pool *pool, struct rs_error *err);

#endif
