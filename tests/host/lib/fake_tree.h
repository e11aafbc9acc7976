/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder that looks like the parts of /sys and /dev that libtphbuf reads.
 * What cannot be made ends the test program: nothing after it would hold.
 */
#ifndef TPHBUF_TESTS_FAKE_TREE_H
#define TPHBUF_TESTS_FAKE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_ROOT_SIZE		64

/*
 * Where the regions of a device start in its device file, which is a sparse
 * file: reading, writing and mapping it needs no further pretence.
 */
#define FAKE_REGION(index)	((uint64_t)(index) << 24)
#define FAKE_REGION_CONFIG	7
#define FAKE_BAR0_SIZE		0x10000
#define FAKE_BAR2_SIZE		0x100000
#define FAKE_BAR4_SIZE		0x100
#define FAKE_CONFIG_SIZE	0x1000

struct fake_function {
	const char *bdf;
	const char *driver;		/* NULL for none */
	int group;			/* -1 for none */
	uint32_t class_code;
	unsigned int completer;		/* DEVCAP2 bits 13:12 */
	bool short_config;		/* sysfs shows 64 bytes, as to an ordinary user */
	uint8_t header;			/* type of the header */
};

void fake_tree_create(char root[FAKE_ROOT_SIZE]);
/* From here on as a kernel whose VFIO has groups and neither device files nor an iommufd. */
void fake_tree_groups_only(const char *root);
void fake_tree_remove(const char *root);

/* A driver that a function can be bound to; one with "vfio" in its name brings the VFIO class. */
void fake_tree_driver(const char *root, const char *driver);
void fake_tree_function(const char *root, const struct fake_function *function);

/* What the kernel does when a driver takes a function or lets go of it. */
void fake_tree_bind(const char *root, const char *bdf, const char *driver);
void fake_tree_unbind(const char *root, const char *bdf);

void fake_tree_make_folder(const char *root, const char *folder);

__attribute__((format(printf, 3, 4)))
void fake_tree_write(const char *root, const char *text, const char *format, ...);
__attribute__((format(printf, 2, 3)))
void fake_tree_delete(const char *root, const char *format, ...);
/* Target's last component, or first line of the file; static storage; NULL when absent. */
const char *fake_tree_driver_of(const char *root, const char *bdf);
const char *fake_tree_override_of(const char *root, const char *bdf);

#endif
