/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the mlx5 model for its tests: machine, registers, commands, events. verbs.h has the
 * queues and keys. One thread beside the workers; what cannot go on ends the program.
 */
#ifndef TPHBUF_TESTS_NIC_H
#define TPHBUF_TESTS_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <mlx5_state.h>

#include "devices/mlx5/layout.h"
#include "pcie/fake_device.h"

#define RAM	  0x40000000ull
#define RAM_SIZE  (64u << 20)
#define PEER	  0x380000000000ull
#define PEER_SIZE 0x100000u
/* The client refuses all of it. */
#define NOWHERE 0x5000000000ull

#define NICS	2
#define PAGE	4096u
#define EQ_LOG	7

/* What nic_execute() returns for a command that was not delivered or not answered */
#define NOT_DELIVERED(delivery) (-1 - (int)(delivery))
#define NO_ANSWER		(-1000)

/* Waits until the condition holds; false when it does not within seconds. */
#define until(condition)                                                          \
	({                                                                        \
		unsigned int tries_ = 0;                                          \
		while (!(condition) && tries_++ < 40000)                          \
			nanosleep(&(struct timespec){ .tv_nsec = 250000 }, NULL); \
		!!(condition);                                                    \
	})

/**
 * struct nic - one function and its driver's state
 * @fn: the function
 * @queue: address of the command queue
 * @boxes: addresses of command mailboxes
 * @token: of the last command
 * @interrupts: a bit a vector; use nic_interrupts()
 * @uar: number of its UAR
 * @pd: number of its protection domain
 * @key: memory key for all bus addresses
 * @host_order: nic_start() asks for results of atomics in the byte order of this program
 * @eq: number of the event queue
 * @eq_ring: its entries
 * @eq_consumer: events read
 */
struct nic {
	struct pci_function *fn;
	uint64_t queue;
	uint64_t boxes;
	uint8_t token;
	uint64_t interrupts;
	uint32_t uar;
	uint32_t pd;
	uint32_t key;
	bool host_order;
	uint8_t eq;
	uint64_t eq_ring;
	uint32_t eq_consumer;
};

/**
 * struct machine - what the tests run on
 * @fabric: with all functions
 * @trace: of the fabric, or NULL
 * @trace_fd: where it is written
 * @nics: the mlx5 functions
 * @count: of them
 * @peer: a completer at PEER
 * @ram: guest memory at RAM
 * @ram_fd: of it
 * @next: where machine_alloc() goes on
 * @gate: when set, called while the client is asked, without the fabric's lock
 * @refused: accesses that the client refused
 */
struct machine {
	struct fabric *fabric;
	struct trace *trace;
	int trace_fd;
	struct nic nics[NICS];
	unsigned int count;
	struct fake_device *peer;
	uint8_t *ram;
	int ram_fd;
	uint64_t next;
	void (*gate)(void);
	unsigned int refused;
};

extern struct machine machine;

__attribute__((format(printf, 1, 2), noreturn)) void give_up(const char *format, ...);

/* Makes @count functions with @options, "" or ",key=value,...". */
void machine_setup(unsigned int count, const char *options);
void machine_teardown(void);

/* The same with a trace. */
void machine_setup_traced(unsigned int count, const char *options);

/* Guest memory, zeroed, aligned to pages. */
uint64_t machine_alloc(size_t size);
void *machine_at(uint64_t address);

/* Config space as after a reset of the function. */
void nic_configure(struct nic *nic);

/* The client comes: config space and DMA map. */
void nic_connect(struct nic *nic);

/* Turns on the requester, TPH_REQUESTER_*, in device-specific mode. */
void nic_enable_tph(struct nic *nic, uint32_t requester);

/* An entry of the ST table in the capability. */
void nic_set_tag(struct nic *nic, unsigned int entry, uint16_t tag);

/* Registers: big-endian words of BAR0. */
uint32_t nic_read(struct nic *nic, uint64_t offset);
void nic_write(struct nic *nic, uint64_t offset, uint32_t value);
void nic_write64(struct nic *nic, uint64_t offset, uint64_t value);
uint64_t nic_state(struct nic *nic, enum mlx5_state_register number);
uint8_t nic_syndrome(struct nic *nic);
uint64_t nic_interrupts(struct nic *nic);

/* Offset of a doorbell in the UAR. */
uint64_t nic_uar(const struct nic *nic, uint32_t offset);

/**
 * struct nic_command - input and output joined
 * @in_size: bytes of input
 * @out_size: bytes of output
 */
struct nic_command {
	uint8_t in[8192];
	uint8_t out[8192];
	size_t in_size;
	size_t out_size;
};

#define nic_command_begin(command, op, type) \
	nic_command_init((command), MLX5_CMD_OP_##op, ifc_size(type##_in), ifc_size(type##_out))

void nic_command_init(struct nic_command *command, uint16_t opcode, size_t in_size,
		      size_t out_size);

/* Writes a page list behind the input. */
void nic_command_add_pages(struct nic_command *command, const uint64_t *pages, unsigned int count);

/* Lays a command out in slot 0 without ringing; what a test may spoil before. */
struct mlx5_cmd_layout *nic_lay_out(struct nic *nic, const struct nic_command *command);
struct mlx5_cmd_prot_block *nic_input_box(struct nic *nic, unsigned int number);
struct mlx5_cmd_prot_block *nic_output_box(struct nic *nic, unsigned int number);

/* Signs entry and mailboxes of slot 0. */
void nic_sign(struct nic *nic, const struct nic_command *command);

/* Rings for slot 0 and waits; @command->out is filled in. Returns MLX5_CMD_STAT_*, or one of the
 * above. */
int nic_ring(struct nic *nic, struct nic_command *command);

/* All of it. */
int nic_execute(struct nic *nic, struct nic_command *command);

/* A command that has to work. */
void nic_must(struct nic *nic, struct nic_command *command);

/* Address of the command queue, ENABLE_HCA, SET_ISSI, INIT_HCA. */
void nic_start(struct nic *nic);

/* The same, and UAR, PD, key, event queue. */
void nic_open(struct nic *nic);

/* TEARDOWN_HCA, DISABLE_HCA. */
void nic_close(struct nic *nic);

/* The next event; false when none comes. nic_no_event() waits a moment only. */
bool nic_event(struct nic *nic, struct mlx5_eqe *event);
bool nic_no_event(struct nic *nic);

/* Tells the device what was read. */
void nic_arm_events(struct nic *nic);

/* A moment for what must not happen. */
void settle(void);

#endif
