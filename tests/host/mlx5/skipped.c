// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands for a test of the mlx5 model where the model is not built.
 */
#include "tap.h"

int main(void)
{
	plan_skip_all("the mlx5 model takes its layouts from a kernel tree: -Dkernel_tree=PATH");
}
