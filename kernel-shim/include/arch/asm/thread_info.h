/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in front of the architecture's header: thread_info belongs to the task that runs, not to the stack on which
 * it runs (a host thread's, of any alignment).
 */
#ifndef KERNEL_SHIM_ARCH_THREAD_INFO_H
#define KERNEL_SHIM_ARCH_THREAD_INFO_H

#define current_thread_info um_stack_thread_info
#include_next <asm/thread_info.h>
#undef current_thread_info

#ifndef __ASSEMBLY__
struct thread_info *shim_thread_info(void);
#define current_thread_info() shim_thread_info()
#endif

#endif
