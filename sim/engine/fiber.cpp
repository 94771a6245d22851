/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stack switches, told to the tools that need to know.
 *
 * SystemC calls __sanitizer_start_switch_fiber and __sanitizer_finish_switch_fiber around every
 * switch if they exist in the program, but passes no bounds for the main stack. They are defined
 * here: they add the bounds, announce every stack seen for the first time, and forward to the
 * sanitizer's own functions where there are any.
 */
#include "sim/engine/fiber.h"

#include <cstddef>
#include <dlfcn.h>
#include <pthread.h>
#include <unordered_set>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#include <sanitizer/lsan_interface.h>
#else
#define FIBER_ASAN 0
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND		    0
#define VALGRIND_STACK_REGISTER(start, end) ((void)(start), (void)(end))
#endif

namespace
{

using start_fn = void (*)(void **, const void *, size_t);
using finish_fn = void (*)(void *, const void **, size_t *);

struct fiber_state {
	bool watched; /* some tool wants to know */
	const void *main_bottom;
	size_t main_size;
	start_fn start;
	finish_fn finish;
	std::unordered_set<const void *>
		*known; /* stacks announced so far; asked, never iterated */
} state;

void announce(const void *bottom, size_t size)
{
	const char *low = static_cast<const char *>(bottom);

	if (!state.known->insert(bottom).second)
		return;
	(void)VALGRIND_STACK_REGISTER(low, low + size - 1);
#if FIBER_ASAN
	__lsan_register_root_region(low, size);
#endif
}

} // namespace

void fiber_init()
{
	pthread_attr_t attr;
	void *bottom = nullptr;

	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstack(&attr, &bottom, &state.main_size);
		pthread_attr_destroy(&attr);
	}
	state.main_bottom = bottom;
#if FIBER_ASAN
	state.start =
		reinterpret_cast<start_fn>(dlsym(RTLD_NEXT, "__sanitizer_start_switch_fiber"));
	state.finish =
		reinterpret_cast<finish_fn>(dlsym(RTLD_NEXT, "__sanitizer_finish_switch_fiber"));
#endif
	state.watched = FIBER_ASAN || RUNNING_ON_VALGRIND;
	if (state.watched)
		state.known = new std::unordered_set<const void *>;
}

extern "C" {
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_size);

__attribute__((no_sanitize("address"), visibility("default"))) void
__sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size)
{
	if (!state.watched)
		return;
	if (bottom) {
		announce(bottom, size);
	} else {
		bottom = state.main_bottom;
		size = state.main_size;
	}
	if (state.start)
		state.start(fake_stack, bottom, size);
}

__attribute__((no_sanitize("address"), visibility("default"))) void
__sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_size)
{
	if (state.finish)
		state.finish(fake_stack, old_bottom, old_size);
}
}
