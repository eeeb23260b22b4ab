/* Days of the Gregorian calendar, counted and shifted. */
#include "profile.h"

#include <stdio.h>

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leaps ? 29 : days[month - 1];
}

static bool digits_of(const char *text, size_t count, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

bool day_shift(const char date[static 8], unsigned days, char out[static 8])
{
	unsigned year, month, day;
	char text[32];
	if (!digits_of(date, 4, &year) || !digits_of(date + 4, 2, &month) || !digits_of(date + 6, 2, &day) ||
	    year < 1000 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	while (days >= day) { /* back to the last day of the month before */
		days -= day;
		year -= month == 1;
		month = month == 1 ? 12 : month - 1;
		day = days_in(year, month);
	}
	(void)snprintf(text, sizeof text, "%04u%02u%02u", year % 10000, month, day - days);
	for (size_t i = 0; i < 8; i++)
		out[i] = text[i];
	return true;
}
