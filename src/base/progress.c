/* The progress bar. */
#include "base/base_progress.h"

#include <unistd.h>

#define BAR_WIDTH 30
#define REDRAW_NS UINT64_C(100000000)

void rs_progress_begin(struct rs_progress *progress, const struct rs_clock *clock, FILE *stream,
                       const char *label, uint64_t total)
{
	*progress = (struct rs_progress){.clock = clock, .label = label, .total = total};
	if (stream && isatty(fileno(stream)))
		progress->stream = stream;
	progress->started_ns = clock->monotonic_ns(clock);
}

static void draw(const struct rs_progress *progress, uint64_t now_ns)
{
	uint64_t total = progress->total, done = progress->done < total ? progress->done : total;
	if (total == 0) {
		fprintf(progress->stream, "\r%s %llu\033[K", progress->label,
		        (unsigned long long)progress->done);
		fflush(progress->stream);
		return;
	}
	double part = (double)done / (double)total;
	double elapsed = (double)(now_ns - progress->started_ns) / 1e9;
	int filled = (int)(part * BAR_WIDTH);
	fprintf(progress->stream, "\r%s [", progress->label);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '#' : ' ', progress->stream);
	fprintf(progress->stream, "] %3d %%", (int)(part * 100));
	if (part > 0.01 && elapsed > 1)
		fprintf(progress->stream, ", %.0f s left", elapsed / part - elapsed);
	fputs("\033[K", progress->stream);
	fflush(progress->stream);
}

void rs_progress_update(struct rs_progress *progress, uint64_t done)
{
	progress->done = done;
	if (!progress->stream)
		return;
	uint64_t now = progress->clock->monotonic_ns(progress->clock);
	if (progress->drawn_ns && now - progress->drawn_ns < REDRAW_NS)
		return;
	progress->drawn_ns = now;
	draw(progress, now);
}

void rs_progress_end(struct rs_progress *progress)
{
	if (!progress->stream || progress->drawn_ns == 0)
		return;
	fputs("\r\033[K", progress->stream);
	fflush(progress->stream);
	progress->drawn_ns = 0;
}
