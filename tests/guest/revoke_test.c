// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revocation and its end, with nothing under way: by memory decoding, by a
 * reset, by closing the device. acc0 completes extended tags and dma0 sends
 * them; dma1 sends 8-bit ones.
 */
#include <unistd.h>

#include "guest.h"
#include "wire.h"

#define BUFFER_SIZE	(4 * PAGE)

static int copy_word(const struct wire_path *path)
{
	uint32_t word = 0x12345678;

	return dma_engine_write(path->engine, path->handle, 0, &word, sizeof(word));
}

static void memory_decoding(void)
{
	struct tphbuf_tag tag = tag_ext(0x0011, 2);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));
	struct accelerator_counters before, after;
	uint32_t word = 0;

	expect_writes(&path, wire_ext(0x0011, 2), "before");
	acc.mem[0] = 0x99;
	before = acc_count(&acc, true, 0x0011);
	wire_begin(&acc);
	acc_decode(&acc, false);
	expect_error(copy_word(&path), -ENODEV, "copy to the revoked buffer");
	expect_error(dma_engine_read(path.engine, path.handle, 0, &word, sizeof(word)), -ENODEV,
		     "copy from it");
	expect_error(copy_word(&path), -ENODEV, "and again");
	acc_decode(&acc, true);
	expect_int(wire_refused(&acc, "dma0"), 0, "TLPs that the device no longer took");
	after = acc_count_since(&acc, true, 0x0011, &before);
	expect_int(after.writes + after.malformed, 0, "writes that arrived");
	expect_int(acc.mem[0], 0x99, "memory");
	expect_writes(&path, wire_ext(0x0011, 2), "after the end of the revocation");
}

static void function_reset(void)
{
	struct tphbuf_tag tag = tag_ext(0x0012, 3);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));

	for (int i = 0; i < 3; i++) {
		expect_writes(&path, wire_ext(0x0012, 3), "between resets");
		acc_reset(&acc);
	}
	expect_writes(&path, wire_ext(0x0012, 3), "after the last");
	acc_decode(&acc, false);
	acc_reset(&acc);
	expect_error(copy_word(&path), -ENODEV,
		     "a reset of a device without decoding revives nothing");
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x0012, 3), "with decoding");
}

static void set_while_revoked(void)
{
	struct tphbuf_tag first = tag_ext(0x0013, 1), second = tag_ext(0x0014, 2);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &first);
	struct wire_path path = wire_path(&acc, "dma0", fd);

	expect_writes(&path, wire_ext(0x0013, 1), "before");
	acc_decode(&acc, false);
	acc_set_tag(&acc, fd, &second);
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x0014, 2), "after");
}

static void import_while_revoked(void)
{
	struct tphbuf_tag tag = tag_ext(0x0015, 0);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct wire_path path = wire_path(&acc, "dma0", fd);

	acc_decode(&acc, false);
	expect_error(dma_engine_import(path.engine, fd), -ENODEV, "import of a revoked buffer");
	expect_error(copy_word(&path), -ENODEV, "first copy to a buffer that was imported before");
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x0015, 0), "its first mapping, afterwards");
	path.handle = engine_import(path.engine, fd);
	expect_writes(&path, wire_ext(0x0015, 0), "a new import");
}

static void exported_while_off(void)
{
	struct tphbuf_tag tag = tag_ext(0x0016, 1);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = { .engine_name = "dma0", .acc = &acc };
	int fd;

	path.engine = engine_open("dma0");
	acc_decode(&acc, false);
	fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	expect_error(dma_engine_import(path.engine, fd), -ENODEV, "import");
	acc_decode(&acc, true);
	path.handle = engine_import(path.engine, fd);
	expect_writes(&path, wire_ext(0x0016, 1), "after decoding was turned on");
}

static void two_engines(void)
{
	struct tphbuf_tag tag = tag_both(0x03, 0x0017, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct wire_path a = wire_path(&acc, "dma0", fd), b = a;

	b.engine_name = "dma1";
	b.engine = engine_open("dma1");
	b.handle = engine_import(b.engine, fd);
	for (int i = 0; i < 3; i++) {
		expect_writes(&a, wire_ext(0x0017, 1), "first engine");
		expect_writes(&b, wire_8bit(0x03, 1), "second engine");
		acc_decode(&acc, false);
		expect_error(copy_word(&a), -ENODEV, "first engine, revoked");
		expect_error(copy_word(&b), -ENODEV, "second engine, revoked");
		acc_decode(&acc, true);
	}
}

static void device_closed(void)
{
	struct tphbuf_tag tag = tag_ext(0x001a, 1);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));

	expect_writes(&path, wire_ext(0x001a, 1), "while the device is open");
	accelerator_close(&acc);
	expect_error(copy_word(&path), -ENODEV, "copy after it was closed");
	acc = acc_open("acc0");
	expect_error(copy_word(&path), -ENODEV, "and after it was opened again");
	expect_error(dma_engine_release(path.engine, path.handle), 0, "release");
}

static const struct test_case cases[] = {
	{ "memory_decoding", memory_decoding },
	{ "function_reset", function_reset },
	{ "set_while_revoked", set_while_revoked },
	{ "import_while_revoked", import_while_revoked },
	{ "exported_while_off", exported_while_off },
	{ "two_engines", two_engines },
	{ "device_closed", device_closed },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
