/* The biology of one patient. An aggression that nobody measures makes the tumour grow, thickens its cells (less
 * diffusion), starves it (less perfusion, necrosis), and roughens texture and margin; each of these also varies for reasons
 * of its own. Stage, survival and response are drawn from the same aggression with chance, so that no reader of images can
 * know them for sure. The sizes of effects are chosen, not measured: directions are published (perfusion and diffusion with
 * grade: Zaboriene et al., Diagnostics 13 (2023) 521; Ma et al., Quant. Imaging Med. Surg. 8 (2018) 301), shares are set so
 * that a cross-validated elastic net of features of T1, T2, ADC and wash-in reaches AUC 0.87 (advanced), 0.86 (responds) and
 * concordance 0.72 of 150 small patients; clinical columns 0.67 (advanced), 0.63 (survival). */
#include "patient.h"

#include <stdio.h>

#include "draw.h"

#define FIRST_STUDY_MS 1704096000000u /* 2024-01-01T08:00Z */
#define DAY_MS 86400000u
#define HALF_HOUR_MS 1800000u

/* How much of each trait is aggression (or perfusion), the rest being its own. */
#define SHARE_DIFFUSION 0.80
#define SHARE_PERFUSION 0.60
#define SHARE_TEXTURE 0.85
#define SHARE_NECROSIS 0.70
#define SHARE_MARGIN 0.80
#define SHARE_SIZE 0.30
#define SHARE_CA19_9 0.32

static void draw_tumour(struct rs_stream *stream, struct patient *p)
{
	double g = p->aggression;
	p->size_mm = draw_clamp(32 * exp(0.25 * draw_related(stream, g, SHARE_SIZE)), 16, 54);
	p->diffusion = 1.12e-3 * exp(-0.13 * draw_related(stream, g, SHARE_DIFFUSION));
	p->ktrans = draw_clamp(0.10 * exp(0.40 * p->perfusion), 0.03, 0.30);
	p->ve = draw_clamp(0.36 + 0.06 * p->stroma, 0.20, 0.55);
	p->t1_factor = exp(0.05 * draw_related(stream, p->stroma, 0.7));
	p->t2_factor = exp(-0.08 * draw_related(stream, p->stroma, 0.5));
	p->heterogeneity = draw_clamp(0.95 + 0.35 * draw_related(stream, g, SHARE_TEXTURE), 0.2, 2);
	p->texture_mm = draw_clamp(13 * exp(-0.15 * draw_related(stream, g, 0.5)), 9, 18);
	p->necrosis = draw_clamp(2.0 - 0.6 * draw_related(stream, g, SHARE_NECROSIS), 0.6, 4);
	p->margin = draw_clamp(0.13 * exp(0.40 * draw_related(stream, g, SHARE_MARGIN)), 0.04, 0.32);
}

static void draw_person(struct rs_stream *stream, struct patient *p)
{
	static const double shares[] = {0.62, 0.82, 1}; /* head, body, tail */
	double where = rs_stream_unit(stream);
	p->location = where < shares[HEAD] ? HEAD : where < shares[BODY] ? BODY : TAIL;
	p->age = (unsigned)draw_clamp(floor(67 + 9 * draw_normal(stream)), 38, 89);
	p->male = rs_stream_unit(stream) < 0.53;
	p->weight_kg = draw_clamp((p->male ? 78 : 68) + 12 * draw_normal(stream), 45, 125);
	p->told_size_mm = floor(p->size_mm * exp(0.10 * draw_normal(stream)) + 0.5);
	p->ca19_9 = draw_clamp(160 * exp(1.4 * draw_related(stream, p->aggression, SHARE_CA19_9)), 2, 20000);
}

/* T by size unless arteries are in it; the rest by aggression and chance. */
static void draw_stage(struct rs_stream *stream, struct patient *p)
{
	double g = p->aggression;
	p->advanced = draw_logistic(stream, 0.1 + 4.5 * g);
	p->m = p->advanced && draw_logistic(stream, -0.1 + 0.5 * g);
	bool borderline = draw_logistic(stream, -0.4 + 0.8 * g);
	p->extent = p->m ? METASTATIC : p->advanced ? LOCALLY_ADVANCED : borderline ? BORDERLINE : RESECTABLE;
	p->t = p->extent == LOCALLY_ADVANCED ? 4 : p->size_mm > 40 ? 3 : p->size_mm > 20 ? 2 : 1;
	p->n = (unsigned)draw_logistic(stream, 0.2 + 0.8 * g);
	p->n += p->n && draw_logistic(stream, -1.2 + 0.6 * g);
}

/* Weibull times (hazard rising with time) and even censoring: months. */
static void draw_fate(struct rs_stream *stream, struct patient *p)
{
	double score = 1.5 * p->aggression + 0.4 * p->advanced + 0.2 * (p->age - 67.0) / 10;
	double death = 20 * pow(-log(1 - rs_stream_unit(stream)) * exp(-score), 1 / 1.3);
	double seen = draw_between(stream, 8, 48);
	p->died = death <= seen;
	p->time_months = fmax(0.1, floor(10 * fmin(death, seen)) / 10);
	p->responds = draw_logistic(stream, -0.1 + 3.0 * p->perfusion - 1.6 * p->aggression);
}

void patient_draw(uint64_t seed, size_t number, struct patient *out)
{
	struct rs_stream biology = draw_stream(seed, number, DRAW_BIOLOGY),
			 outcome = draw_stream(seed, number, DRAW_OUTCOME);
	struct patient p = {.number = number, .centre = (number - 1) % CENTRES};
	snprintf(p.id, sizeof p.id, "SIM-%04zu", number);
	p.study_ms = FIRST_STUDY_MS + number * DAY_MS + rs_stream_below(&biology, 20) * HALF_HOUR_MS;
	p.aggression = draw_normal(&biology);
	p.perfusion = -draw_related(&biology, p.aggression, SHARE_PERFUSION);
	p.stroma = draw_normal(&biology);
	draw_tumour(&biology, &p);
	draw_person(&biology, &p);
	draw_stage(&outcome, &p);
	draw_fate(&outcome, &p);
	*out = p;
}

/* AJCC Cancer Staging Manual, 8th edition: exocrine pancreas. */
const char *patient_stage(const struct patient *p)
{
	if (p->m)
		return "IV";
	if (p->t == 4 || p->n == 2)
		return "III";
	if (p->n == 1)
		return "IIB";
	return p->t == 3 ? "IIA" : p->t == 2 ? "IB" : "IA";
}

const char *patient_extent(const struct patient *p)
{
	static const char *const words[] = {"resectable", "borderline", "locally_advanced", "metastatic"};
	return words[p->extent];
}

const char *patient_location(const struct patient *p)
{
	static const char *const words[] = {"head", "body", "tail"};
	return words[p->location];
}
