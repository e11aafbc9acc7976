// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the DMA engine stopped, reset or cut off while a transfer is under way.
 */
#include <errno.h>
#include <endian.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <time.h>

#include "engine_rig.h"
#include "tap.h"

/* Starts a copy of two descriptors whose first write waits in the client. */
static void start_gated(void)
{
	rig_setup("");
	rig.gated_writes = true;
	rig_start(8);
	rig_post(SOURCE, UPSTREAM, 1024, DMA_ENGINE_DESC_IRQ, 0, 0);
	rig_post(SOURCE, TARGET, 4, DMA_ENGINE_DESC_IRQ, 0, 1);
	rig_doorbell();
	sem_wait(&rig.arrived);
}

/* Lets the access go, and all that follow. */
static void release_gate(void)
{
	rig.gated_writes = false;
	rig.gated_reads = false;
	sem_post(&rig.released);
}

static void test_stop(void)
{
	start_gated();
	is_hex(rig_status(), DMA_ENGINE_STATUS_RUNNING, "registers answer while a write waits");
	rig_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RUNNING, "a stop waits for the descriptor");
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	is_hex(rig_read(DMA_ENGINE_REG_CONTROL, 4), 0, "and cannot be taken back meanwhile");
	release_gate();
	ok(rig_wait(DMA_ENGINE_REG_STATUS, UINT32_MAX, 0), "then it stops");
	is_int(le32toh(rig_descriptor(0)->status), DMA_ENGINE_DONE_OK, "the descriptor is done");
	is_int(rig.upstream_writes, 2, "all of it");
	is_int(rig_descriptor(1)->status, 0, "the next one is not");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 1, "HEAD says so");
	is_hex(rig_interrupts(), 1, "one interrupt");
	is_int(rig_run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "it starts again");
	rig_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(rig_status(), 0, "an idle engine stops at once");
	rig_teardown();
}

/* Time for a worker to do what it should not. */
static void give_time(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static void check_abandoned(const char *what)
{
	release_gate();
	give_time();
	is_int(rig_descriptor(0)->status, 0, "%s: the descriptor is dropped", what);
	is_int(rig.upstream_writes, 1, "%s: nothing more is sent", what);
	is_hex(rig_interrupts(), 0, "%s: no interrupt", what);
	is_int(rig_run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "%s: it starts again",
	       what);
	rig_teardown();
}

static void test_reset_under_way(void)
{
	start_gated();
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	is_hex(rig_status(), 0, "RESET: idle");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4) + rig_read(DMA_ENGINE_REG_SENT, 8), 0,
	       "RESET: registers are 0");
	check_abandoned("RESET");

	start_gated();
	rig_write_config(pci_function_cap(rig.engine, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
			 PCI_EXP_DEVCTL_BCR_FLR, 2);
	rig_enable();
	is_hex(rig_status(), 0, "FLR: idle");
	check_abandoned("FLR");

	start_gated();
	rig_write(DMA_ENGINE_REG_TAIL, 99, 4);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RING_ERROR, "TAIL out of range: stopped");
	check_abandoned("TAIL out of range");

	start_gated();
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	rig_start(8);
	rig_post(SOURCE, TARGET, 4, 0, 0, 0);
	rig_doorbell();
	release_gate();
	ok(rig_drain(), "RESET and a new ring while a write waits: the new ring is done");
	is_int(le32toh(rig_descriptor(0)->status), DMA_ENGINE_DONE_OK, "with its own descriptor");
	is_int(rig.upstream_writes, 1, "and the old one is forgotten");
	rig_teardown();
}

/* The same while the engine waits for bytes: of the source, then of the ring. */
static void test_reads_under_way(void)
{
	rig_setup("");
	rig.gated_reads = true;
	rig_start(8);
	rig_post(UPSTREAM, TARGET, 1024, 0, 0, 0);
	rig_doorbell();
	sem_wait(&rig.arrived);
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	release_gate();
	give_time();
	is_int(rig.upstream_writes, 0,
	       "RESET while the source is read: no status goes to where no ring is");
	is_int(rig_read(DMA_ENGINE_REG_FAILED, 8), 0, "and nothing is counted");
	rig_teardown();

	rig_setup("");
	rig.gated_reads = true;
	rig_write(DMA_ENGINE_REG_RING_BASE, UPSTREAM, 8);
	rig_write(DMA_ENGINE_REG_RING_SIZE, 8, 4);
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	rig_write(DMA_ENGINE_REG_TAIL, 1, 4);
	sem_wait(&rig.arrived);
	rig_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(rig_status(), 0, "stop while a descriptor is read: no descriptor is at hand");
	release_gate();
	give_time();
	is_int(rig.upstream_writes, 0, "and the one that was read is not worked on");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");
	rig_teardown();
}

/*
 * The mode decides which member of the descriptor selects the tag; one that comes in the middle of
 * a descriptor may make it a member that was not looked at before.
 */
static void test_mode_under_way(void)
{
	unsigned int control;

	rig_setup("");
	control = pci_function_ext_cap(rig.engine, PCI_EXT_CAP_ID_TPH) +
		  offsetof(struct tph_cap, control);
	rig_write_config(control, TPH_MODE_DEVICE_SPECIFIC | TPH_REQUESTER_8BIT << 8, 4);
	rig.gated_reads = true;
	rig_start(8);
	rig_post(UPSTREAM, PEER, 64, DMA_ENGINE_DESC_TH, 5, 0xffff);
	rig_doorbell();
	sem_wait(&rig.arrived);
	rig_write_config(control, TPH_MODE_INTERRUPT_VECTOR | TPH_REQUESTER_8BIT << 8, 4);
	release_gate();
	ok(rig_drain(), "interrupt vector mode while the source is read: done");
	is_int(rig.peer->writes, 1, "written");
	ok(!rig.peer->last.hint.present, "without a hint: there is no entry for that vector");
	rig_teardown();
}

static void test_bus_master_off_under_way(void)
{
	start_gated();
	rig_write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	release_gate();
	ok(rig_wait(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "Bus Master Enable cleared: it cannot even say that it failed");
	is_int(rig.upstream_writes, 1, "nothing more is sent");
	is_int(rig_descriptor(0)->status, 0, "not even a status");
	rig_write_config(PCI_COMMAND, FAKE_COMMAND_ON, 2);
	is_int(rig_run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "it starts again");
	rig_teardown();
}

static int left;

static void *leave_main(void *arg)
{
	(void)arg;
	pci_function_connect(rig.engine, NULL, NULL);
	__atomic_store_n(&left, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void test_client_goes_under_way(void)
{
	pthread_t leaver;

	start_gated();
	left = 0;
	pthread_create(&leaver, NULL, leave_main, NULL);
	give_time();
	is_int(__atomic_load_n(&left, __ATOMIC_RELAXED), 0,
	       "a client that goes waits for its own code to return");
	rig.upstream_result = -ENOTCONN;
	release_gate();
	pthread_join(leaver, NULL);
	is_int(left, 1, "then it has gone");
	is_hex(rig_status(), 0xffffffff, "the function is reset");
	rig.upstream_result = 0;
	rig_connect();
	is_int(rig_run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK,
	       "and serves the next client");
	rig_teardown();
}

int main(void)
{
	test_stop();
	test_reset_under_way();
	test_reads_under_way();
	test_mode_under_way();
	test_bus_master_off_under_way();
	test_client_goes_under_way();
	return done_testing();
}
