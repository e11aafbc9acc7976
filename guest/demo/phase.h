/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The phases of the demo: what is published before each, what has to come of
 * it, and the run of one.
 */
#ifndef TPHBUF_DEMO_PHASE_H
#define TPHBUF_DEMO_PHASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accelerator_owner.h"
#include "sender.h"

/* Which tags the sender can send. */
enum demo_namespace {
	DEMO_NO_HINTS,
	DEMO_8BIT,
	DEMO_EXTENDED,
};

/* What the accelerator does with the bytes. */
enum demo_op {
	DEMO_OP_NONE,
	DEMO_OP_STORE,
	DEMO_OP_ADD,
	DEMO_OP_XOR,
};

/* What the owner does before the phase. */
enum demo_publish {
	DEMO_PUBLISH_NOTHING,
	DEMO_PUBLISH_TAG,
	DEMO_PUBLISH_CLEAR,
	DEMO_PUBLISH_REVOKE,
};

/**
 * struct demo_plan - a phase as planned
 * @op: what a sender with hints makes the accelerator do
 */
struct demo_plan {
	const char *name;
	enum demo_publish publish;
	enum demo_op op;
	uint8_t st;
	uint16_t st_ext;
	uint8_t ph;
};

#define DEMO_PHASES	6
extern const struct demo_plan demo_plans[DEMO_PHASES];

/**
 * struct demo - a run
 * @dmabuf: the exported range
 * @data: the file, followed by at least 3 zero bytes
 * @from: PCI address of the sender
 * @to: PCI address of the accelerator
 * @translated: writes go through the root complex, which drops hints
 */
struct demo {
	struct accelerator acc;
	const struct sender_ops *ops;
	struct sender *sender;
	int dmabuf;
	uint64_t bar_offset;
	uint64_t buffer_size;
	uint64_t buffer_offset;
	const uint8_t *data;
	size_t file_bytes;
	const char *from;
	const char *to;
	bool translated;
	enum demo_namespace name_space;
};

#define DEMO_TEXT_SIZE	160

/**
 * struct demo_result - a phase as it went
 * @tagged: every TLP has to carry @st and @ph, in the sender's namespace
 * @error: 0 or the negative errno value with which the sender refused
 * @state_error: 0 when @state is filled
 * @why: what is wrong, "" when nothing is
 */
struct demo_result {
	const char *name;
	uint32_t mark;
	uint32_t mark_end;
	uint64_t bytes;
	bool tagged;
	uint16_t st;
	uint8_t ph;
	enum demo_op op;
	bool data_ok;
	int error;
	int state_error;
	struct sender_state state;
	struct accelerator_counters counters;
	char why[DEMO_TEXT_SIZE];
};

/**
 * demo_learn_namespace - find out which tags the sender sends
 * @demo: the run; sets name_space
 *
 * Return: 0 or a negative errno value
 */
int demo_learn_namespace(struct demo *demo);

/**
 * demo_run_phase - run a phase
 * @demo: the run
 * @index: 0 to DEMO_PHASES - 1, in this order
 * @result: what came of it
 *
 * Return: 0 when @result is filled, right or wrong; a negative errno value
 * when the phase could not be run
 */
int demo_run_phase(struct demo *demo, unsigned int index, struct demo_result *result);

const char *demo_op_name(enum demo_op op);

#endif
