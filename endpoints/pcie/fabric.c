// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fabric's lock, its ports, its list of functions, its counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fabric_state.h"

struct fabric *fabric_create(struct trace *trace)
{
	struct fabric *fabric = calloc(1, sizeof(*fabric));

	if (!fabric)
		return NULL;
	pthread_mutex_init(&fabric->gate, NULL);
	pthread_mutex_init(&fabric->lock, NULL);
	fabric->trace = trace;
	return fabric;
}

void fabric_allow_unannounced(struct fabric *fabric)
{
	fabric->allow_unannounced = true;
}

void fabric_destroy(struct fabric *fabric)
{
	if (!fabric)
		return;
	for (unsigned int i = 0; i < fabric->count; i++)
		fabric->destroy[i](fabric->functions[i]);
	for (unsigned int i = 0; i < fabric->port_count; i++)
		free(fabric->ports[i]);
	pthread_mutex_destroy(&fabric->lock);
	pthread_mutex_destroy(&fabric->gate);
	free(fabric);
}

struct pcie_port *fabric_find_port(struct fabric *fabric, const char *name)
{
	for (unsigned int i = 0; i < fabric->port_count; i++)
		if (!strcmp(fabric->ports[i]->name, name))
			return fabric->ports[i];
	return NULL;
}

int fabric_add_port(struct fabric *fabric, const struct pcie_port *port)
{
	struct pcie_port *copy;
	int ret;

	if (fabric_find_port(fabric, port->name))
		return -EEXIST;
	if (fabric->port_count == FABRIC_PORTS_MAX)
		return -ENOSPC;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *port;
	ret = pcie_port_link(copy);
	if (ret) {
		free(copy);
		return ret;
	}
	fabric->ports[fabric->port_count++] = copy;
	return 0;
}

void fabric_set_root_complex(struct fabric *fabric, const struct pcie_root_complex *root)
{
	fabric->root = *root;
}

void fabric_inject(struct fabric *fabric, const struct injection *injection)
{
	fabric->injection = *injection;
}

void fabric_lock(struct fabric *fabric)
{
	pthread_mutex_lock(&fabric->gate);
	pthread_mutex_lock(&fabric->lock);
	pthread_mutex_unlock(&fabric->gate);
}

void fabric_unlock(struct fabric *fabric)
{
	pthread_mutex_unlock(&fabric->lock);
}

int fabric_add(struct fabric *fabric, struct pci_function *fn,
	       void (*destroy)(struct pci_function *fn))
{
	if (fabric->count == FABRIC_FUNCTIONS_MAX)
		return -ENOSPC;
	fabric->functions[fabric->count] = fn;
	fabric->destroy[fabric->count++] = destroy;
	return 0;
}

void fabric_remove(struct fabric *fabric, const struct pci_function *fn)
{
	unsigned int i = 0;

	while (fabric->functions[i] != fn)
		i++;
	fabric->functions[i] = fabric->functions[--fabric->count];
	fabric->destroy[i] = fabric->destroy[fabric->count];
}

void fabric_count(struct fabric *fabric, enum tlp_type type, enum tlp_result result)
{
	if (type == TLP_MWR)
		fabric->counters.writes++;
	else if (tlp_is_atomic(type))
		fabric->counters.atomics++;
	else
		fabric->counters.reads++;
	fabric->counters.results[result]++;
}

struct ib_port **fabric_ib_ports(struct fabric *fabric)
{
	return &fabric->ib_ports;
}

void fabric_get_counters(struct fabric *fabric, struct fabric_counters *counters)
{
	fabric_lock(fabric);
	*counters = fabric->counters;
	fabric_unlock(fabric);
}
