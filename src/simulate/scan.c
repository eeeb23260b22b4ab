/* Protocols and signal equations. Times are those of clinical abdominal protocols in round figures. Relaxivity of gadobutrol
 * in plasma: 5.2 l/(mmol s) at 1.5 T, 5.0 at 3 T (Rohrer et al., Invest. Radiol. 40 (2005) 715). */
#include "scan.h"

#include <stdio.h>
#include <string.h>

#include "draw.h"

#define RELAXIVITY_1_5T 5.2
#define RELAXIVITY_3T 5.0
#define DEGREES (3.14159265358979323846 / 180)
#define CURVE_STEP_S 0.5
#define CURVE_POINTS 512
#define PLASMA 0.58

static const struct scanner scanners[CENTRES] = {
	{"Simulated Centre A",
         "SIM-S30",
         SIEMENS_LIKE,
         true,
         false,
         true,
         true,
         true,
         {0, 50, 400, 800},
         92,
         1.00,
         1.0,
         0.24,
         RELAXIVITY_3T},
	{"Simulated Centre B",
         "SIM-G15",
         GE_LIKE,
         false,
         false,
         false,
         false,
         false,
         {0, 50, 400, 800},
         88,
         0.75,
         2.2,
         0.12,
         RELAXIVITY_1_5T},
	{"Simulated Centre C",
         "SIM-P30",
         PHILIPS_LIKE,
         true,
         true,
         true,
         true,
         false,
         {0, 50, 400, 800},
         80,
         1.05,
         0.7,
         0.28,
         RELAXIVITY_3T},
	{"Simulated Centre D",
         "SIM-S15",
         SIEMENS_LIKE,
         false,
         false,
         true,
         false,
         true,
         {0, 50, 400, 800},
         96,
         0.80,
         1.2,
         0.14,
         RELAXIVITY_1_5T},
	{"Simulated Centre E",
         "SIM-C30",
         CANON_LIKE,
         true,
         false,
         false,
         true,
         false,
         {0, 100, 400, 800},
         84,
         0.90,
         1.5,
         0.20,
         RELAXIVITY_3T},
};

const struct scanner *scanner_of(const struct patient *patient) { return &scanners[patient->centre]; }

/* ---- the plan ---- */

static const char *const names[][4] = {
	/* Siemens-like, GE-like, Philips-like, Canon-like */
	[IMAGE_T2] = {"t2_tse_tra", "Ax T2 FRFSE", "T2W_TSE_ax", "T2 FASE2D ax"},
	[IMAGE_T1] = {"t1_vibe_fs_tra_pre", "Ax LAVA pre", "eTHRIVE_pre", "T1 Quick 3D FS"},
	[IMAGE_DWI] = {"ep2d_diff_tra", "Ax DWI", "DWI_ax", "DWI FE_EPI ax"},
	[IMAGE_ADC] = {"ep2d_diff_tra_ADC", "ADC", "dADC_ax", "ADC"},
	[IMAGE_FLIPS] = {"t1_vibe_fa", "Ax LAVA FA", "T1_FFE_FA", "T1 Quick 3D FA"},
	[IMAGE_DCE] = {"t1_vibe_fs_tra_dyn", "Ax LAVA dynamic", "eTHRIVE_dyn", "T1 Quick 3D dyn"},
};
static const char *const directories[] = {"T2", "T1", "DWI", "ADC", "FLIPS", "DCE"};
static const double spacings[2][6][3] = {
	[RS_SIMULATE_SMALL] = {{3.2, 3.2, 4.5},
                               {3.2, 3.2, 4},
                               {4.6, 4.6, 5.4},
                               {4.6, 4.6, 5.4},
                               {3.8, 3.8, 4.5},
                               {3.8, 3.8, 4.5}},
	[RS_SIMULATE_FULL] = {{1.4, 1.4, 2.25},
                              {1.4, 1.4, 2},
                              {2.4, 2.4, 4},
                              {2.4, 2.4, 4},
                              {1.8, 1.8, 2.25},
                              {1.8, 1.8, 2.25}},
};
static const double phase_times_s[PHASES] = {0, 12, 24, 34, 44, 56, 70, 95, 140, 210};

