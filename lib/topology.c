// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Where a PCI function is: the ports between it and its host bridge. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bdf.h"
#include "function.h"
#include "sys.h"
#include "sysfs.h"
#include "topology.h"

int tpb_chain_read(const char *sysroot, const char *bdf, struct tpb_chain *chain)
{
	char target[PATH_MAX], *word, *words;
	struct tpb_path path;
	ssize_t length;
	int ret;

	*chain = (struct tpb_chain) { .length = 0 };
	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s", bdf);
	if (ret)
		return ret;
	length = tpb_sys.readlink(path.text, target, sizeof(target) - 1);
	if (length < 0)
		return (int)length;
	target[length] = '\0';
	for (word = strtok_r(target, "/", &words); word; word = strtok_r(NULL, "/", &words)) {
		if (!strncmp(word, "pci", 3))
			snprintf(chain->host_bridge, sizeof(chain->host_bridge), "%s", word);
		if (chain->length == TPB_CHAIN_MAX)
			return -ELOOP;
		if (chain->host_bridge[0] && !tpb_bdf_parse(word, chain->bdf[chain->length]))
			chain->length++;
	}
	return chain->length ? 0 : -ENODEV;
}

unsigned int tpb_chain_common(const struct tpb_chain *a, const struct tpb_chain *b)
{
	unsigned int n = 0;

	while (n < a->length && n < b->length && !strcmp(a->bdf[n], b->bdf[n]))
		n++;
	return n;
}

ssize_t tpb_config_read(const char *sysroot, const char *bdf, uint8_t config[TPB_CONFIG_SIZE_ALL])
{
	struct tpb_path path;
	ssize_t got;
	int ret;

	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/config", bdf);
	if (ret)
		return ret;
	got = tpb_sysfs_read_bytes(&path, config, TPB_CONFIG_SIZE_ALL);
	return got == -EACCES || got == -EPERM || got == -ENOENT ? 0 : got;
}
