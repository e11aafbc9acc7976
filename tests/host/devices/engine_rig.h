/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DMA engine between guest memory, a peer and a client, for its tests. One at a time; used by
 * one thread beside the engine's own.
 */
#ifndef TPHBUF_TESTS_ENGINE_RIG_H
#define TPHBUF_TESTS_ENGINE_RIG_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include <dma_engine_regs.h>

#include "pcie/fake_device.h"

#define RAM		0x40000000ull
#define RAM_SIZE	(40u << 20)
#define RING		(RAM + 0x1000)
#define SOURCE		(RAM + 0x100000)
#define TARGET		(RAM + 0x1200000)
#define PEER		0x380000000000ull
#define PEER_SIZE	0x10000u
#define UPSTREAM	0x1000ull	/* answered by the client's own code */

/**
 * struct rig - the parts
 * @fabric: with the two functions
 * @engine: the DMA engine
 * @peer: a completer at PEER, announced to the engine
 * @ram: guest memory at RAM, mapped
 * @ram_fd: of it
 * @tail: index of the next descriptor that rig_post() writes
 * @arrived: posted when an access waits in the client
 * @released: lets it go on
 * @gated_writes: writes wait in the client
 * @gated_reads: reads do
 * @upstream_result: what the client answers
 * @upstream_writes: writes that it got
 * @interrupts: a bit a vector; use rig_interrupts()
 */
struct rig {
	struct fabric *fabric;
	struct pci_function *engine;
	struct fake_device *peer;
	uint8_t *ram;
	int ram_fd;
	unsigned int tail;
	sem_t arrived;
	sem_t released;
	bool gated_writes;
	bool gated_reads;
	int upstream_result;
	unsigned int upstream_writes;
	uint64_t interrupts;
};

extern struct rig rig;

/* @options: "" or ",key=value,..." of the engine. Ends the program when something fails. */
void rig_setup(const char *options);
void rig_teardown(void);

/* Connects the client; config space and DMA map as after rig_setup(). */
void rig_connect(void);

/* Programs BARs, Command, sizes and MSI-X Enable, as after a reset of the function. */
void rig_enable(void);

void rig_map_memory(void);
void rig_write_config(unsigned int offset, uint32_t value, size_t len);
uint64_t rig_read(uint64_t offset, size_t len);
void rig_write(uint64_t offset, uint64_t value, size_t len);
uint32_t rig_status(void);
uint64_t rig_interrupts(void);

/* Descriptor of the ring at RING. */
struct dma_engine_desc *rig_descriptor(unsigned int index);

/* Stops the engine and starts it on the ring at RING. */
void rig_start(unsigned int ring_size);

/* Hands a descriptor over without the doorbell. */
struct dma_engine_desc *rig_post(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
				   uint16_t st_index, uint16_t vector);
void rig_doorbell(void);

/* False when the register does not get there within seconds. */
bool rig_wait(uint64_t offset, uint32_t mask, uint32_t value);

/* Until everything handed over is done. */
bool rig_drain(void);

/* One descriptor on a fresh ring; its status. */
uint32_t rig_run_one(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
		       uint16_t st_index, uint16_t vector);

/* Random bytes in guest memory. */
void rig_fill(uint64_t address, size_t len, unsigned int seed);

#endif
