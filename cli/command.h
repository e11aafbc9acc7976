/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command, or another child, that runs while this process holds a device for it. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct command {
	sigset_t old_mask;
	sigset_t mask;
	struct sigaction old_chld;
};

/**
 * command_hold_signals - keep signals from ending this process
 * @command: keeps what was before
 *
 * From here until command_release_signals() a device that was taken from its
 * driver can be given back whatever signal comes.
 */
void command_hold_signals(struct command *command);

/* Whether a signal has come that was to end this process. */
bool command_interrupted(void);

/**
 * command_wait - wait for a child
 * @command: signals are held
 * @child: the child
 * @tick: called several times a second until it has ended, or NULL
 * @arg: for @tick
 *
 * Signals sent to this process go to the child.
 *
 * Return: its status as waitpid() gives it.
 */
int command_wait(struct command *command, pid_t child, void (*tick)(void *arg), void *arg);

/**
 * command_run - run a command and wait for it
 * @command: signals are held
 * @argv: the command, found in PATH, and its arguments, up to NULL
 * @fd: file that the command inherits
 * @size: its size in bytes
 *
 * The command finds both numbers in TPHBUF_FD and TPHBUF_SIZE. Signals sent to
 * this process go to the command.
 *
 * Return: its status as waitpid() gives it; -errno when it could not be started.
 */
int command_run(struct command *command, char **argv, int fd, uint64_t size);

/* The opposite of command_hold_signals(): signals that are pending take effect. */
void command_release_signals(struct command *command);

/**
 * command_exit_code - end as a command did
 * @status: from command_run() or command_wait()
 *
 * When a signal ended the command, that signal ends this process.
 *
 * Return: exit code of the command.
 */
int command_exit_code(int status);

#endif
