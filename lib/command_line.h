/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_COMMAND_LINE_H
#define TPB_COMMAND_LINE_H

#include <stdbool.h>

/* Whether "notph" is among the options of pci= on the kernel command line. */
bool tpb_command_line_has_notph(const char *sysroot);

#endif
