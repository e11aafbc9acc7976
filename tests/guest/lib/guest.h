/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nearly every test of the guest needs: the devices of the suite, opened
 * or the case ends.
 *
 * Devices are named as in the list of suites ("acc0", "dma0").
 */
#ifndef TPHBUF_TESTS_GUEST_H
#define TPHBUF_TESTS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "accelerator_owner.h"
#include "case.h"
#include "dma_engine_user.h"

#define PAGE		4096u

/* BDF of a device; the case ends when the suite has none of this name. */
const char *device_bdf(const char *name);

/* Whether the suite has it. */
bool device_exists(const char *name);

/*
 * Writes go through the root complex, which drops hints and hides them from the
 * accelerator.
 */
bool domain_is_translated(void);

/* Writes a line to a file in sysfs; 0 or a negative errno value. */
int sysfs_write(const char *path, const char *text);

/* cleanup for run_cases(): takes the suite's devices from vfio-pci. */
void devices_unbind(void);

/* An accelerator, bound to vfio-pci, memory on, BAR2 mapped. */
struct accelerator acc_open(const char *name);

/* Exports [offset, offset + length) of BAR2. */
int acc_export(struct accelerator *acc, uint64_t offset, uint64_t length,
	       const struct tphbuf_tag *tag);

void acc_set_tag(struct accelerator *acc, int dmabuf, const struct tphbuf_tag *tag);

/* Memory decoding: off revokes the buffers of the device, on ends that. */
void acc_decode(struct accelerator *acc, bool on);

/* A reset of the function, through VFIO. */
void acc_reset(struct accelerator *acc);

/* Counters, with those of a tag; both ends of a measurement. */
struct accelerator_counters acc_count(struct accelerator *acc, bool extended, uint16_t tag);
struct accelerator_counters acc_count_since(struct accelerator *acc, bool extended, uint16_t tag,
					    const struct accelerator_counters *before);

/* The device file of an engine. */
int engine_open(const char *name);
uint32_t engine_import(int engine, int dmabuf);
struct tph_dma_query engine_query(int engine, uint32_t handle);

/* Tags with one namespace or both. */
struct tphbuf_tag tag_8bit(uint8_t st, uint8_t ph);
struct tphbuf_tag tag_ext(uint16_t st_ext, uint8_t ph);
struct tphbuf_tag tag_both(uint8_t st, uint16_t st_ext, uint8_t ph);

/* Fills a buffer with bytes that depend on the place and on @seed. */
void fill_bytes(void *buf, size_t length, uint32_t seed);

#endif
