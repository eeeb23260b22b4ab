/* Discrete wavelets by the names of PyWavelets. */
#include <stdio.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/wavelet_table.h"

static const struct wavelet_entry *find_entry(const char *name)
{
	for (size_t i = 0; i < wavelet_entry_count; i++)
		if (strcmp(wavelet_entries[i].name, name) == 0)
			return &wavelet_entries[i];
	return NULL;
}

static void copy_reversed(double *out, const double *taps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = taps[count - 1 - i];
}

enum rs_code rs_wavelet_find(const char *name, struct rs_wavelet *out, struct rs_error *err)
{
	struct rs_wavelet wavelet = {.taps = 0};
	bool reverse = strncmp(name, "rbio", 4) == 0; /* biorM.N with its two sides swapped */
	char stored[sizeof wavelet.name];
	int length = snprintf(stored, sizeof stored, "%s%s", reverse ? "bior" : "", name + (reverse ? 4 : 0));
	const struct wavelet_entry *entry = (size_t)length < sizeof stored ? find_entry(stored) : NULL;
	if (!entry)
		return rs_error_set(
			err, RS_NOT_FOUND,
			"there is no wavelet '%.32s'; there are haar, db1 to db38, sym2 to sym20, "
			"coif1 to coif17, bior and rbio 1.1, 1.3, 1.5, 2.2, 2.4, 2.6, 2.8, 3.1, 3.3, "
			"3.5, 3.7, 3.9, 4.4, 5.5, 6.8, and dmey",
			name);
	double dual[RS_WAVELET_TAPS_MAX];
	wavelet.taps = entry->taps;
	if (entry->dual && !reverse)
		memcpy(dual, entry->dual, entry->taps * sizeof *dual);
	else
		copy_reversed(dual, entry->low, entry->taps);
	if (reverse)
		copy_reversed(wavelet.low, entry->dual, entry->taps);
	else
		memcpy(wavelet.low, entry->low, entry->taps * sizeof *dual);
	for (size_t i = 0; i < entry->taps; i++)
		wavelet.high[i] = i % 2 ? dual[i] : -dual[i];
	snprintf(wavelet.name, sizeof wavelet.name, "%s", name);
	*out = wavelet;
	return RS_OK;
}
