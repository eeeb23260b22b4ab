/* Whether columns are spread alike where a model is trained and where it is judged. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "assess/assess.h"
#include "validate/validate_schemes.h"

#define UNLIKELY \
	0.01 /* p, times the number of columns (Bonferroni), below which a column counts as shifted */

struct drift {
	size_t compared, shifted, most;
	struct rs_shift found; /* of the column that is most unlike */
};

static size_t take(const struct rs_frame *frame, size_t column, const size_t *rows, size_t count, double *out)
{
	size_t taken = 0;
	for (size_t i = 0; i < count; i++) {
		double value = frame->numbers[column * frame->rows + rows[i]];
		if (!isnan(value))
			out[taken++] = value;
	}
	return taken;
}

static void compare(const struct rs_frame *frame, const struct rs_part_rows *train,
                    const struct rs_part_rows *test, double *work, struct drift *out)
{
	double *p = work + frame->rows;
	for (size_t c = 0; c < frame->column_count; c++) {
		p[c] = NAN;
		if (frame->columns[c].categorical || frame->columns[c].indicator)
			continue;
		size_t n = take(frame, c, train->rows, train->count, work);
		size_t m = take(frame, c, test->rows, test->count, work + n);
		struct rs_shift found = rs_shift_of(work, n, work + n, m);
		if (isnan(found.ks))
			continue;
		p[c] = found.p;
		if (out->compared++ == 0 || found.p < out->found.p) {
			out->found = found;
			out->most = c;
		}
	}
	for (size_t c = 0; c < frame->column_count; c++)
		out->shifted += p[c] * (double)out->compared < UNLIKELY;
}

enum rs_code rs_drift_tell(const struct rs_schemes *s, const char *of, const struct rs_part_rows *train,
                           const struct rs_part_rows *test, struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	struct drift drift = {.compared = 0};
	char sentence[512];
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows + frame->column_count,
	                                                             sizeof *work);
	if (!work)
		return rs_error_memory(err, frame->rows * sizeof *work, "columns");
	compare(frame, train, test, work, &drift);
	if (drift.compared == 0)
		return RS_OK;
	s->report->finding(s->report->context,
	                   &(struct rs_finding){of, "shifted_columns", (double)drift.shifted, NAN, NAN, NAN});
	s->report->finding(s->report->context, &(struct rs_finding){of, "largest_shift", drift.found.ks, NAN,
	                                                            NAN, drift.found.p});
	if (drift.shifted == 0)
		return RS_OK;
	snprintf(
		sentence, sizeof sentence,
		"%s: %zu of %zu columns are spread otherwise where the model is judged than where it was trained, most "
		"of all %.200s (Kolmogorov-Smirnov %.2f, on average %.3g apart)",
		of, drift.shifted, drift.compared, frame->columns[drift.most].name, drift.found.ks,
		drift.found.wasserstein);
	s->report->warning(s->report->context, sentence);
	return RS_OK;
}

/* Of each centre, or group of them, that is held out. */
enum rs_code rs_drift_run(const struct rs_schemes *s, struct rs_error *err)
{
	const struct rs_frame *frame = s->own->frame;
	size_t folds = rs_folds_count(frame, s->study);
	if (strncmp(s->study->validate, "centre", 6) != 0)
		return RS_OK;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, frame->rows * sizeof *rows, "rows");
	for (size_t f = 0; f < folds; f++) {
		struct rs_part_rows train = {rows, 0}, test = {NULL, 0};
		char name[32];
		for (size_t i = 0; i < frame->rows; i++)
			if (s->own->fold[i] != f)
				rows[train.count++] = i;
		test.rows = rows + train.count;
		for (size_t i = 0; i < frame->rows; i++)
			if (s->own->fold[i] == f)
				rows[train.count + test.count++] = i;
		snprintf(name, sizeof name, "fold %zu", f + 1);
		if (train.count > 0 && test.count > 0)
			RS_TRY(rs_drift_tell(s, name, &train, &test, err));
	}
	return RS_OK;
}
