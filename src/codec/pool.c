/* Workers: processes that decode, kept between frames. They are found beside this program, share nothing with it but one
 * socket and the memory that a frame goes through, and are ended when they take too long or answer wrongly. A worker is
 * one thread's at a time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create(), seals, holes */
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/protocol.h"

#define WORKERS_MAX 8
#define IDLE_MAX ((size_t)16 << 20)

struct worker {
	pid_t process; /* 0: none */
	int channel;
	int shared;         /* memory, as a file that only grows */
	size_t shared_size; /* of that file */
	bool busy;
};
static struct {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct worker workers[WORKERS_MAX];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER};

/* ---- finding and starting ---- */

/* In the tree it was built in first, so that tests meet the worker of their own build. */
static bool find_program(char *out, size_t size)
{
	static const char *const places[] = {"../codec/radseal-jpeg", "../src/codec/radseal-jpeg",
	                                     "radseal-jpeg", "../libexec/radseal-jpeg"};
	char self[512] = "";
	const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *slash = length > 0 && (size_t)length < sizeof self - 1 ? strrchr(self, '/') : NULL;
	for (size_t i = 0; slash != NULL && i < RS_COUNT(places); i++) {
		snprintf(out, size, "%.*s/%s", (int)(slash - self), self, places[i]);
		if (access(out, X_OK) == 0)
			return true;
	}
	snprintf(out, size, "%s/radseal-jpeg", RADSEAL_LIBEXEC);
	return access(out, X_OK) == 0;
}

