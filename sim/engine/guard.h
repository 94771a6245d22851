/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The run guard's census: which callbacks ran while time stood still.
 */
#ifndef SIM_ENGINE_GUARD_H
#define SIM_ENGINE_GUARD_H

#include "sim/engine/engine.h"

namespace sim
{

class guard_census
{
public:
	void clear();
	/* A callback, or, if thread_name is given, a step of that thread's function. */
	void add(const void *function, const char *thread_name);
	/* One line on stderr. */
	void report(sim_time now, uint64_t callbacks) const;

private:
	static constexpr unsigned int slots = 64; /* callbacks told apart; a loop has a handful */
	struct entry {
		const void *function;
		const char *thread_name;
		uint64_t count;
	};
	entry entries_[slots] = {};
	unsigned int used_ = 0;
};

} // namespace sim
#endif
