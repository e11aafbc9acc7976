// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Facts about a path, in words. */
#include <stdio.h>

#include <linux/pci_regs.h>

#include <tphbuf/path.h>

const char *tphbuf_verdict_name(enum tphbuf_verdict verdict)
{
	switch (verdict) {
	case TPHBUF_VERDICT_ARRIVES:
		return "arrives";
	case TPHBUF_VERDICT_MAY_BE_LOST:
		return "may-be-lost";
	case TPHBUF_VERDICT_CANNOT:
		return "cannot";
	}
	return "unknown";
}

const char *tphbuf_fact_name(enum tphbuf_fact fact)
{
	switch (fact) {
	case TPHBUF_FACT_COMPLETER:
		return "completer";
	case TPHBUF_FACT_REQUESTER:
		return "requester";
	case TPHBUF_FACT_MODES:
		return "modes";
	case TPHBUF_FACT_ST_TABLE:
		return "st-table";
	case TPHBUF_FACT_ENABLED:
		return "enabled";
	case TPHBUF_FACT_COMMAND_LINE:
		return "command-line";
	case TPHBUF_FACT_ROOT_PORT:
		return "root-port";
	case TPHBUF_FACT_SAME_DEVICE:
		return "same-device";
	case TPHBUF_FACT_SWITCH:
		return "switch";
	case TPHBUF_FACT_ROOT_COMPLEX:
		return "root-complex";
	case TPHBUF_FACT_HOST_BRIDGES:
		return "host-bridges";
	case TPHBUF_FACT_ACS:
		return "acs";
	case TPHBUF_FACT_PREFIX:
		return "prefix";
	case TPHBUF_FACT_DOMAIN:
		return "domain";
	case TPHBUF_FACT_NOT_READABLE:
		return "not-readable";
	}
	return "unknown";
}

/* By enum tphbuf_completer and enum tphbuf_requester alike. */
static const char *widths(uint32_t value)
{
	static const char *const names[] = {
		"an unknown kind of", "an unknown kind of", "8-bit", "8-bit and Extended",
	};

	return names[value < sizeof(names) / sizeof(names[0]) ? value : 0];
}

static int enabled_text(const struct tphbuf_path_fact *fact, char *buf, size_t size)
{
	if (fact->value == TPHBUF_REQUESTER_NONE)
		return snprintf(buf, size, "%s is not enabled to send Steering Tags now; its "
				"driver must enable TPH, at the latest with the first tag",
				fact->bdf);
	return snprintf(buf, size, "%s is enabled for %s Steering Tags, and its driver uses only "
			"these", fact->bdf,
			fact->value == TPHBUF_REQUESTER_EXT_TPH ? "Extended" : "8-bit");
}

static int modes_text(const struct tphbuf_path_fact *fact, char *buf, size_t size)
{
	static const char *const names[8] = {
		"no ST mode", "the mode without ST", "interrupt vector mode",
		"interrupt vector mode", "device specific mode", "device specific mode",
		"interrupt vector and device specific mode",
		"interrupt vector and device specific mode",
	};

	return snprintf(buf, size, "%s supports %s%s", fact->bdf, names[fact->value & 7],
			fact->value & 6 ? "" :
			", in which all Steering Tags are 0; use another device");
}

static int acs_text(const struct tphbuf_path_fact *fact, char *buf, size_t size)
{
	return snprintf(buf, size, "ACS of %s redirects peer-to-peer requests to the root complex "
			"(ACS Control%s%s%s); boot with pci=disable_acs_redir=%s to change that",
			fact->bdf, fact->value & PCI_ACS_RR ? ", P2P Request Redirect" : "",
			fact->value & PCI_ACS_CR ? ", P2P Completion Redirect" : "",
			fact->value & PCI_ACS_EC ? ", P2P Egress Control" : "", fact->bdf);
}

