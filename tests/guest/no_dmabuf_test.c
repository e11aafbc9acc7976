// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH and DMA_BUF_WC of a kernel that is built
 * without VFIO_PCI_DMABUF: they do not exist, whatever the arguments are. acc0
 * completes extended tags, so that nothing else stands in the way.
 */
#include "guest.h"
#include "vfio_dma_buf.h"
#include "vfio_tph.h"

static int feature(uint32_t argsz, uint32_t flags)
{
	struct accelerator acc = acc_open("acc0");
	struct raw_set_tph arg = raw_set(-1);
	int ret;

	arg.argsz = argsz;
	arg.feature = RAW_FEATURE_DMA_BUF_TPH | flags;
	ret = raw_feature(tphbuf_device_fd(acc.dev), &arg);
	accelerator_close(&acc);
	return ret;
}

static void probe(void)
{
	uint32_t size = sizeof(struct raw_set_tph);

	expect_error(feature(size, RAW_FEATURE_PROBE), -ENOTTY, "PROBE");
	expect_error(feature(size, RAW_FEATURE_PROBE | RAW_FEATURE_SET), -ENOTTY, "PROBE with SET");
	expect_error(feature(8, RAW_FEATURE_PROBE), -ENOTTY, "PROBE, the header alone");
}

static void operations(void)
{
	uint32_t size = sizeof(struct raw_set_tph);

	expect_error(feature(size, RAW_FEATURE_SET), -ENOTTY, "SET");
	expect_error(feature(size, RAW_FEATURE_GET), -ENOTTY, "GET");
	expect_error(feature(8, RAW_FEATURE_SET), -ENOTTY, "SET with a short argsz");
}

static void write_combining(void)
{
	struct accelerator acc = acc_open("acc0");
	struct raw_set_wc arg = raw_wc(-1);
	int device = tphbuf_device_fd(acc.dev);

	expect_error(raw_feature(device, &arg), -ENOTTY, "SET");
	arg.feature |= RAW_FEATURE_PROBE;
	expect_error(raw_feature(device, &arg), -ENOTTY, "PROBE with SET");
	arg.feature = RAW_FEATURE_PROBE | RAW_FEATURE_DMA_BUF_WC;
	expect_error(raw_feature(device, &arg), -ENOTTY, "PROBE");
	arg.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_WC;
	expect_error(raw_feature(device, &arg), -ENOTTY, "GET");
	accelerator_close(&acc);
}

static const struct test_case cases[] = {
	{ "probe", probe },
	{ "operations", operations },
	{ "write_combining", write_combining },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
