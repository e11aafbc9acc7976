// SPDX-License-Identifier: GPL-2.0-or-later
/* A command, or another child, that runs while this process has a device open for it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "message.h"

/* Signals that end a process unless it handles them, or that it may expect. */
static const int passed_on[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGWINCH,
};

void child_hold_signals(struct held_signals *held)
{
	const struct sigaction chld = { .sa_handler = SIG_DFL };

	sigemptyset(&held->mask);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&held->mask, passed_on[i]);
	sigaddset(&held->mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &held->mask, &held->old_mask);
	/* Whoever started this process may have it ignored, and then nobody can be waited for. */
	sigaction(SIGCHLD, &chld, &held->old_chld);
}

void child_release_signals(struct held_signals *held)
{
	sigaction(SIGCHLD, &held->old_chld, NULL);
	sigprocmask(SIG_SETMASK, &held->old_mask, NULL);
}

bool child_interrupted(void)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigismember(&pending, ending[i]) && !sigaction(ending[i], NULL, &action) &&
		    action.sa_handler != SIG_IGN)
			return true;
	return false;
}

/* A variable that is not @given is that of an outer command at best. */
static void set_number(const char *name, bool given, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (given ? setenv(name, text, 1) : unsetenv(name)) {
		error_line("cannot set %s: %s", name, strerror(errno));
		_exit(EXIT_CANNOT_RUN);
	}
}

__attribute__((noreturn))
static void become(struct held_signals *held, char **argv, const struct child_buffer *buffer)
{
	const struct tphbuf_tag *tag = &buffer->tag;
	int err;

	set_number(FD_VARIABLE, true, (uint64_t)buffer->fd);
	set_number(SIZE_VARIABLE, true, buffer->size);
	set_number(ST_VARIABLE, tag->valid & TPHBUF_TAG_ST, tag->st);
	set_number(ST_EXT_VARIABLE, tag->valid & TPHBUF_TAG_ST_EXT, tag->st_ext);
	set_number(PH_VARIABLE, tag->valid, tag->ph);
	fcntl(buffer->fd, F_SETFD, 0);
	child_release_signals(held);
	execvp(argv[0], argv);
	err = errno;
	error_line("cannot run %s: %s", argv[0], strerror(err));
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

int child_wait(struct held_signals *held, pid_t child, void (*tick)(void *arg), void *arg)
{
	const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };
	siginfo_t info;
	int status;

	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if ((tick ? sigtimedwait(&held->mask, &info, &pause) :
			    sigwaitinfo(&held->mask, &info)) < 0) {
			if (tick && errno == EAGAIN)
				tick(arg);
			continue;
		}
		/* What the terminal sends goes to the child too, which is in the same group. */
		if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(child, info.si_signo);
	}
}

int child_run(struct held_signals *held, char **argv, const struct child_buffer *buffer,
	      void (*tick)(void *arg), void *arg)
{
	pid_t child;

	/* Or what is in the buffer would be printed twice. */
	fflush(stdout);
	child = fork();
	if (child < 0)
		return -errno;
	if (!child)
		become(held, argv, buffer);
	return child_wait(held, child, tick, arg);
}

int child_exit_code(int status)
{
	const struct sigaction ending = { .sa_handler = SIG_DFL };
	const struct rlimit no_core = { 0, 0 };
	sigset_t one;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* The core of the command is the one that matters. */
	setrlimit(RLIMIT_CORE, &no_core);
	sigaction(WTERMSIG(status), &ending, NULL);
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}
