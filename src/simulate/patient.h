/* A patient as drawn: the biology that nobody sees, what it makes of the tumour, and what becomes of the patient. */
#ifndef RS_SIMULATE_PATIENT_H
#define RS_SIMULATE_PATIENT_H

#include "base/base.h"

#define CENTRES 5

enum location { HEAD, BODY, TAIL };
enum extent { RESECTABLE, BORDERLINE, LOCALLY_ADVANCED, METASTATIC };

struct patient {
	size_t number; /* from 1 */
	char id[32];
	uint64_t study_ms; /* when the images are said to have been taken */
	size_t centre;
	/* latent: standard normal */
	double aggression, perfusion, stroma;
	/* the tumour */
	enum location location;
	double size_mm; /* longest diameter, without the margin's waves */
	double t1_factor, t2_factor;
	double diffusion;     /* mm2/s, without perfusion */
	double ktrans, ve;    /* 1/min; 1 */
	double heterogeneity; /* how far cells' density strays within the tumour, in its units */
	double texture_mm;    /* how long its waves are */
	double necrosis;      /* the normal number above which tissue is dead: less is more necrosis */
	double margin;        /* how far the boundary strays, as a share of the radius */
	/* seen by clinicians */
	unsigned age;
	bool male;
	double weight_kg, ca19_9; /* U/ml */
	double told_size_mm;      /* of an earlier examination's report */
	/* what becomes of the patient */
	unsigned t, n, m; /* AJCC 8: T1 … T4, N0 … N2, M0 … M1 */
	enum extent extent;
	bool advanced, responds, died;
	double time_months;
};

void patient_draw(uint64_t seed, size_t number, struct patient *out);
const char *patient_stage(const struct patient *patient); /* "IA" … "IV" */
const char *patient_extent(const struct patient *patient);
const char *patient_location(const struct patient *patient);

#endif
