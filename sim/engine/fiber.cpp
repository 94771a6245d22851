/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stack switches, told to the tools that need to know.
 *
 * SystemC calls __sanitizer_start_switch_fiber and __sanitizer_finish_switch_fiber around every
 * switch if they exist in the program, but passes neither the main stack's bounds nor a place for
 * a stack's state, and says nothing of a thread that ends. They are defined here: they add both, announce every stack seen for the first
 * time, and forward to the sanitizer's own functions where there are any.
 */
#include "sim/engine/fiber.h"

#include <cstddef>
#include <dlfcn.h>
#include <cstdint>
#include <cstdlib>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#include <sanitizer/asan_interface.h>
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

/* What the switch itself pushes below the frame of the function that it calls before. */
constexpr uintptr_t switch_bytes = 256;

struct fiber {
	const void *bottom;
	size_t size;
	uintptr_t live;	  /* while switched away: the lowest address in use */
	void *fake_stack; /* AddressSanitizer's, for its use-after-return mode, while switched away */
};

struct fiber_state {
	bool watched; /* some tool wants to know */
	fiber main;
	fiber *current;
	start_fn start;
	finish_fn finish;
	std::unordered_map<const void *, fiber> *known; /* all but the main stack, by bottom */
	std::vector<std::vector<uintptr_t>> *copies;	/* of their contents, at the end */
} state;

fiber *find_fiber(const void *bottom, size_t size)
{
	const char *low = static_cast<const char *>(bottom);

	if (!bottom)
		return &state.main;
	const auto [position, is_new] =
		state.known->try_emplace(bottom, fiber{bottom, size, 0, nullptr});
	if (is_new)
		(void)VALGRIND_STACK_REGISTER(low, low + size - 1);
	return &position->second; /* stays where it is while others are added */
}

fiber *fiber_at(uintptr_t address)
{
	for (auto &[bottom, stack] : *state.known) {
		if (address - reinterpret_cast<uintptr_t>(bottom) < stack.size)
			return &stack;
	}
	return &state.main;
}

/*
 * SystemC calls no hook when a thread has ended: whoever runs next is taken for it. The switch is
 * made up for, and the dead stack, which may be unmapped already, forgotten.
 */
void make_up_for_ended_thread(uintptr_t frame)
{
	const fiber *ended = state.current;
	void *fake_stack; /* not released: frames of the next may be in it */

	if (frame - reinterpret_cast<uintptr_t>(ended->bottom) < ended->size ||
	    ended == &state.main)
		return;
	state.current = fiber_at(frame);
	if (state.start) {
		state.start(&fake_stack, state.current->bottom, state.current->size);
		state.finish(state.current->fake_stack, nullptr, nullptr);
	}
	state.known->erase(ended->bottom);
}

#if FIBER_ASAN
/* Not memcpy(), which AddressSanitizer checks: a stack is full of its red zones. */
__attribute__((no_sanitize("address"))) void keep_copy(uintptr_t from, uintptr_t end)
{
	std::vector<uintptr_t> copy((end - from) / sizeof(uintptr_t));
	uintptr_t *to = copy.data();

	for (; from < end; from += sizeof(uintptr_t)) {
		*to++ = *reinterpret_cast<const uintptr_t *>(from);
		asm volatile("" ::: "memory"); /* keeps the loop from becoming memcpy() */
	}
	state.copies->push_back(std::move(copy));
}

/* In the use-after-return mode a function's variables are elsewhere; its frame points there. */
void keep_fake_frames(const fiber &stack, size_t words)
{
	const size_t index = state.copies->size() - 1;
	void *begin, *end;

	for (size_t i = 0; i < words; i++) {
		void *word = reinterpret_cast<void *>((*state.copies)[index][i]);

		if (__asan_addr_is_in_fake_stack(stack.fake_stack, word, &begin, &end))
			keep_copy(reinterpret_cast<uintptr_t>(begin),
				  reinterpret_cast<uintptr_t>(end) & ~(sizeof(uintptr_t) - 1));
	}
}

/* A thread that is not ours may have been killed while it waited. */
bool still_mapped(uintptr_t from, uintptr_t end)
{
	const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
	std::vector<unsigned char> resident((end - from) / page + 2);

	from &= ~(page - 1);
	return mincore(reinterpret_cast<void *>(from), end - from, resident.data()) == 0;
}

/*
 * A blocked thread's stack holds pointers that LeakSanitizer must see. It has root regions for
 * that, but reads the process's memory map once per region, and reads untouched pages too: seconds
 * for a thousand stacks. A reachable copy of the live part of each costs nothing.
 */
void show_stacks_to_lsan()
{
	for (const auto &[bottom, stack] : *state.known) {
		const uintptr_t end = reinterpret_cast<uintptr_t>(bottom) + stack.size;

		if (&stack == state.current || !still_mapped(stack.live, end))
			continue;
		keep_copy(stack.live, end);
		if (stack.fake_stack)
			keep_fake_frames(stack, state.copies->back().size());
	}
}
#endif

} // namespace

void fiber_init()
{
	pthread_attr_t attr;
	void *bottom = nullptr;

	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstack(&attr, &bottom, &state.main.size);
		pthread_attr_destroy(&attr);
	}
	state.main.bottom = bottom;
	state.current = &state.main;
#if FIBER_ASAN
	state.start =
		reinterpret_cast<start_fn>(dlsym(RTLD_NEXT, "__sanitizer_start_switch_fiber"));
	state.finish =
		reinterpret_cast<finish_fn>(dlsym(RTLD_NEXT, "__sanitizer_finish_switch_fiber"));
	state.copies = new std::vector<std::vector<uintptr_t>>;
	atexit(show_stacks_to_lsan); /* LeakSanitizer's own was registered earlier: it runs later */
#endif
	state.watched = FIBER_ASAN || RUNNING_ON_VALGRIND;
	if (state.watched)
		state.known = new std::unordered_map<const void *, fiber>;
}

void fiber_sync()
{
	if (state.watched)
		make_up_for_ended_thread(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
}

extern "C" {
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_size);

__attribute__((no_sanitize("address"), visibility("default"))) void
__sanitizer_start_switch_fiber(void **, const void *bottom, size_t size)
{
	if (!state.watched)
		return;
	const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
	fiber *from, *to;

	make_up_for_ended_thread(frame);
	from = state.current;
	to = find_fiber(bottom, size);

	from->live = frame - switch_bytes;
	state.current = to;
	if (state.start)
		state.start(&from->fake_stack, to->bottom, to->size);
}

__attribute__((no_sanitize("address"), visibility("default"))) void
__sanitizer_finish_switch_fiber(void *, const void **old_bottom, size_t *old_size)
{
	if (state.finish)
		state.finish(state.current->fake_stack, old_bottom, old_size);
}
}
