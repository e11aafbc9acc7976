// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: Relaxed Ordering of a memory key, on the requests for its memory alone.
 */
#include <unistd.h>

#include "pcie/trace.h"
#include "tap.h"
#include "verbs.h"

#define SIZE 256u

static struct nic *nic = &machine.nics[0];
static char text[1 << 20];
static off_t seen;

/* Requests in the trace since the call before that are for @page: how many have the attribute. */
static void count(uint64_t page, const char *type, unsigned int *relaxed, unsigned int *strict)
{
	ssize_t size;

	trace_flush(machine.trace);
	size = pread(machine.trace_fd, text, sizeof(text) - 1, seen);
	text[size < 0 ? 0 : size] = '\0';
	*relaxed = 0;
	*strict = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		const char *found = strstr(line, type);
		uint64_t address = found ? strtoull(strstr(found, "0x"), NULL, 16) : 0;

		if (address >> 12 == page >> 12)
			*(strstr(line, " attr=ro ") ? relaxed : strict) += 1;
	}
}

int main(void)
{
	uint64_t from, to, pages[2];
	unsigned int relaxed, strict;
	struct key_options options = { .count = 1, .start = 0x10000 };
	uint32_t key[2];
	struct cq cq;
	struct qp qp;

	machine_setup_traced(1, "");
	nic_open(nic);
	from = machine_alloc(4096);
	to = machine_alloc(4096);
	pages[0] = from | MLX5_MTT_PERM_RW;
	pages[1] = to | MLX5_MTT_PERM_RW;
	cq_create(&cq, nic, 4);
	qp_create(&qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&qp, &qp);
	for (unsigned int on = 0; on < 2; on++) {
		options.relaxed = on;
		for (unsigned int i = 0; i < 2; i++) {
			options.pages = &pages[i];
			key[i] = key_create(nic, &options);
		}
		trace_flush(machine.trace);
		seen = lseek(machine.trace_fd, 0, SEEK_END);
		is_int(qp_write(&qp, 0x10000, key[0], SIZE, 0x10000, key[1]), 0, "write");
		count(to, " MWr32 ", &relaxed, &strict);
		ok(on ? relaxed && !strict : strict && !relaxed, "writes: %u relaxed, %u not",
		   relaxed, strict);
		count(from, " MRd32 ", &relaxed, &strict);
		ok(on ? relaxed && !strict : strict && !relaxed, "reads: %u relaxed, %u not",
		   relaxed, strict);
		strict = relaxed = 0;
		count(cq.ring, " MWr32 ", &relaxed, &strict);
		ok(strict && !relaxed, "the completion is in order: %u relaxed, %u not", relaxed,
		   strict);
	}
	machine_teardown();
	return done_testing();
}
