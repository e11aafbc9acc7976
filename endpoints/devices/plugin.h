/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device types that come as shared objects.
 */
#ifndef TPHBUF_DEVICE_PLUGIN_H
#define TPHBUF_DEVICE_PLUGIN_H

#include <stddef.h>

/**
 * plugin_load() - load a plugin and offer its device type
 * @path: of the shared object; it is not searched for, and stays loaded
 * @error: receives one line without newline when the call fails
 * @error_size: of @error
 *
 * Context: before there is a second thread.
 * Return: 0, or -EINVAL when this is no plugin, or none for these endpoints.
 */
int plugin_load(const char *path, char *error, size_t error_size);

#endif
