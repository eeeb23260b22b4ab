/* What a series is: a list of rules, of which the first that fits decides and tells why. Numbers are those of the usual
 * protocols at 1.5 and 3 T (Bernstein, King & Zhou, Handbook of MRI Pulse Sequences, 2004); the description, which anybody may
 * have typed, is asked last. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gather.h"

#define PLACES_MIN 3
#define T2_ECHO_MS 50.0   /* from here on spin echoes are weighted by T2 */
#define HEAVY_ECHO_MS 200 /* MRCP: fluid only */
#define T1_ECHO_MS 35.0
#define T1_REPETITION_MS 1500.0
#define T2_STAR_ECHO_MS 12.0
#define FLAIR_INVERSION_MS 1200.0
#define BALANCED_FLIP 30.0
#define DCE_TIMES_MIN 3

struct subject {
	const struct gathered_series *series;
	const struct rs_scan *scan;
	unsigned flags;
	const char *b_source;
	size_t times, flips, weights, echoes; /* different ones */
	bool spin_echo, gradient_echo;
};
struct verdict {
	enum rs_scan_kind kind;
	int rank;
	char why[240];
};

static bool has(const struct subject *s, unsigned flags) { return (s->flags & flags) != 0; }

/* How many different values volumes have; NaN is none. */
static size_t different(const struct rs_scan *scan, size_t offset, double tolerance)
{
	size_t count = 0;
	for (size_t i = 0; i < scan->volume_count; i++) {
		double value, other;
		memcpy(&value, (const char *)&scan->volumes[i] + offset, sizeof value);
		bool new_one = !isnan(value);
		for (size_t k = 0; k < i && new_one; k++) {
			memcpy(&other, (const char *)&scan->volumes[k] + offset, sizeof other);
			new_one = !(fabs(other - value) <= tolerance);
		}
		count += new_one;
	}
	return count;
}
#define DIFFERENT(scan, member, tolerance) \
	different((scan), offsetof(struct rs_scan_volume, member), (tolerance))

/* As a word of the description: letters around it would make it another one. */
static bool says(const struct subject *s, const char *word)
{
	const char *text = s->series->description;
	size_t length = strlen(word);
	for (size_t i = 0; text[i]; i++) {
		size_t k = 0;
		while (k < length && (text[i + k] | 0x20) == (word[k] | 0x20))
			k++;
		bool starts = i == 0 || !((text[i - 1] | 0x20) >= 'a' && (text[i - 1] | 0x20) <= 'z');
		if (k == length && starts && !((text[i + k] | 0x20) >= 'a' && (text[i + k] | 0x20) <= 'z'))
			return true;
	}
	return false;
}

static bool is_said(const struct subject *s, const char *const *words)
{
	for (; *words; words++)
		if (says(s, *words))
			return true;
	return false;
}

static bool verdict(struct verdict *out, enum rs_scan_kind kind, int rank, const char *format, ...)
	RS_PRINTF(4, 5);
static bool verdict(struct verdict *out, enum rs_scan_kind kind, int rank, const char *format, ...)
{
	va_list arguments;
	*out = (struct verdict){.kind = kind, .rank = rank};
	va_start(arguments, format);
	(void)vsnprintf(out->why, sizeof out->why, format, arguments);
	va_end(arguments);
	return true;
}

/* ---- rules: false when they say nothing ---- */

static bool no_stack(const struct subject *s, struct verdict *out)
{
	if (strcmp(s->series->modality, "MR") != 0)
		return verdict(out, RS_SCAN_OTHER, 0, "its modality is %s, not MR", s->series->modality);
	if (s->scan->volume_count == 0)
		return verdict(out, RS_SCAN_OTHER, 0, "its images have no place in the patient");
	if (has(s, IMAGE_MOSAIC))
		return verdict(
			out, RS_SCAN_OTHER, 0,
			"ImageType is MOSAIC: slices side by side in one image; convert it first (dcm2niix does)");
	if (has(s, IMAGE_LOCALIZER))
		return verdict(out, RS_SCAN_OTHER, 0, "ImageType is LOCALIZER");
	if (s->scan->places < PLACES_MIN)
		return verdict(out, RS_SCAN_OTHER, 0, "it has slices at %zu place%s only", s->scan->places,
		               s->scan->places == 1 ? "" : "s");
	return false;
}

