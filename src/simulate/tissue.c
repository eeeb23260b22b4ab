/* The table of tissues, and where its values are from.
 * T1, T2: de Bazelaire et al., Radiology 230 (2004) 652 (organs, muscle, marrow, fat at 1.5 and 3 T); Stanisz et al., Magn.
 * Res. Med. 54 (2005) 507 (blood, cord; cartilage for discs); fluids are long as water is. Ductal adenocarcinoma: longer T1 and
 * T2 than the gland (direction: Wang et al., Front. Physiol. 11 (2020) 8); upstream of it T1 as of chronic pancreatitis,
 * 1099 ms at 3 T (Tirkes et al., J. Magn. Res. Imaging 45 (2017) 1171).
 * Diffusion and its perfusion fraction are set so that b = 0 and 800 give 1.79 (gland) and 1.22 (tumour) 10^-3 mm2/s: Egypt.
 * J. Radiol. Nucl. Med. 2013 (high b-value DWI of pancreatic cancer and focal pancreatitis); a lower fraction in the tumour:
 * Nadolska et al., Diagnostics 14 (2024) 571. Other organs: near what abdominal papers give (liver 1.4, spleen 0.9, kidney 2.1).
 * Perfusion: ve of the gland is its extracellular volume, Tirkes et al., Abdom. Radiol. 44 (2019) 3133; Ktrans lower and ve
 * higher in the tumour: Zaboriene et al., Diagnostics 13 (2023) 521; published Ktrans differ tenfold, so levels are chosen.
 * Densities of protons (water is 1), delays and grain are chosen. */
#include "tissue.h"

#include "draw.h"

#define PLASMA 0.58 /* of blood: 1 - hematocrit */
#define LEVELS_PER_UNIT 10.0

/* What one unit of denser cells does to the tumour: less water moves, less blood comes. Chosen. */
#define UNIT_DIFFUSION (-0.18)
#define UNIT_T1 0.06
#define UNIT_T2 (-0.15)
#define UNIT_KTRANS (-0.40)

struct row {
	double t1_ms[2], t2_ms[2]; /* 1.5 T, 3 T */
	double density;
	double d, f, d_star; /* 10^-3 mm2/s, 1, 10^-3 mm2/s */
	double ktrans, ve, vp, delay_s;
	double grain;
};

