/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command, or another child, that runs while this process holds a device for it. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <tphbuf/tag.h>

/* The environment of a command: numbers, of which those that do not apply are not there. */
#define FD_VARIABLE	"TPHBUF_FD"
#define SIZE_VARIABLE	"TPHBUF_SIZE"
#define ST_VARIABLE	"TPHBUF_ST"
#define ST_EXT_VARIABLE	"TPHBUF_ST_EXT"
#define PH_VARIABLE	"TPHBUF_PH"

/**
 * struct child_buffer - a dma-buf that a command inherits
 * @fd: the dma-buf
 * @size: its size in bytes
 * @tag: what was set
 */
struct child_buffer {
	int fd;
	uint64_t size;
	struct tphbuf_tag tag;
};

struct held_signals {
	sigset_t old_mask;
	sigset_t mask;
	struct sigaction old_chld;
};

/**
 * child_hold_signals - keep signals from ending this process
 * @held: keeps what was before
 *
 * From here until child_release_signals() a device that was taken from its
 * driver can be given back whatever signal comes.
 */
void child_hold_signals(struct held_signals *held);

/* Whether a signal has come that was to end this process. */
bool child_interrupted(void);

/**
 * child_wait - wait for a child
 * @held: of child_hold_signals()
 * @child: the child
 * @tick: called several times a second until it has ended, or NULL
 * @arg: for @tick
 *
 * Signals sent to this process go to the child.
 *
 * Return: its status as waitpid() gives it.
 */
int child_wait(struct held_signals *held, pid_t child, void (*tick)(void *arg), void *arg);

/**
 * child_run - run a command and wait for it
 * @held: of child_hold_signals()
 * @argv: the command, found in PATH, and its arguments, up to NULL
 * @buffer: what the command inherits
 * @tick: called several times a second until the command has ended, or NULL
 * @arg: for @tick
 *
 * The command finds the buffer in TPHBUF_FD, TPHBUF_SIZE, and, as far as they are
 * set, TPHBUF_ST, TPHBUF_ST_EXT and TPHBUF_PH. Signals sent to this process go to
 * the command.
 *
 * Return: its status as waitpid() gives it; -errno when it could not be started.
 */
int child_run(struct held_signals *held, char **argv, const struct child_buffer *buffer,
	      void (*tick)(void *arg), void *arg);

/* The opposite of child_hold_signals(): signals that are pending take effect. */
void child_release_signals(struct held_signals *held);

/**
 * child_exit_code - end as a command did
 * @status: from child_run() or child_wait()
 *
 * When a signal ended the command, that signal ends this process.
 *
 * Return: exit code of the command.
 */
int child_exit_code(int status);

#endif
