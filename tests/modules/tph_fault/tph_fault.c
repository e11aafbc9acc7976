// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disables TPH of a function under its driver, as a write to its ST table that
 * fails does. No emulated device can make a configuration write fail, so the
 * entry that is written is one that no table has.
 *
 * debugfs: echo 0000:00:10.0 > tph_fault/disable
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-tph.h>

#define NO_ENTRY	U16_MAX

static struct dentry *folder;

static int disable(const char *bdf)
{
	unsigned int domain, bus, slot, function;
	struct pci_dev *pdev;
	int ret = -EIO;

	if (sscanf(bdf, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;

	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;

	if (pcie_tph_enabled_req_type(pdev) == PCI_TPH_REQ_DISABLE)
		ret = -EALREADY;
	else if (pcie_tph_set_st_entry(pdev, NO_ENTRY, 0) &&
		 pcie_tph_enabled_req_type(pdev) == PCI_TPH_REQ_DISABLE)
		ret = 0;
	pci_dev_put(pdev);

	return ret;
}

static ssize_t disable_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char bdf[16] = "";
	int ret;

	if (count >= sizeof(bdf))
		return -EINVAL;
	if (copy_from_user(bdf, buf, count))
		return -EFAULT;

	ret = disable(bdf);

	return ret ?: count;
}

static const struct file_operations disable_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = disable_write,
};

static int __init tph_fault_init(void)
{
	folder = debugfs_create_dir("tph_fault", NULL);
	debugfs_create_file("disable", 0200, folder, NULL, &disable_fops);
	return 0;
}
module_init(tph_fault_init);

static void __exit tph_fault_exit(void)
{
	debugfs_remove_recursive(folder);
}
module_exit(tph_fault_exit);

MODULE_DESCRIPTION("Disable TPH of a function under its driver");
MODULE_LICENSE("GPL");
