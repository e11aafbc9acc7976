/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the registry knows of a kind of device. Each device has one in its header, or is a plugin: a
 * shared object with a kind of device, which tphbuf-endpoints --plugin loads.
 */
#ifndef TPHBUF_DEVICE_TYPE_H
#define TPHBUF_DEVICE_TYPE_H

#include <stdint.h>

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

/* Goes up with each change of the installed headers that breaks a plugin built before. */
#define DEVICE_PLUGIN_ABI	1

/**
 * struct device_plugin - what a plugin exports
 * @abi: DEVICE_PLUGIN_ABI of the headers that it was built with; the first field in each of them
 * @type: its device type
 */
struct device_plugin {
	uint32_t abi;
	const struct device_type *type;
};

#define DEVICE_PLUGIN_SYMBOL	"tphbuf_device_plugin"

extern const struct device_plugin tphbuf_device_plugin;

/* Once in a plugin, outside of functions: its device type. */
#define DEVICE_PLUGIN(device)                                                                  \
	const struct device_plugin tphbuf_device_plugin = {                                        \
		.abi = DEVICE_PLUGIN_ABI, .type = &(device),                                       \
	}

#endif
