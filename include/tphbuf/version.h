/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_VERSION_H
#define TPHBUF_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define TPHBUF_VERSION_MAJOR 0
#define TPHBUF_VERSION_MINOR 1
#define TPHBUF_VERSION_PATCH 0

/**
 * tphbuf_version - version of the library that runs
 *
 * May differ from the TPHBUF_VERSION_* that the caller was compiled with.
 * Any thread may call it at any time.
 *
 * Return: "major.minor.patch", static storage.
 */
const char *tphbuf_version(void);

#ifdef __cplusplus
}
#endif

#endif
