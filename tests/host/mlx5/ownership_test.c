// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What hands an entry over to the driver is written last: of a command, a completion and an event
 * the trace shows in which order the bytes left.
 */
#include <stdlib.h>
#include <unistd.h>

#include "pcie/trace.h"
#include "tap.h"
#include "verbs.h"

#define ENTRY 64u

static struct nic *nic = &machine.nics[0];

static char text[1 << 20];

/* The trace from where the call before has left it. */
static char *new_lines(void)
{
	static off_t seen;
	ssize_t size;

	trace_flush(machine.trace);
	size = pread(machine.trace_fd, text, sizeof(text) - 1, seen);
	if (size < 0 || (size_t)size == sizeof(text) - 1)
		give_up("a trace of %zd bytes", size);
	text[size] = '\0';
	seen += size;
	return text;
}

/*
 * Whether the last byte of the entry at @entry was written once, after everything else in it and in
 * [@also, @also + @size).
 */
static bool handed_over_last(uint64_t entry, uint64_t also, uint64_t size)
{
	unsigned int before = 0, hands = 0, late = 0;

	for (char *line = strtok(new_lines(), "\n"); line; line = strtok(NULL, "\n")) {
		const char *write = strstr(line, " MWr32 0x");
		uint64_t address, len;

		if (!write || !strstr(line, "-> rc"))
			continue;
		address = strtoull(write + 7, NULL, 16);
		len = strtoull(strstr(line, "len=") + 4, NULL, 10);
		if (address < entry + ENTRY && address + len == entry + ENTRY)
			hands++;
		else if ((address >= entry && address < entry + ENTRY) ||
			 (address >= also && address < also + size))
			*(hands ? &late : &before) += 1;
	}
	return hands == 1 && before && !late;
}

int main(void)
{
	struct nic_command command;
	struct mlx5_eqe event;
	struct wqe wqe;
	struct mlx5_cqe64 entry;
	struct cq cq;
	struct qp qp;

	machine_setup_traced(1, "");
	nic_open(nic);
	new_lines();
	nic_command_begin(&command, QUERY_HCA_CAP, query_hca_cap);
	nic_must(nic, &command);
	ok(handed_over_last(nic->queue, nic->boxes, 2 * 64 * 1024),
	   "a command is the driver's again when its output is there");

	cq_create(&cq, nic, 4);
	qp_create(&qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&qp, &qp);
	new_lines();
	wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
	qp_post(&qp, &wqe);
	ok(cq_poll(&cq, &entry), "a completion");
	ok(handed_over_last(cq.ring, 0, 0), "its owner bit comes last");
	wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
	cq_arm(&cq, false);
	qp_post(&qp, &wqe);
	ok(nic_event(nic, &event), "an event");
	ok(handed_over_last(nic->eq_ring + (nic->eq_consumer - 1) % (1u << EQ_LOG) * ENTRY, 0, 0),
	   "its owner bit comes last");
	machine_teardown();
	return done_testing();
}
