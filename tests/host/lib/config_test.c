// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: the TPH completer type in config spaces, whole, short and wrong. */
#include "tap.h"
#include "config.h"

#define STATUS		0x06
#define POINTER		0x34
#define EXPRESS		0x60
#define EXPRESS_FLAGS	(EXPRESS + 0x02)
#define DEVCAP2		(EXPRESS + 0x24)

static uint8_t config[TPB_CONFIG_SIZE];

static void start(unsigned int completer)
{
	memset(config, 0, sizeof(config));
	config[STATUS] = 0x10;
	config[POINTER] = EXPRESS;
	config[EXPRESS] = 0x10;
	config[EXPRESS_FLAGS] = 2;
	config[DEVCAP2 + 1] = completer << 4;
}

static void values(void)
{
	static const enum tphbuf_completer want[] = {
		TPHBUF_COMPLETER_NONE, TPHBUF_COMPLETER_TPH,
		TPHBUF_COMPLETER_NONE, TPHBUF_COMPLETER_EXT_TPH,
	};

	for (unsigned int bits = 0; bits < 4; bits++) {
		start(bits);
		is_int(tpb_config_completer(config, sizeof(config)), want[bits],
		       "completer bits %u", bits);
		config[DEVCAP2] = 0xff;
		config[DEVCAP2 + 1] |= 0xcf;
		config[DEVCAP2 + 2] = 0xff;
		is_int(tpb_config_completer(config, sizeof(config)), want[bits],
		       "completer bits %u among other bits", bits);
	}
}

static void lists(void)
{
	start(3);
	config[STATUS] = 0;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_NONE,
	       "no capability list");
	start(3);
	config[POINTER] = 0x40;
	config[0x40] = 0x01;
	config[0x41] = EXPRESS | 3;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_EXT_TPH,
	       "second in the list, with reserved bits in the pointer");
	config[0x41] = 0x40;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_NONE,
	       "a list that bites its tail ends");
	config[0x41] = 0;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_NONE,
	       "no PCI Express capability");
	start(3);
	config[EXPRESS_FLAGS] = 1;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_NONE,
	       "version 1 of the capability has no DEVCAP2");
	memset(config, 0xff, sizeof(config));
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_NONE,
	       "a device that does not answer");
}

static void short_reads(void)
{
	uint8_t *exact;
	size_t size;

	start(3);
	is_int(tpb_config_completer(config, 64), TPHBUF_COMPLETER_UNKNOWN,
	       "64 bytes do not tell");
	is_int(tpb_config_completer(config, 0), TPHBUF_COMPLETER_UNKNOWN, "nothing tells nothing");
	is_int(tpb_config_completer(config, DEVCAP2 + 1), TPHBUF_COMPLETER_UNKNOWN,
	       "one byte short of the bits");
	is_int(tpb_config_completer(config, DEVCAP2 + 2), TPHBUF_COMPLETER_EXT_TPH,
	       "exactly up to the bits");
	config[POINTER] = 0xfc;
	config[0xfc] = 0x10;
	config[0xfe] = 2;
	is_int(tpb_config_completer(config, sizeof(config)), TPHBUF_COMPLETER_UNKNOWN,
	       "a capability that leads out of the space");
	start(3);
	/* In memory of its own, so that a sanitizer sees a read beyond it. */
	for (size = 0; size < sizeof(config); size++) {
		exact = malloc(size ? size : 1);
		memcpy(exact, config, size);
		if (tpb_config_completer(exact, size) !=
		    (size < DEVCAP2 + 2 ? TPHBUF_COMPLETER_UNKNOWN : TPHBUF_COMPLETER_EXT_TPH))
			break;
		free(exact);
	}
	is_int(size, sizeof(config), "every length");
}

int main(void)
{
	values();
	lists();
	short_reads();
	return done_testing();
}
