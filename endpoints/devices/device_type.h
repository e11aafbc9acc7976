/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the registry knows of a kind of device. Each device has one in its header.
 */
#ifndef TPHBUF_DEVICE_TYPE_H
#define TPHBUF_DEVICE_TYPE_H

struct fabric;
struct options;
struct pci_function;
struct pci_function_desc;

/**
 * struct device_type - a kind of device
 * @name: first word of its options
 * @help: its own options, a line each with a newline; indented by four spaces
 * @create: makes the device state and the function. @desc has name, BDF and payload size from the
 *	options that all devices share; @create takes its own options, calls options_finish(), adds
 *	the rest and calls pci_function_create(). The function is going to be attached to @fabric,
 *	which is not locked. 0, -EINVAL with a message in the options, or another -errno without
 *	one.
 */
struct device_type {
	const char *name;
	const char *help;
	int (*create)(struct fabric *fabric, struct options *options,
		      struct pci_function_desc *desc, struct pci_function **fn);
};

#endif
