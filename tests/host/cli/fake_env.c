// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets the played system of a command up from its environment, before main():
 * TPHBUF_FAKE_ROOT is the fake tree, TPHBUF_FAKE lists what goes wrong, as
 * "name=errno" separated by spaces.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_sys.h"

static int *error_named(const char *name)
{
	struct fake_errors *errors = &fake_sys.errors;
	const struct {
		const char *name;
		int *error;
	} all[] = {
		{ "open_cdev", &errors->open_cdev },
		{ "access_cdev", &errors->access_cdev },
		{ "bind", &errors->bind },
		{ "dmabuf_probe", &errors->dmabuf_probe },
		{ "dmabuf_get", &errors->dmabuf_get },
		{ "tph_probe", &errors->tph_probe },
		{ "tph_set", &errors->tph_set },
		{ "wc_probe", &errors->wc_probe },
		{ "wc_set", &errors->wc_set },
		{ "mmap", &errors->mmap },
		{ "revoked_from", &errors->revoked_from },
		{ "write_override", &errors->write_override },
		{ "token", &errors->token },
		{ "tph_other", &errors->tph_other },
		{ "wc_other", &errors->wc_other },
		{ "flock", &errors->flock },
		{ "get_device", &errors->get_device },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].name, name))
			return all[i].error;
	return NULL;
}

__attribute__((constructor))
static void set_up(void)
{
	const char *list = getenv("TPHBUF_FAKE");
	int error, used, *place;
	char name[32];

	fake_sys_reset(getenv("TPHBUF_FAKE_ROOT"));
	for (; list && sscanf(list, " %31[a-z_]=%d%n", name, &error, &used) == 2; list += used) {
		place = error_named(name);
		if (!place) {
			fprintf(stderr, "TPHBUF_FAKE: no error named %s\n", name);
			exit(99);
		}
		*place = error;
	}
}