static int domain_text(const struct tphbuf_path_fact *fact, char *buf, size_t size)
{
	const char *advice = fact->st == TPHBUF_VERDICT_ARRIVES ? "" :
			     "; boot with iommu=pt to change that";

	switch (fact->value) {
	case 0:
		return snprintf(buf, size, "the IOMMU does not translate for %s (identity domain)",
				fact->bdf);
	case 1:
		return snprintf(buf, size, "the IOMMU translates for %s (translated domain)%s",
				fact->bdf, advice);
	default:
		return snprintf(buf, size, "it is unknown whether an IOMMU translates for %s",
				fact->bdf);
	}
}

int tphbuf_path_text(const struct tphbuf_path_fact *fact, char *buf, size_t size)
{
	const char *bdf = fact->bdf;

	switch (fact->fact) {
	case TPHBUF_FACT_COMPLETER:
		if (fact->value == TPHBUF_COMPLETER_NONE)
			return snprintf(buf, size, "%s does not complete requests with Steering "
					"Tags (DEVCAP2 bits 13:12); use another device", bdf);
		return snprintf(buf, size, "%s completes requests with %s Steering Tags", bdf,
				widths(fact->value));
	case TPHBUF_FACT_REQUESTER:
		if (fact->value == TPHBUF_REQUESTER_NONE)
			return snprintf(buf, size, "%s cannot send Steering Tags (no TPH Requester "
					"capability); use another device, or firmware that has it",
					bdf);
		return snprintf(buf, size, "%s can send %s Steering Tags", bdf,
				widths(fact->value));
	case TPHBUF_FACT_MODES:
		return modes_text(fact, buf, size);
	case TPHBUF_FACT_ST_TABLE:
		if (!fact->value)
			return snprintf(buf, size, "%s has no ST table: its driver passes the tag "
					"with each request", bdf);
		return snprintf(buf, size, "%s has an ST table with %u entries, one for each "
				"different tag", bdf, (unsigned int)fact->value);
	case TPHBUF_FACT_ENABLED:
		return enabled_text(fact, buf, size);
	case TPHBUF_FACT_COMMAND_LINE:
		return snprintf(buf, size, "the kernel command line disables TPH; boot without "
				"\"pci=notph\"");
	case TPHBUF_FACT_ROOT_PORT:
		if (fact->value == TPHBUF_COMPLETER_NONE)
			return snprintf(buf, size, "the Root Port %s does not complete requests "
					"with Steering Tags, so Linux enables no TPH below it; use "
					"another slot", bdf);
		return snprintf(buf, size, "the Root Port %s completes requests with %s Steering "
				"Tags, and Linux enables only these below it", bdf,
				widths(fact->value));
	case TPHBUF_FACT_SAME_DEVICE:
		return snprintf(buf, size, "both are functions of one device: requests stay in "
				"it");
	case TPHBUF_FACT_SWITCH:
		return snprintf(buf, size, "both are below the upstream port %s: the switch routes "
				"from one to the other", bdf);
	case TPHBUF_FACT_ROOT_COMPLEX:
		return snprintf(buf, size, "the path passes the root complex, which may drop hints "
				"and which Linux permits only on known platforms; a switch above "
				"both, without redirect, avoids it");
	case TPHBUF_FACT_HOST_BRIDGES:
		return snprintf(buf, size, "the path passes two host bridges, which may drop hints "
				"and which Linux permits only on known platforms; a switch above "
				"both, without redirect, avoids them");
	case TPHBUF_FACT_ACS:
		return acs_text(fact, buf, size);
	case TPHBUF_FACT_PREFIX:
		if (fact->value)
			return snprintf(buf, size, "%s blocks End-End TLP Prefixes (Device Control "
					"2, bit 15), which carry Extended Steering Tags; clear the "
					"bit, or use 8-bit tags", bdf);
		return snprintf(buf, size, "%s does not support End-End TLP Prefixes, which carry "
				"Extended Steering Tags; use 8-bit tags", bdf);
	case TPHBUF_FACT_DOMAIN:
		return domain_text(fact, buf, size);
	case TPHBUF_FACT_NOT_READABLE:
		return snprintf(buf, size, "this user cannot read the configuration space of %s; "
				"run this as root", bdf);
	}
	return snprintf(buf, size, "%s: this version does not know the fact", bdf);
}
