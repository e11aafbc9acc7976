// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "vfio_dma_buf.h"

struct bar_memory memory_open(const char *name)
{
	struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	struct bar_memory mem;
	struct tphbuf_bar bar;

	require_error(tphbuf_device_open(device_bdf(name), &options, &mem.dev, NULL), 0, "open %s",
		      name);
	require_error(tphbuf_device_enable_memory(mem.dev), 0, "enable the memory of %s", name);
	require_error(tphbuf_device_bar(mem.dev, MEMORY_BAR, &bar), 0, "BAR2 of %s", name);
	require_true(bar.size && (bar.flags & TPHBUF_BAR_MMAP), "BAR2 of %s can be mapped", name);
	mem.size = bar.size;
	mem.file_offset = bar.offset;
	return mem;
}

int memory_export_ranges(struct bar_memory *mem, const struct tphbuf_range *ranges,
			 unsigned int count, int open_flags)
{
	struct {
		struct raw_get_dma_buf get;
		struct raw_range ranges[MEMORY_MAX_RANGES];
	} arg = { .get = raw_get(MEMORY_BAR, open_flags, count) };

	require_true(count <= MEMORY_MAX_RANGES, "%u ranges fit", count);
	for (unsigned int i = 0; i < count; i++) {
		arg.ranges[i].offset = ranges[i].offset;
		arg.ranges[i].length = ranges[i].length;
	}
	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}

int memory_export(struct bar_memory *mem, uint64_t offset, uint64_t length)
{
	struct tphbuf_range range = { .offset = offset, .length = length };
	int fd = memory_export_ranges(mem, &range, 1, O_RDWR | O_CLOEXEC);

	require_error(fd < 0 ? fd : 0, 0, "export 0x%llx bytes at 0x%llx",
		      (unsigned long long)length, (unsigned long long)offset);
	return fd;
}

void memory_revoke(struct bar_memory *mem)
{
	require_error(tphbuf_device_disable_memory(mem->dev), 0, "memory decoding off");
}

void memory_restore(struct bar_memory *mem)
{
	require_error(tphbuf_device_enable_memory(mem->dev), 0, "memory decoding on");
}

volatile uint8_t *map_shared_for(int fd, uint64_t offset, size_t length, size_t entry)
{
	uint8_t *room = mmap(NULL, length + 2 * entry, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *addr;

	require_true(room != MAP_FAILED, "room for 0x%zx bytes", length);
	room += (offset - (uintptr_t)room) % entry;
	addr = mmap(room, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		    (off_t)offset);
	require_error(addr == MAP_FAILED ? -errno : 0, 0, "map 0x%zx bytes at 0x%llx", length,
		      (unsigned long long)offset);
	return addr;
}

volatile uint8_t *map_shared(int fd, uint64_t offset, size_t length)
{
	return map_shared_for(fd, offset, length, 2 * MIB);
}

int try_map(int fd, int prot, int flags, uint64_t offset, size_t length)
{
	void *addr = mmap(NULL, length, prot, flags, fd, (off_t)offset);

	if (addr == MAP_FAILED)
		return -errno;
	munmap(addr, length);
	return 0;
}

static __thread sigjmp_buf touch_return;
static __thread volatile sig_atomic_t touching;

static void touch_signal(int number)
{
	if (touching)
		siglongjmp(touch_return, number);
	signal(number, SIG_DFL);
}

static void touch_prepare(void)
{
	struct sigaction action = { .sa_handler = touch_signal };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int touch_read(volatile void *addr, uint32_t *value)
{
	int number;

	touch_prepare();
	number = sigsetjmp(touch_return, 1);
	if (!number) {
		touching = 1;
		*value = *(volatile uint32_t *)addr;
	}
	touching = 0;
	return number;
}

int touch_write(volatile void *addr, uint32_t value)
{
	int number;

	touch_prepare();
	number = sigsetjmp(touch_return, 1);
	if (!number) {
		touching = 1;
		*(volatile uint32_t *)addr = value;
	}
	touching = 0;
	return number;
}

uint32_t must_read(volatile void *addr, const char *what)
{
	uint32_t value = 0;

	expect_int(touch_read(addr, &value), 0, "read %s", what);
	return value;
}

void must_write(volatile void *addr, uint32_t value, const char *what)
{
	expect_int(touch_write(addr, value), 0, "write %s", what);
}

void must_bus(volatile void *addr, const char *what)
{
	uint32_t value;

	expect_int(touch_read(addr, &value), SIGBUS, "read %s", what);
	expect_int(touch_write(addr, 1), SIGBUS, "write %s", what);
}

int revoke_probe(struct bar_memory *mem)
{
	struct raw_revoke arg = raw_revoke(-1);

	arg.feature |= RAW_FEATURE_PROBE;
	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}

int revoke_set(struct bar_memory *mem, int dmabuf)
{
	struct raw_revoke arg = raw_revoke(dmabuf);

	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}

int wc_probe(struct bar_memory *mem)
{
	struct raw_set_wc arg = raw_wc(-1);

	arg.feature |= RAW_FEATURE_PROBE;
	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}

int wc_set(struct bar_memory *mem, int dmabuf)
{
	struct raw_set_wc arg = raw_wc(dmabuf);

	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}