static bool no_measurement(const struct subject *s, struct verdict *out)
{
	if (has(s, IMAGE_NO_MAGNITUDE))
		return verdict(out, RS_SCAN_OTHER, 0, "ImageType tells a phase, real or imaginary part");
	if (has(s, IMAGE_ADC))
		return verdict(out, RS_SCAN_ADC, 10, "ImageType says ADC");
	if (has(s, IMAGE_OTHER_MAP))
		return verdict(out, RS_SCAN_OTHER, 0,
		               "ImageType tells a map, projection or subtraction made of other images");
	if (has(s, IMAGE_DERIVED) && says(s, "ADC"))
		return verdict(out, RS_SCAN_ADC, 5, "it is derived, and its description says ADC");
	return false;
}

static bool diffusion(const struct subject *s, struct verdict *out)
{
	double greatest = 0;
	for (size_t i = 0; i < s->scan->volume_count; i++)
		greatest = fmax(greatest, s->scan->volumes[i].b);
	/* GE writes a b-value of 0 into whatever is echo-planar. */
	if (greatest > 0 || (s->weights > 0 && has(s, IMAGE_DIFFUSION)))
		return verdict(out, RS_SCAN_DWI, (int)s->weights, "%s tells %zu b-value%s, up to %g s/mm2",
		               s->b_source, s->weights, s->weights == 1 ? "" : "s", greatest);
	if (has(s, IMAGE_DIFFUSION))
		return verdict(out, RS_SCAN_DWI, 0,
		               "ImageType says DIFFUSION, but no attribute tells a b-value");
	static const char *const words[] = {"DWI", "DIFF", "DIFFUSION", NULL};
	if (has(s, IMAGE_ECHO_PLANAR) && is_said(s, words))
		return verdict(out, RS_SCAN_DWI, 0,
		               "it is echo-planar and its description says diffusion, but no attribute "
		               "tells a b-value");
	if (has(s, IMAGE_ECHO_PLANAR))
		return verdict(out, RS_SCAN_OTHER, 0,
		               "ScanningSequence is EP without diffusion weighting: a series over time");
	return false;
}

static bool gradient_echo(const struct subject *s, struct verdict *out)
{
	const struct rs_scan *scan = s->scan;
	const char *variant = has(s, IMAGE_SPOILED) ? ", spoiled" : "";
	if (!s->gradient_echo)
		return false;
	if (has(s, IMAGE_STEADY_STATE) && !has(s, IMAGE_SPOILED) && scan->repetition_ms < 10 &&
	    scan->flip >= BALANCED_FLIP && fabs(scan->echo_ms - scan->repetition_ms / 2) < 1)
		return verdict(out, RS_SCAN_OTHER, 0, "a balanced steady state: its contrast is of T2/T1");
	if (scan->echo_ms >= T2_STAR_ECHO_MS)
		return verdict(out, RS_SCAN_OTHER, 0, "a gradient echo of TE %g ms is weighted by T2*",
		               scan->echo_ms);
	if (s->flips >= 2)
		return verdict(out, RS_SCAN_VFA, (int)s->flips, "a gradient echo%s at %zu flip angles",
		               variant, s->flips);
	if (scan->volume_count >= DCE_TIMES_MIN && s->echoes <= 1)
		return verdict(out, RS_SCAN_DCE, (int)scan->volume_count,
		               "a gradient echo%s (TR %g, TE %g ms) at %zu times%s", variant,
		               scan->repetition_ms, scan->echo_ms, scan->volume_count,
		               scan->contrast ? ", with contrast agent" : "");
	return verdict(out, scan->contrast ? RS_SCAN_T1C : RS_SCAN_T1, 4,
	               "a gradient echo%s of TR %g and TE %g ms is weighted by T1%s", variant,
	               scan->repetition_ms, scan->echo_ms,
	               scan->contrast ? "; ContrastBolusAgent is told" : "");
}

