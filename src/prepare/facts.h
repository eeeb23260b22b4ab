/* What one image of a DICOM file says of how it was made. */
#ifndef RS_PREPARE_FACTS_H
#define RS_PREPARE_FACTS_H

#include "base/base.h"
#include "dicom/dicom.h"

/* Codes of ImageType, ScanningSequence and the like, as bits. */
enum {
	IMAGE_DERIVED = 1,
	IMAGE_ADC = 2,
	IMAGE_OTHER_MAP = 4, /* exponential ADC, anisotropy, subtraction, projections */
	IMAGE_LOCALIZER = 8,
	IMAGE_NO_MAGNITUDE = 16, /* phase, real or imaginary part */
	IMAGE_WATER = 32,
	IMAGE_FAT = 64,
	IMAGE_IN_PHASE = 128,
	IMAGE_OPPOSED = 256,
	IMAGE_TRACE = 512,
	IMAGE_DIFFUSION = 1024,
	IMAGE_FAT_SUPPRESSED = 2048,
	IMAGE_CONTRAST = 4096,
	IMAGE_SPIN_ECHO = 1 << 13,
	IMAGE_GRADIENT_ECHO = 1 << 14,
	IMAGE_INVERSION = 1 << 15,
	IMAGE_ECHO_PLANAR = 1 << 16,
	IMAGE_SPOILED = 1 << 17,
	IMAGE_STEADY_STATE = 1 << 18,
	IMAGE_PERFUSION = 1 << 19,
	IMAGE_MOSAIC = 1 << 20,
};
/* Those that tell apart what lies at one place: each is a scan of its own. */
#define IMAGE_PARTS                                                                                    \
	(IMAGE_ADC | IMAGE_OTHER_MAP | IMAGE_NO_MAGNITUDE | IMAGE_WATER | IMAGE_FAT | IMAGE_IN_PHASE | \
	 IMAGE_OPPOSED)

/* Numbers; NaN where the file does not tell. In the order in which they part images at one place. */
enum fact {
	FACT_ECHO,
	FACT_FLIP,
	FACT_INVERSION,
	FACT_B,
	FACT_TRACE,    /* 1: of all directions together */
	FACT_TEMPORAL, /* TemporalPositionIdentifier, TemporalPositionIndex */
	FACT_OFFSET,   /* s: TemporalPositionTimeOffset */
	FACT_TRIGGER,  /* ms */
	FACT_ACQUISITION,
	FACT_TIME, /* s since 1970, local */
	FACT_REPETITION,
	FACT_INSTANCE,
	FACT_RELAXIVITY, /* l/(mmol s): of the contrast agent */
	FACTS
};

struct image_facts {
	const char *path;
	uint32_t frame;
	unsigned flags;
	uint32_t rows, columns;
	double position[3], orientation[6], spacing[2]; /* orientation[0] is NaN when it lies nowhere */
	double facts[FACTS];
	const char *b_source; /* a static text; NULL without a b-value */
	size_t series;        /* index */
};

/* Of the data set, or of a frame of it. */
struct facts_source {
	const struct rs_dicom *dicom;
	const struct rs_dicom_element *own, *shared; /* items of functional groups; NULL: none */
};
/* All but path, frame and series. */
void facts_read(const struct facts_source *source, struct image_facts *out);
/* The element in the first item of a functional group, or else of the data set. */
const struct rs_dicom_element *facts_find(const struct facts_source *source, uint32_t sequence, uint32_t tag);

/* Of the contrast agent that is named, at the field of the scanner, in l/(mmol s); NaN when none is, or one that is not known. */
double agent_relaxivity(const struct facts_source *source);
/* b in s/mm2 by the standard's attribute, or else by those of manufacturers: NaN, and *out_source NULL, when none has it. */
double b_value_of(const struct facts_source *source, const char **out_source);

#endif
