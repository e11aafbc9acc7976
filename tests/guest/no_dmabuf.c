// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH of a kernel that is built without
 * VFIO_PCI_DMABUF: it does not exist, whatever the arguments are. acc0 completes
 * extended tags, so that nothing else stands in the way.
 */
#include "guest.h"
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

static const struct test_case cases[] = {
	{ "probe", probe },
	{ "operations", operations },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
