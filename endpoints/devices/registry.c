// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device types, and making a device from text.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "accelerator.h"
#include "device_type.h"
#include "dma_engine.h"
#include "mlx5/mlx5.h"
#include "device_options.h"
#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "pcie/port.h"
#include "registry.h"

#define MPS_DEFAULT	512
#define MPS_MIN		128
#define MPS_MAX		4096

#define TYPES_MAX	16

/* The types of plugins are added before the first thread is started. NULL ends the list. */
static const struct device_type *types[TYPES_MAX + 1] = {
	&accelerator_type,
	&dma_engine_type,
#ifdef TPHBUF_WITH_MLX5
	&mlx5_type,
#endif
};

static const struct device_type *registry_find(const char *name)
{
	for (unsigned int i = 0; types[i]; i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

int device_type_add(const struct device_type *type)
{
	unsigned int count = 0;

	if (registry_find(type->name))
		return -EEXIST;
	while (types[count])
		count++;
	if (count == TYPES_MAX)
		return -ENOSPC;
	types[count] = type;
	return 0;
}

static int unknown_type(const struct options *options)
{
	char names[256] = "";

	for (unsigned int i = 0; types[i]; i++) {
		if (i)
			strncat(names, ", ", sizeof(names) - strlen(names) - 1);
		strncat(names, types[i]->name, sizeof(names) - strlen(names) - 1);
	}
	snprintf(options->error, options->error_size,
		 "there is no device type '%s': expected one of %s", options->type, names);
	return -EINVAL;
}

/* The port of the fabric that the device is below. */
static int port_option(struct options *options, struct fabric *fabric, struct pcie_port **port)
{
	const char *name = NULL;

	options_text(options, "below", &name);
	if (!name)
		return 0;
	*port = fabric_find_port(fabric, name);
	if (!*port)
		return options_error(options, "below=%s: there is no port of this name", name);
	return 0;
}

static int shared_options(struct options *options, struct fabric *fabric,
			  struct pci_function_desc *desc)
{
	static const char *const readiness_words[] = { "delayed", "immediate" };
	unsigned int readiness = 1;
	uint64_t mps = MPS_DEFAULT;
	int ret;

	desc->name = options->type;
	options_text(options, "name", &desc->name);
	ret = options_check_name(options, desc->name, PCI_FUNCTION_NAME_MAX);
	if (!ret)
		ret = options_bdf(options, "bdf", &desc->bdf);
	if (!ret && !desc->bdf)
		ret = options_error(
			options,
			"bdf= is missing: the device's place in the machine, like bdf=00:04.0");
	if (!ret)
		ret = options_size(options, "mps", MPS_MIN, MPS_MAX, &mps);
	if (!ret)
		ret = options_choice(options, "readiness", readiness_words, 2, &readiness);
	if (!ret)
		ret = port_option(options, fabric, &desc->port);
	desc->pcie.mps = mps;
	desc->pcie.immediate_readiness = readiness;
	return ret;
}

static void registry_explain(const struct options *options, const struct pci_function_desc *desc,
			     int ret)
{
	if (ret == -EEXIST)
		options_error(options,
			      "another device has name=%s or bdf=%02x:%02x.%x: both must be "
			      "unique, and name= is the type by default",
			      desc->name, desc->bdf >> 8, desc->bdf >> 3 & 0x1f, desc->bdf & 7);
	if (ret == -EBUSY)
		options_error(options,
			      "below=%s: the link of this port has another device at its end",
			      desc->port->name);
	if (ret == -EINVAL)
		options_error(options,
			      "below=%s is a switch: expected a Root Port or a Downstream Port",
			      desc->port->name);
}

int device_create(struct fabric *fabric, const char *spec, struct pci_function **fn, char *error,
		  size_t error_size)
{
	struct pci_function_desc desc = { 0 };
	const struct device_type *type;
	struct options options;
	int ret;

	*error = '\0';
	for (unsigned int i = 0; i < PCI_BARS; i++)
		desc.bars[i].fd = -1;
	ret = options_parse(&options, spec, error, error_size);
	if (ret)
		return ret;
	type = registry_find(options.type);
	if (!type)
		return unknown_type(&options);
	ret = shared_options(&options, fabric, &desc);
	if (!ret)
		ret = type->create(fabric, &options, &desc, fn);
	if (!ret) {
		ret = pci_function_attach(*fn, fabric);
		if (ret)
			registry_explain(&options, &desc, ret);
	}
	if (ret && !*error)
		options_error(&options, "%s", strerror(-ret));
	return ret;
}

void device_print_help(FILE *out)
{
	fputs("Devices are TYPE,key=value,... with the keys\n"
	      "    bdf=BUS:DEVICE.FUNCTION  place of the device in the machine; required\n"
	      "    name=NAME                for messages and the socket; default the type\n"
	      "    mps=128..4096            Max_Payload_Size Supported in bytes; default 512\n"
	      "    readiness=immediate|delayed  Immediate Readiness; default immediate\n"
	      "    below=PORT               port that it is below; default the switch that passes\n"
	      "                             everything\n",
	      out);
	for (unsigned int i = 0; types[i]; i++)
		fprintf(out, "and, for the type %s,\n%s", types[i]->name, types[i]->help);
}
