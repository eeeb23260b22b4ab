/* Facts of one image: tables of attributes and codes. Sources: PS3.3 C.8.3 (MR image), C.8.13 (enhanced MR). */
#include "facts.h"

#include <math.h>
#include <string.h>

#define FRAME_CONTENT RS_DICOM_TAG(0x0020, 0x9111)
#define FRAME_TYPE RS_DICOM_TAG(0x0018, 0x9226)
#define MODIFIER RS_DICOM_TAG(0x0018, 0x9115)

static const struct rs_dicom_element *within(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *group, uint32_t sequence,
                                             uint32_t tag)
{
	const struct rs_dicom_element *found = group ? rs_dicom_find(dicom, group, sequence) : NULL;
	const struct rs_dicom_element *item = found ? rs_dicom_item(dicom, found, 0) : NULL;
	return item ? rs_dicom_find(dicom, item, tag) : NULL;
}

const struct rs_dicom_element *facts_find(const struct facts_source *source, uint32_t sequence, uint32_t tag)
{
	const struct rs_dicom_element *found = sequence ? within(source->dicom, source->own, sequence, tag)
	                                                : NULL;
	if (!found && sequence)
		found = within(source->dicom, source->shared, sequence, tag);
	return found ? found : rs_dicom_find(source->dicom, NULL, tag);
}

/* The first row that is there counts. */
static const struct {
	enum fact fact;
	uint32_t sequence, tag;
} numbers[] = {
	{FACT_ECHO, RS_DICOM_TAG(0x0018, 0x9114), RS_DICOM_TAG(0x0018, 0x9082)},
	{FACT_ECHO, 0, RS_DICOM_TAG(0x0018, 0x0081)},
	{FACT_FLIP, RS_DICOM_TAG(0x0018, 0x9112), RS_DICOM_TAG(0x0018, 0x1314)},
	{FACT_INVERSION, MODIFIER, RS_DICOM_TAG(0x0018, 0x9079)},
	{FACT_INVERSION, 0, RS_DICOM_TAG(0x0018, 0x0082)},
	{FACT_TEMPORAL, FRAME_CONTENT, RS_DICOM_TAG(0x0020, 0x9128)},
	{FACT_TEMPORAL, 0, RS_DICOM_TAG(0x0020, 0x0100)},
	{FACT_OFFSET, RS_DICOM_TAG(0x0020, 0x9310), RS_DICOM_TAG(0x0020, 0x930D)},
	{FACT_TRIGGER, RS_DICOM_TAG(0x0018, 0x9118), RS_DICOM_TAG(0x0020, 0x9153)},
	{FACT_TRIGGER, 0, RS_DICOM_TAG(0x0018, 0x1060)},
	{FACT_ACQUISITION, FRAME_CONTENT, RS_DICOM_TAG(0x0020, 0x9156)},
	{FACT_ACQUISITION, 0, RS_DICOM_TAG(0x0020, 0x0012)},
	{FACT_REPETITION, RS_DICOM_TAG(0x0018, 0x9112), RS_DICOM_TAG(0x0018, 0x0080)},
	{FACT_INSTANCE, 0, RS_DICOM_TAG(0x0020, 0x0013)},
};