struct planning {
	const struct scanner *scanner;
	enum rs_simulate_size size;
	struct image *images;
	size_t count;
	unsigned series;
};

/* The next volume; a new series unless it goes on with the one before. */
static struct image *next(struct planning *p, enum image_kind kind, unsigned place, unsigned places,
                          double start_s)
{
	struct image *image = &p->images[p->count++];
	if (place == 0)
		p->series++;
	*image = (struct image){
		.kind = kind, .series = p->series, .place = place, .places = places, .start_s = start_s};
	snprintf(image->directory, sizeof image->directory, "%s", directories[kind]);
	snprintf(image->description, sizeof image->description, "%s SYNTHETIC",
	         names[kind][p->scanner->maker]);
	memcpy(image->spacing_mm, spacings[p->size][kind], sizeof image->spacing_mm);
	return image;
}

/* A series of its own among others of its kind. */
static void set_apart(struct image *image, unsigned number, const char *suffix)
{
	snprintf(image->directory, sizeof image->directory, "%s%02u", directories[image->kind], number);
	size_t used = strlen(image->description) - strlen(" SYNTHETIC");
	snprintf(image->description + used, sizeof image->description - used, "_%s SYNTHETIC", suffix);
}

static void plan_still(struct planning *p)
{
	const struct scanner *s = p->scanner;
	struct image *image = next(p, IMAGE_T2, 0, 1, 60);
	image->tr_ms = 3600;
	image->te_ms = s->t2_te_ms;
	image->flip = 150;
	image->echoes = 20;
	image->fat_suppressed = s->t2_fat_suppressed;
	image = next(p, IMAGE_T1, 0, 1, 180);
	image->tr_ms = 4.2;
	image->te_ms = 1.9;
	image->flip = 10;
	image->fat_suppressed = true;
	image->echoes = 1;
	for (unsigned i = 0; i < 4; i++) {
		image = next(p, IMAGE_DWI, i, 4, 300);
		image->tr_ms = 5200;
		image->te_ms = s->at_3t ? 62 : 70;
		image->flip = 90;
		image->echoes = 1;
		image->b = s->b[i];
		image->fat_suppressed = true;
	}
	if (s->has_adc) {
		struct image *adc = next(p, IMAGE_ADC, 0, 1, 300);
		adc->tr_ms = image->tr_ms;
		adc->te_ms = image->te_ms;
		adc->flip = 90;
		adc->echoes = 1;
		adc->fat_suppressed = true;
	}
}

static void plan_contrast(struct planning *p)
{
	static const double flips[3] = {3, 8, 15};
	char suffix[16];
	for (unsigned i = 0; p->scanner->has_flips && i < 3; i++) {
		struct image *image = next(p, IMAGE_FLIPS, 0, 1, 500 + 20 * i);
		image->tr_ms = 4.6;
		image->te_ms = 1.7;
		image->flip = flips[i];
		image->echoes = 1;
		image->fat_suppressed = true;
		snprintf(suffix, sizeof suffix, "%.0f", flips[i]);
		set_apart(image, i + 1, suffix);
	}
	const bool apart = p->scanner->phases_apart;
	for (unsigned i = 0; i < PHASES; i++) {
		struct image *image = next(p, IMAGE_DCE, apart ? 0 : i, apart ? 1 : PHASES,
		                           620 + phase_times_s[i]);
		image->tr_ms = 4.6;
		image->te_ms = 1.7;
		image->flip = 12;
		image->echoes = 1;
		image->fat_suppressed = true;
		image->phase_s = phase_times_s[i];
		snprintf(suffix, sizeof suffix, "ph%02u", i + 1);
		if (apart)
			set_apart(image, i + 1, suffix);
	}
}

size_t scan_plan(const struct patient *patient, enum rs_simulate_size size,
                 struct image out[static IMAGES_MAX])
{
	struct planning p = {.scanner = scanner_of(patient), .size = size, .images = out};
	plan_still(&p);
	plan_contrast(&p);
	return p.count;
}

