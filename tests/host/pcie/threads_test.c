// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the fabric under threads. Two requesters copy through the fabric and through their
 * clients while CPUs read and write registers, reset functions, map and unmap, and clients come
 * and go. Meant for the thread sanitizer; by itself it finds deadlocks, lost work and a worker
 * that keeps the others out.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"

#define REQUESTERS	2
#define PEER_BAR	0x380000000000ull
#define PEER_SIZE	0x100000ull
#define RAM		0x40000000ull
#define RAM_SIZE	0x10000ull
#define ROUNDS		300
#define BURST		16384

static struct fabric *fabric;
static struct fake_device *peer, *requesters[REQUESTERS];
static int ram_fd;

static unsigned int index_of(struct pci_function *fn)
{
	return fn == requesters[0]->fn ? 0 : 1;
}

/*
 * Work: a transfer of each kind; the register at 0 counts what is left, the one at 4 what was
 * done.
 */
static bool transfer_work(struct pci_function *fn)
{
	struct fake_device *fake = pci_function_device(fn);
	static uint8_t buffers[REQUESTERS][BURST];
	unsigned int i = index_of(fn);
	uint8_t *buf = buffers[i];
	uint32_t left, done;

	memcpy(&left, fake->bar0, 4);
	if (!left)
		return false;
	fabric_read(fn, RAM, buf, 1000, NULL);
	fabric_write(fn, PEER_BAR + i * (PEER_SIZE / 2) + 3, buf, BURST - 3, NULL, NULL);
	fabric_write(fn, RAM + 0x8000 + i * 64, buf, 64, NULL, NULL);
	fabric_read(fn, 0x100, buf, 40, NULL);
	fabric_write(fn, 0x200, buf, 40, NULL, NULL);
	memcpy(&left, fake->bar0, 4);
	memcpy(&done, fake->bar0 + 4, 4);
	if (left)
		left--;
	done++;
	memcpy(fake->bar0, &left, 4);
	memcpy(fake->bar0 + 4, &done, 4);
	return left;
}

static void map_all(struct fake_device *fake)
{
	pci_function_dma_map(fake->fn, RAM, RAM_SIZE, true, true, ram_fd, 0);
	pci_function_dma_map(fake->fn, PEER_BAR, PEER_SIZE, true, true, -1, 0);
}

static void setup(struct trace *trace)
{
	struct fake_options options = {
		.name = "peer", .bdf = 0x20, .bar2_size = PEER_SIZE, .is_completer = true,
	};
	static const char *const names[REQUESTERS] = { "a", "b" };

	fabric = fabric_create(trace);
	fabric_allow_unannounced(fabric);
	peer = fake_device_attach(fabric, &options);
	fake_device_enable(peer, 0xfe000000, PEER_BAR);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, RAM_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
	for (unsigned int i = 0; i < REQUESTERS; i++) {
		options = (struct fake_options){
			.name = names[i], .bdf = 0x28 + 8 * i, .vectors = 4, .work = transfer_work,
		};
		requesters[i] = fake_device_attach(fabric, &options);
		fake_device_enable(requesters[i], 0xfe001000 + 0x1000 * i, 0);
		map_all(requesters[i]);
	}
}

