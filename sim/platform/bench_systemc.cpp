/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bare SystemC events: a method that notifies its own event, a nanosecond ahead.
 */
#include "sim/platform/bench_systemc.h"

#include <systemc>

namespace
{
class ticker : public sc_core::sc_module
{
public:
	SC_HAS_PROCESS(ticker);

	ticker(const sc_core::sc_module_name &name, uint64_t count) : sc_module(name), left(count)
	{
		SC_METHOD(tick);
		sensitive << event;
	}

private:
	void tick()
	{
		if (left-- > 0)
			event.notify(step);
	}

	sc_core::sc_event event;
	const sc_core::sc_time step{1, sc_core::SC_NS};
	uint64_t left;
};
} /* namespace */

void bench_systemc_events(uint64_t count)
{
	ticker ticker("ticker", count);

	sc_core::sc_start();
}
