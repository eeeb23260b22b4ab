/* A process of this program and its pipes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, pipe2 */
#endif
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The line as a shell takes it, with the program's plain name. */
static char *line_of(const char *program, const char *const *arguments)
{
	struct rs_buffer line RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&line, 1 << 16);
	rs_buffer_append_text(&line, program ? program : "radseal");
	for (const char *const *word = arguments; *word; word++) {
		bool plain = **word &&
		             !(*word)[strspn(*word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		                                    "0123456789-_=./:,+@")];
		rs_buffer_append_text(&line, plain ? " " : " '");
		rs_buffer_append_text(&line, *word);
		rs_buffer_append_text(&line, plain ? "" : "'");
	}
	return rs_str_duplicate(rs_buffer_str(&line));
}

static int spawn(const char *program, const char *const *arguments, int out, int said, pid_t *pid)
{
	char *words[CHILD_ARGUMENTS_MAX + 2] = {NULL};
	posix_spawn_file_actions_t actions;
	size_t count = 1;
	memcpy(&words[0], &program, sizeof program);
	for (const char *const *word = arguments; *word; word++) {
		if (count > CHILD_ARGUMENTS_MAX)
			return E2BIG;
		memcpy(&words[count++], word, sizeof *word); /* posix_spawn() leaves them as they are */
	}
	int failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, said, STDERR_FILENO);
	if (!failed)
		failed = posix_spawnp(pid, program, &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void close_ends(struct child *child)
{
	if (child->out >= 0)
		close(child->out);
	if (child->said >= 0)
		close(child->said);
	child->out = child->said = -1;
}

enum rs_code child_start(const char *program, const char *const *arguments, struct child *out,
                         struct rs_error *err)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	int ends[2][2];
	if (length < 0)
		return rs_error_errno(err, errno, "/proc/self/exe");
	self[length] = '\0';
	if (pipe2(ends[0], O_CLOEXEC) != 0)
		return rs_error_errno(err, errno, "a pipe");
	if (pipe2(ends[1], O_CLOEXEC) != 0) {
		int failed = errno;
		close(ends[0][0]);
		close(ends[0][1]);
		return rs_error_errno(err, failed, "a pipe");
	}
	*out = (struct child){.out = ends[0][0], .said = ends[1][0], .line = line_of(program, arguments)};
	rs_buffer_init(&out->text, CHILD_OUTPUT_MAX);
	rs_buffer_init(&out->reason, CHILD_OUTPUT_MAX);
	int failed = out->line ? spawn(program ? program : self, arguments, ends[0][1], ends[1][1], &out->pid)
	                       : ENOMEM;
	close(ends[0][1]);
	close(ends[1][1]);
	if (!failed)
		return RS_OK;
	out->pid = 0;
	close_ends(out);
	child_finish(out);
	if (failed == ENOENT)
		return rs_error_set(err, RS_NOT_FOUND, "%s: there is no such program", program);
	return rs_error_errno(err, failed, "%s cannot be started", program ? program : self);
}

static void take(int *from, struct rs_buffer *into)
{
	uint8_t block[65536];
	ssize_t got = read(*from, block, sizeof block);
	if (got > 0) {
		rs_buffer_append(into, block, (size_t)got);
	} else if (got == 0 || errno != EINTR) {
		close(*from);
		*from = -1;
	}
}

static bool came(const struct rs_buffer *text, const char *until)
{
	return until && memmem(text->data, text->size, until, strlen(until)) != NULL;
}

/* The last line it said. */
static enum rs_code failed(const struct child *child, const char *what, struct rs_error *err)
{
	struct rs_str said = rs_str_trim(rs_buffer_str(&child->reason));
	size_t begin = said.size;
	while (begin > 0 && said.data[begin - 1] != '\n')
		begin--;
	return rs_error_set(err, RS_IO, "%s %s: %.*s", child->line, what, (int)(said.size - begin),
	                    said.data + begin);
}

enum rs_code child_read(struct child *child, const char *until, struct rs_error *err)
{
	while ((child->out >= 0 || child->said >= 0) && !came(&child->text, until)) {
		struct pollfd ends[2] = {{child->out, POLLIN, 0}, {child->said, POLLIN, 0}};
		if (poll(ends, 2, -1) < 0 && errno != EINTR)
			return rs_error_errno(err, errno, "%s", child->line);
		if (ends[0].revents)
			take(&child->out, &child->text);
		if (ends[1].revents)
			take(&child->said, &child->reason);
	}
	RS_TRY(rs_buffer_check(&child->text, "what a command printed", err));
	return !until || came(&child->text, until) ? RS_OK : failed(child, "ended", err);
}

enum rs_code child_end(struct child *child, int status, bool may_leave_out, struct rs_error *err)
{
	int found;
	RS_TRY(child_read(child, NULL, err));
	while (waitpid(child->pid, &found, 0) < 0)
		if (errno != EINTR)
			return rs_error_errno(err, errno, "%s", child->line);
	child->pid = 0;
	child->status = WIFEXITED(found) ? WEXITSTATUS(found) : -1;
	if (child->status == status || (may_leave_out && child->status == 1))
		return RS_OK;
	char what[64];
	snprintf(what, sizeof what, WIFEXITED(found) ? "ended with %d" : "was ended by signal %d",
	         WIFEXITED(found) ? WEXITSTATUS(found) : WTERMSIG(found));
	return failed(child, what, err);
}

void child_finish(struct child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGTERM);
		waitpid(child->pid, NULL, 0);
	}
	if (child->line)
		close_ends(child);
	rs_buffer_finish(&child->text);
	rs_buffer_finish(&child->reason);
	rs_free(child->line);
	*child = (struct child){0};
}
