// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: the device and the test of docs/adding-a-device.md; from_page.py writes them. */
#include "doorbell_counter_test.c"
