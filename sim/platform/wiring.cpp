/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine as sc_modules: which model is connected to which, through TLM-2.0 sockets.
 *
 *	accelerators ──► SMMU ──► interconnect ──► memory
 *	SMMU's walks and queues ──►│            ├─► SMMU registers
 *	CPUs (devices, walks) ─────►│           └─► accelerators' registers
 *
 * Each arrow is an initiator bridge bound to a target bridge, so that a module of one's own can take the
 * place of either end.
 */
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "sim/engine/tlm_bus.h"
#include "sim/platform/machine.h"

/* The modules; destroyed after the models that use their ports. */
struct wiring {
	std::vector<std::unique_ptr<sim::initiator_bridge>> initiators;
	std::vector<std::unique_ptr<sim::target_bridge>> targets;
	std::vector<sim_port> cpu_ports;

	/* A link from a new initiator, whose port comes back, to `target`. */
	sim_port link(const std::string &name, sim_port target)
	{
		initiators.push_back(
			std::make_unique<sim::initiator_bridge>((name + "_initiator").c_str()));
		targets.push_back(
			std::make_unique<sim::target_bridge>((name + "_target").c_str(), target));
		initiators.back()->socket.bind(targets.back()->socket);
		return initiators.back()->port();
	}
};

namespace
{

enum track_rank { RANK_ACCEL = 30, RANK_SMMU = 40, RANK_MMU = 50 };

[[noreturn]] void out_of_memory()
{
	std::fputs("svasim: the host has no memory for the machine\n", stderr);
	std::exit(2);
}

template <typename T> T *need(T *pointer)
{
	if (!pointer)
		out_of_memory();
	return pointer;
}

void add_region(machine *m, const char *name, interconnect_kind kind, uint64_t base, uint64_t bytes,
		sim_port target)
{
	const sim_port port = m->wiring->link(std::string("bus_to_") + name, target);

	if (interconnect_region_add(m->interconnect, name, kind, base, bytes, &port, nullptr))
		out_of_memory();
}

void build_memory(machine *m)
{
	m->memory = need(memory_new(&m->config->memory, &m->ram));
	memory_requester_name(m->memory, REQUESTER_SMMU_WALK, "smmu");
	memory_requester_name(m->memory, REQUESTER_CPU_WALK, "cpu_walks");
	memory_requester_name(m->memory, REQUESTER_CPU_MMIO, "cpu");
	m->interconnect = need(interconnect_new(&m->config->interconnect));
	add_region(m, "ram", INTERCONNECT_MEMORY, MAP_RAM_BASE, m->config->machine.ram_bytes,
		   {memory_request, m->memory});
}

sim_port to_interconnect(machine *m, const std::string &name)
{
	return m->wiring->link(name, {interconnect_request, m->interconnect});
}

void build_cpus(machine *m)
{
	const trace_track track = trace_track_add(0, "CPU page walks", RANK_MMU);
	const unsigned int cpus = m->config->machine.cpus;

	m->mmu_domain = need(mmu_domain_new(&m->config->mmu));
	m->mmus = need(static_cast<mmu **>(std::calloc(cpus, sizeof(*m->mmus))));
	for (unsigned int i = 0; i < cpus; i++) {
		const std::string name = "cpu" + std::to_string(i);
		mmu_config config = {};

		config.params = &m->config->mmu;
		config.domain = m->mmu_domain;
		config.walk_port = to_interconnect(m, name + "_walk");
		config.requester = REQUESTER_CPU_WALK;
		config.pa_bits = 48;
		config.track = trace_track_add(track, name.c_str(), static_cast<int>(i));
		m->mmus[i] = need(mmu_new(&config));
		memory_place_cpu(m->memory, i, i * m->config->memory.nodes / cpus);
		m->wiring->cpu_ports.push_back(to_interconnect(m, name + "_device"));
	}
}

/* The SMMU's event output reaches the CPUs' event registers. */
void send_event(void *arg)
{
	static_cast<machine *>(arg)->kernel->sev();
}

void build_smmu(machine *m)
{
	smmu_config config = {};

	config.params = &m->config->smmu;
	config.reg_base = MAP_SMMU_BASE;
	config.requester = REQUESTER_SMMU_WALK;
	config.downstream = to_interconnect(m, "smmu_downstream");
	config.walk_port = to_interconnect(m, "smmu_walk");
	config.eventq_irq = irq_controller_line(m->irqs, LINE_SMMU_EVENTQ);
	config.priq_irq = irq_controller_line(m->irqs, LINE_SMMU_PRIQ);
	config.gerror_irq = irq_controller_line(m->irqs, LINE_SMMU_GERROR);
	config.cmdq_sync_irq = irq_controller_line(m->irqs, LINE_SMMU_SYNC);
	config.sev = send_event;
	config.sev_arg = m;
	config.life = m->life;
	config.stats = m->stats;
	config.track = trace_track_add(0, "SMMU", RANK_SMMU);
	m->smmu = need(smmu_create(&config));
	add_region(m, "smmu_registers", INTERCONNECT_DEVICE, MAP_SMMU_BASE, SMMU_FRAME_BYTES,
		   {smmu_mmio_request, m->smmu});
}

void build_accelerator(machine *m, unsigned int index)
{
	const std::string name = "accel" + std::to_string(index);
	accel_config config = {};

	config.name = name.c_str();
	config.reg_base = MAP_ACCEL_BASE + index * MAP_ACCEL_BYTES;
	config.stream_id = machine_stream_id(index);
	config.requester = static_cast<uint16_t>(REQUESTER_ACCEL_FIRST + index);
	config.dma_port = m->wiring->link(name + "_dma", {smmu_request, m->smmu});
	smmu_port_add(m->smmu, name.c_str(), &config.stream_id, 1);
	config.eq_irq = irq_controller_line(m->irqs, LINE_ACCEL_FIRST + 2 * index);
	config.aeq_irq = irq_controller_line(m->irqs, LINE_ACCEL_FIRST + 2 * index + 1);
	config.life = m->life;
	config.track = trace_track_add(0, name.c_str(), RANK_ACCEL + static_cast<int>(index));
	config.life_device =
		life_device_add(m->life, name.c_str(), m->config->accel.qp_count, config.track);
	life_device_stream(m->life, config.life_device, config.stream_id);
	memory_requester_name(m->memory, config.requester, name.c_str());
	m->accels[index] = need(accel_new(&m->config->accel, &config));
	add_region(m, (name + "_registers").c_str(), INTERCONNECT_DEVICE, config.reg_base,
		   MAP_ACCEL_BYTES, {accel_mmio_request, m->accels[index]});
}

void register_stats(machine *m)
{
	memory_register_stats(m->memory, m->stats, "memory");
	interconnect_register_stats(m->interconnect, m->stats, "interconnect");
	mmu_domain_register_stats(m->mmu_domain, m->stats, "mmu");
	for (unsigned int i = 0; i < m->config->machine.accelerators; i++)
		accel_register_metrics(m->accels[i], m->stats,
				       i ? ("accel" + std::to_string(i)).c_str() : "accel");
}

} // namespace

void machine_wire(machine *m)
{
	m->wiring = new wiring;
	build_memory(m);
	build_cpus(m);
	build_smmu(m);
	for (unsigned int i = 0; i < m->config->machine.accelerators; i++)
		build_accelerator(m, i);
	register_stats(m);
}

void machine_unwire(machine *m)
{
	if (!m->wiring)
		return;
	for (unsigned int i = 0; i < m->config->machine.accelerators; i++)
		accel_free(m->accels[i]);
	smmu_destroy(m->smmu);
	for (unsigned int i = 0; i < m->config->machine.cpus; i++)
		mmu_free(m->mmus[i]);
	std::free(m->mmus);
	mmu_domain_free(m->mmu_domain);
	interconnect_free(m->interconnect);
	memory_free(m->memory);
	delete m->wiring;
}

bool machine_idle(const machine *m)
{
	for (unsigned int i = 0; i < m->config->machine.accelerators; i++)
		if (!accel_idle(m->accels[i]))
			return false;
	return smmu_idle(m->smmu);
}

sim_port machine_cpu_port(machine *m, unsigned int cpu)
{
	return m->wiring->cpu_ports[cpu];
}
