/* What tissues are to a scanner: relaxation, diffusion, perfusion, at two field strengths. */
#ifndef RS_SIMULATE_TISSUE_H
#define RS_SIMULATE_TISSUE_H

#include "patient.h"
#include "signal/signal.h"

/* Labels of the map of a body. From TUMOUR on, one for each density of a tumour's cells. */
enum tissue {
	AIR,
	SKIN_FAT,
	VISCERAL_FAT,
	MUSCLE,
	MARROW,
	DISC,
	CORD,
	CSF,
	LIVER,
	SPLEEN,
	CORTEX,
	MEDULLA,
	BOWEL_WALL,
	CONTENT,
	FLUID,
	GAS,
	BILE,
	ARTERY,
	VEIN,
	PANCREAS,
	UPSTREAM,
	DUCT,
	METASTASIS,
	NECROSIS,
	TISSUES,
	TUMOUR = 64,
	TUMOUR_LEVELS = 64,
	LABELS = TUMOUR + TUMOUR_LEVELS
};

struct tissue_values {
	double t1_ms, t2_ms, density;
	struct rs_ivim diffusion; /* s0 1 */
	struct rs_tofts perfusion;
	double delay_s; /* after the aorta */
	double grain;   /* how far its signal varies within the organ: a share */
	bool fat, blood;
};
/* Of a label, for a patient whose tumour is as it is. at_3t: otherwise 1.5 T. */
struct tissue_values tissue_values(const struct patient *patient, unsigned label, bool at_3t);
/* The label of tissue whose cells' density strays by so many units, and the units of a label. */
unsigned tissue_tumour_label(double density);
double tissue_tumour_density(unsigned label);

#endif
