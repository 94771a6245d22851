/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers from the machine's seed, so that a run repeats (SplitMix64), and the
 * questions about privilege, which are all answered with yes.
 */
#include <linux/capability.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/string.h>

#include "kernel.h"

static u64 state;

void random_init_seed(u64 seed)
{
	state = seed;
}

static u64 next_random(void)
{
	u64 z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void get_random_bytes(void *buf, size_t len)
{
	while (len) {
		u64 value = next_random();
		size_t part = min(len, sizeof(value));

		memcpy(buf, &value, part);
		buf += part;
		len -= part;
	}
}

u8 get_random_u8(void)
{
	return (u8)next_random();
}

u16 get_random_u16(void)
{
	return (u16)next_random();
}

u32 get_random_u32(void)
{
	return (u32)next_random();
}

u64 get_random_u64(void)
{
	return next_random();
}

int __cold execute_with_initialized_rng(struct notifier_block *nb)
{
	nb->notifier_call(nb, 0, NULL);
	return 0;
}

bool capable(int cap)
{
	return true;
}

bool has_capability_noaudit(struct task_struct *task, int cap)
{
	return true;
}

bool ns_capable(struct user_namespace *ns, int cap)
{
	return true;
}

bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap)
{
	return true;
}
