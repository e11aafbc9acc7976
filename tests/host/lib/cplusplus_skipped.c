// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands for the test in C++ where no compiler takes C++.
 */
#include "tap.h"

int main(void)
{
	plan_skip_all("there is no C++ compiler");
}
