// SPDX-License-Identifier: GPL-2.0-or-later
/* Device types that come as shared objects. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "device_type.h"
#include "plugin.h"
#include "registry.h"

/* Return: 0, or -EINVAL with what is wrong in @error. */
static int plugin_check(const struct device_plugin *plugin, char *error, size_t error_size)
{
	if (!plugin)
		snprintf(error, error_size,
			 "no " DEVICE_PLUGIN_SYMBOL " in it: see DEVICE_PLUGIN() in device_type.h");
	else if (plugin->abi != DEVICE_PLUGIN_ABI)
		snprintf(error, error_size,
			 "built for version %u of the device interface, not %u: build it with "
			 "the headers of these endpoints",
			 plugin->abi, DEVICE_PLUGIN_ABI);
	else if (!plugin->type || !plugin->type->name || !*plugin->type->name ||
		 !plugin->type->help || !plugin->type->create)
		snprintf(error, error_size,
			 "its device type lacks a name, a help text or create()");
	else
		return 0;
	return -EINVAL;
}

int plugin_load(const char *path, char *error, size_t error_size)
{
	const struct device_plugin *plugin;
	char place[PATH_MAX];
	void *object;
	int ret;

	/* dlopen() searches the directories of libraries for a name without a slash. */
	if ((size_t)snprintf(place, sizeof(place), "%s%s", strchr(path, '/') ? "" : "./", path) >=
	    sizeof(place)) {
		snprintf(error, error_size, "%s", strerror(ENAMETOOLONG));
		return -EINVAL;
	}
	object = dlopen(place, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		snprintf(error, error_size, "%s", dlerror());
		return -EINVAL;
	}
	plugin = dlsym(object, DEVICE_PLUGIN_SYMBOL);
	ret = plugin_check(plugin, error, error_size);
	if (!ret) {
		ret = device_type_add(plugin->type);
		if (ret == -EEXIST)
			snprintf(error, error_size, "there is another device type '%s'",
				 plugin->type->name);
		else if (ret)
			snprintf(error, error_size, "too many device types");
	}
	if (ret)
		dlclose(object);
	return ret ? -EINVAL : 0;
}
