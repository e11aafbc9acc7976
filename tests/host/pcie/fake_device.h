/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device model for tests of the PCIe side: BAR0 is trapped and stores what is written, BAR2 is a
 * file that can be a completer's memory. It keeps what happened to it, and a client that answers
 * upstream accesses from an array.
 */
#ifndef TPHBUF_TESTS_FAKE_DEVICE_H
#define TPHBUF_TESTS_FAKE_DEVICE_H

#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "pcie/tlp.h"

#define FAKE_BAR0_SIZE		4096
#define FAKE_UPSTREAM_SIZE	65536
#define FAKE_COMMAND_ON		0x6	/* Memory Space Enable, Bus Master Enable */

/**
 * struct fake_options - what a test wants
 * @name: of the function
 * @bdf: of the function
 * @port: that it is below, NULL: none
 * @bar2_size: bytes, 0: no BAR2
 * @mps: Max_Payload_Size Supported, 0: 512
 * @end_end_prefix: supported
 * @vectors: MSI-X in BAR4, 0: none
 * @work: work operation, NULL: no worker
 * @is_completer: has mem_write and mem_read
 * @atomic_completer: has mem_atomic and announces it
 * @atomic_requester: may send AtomicOps
 * @ordering: requests can have ordering attributes
 * @ats: has the ATS capability
 */
struct fake_options {
	const char *name;
	uint16_t bdf;
	struct pcie_port *port;
	uint64_t bar2_size;
	unsigned int mps;
	bool end_end_prefix;
	unsigned int vectors;
	bool (*work)(struct pci_function *fn);
	bool is_completer;
	bool atomic_completer;
	bool atomic_requester;
	bool ordering;
	bool ats;
};

/**
 * struct fake_device - state; guarded by the fabric's lock
 * @fn: its function
 * @ops: its operations
 * @bar0: registers
 * @memory: BAR2, mapped
 * @memory_size: bytes
 * @fd: of BAR2
 * @refuse: bar and memory operations fail
 * @writes: memory writes
 * @reads: memory reads
 * @atomics: AtomicOps
 * @malformed: calls of the operation
 * @resets: likewise
 * @config_writes: likewise
 * @destroyed: if set, becomes true in destroy
 * @last: last memory write or AtomicOp
 * @bad_tlps: memory writes that break a rule
 * @upstream: what the client answers from, at bus address 0
 * @upstream_result: what it answers when not 0
 * @upstream_calls: how often it was asked
 * @reset_upstream: a function that it resets while it is asked, or NULL
 * @epoch: transfers of earlier ones were cancelled
 * @interrupts: a bit a vector
 */
struct fake_device {
	struct pci_function *fn;
	struct pci_device_ops ops;
	uint8_t bar0[FAKE_BAR0_SIZE];
	uint8_t *memory;
	uint64_t memory_size;
	int fd;
	bool refuse;
	unsigned int writes;
	unsigned int reads;
	unsigned int atomics;
	unsigned int malformed;
	unsigned int resets;
	unsigned int config_writes;
	bool *destroyed;
	struct tlp last;
	unsigned int bad_tlps;
	uint8_t upstream[FAKE_UPSTREAM_SIZE];
	int upstream_result;
	unsigned int upstream_calls;
	struct pci_function *reset_upstream;
	uint64_t epoch;
	uint64_t interrupts;
};

/* Makes the function without attaching it; NULL when something fails. */
struct fake_device *fake_device_new(const struct fake_options *options);

/* Makes it, attaches it and connects its client; ends the program when something fails. */
struct fake_device *fake_device_attach(struct fabric *fabric, const struct fake_options *options);

/* Gives the function its client again. */
void fake_device_connect(struct fake_device *fake);

void fake_config_write(struct fake_device *fake, unsigned int offset, uint32_t value, size_t len);

/* Programs Command, BAR0 and BAR2. */
void fake_device_enable(struct fake_device *fake, uint32_t bar0, uint64_t bar2);

/* Sets Max_Payload_Size and Max_Read_Request_Size, in bytes. */
void fake_device_sizes(struct fake_device *fake, unsigned int mps, unsigned int mrrs);

#endif