/* ImageType and the like: several codes. sequence: of a functional group. */
static const struct {
	uint32_t sequence, tag;
	const char *code;
	unsigned flag;
} codes[] = {
#define IMAGE_TYPE 0, RS_DICOM_TAG(0x0008, 0x0008)
#define OF_FRAME FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9007)
#define SCANNING 0, RS_DICOM_TAG(0x0018, 0x0020)
#define VARIANT 0, RS_DICOM_TAG(0x0018, 0x0021)
#define SCAN_OPTIONS 0, RS_DICOM_TAG(0x0018, 0x0022)
#define PULSES 0, RS_DICOM_TAG(0x0018, 0x9008)
	{IMAGE_TYPE, "DERIVED", IMAGE_DERIVED},
	{IMAGE_TYPE, "ADC", IMAGE_ADC},
	{IMAGE_TYPE, "APPARENT DIFFUSION COEFFICIENT", IMAGE_ADC},
	{OF_FRAME, "ADC", IMAGE_ADC},
	{OF_FRAME, "DERIVED", IMAGE_DERIVED},
	{IMAGE_TYPE, "EADC", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "EXPONENTIAL DIFFUSION COEFFICIENT", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "FA", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "TENSOR", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "SUBTRACTION", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "SUB", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "MIP", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "MPR", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "MAX_IP", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "PROJECTION IMAGE", IMAGE_OTHER_MAP},
	{IMAGE_TYPE, "LOCALIZER", IMAGE_LOCALIZER},
	{IMAGE_TYPE, "P", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "R", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "I", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "PHASE", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "PHASE MAP", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "REAL", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "IMAGINARY", IMAGE_NO_MAGNITUDE},
	{FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9208), "PHASE", IMAGE_NO_MAGNITUDE},
	{FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9208), "REAL", IMAGE_NO_MAGNITUDE},
	{FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9208), "IMAGINARY", IMAGE_NO_MAGNITUDE},
	{IMAGE_TYPE, "W", IMAGE_WATER},
	{IMAGE_TYPE, "WATER", IMAGE_WATER},
	{IMAGE_TYPE, "F", IMAGE_FAT},
	{IMAGE_TYPE, "FAT", IMAGE_FAT},
	{IMAGE_TYPE, "IP", IMAGE_IN_PHASE},
	{IMAGE_TYPE, "IN_PHASE", IMAGE_IN_PHASE},
	{IMAGE_TYPE, "OP", IMAGE_OPPOSED},
	{IMAGE_TYPE, "OPP_PHASE", IMAGE_OPPOSED},
	{IMAGE_TYPE, "OUT_PHASE", IMAGE_OPPOSED},
	{IMAGE_TYPE, "TRACEW", IMAGE_TRACE},
	{RS_DICOM_TAG(0x0018, 0x9117), RS_DICOM_TAG(0x0018, 0x9075), "ISOTROPIC", IMAGE_TRACE},
	{IMAGE_TYPE, "DIFFUSION", IMAGE_DIFFUSION},
	{FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9209), "DIFFUSION", IMAGE_DIFFUSION},
	{FRAME_TYPE, RS_DICOM_TAG(0x0008, 0x9209), "PERFUSION", IMAGE_PERFUSION},
	{IMAGE_TYPE, "PERFUSION", IMAGE_PERFUSION},
	{IMAGE_TYPE, "MOSAIC", IMAGE_MOSAIC},
	{SCANNING, "SE", IMAGE_SPIN_ECHO},
	{SCANNING, "GR", IMAGE_GRADIENT_ECHO},
	{SCANNING, "IR", IMAGE_INVERSION},
	{SCANNING, "EP", IMAGE_ECHO_PLANAR},
	{VARIANT, "SP", IMAGE_SPOILED},
	{VARIANT, "SS", IMAGE_STEADY_STATE},
	{SCAN_OPTIONS, "FS", IMAGE_FAT_SUPPRESSED},
	{SCAN_OPTIONS, "FATSAT", IMAGE_FAT_SUPPRESSED},
	{SCAN_OPTIONS, "SPIR", IMAGE_FAT_SUPPRESSED},
	{SCAN_OPTIONS, "SPAIR", IMAGE_FAT_SUPPRESSED},
	{SCAN_OPTIONS, "WE", IMAGE_FAT_SUPPRESSED},
	{SCAN_OPTIONS, "FC_FS", IMAGE_FAT_SUPPRESSED},
	{MODIFIER, RS_DICOM_TAG(0x0018, 0x9025), "FAT", IMAGE_FAT_SUPPRESSED},
	{MODIFIER, RS_DICOM_TAG(0x0018, 0x9026), "WATER", IMAGE_FAT_SUPPRESSED},
	{MODIFIER, RS_DICOM_TAG(0x0018, 0x9009), "YES", IMAGE_INVERSION},
	{MODIFIER, RS_DICOM_TAG(0x0018, 0x9016), "RF", IMAGE_SPOILED},
	{MODIFIER, RS_DICOM_TAG(0x0018, 0x9016), "RF_AND_GRADIENT", IMAGE_SPOILED},
	{PULSES, "SPIN", IMAGE_SPIN_ECHO},
	{PULSES, "GRADIENT", IMAGE_GRADIENT_ECHO},
	{PULSES, "BOTH", IMAGE_SPIN_ECHO},
	{0, RS_DICOM_TAG(0x0018, 0x9018), "YES", IMAGE_ECHO_PLANAR},
};

