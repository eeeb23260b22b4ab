/* Numbers drawn for one patient: normal and uniform ones, logistic choices, from streams that the seed names. */
#ifndef RS_SIMULATE_DRAW_H
#define RS_SIMULATE_DRAW_H

#include <math.h>
#include <stdbool.h>

#include "base/base_random.h"

/* What a stream is for; one patient's streams share nothing, so that a change of one part moves no other. */
enum draw_purpose {
	DRAW_BIOLOGY,
	DRAW_OUTCOME,
	DRAW_ANATOMY,
	DRAW_TUMOUR,
	DRAW_SCAN,
	DRAW_READER,
	DRAW_UID,
	DRAW_PURPOSES
};

static inline struct rs_stream draw_stream(uint64_t seed, size_t patient, enum draw_purpose purpose)
{
	return rs_stream_of(seed, (uint64_t)patient * DRAW_PURPOSES + purpose);
}
static inline double draw_between(struct rs_stream *stream, double low, double high)
{
	return low + (high - low) * rs_stream_unit(stream);
}
/* Two normal numbers at a time (Box and Muller 1958). */
static inline void draw_normals(struct rs_stream *stream, double out[static 2])
{
	double radius = sqrt(-2 * log(1 - rs_stream_unit(stream)));
	double angle = 6.283185307179586 * rs_stream_unit(stream);
	out[0] = radius * cos(angle);
	out[1] = radius * sin(angle);
}
static inline double draw_normal(struct rs_stream *stream)
{
	double pair[2];
	draw_normals(stream, pair);
	return pair[0];
}
/* True as often as the logistic function of `score` says. */
static inline bool draw_logistic(struct rs_stream *stream, double score)
{
	return rs_stream_unit(stream) < 1 / (1 + exp(-score));
}
/* `share` of a known standard normal number, and new noise for the rest: standard normal again. */
static inline double draw_related(struct rs_stream *stream, double known, double share)
{
	return share * known + sqrt(1 - share * share) * draw_normal(stream);
}
static inline double draw_clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

#endif
