// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: PCI addresses from outside, good and malformed. */
#include <errno.h>

#include "tap.h"
#include "bdf.h"

static void good(const char *text, const char *want)
{
	char bdf[TPHBUF_BDF_SIZE] = "";

	is_int(tpb_bdf_parse(text, bdf), 0, "\"%s\" is an address", text);
	is_str(bdf, want, "\"%s\" is written as sysfs does", text);
}

static void bad(const char *text)
{
	char bdf[TPHBUF_BDF_SIZE] = "kept";

	is_int(tpb_bdf_parse(text, bdf), -EINVAL, "\"%s\" is none", text);
	is_str(bdf, "kept", "\"%s\" writes nothing", text);
}

int main(void)
{
	static const char *const wrong[] = {
		"", ":", ".", "::.", "0000:00:03", "0000:00:03.", "0000:00:03.8", "0000:00:20.0",
		"0000:100:03.0", "000000000:00:03.0", "0000:00:03.0 ", " 00:03.0", "0000:00:03.0/",
		"0000:00:0g.0", "-1:00:03.0", "00:03.00", "0x0:00:03.0", "0000:00:03.0:0",
		"../00:03.0", "eth0",
	};

	good("0000:00:03.0", "0000:00:03.0");
	good("00:03.0", "0000:00:03.0");
	good("0:3.0", "0000:00:03.0");
	good("ABCD:EF:1F.7", "abcd:ef:1f.7");
	good("10000:00:00.0", "10000:00:00.0");
	good("ffffffff:ff:1f.7", "ffffffff:ff:1f.7");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		bad(wrong[i]);
	ok(tpb_bdf_compare("0000:00:03.0", "0000:00:03.1") < 0, "functions are ordered");
	ok(tpb_bdf_compare("0000:01:00.0", "0000:00:1f.7") > 0, "buses are ordered");
	ok(tpb_bdf_compare("ffff:00:00.0", "10000:00:00.0") < 0, "a long domain comes last");
	is_int(tpb_bdf_compare("0000:00:03.0", "0000:00:03.0"), 0, "an address equals itself");
	return done_testing();
}
