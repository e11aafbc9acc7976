// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands for a test of the mlx5 model where the model is not built.
 */
#include "tap.h"

int main(void)
{
	plan_skip_all(
		"the mlx5 model takes its layouts from headers of Linux 7.3, and none were found: "
		"KERNEL_TREE=PATH, or -Dkernel_tree=PATH for Meson");
}
