/* All cases of a cohort, several at once; their rows leave in the order of the cases. */
#include <pthread.h>
#include <string.h>

#include "cohort/journal.h"

#define JOBS_MAX 256
#define WINDOW 64 /* cases that may be finished before the one whose turn it is */

struct run {
	const struct rs_cohort *cohort;
	const struct rs_cohort_job *job;
	const struct rs_cohort_sink *sink;
	struct cohort_plan plan;
	struct journal *journal;
	const char **cells; /* of the row that is handed out */
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	struct outcome *slots; /* by index modulo window */
	size_t window, next;   /* the case whose rows leave next */
	bool stopped;
	struct rs_cohort_counts counts;
};

static void run_finish(struct run *run)
{
	for (size_t i = 0; run->slots != NULL && i < run->window; i++)
		outcome_finish(&run->slots[i]);
	rs_free(run->slots);
	rs_free(run->cells);
	journal_close(run->journal);
	plan_finish(&run->plan);
	pthread_cond_destroy(&run->moved);
	pthread_mutex_destroy(&run->mutex);
}

static enum rs_code hand_out(struct run *run, size_t index, const struct outcome *outcome,
                             struct rs_error *err)
{
	const char *cell = (const char *)outcome->rows.data;
	for (size_t row = 0; row < outcome->row_count; row++) {
		for (size_t i = 0; i < run->plan.column_count; i++) {
			run->cells[i] = cell;
			cell += strlen(cell) + 1;
		}
		RS_TRY(run->sink->row(run->sink->context, index, run->cells, err));
	}
	run->counts.measured += !outcome->failed;
	run->counts.failed += outcome->failed;
	run->counts.resumed += outcome->resumed;
	if (run->sink->done != NULL)
		run->sink->done(run->sink->context, index, outcome->failed ? &outcome->failure : NULL,
		                outcome->notes.size > 0 ? (const char *)outcome->notes.data : "");
	return RS_OK;
}

/* Takes over *outcome; hands out all whose turn has come. Called with the mutex held. */
static enum rs_code deliver(struct run *run, size_t index, struct outcome *outcome, struct rs_error *err)
{
	run->slots[index % run->window] = *outcome;
	run->slots[index % run->window].ready = true;
	memset(outcome, 0, sizeof *outcome);
	while (run->next < run->cohort->count && run->slots[run->next % run->window].ready) {
		struct outcome *slot = &run->slots[run->next % run->window];
		enum rs_code code = hand_out(run, run->next, slot, err);
		outcome_finish(slot);
		RS_TRY(code);
		run->next++;
	}
	return RS_OK;
}

static enum rs_code obtain(struct run *run, size_t index, struct outcome *out, struct rs_digest *key,
                           struct rs_error *err)
{
	const struct rs_cohort_job *job = run->job;
	struct rs_error refused = {.code = RS_OK};
	if (job->permit != NULL && job->permit(job->permit_context, &run->cohort->cases[index],
	                                       run->cohort->image_count, &refused) != RS_OK)
		return measure_case(run->cohort, job, &run->plan, index, &refused, out, err);
	/* Files that cannot be looked at now are reported by the attempt to read them. */
	if (run->journal != NULL &&
	    journal_key(run->job->world, run->cohort, &run->plan, index, key, err) == RS_OK &&
	    journal_find(run->journal, index, key, out))
		return RS_OK;
	return measure_case(run->cohort, job, &run->plan, index, NULL, out, err);
}

static void stop(struct run *run)
{
	run->stopped = true;
	pthread_cond_broadcast(&run->moved);
}

static enum rs_code work(void *context, size_t index, struct rs_error *err)
{
	struct run *run = context;
	struct outcome outcome RS_CLEANUP(outcome_finish) = {.ready = false};
	struct rs_digest key = {{0}};
	pthread_mutex_lock(&run->mutex);
	while (index >= run->next + run->window && !run->stopped)
		pthread_cond_wait(&run->moved, &run->mutex);
	bool stopped = run->stopped;
	pthread_mutex_unlock(&run->mutex);
	if (stopped)
		return RS_OK; /* the failure that stopped the run is reported by its own item */
	enum rs_code code = obtain(run, index, &outcome, &key, err);
	pthread_mutex_lock(&run->mutex);
	if (code == RS_OK && run->journal != NULL && !outcome.resumed && !outcome.failed)
		code = journal_add(run->journal, index, &key, &outcome, err);
	if (code == RS_OK)
		code = deliver(run, index, &outcome, err);
	if (code == RS_OK)
		pthread_cond_broadcast(&run->moved);
	else
		stop(run);
	pthread_mutex_unlock(&run->mutex);
	return code;
}

static enum rs_code prepare(struct run *run, struct rs_error *err)
{
	if (run->job->jobs < 1 || run->job->jobs > JOBS_MAX)
		return rs_error_set(err, RS_USAGE, "cases at once: 1 to %d, not %u", JOBS_MAX,
		                    run->job->jobs);
	RS_TRY(plan_make(run->cohort, run->job, &run->plan, err));
	run->window = WINDOW + run->job->jobs;
	run->slots = rs_allocate_array(run->window, sizeof *run->slots);
	run->cells = rs_allocate_array(run->plan.column_count, sizeof *run->cells);
	if (run->slots == NULL || run->cells == NULL)
		return rs_error_memory(err, run->window * sizeof *run->slots, "cases");
	if (run->job->journal_path != NULL)
		RS_TRY(journal_open(run->job->world, run->job->journal_path, &run->plan, run->cohort->count,
		                    &run->journal, err));
	return run->sink->columns(run->sink->context, run->plan.columns, run->plan.column_count, err);
}

static void pool_finish(struct rs_pool **pool) { rs_pool_destroy(*pool); }

static enum rs_code run_all(struct run *run, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(pool_finish) = NULL;
	RS_TRY(prepare(run, err));
	if (run->job->jobs > 1)
		RS_TRY(rs_pool_create(run->job->jobs, &pool, err));
	return rs_pool_for(pool, run->cohort->count, work, run, err);
}

enum rs_code rs_cohort_measure(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                               const struct rs_cohort_sink *sink, struct rs_cohort_counts *out,
                               struct rs_error *err)
{
	struct run run = {.cohort = cohort, .job = job, .sink = sink};
	pthread_mutex_init(&run.mutex, NULL);
	pthread_cond_init(&run.moved, NULL);
	enum rs_code code = run_all(&run, err);
	if (code == RS_OK)
		*out = run.counts;
	run_finish(&run);
	return code;
}

enum rs_code rs_cohort_describe(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                                const struct rs_cohort_sink *sink, struct rs_error *err)
{
	struct cohort_plan plan = {.image_count = 0};
	enum rs_code code = plan_make(cohort, job, &plan, err);
	if (code == RS_OK)
		code = sink->columns(sink->context, plan.columns, plan.column_count, err);
	plan_finish(&plan);
	return code;
}

enum rs_code rs_cohort_forget(const struct rs_cohort_job *job, struct rs_error *err)
{
	if (job->journal_path == NULL || !rs_path_exists(job->world, job->journal_path))
		return RS_OK;
	return job->world->files->remove(job->world->files, job->journal_path, err);
}
