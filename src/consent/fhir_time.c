/* FHIR's date and dateTime, as stretches of time: "2026-02" is all of February, in UTC where no zone is said. */
#include "fhir.h"

#define DAY_MS ((int64_t)86400000)

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar (Hinnant's counting from 1 March). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month > 2 ? year : year - 1;
	int64_t era = shifted / 400, of_era = shifted % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* `size` digits, least … most; moves on. */
static bool digits(struct rs_str *text, size_t size, int64_t least, int64_t most, int64_t *out)
{
	uint64_t value;
	if (text->size < size || !rs_parse_u64((struct rs_str){text->data, size}, &value))
		return false;
	for (size_t i = 0; i < size; i++)
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
	*text = (struct rs_str){text->data + size, text->size - size};
	*out = (int64_t)value;
	return *out >= least && *out <= most;
}

static bool sign(struct rs_str *text, char wanted)
{
	if (text->size == 0 || text->data[0] != wanted)
		return false;
	*text = (struct rs_str){text->data + 1, text->size - 1};
	return true;
}

static bool read_zone(struct rs_str *text, int64_t *out_ms)
{
	int64_t hours, minutes, direction = sign(text, '+') ? 1 : sign(text, '-') ? -1 : 0;
	*out_ms = 0;
	if (direction == 0)
		return sign(text, 'Z');
	if (!digits(text, 2, 0, 14, &hours) || !sign(text, ':') || !digits(text, 2, 0, 59, &minutes))
		return false;
	*out_ms = direction * (hours * 60 + minutes) * 60000;
	return true;
}

/* What comes after the day; a stretch of a second, or of a unit of what follows its point. */
static bool read_clock(struct rs_str *text, int64_t *begin, int64_t *size)
{
	int64_t hour, minute, second, zone, part = 0;
	*size = 1000;
	if (!digits(text, 2, 0, 23, &hour) || !sign(text, ':') || !digits(text, 2, 0, 59, &minute) ||
	    !sign(text, ':') || !digits(text, 2, 0, 59, &second))
		return false;
	if (sign(text, '.')) {
		size_t count = 0;
		while (count < text->size && text->data[count] >= '0' && text->data[count] <= '9')
			count++;
		if (count == 0 || count > 3 || !digits(text, count, 0, 999, &part))
			return false;
		*size = count == 1 ? 100 : count == 2 ? 10 : 1;
		part *= *size;
	}
	if (!read_zone(text, &zone))
		return false;
	*begin += ((hour * 60 + minute) * 60 + second) * 1000 + part - zone;
	return true;
}

static bool read_stretch(struct rs_str text, int64_t *begin, int64_t *end)
{
	static const int8_t sizes[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t year, month = 1, day = 1, size = DAY_MS;
	if (!digits(&text, 4, 1, 9999, &year))
		return false;
	*begin = days_of(year, 1, 1) * DAY_MS;
	*end = days_of(year + 1, 1, 1) * DAY_MS;
	if (text.size == 0)
		return true;
	if (!sign(&text, '-') || !digits(&text, 2, 1, 12, &month))
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t last = sizes[month - 1] + (leap && month == 2 ? 1 : 0);
	*begin = days_of(year, month, 1) * DAY_MS;
	*end = *begin + last * DAY_MS;
	if (text.size == 0)
		return true;
	if (!sign(&text, '-') || !digits(&text, 2, 1, last, &day))
		return false;
	*begin += (day - 1) * DAY_MS;
	if (sign(&text, 'T') && !read_clock(&text, begin, &size))
		return false;
	*end = *begin + size;
	return text.size == 0;
}

bool rs_fhir_time_parse(struct rs_str text, uint64_t *out_begin, uint64_t *out_end)
{
	int64_t begin, end;
	if (!read_stretch(text, &begin, &end) || begin < 0)
		return false;
	*out_begin = (uint64_t)begin;
	*out_end = (uint64_t)end;
	return true;
}

static enum rs_code read_time(const json_t *value, int64_t *begin, int64_t *end, struct rs_error *err)
{
	const char *text = NULL;
	RS_TRY(fhir_read_text(value, &text, err));
	return read_stretch(rs_str_from(text), begin, end)
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED,
	                              "%.40s is no date of FHIR, or finer than milliseconds", text);
}

static enum rs_code read_start(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	int64_t begin, end;
	(void)reading;
	RS_TRY(read_time(value, &begin, &end, err));
	((struct rs_consent_terms *)target)->from_ms = begin > 0 ? (uint64_t)begin : 0;
	return RS_OK;
}

static enum rs_code read_end(struct fhir_reading *reading, const json_t *value, void *target,
                             struct rs_error *err)
{
	int64_t begin, end;
	(void)reading;
	RS_TRY(read_time(value, &begin, &end, err));
	if (end <= 0)
		return rs_error_set(err, RS_UNSUPPORTED, "it ended before 1970");
	((struct rs_consent_terms *)target)->until_ms = (uint64_t)end;
	return RS_OK;
}

enum rs_code fhir_read_period(struct fhir_reading *reading, const json_t *value, void *target,
                              struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"start", read_start, NULL}, {"end", read_end, NULL}};
	struct rs_consent_terms *terms = target;
	RS_TRY(fhir_read_object(reading, value, FHIR_ELEMENTS(elements), terms, err));
	if (terms->until_ms && terms->until_ms <= terms->from_ms)
		return rs_error_set(err, RS_MALFORMED, "it ends before it starts");
	return RS_OK;
}
