/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fence that signals when the test says so, in the reservation object of a
 * dma-buf. An exporter that revokes waits for it with all its locks held, which
 * is the way to keep those locks held for as long as a test needs.
 */
#ifndef TPHBUF_TESTS_SW_FENCE_H
#define TPHBUF_TESTS_SW_FENCE_H

/*
 * Adds a fence to a dma-buf; returns the timeline's file descriptor. Closing
 * that signals the fence as well.
 */
int sw_fence_add(int dmabuf);

/* 0 or a negative errno value. */
int sw_fence_signal(int timeline);

#endif
