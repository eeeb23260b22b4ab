/* Finished cases on disk, until all are: what lets an interrupted run go on where it was. */
#ifndef RS_COHORT_JOURNAL_H
#define RS_COHORT_JOURNAL_H

#include "cohort/measure.h"

struct journal;

/* Opens or makes it. Cases that were measured with other settings, columns or files are not taken from it; a torn
 * end is cut off. errors  RS_BUSY when another process writes it; RS_EXISTS when the file is something else */
enum rs_code journal_open(const struct rs_world *world, const char *path, const struct cohort_plan *plan,
                          size_t case_count, struct journal **out, struct rs_error *err);
void journal_close(struct journal *journal); /* accepts NULL */

/* Tells of the case: its texts, its files' sizes and times. */
enum rs_code journal_key(const struct rs_world *world, const struct rs_cohort *cohort,
                         const struct cohort_plan *plan, size_t index, struct rs_digest *out,
                         struct rs_error *err);
/* The case's rows into an empty outcome; false when they are not there. Any thread may ask. */
bool journal_find(struct journal *journal, size_t index, const struct rs_digest *key, struct outcome *out);
/* Call from one thread at a time. */
enum rs_code journal_add(struct journal *journal, size_t index, const struct rs_digest *key,
                         const struct outcome *outcome, struct rs_error *err);

#endif
