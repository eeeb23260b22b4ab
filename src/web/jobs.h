/* Work that takes longer than a request: programs of our own over files that were given out to the caller.
 *
 * A job is a directory in memory and a process in it, which has no keys: what it works on was asked for before, object by object.
 * It is its caller's alone, and ends with its directory an hour after it is done, or with the server. */
#ifndef WEB_JOBS_H
#define WEB_JOBS_H

#include <pthread.h>
#include <sys/types.h>

#include "crypto/crypto.h"
#include "memory_files.h"

#define JOBS_MAX 32
#define JOBS_RUNNING_MAX 2
#define JOB_ID_SIZE 33

enum job_state { JOB_NONE, JOB_PREPARED, JOB_RUNNING, JOB_DONE, JOB_FAILED };
struct job {
	enum job_state state;
	char id[JOB_ID_SIZE];
	struct memory_files files;
	const char *kind, *result; /* static: what it does, the name of the file that comes of it */
	struct rs_digest owner;    /* the caller's member */
	pid_t process;
	uint64_t started_ms, ended_ms;
	char failure[256];
	uint64_t done, total; /* steps; total 0: nobody knows */
};
#define JOB_PROGRESS "progress.txt" /* among its files: what --progress of a command writes */

struct jobs {
	pthread_mutex_t mutex;
	struct job list[JOBS_MAX];
};
void jobs_init(struct jobs *jobs);
void jobs_finish(struct jobs *jobs); /* kills what runs, removes directories */

/* A job with an empty directory; start or drop it. errors  RS_BUSY: too many */
enum rs_code job_prepare(struct jobs *jobs, const char *kind, const struct rs_digest *owner, struct job *out,
                         struct rs_error *err);
/* arguments: NULL-terminated, of this program; result: the file's name. */
enum rs_code job_start(struct jobs *jobs, const char *id, const char *const *arguments, const char *result,
                       struct rs_error *err);
void job_drop(struct jobs *jobs, const char *id);
/* As it is now. RS_NOT_FOUND: none of the owner's */
enum rs_code job_find(struct jobs *jobs, const char *id, const struct rs_digest *owner, struct job *out,
                      struct rs_error *err);

#endif
