/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interrupt controller: edge-triggered shared peripheral interrupts, delivered to one CPU after a latency.
 *
 * Stands for a GIC's distributor as far as timing goes. An edge that comes while the line's last one is
 * still on its way merges with it, as a pending bit does. Priorities, masking per line and message-signalled
 * interrupts are not modelled: the kernel's side masks at the CPU.
 */
#include <stdlib.h>

#include "sim/platform/machine.h"

struct irq_line_state {
	struct irq_controller *controller;
	struct sim_event delivery;
	unsigned int line;
};

struct irq_controller {
	struct machine *machine;
	sim_time latency;
	uint64_t edges, merged;
	struct irq_line_state lines[LINE_COUNT];
};

static void line_deliver(void *arg)
{
	struct irq_line_state *state = arg;
	struct machine *machine = state->controller->machine;
	unsigned int cpu = 0;

	if (machine->config->kernel.irq_affinity_spread)
		cpu = state->line % machine->config->machine.cpus;
	machine->kernel->interrupt(cpu, state->line);
}

static void line_pulse(void *target, unsigned int line)
{
	struct irq_controller *irqs = target;
	struct irq_line_state *state = &irqs->lines[line];

	irqs->edges++;
	if (sim_event_pending(&state->delivery)) {
		irqs->merged++;
		return;
	}
	sim_event_after(&state->delivery, irqs->latency);
}

struct irq_controller *irq_controller_new(struct machine *machine)
{
	struct irq_controller *irqs = calloc(1, sizeof(*irqs));

	if (!irqs)
		abort();
	irqs->machine = machine;
	irqs->latency = SIM_NS(machine->config->machine.irq_delivery_ns);
	for (unsigned int line = 0; line < LINE_COUNT; line++) {
		irqs->lines[line].controller = irqs;
		irqs->lines[line].line = line;
		sim_event_init(&irqs->lines[line].delivery, line_deliver, &irqs->lines[line]);
	}
	stats_counter(machine->stats, "interrupts.edges", &irqs->edges, "count",
		      "edges on interrupt lines");
	stats_counter(machine->stats, "interrupts.merged", &irqs->merged, "count",
		      "edges that came while the line's last one was not delivered yet");
	return irqs;
}

void irq_controller_free(struct irq_controller *irqs)
{
	if (!irqs)
		return;
	for (unsigned int line = 0; line < LINE_COUNT; line++)
		sim_event_cancel(&irqs->lines[line].delivery);
	free(irqs);
}

struct sim_irq irq_controller_line(struct irq_controller *irqs, unsigned int line)
{
	return (struct sim_irq){.pulse = line_pulse, .target = irqs, .line = line};
}