static const struct row table[TISSUES] = {
	[AIR] = {{1000, 1000}, {10, 10}, 0, 1, 0, 1, 0, 0.1, 0, 0, 0},
	[SKIN_FAT] = {{343, 382}, {58, 68}, 0.90, 0.05, 0, 1, 0.01, 0.05, 0.005, 5, 0.04},
	[VISCERAL_FAT] = {{343, 382}, {58, 68}, 0.85, 0.05, 0, 1, 0.01, 0.05, 0.005, 5, 0.10},
	[MUSCLE] = {{856, 898}, {27, 29}, 0.80, 1.30, 0.06, 20, 0.06, 0.12, 0.02, 5, 0.06},
	[MARROW] = {{549, 586}, {49, 49}, 0.55, 0.45, 0.05, 20, 0.12, 0.15, 0.03, 5, 0.08},
	[DISC] = {{1024, 1168}, {50, 45}, 0.75, 1.40, 0, 1, 0.01, 0.2, 0, 5, 0.05},
	[CORD] = {{745, 993}, {74, 78}, 0.75, 0.90, 0, 1, 0.01, 0.1, 0.01, 5, 0.02},
	[CSF] = {{4000, 4000}, {1500, 1500}, 1.00, 3.00, 0, 1, 0, 0.1, 0, 0, 0},
	[LIVER] = {{586, 809}, {46, 34}, 0.80, 1.05, 0.25, 60, 0.60, 0.25, 0.10, 12, 0.04},
	[SPLEEN] = {{1057, 1328}, {79, 61}, 0.85, 0.76, 0.10, 30, 1.20, 0.30, 0.15, 3, 0.04},
	[CORTEX] = {{966, 1142}, {87, 76}, 0.85, 1.80, 0.20, 25, 1.60, 0.35, 0.20, 1, 0.03},
	[MEDULLA] = {{1412, 1545}, {85, 81}, 0.87, 1.75, 0.14, 25, 0.60, 0.40, 0.10, 15, 0.03},
	[BOWEL_WALL] = {{900, 1050}, {50, 45}, 0.80, 1.30, 0.10, 20, 0.30, 0.30, 0.05, 4, 0.06},
	[CONTENT] = {{600, 700}, {60, 55}, 0.60, 1.40, 0, 1, 0, 0.1, 0, 0, 0.20},
	[FLUID] = {{2800, 3000}, {500, 450}, 1.00, 2.80, 0, 1, 0, 0.1, 0, 0, 0.04},
	[GAS] = {{1000, 1000}, {10, 10}, 0.02, 1, 0, 1, 0, 0.1, 0, 0, 0},
	[BILE] = {{2200, 2400}, {700, 600}, 1.00, 2.90, 0, 1, 0, 0.1, 0, 0, 0.02},
	[ARTERY] = {{1441, 1932}, {290, 275}, 0.85, 1.80, 0.90, 150, 0, 0.1, PLASMA, 0, 0.04},
	[VEIN] = {{1441, 1932}, {290, 275}, 0.85, 1.80, 0.90, 150, 0, 0.1, PLASMA, 14, 0.04},
	[PANCREAS] = {{584, 725}, {46, 43}, 0.80, 1.48, 0.22, 20, 0.40, 0.26, 0.06, 2, 0.10},
	[UPSTREAM] = {{850, 1099}, {58, 54}, 0.82, 1.50, 0.12, 20, 0.20, 0.36, 0.04, 4, 0.10},
	[DUCT] = {{2400, 2600}, {600, 550}, 1.00, 2.80, 0, 1, 0, 0.1, 0, 0, 0},
	[METASTASIS] = {{950, 1200}, {75, 65}, 0.85, 1.05, 0.08, 20, 0.20, 0.30, 0.03, 4, 0.06},
	[NECROSIS] = {{1700, 1900}, {170, 150}, 0.92, 2.10, 0, 1, 0.01, 0.40, 0, 5, 0.03},
};
static const struct row tumour = {{980, 1250}, {62, 56}, 0.84, 0, 0.08, 14, 0, 0, 0.02, 4, 0.03};

unsigned tissue_tumour_label(double density)
{
	double level = draw_clamp(density * LEVELS_PER_UNIT + TUMOUR_LEVELS / 2.0, 0, TUMOUR_LEVELS - 1);
	return TUMOUR + (unsigned)level;
}

double tissue_tumour_density(unsigned label)
{
	return ((double)label - TUMOUR + 0.5 - TUMOUR_LEVELS / 2.0) / LEVELS_PER_UNIT;
}

struct tissue_values tissue_values(const struct patient *patient, unsigned label, bool at_3t)
{
	const bool in_tumour = label >= TUMOUR;
	const struct row *row = in_tumour ? &tumour : &table[label];
	struct tissue_values out = {
		.t1_ms = row->t1_ms[at_3t],
		.t2_ms = row->t2_ms[at_3t],
		.density = row->density,
		.diffusion = {1, row->f, row->d * 1e-3, row->d_star * 1e-3, 1},
		.perfusion = {row->ktrans, row->ve, row->vp, 1},
		.delay_s = row->delay_s,
		.grain = row->grain,
		.fat = label == SKIN_FAT || label == VISCERAL_FAT,
		.blood = label == ARTERY || label == VEIN,
	};
	if (!in_tumour)
		return out;
	double units = tissue_tumour_density(label);
	out.t1_ms *= patient->t1_factor * exp(UNIT_T1 * units);
	out.t2_ms *= patient->t2_factor * exp(UNIT_T2 * units);
	out.diffusion.d = patient->diffusion * exp(UNIT_DIFFUSION * units);
	out.perfusion.ktrans = patient->ktrans * exp(UNIT_KTRANS * units);
	out.perfusion.ve = patient->ve;
	return out;
}
