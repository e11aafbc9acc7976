// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: the device of docs/internals/adding-a-device.md; from_page.py writes its files. */
#include "doorbell_counter_test.c"