/* ---- signals ---- */

/* Concentration in a tissue at a time after the first phase. */
static double agent_at(const struct tissue_values *tissue, double arrival_s, double time_s)
{
	double times[CURVE_POINTS], cp[CURVE_POINTS], curve[CURVE_POINTS];
	for (size_t i = 0; i < CURVE_POINTS; i++) {
		times[i] = CURVE_STEP_S * (double)i;
		cp[i] = rs_parker_blood(times[i] - arrival_s - tissue->delay_s) / PLASMA;
	}
	rs_tofts_curve(&tissue->perfusion, times, cp, CURVE_POINTS, curve);
	return curve[(size_t)(time_s / CURVE_STEP_S)];
}

static double signal_of(const struct tissue_values *t, const struct scanner *scanner,
                        const struct image *image, double arrival_s)
{
	double flip = image->flip * DEGREES;
	switch (image->kind) {
	case IMAGE_T2: return rs_spin_echo_signal(t->density, t->t1_ms, t->t2_ms, image->tr_ms, image->te_ms);
	case IMAGE_DWI:
	case IMAGE_ADC:
		return rs_spin_echo_signal(t->density, t->t1_ms, t->t2_ms, image->tr_ms, image->te_ms) *
		       rs_ivim_signal(&t->diffusion, image->b);
	case IMAGE_DCE:
		return rs_spoiled_signal(t->density, t->t1_ms, image->tr_ms, flip) *
		       rs_contrast_enhancement(agent_at(t, arrival_s, image->phase_s), t->t1_ms, image->tr_ms,
		                               flip, scanner->relaxivity);
	case IMAGE_T1:
	case IMAGE_FLIPS: break;
	}
	return rs_spoiled_signal(t->density, t->t1_ms, image->tr_ms, flip);
}

#define FAT_LEFT 0.10 /* of its signal, where it is suppressed */
#define FAT_TURBO 1.6 /* brighter in trains of echoes: Henkelman et al., J. Magn. Res. Imaging 2 (1992) 533 */
#define BLOOD_LEFT 0.2 /* in spin echoes: it has flowed out of the slice before the echo */
static const double brightness[] = {[IMAGE_T2] = 1900,  [IMAGE_T1] = 7000,    [IMAGE_DWI] = 1500,
                                    [IMAGE_ADC] = 1500, [IMAGE_FLIPS] = 7000, [IMAGE_DCE] = 7000};

/* What the equations do not say. */
static double left_of(const struct tissue_values *t, const struct image *image)
{
	const bool spin = image->kind == IMAGE_T2 || image->kind == IMAGE_DWI;
	if (t->fat)
		return image->fat_suppressed ? FAT_LEFT : spin ? FAT_TURBO : 1;
	return t->blood && spin ? BLOOD_LEFT : 1;
}

void scan_looks(const struct patient *patient, const struct image *image, double arrival_s,
                double out[static LABELS])
{
	const struct scanner *scanner = scanner_of(patient);
	for (unsigned label = 0; label < LABELS; label++) {
		if (label >= TISSUES && label < TUMOUR)
			continue;
		struct tissue_values t = tissue_values(patient, label, scanner->at_3t);
		out[label] = left_of(&t, image) * brightness[image->kind] *
		             signal_of(&t, scanner, image, arrival_s);
	}
}

void scan_adc(const struct patient *patient, double out[static LABELS])
{
	const struct scanner *scanner = scanner_of(patient);
	for (unsigned label = 0; label < LABELS; label++) {
		double values[4];
		struct rs_adc fit = {.adc = 0};
		if (label >= TISSUES && label < TUMOUR)
			continue;
		struct tissue_values t = tissue_values(patient, label, scanner->at_3t);
		for (size_t i = 0; i < 4; i++)
			values[i] = rs_ivim_signal(&t.diffusion, scanner->b[i]);
		out[label] = rs_adc_fit(scanner->b, values, 4, 0, &fit) ? fit.adc : 0;
	}
}
