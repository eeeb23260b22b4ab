#include "censoring.h"

void censoring_of(const struct rs_follow_up *data, const size_t *order, size_t first, size_t last,
                  enum censoring_ties ties, double *before, double *at)
{
	double present = (double)(last - first), curve = 1;
	for (size_t i = first, next; i < last; i = next) {
		double events = 0, censored = 0, kept = curve;
		for (next = i; next < last && data->time[order[next]] == data->time[order[i]]; next++)
			*(data->event[order[next]] ? &events : &censored) += 1;
		double exposed = ties == CENSORED_AFTER_EVENTS ? present - events : present;
		if (censored > 0)
			curve *= (exposed - censored) / exposed;
		for (size_t k = i; k < next; k++) {
			before[order[k]] = kept;
			if (at)
				at[order[k]] = curve;
		}
		present -= events + censored;
	}
}