static bool spin_echo(const struct subject *s, struct verdict *out)
{
	const struct rs_scan *scan = s->scan;
	if (!s->spin_echo || isnan(scan->echo_ms))
		return false;
	if (scan->inversion_ms >= FLAIR_INVERSION_MS && scan->echo_ms >= T2_ECHO_MS)
		return verdict(out, RS_SCAN_OTHER, 0,
		               "an inversion of TI %g ms before TE %g ms takes fluid's signal (FLAIR)",
		               scan->inversion_ms, scan->echo_ms);
	if (scan->echo_ms >= T2_ECHO_MS)
		return verdict(out, RS_SCAN_T2, scan->echo_ms > HEAVY_ECHO_MS ? 0 : 8,
		               "a spin echo of TE %g ms%s is weighted by T2", scan->echo_ms,
		               scan->repetition_ms > 2000 ? " and long TR" : "");
	if (scan->echo_ms <= T1_ECHO_MS && scan->repetition_ms <= T1_REPETITION_MS)
		return verdict(out, scan->contrast ? RS_SCAN_T1C : RS_SCAN_T1, 3,
		               "a spin echo of TR %g and TE %g ms is weighted by T1", scan->repetition_ms,
		               scan->echo_ms);
	return verdict(out, RS_SCAN_OTHER, 0,
	               "a spin echo of TR %g and TE %g ms is weighted by neither T1 nor T2 enough",
	               scan->repetition_ms, scan->echo_ms);
}

static bool description(const struct subject *s, struct verdict *out)
{
	static const char *const words[RS_SCAN_KINDS][6] = {
		[RS_SCAN_T2] = {"T2", "T2W", "HASTE", "STIR", NULL},
		[RS_SCAN_DCE] = {"DCE", "DYN", "DYNAMIC", "PERFUSION", NULL},
		[RS_SCAN_T1] = {"T1", "T1W", "VIBE", "LAVA", "THRIVE", NULL},
		[RS_SCAN_DWI] = {"DWI", "DIFFUSION", NULL},
		[RS_SCAN_ADC] = {"ADC", NULL},
	};
	static const enum rs_scan_kind order[] = {RS_SCAN_ADC, RS_SCAN_DWI, RS_SCAN_DCE, RS_SCAN_T2,
	                                          RS_SCAN_T1};
	for (size_t i = 0; i < RS_COUNT(order); i++)
		if (is_said(s, words[order[i]]))
			return verdict(
				out, order[i], 1,
				"only its description says so: ScanningSequence, TR and TE tell nothing");
	return verdict(out, RS_SCAN_OTHER, 0, "nothing tells what it is");
}

static bool (*const rules[])(const struct subject *, struct verdict *) = {
	no_stack, no_measurement, diffusion, gradient_echo, spin_echo, description};

/* What makes one of two series of a kind the better one. */
static int merit(const struct subject *s)
{
	const struct rs_scan *scan = s->scan;
	int rank = fabs(scan->normal[2]) > 0.8 ? 40 : 0;
	rank += has(s, IMAGE_DERIVED) ? 0 : 10;
	rank += has(s, IMAGE_WATER | IMAGE_IN_PHASE) ? 2 : 0;
	rank -= has(s, IMAGE_FAT | IMAGE_OPPOSED) ? 30 : 0;
	return rank;
}

enum rs_code recognise(struct rs_arena *arena, const struct gathered_series *series, unsigned flags,
                       const char *b_source, struct rs_scan *scan, struct rs_error *err)
{
	struct verdict verdict = {.kind = RS_SCAN_OTHER};
	const double te = scan->echo_ms, tr = scan->repetition_ms;
	struct subject s = {series, scan, flags, b_source, .times = scan->volume_count};
	s.flips = DIFFERENT(scan, flip, 0.5);
	s.weights = DIFFERENT(scan, b, 0.5);
	s.echoes = DIFFERENT(scan, echo_ms, 0.1);
	/* ScanningSequence is research mode, or nothing, with some: then the times tell. */
	bool told = has(&s, IMAGE_SPIN_ECHO | IMAGE_GRADIENT_ECHO);
	s.gradient_echo = told ? has(&s, IMAGE_GRADIENT_ECHO) && !has(&s, IMAGE_SPIN_ECHO)
	                       : te < 8 && tr < 20;
	s.spin_echo = told ? has(&s, IMAGE_SPIN_ECHO) : te >= T2_ECHO_MS || (te < 30 && tr > 100);
	for (size_t r = 0; r < RS_COUNT(rules); r++)
		if (rules[r](&s, &verdict))
			break;
	scan->kind = verdict.kind;
	scan->rank = verdict.rank + merit(&s);
	scan->why = arena_text(arena, rs_str_from(verdict.why));
	return scan->why ? RS_OK : rs_error_memory(err, sizeof verdict.why, "a sentence");
}