static void teardown(void)
{
	for (unsigned int i = 0; i < REQUESTERS; i++)
		pci_function_connect(requesters[i]->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	fabric_destroy(fabric);
	close(ram_fd);
}

static void write_register(struct fake_device *fake, uint64_t offset, uint32_t value)
{
	pci_function_region_write(fake->fn, 0, offset, &value, 4);
}

static uint32_t read_register(struct fake_device *fake, uint64_t offset)
{
	uint32_t value = 0;

	pci_function_region_read(fake->fn, 0, offset, &value, 4);
	return value;
}

static void kick(struct fake_device *fake)
{
	fabric_lock(fabric);
	pci_function_kick(fake->fn);
	fabric_unlock(fabric);
}

static void nap(long nanoseconds)
{
	nanosleep(&(struct timespec){ .tv_nsec = nanoseconds }, NULL);
}

static bool wait_for(struct fake_device *fake, uint64_t offset, uint32_t value)
{
	for (unsigned int i = 0; i < 20000; i++) {
		if (read_register(fake, offset) == value)
			return true;
		nap(1000000);
	}
	return false;
}

static void test_all_work_is_done(void)
{
	struct fabric_counters counters;

	setup(NULL);
	for (unsigned int i = 0; i < REQUESTERS; i++) {
		write_register(requesters[i], 4, 0);
		write_register(requesters[i], 0, ROUNDS);
		kick(requesters[i]);
	}
	for (unsigned int i = 0; i < REQUESTERS; i++)
		ok(wait_for(requesters[i], 4, ROUNDS), "worker %u did its rounds", i);
	fabric_get_counters(fabric, &counters);
	is_int(counters.results[TLP_FAULT] + counters.results[TLP_ABORT] +
		       counters.results[TLP_UNSUPPORTED] + counters.results[TLP_MALFORMED] +
		       counters.results[TLP_REJECTED],
	       0, "no request failed");
	is_int(peer->writes, REQUESTERS * ROUNDS * ((BURST - 128) / 128 + 1),
	       "the peer got every write");
	is_int(requesters[0]->upstream_calls, 2 * ROUNDS, "the client every access");
	teardown();
}

/* What each thread of the storm does until it is told to stop. */
static int stop;

static bool go_on(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *cpu_main(void *arg)
{
	struct fake_device *fake = arg;

	while (go_on()) {
		write_register(fake, 0, 3);
		kick(fake);
		read_register(fake, 4);
		fabric_lock(fabric);
		pci_function_msix_raise(fake->fn, 1);
		fabric_unlock(fabric);
	}
	return NULL;
}

static void *reset_main(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; go_on(); i++) {
		struct fake_device *fake = requesters[i % REQUESTERS];

		pci_function_reset(fake->fn);
		fake_device_enable(fake, 0xfe001000 + 0x1000 * (i % REQUESTERS), 0);
		fake_config_write(peer, PCI_COMMAND, i % 4 ? FAKE_COMMAND_ON : 0, 2);
	}
	return NULL;
}

static void *map_main(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; go_on(); i++) {
		struct fake_device *fake = requesters[i % REQUESTERS];

		if (i % 3)
			pci_function_dma_unmap(fake->fn, RAM, RAM_SIZE);
		else
			pci_function_dma_unmap_all(fake->fn);
		map_all(fake);
	}
	return NULL;
}

static void *client_main(void *arg)
{
	struct fake_device *fake = arg;

	while (go_on()) {
		pci_function_connect(fake->fn, NULL, NULL);
		fake_device_connect(fake);
		fake_device_enable(fake, 0xfe002000, 0);
		map_all(fake);
		nap(200000);
	}
	return NULL;
}

static void test_storm(void)
{
	struct fabric_counters counters;
	struct trace *trace;
	pthread_t threads[5];

	trace = trace_create(&(struct trace_options){ .text = memfd_create("trace", MFD_CLOEXEC),
						      .pcapng = -1 });
	setup(trace);
	stop = 0;
	pthread_create(&threads[0], NULL, cpu_main, requesters[0]);
	pthread_create(&threads[1], NULL, cpu_main, requesters[1]);
	pthread_create(&threads[2], NULL, reset_main, NULL);
	pthread_create(&threads[3], NULL, map_main, NULL);
	pthread_create(&threads[4], NULL, client_main, requesters[1]);
	nap(700000000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	fabric_get_counters(fabric, &counters);
	ok(counters.results[TLP_OK] > 1000, "%" PRIu64 " requests completed in the storm",
	   counters.results[TLP_OK]);
	is_int(peer->bad_tlps, 0, "none was bad");
	for (unsigned int i = 0; i < REQUESTERS; i++) {
		map_all(requesters[i]);
		fake_device_enable(requesters[i], 0xfe001000 + 0x1000 * i, 0);
		write_register(requesters[i], 4, 0);
		write_register(requesters[i], 0, 1);
		kick(requesters[i]);
		ok(wait_for(requesters[i], 0, 0), "worker %u still works", i);
	}
	teardown();
	is_int(trace_destroy(trace).error, 0, "the trace has no error");
}

static int got_lock;

static void *waiter_main(void *arg)
{
	(void)arg;
	fabric_lock(fabric);
	__atomic_store_n(&got_lock, 1, __ATOMIC_RELAXED);
	fabric_unlock(fabric);
	return NULL;
}

/*
 * Who lets go of the lock and wants it back, as a worker between two calls, comes after those who
 * were waiting. A waiter that did not get to run in time makes a round fail, hence the tolerance.
 */
static void test_fairness(void)
{
	unsigned int overtaken = 0;
	pthread_t waiter;

	fabric = fabric_create(NULL);
	fabric_allow_unannounced(fabric);
	for (unsigned int i = 0; i < 20; i++) {
		fabric_lock(fabric);
		__atomic_store_n(&got_lock, 0, __ATOMIC_RELAXED);
		pthread_create(&waiter, NULL, waiter_main, NULL);
		nap(10000000);
		fabric_unlock(fabric);
		fabric_lock(fabric);
		overtaken += !__atomic_load_n(&got_lock, __ATOMIC_RELAXED);
		fabric_unlock(fabric);
		pthread_join(waiter, NULL);
	}
	ok(overtaken < 10, "%u of 20 waiters for the lock were overtaken", overtaken);
	fabric_destroy(fabric);
}

int main(void)
{
	test_all_work_is_done();
	test_storm();
	test_fairness();
	return done_testing();
}