static unsigned flags_of(const struct facts_source *source)
{
	unsigned flags = 0;
	for (size_t row = 0; row < RS_COUNT(codes); row++) {
		const struct rs_dicom_element *element = facts_find(source, codes[row].sequence,
		                                                    codes[row].tag);
		struct rs_str rest = element ? rs_str_of_bytes(element->value) : (struct rs_str){"", 0}, part;
		while (rs_str_split(&rest, '\\', &part)) {
			while (part.size > 0 && part.data[part.size - 1] == '\0')
				part.size--;
			if (rs_str_equal_ignoring_case(rs_str_trim(part), rs_str_from(codes[row].code)))
				flags |= codes[row].flag;
		}
	}
	const struct rs_dicom_element *agent = rs_dicom_find(source->dicom, NULL,
	                                                     RS_DICOM_TAG(0x0018, 0x0010));
	struct rs_str text = rs_dicom_text(agent, 0);
	bool said = text.size > 0 && !rs_str_equal_ignoring_case(text, RS_STR("none")) &&
	            !rs_str_equal_ignoring_case(text, RS_STR("no"));
	if (said || rs_dicom_find(source->dicom, NULL, RS_DICOM_TAG(0x0018, 0x0012)) != NULL)
		flags |= IMAGE_CONTRAST;
	return flags;
}

/* "YYYYMMDD" and "HHMMSS.ffffff", or one after the other (DT); seconds since 1970 as if it were UTC; NaN. */
static double seconds_of(struct rs_str day, struct rs_str time)
{
	char text[] = "0000-00-00";
	uint64_t hours = 0, minutes = 0, day_ms = 0;
	double seconds = 0;
	if (day.size >= 8) {
		static const size_t to[8] = {0, 1, 2, 3, 5, 6, 8, 9};
		for (size_t i = 0; i < 8; i++)
			text[to[i]] = day.data[i];
		if (!rs_parse_time_ms((struct rs_str){text, 10}, &day_ms))
			day_ms = 0;
	}
	if (time.size < 4 || !rs_parse_u64((struct rs_str){time.data, 2}, &hours) ||
	    !rs_parse_u64((struct rs_str){time.data + 2, 2}, &minutes))
		return NAN;
	size_t end = 4;
	while (end < time.size && ((time.data[end] >= '0' && time.data[end] <= '9') || time.data[end] == '.'))
		end++;
	if (end > 4 && !rs_parse_f64((struct rs_str){time.data + 4, end - 4}, &seconds))
		return NAN;
	return (double)day_ms / 1000 + (double)hours * 3600 + (double)minutes * 60 + seconds;
}

static double time_of(const struct facts_source *source)
{
	static const struct {
		uint32_t sequence, tag;
	} both[] = {{FRAME_CONTENT, RS_DICOM_TAG(0x0018, 0x9074)}, {0, RS_DICOM_TAG(0x0008, 0x002A)}};
	for (size_t i = 0; i < RS_COUNT(both); i++) {
		struct rs_str text = rs_dicom_text(facts_find(source, both[i].sequence, both[i].tag), 0);
		if (text.size >= 12)
			return seconds_of((struct rs_str){text.data, 8},
			                  (struct rs_str){text.data + 8, text.size - 8});
	}
	struct rs_str time = rs_dicom_text(rs_dicom_find(source->dicom, NULL, RS_DICOM_TAG(0x0008, 0x0032)),
	                                   0);
	return seconds_of(rs_dicom_text(rs_dicom_find(source->dicom, NULL, RS_DICOM_TAG(0x0008, 0x0022)), 0),
	                  time);
}

static void place_of_image(const struct facts_source *source, struct image_facts *out)
{
	if (!rs_dicom_doubles(facts_find(source, RS_DICOM_TAG(0x0020, 0x9113), RS_DICOM_TAG(0x0020, 0x0032)),
	                      3, out->position) ||
	    !rs_dicom_doubles(facts_find(source, RS_DICOM_TAG(0x0020, 0x9116), RS_DICOM_TAG(0x0020, 0x0037)),
	                      6, out->orientation) ||
	    !rs_dicom_doubles(facts_find(source, RS_DICOM_TAG(0x0028, 0x9110), RS_DICOM_TAG(0x0028, 0x0030)),
	                      2, out->spacing))
		out->orientation[0] = NAN;
}

void facts_read(const struct facts_source *source, struct image_facts *out)
{
	for (size_t f = 0; f < FACTS; f++)
		out->facts[f] = NAN;
	out->flags = flags_of(source);
	out->facts[FACT_TRACE] = (out->flags & IMAGE_TRACE) != 0;
	for (size_t row = 0; row < RS_COUNT(numbers); row++) {
		double value;
		if (isnan(out->facts[numbers[row].fact]) &&
		    rs_dicom_double(facts_find(source, numbers[row].sequence, numbers[row].tag), 0, &value) &&
		    isfinite(value))
			out->facts[numbers[row].fact] = value;
	}
	out->facts[FACT_TIME] = time_of(source);
	out->facts[FACT_RELAXIVITY] = agent_relaxivity(source);
	out->facts[FACT_B] = b_value_of(source, &out->b_source);
	place_of_image(source, out);
}
