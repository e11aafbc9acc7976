/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What read and write have in common, which is all but the direction. */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include <stdbool.h>

#include "verb.h"

/**
 * access_run - read or write device memory as the command line says
 * @verb: the verb
 * @store: write, not read
 *
 * The bytes are moved by a child, so that whatever signal comes ends it at once,
 * and this process can give the device back.
 *
 * Return: exit code of the verb.
 */
int access_run(const struct verb *verb, bool store, int argc, char **argv);

#endif
