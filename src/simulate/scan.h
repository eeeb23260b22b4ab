/* Scanners and what they run: five centres of three makers and two field strengths, the images of a study in the order in
 * which they are taken, and how bright every tissue is in each. */
#ifndef RS_SIMULATE_SCAN_H
#define RS_SIMULATE_SCAN_H

#include "image/image.h"
#include "simulate/simulate.h"
#include "tissue.h"

enum maker { SIEMENS_LIKE, GE_LIKE, PHILIPS_LIKE, CANON_LIKE };
struct scanner {
	const char *institution, *model;
	enum maker maker;
	bool at_3t, t2_fat_suppressed, has_adc, has_flips;
	bool phases_apart;                               /* every DCE phase is a series of its own */
	double b[4];                                     /* s/mm2 */
	double t2_te_ms, snr, gain, shading, relaxivity; /* l/(mmol s); sources in scan.c */
};
const struct scanner *scanner_of(const struct patient *patient);

enum image_kind { IMAGE_T2, IMAGE_T1, IMAGE_DWI, IMAGE_ADC, IMAGE_FLIPS, IMAGE_DCE };
/* One volume. */
struct image {
	enum image_kind kind;
	char directory[16], description[48];
	unsigned series, place, places; /* number of the series; which of its volumes, from 0, of how many */
	double spacing_mm[3];
	double tr_ms, te_ms, flip, b; /* flip in degrees */
	unsigned echoes;
	double start_s, phase_s; /* after the study began; after the first phase */
	bool fat_suppressed;
};
#define IMAGES_MAX 32
#define PHASES 10
/* Returns how many. */
size_t scan_plan(const struct patient *patient, enum rs_simulate_size size,
                 struct image out[static IMAGES_MAX]);

/* The signal of every label in an image, a pixel's value for pancreas in a T2 image being near 150. arrival_s: when contrast
 * agent reaches the aorta, after the first phase. */
void scan_looks(const struct patient *patient, const struct image *image, double arrival_s,
                double out[static LABELS]);
/* What a fit of all b-values gives without noise: mm2/s. */
void scan_adc(const struct patient *patient, double out[static LABELS]);

#endif
