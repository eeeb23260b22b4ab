/* Processes of jobs: started, watched, ended. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#endif
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define KEPT_MS ((uint64_t)3600 * 1000)    /* after it is done */
#define RUNNING_MS ((uint64_t)3600 * 1000) /* at most */
#define LOG "log.txt"

static uint64_t now_ms(void) { return rs_world_now_ms(rs_world_system()); }

static void clear(struct job *job)
{
	if (job->state == JOB_RUNNING) {
		(void)kill(job->process, SIGKILL);
		(void)waitpid(job->process, NULL, 0);
	}
	memory_files_remove(&job->files);
	*job = (struct job){.state = JOB_NONE};
}

void jobs_init(struct jobs *jobs)
{
	memory_files_sweep();
	pthread_mutex_init(&jobs->mutex, NULL);
}

void jobs_finish(struct jobs *jobs)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (jobs->list[i].state != JOB_NONE)
			clear(&jobs->list[i]);
	pthread_mutex_destroy(&jobs->mutex);
}

/* The last line that the process said on standard error. */
static void read_failure(struct job *job)
{
	struct rs_buffer log RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(job->files.path, LOG);
	struct rs_str rest, line, last = RS_STR("it ended without a word");
	if (path && rs_file_read_all(rs_world_system(), path, (size_t)1 << 20, &log, NULL) == RS_OK)
		for (rest = rs_buffer_str(&log); rs_str_split(&rest, '\n', &line);)
			last = line.size ? line : last;
	(void)snprintf(job->failure, sizeof job->failure, RS_STR_FORMAT, RS_STR_ARGUMENTS(last));
}

static void read_progress(struct job *job)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(job->files.path, JOB_PROGRESS);
	struct rs_str rest, done, total;
	uint64_t numbers[2];
	if (!path || rs_file_read_all(rs_world_system(), path, 64, &file, NULL) != RS_OK)
		return;
	rest = rs_buffer_str(&file);
	if (rs_str_split(&rest, ' ', &done) && rs_str_split(&rest, '\n', &total) &&
	    rs_parse_u64(done, &numbers[0]) && rs_parse_u64(total, &numbers[1]) && numbers[0] <= numbers[1]) {
		job->done = numbers[0];
		job->total = numbers[1];
	}
}

static void look_at(struct job *job)
{
	int status = 0;
	if (job->state == JOB_RUNNING && now_ms() - job->started_ms > RUNNING_MS)
		(void)kill(job->process, SIGKILL);
	if (job->state == JOB_RUNNING)
		read_progress(job);
	if (job->state == JOB_RUNNING && waitpid(job->process, &status, WNOHANG) == job->process) {
		job->ended_ms = now_ms();
		job->state = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? JOB_DONE : JOB_FAILED;
		if (job->state == JOB_FAILED)
			read_failure(job);
		else
			job->done = job->total; /* whose last step is its end */
	}
	if ((job->state == JOB_DONE || job->state == JOB_FAILED) && now_ms() - job->ended_ms > KEPT_MS)
		clear(job);
}

static struct job *free_place(struct jobs *jobs)
{
	struct job *found = NULL;
	size_t running = 0;
	for (size_t i = 0; i < JOBS_MAX; i++) {
		look_at(&jobs->list[i]);
		running += jobs->list[i].state == JOB_RUNNING || jobs->list[i].state == JOB_PREPARED;
		if (jobs->list[i].state == JOB_NONE)
			found = &jobs->list[i];
	}
	return running < JOBS_RUNNING_MAX ? found : NULL;
}

enum rs_code job_prepare(struct jobs *jobs, const char *kind, const struct rs_digest *owner, struct job *out,
                         struct rs_error *err)
{
	struct job job = {.state = JOB_PREPARED, .kind = kind, .owner = *owner};
	uint8_t random[(JOB_ID_SIZE - 1) / 2];
	RS_TRY(rs_world_random(rs_world_system(), random, sizeof random, err));
	rs_hex_encode(rs_bytes_of(random, sizeof random), job.id);
	pthread_mutex_lock(&jobs->mutex);
	struct job *place = free_place(jobs);
	enum rs_code code = place ? memory_files_make(&job.files, err)
	                          : rs_error_set(err, RS_BUSY,
	                                         "%d jobs are running, or %d are kept: try again later",
	                                         JOBS_RUNNING_MAX, JOBS_MAX);
	if (code == RS_OK)
		*out = *place = job;
	pthread_mutex_unlock(&jobs->mutex);
	return code;
}

static struct job *named(struct jobs *jobs, const char *id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (jobs->list[i].state != JOB_NONE && strcmp(jobs->list[i].id, id) == 0)
			return &jobs->list[i];
	return NULL;
}

void job_drop(struct jobs *jobs, const char *id)
{
	pthread_mutex_lock(&jobs->mutex);
	struct job *job = named(jobs, id);
	if (job)
		clear(job);
	pthread_mutex_unlock(&jobs->mutex);
}

/* It gets nothing of ours but the directory: no input, no environment that could name a node or a passphrase. */
static int spawn(const struct job *job, const char *const *arguments, pid_t *out)
{
	static char path[] = "PATH=/usr/bin:/bin";
	char *const environment[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addchdir_np(&actions, job->files.path);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, LOG, O_WRONLY | O_CREAT, 0600);
	int failed = posix_spawn(out, "/proc/self/exe", &actions, &attributes,
	                         (char *const *)(uintptr_t)arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

enum rs_code job_start(struct jobs *jobs, const char *id, const char *const *arguments, const char *result,
                       struct rs_error *err)
{
	pthread_mutex_lock(&jobs->mutex);
	struct job *job = named(jobs, id);
	int failed = job ? spawn(job, arguments, &job->process) : ENOENT;
	if (!failed) {
		job->state = JOB_RUNNING;
		job->started_ms = now_ms();
		job->result = result;
	}
	pthread_mutex_unlock(&jobs->mutex);
	return failed ? rs_error_errno(err, failed, "a job cannot be started") : RS_OK;
}

enum rs_code job_find(struct jobs *jobs, const char *id, const struct rs_digest *owner, struct job *out,
                      struct rs_error *err)
{
	pthread_mutex_lock(&jobs->mutex);
	struct job *job = named(jobs, id);
	if (job)
		look_at(job);
	bool theirs = job && job->state != JOB_NONE && rs_digest_equal(&job->owner, owner);
	if (theirs)
		*out = *job;
	pthread_mutex_unlock(&jobs->mutex);
	return theirs ? RS_OK : rs_error_set(err, RS_NOT_FOUND, "the caller has no job %.40s", id);
}
