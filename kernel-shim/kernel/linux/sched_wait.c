/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's wait queues, simple wait queues and completions as they are. Upstream builds
 * them as one unit behind the scheduler's private header; so does this file.
 */
#include <linux/completion.h>
#include <linux/hash.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/sched/wake_q.h>
#include <linux/swait_api.h>
#include <linux/wait.h>
#include <linux/wait_api.h>
#include <linux/wait_bit.h>

#include <kernel/sched/sched.h>
#include <kernel/sched/wait.c>
#include <kernel/sched/swait.c>
#include <kernel/sched/wait_bit.c>
#include <kernel/sched/completion.c>
