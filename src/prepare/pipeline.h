/* Rows of steps' keys, shared by reading, writing and doing them. */
#ifndef RS_PREPARE_PIPELINE_PRIVATE_H
#define RS_PREPARE_PIPELINE_PRIVATE_H

#include "prepare/prepare_pipeline.h"

/* clang-format off */
enum { DENOISE_METHOD, DENOISE_STRENGTH, DENOISE_SIGMA, DENOISE_SEARCH, DENOISE_SEARCH_Z, DENOISE_PATCH, DENOISE_RICIAN,
       DENOISE_RADIUS, DENOISE_STEPS, DENOISE_EDGE };
enum { DENOISE_NLM, DENOISE_DIFFUSION, DENOISE_MEDIAN };
enum { BIAS_LEVELS, BIAS_ITERATIONS, BIAS_SHRINK, BIAS_CONVERGENCE };
enum { ADC_MODEL, ADC_B_LEAST, ADC_B_GREATEST, ADC_NOISE };
enum { ADC_MONO, ADC_IVIM };
enum { DCE_MODEL, DCE_BEFORE, DCE_T1, DCE_RELAXIVITY, DCE_HEMATOCRIT, DCE_T1_BLOOD };
enum { DCE_AUTO, DCE_NONE, DCE_TOFTS, DCE_EXTENDED };
enum { REGISTER_TRANSFORM, REGISTER_LEVELS, REGISTER_SAMPLES, REGISTER_BINS, REGISTER_STEPS, REGISTER_LATTICE,
       REGISTER_STIFFNESS, REGISTER_WITHIN };
enum { RESAMPLE_X, RESAMPLE_Y, RESAMPLE_Z, RESAMPLE_ORDER, RESAMPLE_MARGIN };
enum { NORMALISE_METHOD, NORMALISE_REGION, NORMALISE_LOW, NORMALISE_HIGH, NORMALISE_WIDTH };
enum { NORMALISE_ZSCORE, NORMALISE_PERCENTILE, NORMALISE_LANDMARKS, NORMALISE_TISSUE };
enum { REGION_FOREGROUND, REGION_MASK, REGION_ALL };
/* clang-format on */

#define STEP_WORDS_MAX 5
struct step_key {
	const char *name;
	double least, most, usual;
	bool whole;
	const char *words[STEP_WORDS_MAX]; /* none: it is a number */
};
struct step_row {
	const char *name;
	unsigned on;                          /* what it is done to when nothing is said */
	bool single;                          /* to each volume alone, so that one after the other suffices */
	bool has_file;                        /* takes the key "file" */
	struct step_key keys[RS_STEP_VALUES]; /* ends with a NULL name */
};
extern const struct step_row step_rows[RS_STEP_KINDS];
#define BIT(kind) (1u << (kind))

#endif