static int spawn(const char *program, int channel, int shared, pid_t *out)
{
	char name[] = "radseal-jpeg", *arguments[] = {name, NULL}, *environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		                                              POSIX_SPAWN_SETPGROUP);
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &all);
		/* Of its own group: an interrupt at the terminal is for who asked, who then closes the channel. */
		posix_spawnattr_setpgroup(&attributes, 0);
		failed = posix_spawn_file_actions_adddup2(&actions, channel, CODEC_CHANNEL);
		if (!failed)
			failed = posix_spawn_file_actions_adddup2(&actions, shared, CODEC_SHARED);
		if (!failed)
			failed = posix_spawn(out, program, &actions, &attributes, arguments, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* A file in memory that never becomes shorter: who maps it is not ended by another's cut. */
static int open_shared(void)
{
	const int shared = memfd_create("radseal-jpeg", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (shared >= 0 && fcntl(shared, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
		return shared;
	if (shared >= 0)
		close(shared);
	return -1;
}

static enum rs_code start(struct worker *worker, struct rs_error *err)
{
	char program[640];
	int ends[2];
	if (!find_program(program, sizeof program))
		return rs_error_set(err, RS_IO,
		                    "the decoder radseal-jpeg is neither beside this program nor in %s; "
		                    "install it there",
		                    RADSEAL_LIBEXEC);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return rs_error_errno(err, errno, "no channel to a decoder");
	const int shared = open_shared();
	const int failed = shared < 0 ? errno : spawn(program, ends[1], shared, &worker->process);
	close(ends[1]);
	worker->channel = ends[0];
	worker->shared = shared;
	worker->shared_size = 0;
	if (!failed)
		return RS_OK;
	worker->process = 0;
	close(ends[0]);
	if (shared >= 0)
		close(shared);
	return rs_error_errno(err, failed, "%s cannot be started", program);
}

/* Ends a worker; returns the signal that had ended it before, 0 for none. */
static int end(struct worker *worker)
{
	int status = 0;
	close(worker->channel);
	close(worker->shared);
	if (waitpid(worker->process, &status, WNOHANG) == 0) {
		kill(worker->process, SIGKILL);
		waitpid(worker->process, &status, 0);
		status = 0;
	}
	worker->process = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static struct worker *take(void)
{
	struct worker *found = NULL;
	pthread_mutex_lock(&pool.lock);
	while (found == NULL) {
		for (size_t i = 0; i < WORKERS_MAX; i++) /* one that runs, else a place for one */
			if (!pool.workers[i].busy && (found == NULL || pool.workers[i].process > 0) &&
			    (found == NULL || found->process == 0))
				found = &pool.workers[i];
		if (found == NULL)
			pthread_cond_wait(&pool.freed, &pool.lock);
	}
	found->busy = true;
	pthread_mutex_unlock(&pool.lock);
	return found;
}

static void give_back(struct worker *worker)
{
	pthread_mutex_lock(&pool.lock);
	worker->busy = false;
	pthread_cond_signal(&pool.freed);
	pthread_mutex_unlock(&pool.lock);
}

/* ---- asking ---- */

enum outcome { DONE, GONE, LATE };

static uint64_t now_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static enum outcome wait_for(int channel, short events, uint64_t until_ms)
{
	struct pollfd poll_for = {.fd = channel, .events = events};
	for (;;) {
		const uint64_t now = now_ms();
		if (now >= until_ms)
			return LATE;
		const int ready = poll(&poll_for, 1, (int)(until_ms - now));
		if (ready > 0)
			return DONE;
		if (ready < 0 && errno != EINTR)
			return GONE;
	}
}

static enum outcome transfer(int channel, bool sending, void *data, size_t size, uint64_t until_ms)
{
	uint8_t *at = data;
	while (size > 0) {
		const enum outcome outcome = wait_for(channel, sending ? POLLOUT : POLLIN, until_ms);
		if (outcome != DONE)
			return outcome;
		const ssize_t moved = sending ? send(channel, at, size, MSG_NOSIGNAL | MSG_DONTWAIT)
		                              : recv(channel, at, size, MSG_DONTWAIT);
		if (moved == 0 || (moved < 0 && errno != EAGAIN && errno != EINTR))
			return GONE;
		if (moved > 0) {
			at += moved;
			size -= (size_t)moved;
		}
	}
	return DONE;
}

/* The request goes over the channel; its answer comes. */
static enum outcome converse(struct worker *worker, const struct codec_request *request,
                             struct codec_answer *answer, uint64_t until_ms)
{
	struct codec_request copy = *request;
	const enum outcome outcome = transfer(worker->channel, true, &copy, sizeof copy, until_ms);
	return outcome == DONE ? transfer(worker->channel, false, answer, sizeof *answer, until_ms) : outcome;
}

/* Room for a frame and what becomes of it. */
static enum rs_code map(struct worker *worker, size_t size, uint8_t **out, struct rs_error *err)
{
	if (size > worker->shared_size) {
		if (ftruncate(worker->shared, (off_t)size) != 0)
			return rs_error_errno(err, errno, "no memory for a frame of %zu bytes", size);
		worker->shared_size = size;
	}
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, worker->shared, 0);
	if (mapped == MAP_FAILED)
		return rs_error_memory(err, size, "a frame");
	*out = mapped;
	return RS_OK;
}

/* A worker that idles keeps little. */
static void unmap(const struct worker *worker, uint8_t *shared, size_t size)
{
	munmap(shared, size);
	if (worker->process != 0 && size > IDLE_MAX)
		fallocate(worker->shared, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
}

static enum rs_code failed(const struct codec_answer *answer, const char *sentence, struct rs_error *err)
{
	static const enum rs_code may[] = {RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE, RS_NO_MEMORY};
	for (size_t i = 0; i < RS_COUNT(may); i++)
		if (answer->code == (uint32_t)may[i])
			return rs_error_set(err, may[i], "%s", sentence);
	return rs_error_set(err, RS_IO, "the decoder failed: %s", sentence);
}

/* What lies behind an answer. A worker that answers wrongly is not asked again (*outcome). */
static enum rs_code receive(const struct codec_answer *answer, const uint8_t *from, struct rs_buffer *out,
                            enum outcome *outcome, struct rs_error *err)
{
	char sentence[CODEC_SENTENCE_MAX + 1] = "";
	const bool good = answer->code == RS_OK;
	if (answer->magic != CODEC_MAGIC || answer->size > (good ? out->maximum : CODEC_SENTENCE_MAX)) {
		*outcome = GONE;
		return rs_error_set(err, RS_IO, "the decoder gave an answer that is none");
	}
	if (good) {
		rs_buffer_append(out, from, (size_t)answer->size);
		return rs_buffer_check(out, "a frame", err);
	}
	memcpy(sentence, from, (size_t)answer->size);
	return failed(answer, sentence, err);
}

static uint64_t seconds_for(const struct codec_request *request)
{
	const uint64_t samples = (uint64_t)request->shape.rows * request->shape.columns *
	                         request->shape.samples;
	return RS_CODEC_SECONDS_MAX + (samples >> 20);
}

/* One attempt. by_signal: what ended the worker, if something did. */
static enum rs_code ask_once(struct worker *worker, const struct codec_request *request, struct rs_bytes in,
                             struct codec_answer *answer, struct rs_buffer *out, enum outcome *outcome,
                             int *by_signal, struct rs_error *err)
{
	const size_t out_at = codec_out_at(request), size = out_at + (size_t)request->out_max;
	uint8_t *shared = NULL;
	RS_TRY(map(worker, size, &shared, err));
	if (in.size > 0)
		memcpy(shared, in.data, in.size);
	*outcome = converse(worker, request, answer, now_ms() + seconds_for(request) * 1000);
	enum rs_code code = RS_OK;
	if (*outcome == DONE)
		code = receive(answer, shared + out_at, out, outcome, err);
	if (*outcome != DONE)
		*by_signal = end(worker);
	unmap(worker, shared, size);
	return code;
}

enum rs_code worker_ask(const struct codec_request *request, struct rs_bytes in, struct codec_answer *answer,
                        struct rs_buffer *out, struct rs_error *err)
{
	struct worker *worker = take();
	enum rs_code code = RS_OK;
	enum outcome outcome = GONE;
	bool fresh = false;
	int by_signal = 0;
	while (outcome == GONE && !fresh &&
	       code == RS_OK) { /* one that died while it was idle is replaced, once */
		fresh = worker->process == 0;
		code = fresh ? start(worker, err) : RS_OK;
		if (code == RS_OK)
			code = ask_once(worker, request, in, answer, out, &outcome, &by_signal, err);
	}
	give_back(worker);
	if (code != RS_OK || outcome == DONE)
		return code;
	if (outcome == LATE)
		return rs_error_set(err, RS_TOO_LARGE, "the frame took the decoder more than %u seconds",
		                    (unsigned)seconds_for(request));
	if (by_signal == 0)
		return rs_error_set(err, RS_IO,
		                    "the decoder radseal-jpeg ended; does this system allow seccomp?");
	return rs_error_set(err, RS_MALFORMED, "the decoder was ended by this frame (%s)",
	                    strsignal(by_signal));
}
